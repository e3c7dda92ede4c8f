"""Problems as hypothesis draws them: depths, widths, activations, seeds, with and without bias, and the edges."""

import dataclasses
import functools
import itertools
import os

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import geoflow as gf

ANALYTIC = ("tanh", "sigmoid", "softplus", "sin", "identity")
SMOOTH = (*ANALYTIC, "smooth_relu(0.1)")
seeds = st.integers(0, 2**32 - 1)
# deviation of the initial weights, from nearly linear to saturated
scales = st.floats(0.3, 1.5)


@dataclasses.dataclass(frozen=True)
class Case:
    """The recipe of a problem and a point theta: Gaussian data and weights from one seed.

    Hypothesis draws the recipe; geoflow's objects are made from it in the test.
    """

    widths: tuple
    N: int
    activation: str = "tanh"
    bias: bool = True
    seed: int = 0
    scale: float = 1.0
    #: the last input is the first one, moved by this distance; targets stay as they were
    twin_distance: float | None = None

    @functools.cached_property
    def _keys(self):
        return jax.random.split(jax.random.key(self.seed))

    @functools.cached_property
    def problem(self) -> gf.Problem:
        smooth = self.activation.startswith("smooth")
        network = gf.MLP(self.widths, gf.smooth_relu(0.1) if smooth else self.activation, self.bias)
        data = gf.generic(self._keys[0], self.N, self.widths[0], self.widths[-1])
        if self.twin_distance is not None:
            offset = self.twin_distance / np.sqrt(self.widths[0])
            data = gf.Dataset(data.inputs.at[-1].set(data.inputs[0] + offset), data.targets)
        return gf.Problem(network, data)

    @functools.cached_property
    def theta(self) -> jax.Array:
        return self.problem.network.init(self._keys[1], self.scale)

    @property
    def inputs(self):
        return np.asarray(self.problem.data.inputs)

    @property
    def targets(self):
        return np.asarray(self.problem.data.targets)

    def vector(self, size):
        """A normal vector that belongs to the case."""
        return jnp.asarray(np.random.default_rng(self.seed).normal(size=size))

    def like(self, **changes) -> "Case":
        return dataclasses.replace(self, **changes)


def parameter_count(widths, bias):
    return sum(d_out * (d_in + bias) for d_in, d_out in itertools.pairwise(widths))


def widths():
    """Depth 1 (no hidden layer) to 4, every width from 1."""
    return st.builds(
        lambda M, hidden, Q: (M, *hidden, Q),
        M=st.integers(1, 4),
        hidden=st.lists(st.integers(1, 5), max_size=3),
        Q=st.integers(1, 3),
    )


#: Every new shape compiles for a second or more. `make test` draws seeds and scales freely and shapes from these, the edges among
#: them (one layer, one neuron, one sample, no bias); HYPOTHESIS_PROFILE=search draws the shapes, too.
SHAPES = {
    "over": [
        ((3, 5, 2), 3, "tanh", True),
        ((2, 3, 3, 1), 4, "softplus", False),
        ((2, 3, 2), 1, "sin", True),
        ((3, 2, 2), 4, "sigmoid", False),
        ((1, 1), 1, "identity", True),
        ((4, 4, 1), 4, "smooth_relu(0.1)", True),
    ],
    "border": [
        ((2, 2, 2), 6, "tanh", True),
        ((1, 1), 2, "identity", True),
        ((1, 2, 1), 4, "sigmoid", False),
    ],
    "under": [
        ((2, 2, 1), 11, "tanh", True),
        ((1, 2, 2), 4, "sin", False),
        ((1, 1, 1, 1), 7, "softplus", True),
    ],
}


def cases(regime=None, activations=SMOOTH, most_samples=6):
    """`regime`: "over", "border" or "under"; None draws any. N = 1, Q = 1 and one layer come up often."""
    if os.environ.get("HYPOTHESIS_PROFILE") == "search":
        return _any_case(regime, activations, most_samples)
    usual = SHAPES[regime] if regime else [*SHAPES["over"], *SHAPES["border"][:1]]
    shapes = [
        shape for shape in usual if shape[2] in activations and (shape[1] <= most_samples or regime)
    ]
    assert len(shapes) > 2
    return st.builds(
        lambda shape, seed, scale: Case(*shape, seed, scale), st.sampled_from(shapes), seeds, scales
    )


@st.composite
def _any_case(draw, regime, activations, most_samples):
    shape, bias = draw(widths()), draw(st.booleans())
    K, Q = parameter_count(shape, bias), shape[-1]
    if regime == "over":
        assume(K > Q)
        N = draw(st.integers(1, min(most_samples, (K - 1) // Q)))
    elif regime == "border":
        assume(K % Q == 0 and K <= 40)
        N = K // Q
    elif regime == "under":
        assume(K <= 20)
        N = draw(st.integers(K // Q + 1, K // Q + 4))
    else:
        N = draw(st.integers(1, most_samples))
    return Case(shape, N, draw(st.sampled_from(activations)), bias, draw(seeds), draw(scales))


def relative(measured, expected):
    """|measured − expected| / max(|expected|, tiny), in the Euclidean norm."""
    measured, expected = np.asarray(measured), np.asarray(expected)
    assert measured.shape == expected.shape, f"shapes {measured.shape} and {expected.shape}"
    return np.linalg.norm(measured - expected) / max(np.linalg.norm(expected), 1e-300)
