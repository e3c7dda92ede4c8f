"""Many orbits at once against one at a time, and every way in which an orbit of an ensemble can end.

Every option that is static (the flow, events on or off, max_steps) compiles anew: few of them, one batch size.
"""

import functools

import jax
import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest

import geoflow as gf
import geoflow.linear_networks as ln

B, SAVE = 5, np.array([0.0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 2.5])


def problem():
    return ln.ReducedProblem(np.array([3.0, 1.0]), 3, (4,))


def starts(huge=False):
    """Gaussian starts; with `huge` the third one's cost overflows."""
    rng = np.random.default_rng(0)
    rows = np.array(
        [plain.flat(plain.gaussian_weights(rng, (3, 4, 2), 0.5 + 0.2 * b)) for b in range(B)]
    )
    return jnp.asarray(rows).at[2].multiply(1e120 if huge else 1.0)


def many(flow=ln.gdd, starts_=None, **options):
    options = {"until": 3.0, "save": SAVE, "rtol": 1e-10, "atol": 1e-12, "max_steps": 500} | options
    return gf.integrate_many(flow, problem(), starts() if starts_ is None else starts_, **options)


def test_as_one_at_a_time():
    ensemble = many()
    assert ensemble.ok.all()
    assert set(ensemble.status) == {gf.Status.completed}
    assert np.array_equal(ensemble.s, [*SAVE, 3.0])  # `until` is always kept
    assert (ensemble.cost.shape, ensemble.end.shape) == ((B, 9), (B, problem().K))
    assert repr(ensemble) == "Ensemble(5 orbits to s = 3: 5 completed)"
    for b, start in enumerate(starts()):
        alone = gf.integrate(ln.gdd, problem(), start, until=3.0, save=SAVE)
        assert ensemble.cost[b] == pytest.approx(alone.cost, rel=1e-6)
        assert ensemble.end[b] == pytest.approx(alone.end, abs=1e-8)


def test_it_is_a_census_by_default():
    """rtol 1e-6: right to about that."""
    coarse = gf.integrate_many(ln.gdd, problem(), starts(), until=3.0, save=9, max_steps=500)
    assert np.array_equal(coarse.s, np.linspace(0, 3, 9))
    error = np.abs(coarse.cost[:, -1] / many().cost[:, -1] - 1)
    assert 1e-9 < error.max() < 1e-3


@functools.cache
def with_a_cost():
    """A cost between the second and the third lowest at the end, and the orbits that stop at it."""
    second, third = np.sort(many().cost[:, -1])[1:3]
    cost = float(np.sqrt(second * third))
    return cost, many(cost=cost, throw=False)


def test_a_cost_that_is_reached():
    whole, (cost, stopped) = many(), with_a_cost()
    reached = np.array([status is gf.Status.cost_reached for status in stopped.status])
    assert reached.sum() == 2
    # as in `integrate`: a cost that was asked for and not reached is a failure
    assert np.array_equal(stopped.ok, reached)
    assert np.array_equal(reached, whole.cost[:, -1] <= cost)
    with pytest.raises(
        gf.EnsembleStopped,
        match=r"3 of 5 orbits did not do what was asked.*before the cost.*larger `until`",
    ):
        many(cost=cost)
    for b in range(B):
        if not reached[b]:
            assert stopped.status[b] is gf.Status.cost_not_reached
            assert stopped.cost[b] == pytest.approx(whole.cost[b], rel=1e-6)
            continue
        # as without the event up to there, and nothing past it
        last = float(problem().cost(jnp.asarray(stopped.end[b])))
        assert last <= cost
        before = whole.cost[b] > cost
        assert stopped.cost[b][before] == pytest.approx(whole.cost[b][before], rel=1e-6)
        assert np.isnan(stopped.cost[b][~before]).all()
        assert (
            stopped.end_cost[b] == pytest.approx(last, rel=1e-12) == pytest.approx(cost, rel=1e-8)
        )
        # and the time at which it was reached lies between the saved ones
        assert stopped.s[before].max() < stopped.end_s[b] <= stopped.s[~before].min()
    assert f"{reached.sum()} cost_reached" in repr(stopped)


def test_a_start_that_is_there_already():
    cost, stopped = with_a_cost()
    again = many(cost=cost, starts_=jnp.asarray(stopped.end), throw=False)
    reached = stopped.status == gf.Status.cost_reached
    assert set(again.status[reached]) == {gf.Status.cost_reached}
    assert again.end_cost[reached] == pytest.approx(stopped.end_cost[reached], rel=1e-14)
    assert (again.end_s[reached] == 0).all()
    assert np.array_equal(again.end[reached], stopped.end[reached])


def test_an_overflow_is_kept_and_raised():
    quiet = many(starts_=starts(huge=True), throw=False)
    assert quiet.status[2] is gf.Status.non_finite
    assert quiet.ok.tolist() == [True, True, False, True, True]
    assert np.isnan(quiet.cost[2, 1:]).all()
    assert quiet.cost[2, 0] == np.inf  # what its start costs
    others = [0, 1, 3, 4]
    # the one does not spoil the others
    assert quiet.cost[others] == pytest.approx(many().cost[others], rel=1e-8)
    with pytest.raises(
        gf.EnsembleStopped,
        match=r"1 of 5 orbits did not do what was asked, most often: a value became NaN .*smaller `scale`",
    ) as stopped:
        many(starts_=starts(huge=True))
    ensemble = stopped.value.ensemble
    assert np.array_equal(ensemble.end, quiet.end)
    assert repr(ensemble) == "Ensemble(5 orbits to s = 3: 4 completed, 1 non_finite)"


def test_steps_that_run_out():
    """Stability asks for steps of order 1, and 500 of them do not reach s = 10⁴; at the origin any step will do."""
    rows = starts().at[3:].set(0.0)
    quiet = many(starts_=rows, until=1e4, throw=False)
    assert quiet.status.tolist() == [gf.Status.max_steps] * 3 + [gf.Status.completed] * 2
    assert np.isnan(quiet.cost[:3, -1]).all()
    assert np.isfinite(quiet.cost[:3, :-1]).all()  # what was saved before stays
    assert quiet.cost[3:] == pytest.approx(np.full((2, 9), (3.0**2 + 1) / 6), rel=1e-14)
    assert np.isfinite(quiet.end).all()
    last = jax.vmap(problem().cost)(jnp.asarray(quiet.end))
    assert (np.asarray(last)[:3] < quiet.cost[:3, -2]).all()
    with pytest.raises(
        gf.EnsembleStopped, match=r"3 of 5 orbits did not .*larger `max_steps` or, .*Kvaerno5"
    ):
        many(starts_=rows, until=1e4)


def test_a_rank_that_is_lost():
    """x = (w_1w_2, w_1 + w_2): det D = w_2 − w_1, a wall between the starts and a target beyond it."""
    network = gf.FunctionNetwork(lambda w, _: jnp.stack([w[0] * w[1], w[0] + w[1]])[None], 2)
    # w_1w_2 = 2 = w_1 + w_2 has no real solution
    toy = gf.Problem(network, gf.Dataset([[1.0]], [[2.0, 2.0]]))
    reachable = gf.Problem(network, gf.Dataset([[1.0]], [[2.0, 3.0]]))  # (1, 2)
    rows = jnp.array([[0.5, 3.0], [0.0, 2.0]])
    found = gf.integrate_many("adapted", reachable, rows, until=5.0, max_steps=500)
    assert found.cost[:, -1] == pytest.approx(found.cost[:, 0] * np.exp(-10), rel=1e-3)
    lost = gf.integrate_many(
        "adapted", toy, rows, until=5.0, max_steps=500, rank_tolerance=1e-2, throw=False
    )
    assert lost.status.tolist() == [gf.Status.rank_loss] * 2
    assert np.isnan(lost.cost[:, -1]).all()
    assert np.isfinite(lost.cost[:, 0]).all()
    D = [np.asarray(toy.jacobian(jnp.asarray(theta))) for theta in lost.end]
    assert all(np.linalg.cond(d) > 50 for d in D)
    with pytest.raises(
        gf.EnsembleStopped, match=r"2 of 2 orbits .*D lost rank.*rank_tolerance=None"
    ) as stopped:
        gf.integrate_many("adapted", toy, rows, until=5.0, max_steps=500, rank_tolerance=1e-2)
    assert stopped.value.ensemble.status.tolist() == lost.status.tolist()


def test_kinks_are_followed_and_every_orbit_says_so():
    """The first start reaches the cost, the second never does, the third one overflows: outcomes; and none is classical."""
    network = gf.MLP((1, 2, 1), gf.almost_everywhere(gf.relu))
    kinked = gf.Problem(network, gf.Dataset([[1.0], [2.0]], [[1.0], [3.0]]))
    # no neuron active: the output bias alone moves, to the mean target
    dead = np.array([-1.0, -2, -1, -1, 1, 1, 0])
    rows = jnp.array([[1.0, 1, 0.1, 0.2, 0.5, 0.6, 0], dead, np.full(7, 1e120)])
    options = {"until": 30.0, "save": 4, "cost": 1e-3, "max_steps": 500}
    ensemble = gf.integrate_many("standard", kinked, rows, throw=False, **options)
    assert ensemble.status.tolist() == [
        gf.Status.cost_reached,
        gf.Status.cost_not_reached,
        gf.Status.non_finite,
    ]
    assert ensemble.ok.tolist() == [True, False, False]
    assert not any(orbit.classical for orbit in ensemble.orbits)
    assert ensemble.end[1] == pytest.approx(np.array([*dead[:6], 2.0]), abs=1e-5)
    assert ensemble.cost[1, -1] == pytest.approx(0.5, abs=1e-6)
    with pytest.raises(gf.EnsembleStopped, match=r"2 of 3 orbits did not do what was asked"):
        gf.integrate_many("standard", kinked, rows, **options)
    refused = gf.Problem(gf.MLP((1, 2, 1), "relu"), kinked.data)
    with pytest.raises(ValueError, match=r"has a kink \(relu\).*almost_everywhere\(relu\)"):
        gf.integrate_many("standard", refused, rows[:2], **options)
    linear = gf.Problem(gf.MLP((1, 1), gf.almost_everywhere(gf.relu)), kinked.data)
    smooth = gf.integrate_many("standard", linear, jnp.zeros((2, 2)), until=30.0)
    assert set(smooth.status) == {gf.Status.completed}
    assert all(orbit.classical for orbit in smooth.orbits)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    good = np.asarray(starts())
    with pytest.raises(
        ValueError, match=r"starts must have 2 axes \(B starts, K\), got shape \(20,\)"
    ):
        many(starts_=good[0])
    with pytest.raises(ValueError, match=r"theta must have shape \(K,\) = \(20,\), got \(9,\)"):
        many(starts_=good[:, :9])
    with pytest.raises(ValueError, match=r"must not be empty"):
        many(starts_=good[:0])
    with pytest.raises(ValueError, match="starts must be finite, but 1 of 100 entries"):
        many(starts_=np.where(np.arange(100).reshape(B, 20) == 7, np.nan, good))
    with pytest.raises(TypeError, match="starts must be float64, got float32"):
        many(starts_=good.astype(np.float32))
    with pytest.raises(ValueError, match="unknown flow"):
        many("steepest")
    with pytest.raises(ValueError, match=r"comparison flow has a closed form, comparison_solution"):
        many("comparison")
    kinked = gf.Problem(gf.MLP((3, 2, 2), "relu"), problem().data)
    with pytest.raises(ValueError, match="relu"):
        gf.integrate_many("standard", kinked, np.ones((B, kinked.K)), until=1.0)
    for option in ("until", "rtol", "atol", "rank_tolerance", "cost"):
        with pytest.raises(ValueError, match=f"{option} must be a finite number above zero"):
            many(**{option: 0.0})
    with pytest.raises(ValueError, match="max_steps must be a whole number"):
        many(max_steps=0)
    with pytest.raises(ValueError, match=r"increasing flow times in \[0, until\]"):
        many(save=np.array([0.0, 4.0]))
