"""Activations in balls: value, slope and bend, each from one formula that holds for every real number."""

from collections.abc import Callable

from flint import arb

#: (sigma(z), sigma'(z), sigma''(z))
Jet = tuple[arb, arb, arb]


def _tanh(z: arb) -> Jet:
    t = z.tanh()
    slope = 1 - t * t
    return t, slope, -2 * t * slope


def _sigmoid(z: arb) -> Jet:
    s = 1 / (1 + (-z).exp())
    slope = s * (1 - s)
    return s, slope, slope * (1 - 2 * s)


def _softplus(z: arb) -> Jet:
    s = 1 / (1 + (-z).exp())
    return z.exp().log1p(), s, s * (1 - s)


def _sin(z: arb) -> Jet:
    s, c = z.sin_cos()
    return s, c, -s


def _identity(z: arb) -> Jet:
    return z, arb(1), arb(0)


ACTIVATIONS: dict[str, Callable[[arb], Jet]] = {
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "sin": _sin,
    "identity": _identity,
}
