"""The figure style: SVG that follows its page, the same in every run, legible and tellable apart."""

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from companion.explorer import plotting

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context():
        plotting.use_style()
        yield
    pyplot.close("all")


def drawn(height=1.0) -> Figure:
    figure, axes = pyplot.subplots()
    axes.semilogy([0, 1, 2], [height, 1e-2, 1e-5], color=plotting.PRIMARY, label="measured")
    axes.plot([1], [0.12345], "o", color=plotting.TARGET)
    axes.annotate("0.12345 exactly", (1, 0.1))
    axes.set(xlabel="flow time s", ylabel="C/C₀")
    axes.legend()
    return figure


def test_colours_become_variables_and_ink_becomes_the_pages():
    svg = plotting.themed_svg(drawn())
    assert f"stroke: var(--gf-primary, {plotting.PRIMARY})" in svg
    assert "fill: currentColor" in svg
    bare = re.sub(r"var\([^)]*\)", "", svg)
    assert not re.search(r"#[0-9a-fA-F]{6}", bare), "a colour that does not follow the theme"


def test_background_is_transparent():
    figure = drawn()
    figure.axes[0].get_legend().remove()  # the one thing that hides what is behind it
    assert "gf-paper" not in plotting.themed_svg(figure)


def test_is_one_well_formed_element_without_page_wide_rules():
    svg = plotting.themed_svg(drawn())
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert ET.fromstring(svg).tag.endswith("svg")
    for stranger in ("<?xml", "<!DOCTYPE", "<style", "<metadata", "font-family", "xlink"):
        assert stranger not in svg


def test_text_is_text_and_keeps_its_digits():
    svg = plotting.themed_svg(drawn())
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"flow time s", "C/C₀", "measured", "0.12345 exactly", "10⁻²"} <= set(texts)


def test_coordinates_are_rounded_and_factors_are_not():
    svg = plotting.themed_svg(drawn())
    longest = max(
        len(number.split(".")[1])
        for path in re.findall(r' d="([^"]*)"', svg)
        for number in re.findall(r"\d+\.\d+", path)
    )
    assert longest <= 2
    raw = '<svg width="10pt" height="5pt"><use x="1.23456" transform="scale(0.015625)"/></svg>'
    assert plotting.theme(raw).count("0.015625") == 1
    assert 'x="1.2"' in plotting.theme(raw)


def test_same_figure_gives_the_same_bytes():
    assert plotting.themed_svg(drawn()) == plotting.themed_svg(drawn())


def test_ids_differ_between_figures_and_every_reference_is_met():
    one, other = plotting.themed_svg(drawn()), plotting.themed_svg(drawn(height=0.5))
    ids = [set(re.findall(r' id="([^"]*)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, known in zip((one, other), ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) == known


def test_mathtext_survives_as_text():
    figure, axes = pyplot.subplots()
    axes.annotate(r"$\theta^{2} \leq \lambda$", (0.5, 0.5))
    svg = plotting.themed_svg(figure)
    letters = "".join(re.findall(r"<tspan[^>]*>([^<]*)</tspan>", svg))
    assert {"θ", "2", "≤", "λ"} <= set(letters)


def test_plain_matplotlib_figure_is_drawn_in_ink():
    with mpl.rc_context():
        mpl.rcdefaults()
        figure, axes = pyplot.subplots()
        axes.text(0.5, 0.5, "black")
        svg = plotting.themed_svg(figure)
    assert ">black</text>" in svg
    assert "fill:currentColor" in svg, "black is written as no fill at all: the root's is taken"


def test_wide_figures_say_so():
    assert "gf-wide" not in plotting.themed_svg(drawn())
    wide, _ = pyplot.subplots(1, 2, figsize=(7, 3))
    assert "gf-wide" in plotting.themed_svg(wide)


def test_axes_instead_of_a_figure_are_refused_with_advice():
    with pytest.raises(TypeError, match="return the figure, not its axes"):
        plotting.themed_svg(drawn().axes[0])


def test_log_ticks_are_unicode_with_factors_and_signs():
    figure, axes = pyplot.subplots()
    axes.loglog([1e-12, 1e3], [1, 1e4])
    figure.draw_without_rendering()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert any(label.startswith("10⁻") for label in labels)
    assert not any("$" in label for label in labels)
    assert axes.xaxis.get_major_formatter()(2e-3) in ("", "2×10⁻³")


# -- colours ------------------------------------------------------------------------------------


def linear(colour: str) -> np.ndarray:
    """Linear sRGB, shape (3,)."""
    value = np.array(mpl.colors.to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio."""
    light = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """OKLab of linear sRGB (Ottosson 2020), shape (3,)."""
    cones = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ np.clip(rgb, 0, 1)
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cones
    )


# Severe colour blindness in linear sRGB (Machado, Oliveira, Fernandes 2009).
SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
CURVES = ("primary", "secondary", "prediction", "target", "bound", "accent")
# The page and the panel of an output, light and dark, of sphinx-book-theme 1.1.
BACKGROUNDS = (("#ffffff", "#f3f4f5"), ("#121212", "#29313d"))


@pytest.mark.parametrize("tone", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", CURVES)
def test_a_curve_can_be_labelled_in_its_own_colour(name, tone):
    for background in BACKGROUNDS[tone]:
        assert contrast(plotting.PALETTE[name][tone], background) >= 4.5  # WCAG 2.1 AA, text


@pytest.mark.parametrize("tone", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_curves_look_the_same(sight, tone):
    seen = {name: oklab(SIGHT[sight] @ linear(plotting.PALETTE[name][tone])) for name in CURVES}
    for one, other in itertools.combinations(CURVES, 2):
        # 0.02 is about what an eye just notices side by side; curves are further apart
        assert np.linalg.norm(seen[one] - seen[other]) > 0.05, f"{one} and {other}"


def test_the_books_style_sheet_declares_this_palette():
    assert plotting.palette_css() in (ROOT / "book/_static/geoflow.css").read_text()
