"""A claim of zero loss proved again: Krawczyk's inclusion for F(s) = x(centre + V s) − y over |s| ≤ r, in mpmath's intervals.

Written apart from the prover: the network goes forward with tangents (no backward pass), and the preconditioner is found anew.
"""

from fractions import Fraction
from typing import Any

from geoflow.checker.intervals import (
    Refused,
    grown,
    interval,
    number,
    numbers,
    table,
    working_precision,
)
from geoflow.checker.matrices import contraction, enough_bits
from geoflow.checker.network import Net, read_network, require_beside


def check_zero_loss(claim: dict[str, Any]) -> None:
    """Raises Refused unless x(theta) = y for exactly one theta = centre + V s, |s| ≤ radius, for all inputs within input_radius."""
    net, inputs, targets = read_network(claim)
    if not isinstance(claim["reduced"], bool):
        raise Refused("reduced: expected true or false.")
    if claim["reduced"]:
        net, targets = _reduced(net, targets)
    y = [value for row in targets for value in row]
    centre = numbers(claim["centre"], net.parameters, "centre")
    directions = table(claim["directions"], net.parameters, len(y), "directions")
    radius, of_inputs = number(claim["radius"]), number(claim["input_radius"])
    if radius <= 0 or of_inputs < 0:
        raise Refused("the radius of the box must be above zero, that of the inputs at least zero.")
    require_beside(claim, centre)
    with working_precision(enough_bits(radius)):
        data = [[grown(interval(z), interval(of_inputs)) for z in row] for row in inputs]
        V = [[interval(v) for v in row] for row in directions]
        point = [interval(c) for c in centre]
        box = [
            grown(c, sum(map(abs, row)) * interval(radius)) for c, row in zip(point, V, strict=True)
        ]
        residual = [x - interval(t) for x, t in zip(net.outputs(point, data), y, strict=True)]
        contraction(residual, net.along(box, V, data), interval(radius))


def _reduced(net: Net, targets: list[list[Fraction]]) -> tuple[Net, list[list[Fraction]]]:
    """Without the last output, which follows from the others where targets sum to one: 1ᵀA = 0 and 1ᵀc = 1."""
    if not net.bias or net.widths[-1] < 2:
        raise Refused("only a network with biases and two outputs or more can be reduced.")
    if any(sum(row) != 1 for row in targets):
        raise Refused("the targets of a sample do not sum to one.")
    return Net((*net.widths[:-1], net.widths[-1] - 1), net.activation, net.bias), [
        row[:-1] for row in targets
    ]
