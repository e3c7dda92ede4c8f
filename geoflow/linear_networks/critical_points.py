"""Critical points in every stratum, for any depth (LN Lemmas 3.1, 3.2)."""

from collections.abc import Collection, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64, PRNGKeyArray

from geoflow.checks import positive_number, prng_key, whole_number
from geoflow.linear_networks.problem import ReducedProblem, require_reduced
from geoflow.linear_networks.strata import Modes, kept_modes, require_distinct
from geoflow.types import Floats


def stratum_point(
    problem: ReducedProblem,
    D: Modes,
    key: PRNGKeyArray,
    vanish: Collection[int] | None = None,
    gauge: float = 0.5,
) -> Float64[Array, " K"]:
    """A random critical point theta whose product keeps the modes in D and no other: Π = DS, L = ½Σ_{i∉D} σ_i².

    The first r = |D| neurons of each hidden layer carry the modes in D; the others, the idle ones, have random weights R_k
    among themselves, except that R_1 does not see the modes left out, and that R_k = 0 for each layer k in `vanish`, a
    non-empty part of {2, ..., H+1} (by default {H+1}). Then a random change of basis in every hidden layer, W_k to
    G_k W_k G_{k−1}⁻¹, hides all that; the singular values of G_k lie within e^{±gauge}.

    Why it is critical: E = −(1 − D)S, and A_kᵀEB_kᵀ contains, for k ≥ 2, E R_1ᵀ = 0, and for k = 1 the product R_{H+1}⋯R_2 = 0.
    With vanish = {H+1} the product W_H⋯W_2 has more rank than r (where the widths allow) and the saddle is strict; with more
    layers in it the Hessian may have no negative eigenvalue (Proposition 4).

    Raises TypeError when the problem is not reduced, ValueError when σ are not distinct, D is no set of modes or larger than a
    hidden layer, or vanish names no layers.
    """
    problem, key = require_reduced(problem), prng_key(key)
    sigma, widths = require_distinct(problem.modes), problem.widths
    last = len(widths) - 1  # H + 1
    kept = kept_modes(D, len(sigma))
    r, narrowest = len(kept), min(widths[1:-1])
    if r > narrowest:
        raise ValueError(
            f"{r} modes do not pass a hidden layer of width {narrowest}: give D of at most {narrowest} modes."
        )
    try:
        vanish = (
            {last} if vanish is None else {whole_number("a layer in vanish", k) for k in vanish}
        )
    except TypeError:
        raise TypeError(
            f"vanish must list layers, whole numbers out of 2..{last}, got {vanish!r}."
        ) from None
    if not vanish or not vanish <= set(range(2, last + 1)):
        raise ValueError(
            f"vanish must name layers out of 2..{last}, at least one, got {sorted(vanish)}."
        )
    gauge = positive_number("gauge", gauge, zero_allowed=True)

    modes, idle = np.arange(len(sigma)), np.arange
    lost = np.setdiff1d(modes, kept)
    Ws: list[Floats] = []
    for k in range(1, last + 1):
        key, key_R = jax.random.split(key)
        d_out, d_in = widths[k], widths[k - 1]
        R = np.asarray(jax.random.normal(key_R, (d_out, d_in))) / np.sqrt(d_in)
        W = np.zeros((d_out, d_in))
        rows_in = list(kept) if k == 1 else list(range(r))  # where the modes in D come from
        rows_out = list(kept) if k == last else list(range(r))  # and where they go
        W[rows_out, rows_in] = sigma[list(kept)] if k == 1 else 1.0
        idle_in = np.setdiff1d(idle(d_in), lost) if k == 1 else idle(r, d_in)
        idle_out = lost if k == last else idle(r, d_out)
        if k not in vanish:
            W[np.ix_(idle_out, idle_in)] = R[np.ix_(idle_out, idle_in)]
        Ws.append(W)
    return problem.theta_of(_gauged(Ws, key, gauge))


def _gauged(given: Sequence[Floats], key: Array, spread: float) -> list[Array]:
    """W_k to G_k W_k G_{k−1}⁻¹ with random G_k in the hidden layers: every product of all the layers stays."""
    Ws = [jnp.asarray(W) for W in given]
    for k in range(len(Ws) - 1):
        key, key_U, key_V, key_s = jax.random.split(key, 4)
        d = Ws[k].shape[0]
        U, V = (jnp.linalg.qr(jax.random.normal(q, (d, d)))[0] for q in (key_U, key_V))
        stretch = jnp.exp(spread * jax.random.uniform(key_s, (d,), minval=-1.0))
        Ws[k] = (U * stretch) @ V.T @ Ws[k]
        Ws[k + 1] = Ws[k + 1] @ (V / stretch) @ U.T
    return Ws
