"""Local minima by construction: some clusters truncated, the others fitted by an affine map."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from geoflow.checks import instance, positive_number, whole_number
from geoflow.constructive.construction import TOLERANCE, Construction, activity, construct
from geoflow.constructive.geometry import Clusters, classes, clusters
from geoflow.data import Dataset
from geoflow.types import Floats

Blocks = tuple[tuple[int, ...], ...]
Labels = NDArray[np.int64]


def proper_subsets(Q: int) -> list[tuple[int, ...]]:
    """The 2^Q − 1 proper subsets T of the clusters 0..Q−1, by size."""
    Q = whole_number("Q", Q)
    return [T for t in range(Q) for T in itertools.combinations(range(Q), t)]


def affine_fit(data: Dataset, kept: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """(A (Q, Q), B (Q,), residuals): the affine least-squares map of the inputs in the clusters `kept` to their targets."""
    labels = classes(data)
    rows = np.isin(labels, _clusters_of("kept", kept, data.Q))
    X, Y = np.asarray(data.inputs)[rows], np.asarray(data.targets)[rows]
    if not rows.any():
        return np.zeros((data.Q, data.Q)), np.zeros(data.Q), np.zeros((0, data.Q))
    x_mean, y_mean = X.mean(axis=0), Y.mean(axis=0)
    # a solve, not a product with the pseudo-inverse, whose residuals lose eps·cond where two samples nearly coincide
    A = np.linalg.lstsq(X - x_mean, Y - y_mean, rcond=1e-10)[0].T
    B = y_mean - A @ x_mean
    return A, B, X @ A.T + B - Y


def minimum_cost(data: Dataset, T: Sequence[int]) -> float:
    """C*_T = (1/2N)·(sum of squared residuals of the affine least-squares fit of the clusters not in T)."""
    instance("data", data, Dataset, "The order is minimum_cost(data, T).")
    return merged_cost(data, [(j,) for j in _clusters_of("T", T, data.Q)])


def merged_cost(data: Dataset, blocks: Sequence[Sequence[int]]) -> float:
    """The cost of `collapsed_network(data, blocks)`: the targets' scatter within each block, and the affine fit of the others.

    Raises ValueError unless blocks are disjoint, non-empty sets of clusters.
    """
    labels, Y = classes(data), np.asarray(data.targets)
    blocks, kept = _disjoint(blocks, data.Q)
    scatter = [
        np.sum((Y[rows] - Y[rows].mean(axis=0)) ** 2)
        for rows in (np.isin(labels, B) for B in blocks)
    ]
    return float((sum(scatter) + np.sum(affine_fit(data, kept)[2] ** 2)) / (2 * data.N))


def local_minimum(
    data: Dataset, T: Sequence[int], hidden_layers: int | None = None, margin: float = 0.5
) -> Construction:
    """The local minimum C*_T: the clusters in T truncated one by one to their targets, the others fitted (ours, after CM)."""
    instance("data", data, Dataset, "The order is local_minimum(data, T).")
    return collapsed_network(
        data, [(j,) for j in _clusters_of("T", T, data.Q)], hidden_layers, margin
    )


def collapsed_network(
    data: Dataset,
    blocks: Sequence[Sequence[int]],
    hidden_layers: int | None = None,
    margin: float = 0.5,
) -> Construction:
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
    blocks, kept = _disjoint(blocks, c.Q)
    L = c.Q if hidden_layers is None else whole_number("hidden_layers L", hidden_layers)
    if len(blocks) > L:
        raise ValueError(f"one hidden layer a block: L ≥ {len(blocks)} is needed, got L = {L}.")
    margin = positive_number("margin", margin)
    A, B, _ = affine_fit(data, kept)
    Y = np.asarray(data.targets)
    means = [Y[np.isin(labels, block)].mean(axis=0) for block in blocks]
    if not kept:
        B = means[-1]
    X = np.asarray(data.inputs)
    u = X @ A.T + B
    nu, slope, offset = _levels(c, X, blocks)
    cuts = _cuts(c, labels, nu, blocks, kept)
    Lam = _stretch(labels, u, nu, cuts, means, blocks, margin)
    layers = _layers(c.Q, L, (A, B), u, Lam, slope, offset, cuts, means, blocks, margin)
    meant = u.copy()
    for block, y in zip(blocks, means, strict=True):
        meant[np.isin(labels, block)] = y
    W, b = layers[-1]
    miss = np.abs(activity(layers[:-1], X) @ W.T + b - meant).max()
    if not miss <= TOLERANCE:
        raise ValueError(
            f"in float64 this network would miss its outputs by {miss:.1e}: two clusters nearly touch along the direction through the "
            f"means (Λ = {Lam:.1e}, 2δ/h = {c.ratio:.3f}), or the inputs lie far from the origin. Shrink the clusters, or order the "
            "blocks otherwise."
        )
    return construct(data, layers, blocks, merged_cost(data, blocks), kept=kept)


def _clusters_of(name: str, given: Iterable[int], Q: int) -> list[int]:
    """Different clusters out of 0..Q−1. Raises TypeError or ValueError else."""
    try:
        found = [whole_number(f"a cluster in {name}", j, least=0) for j in given]
    except TypeError:
        raise TypeError(
            f"{name} must list clusters, whole numbers from 0, got {given!r}."
        ) from None
    if len(set(found)) != len(found) or not set(found) <= set(range(Q)):
        raise ValueError(f"{name} must be different clusters out of 0..{Q - 1}, got {given!r}.")
    return found


def _disjoint(blocks: Iterable[Iterable[int]], Q: int) -> tuple[Blocks, tuple[int, ...]]:
    """(blocks, the clusters in none of them). Raises TypeError or ValueError unless they are disjoint, non-empty sets of clusters."""
    try:
        found = tuple(tuple(sorted(_clusters_of("a block", B, Q))) for B in blocks)
    except TypeError:
        raise TypeError(
            f"blocks must be a list of sets of clusters, as [(0,), (1, 2)], got {blocks!r}."
        ) from None
    gone = [j for B in found for j in B]
    if len(set(gone)) != len(gone) or not all(found):
        raise ValueError(
            f"blocks must be disjoint, non-empty sets of the clusters 0..{Q - 1}, got {found}."
        )
    return found, tuple(j for j in range(Q) if j not in gone)


def _levels(c: Clusters, X: Floats, blocks: Blocks) -> tuple[Floats, Floats, float]:
    """(ν at the samples, its gradient, its value at the origin)."""
    level = np.zeros(c.Q)
    for depth, block in enumerate(reversed(blocks), start=1):
        level[list(block)] = -depth
    slope = c.gradients.T @ level
    offset = level.mean() - slope @ c.means.mean(axis=0)
    return X @ slope + offset, slope, offset


def _cuts(
    c: Clusters, labels: Labels, nu: Floats, blocks: Blocks, kept: Sequence[int]
) -> list[float]:
    """π_ℓ halfway between each block's ν and that of all that comes after it."""
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
    return cuts


def _stretch(
    labels: Labels,
    u: Floats,
    nu: Floats,
    cuts: Sequence[float],
    means: Sequence[Floats],
    blocks: Blocks,
    margin: float,
) -> float:
    """Λ: every coordinate of z − p_ℓ at least `margin` away from 0."""
    Lam = 1.0
    for i, (y, cut) in enumerate(zip(means, cuts, strict=True)):
        alive = ~np.isin(labels, [j for b in blocks[:i] for j in b])
        Lam = max(
            Lam, np.max((margin + np.abs(u[alive] - y).max(axis=1)) / np.abs(nu[alive] - cut))
        )
    return Lam


def _layers(
    Q: int,
    L: int,
    fit: tuple[Floats, Floats],
    u: Floats,
    Lam: float,
    slope: Floats,
    offset: float,
    cuts: Sequence[float],
    means: Sequence[Floats],
    blocks: Blocks,
    margin: float,
) -> list[tuple[Floats, Floats]]:
    """The layers of `collapsed_network`."""
    A, B = fit
    ones, forget = np.ones(Q), np.eye(Q) - 1 / Q
    if blocks:
        p = [y + Lam * cut for y, cut in zip(means, cuts, strict=True)]
    else:  # nothing to forget, and no cut: everything passes
        p, forget = [np.full(Q, u.min() - margin)], np.eye(Q)
    layers = [(A + Lam * np.outer(ones, slope), B + Lam * offset - p[0])]
    for i in range(1, len(blocks)):
        size = len(blocks[i - 1]) / Q
        # 1 less len/Q at p_{i−1}, −len/Q at the others
        here = np.isin(np.arange(Q), blocks[i - 1]) - size
        lift = Lam * (cuts[-1] - cuts[i - 1]) + margin + 1.0
        layers.append((np.eye(Q) + lift * np.outer(ones, here), p[i - 1] + lift * ones - p[i]))
    layers += [(np.eye(Q), np.full(Q, margin))] * (L - len(layers))
    layers.append((forget, forget @ p[-1] + (1 / Q if blocks else -margin * (L - 1))))
    return layers
