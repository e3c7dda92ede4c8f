"""`integrate_many`: one flow from many starts at once, for statements about almost every initial condition."""

from collections import Counter
from dataclasses import dataclass

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow._checks import float64_array, positive_integer, positive_number
from geoflow.flows import Comparison, Flow
from geoflow.flows import flow as flow_named
from geoflow.integration import _save_times
from geoflow.orbit import ADVICE, ALMOST_EVERYWHERE, Status
from geoflow.problem import Problem


@dataclass(frozen=True, eq=False)
class Ensemble:
    """B orbits at S flow times.

    s (S,); cost C (B, S), nan past the time where an orbit stopped; theta_end (B, K), the last states; status (B,), a
    `Status` each.
    """

    s: np.ndarray
    cost: np.ndarray
    theta_end: np.ndarray
    status: np.ndarray

    @property
    def ok(self) -> np.ndarray:
        """(B,), True where the orbit reached the end."""
        return np.array([status.ok for status in self.status])

    def __repr__(self) -> str:
        counted = ", ".join(f"{n} {status.name}" for status, n in Counter(self.status).items())
        return f"Ensemble({len(self.status)} orbits to s = {self.s[-1]:g}: {counted})"


class EnsembleStopped(RuntimeError):
    """Some orbits did not get to the end. `ensemble` holds all of them, with a status each."""

    def __init__(self, ensemble: Ensemble):
        self.ensemble = ensemble
        reason = Counter(status for status in ensemble.status if not status.ok).most_common(1)[0][0]
        super().__init__(
            f"{int((~ensemble.ok).sum())} of {len(ensemble.ok)} orbits stopped before s = {ensemble.s[-1]:g}, most often: "
            f"{reason.value}. {ADVICE[reason]} All orbits are in the exception's `ensemble`; throw=False returns it."
        )


def integrate_many(
    flow: Flow | str,
    problem: Problem,
    starts: Float64[Array, "B K"],
    *,
    until: float,
    cost: float | None = None,
    save: int | np.ndarray = 2,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    rank_tolerance: float | str | None = "flow",
    solver: diffrax.AbstractSolver | None = None,
    max_steps: int = 20_000,
    throw: bool = True,
) -> Ensemble:
    """The orbits of `flow` from each row of `starts` (B, K), over flow time [0, until], in one vectorized run.

    As `integrate` (same flows except `comparison`, same `save`, `rank_tolerance`, `solver`, `max_steps`), but it keeps costs and
    last states only, and its tolerances are those of a census, not of a measurement.
    cost: an orbit whose cost falls to this is done (`Status.cost_reached`), and saves the run its stiff end; its later costs
    are given as that of its last state. The others go on to `until` (`Status.completed`): here neither is a failure.
    solver: Tsit5 by default; Kvaerno5 where the standard flow sits on plateaus for long, since an explicit solver's steps stay
    as small there as stability asks. All orbits step together, so that the one with the most steps sets the time.
    throw: raise `EnsembleStopped` (which carries the ensemble) unless every orbit reached `until` or `cost`; a statement about a fraction of
    starts must count the others, not drop them.

    Raises ValueError or TypeError for bad input, as `integrate` does.
    """
    flow = flow_named(flow)
    if isinstance(flow, Comparison):
        raise ValueError("the comparison flow has a closed form, comparison_solution: there is nothing to integrate.")
    starts = float64_array("starts", starts, 2, "(B starts, K)")
    flow.start(problem, starts[0])
    until = positive_number("until", until)
    tolerances = jnp.asarray([positive_number("rtol", rtol), positive_number("atol", atol)])
    if rank_tolerance == "flow":
        rank_tolerance = flow.rank_tolerance
    times = _save_times(save, until)
    completed, stopped, costs, ends = _solve_many(
        flow,
        problem,
        starts,
        jnp.asarray(times),
        tolerances,
        None if rank_tolerance is None else jnp.asarray(positive_number("rank_tolerance", rank_tolerance)),
        None if cost is None else jnp.asarray(positive_number("cost", cost)),
        solver or diffrax.Tsit5(),
        positive_integer("max_steps", max_steps),
    )
    last_costs = np.asarray(jax.vmap(problem.cost)(ends))
    ensemble = _assemble(np.asarray(completed), stopped, times, np.array(costs), np.array(ends), last_costs)
    if problem.network.almost_everywhere:
        ensemble.status[:] = [ALMOST_EVERYWHERE.get(status, status) for status in ensemble.status]
    if throw and not ensemble.ok.all():
        raise EnsembleStopped(ensemble)
    return ensemble


@eqx.filter_jit
def _solve_many(flow, problem, starts, times, tolerances, rank_tolerance, cost, solver, max_steps):
    def solve(start):
        def saved(t, state, problem):
            return problem.cost(state)

        def rank_is_lost(t, state, problem, **_):
            return flow.loses_rank(problem, state, rank_tolerance)

        def cost_is_reached(t, state, problem, **_):
            return problem.cost(state) <= cost

        conditions = {}
        if rank_tolerance is not None:
            conditions["rank_loss"] = rank_is_lost
        if cost is not None:
            conditions["cost_reached"] = cost_is_reached
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, state, problem: flow(problem, state)),
            solver,
            t0=0.0,
            t1=times[-1],
            dt0=None,
            y0=start,
            args=problem,
            saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=times, fn=saved), diffrax.SubSaveAt(t1=True)]),
            stepsize_controller=diffrax.PIDController(rtol=tolerances[0], atol=tolerances[1]),
            event=diffrax.Event(conditions) if conditions else None,
            adjoint=diffrax.ForwardMode(),
            max_steps=max_steps,
            throw=False,
        )
        costs, (end,) = solution.ys
        mask = solution.event_mask or {}
        return solution.result == diffrax.RESULTS.successful, mask, costs, end

    return jax.vmap(solve)(starts)


def _assemble(completed, stopped, times, costs, ends, last_costs) -> Ensemble:
    past = ~np.isfinite(costs)  # diffrax pads with inf what lies past a stop
    costs[past] = np.nan
    status = np.where(completed, Status.completed, Status.max_steps)
    status[np.asarray(stopped.get("rank_loss", np.zeros_like(completed)))] = Status.rank_loss
    if "cost_reached" in stopped:
        reached = np.asarray(stopped["cost_reached"])
        status[reached] = Status.cost_reached
        costs = np.where(past & reached[:, None], last_costs[:, None], costs)
    blown_up = ~(np.isfinite(last_costs) & np.isfinite(ends).all(axis=1))
    blown_up |= completed & ~np.isfinite(costs).all(axis=1)
    status[blown_up] = Status.non_finite
    return Ensemble(s=times, cost=costs, theta_end=ends, status=status)
