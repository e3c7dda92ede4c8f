"""Networks whose modes decouple, and their closed forms: an independent oracle for the dynamics.

A. M. Saxe, J. L. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural
networks, ICLR 2014. For balanced diagonal weights each singular mode of strength u obeys u̇ = (H+1) u^{2−2/(H+1)} (σ − u).
"""

import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.checks import numbers, positive_number, real_number, whole_number
from geoflow.linear_networks.problem import (
    LinearProblem,
    ReducedProblem,
    require_linear,
    require_reduced,
)
from geoflow.linear_networks.weights import product
from geoflow.types import AnyArray, ArrayLike, Floats, Values


def aligned_start(problem: ReducedProblem, u0: float) -> Float64[Array, " K"]:
    """Balanced, aligned weights in which every mode has strength u0 > 0: W_k = u0^{1/(H+1)} [1 0; 0 0] with d_y ones.

    Raises TypeError when the problem is not reduced, ValueError when a hidden layer is narrower than d_y.
    """
    problem = require_reduced(problem)
    widths, d_y = problem.widths, len(problem.sigma)
    if min(widths[1:]) < d_y:
        raise ValueError(
            f"every hidden layer must carry all d_y = {d_y} modes, got widths {widths}."
        )
    root = positive_number("u0", u0) ** (1 / (len(widths) - 1))

    def aligned(d_in: int, d_out: int) -> Array:
        return root * jnp.eye(d_out, d_in).at[d_y:].set(0.0).at[:, d_y:].set(0.0)

    return problem.theta_of([aligned(d_in, d_out) for d_in, d_out in itertools.pairwise(widths)])


def mode_strengths(
    problem: LinearProblem, theta: Float64[AnyArray, " K"]
) -> Float64[Array, " d_y"]:
    """u_i = Π_ii, how much of mode i the network has learned (of σ_i)."""
    return jnp.diagonal(product(require_linear(problem).weights(theta)))


def mode_velocity(u: ArrayLike, sigma: float, H: int) -> Values:
    """u̇ = (H+1) u^{2−2/(H+1)} (σ − u) for a balanced mode of strength u ≥ 0 behind H hidden layers."""
    depth, strength = whole_number("H", H) + 1, np.asarray(numbers("u", u))
    if (strength < 0).any():
        raise ValueError(
            f"balanced weights have modes of strength u ≥ 0, got {strength}: for u < 0 see unbalanced_mode."
        )
    return depth * strength ** (2 - 2 / depth) * (positive_number("sigma", sigma) - strength)


def saxe_mode(t: ArrayLike, sigma: float, u0: float) -> Values:
    """u(t) = σ/(1 + (σ/u0 − 1)e^{−2σt}), t ≥ 0: a balanced mode, one hidden layer, from u(0) = u0 > 0."""
    sigma, u0 = positive_number("sigma", sigma), positive_number("u0", u0)
    s = -2 * sigma * _times(t)
    return sigma / (sigma / u0 * np.exp(s) - np.expm1(s))  # positive terms alone, from above σ too


def mode_time(u: ArrayLike, u0: float, sigma: float, H: int) -> Values:
    """The time t at which a balanced mode behind H ≥ 2 hidden layers has grown from u0 to u, 0 < u0 ≤ u < σ.

    With n = H + 1, v = u^{1/n} and s = σ^{1/n}: t = ∫ v^{−H}/(σ − vⁿ) dv = (1/σ) ∫ (v^{−H} + v/(σ − vⁿ)) dv, and by partial fractions
    over the roots of unity ω the second primitive is −(s^{2−n}/n) Σ_ω ω² ln(1 − v/(sω)). Differences are taken in the forms that keep
    their digits as u → u0 and as u → σ. For H = 1 use `saxe_mode`.
    """
    H, sigma, u0 = whole_number("H", H), positive_number("sigma", sigma), positive_number("u0", u0)
    strength = np.asarray(numbers("u", u))
    if H == 1:
        raise ValueError("for H = 1 the mode itself has a closed form: saxe_mode(t, sigma, u0).")
    if not ((strength >= u0) & (strength < sigma)).all():
        raise ValueError(
            f"a mode grows from u0 towards σ and does not reach it: need u0 = {u0} ≤ u < σ = {sigma}."
        )
    n = H + 1
    v0, s = u0 ** (1 / n), sigma ** (1 / n)
    grown = np.log1p((strength - u0) / u0) / n  # ln(v/v0)
    step = v0 * np.expm1(grown)  # v − v0
    power = v0 ** (1 - H) * np.expm1((1 - H) * grown) / (1 - H)
    # ω = 1: ln((s − v)/(s − v0)) from σ − u, which is exact where it is small, and Σ s^{n−1−m} v^m = (sⁿ − vⁿ)/(s − v)
    passed = (strength - u0) / (sigma - u0)
    left = np.where(
        passed < 0.5, np.log1p(-np.minimum(passed, 0.5)), np.log((sigma - strength) / (sigma - u0))
    )
    sum0 = sum(s ** (n - 1 - m) * v0**m for m in range(n))
    gained = sum(s ** (n - 1 - m) * v0**m * np.expm1(m * grown) for m in range(1, n))
    logarithms = left - np.log1p(gained / sum0)
    for k in range(1, n):
        omega = np.exp(2j * np.pi * k / n)
        z = -step / (s * omega - v0)
        # numpy's own log1p has no digits left for a small complex z
        log1p = np.log1p(z.real * (2 + z.real) + z.imag**2) / 2 + 1j * np.arctan2(
            z.imag, 1 + z.real
        )
        logarithms = logarithms + np.real(omega**2 * log1p)
    return (power - s ** (2 - n) / n * logarithms) / sigma


def unbalanced_mode(t: ArrayLike, sigma: float, u0: float, c: float) -> Values:
    """u(t) for one hidden layer and one mode with invariant c = w_2² − w_1² ≠ 0: u̇ = √(c² + 4u²) (σ − u), u(0) = u0, t ≥ 0.

    With u = (|c|/2) sinh φ, the Riccati equation of tanh ½(φ − φ_0) is solved by a Möbius function of x = e^{−ρt}. With
    q = √(c² + 4u0²), ρ = √(c² + 4σ²):

    σ − u = 4(σ − u0)ρ²x/(AB), u − u0 = 2(σ − u0)(1 − x)(q(ρ(1 + x) + q(1 − x)) + 4u0(σ − u0)(1 − x))/(AB),
    A, B = ρ(1 + x) ∓ 2σ(1 − x) + (q ± 2u0)(1 − x).

    Differences are taken in the forms that keep their digits: near u0, near 0 for u0 ≥ 0, near σ, for any size of c.
    """
    sigma, u0 = positive_number("sigma", sigma), real_number("u0", u0)
    size = positive_number("|c|", abs(real_number("c", c)))
    q, rho = np.hypot(2 * u0, size), np.hypot(2 * sigma, size)
    x, y = np.exp(-rho * _times(t)), -np.expm1(-rho * _times(t))  # y = 1 − x
    # r_± = ρ ± 2σ, q_± = q ± 2u0, m_± = qρ ± 4σu0: the small one of each pair from the product of the two
    r_plus, r_minus = _pair(rho, 2 * sigma, size**2)
    q_plus, q_minus = _pair(q, 2 * u0, size**2)
    m_plus, m_minus = _pair(q * rho, 4 * sigma * u0, size**2 * (size**2 + 4 * sigma**2 + 4 * u0**2))
    AB = (r_minus + r_plus * x + q_plus * y) * (r_plus + r_minus * x + q_minus * y)
    left = 4 * (sigma - u0) * rho**2 * x / AB
    risen = 2 * (sigma - u0) * y * (m_plus + m_minus * x + size**2 * y) / AB
    return np.where(left < sigma / 2, sigma - left, u0 + risen)[()]


def _pair(a: float, b: float, product: float) -> tuple[float, float]:
    """(a + b, a − b) without cancellation, for a ≥ |b| and product = a² − b²."""
    large = a + abs(b)
    return (large, product / large) if b >= 0 else (product / large, large)


def _times(t: ArrayLike) -> Floats:
    times = np.asarray(numbers("t", t))
    if (times < 0).any():
        raise ValueError(f"the closed form is for times t ≥ 0, got {times.min():g}.")
    return times
