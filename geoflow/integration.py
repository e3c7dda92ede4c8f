"""`integrate`: an orbit of a flow, by diffrax, with events for rank loss and for a target cost."""

import dataclasses

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix

from geoflow._checks import positive_integer, positive_number
from geoflow.flows import Adapted, Flow, comparison_solution
from geoflow.flows import flow as flow_named
from geoflow.orbit import ALMOST_EVERYWHERE, Orbit, OrbitStopped, Status
from geoflow.problem import Problem, cost_of_outputs

#: With Dopri8 these keep x(s) − y = e^(−s/N)(x_0 − y) to about 1e-11 of |x_0 − y| at the integrator's own steps and to 5e-9
#: at the saved states between them, which its dense output interpolates; looser ones fake stopping times.
RTOL, ATOL = 1e-10, 1e-12


def integrate(
    flow: Flow | str,
    problem: Problem,
    start,
    *,
    until: float,
    cost: float | None = None,
    save: int | np.ndarray = 65,
    clock: str = "s",
    rtol: float = RTOL,
    atol: float = ATOL,
    rank_tolerance: float | str | None = "flow",
    solver: diffrax.AbstractSolver | None = None,
    max_steps: int = 20_000,
    keep_theta: bool = True,
    progress: bool = False,
    throw: bool = True,
) -> Orbit:
    """The orbit of `flow` from `start` over flow time s in [0, until].

    flow: `comparison`, `standard`, `adapted` (or their names). start: theta (K,); for the comparison flow also x (N, Q).
    cost: stop where C falls to this value (located on the dense output); not reaching it by `until` is a failure.
    save: how many states to keep, equally spaced in s, or the flow times themselves; the last state is always kept.
    clock: "s" integrates in flow time. "tau" (adapted flow, K ≥ QN) integrates dtheta/dtau = D⁺(y − x_0) in
        tau = 1 − e^(−s/N), where GM Theorem 2.1 makes the path a straight line in output space: fewer steps, an exact
        monitor x(tau) = x_0 + tau(y − x_0) in `Orbit.monitor`, and a Newton correction of the last state onto it.
    rtol, atol: the integrator's tolerances. Keep atol far below √C at the end.
    rank_tolerance: stop with `Status.rank_loss` where sigma_min/sigma_max falls to this; None never stops; by default 1e-7
        for the adapted flow and None for the others.
    solver: a diffrax solver, by default Dopri8; Kvaerno5 for long stiff runs of the standard flow.
    keep_theta: False stores no parameters (outputs, cost and sigma only). progress: a tqdm bar.
    throw: raise `OrbitStopped` (which carries the orbit) unless the orbit did what was asked; False returns it, with its status.

    Raises ValueError or TypeError for bad input: shapes, dtype, NaN, a network with a kink, a cost above the initial one,
    times or tolerances that are not positive, an unknown name.
    """
    flow = flow_named(flow)
    state = flow.start(problem, start)
    until = positive_number("until", until)
    rtol, atol = positive_number("rtol", rtol), positive_number("atol", atol)
    max_steps = positive_integer("max_steps", max_steps)
    if rank_tolerance == "flow":
        rank_tolerance = flow.rank_tolerance
    elif rank_tolerance is not None:
        rank_tolerance = positive_number("rank_tolerance", rank_tolerance)
    if clock not in ("s", "tau"):
        raise ValueError(f"unknown clock {clock!r}: use 's' (flow time) or 'tau' = 1 − e^(−s/N).")
    if clock == "tau":
        _require_straight(flow, problem, until, cost)
    start_record = _record(flow, problem, state)
    if not np.isfinite(start_record["cost"]):
        raise ValueError(
            f"the cost at the start is {start_record['cost']:g}: the network overflows or is undefined there. Start "
            "elsewhere; a smaller `scale` in init usually helps."
        )
    if cost is not None:
        cost = positive_number("cost", cost)
        if cost >= start_record["cost"]:
            raise ValueError(
                f"the target cost must lie below the initial one, got cost = {cost:.6g} ≥ C_0 = {start_record['cost']:.6g}."
            )
    times = _save_times(save, until)
    if rank_tolerance is not None and start_record["sigma_min"] <= rank_tolerance * start_record["sigma_max"]:
        records = {name: np.asarray(value)[None] for name, value in (start_record | {"state": state}).items()}
        return _finish(_orbit(np.zeros(1), records, Status.rank_loss, 0, state), problem, throw)

    solution = _solver_for(problem)(
        flow,
        clock,
        problem,
        state,
        jnp.asarray(_to_clock(times, clock, problem.N)),
        jnp.asarray([rtol, atol]),
        None if rank_tolerance is None else jnp.asarray(rank_tolerance),
        None if cost is None else jnp.asarray(cost),
        solver or diffrax.Dopri8(),
        max_steps,
        keep_theta,
        diffrax.TqdmProgressMeter() if progress else diffrax.NoProgressMeter(),
    )
    orbit = _assemble(solution, times, clock, problem, cost)
    if clock == "tau":
        orbit = _onto_the_line(orbit, flow, problem, start_record["outputs"])
    return _finish(orbit, problem, throw)


def _require_straight(flow, problem, until, cost):
    if not isinstance(flow, Adapted):
        raise ValueError("the clock 'tau' needs the adapted flow: only its path in output space is known in advance.")
    if problem.K < problem.QN:
        raise ValueError(
            f"the clock 'tau' rests on dx/ds = −∇_x C, which needs K ≥ QN, got K = {problem.K} < QN = {problem.QN}: use clock='s'."
        )
    if until > 30 * problem.N:  # e^(−30) = 1e-13: beyond, tau is 1 to within a few roundings
        raise ValueError(
            f"the clock 'tau' = 1 − e^(−s/N) resolves flow times up to 30 N = {30 * problem.N}, where C = 1e-26·C_0, got "
            f"until = {until:g}: use clock='s'."
        )
    if cost is not None:
        raise ValueError(
            "with the clock 'tau' the time of a cost is known: pass until=stopping_time(C_0, C, N), no cost."
        )


def _save_times(save, until) -> np.ndarray:
    if isinstance(save, int | np.integer):
        return np.linspace(0.0, until, max(positive_integer("save", save), 2))
    times = np.asarray(save, dtype=np.float64)
    if times.ndim != 1 or times.size == 0 or (np.diff(times) <= 0).any() or times[0] < 0 or times[-1] > until:
        raise ValueError(f"save must be increasing flow times in [0, until] = [0, {until:g}], got {save!r}.")
    return times if times[-1] == until else np.append(times, until)  # the integration goes on to `until`


def _to_clock(s, clock, N):
    return s if clock == "s" else -np.expm1(-s / N)


def _from_clock(t, clock, N):
    return t if clock == "s" else -N * np.log1p(-t)


@eqx.filter_jit
def _record(flow, problem, state) -> dict:
    """What an orbit keeps of a state."""
    outputs = flow.outputs(problem, state)
    sigma_min, sigma_max = flow.sigma_range(problem, state)
    return {
        "outputs": outputs,
        "cost": cost_of_outputs(outputs, problem.data.targets),
        "sigma_min": jnp.asarray(sigma_min),
        "sigma_max": jnp.asarray(sigma_max),
    }


def _solve(flow, clock, problem, state, times, tolerances, rank_tolerance, cost, solver, max_steps, keep_theta, meter):
    """One compiled solve per problem shape: every number that a chapter varies comes in as an array."""

    def field(t, state, args):
        problem, x0 = args
        if clock == "tau":
            return flow.solver(problem, state, (problem.data.targets - x0).reshape(-1)).w
        return flow(problem, state)

    def saved(t, state, args):
        return _record(flow, args[0], state) | ({"state": state} if keep_theta else {})

    def saved_last(t, state, args):
        return _record(flow, args[0], state) | {"state": state}

    def rank_is_lost(t, y, args, **_):
        return flow.loses_rank(args[0], y, rank_tolerance)

    def cost_above(t, y, args, **_):
        return jnp.log(cost_of_outputs(flow.outputs(args[0], y), args[0].data.targets) / cost)

    conditions = {}
    if rank_tolerance is not None:
        conditions["rank_loss"] = rank_is_lost
    if cost is not None:
        conditions["cost_reached"] = cost_above
    return diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        solver,
        t0=0.0,
        t1=times[-1],
        dt0=None,
        y0=state,
        args=(problem, flow.outputs(problem, state)),
        saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=times, fn=saved), diffrax.SubSaveAt(t1=True, fn=saved_last)]),
        stepsize_controller=diffrax.PIDController(rtol=tolerances[0], atol=tolerances[1]),
        event=_event(conditions, locate=cost is not None),
        adjoint=diffrax.ForwardMode(),  # nothing is differentiated in reverse through an orbit
        max_steps=max_steps,
        throw=False,
        progress_meter=meter,
    )


_solve_large = eqx.filter_jit(_solve)
#: A small problem is integrated in milliseconds and compiled in seconds: on the CPU, XLA is asked to optimize less, which
#: takes a third off the compilation.
_solve_small = eqx.filter_jit(_solve, compiler_options={"xla_backend_optimization_level": 0})


def _solver_for(problem: Problem):
    small = problem.QN * problem.K <= 2**17 and jax.default_backend() == "cpu"
    return _solve_small if small else _solve_large


def _event(conditions, locate):
    if not conditions:
        return None
    # the flow time of a cost is located on the dense output, to 1e-10; a rank loss at the end of its step, which saves
    # compiling a root finder
    return diffrax.Event(conditions, optimistix.Newton(rtol=1e-10, atol=1e-10) if locate else None)


def _assemble(solution, times, clock, problem, cost) -> Orbit:
    """From diffrax's padded arrays to an orbit that ends where the integration ended."""
    (grid, end), (grid_values, end_values) = solution.ts, solution.ys
    grid, end = np.asarray(grid), np.asarray(end)
    reached = np.isfinite(grid) & (grid < end[0])  # diffrax pads with inf what lies past an event
    # the times as they were asked for: tau has rounded them where e^(−s/N) is small
    last = times[-1:] if end[0] == grid[-1] else _from_clock(end, clock, problem.N)
    s = np.concatenate([times[reached], last])
    records = {k: np.concatenate([np.asarray(grid_values[k])[reached], np.asarray(end_values[k])]) for k in grid_values}

    if solution.result == diffrax.RESULTS.successful:
        status = Status.completed if cost is None else Status.cost_not_reached
    elif solution.result == diffrax.RESULTS.event_occurred:
        status = Status.rank_loss if bool(solution.event_mask.get("rank_loss", False)) else Status.cost_reached
    else:
        status = Status.max_steps
    finite = np.isfinite(s) & np.isfinite(records["cost"])
    if "state" in records:
        finite &= np.isfinite(records["state"]).reshape(len(s), -1).all(axis=1)
    if not finite.all():
        keep = slice(0, max(int(np.argmin(finite)), 1))
        s, records = s[keep], {k: v[keep] for k, v in records.items()}
        status = Status.non_finite if status.ok else status
    return _orbit(s, records, status, int(solution.stats["num_steps"]), end_values["state"][0])


def _orbit(s, records, status, steps, last_state) -> Orbit:
    """`last_state` is theta (K,), or x (N, Q) for the comparison flow, whose outputs are its states."""
    in_parameters = np.ndim(last_state) == 1
    return Orbit(
        s=s,
        theta=records.get("state") if in_parameters else None,
        theta_end=np.asarray(last_state) if in_parameters else None,
        **{k: records[k] for k in ("outputs", "cost", "sigma_min", "sigma_max")},
        status=status,
        steps=steps,
    )


def _onto_the_line(orbit: Orbit, flow, problem, x0) -> Orbit:
    """The exact monitor of the clock tau, and two Newton steps that put the last state onto the line."""
    y = problem.data.targets
    exact = comparison_solution(x0, y, orbit.s)
    monitor = np.asarray(jnp.linalg.norm(orbit.outputs - exact, axis=(1, 2)) / jnp.linalg.norm(x0 - y))
    orbit = dataclasses.replace(orbit, monitor=monitor)
    if not orbit.status.ok:
        return orbit
    theta = _newton(flow, problem, jnp.asarray(orbit.theta_end), exact[-1])
    last = _record(flow, problem, theta)
    changed = {k: np.concatenate([getattr(orbit, k)[:-1], np.asarray(last[k])[None]]) for k in last}
    if orbit.theta is not None:
        changed["theta"] = np.concatenate([orbit.theta[:-1], np.asarray(theta)[None]])
    return dataclasses.replace(orbit, theta_end=np.asarray(theta), **changed)


@eqx.filter_jit
def _newton(flow, problem, theta, x):
    for _ in range(2):
        theta = theta + flow.solver(problem, theta, (x - problem.outputs(theta)).reshape(-1)).w
    return theta


def _finish(orbit: Orbit, problem: Problem, throw: bool) -> Orbit:
    if problem.network.almost_everywhere:
        orbit = dataclasses.replace(orbit, status=ALMOST_EVERYWHERE.get(orbit.status, orbit.status))
    if throw and not orbit.status.ok:
        raise OrbitStopped(orbit)
    return orbit
