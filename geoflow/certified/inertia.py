"""Signs of eigenvalues of a symmetric matrix of balls: how many are negative, how many positive, and how far from zero.

Two laws of Sylvester: QᵀHQ has the signs of H for every invertible Q, and the pivots of LDLᵀ have the signs of the matrix. Q, the
eigenvectors in float64, makes QᵀHQ nearly diagonal, so that no pivot comes near zero unless an eigenvalue does. What is said
of a matrix of balls holds for every symmetric matrix in it.
"""

from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, below
from geoflow.certified.krawczyk import row_norm
from geoflow.certified.network import floats
from geoflow.types import Floats

#: Relative half widths that are tried for an enclosure, narrow first.
WIDTHS = tuple(10.0**-k for k in (24, 20, 16, 13, 10, 8, 6, 4, 2))


class Inertia(NamedTuple):
    """The numbers of negative and of positive eigenvalues; none is zero."""

    negative: int
    positive: int


def inertia(H: Matrix) -> Inertia | None:
    """The signs of the eigenvalues of every symmetric matrix in H; None when a pivot contains zero or is not finite."""
    basis = _eigenvectors(H)
    if basis is None:
        return None
    Q = arb_mat(basis.tolist())
    if not below(row_norm(arb_mat(np.eye(len(H)).tolist()) - Q.transpose() * Q), arb(1)):
        return None  # then Q might not be invertible
    return _pivots((Q.transpose() * arb_mat(H) * Q).tolist())


def _pivots(S: Matrix) -> Inertia | None:
    """LDLᵀ, the largest diagonal entry first; reads the lower triangle."""
    left, signs = list(range(len(S))), [0, 0]
    while left:
        p = max(
            left, key=lambda k: abs(float(S[k][k].mid()))
        )  # any choice will do; NaN fails below
        pivot = S[p][p]
        if not (below(arb(0), pivot) or below(pivot, arb(0))):
            return None
        signs[below(arb(0), pivot)] += 1
        left.remove(p)
        column = {k: S[max(k, p)][min(k, p)] for k in left}
        for k in left:
            factor = column[k] / pivot
            for m in left:
                if m <= k:
                    S[k][m] -= factor * column[m]
    return Inertia(signs[0], signs[1])


def _eigenvectors(H: Matrix) -> Floats | None:
    """In float64, a guess; None where there is nothing to guess from."""
    centre = floats(H)
    if centre.ndim != 2 or centre.shape[0] != centre.shape[1] or not np.isfinite(centre).all():
        return None
    return np.asarray(np.linalg.eigh((centre + centre.T) / 2)[1], dtype=np.float64)


def shifted(H: Matrix, shift: arb) -> Matrix:
    """H + shift·1."""
    return [
        [entry + shift if k == m else entry for m, entry in enumerate(row)]
        for k, row in enumerate(H)
    ]


def eigenvalue(H: Matrix, k: int) -> arb | None:
    """Eigenvalue k of every symmetric matrix in H, counted from the least (k = 0), enclosed; None where the proof fails.

    It is above lo where no more than k eigenvalues of H − lo are negative, and below hi where more than k of H − hi are. An
    enclosure of zero is not looked for.
    """
    guess = _refined(H, k)
    if guess is None or guess.is_zero():
        return None
    for width in WIDTHS:
        ends = [(guess * (1 + sign * arb(width))).mid() for sign in (-1, 1)]
        lo, hi = ends if below(arb(0), guess) else ends[::-1]
        under, over = inertia(shifted(H, -lo)), inertia(shifted(H, -hi))
        if under is not None and over is not None and under.negative <= k < over.negative:
            return lo.union(hi)
    return None


def least_size(H: Matrix) -> arb | None:
    """The least |eigenvalue| of every symmetric matrix in H enclosed; None where it cannot be told from zero."""
    signs = inertia(H)
    if signs is None:
        return None
    least: arb | None = None
    for k in range(
        max(signs.negative - 1, 0), min(signs.negative + 1, len(H))
    ):  # those next to zero
        found = eigenvalue(H, k)
        if found is None:
            return None
        least = abs(found) if least is None else least.min(abs(found))
    return least


def _refined(H: Matrix, k: int) -> arb | None:
    """Eigenvalue k, by inverse iteration on midpoints: a guess."""
    basis = _eigenvectors(H)
    if basis is None:
        return None
    centre = arb_mat(H).mid()
    vector = arb_mat([[arb(float(x))] for x in basis[:, k]])
    value, off = _quotient(centre, vector)
    for _ in range(4):
        try:
            found = arb_mat(shifted(centre.tolist(), -value)).solve(vector).mid()
        except ZeroDivisionError:  # the shift is an eigenvalue, to the last digit
            break
        vector = (found / _dot(found, found).sqrt().mid()).mid()
        new, left = _quotient(centre, vector)
        if not below(left, off):  # the precision is used up: only noise would follow
            break
        value, off = new, left
    return value if value.is_finite() else None


def _quotient(H: arb_mat, vector: arb_mat) -> tuple[arb, arb]:
    """Rayleigh's, at midpoints, and |Hv − quotient·v|² for v of about unit length."""
    value = (_dot(vector, H * vector) / _dot(vector, vector)).mid()
    off = (H * vector - value * vector).mid()
    return value, _dot(off, off).mid()


def _dot(a: arb_mat, b: arb_mat) -> arb:
    return (a.transpose() * b)[0, 0]
