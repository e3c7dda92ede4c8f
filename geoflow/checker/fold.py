"""A claim that the line from x(start) to y ends at a definite fold proved again, in mpmath's intervals.

F(theta, u, τ) = (Dᵀu, (|u|² − 1)/2, x(theta) − x_0 − τ(y − x_0)) has exactly one zero in the box. There D has rank QN − 1; H_u + c DᵀD is
positive definite, hence H_u = Σ_m u_m ∂²x_m on ker D; and u·(y − x_0) < 0.
"""

from typing import Any

from geoflow.checker.cost import Unit, jacobian, outputs
from geoflow.checker.intervals import (
    Interval,
    Refused,
    below,
    grown,
    interval,
    iv,
    number,
    numbers,
    table,
    working_precision,
)
from geoflow.checker.matrices import (
    Matrix,
    contraction,
    dot,
    enough_bits,
    inertia,
    product,
    require_rank,
    transposed,
)
from geoflow.checker.network import Vector, read_network


def check_fold(claim: dict[str, Any]) -> None:
    """Raises Refused unless the box holds exactly one zero of F, τ there is in `tau`, and the fold is definite."""
    net, inputs, targets = read_network(claim)
    K, QN = net.parameters, len(targets) * net.widths[-1]
    start, radius = numbers(claim["start"], K, "start"), number(claim["radius"])
    centre, penalty = numbers(claim["centre"], K + QN + 1, "centre"), number(claim["penalty"])
    low, high = numbers(claim["tau"], 2, "tau")
    left = table(claim["left"], QN, QN - 1, "left")
    right = table(claim["right"], K, QN - 1, "right")
    if radius <= 0:
        raise Refused("the radius of the box must be above zero.")
    with working_precision(enough_bits(radius)):
        z = [[interval(a) for a in row] for row in inputs]
        x0 = net.outputs([interval(t) for t in start], z)
        b = [interval(t) - a for t, a in zip((t for row in targets for t in row), x0, strict=True)]
        point = [interval(c) for c in centre]
        box = [grown(c, interval(radius)) for c in point]
        residual = _value(outputs(net, point[:K], z), point, x0, b, K)
        x = outputs(net, box[:K], z)
        D, u, tau = jacobian(x, K), box[K:-1], box[-1]
        H = _curvature(x, u, K)
        nearer = contraction(residual, _slope(D, H, u, b), interval(radius))
        tau = grown(point[-1], nearer)
        if not (below(interval(low) - tau, iv.mpf(0)) and below(tau - interval(high), iv.mpf(0))):
            raise Refused("τ does not certainly lie in the interval that is claimed.")
        require_rank(D, left, right, QN - 1)
        gram = product(transposed(D), D)
        c = interval(penalty)
        shifted = [
            [h + c * g for h, g in zip(*rows, strict=True)] for rows in zip(H, gram, strict=True)
        ]
        if inertia(shifted) != (0, K):
            raise Refused("the fold is not certainly definite.")
        if not below(dot(u, b), iv.mpf(0)):
            raise Refused("the line does not certainly leave at the fold.")


def _value(x: list[Unit], point: Vector, x0: Vector, b: Vector, K: int) -> Vector:
    u, tau = point[K:-1], point[-1]
    closed = [dot(column, u) for column in transposed(jacobian(x, K))]
    on_line = [unit.value - a - tau * d for unit, a, d in zip(x, x0, b, strict=True)]
    return [*closed, (dot(u, u) - 1) / 2, *on_line]


def _curvature(x: list[Unit], u: Vector, K: int) -> Matrix:
    """Σ_m u_m ∂²x_m (K × K)."""
    total: list[list[Interval]] = [[iv.mpf(0)] * K for _ in range(K)]
    for unit, weight in zip(x, u, strict=True):
        for (k, m), bend in unit.second.items():
            total[k][m] = total[k][m] + weight * bend
    return [[total[min(k, m)][max(k, m)] for m in range(K)] for k in range(K)]


def _slope(D: Matrix, H: Matrix, u: Vector, b: Vector) -> Matrix:
    zero = iv.mpf(0)
    first = [[*h, *column, zero] for h, column in zip(H, transposed(D), strict=True)]
    second = [zero] * len(H) + [*u, zero]
    return [*first, second, *([*row, *([zero] * len(u)), -d] for row, d in zip(D, b, strict=True))]
