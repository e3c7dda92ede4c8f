"""The vector bundle behind the adapted flow: fibres V = ran Dᵀ, their metric, lifts, brackets, holonomy (GM §2.3-2.4).

At each theta the parameter space splits into V = ran Dᵀ (horizontal) and ker D (vertical, tangent to {x = const}). The
pullback metric h(V, W) = ⟨DV, DW⟩ makes D an isometry from V onto ran D, and the adapted flow is minus its gradient.
Horizontal and vertical parts exist at every rank that is decided (see `range_projector`); lifts, their brackets and
holonomy need K ≥ QN and full rank. All raise ValueError otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.checks import (
    float64_array,
    instance,
    is_traced,
    output_vector,
    parameter_vector,
    positive_number,
    whole_number,
)
from geoflow.data import Dataset
from geoflow.flows import adapted_tau
from geoflow.linear_algebra import (
    moore_penrose,
    normal_part,
    numerical_rank,
    penrose_inverse,
    range_projector,
)
from geoflow.orbits import Orbit, OrbitStopped, integrate
from geoflow.problem import Problem
from geoflow.types import AnyArray, Floats

#: theta (K,) -> (K,)
VectorField = Callable[[Array], Array]


def bundle_metric(
    problem: Problem,
    theta: Float64[AnyArray, " K"],
    V: Float64[AnyArray, " K"],
    W: Float64[AnyArray, " K"],
) -> Float64[Array, ""]:
    """h(V, W) = ⟨DV, DW⟩ for V, W (K,): the Euclidean metric of R^QN pulled back by x (GM (2.22), (2.25))."""
    _require_problem(problem)
    V, W = parameter_vector(V, problem.K, "V"), parameter_vector(W, problem.K, "W")
    return problem.pushforward(theta, V) @ problem.pushforward(theta, W)


def bundle_gradient(
    problem: Problem, theta: Float64[AnyArray, " K"], differential: Float64[AnyArray, " K"]
) -> Float64[Array, " K"]:
    """grad_h F = Pen Penᵀ dF = (DᵀD)⁺dF for the differential dF (K,) of a function F of theta (GM (2.26)-(2.30)).

    It lies in V, and h(grad_h F, W) = dF(W) for every W in V; if F depends on theta through x only (as the cost does),
    for every W. With dF = `problem.gradient(theta)` it is minus the adapted field.
    """
    _require_problem(problem)
    pen = moore_penrose(problem.jacobian(theta))
    return pen @ (pen.T @ parameter_vector(differential, problem.K, "differential"))


def horizontal_projector(problem: Problem, theta: Float64[AnyArray, " K"]) -> Float64[Array, "K K"]:
    """D⁺D, the orthogonal projector of R^K onto V = ran Dᵀ (GM (1.28), (2.3))."""
    _require_problem(problem)
    return range_projector(problem.jacobian(theta).T)


def horizontal(
    problem: Problem, theta: Float64[AnyArray, " K"], w: Float64[AnyArray, " K"]
) -> Float64[Array, " K"]:
    """D⁺D w, the part of w (K,) in V: what the outputs feel of it."""
    _require_problem(problem)
    return parameter_vector(w, problem.K, "w") - vertical(problem, theta, w)


def vertical(
    problem: Problem, theta: Float64[AnyArray, " K"], w: Float64[AnyArray, " K"]
) -> Float64[Array, " K"]:
    """(1 − D⁺D) w, the part of w (K,) in ker D: what changes the network and no output on the data."""
    _require_problem(problem)
    return normal_part(problem.jacobian(theta).T, parameter_vector(w, problem.K, "w"))


def lift(
    problem: Problem, theta: Float64[AnyArray, " K"], u: Float64[AnyArray, " QN"]
) -> Float64[Array, " K"]:
    """D⁺u, the horizontal vector over u (QN,): the only one in V with D lift = u."""
    _require_full_rank(problem, theta)
    return _lift(problem, parameter_vector(theta, problem.K), output_vector("u", u, problem.QN))


def lie_bracket(
    first: VectorField, second: VectorField, theta: Float64[AnyArray, " K"]
) -> Float64[Array, " K"]:
    """[X, Y] = dY(X) − dX(Y) at theta, for two vector fields theta (K,) -> (K,), by two JVPs.

    Raises TypeError for what are no functions, ValueError when a field's value is no vector of theta's shape.
    """
    theta = float64_array("theta", theta, 1, "(K,)")
    for name, field in (("first", first), ("second", second)):
        if not callable(field):
            raise TypeError(
                f"{name} must be a vector field, a function theta (K,) -> (K,), got {field!r:.80}."
            )
        if (shape := jax.eval_shape(field, theta).shape) != theta.shape:
            raise ValueError(
                f"{name} must be a vector field theta (K,) -> (K,) = {theta.shape}, and gives shape {shape}."
            )
    X, Y = first(theta), second(theta)
    return jax.jvp(second, (theta,), (X,))[1] - jax.jvp(first, (theta,), (Y,))[1]


def lift_bracket(
    problem: Problem,
    theta: Float64[AnyArray, " K"],
    u: Float64[AnyArray, " QN"],
    w: Float64[AnyArray, " QN"],
) -> Float64[Array, " K"]:
    """[V_u, V_w] at theta for the lifts V_u = D⁺u, V_w = D⁺w of two constant output fields u, w (QN,).

    V is integrable if and only if all of these lie in V (GM (2.31)). They never have a part in V: the lifts are related by x to commuting
    fields, so D[V_u, V_w] = [u, w] = 0. (This remark is ours.)
    """
    _require_full_rank(problem, theta)
    u, w = output_vector("u", u, problem.QN), output_vector("w", w, problem.QN)
    return _lift_bracket(problem, parameter_vector(theta, problem.K), u, w)


@dataclass(frozen=True, eq=False)
class Holonomy:
    """The horizontal lift of a closed square loop in output space, which need not close.

    theta (S, K): its points, S = 4·(points a side) + 1; displacement (K,) = theta[-1] − theta[0];
    gap: |x(theta[-1]) − x(theta[0])|, zero up to rounding.
    """

    theta: Floats
    displacement: Floats
    gap: float


def holonomy(
    problem: Problem,
    theta: Float64[AnyArray, " K"],
    u: Float64[AnyArray, " QN"],
    w: Float64[AnyArray, " QN"],
    side: float,
    points: int = 8,
    **integration: Any,
) -> Holonomy:
    """Lifts the loop x_0 → x_0 + hu → x_0 + hu + hw → x_0 + hw → x_0 with h = `side` and u, w (QN,).

    displacement = h²[V_u, V_w] + O(h³). The horizontal lift of a straight segment is an adapted orbit (GM Theorem 2.1), so that each
    side is one call of `integrate` with `adapted_tau`; `integration` goes there (rtol, atol, max_steps ...).
    The problem's targets play no part. Raises `OrbitStopped` where the loop leads out of the image of x or into rank loss.
    """
    _require_full_rank(problem, theta)
    h, points, QN = positive_number("side", side), whole_number("points", points), problem.QN
    u, w = output_vector("u", u, problem.QN), output_vector("w", w, problem.QN)
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
        orbit = integrate(adapted_tau, side_problem, here, until=s[-1], save=s, **integration)
        assert isinstance(orbit, Orbit), "one start, one orbit"
        if not orbit.status.ok:
            raise OrbitStopped(orbit)
        path.append(orbit.theta[1:])
        here = jnp.asarray(orbit.end)
    path = np.concatenate(path)
    gap = float(jnp.linalg.norm(problem.outputs(here).reshape(QN) - x0))
    return Holonomy(path, path[-1] - path[0], gap)


@eqx.filter_jit
def _lift(problem: Problem, theta: Array, u: Array) -> Array:
    return penrose_inverse(problem.jacobian(theta)) @ u


@eqx.filter_jit
def _lift_bracket(problem: Problem, theta: Array, u: Array, w: Array) -> Array:
    return lie_bracket(lambda t: _lift(problem, t, u), lambda t: _lift(problem, t, w), theta)


def _require_problem(problem: object) -> None:
    instance("problem", problem, Problem, "The problem comes first, then theta, then the vectors.")


def _require_full_rank(problem: Problem, theta: AnyArray) -> None:
    """Nothing where values are traced: there rank cannot be decided."""
    _require_problem(problem)
    if is_traced(theta):
        return
    D = problem.jacobian(theta)
    if problem.K < problem.QN or not numerical_rank(D).full:
        penrose_inverse(D)  # raises, with advice
