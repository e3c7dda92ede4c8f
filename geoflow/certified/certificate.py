"""`Certificate`: what a proof by computation says, and everything needed to check it again."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Certificate:
    """A theorem about given numbers, proved by ball arithmetic, or not.

    kind: which theorem ("zero loss", "equilibrium", "rank", ...). proved: True, or False for undecided: never a proof of the
    contrary. statement: the theorem in a sentence. enclosures: named results as (lower, upper) in decimal strings, certain on both
    sides. radius: of the box in parameter space (or of the tube) in which the statement holds, contraction: of the Krawczyk map,
    None where there is none. precision: bits. seconds: of the proof. reason: why it is undecided, else empty. claim: exact numbers
    (data, theta, box, preconditioner as dyadic fractions), from which the independent checker proves it again.
    """

    kind: str
    proved: bool
    statement: str
    enclosures: dict[str, tuple[str, str]] = field(default_factory=dict)
    radius: float | None = None
    contraction: float | None = None
    precision: int = 0
    seconds: float = 0.0
    reason: str = ""
    claim: dict[str, Any] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return self.proved
