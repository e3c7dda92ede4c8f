"""Branch and bound for F ≤ limit on the charts: the search for the largest F, and the tree of boxes that is the proof.

F ≤ limit is proved box by box:

- by its enclosure, or by the mean-value form F(centre) + Σ |slope| half width, or
- where a slope has a sign on the whole box, the box is replaced by its face; otherwise it is bisected.

A tree is written in preorder, one letter a box: "." proved, "x" and "y" bisected along a coordinate (lower half first), "a" and
"b" replaced by the lower or upper face of x, "c" and "d" of y, "w" covered by other charts.
"""

from dataclasses import dataclass, field

from flint import arb

from geoflow.certified.balls import below
from geoflow.certified.charts import Box, Chart
from geoflow.certified.cosine import Cosine

#: Points a side of every chart, from which the search for the maximum of F begins, and how many of them are followed up, besides the best of each.
GRID, STARTS = 6, 4

#: Steps in a chart: where the search of all local maxima ends, and that of the best.
COARSE, FINE = 1e-3, 1e-9

NEIGHBOURS = [(i, k) for i in (-1, 0, 1) for k in (-1, 0, 1) if i or k]

#: No side is bisected more often.
DEPTH = 44

#: The share of the tolerance that the proof uses; the rest is for the rounding of the checker.
SHARE = 0.99


@dataclass
class BranchAndBound:
    """best: a proved lower bound of sup F, taken at `where`; limit: what is proved about every box; trees: chart by chart."""

    cosine: Cosine
    rtol: float
    budget: int
    best: arb = field(default_factory=lambda: arb(0))
    where: tuple[Chart, float, float] | None = None
    trees: dict[str, str] = field(default_factory=dict)
    boxes: int = 0

    def bound(self, share: float = 1.0) -> arb:
        return self.best + share * self.rtol * (1 - self.best)

    def offer(self, chart: Chart, x: float, y: float) -> None:
        """A point where F may be larger than known so far."""
        value = self.cosine.value(chart.features(((x, x), (y, y))).g).lower()
        if below(self.best, value):
            self.best, self.where = value, (chart, x, y)

    def climb(
        self, chart: Chart, x: float, y: float, step: float, last: float
    ) -> tuple[float, float]:
        """A local maximum of F by trying the eight neighbours and halving the step, in floating point; offered, and returned."""
        (x0, x1), (y0, y1) = chart.root
        here, highest = (x, y), self.at(chart, x, y)
        while step > last:
            around = [(here[0] + i * step, here[1] + k * step) for i, k in NEIGHBOURS]
            tried = [
                (self.at(chart, *p), p)
                for p in ((min(max(u, x0), x1), min(max(v, y0), y1)) for u, v in around)
            ]
            if (top := max(tried))[0] > highest:
                highest, here = top
            else:
                step /= 2
        self.offer(chart, *here)
        return here

    def at(self, chart: Chart, x: float, y: float) -> float:
        """F in floating point; −1 where it is not defined."""
        F = self.cosine.value(chart.features(((x, x), (y, y))).g)
        return float(F.mid()) if F.is_finite() else -1.0

    def search(self, all_charts: list[Chart]) -> None:
        """From a grid in every chart."""
        found: list[tuple[float, int, float, float]] = []
        for k, chart in enumerate(all_charts):
            (_, x1), (_, y1) = chart.root
            points = [
                (x1 * (i + 0.5) / GRID, y1 * (j + 0.5) / GRID)
                for i in range(GRID)
                for j in range(GRID)
            ]
            found += [(self.at(chart, x, y), k, x, y) for x, y in points]
        found.sort(reverse=True)
        firsts = {k: (k, x, y) for _, k, x, y in reversed(found)}  # the best of each chart
        for k, x, y in {(k, x, y) for _, k, x, y in found[:STARTS]} | set(firsts.values()):
            self.climb(all_charts[k], x, y, 0.5 / GRID, COARSE)
        if self.where is not None:
            self.climb(*self.where, COARSE, FINE)

    def prove(self, chart: Chart) -> str:
        """F ≤ bound() on the chart; returns why it is undecided, or nothing."""
        stack, letters = [chart.root], list[str]()
        while stack:
            self.boxes += 1
            if self.boxes > self.budget:
                return (
                    f"not decided with {self.budget} boxes: raise `rtol`, or allow more by `boxes`."
                )
            letter, children = self.step(chart, stack.pop())
            if not letter:
                return "a box became too small to bisect: the optimum may fill an edge."
            letters.append(letter)
            stack.extend(reversed(children))
        self.trees[chart.name] = "".join(letters)
        return ""

    def step(self, chart: Chart, box: Box) -> tuple[str, list[Box]]:
        """What is done with a box: its letter and the boxes left; no letter where nothing can be done."""
        if chart.covered(box):
            return "w", []
        features, limit = chart.features(box), self.bound(SHARE)
        if below(self.cosine.value(features.g), limit):
            return ".", []
        if all(
            low == high for low, high in box
        ):  # a point: then it is better than all that was known
            return self.improved(chart, box)
        slopes = self.cosine.slopes(features)
        for k, slope in enumerate(slopes):
            low, high = box[k]
            if low < high and below(slope, arb(0)):
                return "ac"[k], [_with_side(box, k, (low, low))]
            if low < high and below(arb(0), slope):
                return "bd"[k], [_with_side(box, k, (high, high))]
        x, y = (sum(side) / 2 for side in box)
        gains = [
            slope.abs_upper() * ((high - low) / 2)
            for slope, (low, high) in zip(slopes, box, strict=True)
        ]
        centre = self.cosine.value(chart.features(((x, x), (y, y))).g)
        if below(centre + gains[0] + gains[1], limit):
            return ".", []
        if below(limit, centre):
            return self.improved(chart, box)
        widths = [high - low for low, high in box]
        k = int(
            not below(gains[1], gains[0])
            if all(g.is_finite() for g in gains)
            else widths[1] > widths[0]
        )
        low, high = box[k]
        if widths[k] <= 2.0**-DEPTH:
            return "", []
        return "xy"[k], [
            _with_side(box, k, (low, (low + high) / 2)),
            _with_side(box, k, ((low + high) / 2, high)),
        ]

    def improved(self, chart: Chart, box: Box) -> tuple[str, list[Box]]:
        """The same box again with a better limit from its centre, where F is larger than known so far."""
        x, y = (sum(side) / 2 for side in box)
        before = self.best
        self.offer(chart, x, y)
        self.climb(chart, x, y, COARSE, FINE)
        return self.step(chart, box) if below(before, self.best) else ("", [])


def _with_side(box: Box, k: int, side: tuple[float, float]) -> Box:
    return (side, box[1]) if k == 0 else (box[0], side)
