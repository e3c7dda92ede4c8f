"""From a regression of Y on X to the reduced problem with target S = [Σ_Y 0], and back (LN (1)-(3), Assumptions 1, 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from geoflow.checks import instance
from geoflow.data import Dataset
from geoflow.linear_algebra import numerical_rank
from geoflow.linear_networks.problem import ReducedProblem
from geoflow.linear_networks.weights import Weights, checked
from geoflow.types import Floats


@dataclass(frozen=True)
class Reduction:
    """L(W) = ½‖S − Π̄‖² + floor, with W̄_1 = W_1 U_X Σ_X V_Y, W̄_{H+1} = U_Yᵀ W_{H+1}, the others unchanged (LN (2)-(3)).

    sigma (d_y,): the diagonal of Σ_Y, largest first; sigma_X (d_x,): that of Σ_X; U_X (d_x, d_x), U_Y (d_y, d_y),
    V_Y (d_x, d_x): orthogonal; floor: L* = min L, what no linear map explains; least_squares (d_y, d_x):
    W_LS = YXᵀ(XXᵀ)⁻¹, where it is attained (Remark 5).
    """

    sigma: Floats
    sigma_X: Floats
    U_X: Floats
    U_Y: Floats
    V_Y: Floats
    floor: float
    least_squares: Floats

    def problem(self, hidden: Sequence[int]) -> ReducedProblem:
        """The reduced problem for a network with these hidden widths."""
        return ReducedProblem(self.sigma, len(self.sigma_X), hidden)

    def to_reduced(self, Ws: Weights) -> tuple[Array, ...]:
        """W̄ from W."""
        first, *middle, last = self._fitting(Ws)
        return (
            first @ (self.U_X * self.sigma_X) @ self.V_Y,
            *middle,
            jnp.asarray(self.U_Y).T @ last,
        )

    def to_original(self, Ws: Weights) -> tuple[Array, ...]:
        """W from W̄."""
        first, *middle, last = self._fitting(Ws)
        return (
            first @ self.V_Y.T @ (self.U_X / self.sigma_X).T,
            *middle,
            jnp.asarray(self.U_Y) @ last,
        )

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
    instance(
        "data",
        data,
        Dataset,
        "The regression is of its targets on its inputs: Dataset(inputs, targets).",
    )
    X, Y = np.asarray(data.inputs).T, np.asarray(data.targets).T
    (d_x, m), d_y = X.shape, Y.shape[0]
    if not m >= d_x >= d_y:
        raise ValueError(
            f"LN Assumption 1 asks for m ≥ d_x ≥ d_y, got m = {m} samples, d_x = {d_x}, d_y = {d_y}. "
            + (
                "Project X onto its m leading principal components."
                if m < d_x
                else "Leave dependent targets out."
            )
        )
    for name, rows, advice in (
        ("X", X, "drop features that depend on others, or project X onto its principal components"),
        ("Y", Y, "drop targets that depend on others (one-hot targets minus their mean do)"),
    ):
        _require_full_row_rank(name, rows, advice)
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


def _require_full_row_rank(name: str, rows: Floats, advice: str) -> None:
    rank = numerical_rank(jnp.asarray(rows))
    if rank.full:
        return
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if lengths.all() and numerical_rank(jnp.asarray(rows / lengths)).full:
        raise ValueError(
            f"the rows of {name} are independent, but their scales differ by a factor {lengths.max() / lengths.min():.0e}, which float64 "
            "cannot decompose: scale them (subtract the mean, divide by the standard deviation), or choose other units."
        )
    raise ValueError(
        f"LN Assumption 2 asks for {name} of full row rank, got rank {rank.rank} of {len(rows)} (least singular "
        f"value {rank.sigma_min:.1e}, threshold {rank.tolerance:.1e}): {advice}."
    )
