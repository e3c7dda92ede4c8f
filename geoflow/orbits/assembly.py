"""From the padded arrays of a compiled program to orbits and ensembles."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from geoflow.flows import Flow
from geoflow.orbits.ensemble import Ensemble
from geoflow.orbits.orbit import Orbit
from geoflow.orbits.solve import OUTCOMES, Plan, Settings, Solved
from geoflow.orbits.status import Status
from geoflow.problem import Problem, resolved_cost
from geoflow.types import Floats

#: What a compiled program recorded, fetched: "lost" truth values, the others float64.
Records = dict[str, NDArray[Any]]


def stops_at_once(problem: Problem, firsts: Records, i: int, settings: Settings) -> Status | None:
    """What the i-th start alone decides. A cost is reached to what rounding leaves of it: C ≈ |r|² moves by 2|r||δr|."""
    if not np.isfinite(firsts["cost"][i]):
        return Status.non_finite
    if settings.cost is not None:
        cost = float(settings.cost)
        if firsts["cost"][i] <= cost + 2 * np.sqrt(cost * float(resolved_cost(problem))):
            return Status.cost_reached
    return Status.rank_loss if firsts["lost"][i] else None


def _kept(
    records: Records, states: Floats, plan: Plan, where: slice | NDArray[np.intp]
) -> dict[str, Floats]:
    """What was asked for at the places `where`."""
    return {
        name: (states if name == "theta" else records[name])[where] for name in sorted(plan.record)
    }


def single_orbit(
    flow: Flow, problem: Problem, start: Floats, firsts: Records, i: int, status: Status, plan: Plan
) -> Orbit:
    """The orbit that ends where it starts."""
    only = slice(i, i + 1)
    states = np.broadcast_to(start, (len(firsts["cost"]), *start.shape))
    return Orbit(
        problem,
        flow,
        np.zeros(1),
        firsts["cost"][only],
        start,
        status,
        0,
        _kept(firsts, states, plan, only),
    )


def orbit_of(
    flow: Flow, problem: Problem, times: Floats, solved: Solved[NDArray[Any]], plan: Plan
) -> Orbit:
    """From padded arrays to an orbit that ends where the integration ended, or where a saved state had lost rank."""
    one = jax.tree.map(lambda a: a[None], solved)
    status, s, good = _trimmed(flow, problem, times, one)
    where = np.flatnonzero(good[0])
    return Orbit(
        problem=problem,
        flow=flow,
        s=s[0, where],
        cost=solved.records["cost"][where],
        end=solved.states[where[-1]],
        status=status[0],
        steps=int(solved.steps),
        recorded=_kept(solved.records, solved.states, plan, where),
    )


def _trimmed(
    flow: Flow, problem: Problem, times: Floats, solved: Solved[NDArray[Any]]
) -> tuple[NDArray[np.object_], Floats, NDArray[np.bool_]]:
    """(status (B,), flow times (B, S + 1), which of the states are the orbit's), from padded arrays with a leading axis B."""
    status = np.array([OUTCOMES[k] for k in solved.outcome], dtype=object)
    t, end = solved.t[:, :-1], solved.t[:, -1:]
    inside = np.isfinite(t) & (t < end)
    # the times as they were asked for: a clock has rounded them
    whole = np.isin(
        solved.outcome, [OUTCOMES.index(Status.completed), OUTCOMES.index(Status.cost_not_reached)]
    )
    last = np.where(whole, times[-1], flow.clock.flow_time(end[:, 0], problem.N))
    s = np.concatenate([np.where(inside, times, np.nan), last[:, None]], axis=1)
    place = np.arange(s.shape[1])

    cost, states = solved.records["cost"], solved.states
    good = (
        np.isfinite(s) & np.isfinite(cost) & np.isfinite(states).reshape(*s.shape, -1).all(axis=2)
    )
    missing = np.concatenate([inside, np.ones_like(end, dtype=bool)], axis=1) & ~good
    first = np.where(missing.any(axis=1), missing.argmax(axis=1), s.shape[1])
    good &= place < first[:, None]
    ok = np.array([outcome.ok for outcome in status])
    status[ok & missing.any(axis=1)] = Status.non_finite

    lost = solved.records["lost"].astype(bool) & good
    first = np.where(lost.any(axis=1), lost.argmax(axis=1), s.shape[1])
    good &= place <= first[:, None]
    ok = np.array([outcome.ok for outcome in status])
    status[ok & lost.any(axis=1)] = Status.rank_loss

    # a linear solve that failed: its step ends where it starts, and may be that state once more
    before = np.where(good[:, :-1], s[:, :-1], -np.inf).max(axis=1)
    again = (s[:, -1] <= before * (1 + 1e-12) + 1e-12) & np.array(
        [x is Status.linear_solve_failed for x in status]
    )
    good[:, -1] &= ~again
    return status, s, good


def ensemble_of(
    flow: Flow,
    problem: Problem,
    starts: Floats,
    times: Floats,
    solved: Solved[NDArray[Any]],
    firsts: Records,
    stops: Sequence[Status | None],
    plan: Plan,
) -> Ensemble:
    status, s, good = _trimmed(flow, problem, times, solved)
    cost, states, steps = (
        np.array(solved.records["cost"]),
        np.array(solved.states),
        np.array(solved.steps),
    )
    records = {
        name: np.array(states if name == "theta" else solved.records[name])
        for name in sorted(plan.record)
    }
    for i, stop in enumerate(stops):
        if stop is None:
            continue
        # the orbit that ends where it starts
        status[i], steps[i], good[i], s[i] = stop, 0, False, np.nan
        good[i, -1], s[i, -1], cost[i, -1], states[i, -1] = True, 0.0, firsts["cost"][i], starts[i]
        for name, values in records.items():
            values[i, -1] = starts[i] if name == "theta" else firsts[name][i]
    return Ensemble(problem, flow, times, s, good, cost, states, status, steps, records)
