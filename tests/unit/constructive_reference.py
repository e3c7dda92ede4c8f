"""The second witness for networks made by hand: plain numpy, every object by another way than geoflow's.

Forward passes neuron by neuron, derivatives by masks, barycentric coordinates by solving for them, heights as distances to
affine hulls, least squares by LAPACK with a column of ones. Shares nothing with geoflow; theta lists W_1 row by row, b_1, ...
"""

import itertools

import numpy as np


def unpack(theta, widths):
    """[(W_1, b_1), ...]."""
    entries, layers = iter(np.asarray(theta)), []
    for d_in, d_out in itertools.pairwise(widths):
        W = np.array([[next(entries) for _ in range(d_in)] for _ in range(d_out)])
        layers.append((W, np.array([next(entries) for _ in range(d_out)])))
    assert next(entries, None) is None, "theta is longer than the network"
    return layers


def preactivations(layers, X):
    """[z_1, ..., z_{L+1}], each (N, width), neuron by neuron; the last one is the output."""
    X, z = np.asarray(X), []
    for W, b in layers:
        x = X if not z else np.where(z[-1] > 0, z[-1], 0.0)
        columns = []
        for i in range(len(b)):
            neuron = np.full(len(X), b[i])
            for k in range(W.shape[1]):
                neuron = neuron + W[i, k] * x[:, k]
            columns.append(neuron)
        z.append(np.array(columns).T)
    return z


def outputs(layers, X):
    return preactivations(layers, X)[-1]


def activities(layers, X):
    """[x^(1), ..., x^(L)]."""
    return [np.where(z > 0, z, 0.0) for z in preactivations(layers, X)[:-1]]


def pattern(layers, X):
    """Which neuron is active on which sample, (L, N, width)."""
    return np.array([z > 0 for z in preactivations(layers, X)[:-1]])


def clearance(layers, X):
    return min(np.abs(z).min() for z in preactivations(layers, X)[:-1])


def cost(layers, X, Y):
    return np.sum((outputs(layers, X) - Y) ** 2) / (2 * len(X))


def jacobian(layers, X):
    """D (NQ, K), sample after sample: ∂F/∂W_l[a, b] = B_l[:, a] x^(l−1)[b] with B_l = W_{L+1}·mask_L·W_L ⋯ mask_l."""
    z, rows = preactivations(layers, X), []
    for j, x in enumerate(np.asarray(X)):
        before = [x, *(np.where(z_l[j] > 0, z_l[j], 0.0) for z_l in z[:-1])]
        blocks, B = [], np.eye(len(z[-1][j]))
        for level in range(len(layers) - 1, -1, -1):
            if level < len(layers) - 1:
                B = B @ layers[level + 1][0] @ np.diag((z[level][j] > 0) * 1.0)
            blocks.append(
                np.hstack([np.einsum("ia,b->iab", B, before[level]).reshape(len(B), -1), B])
            )
        rows.append(np.hstack(blocks[::-1]))
    return np.vstack(rows)


def rank(A, rtol=1e-9):
    """The rank of A; no singular value may lie near the border."""
    sizes = np.linalg.svd(A, compute_uv=False)
    sizes = sizes / sizes[0]
    assert not ((sizes > rtol / 30) & (sizes < rtol * 30)).any(), (
        f"no gap around the border: {sizes}"
    )
    return int((sizes > rtol).sum())


def barycentric(means, X):
    """λ with Σ_j λ_j μ_j = x and Σ_j λ_j = 1, as (N, Q)."""
    means, X = np.asarray(means), np.asarray(X)
    around = means.mean(axis=0)
    size = np.abs(means - around).max() or 1.0  # so that the two kinds of equations count alike
    system = np.vstack([(means - around).T / size, np.ones(len(means))])
    return np.linalg.lstsq(system, np.vstack([(X - around).T / size, np.ones(len(X))]), rcond=None)[
        0
    ].T


def heights(means):
    """The distance of each mean to the affine hull of the others."""
    means = np.asarray(means)
    found = []
    for j in range(len(means)):
        others = np.delete(means, j, axis=0)
        if not len(others):
            return np.array([np.inf])
        directions, _ = np.linalg.qr((others[1:] - others[0]).T)
        offset = means[j] - others[0]
        found.append(np.linalg.norm(offset - directions @ (directions.T @ offset)))
    return np.array(found)


def truncation(W, b, x):
    """τ(x) = W⁺(σ(Wx + b) − b) for one point x: the least solution of Wτ = σ(Wx + b) − b."""
    z = np.array([sum(w * t for w, t in zip(row, x, strict=True)) for row in W]) + b
    return np.linalg.lstsq(W, np.where(z > 0, z, 0.0) - b, rcond=None)[0]


def affine_residual(X, Y):
    """(coefficients (M + 1, Q), sum of squared residuals) of the best affine map."""
    size = np.abs(X).max()  # a column of ones beside inputs of 1e-6 would cost lstsq six digits
    ones = np.hstack([X / size, np.ones((len(X), 1))])
    solution = np.linalg.lstsq(ones, Y, rcond=None)[0]
    squares = np.sum((ones @ solution - Y) ** 2)
    return np.vstack([solution[:-1] / size, solution[-1:]]), squares


def subsets_cost(X, labels, Q, T):
    """C*_T = (1/2N)·(residual of the affine least squares of the clusters outside T)."""
    rows = ~np.isin(labels, list(T))
    return affine_residual(X[rows], np.eye(Q)[labels[rows]])[1] / (2 * len(X))


def noise_to_signal(z, labels):
    """Worst distance of a sample to its cluster's mean over the least distance of two means, pair by pair."""
    z, names = np.asarray(z), sorted(set(np.asarray(labels).tolist()))
    means = {
        j: sum(z[i] for i in range(len(z)) if labels[i] == j) / sum(labels == j) for j in names
    }
    noise = max(np.linalg.norm(z[i] - means[labels[i]]) for i in range(len(z)))
    return noise / min(
        np.linalg.norm(means[a] - means[b]) for a, b in itertools.combinations(names, 2)
    )


def allowed_radius(layers, X):
    """How far theta may move, in the Euclidean norm, before any preactivation can change its sign; a rigorous bound."""

    def worst(r):
        moved, least = np.zeros(len(X)), np.inf
        for z, (W, _), x in zip(
            preactivations(layers, X), layers[:-1], [X, *activities(layers, X)], strict=False
        ):
            size = np.linalg.norm(x, axis=1)
            # |δz| ≤ |W||δx| + |δ(W, b)||(x + δx, 1)|
            moved = np.linalg.norm(W, 2) * moved + r * np.sqrt((size + moved) ** 2 + 1)
            least = min(least, (np.abs(z).min(axis=1) - moved).min())
        return least

    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if worst(middle) > 0 else (low, middle)
    return low
