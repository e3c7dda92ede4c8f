"""The regression of a linear network as a `Problem` that checks once what these theorems need."""

from collections.abc import Iterable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.checks import float64_array, instance, whole_number
from geoflow.data import Dataset
from geoflow.linear_networks.weights import Weights
from geoflow.networks import MLP
from geoflow.problem import Problem
from geoflow.types import AnyArray, ArrayLike, Floats


class LinearProblem(Problem[MLP]):
    """L = ½‖Y − ΠX‖² for a linear network of widths (d_x, *hidden, d_y) (LN (1)), X = inputsᵀ, Y = targetsᵀ.

    `theta` lists W_1, W_2, ... row by row; the cost C of every problem is L/N.
    Raises TypeError or ValueError for what is no data set, and without a hidden layer.
    """

    def __init__(self, data: Dataset, hidden: Sequence[int]):
        instance("data", data, Dataset, "The order is LinearProblem(data, hidden).")
        super().__init__(
            MLP((data.M, *_hidden_widths(hidden), data.Q), "identity", bias=False), data
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """(d_x, d_1, ..., d_H, d_y)."""
        return self.network.widths

    @property
    def H(self) -> int:
        """The number of hidden layers."""
        return len(self.widths) - 2

    @property
    def X(self) -> Float64[Array, "d_x m"]:
        return self.data.inputs.T

    @property
    def Y(self) -> Float64[Array, "d_y m"]:
        return self.data.targets.T

    def weights(self, theta: Float64[AnyArray, " K"]) -> tuple[Array, ...]:
        """theta (K,) as (W_1, ..., W_{H+1})."""
        return tuple(W for W, _ in self.network.unflatten(theta))

    def theta_of(self, Ws: Weights) -> Float64[Array, " K"]:
        """(W_1, ..., W_{H+1}) as theta (K,); the inverse of `weights`. Raises ValueError for matrices of other shapes."""
        return self.network.flatten([(W, None) for W in Ws])

    def loss(self, theta: Float64[AnyArray, " K"]) -> Float64[Array, ""]:
        """L = ½‖Y − ΠX‖² = N·C (LN (1))."""
        return self.N * self.cost(theta)


class ReducedProblem(LinearProblem):
    """L = ½‖S − Π‖², S = [Σ_Y 0] of shape (d_y, d_x) (LN (3)): d_x samples with inputs 1 and targets Sᵀ.

    sigma (d_y,): the diagonal of Σ_Y, positive. Raises ValueError when Assumption 1 fails (d_x ≥ d_y) or sigma is not
    positive. A hidden layer narrower than d_y is allowed: then L = 0 is out of reach, as Remark 1 of the paper says.
    """

    sigma: Array

    def __init__(self, sigma: ArrayLike, d_x: int, hidden: Sequence[int]):
        values = np.asarray(float64_array("sigma", sigma, 1, "(d_y,)"))
        d_x = whole_number("d_x", d_x)
        if not (values > 0).all():
            raise ValueError(
                f"sigma must be positive (Y of full row rank, LN Assumption 2), got {values}."
            )
        if d_x < len(values):
            raise ValueError(
                f"LN Assumption 1 asks for d_x ≥ d_y, got d_x = {d_x} < d_y = {len(values)}: S = [Σ_Y 0] has no such shape. "
                "Leave dependent targets out."
            )
        S = jnp.zeros((len(values), d_x)).at[:, : len(values)].set(jnp.diag(jnp.asarray(values)))
        super().__init__(Dataset(jnp.eye(d_x), S.T), hidden)
        self.sigma = jnp.asarray(values)

    @property
    def modes(self) -> Floats:
        """sigma (d_y,) as NumPy's."""
        return np.asarray(self.sigma)


def require_linear(problem: object) -> LinearProblem:
    """`problem` as a linear one. Raises TypeError else."""
    instance(
        "problem",
        problem,
        LinearProblem,
        "Make it with LinearProblem(data, hidden) or ReducedProblem(sigma, d_x, hidden).",
    )
    assert isinstance(problem, LinearProblem)
    return problem


def require_reduced(problem: object) -> ReducedProblem:
    """`problem` as a reduced one. Raises TypeError else."""
    advice = (
        "Make it with ReducedProblem(sigma, d_x, hidden), or with reduction(data).problem(hidden)."
    )
    instance("problem", problem, ReducedProblem, advice)
    assert isinstance(problem, ReducedProblem)
    return problem


def _hidden_widths(hidden: Iterable[int]) -> tuple[int, ...]:
    try:
        widths = tuple(hidden)
    except TypeError:
        widths = ()
    if not widths or isinstance(hidden, str):
        raise ValueError(
            f"H ≥ 1 hidden layers are needed, as hidden=(3, 3), got {hidden!r}: without one, L is a convex quadratic and every critical "
            "point is the least-squares solution."
        )
    return tuple(whole_number(f"hidden[{i}]", d) for i, d in enumerate(widths))
