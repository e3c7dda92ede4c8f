"""Balls: real numbers enclosed by a midpoint and a radius (Arb, through python-flint), and the one way to decide with them.

Floats are exact: a certificate speaks about the float64 numbers of the data and of theta, which are dyadic rationals.
"""

import contextlib
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from flint import arb, arb_series, ctx

# Power series of balls go through the same formulas; flint gives both no common class, and a type checker need not know.
if TYPE_CHECKING:
    Ball: TypeAlias = arb
else:
    Ball = arb | arb_series

Vector = list[Ball]
Matrix = list[list[Ball]]


@contextlib.contextmanager
def precision(bits: int) -> Generator[None, None, None]:
    """All balls of the block are computed to `bits` bits."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def below(a: arb, b: arb) -> bool:
    """Whether a < b for certain: both finite, and every number of the ball a below every number of the ball b.

    The only way in which anything is decided here. A NaN, an infinite ball or two balls that overlap give False, which means
    undecided and never that a ≥ b.
    """
    return bool(a.is_finite()) and bool(b.is_finite()) and bool(a < b)


def exact(values: Iterable[float] | np.ndarray) -> Vector:
    """float64 numbers as exact balls. Raises ValueError for NaN or infinity."""
    numbers = [
        float(v)
        for v in np.asarray(list(values) if not isinstance(values, np.ndarray) else values).reshape(
            -1
        )
    ]
    if not np.isfinite(numbers).all():
        raise ValueError("a certificate speaks about finite numbers, got NaN or infinity.")
    return [arb(v) for v in numbers]


def largest(balls: Sequence[arb]) -> arb:
    """An upper bound of |balls|, as an exact number; NaN for no ball at all and when any ball is not finite.

    max and sorted are unsafe: a NaN compares false with everything, and a naive maximum passes over it.
    """
    bounds = [ball.abs_upper() for ball in balls]
    if not bounds or not all(bound.is_finite() for bound in bounds):
        return arb("nan")
    total = bounds[0]
    for bound in bounds:  # exact numbers: of two of them one is certainly larger, or they are equal
        total = bound if below(total, bound) else total
    return total
