"""Clusters that can be cut off one by one though 2δ/h ≥ 1, and some that can't."""

import re

import constructive_reference as plain
import numpy as np
import pytest
from constructive_cases import Clouds, clouds, data_of, layers_of, order_of
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from geoflow import constructive as con


def assert_built(made, X, labels, Q, tolerance=1e-12):
    layers = layers_of(made)
    assert np.abs(plain.outputs(layers, X) - np.eye(Q)[labels]).max() <= tolerance
    assert made.problem.network.widths == (Q,) * (Q + 2)
    assert sorted(order_of(made)) == list(range(Q))
    z = X
    for j, cone, x in zip(order_of(made), made.cones, plain.activities(layers, X), strict=True):
        frame = (z - cone.p) @ cone.V.T
        behind = (frame < 0).all(axis=1)
        assert (behind | (frame > 0).all(axis=1)).all()
        # the cluster alone, not the base points before it
        assert np.array_equal(behind, labels == j)
        z = np.where(behind[:, None], cone.p, z)
        assert np.abs(x - (z - cone.p) @ cone.V.T).max() < 1e-11 * (
            np.abs(X).max() + np.abs(cone.p).max()
        )
    return layers


@st.composite
def slabs(draw):
    """Pancakes one above the other, wide in the other directions: 2δ/h far above 1, and in no special order or position."""
    Q, rng = draw(st.integers(2, 4)), np.random.default_rng(draw(seeds))
    labels = np.repeat(np.arange(Q), 6)
    wide = rng.uniform(-4, 4, size=(len(labels), Q))
    for j in range(Q):
        wide[labels == j] += rng.normal(size=Q) - wide[labels == j].mean(axis=0)
    wide[:, 0] = labels + rng.uniform(-0.2, 0.2, size=len(labels))
    turn = np.linalg.qr(rng.normal(size=(Q, Q)))[0]
    names = rng.permutation(Q)
    order = rng.permutation(len(labels))
    return (
        (draw(st.sampled_from([1e-6, 1.0, 1e6])) * (wide @ turn + 1))[order],
        names[labels][order],
        Q,
    )


@given(slabs())
def test_pancakes(drawn):
    """Two always come apart; of more, the middle ones only where no base point is left both above and below them."""
    X, labels, Q = drawn
    data = data_of(X, labels, Q)
    if con.clusters(data).ratio >= 1:
        with pytest.raises(ValueError, match="the clustering condition"):
            con.zero_loss_network(data)
    try:
        made = con.separable_network(data)
    except ValueError as error:
        made, refusal = None, str(error)
    if made is None:
        assert Q > 2
        assert re.search(r"at best [2-3] of them \[", refusal)
    else:
        assert_built(made, X, labels, Q, 1e-11)


@given(clouds(4, st.sampled_from([1.0, 0.3])))
def test_clustered_data_are_separable(drawn):
    """The theorem's hypothesis is the stronger one."""
    assert_built(con.separable_network(drawn.data), drawn.X, drawn.labels, drawn.Q)


def test_the_order_matters():
    """Cluster 1 lies in the triangle that cluster 2, a wide one, spans with 0: it is free when 2 has shrunk to a point."""
    X = np.array([[3.0, 0, 0], [1, 1, 0], [0, 3, 0], [0, -3, 0]])
    data = data_of(X, np.array([0, 1, 2, 2]), 3)
    assert con.clusters(data).ratio > 1
    made = con.separable_network(data)
    assert order_of(made) == [0, 2, 1]
    assert_built(made, X, np.array([0, 1, 2, 2]), 3)
    cross = data_of(np.array([[-3.0, 0], [3, 0], [0, -3], [0, 3.5]]), np.array([0, 0, 1, 1]), 2)
    with pytest.raises(
        ValueError, match=r"at best 0 of them \[\], and then none of 0, 1 lies on one side"
    ):
        con.separable_network(cross)


def test_the_clusters_that_overlap_are_named():
    """0 and 2 interlock, 1 stands apart."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    labels = np.arange(60) % 3
    X[labels == 1] += [50, 0, 0]
    X[labels == 0] += [0, 0.3, 0]
    data = data_of(X, labels, 3)
    ratio = (
        2
        * con.clusters(data).delta
        / plain.heights([X[labels == j].mean(axis=0) for j in range(3)]).min()
    )
    with pytest.raises(
        ValueError,
        match=r"no order of the 3 clusters .*at best 1 of them \[1\], and then none of 0, 2 lies",
    ) as refusal:
        con.separable_network(data)
    assert f"2δ/h = {ratio:.3f}" in str(refusal.value)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_separable_is_relative(scale):
    """A gap of 1e-4 of the whole is one, in any unit; a narrower one asks for too steep a cone; what overlaps is refused."""
    for gap in (1e-2, 1e-4, 1e-7, -1e-7, -1e-3):
        X = scale * np.array([[0.0, 0], [1 - gap / 2, 0], [1 + gap / 2, 0], [2, 0.5]])
        data = data_of(X, np.array([0, 0, 1, 1]), 2)
        if gap == 1e-7:
            with pytest.raises(
                ValueError,
                match=r"would miss its targets by .* too ill-conditioned \(cond V up to [1-9]\.\de\+07",
            ):
                con.separable_network(data)
        elif gap > 0:
            made = con.separable_network(data)
            assert np.abs(plain.outputs(layers_of(made), X) - data.targets).max() < 1e-9
        else:
            with pytest.raises(ValueError, match="no order of the 2 clusters"):
                con.separable_network(data)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_independent_base_points_are_relative(scale):
    """A simplex 3e-4 as high as it is long is none too flat, however short it is."""
    X, labels = scale * np.array([[0.0, 0, 0], [1, 0, 0], [0.4, 3e-4, 0]]), np.arange(3)
    assert_built(con.separable_network(data_of(X, labels, 3)), X, labels, 3, 1e-11)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    drawn = Clouds((3, 3), 0.5)
    for opening in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match="the opening must be a fraction between 0 and 1, got"):
            con.separable_network(drawn.data, opening)
    with pytest.raises(TypeError, match="the opening must be one number, got None"):
        con.separable_network(drawn.data, None)


def test_clusters_that_touch_and_a_single_one():
    touching = data_of(np.array([[0.0, 0], [1, 0], [1, 0], [2, 0.5]]), np.array([0, 0, 1, 1]), 2)
    with pytest.raises(ValueError, match="no order of the 2 clusters"):
        con.separable_network(touching)
    one = Clouds((5,), 0.5)
    assert_built(con.separable_network(one.data), one.X, one.labels, 1)
    far = Clouds((5,), 0.5, scale=1e3, shift=1e4)
    assert_built(con.separable_network(far.data), far.X, far.labels, 1)


def test_real_data():
    """Wine, projected on two discriminants and a principal component: 2δ/h > 1, separable all the same. Iris is not."""
    from sklearn.datasets import load_iris, load_wine
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    wine = load_wine()
    X = (wine.data - wine.data.mean(axis=0)) / wine.data.std(axis=0)
    X = np.hstack(
        [
            LinearDiscriminantAnalysis(n_components=2).fit_transform(X, wine.target),
            PCA(1).fit_transform(X),
        ]
    )
    X = X / X.std(axis=0)
    data = data_of(X, wine.target, 3)
    assert 1.5 < con.clusters(data).ratio < 2
    assert_built(con.separable_network(data), X, wine.target, 3)
    iris = load_iris()
    X = PCA(3).fit_transform(iris.data)
    with pytest.raises(ValueError, match=r"at best 1 of them \[0\], and then none of 1, 2 lies"):
        con.separable_network(data_of(X, iris.target, 3))
