"""How clustered the inputs are: means, radii, heights of the simplex of means, and the condition 2δ < h."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoflow.checks import float64_array, instance
from geoflow.data import Dataset
from geoflow.types import ArrayLike, Floats


@dataclass(frozen=True, eq=False)
class Clusters:
    """Q clusters of inputs in R^Q, one a class, seen from their means.

    means (Q, Q): μ_j in rows; radii (Q,): sup |x − μ_j| over cluster j; gradients (Q, Q): ∇λ_j of the barycentric coordinates
    of the means, constant across their hull; heights (Q,): h_j = 1/|∇λ_j|, the height of μ_j over the face of the others
    (infinite for Q = 1); sizes (Q,): samples a cluster.
    """

    means: Floats
    radii: Floats
    gradients: Floats
    heights: Floats
    sizes: NDArray[np.intp]

    @property
    def Q(self) -> int:
        return len(self.means)

    @property
    def delta(self) -> float:
        """δ, the largest radius."""
        return float(self.radii.max())

    @property
    def ratio(self) -> float:
        """2δ/h with the smallest height h: below 1 the zero-loss theorem applies."""
        return float(2 * self.delta / self.heights.min())

    def barycentric(self, x: ArrayLike) -> Floats:
        """λ_j(x) for points x (n, Q), as (n, Q): affine, λ_j(μ_k) = 1 for j = k and 0 otherwise, rows add up to 1."""
        x = np.asarray(float64_array("x", x, 2, "(n points, Q)"))
        if x.shape[1] != self.Q:
            raise ValueError(f"x must hold points of R^Q with Q = {self.Q}, got shape {x.shape}.")
        return 1 / self.Q + (x - self.means.mean(axis=0)) @ self.gradients.T


def classes(data: Dataset) -> NDArray[np.int64]:
    """The labels (N,) of data whose inputs and targets lie in R^Q, targets y_j = e_j. Raises ValueError else."""
    instance(
        "data",
        data,
        Dataset,
        "Clustered samples with their classes: Dataset(inputs, targets, labels), or clustered(key, ...).",
    )
    if data.labels is None:
        raise ValueError(
            "the construction needs to know the classes: give Dataset(inputs, targets, labels)."
        )
    Q, labels = data.Q, np.asarray(data.labels)
    if data.inputs.shape[1] != Q:
        raise ValueError(
            f"inputs must lie in R^Q with Q = {Q} classes, got R^{data.inputs.shape[1]}: project them to Q dimensions first."
        )
    if labels.min() < 0 or labels.max() >= Q:
        raise ValueError(
            f"labels must be the classes 0..{Q - 1}, got {labels.min()} to {labels.max()}."
        )
    if not np.array_equal(np.asarray(data.targets), np.eye(Q)[labels]):
        raise ValueError("targets must be the unit vectors e_j of the labels, one_hot(labels, Q).")
    if len(np.unique(labels)) < Q:
        raise ValueError(
            f"each of the {Q} classes needs a sample, but {sorted(set(range(Q)) - set(labels.tolist()))} have none."
        )
    return labels


def clusters(data: Dataset) -> Clusters:
    """The clusters of `data`. Raises ValueError when the means are affinely dependent, naming how far from it they are."""
    labels, X = classes(data), np.asarray(data.inputs)
    Q = data.Q
    means = np.array([X[labels == j].mean(axis=0) for j in range(Q)])
    radii = np.array([np.linalg.norm(X[labels == j] - means[j], axis=1).max() for j in range(Q)])
    edges = means - means.mean(axis=0)
    size = np.linalg.svd(edges, compute_uv=False)
    if Q > 1 and size[Q - 2] <= 1e-10 * size[0]:
        raise ValueError(
            f"the {Q} means must be affinely independent (no three on a line, no four in a plane, ...), but the simplex they "
            f"span is flat: its least extent is {size[Q - 2]:.1e} of {size[0]:.1e}. Project the inputs otherwise, or merge classes."
        )
    gradients = np.linalg.pinv(edges, rcond=1e-10).T if Q > 1 else np.zeros((1, 1))
    with np.errstate(divide="ignore"):
        heights = 1 / np.linalg.norm(gradients, axis=1)
    return Clusters(means, radii, gradients, heights, np.bincount(labels, minlength=Q))


def require_clustered(c: Clusters) -> None:
    """Raises ValueError, naming the cluster and the measured 2δ/h, unless δ < h/2."""
    instance("the argument", c, Clusters, "Pass clusters(data).")
    if c.ratio >= 1:
        widest, flattest = int(c.radii.argmax()), int(c.heights.argmin())
        raise ValueError(
            f"the clustering condition 2δ/h < 1 fails: 2δ/h = {c.ratio:.3f}, with δ = {c.delta:.4g} from cluster {widest} and h = "
            f"{c.heights.min():.4g} at the mean of cluster {flattest}. Shrink the clusters or move the means apart; if the "
            "clusters can be cut off one after the other by hyperplanes, separable_network(data) may still succeed."
        )
