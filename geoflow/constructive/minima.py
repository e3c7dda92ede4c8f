"""Local minima by construction: some clusters truncated, the others fitted by an affine map."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float64

from geoflow._checks import positive_integer, positive_number
from geoflow.constructive.clusters import classes, clusters
from geoflow.constructive.layers import activity, clearance, relu_network
from geoflow.constructive.zero_loss import TOLERANCE
from geoflow.data import Dataset
from geoflow.problem import Problem


def proper_subsets(Q: int) -> list[tuple[int, ...]]:
    """The 2^Q − 1 proper subsets T of the clusters 0..Q−1, by size."""
    return [T for t in range(Q) for T in itertools.combinations(range(Q), t)]


def affine_fit(data: Dataset, kept: Sequence[int]):
    """(A (Q, Q), B (Q,), residuals): the affine least-squares map of the inputs in the clusters `kept` to their targets."""
    labels = classes(data)
    rows = np.isin(labels, list(kept))
    X, Y = np.asarray(data.inputs)[rows], np.asarray(data.targets)[rows]
    if not rows.any():
        return np.zeros((data.Q, data.Q)), np.zeros(data.Q), np.zeros((0, data.Q))
    x_mean, y_mean = X.mean(axis=0), Y.mean(axis=0)
    A = (np.linalg.pinv(X - x_mean, rcond=1e-10) @ (Y - y_mean)).T
    B = y_mean - A @ x_mean
    return A, B, X @ A.T + B - Y


def minimum_cost(data: Dataset, T: Sequence[int]) -> float:
    """C*_T = (1/2N)·(sum of squared residuals of the affine least-squares fit of the clusters not in T)."""
    kept = sorted(set(range(data.Q)) - set(T))
    return float(np.sum(affine_fit(data, kept)[2] ** 2) / (2 * data.N))


def merged_cost(data: Dataset, blocks: Sequence[Sequence[int]], kept: Sequence[int] = ()) -> float:
    """The cost of `collapsed_network(data, blocks)`: the targets' scatter within each block, and the affine fit of the kept."""
    labels, Y = classes(data), np.asarray(data.targets)
    scatter = [np.sum((Y[rows] - Y[rows].mean(axis=0)) ** 2) for rows in (np.isin(labels, list(B)) for B in blocks)]
    return float((sum(scatter) + np.sum(affine_fit(data, kept)[2] ** 2)) / (2 * data.N))


@dataclass(frozen=True, eq=False)
class LocalMinimum:
    """A point theta (K,) with zero gradient, at the least cost of its open activation region.

    blocks: the clusters that each cut truncates together; kept: those fitted by an affine map; clearance: the least |Wx + b| over all
    neurons and samples (how far from a kink); cost: as predicted.
    """

    problem: Problem
    theta: Float64[Array, " K"]
    blocks: tuple[tuple[int, ...], ...]
    kept: tuple[int, ...]
    cost: float
    clearance: float


def local_minimum(
    data: Dataset, T: Sequence[int], hidden_layers: int | None = None, margin: float = 0.5
) -> LocalMinimum:
    """The local minimum C*_T: the clusters in T truncated one by one to their targets, the others fitted (ours, after CM)."""
    return collapsed_network(data, [(j,) for j in T], hidden_layers, margin)


def collapsed_network(
    data: Dataset, blocks: Sequence[Sequence[int]], hidden_layers: int | None = None, margin: float = 0.5
) -> LocalMinimum:
    """Blocks of clusters truncated together, one after the other; the clusters in no block fitted by an affine map (ours).

    With u(x) = Ax + B the affine fit of the kept clusters, the first layer sends x to z = u(x) + Λν(x)1, where ν is affine, 0 at the
    means of the kept clusters and −1, −2, ... at those of the blocks, the first to go lowest. Layer ℓ is σ(z − p_ℓ) with
    p_ℓ = ȳ_ℓ + Λπ_ℓ1 and π_ℓ between the block's ν and the others': the block falls to 0, which stands for p_ℓ. The next layer lifts that
    point alone in the direction 1, out of the way of later cuts: u has no part in the coordinates of the block, ȳ_ℓ has. The output
    layer forgets the direction 1: F = u(x) on the kept clusters, ȳ_ℓ, the block's mean target, on a block.
    W_1 = A + Λ1∇νᵀ has less than full rank on purpose: with invertible hidden weights no such point has zero gradient.
    Within the activation region C can't be less: on a block F is constant, on the kept clusters affine.

    hidden_layers: L, by default Q. margin: the least |preactivation|, by choice of Λ.
    Raises ValueError for blocks that are not disjoint sets of clusters, more blocks than layers, or clusters too wide for ν to tell them
    apart (naming the two).
    """
    c, labels = clusters(data), classes(data)
    Q = c.Q
    blocks = tuple(tuple(sorted(int(j) for j in B)) for B in blocks)
    gone = [j for B in blocks for j in B]
    if len(set(gone)) != len(gone) or not set(gone) <= set(range(Q)) or not all(blocks):
        raise ValueError(f"blocks must be disjoint, non-empty sets of the clusters 0..{Q - 1}, got {blocks}.")
    L = Q if hidden_layers is None else positive_integer("hidden_layers L", hidden_layers)
    if len(blocks) > L:
        raise ValueError(f"one hidden layer a block: L ≥ {len(blocks)} is needed, got L = {L}.")
    margin = positive_number("margin", margin)
    kept = tuple(j for j in range(Q) if j not in gone)
    A, B, _ = affine_fit(data, kept)
    Y = np.asarray(data.targets)
    y_mean = [Y[np.isin(labels, block)].mean(axis=0) for block in blocks]
    if not kept:
        B = y_mean[-1]

    X, level = np.asarray(data.inputs), np.zeros(Q)
    for depth, block in enumerate(reversed(blocks), start=1):
        level[list(block)] = -depth
    slope = c.gradients.T @ level
    offset = level.mean() - slope @ c.means.mean(axis=0)
    nu = X @ slope + offset
    cuts = []
    for i, block in enumerate(blocks):
        inside = np.isin(labels, block)
        above = np.isin(labels, [j for b in blocks[i + 1 :] for j in b] + list(kept))
        low, high = nu[inside].max(), nu[above].min() if above.any() else nu[inside].max() + 1.0
        if low >= high:
            raise ValueError(
                f"block {block} cannot be cut off: along the direction through the means it reaches to {low:.3f}, and the clusters "
                f"after it start at {high:.3f} (2δ/h = {c.ratio:.3f}). Shrink the clusters, or order the blocks otherwise."
            )
        cuts.append((low + high) / 2)
    u = X @ A.T + B
    Lam = 1.0  # every coordinate of z − p_ℓ at least `margin` away from 0
    for i, (y, cut) in enumerate(zip(y_mean, cuts, strict=True)):
        alive = ~np.isin(labels, [j for b in blocks[:i] for j in b])
        Lam = max(Lam, np.max((margin + np.abs(u[alive] - y).max(axis=1)) / np.abs(nu[alive] - cut)))
    ones, forget = np.ones(Q), np.eye(Q) - 1 / Q
    if blocks:
        p = [y + Lam * cut for y, cut in zip(y_mean, cuts, strict=True)]
    else:  # nothing to forget, and no cut: everything passes
        p, forget = [np.full(Q, u.min() - margin)], np.eye(Q)
    layers = [(A + Lam * np.outer(ones, slope), B + Lam * offset - p[0])]
    for i in range(1, len(blocks)):
        here = (
            np.isin(np.arange(Q), blocks[i - 1]) - len(blocks[i - 1]) / Q
        )  # 1 less len/Q at p_{i−1}, −len/Q at the others
        lift = Lam * (cuts[-1] - cuts[i - 1]) + margin + 1.0
        layers.append((np.eye(Q) + lift * np.outer(ones, here), p[i - 1] + lift * ones - p[i]))
    layers += [(np.eye(Q), np.full(Q, margin))] * (L - len(layers))
    layers.append((forget, forget @ p[-1] + (1 / Q if blocks else -margin * (L - 1))))
    W, b = layers[-1]
    meant = u.copy()
    for block, y in zip(blocks, y_mean, strict=True):
        meant[np.isin(labels, block)] = y
    miss = np.abs(activity(layers[:-1], X) @ W.T + b - meant).max()
    if not miss <= TOLERANCE:
        raise ValueError(
            f"in float64 this network would miss its outputs by {miss:.1e}: two clusters nearly touch along the direction through the "
            f"means (Λ = {Lam:.1e}, 2δ/h = {c.ratio:.3f}), or the inputs lie far from the origin. Shrink the clusters, or order the "
            "blocks otherwise."
        )
    problem, theta = relu_network(data, layers)
    return LocalMinimum(problem, theta, blocks, kept, merged_cost(data, blocks, kept), clearance(problem, theta))
