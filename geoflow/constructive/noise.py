"""Noise-to-signal ratios of clusters, layer by layer."""

import numpy as np


def noise_to_signal(z, labels) -> float:
    """sup |z − mean of its cluster| over the least distance of two clusters' means; z (N, Q), labels (N,).

    0 for collapsed clusters, infinite where means coincide and points do not.
    """
    z = np.asarray(z)
    names, first, labels = np.unique(np.asarray(labels), return_index=True, return_inverse=True)
    offsets = z - z[first][labels]  # equal points have the mean 0 exactly
    shifts = np.array([offsets[labels == j].mean(axis=0) for j in range(len(names))])
    means, noise = z[first] + shifts, np.linalg.norm(offsets - shifts[labels], axis=1).max()
    apart = np.linalg.norm(means[:, None] - means[None], axis=2)
    signal = apart[~np.eye(len(means), dtype=bool)].min() if len(means) > 1 else 1.0
    if noise == 0:
        return 0.0
    return float(noise / signal) if signal > 0 else np.inf


def noisy_clusters(z, labels) -> int:
    """How many clusters still have two different points."""
    z, labels = np.asarray(z), np.asarray(labels)
    return sum(bool(np.ptp(z[labels == j], axis=0).max() > 0) for j in np.unique(labels))
