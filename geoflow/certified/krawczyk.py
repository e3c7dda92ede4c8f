"""The inclusion test of Krawczyk: a zero of F exists in a box, and no second one.

F maps the box |s| ≤ r of R^n (maximum norm) to R^n and is C¹; A is any matrix. If q = ‖1 − A F′‖_∞ < 1 on the whole box and
|A F(0)| + q r < r, then s − A F(s) is a contraction of the box into its interior: it has exactly one fixed point, and A is
invertible because A F′ is, so that the fixed point is a zero of F.

A parameter of F that is a ball (a data set known up to a radius) makes this a statement for each of its points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat, ctx

from geoflow.certified.balls import Matrix, Vector, below, exact, largest
from geoflow.types import Floats

#: How often a box that was too small for its own test is made sixteen times as large.
ATTEMPTS = 4


@dataclass(frozen=True)
class Inclusion:
    """proved, radius r of the box and contraction q (upper bounds), or the reason why it is undecided."""

    proved: bool
    radius: arb
    contraction: arb
    reason: str


def include(
    A: Floats, at_centre: Vector, derivative: Callable[[arb], Matrix], radius: arb | None = None
) -> Inclusion:
    """The test for F(0) in the balls `at_centre` and F′ over the box of radius r in `derivative(r)`.

    radius: of the box; None begins with a power of two above 2|A F(0)|.
    """
    preconditioner = arb_mat([exact(row) for row in A])
    start = largest((preconditioner * arb_mat([[value] for value in at_centre])).entries())
    if not start.is_finite():
        return _undecided(
            "F is not enclosed at the centre of the box: a ball there is NaN or infinite."
        )
    r = _power_above(start) if radius is None else radius
    reason = ""
    for _ in range(ATTEMPTS):
        if not below(arb(0), r):
            return _undecided("the box has no interior: its radius must be above zero.")
        slope = derivative(r)
        if len(slope) != len(A) or any(len(row) != len(A) for row in slope):
            return _undecided(f"F′ must be {len(A)} × {len(A)}, as many equations as unknowns.")
        q = row_norm(arb_mat(np.eye(len(A)).tolist()) - preconditioner * arb_mat(slope))
        if not q.is_finite():
            return _undecided("F′ is not enclosed over the box: a ball there is NaN or infinite.")
        if not below(q, arb(1)):
            reason = f"no contraction: q = {q.str(3, radius=False)} is not below 1. The zero is degenerate, or none is near."
            return Inclusion(False, r, q, reason)
        if below(start + q * r, r):
            return Inclusion(True, r, q, "")
        reason = (
            f"the box of radius {r.str(3, radius=False)} is not mapped into itself: |A F(0)| = {start.str(3, radius=False)}, "
            f"q = {q.str(3, radius=False)}."
        )
        if radius is not None:
            break
        r = r * 16
    return _undecided(reason)


def row_norm(matrix: arb_mat) -> arb:
    """An upper bound of ‖·‖_∞, the largest row sum of sizes; NaN when an entry is not finite."""
    return largest([sum((abs(entry) for entry in row), arb(0)) for row in matrix.tolist()])


class Polished(NamedTuple):
    """The point where Newton's method ended, how far from the start (maximum norm), and the last step."""

    point: Vector
    moved: float
    last: float


def polish(
    point: Vector, step: Callable[[Vector], Vector], reach: float, steps: int = 60
) -> Polished:
    """Newton's method on exact midpoints at the precision of the context: point − step(point), until the step is rounding.

    It ends where a step leaves the ball of radius `reach` around the start, grows, or is not finite: what it gives is a guess
    and needs a proof either way.
    """
    start, before = point, float("inf")
    moved = 0.0
    for _ in range(steps):
        change = [ball.mid() for ball in step(point)]
        size = float(largest(change))
        new = [(p - c).mid() for p, c in zip(point, change, strict=True)]
        gone = float(largest([p - s for p, s in zip(new, start, strict=True)]))
        if not np.isfinite(size) or size > before or not gone <= reach:
            return Polished(point, gone, size)
        point, moved, before = new, gone, size
        if size < 2.0 ** (24 - ctx.prec):
            break
    return Polished(point, moved, before)


def _power_above(size: arb) -> arb:
    """A power of two above 2·size, and above the rounding of the context where size is zero."""
    if size.is_zero():
        return arb((1, 32 - ctx.prec))
    mantissa, exponent = size.man_exp()
    return arb((1, int(exponent) + int(mantissa).bit_length() + 1))


def _undecided(reason: str) -> Inclusion:
    return Inclusion(False, arb("nan"), arb("nan"), reason)


def shown(balls: Sequence[arb]) -> str:
    """A few digits of each, for messages."""
    return ", ".join(ball.str(3, radius=False) for ball in balls)
