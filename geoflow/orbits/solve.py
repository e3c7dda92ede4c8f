"""One integration, compiled: from a start to the saved states and the reason why it ended. Batches map or vectorize it."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from geoflow.flows import Checked, Flow
from geoflow.orbits.control import Carried, Context, LocateEvent, ResidualControl
from geoflow.orbits.status import Status
from geoflow.problem import Problem, resolved_cost
from geoflow.solvers import loses_rank, orientation, sigma_range
from geoflow.solvers.singular import SMALL

#: The order in which a compiled program numbers them.
OUTCOMES = tuple(Status)

#: What diffrax follows to zero: of the time, the state and the context.
Event = Callable[..., Array]


class Settings(NamedTuple):
    """The numbers of a solve, as arrays: another value compiles nothing anew. None leaves its event out."""

    rtol: Array
    atol: Array
    rank_tolerance: Array | None
    cost: Array | None


class Plan(NamedTuple):
    """What is compiled in: diffrax's solver and meter, how many steps, what is recorded of each state."""

    solver: diffrax.AbstractSolver[Any]
    max_steps: int
    record: frozenset[str]
    meter: diffrax.AbstractProgressMeter[Any]


#: Arrays of JAX, or of numpy.
A = TypeVar("A")


class Solved(eqx.Module, Generic[A]):
    """S + 1 clock times t, the last one the end, inf past it; per time the state and what was recorded of it.

    records: "cost", "lost" (whether rank was lost there) and what the plan names; outcome: a place in OUTCOMES.
    """

    t: A
    states: A
    records: dict[str, A]
    outcome: A
    steps: A


def record(
    flow: Flow,
    problem: Problem,
    state: Array,
    settings: Settings,
    names: frozenset[str],
    sign: Array,
) -> dict[str, Array]:
    """What is kept of a state."""
    x = flow.outputs(problem, state)
    kept = {"cost": jnp.sum((x - problem.data.targets) ** 2) / (2 * problem.N)}
    kept["lost"] = _rank_is_lost(problem, state, settings.rank_tolerance, sign)
    if "outputs" in names:
        kept["outputs"] = x
    if "sigma" in names:
        kept["sigma"] = jnp.stack(sigma_range(problem, state))
    return kept


def _rank_is_lost(problem: Problem, state: Array, tolerance: Array | None, sign: Array) -> Array:
    if tolerance is None:
        return jnp.zeros((), bool)
    return loses_rank(problem, state, tolerance) | (orientation(problem, state) * sign < 0)


def _at_start(
    flow: Flow, problem: Problem, states: Array, settings: Settings, names: frozenset[str]
) -> dict[str, Array]:

    def one(state: Array) -> dict[str, Array]:
        sign = jnp.ones(()) if settings.rank_tolerance is None else orientation(problem, state)
        return record(flow, problem, state, settings, names, sign)

    return jax.vmap(one)(states) if _side_by_side(flow, settings) else jax.lax.map(one, states)


def _side_by_side(flow: Flow, settings: Settings) -> bool:
    return flow.in_lockstep and settings.rank_tolerance is None


def _solve(
    flow: Flow, problem: Problem, start: Array, times: Array, settings: Settings, plan: Plan
) -> Solved[Array]:
    sign = jnp.ones(()) if settings.rank_tolerance is None else orientation(problem, start)
    context = Context(problem, flow.begin(problem, start), sign)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(_field),
        plan.solver,
        t0=0.0,
        t1=times[-1],
        dt0=None,
        y0=Carried(start, jnp.zeros(())),
        args=context,
        saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=times), diffrax.SubSaveAt(t1=True)]),
        stepsize_controller=ResidualControl(settings.rtol, settings.atol),
        event=_events(flow, problem, settings),
        adjoint=diffrax.ForwardMode(),  # nothing is differentiated in reverse through an orbit
        max_steps=plan.max_steps,
        throw=False,
        progress_meter=plan.meter,
    )
    return _solved(solution, context, settings, plan)


def _field(t: object, carried: Carried, context: Context) -> Carried:
    value, ok = context.flow.velocity(context.problem, carried.state)
    return Carried(value, jnp.where(ok, 0.0, jnp.nan))


def _events(flow: Flow, problem: Problem, settings: Settings) -> diffrax.Event | None:
    """What may end the orbit early. Nothing can where the field is explicit and no cost is asked for: then nothing is compiled."""
    conditions: dict[str, Event] = {}
    if settings.cost is not None:
        conditions["cost"] = _above(settings.cost)
    if not _side_by_side(flow, settings):
        conditions["halt"] = _going_on(settings.rank_tolerance)
    locate = LocateEvent(most=52 if problem.QN * problem.K <= SMALL else 30)
    return diffrax.Event(conditions, locate, direction=False) if conditions else None


def _above(cost: Array) -> Event:
    """1 while the cost is above the one asked for, then −1. Below what rounding leaves of zero no cost is ever reached."""

    def event(t: object, y: Carried, args: Context, **_: object) -> Array:
        x, targets, N = (
            args.flow.outputs(args.problem, y.state),
            args.problem.data.targets,
            args.problem.N,
        )
        reached = jnp.sum((x - targets) ** 2) / (2 * N) <= cost
        return jnp.where(reached & (cost >= resolved_cost(args.problem)), -1.0, 1.0)

    return event


def _going_on(rank_tolerance: Array | None) -> Event:
    """1 while every velocity is to be believed and rank is not lost, then −1."""

    def event(t: object, y: Carried, args: Context, **_: object) -> Array:
        lost = _rank_is_lost(args.problem, y.state, rank_tolerance, args.sign)
        return jnp.where(jnp.isfinite(y.trust) & ~lost, 1.0, -1.0)

    return event


def _solved(
    solution: diffrax.Solution, context: Context, settings: Settings, plan: Plan
) -> Solved[Array]:
    ts, ys = solution.ts, solution.ys
    assert ts is not None, "diffrax was asked for states"
    assert ys is not None, "diffrax was asked for states"
    grid, end = ys
    t = jnp.concatenate(ts)
    last: Carried = jax.tree.map(lambda a: a[0], end)
    happened = solution.result == diffrax.RESULTS.event_occurred
    finite = jnp.isfinite(last.state).all()
    reached = happened & (solution.event_mask or {}).get("cost", False)
    outcome = jnp.where(reached, _number(Status.cost_reached), _number(Status.rank_loss))
    outcome = jnp.where(
        happened & ~reached & ~jnp.isfinite(last.trust),
        _number(Status.linear_solve_failed),
        outcome,
    )
    done = solution.result == diffrax.RESULTS.successful
    quiet = Status.completed if settings.cost is None else Status.cost_not_reached
    outcome = jnp.where(
        happened, outcome, jnp.where(done, _number(quiet), _number(Status.max_steps))
    )
    outcome = jnp.where(finite, outcome, _number(Status.non_finite))

    flow, problem = context.flow, context.problem
    good = outcome < _number(Status.rank_loss)
    landed, landed_ok = jax.lax.cond(
        good,
        lambda: flow.land(problem, last.state, ts[1][0]),
        lambda: Checked(last.state, jnp.ones((), bool)),
    )
    outcome = jnp.where(landed_ok, outcome, _number(Status.linear_solve_failed))
    states = jnp.concatenate([grid.state, landed[None]])
    trusted = jnp.isfinite(jnp.concatenate([grid.trust, jnp.zeros(1)]))
    # a step that is not to be believed still starts where it starts
    t = jnp.where(trusted | (t <= t[-1]), t, jnp.inf)

    def recorded(moment: tuple[Array, Array]) -> dict[str, Array]:
        when, state = moment
        blank = jax.tree.map(
            lambda a: jnp.full(a.shape, jnp.nan).astype(a.dtype), jax.eval_shape(keep, state)
        )
        return jax.lax.cond(jnp.isfinite(when), lambda: keep(state), lambda: blank)

    def keep(state: Array) -> dict[str, Array]:
        return record(flow, problem, state, settings, plan.record, context.sign)

    return Solved(
        t, states, jax.lax.map(recorded, (t, states)), outcome, solution.stats["num_steps"]
    )


def _number(status: Status) -> int:
    return OUTCOMES.index(status)


def _solve_all(
    flow: Flow,
    problem: Problem,
    starts: Array,
    going: Array,
    times: Array,
    settings: Settings,
    plan: Plan,
) -> Solved[Array]:
    """Every row of `starts` (B, ...): side by side, or one after the other where the field has branches. Not `going`: left out."""

    def one(start: Array) -> Solved[Array]:
        return _solve(flow, problem, start, times, settings, plan)

    if _side_by_side(flow, settings):
        return jax.vmap(one)(starts)
    empty = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(one, starts[0]))
    return jax.lax.map(
        lambda pair: jax.lax.cond(pair[1], lambda: one(pair[0]), lambda: empty), (starts, going)
    )


#: A small problem is integrated in milliseconds and compiled in seconds: on the CPU, XLA is asked to optimize less. Half the
#: seconds, the same milliseconds.
LIGHT: dict[str, Any] = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


@functools.cache
def _known() -> dict[str, Any]:
    """LIGHT less what this XLA does not know: its options come and go."""
    known: dict[str, Any] = {}
    for name, value in LIGHT.items():
        with contextlib.suppress(jax.errors.JaxRuntimeError):
            jax.jit(lambda x: x, compiler_options={name: value})(0.0)
            known[name] = value
    return known


@functools.cache
def _compiled(function: Callable[..., Any], light: bool) -> Callable[..., Any]:
    options: dict[str, Any] = {"compiler_options": _known()} if light else {}
    return eqx.filter_jit(**options)(function)


def _is_small(problem: Problem) -> bool:
    return problem.QN * problem.K <= SMALL and jax.default_backend() == "cpu"


def at_start(
    flow: Flow, problem: Problem, states: Array, settings: Settings, names: frozenset[str]
) -> dict[str, Array]:
    """The records of starts (B, ...)."""
    return _compiled(_at_start, _is_small(problem))(flow, problem, states, settings, names)


def solve(
    flow: Flow, problem: Problem, start: Array, times: Array, settings: Settings, plan: Plan
) -> Solved[Array]:
    """One orbit."""
    run = _compiled(_solve, _is_small(problem))
    return run(flow, problem, start, times, settings, plan)


def solve_all(
    flow: Flow,
    problem: Problem,
    starts: Array,
    going: Array,
    times: Array,
    settings: Settings,
    plan: Plan,
) -> Solved[Array]:
    """B orbits through one compiled program; `going` (B,) says which are to be integrated at all."""
    # steps side by side pay for what XLA optimizes
    light = _is_small(problem) and not _side_by_side(flow, settings)
    run = _compiled(_solve_all, light)
    return run(flow, problem, starts, going, times, settings, plan)
