"""What certificates about a network and a data set have in common: the numbers they speak about, and the words."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from flint import arb

from geoflow.certified.balls import Matrix, Vector, exact
from geoflow.certified.certificate import Certificate
from geoflow.certified.dyadic import written_matrix
from geoflow.certified.krawczyk import Inclusion
from geoflow.certified.network import BallNetwork, around, ball_network, rows
from geoflow.checks import positive_number
from geoflow.problem import Problem

#: A radius of the data in which a statement holds for every data set; "largest" tries `RADII` and keeps the first that works.
DataRadius = float | Literal["largest"]

RADII = tuple(float(f"{m}e-{k}") for k in range(1, 15) for m in (3, 1))


@dataclass(frozen=True)
class Balls:
    """A problem in balls: the network, inputs row after row, targets sample after sample."""

    network: BallNetwork
    inputs: Matrix
    targets: Vector

    @property
    def N(self) -> int:
        return len(self.inputs)

    @property
    def QN(self) -> int:
        return len(self.targets)

    def grown(self, of_inputs: arb, of_targets: arb) -> "Balls":
        """Every data set around this one, each number moved by at most the radius."""
        return Balls(
            self.network,
            [around(z, of_inputs) for z in self.inputs],
            around(self.targets, of_targets),
        )

    def __str__(self) -> str:
        widths = ", ".join(map(str, self.network.widths))
        bias = "" if self.network.bias else " without biases"
        return f"{self.network.activation} ({widths}){bias}"


def in_balls(problem: Problem) -> Balls:
    """Raises TypeError or ValueError for a network that has no formulas in balls."""
    return Balls(
        ball_network(problem.network),
        rows(problem.data.inputs),
        exact(np.asarray(problem.data.targets).reshape(-1)),
    )


def written_problem(problem: Problem) -> dict[str, Any]:
    """The exact numbers of a problem, for a claim."""
    network = ball_network(problem.network)
    return {
        "network": {
            "widths": list(network.widths),
            "activation": network.activation,
            "bias": network.bias,
        },
        "inputs": written_matrix(np.asarray(problem.data.inputs)),
        "targets": written_matrix(np.asarray(problem.data.targets)),
    }


def data_radii(name: str, radius: DataRadius) -> Sequence[float]:
    """The radii to try. Raises TypeError or ValueError unless it is "largest" or a finite number, zero or above."""
    if isinstance(radius, str):
        if radius != "largest":
            raise ValueError(f"{name} must be a number or 'largest', got {radius!r}.")
        return RADII
    number = positive_number(name, radius, zero_allowed=True)
    return (number,) if number else ()


def float_above(ball: arb) -> float:
    """A float at or above the ball; infinity where there is none."""
    return float(np.nextafter(float(ball.upper()), np.inf)) if ball.is_finite() else float("inf")


def undecided(kind: str, statement: str, reason: str, bits: int, since: float) -> Certificate:
    """No proof, and why. since: time.perf_counter() at the start."""
    return Certificate(
        kind, False, statement, reason=reason, precision=bits, seconds=time.perf_counter() - since
    )


def first_proved(
    radii: Sequence[float], attempt: Callable[[float], Inclusion | None]
) -> tuple[float, Inclusion] | None:
    """The first radius for which `attempt` proves something, with the proof."""
    for radius in radii:
        found = attempt(radius)
        if found is not None and found.proved:
            return radius, found
    return None
