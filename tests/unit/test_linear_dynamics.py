"""Weights, partial products and the gradient descent dynamics (LN Definition 2.1), against plain numpy."""

import jax
import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest
from hypothesis import given, settings
from linear_cases import points
from reference import finite_differences
from strategies import relative

import geoflow as gf
import geoflow.linear_networks as ln


@given(points())
def test_weights_and_theta(drawn):
    assert np.array_equal(drawn.theta, plain.flat(drawn.plain))
    for W, expected, again in zip(
        drawn.problem.weights(drawn.theta),
        drawn.plain,
        plain.split(drawn.theta, drawn.dims),
        strict=True,
    ):
        assert np.array_equal(W, expected)
        assert np.array_equal(again, expected)
    assert float(drawn.problem.loss(drawn.theta)) == pytest.approx(
        plain.loss(drawn.plain, drawn.X, drawn.Y), rel=1e-12
    )


@given(points())
def test_products(drawn):
    """A_k = W_{H+1}⋯W_{k+1}, B_k = W_{k−1}⋯W_1, and A_kW_kB_k = Π for every k."""
    A, B = ln.partial_products(drawn.Ws)
    Pi, dims, n = plain.product(drawn.plain), drawn.dims, len(drawn.Ws)
    assert relative(ln.product(drawn.Ws), Pi) < 1e-13
    assert len(A) == len(B) == n
    assert np.array_equal(A[-1], np.eye(dims[-1]))
    assert np.array_equal(B[0], np.eye(dims[0]))
    for k in range(n):
        assert A[k].shape == (dims[-1], dims[k + 1])
        assert B[k].shape == (dims[k], dims[0])
        assert relative(A[k], plain.chain(drawn.plain[k + 1 :], dims[k + 1])) < 1e-13
        assert relative(B[k], plain.chain(drawn.plain[:k], dims[0])) < 1e-13
        assert relative(A[k] @ drawn.Ws[k] @ B[k], Pi) < 1e-12


@given(points())
def test_the_dynamics_go_down_the_loss(drawn):
    """(6) is −∇L: by finite differences of L, by the plain formula, and N times the standard flow."""
    velocity = np.asarray(ln.gdd(drawn.problem, drawn.theta))
    by_differences = finite_differences(plain.loss_of(drawn.dims, drawn.X, drawn.Y), drawn.theta)
    assert np.abs(velocity + by_differences).max() < 1e-7 * max(np.abs(by_differences).max(), 1.0)
    assert relative(-velocity, plain.flat(plain.gradient(drawn.plain, drawn.X, drawn.Y))) < 1e-12
    assert relative(velocity, drawn.problem.N * gf.standard(drawn.problem, drawn.theta)) < 1e-12


def test_the_clock_is_the_papers():
    """A scalar network of one weight each, w_1 = w_2: u̇ = 2u(1 − u), not divided by the number of samples."""
    # XXᵀ = 1, four samples
    problem = ln.LinearProblem(gf.Dataset(jnp.full((4, 1), 0.5), jnp.full((4, 1), 0.5)), (1,))
    assert np.asarray(ln.gdd(problem, jnp.array([0.5, 0.5]))) == pytest.approx(
        0.5 * 0.75, rel=1e-14
    )


def problems_that_are_not_linear():
    data = gf.Dataset(jnp.ones((3, 2)), jnp.ones((3, 1)))
    identity = gf.FunctionNetwork(lambda theta, inputs: inputs @ theta[:, None], 2)
    networks = {
        "tanh": gf.MLP((2, 3, 1), "tanh", bias=False),
        "biases": gf.MLP((2, 3, 1), "identity"),
        "a function": identity,
        "no hidden layer": gf.MLP((2, 1), "identity", bias=False),
        "linear, but made as a Problem": gf.MLP((2, 3, 1), "identity", bias=False),
    }
    return {name: gf.Problem(network, data) for name, network in networks.items()}


NOT_LINEAR = problems_that_are_not_linear()


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("name", NOT_LINEAR)
def test_only_linear_problems_are_taken(name):
    problem = NOT_LINEAR[name]
    theta = jnp.ones(problem.K)
    advice = r"(?s)problem must be a LinearProblem, got Problem .*Make it with LinearProblem\(data, hidden\) or Reduced"
    for use in (
        lambda: ln.gdd(problem, theta),
        lambda: gf.integrate(ln.gdd, problem, theta, until=1.0),
        lambda: gf.integrate_many(ln.gdd, problem, theta[None], until=1.0),
        lambda: ln.first_variation(problem, theta, theta),
        lambda: ln.second_variation(problem, theta, theta),
        lambda: ln.mode_strengths(problem, theta),
    ):
        with pytest.raises(TypeError, match=advice):
            use()


@pytest.mark.usefixtures("as_a_user")
def test_only_reduced_problems_are_reduced():
    """Inputs that are white by chance make no reduced problem: there is one door, and it checks."""
    linear = ln.LinearProblem(gf.Dataset(jnp.eye(3), jnp.eye(3)[:, :2]), (2,))
    reduced = ln.ReducedProblem([1.0, 2.0], 3, (2,))
    for problem, kind in (
        (linear, "LinearProblem"),
        (NOT_LINEAR["tanh"], "Problem"),
        (ln.ReducedProblem, "the class Red"),
    ):
        for use in (
            lambda p: ln.aligned_start(p, 0.1),
            lambda p: ln.stratum_point(p, (0,), jax.random.key(0)),
        ):
            with pytest.raises(TypeError, match=rf"(?s)must be a ReducedProblem, got {kind}.*Make it with ReducedProblem"
                               r"\(sigma, d_x, hidden\), or with reduction\(data\)\.problem\(hidden\)"):  # fmt: skip
                use(problem)
    assert isinstance(reduced, ln.LinearProblem)
    assert ln.mode_strengths(reduced, jnp.ones(reduced.K)).tolist() == [2.0, 2.0]


@pytest.mark.usefixtures("as_a_user")
def test_a_linear_problem_is_made_of_data_and_widths():
    data = gf.Dataset(jnp.ones((3, 2)), jnp.ones((3, 1)))
    problem = ln.LinearProblem(data, [3, 4])
    assert (problem.widths, problem.H, problem.K) == ((2, 3, 4, 1), 2, 6 + 12 + 4)
    assert np.array_equal(problem.X, np.ones((2, 3)))
    assert np.array_equal(problem.Y, np.ones((1, 3)))
    with pytest.raises(
        TypeError,
        match=r"data must be a Dataset, got tuple \(3,\)\. The order is LinearProblem\(data, hidden\)",
    ):
        ln.LinearProblem((3,), data)
    for hidden in ((), [], 3, "33", None):
        with pytest.raises(
            ValueError,
            match=r"H ≥ 1 hidden layers are needed, as hidden=\(3, 3\), got .*a convex quadratic",
        ):
            ln.LinearProblem(data, hidden)
    for hidden, kind, message in (
        ((3, 0), ValueError, r"hidden\[1\] must be a whole number of at least 1, got 0"),
        ((2.5,), TypeError, r"hidden\[0\] must be a whole number, got 2\.5"),
        ((3, True), TypeError, r"hidden\[1\] must be a whole number, got True"),
    ):
        for make in (
            lambda hidden: ln.LinearProblem(data, hidden),
            lambda hidden: ln.ReducedProblem([1.0], 2, hidden),
        ):
            with pytest.raises(kind, match=message):
                make(hidden)


@pytest.mark.usefixtures("as_a_user")
def test_weights_that_do_not_chain():
    good = [np.ones((3, 2)), np.ones((1, 3))]
    for use in (
        ln.product,
        ln.partial_products,
        ln.invariants,
        ln.norm_differences,
        ln.product_bounds,
        ln.exponential_rate,
    ):
        with pytest.raises(
            ValueError, match=r"W_2W_1 must be defined, got shapes \(3, 2\) and \(1, 3\): list"
        ):
            use(good[::-1])
        with pytest.raises(ValueError, match=r"at least the two matrices W_1, W_2, got 1"):
            use(good[:1])
        with pytest.raises(ValueError, match="W_2 must be finite"):
            use([good[0], np.full((1, 3), np.nan)])
        with pytest.raises(TypeError, match="W_1 must be float64, got float32"):
            use([good[0].astype(np.float32), good[1]])
        with pytest.raises(ValueError, match=r"W_2 must have 2 axes .*got shape \(3,\)"):
            use([good[0], np.ones(3)])
        for no_list in (np.ones((2, 3, 3)), good[0], None):
            with pytest.raises(
                TypeError,
                match=r"must be a list or tuple of matrices \(W_1, \.\.\., W_\{H\+1\}\), got",
            ):
                use(no_list)
    problem = ln.ReducedProblem(np.array([2.0]), 2, (3,))
    with pytest.raises(ValueError, match=r"theta must have shape \(K,\) = \(9,\), got \(8,\)"):
        problem.weights(np.ones(8))
    with pytest.raises(ValueError, match=r"W_1 must have shape \(3, 2\), got \(3, 3\)"):
        problem.theta_of([np.ones((3, 3)), np.ones((1, 3))])


@settings(max_examples=10)
@given(points(m=(5,)))
def test_the_witness_agrees_with_itself(drawn):
    """The reference's gradient and Kronecker Hessian against finite differences."""

    def gradient(theta):
        return plain.flat(plain.gradient(plain.split(theta, drawn.dims), drawn.X, drawn.Y))

    H = plain.kronecker_hessian(drawn.plain, drawn.X, drawn.Y)
    assert np.abs(finite_differences(gradient, drawn.theta) - H).max() < 1e-7 * np.abs(H).max()
    assert np.abs(H - H.T).max() < 1e-12 * np.abs(H).max()
