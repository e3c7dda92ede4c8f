"""What the gradient descent dynamics keep, and what follows for the size of the product (LN Lemmas 2.3, 2.4)."""

import functools
import itertools
import operator
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64
from numpy.polynomial import Polynomial

from geoflow.linear_networks.weights import Weights, checked
from geoflow.types import ArrayLike, Values


def invariants(Ws: Weights) -> list[Float64[Array, "d_k d_k"]]:
    """C_k = W_{k+1}ᵀW_{k+1} − W_kW_kᵀ for k = 1..H, constant along the dynamics (LN (7))."""
    Ws = checked(Ws)
    return [after.T @ after - W @ W.T for W, after in itertools.pairwise(Ws)]


def norm_differences(Ws: Weights) -> Float64[Array, " H_plus_1"]:
    """c_k = ‖W_k‖² − ‖W_{H+1}‖² for k = 1..H+1 (Frobenius), constant along the dynamics (LN (8))."""
    squares = jnp.stack([jnp.sum(W**2) for W in checked(Ws)])
    return squares - squares[-1]


@dataclass(frozen=True)
class ProductBounds:
    """d_y^{−H} g^{H+1} − P(g) ≤ ‖Π‖² ≤ g^{H+1} + Q(g) for g = ‖W_{H+1}‖² (LN (9)).

    P, Q: polynomials of degree at most H with coefficients ≥ 0 that depend on the invariants alone.
    """

    P: Polynomial
    Q: Polynomial
    H: int
    d_y: int

    def lower(self, g: ArrayLike) -> Values:
        return np.asarray(g) ** (self.H + 1) / self.d_y**self.H - self.P(np.asarray(g))

    def upper(self, g: ArrayLike) -> Values:
        return np.asarray(g) ** (self.H + 1) + self.Q(np.asarray(g))


def product_bounds(Ws: Weights) -> ProductBounds:
    """The polynomials of LN Lemma 2.4, explicitly: the paper proves that such exist, these are ours.

    With n_j = g + |c_j| ≥ ‖W_j‖² and γ_k the spectral norm of C_k:

    - Q: ‖Π‖² ≤ Π_j ‖W_j‖² ≤ Π_j n_j.
    - P: start with ‖Π‖² = tr W_{H+1}⋯W_2 (W_1W_1ᵀ) W_2ᵀ⋯W_{H+1}ᵀ and put W_kW_kᵀ = W_{k+1}ᵀW_{k+1} − C_k for k = 1, 2, ..., H.
      Each step changes the k-th power of the innermost factor by at most (n_{k+1} + γ_k)^k − n_{k+1}^k in norm, and the
      factors around it by Π_{j>k} n_j; at the end stands tr (W_{H+1}W_{H+1}ᵀ)^{H+1} ≥ d_y^{−H} g^{H+1}.
    """
    Ws = checked(Ws)
    H = len(Ws) - 1
    gamma = [float(np.linalg.norm(C, 2)) for C in invariants(Ws)]
    n = [Polynomial([abs(float(c)), 1.0]) for c in norm_differences(Ws)]
    P = Polynomial([0.0])
    for k in range(1, H + 1):
        P = P + ((n[k] + gamma[k - 1]) ** k - n[k] ** k) * functools.reduce(operator.mul, n[k:])
    Q = functools.reduce(operator.mul, n) - Polynomial([0.0] * (H + 1) + [1.0])
    return ProductBounds(P=P.cutdeg(H), Q=Q.cutdeg(H), H=H, d_y=Ws[-1].shape[0])
