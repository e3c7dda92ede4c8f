"""`enclose_infimum`: the infimum of C over all parameters of f(z) = a tanh(w z + b) + c, by branch and bound.

With a and c fitted, C = |ỹ|²/(2N)·(1 − F), where F = (g̃·ỹ)²/(|g̃|²|ỹ|²) is the squared cosine of features and targets (tilde: mean
removed), and `charts` make the (w, b)-plane, infinity included, a few squares, on which `branching` bounds F.
"""

import time
from fractions import Fraction

import numpy as np
from flint import arb, fmpq

from geoflow.certified.balls import below, precision
from geoflow.certified.branching import BranchAndBound
from geoflow.certified.certificate import Certificate
from geoflow.certified.charts import charts
from geoflow.certified.cosine import Cosine
from geoflow.certified.dyadic import bounds, written, written_vector
from geoflow.checks import float64_array, positive_number, whole_number
from geoflow.types import ArrayLike

KIND = "infimum"

#: a, w, b, c
K = 4


def enclose_infimum(
    z: ArrayLike, y: ArrayLike, rtol: float = 1e-6, *, boxes: int = 20_000, bits: int = 64
) -> Certificate:
    """The infimum of C = |x − y|²/(2N) over all (a, w, b, c) in R⁴ for x_j = a tanh(w z_j + b) + c, within a factor 1 − rtol.

    z, y (N,): at least five samples, three distinct inputs, targets that are not all equal. boxes: at most so many are looked at.
    A proof (lower bound above zero) excludes zero loss for these targets, and for all targets nearer than √(2N·lower bound).
    Undecided where the bounds do not meet: C comes arbitrarily near zero, or the optimum fills an edge of a chart and `boxes` do not
    suffice. Raises TypeError or ValueError for wrong arguments.
    """
    since = time.perf_counter()
    rtol, boxes, bits = (
        positive_number("rtol", rtol),
        whole_number("boxes", boxes),
        whole_number("bits", bits, least=53),
    )
    inputs, targets = _samples(z, y)
    if not rtol < 1:
        raise ValueError(
            f"rtol must be below 1, got {rtol!r}: it is the relative width of the enclosure of inf C."
        )
    N = len(inputs)
    what = f"f(z) = a tanh(w z + b) + c on these {N} samples"
    with precision(bits):
        distinct, cosine = _grouped(inputs, targets)
        proof, all_charts = BranchAndBound(cosine, rtol, boxes), charts(distinct)
        proof.search(all_charts)
        reason = _too_good(proof.best)
        for chart in all_charts:
            reason = reason or proof.prove(chart) or _too_good(proof.best)
        seconds = time.perf_counter() - since
        if reason or proof.where is None:
            what = f"the infimum of C for {what} is enclosed within a factor 1 − {rtol:g}"
            return Certificate(KIND, False, what, reason=reason, precision=bits, seconds=seconds)
        null = _null(targets)
        lower, upper = (
            (null * (1 - proof.bound())).lower(),
            (null * (1 - proof.best) * (1 + arb((1, 8 - bits)))).upper(),
        )
        distance = (2 * N * lower.union(upper)).sqrt()
        chart, *point = proof.where
        claim = {
            "kind": KIND,
            "inputs": written_vector(inputs),
            "targets": written_vector(targets),
            "lower": written(lower),
            "upper": written(upper),
            "witness": {"chart": chart.name, "point": written_vector(point)},
            "trees": proof.trees,
        }
        enclosures = {
            "inf C": bounds(lower.union(upper)),
            "distance from y to the outputs": bounds(distance),
        }
        return Certificate(
            KIND,
            True,
            _statement(what, enclosures),
            enclosures,
            precision=bits,
            seconds=seconds,
            claim=claim,
        )


def _statement(what: str, enclosures: dict[str, tuple[str, str]]) -> str:
    low, high = enclosures["inf C"]
    far = enclosures["distance from y to the outputs"][0]
    return (
        f"For {what} the infimum of C over all (a, w, b, c) in R⁴ lies between {low} and {high}: no parameters reach zero loss, nor do "
        f"they for any targets y′ with |y′ − y| < {far}."
    )


def _too_good(best: arb) -> str:
    if below(1 - best, arb((1, -40))):
        return "C comes near zero at some parameters: there is no lower bound to prove. Try certify_zero_loss there."
    return ""


def _samples(z: ArrayLike, y: ArrayLike) -> tuple[list[float], list[float]]:
    """The samples in increasing order of the inputs."""
    inputs, targets = float64_array("z", z, 1, "(N,)"), float64_array("y", y, 1, "(N,)")
    if inputs.shape != targets.shape:
        raise ValueError(
            f"z and y must have one number per sample, got {inputs.shape[0]} and {targets.shape[0]}."
        )
    N, distinct = inputs.shape[0], len(np.unique(inputs))
    if N <= K:
        raise ValueError(
            f"z must have at least {K + 1} samples, more than f has parameters, got {N}: try certify_zero_loss."
        )
    if distinct < 3:
        raise ValueError(
            f"z must have at least three distinct inputs, got {distinct}: with two, f reaches the mean target of each, and least "
            "squares gives the infimum."
        )
    if len(np.unique(targets)) == 1:
        raise ValueError("y must not be constant: a = 0 and c = y have zero loss.")
    pairs = sorted(zip(np.asarray(inputs).tolist(), np.asarray(targets).tolist(), strict=True))
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _grouped(inputs: list[float], targets: list[float]) -> tuple[list[Fraction], Cosine]:
    """The distinct inputs, in increasing order, and F for the samples."""
    distinct = sorted(set(map(Fraction, inputs)))
    mean = sum(map(Fraction, targets), Fraction(0)) / len(targets)
    members = [
        [Fraction(t) - mean for x, t in zip(inputs, targets, strict=True) if x == value]
        for value in distinct
    ]
    sums = [_ball(sum(group, Fraction(0))) for group in members]
    square = _ball(sum((t**2 for group in members for t in group), Fraction(0)))
    return distinct, Cosine(sums, [len(group) for group in members], square)


def _null(targets: list[float]) -> arb:
    """|ỹ|²/(2N), the cost of the mean."""
    exact = list(map(Fraction, targets))
    mean = sum(exact, Fraction(0)) / len(exact)
    return _ball(sum(((t - mean) ** 2 for t in exact), Fraction(0)) / (2 * len(exact)))


def _ball(number: Fraction) -> arb:
    return arb(fmpq(number.numerator, number.denominator))
