"""Orbits against closed forms, and every way in which an orbit can end.

A new shape or option compiles for seconds: hypothesis draws seeds and scales here, over few shapes, always nine states.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from reference import PlainNetwork
from scipy.linalg import expm
from strategies import Case, relative, scales, seeds

import geoflow as gf

SAVE = 9
# A saved state between two steps is interpolated by Dopri8's dense output: up to 5e-9 of |x_0 − y| was measured.
INTERPOLATED = 1e-8


def assert_finite(orbit):
    """What is promised of every orbit that is returned, whatever its status."""
    for array in (orbit.s, orbit.outputs, orbit.cost, orbit.states, orbit.end):
        assert np.isfinite(array).all()
    if orbit.in_parameters:
        assert np.isfinite(orbit.sigma_min).all()
    assert np.array_equal(orbit.states[-1], orbit.end)
    assert (np.diff(orbit.s) > 0).all()
    for name in ("outputs", "cost", "states", "sigma_min", "sigma_max"):
        assert len(getattr(orbit, name)) == len(orbit.s)


def straight(problem, x0, s):
    """y + e^(−s/N)(x_0 − y), in plain numpy."""
    x0, y = np.asarray(x0), np.asarray(problem.data.targets)
    return np.array([y + np.exp(-t / problem.N) * (x0 - y) for t in s])


def off_the_line(orbit, problem):
    """max |x(s) − y − e^(−s/N)(x_0 − y)| / |x_0 − y|."""
    deviation = np.linalg.norm(
        orbit.outputs - straight(problem, orbit.outputs[0], orbit.s), axis=(1, 2)
    )
    return deviation.max() / np.linalg.norm(orbit.outputs[0] - np.asarray(problem.data.targets))


# --- the adapted flow: GM Theorem 2.1 ---------------------------------------------------------------------

# overparametrized shapes: one output, deep with several outputs, one layer, one sample
SHAPES = [
    Case((2, 16, 1), 8),
    Case((3, 6, 6, 2), 4, "softplus"),
    Case((5, 3), 4),
    Case((2, 5, 2), 1, "sin", bias=False),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda c: f"{c.widths}-N{c.N}-{c.activation}")
@settings(max_examples=8)
@given(seed=seeds, scale=scales)
def test_adapted_outputs_go_straight_to_the_targets(shape, seed, scale):
    drawn = shape.like(seed=seed, scale=scale)
    orbit = gf.integrate(
        gf.adapted,
        drawn.problem,
        drawn.theta,
        until=3.0 * drawn.N,
        save=SAVE,
        throw=False,
        max_steps=2000,
    )
    assert_finite(orbit)
    # some draws meet the wall det DDᵀ = 0: the law holds up to there
    assert orbit.status.ok or orbit.status in (gf.Status.rank_loss, gf.Status.max_steps)
    limit = INTERPOLATED if orbit.sigma_min.min() > 1e-5 * orbit.sigma_max.max() else 1e-6
    assert off_the_line(orbit, drawn.problem) < limit
    assert np.allclose(
        orbit.cost, orbit.cost[0] * np.exp(-2 * orbit.s / drawn.N), rtol=1e-5, atol=0
    )


@pytest.mark.parametrize("shape", SHAPES, ids=lambda c: f"{c.widths}-N{c.N}-{c.activation}")
def test_adapted_orbits_complete_and_end_with_the_predicted_cost(shape):
    for seed in range(3):
        drawn = shape.like(seed=seed)
        orbit = gf.integrate(
            gf.adapted,
            drawn.problem,
            drawn.theta,
            until=3.0 * drawn.N,
            save=SAVE,
            throw=False,
            max_steps=2000,
        )
        assert orbit.status is gf.Status.completed, orbit
        assert orbit.s[-1] == 3 * drawn.N
        assert orbit.cost[-1] == pytest.approx(np.exp(-6) * orbit.cost[0], rel=1e-6)


LINEAR = {
    "over": Case((5, 3), 4, seed=1),
    "border": Case((3, 2), 3, bias=False, seed=2),
    "under": Case((2, 2), 7, seed=3),
}


@pytest.mark.parametrize("regime", LINEAR)
def test_adapted_flow_of_linear_least_squares(regime):
    """D is constant: θ(s) = θ_0 − (1 − e^(−s/N)) D⁺(x_0 − y) in every regime (GM Theorems 2.1, 5.1)."""
    drawn = LINEAR[regime]
    assert drawn.problem.regime == regime
    orbit = gf.integrate(
        gf.adapted,
        drawn.problem,
        drawn.theta,
        until=3.0 * drawn.N,
        save=SAVE,
        throw=False,
        max_steps=2000,
    )
    assert orbit.status is gf.Status.completed
    plain = PlainNetwork.like(drawn.problem.network)
    theta0 = np.asarray(drawn.theta)
    whole = (
        np.linalg.pinv(plain.jacobian(theta0, drawn.inputs))
        @ (plain.outputs(theta0, drawn.inputs) - drawn.targets).ravel()
    )
    for s, theta in zip(orbit.s, orbit.theta, strict=True):
        assert np.linalg.norm(
            theta - (theta0 - (1 - np.exp(-s / drawn.N)) * whole)
        ) < INTERPOLATED * np.linalg.norm(whole)


def test_the_clock_tau_follows_the_same_orbit():
    drawn = SHAPES[0].like(seed=1)
    until = 4.0 * drawn.N
    in_s = gf.integrate(
        gf.adapted, drawn.problem, drawn.theta, until=until, save=SAVE, throw=False, max_steps=2000
    )
    in_tau = gf.integrate(gf.adapted_tau, drawn.problem, drawn.theta, until=until, save=SAVE)
    assert in_s.status is in_tau.status is gf.Status.completed
    assert np.array_equal(in_s.s, in_tau.s)  # both in flow time
    assert relative(in_tau.theta, in_s.theta) < 1e-8
    assert in_tau.steps < in_s.steps
    assert_finite(in_tau)


def test_in_the_clock_tau_newton_lands_on_the_line():
    """Loose tolerances leave an error, which `off_the_line` shows; the last state is corrected."""
    drawn = SHAPES[0].like(seed=1)
    loose = gf.integrate(
        gf.adapted_tau, drawn.problem, drawn.theta, until=32.0, save=SAVE, rtol=1e-5, atol=1e-7
    )
    x0, y = loose.outputs[0], drawn.targets
    size = np.linalg.norm(x0 - y)
    error = np.linalg.norm(loose.outputs - straight(drawn.problem, x0, loose.s), axis=(1, 2)) / size
    assert relative(gf.off_the_line(loose), error) < 1e-8
    assert error[-2] > 1e-10  # the integrator's own error
    assert error[-1] < 1e-13  # after the correction
    assert relative(loose.outputs[-1], drawn.problem.outputs(jnp.asarray(loose.end))) < 1e-14
    tight = gf.integrate(gf.adapted_tau, drawn.problem, drawn.theta, until=32.0, save=SAVE)
    assert relative(loose.end, tight.end) < 1e-4
    assert gf.off_the_line(tight).max() < 1e-9 < error.max()


# --- a target cost: GM Theorem 2.3 ------------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["adapted", "comparison"])
def test_the_stopping_time_is_known_in_advance(flow):
    for seed in (0, 1):
        drawn = SHAPES[0].like(seed=seed)
        cost0 = float(drawn.problem.cost(drawn.theta))
        predicted = drawn.N / 2 * np.log(1e6)
        assert gf.stopping_time(cost0, 1e-6 * cost0, drawn.N) == pytest.approx(predicted, rel=1e-14)
        orbit = gf.integrate(
            flow, drawn.problem, drawn.theta, until=1.5 * predicted, cost=1e-6 * cost0, save=SAVE
        )
        assert orbit.status is gf.Status.cost_reached
        # the event is located on the dense output, where |x − y| is 1e-3 of |x_0 − y|: a relative error of 1e-8·1e3
        assert orbit.s[-1] == pytest.approx(predicted, rel=1e-6)
        assert orbit.cost[-1] == pytest.approx(1e-6 * cost0, rel=1e-5)
        assert_finite(orbit)


def test_a_cost_that_is_not_reached_is_a_failure():
    drawn = SHAPES[0].like(seed=0)
    cost0 = float(drawn.problem.cost(drawn.theta))
    with pytest.raises(
        gf.OrbitStopped, match=r"flow time ran out before the cost.*Give a larger `until`"
    ) as stopped:
        gf.integrate(
            gf.adapted, drawn.problem, drawn.theta, until=8.0, cost=1e-6 * cost0, save=SAVE
        )
    orbit = stopped.value.orbit
    assert orbit.status is gf.Status.cost_not_reached
    assert not orbit.status.ok
    assert orbit.s[-1] == 8.0
    assert orbit.cost[-1] == pytest.approx(np.exp(-2) * cost0, rel=1e-6)


# --- the comparison and the standard flow -----------------------------------------------------------------


@settings(max_examples=8)
@given(seed=seeds)
def test_the_comparison_flow_is_its_closed_form(seed):
    drawn = Case((2, 3, 2), 5, seed=seed)
    from_theta = gf.integrate(gf.comparison, drawn.problem, drawn.theta, until=15.0, save=SAVE)
    assert from_theta.status is gf.Status.completed
    assert off_the_line(from_theta, drawn.problem) < INTERPOLATED
    with pytest.raises(ValueError, match="has outputs and no theta"):
        from_theta.theta  # noqa: B018
    assert np.array_equal(from_theta.end, from_theta.outputs[-1])
    assert np.isnan(from_theta.sigma_min).all()
    from_x = gf.integrate(
        gf.comparison, drawn.problem, drawn.problem.outputs(drawn.theta), until=15.0, save=SAVE
    )
    assert np.array_equal(from_x.outputs, from_theta.outputs)
    assert_finite(from_x)


@settings(max_examples=6)
@given(seed=seeds)
def test_the_standard_flow_of_linear_least_squares(seed):
    """θ' = −Dᵀ(Dθ − y)/N with constant D, solved by one matrix exponential."""
    drawn = Case((3, 2), 5, seed=seed)
    orbit = gf.integrate(gf.standard, drawn.problem, drawn.theta, until=10.0, save=SAVE)
    assert orbit.status is gf.Status.completed
    D = PlainNetwork.like(drawn.problem.network).jacobian(np.asarray(drawn.theta), drawn.inputs)
    K = drawn.problem.K
    generator = np.zeros((K + 1, K + 1))
    generator[:K, :K], generator[:K, K] = -D.T @ D / drawn.N, D.T @ drawn.targets.ravel() / drawn.N
    for s, theta in zip(orbit.s, orbit.theta, strict=True):
        exact = (expm(s * generator) @ np.append(drawn.theta, 1.0))[:K]
        assert relative(theta, exact) < INTERPOLATED


@settings(max_examples=6)
@given(seed=seeds, scale=scales)
def test_the_standard_flow_lowers_the_cost_and_follows_the_gradient(seed, scale):
    drawn = SHAPES[0].like(seed=seed, scale=scale)
    orbit = gf.integrate(gf.standard, drawn.problem, drawn.theta, until=0.2, save=SAVE)
    assert orbit.status is gf.Status.completed
    assert (np.diff(orbit.cost) <= 0).all()
    assert_finite(orbit)
    # dC/ds = −|∇C|² (NA (1.9)), by Simpson over the saved states
    squares = np.array(
        [np.sum(np.asarray(drawn.problem.gradient(jnp.asarray(t))) ** 2) for t in orbit.theta]
    )
    h = orbit.s[1] - orbit.s[0]
    simpson = (
        h / 3 * (squares[0] + 4 * squares[1:-1:2].sum() + 2 * squares[2:-1:2].sum() + squares[-1])
    )
    assert orbit.cost[0] - orbit.cost[-1] == pytest.approx(simpson, rel=5e-3)


# --- what is saved ----------------------------------------------------------------------------------------


def test_saved_times_and_states():
    drawn = Case((3, 2), 5, seed=1)  # the comparison flow of a small problem: cheap
    chosen = gf.integrate(
        gf.comparison, drawn.problem, drawn.theta, until=5.0, save=np.array([0.5, 1.0, 4.0])
    )
    assert np.allclose(chosen.s, [0.5, 1.0, 4.0, 5.0], rtol=0, atol=1e-14)  # and goes on to `until`
    equal = gf.integrate(gf.comparison, drawn.problem, drawn.theta, until=5.0, save=4)
    assert np.allclose(equal.s, [0, 5 / 3, 10 / 3, 5], rtol=0, atol=1e-14)
    assert "completed at s = 5" in repr(equal)


def test_what_is_recorded_and_what_is_computed_later():
    drawn = SHAPES[0].like(seed=1)
    full = gf.integrate(
        gf.adapted, drawn.problem, drawn.theta, until=8.0, save=SAVE, throw=False, max_steps=2000
    )
    slim = gf.integrate(
        gf.adapted, drawn.problem, drawn.theta, until=8.0, save=SAVE, record=("outputs", "sigma")
    )
    with pytest.raises(ValueError, match=r"kept no states: integrate with record=\('theta',\)"):
        slim.theta  # noqa: B018
    assert relative(slim.end, full.end) < 1e-14
    assert (set(full.recorded), set(slim.recorded)) == ({"theta"}, {"outputs", "sigma"})
    for name in ("s", "outputs", "cost", "sigma_min", "sigma_max"):
        assert relative(getattr(slim, name), getattr(full, name)) < 1e-12
    D = PlainNetwork.like(drawn.problem.network).jacobian(full.theta[3], drawn.inputs)
    sigma = np.linalg.svd(D, compute_uv=False)
    assert (full.sigma_max[3], full.sigma_min[3]) == pytest.approx((sigma[0], sigma[-1]), rel=1e-9)


def test_progress_is_shown_when_asked(capfd):
    drawn = Case((3, 2), 5, seed=1)
    quiet = gf.integrate(gf.comparison, drawn.problem, drawn.theta, until=5.0, save=4)
    assert "%" not in capfd.readouterr().err
    shown = gf.integrate(
        gf.comparison, drawn.problem, drawn.theta, until=5.0, save=4, progress=True
    )
    assert "100" in capfd.readouterr().err
    assert np.array_equal(shown.outputs, quiet.outputs)


# --- how orbits end before their time ---------------------------------------------------------------------


def three_points(*targets):
    """x_j = a·tanh(w z_j + b) + c at z = −1, 0, 1 from (w, b, a, c) = (.8, .2, 1, .1): K = 4 > QN = 3."""
    data = gf.Dataset(jnp.array([[-1.0], [0.0], [1.0]]), jnp.array(targets)[:, None])
    return gf.Problem(gf.MLP((1, 1, 1)), data), jnp.array([0.8, 0.2, 1.0, 0.1])


def blow_up_time(problem, theta):
    """s* = 3 ln(1 + r − q) for x_0 = (p, q, r) and y = (0, 1, 0), which no increasing function comes close to."""
    p, q, r = np.asarray(problem.outputs(theta)).ravel()
    assert p < q < r
    return 3 * np.log(1 + r - q)


def test_an_orbit_that_blows_up_ends_there_with_its_reason():
    problem, theta = three_points(0.0, 1.0, 0.0)
    predicted = blow_up_time(problem, theta)
    with pytest.raises(
        gf.OrbitStopped, match=r"D lost rank.*stopped at flow time s = 1\.34.*rank_tolerance=None"
    ) as stopped:
        gf.integrate(gf.adapted, problem, theta, until=5.0, save=SAVE)
    orbit = stopped.value.orbit
    returned = gf.integrate(gf.adapted, problem, theta, until=5.0, save=SAVE, throw=False)
    assert returned.status is orbit.status is gf.Status.rank_loss
    assert np.array_equal(returned.theta, orbit.theta)
    assert_finite(orbit)
    assert orbit.s[-1] == pytest.approx(predicted, abs=1e-5)
    assert orbit.s[-1] < predicted
    assert orbit.sigma_min[-1] <= 1e-7 * (1 + 1e-6) * orbit.sigma_max[-1]
    assert off_the_line(orbit, problem) < 1e-6
    # the saved times before the end, and the end
    assert np.allclose(orbit.s[:-1], [0, 0.625, 1.25], rtol=0, atol=1e-14)


def test_without_a_rank_tolerance_the_blow_up_uses_up_the_steps():
    problem, theta = three_points(0.0, 1.0, 0.0)
    orbit = gf.integrate(
        gf.adapted,
        problem,
        theta,
        until=5.0,
        save=SAVE,
        rank_tolerance=None,
        max_steps=500,
        throw=False,
    )
    assert orbit.status is gf.Status.max_steps
    assert_finite(orbit)
    assert orbit.s[-1] == pytest.approx(blow_up_time(problem, theta), abs=1e-5)
    assert orbit.steps == 500


def test_the_same_network_with_a_target_it_can_fit_completes():
    problem, theta = three_points(0.0, 0.0, 1.0)
    orbit = gf.integrate(gf.adapted, problem, theta, until=5.0, save=SAVE, throw=False)
    assert orbit.status is gf.Status.completed
    assert off_the_line(orbit, problem) < INTERPOLATED


def test_rank_loss_at_the_start():
    drawn = SHAPES[0].like(seed=1, twin_distance=0.0)
    with pytest.raises(gf.OrbitStopped, match=r"D lost rank.*flow time s = 0"):
        gf.integrate(gf.adapted, drawn.problem, drawn.theta, until=8.0, save=SAVE)
    orbit = gf.integrate(gf.adapted, drawn.problem, drawn.theta, until=8.0, save=SAVE, throw=False)
    assert orbit.status is gf.Status.rank_loss
    assert np.array_equal(orbit.s, [0.0])
    assert np.array_equal(orbit.theta, drawn.theta[None])
    assert orbit.cost[0] == pytest.approx(float(drawn.problem.cost(drawn.theta)))
    assert orbit.sigma_min[0] < 1e-12 * orbit.sigma_max[0]
    assert orbit.steps == 0


def test_under_rank_loss_the_least_squares_flow_has_its_closed_form():
    """Conflicting labels on a duplicated input: C − C* = e^(−2s/N)(C_0 − C*), C* = (y_1 − y_N)²/(4N) (GM Theorem 4.1)."""
    drawn = SHAPES[0].like(seed=1, twin_distance=0.0)
    orbit = gf.integrate(
        gf.adapted,
        drawn.problem,
        drawn.theta,
        until=24.0,
        save=SAVE,
        rank_tolerance=None,
        max_steps=2000,
    )
    least = float(drawn.targets[0, 0] - drawn.targets[-1, 0]) ** 2 / (4 * 8)
    decay = np.exp(-2 * orbit.s / 8)
    assert np.allclose(
        orbit.cost - least,
        decay * (orbit.cost[0] - least),
        rtol=0,
        atol=INTERPOLATED * orbit.cost[0],
    )


def test_out_of_steps():
    drawn = Case((3, 2), 5, seed=1)
    with pytest.raises(gf.OrbitStopped, match=r"gave up .*steps used up.*larger `max_steps`"):
        gf.integrate(gf.comparison, drawn.problem, drawn.theta, until=5.0, save=4, max_steps=2)


def test_an_orbit_that_leaves_the_domain_returns_what_was_finite():
    """x = √θ, y = −2: θ reaches 0, where x has no derivative, in finite time; beyond it x is NaN."""
    network = gf.FunctionNetwork(lambda theta, inputs: jnp.sqrt(theta)[:, None] * inputs, 1)
    problem = gf.Problem(network, gf.Dataset(jnp.ones((1, 1)), jnp.array([[-2.0]])))
    orbit = gf.integrate(
        gf.standard, problem, jnp.ones(1), until=5.0, save=5, max_steps=300, throw=False
    )
    assert orbit.status in (gf.Status.max_steps, gf.Status.non_finite)
    assert_finite(orbit)
    assert 0 < orbit.s[-1] < 1
    with pytest.raises(ValueError, match=r"cost at the start is nan.*smaller `scale`"):
        gf.integrate(
            gf.standard, problem, -jnp.ones(1), until=5.0, save=5, max_steps=300, throw=False
        )


# --- kinks, followed almost everywhere --------------------------------------------------------------------

#: inputs, targets and parameters at which every neuron stays active: there ReLU is the identity
ACTIVE = gf.Dataset(np.array([[0.5, 0.2], [1.0, 0.7], [0.3, 1.1]]), np.array([[2.0], [4.0], [3.5]]))
POSITIVE = jnp.array([0.5, 0.3, 0.2, 0.6, 0.4, 0.1, 0.3, 0.5, 0.7, 0.4, 0.6, 0.3, 0.2])
FOLLOWED = gf.Problem(gf.MLP((2, 3, 1), gf.almost_everywhere(gf.relu)), ACTIVE)


@pytest.mark.parametrize("flow", ["standard", "adapted"])
def test_relu_is_followed_and_the_orbit_says_so(flow):
    options = {"until": 6.0, "save": SAVE, "max_steps": 2000}
    orbit = gf.integrate(flow, FOLLOWED, POSITIVE, **options)
    assert orbit.status is gf.Status.completed
    assert not orbit.classical
    assert repr(orbit).startswith("Orbit(completed, almost everywhere at s = 6")
    affine = gf.integrate(
        flow, gf.Problem(gf.MLP((2, 3, 1), "identity"), ACTIVE), POSITIVE, **options
    )
    assert affine.status is gf.Status.completed
    assert affine.classical
    assert relative(orbit.theta, affine.theta) < 1e-9
    (W_1, b_1), _ = PlainNetwork((2, 3, 1)).layers(orbit.end)
    assert (np.asarray(ACTIVE.inputs) @ W_1.T + b_1).min() > 0  # as promised above
    if flow == "adapted":
        assert off_the_line(orbit, FOLLOWED) < INTERPOLATED


def test_a_cost_and_failures_across_kinks():
    """The outcome is the outcome; that derivatives exist almost everywhere only is said beside it."""
    options = {"save": SAVE, "max_steps": 2000, "throw": False}
    reached = gf.integrate("adapted", FOLLOWED, POSITIVE, until=60.0, cost=1e-4, **options)
    assert reached.status is gf.Status.cost_reached
    assert not reached.classical
    assert reached.cost[-1] <= 1e-4 * (1 + 1e-6)
    short = gf.integrate("adapted", FOLLOWED, POSITIVE, until=0.1, cost=1e-4, **options)
    assert short.status is gf.Status.cost_not_reached
    # no neuron active: rank D = 1
    dead = gf.integrate("adapted", FOLLOWED, -POSITIVE, until=6.0, **options)
    assert dead.status is gf.Status.rank_loss
    stopped = gf.integrate(
        "adapted", FOLLOWED, POSITIVE, until=6.0, save=SAVE, max_steps=2, throw=False
    )
    assert stopped.status is gf.Status.max_steps
    assert not any(orbit.status.ok for orbit in (short, dead, stopped))
    with pytest.raises(gf.OrbitStopped, match=r"D lost rank.*rank_tolerance=None"):
        gf.integrate("adapted", FOLLOWED, -POSITIVE, until=6.0)


def test_without_a_hidden_layer_nothing_is_marked():
    linear = gf.Problem(gf.MLP((2, 1), gf.almost_everywhere(gf.relu)), ACTIVE)
    orbit = gf.integrate("adapted", linear, jnp.zeros(3), until=6.0, save=SAVE)
    assert orbit.status is gf.Status.completed
    assert orbit.classical


# --- refusals ---------------------------------------------------------------------------------------------

DRAWN = Case((2, 3, 1), 4, seed=1)
UNDER = Case((2, 2, 1), 20, seed=1)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"flow": "gradient"}, r"unknown flow 'gradient'.*comparison, standard, adapted"),
        ({"until": 0.0}, "until must be a finite number above zero, got 0"),
        ({"until": -1.0}, "until must be a finite number above zero, got -1"),
        ({"until": np.inf}, "until must be a finite number above zero, got inf"),
        ({"rtol": -1e-9}, "rtol must be a finite number above zero"),
        ({"atol": 0.0}, "atol must be a finite number above zero"),
        ({"rank_tolerance": -1.0}, "rank_tolerance must be a finite number above zero"),
        ({"max_steps": 0}, "max_steps must be a whole number of at least 1, got 0"),
        ({"save": 0}, "save must be a whole number of at least 1, got 0"),
        ({"save": [0.2, np.nan, 0.8]}, "save must be finite, but 1 of 3 entries are NaN"),
        ({"save": np.array([0.0, 2.0, 1.0])}, "save must be increasing flow times"),
        (
            {"save": np.array([0.0, 9.0])},
            r"save must be increasing flow times in \[0, until\] = \[0, 8\]",
        ),
        ({"save": np.array([])}, "save must be increasing flow times"),
        ({"cost": -1.0}, "cost must be a finite number above zero, got -1"),
        ({"cost": np.nan}, "cost must be a finite number above zero, got nan"),
        (
            {"rank_tolerance": 1e-18},
            r"rank_tolerance = 1\.0e-18 lies below what rounding leaves of a zero singular value",
        ),
        ({"rank_tolerance": "none"}, "rank_tolerance must be a number, None or 'flow', got 'none'"),
        (
            {"record": "theta"},
            r"record must name what to keep, out of theta, outputs, sigma, as record=\('theta', 'sigma'\)",
        ),
        (
            {"flow": "adapted_tau", "until": 121.0},
            r"up to 30 N = 120.*integrate `adapted` in flow time",
        ),
        (
            {"flow": "adapted_tau", "problem": UNDER},
            r"needs K ≥ QN, got K = 9 < QN = 20: use `adapted`",
        ),
        ({"start": np.zeros(4)}, r"theta must have shape \(K,\) = \(13,\), got \(4,\)"),
        ({"start": np.full(13, np.nan)}, "theta must be finite"),
        (
            {"flow": "comparison", "start": np.zeros((4, 2))},
            r"x must have the targets' shape \(4, 1\), got \(4, 2\)",
        ),
    ],
)
def test_refuses_what_cannot_be_meant(changes, words):
    drawn = changes.pop("problem", DRAWN) if "problem" in changes else DRAWN
    arguments = {"flow": "adapted", "start": drawn.theta, "until": 8.0} | changes
    with pytest.raises(ValueError, match=words):
        gf.integrate(arguments.pop("flow"), drawn.problem, arguments.pop("start"), **arguments)


@pytest.mark.usefixtures("as_a_user")
def test_refuses_float32_and_kinks():
    with pytest.raises(TypeError, match="theta must be float64, got float32"):
        gf.integrate("adapted", DRAWN.problem, np.zeros(13, np.float32), until=1.0)
    kinked = gf.Problem(gf.MLP((2, 3, 1), "relu"), DRAWN.problem.data)
    for flow in ("standard", "adapted"):
        with pytest.raises(
            ValueError, match=r"has a kink \(relu\).*smooth_relu.*almost_everywhere\(relu\)"
        ):
            gf.integrate(flow, kinked, DRAWN.theta, until=1.0)
