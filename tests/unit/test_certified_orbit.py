"""Whole orbits, proved: full rank and the straight line to y; what is undecided, and the checker."""

import copy
import functools

import jax
import numpy as np
import pytest

import geoflow as gf
from geoflow.certified import certify_orbit, dyadic, orbit
from geoflow.checker import check


@functools.cache
def problem(widths=(1, 2, 1), N=2, activation="tanh"):
    data = gf.generic(jax.random.key(0), N, widths[0], widths[-1])
    network = gf.MLP(widths, activation)
    return gf.Problem(network, data), np.asarray(network.init(jax.random.key(1)))


@functools.cache
def found(activation="tanh"):
    return certify_orbit(*problem(activation=activation))


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_an_orbit_is_proved_and_ends_at_zero_loss(activation):
    given, theta = problem(activation=activation)
    certificate = found(activation)
    assert certificate.proved, certificate.reason
    assert sum(2.0**-k for k in certificate.claim["slabs"]) == 1
    end = np.array([float(dyadic.read(text)) for text in certificate.claim["end"]])
    assert certificate.radius is not None
    assert certificate.radius < 1e-7
    assert float(given.cost(end)) < 1e-14
    seen = gf.integrate("adapted", given, theta, until=40.0, save=200, rtol=1e-10, atol=1e-12)
    assert np.abs(np.asarray(seen.end) - end).max() < 1e-6
    low = float(certificate.enclosures["least singular value of D"][0])
    assert 0.8 * seen.sigma_min.min() < low <= seen.sigma_min.min()


# Undecided -------------------------------------------------------------------------------------------------------------------


def equal_inputs():
    given, theta = problem()
    twins = gf.Dataset(np.ones((2, 1)), given.data.targets)
    return certify_orbit(gf.Problem(given.network, twins), theta)


def too_many_samples():
    return certify_orbit(*problem((1, 1, 1), 5))


def few_slabs():
    return certify_orbit(*problem(), slabs=2)


@pytest.mark.parametrize("case", [equal_inputs, too_many_samples, few_slabs])
def test_undecided(case):
    certificate = case()
    assert not certificate.proved
    assert certificate.reason
    assert not certificate.claim
    assert not certificate.enclosures


def test_a_poor_guess_is_no_proof(monkeypatch):
    """P with a fault of 1e-3: the defect sees it, and the tube is left."""
    true = orbit.collocation

    def poor(given, b):
        piece = true(given, b)

        def moved(start, width):
            whole = piece(start, width)
            path = whole.path.copy()
            path[:, 1] *= 1.001
            return orbit.Piece(path, whole.multiplier, whole.half)

        return moved

    monkeypatch.setattr(orbit, "collocation", poor)
    assert not certify_orbit(*problem()).proved


# The checker -----------------------------------------------------------------------------------------------------------------


def test_a_true_orbit_is_proved_again():
    assert check(found().claim, "orbit") == ""


def sigma_raised(claim):
    claim["sigma"] = "2p0"


def a_slab_left_out(claim):
    claim["slabs"] = claim["slabs"][1:]


def one_long_slab(claim):
    claim["slabs"] = [0]


def radius_zero(claim):
    claim["radius"] = "0p0"


def equal_samples(claim):
    claim["inputs"][1] = claim["inputs"][0]


def nan_in_it(claim):
    claim["theta"][0] = "nan"


@pytest.mark.parametrize(
    "fault", [sigma_raised, a_slab_left_out, one_long_slab, radius_zero, equal_samples, nan_in_it]
)
def test_tampered_claims_are_refused(fault):
    claim = copy.deepcopy(found().claim)
    fault(claim)
    assert check(claim, "orbit")


def test_another_end_is_refused():
    claim = copy.deepcopy(found().claim)
    claim["end"][0] = "1p-1"
    assert "the end is only known" in check(claim, "orbit")


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"theta": np.zeros(3)}, ValueError),
        ({"slabs": 0}, ValueError),
        ({"bits": 12}, ValueError),
        ({"problem": gf.MLP((2, 2, 1))}, TypeError),
    ],
)
def test_wrong_arguments(change, error):
    given, theta = problem()
    with pytest.raises(error):
        certify_orbit(**({"problem": given, "theta": theta} | change))
