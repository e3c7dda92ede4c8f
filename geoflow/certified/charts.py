"""Charts of the compactified (w, b)-plane for f(z) = a tanh(w z + b) + c, in which infinite weights are edges of a square.

Only the features g_j = tanh(w z_j + b) up to a scale and a constant matter (a and c are fitted), and (−w, −b) gives the same up to
sign: w > 0. With X = 2w, m = −b/w and logistic features 1/(1 + e^{−X(z_j − m)}), the inputs scaled to a range between 1 and 2:

- "cell k": m between the inputs z_k < z_{k+1}. O^p = e^{−X(m − z_k)} and V^q = e^{−X(z_{k+1} − m)} in [0, 1]; the odds (for j ≤ k) or
  inverse odds (j > k) are O^α V^β with α, β zero or at least 1: p and q are chosen so that a feature has slopes at the edges too.
- "right": m beyond the last input. u = e^{−X(m − z_N)}, e = e^{−X(z_N − z_{N−1})} in [0, 1], g_j = (1 − e^γ_j)/(1 + u e^γ_j) with
  γ_j = (z_N − z_j)/(z_N − z_{N−1}). "left": its mirror image.
- "flat +": X in [0, 2], all b ≤ −w r for r midway between the first and the last input: u = e^{X r + 2b} in [0, 1],
  g_j = (1 + u) δ_j ψ(X δ_j)/(1 + u e^{X δ_j}), δ_j = z_j − r, ψ(x) = (eˣ − 1)/x. "flat −": its mirror image, b ≥ −w r.

The flat charts hold all of 0 < X ≤ 2 and the slope at w = 0, the others all of X ≥ 2 and w = ∞. In the flat charts g is never
constant; in the others only at X = 0, and a box with X ≤ 2 throughout is `covered` by the flat ones.

Every feature is monotone in each coordinate, so that corners of a box enclose it.
"""

import abc
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from flint import arb, fmpq

from geoflow.certified.balls import Vector, below

#: (lower, upper) of each coordinate: floats, exact dyadic numbers.
Box = tuple[tuple[float, float], tuple[float, float]]

#: Up to here the flat charts reach in X = 2w.
FLAT = 2

UNIT: Box = ((0.0, 1.0), (0.0, 1.0))


class Features(NamedTuple):
    """g and its slopes along both coordinates, one entry for each distinct input."""

    g: Vector
    dx: Vector
    dy: Vector


class Chart(abc.ABC):
    """A square (`root`) of limits of (w, b), with its name."""

    name: str
    root: Box = UNIT

    @abc.abstractmethod
    def features(self, box: Box) -> Features:
        """Enclosed over a box, which may be a face or a point."""

    def covered(self, box: Box) -> bool:
        """Whether the flat charts hold all of a box."""
        return False


def charts(z: Sequence[Fraction]) -> list[Chart]:
    """All charts for the distinct inputs z (n,), in increasing order. Raises ValueError for fewer than two, or without order."""
    if len(z) < 2 or any(a >= b for a, b in itertools.pairwise(z)):
        raise ValueError(
            "the inputs of the charts must be at least two, distinct and in increasing order."
        )
    centre, unit = (z[0] + z[-1]) / 2, _power_below(z[-1] - z[0])
    scaled = [(x - centre) / unit for x in z]
    mirrored = [-x for x in scaled]
    flat = [_Flat("flat +", _balls(scaled)), _Flat("flat -", _balls(mirrored))]
    outer = [_outer("right", scaled), _outer("left", mirrored[::-1], mirror=True)]
    return [*flat, *outer, *(_cell(k, scaled) for k in range(len(z) - 1))]


def _power_below(size: Fraction) -> Fraction:
    """The power of two in (size/2, size]."""
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    power = Fraction(2) ** exponent
    while power > size:
        power /= 2
    while 2 * power <= size:
        power *= 2
    return power


@dataclass(frozen=True)
class _Flat(Chart):
    """x = X = 2w in [0, 2], y = u; see the module."""

    name: str
    delta: Vector
    root: Box = ((0.0, float(FLAT)), (0.0, 1.0))

    def features(self, box: Box) -> Features:
        (u0, u1), found = (arb(u) for u in box[1]), Features([], [], [])
        for delta, (q0, psi0, slope0), (q1, psi1, slope1) in zip(
            self.delta, *(_rises(x, self.delta) for x in box[0]), strict=True
        ):
            low, high = (q0, q1) if below(arb(0), delta) else (q1, q0)
            psi, slope, q = psi0.union(psi1), slope0.union(slope1), q0.union(q1)
            share = (u0 / (1 + u0 * high)).union(u1 / (1 + u1 * low))  # u/(1 + uq)
            s = 1 + (1 - q) * share  # (1 + u)/(1 + uq), one at X = 0 whatever u is
            found.g.append(delta * psi * s)
            found.dx.append(delta * delta * s * (slope - psi * q * share))
            found.dy.append(delta * psi * (1 - q) / _squared(1 + u0 * low, 1 + u1 * high))
        return found


@dataclass(frozen=True)
class _Outer(Chart):
    """x = u, y = e; exponents γ_j, zero for the outermost input itself, where g = 0; flat_edge = −2 (z_N − z_{N−1})."""

    name: str
    gamma: list["_Exponent"]
    flat_edge: arb

    def covered(self, box: Box) -> bool:
        e = box[1][0]
        return e > 0 and below(self.flat_edge, arb(e).log())

    def features(self, box: Box) -> Features:
        (u0, u1), found = (arb(u) for u in box[0]), Features([], [], [])
        u = u0.union(u1)
        for gamma, (q0, slope0), (q1, slope1) in zip(
            self.gamma, *(_powers(e, self.gamma) for e in box[1]), strict=True
        ):
            if gamma.kind == 0:
                for row in found:
                    row.append(arb(0))
                continue
            q, slope, square = (
                q0.union(q1),
                slope0.union(slope1),
                _squared(1 + u0 * q0, 1 + u1 * q1),
            )
            found.g.append(((1 - q1) / (1 + u1 * q1)).union((1 - q0) / (1 + u0 * q0)))
            found.dx.append(-(1 - q) * q / square)
            found.dy.append(-slope * (1 + u) / square)
        return found


@dataclass(frozen=True)
class _Cell(Chart):
    """x = O, y = V; exponents: α, β; inputs from `first` on have inverse odds; X gap = −p ln O − q ln V."""

    name: str
    exponents: tuple[list["_Exponent"], list["_Exponent"]]
    first: int
    powers: tuple[arb, arb]
    flat_edge: arb

    def covered(self, box: Box) -> bool:
        (x, _), (y, _) = box
        return (
            x > 0
            and y > 0
            and below(self.flat_edge, self.powers[0] * arb(x).log() + self.powers[1] * arb(y).log())
        )

    def features(self, box: Box) -> Features:
        of_x, of_y = (
            [_powers(end, exponents) for end in side]
            for side, exponents in zip(box, self.exponents, strict=True)
        )
        found = Features([], [], [])
        for j, ((A0, dA0), (A1, dA1), (B0, dB0), (B1, dB1)) in enumerate(
            zip(*of_x, *of_y, strict=True)
        ):
            odds0, odds1 = A0 * B0, A1 * B1
            square = _squared(1 + odds0, 1 + odds1)
            g = (odds0 / (1 + odds0)).union(odds1 / (1 + odds1))
            dx, dy = (dA0 * B0).union(dA1 * B1) / square, (A0 * dB0).union(A1 * dB1) / square
            inverse = j >= self.first
            found.g.append(1 - g if inverse else g)
            found.dx.append(-dx if inverse else dx)
            found.dy.append(-dy if inverse else dy)
        return found


def _outer(name: str, z: Sequence[Fraction], mirror: bool = False) -> _Outer:
    """z in increasing order; mirror: list the exponents from the last input to the first."""
    gap = z[-1] - z[-2]
    gamma = [_exponent((z[-1] - x) / gap) for x in z]
    return _Outer(name, gamma[::-1] if mirror else gamma, -FLAT * _ball(gap))


def _cell(k: int, z: Sequence[Fraction]) -> _Cell:
    gap = z[k + 1] - z[k]
    raw = [((z[k] - x) / gap + 1, (z[k] - x) / gap) for x in z[: k + 1]]
    raw += [((x - z[k + 1]) / gap, (x - z[k + 1]) / gap + 1) for x in z[k + 1 :]]
    p, q = (1 / min(pair[i] for pair in raw if pair[i]) for i in (0, 1))
    exponents = [_exponent(alpha * p) for alpha, _ in raw], [_exponent(beta * q) for _, beta in raw]
    return _Cell(f"cell {k + 1}", exponents, k + 1, (_ball(p), _ball(q)), -FLAT * _ball(gap))


class _Exponent(NamedTuple):
    """A number that is zero (kind 0), one (1) or above (2), which a ball could not tell."""

    kind: int
    ball: arb


def _exponent(number: Fraction) -> _Exponent:
    """Raises ValueError for an exponent between 0 and 1, whose power has no slope at zero, or below."""
    if number < 1 and number != 0:
        raise ValueError(f"an exponent must be zero or at least 1, got {number}.")
    return _Exponent(2 if number > 1 else int(number), _ball(number))


def _powers(x: float, exponents: Sequence[_Exponent]) -> list[tuple[arb, arb]]:
    """(x^e, d x^e/dx) for each exponent e, both increasing in x from 0 to 1."""
    point = arb(x)
    found = {0: (arb(1), arb(0)), 1: (point, arb(1)), 2: (arb(0), arb(0))}  # at zero
    log = point.log()  # not finite at zero, and not used there
    rows: list[tuple[arb, arb]] = []
    for exponent in exponents:
        if exponent.kind == 2 and x > 0:
            power = (exponent.ball * log).exp()
            rows.append((power, exponent.ball * power / point))
        else:
            rows.append(found[exponent.kind])
    return rows


def _rises(x: float, delta: Vector) -> list[tuple[arb, arb, arb]]:
    """(eᵗ, ψ(t), ψ′(t)) at t = xδ for each δ; ψ(t) = (eᵗ − 1)/t and ψ′ are positive and increasing in t."""
    rows: list[tuple[arb, arb, arb]] = []
    for t in (x * d for d in delta):
        e = t.exp()
        if t.is_zero():
            rows.append((e, arb(1), arb(1) / 2))
        else:
            psi = t.expm1() / t
            rows.append((e, psi, (e - psi) / t))
    return rows


def _squared(low: arb, high: arb) -> arb:
    """x² for all x between two positive ends; the square of their union would be wider, down to zero."""
    return (low * low).union(high * high)


def _ball(number: Fraction) -> arb:
    return arb(fmpq(number.numerator, number.denominator))


def _balls(numbers: Sequence[Fraction]) -> Vector:
    return [_ball(number) for number in numbers]
