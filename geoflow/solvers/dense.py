"""Routes by a dense D: QR at full rank, SVD at any rank."""

from typing import ClassVar

import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float64

from geoflow.linear_algebra import RANK_RTOL, cut_off, inverse_above, rounding_level
from geoflow.problem import Problem
from geoflow.solvers.solver import Solution, Solver


class DenseQR(Solver):
    """QR of Dᵀ (K ≥ QN) or of D (K < QN): full rank only.

    `error` is eps·cond(R), the condition number bounded through R⁻¹. `ok` is False when that bound exceeds 1/rtol.
    """

    rtol: float = RANK_RTOL
    rank_tolerance: ClassVar[float | None] = 1e-7

    def __check_init__(self) -> None:
        cut_off(self.rtol)

    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        D = problem.jacobian(theta)
        if problem.K >= problem.QN:
            Q, R = jnp.linalg.qr(D.T)
            w = Q @ solve_triangular(R, b, trans="T")
        else:
            Q, R = jnp.linalg.qr(D)
            w = solve_triangular(R, Q.T @ b)
        inverse = solve_triangular(R, jnp.eye(R.shape[0]))
        # Frobenius norms: at least cond(D)
        condition = jnp.linalg.norm(R) * jnp.linalg.norm(inverse)
        ok = jnp.isfinite(w).all() & (condition * self.rtol < 1)  # False for NaN
        return Solution(w, jnp.finfo(jnp.float64).eps * condition, ok)


class DenseSVD(Solver):
    """The rank-revealing route, defined at any rank.

    rtol: singular values at or below rtol·sigma_max are taken as zero: a spectral cut-off, and w is what it says, the
    minimal-norm least-squares solution of the truncated D. None takes as zero what rounding may have made of zero
    (`rounding_level`), and `ok` is False when a singular value lies within a factor 10 of that, so that the rank is not
    decided.
    """

    rtol: float | None = None
    rank_tolerance: ClassVar[float | None] = 1e-7

    def __check_init__(self) -> None:
        if self.rtol is not None:
            cut_off(self.rtol)

    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        U, sigma, Vt = jnp.linalg.svd(problem.jacobian(theta), full_matrices=False)
        rtol = rounding_level(problem.QN, problem.K) if self.rtol is None else self.rtol
        w = Vt.T @ (inverse_above(sigma, rtol) * (U.T @ b))
        near = (sigma > rtol / 10 * sigma[0]) & (sigma < 10 * rtol * sigma[0])
        least = jnp.where(sigma > rtol * sigma[0], sigma, jnp.inf).min()
        error = jnp.finfo(jnp.float64).eps * sigma[0] / least
        return Solution(w, error, jnp.isfinite(w).all() & ((self.rtol is not None) | ~near.any()))
