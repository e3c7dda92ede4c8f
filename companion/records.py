"""A claim as it is kept, printed and handed to the ledger."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from companion.statements import of_this_book
from companion.values import ClaimFailed

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
