"""The checker's own network: an MLP forward in mpmath's intervals, with tangents in several directions at once.

theta lists W_1 (row-major), b_1, W_2, ...; outputs and equations go sample after sample.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from geoflow.checker.intervals import (
    Interval,
    Refused,
    exp,
    hull,
    iv,
    log,
    numbers,
    sin_cos,
    table,
    whole,
)

#: How far (maximum norm) theta may lie from the centre of the box; most provers go much less far.
REACH = Fraction(1, 10)

Vector = list[Interval]
Matrix = list[list[Interval]]


def _logistic(z: Interval) -> Interval:
    """Increasing, so that the ends of z enclose it."""
    return hull([1 / (1 + exp(-end)) for end in (z.a, z.b)])


def _bell(z: Interval, value: Interval) -> Interval:
    """s(1 − s) for the logistic function s: largest at z = 0, falling to both sides."""
    ends = hull([s * (1 - s) for s in (value.a, value.b)])
    return hull([ends, iv.mpf(1) / 4]) if 0 in z else ends


def _sigmoid(z: Interval) -> tuple[Interval, Interval]:
    s = _logistic(z)
    return s, _bell(z, s)


def _tanh(z: Interval) -> tuple[Interval, Interval]:
    s, slope = _sigmoid(2 * z)
    return 2 * s - 1, 4 * slope


def _softplus(z: Interval) -> tuple[Interval, Interval]:
    return hull([log(1 + exp(end)) for end in (z.a, z.b)]), _logistic(z)


def _identity(z: Interval) -> tuple[Interval, Interval]:
    return z, iv.mpf(1)


#: sigma and its slope over an interval.
ACTIVATIONS: dict[str, Callable[[Interval], tuple[Interval, Interval]]] = {
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "sin": sin_cos,
    "identity": _identity,
}


@dataclass(frozen=True)
class Net:
    """widths = (M, d_1, ..., d_L, Q); activation: a key of ACTIVATIONS."""

    widths: tuple[int, ...]
    activation: str
    bias: bool

    @property
    def parameters(self) -> int:
        return sum(b * (a + self.bias) for a, b in itertools.pairwise(self.widths))

    def outputs(self, theta: Vector, inputs: Matrix) -> Vector:
        """x (QN) over a box of theta and of inputs."""
        nothing = [[iv.mpf(0)] * 0 for _ in theta]
        return [x for z in inputs for x, _ in self._forward(theta, nothing, z)]

    def along(self, theta: Vector, V: Matrix, inputs: Matrix) -> Matrix:
        """D V (QN × n) for directions V (K × n)."""
        return [moved for z in inputs for _, moved in self._forward(theta, V, z)]

    def _forward(self, theta: Vector, V: Matrix, z: Vector) -> list[tuple[Interval, Vector]]:
        """Each output with its derivatives along the columns of V."""
        n, place = len(V[0]), 0
        state: list[tuple[Interval, Vector]] = [(x, []) for x in z]  # the inputs do not move
        for l, (d_in, d_out) in enumerate(itertools.pairwise(self.widths)):
            new: list[tuple[Interval, Vector]] = []
            for a in range(d_out):
                start = place + a * d_in
                total = theta[place + d_out * d_in + a] if self.bias else iv.mpf(0)
                moved = list(V[place + d_out * d_in + a]) if self.bias else [iv.mpf(0)] * n
                for b, (value, tangent) in enumerate(state):
                    w, dw = theta[start + b], V[start + b]
                    total += w * value
                    moved = [m + d * value for m, d in zip(moved, dw, strict=True)]
                    if tangent:
                        moved = [m + w * t for m, t in zip(moved, tangent, strict=True)]
                if l < len(self.widths) - 2:
                    total, slope = ACTIVATIONS[self.activation](total)
                    moved = [slope * m for m in moved]
                new.append((total, moved))
            state, place = new, place + d_out * (d_in + self.bias)
        return state


def read_network(claim: dict[str, Any]) -> tuple[Net, list[list[Fraction]], list[list[Fraction]]]:
    """The network, inputs (N × M) and targets (N × Q) of a claim. Raises Refused for what does not fit together."""
    described = claim["network"]
    widths = tuple(whole(width, 1, "widths") for width in described["widths"])
    if (
        len(widths) < 2
        or described["activation"] not in ACTIVATIONS
        or not isinstance(described["bias"], bool)
    ):
        raise Refused(f"network: {described!r:.200} is none that the checker knows.")
    N = len(claim["inputs"])
    whole(N, 1, "the number of samples")
    net = Net(widths, described["activation"], described["bias"])
    return (
        net,
        table(claim["inputs"], N, widths[0], "inputs"),
        table(claim["targets"], N, widths[-1], "targets"),
    )


def require_beside(claim: dict[str, Any], centre: list[Fraction]) -> None:
    """Raises Refused unless the theta that was given lies near the box that the claim is about."""
    theta = numbers(claim["theta"], len(centre), "theta")
    if max(abs(a - b) for a, b in zip(theta, centre, strict=True)) > REACH:
        raise Refused("theta lies far from the box that the claim is about.")
