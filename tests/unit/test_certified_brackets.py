"""Non-integrability, proved: brackets against geoflow.bundle, the figures of certificates.md, exact zeros, and the checker."""

import copy
import functools
import itertools

import jax
import numpy as np
import pytest

import geoflow as gf
from geoflow.certified import brackets, certify_nonintegrable
from geoflow.certified.balls import exact, precision
from geoflow.certified.claims import in_balls
from geoflow.checker import check


@functools.cache
def problem(widths=(1, 2, 1), N=3, activation="tanh", seed=0):
    network = gf.MLP(widths, activation)
    data = gf.generic(jax.random.key(seed), N, widths[0], widths[-1])
    return gf.Problem(network, data), np.asarray(network.init(jax.random.key(seed + 1)))


@functools.cache
def small():
    return certify_nonintegrable(*problem())


@pytest.mark.parametrize("widths", [(1, 2, 1), (2, 2, 2)])
def test_the_brackets_are_those_of_the_bundle(widths):
    given, theta = problem(widths, 3)
    with precision(100):
        found = brackets.brackets(in_balls(given), exact(theta))
    assert not isinstance(found, str)
    for (i, j), row in zip(found.pairs, found.rows, strict=True):
        e = np.eye(given.QN)
        theirs = np.asarray(gf.bundle.lift_bracket(given, theta, e[i], e[j]))
        ours = np.array([float(entry.mid()) for entry in row])
        assert np.abs(ours - theirs).max() < 1e-10 * np.abs(theirs).max()
    assert found.pairs == list(itertools.combinations(range(given.QN), 2))


@pytest.mark.parametrize(("widths", "N", "span"), [((1, 6, 1), 5, 15), ((2, 3, 1), 5, 13)])
def test_all_brackets_of_generic_networks(widths, N, span):
    found = certify_nonintegrable(*problem(widths, N))
    assert found.proved, found.reason
    assert found.enclosures["brackets that are not zero"] == ("10", "10")
    assert found.enclosures["dimension of V + brackets"][0] == str(span)
    assert ("bracket generating" in found.statement) == (span == problem(widths, N)[0].K)
    low, high = map(float, found.enclosures["length of a bracket"])
    assert 0 < low <= high


# Undecided -------------------------------------------------------------------------------------------------------------------


def linear():
    """x = W z + b: D does not depend on theta, and all brackets vanish."""
    return certify_nonintegrable(*problem((3, 1), 2))


def deficient():
    given, theta = problem()
    twins = gf.Dataset(np.array([[1.0], [1.0], [2.0]]), given.data.targets)
    return certify_nonintegrable(gf.Problem(given.network, twins), theta)


def too_many_samples():
    return certify_nonintegrable(*problem((1, 1, 1), 5))


def border():
    """K = QN: V is everything, and vertical is nothing."""
    return certify_nonintegrable(*problem((1, 1, 1), 4))


def one_sample():
    return certify_nonintegrable(*problem((1, 2, 1), 1))


@pytest.mark.parametrize("case", [linear, deficient, too_many_samples, border, one_sample])
def test_undecided(case):
    found = case()
    assert not found.proved
    assert found.reason
    assert not found.claim


def test_exact_zeros_are_not_taken_for_brackets():
    """Whole numbers: D = (1, 2, 1, …) and every ball is exact or contains zero."""
    network = gf.MLP((1, 1), "identity")
    given = gf.Problem(network, gf.Dataset([[1.0], [2.0]], [[0.0], [0.0]]))
    found = brackets.brackets(in_balls(given), exact([1.0, 3.0]))
    assert not isinstance(found, str)
    assert all(entry.contains(0) for row in found.rows for entry in row)


def test_a_careless_comparison_is_seen(monkeypatch):
    monkeypatch.setattr(brackets, "below", lambda a, b: not a > b)
    assert linear().proved


# The checker -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "sin", "softplus"])
def test_true_brackets_are_proved_again(activation):
    found = certify_nonintegrable(*problem(activation=activation))
    assert found.proved, found.reason
    assert check(found.claim, found.kind) == ""


def span_raised(claim):
    claim["span"] += 1


def wrong_vectors(claim):
    claim["left"] = [[row[0]] * len(row) for row in claim["left"]]


def wrong_pair(claim):
    claim["nonzero"] = [[1, 0]]


def no_pair(claim):
    claim["nonzero"] = []


def equal_inputs(claim):
    claim["inputs"][1] = claim["inputs"][0]


def without_activation(claim):
    """A linear network as seen by the checker: D is deficient for three samples."""
    claim["network"]["activation"] = "identity"


def nan_in_it(claim):
    claim["theta"][0] = "nan"


@pytest.mark.parametrize(
    "fault",
    [span_raised, wrong_vectors, wrong_pair, no_pair, equal_inputs, without_activation, nan_in_it],
)
def test_tampered_claims_are_refused(fault):
    claim = copy.deepcopy(small().claim)
    fault(claim)
    assert check(claim, "brackets")


def test_a_false_bracket_of_the_prover_is_seen(monkeypatch):
    monkeypatch.setattr(brackets, "_nonzero", lambda row: True)
    found = linear()
    assert found.proved, "or there is no false proof to find"
    assert "not certainly different from zero" in check(found.claim, "brackets")


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"theta": np.zeros(3)}, ValueError),
        ({"bits": 12}, ValueError),
        ({"problem": gf.MLP((2, 2, 1))}, TypeError),
    ],
)
def test_wrong_arguments(change, error):
    given, theta = problem()
    with pytest.raises(error):
        certify_nonintegrable(**({"problem": given, "theta": theta} | change))
