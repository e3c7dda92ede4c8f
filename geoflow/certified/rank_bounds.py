"""Bounds of rank D from both sides, for every D in a matrix of balls.

From below: U (QN × r) and V (K × r), approximate singular vectors, taken as exact. If ‖1 − S⁻¹UᵀDV‖_∞ < 1 for a diagonal S, then UᵀDV
is invertible, and rank D ≥ r. From above balls prove nothing, as every neighbourhood holds matrices of full rank: reasons do.
Equal inputs give equal rows; a column may be zero identically; and where ∇C = 0 without x = y, the residual is orthogonal to ran D.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, Vector, below, exact
from geoflow.certified.inertia import eigenvalue
from geoflow.certified.krawczyk import row_norm
from geoflow.certified.network import floats
from geoflow.types import Floats


@dataclass(frozen=True)
class LowerBound:
    """rank D ≥ rank, by left U (QN × rank) and right V (K × rank); sigma: a lower bound of singular value number `rank`, or 0."""

    rank: int
    left: Floats
    right: Floats
    sigma: arb


class UpperBound(NamedTuple):
    """rank D ≤ rank, and why."""

    rank: int
    reason: str


def at_least(D: Matrix) -> LowerBound:
    """The largest rank that the test proves; 0 where it proves none, as for balls that are NaN or infinite."""
    centre = floats(D)
    if not np.isfinite(centre).all():
        return LowerBound(0, centre[:, :0], centre.T[:, :0], arb(0))
    U, _, Vt = np.linalg.svd(centre, full_matrices=False)
    M = (_matrix(U.T) * arb_mat(D) * _matrix(Vt.T)).tolist()
    for r in reversed(range(1, len(M) + 1)):
        block = [row[:r] for row in M[:r]]
        scales = [row[k].mid() for k, row in enumerate(block)]
        if not all(below(arb(0), scale) for scale in scales):
            continue
        unlike = [
            [entry / s - int(k == m) for m, entry in enumerate(row)]
            for k, (row, s) in enumerate(zip(block, scales, strict=True))
        ]
        if below(row_norm(arb_mat(unlike)), arb(1)):
            left, right = U[:, :r], Vt[:r].T
            return LowerBound(r, left, right, _sigma(block, scales, left, right))
    return LowerBound(0, U[:, :0], Vt[:0].T, arb(0))


def at_most(D: Matrix, inputs: Floats | None, residual: Vector | None) -> UpperBound:
    """inputs (N, M): of the samples, None where they are known up to a radius only. residual (QN): x − y at a critical point, else None."""
    QN, K = len(D), len(D[0])
    places = np.arange(QN) if inputs is None else _first_equal(inputs, QN)
    rows, words = len(np.unique(places)), list[str]()
    if rows < QN:
        words.append(f"{QN - rows} rows are equal to others")
    if residual is not None and any(
        below(arb(0), abs(total)) for total in _summed(residual, places)
    ):
        rows -= 1
        words.append("the residual is not zero and orthogonal to ran D")
    zeros = sum(all(entry.is_zero() for entry in column) for column in zip(*D, strict=True))
    if K - zeros < rows:
        return UpperBound(K - zeros, f"{zeros} of {K} columns are zero" if zeros else f"K = {K}")
    return UpperBound(rows, " and ".join(words) or f"QN = {QN}")


def singular_value(D: Matrix, r: int) -> arb | None:
    """Singular value number r of every D in the balls (1: the largest), enclosed; None where the proof fails.

    Twice as wide as it has to be: another arithmetic, whose boxes are a little larger, proves it too.
    """
    wide = arb_mat(D)
    gram = wide * wide.transpose() if len(D) <= len(D[0]) else wide.transpose() * wide
    square = eigenvalue(gram.tolist(), gram.nrows() - r)
    if square is None or not below(arb(0), square):
        return None
    found = square.sqrt()
    wider = arb(found.mid(), 2 * found.rad())
    return wider if below(arb(0), wider) else None


def _sigma(block: Matrix, scales: Vector, left: Floats, right: Floats) -> arb:
    """σ_r(D) ≥ σ_min(UᵀDV)/(|U||V|), and UᵀDV is near the diagonal matrix of the scales."""
    off = arb(0)
    for k, (row, s) in enumerate(zip(block, scales, strict=True)):
        for m, entry in enumerate(row):
            x = entry - s if k == m else entry
            off += x * x  # not x**2, which is NaN for a ball around zero
    least = scales[0]
    for scale in scales:
        least = least.min(scale)
    lengths = row_norm(_matrix(left.T) * _matrix(left)) * row_norm(
        _matrix(right.T) * _matrix(right)
    )
    bound = ((least - off.upper().sqrt()) / lengths.sqrt()).lower()
    return bound if below(arb(0), bound) else arb(0)


def _first_equal(inputs: Floats, QN: int) -> np.ndarray:
    """For each row of D the first row that has the same input and belongs to the same output (QN,)."""
    _, first, inverse = np.unique(inputs, axis=0, return_index=True, return_inverse=True)
    Q = QN // len(inputs)
    return (first[inverse.reshape(-1)][:, None] * Q + np.arange(Q)).reshape(-1)


def _summed(residual: Vector, places: np.ndarray) -> Vector:
    sums = [arb(0) for _ in residual]
    for v, place in zip(residual, places.tolist(), strict=True):
        sums[place] += v
    return sums


def _matrix(array: Floats) -> arb_mat:
    return arb_mat([exact(row) for row in array])
