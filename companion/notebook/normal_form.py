"""The form in which chapters are stored: checked outputs and nothing else that an execution leaves behind.

nbval compares the stored output of each checked cell (one with the line ``# NBVAL_CHECK_OUTPUT``), and skips the
comparison, silently, where no output or no execution count is stored: both stay. Everything else would change from
machine to machine and hide real changes: other outputs, pictures, widget state, timings, raw figures.
"""

import copy
import hashlib
from pathlib import Path

import nbformat

from companion.claims import MIME
from companion.notebook.cells import is_checked

# What a checked output may hold: text, and the claims for the ledger.
KEPT = ("text/plain", MIME)
# Cell metadata written by tools while they run, not by the author.
TRANSIENT = (
    "execution",
    "ExecuteTime",
    "collapsed",
    "scrolled",
    "trusted",
    "jupyter",
    "pycharm",
    "vscode",
)


def chapters(book: Path) -> list[Path]:
    """The path of every chapter in a book's folder, in the order of the alphabet."""
    return sorted(path for path in book.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def normal_form(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in normal form. Applying it twice gives the same notebook."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            # The lexer is what the book's highlighting reads; a version would change with the reader's Python.
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for index, cell in enumerate(notebook.cells):
        # An id is for ever: nbval and diffs name cells by it. Made from the source where an editor gave none.
        made = hashlib.sha256(f"{index}\n{cell.source}".encode()).hexdigest()[:8]
        cell.id = cell.get("id") or made
        cell.source = cell.source.rstrip()
        for key in TRANSIENT:
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            cell.pop("attachments", None)
            continue
        count += 1
        checked = is_checked(cell)
        cell.outputs = (
            [kept for out in cell.outputs if (kept := _kept(out, count))] if checked else []
        )
        # The count a fresh run from the top would give.
        cell.execution_count = count if checked and cell.outputs else None
    return notebook


def _kept(output: nbformat.NotebookNode, count: int) -> nbformat.NotebookNode | None:
    """A checked cell's output in normal form, or None if nothing of it stays."""
    if output.output_type == "stream":
        return output if output.name == "stdout" else None
    if output.output_type not in ("execute_result", "display_data"):
        return None
    data = {mime: content for mime, content in output.data.items() if mime in KEPT}
    # "<Figure size 640x480 with 1 Axes>" is what is left of a picture: gone with it.
    if not data or any(mime.startswith("image/") or "widget" in mime for mime in output.data):
        return None
    kept = {"output_type": output.output_type, "data": data, "metadata": {}}
    if output.output_type == "execute_result":
        kept["execution_count"] = count
    return nbformat.from_dict(kept)


def as_text(notebook: nbformat.NotebookNode) -> str:
    """The file's text: sorted keys, one indent, a newline at the end."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)
