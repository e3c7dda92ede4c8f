"""First and second variation (LN Proposition 3) against the Kronecker Hessian and finite differences of a plain loss."""

import jax.numpy as jnp
import linear_reference as plain
import numpy as np
import pytest
from hypothesis import given, settings
from linear_cases import Point, points

import geoflow as gf
import geoflow.linear_networks as ln

DIMS = ((4, 3, 2), (3, 2, 4, 2))


def along(drawn, w):
    """t ↦ L(theta + tw), and a step for it: a polynomial of degree 2(H+1), which the differences meet at O(h⁶)."""
    L = plain.loss_of(drawn.dims, drawn.X, drawn.Y)
    theta, w = np.asarray(drawn.theta), np.asarray(w)
    return (lambda t: L(theta + t * w)), 0.02


@settings(max_examples=40)
@given(points(DIMS, m=(5,)))
def test_the_variations_by_differences(drawn):
    w = drawn.direction()
    L, h = along(drawn, w)
    values = np.array([L(k * h) for k in range(-3, 4)])
    first = values @ np.array([-1, 9, -45, 0, 45, -9, 1]) / 60 / h
    second = values @ np.array([2, -27, 270, -490, 270, -27, 2]) / 180 / h**2
    size = np.abs(values).max() * max(1.0, float(jnp.linalg.norm(w)) ** 2)
    assert float(ln.first_variation(drawn.problem, drawn.theta, w)) == pytest.approx(
        first, abs=1e-6 * size
    )
    assert float(ln.second_variation(drawn.problem, drawn.theta, w)) == pytest.approx(
        second, abs=1e-5 * size
    )


@settings(max_examples=40)
@given(points(DIMS, m=(5,)))
def test_the_variations_by_kronecker_products(drawn):
    w, v = (np.asarray(drawn.direction(number)) for number in (0, 1))
    H = plain.kronecker_hessian(drawn.plain, drawn.X, drawn.Y)
    gradient = plain.flat(plain.gradient(drawn.plain, drawn.X, drawn.Y))

    def q(direction):
        return float(ln.second_variation(drawn.problem, drawn.theta, jnp.asarray(direction)))

    size = np.linalg.norm(H, 2) * (w @ w + v @ v)
    assert float(ln.first_variation(drawn.problem, drawn.theta, jnp.asarray(w))) == pytest.approx(
        gradient @ w, rel=1e-11
    )
    assert q(w) == pytest.approx(w @ H @ w, abs=1e-13 * size)
    # polarization: the form, and with it the whole Hessian
    assert (q(w + v) - q(w - v)) / 4 == pytest.approx(w @ H @ v, abs=1e-12 * size)


@pytest.mark.parametrize("dims", DIMS)
def test_the_whole_hessian(dims):
    """Three independent ways to one matrix: autodiff of C times N, Kronecker products, and the form on unit vectors."""
    drawn = Point(dims, seed=3)
    H = plain.kronecker_hessian(drawn.plain, drawn.X, drawn.Y)
    assert (
        np.abs(drawn.problem.N * gf.equilibria.hessian(drawn.problem, drawn.theta) - H).max()
        < 1e-12 * np.abs(H).max()
    )
    diagonal = [
        float(ln.second_variation(drawn.problem, drawn.theta, e)) for e in jnp.eye(drawn.problem.K)
    ]
    assert np.abs(diagonal - np.diagonal(H)).max() < 1e-12 * np.abs(H).max()


def test_by_hand():
    """L = ½(1 − w_2w_1)² at (w_1, w_2) = (1, 0): dL = −δw_2, and q = δw_2² − 2 δw_1 δw_2."""
    problem = ln.ReducedProblem(np.array([1.0]), 1, (1,))
    theta, w = jnp.array([1.0, 0.0]), jnp.array([3.0, 5.0])
    assert float(ln.first_variation(problem, theta, w)) == -5.0
    assert float(ln.second_variation(problem, theta, w)) == 25.0 - 2 * 15.0


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    problem = ln.ReducedProblem(np.array([1.0]), 2, (2,))
    theta = jnp.ones(problem.K)
    for vary in (ln.first_variation, ln.second_variation):
        with pytest.raises(ValueError, match=r"must have shape \(K,\) = \(6,\), got \(5,\)"):
            vary(problem, jnp.ones(5), jnp.ones(5))
        with pytest.raises(
            ValueError,
            match=r"w must have shape \(K,\) = \(6,\), got \(5,\), a direction in parameter space",
        ):
            vary(problem, theta, jnp.ones(5))
        with pytest.raises(TypeError, match=r"w must be float64, got float32"):
            vary(problem, theta, theta.astype(jnp.float32))
        with pytest.raises(
            TypeError,
            match=r"(?s)problem must be a LinearProblem, got Problem .*Make it with LinearProblem",
        ):
            vary(gf.Problem(gf.MLP((2, 2, 1)), problem.data), jnp.ones(9), theta)
