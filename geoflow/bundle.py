"""The vector bundle behind the adapted flow: fibres V = ran Dᵀ, their metric, lifts, brackets, holonomy (GM §2.3-2.4).

At each theta the parameter space splits into V = ran Dᵀ (horizontal) and ker D (vertical, tangent to {x = const}). The
pullback metric h(V, W) = ⟨DV, DW⟩ makes D an isometry from V onto ran D, and the adapted flow is minus its gradient.
Horizontal and vertical parts exist at every rank (decided at RANK_RTOL·sigma_max); lifts, their brackets and holonomy
need K ≥ QN and full rank, and raise ValueError otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow._checks import float64_array, is_traced, parameter_vector, positive_integer, positive_number
from geoflow.data import Dataset
from geoflow.flows import adapted
from geoflow.integration import integrate
from geoflow.linear_algebra import RANK_RTOL, moore_penrose, numerical_rank, penrose_inverse
from geoflow.problem import Problem


def bundle_metric(problem: Problem, theta: Array, V: Array, W: Array) -> Float64[Array, ""]:
    """h(V, W) = ⟨DV, DW⟩ for V, W (K,): the Euclidean metric of R^QN pulled back by x (GM (2.22), (2.25))."""
    return problem.pushforward(theta, V) @ problem.pushforward(theta, W)


def bundle_gradient(problem: Problem, theta: Array, differential: Array) -> Float64[Array, " K"]:
    """grad_h F = Pen Penᵀ dF = (DᵀD)⁺dF for the differential dF (K,) of a function F of theta (GM (2.26)-(2.30)).

    It lies in V, and h(grad_h F, W) = dF(W) for every W in V; if F depends on theta through x only (as the cost does),
    for every W. With dF = `problem.gradient(theta)` it is minus the adapted field.
    """
    pen = moore_penrose(problem.jacobian(theta))
    return pen @ (pen.T @ _parameter_direction("differential", differential, problem))


def horizontal_projector(problem: Problem, theta: Array) -> Float64[Array, "K K"]:
    """D⁺D, the orthogonal projector of R^K onto V = ran Dᵀ (GM (1.28), (2.3))."""
    B = _fibre(problem, theta)
    return B.T @ B


def horizontal(problem: Problem, theta: Array, w: Array) -> Float64[Array, " K"]:
    """D⁺D w, the part of w (K,) in V: what the outputs feel of it."""
    B = _fibre(problem, theta)
    return B.T @ (B @ _parameter_direction("w", w, problem))


def vertical(problem: Problem, theta: Array, w: Array) -> Float64[Array, " K"]:
    """(1 − D⁺D) w, the part of w (K,) in ker D: what changes the network and no output on the data."""
    return w - horizontal(problem, theta, w)


def lift(problem: Problem, theta: Array, u: Array) -> Float64[Array, " K"]:
    """D⁺u, the horizontal vector over u (QN,): the only one in V with D lift = u."""
    _require_full_rank(problem, theta)
    return _lift(problem, parameter_vector(theta, problem.K), _output_vector("u", u, problem))


def lie_bracket(first: Callable, second: Callable, theta: Array) -> Float64[Array, " K"]:
    """[X, Y] = dY(X) − dX(Y) at theta, for two vector fields theta (K,) -> (K,), by two JVPs."""
    X, Y = first(theta), second(theta)
    return jax.jvp(second, (theta,), (X,))[1] - jax.jvp(first, (theta,), (Y,))[1]


def lift_bracket(problem: Problem, theta: Array, u: Array, w: Array) -> Float64[Array, " K"]:
    """[V_u, V_w] at theta for the lifts V_u = D⁺u, V_w = D⁺w of two constant output fields u, w (QN,).

    V is integrable if and only if all of these lie in V (GM (2.31)). They never have a part in V: the lifts are related by x to commuting
    fields, so D[V_u, V_w] = [u, w] = 0. (This remark is ours.)
    """
    _require_full_rank(problem, theta)
    u, w = _output_vector("u", u, problem), _output_vector("w", w, problem)
    return _lift_bracket(problem, parameter_vector(theta, problem.K), u, w)


@dataclass(frozen=True, eq=False)
class Holonomy:
    """The horizontal lift of a closed square loop in output space, which need not close.

    theta (S, K): its points, S = 4·(points a side) + 1; displacement (K,) = theta[-1] − theta[0];
    gap: |x(theta[-1]) − x(theta[0])|, zero up to rounding.
    """

    theta: np.ndarray
    displacement: np.ndarray
    gap: float


def holonomy(
    problem: Problem, theta: Array, u: Array, w: Array, side: float, points: int = 8, **integration
) -> Holonomy:
    """Lifts the loop x_0 → x_0 + hu → x_0 + hu + hw → x_0 + hw → x_0 with h = `side` and u, w (QN,).

    displacement = h²[V_u, V_w] + O(h³). The horizontal lift of a straight segment is an adapted orbit (GM Theorem 2.1), so that each
    side is one call of `integrate` with the clock tau; `integration` goes there (rtol, atol, max_steps ...).
    The problem's targets play no part. Raises `OrbitStopped` where the loop leads out of the image of x or into rank loss.
    """
    h, points, QN = positive_number("side", side), positive_integer("points", points), problem.QN
    _require_full_rank(problem, theta)
    u, w = _output_vector("u", u, problem), _output_vector("w", w, problem)
    theta = parameter_vector(theta, problem.K)
    x0 = problem.outputs(theta).reshape(QN)
    # tau runs from 0 to 1/2, half of the way to a target put twice as far as the corner
    tau = np.linspace(0, 0.5, points + 1)
    s = -problem.N * np.log1p(-tau)
    path, here, corner = [np.asarray(theta)[None]], theta, x0
    for step in (u, w, -u, -w):
        corner = corner + h * step
        x = problem.outputs(here).reshape(QN)
        targets = (x + 2 * (corner - x)).reshape(problem.data.targets.shape)
        side_problem = Problem(problem.network, Dataset(problem.data.inputs, targets))
        orbit = integrate(adapted, side_problem, here, until=s[-1], save=s, clock="tau", **integration)
        path.append(orbit.theta[1:])
        here = jnp.asarray(orbit.theta_end)
    path = np.concatenate(path)
    gap = float(jnp.linalg.norm(problem.outputs(here).reshape(QN) - x0))
    return Holonomy(path, path[-1] - path[0], gap)


@eqx.filter_jit
def _fibre(problem, theta):
    """Rows (min(QN, K), K): an orthonormal basis of V, and zeros where rank is lost."""
    _, sigma, Vt = jnp.linalg.svd(problem.jacobian(theta), full_matrices=False)
    return Vt * (sigma > RANK_RTOL * sigma[0])[:, None]


@eqx.filter_jit
def _lift(problem, theta, u):
    return penrose_inverse(problem.jacobian(theta)) @ u


@eqx.filter_jit
def _lift_bracket(problem, theta, u, w):
    return lie_bracket(lambda t: _lift(problem, t, u), lambda t: _lift(problem, t, w), theta)


def _parameter_direction(name, w, problem):
    w = float64_array(name, w, 1, "(K,)")
    if w.shape != (problem.K,):
        raise ValueError(
            f"{name} must have shape (K,) = ({problem.K},), a direction in parameter space, got {tuple(w.shape)}."
        )
    return w


def _output_vector(name, u, problem):
    u = float64_array(name, u, 1, "(QN,)")
    if u.shape != (problem.QN,):
        raise ValueError(
            f"{name} must have shape (QN,) = ({problem.QN},), a direction in output space, got {tuple(u.shape)}."
        )
    return u


def _require_full_rank(problem, theta):
    """Nothing where values are traced: there rank cannot be decided."""
    if is_traced(theta):
        return
    D = problem.jacobian(theta)
    if problem.K < problem.QN or not numerical_rank(D).full:
        penrose_inverse(D)  # raises, with advice
