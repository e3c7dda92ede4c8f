"""Clustered data as hypothesis draws them: a recipe, from which the test makes means, samples and a data set."""

import dataclasses
import functools

import constructive_reference as plain
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st
from strategies import seeds

import geoflow as gf


@dataclasses.dataclass(frozen=True)
class Clouds:
    """Q = len(sizes) clusters around an affine image of the unit vectors, with 2δ/h = `ratio` to the last digits.

    flatness: the least singular value of the image of e_1, ..., e_Q over the largest. The samples come in random order.
    """

    sizes: tuple
    ratio: float = 0.6
    seed: int = 0
    flatness: float = 0.3
    scale: float = 1.0
    shift: float = 1.0

    @functools.cached_property
    def _drawn(self):
        rng, Q = np.random.default_rng(self.seed), len(self.sizes)
        U, V = (np.linalg.qr(rng.normal(size=(Q, Q)))[0] for _ in range(2))
        means = self.scale * (U * np.geomspace(1, self.flatness, Q)) @ V
        means = means + self.scale * self.shift * rng.normal(size=Q)
        radius = self.ratio / 2 * np.min(plain.heights(means)) if Q > 1 else self.ratio * self.scale
        inputs, labels = [], []
        for j, n in enumerate(self.sizes):
            offsets = rng.normal(size=(n, Q))
            offsets -= offsets.mean(axis=0)
            if n > 1:
                offsets *= radius / np.linalg.norm(offsets, axis=1).max()
            inputs.append(means[j] + offsets)
            labels.append(np.full(n, j))
        order = rng.permutation(sum(self.sizes))
        return means, np.vstack(inputs)[order], np.concatenate(labels)[order]

    @property
    def Q(self):
        return len(self.sizes)

    @property
    def N(self):
        return sum(self.sizes)

    @property
    def means(self):
        return self._drawn[0]

    @property
    def X(self):
        return self._drawn[1]

    @property
    def labels(self):
        return self._drawn[2]

    @property
    def Y(self):
        return np.eye(self.Q)[self.labels]

    @functools.cached_property
    def data(self):
        return data_of(self.X, self.labels, self.Q)


def data_of(X, labels, Q):
    return gf.Dataset(
        jnp.asarray(X, dtype=float), jnp.asarray(np.eye(Q)[labels]), jnp.asarray(labels)
    )


def layers_of(made):
    """The layers of a `Construction`, as the witness unpacks them from theta."""
    return plain.unpack(made.theta, made.problem.network.widths)


def order_of(made):
    """The clusters in the order in which they are cut off one by one."""
    return [j for (j,) in made.blocks]


ROUND, FAR_APART = st.sampled_from([1.0, 0.3, 1e-2]), st.floats(0.0, 0.95)


def clouds(most=5, flatness=ROUND, ratio=FAR_APART):
    """Sizes from one sample a cluster on; radius 0 comes up."""
    sizes = st.lists(st.integers(1, 6), min_size=1, max_size=most).map(tuple)
    scale = st.sampled_from([1e-6, 1.0, 1e6])
    return st.builds(Clouds, sizes, ratio, seeds, flatness, scale, st.sampled_from([0.0, 1.0]))
