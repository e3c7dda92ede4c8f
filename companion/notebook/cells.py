"""A notebook's cells: their source, the marker of a checked one, and the Python in it.

A *checked* cell has the line ``# NBVAL_CHECK_OUTPUT``, alone: nbval compares its output with the stored one. nbval
ignores, without a word, a marker with anything else on its line; `MENTIONED` finds those too.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Cell = Mapping[str, Any]

MARKER = re.compile(r"^# NBVAL_CHECK_OUTPUT$", re.MULTILINE)
MENTIONED = re.compile(r"NBVAL_CHECK_OUTPUT")


def source_of(cell: Cell) -> str:
    """A cell's source as one string; files store it as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def is_code(cell: Cell) -> bool:
    return cell["cell_type"] == "code"


def is_checked(cell: Cell) -> bool:
    """Whether nbval compares this cell's output."""
    return is_code(cell) and bool(MARKER.search(source_of(cell)))


def tags_of(cell: Cell) -> set[str]:
    return set(cell["metadata"].get("tags", ()))


def name_of(cell: Cell) -> str:
    """How a message names a cell: by its id, as nbval and diffs do."""
    return f"cell {cell.get('id')}"


def trees(code: Iterable[Cell]) -> Iterator[tuple[Cell, ast.Module]]:
    """Each code cell and its syntax tree; a cell that is not plain Python (a magic command) is passed over."""
    for cell in code:
        try:
            yield cell, ast.parse(source_of(cell))
        except SyntaxError:
            continue


def is_python(cell: Cell) -> bool:
    """Whether the cell is plain Python, which the rules about calls can read."""
    return any(True for _ in trees([cell]))


@dataclass(frozen=True)
class Chapter:
    """A stored notebook (its JSON), as the rules of the contract look at it; `exempt`: figures that may stay typed in it."""

    notebook: Mapping[str, Any]
    exempt: frozenset[str] = frozenset()

    @property
    def cells(self) -> list[Cell]:
        return list(self.notebook["cells"])

    @property
    def code(self) -> list[Cell]:
        return [cell for cell in self.cells if is_code(cell)]

    @property
    def checked(self) -> list[Cell]:
        return [cell for cell in self.cells if is_checked(cell)]

    @property
    def prose(self) -> str:
        return "\n\n".join(
            source_of(cell) for cell in self.cells if cell["cell_type"] == "markdown"
        )
