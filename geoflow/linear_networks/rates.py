"""Exponential convergence of pyramidal linear networks (LN Proposition 2, Remark 4)."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64, PRNGKeyArray

from geoflow.checks import positive_number, prng_key, whole_number
from geoflow.linear_networks.conservation import invariants
from geoflow.linear_networks.weights import Weights, checked
from geoflow.types import Floats


@dataclass(frozen=True)
class ExponentialRate:
    """‖E(t)‖ ≤ e^{−αt}‖E_0‖ and L ≤ e^{−2αt}L_0 where every c_k is positive (LN (11)-(12)).

    c (H,): c_k, the d_{k+1}-th largest eigenvalue of C_k(0); alpha: Π_k c_k; improved: Π_k (c_1 + ... + c_k), by iterating
    Weyl's inequality (ours: λ_min(W_{k+1}W_{k+1}ᵀ) ≥ c_k + λ_min(W_kW_kᵀ) for k ≥ 2). Each is 0 where a factor is not
    positive, and then says nothing; `admissible` is the paper's hypothesis, every c_k > 0.
    For inputs X that are not white multiply a rate by σ_min(X)² (and read E as its part in the rows of X).
    """

    c: Floats
    alpha: float
    improved: float

    @property
    def admissible(self) -> bool:
        return bool((self.c > 0).all())


def _decreasing(widths: Sequence[int]) -> None:
    if any(after > before for before, after in itertools.pairwise(widths[1:])):
        raise ValueError(
            f"LN Proposition 2 needs d_1 ≥ ... ≥ d_H ≥ d_y, got widths (d_x, d_1, ..., d_y) = {tuple(widths)}: where a layer "
            "widens, W_{k+1}W_{k+1}ᵀ is singular and no rate follows. Order the hidden widths downwards."
        )


def exponential_rate(Ws: Weights) -> ExponentialRate:
    """The rates that LN Proposition 2 promises for the dynamics that start at these weights.

    Raises ValueError when the widths do not satisfy d_1 ≥ ... ≥ d_H ≥ d_y.
    """
    Ws = checked(Ws)
    _decreasing([Ws[0].shape[1], *(W.shape[0] for W in Ws)])
    c = np.array(
        [
            np.linalg.eigvalsh(np.asarray(C))[-W.shape[0]]
            for C, W in zip(invariants(Ws), Ws[1:], strict=True)
        ]
    )
    sums = np.cumsum(c)
    return ExponentialRate(
        c=c,
        alpha=float(np.prod(c)) if (c > 0).all() else 0.0,
        improved=float(np.prod(sums)) if (sums > 0).all() else 0.0,
    )


def growing_start(
    widths: Sequence[int], key: PRNGKeyArray, scale: float = 0.5, gap: float = 1.0
) -> tuple[Float64[Array, "_ _"], ...]:
    """Weights that LN Proposition 2 admits, each layer larger than the one before (Remark 4).

    widths (d_x, d_1, ..., d_y) with d_1 ≥ ... ≥ d_y. W_1 is Gaussian with deviation scale/√d_x; W_{k+1} has random singular
    vectors and singular values between √(‖W_k‖² + gap) (spectral norm) and 1.2 times that, whence c_k ≥ gap.
    """
    try:
        widths = [whole_number(f"widths[{i}]", d) for i, d in enumerate(widths)]
    except TypeError as error:
        raise TypeError(
            f"widths must be whole numbers (d_x, d_1, ..., d_y), got {widths!r}."
        ) from error
    if len(widths) < 3:
        raise ValueError(
            f"H ≥ 1 hidden layers are needed: give widths (d_x, d_1, ..., d_y), got {tuple(widths)}."
        )
    _decreasing(widths)
    scale, gap = positive_number("scale", scale, zero_allowed=True), positive_number("gap", gap)
    keys = jax.random.split(prng_key(key), len(widths) - 1)
    Ws = [scale / math.sqrt(widths[0]) * jax.random.normal(keys[0], (widths[1], widths[0]))]
    for key_k, d_in, d_out in zip(keys[1:], widths[1:-1], widths[2:], strict=True):
        key_W, key_s = jax.random.split(key_k)
        U, _, Vt = jnp.linalg.svd(jax.random.normal(key_W, (d_out, d_in)), full_matrices=False)
        least = jnp.sqrt(jnp.linalg.norm(Ws[-1], 2) ** 2 + gap)
        Ws.append((U * (least * jax.random.uniform(key_s, (d_out,), minval=1.0, maxval=1.2))) @ Vt)
    return tuple(Ws)
