"""The second witness: the network and its derivative in plain numpy, one sample and one parameter at a time.

Shares nothing with geoflow. Slow and obvious on purpose. The arrays may hold floats or mpmath numbers (dtype object):
the same lines then compute with 50 digits.
"""

from dataclasses import dataclass

import mpmath
import numpy as np

mpmath.mp.dps = 50
EXTENDED = np.vectorize(mpmath.mpf, otypes=[object])  # exact: every float64 is an mpf
ROUNDED = np.vectorize(float, otypes=[float])


def _of(float_function, extended_function):
    extended = np.vectorize(extended_function, otypes=[object])
    return lambda z: (extended if np.asarray(z).dtype == object else float_function)(z)


_tanh, _sin, _cos = _of(np.tanh, mpmath.tanh), _of(np.sin, mpmath.sin), _of(np.cos, mpmath.cos)
_exp, _log = _of(np.exp, mpmath.exp), _of(np.log, mpmath.log)


def _smooth_relu(eps):
    def value(z):
        return np.array(
            [0.0 if t < -eps else t if t > eps else (t + eps) ** 2 / (4 * eps) for t in z]
        )

    def slope(z):
        return np.array([0.0 if t < -eps else 1.0 if t > eps else (t + eps) / (2 * eps) for t in z])

    return value, slope


# name: (value, slope), both of a vector of preactivations
ACTIVATIONS = {
    "tanh": (_tanh, lambda z: 1 - _tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + _exp(-z)), lambda z: _exp(-z) / (1 + _exp(-z)) ** 2),
    "softplus": (lambda z: _log(1 + _exp(z)), lambda z: 1 / (1 + _exp(-z))),
    "sin": (_sin, _cos),
    "identity": (lambda z: z, lambda z: 0 * z + 1),
    "smooth_relu(0.1)": _smooth_relu(0.1),
}


@dataclass(frozen=True)
class PlainNetwork:
    """x^(l) = sigma(W_l x^(l-1) + b_l), the last layer without sigma; theta lists W_1 row by row, b_1, W_2, ..."""

    widths: tuple
    activation: str = "tanh"
    bias: bool = True

    @classmethod
    def like(cls, network):
        return cls(network.widths, network.activation.name, network.bias)

    def layers(self, theta):
        theta, layers = list(theta), []
        for d_in, d_out in zip(self.widths[:-1], self.widths[1:], strict=True):
            W = np.array([[theta.pop(0) for _ in range(d_in)] for _ in range(d_out)])
            b = np.array([theta.pop(0) if self.bias else 0 * W[0, 0] for _ in range(d_out)])
            layers.append((W, b))
        assert not theta, "theta is longer than the network"
        return layers

    def outputs(self, theta, inputs):
        """(N, Q)."""
        value, _ = ACTIVATIONS[self.activation]
        *hidden, (W_out, b_out) = self.layers(theta)
        rows = []
        for x in inputs:
            for W, b in hidden:
                x = value(W @ x + b)
            rows.append(W_out @ x + b_out)
        return np.array(rows)

    def jacobian(self, theta, inputs):
        """D (QN, K): column k is the derivative of all outputs, sample after sample, along the k-th unit vector."""
        value, slope = ACTIVATIONS[self.activation]
        *hidden, (W_out, _) = self.layers(theta)
        columns = []
        for k in range(len(theta)):
            direction = 0 * np.asarray(theta)
            direction[k] = direction[k] + 1
            *hidden_dot, (W_out_dot, b_out_dot) = self.layers(direction)
            column = []
            for x in inputs:
                x_dot = 0 * x
                for (W, b), (W_dot, b_dot) in zip(hidden, hidden_dot, strict=True):
                    z, z_dot = W @ x + b, W_dot @ x + W @ x_dot + b_dot
                    x, x_dot = value(z), slope(z) * z_dot
                column.extend(W_out_dot @ x + W_out @ x_dot + b_out_dot)
            columns.append(column)
        return np.array(columns).T


def cost(outputs, targets):
    return sum((x - y) ** 2 for x, y in zip(outputs.ravel(), targets.ravel(), strict=True)) / (
        2 * len(targets)
    )


def finite_differences(function, theta, h=2e-3):
    """d function/d theta, (..., K), by central differences with one Richardson step: error O(h⁴) + 1e-16/h."""
    theta = np.asarray(theta, dtype=float)

    def central(k, h):
        step = h * np.eye(len(theta))[k]
        return (np.asarray(function(theta + step)) - np.asarray(function(theta - step))) / (2 * h)

    columns = [(4 * central(k, h / 2) - central(k, h)) / 3 for k in range(len(theta))]
    return np.stack(columns, axis=-1)


def minimal_norm_solution(network, theta, inputs, b):
    """Dᵀ(DDᵀ)⁻¹b in 50 digits, D itself included; rounded at the very end."""
    D = network.jacobian(EXTENDED(theta), EXTENDED(inputs))
    multiplier = mpmath.lu_solve(
        mpmath.matrix((D @ D.T).tolist()), mpmath.matrix(EXTENDED(b).tolist())
    )
    return ROUNDED(D.T @ np.array(list(multiplier), dtype=object))
