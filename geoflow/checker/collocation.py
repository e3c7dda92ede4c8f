"""The checker's own approximation of an orbit of dtheta/dτ = D⁺b, in floating point: a guess, which is then judged by intervals."""

import itertools

import numpy as np

from geoflow.checker.intervals import Refused
from geoflow.checker.network import Net

#: Gauss points of a slab.
NODES = 8

_SIGMA = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 1 / (2 + np.exp(z) + np.exp(-z))),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z: 1 / (1 + np.exp(-z))),
    "sin": (np.sin, np.cos),
    "identity": (lambda z: z, np.ones_like),
}


def outputs_and_slope(
    net: Net, theta: np.ndarray, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """x (QN,) and D (QN, K), forward with all tangents."""
    sigma, slope = _SIGMA[net.activation]
    K, N = net.parameters, len(inputs)
    value, tangent, place = inputs, np.zeros((N, inputs.shape[1], K)), 0
    for l, (d_in, d_out) in enumerate(itertools.pairwise(net.widths)):
        W = theta[place : place + d_out * d_in].reshape(d_out, d_in)
        moved = np.einsum("ab,nbk->nak", W, tangent)
        for a in range(d_out):
            moved[:, a, place + a * d_in : place + (a + 1) * d_in] += value
        place += d_out * d_in
        new = value @ W.T
        if net.bias:
            new = new + theta[place : place + d_out]
            moved[:, np.arange(d_out), place + np.arange(d_out)] += 1
            place += d_out
        if l < len(net.widths) - 2:
            moved, new = slope(new)[:, :, None] * moved, sigma(new)
        value, tangent = new, moved
    return value.reshape(-1), tangent.reshape(-1, K)


def piece(
    net: Net, inputs: np.ndarray, b: np.ndarray, start: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of P (K, NODES + 1) and λ (QN, NODES) in powers of s, τ = middle + s·width/2. Raises Refused without a limit."""
    nodes = np.polynomial.legendre.leggauss(NODES)[0]
    k = np.arange(1, NODES + 1)
    to_powers = np.linalg.inv(nodes[:, None] ** (k - 1))
    path = np.concatenate([start[:, None], np.zeros((len(start), NODES))], axis=1)
    for _ in range(80):
        at = path @ (nodes[None, :] ** np.arange(NODES + 1)[:, None])
        multipliers, speeds = list[np.ndarray](), list[np.ndarray]()
        for theta in at.T:
            D = outputs_and_slope(net, theta, inputs)[1]
            if not np.isfinite(D).all():
                raise Refused("the guess of the orbit is not finite.")
            multipliers.append(np.linalg.lstsq(D @ D.T, b, rcond=None)[0])
            speeds.append(D.T @ multipliers[-1])
        powers = (to_powers @ np.array(speeds)) / k[:, None] * (width / 2)
        new = np.concatenate([(start - ((-1.0) ** k) @ powers)[None], powers]).T
        change = np.abs(new - path).max()
        path = new
        if change < 1e-14 * np.abs(path).max():
            return path, (to_powers @ np.array(multipliers)).T
    raise Refused("the guess of the orbit does not settle: a slab is too long.")
