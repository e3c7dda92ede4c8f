"""Data sets: generic (drawn from a density), clustered, and scikit-learn's real digits."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64, Int, PRNGKeyArray

from geoflow._checks import float64_array, positive_integer, positive_number


class Dataset(eqx.Module):
    """N samples: inputs (N, M), targets y (N, Q), and labels (N,), the class of each sample, where there are classes.

    Raises TypeError for float32 (rank is decided in float64), ValueError for NaN, infinity, N, M or Q of zero, or
    numbers of samples that differ.
    """

    inputs: Float64[Array, "N M"]
    targets: Float64[Array, "N Q"]
    labels: Int[Array, " N"] | None

    def __init__(self, inputs, targets, labels=None):
        self.inputs = float64_array("inputs", inputs, 2, "(N samples, M)")
        self.targets = float64_array("targets", targets, 2, "(N samples, Q)")
        if self.inputs.shape[0] != self.targets.shape[0]:
            raise ValueError(
                f"inputs and targets must have one row per sample, got {self.inputs.shape[0]} and "
                f"{self.targets.shape[0]} rows."
            )
        if labels is not None:
            labels = jnp.asarray(labels)
            if labels.shape != (self.N,) or not jnp.issubdtype(labels.dtype, jnp.integer):
                raise ValueError(
                    f"labels must be {self.N} whole numbers, one per sample, got shape {labels.shape} of {labels.dtype}."
                )
        self.labels = labels

    @property
    def N(self) -> int:
        return self.inputs.shape[0]

    @property
    def Q(self) -> int:
        return self.targets.shape[1]


def one_hot(labels, Q: int) -> Float64[Array, "N Q"]:
    """y_j = e_(label of j), the unit vectors of R^Q."""
    return jnp.eye(Q)[jnp.asarray(labels)]


def generic(key: PRNGKeyArray, samples: int, inputs: int, outputs: int, targets: str = "gaussian") -> Dataset:
    """Standard normal inputs (N, M); targets standard normal ("gaussian") or unit vectors of random classes ("one-hot").

    Only "gaussian" targets are generic in the sense of NA Theorem 1.6 (drawn from a density on R^QN).
    """
    N, M, Q = (
        positive_integer(n, v) for n, v in [("samples N", samples), ("inputs M", inputs), ("outputs Q", outputs)]
    )
    key_x, key_y = jax.random.split(key)
    X = jax.random.normal(key_x, (N, M))
    if targets == "gaussian":
        return Dataset(X, jax.random.normal(key_y, (N, Q)))
    if targets == "one-hot":
        labels = jax.random.permutation(key_y, jnp.arange(N) % Q)
        return Dataset(X, one_hot(labels, Q), labels)
    raise ValueError(f"unknown targets {targets!r}: use 'gaussian' or 'one-hot'.")


def clustered(key: PRNGKeyArray, samples_per_cluster: int, means, radius: float) -> Dataset:
    """Balls around the rows of `means` (Q, M), one class each, N = Q·samples_per_cluster, targets the unit vectors of R^Q.

    Points are uniform in the ball of that radius: the clustered data of NA §1.3.3 and of the constructive minimizers.
    """
    n = positive_integer("samples_per_cluster", samples_per_cluster)
    means = float64_array("means", means, 2, "(Q clusters, M)")
    radius = positive_number("radius", radius, zero_allowed=True)
    Q, M = means.shape
    labels = jnp.repeat(jnp.arange(Q), n)
    offsets = radius * jax.random.ball(key, M, shape=(Q * n,), dtype=jnp.float64)
    return Dataset(means[labels] + offsets, one_hot(labels, Q), labels)


def digits(samples: int, components: int = 64, classes=tuple(range(10))) -> Dataset:
    """Real handwritten digits (scikit-learn, 8×8 images): the first samples/len(classes) images of each class.

    Inputs (N, components): the images centred, projected on their leading principal components (of the whole collection)
    and divided by one common number so that the mean square of an input is 1. Targets: unit vectors of R^len(classes).
    """
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    N, M = positive_integer("samples N", samples), positive_integer("components", components)
    classes = list(classes)
    if len(set(classes)) != len(classes) or not classes or not set(classes) <= set(range(10)):
        raise ValueError(f"classes must be different digits 0..9, got {classes}.")
    if N % len(classes):
        raise ValueError(f"samples must be a multiple of the {len(classes)} classes, got {N}.")
    if M > 64:
        raise ValueError(f"components must be at most 64 (the images are 8×8), got {M}.")
    images, classes_of_images = load_digits(return_X_y=True)
    per_class = N // len(classes)
    rows = [np.flatnonzero(classes_of_images == c)[:per_class] for c in classes]
    fewest = min(len(r) for r in rows)
    if fewest < per_class:
        raise ValueError(f"there are only {fewest} images of some class, but {per_class} were asked for.")
    projected = PCA(M, svd_solver="full").fit_transform(images.astype(np.float64))
    chosen = projected[np.concatenate(rows)]
    labels = np.repeat(np.arange(len(classes)), per_class)
    return Dataset(chosen / np.sqrt(np.mean(chosen**2)), one_hot(labels, len(classes)), labels)
