"""`Network`: a differentiable map of one flat parameter vector, and what it may know of its own derivative."""

import abc
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.networks.kinks import Smoothness, first_kink
from geoflow.networks.layered import Layer, layered_jacobian, layered_ntk

#: Up to so many entries of D all samples are differentiated at once; past it, in groups of about so many entries.
AT_ONCE = 2**17


class Network(eqx.Module):
    """A differentiable map (theta, inputs) -> outputs with K = `parameter_count` parameters, each sample for itself.

    A subclass says what it is: `apply`. It may say more where it knows better: `layer_factors` (dense layers: then D, the
    kernel and D⁺ never need a matrix with K columns), or `jacobian` and `ntk` themselves. Nothing else in geoflow asks
    for the class of a network.
    """

    parameter_count: eqx.AbstractVar[int]

    @abc.abstractmethod
    def apply(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> Float64[Array, "N Q"]:
        """The outputs x_j(theta), one row a sample; row j depends on row j of the inputs only."""

    def layer_factors(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> Sequence[Layer] | None:
        """The factors of D, a `Layer` per dense layer in theta's order; None where the network is not made of such."""
        return None

    def jacobian(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> Float64[Array, "QN K"]:
        """D = ∂x/∂theta, samples one after the other: from the layers' factors, else sample by sample in reverse."""
        layers = self.layer_factors(theta, inputs)
        if layers is not None:
            return layered_jacobian(
                [Layer(*layer) for layer in layers], self._outputs(theta, inputs)
            )
        return self._jacobian_by_sample(theta, inputs)

    def ntk(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> Float64[Array, "QN QN"]:
        """DDᵀ, from the layers' factors without ever forming D, else from D."""
        layers = self.layer_factors(theta, inputs)
        if layers is not None:
            return layered_ntk([Layer(*layer) for layer in layers], self._outputs(theta, inputs))
        D = self.jacobian(theta, inputs)
        return D @ D.T

    def smoothness(self, theta: jax.ShapeDtypeStruct, inputs: Float64[Array, "N M"]) -> Smoothness:
        """Whether the map is C¹: "kinked" when its jaxpr has a primitive that ReLU is made of, else taken for "C1"."""
        kink = first_kink(self.apply, theta, inputs)
        return Smoothness("C1") if kink is None else Smoothness("kinked", kink)

    def _outputs(self, theta: Array, inputs: Array) -> int:
        return jax.eval_shape(self.apply, theta, inputs).shape[1]

    def _jacobian_by_sample(self, theta: Array, inputs: Array) -> Array:
        N = inputs.shape[0]
        Q = self._outputs(theta, inputs)

        def rows(sample: Array) -> Array:
            return jax.jacrev(lambda t: self.apply(t, sample[None])[0])(theta)

        group = max(1, AT_ONCE // (Q * theta.size))
        D = jax.vmap(rows)(inputs) if group >= N else jax.lax.map(rows, inputs, batch_size=group)
        return D.reshape(N * Q, theta.size)


def jacobian_of_batch(apply: Callable[[Array, Array], Array], theta: Array, inputs: Array) -> Array:
    """D of a map whose samples are not independent: one reverse pass an output, in groups that fit."""
    flat, pullback = jax.vjp(lambda t: apply(t, inputs).reshape(-1), theta)
    group = max(1, AT_ONCE // theta.size)
    units = jnp.eye(flat.size)

    def row(u: Array) -> Array:
        return pullback(u)[0]

    return jax.vmap(row)(units) if group >= flat.size else jax.lax.map(row, units, batch_size=group)
