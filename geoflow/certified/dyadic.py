"""Exact numbers in files: m·2^e, written as "mpe" ("-3p-2" is −3/4). No digit is lost, and no reader has to trust ours."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np
from flint import arb

from geoflow.certified.balls import Matrix, Vector
from geoflow.types import Floats

#: Digits of the bounds that a certificate shows.
DIGITS = 20


def written(number: arb | float) -> str:
    """An exact number as text. Raises ValueError for a ball with a radius, NaN or infinity: those are no numbers."""
    ball = number if isinstance(number, arb) else arb(float(number))
    if not ball.is_finite() or not ball.is_exact():
        raise ValueError(f"only an exact number can be written, got {ball}.")
    mantissa, exponent = ball.man_exp()
    return f"{int(mantissa)}p{int(exponent)}"


def read(text: str) -> arb:
    """The exact number behind `text`. Raises ValueError for anything else than what `written` makes."""
    mantissa, separator, exponent = text.partition("p")
    if separator != "p":
        raise ValueError(f"expected a number m·2^e written as 'mpe', got {text!r}.")
    return arb((int(mantissa), int(exponent)))


def written_vector(numbers: Iterable[arb | float] | Floats) -> list[str]:
    """Exact numbers, one after the other."""
    return [written(number) for number in numbers]


def written_matrix(rows: Iterable[Iterable[arb | float]] | Floats) -> list[list[str]]:
    """Exact numbers, row after row."""
    return [written_vector(row) for row in rows]


def read_vector(texts: Sequence[str]) -> Vector:
    """The inverse of `written_vector`."""
    return [read(text) for text in texts]


def read_matrix(texts: Sequence[Sequence[str]]) -> Matrix:
    """The inverse of `written_matrix`."""
    return [read_vector(row) for row in texts]


def rounded(numbers: Floats, bits: int = 24) -> Floats:
    """Floats of `bits` binary places after the point, so that they are written shortly. Any float64 matrix will do for V."""
    return np.asarray(np.round(numbers * 2.0**bits) * 2.0**-bits, dtype=np.float64)


def bounds(ball: arb, digits: int = DIGITS) -> tuple[str, str]:
    """(lower, upper) in decimal, rounded outwards. Raises ValueError for a ball that is not finite."""
    if not ball.is_finite():
        raise ValueError(f"a bound must be finite, got {ball}.")
    return _decimal(ball.lower(), digits, ROUND_FLOOR), _decimal(
        ball.upper(), digits, ROUND_CEILING
    )


def _decimal(number: arb, digits: int, rounding: str) -> str:
    mantissa, exponent = (int(part) for part in number.man_exp())
    context = Context(prec=digits, rounding=rounding, Emin=-999999, Emax=999999)
    if exponent >= 0:
        return str(context.plus(Decimal(mantissa << exponent)))
    return str(context.divide(Decimal(mantissa), Decimal(1 << -exponent)))
