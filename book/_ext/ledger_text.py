"""Typesetting for the ledger: plain text of statements and claims as pieces of text, math, sup and sub."""

import re

# Formulas that occur in the titles of geoflow/statements.tsv, longest first.
FORMULAS = {
    "D D^T >= lambda": r"DD^\top \ge \lambda",
    "2^Q - 1": "2^Q - 1",
    "K >= QN": r"K \ge QN",
    "D D^T": r"DD^\top",
    "K = QN": "K = QN",
    "L >= Q": r"L \ge Q",
    "r = 0": "r = 0",
    "theta": r"\theta",
    "N": "N",
}
_TITLE = re.compile("|".join(rf"(?<!\w){re.escape(formula)}(?!\w)" for formula in FORMULAS))
_SCRIPT = re.compile(r"([\^_])(?:\{([^{}]*)\}|\(([^()]*)\)|(\w+))")
_RANGE = re.compile(r"(?<=[\d)])-(?=[\d(])")

Piece = tuple[str, str]


def title(text: str) -> list[Piece]:
    """A statement's title: names spelt properly, formulas as ("math", TeX)."""
    text = text.replace("Lojasiewicz", "Łojasiewicz")
    return _split(text, _TITLE, lambda match: ("math", FORMULAS[match[0]]))


def number(text: str) -> str:
    """A statement's number: ranges such as (1.1)-(1.4) with an en dash, capital first letter."""
    text = _RANGE.sub("–", text)
    return text[:1].upper() + text[1:]


def claim(text: str) -> list[Piece]:
    """A claim's text: e^{−s/N}, e^(−s/N), C_0 and σ_min with real superscripts and subscripts."""
    kinds = {"^": "sup", "_": "sub"}
    return _split(text, _SCRIPT, lambda match: (kinds[match[1]], match[2] or match[3] or match[4] or ""))


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
