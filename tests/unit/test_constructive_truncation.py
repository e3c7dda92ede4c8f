"""Truncation maps and cones, point by point."""

import constructive_reference as plain
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import relative, seeds

from geoflow import constructive as con


@given(st.integers(1, 6), seeds)
def test_the_map_by_its_definition(Q, seed):
    rng = np.random.default_rng(seed)
    W, b, x = rng.normal(size=(Q, Q)), rng.normal(size=Q), rng.normal(size=(7, Q))
    expected = [plain.truncation(W, b, point) for point in x]
    scale = np.linalg.cond(W)
    assert relative(con.truncation(W, b, x), expected) < 1e-13 * scale


def test_the_map_of_a_singular_layer():
    W, b = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0.0, -1.0])
    expected = [plain.truncation(W, b, point) for point in np.array([[3.0, 5.0], [0.5, 5.0]])]
    assert con.truncation(W, b, np.array([[3.0, 5.0], [0.5, 5.0]])) == pytest.approx(
        np.array(expected), abs=1e-14
    )
    assert expected[0] == pytest.approx([3.0, 0.0], abs=1e-14)


@pytest.mark.parametrize("Q", range(1, 8))
def test_the_simplex_is_regular(Q):
    t = con.simplex(Q)
    assert t.shape == (Q, Q - 1)
    if Q > 1:
        # |t_k| = 1, all angles equal
        gram = np.full((Q, Q), -1 / (Q - 1)) + np.eye(Q) * Q / (Q - 1)
        assert np.abs(t @ t.T - gram).max() < 1e-14


@st.composite
def cuts(draw):
    """A plane through p and points on both sides, some of them close to it and some straight above it."""
    Q, rng = draw(st.integers(1, 5)), np.random.default_rng(draw(seeds))
    scale = draw(st.sampled_from([1e-6, 1.0, 1e6]))
    p, n = rng.normal(size=Q), rng.normal(size=Q)
    n /= np.linalg.norm(n)
    z = rng.normal(size=(12, Q))
    along = rng.choice([-1, 1], size=12) * 10.0 ** rng.uniform(-2, 0, size=12)
    z += (along - z @ n)[:, None] * n
    z[0] = 0.7 * n
    return (
        scale * p,
        draw(st.sampled_from([0.3, 1.0, 5.0])) * n,
        scale * (p + z),
        draw(st.floats(0.05, 0.95)),
        along,
    )


@given(cuts())
def test_a_cone_holds_every_point_and_truncates_it(cut):
    p, n, z, fraction, along = cut
    made, Q = con.cone(p, n, z, fraction), len(p)
    assert made.n == pytest.approx(n / np.linalg.norm(n), rel=1e-14)
    V = made.V
    # the frame: rows n + eps·t_k with t_k regular in n^⊥
    across = V - made.n
    gram = made.eps**2 * (np.eye(Q) * Q - 1) / max(Q - 1, 1)
    assert across @ across.T == pytest.approx(gram, abs=1e-12)
    assert across @ made.n == pytest.approx(np.zeros(Q), abs=1e-14)
    if Q > 1:
        assert made.condition == pytest.approx(np.sqrt(Q - 1) / made.eps, rel=1e-6)
    along[0] = 1.0
    frame = np.array(
        [[sum(v * t for v, t in zip(row, point - p, strict=True)) for row in V] for point in z]
    )
    assert ((frame > 0) == (along > 0)[:, None]).all()  # in one cone, strictly
    images = np.array([plain.truncation(V, -V @ p, point) for point in z])
    size = np.abs(z).max() + np.abs(p).max()
    expected = np.where((along > 0)[:, None], z, p)  # the identity forward, p backward
    assert np.abs(images - expected).max() < 1e-13 * size * made.condition
    assert np.abs(made.apply(z) - expected).max() < 1e-13 * size * made.condition


@given(cuts())
def test_the_opening_is_the_fraction_of_the_largest(cut):
    """One that is larger by a hair than all of it lets a neuron change its mind about some point."""
    p, n, z, fraction, _ = cut
    made = con.cone(p, n, z, fraction)
    largest = made.eps / fraction
    if len(p) == 1 or largest >= np.sqrt(len(p) - 1) * (1 - 1e-12):
        return  # bounded by √(Q − 1), where the frame is orthogonal
    # the worst point is at the border of the round cone; the frame's own cone reaches further between its edges
    offset = z - p
    along = offset @ made.n
    with np.errstate(divide="ignore"):
        steepness = np.abs(along) / np.linalg.norm(offset - along[:, None] * made.n, axis=1)
    assert steepness.min() == pytest.approx(largest, rel=1e-9)
    worst = offset[steepness.argmin()]
    sideways = worst - (worst @ made.n) * made.n
    inside = con.Cone(p, made.n, largest * (1 - 1e-6)).V
    assert (np.sign(inside @ worst) == np.sign(worst @ made.n)).all()
    # turned so that t_1 points along it, the cone 1 + 1e-6 times too wide loses the point
    too_wide = made.n - np.sign(worst @ made.n) * largest * (1 + 1e-6) * sideways / np.linalg.norm(
        sideways
    )
    assert np.sign(too_wide @ worst) != np.sign(worst @ made.n)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_on_the_cut_is_relative(scale):
    """A point counts as on the cut by its angle, not by its distance: point 1 is the farther one, and the one on it."""
    p, n = np.zeros(2), [1.0, 0.0]
    with pytest.raises(ValueError, match="point 1 lies on the cut"):
        con.cone(p, n, scale * np.array([[1e-9, 0.0], [1e-5, 1e8], [1.0, 1.0]]))
    near = con.cone(p, n, scale * np.array([[1e-9, 0.0], [1e-9, 1e-9], [1.0, 1.0]]))
    assert near.eps == pytest.approx(0.5, rel=1e-12)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    z = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    with pytest.raises(
        ValueError,
        match=r"point 1 lies on the cut through p, so that no cone holds it: move the base point",
    ):
        con.cone([0.0, 0.0], [1.0, 0.0], z)
    with pytest.raises(ValueError, match="point 2 lies on the cut"):
        con.cone([-1.0, 0.0], [1.0, 0.0], z)
    for fraction in (0.0, 1.0, -0.5, 2.0):
        with pytest.raises(ValueError, match="the opening must be a fraction between 0 and 1, got"):
            con.cone([0.5, 0.0], [1.0, 0.0], z, fraction)
    with pytest.raises(ValueError, match="the opening must be a finite number, got nan"):
        con.cone([0.5, 0.0], [1.0, 0.0], z, np.nan)
    with pytest.raises(TypeError, match="the opening must be one number, got 'half'"):
        con.cone([0.5, 0.0], [1.0, 0.0], z, "half")
    with pytest.raises(
        ValueError, match="the axis n must not be zero: it is the direction of the cut"
    ):
        con.cone([0.5, 0.0], [0.0, 0.0], z)
    with pytest.raises(
        ValueError, match=r"must lie in one R\^Q, got shapes \(3,\), \(2,\), \(3, 2\)"
    ):
        con.cone([0.5, 0.0, 0.0], [1.0, 0.0], z)
    made = con.cone([0.5, 0.0], [1.0, 0.0], z)
    with pytest.raises(ValueError, match=r"z must have 2 axes \(n points, Q\), got shape \(2,\)"):
        made.apply([1.0, 0.0])
    with pytest.raises(
        ValueError, match=r"W must have shape \(len\(b\), x\.shape\[1\]\) = \(2, 2\), got \(2, 3\)"
    ):
        con.truncation(np.ones((2, 3)), np.ones(2), z)
    with pytest.raises(ValueError, match="b must be finite, but 1 of 2 entries are NaN"):
        con.truncation(np.eye(2), [0.0, np.nan], z)
    for Q, kind in ((0, ValueError), (2.0, TypeError)):
        with pytest.raises(kind, match="Q must be a whole number"):
            con.simplex(Q)
