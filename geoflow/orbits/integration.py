"""`integrate`: the orbit of a flow from one start or from many, by diffrax, with events for rank loss and for a cost."""

from collections.abc import Collection
from contextlib import nullcontext
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from geoflow.checks import (
    float64_array,
    instance,
    is_traced,
    numbers,
    positive_number,
    whole_number,
)
from geoflow.flows import Comparison, Flow, flow_named
from geoflow.linear_algebra import cut_off, rounding_level
from geoflow.orbits.assembly import Records, ensemble_of, orbit_of, single_orbit, stops_at_once
from geoflow.orbits.ensemble import Ensemble, EnsembleStopped
from geoflow.orbits.meter import OrbitBar, progress_bar
from geoflow.orbits.orbit import Orbit, OrbitStopped
from geoflow.orbits.solve import Plan, Settings, at_start, solve, solve_all
from geoflow.problem import Problem
from geoflow.types import AnyArray, ArrayLike, Floats

#: With Dopri8 these keep x(s) − y = e^(−s/N)(x_0 − y) to a few 1e-10 of |x(s) − y| along an adapted orbit; looser ones fake
#: stopping times.
RTOL, ATOL = 1e-10, 1e-12
RECORDS = ("theta", "outputs", "sigma")


def integrate(
    flow: Flow | str,
    problem: Problem,
    start: ArrayLike,
    *,
    until: float,
    cost: float | None = None,
    save: int | ArrayLike = 65,
    record: Collection[str] = ("theta",),
    rtol: float = RTOL,
    atol: float = ATOL,
    rank_tolerance: float | str | None = "flow",
    solver: diffrax.AbstractSolver[Any] | None = None,
    max_steps: int = 20_000,
    progress: bool = False,
    throw: bool = True,
) -> Orbit | Ensemble:
    """The orbit of `flow` from `start` over flow time s in [0, until].

    flow: `comparison`, `standard`, `adapted`, `adapted_tau` (or their names). start: theta (K,); for the comparison flow also
        x (N, Q).
    cost: stop where C falls to this value, located as closely as float64 can tell it (`Status.cost_reached`); an orbit that does
        not reach it by `until` ends with `Status.cost_not_reached`.
    save: how many states to keep, equally spaced in s, or the flow times themselves; the last state is always kept.
    record: what to keep of each of them: "theta" (the states, from which all else can be computed later), "outputs", "sigma".
    rtol, atol: the integrator's tolerances on theta; rtol also bounds the error of x relative to |x − y|.
    rank_tolerance: stop with `Status.rank_loss` where sigma_min/sigma_max falls to this, or where det D changes its sign (K =
        QN): looked for at every step and every saved state, and located within the step. None never stops; by default 1e-7 for
        the adapted flow and None for the others.
    solver: a diffrax solver, by default Dopri8; Kvaerno5 for long stiff runs of the standard flow.
    progress: a tqdm bar. throw: raise `OrbitStopped` (which carries the orbit) unless the orbit did what was asked; False
        returns it, with its status.

    A batch of B starts, (B, K), gives an `Ensemble`: see `integrate_many`, which is this with a census' defaults.

    Raises ValueError or TypeError for bad input: shapes, dtype, NaN, a network with a kink, times or tolerances that are not
    positive, an unknown name; under a JAX transformation, since an orbit is not differentiable and has a status.
    """
    flow, plan, settings, times = _prepared(
        flow,
        problem,
        until,
        cost,
        save,
        record,
        rtol,
        atol,
        rank_tolerance,
        solver,
        max_steps,
        progress,
    )
    start = _untraced(numbers("x" if isinstance(flow, Comparison) else "theta", start))
    if start.ndim == 2 and not isinstance(flow, Comparison):
        return _many(flow, problem, start, times, settings, plan, throw)
    state = flow.start(problem, start)
    first = _records(flow, problem, state[None], settings, plan)
    if not np.isfinite(first["cost"][0]):
        raise ValueError(
            f"the cost at the start is {float(first['cost'][0]):g}: the network overflows or is undefined there. Start "
            "elsewhere; a smaller `scale` in init usually helps."
        )
    stop = stops_at_once(problem, first, 0, settings)
    if stop is not None:
        orbit = single_orbit(flow, problem, np.asarray(state), first, 0, stop, plan)
    else:
        with progress_bar(times[-1]) if progress else nullcontext() as reached:
            solved = solve(flow, problem, state, _clock_times(flow, problem, times), settings, plan)
            orbit = orbit_of(flow, problem, times, jax.tree.map(np.asarray, solved), plan)
            if reached is not None:
                reached(orbit.s[-1])
    if throw and not orbit.status.ok:
        raise OrbitStopped(orbit)
    return orbit


def integrate_many(
    flow: Flow | str,
    problem: Problem,
    starts: ArrayLike,
    *,
    until: float,
    cost: float | None = None,
    save: int | ArrayLike = 2,
    record: Collection[str] = (),
    rtol: float = 1e-6,
    atol: float = 1e-8,
    rank_tolerance: float | str | None = "flow",
    solver: diffrax.AbstractSolver[Any] | None = None,
    max_steps: int = 20_000,
    throw: bool = True,
) -> Ensemble:
    """The orbits of `flow` from each row of `starts` (B, K), through one compiled program: `integrate` for a census.

    All arguments mean what they mean there, `cost` included. Other defaults: tolerances and a solver (Tsit5) for a census, not
    for a measurement; costs and last states only, unless `record` names more. The standard flow goes side by side, so that
    the orbit with the most steps sets the time; the adapted flow one orbit after the other.
    throw: raise `EnsembleStopped` (which carries the ensemble) unless every orbit did what was asked; a statement about a
    fraction of starts must count the others, not drop them.

    Raises ValueError or TypeError for bad input, as `integrate` does.
    """
    flow = flow_named(flow)
    if isinstance(flow, Comparison):
        raise ValueError(
            "the comparison flow has a closed form, comparison_solution: there is nothing to integrate."
        )
    found = integrate(
        flow,
        problem,
        float64_array("starts", starts, 2, "(B starts, K)"),
        until=until,
        cost=cost,
        save=save,
        record=record,
        rtol=rtol,
        atol=atol,
        rank_tolerance=rank_tolerance,
        solver=solver or diffrax.Tsit5(),
        max_steps=max_steps,
        throw=throw,
    )
    assert isinstance(found, Ensemble)
    return found


def _many(
    flow: Flow,
    problem: Problem,
    given: AnyArray,
    times: Floats,
    settings: Settings,
    plan: Plan,
    throw: bool,
) -> Ensemble:
    starts = jnp.asarray(given)
    flow.start(problem, starts[0])
    firsts = _records(flow, problem, starts, settings, plan)
    stops = [stops_at_once(problem, firsts, i, settings) for i in range(len(starts))]
    going = jnp.asarray([stop is None for stop in stops])
    solved = solve_all(
        flow, problem, starts, going, _clock_times(flow, problem, times), settings, plan
    )
    ensemble = ensemble_of(
        flow,
        problem,
        np.asarray(starts),
        times,
        jax.tree.map(np.asarray, solved),
        firsts,
        stops,
        plan,
    )
    if throw and not ensemble.ok.all():
        raise EnsembleStopped(ensemble)
    return ensemble


def _prepared(
    flow: Flow | str,
    problem: Problem,
    until: float,
    cost: float | None,
    save: int | ArrayLike,
    record: Collection[str],
    rtol: float,
    atol: float,
    rank_tolerance: float | str | None,
    solver: diffrax.AbstractSolver[Any] | None,
    max_steps: int,
    progress: bool,
) -> tuple[Flow, Plan, Settings, Floats]:
    """The arguments, checked."""
    flow = flow_named(flow)
    instance("problem", problem, Problem, "The order is integrate(flow, problem, start).")
    if is_traced(problem.data.targets):
        _untraced(problem.data.targets)
    until = positive_number("until", until)
    flow.clock.require(until, problem.N)
    if isinstance(rank_tolerance, str):
        if rank_tolerance != "flow":
            raise ValueError(
                f"rank_tolerance must be a number, None or 'flow', got {rank_tolerance!r}."
            )
        rank_tolerance = flow.rank_tolerance
    if rank_tolerance is not None:
        rank_tolerance, least = (
            cut_off(rank_tolerance, "rank_tolerance"),
            rounding_level(problem.QN, problem.K) / 8,
        )
        if rank_tolerance < least:
            raise ValueError(
                f"rank_tolerance = {rank_tolerance:.1e} lies below what rounding leaves of a zero singular value of this D, about {least:.1e} of "
                "the largest: no rank loss could be told there. Give a larger one, or None."
            )
    if solver is not None:
        instance(
            "solver",
            solver,
            diffrax.AbstractSolver,
            "Pass one of diffrax, as diffrax.Kvaerno5(); D⁺'s own solver goes into Adapted(solver=...).",
        )
    if isinstance(record, str) or not set(record) <= set(RECORDS):
        raise ValueError(
            f"record must name what to keep, out of {', '.join(RECORDS)}, as record=('theta', 'sigma'), got {record!r}."
        )
    settings = Settings(
        rtol=jnp.asarray(positive_number("rtol", rtol)),
        atol=jnp.asarray(positive_number("atol", atol)),
        rank_tolerance=None if rank_tolerance is None else jnp.asarray(rank_tolerance),
        cost=None if cost is None else jnp.asarray(positive_number("cost", cost)),
    )
    meter = OrbitBar() if progress else diffrax.NoProgressMeter()
    plan = Plan(
        solver or diffrax.Dopri8(), whole_number("max_steps", max_steps), frozenset(record), meter
    )
    return flow, plan, settings, _save_times(save, until)


def _untraced(value: AnyArray) -> AnyArray:
    if is_traced(value):
        raise TypeError(
            "integrate runs outside of JAX transformations (jit, grad, vmap): an orbit has a status that must be looked at, and nothing is "
            "differentiated through it. For many starts pass a batch (B, K); to build a program of your own, integrate "
            "flow.velocity(problem, state) with diffrax."
        )
    return value


def _clock_times(flow: Flow, problem: Problem, times: Floats) -> Array:
    return jnp.asarray(flow.clock.of(times, problem.N))


def _save_times(save: int | ArrayLike, until: float) -> Floats:
    if isinstance(save, int | np.integer) and not isinstance(save, bool):
        return np.linspace(0.0, until, max(whole_number("save", save), 2))
    times = np.asarray(numbers("save", save))
    if (
        times.ndim != 1
        or times.size == 0
        or (np.diff(times) <= 0).any()
        or times[0] < 0
        or times[-1] > until
    ):
        raise ValueError(
            f"save must be increasing flow times in [0, until] = [0, {until:g}], got {save!r}."
        )
    # the integration goes on to `until`
    return times if times[-1] == until else np.append(times, until)


def _records(
    flow: Flow, problem: Problem, starts: Array, settings: Settings, plan: Plan
) -> Records:
    return jax.tree.map(
        np.asarray, at_start(flow, problem, starts, settings, plan.record - {"theta"})
    )
