"""Singular values of D, its numerical rank, and the Moore–Penrose inverse of a dense D (GM (1.26)-(1.28))."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow._checks import float64_array, is_traced, positive_number

#: Singular values below this times the largest count as zero. Rounding leaves about 1e-13 of the largest in the singular
#: values of a rank-deficient D of the book's sizes; every gap that the chapters decide is wider than 1e-8.
RANK_RTOL = 1e-10


@dataclass(frozen=True)
class Rank:
    """A rank decision together with what it rests on.

    rank: the number of singular values above `tolerance`; sigma_min: the smallest of all min(QN, K) singular values;
    sigma_max: the largest; tolerance: the absolute threshold; gap: (smallest kept, largest dropped), nan where none;
    decided: False when a singular value lies within a factor 10 of the threshold, so that another tolerance would say
    something else.
    """

    rank: int
    full: bool
    sigma_min: float
    sigma_max: float
    tolerance: float
    gap: tuple[float, float]
    decided: bool


def singular_values(D: Float64[Array, "QN K"]) -> Float64[Array, " min_QN_K"]:
    """Singular values of D, largest first."""
    return jnp.linalg.svd(float64_array("D", D, 2, "(QN, K)"), compute_uv=False)


def numerical_rank(D: Float64[Array, "QN K"], rtol: float = RANK_RTOL) -> Rank:
    """The rank of D, counted with singular values above rtol·sigma_max. Raises as `float64_array`, or for rtol ≤ 0."""
    rtol = positive_number("rtol", rtol)
    sigma = np.asarray(singular_values(D))
    tolerance = rtol * sigma[0]
    kept, dropped = sigma[sigma > tolerance], sigma[sigma <= tolerance]
    gap = (float(kept[-1]) if kept.size else np.nan, float(dropped[0]) if dropped.size else np.nan)
    near = (sigma > tolerance / 10) & (sigma < tolerance * 10)
    return Rank(
        rank=int(kept.size),
        full=not dropped.size,
        sigma_min=float(sigma[-1]),
        sigma_max=float(sigma[0]),
        tolerance=float(tolerance),
        gap=gap,
        decided=not bool(near.any()),
    )


def penrose_inverse(D: Float64[Array, "QN K"]) -> Float64[Array, "K QN"]:
    """Pen[D] = Dᵀ(DDᵀ)⁻¹ for K ≥ QN and full rank: D Pen = 1 (GM (1.26)-(1.27)), computed as Q R⁻ᵀ from Dᵀ = QR.

    Raises ValueError when K < QN (there D Pen = 1 is impossible; the minimal-norm least-squares inverse is
    `moore_penrose`) and when D is numerically rank deficient.
    """
    D = float64_array("D", D, 2, "(QN, K)")
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


@eqx.filter_jit
def moore_penrose(D: Float64[Array, "QN K"], rtol: float | Array = RANK_RTOL) -> Float64[Array, "K QN"]:
    """D⁺ by SVD, singular values at or below rtol·sigma_max taken as zero: defined at any rank, in any regime.

    The minimal-norm least-squares inverse: Dᵀ(DDᵀ)⁻¹ for K ≥ QN and (DᵀD)⁻¹Dᵀ for K ≤ QN at full rank.
    """
    U, sigma, Vt = jnp.linalg.svd(D, full_matrices=False)
    return (Vt.T * _inverse_above(sigma, rtol)) @ U.T


def _inverse_above(sigma, rtol):
    keep = sigma > rtol * sigma[0]
    return jnp.where(keep, 1 / jnp.where(keep, sigma, 1.0), 0.0)


def range_projector(D: Float64[Array, "QN K"], rtol: float = RANK_RTOL) -> Float64[Array, "QN QN"]:
    """P, the orthogonal projector of R^QN onto ran D (NA Theorem 1.5, GM (4.2), (5.4)), at the rank that rtol decides."""
    U, sigma, _ = jnp.linalg.svd(float64_array("D", D, 2, "(QN, K)"), full_matrices=False)
    U = U * (sigma > rtol * sigma[0])
    return U @ U.T


def tangent_projector(D: Float64[Array, "QN K"]) -> Float64[Array, "QN QN"]:
    """P = D(DᵀD)⁻¹Dᵀ for K ≤ QN and full rank (NA (1.21), GM (5.4)), as QQᵀ from D = QR.

    The formula as printed squares the condition number of D; QR does not. At any rank, in any regime: `range_projector`.
    Raises ValueError when K > QN (there DᵀD is singular) and when D is numerically rank deficient.
    """
    D = float64_array("D", D, 2, "(QN, K)")
    QN, K = D.shape
    if K > QN:
        raise ValueError(
            f"D(DᵀD)⁻¹Dᵀ needs K ≤ QN, got K = {K} > QN = {QN}: DᵀD is singular. Use range_projector(D), by SVD."
        )
    if not is_traced(D) and not (rank := numerical_rank(D)).full:
        raise ValueError(
            f"D(DᵀD)⁻¹Dᵀ needs full rank K = {K}, got rank {rank.rank} (sigma_min = {rank.sigma_min:.2e}, threshold "
            f"{rank.tolerance:.2e}). Use range_projector(D), which projects onto ran D at any rank (GM (4.2))."
        )
    Q, _ = jnp.linalg.qr(D)
    return Q @ Q.T


def normal_part(D: Float64[Array, "QN K"], v: Float64[Array, " QN"], rtol: float = RANK_RTOL) -> Float64[Array, " QN"]:
    """P^⊥v, the part of v orthogonal to ran D: what no velocity D·dtheta/ds can have (NA (1.20), GM (5.5)).

    The rank is decided as in `range_projector`. Raises as `float64_array`, or for a v that is not (QN,).
    """
    D, v = float64_array("D", D, 2, "(QN, K)"), float64_array("v", v, 1, "(QN,)")
    if v.shape != D.shape[:1]:
        raise ValueError(f"v must have one entry per row of D, ({D.shape[0]},), got shape {v.shape}.")
    U, sigma, _ = jnp.linalg.svd(D, full_matrices=False)
    U = U * (sigma > rtol * sigma[0])
    return v - U @ (U.T @ v)
