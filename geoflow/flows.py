"""The gradient flows of the papers as vector fields.

- comparison   dx/ds       = −∇_x C = −(x − y)/N      in output space            (NA (1.5), GM (1.11))
- standard     dtheta/ds   = −∇_theta C = −Dᵀ∇_x C    Euclidean metric on theta  (NA (1.8), GM (1.9))
- adapted      dtheta/ds   = −D⁺∇_x C                 Euclidean metric on x      (GM (1.29), (4.5), (5.2))
- adapted_tau  dtheta/dtau = D⁺(y − x_0)              the adapted flow in the clock tau = 1 − e^(−s/N), for K ≥ QN

One formula serves GM Theorems 2.1, 4.1 and 5.1: D⁺ is Dᵀ(DDᵀ)⁻¹ for K ≥ QN at full rank, (DᵀD)⁻¹Dᵀ for K ≤ QN at full
rank, and the minimal-norm least-squares inverse where rank is lost.
"""

import abc
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float64

from geoflow.checks import float64_array, instance, is_traced, numbers, parameter_vector
from geoflow.clocks import Clock, FlowTime, Tau
from geoflow.problem import Problem
from geoflow.solvers import Auto, Solver
from geoflow.types import AnyArray, ArrayLike

if TYPE_CHECKING:  # to a type checker equinox's is no class variable
    from typing import ClassVar as AbstractClassVar
else:
    from equinox import AbstractClassVar


class Checked(NamedTuple):
    """A velocity or a state, and whether whatever computed it is to be believed."""

    value: Array
    ok: Bool[Array, ""]


class LinearSolveFailed(RuntimeError):
    """D⁺b could not be found to the accuracy that the solver asks for: what it found is not the field."""


class Flow(eqx.Module):
    """An autonomous vector field on states, in its own clock: flow(problem, state) is d state/dt.

    clock: the variable in which it is integrated. in_lockstep: whether many orbits are integrated side by side (a cheap field:
    one vectorized step for all) or one after the other (a field with branches and linear algebra, which a vectorized step
    would take for all at once). rank_tolerance: the ratio sigma_min/sigma_max at which an orbit stops with rank loss, unless
    it is told otherwise; None: the flow needs no rank.
    """

    clock: AbstractClassVar[Clock]
    in_lockstep: AbstractClassVar[bool]

    @property
    @abc.abstractmethod
    def rank_tolerance(self) -> float | None:
        """The flow's own, or that of the solver it uses."""

    def __call__(self, problem: Problem, state: AnyArray) -> Array:
        """d state/dt. Raises `LinearSolveFailed` where it could not be computed; under a JAX transformation NaN says so."""
        instance("problem", problem, Problem, "The order is flow(problem, state).")
        state = self.start(problem, state)
        value, ok = _velocity(self.begin(problem, state), problem, state)
        if is_traced(ok):
            return jnp.where(ok, value, jnp.nan)
        if not bool(ok):
            raise LinearSolveFailed(
                f"the field of {self!r} is not known here: its linear solver did not converge, or D is so nearly rank deficient that "
                "rounding decides the result. Look at sigma_range(problem, theta); Auto() is the most robust solver, and "
                "Damped(lam) is defined at any rank."
            )
        return value

    @abc.abstractmethod
    def start(self, problem: Problem, start: ArrayLike) -> Array:
        """The checked initial state."""

    @abc.abstractmethod
    def begin(self, problem: Problem, state: Array) -> "Flow":
        """The flow that starts at this state: itself, unless its field depends on where it started."""

    @abc.abstractmethod
    def velocity(self, problem: Problem, state: Array) -> Checked:
        """d state/dt on a state that has been checked; traceable by JAX."""

    @abc.abstractmethod
    def outputs(self, problem: Problem, state: Array) -> Float64[Array, "N Q"]:
        """x at this state."""

    @abc.abstractmethod
    def push(self, problem: Problem, state: Array, direction: Array) -> Float64[Array, " QN"]:
        """How the outputs move when the state moves in this direction."""

    @abc.abstractmethod
    def land(self, problem: Problem, state: Array, t: Array) -> Checked:
        """The last state of an orbit, at clock time t, put to where the flow is known to be, where it is known."""


@eqx.filter_jit
def _velocity(flow: Flow, problem: Problem, state: Array) -> Checked:
    return flow.velocity(problem, state)


class Comparison(Flow):
    """dx/ds = −∇_x C on states x (N, Q); x − y = e^(−s/N)(x_0 − y). A start theta (K,) stands for x(theta)."""

    clock: ClassVar[Clock] = FlowTime()
    in_lockstep: ClassVar[bool] = True

    @property
    def rank_tolerance(self) -> None:
        return None

    def start(self, problem: Problem, start: ArrayLike) -> Array:
        start = numbers("the start", start)
        if start.ndim == 1:
            return problem.outputs(start)
        x = float64_array("x", start, 2, "(N, Q)")
        if x.shape != problem.data.targets.shape:
            raise ValueError(
                f"x must have the targets' shape {problem.data.targets.shape}, got {x.shape}."
            )
        return x

    def begin(self, problem: Problem, state: Array) -> Flow:
        return self

    def velocity(self, problem: Problem, state: Array) -> Checked:
        return Checked(-(state - problem.data.targets) / problem.N, jnp.ones((), bool))

    def outputs(self, problem: Problem, state: Array) -> Float64[Array, "N Q"]:
        return state

    def push(self, problem: Problem, state: Array, direction: Array) -> Float64[Array, " QN"]:
        return direction.reshape(-1)

    def land(self, problem: Problem, state: Array, t: Array) -> Checked:
        return Checked(state, jnp.ones((), bool))


class ParameterFlow(Flow):
    """A flow on states theta (K,)."""

    def start(self, problem: Problem, start: ArrayLike) -> Array:
        require_smooth(problem)
        return parameter_vector(start, problem.K)

    def outputs(self, problem: Problem, state: Array) -> Float64[Array, "N Q"]:
        return problem.outputs(state)

    def push(self, problem: Problem, state: Array, direction: Array) -> Float64[Array, " QN"]:
        return problem.pushforward(state, direction)


class AutonomousFlow(ParameterFlow):
    """A flow on states theta (K,) in flow time, the same wherever it starts."""

    clock: ClassVar[Clock] = FlowTime()

    def begin(self, problem: Problem, state: Array) -> Flow:
        return self

    def land(self, problem: Problem, state: Array, t: Array) -> Checked:
        return Checked(state, jnp.ones((), bool))


class Standard(AutonomousFlow):
    """dtheta/ds = −∇_theta C on states theta (K,)."""

    in_lockstep: ClassVar[bool] = True

    @property
    def rank_tolerance(self) -> None:
        return None

    def velocity(self, problem: Problem, state: Array) -> Checked:
        return Checked(-problem.gradient(state), jnp.ones((), bool))


class Adapted(AutonomousFlow):
    """dtheta/ds = −D⁺∇_x C on states theta (K,), D⁺ applied by `solver`.

    An orbit stops where sigma_min/sigma_max falls to the solver's `rank_tolerance`, 1e-7 for the solvers of D⁺ itself: a
    little further down D⁺ jumps, and the field says more about a rank cut-off than about the network.
    Raises TypeError for what is no `Solver`.
    """

    solver: Solver = Auto()
    in_lockstep: ClassVar[bool] = False

    def __check_init__(self) -> None:
        instance("solver", self.solver, Solver, "Pass an object, as Adapted(solver=DenseSVD()).")

    @property
    def rank_tolerance(self) -> float | None:
        return self.solver.rank_tolerance

    def velocity(self, problem: Problem, state: Array) -> Checked:
        found = self.solver.solve(problem, state, problem.residual(state) / problem.N)
        return Checked(-found.w, found.ok)


class AdaptedTau(ParameterFlow):
    """dtheta/dtau = D⁺(y − x_0) in the clock tau = 1 − e^(−s/N): the adapted flow for K ≥ QN, in fewer steps.

    By GM Theorem 2.1 the path in output space is known in advance, x = x_0 + tau(y − x_0). The last state of an orbit is put
    onto it by two Newton steps; how far the others are from it is what the integration lost. As a field, d state/dtau at
    tau = 0. Raises TypeError for what is no `Solver`, ValueError for K < QN.
    """

    solver: Solver = Auto()
    origin: Float64[Array, "N Q"] | None = None

    clock: ClassVar[Clock] = Tau()
    in_lockstep: ClassVar[bool] = False

    def __check_init__(self) -> None:
        instance("solver", self.solver, Solver, "Pass an object, as AdaptedTau(solver=DenseSVD()).")

    @property
    def rank_tolerance(self) -> float | None:
        return self.solver.rank_tolerance

    def start(self, problem: Problem, start: ArrayLike) -> Array:
        if problem.K < problem.QN:
            raise ValueError(
                f"the clock tau rests on dx/ds = −∇_x C, which needs K ≥ QN, got K = {problem.K} < QN = {problem.QN}: use `adapted`."
            )
        return ParameterFlow.start(self, problem, start)

    def begin(self, problem: Problem, state: Array) -> Flow:
        return AdaptedTau(self.solver, problem.outputs(state))

    def velocity(self, problem: Problem, state: Array) -> Checked:
        assert self.origin is not None, "begin() comes first"
        found = self.solver.solve(problem, state, (problem.data.targets - self.origin).reshape(-1))
        return Checked(found.w, found.ok)

    def land(self, problem: Problem, state: Array, t: Array) -> Checked:
        assert self.origin is not None, "begin() comes first"
        x = self.origin + t * (problem.data.targets - self.origin)
        ok = jnp.ones((), bool)
        for _ in range(2):
            found = self.solver.solve(problem, state, (x - problem.outputs(state)).reshape(-1))
            state, ok = state + found.w, ok & found.ok
        return Checked(state, ok)


comparison = Comparison()
standard = Standard()
adapted = Adapted()
adapted_tau = AdaptedTau()

FLOWS: dict[str, Flow] = {
    "comparison": comparison,
    "standard": standard,
    "adapted": adapted,
    "adapted_tau": adapted_tau,
}


def flow_named(name: str | Flow) -> Flow:
    """The flow of that name; a `Flow` passes through. Raises ValueError for an unknown name, TypeError for anything else."""
    if isinstance(name, Flow):
        return name
    if not isinstance(name, str):
        instance(
            "flow",
            name,
            Flow,
            "The order is integrate(flow, problem, start), with flow = adapted, standard, ...",
        )
    if name not in FLOWS:
        raise ValueError(
            f"unknown flow {name!r}: use one of {', '.join(FLOWS)}, or a Flow such as Adapted(solver=DenseSVD())."
        )
    return FLOWS[name]


def require_smooth(problem: Problem) -> None:
    """Raises ValueError when the network is not C¹: then the flows of the papers are not defined."""
    kind, kink = problem.smoothness
    if kind == "kinked":
        raise ValueError(
            f"the network has a kink ({kink}), and a gradient flow needs a Lipschitz derivative (NA §1, GM §1.1). Use "
            "smooth_relu(eps), which equals ReLU outside [−eps, eps], or softplus or tanh; or follow derivatives that exist almost "
            "everywhere, knowingly: almost_everywhere(relu) as activation, smoothness='almost everywhere' of a FunctionNetwork. If "
            "your function is C¹ all the same, say smoothness='C1'."
        )
