"""What is measured: tanh networks of three sizes, real digits, and near-duplicate data of a chosen condition number."""

import jax
import jax.numpy as jnp
import numpy as np

import geoflow

# widths (M, h, h, Q), samples N. S: K = 1476, QN = 64. M: K = 26 122, QN = 640. L: K = 85 002, QN = 2560.
SIZES = {
    "S": ((8, 32, 32, 4), 16),
    "M": ((64, 128, 128, 10), 64),
    "L": ((64, 256, 256, 10), 256),
}


def sized(size: str, seed: int = 0):
    """(problem, theta) of that size: generic data, a random start."""
    widths, samples = SIZES[size]
    key_data, key_theta = jax.random.split(jax.random.key(seed))
    network = geoflow.MLP(widths)
    problem = geoflow.Problem(network, geoflow.generic(key_data, samples, widths[0], widths[-1]))
    return problem, network.init(key_theta)


def digits(seed: int = 0):
    """(problem, theta): 60 images of ten classes, QN = 600, K = 2690."""
    network = geoflow.MLP((20, 60, 20, 10))
    return geoflow.Problem(network, geoflow.digits(60, 20)), network.init(jax.random.key(seed))


def near_duplicates(condition: float, seed: int = 0):
    """(problem, theta, cond(D)) with two inputs so close that cond(D) is `condition`, to within a factor 1.1.

    QN = 24, K = 387: small enough for arithmetic with 40 digits.
    """
    widths, samples = (4, 16, 16, 3), 8
    key_data, key_theta, key_shift = jax.random.split(jax.random.key(seed), 3)
    network = geoflow.MLP(widths)
    data, theta = geoflow.generic(key_data, samples, widths[0], widths[-1]), network.init(key_theta)
    shift = jax.random.normal(key_shift, (widths[0],))

    def with_distance(distance):
        inputs = data.inputs.at[1].set(data.inputs[0] + distance * shift)
        problem = geoflow.Problem(network, geoflow.Dataset(inputs, data.targets))
        return problem, float(np.linalg.cond(problem.jacobian(theta)))

    distance = 1.0
    for _ in range(20):  # cond(D) grows like 1/distance
        problem, found = with_distance(distance)
        if condition / 1.1 < found < 1.1 * condition:
            return problem, theta, found
        distance *= found / condition
    raise RuntimeError(
        f"no distance found with cond(D) = {condition:g}: the last one gave {found:g}."
    )


def right_hand_side(problem, theta):
    """∇_x C = (x − y)/N, what D⁺ is applied to in the adapted field; (QN,)."""
    return jnp.asarray(problem.residual(theta) / problem.N)
