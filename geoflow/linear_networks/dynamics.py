"""The gradient descent dynamics (GDD) as a flow that `integrate` follows, in the paper's own time t = s/N."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from geoflow.flows import AutonomousFlow, Checked
from geoflow.linear_networks.problem import require_linear
from geoflow.linear_networks.weights import partial_products
from geoflow.problem import Problem


class GradientDescentDynamics(AutonomousFlow):
    """Ẇ_k = −A_kᵀ E Xᵀ B_kᵀ with E = ΠX − Y, on states theta (K,) (LN Definition 2.1, (6); reduced: X = 1, Y = S).

    It is −∇L = −N ∇C: the standard flow, N times as fast. Times of such an orbit (`Orbit.s`) are the paper's t.
    Raises TypeError for what is no `LinearProblem`.
    """

    in_lockstep: ClassVar[bool] = True

    @property
    def rank_tolerance(self) -> None:
        return None

    def velocity(self, problem: Problem, state: Array) -> Checked:
        problem = require_linear(problem)
        Ws = problem.weights(state)
        A, B = partial_products(Ws)
        EX = (A[0] @ Ws[0] @ problem.X - problem.Y) @ problem.X.T
        velocity = problem.theta_of([-A_k.T @ EX @ B_k.T for A_k, B_k in zip(A, B, strict=True)])
        return Checked(velocity, jnp.ones((), bool))


gdd = GradientDescentDynamics()
