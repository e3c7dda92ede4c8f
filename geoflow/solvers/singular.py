"""The singular values of D along an orbit: their range, whether rank is lost, and the sign of det D."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.custom_batching import sequential_vmap
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float64

from geoflow.checks import instance, parameter_vector
from geoflow.linear_algebra import cut_off
from geoflow.problem import Problem
from geoflow.solvers.streamed import triangular_factor
from geoflow.types import AnyArray

#: Up to so many entries of D its singular values are computed as they are.
SMALL = 2**17
#: sigma_min/sigma_max above this is read off the eigenvalues of DDᵀ: rounding moves it by about 1e-6 of its size.
READ_OFF_GRAM = 1e-5


def sigma_range(
    problem: Problem, theta: Float64[AnyArray, " K"]
) -> tuple[Float64[Array, ""], Float64[Array, ""]]:
    """(sigma_min, sigma_max) over the min(QN, K) singular values of D(theta), to rounding of sigma_max.

    By SVD of D while D is small; past that from the eigenvalues of DDᵀ or DᵀD where they have the digits, else from the
    triangular factor of D, streamed from the layers.
    """
    instance("problem", problem, Problem, "The order is sigma_range(problem, theta).")
    return _sigma_range(problem, parameter_vector(theta, problem.K))


@eqx.filter_jit
def _sigma_range(problem: Problem, theta: Array) -> tuple[Array, Array]:
    if problem.QN * problem.K <= SMALL:
        sigma = jnp.linalg.svd(problem.jacobian(theta), compute_uv=False)
        return sigma[-1], sigma[0]
    return _range_of_large(problem, theta)


@sequential_vmap
def _range_of_large(problem: Problem, theta: Array) -> tuple[Array, Array]:
    eigenvalues = jnp.linalg.eigvalsh(gram(problem, theta))

    def factor() -> tuple[Array, Array]:
        sigma = jnp.linalg.svd(triangular_factor(problem, theta), compute_uv=False)
        return sigma[-1], sigma[0]

    resolved = eigenvalues[0] > READ_OFF_GRAM**2 * eigenvalues[-1]
    return jax.lax.cond(
        resolved, lambda: (jnp.sqrt(eigenvalues[0]), jnp.sqrt(eigenvalues[-1])), factor
    )


def loses_rank(
    problem: Problem, theta: Float64[AnyArray, " K"], rtol: float | Array
) -> Bool[Array, ""]:
    """Whether sigma_min ≤ rtol·sigma_max, decided by `sigma_range` only where a cheaper bound leaves it open.

    The bound: with G = DDᵀ or DᵀD (n × n) and G = LLᵀ, 1/sigma_min² ≤ |L⁻¹|_F² and sigma_max² ≤ tr G, up to the
    n·eps·tr G by which rounding moves G and L (Higham, Accuracy and Stability of Numerical Algorithms, Theorem 10.3). An
    orbit asks this at every step, and far from rank loss one triangular inverse takes a third to a tenth of the time of n
    eigenvalues.
    """
    instance("problem", problem, Problem, "The order is loses_rank(problem, theta, rtol).")
    rtol = rtol if isinstance(rtol, jax.Array) else cut_off(rtol)
    return _loses_rank(problem, parameter_vector(theta, problem.K), jnp.asarray(rtol))


@eqx.filter_jit
def _loses_rank(problem: Problem, theta: Array, rtol: Array) -> Array:
    return _decided_rank_loss(problem, theta, rtol)


@sequential_vmap
def _decided_rank_loss(problem: Problem, theta: Array, rtol: Array) -> Array:
    G = gram(problem, theta)
    n = G.shape[0]
    inverse = solve_triangular(jnp.linalg.cholesky(G), jnp.eye(n), lower=True)
    rounding = n * jnp.finfo(jnp.float64).eps
    # False for the NaN of a failed Cholesky
    full = jnp.sum(inverse**2) * jnp.trace(G) * (rtol**2 + rounding) < 1

    def exactly() -> Array:
        sigma_min, sigma_max = _sigma_range(problem, theta)
        return sigma_min <= rtol * sigma_max

    return jax.lax.cond(full, lambda: jnp.zeros((), bool), exactly)


def orientation(problem: Problem, theta: Float64[Array, " K"]) -> Float64[Array, ""]:
    """The sign of det D where K = QN, else 1: where it changes along a path, det D = 0 somewhere between (GM §6)."""
    if problem.K != problem.QN:
        return jnp.ones(())
    return jnp.linalg.slogdet(problem.jacobian(theta))[0]


def gram(problem: Problem, theta: Float64[Array, " K"]) -> Float64[Array, "n n"]:
    """DDᵀ for K ≥ QN, else DᵀD: the smaller of the two."""
    if problem.K >= problem.QN:
        return problem.ntk(theta)
    D = problem.jacobian(theta)
    return D.T @ D
