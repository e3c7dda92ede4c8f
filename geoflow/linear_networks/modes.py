"""Networks whose modes decouple, and their closed forms: an independent oracle for the dynamics.

A. M. Saxe, J. L. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural
networks, ICLR 2014. For balanced diagonal weights each singular mode of strength u obeys u̇ = (H+1) u^{2−2/(H+1)} (σ − u).
"""

import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64
from scipy.special import hyp2f1

from geoflow._checks import positive_integer, positive_number
from geoflow.linear_networks.strata import nonzero_modes
from geoflow.linear_networks.weights import partial_products, theta_of, weights
from geoflow.problem import Problem


def aligned_start(problem: Problem, u0: float) -> Float64[Array, " K"]:
    """Balanced, aligned weights in which every mode has strength u0 > 0: W_k = u0^{1/(H+1)} [1 0; 0 0] with d_y ones.

    Raises ValueError when the problem is not reduced or a hidden layer is narrower than d_y.
    """
    sigma, widths = nonzero_modes(problem), problem.network.widths
    d_y = len(sigma)
    if min(widths[1:]) < d_y:
        raise ValueError(f"every hidden layer must carry all d_y = {d_y} modes, got widths {widths}.")
    root = positive_number("u0", u0) ** (1 / (len(widths) - 1))
    return theta_of(problem, [root * jnp.eye(d_out, d_in).at[d_y:].set(0.0).at[:, d_y:].set(0.0)
                              for d_in, d_out in itertools.pairwise(widths)])  # fmt: skip


def mode_strengths(problem: Problem, theta: Float64[Array, " K"]) -> Float64[Array, " d_y"]:
    """u_i = Π_ii, how much of mode i the network has learned (of σ_i)."""
    Ws = weights(problem, theta)
    return jnp.diagonal(partial_products(Ws)[0][0] @ Ws[0])


#: One number for one time or strength, else an array.
Values = np.ndarray | np.float64


def _depth(H):
    return positive_integer("H", H) + 1


def mode_velocity(u, sigma: float, H: int) -> Values:
    """u̇ = (H+1) u^{2−2/(H+1)} (σ − u) for a balanced mode of strength u ≥ 0 behind H hidden layers."""
    depth, u = _depth(H), np.asarray(u, dtype=np.float64)
    if (u < 0).any():
        raise ValueError(f"balanced weights have modes of strength u ≥ 0, got {u}: for u < 0 see unbalanced_mode.")
    return depth * u ** (2 - 2 / depth) * (positive_number("sigma", sigma) - u)


def saxe_mode(t, sigma: float, u0: float) -> Values:
    """u(t) = σ/(1 + (σ/u0 − 1)e^{−2σt}): a balanced mode, one hidden layer, from u(0) = u0 > 0."""
    sigma, u0 = positive_number("sigma", sigma), positive_number("u0", u0)
    return sigma / (1 + (sigma / u0 - 1) * np.exp(-2 * sigma * np.asarray(t, dtype=np.float64)))


def mode_time(u, u0: float, sigma: float, H: int) -> Values:
    """The time t at which a balanced mode behind H ≥ 2 hidden layers has grown from u0 to u, 0 < u0 ≤ u < σ (closed form).

    With v = u^{1/(H+1)}: t = ∫ v^{−H}/(σ − v^{H+1}) dv, whose primitive is v^{1−H}/((1−H)σ) · ₂F₁(1, a; a + 1; v^{H+1}/σ) with
    a = (1−H)/(H+1). For H = 1 use `saxe_mode`.
    """
    depth, sigma, u0 = _depth(H), positive_number("sigma", sigma), positive_number("u0", u0)
    u = np.asarray(u, dtype=np.float64)
    if depth == 2:
        raise ValueError("for H = 1 the mode itself has a closed form: saxe_mode(t, sigma, u0).")
    if not ((u >= u0) & (u < sigma)).all():
        raise ValueError(f"a mode grows from u0 towards σ and does not reach it: need u0 = {u0} ≤ u < σ = {sigma}.")
    a = (2 - depth) / depth

    def primitive(u):
        return u**a / ((2 - depth) * sigma) * hyp2f1(1, a, a + 1, u / sigma)

    return primitive(u) - primitive(u0)


def unbalanced_mode(t, sigma: float, u0: float, c: float) -> Values:
    """u(t) for one hidden layer and one mode with invariant c = w_2² − w_1² ≠ 0: u̇ = √(c² + 4u²) (σ − u), u(0) = u0.

    With w = e^φ and u = (|c|/2) sinh φ it is a Riccati equation, ẇ = −(|c|/2)(w − w_+)(w − w_−), w_± = (2σ ± √(4σ² + c²))/|c|, whose
    solution is a Möbius function of e^{−√(4σ² + c²) t}.
    """
    sigma, c = positive_number("sigma", sigma), positive_number("|c|", abs(c))
    rho = np.hypot(2 * sigma, c)
    start, stable = np.exp(np.arcsinh(2 * float(u0) / c)), (2 * sigma + rho) / c
    unstable = -1 / stable  # (2σ − ρ)/|c| without its cancellation
    ratio = (start - stable) / (start - unstable) * np.exp(-rho * np.asarray(t, dtype=np.float64))
    w = (stable - unstable * ratio) / (1 - ratio)
    return c / 4 * (w - 1 / w)
