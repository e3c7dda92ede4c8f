"""A ReLU network made by hand, and what it was made of: what every function of this package returns."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.checks import instance
from geoflow.constructive.cones import Cone
from geoflow.data import Dataset
from geoflow.networks import MLP, relu
from geoflow.problem import Problem
from geoflow.types import AnyArray, Floats

#: Layers (W_1, b_1), ..., (W_{L+1}, b_{L+1}), the last one affine.
Layers = Sequence[tuple[Floats, Floats]]
#: How far a network may miss the outputs that it was made for: well-conditioned ones stay below 1e-12.
TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Construction:
    """A ReLU network made by hand: the problem, its parameters theta (K,), and what they were made of.

    blocks: the clusters that each cut truncates together, in the order of the cuts; kept: those that an affine map fits, where
    not all are truncated; cost: as predicted; clearance: the least |Wx + b| over all hidden neurons and samples (within it no
    kink of ReLU is met); cones, stages: of a telescoped network, the cuts and the inputs z (N, Q) before the first and after
    each of them, in input coordinates (z^(0) = x, z^(ℓ) = τ_ℓ(z^(ℓ−1))), else empty.
    """

    problem: Problem[MLP]
    theta: Float64[Array, " K"]
    blocks: tuple[tuple[int, ...], ...]
    kept: tuple[int, ...]
    cost: float
    clearance: float
    cones: tuple[Cone, ...] = ()
    stages: tuple[Floats, ...] = ()


def construct(
    data: Dataset,
    layers: Layers,
    blocks: Sequence[Sequence[int]],
    cost: float,
    *,
    kept: tuple[int, ...] = (),
    cones: tuple[Cone, ...] = (),
    stages: tuple[Floats, ...] = (),
) -> Construction:
    """The ReLU network with these layers, on `data`."""
    matrices = [(jnp.asarray(W), jnp.asarray(b)) for W, b in layers]
    widths = (matrices[0][0].shape[1], *(W.shape[0] for W, _ in matrices))
    problem = Problem(MLP(widths, "relu"), data)
    theta = problem.network.flatten(matrices)
    whole = tuple(tuple(int(j) for j in block) for block in blocks)
    return Construction(problem, theta, whole, kept, cost, clearance(problem, theta), cones, stages)


def activity(layers: Layers, x: Floats) -> Floats:
    """x (n, M) sent through hidden layers (W, b), in numpy: σ(W ⋯ σ(W_1x + b_1) ⋯ + b), (n, width)."""
    for W, b in layers:
        x = np.maximum(x @ W.T + b, 0.0)
    return x


def clearance(problem: Problem, theta: Float64[AnyArray, " K"]) -> float:
    """The least |Wx + b| over all hidden neurons and samples of a ReLU network: within it no kink is met.

    Raises TypeError for what is no problem with an `MLP`, ValueError for an activation other than ReLU.
    """
    instance("problem", problem, Problem, "The order is clearance(problem, theta).")
    instance(
        "the network",
        problem.network,
        MLP,
        "Hidden neurons are those of a fully connected network.",
    )
    assert isinstance(problem.network, MLP)
    activation = problem.network.activation
    if activation.function is not relu.function:
        raise ValueError(
            f"the clearance is from the kinks of ReLU, got an MLP with activation {activation.name}."
        )
    x, least = problem.data.inputs, jnp.inf
    for W, b in problem.network.unflatten(theta)[:-1]:
        z = x @ W.T + (0.0 if b is None else b)
        least, x = jnp.minimum(least, jnp.abs(z).min()), jnp.maximum(z, 0.0)
    return float(least)
