"""The state of a linear network: its weight matrices, their product and partial products, the loss L."""

import itertools
from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow._checks import float64_array
from geoflow.networks import MLP
from geoflow.problem import Problem

#: (W_1, ..., W_{H+1}), W_k of shape (d_k, d_{k−1}).
Weights = Sequence[Float64[Array, "_ _"]]


def require_linear(problem: Problem) -> MLP:
    """The network of `problem`, an MLP with the identity activation, no biases and a hidden layer. Raises ValueError else."""
    network = problem.network
    if not isinstance(network, MLP) or network.activation.name != "identity" or network.bias:
        raise ValueError(
            "a linear network is an MLP with the identity activation and no biases: make the problem with "
            "linear_problem(data, hidden), or with reduced_problem(sigma, d_x, hidden)."
        )
    if len(network.widths) < 3:
        raise ValueError(
            f"H ≥ 1 hidden layers are needed, got widths {network.widths}: without one, L is a convex quadratic and "
            "every critical point is the least-squares solution."
        )
    return network


def weights(problem: Problem, theta: Float64[Array, " K"]) -> tuple[Array, ...]:
    """theta (K,) as (W_1, ..., W_{H+1})."""
    return tuple(W for W, _ in require_linear(problem).unflatten(theta))


def theta_of(problem: Problem, Ws: Weights) -> Float64[Array, " K"]:
    """(W_1, ..., W_{H+1}) as theta (K,); the inverse of `weights`."""
    return require_linear(problem).flatten([(W, None) for W in Ws])


def checked(Ws: Weights) -> tuple[Array, ...]:
    """The weights as float64 matrices whose shapes chain. Raises ValueError or TypeError otherwise."""
    Ws = tuple(float64_array(f"W_{k}", W, 2, "(d_k, d_{k−1})") for k, W in enumerate(Ws, start=1))
    if len(Ws) < 2:
        raise ValueError(f"H ≥ 1 hidden layers need at least the two matrices W_1, W_2, got {len(Ws)}.")
    for k, (W, after) in enumerate(itertools.pairwise(Ws), start=1):
        if after.shape[1] != W.shape[0]:
            raise ValueError(
                f"W_{k + 1}W_{k} must be defined, got shapes {after.shape} and {W.shape}: list the weights from the "
                "input to the output, W_k of shape (d_k, d_{k−1})."
            )
    return Ws


def product(Ws: Weights) -> Float64[Array, "d_y d_x"]:
    """Π = W_{H+1}⋯W_1."""
    Ws = checked(Ws)
    return partial_products(Ws)[0][0] @ Ws[0]


def partial_products(Ws: Weights) -> tuple[list[Array], list[Array]]:
    """A_k = W_{H+1}⋯W_{k+1} of shape (d_y, d_k) and B_k = W_{k−1}⋯W_1 of shape (d_{k−1}, d_x), k = 1..H+1.

    A_{H+1} and B_1 are identities, and Z = A_1.
    """
    Ws = checked(Ws)
    A, B = [jnp.eye(Ws[-1].shape[0])], [jnp.eye(Ws[0].shape[1])]
    for W in reversed(Ws[1:]):
        A.insert(0, A[0] @ W)
    for W in Ws[:-1]:
        B.append(W @ B[-1])
    return A, B


def loss(problem: Problem, theta: Float64[Array, " K"]) -> Float64[Array, ""]:
    """L = ½‖Y − ΠX‖² = N·C (LN (1))."""
    require_linear(problem)
    return problem.N * problem.cost(theta)
