"""Decoupled modes: closed forms against scipy's solution for the scalar weights, and against the whole network."""

import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import finite_differences

import geoflow as gf
import geoflow.linear_networks as ln

T = np.linspace(0.0, 3.0, 7)
sigmas, strengths = st.floats(0.3, 3), st.floats(1e-3, 5)


def batch(seed, n=40):
    """sigma, u0: n modes, from nearly nothing to above σ."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.3, 3, n), np.exp(rng.uniform(np.log(1e-3), np.log(5), n)), rng


def balanced(u0, H):
    return np.tile(np.power(u0, 1 / (H + 1)), (H + 1, 1))


def test_saxes_closed_form():
    """From below σ and from above it, against two weights that scipy follows."""
    sigma, u0, _ = batch(1)
    followed = np.prod(plain.scalar_weights(balanced(u0, 1), sigma, T), axis=0)
    for s, start, u in zip(sigma, u0, followed, strict=True):
        assert ln.saxe_mode(T, s, start) == pytest.approx(u, rel=1e-8)
        assert float(ln.saxe_mode(0.0, s, start)) == pytest.approx(start, rel=1e-12)
        assert float(ln.saxe_mode(1e3, s, start)) == pytest.approx(s, rel=1e-13)


@given(st.sampled_from([1, 2, 3]), sigmas, strengths)
def test_the_velocity_of_a_balanced_mode(H, sigma, u0):
    """u̇ = Σ_j (Π_{i≠j} w_i)² (σ − u), from the weights; and the derivative of Saxe's form at H = 1."""
    w = balanced(u0, H)[:, 0]
    u_dot = sum(np.prod(np.delete(w, j)) ** 2 for j in range(H + 1)) * (sigma - np.prod(w))
    assert float(ln.mode_velocity(u0, sigma, H)) == pytest.approx(u_dot, rel=1e-12, abs=1e-12)
    if H == 1:
        slope = finite_differences(lambda t: ln.saxe_mode(t[0], sigma, u0), [0.5], h=1e-3)[0]
        assert float(ln.mode_velocity(ln.saxe_mode(0.5, sigma, u0), sigma, 1)) == pytest.approx(slope, abs=1e-8)


def test_the_velocity_at_its_ends():
    assert np.array_equal(ln.mode_velocity([0.0, 2.0], 2.0, 2), [0.0, 0.0])
    assert ln.mode_velocity(3.0, 2.0, 3) < 0


@pytest.mark.parametrize("H", [2, 3, 4])
def test_the_time_of_a_deep_mode(H):
    sigma, u0, _ = batch(2)
    sigma, u0 = sigma[u0 < sigma / 2], u0[u0 < sigma / 2]
    followed = np.prod(plain.scalar_weights(balanced(u0, H), sigma, T), axis=0)
    for s, start, u in zip(sigma, u0, followed, strict=True):
        kept = u < 0.999 * s  # near σ the time is all rounding of u
        measured = ln.mode_time(np.clip(u[kept], start, None), start, s, H)
        assert measured == pytest.approx(T[kept], rel=1e-8, abs=1e-9)
        assert abs(ln.mode_time(start, start, s, H)) < 1e-12 * T[-1]


def test_the_unbalanced_mode():
    """w_2² − w_1² = c of either sign, u0 below zero, zero, between, above σ."""
    sigma, w_1, rng = batch(3)
    w_1, w_2 = w_1 * rng.choice([-1, 1], 40), rng.uniform(0.05, 2.5, 40)
    w_1[:2], w_2[2:4] = 0.0, 0.0
    c = w_2**2 - w_1**2
    assert (c > 0.1).any()
    assert (c < -0.1).any()
    followed = np.prod(plain.scalar_weights([w_1, w_2], sigma, T), axis=0)
    for s, start, c_start, u in zip(sigma, w_1 * w_2, c, followed, strict=True):
        assert ln.unbalanced_mode(T, s, start, c_start) == pytest.approx(u, rel=1e-8, abs=1e-9)
        assert float(ln.unbalanced_mode(1e3, s, start, c_start)) == pytest.approx(s, rel=1e-12)


@given(sigmas, st.floats(1e-2, 5), st.sampled_from([1e-3, 1e-6, 1e-9, 1e-13]), st.sampled_from([1, -1]))
def test_a_nearly_balanced_mode_is_saxes(sigma, u0, c, sign):
    nearly = ln.unbalanced_mode(T, sigma, u0, sign * c)
    assert nearly == pytest.approx(ln.saxe_mode(T, sigma, u0), rel=20 * (c / u0) ** 2 + 1e-10)


@given(sigmas, st.floats(1e-12, 1e-4))
def test_a_mode_that_starts_at_nothing(sigma, c):
    """u0 = 0: the imbalance alone starts it, u = (c/2) sinh 2σt while u is small, to all digits."""
    t = np.array([0.1, 0.5]) / sigma
    early = c / 2 * np.sinh(2 * sigma * t)
    assert ln.unbalanced_mode(t, sigma, 0.0, c) == pytest.approx(early, rel=1e-9 + 20 * c / sigma)


def network(H):
    return ln.reduced_problem(np.array([3.0, 1.0]), 3, (4, 2)[:H])


@pytest.mark.parametrize("H", [1, 2])
@pytest.mark.parametrize("u0", [1e-3, 0.5, 4.0])
def test_an_aligned_start(H, u0):
    """Balanced, Π = u0·[1 0], and the field of the whole network moves the modes as `mode_velocity` says, alone."""
    problem = network(H)
    theta = ln.aligned_start(problem, u0)
    Ws = plain.split(theta, problem.network.widths)
    assert plain.product(Ws) == pytest.approx(plain.target([u0, u0], 3), rel=1e-13)
    assert np.asarray(ln.mode_strengths(problem, theta)) == pytest.approx([u0, u0], rel=1e-13)
    assert all(np.abs(C).max() < 1e-13 for C in ln.invariants([jnp.asarray(W) for W in Ws]))
    dots = plain.split(ln.gdd(problem, theta), problem.network.widths)
    Pi_dot = sum(plain.product([*Ws[:k], dots[k], *Ws[k + 1 :]]) for k in range(H + 1))
    expected = plain.target([float(ln.mode_velocity(u0, sigma, H)) for sigma in (3.0, 1.0)], 3)
    assert np.abs(Pi_dot - expected).max() < 1e-12 * max(np.abs(expected).max(), 1.0)


def test_mode_strengths_are_the_diagonal_of_the_product():
    problem = network(2)
    Ws = plain.gaussian_weights(np.random.default_rng(0), problem.network.widths)
    theta = ln.theta_of(problem, [jnp.asarray(W) for W in Ws])
    assert np.asarray(ln.mode_strengths(problem, theta)) == pytest.approx(np.diagonal(plain.product(Ws)), rel=1e-13)


def test_an_orbit_of_the_whole_network_is_saxes():
    problem = network(1)
    orbit = gf.integrate(ln.gdd, problem, ln.aligned_start(problem, 1e-3), until=8.0, save=9)
    u = np.array([ln.mode_strengths(problem, theta) for theta in map(jnp.asarray, orbit.theta)])
    for i, sigma in enumerate((3.0, 1.0)):
        assert u[:, i] == pytest.approx(ln.saxe_mode(orbit.s, sigma, 1e-3), abs=1e-8)


def test_refusals():
    with pytest.raises(ValueError, match=r"must carry all d_y = 2 modes, got widths \(3, 1, 2\)"):
        ln.aligned_start(ln.reduced_problem(np.array([2.0, 1.0]), 3, (1,)), 0.1)
    with pytest.raises(ValueError, match="needs a reduced problem"):
        ln.aligned_start(ln.linear_problem(gf.Dataset(2 * jnp.eye(2), jnp.eye(2)), (2,)), 0.1)
    with pytest.raises(ValueError, match="u0 must be a finite number above zero"):
        ln.aligned_start(network(1), 0.0)
    for mode in (
        lambda sigma, u0: ln.saxe_mode(1.0, sigma, u0),
        lambda sigma, u0: ln.mode_time(1.0, u0, sigma, 2),
    ):
        with pytest.raises(ValueError, match="u0 must be a finite number above zero"):
            mode(2.0, 0.0)
        with pytest.raises(ValueError, match="sigma must be a finite number above zero"):
            mode(-2.0, 0.1)
    with pytest.raises(ValueError, match=r"\|c\| must be a finite number above zero"):
        ln.unbalanced_mode(1.0, 2.0, 0.1, 0.0)
    with pytest.raises(ValueError, match="for H = 1 the mode itself has a closed form: saxe_mode"):
        ln.mode_time(0.5, 0.1, 2.0, 1)
    for u in (0.05, 2.0, [0.5, np.nan]):
        with pytest.raises(ValueError, match=r"need u0 = 0\.1 ≤ u < σ = 2\.0"):
            ln.mode_time(u, 0.1, 2.0, 2)
    with pytest.raises(ValueError, match=r"modes of strength u ≥ 0, got .*see unbalanced_mode"):
        ln.mode_velocity([0.5, -0.1], 2.0, 2)
    with pytest.raises(ValueError, match="H must be a whole number"):
        ln.mode_velocity(0.5, 2.0, 0)
