"""The triangular factor of D, block by block: singular values to rounding without D in memory."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.linear_algebra import inverse_above, rounding_level
from geoflow.networks.layered import column_blocks
from geoflow.problem import Problem
from geoflow.solvers.solver import Solution, Solver


def triangular_factor(problem: Problem, theta: Float64[Array, " K"]) -> Float64[Array, "n n"]:
    """R (n × n) with RᵀR = DDᵀ (K ≥ QN) or DᵀD (K < QN), n = min(QN, K), by QR: the singular values of D to rounding.

    For a network that knows its layers and K ≥ QN the columns of D are taken in pieces of about n: no matrix larger than
    2n × n stands in memory. Otherwise D does.
    """
    network, inputs = problem.network, problem.data.inputs
    layers = network.layer_factors(theta, inputs) if problem.K >= problem.QN else None
    if layers is None:
        D = problem.jacobian(theta)
        return jnp.linalg.qr(D.T if problem.K >= problem.QN else D, mode="r")
    R = jnp.zeros((problem.QN, problem.QN))
    for B, A in column_blocks(layers, problem.Q):
        R = _with_layer(R, B, A)
    return R


def _with_layer(R: Array, B: Array, A: Array) -> Array:
    """R for one more layer, whose columns of D are B[j, i, a]·A[j, b], some output neurons a at a time."""
    N, Q, d_out = B.shape
    n, d_in = N * Q, A.shape[1]
    together = min(d_out, max(1, n // d_in))
    pieces = -(-d_out // together)
    # columns of zeros change no R
    padded = jnp.pad(B, ((0, 0), (0, 0), (0, pieces * together - d_out)))
    pieces_of_B = jnp.moveaxis(padded.reshape(N, Q, pieces, together), 2, 0)

    def add(R: Array, B_piece: Array) -> tuple[Array, None]:
        rows = jnp.einsum("jia,jb->abji", B_piece, A).reshape(-1, n)  # these columns of D, as rows
        return jnp.linalg.qr(jnp.concatenate([R, rows]), mode="r"), None

    if pieces == 1:
        return add(R, pieces_of_B[0])[0]
    return jax.lax.scan(add, R, pieces_of_B)[0]


class StreamedSVD(Solver):
    """w = Dᵀ U Σ⁻²Uᵀb from the singular values and vectors of R, for K ≥ QN at any rank (`DenseSVD` without its memory).

    The seminormal equations with an R that comes from D itself, not from DDᵀ, lose no more digits than cond(D) costs: N. J.
    Higham, Accuracy and Stability of Numerical Algorithms, §21.3. Singular values at the rounding level count as zero;
    `ok` is False when one lies within a factor 10 of it.
    """

    rank_tolerance: ClassVar[float | None] = 1e-7

    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        _, sigma, Ut = jnp.linalg.svd(triangular_factor(problem, theta))
        rtol = rounding_level(problem.QN, problem.K)
        inverse = inverse_above(sigma, rtol)
        D = problem.linearize(theta)

        def lifted(r: Array) -> Array:
            return D.pull(Ut.T @ (inverse**2 * (Ut @ r)))

        w = lifted(b)
        w = w + lifted(b - D.push(w))  # what rounding of the large multipliers left in output space
        near = (sigma > rtol / 10 * sigma[0]) & (sigma < 10 * rtol * sigma[0])
        error = jnp.finfo(jnp.float64).eps * sigma[0] * inverse.max()
        return Solution(w, error, jnp.isfinite(w).all() & ~near.any())
