"""The bundle behind the flow, against the pseudo-inverse of a plain-numpy D and brackets by finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from reference import PlainNetwork, finite_differences
from strategies import Case, relative, scales, seeds

import geoflow as gf

#: A few shapes, so that a hundred problems compile a few times only: depth 1 to 3, Q up to 3, without bias, K = QN.
SHAPES = [
    ((2, 3, 1), 4, "tanh", True),
    ((1, 4, 2), 3, "softplus", False),
    ((2, 2, 3, 1), 5, "sin", True),
    ((3, 2), 4, "identity", True),
]
#: cond D; the errors below grow with its square, and 1e-9 leaves room for that
WELL_CONDITIONED = 1e3


@st.composite
def overparametrized(draw):
    widths, N, activation, bias = draw(st.sampled_from(SHAPES))
    return Case(widths, N, activation, bias, draw(seeds), draw(scales))


def well_conditioned_jacobian(case):
    """The plain D; hypothesis draws again where it is nearly deficient."""
    D = plain_jacobian(case, case.theta)
    sigma = np.linalg.svd(D, compute_uv=False)
    assume(sigma[0] < WELL_CONDITIONED * sigma[-1])
    return D


def plain_jacobian(case, theta):
    return PlainNetwork.like(case.problem.network).jacobian(np.asarray(theta), case.inputs)


def directions(case, count=2):
    rng = np.random.default_rng(case.seed)
    return [jnp.asarray(rng.normal(size=case.problem.QN)) for _ in range(count)]


@settings(max_examples=24)
@given(overparametrized())
def test_the_two_parts_of_a_vector(case):
    problem, theta, D = case.problem, case.theta, well_conditioned_jacobian(case)
    w = case.vector(problem.K)
    along, across = gf.bundle.horizontal(problem, theta, w), gf.bundle.vertical(problem, theta, w)
    assert relative(along, np.linalg.pinv(D) @ (D @ w)) < 1e-9
    assert relative(along + across, w) < 1e-14
    assert relative(gf.bundle.horizontal_projector(problem, theta), np.linalg.pinv(D) @ D) < 1e-9
    size = np.linalg.norm(w)
    # the outputs do not feel it
    assert np.linalg.norm(D @ across) < 1e-9 * np.linalg.norm(D) * size
    assert abs(along @ across) < 1e-9 * size**2
    assert np.linalg.norm(gf.bundle.vertical(problem, theta, along)) < 1e-9 * size


@settings(max_examples=24)
@given(overparametrized())
def test_the_gradient_of_the_bundle_metric(case):
    """dF(W) = h(grad_h F, W): for the cost and every W, for any F and horizontal W (GM (2.26)-(2.30))."""
    problem, theta, D = case.problem, case.theta, well_conditioned_jacobian(case)
    W, dF, dC = case.vector(problem.K), jnp.flip(case.vector(problem.K)), problem.gradient(theta)
    grad = gf.bundle.bundle_gradient(problem, theta, dC)
    assert relative(grad, np.linalg.pinv(D) @ np.linalg.pinv(D).T @ np.asarray(dC)) < 1e-9
    assert relative(grad, -gf.adapted(problem, theta)) < 1e-9
    assert (
        relative(gf.bundle.bundle_metric(problem, theta, grad, W), (D @ grad) @ (D @ np.asarray(W)))
        < 1e-9
    )
    scale = np.linalg.norm(dC) * np.linalg.norm(W)
    assert abs(gf.bundle.bundle_metric(problem, theta, grad, W) - dC @ W) < 1e-9 * scale
    assert np.linalg.norm(gf.bundle.vertical(problem, theta, grad)) < 1e-9 * np.linalg.norm(grad)
    other, along = (
        gf.bundle.bundle_gradient(problem, theta, dF),
        gf.bundle.horizontal(problem, theta, W),
    )
    assert abs(
        gf.bundle.bundle_metric(problem, theta, other, along) - dF @ along
    ) < 1e-9 * np.linalg.norm(dF) * np.linalg.norm(W)


@settings(max_examples=24)
@given(overparametrized())
def test_lifts_and_their_brackets(case):
    """Lifts are isometric; their brackets are antisymmetric and purely vertical, D[V_u, V_w] = 0."""
    problem, theta, D = case.problem, case.theta, well_conditioned_jacobian(case)
    u, w = directions(case)
    V, W = gf.bundle.lift(problem, theta, u), gf.bundle.lift(problem, theta, w)
    assert relative(V, np.linalg.pinv(D) @ u) < 1e-9
    assert abs(gf.bundle.bundle_metric(problem, theta, V, W) - u @ w) < 1e-9 * np.linalg.norm(
        u
    ) * np.linalg.norm(w)
    bracket = gf.bundle.lift_bracket(problem, theta, u, w)
    assert (
        relative(-gf.bundle.lift_bracket(problem, theta, w, u), bracket) < 1e-9
        or np.linalg.norm(bracket) < 1e-12
    )
    # |dV_w(V_u)| sets the scale: the bracket itself may be zero
    along = jax.jvp(lambda t: gf.bundle.lift(problem, t, w), (theta,), (V,))[1]
    assert (
        np.linalg.norm(D @ bracket)
        < 1e-9 * np.linalg.norm(D) * (np.linalg.norm(bracket) + np.linalg.norm(along)) + 1e-12
    )


@given(overparametrized())
@example(Case((2, 3, 1), 4, seed=1))
def test_the_bracket_by_finite_differences(case):
    """[V_u, V_w] = dV_w(V_u) − dV_u(V_w), the lifts by numpy's pinv of the plain D, differentiated by differences."""
    u, w = map(np.asarray, directions(case))
    theta, D = np.asarray(case.theta), well_conditioned_jacobian(case)
    V, W = np.linalg.pinv(D) @ u, np.linalg.pinv(D) @ w

    def along(direction, lifted):
        """The derivative of the lift of `lifted` along `direction`."""

        def on_the_line(t):
            return np.linalg.pinv(plain_jacobian(case, theta + t[0] * direction)) @ lifted

        # a step in theta that is short against the distance to rank loss, of the order of sigma_min
        step = (
            1e-2
            * np.linalg.svd(D, compute_uv=False)[-1]
            / np.linalg.norm(D)
            / np.linalg.norm(direction)
        )
        return finite_differences(on_the_line, np.zeros(1), step)[:, 0]

    there, back = along(V, w), along(W, u)
    measured = gf.bundle.lift_bracket(case.problem, case.theta, jnp.asarray(u), jnp.asarray(w))
    assert (
        np.linalg.norm(measured - (there - back))
        < 1e-6 * (np.linalg.norm(there) + np.linalg.norm(back)) + 1e-8
    )


def test_the_bracket_of_linear_fields_by_hand():
    """X = Aθ, Y = Bθ: dY(X) − dX(Y) = (BA − AB)θ."""
    rng = np.random.default_rng(0)
    A, B, theta = (
        jnp.asarray(rng.normal(size=(4, 4))),
        jnp.asarray(rng.normal(size=(4, 4))),
        jnp.arange(4.0),
    )
    assert (
        relative(
            gf.bundle.lie_bracket(lambda t: A @ t, lambda t: B @ t, theta), (B @ A - A @ B) @ theta
        )
        < 1e-14
    )


def one_neuron(sigma):
    """x_j = a·sigma(wz_j + b) at z = 0, 1, with theta = (w, b, a): K = 3, QN = 2."""
    network = gf.FunctionNetwork(lambda t, z: t[2] * sigma(t[0] * z + t[1]), 3)
    return gf.Problem(network, gf.Dataset([[0.0], [1.0]], [[0.0], [0.0]]))


def test_the_exact_control():
    """sigma = z² + z: n·[g_0, g_1] = 2a³w(2b + w + 1) with n = g_0 × g_1, which is 8 at (1, 1, 1), by hand."""
    problem = one_neuron(lambda z: z * z + z)
    rows = [lambda t, j=j: problem.jacobian(t)[j] for j in (0, 1)]
    for theta, expected in [
        ((1.0, 1.0, 1.0), 8.0),
        ((2.0, -1.0, 0.5), 0.5),
        ((-1.0, 0.0, 1.0), 0.0),
    ]:
        theta = jnp.asarray(theta)
        normal = np.cross(*problem.jacobian(theta))
        assert normal @ gf.bundle.lie_bracket(*rows, theta) == pytest.approx(expected, abs=1e-12)


def test_integrable_bundles_have_no_bracket():
    square = one_neuron(lambda z: z * z)
    flat = Case((3, 2), 3, activation="identity", seed=2)
    for problem, theta in [(square, jnp.array([1.0, 1.0, 1.0])), (flat.problem, flat.theta)]:
        u, w = jnp.eye(problem.QN)[:2]
        assert np.linalg.norm(gf.bundle.lift_bracket(problem, theta, u, w)) < 1e-12


@pytest.fixture
def curved():
    return Case((2, 3, 1), 4, seed=1)


def test_a_small_loop_misses_its_start_by_the_bracket(curved):
    problem, theta = curved.problem, curved.theta
    u, w = jnp.eye(4)[0], jnp.eye(4)[2]
    bracket = gf.bundle.lift_bracket(problem, theta, u, w)
    error = []
    for side in (2e-2, 1e-2, 5e-3):
        turn = gf.bundle.holonomy(problem, theta, u, w, side, points=4)
        assert turn.theta.shape == (17, 13)
        assert np.array_equal(turn.displacement, turn.theta[-1] - turn.theta[0])
        assert turn.gap < 1e-12
        error.append(relative(turn.displacement / side**2, bracket))
    assert error[-1] < 0.1
    assert np.log2(error[0] / error[1]) == pytest.approx(1, abs=0.3)
    assert np.log2(error[1] / error[2]) == pytest.approx(1, abs=0.2)


def test_the_corners_of_a_loop(curved):
    problem, theta, (u, w) = curved.problem, curved.theta, directions(curved)
    turn = gf.bundle.holonomy(problem, theta, u, w, 0.05, points=4)
    x0 = problem.outputs(theta).reshape(-1)
    for index, corner in [
        (4, x0 + 0.05 * u),
        (8, x0 + 0.05 * (u + w)),
        (12, x0 + 0.05 * w),
        (16, x0),
    ]:
        assert (
            np.linalg.norm(problem.outputs(jnp.asarray(turn.theta[index])).reshape(-1) - corner)
            < 1e-11
        )


def test_a_loop_of_a_linear_network_closes():
    flat = Case((3, 2), 3, activation="identity", seed=2)
    turn = gf.bundle.holonomy(flat.problem, flat.theta, jnp.eye(6)[0], jnp.eye(6)[3], 0.5, points=2)
    assert np.linalg.norm(turn.displacement) < 1e-11


def test_a_loop_out_of_the_image_is_stopped():
    """x = tanh θ cannot reach x_0 + 2."""
    bounded = gf.Problem(
        gf.FunctionNetwork(lambda t, z: jnp.tanh(t)[None], 1), gf.Dataset([[0.0]], [[0.0]])
    )
    with pytest.raises(gf.OrbitStopped) as stopped:
        gf.bundle.holonomy(bounded, jnp.zeros(1), jnp.ones(1), jnp.ones(1), 2.0, max_steps=500)
    assert not stopped.value.orbit.status.ok


def test_where_rank_is_lost_the_parts_remain_and_lifts_are_refused():
    twin = Case((2, 3, 1), 4, seed=1, twin_distance=0.0)
    P = gf.bundle.horizontal_projector(twin.problem, twin.theta)
    assert np.trace(P) == pytest.approx(3, abs=1e-10)  # 4 outputs, two of them the same
    w = twin.vector(twin.problem.K)
    assert (
        np.linalg.norm(
            twin.problem.pushforward(twin.theta, gf.bundle.vertical(twin.problem, twin.theta, w))
        )
        < 1e-12
    )
    u = jnp.eye(4)[0]
    for refused in (
        lambda: gf.bundle.lift(twin.problem, twin.theta, u),
        lambda: gf.bundle.lift_bracket(twin.problem, twin.theta, u, u),
        lambda: gf.bundle.holonomy(twin.problem, twin.theta, u, u, 0.1),
    ):
        with pytest.raises(ValueError, match=r"needs full rank QN = 4, got rank 3 .*moore_penrose"):
            refused()


@pytest.mark.usefixtures("as_a_user")
def test_the_bundle_refuses(curved):
    problem, theta = curved.problem, curved.theta
    under = Case((2, 1, 1), 6, seed=1)
    with pytest.raises(ValueError, match="needs K ≥ QN, got K = 5 < QN = 6"):
        gf.bundle.lift(under.problem, under.theta, jnp.ones(6))
    with pytest.raises(
        ValueError,
        match=r"u must have shape \(QN,\) = \(4,\), a vector of output space.*got \(3,\)",
    ):
        gf.bundle.lift(problem, theta, np.ones(3))
    with pytest.raises(ValueError, match=r"w must have shape \(QN,\)"):
        gf.bundle.lift_bracket(problem, theta, np.ones(4), np.ones(13))
    with pytest.raises(ValueError, match=r"side must be a finite number above zero, got -0\.1"):
        gf.bundle.holonomy(problem, theta, np.ones(4), np.ones(4), -0.1)
    with pytest.raises(ValueError, match="points must be a whole number of at least 1, got 0"):
        gf.bundle.holonomy(problem, theta, np.ones(4), np.ones(4), 0.1, points=0)
    with pytest.raises(ValueError, match="theta must have shape"):
        gf.bundle.vertical(problem, theta[1:], np.ones(13))
    with pytest.raises(
        ValueError,
        match=r"w must have shape \(K,\) = \(13,\), got \(12,\), a direction in parameter space",
    ):
        gf.bundle.horizontal(problem, theta, np.ones(12))
