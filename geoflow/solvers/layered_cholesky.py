"""`LayeredCholesky`: the fast route where there are at least as many parameters as equations."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.checks import positive_number, whole_number
from geoflow.problem import Problem
from geoflow.solvers.refinement import refined_solve
from geoflow.solvers.solver import Solution, Solver


class LayeredCholesky(Solver):
    """w = Dᵀ(DDᵀ)⁻¹b for K ≥ QN, never forming D: layered kernel, Cholesky, iterative refinement, one VJP.

    Cholesky of DDᵀ squares the condition number; refinement with the matrix-free residual b − D w wins the lost
    digits back as long as it contracts. `ok` is False when the estimated error exceeds `accept`, or when DDᵀ is not
    numerically positive definite.
    Raises ValueError for K < QN, where DDᵀ is singular.
    """

    max_refinements: int = eqx.field(static=True, default=6)
    accept: float = 1e-9
    rank_tolerance: ClassVar[float | None] = 1e-7

    def __check_init__(self) -> None:
        whole_number("max_refinements", self.max_refinements, least=0)
        positive_number("accept", self.accept)

    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        if problem.K < problem.QN:
            raise ValueError(
                f"Dᵀ(DDᵀ)⁻¹ is the overparametrized formula and needs K ≥ QN, got K = {problem.K} < QN = {problem.QN}. "
                "Use Auto() or DenseQR(), which apply (DᵀD)⁻¹Dᵀ there (GM Theorem 5.1)."
            )
        D = problem.linearize(theta)
        L = jnp.linalg.cholesky(problem.ntk(theta))
        w, error = refined_solve(L, b, D.pull, lambda z, w: b - D.push(w), self.max_refinements)
        return Solution(w, error, jnp.isfinite(w).all() & (error <= self.accept))
