"""The state of a linear network: its weight matrices, their product and partial products."""

import itertools
from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.checks import float64_array
from geoflow.types import AnyArray

#: (W_1, ..., W_{H+1}), W_k of shape (d_k, d_{k−1}).
Weights = Sequence[Float64[AnyArray, "_ _"]]


def checked(Ws: Weights) -> tuple[Array, ...]:
    """The weights as float64 matrices whose shapes chain. Raises ValueError or TypeError otherwise."""
    if not isinstance(Ws, list | tuple):
        raise TypeError(
            f"the weights must be a list or tuple of matrices (W_1, ..., W_{{H+1}}), got {type(Ws).__name__}."
        )
    matrices = tuple(
        float64_array(f"W_{k}", W, 2, "(d_k, d_{k−1})") for k, W in enumerate(Ws, start=1)
    )
    if len(matrices) < 2:
        raise ValueError(
            f"H ≥ 1 hidden layers need at least the two matrices W_1, W_2, got {len(matrices)}."
        )
    for k, (W, after) in enumerate(itertools.pairwise(matrices), start=1):
        if after.shape[1] != W.shape[0]:
            raise ValueError(
                f"W_{k + 1}W_{k} must be defined, got shapes {after.shape} and {W.shape}: list the weights from the "
                "input to the output, W_k of shape (d_k, d_{k−1})."
            )
    return matrices


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
