"""Noise-to-signal ratios of clusters, layer by layer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoflow.checks import float64_array
from geoflow.types import ArrayLike, Floats


def noise_to_signal(z: ArrayLike, labels: ArrayLike) -> float:
    """sup |z − mean of its cluster| over the least distance of two clusters' means; z (N, Q), labels (N,).

    0 for collapsed clusters, infinite where means coincide and points do not.
    """
    z, labels = _points(z, labels)
    names, first, labels = np.unique(labels, return_index=True, return_inverse=True)
    offsets = z - z[first][labels]  # equal points have the mean 0 exactly
    shifts = np.array([offsets[labels == j].mean(axis=0) for j in range(len(names))])
    means, noise = z[first] + shifts, np.linalg.norm(offsets - shifts[labels], axis=1).max()
    apart = np.linalg.norm(means[:, None] - means[None], axis=2)
    signal = apart[~np.eye(len(means), dtype=bool)].min() if len(means) > 1 else 1.0
    if noise == 0:
        return 0.0
    return float(noise / signal) if signal > 0 else np.inf


def noisy_clusters(z: ArrayLike, labels: ArrayLike) -> int:
    """How many clusters still have two different points."""
    z, labels = _points(z, labels)
    return sum(bool(np.ptp(z[labels == j], axis=0).max() > 0) for j in np.unique(labels))


def _points(z: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[Any]]:
    """z (N, Q) and its labels (N,). Raises TypeError or ValueError else."""
    if isinstance(labels, np.ma.MaskedArray):
        raise TypeError("labels are a masked array: drop the masked points first.")
    z, labels = np.asarray(float64_array("z", z, 2, "(N, Q)")), np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers, one per point, got {labels.dtype}.")
    if labels.shape != z.shape[:1]:
        raise ValueError(
            f"labels must be one whole number per point, ({len(z)},), got shape {labels.shape}."
        )
    return z, labels
