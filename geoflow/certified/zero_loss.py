"""`certify_zero_loss`: a zero of x(theta) = y exists, and in a box it is the only one.

With V the leading QN right singular vectors of D (any exact matrix would do), F(s) = x(theta~ + V s) − y is a square system,
and `krawczyk` decides.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, Vector, exact, largest, precision
from geoflow.certified.certificate import Certificate
from geoflow.certified.claims import (
    Balls,
    DataRadius,
    data_radii,
    first_proved,
    float_above,
    in_balls,
    undecided,
    written_problem,
)
from geoflow.certified.dyadic import bounds, rounded, written, written_matrix, written_vector
from geoflow.certified.krawczyk import Inclusion, include, polish
from geoflow.certified.network import floats
from geoflow.certified.one_hot import reduce_one_hot
from geoflow.checks import parameter_vector, positive_number, whole_number
from geoflow.data import Dataset
from geoflow.networks import MLP
from geoflow.problem import Problem
from geoflow.types import ArrayLike, Floats

KIND = "zero loss"


@dataclass(frozen=True)
class Frame:
    """A point, directions V (K × QN) and a preconditioner A for F(s) = x(point + V s) − y."""

    point: Vector
    V: Floats
    A: Floats

    def include(self, balls: Balls, radius: arb | None = None) -> Inclusion:
        """Krawczyk's test in a box |s| ≤ radius, or in one that it chooses."""

        def derivative(r: arb) -> Matrix:
            box = [p + arb(0, w) for p, w in zip(self.point, self.widths(r), strict=True)]
            return (arb_mat(balls.network.jacobian(box, balls.inputs)) * _matrix(self.V)).tolist()

        return include(self.A, _residual(balls, self.point), derivative, radius)

    def widths(self, r: arb) -> Vector:
        """How far theta goes while |s| ≤ r, coordinate by coordinate."""
        return [(sum((abs(v) for v in exact(row)), arb(0)) * r).upper() for row in self.V]


def certify_zero_loss(
    network: MLP,
    data: Dataset,
    theta: ArrayLike,
    *,
    input_radius: DataRadius = 0.0,
    one_hot: bool = False,
    reach: float = 1e-7,
    bits: int = 212,
) -> Certificate:
    """That theta (K,), found in floating point, lies beside a true zero of C, the only one in a box.

    input_radius: for every set of inputs whose numbers differ from these by at most that; "largest" looks for one. one_hot: count
    as `reduce_one_hot` does; theta is of the full network or of the reduced one. reach: how far Newton's method may carry theta
    (maximum norm); a zero further off is another one. bits: of the balls.
    Undecided, with the reason, where the proof fails: a zero of deficient rank, a saturated state that only looks like one, more
    equations than parameters. Raises TypeError or ValueError for wrong arguments.
    """
    since = time.perf_counter()
    reach, bits = positive_number("reach", reach), whole_number("bits", bits, least=53)
    radii = data_radii("input_radius", input_radius)
    reduction = reduce_one_hot(network, data) if one_hot else None
    full: Problem = Problem(network, data)
    problem: Problem = full if reduction is None else reduction.problem
    if reduction is not None and np.shape(theta) == (full.K,):  # type: ignore[arg-type]  # anything has a shape
        theta = reduction.restrict(theta)
    start = np.asarray(parameter_vector(theta, problem.K))
    balls = in_balls(problem)
    count = f"K = {full.K}, QN = {full.QN}" + (
        f", by labels K' = {problem.K} and (Q − 1)N = {problem.QN}" if one_hot else ""
    )
    what = f"{in_balls(full)} ({count}) has zero loss on these {full.N} samples"
    if problem.QN > problem.K:
        reason = f"{problem.QN} equations for {problem.K} parameters: a zero, if there is one, is no regular one."
        return undecided(KIND, what, reason, bits, since)
    with precision(bits):
        frame, reason = _polished(balls, start, reach)
        if frame is None:
            return undecided(KIND, what, reason, bits, since)
        found = frame.include(balls)
        if not found.proved:
            return undecided(KIND, what, found.reason, bits, since)
        radius = 0.0
        wider = first_proved(radii, lambda eps: frame.include(balls.grown(arb(eps), arb(0))))
        if wider is not None:
            radius, found = wider
        elif radii and input_radius != "largest":
            reason = f"the zero is proved for these inputs, not for all within {radii[0]:g}: try a smaller radius or 'largest'."
            return undecided(KIND, what, reason, bits, since)
        widths = frame.widths(found.radius)
        off = largest(
            [abs(p - s) + w for p, s, w in zip(frame.point, exact(start), widths, strict=True)]
        )
        claim = written_problem(full) | {
            "reduced": one_hot,
            "theta": written_vector(start),
            "centre": written_vector(frame.point),
            "directions": written_matrix(frame.V),
            "radius": written(found.radius),
            "input_radius": written(radius),
        }
        return Certificate(
            KIND,
            True,
            _statement(what, radius, one_hot),
            enclosures={"distance of the zero from theta": ("0", bounds(off, 3)[1])},
            radius=float_above(largest(widths)),
            contraction=float_above(found.contraction),
            precision=bits,
            seconds=time.perf_counter() - since,
            claim=claim,
        )


def _statement(what: str, radius: float, one_hot: bool) -> str:
    sums = ", with outputs that sum to one at every input" if one_hot else ""
    nearby = (
        f", and on every set of inputs within {radius:g} of theirs (number by number)"
        if radius
        else ""
    )
    return f"{what}{nearby}: x(θ) = y for exactly one θ = θ̃ + Vs with |s| ≤ r{sums}."


def _residual(balls: Balls, point: Vector) -> Vector:
    return [
        x - y
        for x, y in zip(balls.network.outputs(point, balls.inputs), balls.targets, strict=True)
    ]


def _polished(balls: Balls, start: Floats, reach: float) -> tuple[Frame | None, str]:
    """Newton's method in the row space of D, which is set up anew at the point reached; or why it failed."""
    deficient = "D has no full rank in floating point: no regular zero is near."
    frame, last = frame_at(balls, exact(start)), float("inf")
    for _ in range(3):
        if frame is None:
            return None, deficient
        ended = polish(frame.point, _newton(balls, frame), reach)
        last = ended.last
        moved = max(abs(float(p) - s) for p, s in zip(ended.point, start.tolist(), strict=True))
        if not moved <= reach or not np.isfinite(last):
            break
        frame = frame_at(balls, ended.point)
        if last < reach * 1e-12:
            return frame, "" if frame else deficient
    reason = (
        f"Newton's method leaves theta (a step of {last:.1e}, reach {reach:g}): no zero is beside it. Polish theta by least "
        "squares first, or raise `reach` to speak about a zero further away."
    )
    return None, reason


def _newton(balls: Balls, frame: Frame) -> Callable[[Vector], Vector]:
    V, A = _matrix(frame.V), _matrix(frame.A)
    return lambda point: (V * (A * arb_mat([[f] for f in _residual(balls, point)]))).entries()


def frame_at(balls: Balls, point: Vector) -> Frame | None:
    """Singular vectors and inverse in floating point; None where there are none."""
    D = floats(balls.network.jacobian(point, balls.inputs))
    if not np.isfinite(D).all():
        return None
    V = rounded(np.linalg.svd(D)[2][: len(D)].T)
    try:
        A = np.asarray(np.linalg.inv(D @ V), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return Frame(point, V, A) if np.isfinite(A).all() else None


def _matrix(array: Floats) -> arb_mat:
    return arb_mat([exact(row) for row in array])
