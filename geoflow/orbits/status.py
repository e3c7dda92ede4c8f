"""How an orbit ended: outcomes, and nothing else."""

import enum


class Status(enum.Enum):
    """How an orbit ended. The first two are what was asked for; every other one is a failure with its reason."""

    completed = "reached the end of the flow time that was asked for"
    cost_reached = "reached the cost that was asked for"
    cost_not_reached = "the flow time ran out before the cost that was asked for was reached"
    rank_loss = (
        "D lost rank: sigma_min/sigma_max fell to the rank tolerance, or det D changed its sign"
    )
    linear_solve_failed = "the linear solver could not find D⁺b to the accuracy that it asks for"
    max_steps = "the integrator gave up (steps used up, or none small enough): the orbit blows up, or rank is lost on the way, or it is stiff"
    non_finite = "a value became NaN or infinite"

    @property
    def ok(self) -> bool:
        return self in (Status.completed, Status.cost_reached)
