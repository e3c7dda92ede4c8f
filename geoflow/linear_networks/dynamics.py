"""The gradient descent dynamics (GDD) as a flow that `integrate` follows, in the paper's own time t = s/N."""

from geoflow.flows import Flow
from geoflow.linear_networks.weights import partial_products, require_linear, theta_of, weights
from geoflow.problem import Problem


class GradientDescentDynamics(Flow):
    """Ẇ_k = −A_kᵀ E Xᵀ B_kᵀ with E = ΠX − Y, on states theta (K,) (LN Definition 2.1, (6); reduced: X = 1, Y = S).

    It is −∇L = −N ∇C: the standard flow, N times as fast. Times of such an orbit (`Orbit.s`) are the paper's t.
    """

    def start(self, problem: Problem, start):
        require_linear(problem)
        return super().start(problem, start)

    def __call__(self, problem, state):
        Ws = weights(problem, state)
        A, B = partial_products(Ws)
        X, Y = problem.data.inputs.T, problem.data.targets.T
        EX = (A[0] @ Ws[0] @ X - Y) @ X.T
        return theta_of(problem, [-A_k.T @ EX @ B_k.T for A_k, B_k in zip(A, B, strict=True)])


gdd = GradientDescentDynamics()
