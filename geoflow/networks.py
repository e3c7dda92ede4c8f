"""Networks as maps of one flat parameter vector: theta in R^K and inputs to outputs (NA (1.1)-(1.3), GM (1.3)-(1.5))."""

import abc
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64, PRNGKeyArray

from geoflow._checks import float64_array, parameter_vector, positive_integer, positive_number


@dataclass(frozen=True)
class Activation:
    """A scalar function applied to every neuron, with what a flow must know of it.

    `smoothness` is "analytic", "C1" (Lipschitz derivative, which the papers assume), "kinked" (no classical gradient flow:
    NA and GM ask for a Lipschitz derivative; flows refuse it) or "almost everywhere" (kinked, and followed all the same:
    see `almost_everywhere`).
    """

    name: str
    function: Callable
    smoothness: str

    def __post_init__(self):
        if self.smoothness not in ("analytic", "C1", "kinked", "almost everywhere"):
            raise ValueError(
                f"smoothness must be 'analytic', 'C1', 'kinked' or 'almost everywhere', got {self.smoothness!r}."
            )

    def __call__(self, z):
        return self.function(z)

    def __repr__(self) -> str:
        return self.name


def _identity(z):
    return z


tanh = Activation("tanh", jnp.tanh, "analytic")
sigmoid = Activation("sigmoid", jax.nn.sigmoid, "analytic")
softplus = Activation("softplus", jax.nn.softplus, "analytic")
sin = Activation("sin", jnp.sin, "analytic")
identity = Activation("identity", _identity, "analytic")
relu = Activation("relu", jax.nn.relu, "kinked")


@functools.cache
def smooth_relu(eps: float = 0.1) -> Activation:
    """ReLU smoothed on [-eps, eps] by a parabola: monotone, C¹, derivative Lipschitz with constant 1/(2 eps).

    Equal to ReLU outside that zone, as in the proof of NA Theorem 1.6. Raises ValueError unless eps > 0.
    """
    eps = positive_number("eps", eps)

    def smoothed(z):
        inside = jnp.clip(z, -eps, eps)
        return (inside + eps) ** 2 / (4 * eps) + jnp.maximum(z - eps, 0.0)

    return Activation(f"smooth_relu({eps:g})", smoothed, "C1")


def almost_everywhere(kinked: Activation) -> Activation:
    """The same activation, for flows that follow it by its derivative almost everywhere (on a kink, JAX's choice: 0 for ReLU at 0).

    That is no classical gradient flow: an orbit may depend on the integrator where it meets a kink. Every orbit and ensemble says so in
    its status (`Status.completed_almost_everywhere`). For the flow of the papers use `smooth_relu(eps)`.
    """
    return Activation(f"{kinked.name} (a.e.)", kinked.function, "almost everywhere")


ACTIVATIONS = {a.name: a for a in (tanh, sigmoid, softplus, sin, identity, relu)}


def activation(name: str | Activation) -> Activation:
    """The activation of that name; an `Activation` passes through. Raises ValueError for an unknown name."""
    if isinstance(name, Activation):
        return name
    if name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ValueError(f"unknown activation {name!r}: use one of {known}, smooth_relu(eps), or an Activation.")
    return ACTIVATIONS[name]


class Network(eqx.Module):
    """A differentiable map (theta, inputs) -> outputs with K = `parameter_count` parameters."""

    parameter_count: eqx.AbstractVar[int]

    @abc.abstractmethod
    def apply(self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]) -> Float64[Array, "N Q"]:
        """The outputs x_j(theta), one row a sample."""

    @property
    def kinked(self) -> str | None:
        """The name of what keeps the map from being C¹, or None."""
        return None

    @property
    def almost_everywhere(self) -> bool:
        """Whether derivatives exist almost everywhere only, and flows were told to follow them (see `almost_everywhere`)."""
        return False


class FunctionNetwork(Network):
    """A hand-made map: `function(theta, inputs) -> outputs`, for the papers' toy examples.

    theta (K,), inputs (N, M), outputs (N, Q). The function must be traceable by JAX and smooth.
    """

    function: Callable = eqx.field(static=True)
    parameter_count: int = eqx.field(static=True)

    def __init__(self, function: Callable, parameter_count: int):
        self.function = function
        self.parameter_count = positive_integer("parameter_count K", parameter_count)

    def apply(self, theta, inputs):
        return self.function(theta, inputs)


class MLP(Network):
    """x^(l) = sigma(W_l x^(l-1) + b_l) for the hidden layers, affine output layer (NA (1.1)-(1.2), GM (1.3)-(1.4)).

    `widths` = (M, d_1, ..., d_L, Q) from the input to the output; W_l has shape (d_l, d_(l-1)).
    theta lists W_1 (row-major), b_1, W_2, b_2, ...; `bias=False` leaves all b_l out.
    Raises ValueError for fewer than two widths, a width below one, or an unknown activation.
    """

    widths: tuple[int, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    bias: bool = eqx.field(static=True)
    parameter_count: int = eqx.field(static=True)

    def __init__(self, widths: Sequence[int], activation: str | Activation = "tanh", bias: bool = True):
        widths = tuple(widths)
        if len(widths) < 2:
            raise ValueError(f"widths must name the input and the output width at least, got {widths}.")
        self.widths = tuple(positive_integer(f"widths[{i}]", d) for i, d in enumerate(widths))
        self.activation = _activation(activation)
        self.bias = bool(bias)
        self.parameter_count = sum(d_out * d_in + d_out * self.bias for d_in, d_out in self._shapes())

    def _shapes(self) -> list[tuple[int, int]]:
        return list(zip(self.widths[:-1], self.widths[1:], strict=True))

    @property
    def kinked(self) -> str | None:
        return self.activation.name if self._has_hidden and self.activation.smoothness == "kinked" else None

    @property
    def almost_everywhere(self) -> bool:
        return self._has_hidden and self.activation.smoothness == "almost everywhere"

    @property
    def _has_hidden(self) -> bool:
        return len(self.widths) > 2

    def init(self, key: PRNGKeyArray, scale: float = 1.0) -> Float64[Array, " K"]:
        """A random theta: W_l entries normal with deviation scale/√d_(l-1), b_l normal with deviation scale."""
        scale = positive_number("scale", scale)
        parts = []
        for key_l, (d_in, d_out) in zip(jax.random.split(key, len(self.widths) - 1), self._shapes(), strict=True):
            key_W, key_b = jax.random.split(key_l)
            parts.append(scale / math.sqrt(d_in) * jax.random.normal(key_W, (d_out * d_in,)))
            if self.bias:
                parts.append(scale * jax.random.normal(key_b, (d_out,)))
        return jnp.concatenate(parts)

    def unflatten(self, theta: Float64[Array, " K"]) -> list[tuple[Array, Array | None]]:
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

    def flatten(self, layers: Sequence[tuple[Array, Array | None]]) -> Float64[Array, " K"]:
        """The inverse of `unflatten`. Raises ValueError when a shape does not fit `widths`."""
        if len(layers) != len(self.widths) - 1:
            raise ValueError(f"expected {len(self.widths) - 1} layers for widths {self.widths}, got {len(layers)}.")
        parts = []
        for i, ((W, b), (d_in, d_out)) in enumerate(zip(layers, self._shapes(), strict=True), start=1):
            W = float64_array(f"W_{i}", W, 2, f"({d_out}, {d_in})")
            if W.shape != (d_out, d_in):
                raise ValueError(f"W_{i} must have shape {(d_out, d_in)}, got {W.shape}.")
            parts.append(W.reshape(-1))
            if self.bias != (b is not None):
                raise ValueError(f"b_{i} must be {'given' if self.bias else 'None'}: the network has bias={self.bias}.")
            if self.bias:
                b = float64_array(f"b_{i}", b, 1, f"({d_out},)")
                if b.shape != (d_out,):
                    raise ValueError(f"b_{i} must have shape {(d_out,)}, got {b.shape}.")
                parts.append(b)
        return jnp.concatenate(parts)

    def apply(self, theta, inputs):
        """Outputs (N, Q) of the samples `inputs` (N, M)."""
        *hidden, output = self.unflatten(theta)
        activity = inputs
        for W, b in hidden:
            activity = self.activation(_affine(activity, W, b))
        return _affine(activity, *output)

    def layer_factors(self, theta, inputs) -> list[tuple[Float64[Array, "N d_in"], Float64[Array, "N Q d_out"]]]:
        """Per layer l the pair (A_(l-1), B_l): ∂x_(j,i)/∂W_l[a,b] = B_l[j,i,a] A_(l-1)[j,b], ∂x_(j,i)/∂b_l[a] = B_l[j,i,a].

        Everything that D = ∂x/∂theta and the neural tangent kernel are made of, in N·(width + Q·width) numbers a layer
        instead of QN·K.
        """
        layers = self.unflatten(theta)
        activities, slopes = [inputs], []
        for W, b in layers[:-1]:
            z = _affine(activities[-1], W, b)
            value, slope = jax.jvp(self.activation, (z,), (jnp.ones_like(z),))
            activities.append(value)
            slopes.append(slope)
        Q = self.widths[-1]
        backward = [jnp.broadcast_to(jnp.eye(Q), (inputs.shape[0], Q, Q))]
        for (W, _), slope in zip(reversed(layers[1:]), reversed(slopes), strict=True):
            backward.append((backward[-1] @ W) * slope[:, None, :])
        return list(zip(activities, reversed(backward), strict=True))


def _affine(activity, W, b):
    product = activity @ W.T
    return product if b is None else product + b


_activation = activation  # `MLP.__init__` has a parameter of that name
