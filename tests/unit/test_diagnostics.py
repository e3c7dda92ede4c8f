"""Rates, lengths and stationarity where the answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, relative

import geoflow as gf


@given(st.floats(1e-3, 10.0), st.floats(1e-6, 1e6))
def test_the_decay_rate_of_an_exponential(rate, cost0):
    s = np.linspace(0, 5, 20)
    assert gf.decay_rate(s, cost0 * np.exp(-rate * s)) == pytest.approx(rate, rel=1e-8)


def test_the_comparison_flow_decays_at_2_over_N():
    drawn = Case((2, 3, 2), 5, seed=1)
    orbit = gf.integrate(gf.comparison, drawn.problem, drawn.theta, until=15.0, save=9)
    assert gf.decay_rate(orbit.s, orbit.cost) == pytest.approx(2 / 5, rel=1e-6)


def test_the_decay_rate_refuses():
    with pytest.raises(ValueError, match=r"one length ≥ 2, got shapes \(2,\) and \(3,\)"):
        gf.decay_rate([0, 1], [1, 1, 1])
    with pytest.raises(ValueError, match="one length ≥ 2"):
        gf.decay_rate([0], [1])
    with pytest.raises(ValueError, match=r"above zero for its logarithm.*leave out"):
        gf.decay_rate([0, 1], [1, 0])


def test_the_ntk_bound_by_hand():
    bound = gf.ntk_bound(3.0, 0.5, [0.0, 4.0, 8.0], samples=4)
    assert np.allclose(bound, 3.0 * np.exp([0, -1, -2]), rtol=1e-15)  # e^(−2·½·s/4)
    assert np.array_equal(gf.ntk_bound(3.0, 0.0, [1.0, 2.0], samples=4), [3.0, 3.0])
    with pytest.raises(ValueError, match="lam must be a finite number, zero or above, got -1"):
        gf.ntk_bound(3.0, -1.0, [1.0], samples=4)


def test_the_standard_flow_stays_below_the_ntk_bound():
    """Linear least squares: DDᵀ is constant, and the bound is attained by its last eigenvector."""
    drawn = Case((5, 1), 4, seed=1)
    lam = float(gf.sigma_range(drawn.problem, drawn.theta)[0]) ** 2
    orbit = gf.integrate(gf.standard, drawn.problem, drawn.theta, until=8.0, save=9)
    assert (orbit.cost <= gf.ntk_bound(orbit.cost[0], lam, orbit.s, samples=4) * (1 + 1e-9)).all()
    _, vectors = np.linalg.eigh(np.asarray(drawn.problem.ntk(drawn.theta)))
    targets = drawn.problem.outputs(drawn.theta) + vectors[:, :1]
    slowest = gf.Problem(drawn.problem.network, gf.Dataset(drawn.problem.data.inputs, targets))
    orbit = gf.integrate(gf.standard, slowest, drawn.theta, until=8.0, save=9)
    assert relative(orbit.cost, gf.ntk_bound(orbit.cost[0], lam, orbit.s, samples=4)) < 1e-7


def test_the_arc_length_of_a_straight_path():
    """One layer: D is constant, the adapted orbit runs straight, of length (1 − e^(−s/N))|D⁺(x_0 − y)|."""
    drawn = Case((5, 3), 4, seed=1)
    orbit = gf.integrate(gf.adapted, drawn.problem, drawn.theta, until=12.0, save=9)
    assert gf.arc_length(orbit) == pytest.approx(
        np.linalg.norm(orbit.theta[-1] - orbit.theta[0]), rel=1e-6
    )


def test_the_arc_length_of_a_bent_path_is_no_chord():
    """θ' = −D⁺v/N with D = diag(1, θ_1)-like: the polygon against its edges added up one by one, and well above the chord."""
    network = gf.FunctionNetwork(lambda t, _: jnp.stack([t[0], t[0] * t[1]])[None], 2)
    problem = gf.Problem(network, gf.Dataset([[0.0]], [[0.2, 3.0]]))
    orbit = gf.integrate(gf.standard, problem, jnp.array([2.0, 0.3]), until=20.0, save=200)
    edges = [
        float(np.sqrt(sum((a - b) ** 2)))
        for a, b in zip(orbit.theta[1:], orbit.theta[:-1], strict=True)
    ]
    chord = np.linalg.norm(orbit.theta[-1] - orbit.theta[0])
    assert gf.arc_length(orbit) == pytest.approx(sum(edges), rel=1e-12)
    assert gf.arc_length(orbit) > 1.01 * chord
    # finer saving tends to the integral of the speed
    fine = gf.integrate(gf.standard, problem, jnp.array([2.0, 0.3]), until=20.0, save=4001)
    speeds = [
        float(jnp.linalg.norm(gf.standard(problem, jnp.asarray(t)))) for t in fine.theta[::20]
    ]
    assert gf.arc_length(fine) == pytest.approx(np.trapezoid(speeds, fine.s[::20]), rel=1e-2)


def test_an_orbit_of_outputs_has_no_arc_length():
    drawn = Case((5, 3), 4, seed=1)
    flow_of_outputs = gf.integrate(gf.comparison, drawn.problem, drawn.theta, until=12.0, save=9)
    with pytest.raises(ValueError, match="has outputs and no theta"):
        gf.arc_length(flow_of_outputs)


def test_stationary_points_of_the_three_kinds():
    """θ = (0, …, 0, c): constant outputs. Labels of mean c: a stationary point of rank 1, with zero loss or without."""
    network = gf.MLP((2, 3, 1))
    inputs = jax.random.normal(jax.random.key(0), (8, 2))
    theta = jnp.zeros(13).at[-1].set(0.5)

    def seen(targets):
        return gf.stationarity(gf.Problem(network, gf.Dataset(inputs, targets[:, None])), theta)

    zero_loss = seen(jnp.full(8, 0.5))
    assert (zero_loss.stationary, zero_loss.cost, zero_loss.rank.rank) == (True, 0.0, 1)
    trapped = seen(0.5 + jnp.array([1.0, -1, 2, -2, 3, -3, 4, -4]))
    assert trapped.stationary
    assert trapped.gradient_norm < 1e-15
    assert trapped.cost == pytest.approx(60 / 16, rel=1e-14)  # Σv²/(2N)
    assert (trapped.rank.rank, trapped.rank.full) == (1, False)
    moving = seen(jnp.arange(8.0))
    assert not moving.stationary
    # only ∂C/∂c
    assert moving.gradient_norm == pytest.approx(abs(np.mean(0.5 - np.arange(8))), rel=1e-14)


@pytest.mark.usefixtures("as_a_user")
def test_stationarity_refuses():
    drawn = Case((2, 3, 1), 4, seed=1)
    with pytest.raises(ValueError, match="tolerance must be a finite number above zero"):
        gf.stationarity(drawn.problem, drawn.theta, tolerance=-1.0)
    with pytest.raises(ValueError, match="theta must have shape"):
        gf.stationarity(drawn.problem, np.zeros(3))


@given(st.floats(-5, 5), st.floats(0.1, 10), st.integers(2, 12))
def test_the_exponent_of_a_power_law(p, factor, n):
    x = np.linspace(0.5, 3, n)
    assert abs(gf.exponent(x, factor * x**p) - p) < 1e-9


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        ([1.0, 2.0], [1.0], "one length"),
        ([1.0], [1.0], "≥ 2"),
        ([0.0, 1.0], [1.0, 1.0], "above zero"),
        ([1.0, 2.0], [1.0, -1.0], "above zero"),
        ([2.0, 2.0], [1.0, 3.0], "two different"),
    ],
)
def test_the_exponent_refuses(x, y, match):
    with pytest.raises(ValueError, match=match):
        gf.exponent(x, y)
