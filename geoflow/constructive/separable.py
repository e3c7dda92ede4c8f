"""Zero loss for clusters that can be cut off one after the other by hyperplanes, though 2δ/h ≥ 1."""

import itertools

import numpy as np
from scipy.optimize import linprog

from geoflow.constructive.clusters import clusters
from geoflow.constructive.zero_loss import Construction, _from_cuts
from geoflow.data import Dataset


def separable_network(data: Dataset, opening: float = 0.5) -> Construction:
    """A zero-loss network of Q hidden layers for sequentially separable clusters (ours).

    Tries every order of the clusters. Each cut is the hyperplane of largest margin between one cluster and all that is left:
    the clusters not yet collapsed and the base points of those that are; its base point lies on it between the two sides' means.
    Raises ValueError when no order works, naming the cluster that the best order could not cut off, and 2δ/h.
    """
    c = clusters(data)
    labels, X = np.asarray(data.labels), np.asarray(data.inputs)
    best, stuck = -1, None
    for order in itertools.permutations(range(c.Q)):
        cuts, z = [], X.copy()
        for j in order:
            cut = _widest_cut(z[labels == j], z[labels != j]) if c.Q > 1 else (c.means[0] + c.radii[0] + 1, np.ones(1))
            if cut is None:
                break
            cuts.append((j, *cut))
            z = np.where((labels == j)[:, None], cut[0], z)
        ends = np.array([z[labels == j][0] for j in range(c.Q)])
        if len(cuts) == c.Q and _independent(ends):
            return _from_cuts(data, c, cuts, c.Q, opening)
        if len(cuts) > best:
            best, stuck = len(cuts), order
    name = stuck[best] if best < c.Q else "?"
    raise ValueError(
        f"no order of the {c.Q} clusters lets them be cut off one by one: at best {best} of them, then cluster {name} overlaps "
        f"the rest (2δ/h = {c.ratio:.3f}). Another projection to R^Q may separate them; a deeper or wider network is another theorem."
    )


def _widest_cut(inside, outside):
    """(p, n) with n·(z − p) < 0 inside and > 0 outside, of largest margin for |n|_∞ ≤ 1; None when there is none."""
    Q = inside.shape[1]
    rows = np.vstack(
        [np.hstack([inside, -np.ones((len(inside), 1))]), np.hstack([-outside, np.ones((len(outside), 1))])]
    )
    rows = np.hstack([rows, np.ones((len(rows), 1))])  # n·z − c + m ≤ 0 inside, c − n·z + m ≤ 0 outside
    cost = np.zeros(Q + 2)
    cost[-1] = -1.0
    solved = linprog(cost, A_ub=rows, b_ub=np.zeros(len(rows)), bounds=[(-1, 1)] * Q + [(None, None), (0, None)])
    n, level, margin = solved.x[:Q], solved.x[Q], solved.x[Q + 1]
    if not solved.success or margin <= 1e-9 * np.abs(rows[:, :Q]).max():
        return None
    a, b = inside.mean(axis=0), outside.mean(axis=0)
    return a + (level - n @ a) / (n @ (b - a)) * (b - a), n


def _independent(points) -> bool:
    size = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return len(points) == 1 or bool(size[len(points) - 2] > 1e-9 * size[0])
