"""`loses_rank` says what `sigma_range` says, and is sure on its own far from rank loss."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow import solvers
from geoflow.solvers import singular


def near_duplicates(distance, widths=(3, 12, 12, 2), samples=5, seed=0):
    """A problem whose first two inputs lie `distance` apart: sigma_min is proportional to it."""
    key_data, key_theta = jax.random.split(jax.random.key(seed))
    network = gf.MLP(widths)
    data = gf.generic(key_data, samples, widths[0], widths[-1])
    inputs = data.inputs.at[1].set(data.inputs[0] + distance)
    return gf.Problem(network, gf.Dataset(inputs, data.targets)), network.init(key_theta)


def ratio(problem, theta):
    sigma = np.linalg.svd(np.asarray(problem.jacobian(theta)), compute_uv=False)
    return sigma[-1] / sigma[0]


@pytest.mark.parametrize("distance", [1.0, 1e-3, 1e-5, 1e-7, 1e-9, 0.0])
def test_the_threshold_is_where_sigma_range_puts_it(distance):
    problem, theta = near_duplicates(distance)
    found = max(ratio(problem, theta), 1e-15)
    for rtol in (1e-7, 0.9 * found, 1.1 * found):
        smallest, largest = gf.sigma_range(problem, theta)
        assert bool(solvers.loses_rank(problem, theta, jnp.asarray(rtol))) == bool(
            smallest <= rtol * largest
        )


@pytest.mark.parametrize("samples", [5, 40])
def test_underparametrized(samples):
    """K = 37 < QN: two equal neurons lose rank, a random start does not."""
    network = gf.MLP((2, 7, 2))
    problem = gf.Problem(network, gf.generic(jax.random.key(0), 20 + samples, 2, 2))
    assert problem.regime == "under"
    theta = network.init(jax.random.key(1))
    (W, b), output = network.unflatten(theta)
    twins = network.flatten([(W.at[1].set(W[0]), b.at[1].set(b[0])), output])
    assert not solvers.loses_rank(problem, theta, jnp.asarray(1e-7))
    assert solvers.loses_rank(problem, twins, jnp.asarray(1e-7))


def test_far_from_rank_loss_no_eigenvalue_is_asked_for(monkeypatch):
    """The bound alone decides: an exact answer that is wrong does no harm."""
    problem, theta = near_duplicates(1.0)
    assert ratio(problem, theta) > 1e-4
    monkeypatch.setattr(
        singular, "_sigma_range", lambda problem, theta: (jnp.zeros(()), jnp.ones(()))
    )
    assert not solvers.loses_rank(problem, theta, jnp.asarray(1e-7))
    # and where the bound cannot tell, that answer is what comes back
    assert solvers.loses_rank(*near_duplicates(1e-9), jnp.asarray(1e-7))
