"""`certify_equilibrium`: a critical point of C exists, alone in a box, with its index, its cost and the rank of D there.

Krawczyk on ∇C = 0; the index by the inertia of the Hessian over the box, the rank from below by balls and from above by C > 0.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat

from geoflow.certified.balls import Vector, below, exact, largest, precision
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
from geoflow.certified.cost import cost, gradient, hessian
from geoflow.certified.dyadic import bounds, written, written_matrix, written_vector
from geoflow.certified.inertia import inertia, least_size
from geoflow.certified.krawczyk import Inclusion, include, polish
from geoflow.certified.network import around, floats
from geoflow.certified.rank_bounds import LowerBound, UpperBound, at_least, at_most
from geoflow.checks import instance, parameter_vector, positive_number, whole_number
from geoflow.problem import Problem
from geoflow.types import ArrayLike, Floats

KIND = "equilibrium"


@dataclass(frozen=True)
class _Found:
    """What holds at the critical point, the only one in the box of `inclusion` around `centre`, for all data in the balls."""

    inclusion: Inclusion
    index: int
    size: arb | None  # the least |eigenvalue| of the Hessian, where it was asked for
    cost: arb
    least: LowerBound
    most: UpperBound


def certify_equilibrium(
    problem: Problem,
    theta: ArrayLike,
    *,
    data_radius: DataRadius = 0.0,
    reach: float = 1e-7,
    bits: int = 212,
) -> Certificate:
    """That theta (K,), found in floating point, lies beside a true zero of ∇C, the only one in a box, with invertible Hessian.

    The certificate encloses C, the least |eigenvalue| of the Hessian, its index and the rank of D. data_radius: moreover, every
    data set whose inputs and targets differ from these by at most that, number by number, has such a point, of the same index and
    the same rank of D, with C > 0 if it is so here; "largest" looks for one. reach: how far Newton's method may carry theta
    (maximum norm). bits: of the balls.
    Undecided, with the reason, where the proof fails, as it must at points that are not isolated: their Hessian has a
    kernel. Raises TypeError or ValueError for wrong arguments.
    """
    since = time.perf_counter()
    instance("problem", problem, Problem, "The order is certify_equilibrium(problem, theta).")
    reach, bits = positive_number("reach", reach), whole_number("bits", bits, least=53)
    radii = data_radii("data_radius", data_radius)
    start = np.asarray(parameter_vector(theta, problem.K))
    balls = in_balls(problem)
    what = f"{balls} (K = {problem.K}, QN = {problem.QN}) has an isolated critical point beside θ on these {problem.N} samples."
    with precision(bits):
        centre, A, reason = _polished(balls, start, reach)
        if A is None:
            return undecided(KIND, what, reason, bits, since)
        found = _prove(balls, centre, A, np.asarray(problem.data.inputs))
        if isinstance(found, str):
            return undecided(KIND, what, found, bits, since)
        wide = _data_radius(balls, centre, A, found, radii)
        if wide is None and radii and data_radius != "largest":
            reason = f"proved for these data, not for all within {radii[0]:g}: try a smaller radius or 'largest'."
            return undecided(KIND, what, reason, bits, since)
        radius, wide_radius = (0.0, arb(0)) if wide is None else (wide[0], wide[1].radius)
        off = largest(
            [abs(c - s) + found.inclusion.radius for c, s in zip(centre, exact(start), strict=True)]
        )
        assert found.size is not None
        low = found.cost.lower() if below(arb(0), found.cost) else arb(0)
        claim = written_problem(problem) | {
            "theta": written_vector(start),
            "centre": written_vector(centre),
            "radius": written(found.inclusion.radius),
            "index": found.index,
            "eigenvalue": written(found.size.lower()),
            "cost": [written(low), written(found.cost.upper())],
            "rank": [found.least.rank, found.most.rank],
            "left": written_matrix(found.least.left),
            "right": written_matrix(found.least.right),
            "data_radius": written(radius),
            "wide_radius": written(wide_radius),
        }
        enclosures = {
            "C": (bounds(low)[0], bounds(found.cost)[1]),
            "least |eigenvalue| of Hess C": bounds(found.size),
            "index": (str(found.index), str(found.index)),
            "rank D": (str(found.least.rank), str(found.most.rank)),
            "distance from theta": ("0", bounds(off, 3)[1]),
        }
    return Certificate(
        KIND,
        True,
        _statement(str(balls), problem, found, radius),
        enclosures=enclosures,
        radius=float_above(found.inclusion.radius),
        contraction=float_above(found.inclusion.contraction),
        precision=bits,
        seconds=time.perf_counter() - since,
        claim=claim,
    )


def _prove(
    balls: Balls, centre: Vector, A: Floats, inputs: Floats | None, sizes: bool = True
) -> _Found | str:
    """All that is said of the critical point, or the reason why it is undecided. inputs: where they are exact; sizes: of eigenvalues."""

    def slope(r: arb) -> list[Vector]:
        return hessian(balls.network, around(centre, r), balls.inputs, balls.targets)

    inclusion = include(A, gradient(balls.network, centre, balls.inputs, balls.targets), slope)
    if not inclusion.proved:
        return inclusion.reason
    H = slope(inclusion.radius)
    signs, size = inertia(H), least_size(H) if sizes else None
    if signs is None or (sizes and size is None):
        return "the signs of the eigenvalues of the Hessian over the box are not certain: a pivot contains zero."
    box = around(centre, inclusion.radius)
    x, D = balls.network.outputs(box, balls.inputs), balls.network.jacobian(box, balls.inputs)
    C = cost(x, balls.targets, balls.N)
    if not C.is_finite():
        return "C is not enclosed over the box: a ball there is NaN or infinite."
    residual = [a - b for a, b in zip(x, balls.targets, strict=True)]
    return _Found(inclusion, signs.negative, size, C, at_least(D), at_most(D, inputs, residual))


def _data_radius(
    balls: Balls, centre: Vector, A: Floats, here: _Found, radii: Sequence[float]
) -> tuple[float, Inclusion] | None:
    """The first radius such that all data within it have a critical point as the one found here."""

    def attempt(eps: float) -> Inclusion | None:
        found = _prove(balls.grown(arb(eps), arb(eps)), centre, A, None, sizes=False)
        if isinstance(found, str):
            return None
        positive = below(arb(0), found.cost) or not below(arb(0), here.cost)
        same = (found.index, found.least.rank, found.most.rank) == (
            here.index,
            here.least.rank,
            here.most.rank,
        )
        return found.inclusion if positive and same else None

    return first_proved(radii, attempt)


def _statement(name: str, problem: Problem, found: _Found, data_radius: float) -> str:
    K, index, (least, most) = problem.K, found.index, (found.least.rank, found.most.rank)
    kind = (
        "a minimum" if index == 0 else "a maximum" if index == K else f"a saddle of index {index}"
    )
    rank = (
        f"D has rank {least} ({found.most.reason})"
        if least == most
        else f"D has a rank from {least} to {most}"
    )
    nearby = (
        f" Every data set within {data_radius:g}, number by number, has such a point."
        if data_radius
        else ""
    )
    return (
        f"{name} (K = {K}, QN = {problem.QN}), on these {problem.N} samples: ∇C(θ) = 0 for exactly one θ in the box |θ − θ̃| ≤ r "
        f"(maximum norm). It is {kind} with invertible Hessian, and {rank} there.{nearby}"
    )


def _polished(balls: Balls, start: Floats, reach: float) -> tuple[Vector, Floats | None, str]:
    """Newton's method on ∇C = 0: where it ends, the Hessian's inverse there in floating point, and else why it failed."""
    singular = (
        "the Hessian has no inverse in floating point: the point is degenerate or not isolated."
    )
    point, A, last = exact(start), _inverse_hessian(balls, exact(start)), float("inf")
    for _ in range(3):
        if A is None:
            return point, None, singular
        ended = polish(point, _newton(balls, A), reach)
        last = ended.last
        moved = max(abs(float(p) - s) for p, s in zip(ended.point, start.tolist(), strict=True))
        if not moved <= reach or not np.isfinite(last):
            break
        point, A = ended.point, _inverse_hessian(balls, ended.point)
        if last < reach * 1e-12:
            return point, A, "" if A is not None else singular
    reason = (
        f"Newton's method leaves theta (a step of {last:.1e}, reach {reach:g}): no critical point is beside it, or "
        "its Hessian is singular. Polish theta first, or raise `reach` to speak about a point further away."
    )
    return point, None, reason


def _newton(balls: Balls, A: Floats) -> Callable[[Vector], Vector]:
    inverse = arb_mat([exact(row) for row in A])

    def step(at: Vector) -> Vector:
        slope = gradient(balls.network, at, balls.inputs, balls.targets)
        return (inverse * arb_mat([[g] for g in slope])).entries()

    return step


def _inverse_hessian(balls: Balls, point: Vector) -> Floats | None:
    H = floats(hessian(balls.network, point, balls.inputs, balls.targets))
    if not np.isfinite(H).all():
        return None
    try:
        A = np.asarray(np.linalg.inv(H), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return A if np.isfinite(A).all() else None
