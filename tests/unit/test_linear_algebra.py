"""Singular values, rank decisions, dense Moore–Penrose inverses and projectors against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import relative

import geoflow as gf

EPS = np.finfo(float).eps


def matrix(rows, columns, rank, seed, smallest=0.5):
    """A (rows, columns) matrix of that rank with singular values between `smallest` and 1."""
    rng = np.random.default_rng(seed)
    U, _ = np.linalg.qr(rng.normal(size=(rows, rank)))
    V, _ = np.linalg.qr(rng.normal(size=(columns, rank)))
    return (U * np.geomspace(1, smallest, rank)) @ V.T


@st.composite
def matrices(draw, least_rank=1):
    rows, columns = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    rank = draw(st.integers(min(least_rank, rows, columns), min(rows, columns)))
    return matrix(rows, columns, rank, draw(st.integers(0, 1000))), rank


@given(matrices())
def test_moore_penrose_against_numpy_at_any_shape_and_rank(drawn):
    D, rank = drawn
    pen = gf.moore_penrose(jnp.asarray(D))
    assert relative(pen, np.linalg.pinv(D, rcond=1e-10)) < 1e-13
    # Penrose's four conditions
    P = np.asarray(pen)
    for left, right in [(D @ P @ D, D), (P @ D @ P, P), ((D @ P).T, D @ P), ((P @ D).T, P @ D)]:
        assert np.linalg.norm(left - right) < 1e-13 * (1 + np.linalg.norm(right))
    found = gf.numerical_rank(jnp.asarray(D))
    assert found.rank == rank == np.linalg.matrix_rank(D, tol=1e-10)
    assert found.full is (rank == min(D.shape))
    assert found.decided


@given(matrices())
def test_the_range_projector(drawn):
    D, rank = drawn
    P = np.asarray(gf.range_projector(jnp.asarray(D)))
    assert relative(P, D @ np.linalg.pinv(D, rcond=1e-10)) < 1e-13
    assert np.trace(P) == pytest.approx(rank, abs=1e-12)


@given(matrices())
def test_singular_values_come_largest_first(drawn):
    D, _ = drawn
    sigma = gf.singular_values(jnp.asarray(D))
    assert relative(sigma, np.linalg.svd(D, compute_uv=False)) < 1e-14


@pytest.mark.parametrize(("rows", "columns"), [(1, 4), (3, 5), (4, 4)])
def test_penrose_inverse_is_a_right_inverse_and_numpys(rows, columns):
    D = matrix(rows, columns, rows, seed=columns)
    pen = gf.penrose_inverse(jnp.asarray(D))
    assert relative(D @ pen, np.eye(rows)) < 1e-14
    assert relative(pen, np.linalg.pinv(D)) < 1e-14
    assert relative(pen, D.T @ np.linalg.inv(D @ D.T)) < 1e-13


def test_penrose_inverse_keeps_its_digits_where_the_normal_equations_lose_them():
    D = matrix(4, 9, 4, seed=0, smallest=1e-6)
    pen = gf.penrose_inverse(jnp.asarray(D))
    assert relative(pen, np.linalg.pinv(D)) < 100 * EPS * 1e6
    assert relative(D.T @ np.linalg.inv(D @ D.T), np.linalg.pinv(D)) > 1e-6


def test_a_rank_decision_says_what_it_rests_on():
    D = jnp.diag(jnp.array([4.0, 2.0, 1e-5]))
    full = gf.numerical_rank(D)
    assert (full.rank, full.full, full.decided) == (3, True, True)
    assert (full.sigma_max, full.tolerance) == (4.0, 4e-10)
    assert full.sigma_min == pytest.approx(1e-5, rel=1e-12)
    assert full.gap[0] == full.sigma_min
    assert np.isnan(full.gap[1])
    coarse = gf.numerical_rank(D, rtol=1e-3)
    # 1e-5 was dropped and is no rounding error: that is a cut-off, and no decision
    assert (coarse.rank, coarse.full, coarse.decided) == (2, False, False)
    assert coarse.gap == pytest.approx((2.0, 1e-5))
    # 1e-5 lies within a factor ten of 4·rtol: another tolerance would say something else
    for rtol, rank in [(1e-6, 3), (1e-5, 2)]:
        near = gf.numerical_rank(D, rtol=rtol)
        assert (near.rank, near.decided) == (rank, False)
    lost = gf.numerical_rank(jnp.diag(jnp.array([4.0, 2.0, 1e-15])))
    assert (lost.rank, lost.decided) == (2, True)
    nothing = gf.numerical_rank(jnp.zeros((2, 3)))
    assert (nothing.rank, nothing.full) == (0, False)


def years():
    """1990–2020 as columns 1, year, year²: sigma ratio 4e-12, far above rounding and far below the default cut-off."""
    t = np.arange(1990.0, 2021.0)
    return np.stack([np.ones_like(t), t, t**2], axis=1)


def test_a_fixed_cut_off_is_no_decision():
    D, v = years(), np.random.default_rng(0).normal(size=31)
    rank = gf.numerical_rank(jnp.asarray(D))
    assert (rank.rank, rank.decided) == (2, False)
    assert 1e-12 < rank.sigma_min / rank.sigma_max < 1e-11
    # cond(D)·eps = 6e-5
    assert np.linalg.norm(gf.moore_penrose(jnp.asarray(D)) @ D - np.eye(3)) < 1e-3
    # ran D does not change when columns are scaled, and there the rank can be told
    t = np.arange(-15.0, 16.0)
    Q, _ = np.linalg.qr(np.stack([np.ones_like(t), t, t**2], axis=1))
    assert relative(gf.normal_part(jnp.asarray(D), jnp.asarray(v)), v - Q @ (Q.T @ v)) < 1e-8
    assert relative(gf.range_projector(jnp.asarray(D)), Q @ Q.T) < 1e-8
    assert relative(gf.tangent_projector(jnp.asarray(D)), Q @ Q.T) < 1e-8
    # what a cut-off of one's own says is what it says
    U = np.linalg.svd(D)[0][:, :2]
    assert (
        relative(gf.normal_part(jnp.asarray(D), jnp.asarray(v), rtol=1e-10), v - U @ (U.T @ v))
        < 1e-8
    )
    assert np.linalg.matrix_rank(gf.moore_penrose(jnp.asarray(D), rtol=1e-10)) == 2


def test_where_rounding_leaves_the_rank_open_it_is_refused():
    D = matrix(5, 3, 3, seed=3, smallest=1e-14)
    words = r"the rank of D.* is not decided.*rounding leaves about 9e-15 of a zero.*Pass rtol.*scale the features"
    for function in (
        gf.moore_penrose,
        gf.range_projector,
        lambda D: gf.normal_part(D, jnp.ones(5)),
    ):
        with pytest.raises(ValueError, match=words):
            function(jnp.asarray(D))
        for smallest in (1e-12, 1e-17):
            function(jnp.asarray(matrix(5, 3, 3, seed=3, smallest=smallest)))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("ratio", [1e-16, 1e-11, 3e-9, 1e-4])
def test_tolerances_are_relative(scale, ratio):
    """No absolute number anywhere: D scaled by 1e±6 has the same rank, projector and pseudo-inverse."""
    D = matrix(4, 6, 4, seed=1, smallest=ratio)
    one, other = gf.numerical_rank(jnp.asarray(D)), gf.numerical_rank(jnp.asarray(scale * D))
    assert (one.rank, one.full, one.decided) == (other.rank, other.full, other.decided)
    assert other.tolerance == pytest.approx(scale * one.tolerance, rel=1e-9)
    for rtol in (3e-13, 3e-7):
        assert (
            relative(
                scale * gf.moore_penrose(jnp.asarray(scale * D), rtol),
                gf.moore_penrose(jnp.asarray(D), rtol),
            )
            < 1e-3
        )
        assert (
            relative(
                gf.range_projector(jnp.asarray(scale * D), rtol),
                gf.range_projector(jnp.asarray(D), rtol),
            )
            < 1e-3
        )


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    with pytest.raises(ValueError, match=r"needs K ≥ QN, got K = 2 < QN = 3.*moore_penrose"):
        gf.penrose_inverse(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"full rank QN = 2, got rank 1.*moore_penrose"):
        gf.penrose_inverse(np.ones((2, 3)))
    for function in (gf.penrose_inverse, gf.singular_values, gf.numerical_rank, gf.range_projector):
        with pytest.raises(TypeError, match="D must be float64, got float32"):
            function(np.ones((2, 3), np.float32))
        with pytest.raises(ValueError, match="D must be finite"):
            function(np.full((2, 3), np.nan))
        with pytest.raises(ValueError, match="D must have 2 axes"):
            function(np.ones(3))
    for function in (gf.numerical_rank, gf.moore_penrose, gf.range_projector):
        for rtol in (-1, np.nan, 0.0):
            with pytest.raises(ValueError, match="rtol must be a finite number above zero"):
                function(np.ones((2, 3)), rtol=rtol)
        with pytest.raises(ValueError, match="must lie below 1, got 2"):
            function(np.ones((2, 3)), rtol=2)
        with pytest.raises(
            TypeError, match="D must be float64, got complex128: complex data have no place"
        ):
            function(np.ones((2, 3), complex))
        with pytest.raises(
            ValueError, match=r"D must have 2 axes \(QN, K\), got shape \(1, 2, 3\)"
        ):
            function(np.ones((1, 2, 3)))


def test_penrose_inverse_can_be_traced():
    """Inside a transformation values are unknown and the rank goes unchecked: the derivative is that of the formula."""
    D = jnp.asarray(matrix(2, 3, 2, seed=5))
    d_pen = jax.jvp(gf.penrose_inverse, (D,), (jnp.ones_like(D),))[1]
    h = 1e-5
    expected = (np.linalg.pinv(D + h) - np.linalg.pinv(D - h)) / (2 * h)
    assert relative(d_pen, expected) < 1e-7
