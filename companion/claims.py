"""Claims: a numbered statement of a paper, what it predicts, what was measured, and whether that holds.

In a chapter a checked cell shows two lines a claim. The lines, and the structured bundle beside them, are stable to the
letter across machines: an error is printed as "≤ tolerance". The raw figures travel in the output's metadata, from where
the ledger takes them.

A claim takes the whole sample, arrays of any shapes, and not a number that was reduced by hand: NaN or infinity anywhere
in it refuses the claim and names the trial, where ``max([1e-12, nan])`` would be ``1e-12``. What it was measured over is
read off the `Sample`.
"""

import math
from typing import Any

import numpy as np

from companion.records import KINDS as KINDS
from companion.records import MIME as MIME
from companion.records import Claim as Claim
from companion.records import Claims as Claims
from companion.records import claims as claims
from companion.values import ClaimFailed as ClaimFailed
from companion.values import Values


def equality(
    id: str,
    statement: str,
    error: Any,
    tolerance: float,
    *,
    kind: str = "identity",
    over: str = "",
    caveat: str = "",
) -> Claim:
    """Two computations agree: error ≤ tolerance everywhere, both in the units that `statement` names.

    error: a number, an array or a Sample of numbers ≥ 0. Raises `ClaimFailed` for NaN, infinity or a negative error
    (|…| was forgotten), ValueError for a tolerance that is not above zero.
    """
    values, tolerance = Values("the error", error).numbers(), _positive(tolerance)
    least, where = values.extreme(largest=False)
    if least < 0:
        raise ClaimFailed(
            f"the error is negative, {least:.3e} at {where}: an error is a size, take its absolute value."
        )
    worst, where = values.extreme(largest=True)
    holds = worst <= tolerance
    measured = (
        f"error ≤ {tolerance:.0e}" if holds else f"error {worst:.3e} > {tolerance:.0e} at {where}"
    )
    return Claim(
        id, kind, statement, "equal", measured, worst, tolerance, holds, _over(values, over), caveat
    )


def bound(
    id: str,
    statement: str,
    measured: Any,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    digits: int = 3,
    over: str = "",
    caveat: str = "",
) -> Claim:
    """measured ≤ at_most, or measured ≥ at_least, everywhere; the extreme one is printed with `digits` significant digits.

    Keep the digits well above noise. Raises ValueError unless exactly one bound is given, `ClaimFailed` for NaN or infinity.
    """
    if (at_most is None) == (at_least is None):
        raise ValueError("give exactly one of at_most and at_least.")
    values = Values("what was measured", measured).numbers()
    limit_values = Values("the bound", at_most if at_least is None else at_least).numbers()
    edge = limit_values.parts[0].reshape(-1)
    if limit_values.size > 1:
        raise ValueError(
            "the bound is one number: divide by it where it differs from trial to trial, and bound the ratio by 1."
        )
    value, where = values.extreme(largest=at_least is None)
    sign, holds = ("≤", value <= edge[0]) if at_least is None else ("≥", value >= edge[0])
    shown = f"{value:.{digits}g}" + ("" if holds else f" at {where}")
    return Claim(
        id,
        "inequality",
        statement,
        f"{sign} {edge[0]:.6g}",
        shown,
        value,
        None,
        bool(holds),
        _over(values, over),
        caveat,
    )


def limit(
    id: str,
    statement: str,
    measured: Any,
    expected: float,
    tolerance: float,
    *,
    digits: int = 3,
    over: str = "",
    caveat: str = "",
) -> Claim:
    """Numbers that should come close to `expected`, each within `tolerance` (absolute): slopes, rates, limits."""
    values, tolerance = Values("what was measured", measured).numbers(), _positive(tolerance)
    expected = float(Values("what is expected", expected).numbers().parts[0])
    off = [np.abs(part - expected) for part in values.parts]
    trial = int(np.argmax([part.max() for part in off]))
    value = float(values.parts[trial].reshape(-1)[off[trial].argmax()])
    holds = abs(value - expected) <= tolerance
    shown = (
        f"within {tolerance:.2g}"
        if holds
        else f"{value:.{digits + 3}g}, off by more than {tolerance:.2g}"
    )
    return Claim(
        id,
        "limit",
        statement,
        f"{expected:.{digits}g}",
        shown,
        value,
        tolerance,
        holds,
        _over(values, over),
        caveat,
    )


def count(
    id: str, statement: str, measured: Any, expected: int, *, over: str = "", caveat: str = ""
) -> Claim:
    """A number that is hit exactly: how many of the truth values `measured` are true, or a whole number that was counted."""
    values = Values("what was counted", measured)
    wanted = float(Values("what is expected", expected).numbers().parts[0])
    if all(part.dtype == np.bool_ for part in values.parts):
        found, extra = int(sum(int(part.sum()) for part in values.parts)), _over(values, over)
    else:
        values.numbers()
        if values.size > 1:
            raise TypeError(
                "a count takes truth values, which it counts, or one whole number; for whole numbers that should all be the same "
                "use every(id, statement, seen.rank == 7)."
            )
        number = values.parts[0].reshape(-1)[0]
        if number != int(number):
            raise ValueError(f"a count compares whole numbers, got {number!r}.")
        found, extra = int(number), _over(values, over)
    if wanted != int(wanted):
        raise ValueError(f"a count compares whole numbers, got {expected!r}.")
    return Claim(
        id,
        "count",
        statement,
        str(int(wanted)),
        str(found),
        float(found),
        None,
        found == int(wanted),
        extra,
        caveat,
    )


def every(id: str, statement: str, true: Any, *, over: str = "", caveat: str = "") -> Claim:
    """Something is true of every trial: `true` holds truth values, at least one."""
    values = Values("what should be true", true).truths()
    total, good = values.size, int(sum(int(part.sum()) for part in values.parts))
    holds = good == total
    first = "" if holds else f", not at {values.extreme(largest=False)[1]}"
    return Claim(
        id,
        "every",
        statement,
        "every one",
        f"{good} of {total}{first}",
        float(good),
        None,
        holds,
        _over(values, over),
        caveat,
    )


def exists(
    id: str,
    statement: str,
    witness: Any,
    shown: str,
    *,
    raw: float = math.nan,
    over: str = "",
    caveat: str = "",
) -> Claim:
    """An object with the stated property was constructed and checked; `shown` says it in stable words."""
    return _witnessed(id, "existence", statement, "exists", witness, shown, raw, over, caveat)


def refutes(
    id: str,
    statement: str,
    witness: Any,
    shown: str,
    *,
    raw: float = math.nan,
    over: str = "",
    caveat: str = "",
) -> Claim:
    """A counterexample to a loose reading runs: `statement` is what fails without its hypothesis, `shown` what was seen."""
    return _witnessed(id, "counterexample", statement, "fails", witness, shown, raw, over, caveat)


def _witnessed(id, kind, statement, word, witness, shown, raw, over, caveat) -> Claim:
    """All conditions on the witness have to be true: give several as one array."""
    values = Values("the witness", witness).truths()
    holds = all(bool(part.all()) for part in values.parts)
    if not isinstance(shown, str) or not shown.strip():
        raise ValueError(f"say in stable words what was seen, got {shown!r}.")
    number = float(raw)
    return Claim(id, kind, statement, word, shown, number, None, holds, over, caveat)


def proved(id: str, statement: str, certificate: Any, *, over: str = "", caveat: str = "") -> Claim:
    """A proof by computation: `certificate` has `proved` (True, or False for undecided), `statement` and `reason`."""
    decided = certificate.proved
    if decided is not True and decided is not False:
        raise TypeError(f"a certificate says proved = True or False, got {decided!r}.")
    shown = "by certificate" if decided else f"undecided: {certificate.reason}"
    return Claim(id, "proved", statement, "proved", shown, math.nan, None, decided, over, caveat)


def _over(values: Values, over: str) -> str:
    """Derived, and what the caller adds to it."""
    return "; ".join(part for part in (values.over, over) if part)


def _positive(tolerance: Any) -> float:
    number = float(tolerance)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"a tolerance must be a finite number above zero, got {tolerance!r}.")
    return number
