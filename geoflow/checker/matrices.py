"""The checker's own linear algebra in mpmath's intervals: contraction, inertia, rank.

What is said of a matrix of intervals holds for every matrix in it. Floating point only makes guesses, which the tests then decide.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geoflow.checker.intervals import (
    BITS,
    Interval,
    Refused,
    below,
    grown,
    interval,
    iv,
    largest,
    size,
)

#: No precision is higher.
MOST_BITS = 4000

#: Steps of iterative refinement: each gains about twelve digits.
STEPS = 4

Matrix = list[list[Interval]]


def enough_bits(radius: Fraction, least: int = BITS) -> int:
    """Bits with which rounding is small against a box of that radius. Refuses boxes of which nobody speaks."""
    bits = (
        max(least, radius.denominator.bit_length() - radius.numerator.bit_length() + 96)
        if radius > 0
        else least
    )
    if bits > MOST_BITS:
        raise Refused(f"a box of radius 2^{96 - bits} would take {bits} bits.")
    return bits


def contraction(residual: list[Interval], slope: Matrix, radius: Interval) -> Interval:
    """Raises Refused unless s − A F(s) maps |s| ≤ radius into its interior and contracts, for an A found here.

    residual: F(0); slope: F′ over the box. Then F has exactly one zero in the box; returns a bound of its size.
    """
    A = _approximate(slope)
    start = largest([dot(row, residual) for row in A])
    q = row_norm(less_one(product(A, slope)))
    if not below(q, iv.mpf(1)):
        raise Refused(f"the map is no contraction: q = {size(q):.3g}.")
    if not below(start + q * radius, radius):
        raise Refused(
            f"the box is not mapped into itself: |A F(0)| = {size(start):.3g}, radius {size(radius):.3g}."
        )
    return start / (1 - q)


def inertia(H: Matrix) -> tuple[int, int] | None:
    """How many eigenvalues are negative and how many positive, of every symmetric matrix in H; None unless all are certain.

    By LDLᵀ of QᵀHQ, with Q near the eigenvectors.
    """
    centre = floats(H)
    if not np.isfinite(centre).all():
        return None
    Q = exact(np.linalg.eigh((centre + centre.T) / 2)[1])
    Qt = transposed(Q)
    if not below(row_norm(less_one(product(Qt, Q))), iv.mpf(1)):
        return None
    S = product(product(Qt, H), Q)
    left, counts = set(range(len(S))), [0, 0]
    while left:
        p = max(left, key=lambda k: abs(size(S[k][k])))
        pivot = S[p][p]
        if not (below(iv.mpf(0), pivot) or below(pivot, iv.mpf(0))):
            return None
        counts[below(iv.mpf(0), pivot)] += 1
        left.remove(p)
        for k in left:
            factor = S[k][p] / pivot
            for m in left:
                S[k][m] = S[k][m] - factor * S[p][m]
    return counts[0], counts[1]


def shifted(H: Matrix, shift: Interval) -> Matrix:
    """H + shift·1."""
    return [
        [entry + shift if k == m else entry for m, entry in enumerate(row)]
        for k, row in enumerate(H)
    ]


def require_rank(
    D: Matrix, left: Sequence[Sequence[Fraction]], right: Sequence[Sequence[Fraction]], rank: int
) -> None:
    """Raises Refused unless UᵀDV is certainly invertible for the left U (QN × rank) and right V (K × rank): rank D ≥ rank."""
    if rank == 0:
        return
    U, V = ([[interval(x) for x in row] for row in table] for table in (left, right))
    M = product(product(transposed(U), D), V)
    scales = [M[k][k].mid for k in range(rank)]
    if not all(below(iv.mpf(0), abs(scale)) for scale in scales):
        raise Refused("a diagonal entry of UᵀDV is zero.")
    scaled = [[entry / scale for entry in row] for row, scale in zip(M, scales, strict=True)]
    if not below(row_norm(less_one(scaled)), iv.mpf(1)):
        raise Refused(f"rank D ≥ {rank} is not proved: UᵀDV might be singular.")


def singular_above(
    D: Matrix,
    left: Sequence[Sequence[Fraction]],
    right: Sequence[Sequence[Fraction]],
    sigma: Interval,
) -> bool:
    """Whether singular value number r of D certainly exceeds sigma, for U (QN × r) and V (K × r).

    It is at least σ_min(UᵀDV)/(|U||V|), and σ_min(UᵀDV) ≥ min_k d_k − |UᵀDV − diag(d)|_F for positive numbers d_k.
    """
    U, V = ([[interval(x) for x in row] for row in table] for table in (left, right))
    M = product(product(transposed(U), D), V)
    off = sum(
        (entry - M[k][k].mid if k == m else entry) ** 2
        for k, row in enumerate(M)
        for m, entry in enumerate(row)
    )
    lengths = row_norm(product(transposed(U), U)) * row_norm(product(transposed(V), V))
    needed = sigma * iv.sqrt(lengths) + iv.sqrt(off)
    return all(below(needed, M[k][k].mid) for k in range(len(M)))


def most_rank(D: Matrix, groups: Sequence[Any], residual: list[Interval] | None) -> int:
    """An upper bound of rank D. groups: what two equal rows have in common (QN); residual: u with uᵀD = 0, if there is one."""
    sums: dict[Any, Interval] = {}
    for group, u in zip(groups, residual or [iv.mpf(0)] * len(D), strict=True):
        sums[group] = sums.get(group, iv.mpf(0)) + u
    rows = len(sums)
    if residual is not None and any(
        below(iv.mpf(0), u) or below(u, iv.mpf(0)) for u in sums.values()
    ):
        rows -= 1
    return min(rows, sum(any(entry != 0 for entry in column) for column in zip(*D, strict=True)))


def _approximate(matrix: Matrix) -> Matrix:
    """Of the midpoints, in floating point: any matrix would do. Raises Refused where there is none."""
    centre = floats(matrix)
    try:
        A = np.linalg.inv(centre) if np.isfinite(centre).all() else np.full(centre.shape, np.nan)
    except np.linalg.LinAlgError:
        raise Refused("F′ has no inverse at the centre of the box.") from None
    if not np.isfinite(A).all():
        raise Refused("F′ has no inverse at the centre of the box.")
    return exact(A)


def inverse(gram: Matrix) -> Matrix:
    """Enclosed, by rows. Raises Refused unless the symmetric matrix is certainly invertible.

    For any R with q = ‖1 − RG‖_∞ < 1 and any x the solution of Gx* = e is within ‖R(e − Gx)‖_∞/(1 − q) of x.
    """
    centre = floats(gram)
    try:
        R = exact(np.linalg.inv(centre))
    except np.linalg.LinAlgError:
        raise Refused("DDᵀ has no inverse in floating point.") from None
    q = row_norm(less_one(product(R, gram)))
    if not below(q, iv.mpf(1)):
        raise Refused("D is not certain to have full rank: DDᵀ might be singular.")
    rows: Matrix = []
    for k in range(len(gram)):
        guess: list[Interval] = [iv.mpf(0)] * len(gram)
        step: list[Interval] = guess
        for _ in range(STEPS):
            guess = [_middle(a + b) for a, b in zip(guess, step, strict=True)]
            rest = [int(m == k) - dot(row, guess) for m, row in enumerate(gram)]
            step = [dot(row, rest) for row in R]
        error = largest(step) / (1 - q)
        rows.append([grown(entry, error) for entry in guess])
    return rows


def _middle(value: Interval) -> Interval:
    return iv.mpf(value.mid)


def floats(matrix: Matrix) -> np.ndarray:
    """The midpoints in floating point; NaN where an entry is not finite."""
    return np.array(
        [
            [size(entry) if below(iv.mpf(-1), abs(entry)) else np.nan for entry in row]
            for row in matrix
        ]
    )


def exact(array: np.ndarray) -> Matrix:
    """Floats as intervals without width."""
    return [[iv.mpf(entry) for entry in row] for row in array.tolist()]


def transposed(A: Matrix) -> Matrix:
    """Aᵀ."""
    return [list(column) for column in zip(*A, strict=True)]


def product(A: Matrix, B: Matrix) -> Matrix:
    """A B."""
    columns = transposed(B)
    return [[dot(row, column) for column in columns] for row in A]


def dot(a: Sequence[Interval], b: Sequence[Interval]) -> Interval:
    """Σ a_k b_k."""
    return sum((x * y for x, y in zip(a, b, strict=True)), iv.mpf(0))


def less_one(A: Matrix) -> Matrix:
    """A − 1."""
    return [[entry - int(k == m) for m, entry in enumerate(row)] for k, row in enumerate(A)]


def row_norm(A: Matrix) -> Interval:
    """An upper bound of ‖A‖_∞. Refuses what is not finite."""
    return largest([sum((abs(entry) for entry in row), iv.mpf(0)) for row in A])
