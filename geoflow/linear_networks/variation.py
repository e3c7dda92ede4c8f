"""First and second variation of the loss of a linear network (LN Proposition 3)."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.checks import parameter_vector
from geoflow.linear_networks.problem import LinearProblem, require_linear
from geoflow.linear_networks.weights import partial_products
from geoflow.types import AnyArray

#: One matrix a layer.
Matrices = Sequence[Array]
#: The weights, A_k, B_k, directions w_k, X and E = ΠX − Y.
Parts = tuple[Matrices, Matrices, Matrices, Matrices, Array, Array]


def _at(problem: LinearProblem, theta: Array, w: Array) -> Parts:
    """The weights, A_k, B_k, directions w_k, X and E = ΠX − Y that both variations are made of."""
    Ws, ws = problem.weights(theta), problem.weights(w)
    A, B = partial_products(Ws)
    return Ws, A, B, ws, problem.X, A[0] @ Ws[0] @ problem.X - problem.Y


def first_variation(
    problem: LinearProblem, theta: Float64[AnyArray, " K"], w: Float64[AnyArray, " K"]
) -> Float64[Array, ""]:
    """dL[w] = ⟨E, Σ_k A_k w_k B_k X⟩, for a direction w (K,) (LN (14))."""
    return _first(*_checked(problem, theta, w))


def _checked(problem: object, theta: AnyArray, w: AnyArray) -> tuple[LinearProblem, Array, Array]:
    linear = require_linear(problem)
    return linear, parameter_vector(theta, linear.K), parameter_vector(w, linear.K, "w")


@jax.jit
def _first(problem: LinearProblem, theta: Array, w: Array) -> Array:
    _, A, B, ws, X, E = _at(problem, theta, w)
    return jnp.sum(E * (sum(a @ w_k @ b for a, w_k, b in zip(A, ws, B, strict=True)) @ X))


def second_variation(
    problem: LinearProblem, theta: Float64[AnyArray, " K"], w: Float64[AnyArray, " K"]
) -> Float64[Array, ""]:
    """q(w) = d²L(theta + tw)/dt² at 0, the Hessian's quadratic form (LN Proposition 3):

    q(w) = ‖Σ_k A_k w_k B_k X‖² + 2⟨E, Σ_{j>k} A_j w_j W_{j−1}⋯W_{k+1} w_k B_k X⟩.
    """
    return _second(*_checked(problem, theta, w))


@jax.jit
def _second(problem: LinearProblem, theta: Array, w: Array) -> Array:
    Ws, A, B, ws, X, E = _at(problem, theta, w)
    once = sum(a @ w_k @ b for a, w_k, b in zip(A, ws, B, strict=True)) @ X
    twice = jnp.zeros_like(E)
    for k in range(len(Ws) - 1):
        between = ws[k] @ B[k] @ X
        for j in range(k + 1, len(Ws)):
            twice += A[j] @ ws[j] @ between
            between = Ws[j] @ between
    return jnp.sum(once**2) + 2 * jnp.sum(E * twice)
