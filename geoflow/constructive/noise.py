"""Noise-to-signal ratios of clusters, layer by layer."""

import numpy as np


def noise_to_signal(z, labels) -> float:
    """sup |z − mean of its cluster| over the least distance of two clusters' means; z (N, Q), labels (N,). 0 for collapsed clusters."""
    z, labels = np.asarray(z), np.asarray(labels)
    means = np.array([z[labels == j].mean(axis=0) for j in np.unique(labels)])
    noise = np.linalg.norm(z - means[np.searchsorted(np.unique(labels), labels)], axis=1).max()
    apart = np.linalg.norm(means[:, None] - means[None], axis=2)
    signal = apart[~np.eye(len(means), dtype=bool)].min() if len(means) > 1 else 1.0
    return float(noise / signal)


def noisy_clusters(z, labels) -> int:
    """How many clusters still have two different points."""
    z, labels = np.asarray(z), np.asarray(labels)
    return sum(bool(np.ptp(z[labels == j], axis=0).max() > 0) for j in np.unique(labels))
