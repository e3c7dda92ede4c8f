"""`Damped`: the regularized inverse, for problems whose rank is deficient from the start."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.checks import positive_number
from geoflow.problem import Problem
from geoflow.solvers.refinement import refined_solve
from geoflow.solvers.singular import gram
from geoflow.solvers.solver import Solution, Solver


class Damped(Solver):
    """w = (DᵀD + lam)⁻¹Dᵀb = Dᵀ(DDᵀ + lam)⁻¹b, lam > 0 in the units of sigma²: defined and smooth at any rank.

    What the adapted flow is then: each direction of output space with singular value sigma closes at the rate
    (1/N)·sigma²/(sigma² + lam) instead of 1/N. So the uniform rate and the straight line of GM Theorem 2.1 are lost (what
    lies well above √lam keeps them nearly), the cost still falls, Ċ = −|(DDᵀ + lam)^{-1/2}Dᵀv|²-like ≤ 0, and the
    equilibria are those of the other flows, Dᵀv = 0. As lam → 0 it is D⁺, as lam → ∞ the standard flow with its time
    divided by lam. It is the direction of Levenberg and Marquardt, followed continuously.
    """

    lam: float
    accept: float = 1e-9
    rank_tolerance: ClassVar[float | None] = None

    def __check_init__(self) -> None:
        positive_number("lam", self.lam)
        positive_number("accept", self.accept)

    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        D, G = problem.linearize(theta), gram(problem, theta)
        L = jnp.linalg.cholesky(G + self.lam * jnp.eye(G.shape[0]))
        if problem.K >= problem.QN:
            w, error = refined_solve(
                L, b, D.pull, lambda z, w: b - D.push(w) - self.lam * z, most=6
            )
        else:
            w, error = refined_solve(
                L, D.pull(b), lambda z: z, lambda z, w: D.pull(b - D.push(w)) - self.lam * w, most=6
            )
        return Solution(w, error, jnp.isfinite(w).all() & (error <= self.accept))
