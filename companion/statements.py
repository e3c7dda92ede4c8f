"""The numbered statements that a book reproduces: a table of the book's own, found beside its chapters.

``statements.tsv``, one row a statement, tab-separated: id, the paper's own number, what it says in a line, and, where there
is more to say, a status and a remark:

- ``corrected``: the statement as printed fails, and a counterexample runs in the chapter; the remark says what fails.
- ``caveat``: true, and needs a word, which the remark gives.
- ``evidence``: an open conjecture, for which the book has evidence only.
- ``reconstructed``: our theorem, in the spirit of a text that we have no more than the abstract of.
"""

import functools
import os
from dataclasses import dataclass
from pathlib import Path

FILE = "statements.tsv"
#: The statuses that a row may give; "proved here", "reproduced" and "open" follow from the claims.
GIVEN = ("corrected", "caveat", "evidence", "reconstructed")


@dataclass(frozen=True)
class Statement:
    """A numbered statement. id: ours, its part before the first dash names the paper; number: the paper's own."""

    id: str
    number: str
    title: str
    status: str = ""
    remark: str = ""

    @property
    def paper(self) -> str:
        return self.id.split("-")[0]


def read(path: Path) -> dict[str, Statement]:
    """The statements of a table, by id, in its order. Raises ValueError for a row that is none, naming it."""
    found: dict[str, Statement] = {}
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not row or row.startswith("#"):
            continue
        fields = row.split("\t")
        if not 3 <= len(fields) <= 5:
            raise ValueError(
                f"{path}:{number}: a row has 3 to 5 tab-separated fields, got {len(fields)}: {row!r}"
            )
        statement = Statement(*fields)
        if statement.status and statement.status not in GIVEN:
            raise ValueError(
                f"{path}:{number}: the status {statement.status!r} is none of {', '.join(GIVEN)}."
            )
        if statement.status in ("corrected", "caveat") and not statement.remark:
            raise ValueError(
                f"{path}:{number}: {statement.id} is marked {statement.status!r} without a remark that says why."
            )
        if statement.id in found:
            raise ValueError(f"{path}:{number}: {statement.id} stands there twice.")
        found[statement.id] = statement
    return found


def find(start: Path | None = None) -> Path | None:
    """The table of the book in whose folder we are: $COMPANION_STATEMENTS, else beside or above `start`; None outside a book."""
    if named := os.environ.get("COMPANION_STATEMENTS"):
        return Path(named)
    start = Path.cwd() if start is None else start
    for folder in (start, *start.parents):
        for place in (folder / FILE, folder / "book" / FILE):
            if place.is_file():
                return place
    return None


@functools.cache
def of_this_book() -> dict[str, Statement]:
    """The statements of the book in whose folder the process runs; empty outside a book, where ids are not checked."""
    path = find()
    return {} if path is None else read(path)
