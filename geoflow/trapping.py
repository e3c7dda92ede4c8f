"""Regions that trap an orbit of the standard flow: full rank, a small slope, and a lower bound on the stay (GM §3.1)."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64
from numpy.typing import NDArray

from geoflow.checks import instance, positive_number
from geoflow.flows import Standard
from geoflow.orbits import Orbit
from geoflow.problem import Problem
from geoflow.types import AnyArray, Floats


@dataclass(frozen=True)
class Stay:
    """One stay of a standard orbit in U = {|Dᵀv| ≤ epsilon|v|}, from flow time s_0 to s_1 (GM Proposition 3.1).

    arc_length: ℓ, the length of the polygon through the saved theta of the stay, from below the arc length of the orbit
    in U; entry_cost, exit_cost: C(s_0), C(s_1); sigma_min: the least singular value of D met in U; samples: N.
    """

    epsilon: float
    s_0: float
    s_1: float
    arc_length: float
    entry_cost: float
    exit_cost: float
    sigma_min: float
    samples: int

    @property
    def time(self) -> float:
        """T = s_1 − s_0, as measured."""
        return self.s_1 - self.s_0

    @property
    def bound(self) -> float:
        """τ = (ℓ/epsilon)√(N/(2C(s_0))) ≤ T (GM (3.6))."""
        return self.arc_length / self.epsilon * float(np.sqrt(self.samples / (2 * self.entry_cost)))

    @property
    def sharper_bound(self) -> float:
        """ℓ²/(C(s_0) − C(s_1)): Cauchy–Schwarz with C(s_0) − C(s_1) = ∫|dtheta/ds|² ds gives τ ≤ this ≤ T (ours)."""
        return self.arc_length**2 / (self.entry_cost - self.exit_cost)


def slope(problem: Problem, theta: Float64[AnyArray, " K"]) -> Float64[Array, ""]:
    """|Dᵀv|/|v| with v = x − y: N|∇_theta C|/|v|, between sigma_min and sigma_max for K ≥ QN; nan at zero loss."""
    instance("problem", problem, Problem, "The order is slope(problem, theta).")
    v = problem.residual(theta)
    return jnp.linalg.norm(problem.pullback(theta, v)) / jnp.linalg.norm(v)


@eqx.filter_jit
def _slopes(problem: Problem, thetas: Array) -> Array:
    return jax.lax.map(lambda theta: slope(problem, theta), thetas)


def orbit_slopes(orbit: Orbit) -> Floats:
    """|Dᵀv|/|v| at the saved states (S,) of an orbit. Raises ValueError when it kept no theta."""
    instance(
        "orbit", orbit, Orbit, "Pass what integrate returns; of an ensemble, one of its orbits."
    )
    return np.asarray(_slopes(orbit.problem, jnp.asarray(orbit.theta)))


def longest_stay(orbit: Orbit, epsilon: float | None = None) -> Stay:
    """The stay of a standard orbit in U = {|Dᵀv| ≤ epsilon|v|} with the largest bound τ (GM Proposition 3.1).

    orbit: of the standard flow. The stay is resolved by the saved states: it begins and ends at one, and every saved state
    between lies in U. epsilon: > 0, in the units of a singular value of D; None takes the one whose τ is largest.

    Raises TypeError for what is no orbit; ValueError for one of another flow (the bound means nothing there), when the orbit
    kept no theta or has a single state; when epsilon lies below what float64 can tell from zero on this orbit; and when the
    orbit never enters U, or enters it at one saved state only.
    """
    slopes = orbit_slopes(orbit)
    if not isinstance(orbit.flow, Standard):
        raise ValueError(
            f"GM Proposition 3.1 speaks of the standard flow, this is an orbit of {orbit.flow!r}."
        )
    floor = _rounding(orbit)
    if len(slopes) < 2:
        raise ValueError("a stay needs at least two saved states: integrate with a larger `save`.")
    if epsilon is not None:
        epsilon = positive_number("epsilon", epsilon)
        if epsilon <= np.nanmin(floor):
            raise ValueError(
                f"epsilon = {epsilon:.1e} lies below what float64 can tell from zero here: Dᵀv/|v| carries a rounding error "
                f"of about {np.nanmin(floor):.1e}. Take epsilon above that; a point with a smaller slope cannot be told from "
                "an equilibrium."
            )
        candidates = [epsilon]
    else:
        candidates = slopes[slopes > floor]
    length = np.concatenate(
        [[0.0], np.cumsum(np.linalg.norm(np.diff(orbit.theta, axis=0), axis=1))]
    )
    stays = [(e, i, j) for e in candidates for i, j in _runs(slopes <= e)]
    if not stays:
        if epsilon is None or np.nanmin(slopes) <= epsilon:
            raise ValueError(
                "no two consecutive saved states lie in the region: save the orbit more densely."
            )
        raise ValueError(
            f"the orbit never enters the region |Dᵀv| ≤ {epsilon:.3g}|v|: its least slope is {np.nanmin(slopes):.3g}, at "
            f"s = {orbit.s[np.nanargmin(slopes)]:.6g}. Give a larger epsilon, or none."
        )
    e, i, j = max(
        stays,
        key=lambda stay: (
            (length[stay[2]] - length[stay[1]]) / stay[0] / np.sqrt(orbit.cost[stay[1]])
        ),
    )
    return Stay(
        epsilon=float(e),
        s_0=float(orbit.s[i]),
        s_1=float(orbit.s[j]),
        arc_length=float(length[j] - length[i]),
        entry_cost=float(orbit.cost[i]),
        exit_cost=float(orbit.cost[j]),
        sigma_min=float(orbit.sigma_min[i : j + 1].min()),
        samples=orbit.problem.N,
    )


def _rounding(orbit: Orbit) -> Floats:
    """Rounding error of |Dᵀv|/|v| (S,): v = x − y is known to a few eps(|x| + |y|), which Dᵀ stretches by up to sigma_max."""
    y = np.asarray(orbit.problem.data.targets)
    sizes = np.linalg.norm(orbit.outputs, axis=(1, 2)) + np.linalg.norm(y)
    v = np.linalg.norm(orbit.outputs - y, axis=(1, 2))
    with np.errstate(divide="ignore"):
        return 4 * np.finfo(np.float64).eps * orbit.sigma_max * sizes / v


def _runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every run of at least two True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return [(int(i), int(j) - 1) for i, j in zip(edges[::2], edges[1::2], strict=True) if j - 1 > i]
