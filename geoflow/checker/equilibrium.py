"""A claim about an isolated critical point proved again, in mpmath's intervals: Krawczyk on ∇C = 0, the inertia of Hess C, C, rank D."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from geoflow.checker.cost import cost, gradient, hessian, jacobian, outputs
from geoflow.checker.intervals import (
    Interval,
    Refused,
    below,
    grown,
    interval,
    iv,
    number,
    numbers,
    table,
    whole,
    working_precision,
)
from geoflow.checker.matrices import (
    Matrix,
    contraction,
    enough_bits,
    inertia,
    most_rank,
    require_rank,
    shifted,
)
from geoflow.checker.network import Net, Vector, read_network, require_beside

#: Bits at the least: eigenvalues are claimed to 24 digits.
LEAST_BITS = 240


def check_equilibrium(claim: dict[str, Any]) -> None:
    """Raises Refused unless there is exactly one critical point in the box, with the index, the least eigenvalue, C and rank D claimed.

    With data_radius above zero: and one for every data set within it, in the box of wide_radius.
    """
    net, inputs, targets = read_network(claim)
    K, QN = net.parameters, len(targets) * net.widths[-1]
    centre, radius = numbers(claim["centre"], K, "centre"), number(claim["radius"])
    eigenvalue, (low, high) = number(claim["eigenvalue"]), numbers(claim["cost"], 2, "cost")
    of_data, wide = number(claim["data_radius"]), number(claim["wide_radius"])
    if radius <= 0 or eigenvalue <= 0 or of_data < 0 or (of_data > 0 and wide <= 0):
        raise Refused(
            "radii and eigenvalues must be above zero, the radius of the data at least zero."
        )
    index, (least, most) = (
        whole(claim["index"], 0, "index"),
        (whole(r, 0, "rank") for r in claim["rank"]),
    )
    left, right = table(claim["left"], QN, least, "left"), table(claim["right"], K, least, "right")
    require_beside(claim, centre)
    with working_precision(enough_bits(radius, LEAST_BITS)):
        found = _Point(net, centre, inputs, targets, Fraction(0), radius)
        for shift in (-eigenvalue, eigenvalue):
            if inertia(shifted(found.H, interval(shift))) != (index, K - index):
                raise Refused(
                    f"the Hessian does not certainly have {index} eigenvalues below −λ and {K - index} above λ."
                )
        if not (_at_most(interval(low), found.C) and _at_most(found.C, interval(high))):
            raise Refused(
                "C at the critical point does not certainly lie in the interval that is claimed."
            )
        groups = [(tuple(z), q) for z in inputs for q in range(net.widths[-1])]
        _check_rank(found, groups, left, right, least, most)
        if of_data > 0:
            found = _Point(net, centre, inputs, targets, of_data, wide)
            if inertia(found.H) != (index, K - index):
                raise Refused("the index is not certainly the same for all data within the radius.")
            if low > 0 and not below(iv.mpf(0), found.C):
                raise Refused("C is not certainly above zero for all data within the radius.")
            _check_rank(found, list(range(QN)), left, right, least, most)


@dataclass(frozen=True, init=False)
class _Point:
    """The critical point of all data within a radius, enclosed: Hess C over its box, and C, D and x − y where it can be."""

    H: Matrix
    C: Interval
    D: Matrix
    residual: Vector

    def __init__(
        self,
        net: Net,
        centre: list[Fraction],
        inputs: list[list[Fraction]],
        targets: list[list[Fraction]],
        of_data: Fraction,
        radius: Fraction,
    ):
        around = interval(of_data)
        z = [[grown(interval(x), around) for x in row] for row in inputs]
        y = [grown(interval(t), around) for row in targets for t in row]
        point, N, K = [interval(c) for c in centre], len(inputs), net.parameters
        x = outputs(net, [grown(c, interval(radius)) for c in point], z)
        H = hessian(x, y, N, K)
        nearer = contraction(gradient(outputs(net, point, z), y, N, K), H, interval(radius))
        x = outputs(net, [grown(c, nearer) for c in point], z)
        for name, value in (
            ("H", H),
            ("C", cost(x, y, N)),
            ("D", jacobian(x, K)),
            ("residual", [unit.value - t for unit, t in zip(x, y, strict=True)]),
        ):
            object.__setattr__(self, name, value)


def _check_rank(
    found: _Point,
    groups: list[Any],
    left: list[list[Fraction]],
    right: list[list[Fraction]],
    least: int,
    most: int,
) -> None:
    require_rank(found.D, left, right, least)
    if most_rank(found.D, groups, found.residual) > most:
        raise Refused(f"no reason is known why rank D should be {most} at most.")


def _at_most(a: Interval, b: Interval) -> bool:
    """a ≤ b for certain."""
    return below(iv.mpf(-1), abs(a)) and below(iv.mpf(-1), abs(b)) and bool(a.b <= b.a)
