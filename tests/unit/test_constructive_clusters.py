"""Clusters, measured: means, radii, heights, barycentric coordinates, and what is no clustered data set at all."""

import constructive_reference as plain
import numpy as np
import pytest
from constructive_cases import Clouds, clouds, data_of
from hypothesis import given
from strategies import relative

import geoflow as gf
from geoflow import constructive as con


@given(clouds())
def test_measured_by_other_means(drawn):
    c = con.clusters(drawn.data)
    assert c.Q == drawn.Q
    assert relative(c.means, drawn.means) < 1e-12
    assert np.array_equal(c.sizes, drawn.sizes)
    radii = [
        max(np.linalg.norm(x - c.means[j]) for x in drawn.X[drawn.labels == j])
        for j in range(drawn.Q)
    ]
    assert np.abs(c.radii - radii).max() <= 1e-14 * np.abs(drawn.X).max()
    assert c.delta == max(c.radii)
    if drawn.Q == 1:
        assert np.isinf(c.heights).all()
        assert c.ratio == 0
        return
    assert c.heights == pytest.approx(plain.heights(drawn.means), rel=1e-9)
    if max(drawn.sizes) > 1:
        assert c.ratio == pytest.approx(drawn.ratio, rel=1e-9, abs=1e-9)
    coordinates = c.barycentric(drawn.X)
    assert relative(coordinates, plain.barycentric(drawn.means, drawn.X)) < 1e-9
    assert coordinates.sum(axis=1) == pytest.approx(np.ones(drawn.N), abs=1e-9)
    assert c.barycentric(c.means) == pytest.approx(np.eye(drawn.Q), abs=1e-9)


def test_by_hand():
    """A right triangle with legs 3 and 4 in a corner of R³: heights 4, 3 and 12/5."""
    means = np.array([[4.0, 0.0, 7.0], [0.0, 3.0, 7.0], [0.0, 0.0, 7.0]])
    up = np.array([0, 0, 0.5])
    X = np.vstack([means + up, means - up])
    c = con.clusters(data_of(X, np.array([0, 1, 2, 0, 1, 2]), 3))
    assert c.heights == pytest.approx([4, 3, 12 / 5], rel=1e-14)
    assert c.radii == pytest.approx([0.5, 0.5, 0.5])
    assert c.ratio == pytest.approx(5 / 12)
    con.require_clustered(c)


def test_the_condition_that_fails_names_the_clusters_and_the_number():
    """Cluster 1 is the wide one, and the mean of cluster 2 is closest to the others' line."""
    means = np.array([[4.0, 0.0, 7.0], [0.0, 3.0, 7.0], [0.0, 0.0, 7.0]])
    wide = np.array([0.1, 1.5, 0.1])[:, None] * [0, 0, 1.0]
    data = data_of(np.vstack([means + wide, means - wide]), np.array([0, 1, 2, 0, 1, 2]), 3)
    message = r"2δ/h = 1\.250, with δ = 1\.5 from cluster 1 and h = 2\.4 at the mean of cluster 2.*separable_network"
    for build in (
        con.zero_loss_network,
        con.two_layer_network,
        lambda d: con.require_clustered(con.clusters(d)),
    ):
        with pytest.raises(ValueError, match=message):
            build(data)


@pytest.mark.usefixtures("as_a_user")
def test_refuses_what_is_no_clustered_data_set():
    drawn = Clouds((2, 3, 2))
    X, Y, labels = drawn.X, drawn.Y, drawn.labels
    for build in (
        con.clusters,
        con.zero_loss_network,
        con.separable_network,
        lambda d: con.local_minimum(d, (0,)),
    ):
        with pytest.raises(ValueError, match=r"give Dataset\(inputs, targets, labels\)"):
            build(gf.Dataset(X, Y))
        with pytest.raises(
            ValueError, match=r"inputs must lie in R\^Q with Q = 3 classes, got R\^2: project"
        ):
            build(gf.Dataset(X[:, :2], Y, labels))
        with pytest.raises(ValueError, match=r"targets must be the unit vectors e_j of the labels"):
            build(gf.Dataset(X, 2 * Y, labels))
        for no_data in (X, drawn, gf.Dataset):
            with pytest.raises(
                TypeError,
                match=r"(?s)data must be a Dataset, got .*(Dataset\(inputs, targets, labels\)|The order is)",
            ):
                build(no_data)
    with pytest.raises(ValueError, match=r"labels must be the classes 0\.\.2, got 1 to 3"):
        # targets that are no unit vectors: else the data set itself refuses
        con.clusters(gf.Dataset(X, 2 * Y, labels + 1))
    with pytest.raises(
        TypeError, match=r"(?s)the argument must be a Clusters, got Dataset .*Pass clusters\(data\)"
    ):
        con.require_clustered(drawn.data)
    for x in (np.ones((2, 4)), np.ones((1, 2))):
        with pytest.raises(ValueError, match=r"x must hold points of R\^Q with Q = 3, got shape"):
            con.clusters(drawn.data).barycentric(x)
    missing = np.where(labels == 1, 0, labels)
    with pytest.raises(
        ValueError, match=r"each of the 3 classes needs a sample, but \[1\] have none"
    ):
        con.clusters(data_of(X, missing, 3))


def test_means_on_a_line_or_on_one_spot():
    on_a_line = data_of(np.array([[0.0, 0, 0], [1, 1, 1], [3, 3, 3]]), np.arange(3), 3)
    with pytest.raises(
        ValueError,
        match=r"3 means must be affinely independent .*flat: its least extent is .*e-1\d of 3",
    ):
        con.clusters(on_a_line)
    with pytest.raises(ValueError, match="affinely independent"):
        con.clusters(data_of(np.ones((4, 2)), np.array([0, 1, 0, 1]), 2))
    # small is not flat
    con.clusters(data_of(np.array([[1e-3, 0.0], [1.1e-3, 0.0]]), np.arange(2), 2))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_flat_is_relative(scale):
    """A triangle of height 1e-9 of its base is none too flat, one of 1e-11 is, in any unit; so is what is clustered."""
    for height, flat in ((1e-9, False), (1e-11, True)):
        data = data_of(
            scale * np.array([[0.0, 0, 0], [1, 0, 0], [0.4, height, 0]]), np.arange(3), 3
        )
        if flat:
            with pytest.raises(ValueError, match=r"flat: its least extent is .*e-\d\d of"):
                con.clusters(data)
        else:
            assert con.clusters(data).heights[2] == pytest.approx(scale * height, rel=1e-6)
    drawn = Clouds((5, 4, 6), 1.2, 3)
    c, scaled = con.clusters(drawn.data), con.clusters(data_of(scale * drawn.X, drawn.labels, 3))
    assert scaled.ratio == pytest.approx(c.ratio, rel=1e-11)
    assert scaled.heights == pytest.approx(scale * c.heights, rel=1e-11)
    assert scaled.barycentric(scale * drawn.X) == pytest.approx(c.barycentric(drawn.X), abs=1e-11)
