"""Networks in balls: every derivative against differences at 212 bits, against geoflow in float64, and over boxes."""

import jax
import numpy as np
import pytest
from flint import arb, arb_mat
from hypothesis import given, settings
from hypothesis import strategies as st

import geoflow as gf
from geoflow.certified import cost as costs
from geoflow.certified.activations import ACTIVATIONS
from geoflow.certified.balls import exact, largest, precision
from geoflow.certified.curvature import curvature, jacobian_along
from geoflow.certified.network import BallNetwork, around, ball_network, floats, rows

STEP = arb(2) ** -60  # errors of central differences: its square, 1e-36

shapes = st.sampled_from(
    [(2, 1), (1, 2, 1), (2, 3, 2), (1, 2, 2, 1), (2, 2, 3, 2), (1, 2, 1, 2, 1)]
)


def drawn(widths, activation, bias, seed, N=2):
    """Network, theta, inputs, targets, as numbers of float64."""
    network, rng = gf.MLP(widths, activation, bias), np.random.default_rng(seed)
    theta = rng.normal(size=network.parameter_count)
    return network, theta, rng.normal(size=(N, widths[0])), rng.normal(size=(N, widths[-1]))


def moved(theta, direction, step):
    return [t + step * d for t, d in zip(theta, direction, strict=True)]


def differences(function, theta, direction):
    """The derivative of a vector-valued function along a direction."""
    ends = [function(moved(theta, direction, sign * STEP)) for sign in (1, -1)]
    return [(a - b) / (2 * STEP) for a, b in zip(*ends, strict=True)]


def close(a, b, tolerance=1e-25):
    return float(largest([x - y for x, y in zip(a, b, strict=True)])) < tolerance


def derivatives_agree(widths, activation, bias, seed):
    """D, D along w, curvature, gradient and Hessian against differences."""
    network, theta, inputs, targets = drawn(widths, activation, bias, seed)
    rng = np.random.default_rng(seed + 1)
    with precision(212):
        net, t, z, y = ball_network(network), exact(theta), rows(inputs), exact(targets)
        w, u = exact(rng.normal(size=net.K)), exact(rng.normal(size=len(y)))
        D = net.jacobian(t, z)
        if (len(D), len(D[0])) != (len(y), net.K):
            return False
        Dw = (arb_mat(D) * arb_mat([[x] for x in w])).entries()
        flat = jacobian_along(net, t, z, w)
        S = arb_mat(curvature(net, t, z, u)) * arb_mat([[x] for x in w])
        u_flat = arb_mat([u]) * arb_mat(flat)
        H = arb_mat(costs.hessian(net, t, z, y)) * arb_mat([[x] for x in w])
        C = differences(lambda at: [costs.cost(net.outputs(at, z), y, len(z))], t, w)
        g = costs.gradient(net, t, z, y)
        return all(
            [
                close(Dw, differences(lambda at: net.outputs(at, z), t, w)),
                close(
                    [x for row in flat for x in row],
                    differences(lambda at: [x for row in net.jacobian(at, z) for x in row], t, w),
                ),
                close(S.entries(), u_flat.entries()),
                close(C, [sum((a * b for a, b in zip(g, w, strict=True)), arb(0))]),
                close(H.entries(), differences(lambda at: costs.gradient(net, at, z, y), t, w)),
            ]
        )


@given(shapes, st.sampled_from(sorted(ACTIVATIONS)), st.booleans(), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_derivatives_by_differences(widths, activation, bias, seed):
    assert derivatives_agree(widths, activation, bias, seed)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_derivatives_of_every_activation(activation):
    assert derivatives_agree((2, 2, 2, 1), activation, True, 0)


def test_a_transposed_D_is_seen(monkeypatch):
    before = BallNetwork.jacobian

    def transposed(self, theta, inputs):
        return [list(column) for column in zip(*before(self, theta, inputs), strict=True)]

    assert derivatives_agree((1, 2), "tanh", True, 0), "K = QN = 4: its shape gives nothing away"
    monkeypatch.setattr(BallNetwork, "jacobian", transposed)
    assert not derivatives_agree((1, 2), "tanh", True, 0)
    assert not derivatives_agree((2, 3, 2), "tanh", True, 0)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_wrong_jet_is_seen(number, monkeypatch):
    """A factor 1 + 1e-12 at sigma, its slope or its bend."""

    def wrong(z):
        jet = list(ACTIVATIONS["sin"](z))
        jet[number] = jet[number] * arb("1.000000000001")
        return tuple(jet)

    monkeypatch.setitem(ACTIVATIONS, "tanh", wrong)
    assert not derivatives_agree((2, 3, 2, 1), "tanh", True, 0)


@given(shapes, st.sampled_from(sorted(ACTIVATIONS)), st.booleans(), st.integers(0, 1000))
@settings(max_examples=4, deadline=None)
def test_the_same_as_geoflow(widths, activation, bias, seed):
    network, theta, inputs, targets = drawn(widths, activation, bias, seed, N=3)
    problem = gf.Problem(network, gf.Dataset(inputs, targets))
    net = ball_network(network)
    with precision(100):
        t, z, y = exact(theta), rows(inputs), exact(targets)
        x, D, H = net.outputs(t, z), net.jacobian(t, z), costs.hessian(net, t, z, y)
        for ours, theirs in (
            ([x], np.asarray(problem.outputs(theta)).reshape(1, -1)),
            (D, np.asarray(problem.jacobian(theta))),
            ([costs.gradient(net, t, z, y)], np.asarray(problem.gradient(theta))[None]),
            (H, np.asarray(gf.equilibria.hessian(problem, theta))),
        ):
            scale = max(np.abs(theirs).max(), 1.0)
            assert np.abs(floats(ours) - theirs).max() < 1e-12 * scale
            assert all(b.rad() < 1e-20 for row in ours for b in row)


@given(shapes, st.sampled_from(sorted(ACTIVATIONS)), st.integers(0, 1000), st.floats(1e-6, 0.2))
@settings(max_examples=15, deadline=None)
def test_a_box_encloses_its_points(widths, activation, seed, radius):
    network, theta, inputs, targets = drawn(widths, activation, True, seed)
    net, rng = ball_network(network), np.random.default_rng(seed)
    with precision(100):

        def everything(t, z, y):
            parts = [[net.outputs(t, z)], net.jacobian(t, z), costs.hessian(net, t, z, y)]
            return [ball for part in parts for row in part for ball in row]

        z, y = rows(inputs), exact(targets)
        wide = everything(
            around(exact(theta), radius), [around(row, radius) for row in z], around(y, radius)
        )
        for corners in (True, False):
            shifts = [rng.uniform(-radius, radius, size=a.shape) for a in (theta, inputs, targets)]
            if corners:
                shifts = [np.sign(s) * radius for s in shifts]
            t = [a + arb(b) for a, b in zip(exact(theta), shifts[0].tolist(), strict=True)]
            zs = [
                [a + arb(b) for a, b in zip(r, s, strict=True)]
                for r, s in zip(z, shifts[1].tolist(), strict=True)
            ]
            ys = [a + arb(b) for a, b in zip(y, shifts[2].reshape(-1).tolist(), strict=True)]
            thin = everything(t, zs, ys)
            assert all(a.contains(b.mid()) for a, b in zip(wide, thin, strict=True))


def test_around_by_a_ball_takes_its_upper_end():
    (grown,) = around([arb(1)], arb(1, 0.5))
    assert grown.contains(arb(2.5))
    assert grown.contains(arb(-0.5))


def test_refused_networks():
    with pytest.raises(TypeError, match="MLP"):
        ball_network(object())
    with pytest.raises(ValueError, match=r"relu.*second derivative"):
        ball_network(gf.MLP((2, 2, 1), "relu"))
    own = gf.Activation("tanh", jax.numpy.sin, "analytic")
    with pytest.raises(ValueError, match="certificates know"):
        ball_network(gf.MLP((2, 2, 1), own))
    net = ball_network(gf.MLP((2, 2, 1)))
    with pytest.raises(ValueError, match="K = 9"):
        net.outputs([arb(0)] * 8, [[arb(0)] * 2])
    with pytest.raises(ValueError, match="M = 2"):
        net.outputs([arb(0)] * 9, [[arb(0)] * 3])
    with pytest.raises(ValueError, match="QN = 1"):
        curvature(net, [arb(0)] * 9, [[arb(0)] * 2], [arb(1)] * 2)
