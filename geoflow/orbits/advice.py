"""What to do about an orbit that stopped: read off the problem, not off the status alone."""

import math

import numpy as np

from geoflow.flows import Adapted, AdaptedTau, Flow
from geoflow.orbits.status import Status
from geoflow.problem import Problem, resolved_cost
from geoflow.types import Floats

#: How many pairs of equal samples a message names.
NAMED = 3
#: Features whose scales differ by this factor are told to be scaled.
UNLIKE = 1e3


def advice(
    status: Status, problem: Problem, flow: Flow, cost: float, ratio: float = math.nan
) -> str:
    """One or two sentences. cost: where the orbit stopped; ratio: sigma_min/sigma_max there, nan where unknown."""
    if status is Status.rank_loss:
        return rank_advice(problem)
    if status is Status.linear_solve_failed:
        return _solver_advice(problem, flow, ratio)
    if status is Status.cost_not_reached:
        floor = float(resolved_cost(problem))
        if cost <= 10 * floor:
            return f"The cost came down to about {floor:.0e}, what float64 can tell from zero on these targets: no smaller one can be asked for."
        return "Give a larger `until`; the orbit so far tells how fast the cost falls."
    if status is Status.max_steps:
        return (
            "Look at sigma_min and |theta| along the orbit. If neither runs away, give a larger `max_steps` or, for a slow standard "
            "flow, solver=diffrax.Kvaerno5()."
        )
    return (
        "Look at the last finite states: a smaller `scale` in init, or smaller data, usually helps."
    )


def rank_advice(problem: Problem) -> str:
    """Why D may be rank deficient on these data, and what helps."""
    parts, inputs = [], np.asarray(problem.data.inputs)
    if pairs := equal_samples(inputs):
        named = ", ".join(f"{i} and {j}" for i, j in pairs[:NAMED])
        more = f", and {len(pairs) - NAMED} more pairs" if len(pairs) > NAMED else ""
        parts.append(
            f"Samples {named}{more} have equal inputs, so that D has equal rows whatever theta is: merge or drop them."
        )
    if (ratio := feature_scales(inputs)) >= UNLIKE:
        parts.append(
            f"The scales of the features differ by a factor {ratio:.0e}: scale your features (subtract the mean, divide by the "
            "standard deviation)."
        )
    if problem.K < problem.QN:
        parts.append(
            f"With K = {problem.K} < QN = {problem.QN} a larger network tends to have the smaller sigma_min."
        )
    elif not parts:
        parts.append(
            "Where D is rank deficient the full-rank theorems say nothing. Start elsewhere, or widen the network."
        )
    parts.append(
        "Adapted(solver=Damped(lam)) is defined at any rank, at the price of the uniform rate; rank_tolerance=None follows the "
        "least-squares flow of GM Theorem 4.1 (see the chapter on rank loss)."
    )
    return " ".join(parts)


def _solver_advice(problem: Problem, flow: Flow, ratio: float) -> str:
    solver = type(flow.solver).__name__ if isinstance(flow, Adapted | AdaptedTau) else "the solver"
    if ratio > 1e-6:
        return (
            f"D is well enough conditioned here (sigma_min/sigma_max = {ratio:.1e}), so that it is {solver} that did not converge: let it "
            "take more steps, or use Auto(), which has none to tune."
        )
    return f"D is so nearly rank deficient that rounding decides what {solver} finds. {rank_advice(problem)}"


def equal_samples(inputs: Floats) -> list[tuple[int, int]]:
    """Pairs (first, later) of equal rows."""
    _, first, which = np.unique(inputs, axis=0, return_index=True, return_inverse=True)
    first_of = first[which.reshape(-1)]
    return [(int(i), j) for j, i in enumerate(first_of) if i != j]


def feature_scales(inputs: Floats) -> float:
    """The largest root mean square of a feature over the smallest one that is not zero."""
    scales = np.sqrt(
        np.mean((inputs / max(np.abs(inputs).max(), np.finfo(float).tiny)) ** 2, axis=0)
    )
    scales = scales[scales > 0]
    return float(scales.max() / scales.min()) if scales.size else 1.0
