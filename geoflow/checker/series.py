"""Power series of intervals, cut after so many terms, and a network along a curve of parameters that is such a series.

A series is a list of coefficients; the whole number 0 stands for one that vanishes. Around an interval in place of a point, the
last coefficient encloses Lagrange's remainder.
"""

import itertools
import math
from collections.abc import Sequence

from geoflow.checker.intervals import Interval, iv
from geoflow.checker.network import ACTIVATIONS, Net

Series = list[Interval]


def times(a: Series, b: Series) -> Series:
    """a b, as long as a."""
    total: Series = [0] * len(a)
    for i, x in enumerate(a):
        if not isinstance(x, int):
            for k, y in enumerate(b[: len(a) - i], i):
                if not isinstance(y, int):
                    total[k] = total[k] + x * y
    return total


def plus(a: Series, b: Series) -> Series:
    """a + b."""
    return [x + y for x, y in zip(a, b, strict=True)]


def around(polynomial: Sequence[float], at: Interval, length: int) -> Series:
    """p(at + δ) in powers of δ."""
    powers = [iv.mpf(1)]
    for _ in polynomial[1:]:
        powers.append(powers[-1] * at)
    found: Series = [
        sum(iv.mpf(c) * math.comb(k, j) * powers[k - j] for k, c in enumerate(polynomial[j:], j))
        for j in range(min(length, len(polynomial)))
    ]
    return found + [0] * (length - len(found))


def activated(name: str, z: Series) -> tuple[Series, Series]:
    """sigma(z) and sigma'(z), coefficient by coefficient from the differential equation of sigma."""
    first = z[0] + iv.mpf(0)
    if name == "identity":
        return z, [iv.mpf(1)] + [0] * (len(z) - 1)
    if name == "sin":
        value, slope = ([x] for x in ACTIVATIONS["sin"](first))
        for k in range(1, len(z)):
            value.append(_next(z, slope, k))
            slope.append(-_next(z, value[:-1], k))
        return value, slope
    doubled = [2 * x for x in z] if name == "tanh" else z
    s, bell = [ACTIVATIONS["sigmoid"](doubled[0] + iv.mpf(0))[0]], list[Interval]()
    for k in range(1, len(z) + 1):  # s' = s(1 − s) z'
        bell.append(s[k - 1] - sum(s[i] * s[k - 1 - i] for i in range(k)))
        if k < len(z):
            s.append(_next(doubled, bell, k))
    if name == "tanh":
        return [2 * s[0] - 1, *(2 * x for x in s[1:])], [4 * x for x in bell]
    if name == "sigmoid":
        return s, bell
    value = [ACTIVATIONS["softplus"](first)[0]]
    value += [_next(z, s, k) for k in range(1, len(z))]
    return value, s


def _next(z: Series, slope: Series, k: int) -> Interval:
    """Coefficient k of a function whose derivative is slope(t)·z'(t)."""
    return sum((i * z[i] * slope[k - i] for i in range(1, k + 1)), iv.mpf(0)) / k


def jacobian_rows(net: Net, theta: list[Series], z: Sequence[Interval]) -> list[list[Series]]:
    """The rows of D that belong to one sample, one an output (K series each)."""
    length, place = len(theta[0]), 0
    activities: list[list[Series]] = [[[x] + [0] * (length - 1) for x in z]]
    weights, slopes = list[list[list[Series]]](), list[list[Series]]()
    for l, (d_in, d_out) in enumerate(itertools.pairwise(net.widths)):
        W = [theta[place + a * d_in : place + (a + 1) * d_in] for a in range(d_out)]
        weights.append(W)
        place += d_out * d_in
        if l < len(net.widths) - 2:
            found = list[tuple[Series, Series]]()
            for a, row in enumerate(W):
                total: Series = theta[place + a] if net.bias else [0] * length
                for w, x in zip(row, activities[-1], strict=True):
                    total = plus(total, times(w, x))
                found.append(activated(net.activation, total))
            activities.append([value for value, _ in found])
            slopes.append([slope for _, slope in found])
        place += d_out * net.bias
    rows: list[list[Series]] = []
    one: Series = [iv.mpf(1)] + [0] * (length - 1)
    for q in range(net.widths[-1]):
        back = [one if p == q else [0] * length for p in range(net.widths[-1])]
        row: list[Series] = []
        for l in reversed(range(len(weights))):
            own = [times(beta, x) for beta in back for x in activities[l]]
            row = own + (back if net.bias else []) + row
            if l:
                carried: list[Series] = []
                for b, slope in enumerate(slopes[l - 1]):
                    total = [0] * length
                    for beta, W_a in zip(back, weights[l], strict=True):
                        total = plus(total, times(beta, W_a[b]))
                    carried.append(times(total, slope))
                back = carried
        rows.append(row)
    return rows
