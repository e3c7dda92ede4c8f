"""The truncation map of a layer and its cones.

τ_{W,b}(x) = W⁺(σ(Wx + b) − b) with ReLU σ, the authors' map. With W = V and b = −Vp: the identity on the forward cone
{V(x − p) ≥ 0}, the constant p on the backward cone {V(x − p) ≤ 0}.
"""

from dataclasses import dataclass

import numpy as np


def truncation(W, b, x) -> np.ndarray:
    """τ_{W,b}(x) = W⁺(σ(Wx + b) − b) for points x (n, Q), as (n, Q); W (Q, Q), b (Q,)."""
    W, b, x = np.asarray(W), np.asarray(b), np.asarray(x)
    return (np.maximum(x @ W.T + b, 0.0) - b) @ np.linalg.pinv(W).T


def simplex(Q: int) -> np.ndarray:
    """The Q vertices (Q, Q − 1) of a regular simplex of circumradius 1 around 0 in R^{Q−1}."""
    centred = np.eye(Q) - 1 / Q
    coordinates = np.linalg.svd(centred)[0][:, : Q - 1]  # an orthonormal basis of 1^⊥: rows are equally far apart
    return coordinates / np.linalg.norm(coordinates, axis=1, keepdims=True) if Q > 1 else np.zeros((1, 0))


@dataclass(frozen=True, eq=False)
class Cone:
    """A cut: base point p (Q,), axis n (Q,) of length 1, opening eps; the frame V has rows n + eps·t_k, t_k a regular simplex in
    n^⊥. Points with |n·(z − p)| > eps·|z − p − n·(z − p)n| lie in the forward or the backward cone.
    """

    p: np.ndarray
    n: np.ndarray
    eps: float

    @property
    def V(self) -> np.ndarray:
        Q = len(self.n)
        across = np.linalg.svd(self.n[None])[2][1:]  # an orthonormal basis of n^⊥, (Q − 1, Q)
        return self.n + self.eps * simplex(Q) @ across

    @property
    def condition(self) -> float:
        """cond V = √(Q − 1)/eps for eps ≤ √(Q − 1)."""
        return float(np.linalg.cond(self.V))

    def apply(self, z) -> np.ndarray:
        """τ(z) for points z (n, Q)."""
        V = self.V
        return truncation(V, -V @ self.p, z)


def cone(p, n, z, fraction: float = 0.5) -> Cone:
    """The cone at p along n that has all points z (n, Q) inside, with `fraction` of the largest opening eps that does.

    Raises ValueError when a point lies on the cut itself, where no cone has it.
    """
    p, n = np.asarray(p), np.asarray(n) / np.linalg.norm(n)
    along = (z - p) @ n
    across = np.linalg.norm(z - p - along[:, None] * n, axis=1)
    if not 0 < fraction < 1:
        raise ValueError(f"the opening must be a fraction between 0 and 1, got {fraction!r}.")
    if (np.abs(along) <= 1e-12 * (across + np.abs(along))).any():
        worst = int(np.abs(along).argmin())
        raise ValueError(f"point {worst} lies on the cut through p, so that no cone holds it: move the base point p.")
    with np.errstate(divide="ignore"):
        largest = np.min(np.abs(along) / across)
    Q = len(n)
    return Cone(p, n, float(fraction * min(largest, np.sqrt(max(Q - 1, 1)))))
