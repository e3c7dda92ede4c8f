"""`LSMR`: matrix-free, by lineax, for problems whose QN × QN kernel does not fit in memory."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
from jaxtyping import Array, Float64

from geoflow.checks import positive_number, whole_number
from geoflow.linear_algebra import cut_off
from geoflow.problem import Problem
from geoflow.solvers.solver import Solution, Solver


class LSMR(Solver):
    """Only JVPs and VJPs. The number of steps grows with cond(D), and there is no preconditioner: for well-conditioned D.

    `error` bounds |w − D⁺b|/|w| by the smaller of |r|/sigma_min and |Dᵀr|/sigma_min², with r = Dw − b and sigma_min (the least
    one that is not zero) as LSMR estimates it. `ok` is False when that exceeds `accept`, or when LSMR stopped for another reason than
    convergence (max_steps, by default 10·min(QN, K); cond(D) past 1e8).
    """

    rtol: float = 1e-12
    max_steps: int | None = eqx.field(static=True, default=None)
    accept: float = 1e-8
    rank_tolerance: ClassVar[float | None] = 1e-7

    def __check_init__(self) -> None:
        cut_off(self.rtol)
        positive_number("accept", self.accept)
        if self.max_steps is not None:
            whole_number("max_steps", self.max_steps)

    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        operator = lineax.FunctionLinearOperator(
            jax.linearize(lambda t: problem.outputs(t).reshape(-1), theta)[1],
            jax.eval_shape(lambda: theta),
        )
        method = lineax.LSMR(rtol=self.rtol, atol=self.rtol, max_steps=self.max_steps)
        found = lineax.linear_solve(operator, b, method, throw=False)
        stats = found.stats
        sigma_min = stats["norm_A"] / stats["cond_A"]
        off = jnp.minimum(stats["norm_r"] / sigma_min, stats["norm_Ar"] / sigma_min**2)
        error = off / jnp.where(stats["norm_x"] > 0, stats["norm_x"], 1.0)
        converged = found.result == lineax.RESULTS.successful
        return Solution(
            found.value, error, converged & jnp.isfinite(found.value).all() & (error <= self.accept)
        )
