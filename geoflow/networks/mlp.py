"""`MLP`: the fully connected network of the papers."""

import itertools
import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64, PRNGKeyArray

from geoflow.checks import float64_array, parameter_vector, positive_number, prng_key, whole_number
from geoflow.networks.activations import Activation
from geoflow.networks.activations import activation as activation_named
from geoflow.networks.kinks import Smoothness
from geoflow.networks.layered import Layer
from geoflow.networks.network import Network
from geoflow.types import AnyArray


class MLP(Network):
    """x^(l) = sigma(W_l x^(l-1) + b_l) for the hidden layers, affine output layer (NA (1.1)-(1.2), GM (1.3)-(1.4)).

    `widths` = (M, d_1, ..., d_L, Q) from the input to the output; W_l has shape (d_l, d_(l-1)).
    theta lists W_1 (row-major), b_1, W_2, b_2, ...; `bias=False` leaves all b_l out.
    Raises TypeError or ValueError for what are no widths, fewer than two of them, or an unknown activation.
    """

    widths: tuple[int, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    bias: bool = eqx.field(static=True)
    parameter_count: int = eqx.field(static=True)

    def __init__(
        self, widths: Sequence[int], activation: str | Activation = "tanh", bias: bool = True
    ):
        try:
            found = tuple(widths)
        except TypeError:
            found = ()
        if len(found) < 2 or isinstance(widths, str):
            raise ValueError(
                f"widths must name the input and the output width at least, as in (2, 16, 1), got {widths!r}."
            )
        self.widths = tuple(whole_number(f"widths[{i}]", d) for i, d in enumerate(found))
        self.activation = activation_named(activation)
        if bias not in (True, False):
            raise TypeError(f"bias must be True or False, got {bias!r}.")
        self.bias = bool(bias)
        self.parameter_count = sum(
            d_out * d_in + d_out * self.bias for d_in, d_out in self._shapes()
        )

    def _shapes(self) -> list[tuple[int, int]]:
        return list(itertools.pairwise(self.widths))

    def init(self, key: PRNGKeyArray, scale: float = 1.0) -> Float64[Array, " K"]:
        """A random theta: W_l entries normal with deviation scale/√d_(l-1), b_l normal with deviation scale."""
        scale, key = positive_number("scale", scale), prng_key(key)
        parts = []
        for key_l, (d_in, d_out) in zip(
            jax.random.split(key, len(self.widths) - 1), self._shapes(), strict=True
        ):
            key_W, key_b = jax.random.split(key_l)
            parts.append(scale / math.sqrt(d_in) * jax.random.normal(key_W, (d_out * d_in,)))
            if self.bias:
                parts.append(scale * jax.random.normal(key_b, (d_out,)))
        return jnp.concatenate(parts)

    def inits(
        self, key: PRNGKeyArray, number: int, scale: float = 1.0
    ) -> Float64[Array, "number K"]:
        """That many starts, each as `init` draws one, from keys split off `key`."""
        keys = jax.random.split(prng_key(key), whole_number("number", number))
        scale = positive_number("scale", scale)
        return jax.vmap(lambda each: self.init(each, scale))(keys)

    def unflatten(self, theta: Float64[AnyArray, " K"]) -> list[tuple[Array, Array | None]]:
        """theta (K,) as a list of (W_l (d_l, d_(l-1)), b_l (d_l,) or None)."""
        theta = parameter_vector(theta, self.parameter_count)
        layers, start = [], 0
        for d_in, d_out in self._shapes():
            W = theta[start : start + d_out * d_in].reshape(d_out, d_in)
            start += d_out * d_in
            b = theta[start : start + d_out] if self.bias else None
            start += d_out * self.bias
            layers.append((W, b))
        return layers

    def flatten(self, layers: Sequence[tuple[AnyArray, AnyArray | None]]) -> Float64[Array, " K"]:
        """The inverse of `unflatten`. Raises ValueError when a shape does not fit `widths`."""
        if len(layers) != len(self.widths) - 1:
            raise ValueError(
                f"expected {len(self.widths) - 1} layers for widths {self.widths}, got {len(layers)}."
            )
        parts = []
        for i, ((W, b), (d_in, d_out)) in enumerate(
            zip(layers, self._shapes(), strict=True), start=1
        ):
            W = float64_array(f"W_{i}", W, 2, f"({d_out}, {d_in})")
            if W.shape != (d_out, d_in):
                raise ValueError(f"W_{i} must have shape {(d_out, d_in)}, got {W.shape}.")
            parts.append(W.reshape(-1))
            if self.bias != (b is not None):
                raise ValueError(
                    f"b_{i} must be {'given' if self.bias else 'None'}: the network has bias={self.bias}."
                )
            if b is not None:
                b = float64_array(f"b_{i}", b, 1, f"({d_out},)")
                if b.shape != (d_out,):
                    raise ValueError(f"b_{i} must have shape {(d_out,)}, got {b.shape}.")
                parts.append(b)
        return jnp.concatenate(parts)

    def apply(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> Float64[Array, "N Q"]:
        """Outputs (N, Q) of the samples `inputs` (N, M). Raises ValueError when M is not the input width."""
        *hidden, output = self.unflatten(theta)
        activity = self._fitting(inputs)
        for W, b in hidden:
            activity = self.activation(_affine(activity, W, b))
        return _affine(activity, *output)

    def layer_factors(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> list[Layer]:
        """Per layer l the pair (A_(l-1), B_l), in N·(width + Q·width) numbers a layer instead of QN·K."""
        layers = self.unflatten(theta)
        activities, slopes = [self._fitting(inputs)], []
        for W, b in layers[:-1]:
            z = _affine(activities[-1], W, b)
            value, slope = jax.jvp(self.activation, (z,), (jnp.ones_like(z),))
            activities.append(value)
            slopes.append(slope)
        backwards: list[Array | None] = [None]
        for (W, _), slope in zip(reversed(layers[1:]), reversed(slopes), strict=True):
            before = backwards[-1]
            carried = W[None] if before is None else before @ W
            backwards.append(carried * slope[:, None, :])
        return [
            Layer(A, B, self.bias) for A, B in zip(activities, reversed(backwards), strict=True)
        ]

    def smoothness(self, theta: jax.ShapeDtypeStruct, inputs: Float64[Array, "N M"]) -> Smoothness:
        """The activation's, or analytic without a hidden layer."""
        if len(self.widths) == 2:
            return Smoothness("analytic")
        kind = self.activation.smoothness
        return Smoothness(kind, None if kind in ("analytic", "C1") else self.activation.name)

    def _fitting(self, inputs: Array) -> Array:
        if inputs.ndim != 2 or inputs.shape[1] != self.widths[0]:
            raise ValueError(
                f"the network takes inputs of width {self.widths[0]}, one row a sample, got shape {tuple(inputs.shape)}."
            )
        return inputs


def _affine(activity: Array, W: Array, b: Array | None) -> Array:
    product = activity @ W.T
    return product if b is None else product + b
