"""Many orbits of one flow, for statements about almost every initial condition."""

import functools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoflow.flows import Flow
from geoflow.orbits.advice import advice
from geoflow.orbits.orbit import Orbit
from geoflow.orbits.status import Status
from geoflow.problem import Problem
from geoflow.types import Floats


@dataclass(frozen=True, eq=False)
class Ensemble:
    """B orbits at S flow times.

    problem, flow: what was integrated. s (S,), as asked for; status (B,), a `Status` each; steps (B,). The properties give cost C
    (B, S), nan past the time where an orbit ended; end (B, K), end_s, end_cost (B,), the last states, their times and costs;
    recorded, what was asked for, as in `Orbit` with a leading axis B. ensemble[i] is one orbit.
    """

    problem: Problem
    flow: Flow
    s: Floats
    #: flow times, costs and states (B, S + 1, ...), the last one the end of an orbit, and which of them are the orbit's
    all_s: Floats = field(repr=False)
    reached: NDArray[np.bool_] = field(repr=False)
    all_costs: Floats = field(repr=False)
    all_states: Floats = field(repr=False)
    status: NDArray[np.object_]
    steps: NDArray[Any]
    all_records: dict[str, Floats] = field(repr=False)

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, i: int) -> Orbit:
        where = np.flatnonzero(self.reached[i])
        return Orbit(
            problem=self.problem,
            flow=self.flow,
            s=self.all_s[i, where],
            cost=self.all_costs[i, where],
            end=self.all_states[i, where[-1]],
            status=self.status[i],
            steps=int(self.steps[i]),
            recorded={name: values[i, where] for name, values in self.all_records.items()},
        )

    @property
    def orbits(self) -> tuple[Orbit, ...]:
        return tuple(self[i] for i in range(len(self)))

    def _at_times(self, values: Floats) -> Floats:
        """(B, S, ...) at the saved times, nan where an orbit has no state; the end counts where it is a saved time."""
        reached = self.reached[:, :-1].reshape(
            *self.reached[:, :-1].shape, *[1] * (values.ndim - 2)
        )
        wide = np.where(reached, values[:, :-1], np.nan)
        end = self._ends(values)
        for i, place in zip(*np.nonzero(self.end_s[:, None] == self.s), strict=True):
            wide[i, place] = end[i]
        return wide

    def _ends(self, values: Floats) -> Floats:
        return values[np.arange(len(self)), self._last]

    @functools.cached_property
    def _last(self) -> NDArray[np.intp]:
        """The place of each orbit's last state."""
        return self.reached.shape[1] - 1 - self.reached[:, ::-1].argmax(axis=1)

    @functools.cached_property
    def cost(self) -> Floats:
        """C (B, S), nan past the time where an orbit ended."""
        return self._at_times(self.all_costs)

    @functools.cached_property
    def recorded(self) -> dict[str, Floats]:
        """What was asked for (B, S, ...), nan past the time where an orbit ended."""
        return {name: self._at_times(values) for name, values in self.all_records.items()}

    @property
    def end(self) -> Floats:
        """(B, K), the last states."""
        return self._ends(self.all_states)

    @property
    def end_s(self) -> Floats:
        """(B,), the flow time at which each orbit ended."""
        return self._ends(self.all_s)

    @property
    def end_cost(self) -> Floats:
        """(B,), the cost of the last states, wherever an orbit ended."""
        return self._ends(self.all_costs)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """(B,), True where the orbit did what was asked."""
        return np.array([status.ok for status in self.status])

    @property
    def stopped(self) -> NDArray[np.bool_]:
        """(B,), True where the integration broke off: neither at `until` nor at the cost that was asked for."""
        good = (Status.completed, Status.cost_reached, Status.cost_not_reached)
        return np.array([status not in good for status in self.status])

    def costs(self, stopped: float | None = None) -> Floats:
        """The cost at every saved time (B, S), also past the end of an orbit.

        Where an orbit ended because its cost was reached: the cost that it reached (no later one would be larger). Where it
        broke off: `stopped`, such as inf ("not done") or nan, which the caller has to choose; None raises `EnsembleStopped`
        when there is such an orbit.
        """
        if stopped is None and self.stopped.any():
            raise EnsembleStopped(self)
        fill = np.where(self.stopped, np.nan if stopped is None else stopped, self.end_cost)
        return np.where(np.isnan(self.cost), fill[:, None], self.cost)

    def count(
        self,
        *,
        below: float | None = None,
        above: float | None = None,
        at: float | None = None,
        stopped: bool | None = None,
    ) -> int:
        """How many orbits have a cost below, or above, a level at flow time `at` (a saved one; the last one by default).

        stopped: whether an orbit that broke off before is counted in; None raises `EnsembleStopped` when there is one, for it
        is neither below nor above. Raises ValueError unless exactly one level is given, or for a time that was not saved.
        """
        level = above if below is None else below
        if level is None or None not in (below, above):
            raise ValueError("give exactly one of below and above, the level of the cost.")
        place = len(self.s) - 1 if at is None else int(np.argmin(np.abs(self.s - at)))
        if at is not None and abs(self.s[place] - at) > 1e-9 * self.s[-1]:
            raise ValueError(
                f"no cost was saved at s = {at:g}; the nearest saved time is {self.s[place]:g}."
            )
        costs = self.costs(None if stopped is None else np.nan)[:, place]
        known = ~np.isnan(costs)
        seen = costs > level if below is None else costs < level
        return int((known & seen).sum()) + (int((~known).sum()) if stopped else 0)

    def __repr__(self) -> str:
        counted = ", ".join(f"{n} {status.name}" for status, n in Counter(self.status).items())
        return f"Ensemble({len(self.status)} orbits to s = {self.s[-1]:g}: {counted})"


class EnsembleStopped(RuntimeError):
    """Some orbits did not do what was asked. `ensemble` holds all of them, with a status each."""

    def __init__(self, ensemble: Ensemble):
        self.ensemble = ensemble
        super().__init__(ensemble)

    def __str__(self) -> str:
        ensemble = self.ensemble
        reason: Status = Counter(status for status in ensemble.status if not status.ok).most_common(
            1
        )[0][0]
        worst = float(
            max(
                cost
                for cost, status in zip(ensemble.end_cost, ensemble.status, strict=True)
                if status is reason
            )
        )
        return (
            f"{int((~ensemble.ok).sum())} of {len(ensemble)} orbits did not do what was asked, most often: {reason.value}. "
            f"{advice(reason, ensemble.problem, ensemble.flow, worst)} All orbits are in the exception's `ensemble`; throw=False "
            "returns it."
        )
