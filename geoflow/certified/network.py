"""A fully connected network in balls: outputs and D, over a box of theta and over balls of inputs.

Everything comes from the layers by the chain rule, so that a box gives an enclosure of what its points give. Conventions as
in `geoflow.networks.MLP`: theta lists W_1 (row-major), b_1, W_2, ...; outputs are sample-major.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb

from geoflow.certified.activations import ACTIVATIONS
from geoflow.certified.balls import Matrix, Vector, exact
from geoflow.certified.products import apply, product
from geoflow.checks import instance
from geoflow.networks import MLP
from geoflow.networks import activation as known
from geoflow.types import AnyArray, Floats


@dataclass(frozen=True)
class Sample:
    """One sample on its way through the layers.

    activities: what each layer multiplies, the input first; slopes, bends: sigma' and sigma'' at the hidden preactivations;
    backward: per layer the derivatives (Q, d_l) of the outputs with respect to its preactivations.
    """

    activities: list[Vector]
    slopes: list[Vector]
    bends: list[Vector]
    backward: list[Matrix]
    output: Vector


@dataclass(frozen=True)
class BallNetwork:
    """The map theta -> x(theta) of an MLP in balls. widths = (M, d_1, ..., d_L, Q)."""

    widths: tuple[int, ...]
    activation: str
    bias: bool

    @property
    def K(self) -> int:
        return sum(d_out * (d_in + self.bias) for d_in, d_out in itertools.pairwise(self.widths))

    @property
    def Q(self) -> int:
        return self.widths[-1]

    def layers(self, theta: Vector) -> list[tuple[Matrix, Vector]]:
        """theta as a list of (W_l, b_l); b_l is exactly zero without biases. Raises ValueError for a wrong length."""
        if len(theta) != self.K:
            raise ValueError(f"theta must have K = {self.K} entries, got {len(theta)}.")
        numbers = iter(theta)
        layers: list[tuple[Matrix, Vector]] = []
        for d_in, d_out in itertools.pairwise(self.widths):
            W = [list(itertools.islice(numbers, d_in)) for _ in range(d_out)]
            layers.append(
                (W, list(itertools.islice(numbers, d_out)) if self.bias else [arb(0)] * d_out)
            )
        return layers

    def outputs(self, theta: Vector, inputs: Matrix) -> Vector:
        """x (QN), sample after sample."""
        layers = self.layers(theta)
        return [x for z in inputs for x in self._forward(layers, z).output]

    def jacobian(self, theta: Vector, inputs: Matrix) -> Matrix:
        """D = ∂x/∂theta (QN × K)."""
        layers = self.layers(theta)
        rows: Matrix = []
        for z in inputs:
            sample = self.through(layers, z)
            for q in range(self.Q):
                row: Vector = []
                for A, B in zip(sample.activities, sample.backward, strict=True):
                    row += [b * a for b in B[q] for a in A]
                    row += B[q] if self.bias else []
                rows.append(row)
        return rows

    def starts(self) -> list[int]:
        """Where each layer begins in theta."""
        sizes = [d_out * (d_in + self.bias) for d_in, d_out in itertools.pairwise(self.widths)]
        return [0, *itertools.accumulate(sizes)][:-1]

    def _forward(self, layers: list[tuple[Matrix, Vector]], z: Vector) -> Sample:
        if len(z) != self.widths[0]:
            raise ValueError(f"an input must have M = {self.widths[0]} numbers, got {len(z)}.")
        sigma = ACTIVATIONS[self.activation]
        activities, slopes, bends = [z], list[Vector](), list[Vector]()
        for W, b in layers[:-1]:
            jets = [sigma(x + b_a) for x, b_a in zip(apply(W, activities[-1]), b, strict=True)]
            activities.append([value for value, _, _ in jets])
            slopes.append([slope for _, slope, _ in jets])
            bends.append([bend for _, _, bend in jets])
        W, b = layers[-1]
        output = [x + b_a for x, b_a in zip(apply(W, activities[-1]), b, strict=True)]
        return Sample(activities, slopes, bends, [], output)

    def through(self, layers: list[tuple[Matrix, Vector]], z: Vector) -> Sample:
        """Forward and back again."""
        sample = self._forward(layers, z)
        B = [[arb(int(p == q)) for q in range(self.Q)] for p in range(self.Q)]
        backward = [B]
        for (W, _), slope in zip(reversed(layers[1:]), reversed(sample.slopes), strict=True):
            B = [[x * s for x, s in zip(row, slope, strict=True)] for row in product(B, W)]
            backward.append(B)
        sample.backward.extend(reversed(backward))
        return sample


def ball_network(network: object) -> BallNetwork:
    """The network in balls. Raises TypeError for what is no MLP, ValueError for an activation without a formula in balls."""
    instance(
        "network",
        network,
        MLP,
        "Certificates know fully connected networks, MLP(widths, activation, bias), only.",
    )
    assert isinstance(network, MLP)
    name = network.activation.name
    if name not in ACTIVATIONS or network.activation != known(name):
        names = ", ".join(ACTIVATIONS)
        raise ValueError(
            f"certificates know the activations {names}, got {name!r}: a proof needs an enclosure of the function, of its "
            "slope and of its bend on every interval. Take one of these; a ReLU network has no second derivative to enclose."
        )
    return BallNetwork(network.widths, name, network.bias)


def rows(array: AnyArray) -> Matrix:
    """A float64 matrix as exact balls, row after row."""
    return [exact(row) for row in np.asarray(array)]


def around(balls: Sequence[arb], radius: arb | float) -> Vector:
    """The same balls, each grown by `radius`."""
    return [ball + arb(0, radius) for ball in balls]


def floats(balls: Sequence[Sequence[arb]]) -> Floats:
    """The midpoints as float64, for what needs no proof: preconditioners, guesses."""
    return np.array([[float(ball.mid()) for ball in row] for row in balls], dtype=np.float64)
