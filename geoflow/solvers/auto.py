"""`Auto`: what the flows use. The fast route of the regime, and a rank-revealing one where that is not to be believed."""

from typing import ClassVar

import jax
from jax.custom_batching import sequential_vmap
from jaxtyping import Array, Float64

from geoflow.problem import Problem
from geoflow.solvers.dense import DenseQR, DenseSVD
from geoflow.solvers.layered_cholesky import LayeredCholesky
from geoflow.solvers.solver import Solution, Solver
from geoflow.solvers.streamed import StreamedSVD


class Auto(Solver):
    """`LayeredCholesky` (K ≥ QN) or `DenseQR` (K < QN), and an SVD as soon as that one says that it is not to be believed.

    The SVD is of the factor R of Dᵀ = QR, streamed from the layers so that D never stands in memory, or of D where the
    network does not know its layers. Under `vmap` the states are taken one after the other: a vectorized branch would run
    both routes for all of them.
    """

    rank_tolerance: ClassVar[float | None] = 1e-7

    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        return _solve(problem, theta, b)


@sequential_vmap
def _solve(problem: Problem, theta: Array, b: Array) -> Solution:
    fast = LayeredCholesky() if problem.K >= problem.QN else DenseQR()
    sure = StreamedSVD() if problem.K >= problem.QN else DenseSVD()
    first = fast.solve(problem, theta, b)
    return jax.lax.cond(first.ok, lambda: first, lambda: sure.solve(problem, theta, b))
