"""Zeros of the cost, proved: true ones are found, and nothing else is; every fault that we plant in the proof is seen."""

import functools

import jax
import numpy as np
import pytest
from flint import arb
from scipy.optimize import least_squares

import geoflow as gf
from geoflow.certified import (
    balls,
    certify_zero_loss,
    claims,
    dyadic,
    krawczyk,
    reduce_one_hot,
    zero_loss,
)
from geoflow.certified.network import BallNetwork


@functools.cache
def with_zero(widths=(2, 2, 1), N=5, activation="tanh", bias=True, seed=0):
    """A network, data and a theta of zero loss up to rounding."""
    network = gf.MLP(widths, activation, bias)
    inputs = np.random.default_rng(seed).normal(size=(N, widths[0]))
    theta = np.asarray(network.init(jax.random.key(seed)))
    x = gf.Problem(network, gf.Dataset(inputs, np.zeros((N, widths[-1])))).outputs(theta)
    return network, gf.Dataset(inputs, np.asarray(x)), theta


@functools.cache
def labels(N, seed=0):
    """tanh (2, 4, 2) on N random labels, K′ = 17, and the first zero that least squares finds from 20 starts, or none."""
    network = gf.MLP((2, 4, 2))
    data = gf.generic(jax.random.key(seed), N, 2, 2, "one-hot")
    reduction = reduce_one_hot(network, data)
    problem = reduction.problem
    residual, jacobian = jax.jit(problem.residual), jax.jit(problem.jacobian)
    for key in jax.random.split(jax.random.key(1), 20):
        found = least_squares(
            lambda t: np.asarray(residual(t)),
            np.asarray(problem.network.init(key, 2.0)),
            lambda t: np.asarray(jacobian(t)),
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
            max_nfev=200,
        )
        if found.cost < 1e-24 and np.abs(found.x).max() < 100:
            return network, data, found.x
    return network, data, None


@pytest.mark.parametrize(
    ("widths", "N", "activation", "bias"),
    [
        ((2, 2, 1), 5, "tanh", True),
        ((2, 3, 2, 2), 4, "softplus", True),
        ((3, 4, 1), 6, "sin", False),
        ((1, 3, 2), 4, "sigmoid", True),
        ((3, 2), 4, "identity", True),
    ],
)
def test_zeros_that_are_there(widths, N, activation, bias):
    network, data, theta = with_zero(widths, N, activation, bias)
    found = certify_zero_loss(network, data, theta)
    assert found.proved, found.reason
    assert bool(found)
    assert not found.reason
    assert found.radius is not None
    assert 0 < found.radius < 1e-40
    assert found.contraction is not None
    assert found.contraction < 1e-8
    assert found.precision == 212
    assert float(found.enclosures["distance of the zero from theta"][1]) < 1e-12


def test_the_box_holds_the_zero_of_newton_at_more_bits():
    network, data, theta = with_zero()
    claim = certify_zero_loss(network, data, theta).claim
    finer = certify_zero_loss(network, data, theta, bits=600).claim
    reach = (
        1e-12  # two frames, two zeros of the family: both beside theta, each alone in its own plane
    )
    for a, b in zip(claim["centre"], finer["centre"], strict=True):
        assert abs(dyadic.read(a) - dyadic.read(b)) < reach
    net, (A, c) = claims.in_balls(gf.Problem(network, data)), (claim["centre"], finer["centre"])
    for centre in (A, c):
        with balls.precision(212):
            x = net.network.outputs(dyadic.read_vector(centre), net.inputs)
            assert all(abs(p - q) < 1e-50 for p, q in zip(x, net.targets, strict=True))


@pytest.mark.parametrize("N", [8, 12])
def test_class_labels_up_to_the_line(N):
    network, data, theta = labels(N)
    assert theta is not None, "no candidate from 20 starts"
    found = certify_zero_loss(network, data, theta, one_hot=True)
    assert found.proved, found.reason
    assert found.claim["reduced"] is True
    full = np.asarray(reduce_one_hot(network, data).lift(theta))
    assert certify_zero_loss(network, data, full, one_hot=True).proved
    assert np.abs(np.asarray(gf.Problem(network, data).residual(full))).max() < 1e-12


def test_class_labels_past_the_line():
    network, data, _ = labels(8)
    data = gf.generic(jax.random.key(0), 18, 2, 2, "one-hot")
    found = certify_zero_loss(network, data, network.init(jax.random.key(0)), one_hot=True)
    assert not found.proved
    assert "18 equations for 17 parameters" in found.reason


def test_a_neighbourhood_of_inputs():
    network, data, theta = with_zero((2, 3, 1), 5)
    found = certify_zero_loss(network, data, theta, input_radius=1e-6)
    assert found.proved, found.reason
    assert "every set of inputs" in found.statement
    assert found.radius is not None
    assert found.radius > 1e-8
    largest = certify_zero_loss(network, data, theta, input_radius="largest")
    assert dyadic.read(largest.claim["input_radius"]) >= arb(1e-6)
    for seed in range(3):  # its box holds a zero for other inputs, too
        shift = np.random.default_rng(seed).uniform(-1e-6, 1e-6, size=data.inputs.shape)
        moved = gf.Dataset(np.asarray(data.inputs) + shift, data.targets)
        other = certify_zero_loss(network, moved, theta, reach=found.radius)
        assert other.proved, other.reason


# Undecided -------------------------------------------------------------------------------------------------------------------


def saturated():
    """Σ over three inputs: C = 0 in float64, as tanh 40 = tanh 80 there; and no zero exists, as tanh is strictly monotone."""
    network = gf.MLP((1, 1, 1))
    data = gf.Dataset([[-1.0], [1.0], [2.0]], [[-1.0], [1.0], [1.0]])
    theta = np.array([40.0, 0.0, 1.0, 0.0])
    assert float(gf.Problem(network, data).cost(theta)) == 0
    return certify_zero_loss(network, data, theta)


def past_the_line():
    return certify_zero_loss(*with_zero((1, 1, 1), 5))


def far_from_zero():
    network, data, theta = with_zero()
    return certify_zero_loss(network, data, theta + 1e-3)


def deficient():
    """Two equal samples: x = y, but D has two equal rows."""
    network, data, theta = with_zero()
    inputs, targets = (np.asarray(a)[[0, 0, 1, 2]] for a in (data.inputs, data.targets))
    return certify_zero_loss(network, gf.Dataset(inputs, targets), theta)


def contradictory():
    """Equal inputs with two labels: no zero."""
    network, data, theta = with_zero()
    targets = np.asarray(data.targets)[[0, 0, 1, 2]] + np.array([[0.0], [1e-14], [0.0], [0.0]])
    return certify_zero_loss(
        network, gf.Dataset(np.asarray(data.inputs)[[0, 0, 1, 2]], targets), theta
    )


def wide_inputs():
    return certify_zero_loss(*with_zero((2, 3, 1), 5), input_radius=0.5)


def infinite_weights():
    network, data, theta = with_zero()
    return certify_zero_loss(network, data, np.where(np.arange(len(theta)) == 0, 1e308, theta))


UNDECIDED = [
    saturated,
    past_the_line,
    far_from_zero,
    deficient,
    contradictory,
    wide_inputs,
    infinite_weights,
]


@pytest.mark.parametrize("case", UNDECIDED)
def test_undecided(case):
    found = case()
    assert not found.proved
    assert not bool(found)
    assert found.reason
    assert not found.claim
    assert not found.enclosures
    assert found.radius is None


def test_a_dropped_radius_of_the_inputs_is_seen(monkeypatch):
    monkeypatch.setattr(claims, "around", lambda values, radius: values)
    assert wide_inputs().proved


def test_a_dropped_radius_of_the_box_is_seen(monkeypatch):
    """The box in which the slope is enclosed becomes a point: then q knows nothing of the curvature."""

    def q():
        network, data, theta = with_zero()
        net = claims.in_balls(gf.Problem(network, data))
        with balls.precision(212):
            frame = zero_loss.frame_at(net, balls.exact(theta))
            assert frame is not None
            return frame.include(net, arb(0.25)).proved

    assert not q()
    monkeypatch.setattr(zero_loss.Frame, "widths", lambda self, r: [arb(0)] * len(self.point))
    assert q()


def test_a_transposed_D_is_seen(monkeypatch):
    """K = QN = 4: its shape gives nothing away."""
    network, data, theta = with_zero((1, 1, 1), 4)
    assert certify_zero_loss(network, data, theta).proved
    before = BallNetwork.jacobian
    monkeypatch.setattr(
        BallNetwork,
        "jacobian",
        lambda self, t, z: [list(c) for c in zip(*before(self, t, z), strict=True)],
    )
    moved = certify_zero_loss(network, data, theta + 1e-9)
    assert not moved.proved


def test_a_careless_comparison_is_seen(monkeypatch):
    """An enclosure that is NaN: nothing is below it, and nothing above."""

    def proved():
        return krawczyk.include(np.eye(1), [arb(0.25)], lambda r: [[arb(0.5)]], arb(0.5)).proved

    assert not proved()
    monkeypatch.setattr(krawczyk, "below", lambda a, b: not a > b)
    assert proved()


# Class labels ----------------------------------------------------------------------------------------------------------------


def test_reduced_and_full():
    network, data, _ = labels(8)
    reduction = reduce_one_hot(network, data)
    assert (reduction.problem.K, reduction.problem.QN) == (17, 8)
    theta = np.asarray(reduction.problem.network.init(jax.random.key(5)))
    full = reduction.lift(theta)
    assert np.array_equal(reduction.restrict(full), theta)
    x = np.asarray(reduction.full.outputs(full))
    assert np.abs(x.sum(axis=1) - 1).max() < 1e-14
    assert np.abs(x[:, :1] - np.asarray(reduction.problem.outputs(theta))).max() < 1e-14


@pytest.mark.usefixtures("as_a_user")
def test_refused_reductions():
    inputs = np.ones((2, 2)) * np.array([[1.0], [2.0]])
    labelled = gf.Dataset(inputs, [[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="bias=True"):
        reduce_one_hot(gf.MLP((2, 3, 2), bias=False), labelled)
    with pytest.raises(ValueError, match="one output"):
        reduce_one_hot(gf.MLP((2, 3, 1)), gf.Dataset(inputs, [[1.0], [1.0]]))
    with pytest.raises(ValueError, match="not to 1 exactly"):
        reduce_one_hot(gf.MLP((2, 3, 2)), gf.Dataset(inputs, [[0.1, 0.9], [0.1, 0.9 + 1e-15]]))
    with pytest.raises(TypeError, match="order"):
        reduce_one_hot(labelled, gf.MLP((2, 3, 2)))


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"theta": np.zeros(8)}, ValueError),
        ({"theta": np.full(9, np.nan)}, ValueError),
        ({"theta": np.zeros(9, np.float32)}, TypeError),
        ({"reach": 0.0}, ValueError),
        ({"bits": 20}, ValueError),
        ({"bits": 100.0}, TypeError),
        ({"input_radius": -1.0}, ValueError),
        ({"input_radius": np.inf}, ValueError),
        ({"input_radius": "large"}, ValueError),
        ({"one_hot": True}, ValueError),
        ({"network": gf.MLP((2, 2, 1), "relu")}, ValueError),
        ({"data": None}, TypeError),
    ],
)
def test_wrong_arguments(change, error):
    network, data, theta = with_zero()
    with pytest.raises(error):
        certify_zero_loss(**({"network": network, "data": data, "theta": theta} | change))
