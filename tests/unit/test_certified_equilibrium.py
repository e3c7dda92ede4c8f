"""Critical points, proved: alone in a box, with index, cost, rank of D and a radius of the data; and what is none, or degenerate."""

import functools

import jax
import numpy as np
import pytest
from flint import arb
from scipy.optimize import least_squares

import geoflow as gf
from geoflow.certified import certify_equilibrium, claims, cost, dyadic, equilibrium, inertia
from geoflow.certified.network import BallNetwork


@functools.cache
def chapter():
    return gf.Problem(gf.MLP((2, 2, 1)), gf.generic(jax.random.key(9), 8, 2, 1))


@functools.cache
def at_minimum():
    """The isolated minimum of the rank-loss chapter, K = 9 and N = 8, found as it is found there."""
    problem = chapter()
    start = problem.network.init(jax.random.split(jax.random.key(8), 400)[1])
    theta = least_squares(
        lambda t: np.asarray(problem.residual(t)),
        np.asarray(start),
        lambda t: np.asarray(problem.jacobian(t)),
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    ).x
    for _ in range(4):
        H = np.asarray(gf.equilibria.hessian(problem, theta))
        theta = theta - np.linalg.solve(H, np.asarray(problem.gradient(theta)))
    return theta


@functools.cache
def minimum():
    return certify_equilibrium(chapter(), at_minimum(), data_radius=3e-15)


def test_the_isolated_minimum_of_the_chapter():
    found = minimum()
    assert found.proved, found.reason
    C, least = (
        tuple(map(float, found.enclosures[k])) for k in ("C", "least |eigenvalue| of Hess C")
    )
    assert C[0] <= C[1] < C[0] * (1 + 1e-15)
    assert round(C[0], 14) == 0.00356564067202
    assert 4.7223787e-6 < least[0] <= least[1] < 4.7223789e-6
    assert found.enclosures["index"] == ("0", "0")
    assert found.enclosures["rank D"] == ("7", "7")
    assert "a minimum with invertible Hessian" in found.statement
    assert "rank 7 (the residual is not zero and orthogonal to ran D)" in found.statement
    assert "Every data set within 3e-15" in found.statement
    assert found.radius is not None
    assert found.radius < 1e-40
    assert dyadic.read(found.claim["wide_radius"]) > arb(1e-15)


@functools.cache
def small():
    return gf.Problem(gf.MLP((1, 1, 1), "sin"), gf.generic(jax.random.key(0), 6, 1, 1))


@functools.cache
def critical_points():
    """Of sin (1, 1, 1) on six samples, by Newton's method in floating point, with the eigenvalues of the Hessian."""
    problem = small()
    step = jax.jit(
        jax.vmap(
            lambda t: (
                t - jax.numpy.linalg.solve(jax.hessian(problem.cost)(t), jax.grad(problem.cost)(t))
            )
        )
    )
    points = problem.network.inits(jax.random.key(0), 50)
    for _ in range(60):
        points = step(points)
    kept = []
    for theta in np.asarray(points):
        if (
            np.isfinite(theta).all()
            and np.abs(theta).max() < 20
            and np.abs(problem.gradient(theta)).max() < 1e-13
        ):
            values = np.linalg.eigvalsh(np.asarray(gf.equilibria.hessian(problem, theta)))
            if np.abs(values).min() > 1e-3 and all(abs(values[0] - v[0]) > 1e-6 for _, v in kept):
                kept.append((theta, values))
    return kept


def test_indices_of_critical_points():
    """Under-parametrized: minima and saddles with rank K = 4."""
    seen = set()
    for theta, values in critical_points()[:4]:
        found = certify_equilibrium(small(), theta)
        assert found.proved, found.reason
        index = int((values < 0).sum())
        seen.add(index)
        assert found.enclosures["index"] == (str(index), str(index))
        low, high = map(float, found.enclosures["least |eigenvalue| of Hess C"])
        assert low * (1 - 1e-9) <= np.abs(values).min() <= high * (1 + 1e-9)
        assert found.enclosures["rank D"] == ("4", "4")
        low, high = map(float, found.enclosures["C"])
        assert abs(float(small().cost(theta)) - low) < 1e-14
    assert len(seen) >= 2


def test_every_data_set_near_by():
    theta, _ = next((t, v) for t, v in critical_points() if v[0] > 0)
    problem = small()
    found = certify_equilibrium(problem, theta, data_radius="largest")
    radius = float(dyadic.read(found.claim["data_radius"]))
    assert radius >= 1e-7
    box = float(dyadic.read(found.claim["wide_radius"]))
    for seed in range(2):
        moves = np.random.default_rng(seed).choice([-radius, radius], size=(2, 6, 1))
        data = gf.Dataset(problem.data.inputs + moves[0], problem.data.targets + moves[1])
        other = certify_equilibrium(gf.Problem(problem.network, data), theta, reach=2 * box)
        assert other.proved, other.reason
        ends = [dyadic.read_vector(c.claim["centre"]) for c in (found, other)]
        assert all(abs(a - b) < box for a, b in zip(*ends, strict=True))


def test_zero_loss_is_a_critical_point_with_C_from_zero():
    """K = 4 = QN: C = 0, and the bound of the cost begins at zero."""
    network, theta = gf.MLP((1, 1, 1)), np.array([1.0, 0.5, 0.75, 0.25])
    inputs = np.array([[-1.0], [0.0], [1.0], [2.0]])
    targets = gf.Problem(network, gf.Dataset(inputs, inputs)).outputs(theta)
    found = certify_equilibrium(gf.Problem(network, gf.Dataset(inputs, targets)), theta)
    assert found.proved, found.reason
    assert float(found.enclosures["C"][0]) == 0
    assert float(found.enclosures["C"][1]) < 1e-30
    assert found.enclosures["rank D"] == ("4", "4")


def test_equal_inputs():
    """Two equal samples with two labels: D has at most two rows, the Hessian is invertible, and C is at its floor."""
    network = gf.MLP((1, 1), "identity")
    problem = gf.Problem(network, gf.Dataset([[1.0], [1.0], [2.0]], [[1.0], [0.0], [1.5]]))
    found = certify_equilibrium(problem, np.array([1.0, -0.5]))
    assert found.proved, found.reason
    assert found.enclosures["rank D"] == ("2", "2")
    low, high = map(float, found.enclosures["C"])
    assert low <= 1 / 12 <= high
    wider = certify_equilibrium(problem, np.array([1.0, -0.5]), data_radius=1e-6)
    assert wider.proved, wider.reason


# Undecided -------------------------------------------------------------------------------------------------------------------


def moved():
    return certify_equilibrium(chapter(), at_minimum() + 1e-6)


def not_isolated():
    """The constant network a = 0, c = mean of y: a critical set of dimension 4 at least."""
    problem = gf.Problem(gf.MLP((2, 2, 1)), gf.generic(jax.random.key(9), 8, 2, 1))
    return certify_equilibrium(problem, np.array([0.0] * 8 + [float(problem.data.targets.mean())]))


def over_parametrized_zero():
    """K > QN: the zeros form a surface, and the Hessian is singular there."""
    network, theta = gf.MLP((2, 2, 1)), np.asarray(gf.MLP((2, 2, 1)).init(jax.random.key(0)))
    inputs = np.asarray(gf.generic(jax.random.key(1), 4, 2, 1).inputs)
    targets = gf.Problem(network, gf.Dataset(inputs, np.zeros((4, 1)))).outputs(theta)
    return certify_equilibrium(gf.Problem(network, gf.Dataset(inputs, targets)), theta)


def a_start():
    return certify_equilibrium(chapter(), chapter().network.init(jax.random.key(0)))


def huge():
    return certify_equilibrium(chapter(), at_minimum() * 1e200)


def wide_data():
    return certify_equilibrium(chapter(), at_minimum(), data_radius=1e-3)


@pytest.mark.parametrize(
    "case", [moved, not_isolated, over_parametrized_zero, a_start, huge, wide_data]
)
def test_undecided(case):
    found = case()
    assert not found.proved
    assert found.reason
    assert not found.claim
    assert not found.enclosures


def test_no_radius_is_found_for_data_where_there_is_none(monkeypatch):
    monkeypatch.setattr(claims, "RADII", (1.0, 1e-2))
    found = certify_equilibrium(chapter(), at_minimum(), data_radius="largest")
    assert found.proved
    assert found.claim["data_radius"] == dyadic.written(0.0)
    assert "Every data set" not in found.statement


def test_a_dropped_radius_of_the_data_is_seen(monkeypatch):
    monkeypatch.setattr(claims, "around", lambda values, radius: values)
    assert wide_data().proved


def test_a_hessian_without_curvature_is_seen(monkeypatch):
    """Another eigenvalue, or no proof at all: the test on the chapter's minimum sees it."""
    monkeypatch.setattr(
        cost, "curvature", lambda net, t, z, u: [[arb(0)] * net.K for _ in range(net.K)]
    )
    found = certify_equilibrium(chapter(), at_minimum())
    assert (
        not found.proved
        or found.enclosures["least |eigenvalue| of Hess C"]
        != minimum().enclosures["least |eigenvalue| of Hess C"]
    )


def test_a_transposed_D_is_seen(monkeypatch):
    network, theta = small().network, critical_points()[0][0]
    problem = gf.Problem(network, gf.Dataset(small().data.inputs[:4], small().data.targets[:4]))
    fit = gf.Problem(network, gf.Dataset(problem.data.inputs, problem.outputs(theta)))
    shifted = theta + 1e-9
    assert certify_equilibrium(fit, shifted).proved
    before = BallNetwork.jacobian
    monkeypatch.setattr(
        BallNetwork,
        "jacobian",
        lambda self, t, z: [list(c) for c in zip(*before(self, t, z), strict=True)],
    )
    assert not certify_equilibrium(fit, shifted, reach=1e-8).proved


def test_an_inertia_that_takes_zero_for_a_sign_is_seen(monkeypatch):
    """Where the box is too wide for signs, the proof must not go on."""
    monkeypatch.setattr(equilibrium, "least_size", lambda H: arb(1))
    H = [[arb(1, 2), arb(0)], [arb(0), arb(1)]]
    assert inertia.inertia(H) is None
    monkeypatch.setattr(inertia, "below", lambda a, b: not a > b)
    assert inertia.inertia(H) is not None


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"theta": np.zeros(8)}, ValueError),
        ({"reach": -1.0}, ValueError),
        ({"data_radius": "all"}, ValueError),
        ({"data_radius": np.nan}, ValueError),
        ({"bits": 52}, ValueError),
        ({"problem": gf.MLP((2, 2, 1))}, TypeError),
    ],
)
def test_wrong_arguments(change, error):
    with pytest.raises(error):
        certify_equilibrium(**({"problem": chapter(), "theta": np.ones(9)} | change))
