"""Small inputs that once gave wrong numbers with a good status, each with its second witness and its relatives."""

import dataclasses
import pickle

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainNetwork
from strategies import Case, seeds

import geoflow as gf

DATA = gf.generic(jax.random.key(0), 4, 2, 1)
PROBLEM = gf.Problem(gf.MLP((2, 8, 1)), DATA)
THETA = PROBLEM.network.init(jax.random.key(1))


# --- a component's `ok` that nobody looked at -------------------------------------------------------------


def test_a_linear_solver_that_gives_up_is_a_status():
    """One LSMR step is no solution: the orbit stops where it is, with advice; a solver that converges follows the law."""
    flow = gf.Adapted(solver=gf.LSMR(max_steps=1))
    with pytest.raises(
        gf.OrbitStopped, match=r"linear solver could not find.*LSMR that did not converge.*Auto\(\)"
    ) as stopped:
        gf.integrate(flow, PROBLEM, THETA, until=5.0, save=5)
    orbit = stopped.value.orbit
    assert orbit.status is gf.Status.linear_solve_failed
    assert orbit.s.tolist() == [0.0]
    assert np.array_equal(orbit.end, THETA)
    for solver in (gf.LSMR(), gf.Auto()):
        good = gf.integrate(gf.Adapted(solver=solver), PROBLEM, THETA, until=5.0, save=5)
        assert good.cost[-1] == pytest.approx(good.cost[0] * np.exp(-10 / 4), rel=1e-8)
    with pytest.raises(gf.LinearSolveFailed, match=r"not known here.*Auto\(\)"):
        flow(PROBLEM, THETA)
    assert np.isnan(jax.jit(lambda t: flow(PROBLEM, t))(THETA)).all()


def test_a_solver_that_gives_up_on_the_way_keeps_what_came_before():
    """`accept` is met at the start and not near rank loss: the orbit ends between, and its states obey the law."""
    data = gf.Dataset(jnp.array([[-1.0], [0.0], [1.0]]), jnp.array([[0.0], [1.0], [0.0]]))
    problem, start = gf.Problem(gf.MLP((1, 1, 1)), data), jnp.array([0.8, 0.2, 1.0, 0.1])
    flow = gf.Adapted(solver=gf.LayeredCholesky(max_refinements=1, accept=1e-12))
    orbit = gf.integrate(
        flow, problem, start, until=5.0, save=400, rank_tolerance=None, throw=False
    )
    assert orbit.status is gf.Status.linear_solve_failed
    assert 0.5 < orbit.s[-1] < 1.343
    assert np.isfinite(orbit.theta).all()
    assert orbit.cost == pytest.approx(orbit.cost[0] * np.exp(-2 * orbit.s / 3), rel=1e-7)
    D = PlainNetwork.like(problem.network).jacobian(orbit.end, np.asarray(data.inputs))
    assert np.linalg.cond(D) > 10 * np.linalg.cond(
        PlainNetwork.like(problem.network).jacobian(np.asarray(start), np.asarray(data.inputs))
    )


def test_in_a_batch_too():
    starts = jnp.stack([THETA, 0.9 * THETA])
    flow = gf.Adapted(solver=gf.LSMR(max_steps=1))
    quiet = gf.integrate_many(flow, PROBLEM, starts, until=5.0, throw=False)
    assert quiet.status.tolist() == [gf.Status.linear_solve_failed] * 2
    with pytest.raises(gf.EnsembleStopped, match=r"2 of 2 orbits .*linear solver could not"):
        gf.integrate_many(flow, PROBLEM, starts, until=5.0)


# --- a fixed cut-off taken for a decision -----------------------------------------------------------------


def test_least_squares_on_years():
    """Columns 1, year, year²: sigma ratio 4e-12 is no rounding error. 60 digits say .323367."""
    t = np.arange(1990.0, 2021.0)
    noise = np.random.default_rng(0).normal(size=31)
    y = 0.01 * (t - 2000) ** 2 + noise
    data = gf.Dataset(np.stack([np.ones_like(t), t, t**2], axis=1), y[:, None])
    problem = gf.Problem(gf.MLP((3, 1), bias=False), data)
    centred = np.stack([np.ones_like(t), t - 2005, (t - 2005) ** 2], axis=1)
    right = np.sum((y - centred @ np.linalg.lstsq(centred, y, rcond=None)[0]) ** 2) / 62
    assert float(gf.stationary_cost(problem, jnp.zeros(3))) == pytest.approx(right, rel=1e-8)
    for solver in (gf.Auto(), gf.DenseSVD()):
        found = solver(problem, jnp.zeros(3), problem.residual(jnp.zeros(3)))
        assert found.ok
        assert float(problem.cost(-found.w)) == pytest.approx(right, rel=1e-6)
    assert not gf.numerical_rank(problem.jacobian(jnp.zeros(3))).decided
    # a cut-off of one's own is what it says, and it matters
    assert float(gf.stationary_cost(problem, jnp.zeros(3), rtol=1e-10)) > 1.5 * right


# --- an event seen only at step ends ----------------------------------------------------------------------


def saddle_of_rank():
    """x = (θ_0, θ_0θ_1): det D = θ_0, and the standard flow to (−3, ½) carries it through zero."""
    network = gf.FunctionNetwork(lambda t, _: jnp.stack([t[0], t[0] * t[1]])[None], 2)
    return gf.Problem(network, gf.Dataset([[0.0]], [[-3.0, 0.5]])), jnp.array([2.0, 0.3])


@pytest.mark.parametrize("save", [2, 9, 201])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-9])
def test_a_rank_loss_inside_a_step_is_found(save, tolerance):
    problem, start = saddle_of_rank()
    orbit = gf.integrate(
        gf.standard, problem, start, until=40.0, save=save, rank_tolerance=tolerance, throw=False
    )
    assert orbit.status is gf.Status.rank_loss
    dets = np.array(
        [np.linalg.det(np.asarray(problem.jacobian(jnp.asarray(t)))) for t in orbit.theta]
    )
    assert (dets > -1e-8).all()
    ratio = orbit.sigma_min[-1] / orbit.sigma_max[-1]
    assert ratio <= max(tolerance, 1e-8) * (1 + 1e-6)
    assert (orbit.sigma_min[:-1] > tolerance * orbit.sigma_max[:-1]).all()
    # located: without the event the same orbit has det D = 0 at that time
    free = gf.integrate(gf.standard, problem, start, until=40.0, save=[orbit.s[-1]], throw=True)
    assert free.theta[0] == pytest.approx(orbit.end, abs=1e-7)


def test_a_saved_state_without_rank_ends_the_orbit():
    """K > QN: no sign to watch, and the dip is narrower than a step; but no returned state may hold it with a good status."""
    network = gf.FunctionNetwork(
        lambda t, _: (
            jnp.stack(
                [
                    t[0],
                    t[0] * t[1],
                ]
            )[None]
            + 0.0 * t[2]
        ),
        3,
    )
    problem = gf.Problem(network, gf.Dataset([[0.0]], [[-3.0, 0.5]]))
    start = jnp.array([2.0, 0.3, 0.0])
    free = gf.integrate(gf.standard, problem, start, until=40.0, save=4001)
    below = np.flatnonzero(free.sigma_min <= 3e-2 * free.sigma_max)
    assert below.size
    assert free.status.ok
    orbit = gf.integrate(
        gf.standard, problem, start, until=40.0, save=4001, rank_tolerance=3e-2, throw=False
    )
    assert orbit.status is gf.Status.rank_loss
    assert orbit.s[-1] <= free.s[below[0]] * (1 + 1e-9)
    assert (orbit.sigma_min[:-1] > 3e-2 * orbit.sigma_max[:-1]).all()


# --- a cost is located to what float64 can tell -----------------------------------------------------------


@pytest.mark.parametrize("cost", [1e-6, 1e-12, 1e-16, 1e-20])
def test_the_comparison_flow_reaches_its_cost_when_it_should(cost):
    orbit = gf.integrate(gf.comparison, PROBLEM, jnp.zeros((4, 1)), until=400.0, cost=cost, save=3)
    assert orbit.status is gf.Status.cost_reached
    # x is known to eps|y|, so ln C to about 4 eps|y|/|x − y| more than the integrator's 1e-8
    resolution = 1e-7 + 40 * np.finfo(float).eps * np.linalg.norm(DATA.targets) / np.sqrt(
        2 * 4 * cost
    )
    assert orbit.s[-1] == pytest.approx(
        gf.stopping_time(orbit.cost[0], cost, 4), abs=4 * resolution
    )
    assert orbit.cost[-1] <= cost


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("cost", [1e-14, 1e-16])
def test_the_adapted_flow_reaches_a_small_cost(seed, cost):
    problem = gf.Problem(gf.MLP((2, 16, 1)), gf.generic(jax.random.key(0), 8, 2, 1))
    theta = problem.network.init(jax.random.key(seed))
    orbit = gf.integrate(gf.adapted, problem, theta, until=400.0, cost=cost, save=3)
    assert orbit.status is gf.Status.cost_reached
    assert orbit.s[-1] == pytest.approx(gf.stopping_time(orbit.cost[0], cost, 8), abs=1e-4)


def test_a_cost_below_rounding_is_no_blow_up():
    orbit = gf.integrate(
        gf.comparison, PROBLEM, jnp.zeros((4, 1)), until=400.0, cost=1e-32, save=3, throw=False
    )
    assert orbit.status is gf.Status.cost_not_reached
    assert orbit.s[-1] == 400.0
    with pytest.raises(
        gf.OrbitStopped,
        match=r"what float64 can tell from zero on these targets: no smaller one can be asked for",
    ):
        gf.integrate(gf.comparison, PROBLEM, jnp.zeros((4, 1)), until=400.0, cost=1e-32, save=3)


def test_a_start_that_has_the_cost_already():
    for flow, start in ((gf.adapted, THETA), (gf.comparison, jnp.zeros((4, 1)))):
        orbit = gf.integrate(flow, PROBLEM, start, until=4.0, cost=1e3)
        assert orbit.status is gf.Status.cost_reached
        assert (orbit.s.tolist(), orbit.steps) == ([0.0], 0)


# --- error control sees the residual ----------------------------------------------------------------------


@pytest.mark.parametrize("flow", [gf.adapted, gf.adapted_tau])
def test_a_restarted_orbit_keeps_the_line(flow):
    problem = gf.Problem(gf.MLP((2, 16, 1)), gf.generic(jax.random.key(0), 8, 2, 1))
    first = gf.integrate(
        gf.adapted, problem, problem.network.init(jax.random.key(1)), until=160.0, save=3
    )
    assert np.linalg.norm(problem.residual(jnp.asarray(first.end))) < 1e-7
    again = gf.integrate(flow, problem, first.end, until=24.0, save=9)
    assert again.cost == pytest.approx(again.cost[0] * np.exp(-2 * again.s / 8), rel=1e-4)


@settings(max_examples=60)
@given(
    seed=seeds,
    scale=st.floats(0.3, 1.5),
    shape=st.sampled_from([((2, 16, 1), 8), ((3, 6, 6, 2), 4), ((2, 5, 2), 3), ((4, 9, 1), 6)]),
)
def test_an_overparametrized_orbit_follows_the_law_or_says_why_not(seed, scale, shape):
    """Each of the drawn problems: within 1e-8 of |x_0 − y| of the line, or a status."""
    drawn = Case(*shape, seed=seed, scale=scale)
    orbit = gf.integrate(
        gf.adapted,
        drawn.problem,
        drawn.theta,
        until=3.0 * drawn.N,
        save=65,
        throw=False,
        max_steps=3000,
    )
    if orbit.status.ok:
        assert orbit.s[-1] == 3 * drawn.N
        assert gf.off_the_line(orbit).max() < 1e-8
    else:
        assert orbit.status in (gf.Status.rank_loss, gf.Status.max_steps)


# --- a floor is no singular value -------------------------------------------------------------------------


def twins(widths=(5, 400, 1), N=60):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N, widths[0])), rng.normal(size=(N, widths[-1]))
    X[1], y[1] = X[0], y[0]
    problem = gf.Problem(gf.MLP(widths), gf.Dataset(X, y))
    return problem, problem.network.init(jax.random.key(0))


def test_a_duplicated_sample_of_a_large_problem():
    problem, theta = twins()
    assert problem.QN * problem.K > 2**17
    least, largest = gf.sigma_range(problem, theta)
    sigma = np.linalg.svd(np.asarray(problem.jacobian(theta)), compute_uv=False)
    assert sigma[-1] < 1e-14 * sigma[0]
    assert least < 1e-14 * largest
    with pytest.raises(
        gf.OrbitStopped,
        match=r"D lost rank.*s = 0 .*Samples 0 and 1 have equal inputs.*merge or drop them",
    ) as stopped:
        gf.integrate(gf.adapted, problem, theta, until=10.0, rank_tolerance=1e-9)
    assert stopped.value.orbit.status is gf.Status.rank_loss
    assert "widen" not in str(stopped.value)


# --- advice -----------------------------------------------------------------------------------------------


def test_advice_below_the_border_never_says_widen():
    drawn = Case((2, 4, 1), 60, seed=1)
    (W, b), output = drawn.problem.network.unflatten(drawn.theta)
    equal = drawn.problem.network.flatten([(W.at[1].set(W[0]), b.at[1].set(b[0])), output])
    with pytest.raises(
        gf.OrbitStopped,
        match=r"K = 17 < QN = 60 a larger network tends to have the smaller sigma_min.*Damped",
    ) as stopped:
        gf.integrate(gf.adapted, drawn.problem, equal, until=1.0)
    assert "widen" not in str(stopped.value)


def test_advice_names_scales():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3)) * np.array([1e-3, 1.0, 1e4])
    problem = gf.Problem(gf.MLP((3, 12, 1)), gf.Dataset(X, rng.normal(size=(20, 1))))
    with pytest.raises(
        gf.OrbitStopped,
        match=r"scales of the features differ by a factor \d+e\+?0\d: scale your features",
    ):
        gf.integrate(gf.adapted, problem, problem.network.init(jax.random.key(0)), until=1.0)


# --- transformations, pickle, files -----------------------------------------------------------------------


@pytest.mark.parametrize("transform", [jax.jit, jax.grad, jax.vmap], ids=lambda t: t.__name__)
def test_integrate_refuses_transformations(transform):
    with pytest.raises(TypeError, match="outside of JAX transformations"):
        transform(lambda theta: gf.integrate(gf.adapted, PROBLEM, theta, until=1.0).cost[-1])(
            THETA if transform is not jax.vmap else THETA[None]
        )


def test_methods_of_a_problem_can_be_jitted():
    assert jax.jit(PROBLEM.cost)(THETA) == pytest.approx(float(PROBLEM.cost(THETA)), rel=1e-14)
    assert np.allclose(jax.jit(PROBLEM.ntk)(THETA), PROBLEM.ntk(THETA), rtol=1e-13)
    assert np.allclose(jax.grad(PROBLEM.cost)(THETA), PROBLEM.gradient(THETA), rtol=1e-12)


def test_everything_pickles():
    orbit = gf.integrate(gf.adapted, PROBLEM, THETA, until=4.0, save=4, record=("theta", "sigma"))
    again = pickle.loads(pickle.dumps(orbit))
    assert np.array_equal(again.theta, orbit.theta)
    assert np.array_equal(again.sigma_min, orbit.sigma_min)
    ensemble = gf.integrate_many(
        gf.standard, PROBLEM, jnp.stack([THETA, 2 * THETA]), until=4.0, record=("theta",)
    )
    assert np.array_equal(
        pickle.loads(pickle.dumps(ensemble)).recorded["theta"], ensemble.recorded["theta"]
    )
    stopped = dataclasses.replace(orbit, status=gf.Status.max_steps)
    some = dataclasses.replace(
        ensemble, status=np.array([gf.Status.max_steps, gf.Status.completed])
    )
    for raised in (gf.OrbitStopped(stopped), gf.EnsembleStopped(some)):
        copied = pickle.loads(pickle.dumps(raised))
        assert type(copied) is type(raised)
        assert str(copied) == str(raised)


def test_an_orbit_is_saved_and_read_back(tmp_path):
    orbit = gf.integrate(gf.adapted, PROBLEM, THETA, until=4.0, save=4, record=("theta", "sigma"))
    path = tmp_path / "orbit.npz"
    orbit.save(path)
    again = gf.Orbit.load(path, PROBLEM, gf.adapted)
    assert (again.status, again.steps, set(again.recorded)) == (
        orbit.status,
        orbit.steps,
        {"theta", "sigma"},
    )
    for name in ("s", "cost", "theta", "end", "sigma_min"):
        assert np.array_equal(getattr(again, name), getattr(orbit, name))
    other = gf.Problem(PROBLEM.network, gf.generic(jax.random.key(9), 4, 2, 1))
    with pytest.raises(ValueError, match="of another problem"):
        gf.Orbit.load(path, other, gf.adapted)
    with pytest.raises(ValueError, match=r"of the flow Adapted.*not of Standard"):
        gf.Orbit.load(path, PROBLEM, gf.standard)


# --- one solve for one start and for many -----------------------------------------------------------------


@pytest.mark.parametrize("flow", ["standard", "adapted", "adapted_tau"])
def test_a_batch_holds_what_single_orbits_hold(flow):
    starts = jnp.stack([PROBLEM.network.init(jax.random.key(i)) for i in range(3)])
    batch = gf.integrate(flow, PROBLEM, starts, until=4.0, save=5)
    assert isinstance(batch, gf.Ensemble)
    assert batch.recorded["theta"].shape == (3, 5, 33)
    for i, start in enumerate(starts):
        alone = gf.integrate(flow, PROBLEM, start, until=4.0, save=5)
        assert isinstance(alone, gf.Orbit)
        assert batch[i].theta == pytest.approx(alone.theta, abs=1e-9)
        assert batch.recorded["theta"][i] == pytest.approx(alone.theta, abs=1e-9)
        assert batch.cost[i] == pytest.approx(alone.cost, rel=1e-8)
        assert gf.arc_length(batch[i]) == pytest.approx(gf.arc_length(alone), rel=1e-8)


def test_a_start_without_rank_keeps_its_cost_at_zero():
    """The others of the batch go on, and the cost at s = 0 is a number."""
    drawn = Case((2, 8, 1), 4, seed=1)
    (W, b), (V, c) = drawn.problem.network.unflatten(drawn.theta)
    flat = drawn.problem.network.flatten([(0 * W, 0 * b), (0 * V, c)])
    ensemble = gf.integrate_many(
        gf.adapted, drawn.problem, jnp.stack([flat, drawn.theta]), until=8.0, throw=False
    )
    assert ensemble.status.tolist() == [gf.Status.rank_loss, gf.Status.completed]
    assert ensemble.cost[0, 0] == pytest.approx(float(drawn.problem.cost(flat)), rel=1e-14)
    assert np.isnan(ensemble.cost[0, 1])
    assert ensemble.cost[1, 1] == pytest.approx(ensemble.cost[1, 0] * np.exp(-4), rel=1e-5)


def test_auto_under_vmap_takes_its_fast_route():
    """A vectorized branch would run the SVD for every state: 16 states cost what sixteen cost, not hundreds."""
    starts = jnp.stack([PROBLEM.network.init(jax.random.key(i)) for i in range(4)])
    one = jax.jit(lambda t: gf.Auto().solve(PROBLEM, t, PROBLEM.residual(t)).w)
    many = jax.jit(jax.vmap(lambda t: gf.Auto().solve(PROBLEM, t, PROBLEM.residual(t)).w))
    assert np.allclose(many(starts), jnp.stack([one(t) for t in starts]), rtol=1e-12)
    text = many.lower(starts).compile().as_text()
    assert "conditional" in text  # a branch is still a branch


def test_the_progress_bar_stays_where_the_orbit_stopped(capfd):
    gf.integrate(gf.adapted, PROBLEM, THETA, until=400.0, cost=1e-1, save=3, progress=True)
    shown = capfd.readouterr().err
    assert "%" in shown
    assert "100.0%" not in shown


def test_damped_is_defined_at_any_rank_and_lowers_the_cost():
    problem, theta = twins((5, 10, 1), 12)
    for lam in (1e-1, 1e-4):
        orbit = gf.integrate(
            gf.Adapted(solver=gf.Damped(lam)),
            problem,
            theta,
            until=60.0,
            save=9,
            solver=diffrax.Tsit5(),
            rtol=1e-6,
            atol=1e-8,
        )
        assert orbit.status is gf.Status.completed
        assert (np.diff(orbit.cost) < 0).all()
    D = np.asarray(problem.jacobian(theta))
    b = np.asarray(problem.residual(theta))
    for lam in (1e-8, 1e-2, 1e3):
        found = gf.Damped(lam)(problem, theta, jnp.asarray(b))
        assert found.ok
        w = np.linalg.solve(D.T @ D + lam * np.eye(problem.K), D.T @ b)
        assert np.linalg.norm(found.w - w) < 1e-6 * np.linalg.norm(w)
    under = Case((2, 3, 1), 40, seed=2)
    D, b = (
        np.asarray(under.problem.jacobian(under.theta)),
        np.asarray(under.problem.residual(under.theta)),
    )
    w = np.linalg.solve(D.T @ D + 0.1 * np.eye(13), D.T @ b)
    assert np.linalg.norm(
        gf.Damped(0.1)(under.problem, under.theta, jnp.asarray(b)).w - w
    ) < 1e-11 * np.linalg.norm(w)
