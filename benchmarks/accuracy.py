"""D⁺b on near-duplicate data against a reference with 40 digits."""

import equinox as eqx
import mpmath
import numpy as np

import geoflow
from benchmarks import cases

CONDITIONS = (1e3, 1e5, 1e6)
SEEDS = (0, 1, 2)
#: D⁺b moves by about eps·cond(D) when D is rounded, so nobody can do better; twice that is asked for
LIMIT = 2 * np.finfo(np.float64).eps

SOLVERS = {
    "DenseSVD": geoflow.DenseSVD(),
    "DenseQR": geoflow.DenseQR(),
    "LayeredCholesky, not refined": geoflow.LayeredCholesky(max_refinements=0),
    "LayeredCholesky, 1 refinement": geoflow.LayeredCholesky(max_refinements=1),
    "LayeredCholesky": geoflow.LayeredCholesky(),
    "Auto": geoflow.Auto(),
}


def reference(problem, theta, b) -> np.ndarray:
    """D⁺b = Dᵀ(DDᵀ)⁻¹b (K,), network, Jacobian and solve in 40 digits, from the float64 theta, inputs and b taken as exact.

    Row (j, i) of D by the chain rule, output by output, in theta's order: W_1 row by row, b_1, W_2, ...
    """
    with mpmath.workdps(40):
        layers = [
            (
                [[mpmath.mpf(float(w)) for w in row] for row in W],
                [mpmath.mpf(float(v)) for v in bias],
            )
            for W, bias in problem.network.unflatten(theta)
        ]
        rows = []
        for sample in np.asarray(problem.data.inputs):
            activities = [[mpmath.mpf(float(value)) for value in sample]]
            for W, bias in layers[:-1]:
                activities.append(
                    [
                        mpmath.tanh(mpmath.fdot(row, activities[-1]) + v)
                        for row, v in zip(W, bias, strict=True)
                    ]
                )
            for i in range(problem.Q):
                backward, blocks = [mpmath.mpf(int(k == i)) for k in range(problem.Q)], []
                for l in reversed(range(len(layers))):
                    blocks.append([g * a for g in backward for a in activities[l]] + backward)
                    if l:
                        columns = zip(*layers[l][0], strict=True)
                        backward = [
                            mpmath.fdot(backward, column) * (1 - a**2)
                            for column, a in zip(columns, activities[l], strict=True)
                        ]
                rows.append([entry for block in reversed(blocks) for entry in block])
        gram = mpmath.matrix([[mpmath.fdot(r, t) for t in rows] for r in rows])
        multiplier = list(mpmath.lu_solve(gram, mpmath.matrix([mpmath.mpf(float(v)) for v in b])))
        return np.array(
            [float(mpmath.fdot(multiplier, column)) for column in zip(*rows, strict=True)]
        )


@eqx.filter_jit
def solve(solver, problem, theta, b):
    return solver(problem, theta, b).w


def errors() -> list[dict]:
    """Per condition number: cond(D), and for each solver the largest |w − w_ref|/|w_ref| over the seeds."""
    table = []
    for condition in CONDITIONS:
        worst = dict.fromkeys(SOLVERS, 0.0)
        conds = []
        for seed in SEEDS:
            problem, theta, cond = cases.near_duplicates(condition, seed)
            conds.append(cond)
            b = cases.right_hand_side(problem, theta)
            exact = reference(problem, theta, b)
            for name, solver in SOLVERS.items():
                error = np.linalg.norm(solve(solver, problem, theta, b) - exact) / np.linalg.norm(
                    exact
                )
                worst[name] = max(worst[name], float(error))
        table.append({"cond": max(conds), **worst})
    return table
