"""First and second variation of the loss of a linear network (LN Proposition 3)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.linear_networks.weights import partial_products, weights
from geoflow.problem import Problem


def _at(problem, theta, w):
    """The weights, A_k, B_k, directions w_k, X and E = ΠX − Y that both variations are made of."""
    Ws, ws = weights(problem, theta), weights(problem, w)
    A, B = partial_products(Ws)
    X, Y = problem.data.inputs.T, problem.data.targets.T
    return Ws, A, B, ws, X, A[0] @ Ws[0] @ X - Y


@jax.jit
def first_variation(problem: Problem, theta: Float64[Array, " K"], w: Float64[Array, " K"]) -> Float64[Array, ""]:
    """dL[w] = ⟨E, Σ_k A_k w_k B_k X⟩, for a direction w (K,) (LN (14))."""
    _, A, B, ws, X, E = _at(problem, theta, w)
    return jnp.sum(E * (sum(a @ w_k @ b for a, w_k, b in zip(A, ws, B, strict=True)) @ X))


@jax.jit
def second_variation(problem: Problem, theta: Float64[Array, " K"], w: Float64[Array, " K"]) -> Float64[Array, ""]:
    """q(w) = d²L(theta + tw)/dt² at 0, the Hessian's quadratic form (LN Proposition 3):

    q(w) = ‖Σ_k A_k w_k B_k X‖² + 2⟨E, Σ_{j>k} A_j w_j W_{j−1}⋯W_{k+1} w_k B_k X⟩.
    """
    Ws, A, B, ws, X, E = _at(problem, theta, w)
    once = sum(a @ w_k @ b for a, w_k, b in zip(A, ws, B, strict=True)) @ X
    twice = jnp.zeros_like(E)
    for k in range(len(Ws) - 1):
        between = ws[k] @ B[k] @ X
        for j in range(k + 1, len(Ws)):
            twice += A[j] @ ws[j] @ between
            between = Ws[j] @ between
    return jnp.sum(once**2) + 2 * jnp.sum(E * twice)
