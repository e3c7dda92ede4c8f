"""What one measures along an orbit, at a point and over many trials: rates, lengths, stationarity, intervals."""

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.checks import instance, numbers, positive_number, real_number, whole_number
from geoflow.linear_algebra import RANK_RTOL, Rank, normal_part, numerical_rank
from geoflow.orbits import Orbit
from geoflow.problem import Problem
from geoflow.types import AnyArray, ArrayLike, Floats


@dataclass(frozen=True)
class Stationarity:
    """A point theta seen as an equilibrium candidate.

    gradient_norm: |∇_theta C|; cost: C; rank: the rank of D with its tolerance. `stationary`: |∇_theta C| ≤ tolerance.
    """

    gradient_norm: float
    cost: float
    rank: Rank
    tolerance: float

    @property
    def stationary(self) -> bool:
        return self.gradient_norm <= self.tolerance


def stationarity(
    problem: Problem,
    theta: Float64[AnyArray, " K"],
    tolerance: float = 1e-12,
    rtol: float = RANK_RTOL,
) -> Stationarity:
    """|∇_theta C|, C and rank D at theta (NA Theorem 1.3, GM Lemma 3.2)."""
    instance("problem", problem, Problem, "The order is stationarity(problem, theta).")
    tolerance = positive_number("tolerance", tolerance)
    gradient = problem.gradient(theta)
    return Stationarity(
        gradient_norm=float(jnp.linalg.norm(gradient)),
        cost=float(problem.cost(theta)),
        rank=numerical_rank(problem.jacobian(theta), rtol),
        tolerance=tolerance,
    )


def stationary_cost(
    problem: Problem, theta: Float64[AnyArray, " K"], rtol: float | None = None
) -> Float64[Array, ""]:
    """C_* = (N/2)|P^⊥∇_x C|² = |P^⊥v|²/(2N): the cost that a stationary point must have (NA (1.23), GM (5.7)).

    At any other theta it is the part of C that no first-order motion can lower. P projects onto ran D; rtol as in
    `normal_part`, which raises ValueError where the rank of D is not decided.
    """
    instance("problem", problem, Problem, "The order is stationary_cost(problem, theta).")
    normal = normal_part(problem.jacobian(theta), problem.residual(theta), rtol)
    return jnp.sum(normal**2) / (2 * problem.N)


def decay_rate(s: ArrayLike, cost: ArrayLike) -> float:
    """The rate r of C ~ e^(−rs), by least squares on ln C over the given flow times s (S,) and costs (S,) > 0.

    For the comparison flow r = 2/N. Raises TypeError or ValueError for other arrays, fewer than two points, one time only, or a
    cost that is not positive.
    """
    s, cost = np.asarray(numbers("s", s)), np.asarray(numbers("cost", cost))
    if s.shape != cost.shape or s.ndim != 1 or s.size < 2:
        raise ValueError(
            f"s and cost must be two vectors of one length ≥ 2, got shapes {s.shape} and {cost.shape}."
        )
    if s.max() == s.min():
        raise ValueError(
            f"s must hold two different flow times at least, got {s.size} times {s[0]:g}."
        )
    if not (cost > 0).all():
        raise ValueError(
            "every cost must be above zero for its logarithm: leave out what has converged to rounding."
        )
    return -float(np.polyfit(s, np.log(cost), 1)[0])


def exponent(x: ArrayLike, y: ArrayLike) -> float:
    """The exponent p of y ~ x^p, by least squares on ln y over ln x; x and y (n,) > 0, n ≥ 2.

    Raises TypeError or ValueError for other arrays, or one x only.
    """
    x, y = np.asarray(numbers("x", x)), np.asarray(numbers("y", y))
    if x.shape != y.shape or x.ndim != 1 or x.size < 2:
        raise ValueError(
            f"x and y must be two vectors of one length ≥ 2, got shapes {x.shape} and {y.shape}."
        )
    if not ((x > 0).all() and (y > 0).all()):
        raise ValueError("a power law has a logarithm only where x and y are above zero.")
    if x.max() == x.min():
        raise ValueError(f"x must hold two different values at least, got {x.size} times {x[0]:g}.")
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def ntk_bound(cost0: float, lam: float, s: ArrayLike, samples: int) -> Floats:
    """C(s_0 + s) ≤ e^(−2 lambda s/N) C(s_0) when DDᵀ ≥ lambda along the orbit (NA (1.19)); s ≥ 0 is time since s_0.

    cost0: C(s_0) ≥ 0; lam ≥ 0; samples: N. Raises TypeError or ValueError otherwise.
    """
    cost0, lam = (
        positive_number("cost0", cost0, zero_allowed=True),
        positive_number("lam", lam, zero_allowed=True),
    )
    s = np.asarray(numbers("s", s))
    if (s < 0).any():
        raise ValueError(f"s is time since s_0 and must not be negative, got {s.min():g}.")
    return cost0 * np.exp(-2 * lam * s / whole_number("samples N", samples))


def arc_length(orbit: Orbit) -> float:
    """Length of the polygon through the saved theta: from below, the arc length of the orbit in parameter space.

    Raises ValueError when the orbit kept no theta.
    """
    instance(
        "orbit", orbit, Orbit, "Pass what integrate returns; of an ensemble, one of its orbits."
    )
    return float(np.linalg.norm(np.diff(orbit.theta, axis=0), axis=1).sum())


def off_the_line(orbit: Orbit) -> Floats:
    """|x(s) − x_exact(s)| / |x_0 − y| (S,) with x_exact(s) = y + e^(−s/N)(x_0 − y) (GM Theorem 2.1).

    For an adapted orbit with K ≥ QN of full rank: what the integration lost. Raises ValueError for x_0 = y.
    """
    instance(
        "orbit", orbit, Orbit, "Pass what integrate returns; of an ensemble, one of its orbits."
    )
    problem, x = orbit.problem, orbit.outputs
    y = np.asarray(problem.data.targets)
    start = x[0] - y
    if not start.any():
        raise ValueError("the orbit starts at the targets: there is no line.")
    exact = y + np.exp(-(orbit.s - orbit.s[0]) / problem.N)[:, None, None] * start
    return np.linalg.norm(x - exact, axis=(1, 2)) / np.linalg.norm(start)


def wilson_interval(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval for a probability of which `successes` of `trials` were seen; z = 1.96 for 95 %.

    Unlike p ± z·√(p(1−p)/n) it says something at 0 and at n: none of n leaves [0, z²/(n + z²)].
    E. B. Wilson, J. Amer. Statist. Assoc. 22 (1927) 209-212. Raises TypeError or ValueError unless 0 ≤ successes ≤ trials, trials ≥ 1.
    """
    n, z = whole_number("trials", trials), positive_number("z", z)
    number = real_number("successes", successes)
    if number != int(number) or not 0 <= number <= n:
        raise ValueError(
            f"successes must be a whole number from 0 to trials = {n}, got {successes!r}."
        )
    p = number / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)
