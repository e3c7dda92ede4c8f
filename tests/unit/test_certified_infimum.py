"""The infimum of C over all of R⁴ enclosed: the figures of shared/certificates.md, plain minimization, and what is refused."""

import functools
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from geoflow.certified import cosine
from geoflow.certified.balls import precision
from geoflow.certified.charts import charts
from geoflow.certified.infimum import enclose_infimum


def gaussian(N, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=N), rng.normal(size=N)


LINE = np.arange(-2.0, 3.0)
SETS = {
    "N = 5": (gaussian(5, 1), 1e-6),
    "N = 6": (gaussian(6, 1), 1e-9),
    "N = 6, largest at an edge": (gaussian(6, 3), 1e-9),
    "one end apart": ((LINE, np.array([1.0, 0, 0, 0, 1])), 1e-4),
    "an input four times": (
        (np.array([0.0, 1, 1, 1, 1, 2.5, -1]), np.array([1.0, 0, 0.5, 1, 0, 0.2, -0.4])),
        1e-4,
    ),
    "inputs far apart": (
        (np.array([0.0, 0.01, 0.02, 0.5, 4]), np.array([0.3, -1, 0.7, 0.1, 0.2])),
        1e-3,
    ),
}


@functools.cache
def enclosed(name):
    (z, y), rtol = SETS[name]
    return enclose_infimum(z, y, rtol)


def exact(text):
    mantissa, exponent = text.split("p")
    return int(mantissa) * Fraction(2) ** int(exponent)


def ends(certificate):
    return exact(certificate.claim["lower"]), exact(certificate.claim["upper"])


FIGURES = {
    "N = 5": (0.03687967065, 0.03687995867),
    "N = 6": (0.0578804295006, 0.0578804295381),
    "N = 6, largest at an edge": (0.648128509810, 0.648128510368),
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_figures_of_the_prototype(name):
    lower, upper = ends(enclosed(name))
    low, high = FIGURES[name]
    assert enclosed(name).proved
    assert low < upper  # both enclose inf C
    assert lower < high
    assert 0 < upper - lower < 1.01 * SETS[name][1] * upper
    shown = [float(x) for x in enclosed(name).enclosures["inf C"]]
    assert shown[0] <= lower < upper <= shown[1] or np.allclose(
        shown, [float(lower), float(upper)], rtol=1e-15
    )


def test_three_fortieths():
    lower, upper = ends(enclosed("one end apart"))
    assert lower <= Fraction(3, 40) <= upper


@pytest.mark.parametrize("name", SETS)
def test_plain_minimization_stays_above_and_comes_near(name):
    """Variable projection in plain numpy: a grid of directions and scales, then the best of them moved at random."""
    z, y = SETS[name][0]
    lower, upper = ends(enclosed(name))
    assert enclosed(name).proved

    def cost(w, m):
        t = np.tanh(w[:, None] * (z - m[:, None]))
        t -= t.mean(axis=1, keepdims=True)
        d, r = np.sum(t**2, axis=1), y - y.mean()
        return (r @ r - np.where(d > 1e-30, (t @ r) ** 2 / np.where(d > 1e-30, d, 1), 0)) / (
            2 * len(z)
        )

    rng, span = np.random.default_rng(0), np.ptp(z)
    gaps = np.diff(np.unique(z))
    w = np.exp(rng.uniform(np.log(0.1 / span), np.log(60 / gaps.min()), 40_000))
    m = rng.uniform(z.min() - span / 4, z.max() + span / 4, w.size) + rng.normal(size=w.size) / w
    found = cost(w, m)
    assert found.min() >= lower - 1e-12
    best = np.argsort(found)[:50]
    w, m, found = w[best], m[best], found[best]
    for step in 0.5 ** np.arange(0.0, 16.0, 0.25):
        for _ in range(8):
            new = w * np.exp(step * rng.normal(size=w.size)), m + step / w * rng.normal(size=w.size)
            value = cost(*new)
            w, m, found = np.where(value < found, (*new, value), (w, m, found))
    assert lower - 1e-12 <= found.min() <= upper + 2e-4 * upper


def test_reflections_and_scales_change_nothing():
    z, y = gaussian(5, 1)
    low, high = ends(enclosed("N = 5"))
    for inputs, targets, factor in ((-4 * z[::-1], 4 - 2 * y[::-1], 4),):
        lower, upper = ends(enclose_infimum(inputs, targets, 0.1))
        assert lower <= factor * high * Fraction(1 + 1e-12)
        assert factor * low <= upper * Fraction(1 + 1e-12)


def test_a_gaussian_set_is_decided():
    certificate = enclose_infimum(*gaussian(6, 21), 0.05)
    assert certificate.proved, certificate.reason


# The charts ------------------------------------------------------------------------------------------------------------------


Z = [Fraction(x) for x in (-1.25, -0.5, 0.125, 1.0, 2.5)]


def features_of(w, b):
    t = np.tanh(w * np.array(Z, dtype=float) + b)
    return (t - t.mean()) / np.linalg.norm(t - t.mean())


def place(w, b):
    """The chart and the point in it that stand for w > 0 and b, from the docstring of `charts`."""
    z = np.array(Z, dtype=float)
    span, centre = z[-1] - z[0], (z[0] + z[-1]) / 2
    X, unit = 2 * w, 2.0 ** np.floor(np.log2(span))
    m = -b / w
    if X * unit <= 2:
        return (
            ("flat +", X * unit, np.exp(X * centre + 2 * b))
            if b <= -w * centre
            else ("flat -", X * unit, np.exp(-X * centre - 2 * b))
        )
    if m > z[-1]:
        return "right", np.exp(-X * (m - z[-1])), np.exp(-X * (z[-1] - z[-2]))
    if m < z[0]:
        return "left", np.exp(-X * (z[0] - m)), np.exp(-X * (z[1] - z[0]))
    k = int(np.searchsorted(z, m)) - 1
    gap = z[k + 1] - z[k]
    p = 1 / min([1, *((z[k + 2 :] - z[k + 1]) / gap)])
    q = 1 / min([1, *((z[k] - z[:k]) / gap)])
    return f"cell {k + 1}", np.exp(-X * (m - z[k]) / p), np.exp(-X * (z[k + 1] - m) / q)


def test_every_w_and_b_has_its_place():
    by_name = {chart.name: chart for chart in charts(Z)}
    rng, met = np.random.default_rng(0), set()
    for w, m in zip(np.exp(rng.uniform(-3, 2, 400)), rng.uniform(-3, 4, 400), strict=True):
        name, x, y = place(w, -w * m)
        met.add(name)
        chart = by_name[name]
        assert all(low <= u <= high for u, (low, high) in zip((x, y), chart.root, strict=True))
        assert not chart.covered(((x, x), (y, y)))
        g = np.array([float(v) for v in chart.features(((x, x), (y, y))).g])
        g = (g - g.mean()) / np.linalg.norm(g - g.mean())
        assert abs(abs(g @ features_of(w, -w * m)) - 1) < 1e-9
    assert met == set(by_name)


@pytest.mark.parametrize("chart", charts(Z), ids=lambda chart: chart.name)
def test_boxes_enclose_their_points_and_slopes_are_derivatives(chart):
    rng = np.random.default_rng(1)
    with precision(64):
        for width in (0.5, 0.1, 1e-3):
            for _ in range(6):
                corner = [
                    low + (high - low) * rng.uniform(0, 1 - width / 2) * rng.integers(2)
                    for low, high in chart.root
                ]
                box = tuple((float(c), float(c + width / 2)) for c in corner)
                whole = chart.features(box)
                for _ in range(5):
                    x, y = (float(rng.uniform(*side)) for side in box)
                    at = chart.features(((x, x), (y, y)))
                    for inside, around in zip(at, whole, strict=True):
                        assert all(
                            a.overlaps(b)
                            and abs(float(a) - float(b)) <= float(b.rad()) * (1 + 1e-9) + 1e-15
                            for a, b in zip(inside, around, strict=True)
                        )
                h = 1e-6
                x, y = (sum(side) / 2 for side in box)
                at = chart.features(((x, x), (y, y)))
                for slope, (a, b) in zip(
                    at[1:], (((x - h, y), (x + h, y)), ((x, y - h), (x, y + h))), strict=True
                ):
                    low, high = (
                        chart.features(tuple((float(t), float(t)) for t in point)).g
                        for point in (a, b)
                    )
                    difference = [
                        (float(v) - float(u)) / (2 * h) for u, v in zip(low, high, strict=True)
                    ]
                    assert np.allclose([float(s) for s in slope], difference, rtol=1e-4, atol=1e-6)


def test_only_flat_boxes_are_covered():
    by_name = {chart.name: chart for chart in charts(Z)}
    assert not any(by_name[name].covered(((0.0, 0.1), (0.0, 0.1))) for name in by_name)
    assert all(
        by_name[name].covered(((0.97, 1.0), (0.97, 1.0)))
        for name in by_name
        if not name.startswith("flat")
    )
    with pytest.raises(ValueError, match="in increasing order"):
        charts(Z[::-1])


# What is not decided, and what is refused --------------------------------------------------------------------------------------


def test_an_optimum_that_fills_an_edge_is_undecided():
    certificate = enclose_infimum(LINE, LINE**3, 1e-6, boxes=1000)
    assert not certificate.proved
    assert "raise `rtol`" in certificate.reason
    assert not certificate.claim


def test_zero_loss_is_not_excluded():
    certificate = enclose_infimum(LINE, np.tanh(0.7 * LINE + 0.2))
    assert not certificate.proved
    assert "comes near zero" in certificate.reason
    assert not enclose_infimum(
        LINE, np.array([0.0, 0, 0, 1, 1])
    ).proved  # approached by steps, attained nowhere


def test_balls_that_are_not_finite_prove_nothing(monkeypatch):
    z, y = gaussian(5, 1)
    monkeypatch.setattr(cosine.Cosine, "value", lambda self, g: arb("nan"))
    assert not enclose_infimum(z, y, 1e-2, boxes=300).proved
    monkeypatch.undo()
    monkeypatch.setattr(cosine.Cosine, "slopes", lambda self, features: [arb("nan"), arb("inf")])
    assert not enclose_infimum(z, y, 1e-4, boxes=300).proved


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("z", "y", "options", "error", "advice"),
    [
        (LINE, LINE[:4], {}, ValueError, "one number per sample"),
        (LINE[:4], LINE[:4] ** 2, {}, ValueError, "at least 5 samples"),
        (LINE[:, None], LINE, {}, ValueError, "1 axes"),
        (LINE, LINE.astype("float32"), {}, TypeError, "must be float64"),
        (LINE, np.array([0, 1, np.nan, 0, 1]), {}, ValueError, "must be finite"),
        (LINE, np.ones(5), {}, ValueError, "must not be constant"),
        (np.array([0.0, 0, 1, 1, 1]), LINE, {}, ValueError, "three distinct inputs"),
        (LINE, LINE**2, {"rtol": 1.0}, ValueError, "rtol must be below 1"),
        (LINE, LINE**2, {"rtol": 0.0}, ValueError, "rtol"),
        (LINE, LINE**2, {"boxes": 0}, ValueError, "whole number"),
        (LINE, LINE**2, {"bits": 24}, ValueError, "at least 53"),
    ],
)
def test_wrong_arguments(z, y, options, error, advice):
    with pytest.raises(error, match=advice):
        enclose_infimum(z, y, **options)
