"""How the figures of the book look: one style, a few named colours, SVG that follows the page.

A colour is a role, and a book gives each role to one recurring object, the same in each chapter::

    axes.semilogy(s, cost, color=plotting.PRIMARY)

A figure is drawn in the light colours. `theme` then turns its SVG text into SVG that follows the
page it stands in: each named colour becomes a CSS variable (``var(--gf-primary, #2459ac)``), ink
becomes ``currentColor``, text stays text in the page's own font, and the background is transparent.
The book's static figures pass through `theme` when a page is written, the frames of an explorer
when they are drawn (`themed_svg`).

Labels are plain Unicode ("flow time s", "C/C₀", "θ") rather than mathtext: they are drawn in the
page's font and three times as fast.
"""

import hashlib
import io
import re

import matplotlib as mpl
from matplotlib import scale
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter, NullLocator

# name: (light, dark). Contrast is at least 4.5:1 on the page's background and on an output's panel,
# in light and in dark, so that a curve may be labelled in its own colour; any two keep apart in
# OKLab under simulated deuteranopia, protanopia and tritanopia.
PALETTE = {
    "primary": ("#2459ac", "#45a6f2"),
    "secondary": ("#b04d0a", "#fdaf5e"),
    "prediction": ("#4b1380", "#d3c5fd"),
    "target": ("#1c7a63", "#8ff0d2"),
    "bound": ("#614305", "#ece53a"),
    "accent": ("#8c0f4a", "#e57ba2"),
    "neutral": ("#5b6472", "#a3acba"),
    "grid": ("#dfe2e6", "#39424f"),
    "paper": ("#fefefe", "#121212"),
}
INK = "#1f2430"  # text, axes; becomes currentColor

PRIMARY = PALETTE["primary"][0]  # what a chapter is about
SECONDARY = PALETTE["secondary"][0]  # what it is held against
PREDICTION = PALETTE["prediction"][
    0
]  # what a theorem says before anything is measured (draw it dashed)
TARGET = PALETTE["target"][0]  # where it should end
BOUND = PALETTE["bound"][0]  # a bound or an a priori estimate (draw it dotted)
ACCENT = PALETTE["accent"][0]  # what a chapter wants looked at
NEUTRAL = PALETTE["neutral"][0]  # everything that only helps: guides, earlier curves
GRID = PALETTE["grid"][0]
PAPER = PALETTE["paper"][0]  # the page behind the figure, for the rim of a marker

FIGURE_SIZE = (4.2, 2.7)  # inches: one picture across a column
PANEL_SIZE = (3.3, 2.7)  # inches: one of two pictures side by side, which stack on a narrow screen

# Of 302 points of width: 9 px of text on a 360 px screen, 15 px at a figure's full width.
_FONT_SIZE = 9
_PIXELS_PER_POINT = 1.65  # how far a page may enlarge a figure
_WIDE = (
    350  # points; a wider figure scrolls on a narrow screen, where shrinking would lose its text
)
_VARIABLES = {light: f"var(--gf-{name}, {light})" for name, (light, _) in PALETTE.items()}
_VARIABLES |= {INK: "currentColor", "#000000": "currentColor"}

_STYLE = {
    "figure.figsize": FIGURE_SIZE,
    "figure.facecolor": PAPER,
    # Fixed margins rather than a layout engine: the axes stay where they are from frame to frame,
    # and a frame takes half the time.
    "figure.subplot.left": 0.18,  # also for the ticks and the label of a panel
    "figure.subplot.right": 0.97,
    "figure.subplot.bottom": 0.16,
    "figure.subplot.top": 0.965,
    "figure.subplot.wspace": 0.32,
    "figure.subplot.hspace": 0.32,
    "savefig.facecolor": "auto",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same measures everywhere
    "font.size": _FONT_SIZE,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": _FONT_SIZE,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.prop_cycle": mpl.cycler(color=[PRIMARY, SECONDARY, TARGET, PREDICTION, ACCENT, BOUND]),
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": _FONT_SIZE - 0.5,
    "ytick.labelsize": _FONT_SIZE - 0.5,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.7,
    "lines.solid_capstyle": "round",
    "lines.markersize": 5,
    # No box to be seen, only the page's colour behind the words, so that curves do not run through.
    "legend.facecolor": PAPER,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.borderpad": 0.2,
    "legend.fontsize": _FONT_SIZE - 0.5,
    "legend.handlelength": 1.8,
    "patch.linewidth": 0.7,
    "svg.fonttype": "none",
    "svg.hashsalt": "companion",  # ids that are the same in every run
    "path.simplify": True,
}


class _LogFormatter(LogFormatterSciNotation):
    """Powers of ten in plain Unicode (10⁻³): mathtext is slow and leaves the page's font."""

    _RAISED = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    _POWER = re.compile(r"\$\\mathdefault\{(?:([\d.]+)\\times)?(\d+)\^\{([-−]?\d+)\}\}\$")

    def __call__(self, value, position=None):
        def plain(match):
            factor, base, power = match.groups()
            return (f"{factor}×" if factor else "") + base + power.translate(self._RAISED)

        return self._POWER.sub(plain, super().__call__(value, position))


class _LogScale(scale.LogScale):
    """matplotlib's logarithmic scale without its minor ticks, which take half of a frame's time."""

    def __init__(
        self, *_axis, **options
    ):  # matplotlib before 3.11 passes an axis that it never uses
        super().__init__(None, **options)

    def set_default_locators_and_formatters(self, axis):
        axis.set_major_locator(LogLocator(self.base, numticks=7))
        axis.set_major_formatter(_LogFormatter(self.base))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())


def use_style() -> None:
    """Set the book's style for every figure drawn from now on, and let Jupyter show figures as SVG.

    Changes matplotlib's rcParams and the ticks of its "log" scale for the whole process. In a
    notebook a figure is shown at its own size (no tight bounding box), without a date, so that a
    second run gives the same bytes.
    """
    mpl.rcParams.update(_STYLE)
    scale.register_scale(_LogScale)
    try:
        from IPython.core.interactiveshell import InteractiveShell
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:  # a plain Python without Jupyter
        return
    if InteractiveShell.initialized():
        set_matplotlib_formats("svg", bbox_inches=None, metadata={"Date": None})


def themed_svg(figure: Figure, prefix: str | None = None) -> str:
    """Draw `figure` as an SVG element for a web page: see `theme`. The figure stays open."""
    if not isinstance(figure, Figure):
        raise TypeError(
            f"themed_svg draws a matplotlib Figure, and got {type(figure).__name__}: return the figure, not its axes."
        )
    text = io.StringIO()
    # The style decides how text is written even where the figure was made outside `use_style`.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": _STYLE["svg.hashsalt"]}):
        figure.savefig(text, format="svg", bbox_inches=None, metadata={"Date": None})
    return theme(text.getvalue(), prefix)


_TAG = re.compile(r"<[^>]*>")
_NUMBER = re.compile(r"-?\d+\.\d+")
_COORDINATES = re.compile(r' (?:d|x|y|width|height|transform)="[^"]*"')
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_REFERENCE = re.compile(r'(?:href="#|url\(#)([^")]+)')
_IDENTIFIER = re.compile(r' id="([^"]*)"')
_DROPPED = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>"
    r"|<defs>\s*<style.*?</style>\s*</defs>"  # its selector `*` would reach the whole page
    r'|(?<=<g id="figure_1">)\s*<g id="patch_1">.*?</g>'  # the background
    r"| ?font-family: [^;\"]*;?"  # the page's own font instead
    r'| transform="rotate\(-0 [^"]*\)"| xmlns:xlink="[^"]*"| version="1.1"',
    re.DOTALL,
)


def _rounded(attribute: re.Match) -> str:
    if "scale(" in attribute[0] or "matrix(" in attribute[0]:
        return attribute[0]  # factors, not coordinates
    # A marker is small, and its arcs show a tenth of a point.
    digits = 2 if " C " in attribute[0] else 1
    return _NUMBER.sub(lambda number: f"{round(float(number[0]), digits) + 0.0:g}", attribute[0])


def theme(svg: str, prefix: str | None = None) -> str:
    """Turn matplotlib's SVG text, drawn in the book's style, into an element that follows its page.

    Coordinates are rounded to a tenth of a point (0.2 px on the page). Ids get `prefix`, by default
    a hash of the content, because a page holds many figures. The element fills its container up to
    a width that keeps text at reading size.
    """
    svg = _DROPPED.sub("", svg)
    used = set(_REFERENCE.findall(svg))
    prefix = prefix or "gf" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    width = float(re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)[1])

    def attributes(match):
        tag = " ".join(match[0].split())
        tag = _IDENTIFIER.sub(lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", tag)
        tag = (
            tag.replace("xlink:href", "href")
            .replace('href="#', f'href="#{prefix}-')
            .replace("url(#", f"url(#{prefix}-")
        )
        return _COORDINATES.sub(
            _rounded, _HEX.sub(lambda m: _VARIABLES.get(m[0].lower(), m[0]), tag)
        )

    svg = re.sub(r">\s+<", "><", _TAG.sub(attributes, svg)).strip()
    style = (
        f"width:100%;max-width:{width * _PIXELS_PER_POINT:.0f}px;height:auto;"
        "overflow:visible;fill:currentColor;stroke-linejoin:round"  # a label too long is not cut off
    )
    classes = "gf-svg gf-wide" if width > _WIDE else "gf-svg"
    sized = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"')
    return sized.sub(rf'\1 class="{classes}" style="{style}"', svg, count=1)


def palette_css() -> str:
    """The palette as CSS variables, in light and dark, for the book and for JupyterLab."""

    def declared(tone: int) -> str:
        return "".join(f"  --gf-{name}: {pair[tone]};\n" for name, pair in PALETTE.items())

    dark = 'html[data-theme="dark"],\nbody[data-jp-theme-light="false"]'
    return f":root {{\n{declared(0)}}}\n{dark} {{\n{declared(1)}}}\n"
