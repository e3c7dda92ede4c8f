"""Typesetting for the ledger: plain text of statements and claims as pieces of text, math, sup and sub."""

import re
from collections.abc import Mapping

_SCRIPT = re.compile(r"([\^_])(?:\{([^{}]*)\}|\(([^()]*)\)|(\w+))")
_RANGE = re.compile(r"(?<=[\d)])-(?=[\d(])")

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

Piece = tuple[str, str]


def title(text: str, spelling: Mapping[str, str]) -> list[Piece]:
    """A statement's title with its parts as `spelling` prints them: formulas, between dollars, as ("math", TeX)."""
    if not spelling:
        return [("text", text)]
    longest_first = sorted(spelling, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(part)}(?!\w)" for part in longest_first))
    return _split(text, pattern, lambda match: _printed(spelling[match[0]]))


def _printed(text: str) -> Piece:
    formula = re.fullmatch(r"\$(.*)\$", text)
    return ("math", formula[1]) if formula else ("text", text)


def number(text: str) -> str:
    """A statement's number: ranges such as (1.1)-(1.4) with an en dash, capital first letter."""
    text = _RANGE.sub("–", text)
    return text[:1].upper() + text[1:]


def claim(text: str) -> list[Piece]:
    """A claim's text: e^{−s/N}, e^(−s/N), C_0 and σ_min with real superscripts and subscripts."""
    kinds = {"^": "sup", "_": "sub"}
    return _split(
        text, _SCRIPT, lambda match: (kinds[match[1]], match[2] or match[3] or match[4] or "")
    )


def figure(value: float | int | None, text: str) -> str:
    """A measured figure in three digits where there is one, as 1.2·10⁻⁹; else the printed text."""
    if value is None or isinstance(value, bool):
        return text
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e6):
        return f"{value:.0f}".replace("-", "−")
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    mantissa = mantissa.removesuffix(".00")
    power = int(exponent)
    if -3 <= power <= 4:
        return f"{value:.4g}".replace("-", "−")
    superscripts = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{superscripts}".replace("-", "−")


def several(count: int, word: str) -> str:
    """ "four papers", "1 claim" with small numbers in words, "270 claims" """
    number = _WORDS[count] if 1 < count < len(_WORDS) else str(count)
    return f"{number} {word}{'s' * (count != 1)}"


def tolerance(value: float | None, kind: str) -> str:
    """A claim's tolerance; a count is exact, and a bound or a witness has none."""
    if value is not None:
        return figure(value, "")
    return "exact" if kind == "count" else "–"


def _split(text: str, pattern: re.Pattern, piece) -> list[Piece]:
    pieces, end = [], 0
    for match in pattern.finditer(text):
        if match.start() > end:
            pieces.append(("text", text[end : match.start()]))
        pieces.append(piece(match))
        end = match.end()
    if end < len(text):
        pieces.append(("text", text[end:]))
    return pieces
