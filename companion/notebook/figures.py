"""A rule of the contract: every figure has a text alternative and a caption.

A cell draws when it calls `plt.…` or `….subplots(…)` as it runs, or a function of the chapter that does. A function that
is only defined there, or handed to an explorer, draws no figure of the page's; the frames of an explorer are read by its
reading.
"""

import ast
import re
from collections.abc import Iterator

from companion.notebook.cells import Cell, Chapter, name_of, tags_of, trees

MARKDOWN_IMAGE = re.compile(r"!\[\s*\]\(")
DIRECTIVE = re.compile(
    r"^(`{3,}|:{3,})\{(figure|image)\}[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL
)
HTML_IMAGE = re.compile(r"<img\b(?![^>]*\balt=)", re.IGNORECASE)
PYPLOT = ("plt", "pyplot")
QUIET = ("close", "rc", "rcdefaults")  # functions of pyplot that draw nothing
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def figures(chapter: Chapter) -> Iterator[str]:
    """Figures in the prose and figures drawn by cells say in words what they show."""
    yield from _in_prose(chapter.prose)
    drawing = drawing_cells(chapter)
    for cell in chapter.code:
        book = cell["metadata"].get("mystnb", {})
        draws = cell.get("id") in drawing and not tags_of(cell) & {"remove-cell", "remove-output"}
        if not draws and "figure" not in book and "image" not in book:
            continue
        if not book.get("image", {}).get("alt", "").strip():
            yield f"{name_of(cell)}: a figure without alt text (metadata mystnb.image.alt)"
        if not book.get("figure", {}).get("caption", "").strip():
            yield f"{name_of(cell)}: a figure without a caption (metadata mystnb.figure.caption)"


def _in_prose(prose: str) -> Iterator[str]:
    if MARKDOWN_IMAGE.search(prose) or HTML_IMAGE.search(prose):
        yield "an image in the prose has no alt text"
    for _, kind, body in DIRECTIVE.findall(prose):
        options, _, caption = body.partition("\n\n")
        if not re.search(r"^:alt:\s*\S", options, re.MULTILINE):
            yield f"a {{{kind}}} has no :alt:"
        rest = re.sub(r"^:\w[\w-]*:.*$", "", options, flags=re.MULTILINE) + caption
        if kind == "figure" and not rest.strip():
            yield "a {figure} has no caption"


def drawing_cells(chapter: Chapter) -> set[str | None]:
    """The ids of the cells that draw as they run."""
    read: list[tuple[Cell, ast.Module]] = list(trees(chapter.code))
    functions = {
        node.name: node
        for _, tree in read
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    helpers: set[str] = set()
    while found := {
        name
        for name, node in functions.items()
        if name not in helpers and _draws(node.body, helpers)
    }:
        helpers |= found  # and in the next round the functions that call them
    return {cell.get("id") for cell, tree in read if _draws(tree.body, helpers)}


def _draws(body: list[ast.stmt], helpers: set[str]) -> bool:
    """Whether these statements draw as they run, themselves or by calling one of `helpers`."""
    left: list[ast.AST] = list(body)
    while left:
        node = left.pop()
        if isinstance(node, FUNCTIONS):
            continue  # it is defined here, and runs elsewhere
        if isinstance(node, ast.Call) and _is_drawing(node.func, helpers):
            return True
        left += ast.iter_child_nodes(node)
    return False


def _is_drawing(called: ast.expr, helpers: set[str]) -> bool:
    if isinstance(called, ast.Name):
        return called.id in helpers
    if not isinstance(called, ast.Attribute):
        return False
    of_pyplot = (
        isinstance(called.value, ast.Name)
        and called.value.id in PYPLOT
        and called.attr not in QUIET
    )
    return of_pyplot or called.attr == "subplots"
