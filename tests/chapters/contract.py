"""What every chapter promises its reader, as a function of the stored notebook.

Also what keeps nbval honest: it passes, without a word, a checked cell with no stored output, one with no
execution count, and one whose marker has words after it.
"""

import re

# A numbered result as the papers state it. A chapter without one says why: <!-- no theorem: ... -->
STATED = re.compile(r"\{prf:(theorem|proposition|lemma|corollary|conjecture)\}")
EXCUSED = re.compile(r"<!--\s*no theorem:\s*\S")
BREAKS = re.compile(r"^##+ Where it breaks\s*$", re.MULTILINE)
EXERCISE = re.compile(r"\{exercise(?:-start)?\}")
SOLUTION = re.compile(r"\{solution(?:-start)?\}")
ANY_MARKER = re.compile(r"NBVAL_CHECK_OUTPUT")
MARKER = re.compile(r"^# NBVAL_CHECK_OUTPUT$", re.MULTILINE)
MARKDOWN_IMAGE = re.compile(r"!\[\s*\]\(")
DIRECTIVE = re.compile(r"^(`{3,}|:{3,})\{(figure|image)\}[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
HTML_IMAGE = re.compile(r"<img\b(?![^>]*\balt=)", re.IGNORECASE)
# Pictures and live widgets weigh the file down and differ between machines.
HEAVY = re.compile(r"^image/|widget-(view|state)|^text/html$")
KNOWN_METADATA = {"tags", "mystnb", "editable", "slideshow"}
KNOWN_TAGS = {
    "hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell",
    "scroll-output", "margin", "full-width", "raises-exception",
}  # fmt: skip


def text(cell: dict) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def is_checked(cell: dict) -> bool:
    return cell["cell_type"] == "code" and bool(MARKER.search(text(cell)))


def violations(notebook: dict) -> list[str]:
    """Every broken promise, in words; empty for a chapter as it should be. ``notebook`` is its stored JSON."""
    cells = notebook["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    prose = "\n\n".join(text(cell) for cell in cells if cell["cell_type"] == "markdown")
    return [
        *_opening(cells),
        *_parts(prose),
        *_checks(code),
        *_stored(notebook, cells),
        *_pictures(code, prose),
        *_metadata(notebook, cells),
    ]


def _opening(cells: list[dict]):
    """The theorem comes before the first code a reader sees."""
    before, visible = [], False
    for cell in cells:
        if cell["cell_type"] == "markdown":
            before.append(text(cell))
        elif not set(cell["metadata"].get("tags", ())) & {"hide-cell", "remove-cell", "hide-input", "remove-input"}:
            visible = True
        if visible:
            break
    opening = "\n".join(before)
    if not opening.lstrip().startswith("# "):
        yield "does not begin with a title (# ...)"
    if not STATED.search(opening) and not EXCUSED.search(opening):
        yield "no {prf:theorem} before the first visible code, and no <!-- no theorem: reason -->"


def _parts(prose: str):
    if not BREAKS.search(prose):
        yield "no section '## Where it breaks'"
    exercises, solutions = len(EXERCISE.findall(prose)), len(SOLUTION.findall(prose))
    if not exercises:
        yield "no {exercise}"
    if solutions < exercises:
        yield f"{exercises} exercises but {solutions} solutions"


def _checks(code: list[dict]):
    checked = [cell for cell in code if is_checked(cell)]
    if not checked:
        yield "no checked cell: put '# NBVAL_CHECK_OUTPUT' alone on a line of the cell that prints claims"
    for cell in code:
        source = text(cell)
        if len(ANY_MARKER.findall(source)) != len(MARKER.findall(source)):
            yield f"cell {cell.get('id')}: a marker not alone on its line is ignored by nbval"
    for cell in checked:
        if not cell["outputs"]:
            yield f"cell {cell.get('id')}: checked, but no output is stored: nothing is compared: make refresh"
        if cell["execution_count"] is None:
            yield f"cell {cell.get('id')}: checked, but execution_count is null: nothing is compared: make refresh"


def _stored(notebook: dict, cells: list[dict]):
    if "widgets" in notebook["metadata"]:
        yield "widget state is stored in the notebook's metadata: make refresh"
    for cell in cells:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                yield f"cell {cell.get('id')}: an error is stored"
            for mime in output.get("data", {}):
                if HEAVY.search(mime):
                    yield f"cell {cell.get('id')}: {mime} is stored: make refresh"


def _pictures(code: list[dict], prose: str):
    if MARKDOWN_IMAGE.search(prose) or HTML_IMAGE.search(prose):
        yield "an image in the prose has no alt text"
    for _, kind, body in DIRECTIVE.findall(prose):
        options, _, caption = body.partition("\n\n")
        if not re.search(r"^:alt:\s*\S", options, re.MULTILINE):
            yield f"a {{{kind}}} has no :alt:"
        rest = re.sub(r"^:\w[\w-]*:.*$", "", options, flags=re.MULTILINE) + caption
        if kind == "figure" and not rest.strip():
            yield "a {figure} has no caption"
    for cell in code:
        book = cell["metadata"].get("mystnb", {})
        if "figure" not in book and "image" not in book:
            continue
        if not book.get("image", {}).get("alt", "").strip():
            yield f"cell {cell.get('id')}: a figure without alt text (metadata mystnb.image.alt)"
        if not book.get("figure", {}).get("caption", "").strip():
            yield f"cell {cell.get('id')}: a figure without a caption (metadata mystnb.figure.caption)"


def _metadata(notebook: dict, cells: list[dict]):
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    ids = [cell.get("id") for cell in cells]
    if None in ids or len(set(ids)) != len(ids):
        yield "cell ids are missing or double"
    for cell in cells:
        if unknown := set(cell["metadata"]) - KNOWN_METADATA:
            yield f"cell {cell.get('id')}: unknown metadata {sorted(unknown)}"
        if unknown := set(cell["metadata"].get("tags", ())) - KNOWN_TAGS:
            yield f"cell {cell.get('id')}: unknown tags {sorted(unknown)}"
