"""What proofs rest on: the one comparison, exact numbers in and out, Krawczyk's test, the signs of eigenvalues. Each refuses."""

import functools
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from geoflow.certified import balls, dyadic, inertia, krawczyk, rank_bounds

NAN, INFINITE = arb("nan"), arb("inf")


def careless(a, b):
    """The planted fault: not above is taken for below."""
    return not a > b


# Comparisons -----------------------------------------------------------------------------------------------------------------


def test_below_only_for_certain():
    assert balls.below(arb(1), arb(2))
    assert balls.below(arb(1, 0.25), arb(2, 0.25))
    for a, b in [(2, 1), (1, 1), (arb(1, 1.25), 2), (1, arb(2, 1)), (arb(1, 5), arb(2, 5))]:
        assert not balls.below(arb(a), arb(b))
    for bad in (NAN, INFINITE, -INFINITE, arb(0, INFINITE)):
        for good in (arb(0), arb(1, 1), bad):
            assert not balls.below(bad, good)
            assert not balls.below(good, bad)
    assert careless(NAN, arb(0)), "or it would be no fault"


def test_the_largest_passes_over_nothing():
    assert balls.largest([arb(-3), arb(2), arb(1, 0.5)]) == 3
    assert balls.largest([arb(1, 0.5), arb(1)]) >= 1.5
    for bad in ([], [NAN], [arb(5), NAN], [NAN, arb(5)], [arb(1), INFINITE], [arb(1, INFINITE)]):
        assert balls.largest(bad).is_nan()


def test_floats_are_exact_and_nan_is_no_number():
    numbers = np.array([0.1, -3.0, 1e-300, 5e-324, 1.7e308])
    assert [Fraction(int(b.fmpq().p), int(b.fmpq().q)) for b in balls.exact(numbers)] == [
        *map(Fraction, numbers)
    ]
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="finite"):
            balls.exact([1.0, bad])


def test_precision_ends_with_its_block():
    before = ctx.prec
    with balls.precision(300):
        assert ctx.prec == 300
    assert ctx.prec == before

    def fail():
        with balls.precision(300):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ctx.prec == before


# Numbers in files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0.0, -0.75, 0.1, 1e-300, 3e200])
def test_written_numbers_come_back(number):
    assert dyadic.read(dyadic.written(number)) == arb(number)


def test_what_is_no_number_is_not_written():
    for bad in (NAN, INFINITE, arb(1, 0.5)):
        with pytest.raises(ValueError, match="exact number"):
            dyadic.written(bad)
    for text in ("0.5", "1e5", "p3", "3p", "nan"):
        with pytest.raises(ValueError, match=r"mpe|invalid"):
            dyadic.read(text)
    with pytest.raises(ValueError, match="finite"):
        dyadic.bounds(NAN)


@pytest.mark.parametrize("digits", [2, 20])
@pytest.mark.parametrize("centre", [1 / 3, -1 / 3, 1e-30, -7e40, 0.0])
def test_decimal_bounds_are_rounded_outwards(centre, digits):
    for radius in (0.0, 1e-3 * abs(centre)):
        ball = arb(centre, radius)
        low, high = dyadic.bounds(ball, digits)
        q = [Fraction(int(end.fmpq().p), int(end.fmpq().q)) for end in (ball.lower(), ball.upper())]
        assert Fraction(low) <= q[0] <= q[1] <= Fraction(high)
        assert Fraction(high) - Fraction(low) <= q[1] - q[0] + 4 * abs(Fraction(centre)) / 10 ** (
            digits - 1
        )


# Krawczyk --------------------------------------------------------------------------------------------------------------------


def square_root(radius=None, centre=1.4140625, target=2.0, slope=lambda x: 2 * x):
    """x² = target beside the centre."""
    x, A = arb(centre), np.array([[1 / (2 * centre)]])
    return krawczyk.include(A, [x * x - arb(target)], lambda r: [[slope(x + arb(0, r))]], radius)


def test_the_square_root_of_two():
    found = square_root()
    assert found.proved
    assert abs(1.4140625 - 2**0.5) < float(found.radius) < 1e-3
    assert float(found.contraction) < 1e-3
    assert square_root(arb(0.5)).proved


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"radius": arb(2)}, "no contraction"),
        ({"radius": arb(1e-9)}, "not mapped into itself"),
        ({"radius": arb(0)}, "no interior"),
        ({"radius": -arb(1)}, "no interior"),
        ({"radius": NAN}, "no interior"),
        ({"radius": INFINITE}, "no interior"),
        ({"target": 3.0}, "not mapped into itself"),
        ({"target": -2.0}, "no contraction"),
        ({"target": 0.0, "centre": 1e-200}, "no contraction"),
        ({"slope": lambda x: NAN}, "not enclosed over the box"),
        ({"slope": lambda x: x * INFINITE}, "not enclosed over the box"),
        ({"target": np.nan}, "not enclosed at the centre"),
        ({"target": np.inf}, "not enclosed at the centre"),
    ],
)
def test_krawczyk_is_undecided(change, reason):
    if change.get("target") == 3.0:
        change = change | {"radius": arb(0.125)}
    found = square_root(**change)
    assert not found.proved
    assert reason in found.reason


def refuses_the_edge():
    """s/2 + r/2 maps |s| ≤ r onto its own edge: |A F(0)| + q r = r is not below r."""
    r = arb(0.25)
    return not krawczyk.include(np.eye(1), [r / 2], lambda _: [[arb(0.5)]], r).proved


def test_another_shape_is_no_square_system():
    found = krawczyk.include(np.eye(2), [arb(0), arb(0)], lambda _: [[arb(1)] * 3] * 2)
    assert not found.proved
    assert "2 × 2" in found.reason


def test_newton_stops_where_it_leaves():
    with balls.precision(200):
        near = krawczyk.polish([arb(1.4)], lambda x: [(x[0] ** 2 - 2) / (2 * x[0])], 0.1)
        away = krawczyk.polish([arb(1.4)], lambda x: [(x[0] ** 2 - 2) / (2 * x[0])], 0.01)
        lost = krawczyk.polish([arb(1.4)], lambda x: [NAN], 0.1)
        assert abs(near.point[0] ** 2 - 2) < 1e-50
    assert away.moved > 0.01
    assert away.point[0] == arb(1.4)
    assert not np.isfinite(lost.last)


# Signs of eigenvalues --------------------------------------------------------------------------------------------------------


@functools.cache
def symmetric(values, seed=0):
    """A matrix with these eigenvalues, to within 1e-14."""
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))[0]
    S = (Q * np.array(values)) @ Q.T
    return (S + S.T) / 2


def in_balls(S, radius=0.0):
    return [[arb(x, radius) for x in row] for row in S.tolist()]


@pytest.mark.parametrize(
    "values", [(1.0, 2.0, 3.0), (-1.0, 1e-5, 4.0), (-3.0, -2.0, 1e-3, 5.0), (-1.0,)]
)
def test_inertia_and_the_least_eigenvalue(values):
    S = symmetric(values)
    with balls.precision(212):
        signs, size = inertia.inertia(in_balls(S)), inertia.least_size(in_balls(S))
        assert signs == (sum(v < 0 for v in values), sum(v > 0 for v in values))
        assert size is not None
        assert size.rad() < 1e-19 * size.mid()
        assert abs(float(size) - min(map(abs, values))) < 1e-13
        for k, value in enumerate(values):
            found = inertia.eigenvalue(in_balls(S), k)
            assert found is not None
            assert abs(float(found) - value) < 1e-13


def test_eigenvalues_of_a_box():
    S = symmetric((-1.0, 0.5, 4.0))
    with balls.precision(212):
        size = inertia.least_size(in_balls(S, 1e-6))
    assert size is not None
    for change in np.random.default_rng(1).uniform(-1e-6, 1e-6, size=(50, 3, 3)):
        least = np.abs(np.linalg.eigvalsh(S + (change + change.T) / 2)).min()
        assert size.lower() <= least <= size.upper()
    assert float(size.rad()) < 1e-2


def test_double_eigenvalues_do_not_confuse():
    with balls.precision(212):
        H = in_balls(np.diag([2.0, 2.0, -1.0]))
        assert inertia.inertia(H) == (1, 2)
        assert [round(float(inertia.eigenvalue(H, k)), 12) for k in range(3)] == [-1, 2, 2]


def refuses_a_pivot_that_contains_zero():
    singular, wide = symmetric((0.0, 1.0, 2.0)), symmetric((0.1, 1.0, 2.0))
    exactly = np.diag([0.0, 1.0])
    cases = [in_balls(singular, 1e-9), in_balls(wide, 0.5), in_balls(exactly)]
    return all(inertia.inertia(H) is None and inertia.least_size(H) is None for H in cases)


def refuses_nan():
    H = in_balls(np.diag([1.0, 2.0]))
    H[0][1] = H[1][0] = NAN
    K = in_balls(np.diag([1.0, 2.0]))
    K[0][0] = arb(1, INFINITE)
    return all(inertia.inertia(M) is None and inertia.least_size(M) is None for M in (H, K))


def refuses_rank_of_a_deficient_matrix():
    D = [[arb(1), arb(2), arb(3)], [arb(2), arb(4), arb(6)]]
    zero = [[arb(1), arb(0)], [arb(0), arb(0)]]
    ranks = [rank_bounds.at_least(M).rank for M in (D, zero, [[NAN, arb(1)]])]
    return ranks == [1, 1, 0]


REFUSALS = [
    refuses_the_edge,
    refuses_a_pivot_that_contains_zero,
    refuses_nan,
    refuses_rank_of_a_deficient_matrix,
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusals(refusal):
    with balls.precision(212):
        assert refusal()


@pytest.mark.parametrize("refusal", [REFUSALS[0], REFUSALS[1], REFUSALS[3]])
def test_a_careless_comparison_is_seen(refusal, monkeypatch):
    for module in (krawczyk, inertia, rank_bounds, balls):
        monkeypatch.setattr(module, "below", careless)
    with balls.precision(212):
        assert not refusal()


def test_row_norm_of_nan_is_nan():
    assert krawczyk.row_norm(arb_mat([[1, -2], [3, 0.5]])) == 3.5
    assert krawczyk.row_norm(arb_mat([[1, 2], [NAN, 0]])).is_nan()
