"""Critical values, dimensions and inertias (LN Lemma 3.2, Proposition 5) at points that plain numpy builds.

The points have one hidden layer and are not made by geoflow; their Hessians are Kronecker products.
"""

import linear_reference as plain
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import finite_differences
from strategies import seeds

import geoflow.linear_networks as ln

# (d_x, d_y, d_1): the statement's own, widths of every order, no null columns, bottlenecks, all ones
TRIPLES = [
    (5, 3, 4),
    (4, 2, 3),
    (3, 3, 3),
    (4, 2, 2),
    (3, 1, 2),
    (5, 2, 5),
    (2, 2, 4),
    (4, 3, 2),
    (3, 2, 1),
    (1, 1, 1),
]
# decreasing, increasing and neither, so that "greater" and "before" differ
SIGMAS = {1: [(2.0,)], 2: [(2.0, 1.0), (1.0, 2.5)], 3: [(3.0, 2.0, 1.0), (1.5, 3.0, 2.0)]}
STRATA = [(triple, sigma) for triple in TRIPLES for sigma in SIGMAS[triple[1]]]


def point(rng, triple, sigma, D):
    d_x, _, d_1 = triple
    rows = np.linalg.qr(rng.normal(size=(d_1, d_1)))[0][
        : len(D)
    ]  # a basis of moderate condition: clear zeros
    A = rng.uniform(0.7, 1.4, size=(len(D), 1)) * rows
    return plain.one_hidden_stratum(A, rng.normal(size=(d_1, d_x)), sigma, d_x, D)


@pytest.mark.parametrize(("triple", "sigma"), STRATA, ids=str)
def test_the_inertia_of_every_stratum(triple, sigma):
    d_x, d_y, d_1 = triple
    rng, X, S = np.random.default_rng(11), np.eye(d_x), plain.target(sigma, d_x)
    for D in plain.subsets(d_y, d_1):
        Ws = point(rng, triple, sigma, D)
        assert max(np.abs(G).max() for G in plain.gradient(Ws, X, S)) < 1e-12
        counted = plain.inertia(plain.kronecker_hessian(Ws, X, S))
        claimed = ln.inertia(sigma, d_x, d_1, D)
        assert (claimed.negative, claimed.zero, claimed.positive) == counted, D
        assert claimed.zero == ln.stratum_dimension(d_x, d_y, d_1, len(D))
        assert (claimed.negative == 0) == (len(D) == min(d_y, d_1) and min(sigma[i] for i in D) >= max(
            [s for i, s in enumerate(sigma) if i not in D], default=0))  # fmt: skip


def test_the_papers_own_table():
    """LN-P5 as it stands in the statements, (d_x, d_y, d_1) = (5, 3, 4)."""
    table = {
        (): (12, 8, 12), (0,): (6, 13, 13), (1,): (7, 13, 12), (2,): (8, 13, 11), (0, 1): (2, 16, 14),
        (0, 2): (3, 16, 13), (1, 2): (4, 16, 12), (0, 1, 2): (0, 17, 15),
    }  # fmt: skip
    for D, expected in table.items():
        assert ln.inertia([3.0, 2.0, 1.0], 5, 4, D) == ln.Inertia(*expected)


@pytest.mark.parametrize("triple", [(5, 3, 4), (4, 2, 2), (3, 3, 3), (4, 3, 2)], ids=str)
def test_the_dimension_is_the_rank_of_a_parametrization(triple):
    """Points of O_D as a function of all that is free in them: its derivative has rank dim O_D."""
    d_x, d_y, d_1 = triple
    sigma, rng = SIGMAS[d_y][0], np.random.default_rng(5)
    for D in plain.subsets(d_y, d_1):
        r = len(D)

        def weights_of(free, r=r, D=D):
            A, R = free[: r * d_1].reshape(r, d_1), free[r * d_1 :].reshape(d_1, d_x)
            return plain.flat(plain.one_hidden_stratum(A, R, sigma, d_x, D))

        slopes = finite_differences(weights_of, rng.normal(size=d_1 * (r + d_x)))
        assert np.linalg.matrix_rank(slopes, rtol=1e-5) == ln.stratum_dimension(d_x, d_y, d_1, r)


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=5, unique=True), st.integers(0, 5), seeds)
def test_critical_values_by_brute_force(sigma, rank, seed):
    values = ln.critical_values(sigma)
    assert list(values) == plain.subsets(len(sigma))
    for D, value in values.items():
        assert value == pytest.approx(
            sum(s * s for i, s in enumerate(sigma) if i not in D) / 2, rel=1e-14
        )
        shuffled = [int(i) for i in np.random.default_rng(seed).permutation(D)]
        assert ln.critical_value(sigma, shuffled) == value
    narrow = ln.critical_values(sigma, rank)
    assert narrow == {D: value for D, value in values.items() if len(D) <= rank}
    d_x = len(sigma) + 1
    for D in values:  # ½‖S − DS‖², by matrices
        kept = np.diag([float(i in D) for i in range(len(sigma))]) @ plain.target(sigma, d_x)
        assert plain.loss([kept], np.eye(d_x), plain.target(sigma, d_x)) == pytest.approx(
            values[D], rel=1e-12
        )


def test_equal_sigma_keep_their_values_and_lose_their_counts():
    sigma = [2.0, 2.0, 1.0]
    assert ln.critical_value(sigma, (0,)) == ln.critical_value(sigma, (1,)) == 2.5
    for refuse in (lambda: ln.require_distinct(sigma), lambda: ln.inertia(sigma, 4, 3, (0,))):
        with pytest.raises(
            ValueError,
            match=r"distinct σ_i, got \[2\. 2\. 1\.\].*rotated into one another.*Change the targets a little, or",
        ):
            refuse()
    # and rightly: the Hessian has more zeros than the formula for distinct ones would say
    Ws = point(np.random.default_rng(0), (4, 3, 3), sigma, (0,))
    _, zero, _ = plain.inertia(plain.kronecker_hessian(Ws, np.eye(4), plain.target(sigma, 4)))
    assert zero > ln.stratum_dimension(4, 3, 3, 1)
    assert np.array_equal(ln.require_distinct([1.0, 3.0, 2.0]), [1.0, 3.0, 2.0])
    with pytest.raises(ValueError, match="distinct"):
        ln.require_distinct([1.0, 1.0 + 1e-11])
    assert len(ln.require_distinct([1.0, 1.0 + 1e-11], rtol=1e-12)) == 2


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=4), st.integers(0, 3),
    st.sampled_from([0.0, 1e-12, 1e-11, 1e-9, 1e-6]), st.sampled_from([1e-6, 1e6, 1e-300, 1e300]),
)  # fmt: skip
def test_distinct_is_relative(sigma, twin, apart, scale):
    """Whether two σ count as equal is decided against the largest one, in any unit; so is the inertia."""
    sigma = np.array([*sigma, sigma[twin % len(sigma)] + apart * max(sigma)])
    equal = np.diff(np.sort(sigma)).min() <= 1e-10 * sigma.max()
    for values in (sigma, scale * sigma):
        if equal:
            for refuse in (ln.require_distinct, lambda v: ln.inertia(v, len(v) + 1, 3, (0,))):
                with pytest.raises(ValueError, match="asks for distinct σ_i"):
                    refuse(values)
        else:
            assert np.array_equal(ln.require_distinct(values), values)
            for D in plain.subsets(len(sigma), 2):
                assert ln.inertia(values, len(sigma) + 1, 3, D) == ln.inertia(
                    sigma, len(sigma) + 1, 3, D
                )


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_distinct_at_two_scales_by_hand(scale):
    assert len(ln.require_distinct([scale, scale * (1 + 1e-9)])) == 2
    with pytest.raises(ValueError, match="asks for distinct"):
        ln.require_distinct([scale, scale * (1 + 1e-11)])


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    "D", [(3,), (-1,), (0, 0), 1, (0.5,), "01", (None,), (False, True), (True,)]
)
def test_sets_that_are_no_modes(D):
    for use in (ln.critical_value, lambda sigma, D: ln.inertia(sigma, 4, 3, D)):
        with pytest.raises(ValueError, match=r"D must be different modes out of 0\.\.2"):
            use([3.0, 2.0, 1.0], D)


@pytest.mark.usefixtures("as_a_user")
def test_numpy_integers_are_modes():
    assert ln.critical_value([3.0, 2.0, 1.0], list(np.array([2, 0]))) == 2.0


@pytest.mark.usefixtures("as_a_user")
def test_refusals():
    for sigma in ([1.0, 0.0], [1.0, -2.0], [-1.0]):
        with pytest.raises(ValueError, match=r"sigma must be positive numbers, one a mode, got \["):
            ln.require_distinct(sigma)
    takes_sigma = (
        ln.require_distinct, lambda sigma: ln.inertia(sigma, 5, 3, ()), ln.critical_values,
        lambda sigma: ln.critical_value(sigma, ()),
    )  # fmt: skip
    for use in takes_sigma:
        with pytest.raises(
            ValueError, match=r"sigma \(d_y modes,\) must not be empty, got shape \(0,\)"
        ):
            use([])
        with pytest.raises(
            ValueError,
            match=r"sigma must be finite, but 1 of 2 entries are NaN or infinite \(first at index \(0,",
        ):
            use([np.inf, 1.0])
        with pytest.raises(
            ValueError, match=r"sigma must have 1 axes \(d_y modes,\), got shape \(1, 2\)"
        ):
            use([[1.0, 2.0]])
        for no_numbers in (None, "12", np.array([1.0, 2.0], np.float32), [1j, 2.0]):
            with pytest.raises(
                TypeError, match=r"sigma must be (an array of numbers|float64), got"
            ):
                use(no_numbers)
    for rtol in (0.0, -1e-3):
        with pytest.raises(ValueError, match="rtol must be a finite number above zero"):
            ln.require_distinct([1.0, 2.0], rtol)
    for d_x, d_y, d_1, r in ((5, 3, 2, 3), (5, 3, 4, 4), (2, 3, 4, 1)):
        with pytest.raises(ValueError, match=r"0 ≤ r ≤ min\(d_y, d_1\) and d_x ≥ d_y, got r = "):
            ln.stratum_dimension(d_x, d_y, d_1, r)
    with pytest.raises(ValueError, match="r must be a whole number of at least 0, got -1"):
        ln.stratum_dimension(5, 3, 4, -1)
    with pytest.raises(ValueError, match="d_1 must be a whole number of at least 1, got 0"):
        ln.inertia([3.0, 2.0, 1.0], 4, 0, ())
    for number in (2.0, True, "2", None):
        with pytest.raises(TypeError, match="d_x must be a whole number, got"):
            ln.stratum_dimension(number, 1, 1, 0)
    with pytest.raises(TypeError, match=r"rank must be a whole number, got 1\.5"):
        ln.critical_values([2.0, 1.0], 1.5)
    with pytest.raises(ValueError, match="pass a layer of width d_1"):
        ln.inertia([3.0, 2.0, 1.0], 4, 2, (0, 1, 2))
