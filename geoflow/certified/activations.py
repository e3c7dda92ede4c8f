"""Activations in balls: value, slope and bend, each from one formula that holds for every real number.

And for every power series of balls, which flint types apart: it has no hyperbolic functions.
"""

from collections.abc import Callable

from flint import arb, arb_series

from geoflow.certified.balls import Ball

#: (sigma(z), sigma'(z), sigma''(z))
Jet = tuple[Ball, Ball, Ball]


def _tanh(z: Ball) -> Jet:
    t = 1 - 2 / (1 + (2 * z).exp()) if isinstance(z, arb_series) else z.tanh()
    slope = 1 - t * t
    return t, slope, -2 * t * slope


def _sigmoid(z: Ball) -> Jet:
    s = 1 / (1 + (-z).exp())
    slope = s * (1 - s)
    return s, slope, slope * (1 - 2 * s)


def _softplus(z: Ball) -> Jet:
    s = 1 / (1 + (-z).exp())
    value = (1 + z.exp()).log() if isinstance(z, arb_series) else z.exp().log1p()
    return value, s, s * (1 - s)


def _sin(z: Ball) -> Jet:
    s, c = z.sin_cos()
    return s, c, -s


def _identity(z: Ball) -> Jet:
    return z, arb(1), arb(0)


ACTIVATIONS: dict[str, Callable[[Ball], Jet]] = {
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "sin": _sin,
    "identity": _identity,
}
