"""A chapter executed from the top in a fresh kernel, and what is to be said about it afterwards."""

import difflib
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from companion.notebook.cells import is_checked, name_of

TIMEOUT = 120  # seconds a cell, as in _config.yml and under nbval


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a fresh run, in its own folder. Raises nbclient's CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, timeout=TIMEOUT, kernel_name="python3", resources=resources).execute()
    return notebook


def warnings_in(notebook: nbformat.NotebookNode) -> list[str]:
    """What checked cells wrote to stderr, each with its cell.

    The normal form drops it, so nbval, which does not, would find a difference in every later run.
    """
    return [
        f"{name_of(cell)}: a checked cell wrote to stderr:\n{output.text.rstrip()}"
        for cell in notebook.cells
        if is_checked(cell)
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]


def difference(before: str, after: str, names: tuple[str, str]) -> str:
    """How two texts of a chapter differ, as a unified diff; empty when they do not."""
    return "\n".join(
        difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=1)
    )
