"""Decoupled modes: closed forms against scipy's solution for the scalar weights, and against the whole network."""

import jax.numpy as jnp
import linear_reference as plain
import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
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
        assert float(ln.mode_velocity(ln.saxe_mode(0.5, sigma, u0), sigma, 1)) == pytest.approx(
            slope, abs=1e-8
        )


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


@given(
    sigmas, st.floats(1e-2, 5), st.sampled_from([1e-3, 1e-6, 1e-9, 1e-13]), st.sampled_from([1, -1])
)
def test_a_nearly_balanced_mode_is_saxes(sigma, u0, c, sign):
    nearly = ln.unbalanced_mode(T, sigma, u0, sign * c)
    assert nearly == pytest.approx(ln.saxe_mode(T, sigma, u0), rel=20 * (c / u0) ** 2 + 1e-10)


@given(sigmas, st.floats(1e-12, 1e-4))
def test_a_mode_that_starts_at_nothing(sigma, c):
    """u0 = 0: the imbalance alone starts it, u = (c/2) sinh 2σt while u is small, to all digits."""
    t = np.array([0.1, 0.5]) / sigma
    early = c / 2 * np.sinh(2 * sigma * t)
    assert ln.unbalanced_mode(t, sigma, 0.0, c) == pytest.approx(early, rel=1e-9 + 20 * c / sigma)


# every size against every other: powers of ten, times a mantissa that fills all digits
powers = st.tuples(st.floats(-8, 8), st.floats(1.0, 1.25)).map(
    lambda drawn: 10 ** drawn[0] * drawn[1]
)
units = st.sampled_from([1e-6, 1.0, 1e6])


def miss(measured, exact, scale=None):
    """|measured − exact| / scale, by default relative to exact, as 40 digits see it."""
    return float(abs(mpmath.mpf(float(measured)) - exact) / abs(exact if scale is None else scale))


@pytest.mark.parametrize(("H", "expected"), [(2, 19.988), (3, 23.701)])
def test_the_time_to_the_last_digit_before_sigma(H, expected):
    assert ln.mode_time(1 - 1e-14, 1e-3, 1.0, H) == pytest.approx(expected, abs=5e-4)
    assert (
        miss(ln.mode_time(1 - 1e-14, 1e-3, 1.0, H), plain.exact_mode_time(1 - 1e-14, 1e-3, 1.0, H))
        < 1e-13
    )


@settings(max_examples=60)
@given(
    st.sampled_from([2, 3, 4, 7]), units, st.floats(1.0, 2.0), st.floats(-8, -0.02), st.sampled_from(["near u0", "between", "near sigma"]),
    st.floats(0, 1),
)  # fmt: skip
def test_the_time_of_a_deep_mode_in_40_digits(H, unit, sigma, size, where, part):
    """u within 1e-14 of σ, u within 1e-9 of u0 and closer, and between; u0 from 1e-8σ on."""
    sigma = unit * sigma
    u0 = sigma * 10**size
    u = {
        "near u0": u0 * (1 + 10 ** (-13 + 4 * part)),
        "between": u0 + part * (sigma - u0),
        "near sigma": sigma * (1 - 10 ** (-14 + 8 * part)),
    }[where]
    assume(u0 < u < sigma)
    assert miss(ln.mode_time(u, u0, sigma, H), plain.exact_mode_time(u, u0, sigma, H)) < 1e-12


@given(st.sampled_from([2, 3]), sigmas, st.floats(1e-12, 1e-3))
def test_the_time_where_u0_itself_is_close_to_sigma(H, sigma, gap):
    u0 = sigma * (1 - gap)
    for part in (1e-3, 0.5, 0.999):
        u = u0 + part * (sigma - u0)
        if u0 < u < sigma:
            assert (
                miss(ln.mode_time(u, u0, sigma, H), plain.exact_mode_time(u, u0, sigma, H)) < 1e-12
            )
    assert ln.mode_time(u0, u0, sigma, H) == 0


def test_the_time_of_many_at_once():
    u = np.array([[0.1, 0.2], [0.5, 0.9]])
    many = ln.mode_time(u, 0.1, 1.0, 2)
    assert many.shape == (2, 2)
    assert many == pytest.approx(np.vectorize(lambda x: ln.mode_time(x, 0.1, 1.0, 2))(u), rel=1e-15)
    assert isinstance(ln.mode_time(0.5, 0.1, 1.0, 2), np.float64)
    assert isinstance(ln.unbalanced_mode(0.5, 1.0, 0.1, 1.0), np.float64)
    assert isinstance(ln.saxe_mode(0.5, 1.0, 0.1), np.float64)


@settings(max_examples=100)
@given(
    units,
    st.floats(1.0, 2.0),
    powers,
    st.one_of(st.just(0.0), st.floats(-4, 1.5).map(lambda e: 10**e)),
)
def test_saxes_form_in_40_digits(unit, sigma, start, time):
    """From 1e-8 σ to 1e8 σ; time counts in 1/σ."""
    sigma = unit * sigma
    u0, t = sigma * start, time / sigma
    exact = plain.exact_saxe_mode(t, sigma, u0)
    assert miss(ln.saxe_mode(t, sigma, u0), exact) < 1e-13 * max(1.0, time)


@settings(max_examples=100)
@given(
    units, st.floats(1.0, 2.0), st.one_of(st.just(0.0), powers, powers.map(lambda x: -x)), powers, st.sampled_from([1, -1]),
    st.one_of(st.just(0.0), st.floats(-6, 1.5).map(lambda e: 10**e)),
)  # fmt: skip
def test_the_unbalanced_mode_in_40_digits(unit, sigma, start, imbalance, sign, time):
    """Every size of u0 and c against σ; to all digits of u where u0 ≥ 0, and of the larger of u0 and u where the mode crosses 0."""
    sigma = unit * sigma
    u0, c = sigma * start, sign * sigma * imbalance
    rate = np.hypot(2 * sigma, c)
    t = time / rate
    assume(u0 or t)
    exact = plain.exact_unbalanced_mode(t, sigma, u0, c)
    measured = ln.unbalanced_mode(t, sigma, u0, c)
    assert miss(measured, exact, max(abs(exact), -u0)) < 1e-13 * max(1.0, time)


@settings(max_examples=60)
@given(sigmas, st.one_of(st.just(0.0), powers, powers.map(lambda x: -x)), powers, st.floats(2, 30))
def test_the_distance_to_sigma_keeps_its_digits(sigma, start, imbalance, time):
    """Late, when σ − u has fallen by up to e⁻³⁰: right to 1e-9 of itself, but for the last places of u, which are a float's."""
    u0, c = sigma * start, sigma * imbalance
    t = time / np.hypot(2 * sigma, c)
    left = sigma - ln.unbalanced_mode(t, sigma, u0, c)  # exact: u is near sigma
    with mpmath.workdps(40):
        exact = mpmath.mpf(sigma) - plain.exact_unbalanced_mode(t, sigma, u0, c)
        assume(abs(exact) < sigma / 2)
        assert abs(left - exact) <= 1e-9 * abs(exact) + np.spacing(sigma)


@pytest.mark.parametrize("gap", [1e-14, 1e-9, -1e-14, -1e-9])
@pytest.mark.parametrize("c", [1e-8, 1.0, 1e8])
def test_an_unbalanced_mode_that_starts_at_sigma(gap, c):
    u0 = 1.0 - gap
    for time in (0.0, 0.1, 3.0):
        t = time / np.hypot(2.0, c)
        with mpmath.workdps(40):
            exact = 1 - plain.exact_unbalanced_mode(t, 1.0, u0, c)
        assert (
            abs(1 - ln.unbalanced_mode(t, 1.0, u0, c) - float(exact)) <= 1e-9 * abs(gap) + 2.3e-16
        )


@given(sigmas, powers, powers)
def test_the_unbalanced_mode_starts_where_it_is_told(sigma, start, imbalance):
    for u0 in (0.0, sigma * start, -sigma * start):
        assert ln.unbalanced_mode(0.0, sigma, u0, sigma * imbalance) == pytest.approx(u0, rel=1e-15)


def network(H):
    return ln.ReducedProblem(np.array([3.0, 1.0]), 3, (4, 2)[:H])


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
    theta = problem.theta_of([jnp.asarray(W) for W in Ws])
    assert np.asarray(ln.mode_strengths(problem, theta)) == pytest.approx(
        np.diagonal(plain.product(Ws)), rel=1e-13
    )


def test_an_orbit_of_the_whole_network_is_saxes():
    problem = network(1)
    orbit = gf.integrate(ln.gdd, problem, ln.aligned_start(problem, 1e-3), until=8.0, save=9)
    u = np.array([ln.mode_strengths(problem, theta) for theta in map(jnp.asarray, orbit.theta)])
    for i, sigma in enumerate((3.0, 1.0)):
        assert u[:, i] == pytest.approx(ln.saxe_mode(orbit.s, sigma, 1e-3), abs=1e-8)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    with pytest.raises(ValueError, match=r"must carry all d_y = 2 modes, got widths \(3, 1, 2\)"):
        ln.aligned_start(ln.ReducedProblem(np.array([2.0, 1.0]), 3, (1,)), 0.1)
    with pytest.raises(ValueError, match=r"u0 must be a finite number above zero, got 0\.0"):
        ln.aligned_start(network(1), 0.0)
    with pytest.raises(TypeError, match="u0 must be one number, got 'small'"):
        ln.aligned_start(network(1), "small")
    for mode in (
        lambda sigma, u0: ln.saxe_mode(1.0, sigma, u0),
        lambda sigma, u0: ln.mode_time(1.0, u0, sigma, 2),
    ):
        with pytest.raises(ValueError, match="u0 must be a finite number above zero"):
            mode(2.0, 0.0)
        with pytest.raises(ValueError, match="sigma must be a finite number above zero"):
            mode(-2.0, 0.1)
        with pytest.raises(TypeError, match=r"sigma must be one number, got \[2\.0, 1\.0\]"):
            mode([2.0, 1.0], 0.1)
    for mode in (
        lambda t: ln.saxe_mode(t, 2.0, 0.1),
        lambda t: ln.unbalanced_mode(t, 2.0, 0.1, 1.0),
    ):
        for t in (-0.5, [0.0, -0.5, 1.0]):
            with pytest.raises(ValueError, match=r"the closed form is for times t ≥ 0, got -0\.5"):
                mode(t)
        with pytest.raises(ValueError, match="t must be finite, but 1 of 2 entries are NaN"):
            mode([1.0, np.nan])
        with pytest.raises(TypeError, match="t must be an array of numbers, got None"):
            mode(None)
    with pytest.raises(ValueError, match=r"\|c\| must be a finite number above zero"):
        ln.unbalanced_mode(1.0, 2.0, 0.1, 0.0)
    with pytest.raises(ValueError, match="c must be a finite number, got nan"):
        ln.unbalanced_mode(1.0, 2.0, 0.1, np.nan)
    with pytest.raises(ValueError, match="u0 must be a finite number, got inf"):
        ln.unbalanced_mode(1.0, 2.0, np.inf, 1.0)
    with pytest.raises(ValueError, match="for H = 1 the mode itself has a closed form: saxe_mode"):
        ln.mode_time(0.5, 0.1, 2.0, 1)
    for u in (0.05, 2.0, [0.5, 0.05]):
        with pytest.raises(ValueError, match=r"need u0 = 0\.1 ≤ u < σ = 2\.0"):
            ln.mode_time(u, 0.1, 2.0, 2)
    with pytest.raises(
        ValueError,
        match=r"u must be finite, but 1 of 2 entries are NaN or infinite \(first at index \(1,\)\)",
    ):
        ln.mode_time([0.5, np.nan], 0.1, 2.0, 2)
    with pytest.raises(ValueError, match=r"modes of strength u ≥ 0, got .*see unbalanced_mode"):
        ln.mode_velocity([0.5, -0.1], 2.0, 2)
    with pytest.raises(ValueError, match="H must be a whole number of at least 1, got 0"):
        ln.mode_velocity(0.5, 2.0, 0)
    with pytest.raises(TypeError, match=r"H must be a whole number, got 2\.0"):
        ln.mode_time(0.5, 0.1, 2.0, 2.0)
