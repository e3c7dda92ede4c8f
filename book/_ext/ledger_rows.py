"""The ledger as data: statements of the papers, claims of the chapters, and what they make together.

Pure functions, without Sphinx. A *statement* is a numbered result of one of the four papers
(geoflow/statements.tsv). A *claim* is what a chapter measured for it: a checked cell displays its claims as a
bundle of mime type ``application/vnd.geoflow.claims+json``, with the raw figures in the output's metadata.
A statement may have any number of claims; one without any is open.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

MIME = "application/vnd.geoflow.claims+json"

# In the order of the ledger; the key is the first part of an id, the value its entry in references.bib.
PAPERS = {
    "NA": ("Non-approximability by gradient descent", "chen2023nonapproximability"),
    "GM": ("Geometrically adapted gradient descent", "chen2023global"),
    "LN": ("Linear neural networks", "chitour2018geometric"),
    "CM": ("Constructive minimizers", "chen2023geometric"),
}

# A caveat that begins so says that the chapter reproduces a repaired statement, not the printed one.
CORRECTED = re.compile(r"correct(ed|ion)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """A numbered statement: ``number`` as printed in the paper, ``title`` ours."""

    id: str
    number: str
    title: str

    @property
    def paper(self) -> str:
        return self.id.split("-", 1)[0]


@dataclass(frozen=True)
class Claim:
    """What one chapter measured for one statement. ``raw`` is the figure itself, where the chapter kept it."""

    id: str
    chapter: str
    kind: str
    text: str
    predicted: str
    measured: str
    tolerance: float | None
    holds: bool
    over: str
    caveat: str
    raw: float | int | None = None


def read_statements(path: Path) -> dict[str, Statement]:
    """Statements by id, in the order of the file. Raises on a malformed line, a second id, an unknown paper."""
    statements: dict[str, Statement] = {}
    with path.open(encoding="utf8", newline="") as file:
        for line, row in enumerate(csv.reader(file, delimiter="\t"), start=1):
            if len(row) != 3:
                raise ValueError(f"{path}:{line}: expected id, number, title; came {row!r}")
            statement = Statement(*row)
            if statement.id in statements:
                raise ValueError(f"{path}:{line}: {statement.id} stands there twice")
            if statement.paper not in PAPERS:
                raise ValueError(f"{path}:{line}: {statement.id} belongs to none of {sorted(PAPERS)}")
            statements[statement.id] = statement
    return statements


def claims_of(notebook: Mapping, chapter: str) -> list[Claim]:
    """The claims an executed notebook displays, in order. ``notebook`` is its JSON."""
    claims = []
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            bundle = output.get("data", {}).get(MIME)
            if bundle is None:
                continue
            raw = output.get("metadata", {}).get("geoflow", {}).get("measured", [])
            raw = [*raw, *[None] * (len(bundle) - len(raw))]
            claims += [_claim(entry, chapter, figure) for entry, figure in zip(bundle, raw, strict=True)]
    return claims


def _claim(entry: Mapping, chapter: str, raw: float | int | None) -> Claim:
    return Claim(
        id=entry["id"],
        chapter=chapter,
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


def by_statement(statements: Mapping[str, Statement], claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Claims by statement id, every statement there. Raises KeyError on a claim about no known statement."""
    ledger: dict[str, list[Claim]] = {id_: [] for id_ in statements}
    for claim in claims:
        if claim.id not in ledger:
            raise KeyError(f"{claim.chapter} claims {claim.id}, which is no statement of geoflow/statements.tsv")
        ledger[claim.id].append(claim)
    return ledger


def status(claims: Iterable[Claim]) -> str:
    """ "open" without a claim; "failed" if one does not hold; "corrected" if a caveat says so; else "reproduced"."""
    claims = list(claims)
    if not claims:
        return "open"
    if not all(claim.holds for claim in claims):
        return "failed"
    if any(CORRECTED.match(claim.caveat) for claim in claims):
        return "corrected"
    return "reproduced"


def counts(ledger: Mapping[str, list[Claim]]) -> dict[str, int]:
    """How many statements have each status."""
    totals = dict.fromkeys(("reproduced", "corrected", "failed", "open"), 0)
    for claims in ledger.values():
        totals[status(claims)] += 1
    return totals


def as_records(statements: Mapping[str, Statement], ledger: Mapping[str, list[Claim]]) -> list[dict]:
    """ledger.json: one object per claim, and one with nulls per open statement, in the order of the statements.

    ``measured`` is the raw figure where the chapter kept it, else the printed text, which ``measured_text`` always is.
    """
    records = []
    for id_, statement in statements.items():
        head = {
            "id": id_,
            "paper": statement.paper,
            "number": statement.number,
            "title": statement.title,
            "status": status(ledger[id_]),
        }
        for claim in ledger[id_]:
            records.append(
                head
                | {
                    "kind": claim.kind,
                    "statement": claim.text,
                    "predicted": claim.predicted,
                    "measured": claim.measured if claim.raw is None else claim.raw,
                    "measured_text": claim.measured,
                    "tolerance": claim.tolerance,
                    "holds": claim.holds,
                    "over": claim.over,
                    "chapter": claim.chapter,
                    "caveat": claim.caveat,
                }
            )
        if not ledger[id_]:
            nothing = ("kind", "statement", "predicted", "measured", "measured_text")
            nothing += ("tolerance", "holds", "over", "chapter", "caveat")
            records.append(head | dict.fromkeys(nothing))
    return records
