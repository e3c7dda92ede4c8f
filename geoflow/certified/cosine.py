"""F, the squared cosine of features and targets, in balls: C with a and c fitted is |ỹ|²/(2N)·(1 − F)."""

from typing import NamedTuple

import numpy as np
from flint import arb

from geoflow.certified.balls import Vector
from geoflow.certified.charts import Features


class Cosine(NamedTuple):
    """F for targets less their mean; counts: how many samples each distinct input has, targets: their sums."""

    targets: Vector
    counts: list[int]
    square: arb

    def centred(self, g: Vector) -> tuple[Vector, arb, arb]:
        """g̃, n = g̃·ỹ and d = |g̃|². (Not x**2, which is NaN for a ball around zero.)"""
        mean = sum((k * x for k, x in zip(self.counts, g, strict=True)), arb(0)) / sum(self.counts)
        n = sum(
            (x * y for x, y in zip(g, self.targets, strict=True)), arb(0)
        )  # the targets sum to zero
        centred = [x - mean for x in g]
        return (
            centred,
            n,
            sum((k * (x * x) for k, x in zip(self.counts, centred, strict=True)), arb(0)),
        )

    def value(self, g: Vector) -> arb:
        _, n, d = self.centred(g)
        return n * n / (d * self.square)

    def slopes(self, features: Features) -> list[arb]:
        """dF = 2(n/d)r·dg/|ỹ|² with r = ỹ − (n/d)g̃. As r·g = r·1 = 0, it is narrower with dg − λg − μ for numbers λ, μ near a fit."""
        centred, n, d = self.centred(features.g)
        ratio = n / d
        r = [y - k * ratio * x for y, k, x in zip(self.targets, self.counts, centred, strict=True)]
        found: list[arb] = []
        for dg in (features.dx, features.dy):
            scale, shift = _fit(features.g, dg)
            rest = [b - scale * a - shift for a, b in zip(features.g, dg, strict=True)]
            found.append(
                2 * ratio * sum((a * b for a, b in zip(r, rest, strict=True)), arb(0)) / self.square
            )
        return found


def _fit(g: Vector, dg: Vector) -> tuple[arb, arb]:
    """Any two numbers would do: these make dg − λg − μ small at the midpoints."""
    a, b = ([float(ball.mid()) for ball in balls] for balls in (g, dg))
    mean, other = sum(a) / len(a), sum(b) / len(b)
    size = sum((x - mean) ** 2 for x in a)
    scale = (
        sum((x - mean) * (y - other) for x, y in zip(a, b, strict=True)) / size if size > 0 else 0.0
    )
    shift = other - scale * mean
    return (
        (arb(scale), arb(shift)) if np.isfinite(scale) and np.isfinite(shift) else (arb(0), arb(0))
    )
