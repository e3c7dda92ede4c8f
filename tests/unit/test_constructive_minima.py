"""Local minima by construction: cost, gradient, Hessian and neighbours, against plain numpy.

An autodiff Hessian means something off kinks only: the clearance is asserted, and perturbations stay within what it allows.
"""

import functools
import itertools

import constructive_reference as plain
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from constructive_cases import Clouds, clouds, data_of, layers_of
from hypothesis import given, settings
from hypothesis import strategies as st

import geoflow as gf
from geoflow import constructive as con

EQUAL = {
    Q: Clouds((Q + 2,) * Q, 0.4, Q, 0.5) for Q in (2, 3, 4)
}  # enough samples that every affine fit is unique
SUBSETS = [(Q, T) for Q in EQUAL for t in range(Q) for T in itertools.combinations(range(Q), t)]
COMPILED = jax.jit(
    lambda problem, theta: (problem.gradient(theta), gf.equilibria.hessian(problem, theta))
)
COSTS = jax.jit(jax.vmap(lambda problem, theta: problem.cost(theta), (None, 0)))


@functools.cache
def minimum(Q, T):
    return con.local_minimum(EQUAL[Q].data, T)


def expected_outputs(drawn, m):
    """The affine fit on the kept clusters, the mean target on each block."""
    F = np.zeros_like(drawn.Y)
    rows = np.isin(drawn.labels, m.kept)
    if rows.any():
        solution, _ = plain.affine_residual(drawn.X[rows], drawn.Y[rows])
        F[rows] = np.hstack([drawn.X[rows], np.ones((rows.sum(), 1))]) @ solution
    for block in m.blocks:
        rows = np.isin(drawn.labels, block)
        F[rows] = drawn.Y[rows].mean(axis=0)
    return F


def assert_local_minimum(drawn, m, rank):
    """Gradient, Hessian and 1000 neighbours, by geoflow's derivatives and by plain ones."""
    layers, N = layers_of(m), drawn.N
    clearance = plain.clearance(layers, drawn.X)
    assert clearance > 0
    assert m.clearance == pytest.approx(clearance, rel=1e-9)
    residual = plain.outputs(layers, drawn.X) - drawn.Y
    D = plain.jacobian(layers, drawn.X)
    assert np.linalg.norm(D.T @ residual.ravel() / N) <= 1e-10
    gradient, H = (np.asarray(a) for a in COMPILED(m.problem, m.theta))
    assert np.linalg.norm(gradient) <= 1e-10
    # F is affine on the kept clusters and constant on a block, whatever theta nearby: nothing but DᵀD is left
    assert np.abs(H - D.T @ D / N).max() < 1e-9 * np.abs(H).max()
    assert np.linalg.eigvalsh(H)[0] >= -1e-9
    assert plain.rank(D) == rank
    radius = plain.allowed_radius(layers, drawn.X)
    assert radius > 1e-6
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(1000, len(m.theta)))
    steps *= (
        radius
        * 10.0 ** rng.uniform(-2, 0, size=(1000, 1))
        / np.linalg.norm(steps, axis=1, keepdims=True)
    )
    near = np.asarray(m.theta) + steps
    rises = np.asarray(COSTS(m.problem, jnp.asarray(near))) - m.cost
    assert rises.min() >= -1e-15
    # to second order it is the quadratic form of DᵀD: the widest step shows it
    widest = np.linalg.norm(steps, axis=1).argmax()
    moved = plain.unpack(near[widest], m.problem.network.widths)
    assert np.array_equal(plain.pattern(moved, drawn.X), plain.pattern(layers, drawn.X))
    assert plain.cost(moved, drawn.X, drawn.Y) - m.cost == pytest.approx(rises[widest], abs=1e-14)


def test_the_subsets_in_order():
    assert con.proper_subsets(1) == [()]
    assert con.proper_subsets(3) == [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]
    assert [len(con.proper_subsets(Q)) for Q in range(1, 6)] == [1, 3, 7, 15, 31]


@pytest.mark.parametrize(("Q", "T"), SUBSETS)
def test_every_proper_subset(Q, T):
    drawn, m = EQUAL[Q], minimum(Q, T)
    assert m.problem.network.widths == (Q,) * (Q + 2)
    assert m.blocks == tuple((j,) for j in T)
    assert m.kept == tuple(j for j in range(Q) if j not in T)
    layers = layers_of(m)
    C = plain.subsets_cost(drawn.X, drawn.labels, Q, T)
    assert abs(plain.cost(layers, drawn.X, drawn.Y) - C) <= 1e-12
    assert abs(float(m.problem.cost(m.theta)) - C) <= 1e-12
    assert abs(m.cost - C) <= 1e-12
    assert abs(con.minimum_cost(drawn.data, T) - C) <= 1e-12
    assert np.abs(plain.outputs(layers, drawn.X) - expected_outputs(drawn, m)).max() <= 1e-12
    assert m.clearance > 0.5 - 1e-9
    # deficient on purpose
    assert np.linalg.matrix_rank(layers[0][0], rtol=1e-9) == Q - max(len(T), 1)
    assert_local_minimum(drawn, m, Q**2 + Q + (Q - 1) * len(T))


@pytest.mark.parametrize("Q", EQUAL)
def test_how_many_values(Q):
    """2^Q − 1 minima; those that keep one cluster cost nothing, the other 2^Q − Q − 1 are positive and distinct."""
    costs = {T: minimum(Q, T).cost for T in con.proper_subsets(Q)}
    positive = sorted(C for C in costs.values() if C > 1e-12)
    assert len(positive) == 2**Q - Q - 1
    assert (np.diff(positive) > 1e-6).all()
    assert all((C < 1e-24) == (len(T) == Q - 1) for T, C in costs.items())
    # fewer clusters to fit leave less
    assert all(costs[S] <= costs[T] for S in costs for T in costs if set(T) < set(S))


MERGED = [
    (2, [(0, 1)]),
    (3, [(0, 1, 2)]),
    (3, [(1,), (0, 2)]),
    (3, [(2,), (0, 1)]),
    (4, [(0, 1), (2, 3)]),
    (4, [(3, 1), (0,), (2,)]),
    (4, [(0, 1, 2, 3)]),
    (4, [(0, 2, 3), (1,)]),
]


@pytest.mark.parametrize(("Q", "blocks"), MERGED)
def test_merged_clusters(Q, blocks):
    """C = (1/2Q)Σ(|B| − 1), Hessian rank Q·#blocks; everything in one block: (Q − 1)/2Q."""
    drawn, m = EQUAL[Q], con.collapsed_network(EQUAL[Q].data, blocks)
    C = sum(len(block) - 1 for block in blocks) / (2 * Q)
    layers = layers_of(m)
    assert plain.cost(layers, drawn.X, drawn.Y) == pytest.approx(C, abs=1e-12)
    assert m.cost == pytest.approx(C, abs=1e-14)
    assert con.merged_cost(drawn.data, blocks) == pytest.approx(C, abs=1e-14)
    assert m.blocks == tuple(tuple(sorted(block)) for block in blocks)
    assert m.kept == ()
    assert np.abs(plain.outputs(layers, drawn.X) - expected_outputs(drawn, m)).max() <= 1e-12
    assert_local_minimum(drawn, m, Q * len(blocks))


@pytest.mark.parametrize(
    ("Q", "blocks", "rank"), [(3, [(0, 1)], 13), (4, [(0, 1)], 22), (4, [(2,), (0, 1)], 25)]
)
def test_some_merged_and_some_fitted(Q, blocks, rank):
    drawn, m = EQUAL[Q], con.collapsed_network(EQUAL[Q].data, blocks)
    F = expected_outputs(drawn, m)
    C = np.sum((F - drawn.Y) ** 2) / (2 * drawn.N)
    assert m.cost == pytest.approx(C, abs=1e-13)
    layers = layers_of(m)
    assert np.abs(plain.outputs(layers, drawn.X) - F).max() <= 1e-12
    assert plain.cost(layers, drawn.X, drawn.Y) == pytest.approx(C, abs=1e-12)
    assert_local_minimum(drawn, m, rank)


@st.composite
def groupings(draw):
    """Clusters, some of them in ordered blocks, the others kept."""
    drawn = draw(clouds(4, ratio=st.floats(0.0, 0.5)))
    names = draw(st.permutations(range(drawn.Q)))[: draw(st.integers(0, drawn.Q))]
    borders = sorted(draw(st.sets(st.integers(1, max(len(names) - 1, 1)))))
    blocks = [tuple(names[a:b]) for a, b in itertools.pairwise([0, *borders, len(names)])]
    return drawn, [block for block in blocks if block]


@settings(max_examples=60)
@given(groupings(), st.integers(0, 2), st.sampled_from([0.1, 0.5, 2.0]))
def test_any_grouping_any_depth(grouping, extra, margin):
    """Unequal sizes, one sample a cluster, radius 0, scales from 1e-3 to 1e3: a minimum of its region, or a plain refusal."""
    drawn, blocks = grouping
    try:
        m = con.collapsed_network(drawn.data, blocks, drawn.Q + extra, margin)
    except ValueError as error:
        refusal, m = str(error), None
    if m is None:
        assert "cannot be cut off" in refusal
        assert drawn.ratio > 0.25
        assert len(blocks) > 1
        return
    layers, F = layers_of(m), expected_outputs(drawn, m)
    assert len(layers) == drawn.Q + extra + 1
    assert np.abs(plain.outputs(layers, drawn.X) - F).max() <= 1e-10
    C = np.sum((F - drawn.Y) ** 2) / (2 * drawn.N)
    assert plain.cost(layers, drawn.X, drawn.Y) == pytest.approx(C, abs=1e-12)
    assert m.cost == pytest.approx(C, abs=1e-12)
    assert m.cost == con.merged_cost(drawn.data, blocks)
    assert plain.clearance(layers, drawn.X) >= margin * (1 - 1e-6)
    D = plain.jacobian(layers, drawn.X)
    size = np.linalg.norm(D, 2)
    assert np.linalg.norm(D.T @ (plain.outputs(layers, drawn.X) - drawn.Y).ravel()) <= 1e-9 * max(
        size, 1
    )
    active = plain.pattern(layers, drawn.X)
    for number, block in enumerate(m.blocks):
        rows = np.isin(drawn.labels, block)
        assert active[:number][:, rows].all()
        assert not active[number][
            rows
        ].any()  # the block dies in its own layer, all neurons at once
        assert active[number + 1 :][:, rows].all()
    assert active[:, np.isin(drawn.labels, m.kept)].all()


def test_a_shallower_network_where_few_blocks_are_cut():
    drawn = EQUAL[4]
    m = con.local_minimum(drawn.data, (2,), hidden_layers=1)
    assert m.problem.network.widths == (4, 4, 4)
    assert m.cost == pytest.approx(plain.subsets_cost(drawn.X, drawn.labels, 4, (2,)), abs=1e-13)
    assert np.abs(plain.outputs(layers_of(m), drawn.X) - expected_outputs(drawn, m)).max() < 1e-12


def test_the_affine_fit():
    drawn = Clouds((5, 4, 6), 0.7, 2)
    A, B, residuals = con.affine_fit(drawn.data, (0, 2))
    rows = np.isin(drawn.labels, (0, 2))
    solution, squares = plain.affine_residual(drawn.X[rows], drawn.Y[rows])
    assert np.vstack([A.T, B]) == pytest.approx(solution, abs=1e-12)
    assert np.sum(residuals**2) == pytest.approx(squares, rel=1e-12)
    assert np.array_equal(A[1], np.zeros(3))  # no part in the coordinate of the cluster left out
    assert A.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-13)
    A, B, residuals = con.affine_fit(drawn.data, ())
    assert not A.any()
    assert not B.any()
    assert residuals.shape == (0, 3)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_an_affine_fit_that_is_not_unique(scale):
    """The one of least norm, not what rounding makes of a direction without extent, in any unit."""
    flat = Clouds((3, 3, 3), 0.0, 2, shift=1e3, scale=scale)
    A, _, residuals = con.affine_fit(flat.data, (0, 1))
    assert np.linalg.norm(A) < 100 / scale
    assert np.abs(residuals).max() < 1e-9


CHOICES = [
    [],
    [(0,)],
    [(2,), (0,)],
    [(1, 2)],
    [(0, 3)],
    [(3,), (0, 1)],
    [(0,), (1,), (2,)],
    [(0, 1), (2, 3)],
    [(3, 0, 1, 2)],
]


@pytest.mark.parametrize("blocks", CHOICES, ids=str)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_merged_cost_is_the_cost_of_the_collapsed_network(blocks, scale):
    """Predicted, stored and measured, clusters of unequal sizes: those in no block are fitted, not forgotten."""
    drawn = Clouds((7, 6, 9, 8), 0.3, 5, 0.5, scale)
    m, predicted = con.collapsed_network(drawn.data, blocks), con.merged_cost(drawn.data, blocks)
    C = np.sum((expected_outputs(drawn, m) - drawn.Y) ** 2) / (2 * drawn.N)
    assert m.kept == tuple(j for j in range(4) if not any(j in block for block in blocks))
    assert predicted == m.cost == pytest.approx(C, rel=1e-10, abs=1e-20)
    assert float(m.problem.cost(m.theta)) == pytest.approx(predicted, rel=1e-9, abs=1e-18)
    assert plain.cost(layers_of(m), drawn.X, drawn.Y) == pytest.approx(
        predicted, rel=1e-9, abs=1e-18
    )
    if all(len(block) == 1 for block in blocks):
        T = [j for (j,) in blocks]
        assert con.minimum_cost(drawn.data, T) == predicted == con.local_minimum(drawn.data, T).cost
    if len(m.kept) > 1:
        assert predicted > 1e-4  # the fitted ones cost something: it is not left out


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    drawn = EQUAL[3]
    for build in (con.collapsed_network, con.merged_cost):
        for blocks in ([(0,), (0, 1)], [(1, 2), (2, 0)], [(0,), (0,)], [()], [(0,), ()]):
            with pytest.raises(
                ValueError,
                match=r"blocks must be disjoint, non-empty sets of the clusters 0\.\.2, got \(\(",
            ):
                build(drawn.data, blocks)
        for blocks in ([(0, 0)], [(3,)], [(0,), (1, 3)]):
            with pytest.raises(
                ValueError, match=r"a block must be different clusters out of 0\.\.2, got \("
            ):
                build(drawn.data, blocks)
        with pytest.raises(
            ValueError, match="a cluster in a block must be a whole number of at least 0, got -1"
        ):
            build(drawn.data, [(-1,)])
        for blocks in ((0, 1), 1, [(0.0,)], ["01"], [(True,)], None):
            with pytest.raises(
                TypeError,
                match=r"blocks must be a list of sets of clusters, as \[\(0,\), \(1, 2\)\], got",
            ):
                build(drawn.data, blocks)
    for name, use in (("T", con.local_minimum), ("T", con.minimum_cost), ("kept", con.affine_fit)):
        for T in ((0, 0), (3,)):
            with pytest.raises(
                ValueError, match=rf"{name} must be different clusters out of 0\.\.2, got"
            ):
                use(drawn.data, T)
        for T in (0, (0.5,), None, "0"):
            with pytest.raises(
                TypeError, match=rf"{name} must list clusters, whole numbers from 0, got"
            ):
                use(drawn.data, T)
        with pytest.raises(
            TypeError, match=r"(?s)data must be a Dataset, got .*(The order is|Dataset\(inputs)"
        ):
            use((0,), drawn.data)
    for Q, kind in ((0, ValueError), (2.0, TypeError)):
        with pytest.raises(kind, match="Q must be a whole number"):
            con.proper_subsets(Q)
    with pytest.raises(ValueError, match=r"one hidden layer a block: L ≥ 2 is needed, got L = 1"):
        con.local_minimum(drawn.data, (0, 1), hidden_layers=1)
    with pytest.raises(ValueError, match="hidden_layers L must be a whole number of at least 1"):
        con.local_minimum(drawn.data, (0, 1), hidden_layers=0)
    with pytest.raises(ValueError, match="margin must be a finite number above zero"):
        con.local_minimum(drawn.data, (0,), margin=0.0)
    with pytest.raises(TypeError, match="margin must be one number, got 'wide'"):
        con.local_minimum(drawn.data, (0,), margin="wide")
    with pytest.raises(TypeError, match=r"hidden_layers L must be a whole number, got 2\.0"):
        con.local_minimum(drawn.data, (0,), hidden_layers=2.0)
    wide = Clouds((20, 20, 20), 1.6, 0, 1.0)
    with pytest.raises(
        ValueError,
        match=r"block \(0,\) cannot be cut off: .*reaches to .*after it start at .*\(2δ/h = 1\.600\)\. Shrink",
    ):
        con.local_minimum(wide.data, (0, 1))


def test_one_cluster():
    """Q = 1: the only proper subset is empty, a block of it costs as little."""
    drawn = Clouds((4,), 0.5, 1)
    for m in (con.local_minimum(drawn.data, ()), con.collapsed_network(drawn.data, [(0,)])):
        assert m.cost == 0
        assert np.abs(plain.outputs(layers_of(m), drawn.X) - 1).max() < 1e-12


@pytest.mark.parametrize("gap", [1e-9, 1e-13])
def test_two_clusters_that_nearly_touch(gap):
    """A cut with hardly any room asks for a Λ beyond what float64 holds: refused, not built badly."""
    # 2/3 of `along` counts: 1 − .5 for 0, .5 for the others
    along, across = (
        np.array([0.75, 0, 0]),
        np.array([0, 0.1, -0.2]),
    )
    X = [[1, 0, 0] + (1 - gap) * along, [1, 0, 0] - (1 - gap) * along]
    for mean in np.eye(3)[1:]:
        X += [mean + along, mean - along, mean + across, mean - across]
    data = data_of(np.array(X), np.repeat(np.arange(3), (2, 4, 4)), 3)
    with pytest.raises(
        ValueError,
        match=r"would miss its outputs by .*nearly touch .*Λ = .*2δ/h = .*Shrink the clusters",
    ):
        con.local_minimum(data, (0,))
