"""Equilibria of both flows where the cost is not zero: their Hessian, the critical set around them, kicks out of them.

GM Theorem 4.2 and §4.2. The functions g_i = ⟨V_i, ∇_x C⟩ of (4.13), with columns V_i of D for a frame of ran D, are
components of ∇_theta C; so their gradients are rows of the Hessian of C.
"""

from dataclasses import dataclass
from typing import TypeAlias, cast

import equinox as eqx
import jax
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float64
from numpy.typing import NDArray

from geoflow.checks import instance, parameter_vector, real_number
from geoflow.diagnostics import stationarity
from geoflow.linear_algebra import RANK_RTOL, Rank, cut_off
from geoflow.problem import Problem
from geoflow.types import AnyArray, ArrayLike, Floats

#: A point as an orbit stores it (numpy) or as JAX computes it.
Theta: TypeAlias = Float64[AnyArray, " K"]

#: Eigenvalues of the Hessian below this times the largest count as zero. An equilibrium known to 1e-12 leaves about
#: 1e-11 of the largest in them; the smallest that the chapters keep is 1e-6 of it.
NULLITY_RTOL = 1e-8


@dataclass(frozen=True)
class CriticalPoint:
    """An equilibrium theta_* of both flows.

    cost: C; gradient_norm: |∇_theta C|; rank: of D, with its tolerance; eigenvalues (K,): of the Hessian of C,
    ascending; tolerance: those at or below it in size count as zero; decided: False when one lies within a factor 10 of
    it; directions (K, K): the eigenvectors, in columns.
    """

    cost: float
    gradient_norm: float
    rank: Rank
    eigenvalues: Floats
    directions: Floats
    tolerance: float

    @property
    def nullity(self) -> int:
        """dim ker Hess C: no critical manifold through theta_* has a larger dimension; at a Morse–Bott point, equality."""
        return int((np.abs(self.eigenvalues) <= self.tolerance).sum())

    @property
    def index(self) -> int:
        """The number of negative eigenvalues: 0 at a minimum."""
        return int((self.eigenvalues < -self.tolerance).sum())

    @property
    def predicted_dimension(self) -> int:
        """K − rank D, the dimension of the critical set in GM Theorem 4.2 (where the rank is locally constant)."""
        return len(self.eigenvalues) - self.rank.rank

    @property
    def decided(self) -> bool:
        size = np.abs(self.eigenvalues)
        return self.rank.decided and not bool(
            ((size > self.tolerance / 10) & (size < self.tolerance * 10)).any()
        )


def hessian(problem: Problem, theta: Theta) -> Float64[Array, "K K"]:
    """The second derivative of C, (DᵀD + Σ_j v_j ∂²x_j)/N."""
    instance("problem", problem, Problem, "The order is hessian(problem, theta).")
    return _hessian(problem, parameter_vector(theta, problem.K))


@eqx.filter_jit
def _hessian(problem: Problem, theta: Array) -> Array:
    H = jax.hessian(problem.cost)(theta)
    return (H + H.T) / 2


def critical_point(
    problem: Problem,
    theta: Theta,
    tolerance: float = 1e-10,
    rtol: float = NULLITY_RTOL,
    rank_rtol: float = RANK_RTOL,
) -> CriticalPoint:
    """The equilibrium theta with its Hessian (GM Theorem 4.2).

    tolerance: on |∇_theta C|. rtol: eigenvalues of the Hessian up to rtol times the largest count as zero. rank_rtol:
    singular values of D likewise. Raises ValueError when theta is no equilibrium: a Hessian there says nothing of one.
    """
    instance("problem", problem, Problem, "The order is critical_point(problem, theta).")
    theta = parameter_vector(theta, problem.K)
    seen = stationarity(problem, theta, tolerance, rank_rtol)
    if not seen.stationary:
        raise ValueError(
            f"theta is no equilibrium: |∇C| = {seen.gradient_norm:.1e} > {seen.tolerance:.1e}. Let the flow run longer, "
            "polish theta by Newton's method, or pass a larger `tolerance`."
        )
    rtol = cut_off(rtol)
    eigenvalues, directions = np.linalg.eigh(hessian(problem, theta))
    return CriticalPoint(
        cost=seen.cost,
        gradient_norm=seen.gradient_norm,
        rank=seen.rank,
        eigenvalues=eigenvalues,
        directions=directions,
        tolerance=float(rtol * np.abs(eigenvalues).max()),
    )


def frame_gradients(
    problem: Problem, theta: Theta, rtol: float = RANK_RTOL
) -> Float64[np.ndarray, "r K"]:
    """∇g_1, …, ∇g_r at an equilibrium theta, for g_i = ⟨V_i, ∇_x C⟩ and r = rank D (GM (4.13), (4.16)).

    V_i: r linearly independent columns of D, chosen by QR with pivoting, each scaled to a unit vector at theta.
    Where the r gradients are independent and the rank is locally constant, the critical set is a manifold with them as normals.
    Raises ValueError where D = 0.
    """
    instance("problem", problem, Problem, "The order is frame_gradients(problem, theta).")
    theta, rtol = parameter_vector(theta, problem.K), cut_off(rtol)
    D = np.asarray(problem.jacobian(theta))
    if not D.any():
        raise ValueError(
            "D vanishes here: there is no frame of ran D, and every theta nearby has more rank than this one."
        )
    R, columns = cast(  # scipy's own types are missing: this is what it gives for pivoting=True
        "tuple[Floats, NDArray[np.intp]]", scipy.linalg.qr(D, mode="r", pivoting=True)
    )
    diagonal = np.abs(np.diagonal(R))
    columns = columns[: int((diagonal > rtol * diagonal[0]).sum())]
    return (
        np.asarray(hessian(problem, theta))[columns]
        / np.linalg.norm(D[:, columns], axis=0)[:, None]
    )


@dataclass(frozen=True)
class Kick:
    """theta_* + kappa n: the new theta (K,), by how much the cost changed, and (kappa²/2) nᵀ Hess C n."""

    theta: Floats
    change: float
    predicted: float


def kick(problem: Problem, theta: Theta, direction: ArrayLike, kappa: float) -> Kick:
    """A kick of signed length kappa away from the equilibrium theta (GM (4.15)); `direction` (K,) is made a unit vector.

    The first derivative of C vanishes at theta, so to second order the change is even in kappa: its sign does not help.
    Raises ValueError for a direction of wrong shape, zero or not finite.
    """
    instance("problem", problem, Problem, "The order is kick(problem, theta, direction, kappa).")
    direction = np.asarray(parameter_vector(direction, problem.K, "direction"))
    length = np.linalg.norm(direction)
    if length == 0:
        raise ValueError("direction must not be zero: it says where to kick, kappa how far.")
    theta, n, kappa = (
        parameter_vector(theta, problem.K),
        direction / length,
        real_number("kappa", kappa),
    )
    kicked = theta + kappa * n
    return Kick(
        theta=np.asarray(kicked),
        change=float(problem.cost(kicked) - problem.cost(theta)),
        predicted=float(kappa**2 / 2 * n @ hessian(problem, theta) @ n),
    )


def escape_direction(point: CriticalPoint) -> Float64[np.ndarray, " K"]:
    """The unit vector along which C falls fastest from an equilibrium, to second order: the lowest eigenvector of the Hessian.

    Its sign is fixed by a positive largest entry. Raises ValueError at a point without negative eigenvalues: there no
    kick lowers the cost to second order (at a Morse–Bott minimum none does at all).
    """
    instance("point", point, CriticalPoint, "Pass what critical_point(problem, theta) returns.")
    if not point.index:
        raise ValueError(
            f"no direction lowers the cost to second order: the least eigenvalue of the Hessian is {point.eigenvalues[0]:.1e} "
            f"(tolerance {point.tolerance:.1e}). At a Morse–Bott minimum no small kick helps; walk along the critical "
            "manifold to where the rank changes, or start elsewhere."
        )
    n = point.directions[:, 0]
    return n * np.sign(n[np.argmax(np.abs(n))])
