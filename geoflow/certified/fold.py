"""`certify_fold`: where the straight line of the adapted flow meets a definite fold of theta -> x(theta), and ends there.

In the unknowns (theta, u, τ) the system F = (Dᵀu, (|u|² − 1)/2, x(theta) − x_0 − τ(y − x_0)) is square, and `krawczyk` decides. With
H_u = Σ_m u_m ∂²x_m positive definite on ker D and u·(y − x_0) < 0, outputs near x(theta) lie on one side: the line goes to the other.
"""

import time
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, Vector, below, exact, largest, precision
from geoflow.certified.certificate import Certificate
from geoflow.certified.claims import Balls, float_above, in_balls, undecided, written_problem
from geoflow.certified.curvature import curvature
from geoflow.certified.dyadic import bounds, written, written_matrix, written_vector
from geoflow.certified.inertia import inertia
from geoflow.certified.krawczyk import include, polish
from geoflow.certified.network import around, floats
from geoflow.certified.products import dot
from geoflow.certified.rank_bounds import at_least
from geoflow.checks import instance, parameter_vector, positive_number, whole_number
from geoflow.problem import Problem
from geoflow.types import ArrayLike, Floats

KIND = "fold"

#: Steps of Newton's method in floating point, before that in balls.
STEPS = 30

#: Factors c that are tried: H_u is positive definite on ker D if and only if H_u + c DᵀD is for a large c.
PENALTIES = tuple(2.0**k for k in range(0, 41, 5))


@dataclass(frozen=True)
class Line:
    """The line x_0 + τ(y − x_0), and F on it. A point lists theta (K), u (QN), τ."""

    balls: Balls
    x0: Vector
    b: Vector

    def parts(self, point: Vector) -> tuple[Vector, Vector, arb]:
        K = self.balls.network.K
        return point[:K], point[K:-1], point[-1]

    def value(self, point: Vector) -> Vector:
        """F."""
        theta, u, tau = self.parts(point)
        D = self.balls.network.jacobian(theta, self.balls.inputs)
        x = self.balls.network.outputs(theta, self.balls.inputs)
        closed = [dot(column, u) for column in zip(*D, strict=True)]
        on_line = [a - s - tau * d for a, s, d in zip(x, self.x0, self.b, strict=True)]
        return [*closed, (dot(u, u) - 1) / 2, *on_line]

    def slope(self, point: Vector) -> Matrix:
        """F′."""
        theta, u, _ = self.parts(point)
        D = self.balls.network.jacobian(theta, self.balls.inputs)
        H = curvature(self.balls.network, theta, self.balls.inputs, u)
        zero = arb(0)
        first = [[*h, *d, zero] for h, d in zip(H, zip(*D, strict=True), strict=True)]
        second = [zero] * len(theta) + [*u, zero]
        third = [[*d, *([zero] * len(u)), -b] for d, b in zip(D, self.b, strict=True)]
        return [*first, second, *third]


def certify_fold(
    problem: Problem,
    start: ArrayLike,
    theta: ArrayLike,
    *,
    reach: float = 0.1,
    bits: int = 212,
) -> Certificate:
    """That beside theta (K,) the line from x(start) (K,) to y meets a definite fold of theta -> x(theta), and ends there.

    There D has rank QN − 1, and no parameters near by have outputs further along the line: an adapted orbit from `start` that comes
    here cannot go on. That it comes here is not said. theta: where such an orbit stopped. reach: how far Newton's method may carry
    theta (maximum norm). bits: of the balls.
    Undecided, with the reason, where the proof fails. Raises TypeError or ValueError for wrong arguments.
    """
    since = time.perf_counter()
    instance("problem", problem, Problem, "The order is certify_fold(problem, start, theta).")
    reach, bits = positive_number("reach", reach), whole_number("bits", bits, least=53)
    first = np.asarray(parameter_vector(start, problem.K, "start"))
    at = np.asarray(parameter_vector(theta, problem.K))
    balls = in_balls(problem)
    name = f"{balls} (K = {problem.K}, QN = {problem.QN}) on these {problem.N} samples"
    what = f"{name}: beside θ the line from x(θ_0) to y meets a definite fold, and ends there."
    if problem.QN > problem.K:
        reason = (
            f"D has {problem.QN} rows and {problem.K} columns: its rank is below QN everywhere."
        )
        return undecided(KIND, what, reason, bits, since)
    with precision(bits):
        x0 = balls.network.outputs(exact(first), balls.inputs)
        line = Line(balls, x0, [t - x for t, x in zip(balls.targets, x0, strict=True)])
        centre, A, reason = _polished(line, at, reach)
        if A is None:
            return undecided(KIND, what, reason, bits, since)
        inclusion = include(A, line.value(centre), lambda r: line.slope(around(centre, r)))
        if not inclusion.proved:
            return undecided(KIND, what, inclusion.reason, bits, since)
        box, u, tau = line.parts(around(centre, inclusion.radius))
        least = at_least(balls.network.jacobian(box, balls.inputs))
        penalty = definite(line, box, u)
        if least.rank < problem.QN - 1 or penalty is None or not below(dot(u, line.b), arb(0)):
            reason = (
                f"a point of deficient rank on the line, but no definite fold at which it ends: rank {least.rank} of {problem.QN} "
                f"at least, u·(y − x_0) = {dot(u, line.b).str(3, radius=False)}."
            )
            return undecided(KIND, what, reason, bits, since)
        time_left = -problem.N * (1 - tau).log()
        enclosures = {"τ": bounds(tau)} | (
            {"s": bounds(time_left)} if time_left.is_finite() else {}
        )
        enclosures["rank D"] = (str(problem.QN - 1), str(problem.QN - 1))
        off = [p - s for p, s in zip(box, exact(at), strict=True)]
        enclosures["distance from theta"] = ("0", bounds(largest(off), 3)[1])
        claim = written_problem(problem) | {
            "start": written_vector(first),
            "centre": written_vector(centre),
            "radius": written(inclusion.radius),
            "penalty": written(penalty),
            "tau": [written(tau.lower()), written(tau.upper())],
            "left": written_matrix(least.left[:, : problem.QN - 1]),
            "right": written_matrix(least.right[:, : problem.QN - 1]),
        }
    return Certificate(
        KIND,
        True,
        f"{what} At exactly one (θ, u, τ) in a box uᵀD = 0, |u| = 1 and x(θ) = x_0 + τ(y − x_0); D has rank {problem.QN - 1}, and "
        f"no parameters near θ have outputs further along the line. τ = {tau.str(12, radius=False)}.",
        enclosures=enclosures,
        radius=float_above(inclusion.radius),
        contraction=float_above(inclusion.contraction),
        precision=bits,
        seconds=time.perf_counter() - since,
        claim=claim,
    )


def definite(line: Line, theta: Vector, u: Vector) -> float | None:
    """A c with which H_u + c DᵀD is positive definite for every theta and u in the balls, or None."""
    balls = line.balls
    D = arb_mat(balls.network.jacobian(theta, balls.inputs))
    H, gram = arb_mat(curvature(balls.network, theta, balls.inputs, u)), D.transpose() * D
    for c in PENALTIES:
        signs = inertia((H + arb(c) * gram).tolist())
        if signs is not None and signs.negative == 0:
            return c
    return None


def _polished(line: Line, start: Floats, reach: float) -> tuple[Vector, Floats | None, str]:
    """Newton's method on F = 0 in floating point, then in balls: where it ends and the inverse of F′ there, or why it failed."""
    balls = line.balls
    failed = "Newton's method finds no point of deficient rank on the line beside theta"
    D = floats(balls.network.jacobian(exact(start), balls.inputs))
    b = np.array([float(x.mid()) for x in line.b])
    if not np.isfinite(D).all() or not b.any():
        return [], None, f"{failed}: D is not finite there, or x(start) = y."
    u = np.linalg.svd(D)[0][:, -1]
    u = u if u @ b < 0 else -u
    x = floats([balls.network.outputs(exact(start), balls.inputs)])[0]
    tau = (x - np.array([float(s.mid()) for s in line.x0])) @ b / (b @ b)
    point = np.concatenate([start, u, [tau]])
    for _ in range(STEPS):
        at = exact(point)
        A = _inverse(line, at)
        if A is None:
            return at, None, f"{failed}: F′ has no inverse."
        step = A @ floats([line.value(at)])[0]
        point = point - step
        moved, finite = (
            float(np.abs(point[: len(start)] - start).max()),
            bool(np.isfinite(point).all()),
        )
        if not finite or not moved <= reach:
            return at, None, f"{failed} within {reach:g}: start nearer, or raise `reach`."
        if np.abs(step).max() < 1e-12 * (1 + np.abs(point).max()):
            break
    centre = exact(point)
    for _ in range(2):
        A = _inverse(line, centre)
        if A is None:
            return centre, None, f"{failed}: F′ has no inverse."
        inverse = arb_mat([exact(row) for row in A])

        def newton(at: Vector, inverse: arb_mat = inverse) -> Vector:
            return (inverse * arb_mat([[f] for f in line.value(at)])).entries()

        ended = polish(centre, newton, reach)
        if not ended.last < 1e-16:
            return centre, None, f"{failed}: its last step is {ended.last:.1e}."
        centre = ended.point
    return centre, _inverse(line, centre), f"{failed}: F′ has no inverse."


def _inverse(line: Line, point: Vector) -> Floats | None:
    slope = floats(line.slope(point))
    if not np.isfinite(slope).all():
        return None
    try:
        A = np.asarray(np.linalg.inv(slope), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return A if np.isfinite(A).all() else None
