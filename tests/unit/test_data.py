"""Data sets: shapes, distributions, scikit-learn's digits, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits

import geoflow as gf


def test_generic_data_are_standard_normal_and_follow_the_key():
    data = gf.generic(jax.random.key(3), samples=2000, inputs=5, outputs=4)
    assert data.inputs.shape == (2000, 5)
    assert data.targets.shape == (2000, 4)
    assert (data.N, data.Q, data.labels) == (2000, 4, None)
    for drawn in (data.inputs, data.targets):
        # at least 8000 draws: five standard errors of a mean and a deviation
        assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
        assert abs(drawn.std() - 1) < 5 / np.sqrt(2 * drawn.size)
    correlation = np.corrcoef(data.inputs[:, 0], data.targets[:, 0])[0, 1]
    assert abs(correlation) < 0.12
    assert np.array_equal(data.inputs, gf.generic(jax.random.key(3), 2000, 5, 4).inputs)
    assert not np.array_equal(data.inputs, gf.generic(jax.random.key(4), 2000, 5, 4).inputs)


def test_one_hot_targets_are_unit_vectors_of_balanced_classes():
    data = gf.generic(jax.random.key(0), 11, 2, 3, targets="one-hot")
    assert sorted(np.bincount(data.labels)) == [3, 4, 4]
    assert np.array_equal(data.targets, np.eye(3)[np.asarray(data.labels)])
    assert np.array_equal(gf.one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])


def test_clustered_data_lie_in_their_balls():
    means = jnp.array([[0.0, 3.0], [2.0, -1.0], [-4.0, 0.0]])
    data = gf.clustered(jax.random.key(0), 200, means, radius=0.5)
    assert (data.N, data.Q) == (600, 3)
    distance = np.linalg.norm(data.inputs - means[data.labels], axis=1)
    assert distance.max() < 0.5
    assert distance.max() > 0.48  # uniform in the disc: P(no point beyond .48) = (.96²)^600 ~ 1e-21
    # uniform in the disc of radius r has mean distance 2r/3
    assert abs(distance.mean() - 0.5 * 2 / 3) < 0.03
    assert np.array_equal(np.bincount(data.labels), [200, 200, 200])
    assert np.array_equal(data.targets, np.eye(3)[np.asarray(data.labels)])
    assert np.array_equal(
        gf.clustered(jax.random.key(0), 2, means, radius=0.0).inputs,
        means[jnp.repeat(jnp.arange(3), 2)],
    )


def test_digits_are_the_first_real_images_of_each_class():
    data = gf.digits(60, components=64)
    assert (data.N, data.Q, data.inputs.shape) == (60, 10, (60, 64))
    assert np.array_equal(np.bincount(data.labels), np.full(10, 6))
    assert np.array_equal(data.targets, np.eye(10)[np.asarray(data.labels)])
    assert np.mean(np.asarray(data.inputs) ** 2) == pytest.approx(1.0, rel=1e-12)
    # with all 64 components the projection is a rotation: distances between images survive, up to the one scale
    images, classes = load_digits(return_X_y=True)
    chosen = np.concatenate([images[classes == c][:6] for c in range(10)])
    before = np.linalg.norm(chosen[:, None] - chosen[None], axis=2)
    after = np.linalg.norm(np.asarray(data.inputs)[:, None] - np.asarray(data.inputs)[None], axis=2)
    scale = before[0, 1] / after[0, 1]
    assert np.allclose(before, scale * after, rtol=0, atol=1e-9 * before.max())


def test_fewer_components_are_the_leading_ones():
    few, all_ = (
        gf.digits(20, components=5, classes=(3, 8)),
        gf.digits(20, components=64, classes=(3, 8)),
    )
    ratio = few.inputs / all_.inputs[:, :5]
    assert np.ptp(np.asarray(ratio)) < 1e-10
    assert few.Q == 2
    assert np.array_equal(few.labels, [0] * 10 + [1] * 10)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"samples": 25}, "multiple of the 10 classes, got 25"),
        ({"samples": 20, "components": 65}, "at most 64"),
        ({"samples": 2, "classes": (1, 1)}, "different digits"),
        ({"samples": 2, "classes": (1, 10)}, "different digits"),
        ({"samples": 5000}, r"only \d+ images of some class, but 500"),
        ({"samples": 0}, "samples N must be a whole number of at least 1, got 0"),
    ],
)
def test_digits_refuse(arguments, words):
    with pytest.raises(ValueError, match=words):
        gf.digits(**arguments)


def test_generic_refuses():
    with pytest.raises(ValueError, match=r"unknown targets 'ones'.*gaussian.*one-hot"):
        gf.generic(jax.random.key(0), 3, 2, 1, targets="ones")
    for sizes, name in [
        ((0, 2, 1), "samples N"),
        ((3, 0, 1), "inputs M"),
        ((3, 2, 0), "outputs Q"),
    ]:
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got 0"):
            gf.generic(jax.random.key(0), *sizes)


@pytest.mark.usefixtures("as_a_user")
def test_datasets_refuse_what_would_go_wrong_later():
    X, Y = np.ones((3, 2)), np.ones((3, 1))
    with pytest.raises(
        TypeError, match=r"inputs must be float64, got float32.*astype\('float64'\)"
    ):
        gf.Dataset(X.astype(np.float32), Y)
    with pytest.raises(TypeError, match="targets must be float64, got float32"):
        gf.Dataset(X, jnp.ones((3, 1), jnp.float32))
    with pytest.raises(
        ValueError,
        match=r"targets must be finite, but 1 of 3 entries are NaN or infinite.*\(1, 0\)",
    ):
        gf.Dataset(X, np.array([[0.0], [np.nan], [0.0]]))
    with pytest.raises(ValueError, match="inputs must be finite"):
        gf.Dataset(np.full((3, 2), np.inf), Y)
    with pytest.raises(ValueError, match="one row per sample, got 3 and 2"):
        gf.Dataset(X, Y[:2])
    with pytest.raises(ValueError, match=r"inputs must have 2 axes.*got shape \(3,\)"):
        gf.Dataset(X[:, 0], Y)
    with pytest.raises(ValueError, match=r"inputs .*must not be empty, got shape \(0, 2\)"):
        gf.Dataset(X[:0], Y[:0])
    with pytest.raises(ValueError, match=r"targets .*must not be empty, got shape \(3, 0\)"):
        gf.Dataset(X, Y[:, :0])
    with pytest.raises(ValueError, match="labels must be 3 whole numbers"):
        gf.Dataset(X, Y, labels=[0, 1])
    with pytest.raises(TypeError, match=r"labels must be whole numbers.*got float64"):
        gf.Dataset(X, Y, labels=[0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="radius must be a finite number, zero or above, got -1"):
        gf.clustered(jax.random.key(0), 2, X, radius=-1.0)


def test_whole_numbers_become_float64():
    data = gf.Dataset(np.arange(6).reshape(3, 2), [[0], [1], [1]])
    assert data.inputs.dtype == data.targets.dtype == jnp.float64
