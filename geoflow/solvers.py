"""Ways to apply D⁺ to one vector at one theta: what the adapted flow needs at every step.

Each solver is called as solver(problem, theta, b) with b (QN,) and returns a `Solution` with w = D⁺b (K,), the
minimal-norm least-squares solution of D w = b. `Auto` is what the flows use; the others are its parts and its witnesses.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float64

from geoflow.linear_algebra import RANK_RTOL, _inverse_above
from geoflow.problem import Problem


class Solution(eqx.Module):
    """w = D⁺b, an estimate of its relative error (nan where the method has none), and whether it is to be believed."""

    w: Float64[Array, " K"]
    error: Float64[Array, ""]
    ok: Bool[Array, ""]


class Solver(eqx.Module):
    @abc.abstractmethod
    def __call__(self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]) -> Solution:
        """w = D(theta)⁺ b."""


class LayeredCholesky(Solver):
    """w = Dᵀ(DDᵀ)⁻¹b for K ≥ QN, never forming D: layered kernel, Cholesky, iterative refinement, one VJP.

    Cholesky of DDᵀ squares the condition number; refinement with the matrix-free residual b − D(Dᵀλ) wins the lost
    digits back as long as it contracts. It stops when a correction no longer halves or is below rounding, and `error`
    is the size that the next correction would have, relative to |w|. `ok` is False when that exceeds `accept`, or when
    DDᵀ is not numerically positive definite.
    Raises ValueError for K < QN, where DDᵀ is singular.
    """

    max_refinements: int = eqx.field(static=True, default=6)
    accept: float = 1e-9

    def __call__(self, problem, theta, b):
        if problem.K < problem.QN:
            raise ValueError(
                f"Dᵀ(DDᵀ)⁻¹ is the overparametrized formula and needs K ≥ QN, got K = {problem.K} < QN = {problem.QN}. "
                "Use Auto() or DenseQR(), which apply (DᵀD)⁻¹Dᵀ there (GM Theorem 5.1)."
            )
        _, pullback = jax.vjp(lambda t: problem.outputs(t).reshape(-1), theta)
        _, pushforward = jax.linearize(lambda t: problem.outputs(t).reshape(-1), theta)
        L = jnp.linalg.cholesky(problem.ntk(theta))

        def half_solve(r):
            return solve_triangular(L, r, lower=True)

        def full_solve(half):
            return solve_triangular(L, half, lower=True, trans="T")

        # sizes are measured as |L⁻¹r| = |Dᵀδ|: the length, in parameter space, of the correction δ that r asks for
        half = half_solve(b)
        size = jnp.linalg.norm(half)
        state = (0, full_solve(half), size, size)

        def unfinished(state):
            count, _, last, now = state
            contracting = (count == 0) | (now < 0.5 * last)
            return (count < self.max_refinements) & contracting & (now > 1e-15 * size)

        def refine(state):
            count, multiplier, _, now = state
            half = half_solve(b - pushforward(pullback(multiplier)[0]))
            correction = jnp.linalg.norm(half)
            # the first correction measures plain Cholesky; a correction that grew would only do harm
            helps = (correction < now) & jnp.isfinite(correction)
            multiplier = jnp.where(helps, multiplier + full_solve(half), multiplier)
            return count + 1, multiplier, now, correction

        _, multiplier, last, now = jax.lax.while_loop(unfinished, refine, state)
        rate = jnp.minimum(now / jnp.where(last > 0, last, 1.0), 1.0)
        error = jnp.where(size > 0, rate * now / jnp.where(size > 0, size, 1.0), 0.0)
        w = pullback(multiplier)[0]
        return Solution(w, error, jnp.isfinite(w).all() & (error <= self.accept))


class DenseQR(Solver):
    """QR of Dᵀ (K ≥ QN) or of D (K < QN): full rank only. `ok` is False when R has a diagonal entry below rtol of its largest."""

    rtol: float = RANK_RTOL

    def __call__(self, problem, theta, b):
        D = problem.jacobian(theta)
        if problem.K >= problem.QN:
            Q, R = jnp.linalg.qr(D.T)
            w = Q @ solve_triangular(R, b, trans="T")
        else:
            Q, R = jnp.linalg.qr(D)
            w = solve_triangular(R, Q.T @ b)
        diagonal = jnp.abs(jnp.diagonal(R))
        ok = jnp.isfinite(w).all() & (diagonal.min() > self.rtol * diagonal.max())
        return Solution(w, jnp.asarray(jnp.nan), ok)


class DenseSVD(Solver):
    """The rank-revealing route: singular values at or below rtol·sigma_max are taken as zero. Defined at any rank."""

    rtol: float = RANK_RTOL

    def __call__(self, problem, theta, b):
        U, sigma, Vt = jnp.linalg.svd(problem.jacobian(theta), full_matrices=False)
        w = Vt.T @ (_inverse_above(sigma, self.rtol) * (U.T @ b))
        return Solution(w, jnp.asarray(jnp.nan), jnp.isfinite(w).all())


class LSMR(Solver):
    """Matrix-free: only JVPs and VJPs, for problems whose QN × QN kernel does not fit in memory."""

    rtol: float = 1e-12
    max_steps: int | None = eqx.field(static=True, default=None)

    def __call__(self, problem, theta, b):
        operator = lineax.FunctionLinearOperator(
            jax.linearize(lambda t: problem.outputs(t).reshape(-1), theta)[1], jax.eval_shape(lambda: theta)
        )
        solver = lineax.LSMR(rtol=self.rtol, atol=self.rtol, max_steps=self.max_steps)
        found = lineax.linear_solve(operator, b, solver, throw=False)
        return Solution(found.value, jnp.asarray(jnp.nan), found.result == lineax.RESULTS.successful)


class Auto(Solver):
    """The fast full-rank route of the regime, and SVD as soon as that one says that it is not to be believed."""

    rtol: float = RANK_RTOL

    def __call__(self, problem, theta, b):
        fast = LayeredCholesky() if problem.K >= problem.QN else DenseQR(self.rtol)
        first = fast(problem, theta, b)
        return jax.lax.cond(first.ok, lambda: first, lambda: DenseSVD(self.rtol)(problem, theta, b))


def sigma_range(problem: Problem, theta: Float64[Array, " K"]) -> tuple[Float64[Array, ""], Float64[Array, ""]]:
    """(sigma_min, sigma_max) over the min(QN, K) singular values of D(theta).

    By SVD of D while D is small. Past that from the eigenvalues of DDᵀ or DᵀD, which cannot see below about
    1e-8·sigma_max: there sigma_min is reported as that floor rather than as a number without digits.
    """
    if problem.QN * problem.K <= 2**17:
        sigma = jnp.linalg.svd(problem.jacobian(theta), compute_uv=False)
        return sigma[-1], sigma[0]
    eigenvalues = jnp.linalg.eigvalsh(_gram(problem, theta))
    floor = jnp.finfo(jnp.float64).eps * eigenvalues[-1]
    return jnp.sqrt(jnp.maximum(eigenvalues[0], floor)), jnp.sqrt(eigenvalues[-1])


def loses_rank(problem: Problem, theta: Float64[Array, " K"], rtol: Float64[Array, ""]) -> Bool[Array, ""]:
    """Whether sigma_min ≤ rtol·sigma_max, decided by `sigma_range` only where a cheaper bound leaves it open.

    The bound: with G = DDᵀ or DᵀD (n × n) and G = LLᵀ, 1/sigma_min² ≤ |L⁻¹|_F² and sigma_max² ≤ tr G, up to the
    n·eps·tr G by which rounding moves G and L (Higham, Accuracy and Stability of Numerical Algorithms, Theorem 10.3). An
    orbit asks this at every step, and far from rank loss one triangular inverse takes a third to a tenth of the time of n eigenvalues.
    """
    gram = _gram(problem, theta)
    n = gram.shape[0]
    inverse = solve_triangular(jnp.linalg.cholesky(gram), jnp.eye(n), lower=True)
    rounding = n * jnp.finfo(jnp.float64).eps
    full = jnp.sum(inverse**2) * jnp.trace(gram) * (rtol**2 + rounding) < 1  # False for the NaN of a failed Cholesky

    def exactly():
        sigma_min, sigma_max = sigma_range(problem, theta)
        return sigma_min <= rtol * sigma_max

    return jax.lax.cond(full, lambda: jnp.zeros((), bool), exactly)


def _gram(problem, theta):
    """DDᵀ for K ≥ QN, else DᵀD: the smaller of the two."""
    if problem.K >= problem.QN:
        return problem.ntk(theta)
    D = problem.jacobian(theta)
    return D.T @ D
