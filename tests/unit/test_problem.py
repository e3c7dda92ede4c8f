"""x, C, ∇C, D and DDᵀ of a problem against finite differences and the plain-numpy network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from reference import PlainNetwork, cost, finite_differences
from strategies import ANALYTIC, Case, cases, relative

import geoflow as gf

ONE_LAYER = Case((3, 2), 4, seed=1)
ONE_SAMPLE = Case((2, 3, 3), 1, seed=2)
ONE_OUTPUT = Case((2, 4, 4, 1), 5, seed=3)
BORDER = Case((2, 4, 2), 11, seed=4)  # K = 22 = QN
NO_BIAS = Case((2, 3, 2), 4, seed=5, bias=False)
TWICE = Case((2, 5, 2), 4, seed=6, twin_distance=0.0)


@settings(max_examples=12)  # each new shape compiles for a second
@given(cases())
@example(ONE_LAYER)
@example(ONE_SAMPLE)
@example(ONE_OUTPUT)
@example(BORDER)
@example(NO_BIAS)
@example(TWICE)
def test_everything_agrees_with_the_plain_network(drawn):
    problem, theta = drawn.problem, drawn.theta
    plain = PlainNetwork.like(problem.network)
    x = plain.outputs(np.asarray(theta), drawn.inputs)
    D = plain.jacobian(np.asarray(theta), drawn.inputs)
    v = (x - drawn.targets).ravel()
    w, u = drawn.vector(problem.K), drawn.vector(problem.QN)
    assert relative(problem.outputs(theta), x) < 1e-13
    assert relative(problem.residual(theta), v) < 1e-13
    assert relative(problem.cost(theta), cost(x, drawn.targets)) < 1e-13
    assert relative(problem.jacobian(theta), D) < 1e-13
    assert relative(problem.ntk(theta), D @ D.T) < 1e-13
    assert np.linalg.norm(problem.gradient(theta) - D.T @ v / problem.N) < 1e-12 * (
        1 + np.linalg.norm(D)
    )
    assert np.linalg.norm(problem.pushforward(theta, w) - D @ w) < 1e-12 * np.linalg.norm(
        D
    ) * np.linalg.norm(w)
    assert np.linalg.norm(problem.pullback(theta, u) - D.T @ u) < 1e-12 * np.linalg.norm(
        D
    ) * np.linalg.norm(u)


@settings(max_examples=8)
@given(cases(activations=ANALYTIC))  # Richardson's step needs four derivatives: no smooth_relu
@example(ONE_LAYER)
@example(ONE_OUTPUT)
@example(BORDER)
def test_derivatives_against_finite_differences(drawn):
    problem, theta = drawn.problem, drawn.theta
    plain = PlainNetwork.like(problem.network)

    def outputs(theta):
        return plain.outputs(theta, drawn.inputs).ravel()

    def C(theta):
        return cost(plain.outputs(theta, drawn.inputs), drawn.targets)

    D = finite_differences(outputs, theta)
    assert np.linalg.norm(problem.jacobian(theta) - D) < 1e-8 * (1 + np.linalg.norm(D))
    gradient = finite_differences(C, theta)
    assert np.linalg.norm(problem.gradient(theta) - gradient) < 1e-8 * (
        1 + np.linalg.norm(gradient)
    )


def test_a_function_network_and_an_mlp_of_the_same_formula_agree():
    """The dense route of hand-made maps against the layered one."""
    drawn = Case((2, 5, 3), 4, seed=7)
    mlp, theta = drawn.problem, drawn.theta
    by_hand = gf.Problem(gf.FunctionNetwork(mlp.network.apply, mlp.K), mlp.data)
    assert relative(by_hand.jacobian(theta), mlp.jacobian(theta)) < 1e-14
    assert relative(by_hand.ntk(theta), mlp.ntk(theta)) < 1e-14
    assert relative(by_hand.gradient(theta), mlp.gradient(theta)) < 1e-13


def test_rows_of_D_are_sample_major():
    """x = (theta_0 z, theta_1 z): the two outputs of sample 1 come first, then those of sample 2."""
    network = gf.MLP((1, 2), bias=False)
    problem = gf.Problem(network, gf.Dataset(jnp.array([[3.0], [5.0]]), jnp.zeros((2, 2))))
    D = problem.jacobian(jnp.array([1.0, 2.0]))
    assert np.array_equal(D, [[3, 0], [0, 3], [5, 0], [0, 5]])
    assert np.array_equal(problem.residual(jnp.array([1.0, 2.0])), [3, 6, 5, 10])
    assert np.array_equal(problem.ntk(jnp.array([1.0, 2.0])), np.array(D) @ np.array(D).T)


def test_the_cost_divides_by_twice_the_number_of_samples_only():
    """C = |x − y|²/(2N), not over QN: three unit errors in each of two samples give 6/(2·2)."""
    problem = gf.Problem(gf.MLP((1, 3)), gf.Dataset(jnp.ones((2, 1)), jnp.ones((2, 3))))
    theta = jnp.zeros(6)
    assert problem.cost(theta) == 1.5
    assert gf.cost_of_outputs(problem.outputs(theta), problem.data.targets) == 1.5
    assert np.array_equal(problem.gradient(theta), np.full(6, -1.0))  # Dᵀ(−1)/N, both inputs 1


@pytest.mark.parametrize(("N", "regime"), [(10, "over"), (11, "border"), (12, "under")])
def test_regime(N, regime):
    problem = Case((2, 4, 2), N).problem
    assert (problem.K, problem.QN, problem.regime) == (22, 2 * N, regime)


def test_refuses_a_network_that_does_not_fit_the_data():
    data = gf.generic(jax.random.key(0), 4, 2, 3)
    with pytest.raises(
        ValueError, match=r"does not fit inputs of shape \(4, 2\).*inputs of width 5"
    ):
        gf.Problem(gf.MLP((5, 3)), data)
    with pytest.raises(ValueError, match=r"outputs have shape \(4, 2\), the targets \(4, 3\)"):
        gf.Problem(gf.MLP((2, 2)), data)
    with pytest.raises(ValueError, match=r"outputs have shape \(4, 2\), the targets \(4, 3\)"):
        gf.Problem(gf.FunctionNetwork(lambda theta, inputs: theta * inputs, 2), data)


METHODS = ["outputs", "residual", "cost", "gradient", "jacobian", "ntk"]


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("method", METHODS)
def test_refuses_a_theta_that_cannot_be_meant(method):
    problem = Case((2, 3, 1), 4).problem
    of = getattr(problem, method)
    with pytest.raises(
        ValueError, match=r"theta must have shape \(K,\) = \(13,\), got \(12,\).*another network"
    ):
        of(np.zeros(12))
    with pytest.raises(ValueError, match=r"theta must have 1 axes"):
        of(np.zeros((13, 1)))
    with pytest.raises(TypeError, match=r"theta must be float64, got float32.*float64"):
        of(np.zeros(13, np.float32))
    with pytest.raises(
        ValueError, match=r"theta must be finite, but 1 of 13 entries are NaN.*\(3,\)"
    ):
        of(np.where(np.arange(13) == 3, np.nan, 0.0))


def test_the_annotations_are_enforced_under_test():
    """The import hook of conftest.py is at work: a float32 theta does not even get in."""
    problem = Case((2, 3, 1), 4).problem
    with pytest.raises(TypeError, match="Type-check error"):
        problem.cost(jnp.zeros(13, jnp.float32))
