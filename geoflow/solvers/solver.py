"""What a solver is: solver(problem, theta, b) gives w = D(theta)⁺b, and says whether it is to be believed."""

import abc
from typing import TYPE_CHECKING

import equinox as eqx
from jaxtyping import Array, Bool, Float64

from geoflow.checks import instance, output_vector, parameter_vector
from geoflow.problem import Problem
from geoflow.types import AnyArray

if TYPE_CHECKING:  # to a type checker equinox's is no class variable
    from typing import ClassVar as AbstractClassVar
else:
    from equinox import AbstractClassVar


class Solution(eqx.Module):
    """w (K,), an estimate of its relative error (nan where the method has none), and whether it is to be believed.

    A solver does not raise when it fails, so that it can run inside a compiled program: whoever uses `w` must look at `ok`.
    """

    w: Float64[Array, " K"]
    error: Float64[Array, ""]
    ok: Bool[Array, ""]


class Solver(eqx.Module):
    """A way to find w = D⁺b, the minimal-norm least-squares solution of D w = b, for b (QN,).

    rank_tolerance: the ratio sigma_min/sigma_max at which the adapted flow by this solver stops, since D⁺ jumps where rank is
    lost; None where the solver's w is continuous in theta.
    """

    rank_tolerance: AbstractClassVar[float | None]

    def __call__(
        self, problem: Problem, theta: Float64[AnyArray, " K"], b: Float64[AnyArray, " QN"]
    ) -> Solution:
        """w = D(theta)⁺b. Raises TypeError or ValueError for a theta or b of wrong shape or dtype, or with NaN in it."""
        instance("problem", problem, Problem, "The order is solver(problem, theta, b).")
        return self.solve(
            problem, parameter_vector(theta, problem.K), output_vector("b", b, problem.QN)
        )

    @abc.abstractmethod
    def solve(
        self, problem: Problem, theta: Float64[Array, " K"], b: Float64[Array, " QN"]
    ) -> Solution:
        """The work, on arguments that have been checked; traceable by JAX."""
