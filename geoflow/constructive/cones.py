"""The truncation map of a layer and its cones.

τ_{W,b}(x) = W⁺(σ(Wx + b) − b) with ReLU σ, the authors' map. With W = V and b = −Vp: the identity on the forward cone
{V(x − p) ≥ 0}, the constant p on the backward cone {V(x − p) ≤ 0}.
"""

from dataclasses import dataclass

import numpy as np

from geoflow.checks import float64_array, real_number, whole_number
from geoflow.types import ArrayLike, Floats


def truncation(W: ArrayLike, b: ArrayLike, x: ArrayLike) -> Floats:
    """τ_{W,b}(x) = W⁺(σ(Wx + b) − b) for points x (n, Q), as (n, Q); W (Q, Q), b (Q,)."""
    W, b, x = _matrix("W", W, "(Q, Q)"), _vector("b", b), _matrix("x", x, "(n points, Q)")
    if W.shape != (len(b), x.shape[1]):
        raise ValueError(
            f"W must have shape (len(b), x.shape[1]) = {(len(b), x.shape[1])}, got {W.shape}."
        )
    return (np.maximum(x @ W.T + b, 0.0) - b) @ np.linalg.pinv(W).T


def simplex(Q: int) -> Floats:
    """The Q vertices (Q, Q − 1) of a regular simplex of circumradius 1 around 0 in R^{Q−1}."""
    Q = whole_number("Q", Q)
    centred = np.eye(Q) - 1 / Q
    coordinates = np.linalg.svd(centred)[0][
        :, : Q - 1
    ]  # an orthonormal basis of 1^⊥: rows are equally far apart
    return (
        coordinates / np.linalg.norm(coordinates, axis=1, keepdims=True)
        if Q > 1
        else np.zeros((1, 0))
    )


@dataclass(frozen=True, eq=False)
class Cone:
    """A cut: base point p (Q,), axis n (Q,) of length 1, opening eps; the frame V has rows n + eps·t_k, t_k a regular simplex in
    n^⊥. Points with |n·(z − p)| > eps·|z − p − n·(z − p)n| lie in the forward or the backward cone.
    """

    p: Floats
    n: Floats
    eps: float

    @property
    def V(self) -> Floats:
        Q = len(self.n)
        across = np.linalg.svd(self.n[None])[2][1:]  # an orthonormal basis of n^⊥, (Q − 1, Q)
        return self.n + self.eps * simplex(Q) @ across

    @property
    def condition(self) -> float:
        """cond V = √(Q − 1)/eps for eps ≤ √(Q − 1)."""
        return float(np.linalg.cond(self.V))

    def apply(self, z: ArrayLike) -> Floats:
        """τ(z) for points z (n, Q)."""
        V, z = self.V, _matrix("z", z, "(n points, Q)")
        return truncation(V, -V @ self.p, z)


def _matrix(name: str, value: ArrayLike, axes: str) -> Floats:
    return np.asarray(float64_array(name, value, 2, axes))


def _vector(name: str, value: ArrayLike) -> Floats:
    return np.asarray(float64_array(name, value, 1, "(Q,)"))


def cone(p: ArrayLike, n: ArrayLike, z: ArrayLike, fraction: float = 0.5) -> Cone:
    """The cone at p along n that has all points z (n, Q) inside, with `fraction` of the largest opening eps that does.

    Raises ValueError when a point lies on the cut itself, where no cone has it.
    """
    p, n, z = _vector("p", p), _vector("n", n), _matrix("z", z, "(n points, Q)")
    if not len(p) == len(n) == z.shape[1]:
        raise ValueError(
            f"p, n and the points z must lie in one R^Q, got shapes {p.shape}, {n.shape}, {z.shape}."
        )
    if not n.any():
        raise ValueError("the axis n must not be zero: it is the direction of the cut.")
    fraction = real_number("the opening", fraction)
    if not 0 < fraction < 1:
        raise ValueError(f"the opening must be a fraction between 0 and 1, got {fraction!r}.")
    n = n / np.linalg.norm(n)
    along = (z - p) @ n
    across = np.linalg.norm(z - p - along[:, None] * n, axis=1)
    if (on_it := np.abs(along) <= 1e-12 * (across + np.abs(along))).any():
        raise ValueError(
            f"point {int(on_it.argmax())} lies on the cut through p, so that no cone holds it: move the base point p."
        )
    with np.errstate(divide="ignore"):
        largest = np.min(np.abs(along) / across)
    Q = len(n)
    return Cone(p, n, float(fraction * min(largest, np.sqrt(max(Q - 1, 1)))))
