"""The second witness for linear networks: plain numpy, float64, every object by another way than geoflow's.

Products entry by entry, Hessians by Kronecker products (for row-major vec, vec(A w B) = (A ⊗ Bᵀ) vec(w), the transposed
order of the columns' rule), least squares by LAPACK, modes by scipy's solver of the scalar weights and by mpmath in 40 digits.
Shares nothing with geoflow; theta lists W_1, W_2, ... row by row.
"""

import itertools

import mpmath
import numpy as np
from scipy.integrate import solve_ivp


def gaussian_weights(rng, dims, scale=1.0):
    """W_k of shape (d_k, d_{k−1}) for dims (d_0, ..., d_{H+1}), entries of deviation scale/√d_{k−1}."""
    return [
        scale / np.sqrt(d_in) * rng.normal(size=(d_out, d_in))
        for d_in, d_out in itertools.pairwise(dims)
    ]


def flat(Ws):
    return np.array([entry for W in Ws for row in np.asarray(W) for entry in row])


def split(theta, dims):
    entries, Ws = iter(np.asarray(theta)), []
    for d_in, d_out in itertools.pairwise(dims):
        Ws.append(np.array([[next(entries) for _ in range(d_in)] for _ in range(d_out)]))
    assert next(entries, None) is None, "theta is longer than the network"
    return Ws


def times(A, B):
    """AB entry by entry."""
    return np.array(
        [
            [sum(A[i, k] * B[k, j] for k in range(A.shape[1])) for j in range(B.shape[1])]
            for i in range(len(A))
        ]
    )


def chain(Ws, d):
    """W_last ⋯ W_first, the identity of size d for none."""
    Pi = np.eye(d)
    for W in Ws:
        Pi = times(np.asarray(W), Pi)
    return Pi


def product(Ws):
    return chain(Ws, np.shape(Ws[0])[1])


def loss(Ws, X, Y):
    """½‖Y − ΠX‖², sample after sample."""
    Pi = product(Ws)
    return sum(np.sum((Y[:, j] - Pi @ X[:, j]) ** 2) for j in range(X.shape[1])) / 2


def loss_of(dims, X, Y):
    return lambda theta: loss(split(theta, dims), X, Y)


def target(sigma, d_x):
    """S = [Σ_Y 0]."""
    return np.hstack([np.diag(sigma), np.zeros((len(sigma), d_x - len(sigma)))])


def least_squares(X, Y):
    """The best linear map and its residual ½‖Y − WX‖²."""
    W = np.linalg.lstsq(X.T, Y.T, rcond=None)[0].T
    return W, np.sum((Y - W @ X) ** 2) / 2


def kronecker_hessian(Ws, X, Y):
    """Hess L (K, K), block by block: JᵀJ with J = [A_k ⊗ (B_kX)ᵀ], and the second derivative of Π against E."""
    Ws = [np.asarray(W) for W in Ws]
    n, d_y, d_x = len(Ws), len(Ws[-1]), Ws[0].shape[1]
    A = [chain(Ws[k + 1 :], len(Ws[k])) for k in range(n)]
    BX = [chain(Ws[:k], d_x) @ X for k in range(n)]
    EXt = product(Ws) @ X - Y
    assert A[-1].shape == (d_y, d_y)
    blocks = [[None] * n for _ in range(n)]
    for j, k in itertools.product(range(n), range(n)):
        block = np.kron(A[j], BX[j].T).T @ np.kron(A[k], BX[k].T)
        first, later = min(j, k), max(j, k)
        if first < later:
            # ⟨E, A_j w_j M w_k B_k X⟩ = Σ G[a, d] w_j[a, b] M[b, c] w_k[c, d]
            G = A[later].T @ EXt @ BX[first].T
            M = chain(Ws[first + 1 : later], len(Ws[first]))
            second = np.zeros((*Ws[later].shape, *Ws[first].shape))
            for a, b, c, d in np.ndindex(*second.shape):
                second[a, b, c, d] = G[a, d] * M[b, c]
            second = second.reshape(Ws[later].size, Ws[first].size)
            block = block + (second if j == later else second.T)
        blocks[j][k] = block
    return np.block(blocks)


def inertia(H, rtol=1e-9):
    """(negative, zero, positive) eigenvalues; none may lie near the border between zero and not."""
    eigenvalues = np.linalg.eigvalsh((H + H.T) / 2)
    size = np.abs(eigenvalues)
    small = size <= rtol * size.max()
    assert not ((size > rtol / 100 * size.max()) & (size < rtol * 100 * size.max())).any(), (
        "no gap around zero"
    )
    return tuple(
        int(np.sum(part))
        for part in (~small & (eigenvalues < 0), small, ~small & (eigenvalues > 0))
    )


def scalar_weights(w0, sigma, t):
    """The weights (H+1, n, T) at times t of n scalar networks w_{H+1}⋯w_1 → σ: ẇ_j = (Π_{i≠j} w_i)(σ − Π_i w_i)."""
    w0, t = np.asarray(w0, dtype=float), np.asarray(t, dtype=float)

    def velocity(_, flat_w):
        w = flat_w.reshape(w0.shape)
        others = np.array([np.prod(np.delete(w, j, axis=0), axis=0) for j in range(len(w))])
        return (others * (sigma - np.prod(w, axis=0))).ravel()

    solution = solve_ivp(
        velocity, (0.0, t[-1]), w0.ravel(), method="DOP853", t_eval=t, rtol=1e-12, atol=1e-14
    )
    assert solution.success
    return solution.y.reshape(*w0.shape, len(t))


def exact_mode_time(u, u0, sigma, H):
    """∫ du/((H+1) u^{2−2/(H+1)} (σ − u)) from u0 to u in 40 digits: quadrature over ln u, and over ln(σ − u) near σ."""
    with mpmath.workdps(40):
        n, u, u0, sigma = H + 1, mpmath.mpf(u), mpmath.mpf(u0), mpmath.mpf(sigma)
        middle = min(max(sigma / 2, u0), u)
        parts = []
        if middle > u0:
            parts.append(
                (
                    lambda a: mpmath.exp(a * (mpmath.mpf(2) / n - 1)) / (sigma - mpmath.exp(a)),
                    u0,
                    middle,
                )
            )
        if u > middle:
            parts.append(
                (
                    lambda b: (sigma - mpmath.exp(b)) ** (mpmath.mpf(2) / n - 2),
                    sigma - u,
                    sigma - middle,
                )
            )
        return (
            sum(
                mpmath.quad(f, mpmath.linspace(mpmath.log(a), mpmath.log(b), 5))
                for f, a, b in parts
            )
            / n
        )


def exact_saxe_mode(t, sigma, u0):
    """σ/(1 + (σ/u0 − 1)e^{−2σt}) in 40 digits."""
    with mpmath.workdps(40):
        t, sigma, u0 = mpmath.mpf(t), mpmath.mpf(sigma), mpmath.mpf(u0)
        return sigma / (1 + (sigma / u0 - 1) * mpmath.exp(-2 * sigma * t))


def exact_unbalanced_mode(t, sigma, u0, c):
    """u = (|c|/4)(w − 1/w) in 40 digits; (w − w_+)/(w − w_−) falls as e^{−√(4σ²+c²)t}, w_± = (2σ ± √(4σ²+c²))/|c|."""
    with mpmath.workdps(40):
        t, sigma, u0, c = mpmath.mpf(t), mpmath.mpf(sigma), mpmath.mpf(u0), abs(mpmath.mpf(c))
        rho = mpmath.sqrt(4 * sigma**2 + c**2)
        above, below = (2 * sigma + rho) / c, (2 * sigma - rho) / c
        start = (2 * u0 + mpmath.sqrt(4 * u0**2 + c**2)) / c
        ratio = (start - above) / (start - below) * mpmath.exp(-rho * t)
        w = (above - below * ratio) / (1 - ratio)
        return c / 4 * (w - 1 / w)


def subsets(d_y, most=None):
    """Every set of modes, of at most `most`."""
    most = d_y if most is None else min(most, d_y)
    return [D for r in range(most + 1) for D in itertools.combinations(range(d_y), r)]


def gradient(Ws, X, Y):
    """∇L as matrices, A_kᵀ E (B_kX)ᵀ, from the products entry by entry (itself tested against finite differences)."""
    Ws = [np.asarray(W) for W in Ws]
    EXt = (product(Ws) @ X - Y) @ X.T
    d_x = Ws[0].shape[1]
    return [chain(Ws[k + 1 :], len(Ws[k])).T @ EXt @ chain(Ws[:k], d_x).T for k in range(len(Ws))]


def one_hidden_stratum(A, R, sigma, d_x, D):
    """The point (W_1, W_2) of O_D with rows A (r, d_1) of W_2 at the modes in D, W_1 = A⁺S_D + (1 − A⁺A)R.

    R (d_1, d_x) is free; its columns at the modes left out are not looked at. Every point of O_D is of this form (LN (27)).
    """
    d_y, d_1 = len(sigma), R.shape[0]
    D, lost = list(D), [i for i in range(d_y) if i not in D]
    A_plus = np.linalg.pinv(A) if D else np.zeros((d_1, 0))
    free = R.copy()
    free[:, lost] = 0.0
    W_2 = np.zeros((d_y, d_1))
    W_2[D] = A
    return [A_plus @ target(sigma, d_x)[D] + (np.eye(d_1) - A_plus @ A) @ free, W_2]
