"""Zero loss for clusters that can be cut off one after the other by hyperplanes, though 2δ/h ≥ 1."""

import numpy as np
from scipy.optimize import linprog

from geoflow.constructive.construction import Construction
from geoflow.constructive.geometry import clusters
from geoflow.constructive.zero_loss import Cut, beyond, telescoped
from geoflow.data import Dataset
from geoflow.types import Floats


def separable_network(data: Dataset, opening: float = 0.5) -> Construction:
    """A zero-loss network of Q hidden layers for sequentially separable clusters (ours).

    Tries the orders of the clusters one after the other. Each cut is the hyperplane of largest margin between one cluster and all
    that is left: the clusters not yet collapsed and the base points of those that are; its base point lies on it between the two
    sides' means (elsewhere on it might do where this fails). Raises ValueError when no order works, naming the clusters that the best
    order could not cut off, and 2δ/h.
    """
    c = clusters(data)
    labels, X = np.asarray(data.labels), np.asarray(data.inputs)
    best: list[Cut] = []

    def finish(cuts: list[Cut], z: Floats) -> list[Cut] | None:
        """The cuts of all clusters, given the first ones and where they take the inputs; None when there are none."""
        nonlocal best
        if len(cuts) == c.Q:
            return cuts if _independent(np.array([p for _, p, _ in cuts])) else None
        best = max(best, cuts, key=len)
        for j in sorted(set(range(c.Q)) - {cut[0] for cut in cuts}):
            cut = _widest_cut(z[labels == j], z[labels != j]) if c.Q > 1 else beyond(c)
            if cut is not None:
                found = finish([*cuts, (j, *cut)], np.where((labels == j)[:, None], cut[0], z))
                if found is not None:
                    return found
        return None

    cuts = finish([], X)
    if cuts is None:
        done = [j for j, _, _ in best]
        left = ", ".join(str(j) for j in range(c.Q) if j not in done)
        raise ValueError(
            f"no order of the {c.Q} clusters lets them be cut off one by one: at best {len(done)} of them {done}, and then none of "
            f"{left} lies on one side of a hyperplane with the rest on the other (2δ/h = {c.ratio:.3f}). Another projection to R^Q may "
            "separate them; a deeper or wider network is another theorem."
        )
    return telescoped(data, c, cuts, c.Q, opening)


def _widest_cut(inside: Floats, outside: Floats) -> tuple[Floats, Floats] | None:
    """(p, n) with n·(z − p) < 0 inside and > 0 outside, of largest margin for |n|_∞ ≤ 1; None when there is none."""
    Q, everything = inside.shape[1], np.vstack([inside, outside])
    centre = everything.mean(axis=0)
    size = np.abs(everything - centre).max()  # the solver's tolerances are absolute
    signed = np.vstack([inside - centre, centre - outside]) / size
    sides = np.concatenate([-np.ones(len(inside)), np.ones(len(outside))])
    # n·z − c + m ≤ 0 inside, c − n·z + m ≤ 0 outside
    rows = np.column_stack([signed, sides, np.ones(len(signed))])
    cost = np.zeros(Q + 2)
    cost[-1] = -1.0
    solved = linprog(
        cost, A_ub=rows, b_ub=np.zeros(len(rows)), bounds=[(-1, 1)] * Q + [(None, None), (0, None)]
    )
    if not solved.success:
        return None
    n = solved.x[:Q]
    low, high = ((inside - centre) @ n).max(), ((outside - centre) @ n).min()
    if high - low <= 1e-9 * size:
        return None
    a, b = inside.mean(axis=0), outside.mean(axis=0)
    return a + ((low + high) / 2 - n @ (a - centre)) / (n @ (b - a)) * (b - a), n


def _independent(points: Floats) -> bool:
    size = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return len(points) == 1 or bool(size[len(points) - 2] > 1e-9 * size[0])
