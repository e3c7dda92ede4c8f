"""A network linearized at one theta: D and Dᵀ applied without forming D, as often as a solver likes."""

import abc

import equinox as eqx
import jax
from jaxtyping import Array, Float64

from geoflow.networks.layered import Layer, layered_pull, layered_push
from geoflow.networks.network import Network


class Linearization(eqx.Module):
    """D = ∂x/∂theta at one theta, as an operator."""

    @abc.abstractmethod
    def push(self, w: Float64[Array, " K"]) -> Float64[Array, " QN"]:
        """D w."""

    @abc.abstractmethod
    def pull(self, v: Float64[Array, " QN"]) -> Float64[Array, " K"]:
        """Dᵀv."""


class LayeredLinearization(Linearization):
    """From the factors of the layers, computed once: every product is a few small matrix products."""

    layers: list[Layer]
    Q: int = eqx.field(static=True)

    def push(self, w: Float64[Array, " K"]) -> Float64[Array, " QN"]:
        return layered_push(self.layers, w, self.Q)

    def pull(self, v: Float64[Array, " QN"]) -> Float64[Array, " K"]:
        return layered_pull(self.layers, v, self.Q)


class TracedLinearization(Linearization):
    """By JAX: a JVP and a VJP of the whole map."""

    network: Network
    theta: Float64[Array, " K"]
    inputs: Float64[Array, "N M"]

    def _flat(self, theta: Array) -> Array:
        return self.network.apply(theta, self.inputs).reshape(-1)

    def push(self, w: Float64[Array, " K"]) -> Float64[Array, " QN"]:
        return jax.jvp(self._flat, (self.theta,), (w,))[1]

    def pull(self, v: Float64[Array, " QN"]) -> Float64[Array, " K"]:
        return jax.vjp(self._flat, self.theta)[1](v)[0]


def linearize(
    network: Network, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
) -> Linearization:
    """The network at theta, by its layers where it knows them."""
    layers = network.layer_factors(theta, inputs)
    if layers is None:
        return TracedLinearization(network, theta, inputs)
    Q = jax.eval_shape(network.apply, theta, inputs).shape[1]
    return LayeredLinearization([Layer(*layer) for layer in layers], Q)
