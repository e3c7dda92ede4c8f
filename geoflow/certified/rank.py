"""`certify_rank`: a lower bound of rank D at a point or in a box around it, exact where a reason bounds it from above."""

import time

import numpy as np
from flint import arb

from geoflow.certified.balls import below, exact, precision
from geoflow.certified.certificate import Certificate
from geoflow.certified.claims import in_balls, undecided, written_problem
from geoflow.certified.dyadic import bounds, written, written_matrix, written_vector
from geoflow.certified.network import around
from geoflow.certified.rank_bounds import at_least, at_most, singular_value
from geoflow.checks import instance, parameter_vector, positive_number, whole_number
from geoflow.problem import Problem
from geoflow.types import ArrayLike

KIND = "rank"

#: Of a lower bound that has no other proof: the rest is for the wider boxes of the checker.
SHARE = arb(0.875)


def certify_rank(
    problem: Problem,
    theta: ArrayLike,
    *,
    rank: int | None = None,
    radius: float = 0.0,
    bits: int = 212,
) -> Certificate:
    """That rank D ≥ `rank` at theta (K,), and in the whole box of that radius around it (maximum norm).

    rank: None asks for full rank, min(QN, K). The certificate says more where it can: the exact rank, if equal inputs or
    columns that vanish identically bound it from above, and singular value number r for the rank r that it proves.
    Undecided, with the reason, where the rank is lower in truth, or the box too large. Raises TypeError or ValueError for wrong
    arguments.
    """
    since = time.perf_counter()
    instance("problem", problem, Problem, "The order is certify_rank(problem, theta).")
    radius, bits = (
        positive_number("radius", radius, zero_allowed=True),
        whole_number("bits", bits, least=53),
    )
    full = min(problem.QN, problem.K)
    wanted = full if rank is None else whole_number("rank", rank)
    if wanted > full:
        raise ValueError(
            f"rank D is at most {full} for QN = {problem.QN} and K = {problem.K}, got rank = {rank!r}."
        )
    at = np.asarray(parameter_vector(theta, problem.K))
    balls = in_balls(problem)
    where = f"within {radius:g} of θ, coordinate by coordinate," if radius else "at θ"
    what = f"{balls} (K = {problem.K}, QN = {problem.QN}): D has rank {wanted} at least {where} on these {problem.N} samples."
    with precision(bits):
        D = balls.network.jacobian(around(exact(at), radius), balls.inputs)
        most, least = at_most(D, np.asarray(problem.data.inputs), None), at_least(D)
        if least.rank < wanted:
            known = (
                f" More than {most.rank} it cannot be: {most.reason}." if most.rank < wanted else ""
            )
            return undecided(
                KIND,
                what,
                f"balls prove rank {least.rank} at least, not {wanted}.{known}",
                bits,
                since,
            )
        sigma = singular_value(D, least.rank)
        enclosures = {"rank": (str(least.rank), str(most.rank))}
        name = f"singular value {least.rank}"
        if sigma is not None:
            enclosures[name] = bounds(sigma)
        low = (SHARE * least.sigma).lower() if sigma is None else sigma.lower()
        if sigma is None and below(arb(0), low):
            enclosures[name] = (bounds(low)[0], "inf")
        claim = written_problem(problem) | {
            "theta": written_vector(at),
            "radius": written(radius),
            "rank": [least.rank, most.rank],
            "left": written_matrix(least.left),
            "right": written_matrix(least.right),
            "sigma": [written(low), "" if sigma is None else written(sigma.upper())],
        }
    exactly = (
        f"exactly {least.rank} ({most.reason})"
        if least.rank == most.rank
        else f"{least.rank} at least"
    )
    return Certificate(
        KIND,
        True,
        f"{balls} (K = {problem.K}, QN = {problem.QN}): D has rank {exactly} {where} on these {problem.N} samples.",
        enclosures=enclosures,
        radius=radius,
        precision=bits,
        seconds=time.perf_counter() - since,
        claim=claim,
    )
