"""What every chapter promises its reader, as a function of the stored notebook.

Also what keeps nbval honest: it passes, without a word, a checked cell with no stored output, one with no
execution count, and one whose marker has words after it.

A rule takes a `Chapter` and yields each broken promise in words. A new rule is a function in a file of its own and a name
in RULES.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from companion.claims import MIME
from companion.notebook.cells import (
    MARKER,
    MENTIONED,
    Chapter,
    is_code,
    is_python,
    name_of,
    source_of,
    tags_of,
)
from companion.notebook.claim_calls import reductions
from companion.notebook.figures import figures
from companion.notebook.numbers import typed_numbers

# A numbered result as the papers state it. A chapter without one says why: <!-- no theorem: ... -->
STATED = re.compile(r"\{prf:(theorem|proposition|lemma|corollary|conjecture)\}")
EXCUSED = re.compile(r"<!--\s*no theorem:\s*\S")
# A checked cell that claims nothing says why.
NO_CLAIMS = re.compile(r"^# no claims: \S", re.MULTILINE)
BREAKS = re.compile(r"^##+ Where it breaks\s*$", re.MULTILINE)
EXERCISE = re.compile(r"\{exercise(?:-start)?\}")
SOLUTION = re.compile(r"\{solution(?:-start)?\}")
# Pictures and live widgets weigh the file down and differ between machines.
HEAVY = re.compile(r"^image/|widget-(view|state)|^text/html$")
KNOWN_METADATA = {"tags", "mystnb", "editable", "slideshow"}
KNOWN_TAGS = {
    "hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell",
    "scroll-output", "margin", "full-width", "raises-exception",
}  # fmt: skip
HIDES_CODE = {"hide-cell", "remove-cell", "hide-input", "remove-input"}


def opening(chapter: Chapter) -> Iterator[str]:
    """The theorem comes before the first code a reader sees."""
    before = []
    for cell in chapter.cells:
        if cell["cell_type"] == "markdown":
            before.append(source_of(cell))
        elif not tags_of(cell) & HIDES_CODE:
            break
    text = "\n".join(before)
    if not text.lstrip().startswith("# "):
        yield "does not begin with a title (# ...)"
    if not STATED.search(text) and not EXCUSED.search(text):
        yield "no {prf:theorem} before the first visible code, and no <!-- no theorem: reason -->"


def parts(chapter: Chapter) -> Iterator[str]:
    """A hypothesis is taken away, and there are exercises, with solutions."""
    prose = chapter.prose
    if not BREAKS.search(prose):
        yield "no section '## Where it breaks'"
    exercises, solutions = len(EXERCISE.findall(prose)), len(SOLUTION.findall(prose))
    if not exercises:
        yield "no {exercise}"
    if solutions < exercises:
        yield f"{exercises} exercises but {solutions} solutions"


def checks(chapter: Chapter) -> Iterator[str]:
    """What is checked is compared: the marker stands alone, an output and its count are stored."""
    if not chapter.checked:
        yield "no checked cell: put '# NBVAL_CHECK_OUTPUT' alone on a line of the cell that prints claims"
    for cell in chapter.code:
        source = source_of(cell)
        if len(MENTIONED.findall(source)) != len(MARKER.findall(source)):
            yield f"{name_of(cell)}: a marker not alone on its line is ignored by nbval"
    for cell in chapter.checked:
        if not cell["outputs"]:
            yield f"{name_of(cell)}: checked, but no output is stored: nothing is compared: make refresh"
        if cell["execution_count"] is None:
            yield f"{name_of(cell)}: checked, but execution_count is null: nothing is compared: make refresh"


def shown_claims(chapter: Chapter) -> Iterator[str]:
    """Every checked cell shows claims, where the page and the ledger can find them."""
    for cell in chapter.checked:
        claims = any(MIME in output.get("data", {}) for output in cell["outputs"])
        if not claims and not NO_CLAIMS.search(source_of(cell)):
            yield (
                f"{name_of(cell)}: checked, but it shows no claims: end it with claims(...), or say why not, "
                "'# no claims: reason' alone on a line"
            )
        if claims and (gone := tags_of(cell) & {"remove-cell", "remove-output"}):
            yield f"{name_of(cell)}: shows claims and is tagged {gone.pop()}: the ledger links to claims on the page"


def stored(chapter: Chapter) -> Iterator[str]:
    """Nothing is stored that an execution leaves behind."""
    if "widgets" in chapter.notebook["metadata"]:
        yield "widget state is stored in the notebook's metadata: make refresh"
    for cell in chapter.cells:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                yield f"{name_of(cell)}: an error is stored"
            for mime in output.get("data", {}):
                if HEAVY.search(mime):
                    yield f"{name_of(cell)}: {mime} is stored: make refresh"


def metadata(chapter: Chapter) -> Iterator[str]:
    """The kernel, the ids and the metadata that every tool of the house understands."""
    if chapter.notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    ids = [cell.get("id") for cell in chapter.cells]
    if None in ids or len(set(ids)) != len(ids):
        yield "cell ids are missing or double"
    for cell in chapter.cells:
        if unknown := set(cell["metadata"]) - KNOWN_METADATA:
            yield f"{name_of(cell)}: unknown metadata {sorted(unknown)}"
        if unknown := tags_of(cell) - KNOWN_TAGS:
            yield f"{name_of(cell)}: unknown tags {sorted(unknown)}"
        if is_code(cell) and not is_python(cell):
            yield f"{name_of(cell)}: is not plain Python (a magic command?), so its figures and claims go unread"


RULES: tuple[Callable[[Chapter], Iterator[str]], ...] = (
    opening, parts, checks, shown_claims, reductions, typed_numbers, stored, figures, metadata,
)  # fmt: skip


def violations(notebook: Mapping[str, Any], exempt: Collection[str] = ()) -> list[str]:
    """Every broken promise, in words; empty for a chapter as it should be.

    notebook: its stored JSON; exempt: its figures in the book's allow-list of typed numbers.
    """
    chapter = Chapter(notebook, frozenset(exempt))
    return [message for rule in RULES for message in rule(chapter)]
