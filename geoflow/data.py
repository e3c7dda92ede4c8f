"""Data sets: generic (drawn from a density), clustered, and scikit-learn's real digits."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64, Int, PRNGKeyArray

from geoflow.checks import float64_array, is_traced, positive_number, prng_key, whole_number
from geoflow.types import ArrayLike


class Dataset(eqx.Module):
    """N samples: inputs (N, M), targets y (N, Q), and labels (N,), the class of each sample, where there are classes.

    Raises TypeError for float32 (rank is decided in float64), complex, masked or sparse arrays; ValueError for NaN, infinity,
    N, M or Q of zero, numbers of samples that differ, or labels that contradict one-hot targets.
    """

    inputs: Float64[Array, "N M"]
    targets: Float64[Array, "N Q"]
    labels: Int[Array, " N"] | None

    def __init__(self, inputs: ArrayLike, targets: ArrayLike, labels: ArrayLike | None = None):
        self.inputs = float64_array("inputs", inputs, 2, "(N samples, M)")
        self.targets = float64_array("targets", targets, 2, "(N samples, Q)")
        if self.inputs.shape[0] != self.targets.shape[0]:
            raise ValueError(
                f"inputs and targets must have one row per sample, got {self.inputs.shape[0]} and "
                f"{self.targets.shape[0]} rows."
            )
        if labels is not None:
            labels = _whole_labels(labels)
            if labels.shape != (self.N,):
                raise ValueError(
                    f"labels must be {self.N} whole numbers, one per sample, got shape {labels.shape}."
                )
            if not (is_traced(labels) or is_traced(self.targets)):
                _require_agreement(np.asarray(labels), np.asarray(self.targets))
        self.labels = labels

    @property
    def N(self) -> int:
        return self.inputs.shape[0]

    @property
    def M(self) -> int:
        return self.inputs.shape[1]

    @property
    def Q(self) -> int:
        return self.targets.shape[1]

    def __hash__(self) -> int:
        """By content, so that `jax.jit(problem.cost)` and the like work. Raises TypeError under a transformation."""
        arrays = [a for a in (self.inputs, self.targets, self.labels) if a is not None]
        if any(is_traced(a) for a in arrays):
            raise TypeError(
                "a data set under a JAX transformation has no values to hash: pass it as an argument instead."
            )
        return hash(tuple((a.shape, np.asarray(a).tobytes()) for a in arrays))


def _whole_labels(labels: object) -> Array:
    if isinstance(labels, np.ma.MaskedArray):
        raise TypeError("labels are a masked array: drop the masked samples first.")
    array = labels if isinstance(labels, jax.Array) else np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"labels must be whole numbers, the class of each sample from 0, got {array.dtype}: for words or truth values "
            "number the classes first, as numpy.unique(labels, return_inverse=True)[1] does."
        )
    return jnp.asarray(array).astype(int)


def _require_agreement(labels: np.ndarray, targets: np.ndarray) -> None:
    """Labels name a row's class: where the targets are unit vectors, it has to be theirs."""
    if labels.min() < 0:
        raise ValueError(
            f"labels must be classes from 0, got {labels.min()}: a negative label would count from the end."
        )
    Q = targets.shape[1]
    units = ((targets == 0) | (targets == 1)).all() and (targets.sum(axis=1) == 1).all() and Q > 1
    if units:
        wrong = np.flatnonzero(targets.argmax(axis=1) != labels)
        if wrong.size:
            j = int(wrong[0])
            raise ValueError(
                f"labels and one-hot targets disagree in {wrong.size} of {len(labels)} samples: sample {j} has label "
                f"{labels[j]} and target e_{targets[j].argmax()}. Make the targets with one_hot(labels, Q)."
            )


def one_hot(labels: ArrayLike, Q: int) -> Float64[Array, "N Q"]:
    """y_j = e_(label of j), the unit vectors of R^Q. labels: whole numbers (N,) in 0..Q−1.

    Raises TypeError for what are no whole numbers, ValueError for another shape or a label out of range.
    """
    Q, array = whole_number("Q", Q), _whole_labels(labels)
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"labels must be one whole number per sample, (N,), got shape {tuple(array.shape)}."
        )
    if not is_traced(array):
        outside = np.flatnonzero((np.asarray(array) < 0) | (np.asarray(array) >= Q))
        if outside.size:
            j = int(outside[0])
            raise ValueError(
                f"labels must be the classes 0..{Q - 1} of Q = {Q}, got {int(array[j])} at sample {j}."
            )
    return jnp.eye(Q)[array]


def generic(
    key: PRNGKeyArray, samples: int, inputs: int, outputs: int, targets: str = "gaussian"
) -> Dataset:
    """Standard normal inputs (N, M); targets standard normal ("gaussian") or unit vectors of random classes ("one-hot").

    Only "gaussian" targets are generic in the sense of NA Theorem 1.6 (drawn from a density on R^QN).
    """
    N, M, Q = (
        whole_number("samples N", samples),
        whole_number("inputs M", inputs),
        whole_number("outputs Q", outputs),
    )
    key_x, key_y = jax.random.split(prng_key(key))
    X = jax.random.normal(key_x, (N, M))
    if targets == "gaussian":
        return Dataset(X, jax.random.normal(key_y, (N, Q)))
    if targets == "one-hot":
        labels = jax.random.permutation(key_y, jnp.arange(N) % Q)
        return Dataset(X, one_hot(labels, Q), labels)
    raise ValueError(f"unknown targets {targets!r}: use 'gaussian' or 'one-hot'.")


def clustered(
    key: PRNGKeyArray, samples_per_cluster: int, means: ArrayLike, radius: float
) -> Dataset:
    """Balls around the rows of `means` (Q, M), one class each, N = Q·samples_per_cluster, targets the unit vectors of R^Q.

    Points are uniform in the ball of that radius: the clustered data of NA §1.3.3 and of the constructive minimizers.
    """
    n = whole_number("samples_per_cluster", samples_per_cluster)
    means = float64_array("means", means, 2, "(Q clusters, M)")
    radius = positive_number("radius", radius, zero_allowed=True)
    Q, M = means.shape
    labels = jnp.repeat(jnp.arange(Q), n)
    offsets = radius * jax.random.ball(prng_key(key), M, shape=(Q * n,), dtype=jnp.float64)
    return Dataset(means[labels] + offsets, one_hot(labels, Q), labels)


def digits(
    samples: int, components: int = 64, classes: Sequence[int] = tuple(range(10))
) -> Dataset:
    """Real handwritten digits (scikit-learn, 8×8 images): the first samples/len(classes) images of each class.

    Inputs (N, components): the images centred, projected on their leading principal components (of the whole collection)
    and divided by one common number so that the mean square of an input is 1. Targets: unit vectors of R^len(classes).
    Needs scikit-learn (the extra `data` of this package).
    """
    N, M = whole_number("samples N", samples), whole_number("components", components)
    try:
        chosen_classes = [whole_number("a class", c, least=0) for c in classes]
    except TypeError:
        chosen_classes = []
    if (
        len(set(chosen_classes)) != len(chosen_classes)
        or not chosen_classes
        or not set(chosen_classes) <= set(range(10))
    ):
        raise ValueError(f"classes must be different digits 0..9, got {classes!r}.")
    if N % len(chosen_classes):
        raise ValueError(
            f"samples must be a multiple of the {len(chosen_classes)} classes, got {N}."
        )
    if M > 64:
        raise ValueError(f"components must be at most 64 (the images are 8×8), got {M}.")
    try:
        from sklearn.datasets import load_digits
        from sklearn.decomposition import PCA
    except ImportError as error:
        raise ImportError(
            "digits() reads scikit-learn's images: pip install 'geoflow[data]'."
        ) from error

    images, classes_of_images = load_digits(return_X_y=True)
    per_class = N // len(chosen_classes)
    rows = [np.flatnonzero(classes_of_images == c)[:per_class] for c in chosen_classes]
    fewest = min(len(r) for r in rows)
    if fewest < per_class:
        raise ValueError(
            f"there are only {fewest} images of some class, but {per_class} were asked for."
        )
    projected = PCA(M, svd_solver="full").fit_transform(images.astype(np.float64))
    chosen = projected[np.concatenate(rows)]
    labels = np.repeat(np.arange(len(chosen_classes)), per_class)
    return Dataset(
        chosen / np.sqrt(np.mean(chosen**2)), one_hot(labels, len(chosen_classes)), labels
    )
