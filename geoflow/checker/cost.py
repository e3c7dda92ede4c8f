"""The checker's own derivatives of C: value, gradient and Hessian of every unit carried forward together, as sparse tables.

A unit is (value, {k: ∂_k}, {(k, m): ∂_k ∂_m, k ≤ m}) with respect to theta, in mpmath's intervals; what is not listed is zero.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from geoflow.checker.intervals import Interval, iv, sin_cos
from geoflow.checker.network import ACTIVATIONS, Matrix, Net, Vector


class Unit(NamedTuple):
    """A number that depends on theta, with its first and second derivatives."""

    value: Interval
    first: dict[int, Interval]
    second: dict[tuple[int, int], Interval]


def _bend(name: str, z: Interval, value: Interval, slope: Interval) -> Interval:
    """sigma'' from sigma and sigma' over an interval z."""
    bends: dict[str, Callable[[], Interval]] = {
        "tanh": lambda: -2 * value * slope,
        "sigmoid": lambda: slope * (1 - 2 * value),
        "softplus": lambda: slope * (1 - slope),
        "sin": lambda: -sin_cos(z)[0],
        "identity": lambda: iv.mpf(0),
    }
    return bends[name]()


def outputs(net: Net, theta: Vector, inputs: Matrix) -> list[Unit]:
    """x (QN) with derivatives over a box of theta and of inputs, sample after sample."""
    return [unit for z in inputs for unit in _forward(net, theta, z)]


def _forward(net: Net, theta: Vector, z: Vector) -> list[Unit]:
    state, place = [Unit(x, {}, {}) for x in z], 0
    for l, (d_in, d_out) in enumerate(itertools.pairwise(net.widths)):
        new: list[Unit] = []
        for a in range(d_out):
            unit = _affine(
                theta, state, place + a * d_in, place + d_out * d_in + a if net.bias else None
            )
            new.append(_activated(net.activation, unit) if l < len(net.widths) - 2 else unit)
        state, place = new, place + d_out * (d_in + net.bias)
    return state


def _affine(theta: Vector, state: list[Unit], start: int, of_bias: int | None) -> Unit:
    """Σ_b w_b s_b + bias, the weights at theta[start], theta[start + 1], ..."""
    value = iv.mpf(0) if of_bias is None else theta[of_bias]
    first: dict[int, Interval] = {} if of_bias is None else {of_bias: iv.mpf(1)}
    second: dict[tuple[int, int], Interval] = {}
    for k, unit in enumerate(state, start):
        w = theta[k]
        value = value + w * unit.value
        _add(first, k, unit.value)
        for m, slope in unit.first.items():
            _add(first, m, w * slope)
            _add(second, (min(k, m), max(k, m)), slope)  # k belongs to this layer, m to one before
        for pair, bend in unit.second.items():
            _add(second, pair, w * bend)
    return Unit(value, first, second)


def _activated(name: str, unit: Unit) -> Unit:
    value, slope = ACTIVATIONS[name](unit.value)
    bend = _bend(name, unit.value, value, slope)
    second = {pair: slope * h for pair, h in unit.second.items()}
    for k, m in itertools.combinations_with_replacement(sorted(unit.first), 2):
        _add(second, (k, m), bend * unit.first[k] * unit.first[m])
    return Unit(value, {k: slope * d for k, d in unit.first.items()}, second)


def _add(table: dict[Any, Interval], key: Any, value: Interval) -> None:
    table[key] = table[key] + value if key in table else value


def cost(x: list[Unit], y: Vector, N: int) -> Interval:
    """C = |x − y|²/(2N)."""
    return sum((unit.value - t) ** 2 for unit, t in zip(x, y, strict=True)) / (2 * N)


def gradient(x: list[Unit], y: Vector, N: int, K: int) -> Vector:
    """∇C = Σ_m (x_m − y_m) ∂x_m/N (K)."""
    total = [iv.mpf(0)] * K
    for unit, t in zip(x, y, strict=True):
        v = unit.value - t
        for k, slope in unit.first.items():
            total[k] = total[k] + v * slope
    return [entry / N for entry in total]


def hessian(x: list[Unit], y: Vector, N: int, K: int) -> Matrix:
    """Hess C = Σ_m (∂x_m ∂x_mᵀ + (x_m − y_m) ∂²x_m)/N (K × K)."""
    total = [[iv.mpf(0)] * K for _ in range(K)]
    for unit, t in zip(x, y, strict=True):
        v = unit.value - t
        for k, m in itertools.combinations_with_replacement(sorted(unit.first), 2):
            total[k][m] = total[k][m] + unit.first[k] * unit.first[m]
        for (k, m), bend in unit.second.items():
            total[k][m] = total[k][m] + v * bend
    return [[total[min(k, m)][max(k, m)] / N for m in range(K)] for k in range(K)]


def jacobian(x: list[Unit], K: int) -> Matrix:
    """D (QN × K)."""
    return [[unit.first.get(k, iv.mpf(0)) for k in range(K)] for unit in x]
