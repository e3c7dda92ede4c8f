"""The three gradient flows of the papers, and their orbits in flow time s.

- comparison  dx/ds     = −∇_x C = −(x − y)/N      in output space            (NA (1.5), GM (1.11))
- standard    dtheta/ds = −∇_theta C = −Dᵀ∇_x C    Euclidean metric on theta  (NA (1.8), GM (1.9))
- adapted     dtheta/ds = −D⁺∇_x C                 Euclidean metric on x      (GM (1.29), (4.5), (5.2))

One formula serves GM Theorems 2.1, 4.1 and 5.1: D⁺ is Dᵀ(DDᵀ)⁻¹ for K ≥ QN at full rank, (DᵀD)⁻¹Dᵀ for K ≤ QN at full
rank, and the minimal-norm least-squares inverse where rank is lost.
"""

import abc
import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow._checks import float64_array, parameter_vector, positive_integer, positive_number
from geoflow.problem import Problem
from geoflow.solvers import Auto, Solver, loses_rank, sigma_range


class Flow(eqx.Module):
    """An autonomous vector field: flow(problem, state) is d state/ds."""

    #: the default threshold on sigma_min/sigma_max at which `integrate` stops; None: the flow needs no rank
    rank_tolerance = None

    def start(self, problem: Problem, start: Array) -> Array:
        """The checked initial state, theta (K,)."""
        require_smooth(problem)
        return parameter_vector(start, problem.K)

    @abc.abstractmethod
    def __call__(self, problem: Problem, state: Array) -> Array:
        """The velocity d state/ds."""

    def outputs(self, problem: Problem, state: Array) -> Float64[Array, "N Q"]:
        return problem.outputs(state)

    def sigma_range(self, problem: Problem, state: Array):
        return sigma_range(problem, state)

    def loses_rank(self, problem: Problem, state: Array, rtol: Array):
        """Whether sigma_min ≤ rtol·sigma_max at this state."""
        return loses_rank(problem, state, rtol)


class Comparison(Flow):
    """dx/ds = −∇_x C on states x (N, Q); x − y = e^(−s/N)(x_0 − y). A start theta (K,) stands for x(theta)."""

    def start(self, problem, start):
        if jnp.ndim(start) == 1:
            return problem.outputs(start)
        x = float64_array("x", start, 2, "(N, Q)")
        if x.shape != problem.data.targets.shape:
            raise ValueError(f"x must have the targets' shape {problem.data.targets.shape}, got {x.shape}.")
        return x

    def __call__(self, problem, state):
        return -(state - problem.data.targets) / problem.N

    def outputs(self, problem, state):
        return state

    def sigma_range(self, problem, state):
        return jnp.nan, jnp.nan

    def loses_rank(self, problem, state, rtol):
        return jnp.zeros((), bool)


class Standard(Flow):
    """dtheta/ds = −∇_theta C on states theta (K,)."""

    def __call__(self, problem, state):
        return -problem.gradient(state)


class Adapted(Flow):
    """dtheta/ds = −D⁺∇_x C on states theta (K,), D⁺ applied by `solver`.

    `integrate` stops it where sigma_min/sigma_max falls to 1e-7: a little further down, at the `solver`'s rank cut-off
    (1e-10), D⁺ jumps, and the field says more about that cut-off than about the network.
    """

    solver: Solver = Auto()
    rank_tolerance = 1e-7

    def __call__(self, problem, state):
        return -self.solver(problem, state, problem.residual(state) / problem.N).w


comparison = Comparison()
standard = Standard()
adapted = Adapted()

FLOWS = {"comparison": comparison, "standard": standard, "adapted": adapted}


def flow(name: str | Flow) -> Flow:
    """The flow of that name; a `Flow` passes through. Raises ValueError for an unknown name."""
    if isinstance(name, Flow):
        return name
    if name not in FLOWS:
        raise ValueError(
            f"unknown flow {name!r}: use one of {', '.join(FLOWS)}, or a Flow such as Adapted(solver=DenseSVD())."
        )
    return FLOWS[name]


def require_smooth(problem: Problem) -> None:
    """Raises ValueError when the network is not C¹: then the flows of the papers are not defined."""
    if (kink := problem.network.kinked) is not None:
        raise ValueError(
            f"the activation {kink!r} has a kink, and a gradient flow needs a Lipschitz derivative (NA §1, GM §1.1). "
            "Use smooth_relu(eps), which equals ReLU outside [−eps, eps], or softplus or tanh; or follow derivatives that exist almost "
            "everywhere, knowingly, with almost_everywhere(relu)."
        )


def stopping_time(cost0: float, cost: float, samples: int) -> float:
    """τ = (N/2) ln(C_0/C): the flow time s at which the adapted flow has cost C, known in advance (GM Theorem 2.3).

    cost0, cost: C_0 ≥ C > 0. samples: N. Raises ValueError otherwise.
    """
    N = positive_integer("samples N", samples)
    cost0, cost = positive_number("cost0", cost0), positive_number("cost", cost)
    if cost > cost0:
        raise ValueError(
            f"the target cost must not exceed the initial one, got cost = {cost:.6g} > cost0 = {cost0:.6g}."
        )
    return N / 2 * math.log(cost0 / cost)


def comparison_solution(x0: Float64[Array, "N Q"], y: Float64[Array, "N Q"], s) -> Float64[Array, "*S N Q"]:
    """x(s) = y + e^(−s/N)(x_0 − y), the comparison flow solved (NA (1.7), GM (1.13)); s a number or an array (S,)."""
    s = jnp.asarray(s, dtype=jnp.float64)
    return y + jnp.exp(-s / y.shape[0])[..., None, None] * (x0 - y)
