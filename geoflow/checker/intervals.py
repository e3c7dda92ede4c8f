"""The checker's own numbers: exact fractions as they stand in a claim, and mpmath's intervals, which know nothing of Arb.

No module of the checker imports the prover, flint or JAX: what is accepted rests on mpmath alone.
"""

import contextlib
import re
from collections.abc import Generator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath

#: An interval of mpmath, and the context that makes them: neither has types.
Interval = Any
iv: Any = mpmath.iv

BITS = 100

#: No number of a claim has a longer exponent: it would only fill the memory.
LONGEST = 20_000


class Refused(Exception):
    """What the claim says is not proved, and why."""


@contextlib.contextmanager
def working_precision(bits: int = BITS) -> Generator[None, None, None]:
    """mpmath's intervals have one precision for all."""
    before = iv.prec
    iv.prec = bits
    try:
        yield
    finally:
        iv.prec = before


def number(text: object) -> Fraction:
    """The exact number m·2^e behind "mpe". Refuses everything else: floats, NaN, infinity."""
    match = (
        re.fullmatch(r"(-?[0-9]{1,20000})p(-?[0-9]{1,6})", text) if isinstance(text, str) else None
    )
    if match is None or abs(int(match[2])) > LONGEST:
        raise Refused(f"expected a number m·2^e written as 'mpe', got {text!r:.80}.")
    return int(match[1]) * Fraction(2) ** int(match[2])


def numbers(texts: object, length: int, what: str) -> list[Fraction]:
    """A list of that length. Refuses another length."""
    if not isinstance(texts, list) or len(texts) != length:
        raise Refused(f"{what}: expected {length} numbers.")
    return [number(text) for text in texts]


def table(texts: object, rows: int, columns: int, what: str) -> list[list[Fraction]]:
    """Rows of numbers. Refuses another shape."""
    if not isinstance(texts, list) or len(texts) != rows:
        raise Refused(f"{what}: expected {rows} rows.")
    return [numbers(row, columns, what) for row in texts]


def whole(value: object, least: int, what: str) -> int:
    """A whole number of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Refused(f"{what}: expected a whole number of at least {least}, got {value!r:.80}.")
    return value


def interval(value: Fraction | float | int) -> Interval:
    """An interval around an exact number, as narrow as the precision allows."""
    exact = Fraction(value)
    return iv.mpf(exact.numerator) / iv.mpf(exact.denominator)


def grown(value: Interval, radius: Interval) -> Interval:
    """value + [−radius, radius]."""
    return value + radius * iv.mpf([-1, 1])


def hull(ends: Sequence[Interval]) -> Interval:
    """The smallest interval that holds all of them."""
    low, high = ends[0].a, ends[0].b
    for end in ends[1:]:
        low = end.a if end.a < low else low
        high = end.b if end.b > high else high
    return iv.mpf([low, high])


def below(a: Interval, b: Interval) -> bool:
    """Whether a < b for certain: both finite, and every number of a below every number of b. NaN and overlaps give False."""
    try:
        return bool(iv.ninf < a) and bool(a < b) and bool(b < iv.inf)
    except ValueError:  # mpmath's way to say that two intervals overlap
        return False


def largest(values: Sequence[Interval]) -> Interval:
    """An upper bound of |values|. Refuses what is not finite."""
    top = iv.mpf(0)
    for value in values:
        size = abs(value).b
        if not below(iv.mpf(-1), size):
            raise Refused("an interval is NaN or infinite.")
        top = top if below(size, top) else size
    return top


def size(value: Interval) -> float:
    """The midpoint in floating point, for what needs no proof."""
    return float(mpmath.mpf(value.mid))


def exp(x: Interval) -> Interval:
    """eˣ, wider than mpmath's own by a few units in the last place: its rounding is directed but not proved."""
    return iv.exp(x) * _slack(iv.prec)


def log(x: Interval) -> Interval:
    """ln x for x > 0, wider than mpmath's own."""
    return iv.log(x) * _slack(iv.prec)


def sin_cos(x: Interval) -> tuple[Interval, Interval]:
    """(sin x, cos x), wider than mpmath's own."""
    slack = _slack(iv.prec) - 1
    return iv.sin(x) + slack, iv.cos(x) + slack


@cache
def _slack(bits: int) -> Interval:
    tiny = iv.mpf(2) ** (8 - bits)
    return iv.mpf([1 - tiny.b, 1 + tiny.b])
