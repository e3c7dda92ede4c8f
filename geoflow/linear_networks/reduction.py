"""From a regression of Y on X to the reduced problem with target S = [Σ_Y 0], and back (LN (1)-(3), Assumptions 1, 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow._checks import float64_array, positive_integer
from geoflow.data import Dataset
from geoflow.linear_algebra import numerical_rank
from geoflow.linear_networks.weights import Weights, checked, require_linear
from geoflow.networks import MLP
from geoflow.problem import Problem


def linear_problem(data: Dataset, hidden: Sequence[int]) -> Problem:
    """A linear network of widths (d_x, *hidden, d_y) on `data`, X = inputsᵀ and Y = targetsᵀ. Raises without a hidden layer."""
    problem = Problem(MLP((data.inputs.shape[1], *hidden, data.Q), "identity", bias=False), data)
    require_linear(problem)
    return problem


def reduced_problem(
    sigma: Float64[Array, " d_y"] | Float64[np.ndarray, " d_y"], d_x: int, hidden: Sequence[int]
) -> Problem:
    """The reduced problem L = ½‖S − Π‖², S = [Σ_Y 0] of shape (d_y, d_x) (LN (3)), as d_x samples with inputs 1 and targets Sᵀ.

    sigma (d_y,): the diagonal of Σ_Y, positive. Raises ValueError when Assumption 1 fails (d_x ≥ d_y) or sigma is not
    positive. A hidden layer narrower than d_y is allowed: then L = 0 is out of reach, as Remark 1 of the paper says.
    """
    sigma, d_x = float64_array("sigma", sigma, 1, "(d_y,)"), positive_integer("d_x", d_x)
    if not bool((sigma > 0).all()):
        raise ValueError(f"sigma must be positive (Y of full row rank, LN Assumption 2), got {np.asarray(sigma)}.")
    if d_x < len(sigma):
        raise ValueError(
            f"LN Assumption 1 asks for d_x ≥ d_y, got d_x = {d_x} < d_y = {len(sigma)}: S = [Σ_Y 0] has no such shape. "
            "Leave dependent targets out."
        )
    S = jnp.zeros((len(sigma), d_x)).at[:, : len(sigma)].set(jnp.diag(sigma))
    return linear_problem(Dataset(jnp.eye(d_x), S.T), hidden)


@dataclass(frozen=True)
class Reduction:
    """L(W) = ½‖S − Π̄‖² + floor, with W̄_1 = W_1 U_X Σ_X V_Y, W̄_{H+1} = U_Yᵀ W_{H+1}, the others unchanged (LN (2)-(3)).

    sigma (d_y,): the diagonal of Σ_Y, largest first; sigma_X (d_x,): that of Σ_X; U_X (d_x, d_x), U_Y (d_y, d_y),
    V_Y (d_x, d_x): orthogonal; floor: L* = min L, what no linear map explains; least_squares (d_y, d_x):
    W_LS = YXᵀ(XXᵀ)⁻¹, where it is attained (Remark 5).
    """

    sigma: np.ndarray
    sigma_X: np.ndarray
    U_X: np.ndarray
    U_Y: np.ndarray
    V_Y: np.ndarray
    floor: float
    least_squares: np.ndarray

    def problem(self, hidden: Sequence[int]) -> Problem:
        """The reduced problem for a network with these hidden widths."""
        return reduced_problem(self.sigma, len(self.sigma_X), hidden)

    def to_reduced(self, Ws: Weights) -> tuple[Array, ...]:
        """W̄ from W."""
        first, *middle, last = self._fitting(Ws)
        return (first @ (self.U_X * self.sigma_X) @ self.V_Y, *middle, self.U_Y.T @ last)

    def to_original(self, Ws: Weights) -> tuple[Array, ...]:
        """W from W̄."""
        first, *middle, last = self._fitting(Ws)
        return (first @ self.V_Y.T @ (self.U_X / self.sigma_X).T, *middle, self.U_Y @ last)

    def _fitting(self, Ws: Weights) -> tuple[Array, ...]:
        Ws, ends = checked(Ws), (len(self.sigma_X), len(self.sigma))
        if (Ws[0].shape[1], Ws[-1].shape[0]) != ends:
            raise ValueError(
                f"the weights must lead from d_x = {ends[0]} inputs to d_y = {ends[1]} outputs, got W_1 of shape "
                f"{Ws[0].shape} and W_{len(Ws)} of shape {Ws[-1].shape}: were they made for other data?"
            )
        return Ws


def reduction(data: Dataset) -> Reduction:
    """The reduction of the regression of targets on inputs (X = inputsᵀ, Y = targetsᵀ).

    Raises ValueError when LN Assumption 1 (m ≥ d_x ≥ d_y) or 2 (X, Y of full row rank) fails, saying what to do.
    """
    X, Y = np.asarray(data.inputs).T, np.asarray(data.targets).T
    (d_x, m), d_y = X.shape, Y.shape[0]
    if not m >= d_x >= d_y:
        raise ValueError(
            f"LN Assumption 1 asks for m ≥ d_x ≥ d_y, got m = {m} samples, d_x = {d_x}, d_y = {d_y}. "
            + ("Project X onto its m leading principal components." if m < d_x else "Leave dependent targets out.")
        )
    for name, matrix, advice in (
        ("X", X, "drop features that depend on others, or project X onto its principal components"),
        ("Y", Y, "drop targets that depend on others (one-hot targets minus their mean do)"),
    ):
        rank = numerical_rank(jnp.asarray(matrix))
        if not rank.full:
            raise ValueError(
                f"LN Assumption 2 asks for {name} of full row rank, got rank {rank.rank} of {len(matrix)} (least singular "
                f"value {rank.sigma_min:.1e}, threshold {rank.tolerance:.1e}): {advice}."
            )
    U_X, sigma_X, V_Xt = np.linalg.svd(X, full_matrices=False)
    Y_bar = Y @ V_Xt.T
    U_Y, sigma, V_Yt = np.linalg.svd(Y_bar)
    if sigma[-1] <= 1e-10 * sigma[0]:
        raise ValueError(
            f"the inputs explain only {int((sigma > 1e-10 * sigma[0]).sum())} of the {d_y} directions of the targets (Σ_Y has "
            f"least entry {sigma[-1]:.1e}): LN Assumption 3 asks for positive ones. Leave such targets out: the best map is 0."
        )
    return Reduction(
        sigma=sigma,
        sigma_X=sigma_X,
        U_X=U_X,
        U_Y=U_Y,
        V_Y=V_Yt.T,
        floor=float(np.sum((Y - Y_bar @ V_Xt) ** 2) / 2),
        least_squares=Y_bar @ (U_X / sigma_X).T,
    )
