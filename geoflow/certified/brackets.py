"""`certify_nonintegrable`: the bundle of adapted directions, V = ran Dᵀ, is not integrable at a point.

The lifts V_i = D⁺e_i span V. With λ_i = (DDᵀ)⁻¹e_i and H_λ = Σ_m λ_m ∂²x_m their brackets are
[V_i, V_j] = (1 − D⁺D)(H_{λ_j} V_i − H_{λ_i} V_j): vertical, and by Frobenius V is integrable near theta only if all of them vanish.
"""

import itertools
import time
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, Vector, below, exact, precision
from geoflow.certified.certificate import Certificate
from geoflow.certified.claims import Balls, in_balls, undecided, written_problem
from geoflow.certified.curvature import jacobian_along
from geoflow.certified.dyadic import bounds, written_matrix, written_vector
from geoflow.certified.rank_bounds import at_least
from geoflow.checks import instance, parameter_vector, whole_number
from geoflow.problem import Problem
from geoflow.types import ArrayLike

KIND = "brackets"


class Brackets(NamedTuple):
    """D (QN × K) and the brackets (one row a pair i < j, in lexicographic order)."""

    D: Matrix
    pairs: list[tuple[int, int]]
    rows: Matrix


def certify_nonintegrable(problem: Problem, theta: ArrayLike, *, bits: int = 212) -> Certificate:
    """That V = ran Dᵀ is not integrable at theta (K,): a bracket of two lifts is not zero there (GM (2.31)).

    The certificate counts the brackets that are certainly not zero, encloses the length of the longest and bounds the dimension
    of V + brackets from below; where that is K, V is bracket generating at theta (Chow–Rashevskii).
    Undecided, with the reason, where D might lack full rank QN or no bracket can be told from zero. Raises TypeError or ValueError
    for wrong arguments.
    """
    since = time.perf_counter()
    instance("problem", problem, Problem, "The order is certify_nonintegrable(problem, theta).")
    bits = whole_number("bits", bits, least=53)
    at = np.asarray(parameter_vector(theta, problem.K))
    balls = in_balls(problem)
    name = f"{balls} (K = {problem.K}, QN = {problem.QN}) on these {problem.N} samples"
    what = f"{name}: the bundle V = ran Dᵀ is not integrable at θ."
    with precision(bits):
        found = brackets(balls, exact(at))
        if isinstance(found, str):
            return undecided(KIND, what, found, bits, since)
        nonzero = [pair for pair, row in zip(found.pairs, found.rows, strict=True) if _nonzero(row)]
        if not nonzero:
            reason = "no bracket can be told from zero: in truth all of them may vanish."
            return undecided(KIND, what, reason, bits, since)
        span = at_least(found.D + found.rows)
        most = min(problem.K, problem.QN + len(found.pairs))
        longest = max(map(_length, found.rows), key=lambda length: float(length.mid()))
        enclosures = {
            "brackets that are not zero": (str(len(nonzero)), str(len(found.pairs))),
            "dimension of V + brackets": (str(span.rank), str(most)),
            "length of a bracket": bounds(longest),
        }
        claim = written_problem(problem) | {
            "theta": written_vector(at),
            "nonzero": [list(pair) for pair in nonzero],
            "span": span.rank,
            "left": written_matrix(span.left),
            "right": written_matrix(span.right),
        }
    all_of_it = ", all of R^K: V is bracket generating at θ" if span.rank == problem.K else ""
    return Certificate(
        KIND,
        True,
        f"{what} At least {len(nonzero)} of the {len(found.pairs)} brackets of its lifts are not zero; with V they span "
        f"{span.rank} dimensions at least{all_of_it}.",
        enclosures=enclosures,
        precision=bits,
        seconds=time.perf_counter() - since,
        claim=claim,
    )


def brackets(balls: Balls, theta: Vector) -> Brackets | str:
    """All brackets of two lifts at theta (K balls), or the reason why they are not enclosed."""
    QN, K = balls.QN, balls.network.K
    if QN > K:
        return (
            f"D has {QN} rows and {K} columns, no full rank QN: there are no lifts of all outputs."
        )
    rows = balls.network.jacobian(theta, balls.inputs)
    D = arb_mat(rows)
    try:
        gram = (D * D.transpose()).inv()
    except ZeroDivisionError:
        return "D is not certain to have full rank: DDᵀ might be singular."
    lifts = D.transpose() * gram
    bent = [
        arb_mat(jacobian_along(balls.network, theta, balls.inputs, list(lift))).transpose() * gram
        for lift in zip(*lifts.tolist(), strict=True)
    ]  # bent[i] (K × QN): H_{λ_j} V_i in column j
    pairs = list(itertools.combinations(range(QN), 2))
    flat = [[bent[i][k, j] - bent[j][k, i] for k in range(K)] for i, j in pairs]
    if not flat:
        return "QN = 1: a bundle of lines is always integrable."
    w = arb_mat(flat)
    found = (w - (w * D.transpose()) * lifts.transpose()).tolist()
    if not all(entry.is_finite() for row in found for entry in row):
        return "a bracket is not enclosed: a ball there is NaN or infinite."
    return Brackets(rows, pairs, found)


def _nonzero(row: Vector) -> bool:
    return any(below(arb(0), entry) or below(entry, arb(0)) for entry in row)


def _length(row: Vector) -> arb:
    """The square root of a ball that touches zero is NaN: the lengths of exact numbers bound the others."""
    least, most = arb(0), arb(0)
    for entry in row:
        low, high = entry.abs_lower(), entry.abs_upper()
        least, most = least + low * low, most + high * high
    return least.lower().max(arb(0)).sqrt().union(most.sqrt())
