"""Networks of zero loss, layer by layer against plain numpy."""

import re

import constructive_reference as plain
import numpy as np
import pytest
from constructive_cases import Clouds, clouds, data_of, layers_of, order_of
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import seeds

from geoflow import constructive as con


def miss(made, drawn):
    """max |F − y| by the plain forward pass."""
    return np.abs(plain.outputs(layers_of(made), drawn.X) - drawn.Y).max()


def assert_truncates(made, drawn, lam=None):
    """Every layer by the theorem: x^(l) = V_l(z^(l) − p_l), z^(l) = τ_l(z^(l−1)), one cluster a layer to its p_l."""
    Q, layers = drawn.Q, layers_of(made)
    x = plain.activities(layers, drawn.X)
    z, size = drawn.X, np.abs(drawn.X).max()
    assert np.array_equal(made.stages[0], drawn.X)
    assert order_of(made) == list(range(Q))
    for j, cone in enumerate(made.cones):
        V, rounding = cone.V, 1e-13 * size * cone.condition * Q
        frame = (z - cone.p) @ V.T
        forward = (frame > 0).all(axis=1)
        assert (forward | (frame < 0).all(axis=1)).all()  # no point between the cones
        assert np.array_equal(~forward, drawn.labels == j)  # exactly cluster j behind
        images = np.array([plain.truncation(V, -V @ cone.p, point) for point in z])
        assert np.abs(images - np.where(forward[:, None], z, cone.p)).max() < rounding
        z = np.where(forward[:, None], z, cone.p)
        assert np.array_equal(made.stages[j + 1], z)
        # telescoping
        assert np.abs(x[j] - (z - cone.p) @ V.T).max() < rounding * np.linalg.norm(V, 2)
        if Q > 1:
            others = (drawn.means.sum(axis=0) - drawn.means[j]) / (Q - 1)
            least = plain.heights(drawn.means).min()
            theirs = (drawn.ratio / 2 * (max(drawn.sizes) > 1) + 0.5) / 2 if lam is None else lam
            assert (
                np.abs(cone.p - ((1 - theirs) * drawn.means[j] + theirs * others)).max()
                < 1e-8 * least + 1e-12 * size
            )
            # along ∇λ_j
            assert np.abs((np.delete(drawn.means, j, axis=0) - others) @ cone.n).max() < 1e-9 * size


@settings(max_examples=60)
@given(clouds(), st.integers(0, 2), st.sampled_from([0.3, 0.5, 0.8]))
def test_any_clusters_any_depth(drawn, extra, opening):
    made = con.zero_loss_network(drawn.data, drawn.Q + extra, opening=opening)
    assert made.problem.network.widths == (drawn.Q,) * (drawn.Q + extra + 2)
    assert len(made.theta) == (drawn.Q + extra + 1) * (drawn.Q**2 + drawn.Q)
    condition = max(cone.condition for cone in made.cones)
    assert miss(made, drawn) <= 1e-14 * max(condition, 10)
    assert_truncates(made, drawn)
    assert plain.clearance(layers_of(made), drawn.X) > 0


@settings(max_examples=40)
@given(clouds(4, st.floats(-9, -3).map(lambda e: 10**e), st.floats(0, 0.95)))
def test_a_nearly_flat_simplex_is_built_well_or_refused(drawn):
    try:
        made = con.zero_loss_network(drawn.data)
    except ValueError as error:
        made, refusal = None, str(error)
    if made is None:
        assert drawn.flatness < 1e-4
        assert drawn.Q > 1
        assert re.search(
            "would miss its targets by .*Centre and rescale|affinely independent.*Project the",
            refusal,
        )
    else:
        assert miss(made, drawn) <= 3e-9
        assert np.isfinite(np.asarray(made.theta)).all()


@settings(max_examples=30)
@given(clouds(5, st.just(0.3), st.floats(1.0, 4.0)).filter(lambda c: c.Q > 1 and max(c.sizes) > 1))
def test_no_network_where_the_condition_fails(drawn):
    radii = [
        np.linalg.norm(drawn.X[drawn.labels == j] - drawn.means[j], axis=1).max()
        for j in range(drawn.Q)
    ]
    heights = plain.heights(drawn.means)
    ratio = 2 * max(radii) / min(heights)
    if ratio < 1 + 1e-3:
        return
    for build in (con.zero_loss_network, con.two_layer_network):
        with pytest.raises(
            ValueError, match=r"the clustering condition 2δ/h < 1 fails: 2δ/h = "
        ) as refusal:
            build(drawn.data)
        assert f"2δ/h = {ratio:.3f}" in str(refusal.value)
        named = int(str(refusal.value).split("from cluster ")[1][0])
        assert radii[named] == pytest.approx(max(radii), rel=1e-9)


@pytest.mark.parametrize(("Q", "N"), [(1, 200), (2, 400), (3, 100_000), (4, 400), (5, 1000)])
def test_many_samples_through_both_forward_passes(Q, N):
    """The table of the statements, at 2δ/h = .8: max |F − y| ≤ 1e-12, whatever N."""
    sizes = [N // Q] * Q
    sizes[0] += N - sum(sizes)
    drawn = Clouds(tuple(sizes), 0.8, Q)
    made = con.zero_loss_network(drawn.data)
    assert miss(made, drawn) <= 1e-12
    assert np.abs(np.asarray(made.problem.outputs(made.theta)) - drawn.Y).max() <= 1e-12
    assert float(made.problem.cost(made.theta)) <= 1e-24
    assert con.clearance(made.problem, made.theta) == pytest.approx(
        plain.clearance(layers_of(made), drawn.X), rel=1e-9
    )


@pytest.mark.parametrize("Q", range(1, 6))
def test_rank_and_nullity(Q):
    """F is constant on each cluster: rank D = Q², nullity K − Q² = Q³ + Q² + Q at L = Q, however many samples."""
    few = Clouds((3,) * Q, 0.6, Q, 1.0)
    made = con.zero_loss_network(few.data)
    layers = layers_of(made)
    D = plain.jacobian(layers, few.X)
    assert np.abs(np.asarray(made.problem.jacobian(made.theta)) - D).max() < 1e-12 * np.abs(D).max()
    assert plain.rank(D) == Q**2
    assert made.problem.K - Q**2 == Q**3 + Q**2 + Q == (3, 14, 39, 84, 155)[Q - 1]
    more = Clouds((40,) * Q, 0.6, Q, 1.0)
    again = con.zero_loss_network(more.data)
    assert plain.rank(plain.jacobian(layers_of(again), more.X)) == Q**2


def test_at_the_edge_of_the_condition():
    for ratio in (0.95, 0.999):
        drawn = Clouds((40, 3, 17), ratio, 5)
        made = con.zero_loss_network(drawn.data)
        assert miss(made, drawn) <= 1e-12
        assert_truncates(made, drawn)


@given(seeds, st.floats(0.05, 0.95))
def test_any_lam_in_its_range(seed, where):
    drawn = Clouds((4, 1, 3), 0.6, seed)
    lam = 0.3 + where * 0.2
    made = con.zero_loss_network(drawn.data, lam=lam)
    assert miss(made, drawn) <= 1e-12
    assert_truncates(made, drawn, lam)


def test_renaming_the_clusters_changes_nothing_but_the_order():
    drawn, new = Clouds((3, 4, 5), 0.7, 1), np.array([2, 0, 1])
    renamed = data_of(drawn.X, new[drawn.labels], 3)
    made = con.zero_loss_network(renamed)
    assert (
        np.abs(plain.outputs(layers_of(made), drawn.X) - np.eye(3)[new[drawn.labels]]).max() < 1e-13
    )
    for cone, j in zip(con.zero_loss_network(drawn.data).cones, new, strict=True):
        assert made.cones[j].p == pytest.approx(cone.p, rel=1e-12)
        assert made.cones[j].n == pytest.approx(cone.n, rel=1e-12)


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    drawn = Clouds((3, 3, 3), 0.6)
    for lam in (0.3 - 1e-9, 0.5, 0.7):
        with pytest.raises(ValueError, match=r"lam must lie between δ/h = 0\.3 and 1/2, got"):
            con.zero_loss_network(drawn.data, lam=lam)
    with pytest.raises(ValueError, match="lam must be a finite number above zero"):
        con.zero_loss_network(drawn.data, lam=-0.1)
    for opening in (0.0, 1.0):
        with pytest.raises(ValueError, match="opening must be a fraction between 0 and 1"):
            con.zero_loss_network(drawn.data, opening=opening)
    with pytest.raises(
        ValueError,
        match=r"one hidden layer a cluster: L ≥ Q = 3 is needed, got L = 2\. See two_layer",
    ):
        con.zero_loss_network(drawn.data, 2)
    with pytest.raises(
        ValueError, match="hidden_layers L must be a whole number of at least 1, got 0"
    ):
        con.zero_loss_network(drawn.data, 0)
    for L in (2.5, True, "3"):
        with pytest.raises(TypeError, match="hidden_layers L must be a whole number, got"):
            con.zero_loss_network(drawn.data, L)
    with pytest.raises(TypeError, match="lam must be one number, got 'small'"):
        con.zero_loss_network(drawn.data, lam="small")
    for build in (con.zero_loss_network, con.two_layer_network, con.one_layer_network):
        with pytest.raises(
            TypeError, match=r"(?s)data must be a Dataset, got .*Dataset\(inputs, targets, labels\)"
        ):
            build(drawn.X)


@given(clouds().filter(lambda c: c.Q > 1))
def test_two_hidden_layers(drawn):
    made = con.two_layer_network(drawn.data)
    assert made.problem.network.widths == (drawn.Q,) * 4
    layers = layers_of(made)
    assert miss(made, drawn) <= 1e-12
    first, second = plain.activities(layers, drawn.X)
    assert np.array_equal(first > 0, drawn.Y == 1)  # s·e_j with s > 0
    assert np.array_equal(second, 1 - drawn.Y)
    coordinates = plain.barycentric(drawn.means, drawn.X)
    assert first == pytest.approx(np.maximum(coordinates - 0.5, 0), abs=1e-9)
    assert plain.clearance(layers, drawn.X) > 0


@pytest.mark.usefixtures("as_a_user")
def test_one_hidden_layer():
    drawn = Clouds((5, 2), 0.8, 3, 0.5)
    made = con.one_layer_network(drawn.data)
    assert made.problem.network.widths == (2, 2, 2)
    assert miss(made, drawn) <= 1e-13
    layers = layers_of(made)
    assert plain.clearance(layers, drawn.X) > 1e-2  # off the kinks
    W = layers[0][0]
    assert np.array_equal(W[0], W[1])
    # the condition is only sufficient here: two long thin clusters, 2δ/h > 1
    long = data_of(np.array([[0.0, 9], [0, -9], [1, 9], [1, -9]]), np.array([1, 1, 0, 0]), 2)
    assert con.clusters(long).ratio == pytest.approx(18)
    made = con.one_layer_network(long)
    assert np.array_equal(made.problem.outputs(made.theta).argmax(axis=1), [1, 1, 0, 0])
    assert float(made.problem.cost(made.theta)) < 1e-30
    mixed = data_of(np.array([[0.0, 0], [3, 0], [1, 1], [4, 1]]), np.array([0, 0, 1, 1]), 2)
    with pytest.raises(
        ValueError,
        match=r"cluster 0 reaches to .*, cluster 1 starts at .*2δ/h = .*separable_network",
    ):
        con.one_layer_network(mixed)
    with pytest.raises(
        ValueError, match=r"separate Q = 2 classes, got Q = 3: use two_layer_network"
    ):
        con.one_layer_network(Clouds((2, 2, 2)).data)
    with pytest.raises(ValueError, match="with one class a constant fits: use zero_loss_network"):
        con.two_layer_network(Clouds((3,)).data)
