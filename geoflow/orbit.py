"""What an integration returns: the orbit up to where it got, and a status that cannot be overlooked."""

import enum
from dataclasses import dataclass

import numpy as np


class Status(enum.Enum):
    """How an orbit ended. The first four are what was asked for; every other one is a failure with its reason."""

    completed = "reached the end of the flow time that was asked for"
    cost_reached = "reached the cost that was asked for"
    completed_almost_everywhere = "reached the end of the flow time that was asked for, by derivatives that exist almost everywhere only: no classical flow"
    cost_reached_almost_everywhere = (
        "reached the cost that was asked for, by derivatives that exist almost everywhere only: no classical flow"
    )
    cost_not_reached = "the flow time ran out before the cost that was asked for was reached"
    rank_loss = "D lost rank: sigma_min/sigma_max fell to the rank tolerance"
    max_steps = "the integrator gave up (steps used up, or a step failed): the orbit blows up, or rank is lost on the way, or it is stiff"
    non_finite = "a value became NaN or infinite"

    @property
    def ok(self) -> bool:
        return self in ALMOST_EVERYWHERE or self in ALMOST_EVERYWHERE.values()


#: What a good end is called where the network is followed across kinks.
ALMOST_EVERYWHERE = {
    Status.completed: Status.completed_almost_everywhere,
    Status.cost_reached: Status.cost_reached_almost_everywhere,
}

ADVICE = {
    Status.cost_not_reached: "Give a larger `until`; the orbit so far tells how fast the cost falls.",
    Status.rank_loss: "Where D is rank deficient the full-rank theorems say nothing. Start elsewhere, widen the network, or pass "
    "rank_tolerance=None to follow the least-squares flow of GM Theorem 4.1 (see the chapter on rank loss).",
    Status.max_steps: "Look at sigma_min and |theta| along the orbit. If neither runs away, give a larger `max_steps` or, for "
    "a slow standard flow, solver=diffrax.Kvaerno5().",
    Status.non_finite: "Look at the last finite states: a smaller `scale` in init, or smaller data, usually helps.",
}


@dataclass(frozen=True, eq=False)
class Orbit:
    """States at S flow times s (increasing; the last one is where the integration ended).

    s (S,); theta (S, K), or None for the comparison flow and with keep_theta=False; theta_end (K,), the last state, or None
    for the comparison flow; outputs x (S, N, Q); cost C (S,); sigma_min, sigma_max (S,) of D (nan for the comparison
    flow); status; steps taken;
    monitor (S,): |x − x_exact|/|x_0 − y| for the clock tau, before the final correction, else None.
    """

    s: np.ndarray
    theta: np.ndarray | None
    theta_end: np.ndarray | None
    outputs: np.ndarray
    cost: np.ndarray
    sigma_min: np.ndarray
    sigma_max: np.ndarray
    status: Status
    steps: int
    monitor: np.ndarray | None = None

    def __repr__(self) -> str:
        return (
            f"Orbit({self.status.name} at s = {self.s[-1]:.6g}: C from {self.cost[0]:.3e} to {self.cost[-1]:.3e}, "
            f"sigma_min {np.min(self.sigma_min):.2e}, {len(self.s)} states, {self.steps} steps)"
        )


class OrbitStopped(RuntimeError):
    """An integration did not do what was asked. `orbit` holds everything up to there, `orbit.status` the reason."""

    def __init__(self, orbit: Orbit):
        self.orbit = orbit
        super().__init__(
            f"{orbit.status.value}; stopped at flow time s = {orbit.s[-1]:.6g} with cost C = {orbit.cost[-1]:.3e}, sigma_min "
            f"= {orbit.sigma_min[-1]:.2e}, sigma_max = {orbit.sigma_max[-1]:.2e}. {ADVICE[orbit.status]} "
            "The orbit up to here is in the exception's `orbit`; throw=False returns it with its status."
        )
