"""The NTK and one evaluation of the adapted field, geoflow's routes and its peers', at one size."""

import equinox as eqx
import jax
import numpy as np

import geoflow
from benchmarks import cases, peers
from benchmarks.timing import compilations, in_turns

# D of size L takes 1.7 GB and its SVD minutes: the dense routes stay out there
TOO_LARGE = {"L": ("jacrev of the whole batch", "Jacobian + pinv", "Jacobian + SVD", "Jacobian + Cholesky of D Dᵀ")}
GEOFLOW = {"LayeredCholesky": geoflow.LayeredCholesky(), "Auto": geoflow.Auto()}


@eqx.filter_jit
def solve(solver, problem, theta, b):
    return solver(problem, theta, b).w


def _contest(ours: dict, theirs: dict, agree: float) -> dict[str, float]:
    """Median seconds of all; raises AssertionError when a contestant's result differs from ours by more than `agree`."""
    reference = np.asarray(next(iter(ours.values()))())
    for name, call in theirs.items():
        gap = np.linalg.norm(np.asarray(call()) - reference) / np.linalg.norm(reference)
        assert gap < agree, (
            f"{name} computes something else: relative difference {gap:.1e}, expected below {agree:.0e}."
        )
    return in_turns(ours | theirs)


def ntk(size: str) -> tuple[dict[str, float], list[str]]:
    """(median seconds per route, the names of the plain-JAX routes)."""
    problem, theta = cases.sized(size)
    parameters, x = problem.network.unflatten(theta), problem.data.inputs
    plain = {name: jax.jit(f) for name, f in peers.NTK.items() if name not in TOO_LARGE.get(size, ())}
    theirs = {name: lambda f=f: f(parameters, x) for name, f in plain.items()}
    return _contest({"geoflow, layered": lambda: problem.ntk(theta)}, theirs, agree=1e-10), list(theirs)


def field(size: str) -> tuple[dict[str, float], list[str]]:
    """(median seconds per route, the names of the peers)."""
    problem, theta = cases.sized(size)
    parameters, x, b = problem.network.unflatten(theta), problem.data.inputs, cases.right_hand_side(problem, theta)

    peer = {name: jax.jit(f) for name, f in peers.FIELD.items() if name not in TOO_LARGE.get(size, ())}
    theirs = {name: lambda f=f: f(parameters, x, b) for name, f in peer.items()}
    ours = {f"geoflow, {name}": lambda s=s: solve(s, problem, theta, b) for name, s in GEOFLOW.items()}
    return _contest(ours, theirs, agree=1e-6), list(theirs)


def recompilations(size: str) -> int:
    """XLA compilations that other thetas cause once every method of a problem has run: there should be none."""
    problem, theta = cases.sized(size)
    b = cases.right_hand_side(problem, theta)

    def everything(theta):
        return (
            problem.outputs(theta), problem.cost(theta), problem.gradient(theta), problem.ntk(theta),
            problem.pushforward(theta, theta), problem.pullback(theta, b), solve(GEOFLOW["Auto"], problem, theta, b),
        )  # fmt: skip

    jax.block_until_ready(everything(theta))
    others = [1.01 * theta, 0.99 * theta]
    jax.block_until_ready(others)
    with compilations() as seen:
        for other in others:
            jax.block_until_ready(everything(other))
    return len(seen)
