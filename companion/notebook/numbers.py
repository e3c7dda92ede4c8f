"""Numbers that somebody typed where a computed one should stand: in a claim's texts, and in the prose.

A figure in a claim's text or in a sentence about a measurement goes stale without anybody noticing. In a claim it has to come
from a value (an f-string); in the prose it must at least occur, to the digits given, in the chapter's own code or in what its
checked cells show. Numbers that are names or formulas ("Theorem 2.1", "2N", "(2, 16, 1)" in code) are none of this.
What has to stay typed stands in the book's allow-list with a reason.
"""

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

from companion.notebook.cells import Chapter, is_code, name_of, source_of, trees
from companion.notebook.claim_calls import MAKERS, called

#: A file beside the statements: chapter, text, reason, tab-separated.
ALLOWED = "typed_numbers.tsv"

_POWER = r"(?:\s?(?:×|·|\\cdot|\\times)\s?10(?:\^\{?[−-]?\d+\}?|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))"
#: decimals, scientific notation, percentages, and whole numbers of two digits or more that stand alone
FIGURE = re.compile(
    rf"(?<![\w.^_/§(\[{{])(?:\d*\.\d+|\d+)(?:[eE][−-]?\d+|{_POWER})?(?:\s?%)?(?![\w^])(?!\.\d)",
)
#: what a count looks like: a number and the thing that was counted
COUNTED = re.compile(r"(?<![\w.^_/§])(\d+) (?:of \d+ )?[a-zα-ω]{3,}")
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")

# Parts of prose in which a number is a name.
_NAMES = [
    re.compile(pattern)
    for pattern in (
        r"```\{(?:math|cite|bibliography)\}.*?```",
        r"(?<!`)`[^`\n]+`(?!`)",
        r"\[[^\]]*\]\([^)]*\)",
        r"\{[a-z:]+\}`[^`]*`",
        r"https?://\S+",
        r"(?:Theorem|Proposition|Lemma|Remark|Corollary|Conjecture|Definition|Assumption|Exercise|Section|Sections|Chapter|Figure|Fig\.|Table|"
        r"Example|Equation|equation|Step|arXiv|arXiv:|§|Part)s?\s?\(?\d[\d.]*\)?(?:[–-]\d[\d.]*)?",
        r"\(\d+\.\d+\)(?:[–-]\(\d+\.\d+\))?",
        r"\b(?:19|20)\d\d\b",
        r"\d{4}\.\d{4,5}",
        r":\w[\w-]*:.*",
        r"(?<!10)\^\{[^{}]*\}|_\{[^{}]*\}",
    )
]


def figures_of(text: str) -> Iterator[str]:
    """The figures of a text that look measured: decimals, powers of ten, percentages, numbers of two or more digits."""
    for match in FIGURE.finditer(text):
        figure = match[0].strip()
        whole = figure.isdigit()
        if whole and len(figure) < 2:
            continue
        yield figure


def value_of(figure: str) -> tuple[float, float]:
    """(the number, half a unit of its last digit)."""
    percent = figure.endswith("%")
    text = figure.rstrip("% ").translate(_RAISED)
    text = re.sub(r"\s?(?:×|·|\\cdot|\\times)\s?10\^?\{?(-?\d+)\}?", r"e\1", text)
    mantissa, _, exponent = text.lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    scale = 10.0 ** int(exponent or 0)
    number, half = float(mantissa) * scale, 0.5 * 10.0**-digits * scale
    return (number / 100, half / 100) if percent else (number, half)


def typed_in_claims(tree: ast.Module) -> Iterator[str]:
    """Figures typed into the texts of the claims that a cell makes."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and called(call) in MAKERS:
            named = [
                k.value for k in call.keywords if k.arg in ("statement", "shown", "over", "caveat")
            ]
            for text in (*call.args[1:], *named):
                for part in _constant_parts(text):
                    yield from figures_of(part)
                    yield from (f"{m[1]} …" for m in COUNTED.finditer(part) if len(m[1]) < 2)


def _constant_parts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (
            v.value for v in node.values if isinstance(v, ast.Constant) and isinstance(v.value, str)
        )
    elif isinstance(node, ast.BinOp):
        yield from _constant_parts(node.left)
        yield from _constant_parts(node.right)


def typed_in_prose(prose: str, computed: str) -> Iterator[str]:
    """Figures of the prose that neither the chapter's code nor its checked outputs (`computed`) hold, to the digits given."""
    for name in _NAMES:
        prose = name.sub(" ", prose)
    known = numbers_in(computed)
    for figure in figures_of(prose):
        number, half = value_of(figure)
        candidates = (number, 100 * number) if figure.endswith("%") else (number,)
        if not any(
            abs(other - c) <= half * (c / number if number else 1) * (1 + 1e-9)
            for c in candidates
            for other in known
        ):
            yield figure


def numbers_in(text: str) -> set[float]:
    """Every number of a text, code or output."""
    found = set()
    for match in re.finditer(rf"\d*\.?\d+(?:[eE][−+-]?\d+|{_POWER})?", text):
        try:
            number = value_of(match[0].replace("+", ""))[0]
        except ValueError:
            continue
        if math.isfinite(number):
            found.add(number)
    return found


def allowed(path: Path) -> dict[str, dict[str, str]]:
    """Chapter -> figure -> reason, from the book's allow-list; empty without one. Raises ValueError for a row without a reason."""
    found: dict[str, dict[str, str]] = {}
    if not path.is_file():
        return found
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not row or row.startswith("#"):
            continue
        fields = row.split("\t")
        if len(fields) != 3 or not fields[2].strip():
            raise ValueError(
                f"{path}:{number}: a row is chapter, figure and reason, tab-separated, got {row!r}."
            )
        found.setdefault(fields[0], {})[fields[1]] = fields[2]
    return found


def typed_numbers(chapter: Chapter) -> Iterator[str]:
    """No figure is typed into a claim's text, and none into the prose that the chapter does not compute.

    Exempt are the chapter's rows of the allow-list, `Chapter.exempt`; a row that nothing needs is named too.
    """
    computed = "\n".join(f"{source_of(cell)}\n{_shown(cell)}" for cell in chapter.code)
    found = [
        (name_of(cell), "a claim's text", figure)
        for cell, tree in trees(chapter.code)
        for figure in typed_in_claims(tree)
    ]
    prose = [cell for cell in chapter.cells if not is_code(cell)]
    found += [
        (name_of(cell), "the prose", figure)
        for cell in prose
        for figure in typed_in_prose(source_of(cell), computed)
    ]
    for cell, where, figure in found:
        if figure not in chapter.exempt:
            yield (
                f"{cell}: {figure!r} is typed into {where}: take it from a value, or let a cell compute it; what has to stay "
                f"goes into {ALLOWED} with a reason"
            )
    for figure in chapter.exempt - {figure for _, _, figure in found}:
        yield f"{figure!r} stands in {ALLOWED} and nowhere in the chapter: take the row out"


def _shown(cell) -> str:
    texts = [output.get("data", {}).get("text/plain", "") for output in cell["outputs"]]
    return "\n".join("".join(text) for text in texts)
