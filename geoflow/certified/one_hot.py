"""Targets that sum to one: the honest count of parameters and equations.

If Σ_q y_q = 1 for every sample, an output layer with 1ᵀA = 0 and 1ᵀc = 1 makes Σ_q x_q ≡ 1, and the last output is right as
soon as the others are: K′ = K − (d_L + 1) parameters for (Q − 1)N equations. Those parameters are the network without its last
output; the last row of (A, c) follows from the others.
"""

from dataclasses import dataclass
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from geoflow.checks import instance, parameter_vector
from geoflow.data import Dataset
from geoflow.networks import MLP
from geoflow.problem import Problem
from geoflow.types import ArrayLike


@dataclass(frozen=True)
class Reduction:
    """problem: the network without its last output, against the first Q − 1 targets; full: what it stands for."""

    problem: Problem[MLP]
    full: Problem[MLP]

    def restrict(self, theta: ArrayLike) -> Array:
        """theta (K,) without the last row of the output layer (K′,). The other outputs do not notice."""
        *hidden, (A, c) = self.full.network.unflatten(parameter_vector(theta, self.full.K))
        assert c is not None
        return self.problem.network.flatten([*hidden, (A[:-1], c[:-1])])

    def lift(self, theta: ArrayLike) -> Array:
        """theta (K′,) with the last row that makes the outputs sum to one (K,), up to rounding."""
        *hidden, (A, c) = self.problem.network.unflatten(parameter_vector(theta, self.problem.K))
        assert c is not None
        last = (
            jnp.concatenate([A, -A.sum(axis=0, keepdims=True)]),
            jnp.concatenate([c, 1 - c.sum(keepdims=True)]),
        )
        return self.full.network.flatten([*hidden, last])


def reduce_one_hot(network: MLP, data: Dataset) -> Reduction:
    """The problem with Q − 1 outputs whose zeros are the zeros of the full one with Σ_q x_q ≡ 1.

    Raises TypeError or ValueError for what is no MLP with biases and at least two outputs, and for targets that do not sum to one
    exactly, as one-hot labels do.
    """
    instance("network", network, MLP, "The order is reduce_one_hot(network, data).")
    instance("data", data, Dataset, "The order is reduce_one_hot(network, data).")
    full = Problem(network, data)
    if not network.bias:
        raise ValueError(
            "the outputs sum to one by the biases of the output layer: use MLP(..., bias=True)."
        )
    if full.Q < 2:
        raise ValueError(
            "with one output there is no sum to use: certify zero loss on the problem as it is."
        )
    targets = np.asarray(data.targets)
    for j, row in enumerate(targets):
        if sum(map(Fraction, row.tolist())) != 1:
            raise ValueError(
                f"the targets of sample {j} sum to {sum(row.tolist())!r}, not to 1 exactly: only labels such as one_hot(labels, Q) "
                "lose an equation a sample. Certify the problem as it is."
            )
    smaller = MLP((*network.widths[:-1], full.Q - 1), network.activation)
    return Reduction(Problem(smaller, Dataset(data.inputs, targets[:, :-1])), full)
