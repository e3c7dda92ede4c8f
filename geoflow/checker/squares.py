"""The squares that cover all (w, b), w > 0, for the features of tanh(w z + b) up to scale and shift; the checker's own formulas.

(−w, −b) has the same features up to sign, and w = 0 none at all: C is then |ỹ|²/(2N), more than every bound that is proved. Inputs are
scaled by a power of two to a range in [1, 2) around zero; X = 2w, m = −b/w, and features are logistic functions 1/(1 + e^{X(m − z)}).

- "flat +", "flat -": 0 ≤ X ≤ 2, u = e^{−Xm} in [0, 1], for z and for −z (that is b ≤ 0 and b ≥ 0). Less its value at z = 0 and
  divided by u X/(1 + u)², a feature is (1 + u) z ψ(Xz)/(1 + u e^{Xz}), ψ(t) = (eᵗ − 1)/t: smooth up to X = 0, where it is z.
- "right", "left": m beyond the last input, for z and for −z; u = e^{−X(m − z_N)}, e = e^{−X(z_N − z_{N−1})}, both in [0, 1]. Less its
  value at z_N and scaled, a feature is (1 − q)/(1 + uq) with q = e^γ, γ = (z_N − z)/(z_N − z_{N−1}).
- "cell k": m between neighbours z_k < z_{k+1}; x^p = e^{−X(m − z_k)}, y^q = e^{−X(z_{k+1} − m)}. For z ≤ z_k a feature is o/(1 + o),
  for others 1/(1 + o), with o = x^α y^β. p and q make all exponents zero or at least 1, so that F has slopes up to the edge.

X → ∞ are the edges at zero. A box of the last three kinds with X < 2 throughout is covered by the flat squares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from geoflow.checker.intervals import Interval, Refused, below, exp, hull, interval, iv, log

Side = tuple[float, float]

UNIT: tuple[Side, Side] = ((0.0, 1.0), (0.0, 1.0))


class Features(NamedTuple):
    """One entry a sample: the features over a box and their derivatives along x and y."""

    g: list[Interval]
    x: list[Interval]
    y: list[Interval]


#: (feature, derivative along x, derivative along y) over a box, for one sample.
Feature = Callable[[Side, Side], tuple[Interval, Interval, Interval]]


@dataclass(frozen=True)
class Square:
    """name, root: its box; samples: their features; depth: minus the exponents with which X gap = −Σ depth_i ln(coordinate_i)."""

    name: str
    root: tuple[Side, Side]
    samples: list[Feature]
    depth: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    gap: Fraction = Fraction(0)

    def features(self, box: tuple[Side, Side]) -> Features:
        rows = [sample(*box) for sample in self.samples]
        return Features(
            [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
        )

    def elsewhere(self, box: tuple[Side, Side]) -> bool:
        """Whether X < 2 at the corner of the box where X is largest, so that the flat squares hold the box."""
        if not any(self.depth):
            return False
        total = iv.mpf(0)
        for (low, _), exponent in zip(box, self.depth, strict=True):
            if exponent and low <= 0:
                return False
            total -= interval(exponent) * log(iv.mpf(low)) if exponent else 0
        return below(total, interval(2 * self.gap))


def squares(inputs: Sequence[Fraction]) -> dict[str, Square]:
    """All of them, for the inputs of the samples (repetitions allowed, in any order)."""
    span, unit = max(inputs) - min(inputs), Fraction(1)
    while unit > span:
        unit /= 2
    while 2 * unit <= span:
        unit *= 2
    z = [(x - (max(inputs) + min(inputs)) / 2) / unit for x in inputs]
    mirror = [-x for x in z]
    ends = sorted(set(z))
    found = [
        _flat("flat +", z),
        _flat("flat -", mirror),
        _beyond("right", z),
        _beyond("left", mirror),
    ]
    found += [_between(f"cell {k + 1}", z, low, ends[k + 1]) for k, low in enumerate(ends[:-1])]
    return {square.name: square for square in found}


def _flat(name: str, z: Sequence[Fraction]) -> Square:
    def feature(x: Fraction) -> Feature:
        at = interval(x)

        def over(X: Side, u: Side) -> tuple[Interval, Interval, Interval]:
            ts = [iv.mpf(end) * at for end in X]
            q, psis = hull([exp(t) for t in ts]), [_psi(t) for t in ts]
            psi, slope = hull([p for p, _ in psis]), hull([s for _, s in psis])
            us = iv.mpf(list(u))
            low, high = iv.mpf(u[0]), iv.mpf(u[1])
            share = hull([low / (1 + low * q), high / (1 + high * q)])  # u/(1 + uq) increases in u
            scale = 1 + share * (1 - q)
            return (
                at * psi * scale,
                at**2 * scale * (slope - psi * q * share),
                at * psi * (1 - q) / (1 + us * q) ** 2,
            )

        return over

    return Square(name, ((0.0, 2.0), (0.0, 1.0)), [feature(x) for x in z])


def _psi(t: Interval) -> tuple[Interval, Interval]:
    """ψ and ψ′ = ∫ s e^{st} ds over [0, 1] at a point; both increase."""
    if t == 0:
        return iv.mpf(1), iv.mpf(1) / 2
    value = (exp(t) - 1) / t
    return value, (exp(t) - value) / t


def _beyond(name: str, z: Sequence[Fraction]) -> Square:
    last = max(z)
    gap = last - max(x for x in z if x < last)

    def feature(gamma: Fraction) -> Feature:
        exponent = _power(gamma)

        def over(u: Side, e: Side) -> tuple[Interval, Interval, Interval]:
            if exponent.kind == 0:
                return iv.mpf(0), iv.mpf(0), iv.mpf(0)
            (q0, s0), (q1, s1) = (_monomial(end, exponent) for end in e)
            u0, u1 = iv.mpf(u[0]), iv.mpf(u[1])
            q, slope, square = hull([q0, q1]), hull([s0, s1]), hull([1 + u0 * q0, 1 + u1 * q1]) ** 2
            g = hull([(1 - q0) / (1 + u0 * q0), (1 - q1) / (1 + u1 * q1)])
            return g, (q - 1) * q / square, -slope * (1 + iv.mpf(list(u))) / square

        return over

    return Square(
        name, UNIT, [feature((last - x) / gap) for x in z], (Fraction(0), Fraction(1)), gap
    )


def _between(name: str, z: Sequence[Fraction], low: Fraction, high: Fraction) -> Square:
    gap = high - low
    raw = [
        ((low - x) / gap + 1, (low - x) / gap)
        if x <= low
        else ((x - high) / gap, (x - high) / gap + 1)
        for x in z
    ]
    p, q = (1 / min(pair[i] for pair in raw if pair[i] > 0) for i in (0, 1))

    def feature(alpha: Fraction, beta: Fraction, left: bool) -> Feature:
        of_x, of_y = _power(alpha), _power(beta)

        def over(x: Side, y: Side) -> tuple[Interval, Interval, Interval]:
            corners = [
                (*_monomial(a, of_x), *_monomial(b, of_y)) for a, b in zip(x, y, strict=True)
            ]
            o = hull([v * w for v, _, w, _ in corners])
            square = (1 + o) ** 2 if left else -((1 + o) ** 2)
            value = 1 - 1 / (1 + o) if left else 1 / (1 + o)
            return (
                value,
                hull([d * w for _, d, w, _ in corners]) / square,
                hull([v * d for v, _, _, d in corners]) / square,
            )

        return over

    samples = [feature(a * p, b * q, x <= low) for (a, b), x in zip(raw, z, strict=True)]
    return Square(name, UNIT, samples, (p, q), gap)


class _Power(NamedTuple):
    """An exponent: zero (kind 0), one (1) or above (2)."""

    kind: int
    value: Interval


def _power(exponent: Fraction) -> _Power:
    if exponent != 0 and exponent < 1:
        raise Refused(f"an exponent of a square is {exponent}: F has no slope at its edge.")
    return _Power(2 if exponent > 1 else int(exponent), interval(exponent))


@lru_cache(maxsize=64)
def _log(x: float, bits: int) -> Interval:
    """ln x at a precision: the corners of a box are asked for again by every sample."""
    return log(iv.mpf(x))


def _monomial(x: float, exponent: _Power) -> tuple[Interval, Interval]:
    """x^e and its derivative for x in [0, 1]; both increase in x."""
    if exponent.kind == 0:
        return iv.mpf(1), iv.mpf(0)
    if exponent.kind == 1:
        return iv.mpf(x), iv.mpf(1)
    if x == 0:
        return iv.mpf(0), iv.mpf(0)
    power = exp(exponent.value * _log(x, iv.prec))
    return power, exponent.value * power / iv.mpf(x)
