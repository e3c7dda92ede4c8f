"""The ledger as data: the statements of a book, the claims of its chapters, and what they make together.

Pure functions, without Sphinx. A *statement* is a numbered result of a paper (`companion.statements`). A *claim* is what a
chapter measured for it: a checked cell displays its claims as a bundle (`companion.claims`), with the raw figures in the
output's metadata. A statement may have any number of claims; one without any is open.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from companion.claims import MIME
from companion.statements import GIVEN, Statement

#: Every status that a statement can have, in the order in which they are decided.
STATUSES = ("failed", "proved here", *GIVEN, "reproduced", "open")


@dataclass(frozen=True)
class Claim:
    """What one chapter measured for one statement, and where on its page. `raw`: the figure itself, where there is one."""

    id: str
    chapter: str
    anchor: str
    kind: str
    text: str
    predicted: str
    measured: str
    tolerance: float | None
    holds: bool
    over: str
    caveat: str
    raw: float | int | None = None


def anchors(bundle: Iterable[Mapping[str, Any]], seen: Counter[str]) -> Iterator[str]:
    """The id of each claim's place on its page; `seen` counts the claims of the page so far, by statement."""
    for entry in bundle:
        seen[entry["id"]] += 1
        # no point in it: scripts of the theme look a place up by a CSS selector
        slug = entry["id"].lower().replace(".", "-")
        yield f"claim-{slug}-{seen[entry['id']]}"


def claims_of(notebook: Mapping[str, Any], chapter: str) -> list[Claim]:
    """The claims an executed notebook displays, in order. `notebook` is its JSON."""
    claims: list[Claim] = []
    seen: Counter[str] = Counter()
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            bundle = output.get("data", {}).get(MIME)
            if bundle is None:
                continue
            raw = output.get("metadata", {}).get("companion", {}).get("measured", [])
            raw = [*raw, *[None] * (len(bundle) - len(raw))]
            places = anchors(bundle, seen)
            claims += [_claim(*parts, chapter) for parts in zip(bundle, places, raw, strict=True)]
    return claims


def _claim(entry: Mapping[str, Any], anchor: str, raw: float | int | None, chapter: str) -> Claim:
    return Claim(
        id=entry["id"],
        chapter=chapter,
        anchor=anchor,
        kind=entry["kind"],
        text=entry["statement"],
        predicted=entry["predicted"],
        measured=entry["measured"],
        tolerance=entry.get("tolerance"),
        holds=entry["holds"],
        over=entry.get("over", ""),
        caveat=entry.get("caveat", ""),
        raw=raw,
    )


def by_statement(
    statements: Mapping[str, Statement], claims: Iterable[Claim]
) -> dict[str, list[Claim]]:
    """Claims by statement id, every statement there. Raises KeyError on a claim about no known statement."""
    ledger: dict[str, list[Claim]] = {id_: [] for id_ in statements}
    for claim in claims:
        if claim.id not in ledger:
            raise KeyError(
                f"{claim.chapter} claims {claim.id}, which is no statement of the book's table"
            )
        ledger[claim.id].append(claim)
    return ledger


def status(statement: Statement, claims: Iterable[Claim]) -> str:
    """One of STATUSES: what the table says of a statement wins, a proof of its correction included; without a claim: "open"."""
    claims = list(claims)
    if not claims:
        return "open"
    if not all(claim.holds for claim in claims):
        return "failed"
    if statement.status:
        return statement.status
    return "proved here" if any(claim.kind == "proved" for claim in claims) else "reproduced"


def complaints(
    statements: Mapping[str, Statement], ledger: Mapping[str, list[Claim]]
) -> Iterator[str]:
    """What a reader should not have to find out: a correction without its counterexample, a claim that does not hold."""
    for id_, statement in statements.items():
        if statement.status == "corrected" and not any(
            claim.kind == "counterexample" for claim in ledger[id_]
        ):
            yield (
                f"{id_} is marked 'corrected' and no chapter shows a counterexample, claims(refutes({id_!r}, ...)): "
                "show it, or mark the statement with a caveat"
            )
        for claim in ledger[id_]:
            if not claim.holds:
                yield f"{claim.chapter} shows a claim about {id_} that does not hold: {claim.text}"


def counts(
    statements: Mapping[str, Statement], ledger: Mapping[str, list[Claim]]
) -> dict[str, int]:
    """How many statements have each status."""
    totals = dict.fromkeys(STATUSES, 0)
    for id_, statement in statements.items():
        totals[status(statement, ledger[id_])] += 1
    return totals


def as_records(
    statements: Mapping[str, Statement], ledger: Mapping[str, list[Claim]]
) -> list[dict[str, Any]]:
    """ledger.json: one object a claim, and one with nulls an open statement, in the order of the statements.

    `measured` is the raw figure where the chapter kept it, else the printed text, which `measured_text` always is.
    """
    return [
        _head(statement, ledger[id_]) | _record(claim)
        for id_, statement in statements.items()
        for claim in (ledger[id_] or [None])
    ]


def _head(statement: Statement, claims: list[Claim]) -> dict[str, Any]:
    return {
        "id": statement.id,
        "paper": statement.paper,
        "number": statement.number,
        "title": statement.title,
        "status": status(statement, claims),
        "remark": statement.remark,
    }


def _record(claim: Claim | None) -> dict[str, Any]:
    if claim is None:
        return dict.fromkeys(RECORD)
    named = {
        "statement": claim.text,
        "measured": claim.measured if claim.raw is None else claim.raw,
        "measured_text": claim.measured,
    }
    return {name: named[name] if name in named else getattr(claim, name) for name in RECORD}


#: What ledger.json says of a claim.
RECORD = (
    "kind", "statement", "predicted", "measured", "measured_text", "tolerance", "holds", "over", "chapter", "anchor", "caveat",
)  # fmt: skip
