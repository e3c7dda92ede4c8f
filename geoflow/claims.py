"""Claims: a numbered statement of a paper, what it predicts, what was measured, and whether that holds.

In a chapter a checked cell shows one line per claim. The lines, and the structured bundle beside them, are stable to the
letter across machines: an error is printed as "≤ tolerance". The raw figures travel in the output's metadata, from where
the ledger takes them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

MIME = "application/vnd.geoflow.claims+json"
KINDS = ("identity", "inequality", "limit", "count", "existence", "counterexample")


@dataclass(frozen=True)
class Statement:
    """A numbered statement: our id, the paper (NA, GM, LN, CM), its own number there, and what it says in a line."""

    id: str
    paper: str
    number: str
    title: str


def _read_statements() -> dict[str, Statement]:
    rows = files("geoflow").joinpath("statements.tsv").read_text(encoding="utf-8").splitlines()
    fields = [row.split("\t") for row in rows if row and not row.startswith("#")]
    return {id: Statement(id, id.split("-")[0], number, title) for id, number, title in fields}


#: Every numbered statement of the four papers, by id.
STATEMENTS = _read_statements()


class ClaimFailed(AssertionError):
    """A claim does not hold: the theorem is false, or the code is wrong."""


@dataclass(frozen=True)
class Claim:
    """One measured statement. Made by `equality`, `bound`, `limit`, `count`, `exists` and `refutes`, which decide `holds`.

    id: the statement's id; kind: one of KINDS; statement: what is claimed, in words or symbols; predicted, measured: as
    printed (rounded well above noise); raw: the measured number itself; tolerance: what decides, or None; over: what
    it was tried on; caveat: what a careful reader must know, such as a correction to the paper.
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
        if self.id not in STATEMENTS:
            near = [known for known in STATEMENTS if known.startswith(self.id[:2])]
            raise ValueError(f"unknown statement id {self.id!r}; known ones: {', '.join(near or STATEMENTS)}.")
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of claim {self.kind!r}: use one of {', '.join(KINDS)}.")

    def line(self) -> str:
        """Two short lines, for narrow screens: what is claimed, then what came out."""
        in_words = self.predicted in ("equal", "exists", "fails")
        came_out = f"{self.predicted}: {self.measured}" if in_words else f"{self.predicted}, measured {self.measured}"
        over = f"  ({self.over})" if self.over else ""
        return f"{'✓' if self.holds else '✗'} {self.id}  {self.statement}\n    {came_out}{over}"

    def record(self) -> dict:
        """What the ledger needs and nbval may compare: everything but the raw figure."""
        return {
            "id": self.id,
            "kind": self.kind,
            "statement": self.statement,
            "predicted": self.predicted,
            "measured": self.measured,
            "tolerance": self.tolerance,
            "holds": self.holds,
            "over": self.over,
            "caveat": self.caveat,
        }


def _finite(name: str, value) -> float:
    value = float(value)
    if not math.isfinite(value):
        raise ClaimFailed(f"{name} is {value}: a claim needs a finite number.")
    return value


def equality(
    id: str, statement: str, *, error: float, tolerance: float, kind: str = "identity", over="", caveat=""
) -> Claim:
    """Two computations agree: error ≤ tolerance, both in the units that `statement` names. Raises for a tolerance ≤ 0."""
    error, tolerance = _finite("error", error), _positive(tolerance)
    measured = f"error ≤ {tolerance:.0e}" if error <= tolerance else f"error {error:.3e} > {tolerance:.0e}"
    return Claim(id, kind, statement, "equal", measured, error, tolerance, error <= tolerance, over, caveat)


def bound(
    id: str,
    statement: str,
    *,
    measured: float,
    at_most: float | None = None,
    at_least: float | None = None,
    digits: int = 3,
    over="",
    caveat="",
) -> Claim:
    """measured ≤ at_most, or measured ≥ at_least, printed with `digits` significant digits (keep them well above noise)."""
    if (at_most is None) == (at_least is None):
        raise ValueError("give exactly one of at_most and at_least.")
    value = _finite("measured", measured)
    limit = _finite("the limit", at_most if at_least is None else at_least)
    sign, holds = ("≤", value <= limit) if at_least is None else ("≥", value >= limit)
    return Claim(
        id,
        "inequality",
        statement,
        f"{sign} {limit:.6g}",
        f"{value:.{digits}g}",
        value,
        None,
        holds,
        over,
        caveat,
    )


def limit(
    id: str, statement: str, *, measured: float, expected: float, tolerance: float, digits: int = 3, over="", caveat=""
) -> Claim:
    """A number that should come close to `expected`, within `tolerance` (absolute): slopes, rates, limits."""
    value, expected, tolerance = _finite("measured", measured), _finite("expected", expected), _positive(tolerance)
    holds = abs(value - expected) <= tolerance
    shown = f"within {tolerance:.2g}" if holds else f"{value:.{digits + 3}g}, off by more than {tolerance:.2g}"
    return Claim(id, "limit", statement, f"{expected:.{digits}g}", shown, value, tolerance, holds, over, caveat)


def count(id: str, statement: str, *, measured: int, expected: int, over="", caveat="") -> Claim:
    """An integer that is hit exactly: ranks, inertias, numbers of trials. `over` should name the tolerance behind a rank."""
    if int(measured) != measured or int(expected) != expected:
        raise ValueError(f"a count compares whole numbers, got {measured!r} and {expected!r}.")
    measured, expected = int(measured), int(expected)
    return Claim(
        id, "count", statement, str(expected), str(measured), float(measured), None, measured == expected, over, caveat
    )


def exists(id: str, statement: str, *, witness: bool, shown: str, raw: float = math.nan, over="", caveat="") -> Claim:
    """An object with the stated property was constructed and checked; `shown` says it in stable words."""
    return Claim(id, "existence", statement, "exists", shown, float(raw), None, bool(witness), over, caveat)


def refutes(id: str, statement: str, *, witness: bool, shown: str, raw: float = math.nan, over="", caveat="") -> Claim:
    """A counterexample to a loose reading runs: `statement` is what fails without its hypothesis, `shown` what was seen."""
    return Claim(id, "counterexample", statement, "fails", shown, float(raw), None, bool(witness), over, caveat)


def _positive(tolerance) -> float:
    tolerance = float(tolerance)
    if not (math.isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"a tolerance must be a finite number above zero, got {tolerance!r}.")
    return tolerance


class Claims:
    """Claims as a cell shows them: text for the reader, a structured bundle and the raw figures for the ledger."""

    def __init__(self, claims: Sequence[Claim]):
        self.claims = tuple(claims)

    def __repr__(self) -> str:
        return "\n".join(claim.line() for claim in self.claims)

    def _repr_mimebundle_(self, include=None, exclude=None):
        raw = [claim.raw if math.isfinite(claim.raw) else None for claim in self.claims]
        bundle = {"text/plain": repr(self), MIME: [claim.record() for claim in self.claims]}
        return bundle, {"geoflow": {"measured": raw}}


def claims(*made: Claim) -> Claims:
    """The claims of a checked cell. Raises `ClaimFailed`, naming each one that does not hold; ValueError for none at all."""
    if not made:
        raise ValueError("claims() needs at least one claim: a checked cell that claims nothing checks nothing.")
    failed = [claim.line() for claim in made if not claim.holds]
    if failed:
        raise ClaimFailed("does not hold:\n" + "\n".join(failed))
    return Claims(made)
