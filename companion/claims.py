"""Claims: a numbered statement of a paper, what it predicts, what was measured, and whether that holds.

In a chapter a checked cell shows two lines a claim. The lines, and the structured bundle beside them, are stable to the
letter across machines: an error is printed as "≤ tolerance". The raw figures travel in the output's metadata, from where
the ledger takes them.

A claim takes the whole sample, arrays of any shapes, and not a number that was reduced by hand: NaN or infinity anywhere
in it refuses the claim and names the trial, where ``max([1e-12, nan])`` would be ``1e-12``. What it was measured over is
read off the `Sample`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.statements import of_this_book
from companion.trials import Sample

MIME = "application/vnd.companion.claims+json"
KINDS = (
    "identity",
    "inequality",
    "limit",
    "count",
    "every",
    "existence",
    "counterexample",
    "proved",
)
#: Predictions that read as a word before what came out, "equal: error ≤ 1e-08".
WORDS = ("equal", "exists", "fails", "proved", "every one")


class ClaimFailed(AssertionError):
    """A claim does not hold: the theorem is false, or the code is wrong, or the sample is not what it was taken for."""


@dataclass(frozen=True)
class Claim:
    """One measured statement. Made by `equality`, `bound`, `limit`, `count`, `every`, `exists`, `refutes` and `proved`.

    id: the statement's id; kind: one of KINDS; statement: what is claimed, in words or symbols; predicted, measured: as
    printed (rounded well above noise); raw: the measured number itself; tolerance: what decides, or None; over: what it was
    tried on; caveat: what a careful reader must know.
    """

    id: str
    kind: str
    statement: str
    predicted: str
    measured: str
    raw: float
    tolerance: float | None
    holds: bool
    over: str = ""
    caveat: str = ""

    def __post_init__(self):
        known = of_this_book()
        if known and self.id not in known:
            near = [other for other in known if other.startswith(str(self.id)[:2])]
            raise ValueError(
                f"unknown statement id {self.id!r}; known ones: {', '.join(near or known)}."
            )
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of claim {self.kind!r}: use one of {', '.join(KINDS)}.")
        if not isinstance(self.statement, str) or not self.statement.strip():
            raise ValueError(
                f"a claim says in words or symbols what is claimed, got {self.statement!r}."
            )

    def line(self) -> str:
        """Two short lines, for narrow screens: what is claimed, then what came out."""
        in_words = self.predicted in WORDS
        came_out = (
            f"{self.predicted}: {self.measured}"
            if in_words
            else f"{self.predicted}, measured {self.measured}"
        )
        over = f"  ({self.over})" if self.over else ""
        return f"{'✓' if self.holds else '✗'} {self.id}  {self.statement}\n    {came_out}{over}"

    def record(self) -> dict[str, Any]:
        """What the ledger needs and nbval may compare: everything but the raw figure."""
        names = (
            "id",
            "kind",
            "statement",
            "predicted",
            "measured",
            "tolerance",
            "holds",
            "over",
            "caveat",
        )
        return {name: getattr(self, name) for name in names}


# --- samples ---------------------------------------------------------------------------------------------


class _Values:
    """A sample as claims see it: flat arrays, one a trial, and where each comes from."""

    def __init__(self, name: str, given: Any):
        self.name, self.sample = name, given if isinstance(given, Sample) else None
        parts = list(given) if isinstance(given, Sample) else [given]
        self.parts = [_plain(name, part) for part in parts]
        if not any(part.size for part in self.parts):
            raise ClaimFailed(f"{name} is empty: nothing was measured, and nothing can be claimed.")
        for index, part in enumerate(self.parts):
            if part.size == 0:
                raise ClaimFailed(
                    f"{name} is empty in the trial {self._where(index, ())}: what was measured there?"
                )

    def _where(self, trial: int, place: Sequence[int]) -> str:
        where = self.sample.where(trial) if self.sample is not None else ""
        inner = f"index {tuple(int(i) for i in place)}" if len(place) else ""
        return ", ".join(part for part in (where, inner) if part) or "the only value"

    def numbers(self) -> "_Values":
        """As float64. Raises `ClaimFailed` for NaN or infinity, naming the first trial."""
        converted = []
        for index, part in enumerate(self.parts):
            values = part.astype(np.float64)
            if not np.isfinite(values).all():
                place = np.argwhere(~np.isfinite(values))[0]
                bad = int((~np.isfinite(values)).sum())
                raise ClaimFailed(
                    f"{self.name} is {values[tuple(place)]} at {self._where(index, place)} ({bad} of {values.size} values there): a "
                    "claim needs finite numbers. An orbit that stopped, a solver that gave up or a division by zero is no measurement: "
                    "count it, or find out why."
                )
            converted.append(values)
        self.parts = converted
        return self

    def truths(self) -> "_Values":
        """As truth values. Raises TypeError for numbers: a NaN is no answer to a question."""
        for part in self.parts:
            if part.dtype != np.bool_:
                raise TypeError(
                    f"{self.name} must be truth values, such as seen.rank == 7, got {part.dtype}: a comparison says what is meant."
                )
        return self

    def extreme(self, largest: bool) -> tuple[float, str]:
        """The largest or the smallest value, and where it stands."""
        picked = [part.max() if largest else part.min() for part in self.parts]
        trial = int(np.argmax(picked) if largest else np.argmin(picked))
        part = self.parts[trial]
        place = np.unravel_index(part.argmax() if largest else part.argmin(), part.shape)
        return float(picked[trial]), self._where(trial, place)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def over(self) -> str:
        """What it was measured over: the trials, else how many values an array has."""
        if self.sample is not None:
            return self.sample.over
        return f"{self.size} values" if self.size > 1 else ""


def _plain(name: str, given: Any) -> np.ndarray:
    if given is None or isinstance(given, str | bytes):
        raise TypeError(f"{name} must be a number, an array or a Sample, got {given!r}.")
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers or truth values, got {array.dtype}.")
    return array


def _over(values: _Values, over: str) -> str:
    """Derived, and what the caller adds to it."""
    return "; ".join(part for part in (values.over, over) if part)


def _positive(tolerance: Any) -> float:
    number = float(tolerance)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"a tolerance must be a finite number above zero, got {tolerance!r}.")
    return number


# --- kinds of claims -------------------------------------------------------------------------------------


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
    values, tolerance = _Values("the error", error).numbers(), _positive(tolerance)
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
    values = _Values("what was measured", measured).numbers()
    limit_values = _Values("the bound", at_most if at_least is None else at_least).numbers()
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
    values, tolerance = _Values("what was measured", measured).numbers(), _positive(tolerance)
    expected = float(_Values("what is expected", expected).numbers().parts[0])
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
    values = _Values("what was counted", measured)
    wanted = float(_Values("what is expected", expected).numbers().parts[0])
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
    values = _Values("what should be true", true).truths()
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
    values = _Values("the witness", witness).truths()
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


# --- what a cell shows -----------------------------------------------------------------------------------


class Claims(Sequence):
    """Claims as a cell shows them: text for the reader, a structured bundle and the raw figures for the ledger."""

    def __init__(self, made: Sequence[Claim]):
        self.claims = tuple(made)

    def __getitem__(self, index):
        return self.claims[index]

    def __len__(self) -> int:
        return len(self.claims)

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims)

    def __repr__(self) -> str:
        return "\n".join(claim.line() for claim in self.claims)

    def _repr_mimebundle_(self, include=None, exclude=None):
        raw = [claim.raw if math.isfinite(claim.raw) else None for claim in self.claims]
        bundle = {"text/plain": repr(self), MIME: [claim.record() for claim in self.claims]}
        return bundle, {"companion": {"measured": raw}}


def claims(*made: Claim) -> Claims:
    """The claims of a checked cell. Raises `ClaimFailed`, naming each one that does not hold; ValueError for none at all."""
    if not made:
        raise ValueError(
            "claims() needs at least one claim: a checked cell that claims nothing checks nothing."
        )
    for claim in made:
        if not isinstance(claim, Claim):
            raise TypeError(
                f"claims() takes what equality, bound, every, ... return, got {claim!r:.80}."
            )
    failed = [claim.line() for claim in made if not claim.holds]
    if failed:
        raise ClaimFailed("does not hold:\n" + "\n".join(failed))
    return Claims(made)
