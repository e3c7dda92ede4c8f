"""Stays in a region of small slope: where the answer is known, against plain numpy, and what is refused."""

import dataclasses
import functools

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from reference import EXTENDED, ROUNDED, PlainNetwork
from strategies import Case, cases, relative

import geoflow as gf


def slope_by_hand(case, theta):
    network = PlainNetwork.like(case.problem.network)
    v = (network.outputs(theta, case.inputs) - case.targets).ravel()
    return np.linalg.norm(network.jacobian(theta, case.inputs).T @ v) / np.linalg.norm(v)


@given(cases())
def test_the_slope_against_plain_numpy(drawn):
    expected = slope_by_hand(drawn, np.asarray(drawn.theta))
    scale = np.linalg.norm(drawn.problem.jacobian(drawn.theta), 2)
    assert abs(float(gf.trapping.slope(drawn.problem, drawn.theta)) - expected) < 1e-10 * scale


@functools.cache
def saturated(beta):
    """The chapter's orbit in small: every hidden neuron pushed towards saturation."""
    drawn = Case((2, 8, 1), 6, seed=2)
    (W, b), last = drawn.problem.network.unflatten(drawn.theta)
    start = drawn.problem.network.flatten([(W, b + beta * jnp.sign(b)), last])
    orbit = gf.integrate(
        "standard",
        drawn.problem,
        start,
        until=200.0,
        save=120,
        rtol=1e-7,
        atol=1e-9,
        solver=diffrax.Kvaerno5(),
    )
    return drawn, orbit


@pytest.mark.parametrize("beta", [0.0, 2.0, 4.0, 6.0])
@pytest.mark.parametrize("level", [0.1, 0.4, 0.8])
def test_a_stay_against_plain_numpy_and_the_bound_holds(beta, level):
    drawn, orbit = saturated(beta)
    slopes = np.array([slope_by_hand(drawn, theta) for theta in orbit.theta])
    epsilon = float(np.quantile(slopes, level) * (1 + 1e-9))
    found = gf.trapping.longest_stay(orbit, epsilon)
    # every run of saved states inside, walked through one by one
    stays, run = [], []
    for i, slope in enumerate([*slopes, np.inf]):
        if slope <= epsilon:
            run.append(i)
        else:
            if len(run) > 1:
                stays.append(run)
            run = []
    taus = []
    for run in stays:
        arc = sum(np.linalg.norm(orbit.theta[i + 1] - orbit.theta[i]) for i in run[:-1])
        taus.append(arc / epsilon * np.sqrt(6 / (2 * orbit.cost[run[0]])))
    best = stays[int(np.argmax(taus))]
    assert (found.s_0, found.s_1) == (orbit.s[best[0]], orbit.s[best[-1]])
    assert found.bound == pytest.approx(max(taus), rel=1e-12)
    assert found.sigma_min == orbit.sigma_min[best].min()
    # the proposition, and Cauchy–Schwarz between the two; 1e-6 is the accuracy of the orbit
    assert found.bound <= found.sharper_bound * (1 + 1e-6)
    assert found.sharper_bound <= found.time * (1 + 1e-6)


def slowest_mode(N=4):
    """Linear least squares with v an eigenvector of DDᵀ: the slope is √lambda for ever, and everything is known."""
    drawn = Case((5, 1), N, seed=1)
    eigenvalues, vectors = np.linalg.eigh(np.asarray(drawn.problem.ntk(drawn.theta)))
    targets = drawn.problem.outputs(drawn.theta) - 2.0 * vectors[:, :1]
    problem = gf.Problem(drawn.problem.network, gf.Dataset(drawn.problem.data.inputs, targets))
    return problem, drawn.theta, eigenvalues[0]


@pytest.mark.parametrize("until", [0.01, 1.0, 30.0])
def test_the_bounds_where_they_are_nearly_attained(until):
    """tau = (N/lambda)(1 − q) and the sharper one (2N/lambda)(1 − q)/(1 + q), with q = e^(−lambda T/N)."""
    problem, theta, lam = slowest_mode()
    orbit = gf.integrate(gf.standard, problem, theta, until=until, save=9)
    stay = gf.trapping.longest_stay(orbit, float(np.sqrt(lam)) * (1 + 1e-9))
    q = np.exp(-lam * until / 4)
    assert stay.time == until
    assert stay.bound == pytest.approx(4 / lam * (1 - q), rel=1e-6)
    assert stay.sharper_bound == pytest.approx(8 / lam * (1 - q) / (1 + q), rel=1e-6)
    assert stay.bound <= stay.sharper_bound <= stay.time
    if until == 0.01:  # equal to first order in T and to second
        assert stay.bound > 0.99 * stay.time
        assert stay.sharper_bound > 0.9999 * stay.time


def test_without_epsilon_no_other_one_gives_a_larger_bound():
    _, orbit = saturated(4.0)
    best = gf.trapping.longest_stay(orbit)
    slopes = gf.trapping.orbit_slopes(orbit)
    for epsilon in np.quantile(slopes, [0.05, 0.2, 0.5, 0.9, 1.0]):
        assert gf.trapping.longest_stay(orbit, float(epsilon) * (1 + 1e-12)).bound <= best.bound * (
            1 + 1e-9
        )


def test_the_slope_at_an_equilibrium_is_rounding_and_refused():
    """At 50 digits the slope there is what float64 rounding left; an epsilon of that size is refused."""
    drawn = Case((2, 3, 1), 5, seed=3)
    rest = jnp.zeros(13).at[-1].set(jnp.mean(drawn.problem.data.targets))
    network = PlainNetwork.like(drawn.problem.network)
    v = (network.outputs(EXTENDED(rest), EXTENDED(drawn.inputs)) - EXTENDED(drawn.targets)).ravel()
    exact = ROUNDED(network.jacobian(EXTENDED(rest), EXTENDED(drawn.inputs)).T @ v)
    assert np.linalg.norm(exact) < 1e-14
    orbit = gf.integrate(gf.standard, drawn.problem, rest, until=1.0, save=3)
    with pytest.raises(
        ValueError,
        match=r"epsilon = 1\.0e-17 lies below what float64 can tell .* rounding error of about",
    ):
        gf.trapping.longest_stay(orbit, 1e-17)
    with pytest.raises(
        ValueError, match="save the orbit more densely"
    ):  # no slope here stands out of rounding
        gf.trapping.longest_stay(orbit)


@pytest.mark.usefixtures("as_a_user")
def test_trapping_refuses():
    drawn, orbit = saturated(4.0)
    least = gf.trapping.orbit_slopes(orbit).min()
    with pytest.raises(
        ValueError, match=r"never enters the region .* its least slope is .*Give a larger epsilon"
    ):
        gf.trapping.longest_stay(orbit, 0.9 * least)
    with pytest.raises(
        ValueError, match="save the orbit more densely"
    ):  # exactly one saved state lies inside
        gf.trapping.longest_stay(orbit, least * (1 + 1e-12))
    with pytest.raises(ValueError, match="epsilon must be a finite number above zero, got 0"):
        gf.trapping.longest_stay(orbit, 0.0)
    with pytest.raises(ValueError, match="kept no states"):
        gf.trapping.longest_stay(dataclasses.replace(orbit, recorded={}))
    with pytest.raises(ValueError, match="at least two saved states"):
        gf.trapping.longest_stay(orbit.upto(0.0))
    adapted = gf.integrate("adapted", drawn.problem, drawn.theta, until=1.0, save=3)
    with pytest.raises(
        ValueError, match="speaks of the standard flow, this is an orbit of Adapted"
    ):
        gf.trapping.longest_stay(adapted)
    with pytest.raises(TypeError, match="orbit must be a Orbit, got Problem"):
        gf.trapping.longest_stay(drawn.problem)


def test_slopes_lie_between_the_singular_values():
    drawn, orbit = saturated(2.0)
    slopes = gf.trapping.orbit_slopes(orbit)
    assert (
        relative(
            slopes, [float(gf.trapping.slope(drawn.problem, t)) for t in jnp.asarray(orbit.theta)]
        )
        < 1e-12
    )
    assert (orbit.sigma_min * (1 - 1e-9) <= slopes).all()
    assert (slopes <= orbit.sigma_max * (1 + 1e-9)).all()
    assert bool(
        jnp.isnan(
            gf.trapping.slope(
                gf.Problem(
                    drawn.problem.network,
                    gf.Dataset(drawn.inputs, drawn.problem.outputs(drawn.theta)),
                ),
                drawn.theta,
            )
        )
    )
