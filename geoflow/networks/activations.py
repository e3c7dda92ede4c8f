"""Activations, each with what a flow must know of it: how smooth it is."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from jaxtyping import Array

from geoflow.checks import instance, positive_number

#: What is said of an activation or of a network. "analytic"; "C1" (Lipschitz derivative, which the papers assume); "kinked"
#: (no classical gradient flow: NA and GM ask for a Lipschitz derivative; flows refuse it); "almost everywhere" (kinked, and
#: followed all the same, knowingly: see `almost_everywhere`).
KINDS = ("analytic", "C1", "kinked", "almost everywhere")


def smoothness_kind(value: object) -> str:
    """`value` if it is one of KINDS. Raises ValueError else."""
    if value not in KINDS or not isinstance(value, str):
        raise ValueError(f"smoothness must be one of {', '.join(map(repr, KINDS))}, got {value!r}.")
    return value


@dataclass(frozen=True)
class Activation:
    """A scalar function applied to every neuron.

    smoothness: one of KINDS. Raises ValueError for another word, TypeError when `function` cannot be called.
    """

    name: str
    function: Callable[[Array], Array]
    smoothness: str
    #: how to make it again, for pickle: JAX's own functions do not pickle
    made_by: tuple[Callable[..., "Activation"], tuple[object, ...]] | None = field(
        default=None, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        instance("name", self.name, str, "A short word that messages and plots can show.")
        if not callable(self.function):
            raise TypeError(
                f"an activation needs a function of an array, such as jax.numpy.tanh, got {self.function!r}."
            )
        smoothness_kind(self.smoothness)

    def __call__(self, z: Array) -> Array:
        return self.function(z)

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Callable[..., "Activation"], tuple[object, ...]]:
        return self.made_by or (Activation, (self.name, self.function, self.smoothness))


def activation(name: str | Activation) -> Activation:
    """The activation of that name; an `Activation` passes through. Raises ValueError for an unknown name."""
    if isinstance(name, Activation):
        return name
    if name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ValueError(
            f"unknown activation {name!r}: use one of {known}, smooth_relu(eps), or an Activation."
        )
    return ACTIVATIONS[name]


def _known(name: str, function: Callable[[Array], Array], smoothness: str) -> Activation:
    return Activation(name, function, smoothness, made_by=(activation, (name,)))


def _identity(z: Array) -> Array:
    return z


tanh = _known("tanh", jnp.tanh, "analytic")
sigmoid = _known("sigmoid", jax.nn.sigmoid, "analytic")
softplus = _known("softplus", jax.nn.softplus, "analytic")
sin = _known("sin", jnp.sin, "analytic")
identity = _known("identity", _identity, "analytic")
relu = _known("relu", jax.nn.relu, "kinked")

ACTIVATIONS: dict[str, Activation] = {
    a.name: a for a in (tanh, sigmoid, softplus, sin, identity, relu)
}


def smooth_relu(eps: float = 0.1) -> Activation:
    """ReLU smoothed on [-eps, eps] by a parabola: monotone, C¹, derivative Lipschitz with constant 1/(2 eps).

    Equal to ReLU outside that zone, as in the proof of NA Theorem 1.6. Raises ValueError unless eps > 0.
    """
    return _smooth_relu(positive_number("eps", eps))


@functools.cache  # the same eps gives the same object, and nothing is compiled again
def _smooth_relu(eps: float) -> Activation:
    def smoothed(z: Array) -> Array:
        inside = jnp.clip(z, -eps, eps)
        return (inside + eps) ** 2 / (4 * eps) + jnp.maximum(z - eps, 0.0)

    return Activation(f"smooth_relu({eps:g})", smoothed, "C1", made_by=(smooth_relu, (eps,)))


def almost_everywhere(kinked: Activation) -> Activation:
    """The same activation, for flows that follow it by its derivative almost everywhere (on a kink, JAX's choice: 0 for ReLU at 0).

    That is no classical gradient flow: an orbit may depend on the integrator where it meets a kink. Every orbit says so
    (`Orbit.classical` is False). For the flow of the papers use `smooth_relu(eps)`.
    Raises TypeError for what is no `Activation`, ValueError for one that has no kink.
    """
    instance(
        "the argument of almost_everywhere",
        kinked,
        Activation,
        "Pass the object, as in almost_everywhere(relu).",
    )
    if kinked.smoothness != "kinked":
        raise ValueError(f"{kinked.name} is {kinked.smoothness}: flows follow it as it is.")
    name = f"{kinked.name} (a.e.)"
    return Activation(
        name, kinked.function, "almost everywhere", made_by=(almost_everywhere, (kinked,))
    )
