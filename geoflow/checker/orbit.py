"""A claim about a whole orbit of the adapted flow proved again, in mpmath's intervals and with an approximation of the checker's own.

dtheta/dτ = D⁺b, b = y − x_0, τ in [0, 1]. On a slab P is a polynomial near the orbit: |P′ − D⁺(P)b| ≤ |P′ − Dᵀλ| + |DDᵀλ − b|/σ for any λ, and the
distance e of the orbit from P obeys e′ ≤ μe + defect, where μ bounds ⟨w, Jw⟩/|w|² for J = (1 − D⁺D)H_λ − D⁺M, M_m = ∂²x_m V, V = D⁺b,
in a tube around P. From the middle of the tube to another point D moves by at most ε; then V by 2εv/σ with v = |V_0|/(1 − 2ε/σ), λ by
2εv/σ², 1 − D⁺D by ε/σ, D⁺ by 2ε/σ², and second derivatives by what their intervals say.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from geoflow.checker.collocation import piece
from geoflow.checker.cost import Unit, jacobian, outputs
from geoflow.checker.intervals import (
    Interval,
    Refused,
    below,
    exp,
    grown,
    interval,
    iv,
    number,
    numbers,
    size,
    whole,
    working_precision,
)
from geoflow.checker.matrices import (
    Matrix,
    dot,
    floats,
    inertia,
    inverse,
    product,
    shifted,
    transposed,
)
from geoflow.checker.network import Net, Vector, read_network
from geoflow.checker.series import Series, around, jacobian_rows, plus, times

#: The radius of the tube around P, the length of the series, and the longest and the shortest slab, 2^-k.
TUBE, LENGTH, SHORTEST = 1e-6, 11, 24

BITS = 90


def check_orbit(claim: dict[str, Any]) -> None:
    """Raises Refused unless the orbit from theta exists on [0, 1], σ_min(D) ≥ sigma on it, and it ends within radius of `end`."""
    net, inputs, targets = read_network(claim)
    K, QN = net.parameters, len(targets) * net.widths[-1]
    start, end = numbers(claim["theta"], K, "theta"), numbers(claim["end"], K, "end")
    radius, sigma = number(claim["radius"]), number(claim["sigma"])
    levels = [whole(level, 0, "slabs") for level in claim["slabs"]]
    if QN > K or radius <= 0 or sigma <= 0:
        raise Refused("K must be QN at least, and the radius and σ above zero.")
    if max(levels) > SHORTEST or sum(Fraction(1, 2**level) for level in levels) != 1:
        raise Refused("the slabs do not make up the whole of [0, 1].")
    with working_precision(BITS):
        z = [[interval(a) for a in row] for row in inputs]
        x0 = net.outputs([interval(t) for t in start], z)
        y = [interval(t) for row in targets for t in row]
        b = [t - x for t, x in zip(y, x0, strict=True)]
        at, error = [interval(t) for t in start], iv.mpf(0)
        for level in levels:
            at, error = _slab(net, z, b, at, error, 2.0**-level, interval(sigma))
        off = norm([a - interval(e) for a, e in zip(at, end, strict=True)]) + error
        if not below(off, interval(radius)):
            raise Refused(f"the end is only known within {size(off):.3g} of the point claimed.")


def _slab(
    net: Net, z: Matrix, b: Vector, at: Vector, error: Interval, width: float, sigma: Interval
) -> tuple[Vector, Interval]:
    """The end of P, and how far the orbit may be from it."""
    guess = np.array([size(a) for a in at])
    inputs, wanted = floats(z), np.array([size(x) for x in b])
    path, multiplier = piece(net, inputs, wanted, guess, width)
    middle = [iv.mpf(row[0]) for row in path.tolist()]
    tube = [
        grown(m, sum(abs(iv.mpf(c)) for c in row[1:]) + iv.mpf(TUBE))
        for m, row in zip(middle, path.tolist(), strict=True)
    ]
    mu = _parting(net, outputs(net, middle, z), outputs(net, tube, z), b, sigma)
    defect = _defect(net, z, b, path, multiplier, width, sigma)
    first = [around(row, iv.mpf(-1), 1)[0] for row in path.tolist()]
    last = [around(row, iv.mpf(1), 1)[0] for row in path.tolist()]
    growth = exp(mu * iv.mpf(width))
    most = (
        growth
        if below(iv.mpf(1), growth)
        else iv.mpf([1, 2])
        if not below(growth, iv.mpf(1))
        else iv.mpf(1)
    )
    begin = error + norm([f - a for f, a in zip(first, at, strict=True)])
    if not below(most * (begin + iv.mpf(width) * defect), iv.mpf(TUBE)):
        raise Refused(f"the tube around the orbit is left: {size(begin):.2g}, {size(defect):.2g}.")
    return last, _upper(growth * begin + most * iv.mpf(width) * defect)


def _parting(
    net: Net, centre: list[Unit], wide: list[Unit], b: Vector, sigma: Interval
) -> Interval:
    """μ. Raises Refused unless σ_min(D) ≥ sigma in the tube."""
    K = net.parameters
    D = jacobian(centre, K)
    eps = norm(
        [
            p - q
            for rows in zip(jacobian(wide, K), D, strict=True)
            for p, q in zip(*rows, strict=True)
        ]
    )
    gram = product(D, transposed(D))
    if inertia(shifted(gram, -((sigma + eps) ** 2))) != (0, len(D)):
        raise Refused("σ_min is not certainly above its bound in a slab.")
    if not below(4 * eps, sigma):
        raise Refused("a slab is too long: D moves too much.")
    backward = inverse(gram)
    multiplier = [dot(row, b) for row in backward]
    pen = product(transposed(D), backward)
    V = [dot(row, b) for row in pen]
    T = [_dense(unit, K) for unit in centre]
    bent = norm([entry for rows in T for row in rows for entry in row])
    moved = norm(
        [
            _dense(unit, K)[k][m] - rows[k][m]
            for unit, rows in zip(wide, T, strict=True)
            for k in range(K)
            for m in range(K)
        ]
    )
    H = [[dot(multiplier, [rows[k][m] for rows in T]) for m in range(K)] for k in range(K)]
    M = [[dot(row, V) for row in rows] for rows in T]
    inner = [
        [p + q for p, q in zip(*rows, strict=True)] for rows in zip(product(D, H), M, strict=True)
    ]
    bend = product(pen, inner)
    J = [[h - c for h, c in zip(*rows, strict=True)] for rows in zip(H, bend, strict=True)]
    v = norm(V) / (1 - 2 * eps / sigma)
    of_V, of_multiplier = 2 * eps * v / sigma, 2 * eps * v / sigma**2
    of_H = bent * of_multiplier + moved * (norm(multiplier) + of_multiplier)
    of_M = bent * of_V + moved * v
    flat_H, flat_M = ([entry for row in A for entry in row] for A in (H, M))
    change = eps / sigma * (norm(flat_H) + of_H) + of_H + of_M / sigma
    change += 2 * eps / sigma**2 * (norm(flat_M) + of_M)
    symmetric = [[(J[k][m] + J[m][k]) / 2 for m in range(K)] for k in range(K)]
    return _upper(_largest(symmetric) + change)


def _largest(S: Matrix) -> Interval:
    """A number above all eigenvalues."""
    values = np.linalg.eigvalsh(floats(S))
    bound = iv.mpf(float(values[-1]) + 1e-6 * max(1e-6, float(np.abs(values).max())))
    if inertia(shifted(S, -bound)) != (len(S), 0):
        raise Refused("the eigenvalues of the slope are not certain.")
    return bound


def _defect(
    net: Net,
    z: Matrix,
    b: Vector,
    path: np.ndarray,
    multiplier: np.ndarray,
    width: float,
    sigma: Interval,
) -> Interval:
    """|P′ − D⁺(P)b| on the slab."""
    sizes: list[list[Interval]] = []
    for at in (iv.mpf(0), iv.mpf([-1, 1])):
        theta = [around(row, at, LENGTH) for row in path.tolist()]
        slopes = path[:, 1:] * np.arange(1, path.shape[1])
        speed = [around(row, at, LENGTH) for row in slopes.tolist()]
        lam = [around(row, at, LENGTH) for row in multiplier.tolist()]
        D = [row for sample in z for row in jacobian_rows(net, theta, sample)]
        back = [_combined(column, lam) for column in zip(*D, strict=True)]
        half = iv.mpf(width / 2)
        left = [
            plus([c / half for c in p], [-c for c in v]) for p, v in zip(speed, back, strict=True)
        ]
        right = [
            plus(_combined(row, back), [-c] + [0] * (LENGTH - 1))
            for row, c in zip(D, b, strict=True)
        ]
        sizes.append([_reach(row, at) for row in left] + [_reach(row, at) for row in right])
    total = [p + q for p, q in zip(*sizes, strict=True)]
    K = len(path)
    return _upper(norm(total[:K]) + norm(total[K:]) / sigma)


def _reach(series: Series, at: Interval) -> Interval:
    """Of a series around the middle all terms but the last, of one around the whole slab the last."""
    kept = series[:-1] if at == 0 else series[-1:]
    return sum((abs(c) for c in kept), iv.mpf(0))


def _combined(row: Any, with_: list[Series]) -> Series:
    total: Series = [0] * LENGTH
    for d, m in zip(row, with_, strict=True):
        total = plus(total, times(d, m))
    return total


def _dense(unit: Unit, K: int) -> Matrix:
    """∂²x_m (K × K)."""
    zero = iv.mpf(0)
    return [[unit.second.get((min(k, m), max(k, m)), zero) for m in range(K)] for k in range(K)]


def norm(values: Vector) -> Interval:
    """An upper bound of the Euclidean norm. Refuses what is not finite."""
    total = iv.mpf(0)
    for value in values:
        largest = abs(value + iv.mpf(0)).b
        if not below(iv.mpf(-1), largest):
            raise Refused("an interval is NaN or infinite.")
        total = total + iv.mpf(largest) * iv.mpf(largest)
    return _upper(iv.sqrt(total))


def _upper(value: Interval) -> Interval:
    if not below(iv.mpf(-1), abs(value)):
        raise Refused("an interval is NaN or infinite.")
    return iv.mpf(value.b)
