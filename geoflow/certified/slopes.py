"""How fast orbits of dtheta/dτ = D⁺b may part: a bound of the symmetric part of the slope J of D⁺b over a box.

J = (1 − D⁺D)H_λ − D⁺M with λ = (DDᵀ)⁻¹b, H_λ = Σ_m λ_m ∂²x_m and rows M_m = ∂²x_m D⁺b. At the middle of the box J is enclosed; over the box
it moves by at most what operator norms allow, which is far less than what intervals would say.
"""

import numpy as np
from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, Vector, below
from geoflow.certified.claims import Balls
from geoflow.certified.curvature import curvature
from geoflow.certified.inertia import inertia, shifted
from geoflow.certified.network import floats
from geoflow.certified.rank_bounds import at_least


def logarithmic_norm(
    balls: Balls, middle: Vector, box: Vector, b: Vector
) -> tuple[arb, arb, float] | None:
    """(μ, σ, ε/σ): ⟨w, Jw⟩ ≤ μ|w|² and σ_min(D) ≥ σ on the box, where D moves by at most ε; None where the proof fails.

    Where |D − D_0| ≤ ε: |V| ≤ |V_0|/(1 − 2ε/σ), |ΔV| ≤ 2ε|V|/σ and |Δλ| ≤ 2ε|V|/σ² by the derivatives of V = D⁺b and λ along the segment,
    |Δ(1 − D⁺D)| ≤ ε/σ, and |ΔD⁺| ≤ 2ε/σ² (Wedin's bound has √2).
    """
    network, inputs = balls.network, balls.inputs
    D0 = network.jacobian(middle, inputs)
    eps = frobenius(minus(network.jacobian(box, inputs), D0))
    least = at_least(D0)
    sigma = (least.sigma - eps).lower()
    if least.rank < balls.QN or not eps.is_finite() or not below(16 * eps, sigma):
        return None
    D = arb_mat(D0)
    gram = (D * D.transpose()).inv()
    multiplier = gram * arb_mat([[x] for x in b])
    pen = D.transpose() * gram
    V = pen * arb_mat([[x] for x in b])
    one_by_one = [[arb(int(m == q)) for q in range(balls.QN)] for m in range(balls.QN)]
    T0 = [curvature(network, middle, inputs, e) for e in one_by_one]
    bent = frobenius([row for T in T0 for row in T])
    moved = frobenius(
        [
            row
            for T, e in zip(T0, one_by_one, strict=True)
            for row in minus(curvature(network, box, inputs, e), T)
        ]
    )
    K = network.K
    H = sum((arb_mat(T) * multiplier[m, 0] for m, T in enumerate(T0)), arb_mat(K, K))
    M = arb_mat([(arb_mat(T) * V).entries() for T in T0])
    J = H - pen * (D * H) - pen * M
    symmetric = ((J + J.transpose()) / 2).tolist()
    v = frobenius([V.entries()]) / (1 - 2 * eps / sigma)
    of_V, of_multiplier = 2 * eps * v / sigma, 2 * eps * v / (sigma * sigma)
    of_H = bent * of_multiplier + moved * (frobenius([multiplier.entries()]) + of_multiplier)
    of_M = bent * of_V + moved * v
    change = (
        eps / sigma * (frobenius(H.tolist()) + of_H)
        + of_H
        + 2 * eps / (sigma * sigma) * (frobenius(M.tolist()) + of_M)
        + of_M / sigma
    )
    top = _largest_eigenvalue(symmetric)
    if top is None or not change.is_finite():
        return None
    return (top + change).upper(), sigma, float(eps / sigma)


def _largest_eigenvalue(S: Matrix) -> arb | None:
    """An upper bound, from the inertia of S − bound."""
    centre = floats(S)
    if not np.isfinite(centre).all():
        return None
    values = np.linalg.eigvalsh((centre + centre.T) / 2)
    bound = arb(float(values[-1] + 1e-6 * max(np.abs(values).max(), 1e-6)))
    signs = inertia(shifted(S, -bound))
    return bound if signs is not None and signs.positive == 0 else None


def minus(A: Matrix, B: Matrix) -> Matrix:
    """A − B."""
    return [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(A, B, strict=True)]


def frobenius(A: Matrix) -> arb:
    """An upper bound of the Frobenius norm."""
    total = arb(0)
    for row in A:
        for entry in row:
            size = entry.abs_upper()
            total += size * size
    return total.sqrt().upper()
