"""Layers written by hand as a ReLU network on data, and how far it stays from its kinks."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.data import Dataset
from geoflow.networks import MLP
from geoflow.problem import Problem


def relu_network(data: Dataset, layers: Sequence) -> tuple[Problem, Float64[Array, " K"]]:
    """The ReLU network whose layers are (W_1, b_1), ..., (W_{L+1}, b_{L+1}), the last one affine: its problem on `data`, and theta."""
    layers = [(jnp.asarray(W), jnp.asarray(b)) for W, b in layers]
    widths = (layers[0][0].shape[1], *(W.shape[0] for W, _ in layers))
    problem = Problem(MLP(widths, "relu"), data)
    return problem, problem.network.flatten(layers)


def activity(layers: Sequence, x) -> np.ndarray:
    """x (n, M) sent through hidden layers (W, b), in numpy: σ(W ⋯ σ(W_1x + b_1) ⋯ + b), (n, width)."""
    for W, b in layers:
        x = np.maximum(x @ W.T + b, 0.0)
    return x


def clearance(problem: Problem, theta: Float64[Array, " K"]) -> float:
    """The least |Wx + b| over all hidden neurons and samples: within it no kink of ReLU is met."""
    x, least = problem.data.inputs, jnp.inf
    for W, b in problem.network.unflatten(theta)[:-1]:
        z = x @ W.T + b
        least, x = jnp.minimum(least, jnp.abs(z).min()), jnp.maximum(z, 0.0)
    return float(least)
