"""Singular values of D, its numerical rank, and the Moore–Penrose inverse of a dense D (GM (1.26)-(1.28)).

A rank is decided where rounding allows it. Computed singular values are off by about max(QN, K)·eps·sigma_max, so that a
value below that may be zero and a value above it is not: a larger cut-off is a choice, and `Rank.decided` says when it
mattered.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.checks import float64_array, is_traced, output_vector, positive_number
from geoflow.types import AnyArray, Floats

#: The default cut-off: singular values below this times the largest count as zero.
RANK_RTOL = 1e-10


def rounding_level(QN: int, K: int) -> float:
    """Relative to sigma_max, what rounding leaves of a zero singular value of a QN × K matrix: 8·max(QN, K)·eps."""
    return 8 * max(QN, K) * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Rank:
    """A rank decision together with what it rests on.

    rank: the number of singular values above `tolerance`; full: rank = min(QN, K); sigma_min: the smallest of all min(QN, K)
    singular values; sigma_max: the largest; tolerance: the absolute threshold; gap: (smallest kept, largest dropped), nan
    where none; decided: False when a singular value that is no rounding error was dropped, or one lies within a factor 10
    of the threshold, so that another tolerance would say something else.
    """

    rank: int
    full: bool
    sigma_min: float
    sigma_max: float
    tolerance: float
    gap: tuple[float, float]
    decided: bool


def matrix(D: object, name: str = "D") -> Array:
    """D as a float64 array (QN, K). Raises as `float64_array`."""
    return float64_array(name, D, 2, "(QN, K)")


def cut_off(rtol: object, name: str = "rtol") -> float:
    """A relative threshold on singular values, above 0 and below 1."""
    number = positive_number(name, rtol)
    if number >= 1:
        raise ValueError(
            f"{name} is relative to the largest singular value and must lie below 1, got {rtol!r}."
        )
    return number


def singular_values(D: Float64[AnyArray, "QN K"]) -> Float64[Array, " min_QN_K"]:
    """Singular values of D, largest first."""
    return jnp.linalg.svd(matrix(D), compute_uv=False)


def numerical_rank(D: Float64[AnyArray, "QN K"], rtol: float = RANK_RTOL) -> Rank:
    """The rank of D, counted with singular values above rtol·sigma_max. Raises as `float64_array`, or for rtol not in (0, 1)."""
    D, rtol = matrix(D), cut_off(rtol)
    return rank_of(np.asarray(singular_values(D)), D.shape, rtol)


def rank_of(sigma: Floats, shape: tuple[int, ...], rtol: float) -> Rank:
    """The decision for singular values `sigma`, largest first, of a matrix of that shape."""
    tolerance = rtol * sigma[0]
    kept, dropped = sigma[sigma > tolerance], sigma[sigma <= tolerance]
    gap = (float(kept[-1]) if kept.size else np.nan, float(dropped[0]) if dropped.size else np.nan)
    near = (sigma > tolerance / 10) & (sigma < tolerance * 10)
    no_rounding = (sigma <= tolerance) & (sigma > rounding_level(*shape) * sigma[0])
    return Rank(
        rank=int(kept.size),
        full=not dropped.size,
        sigma_min=float(sigma[-1]),
        sigma_max=float(sigma[0]),
        tolerance=float(tolerance),
        gap=gap,
        decided=not bool((near | no_rounding).any()) or not sigma[0],
    )


def penrose_inverse(D: Float64[AnyArray, "QN K"]) -> Float64[Array, "K QN"]:
    """Pen[D] = Dᵀ(DDᵀ)⁻¹ for K ≥ QN and full rank: D Pen = 1 (GM (1.26)-(1.27)), computed as Q R⁻ᵀ from Dᵀ = QR.

    Raises ValueError when K < QN (there D Pen = 1 is impossible; the minimal-norm least-squares inverse is
    `moore_penrose`) and when D is numerically rank deficient.
    """
    D = matrix(D)
    QN, K = D.shape
    if K < QN:
        raise ValueError(
            f"Dᵀ(DDᵀ)⁻¹ needs K ≥ QN, got K = {K} < QN = {QN}: DDᵀ is singular. "
            "For K < QN use moore_penrose(D), which is (DᵀD)⁻¹Dᵀ at full rank (GM (1.33))."
        )
    if not is_traced(D) and not (rank := numerical_rank(D)).full:
        raise ValueError(
            f"Dᵀ(DDᵀ)⁻¹ needs full rank QN = {QN}, got rank {rank.rank} (sigma_min = {rank.sigma_min:.2e}, threshold "
            f"{rank.tolerance:.2e}). Use moore_penrose(D), the least-squares inverse of GM Theorem 4.1."
        )
    Q, R = jnp.linalg.qr(D.T)
    return Q @ jax.scipy.linalg.solve_triangular(R, jnp.eye(QN), trans="T")


def moore_penrose(
    D: Float64[AnyArray, "QN K"], rtol: float | None = None
) -> Float64[Array, "K QN"]:
    """D⁺ by SVD, singular values at or below rtol·sigma_max taken as zero: defined at any rank, in any regime.

    The minimal-norm least-squares inverse: Dᵀ(DDᵀ)⁻¹ for K ≥ QN and (DᵀD)⁻¹Dᵀ for K ≤ QN at full rank.
    rtol: None takes as zero what rounding may have made of zero, and raises ValueError where a singular value lies so close to
    that level that the rank is not decided.
    """
    D = matrix(D)
    U, sigma, Vt = _svd(D)
    return (Vt.T * inverse_above(sigma, _threshold(sigma, D.shape, rtol, "of D"))) @ U.T


@eqx.filter_jit
def _svd(D: Array) -> tuple[Array, Array, Array]:
    U, sigma, Vt = jnp.linalg.svd(D, full_matrices=False, compute_uv=True)
    return U, sigma, Vt


def inverse_above(sigma: Array, rtol: Array | float) -> Array:
    """1/sigma where sigma > rtol·(the largest), else 0; sigma largest first."""
    keep = sigma > rtol * sigma[0]
    return jnp.where(keep, 1 / jnp.where(keep, sigma, 1.0), 0.0)


def _threshold(sigma: Array, shape: tuple[int, ...], rtol: float | None, of: str) -> float:
    """The relative cut-off: as given, else where rounding puts it. Raises ValueError where that leaves the rank open."""
    if rtol is not None:
        return cut_off(rtol)
    level = rounding_level(*shape)
    if not is_traced(sigma):
        values = np.asarray(sigma)
        if ((values > level / 10 * values[0]) & (values < 10 * level * values[0])).any():
            shown = ", ".join(f"{x:.1e}" for x in values[-6:] / values[0])
            raise ValueError(
                f"the rank {of} is not decided: its singular values end with {shown} of the largest, and rounding leaves about "
                f"{level:.0e} of a zero. Pass rtol to say which count, or scale the features."
            )
    return level


def range_projector(
    D: Float64[AnyArray, "QN K"], rtol: float | None = None
) -> Float64[Array, "QN QN"]:
    """P, the orthogonal projector of R^QN onto ran D (NA Theorem 1.5, GM (4.2), (5.4)).

    rtol: singular values of D at or below rtol·sigma_max count as zero. None decides by a matrix with the same range, whose
    rank is easier to tell, D with its columns scaled to length 1, and raises ValueError where even its rank is not decided.
    """
    U = _range_basis(matrix(D), rtol)
    return U @ U.T


def _range_basis(D: Array, rtol: float | None) -> Array:
    """An orthonormal basis of ran D in the first columns, the others zero."""
    D = _columns_of_length_one(D) if rtol is None else D
    U, sigma, _ = _svd(D)
    return U * (sigma > _threshold(sigma, D.shape, rtol, "of D with scaled columns") * sigma[0])


def tangent_projector(D: Float64[AnyArray, "QN K"]) -> Float64[Array, "QN QN"]:
    """P = D(DᵀD)⁻¹Dᵀ for K ≤ QN and full rank (NA (1.21), GM (5.4)), as QQᵀ from D = QR.

    The formula as printed squares the condition number of D; QR does not. At any rank, in any regime: `range_projector`.
    Raises ValueError when K > QN (there DᵀD is singular) and when D is numerically rank deficient.
    """
    D = matrix(D)
    QN, K = D.shape
    if K > QN:
        raise ValueError(
            f"D(DᵀD)⁻¹Dᵀ needs K ≤ QN, got K = {K} > QN = {QN}: DᵀD is singular. Use range_projector(D), by SVD."
        )
    D = _columns_of_length_one(D)
    if not is_traced(D) and not (rank := numerical_rank(D)).full:
        raise ValueError(
            f"D(DᵀD)⁻¹Dᵀ needs full rank K = {K}, got rank {rank.rank} (columns scaled to length 1: sigma_min = "
            f"{rank.sigma_min:.2e}, threshold {rank.tolerance:.2e}). Use range_projector(D), which projects onto ran D at any "
            "rank (GM (4.2))."
        )
    Q, _ = jnp.linalg.qr(D)
    return Q @ Q.T


def _columns_of_length_one(D: Array) -> Array:
    """A matrix with the same range and the same rank, better conditioned where columns differ in size; zero columns stay."""
    lengths = jnp.linalg.norm(D, axis=0)
    return D / jnp.where(lengths > 0, lengths, 1.0)


def normal_part(
    D: Float64[AnyArray, "QN K"], v: Float64[AnyArray, " QN"], rtol: float | None = None
) -> Float64[Array, " QN"]:
    """P^⊥v, the part of v orthogonal to ran D: what no velocity D·dtheta/ds can have (NA (1.20), GM (5.5)).

    The rank is decided as in `range_projector`. Raises as `float64_array`, or for a v that is not (QN,).
    """
    D = matrix(D)
    v = output_vector("v", v, D.shape[0])
    U = _range_basis(D, rtol)
    normal = v - U @ (U.T @ v)
    return normal - U @ (U.T @ normal)  # once more: what rounding left of the tangent part goes too
