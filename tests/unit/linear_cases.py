"""Linear networks as hypothesis draws them: a recipe, from which the test makes data, weights and geoflow's objects."""

import dataclasses
import functools

import jax.numpy as jnp
import linear_reference as plain
import numpy as np
from hypothesis import strategies as st
from strategies import scales, seeds

import geoflow as gf
import geoflow.linear_networks as ln


@dataclasses.dataclass(frozen=True)
class Point:
    """Gaussian weights of dims (d_x, d_1, ..., d_y) on m Gaussian samples, or on the reduced problem (m None)."""

    dims: tuple
    seed: int = 0
    scale: float = 1.0
    m: int | None = 5
    #: the singular values of X reach over about e^{±spread}
    spread: float = 0.0

    @functools.cached_property
    def _drawn(self):
        rng = np.random.default_rng(self.seed)
        d_x, d_y = self.dims[0], self.dims[-1]
        Ws = plain.gaussian_weights(rng, self.dims, self.scale)
        if self.m is None:
            return Ws, np.eye(d_x), plain.target(np.arange(d_y, 0, -1.0), d_x)
        X = np.exp(self.spread * rng.uniform(-1, 1, size=(d_x, 1))) * rng.normal(size=(d_x, self.m))
        return Ws, X, rng.normal(size=(d_y, self.m))

    @property
    def plain(self):
        return self._drawn[0]

    @property
    def X(self):
        return self._drawn[1]

    @property
    def Y(self):
        return self._drawn[2]

    @property
    def hidden(self):
        return self.dims[1:-1]

    @property
    def data(self):
        return gf.Dataset(jnp.asarray(self.X.T), jnp.asarray(self.Y.T))

    @functools.cached_property
    def problem(self):
        if self.m is None:
            return ln.ReducedProblem(np.arange(self.dims[-1], 0, -1.0), self.dims[0], self.hidden)
        return ln.LinearProblem(self.data, self.hidden)

    @property
    def Ws(self):
        return [jnp.asarray(W) for W in self.plain]

    @functools.cached_property
    def theta(self):
        return self.problem.theta_of(self.Ws)

    def direction(self, number=0):
        """A normal vector (K,) that belongs to the point."""
        return jnp.asarray(np.random.default_rng([self.seed, number]).normal(size=self.problem.K))


# H = 1, 2, 3; a widening layer; all ones
DIMS = [(4, 3, 2), (3, 2, 4, 3), (4, 3, 3, 3, 2), (1, 1, 1, 1)]


def points(dims=tuple(DIMS), m=(5, None), spread=(0.0,), scales=scales):
    return st.builds(
        Point, st.sampled_from(dims), seeds, scales, st.sampled_from(m), st.sampled_from(spread)
    )
