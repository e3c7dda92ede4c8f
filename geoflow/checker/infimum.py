"""A claim about the infimum of C for f(z) = a tanh(w z + b) + c proved again, in mpmath's intervals and without the prover's code.

C(w, b) = S(1 − F), S = |ỹ|²/(2N), with F the squared cosine of ỹ and the features. The plane of (w, b) is covered by squares on
which the features are (see `Square`), and F < 1 − lower/S is proved on each of them by following the claim's tree: it only says
where to bisect ("x", "y": lower half first), where to pass to a face on which F is at least as large ("a" to "d"), where other
squares take over ("w") and where to prove (".")). A step that cannot be confirmed is tried again on smaller boxes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from geoflow.checker.intervals import Interval, Refused, below, interval, iv, number, numbers, size
from geoflow.checker.squares import Features, Side, Square, squares

#: How often a box may be bisected where the tree says that it need not be, and how short its sides may become.
EXTRA, SHORTEST = 8, 2.0**-48

Box = tuple[Side, Side]


@dataclass(frozen=True)
class _Targets:
    """ỹ and |ỹ|²."""

    y: list[Interval]
    square: Interval

    def centred(self, g: list[Interval]) -> tuple[list[Interval], Interval, Interval]:
        """g̃, g̃·ỹ and |g̃|²."""
        mean = sum(g) / len(g)
        g = [x - mean for x in g]
        return g, sum(x * y for x, y in zip(g, self.y, strict=True)), sum(x**2 for x in g)

    def cosine(self, g: list[Interval]) -> Interval:
        """F; an infinite interval where g̃ might vanish."""
        _, n, d = self.centred(g)
        return n**2 / (d * self.square)

    def slopes(self, found: Features) -> tuple[Interval, Interval]:
        """dF along both coordinates. The residual r is orthogonal to g and to 1, so that multiples of them may be taken from dg."""
        centred, n, d = self.centred(found.g)
        ratio = n / d
        r = [y - ratio * x for y, x in zip(self.y, centred, strict=True)]
        return _slope(ratio, r, found.g, found.x) / self.square, _slope(
            ratio, r, found.g, found.y
        ) / self.square


def _slope(ratio: Interval, r: list[Interval], g: list[Interval], dg: list[Interval]) -> Interval:
    a, b = [size(x) for x in g], [size(x) for x in dg]
    mean, other = sum(a) / len(a), sum(b) / len(b)
    spread = sum((x - mean) ** 2 for x in a)
    scale = (
        sum((x - mean) * (y - other) for x, y in zip(a, b, strict=True)) / spread
        if spread > 1e-30
        else 0.0
    )
    taken, shift = iv.mpf(scale), iv.mpf(other - scale * mean)
    return 2 * ratio * sum(k * (y - taken * x - shift) for k, x, y in zip(r, g, dg, strict=True))


def check_infimum(claim: dict[str, Any]) -> None:
    """Raises Refused unless lower ≤ inf C ≤ upper over all (a, w, b, c), with lower above zero."""
    N = len(claim["inputs"])
    z, y = numbers(claim["inputs"], N, "inputs"), numbers(claim["targets"], N, "targets")
    lower, upper = number(claim["lower"]), number(claim["upper"])
    if len(set(z)) < 2 or len(set(y)) < 2:
        raise Refused("at least two inputs and two targets must differ.")
    if lower <= 0:
        raise Refused("the lower bound is not above zero: nothing is excluded.")
    mean = sum(y) / N
    square = sum((t - mean) ** 2 for t in y)
    targets = _Targets([interval(t - mean) for t in y], interval(square))
    covering = squares(z)
    limit = interval(1 - lower * 2 * N / square)
    witness = claim["witness"]
    chart, point = covering[witness["chart"]], numbers(witness["point"], 2, "witness")
    if not all(low <= x <= high for x, (low, high) in zip(point, chart.root, strict=True)):
        raise Refused("the witness of the upper bound lies outside of its square.")
    u, v = (float(x) for x in point)
    if (Fraction(u), Fraction(v)) != tuple(point):
        raise Refused("the witness of the upper bound must have float64 coordinates.")
    F = targets.cosine(chart.features(((u, u), (v, v))).g)
    if not below(interval(1 - upper * 2 * N / square), F):
        raise Refused("C is not below the upper bound at the witness.")
    trees = claim["trees"]
    if set(trees) != set(covering):
        raise Refused(
            f"the plane is covered by {sorted(covering)}, and the claim has {sorted(trees)}."
        )
    for name, chart in covering.items():
        _Walk(chart, targets, limit, iter(trees[name])).follow_all()


@dataclass(frozen=True)
class _Walk:
    """A tree followed letter by letter."""

    chart: Square
    targets: _Targets
    limit: Interval
    letters: Iterator[str]

    def follow_all(self) -> None:
        stack: list[Box] = [self.chart.root]
        while stack:
            stack += reversed(self.follow(stack.pop(), next(self.letters, "")))
        if next(self.letters, ""):
            raise Refused(f"the tree of {self.chart.name} goes on after its end.")

    def follow(self, box: Box, letter: str) -> list[Box]:
        """The boxes left after a step that is confirmed."""
        if letter in ("x", "y"):
            return _halves(box, "xy".index(letter))
        if letter in ("a", "b", "c", "d"):
            k, upward = divmod("abcd".index(letter), 2)
            slope = self.targets.slopes(self.chart.features(box))[k]
            confirmed = below(iv.mpf(0), slope) if upward else below(slope, iv.mpf(0))
            end = box[k][upward]
            face: Box = ((end, end), box[1]) if k == 0 else (box[0], (end, end))
            if not confirmed:
                self.prove(box, EXTRA)
            return [face]
        if letter == "w":
            if not self.chart.elsewhere(box):
                raise Refused(
                    f"a box of {self.chart.name} is said to be covered elsewhere, and is not: {box}."
                )
            return []
        if letter == ".":
            self.prove(box, EXTRA)
            return []
        raise Refused(
            f"the tree of {self.chart.name} ends early or has the letter {letter!r}: a box is left out."
        )

    def prove(self, box: Box, depth: int) -> None:
        """Raises Refused unless F < limit on the box, which may be bisected `depth` times."""
        found = self.chart.features(box)
        if below(self.targets.cosine(found.g), self.limit):
            return
        slopes = self.targets.slopes(found)
        centre, gains = list[Side](), list[Interval]()
        for (low, high), slope in zip(box, slopes, strict=True):
            rising, falling = below(iv.mpf(0), slope), below(slope, iv.mpf(0))
            middle = (
                high if rising else low if falling else (low + high) / 2
            )  # F is largest on a face that rises or falls
            centre.append((middle, middle))
            gains.append(iv.mpf(0) if rising or falling else abs(slope) * iv.mpf((high - low) / 2))
        top = self.targets.cosine(self.chart.features((centre[0], centre[1])).g)
        if below(top + gains[0] + gains[1], self.limit):
            return
        if depth == 0:
            raise Refused(f"F is not below its limit on a box of {self.chart.name}: {box}.")
        widths = [high - low for low, high in box]
        k = int(
            below(gains[0], gains[1]) or (not below(gains[1], gains[0]) and widths[1] > widths[0])
        )
        for half in _halves(box, k if widths[k] > 0 else 1 - k):
            self.prove(half, depth - 1)


def _halves(box: Box, k: int) -> list[Box]:
    low, high = box[k]
    if high - low < SHORTEST:
        raise Refused(f"a box is too small to be bisected exactly: {box}.")
    middle = (low + high) / 2
    halves = [(low, middle), (middle, high)]
    return [(half, box[1]) if k == 0 else (box[0], half) for half in halves]
