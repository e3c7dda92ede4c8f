"""The checker on claims about points: critical points and ranks. It accepts what is true, and refuses what was tampered with."""

import copy
import functools

import jax
import numpy as np
import pytest
from flint import arb

import geoflow as gf
from geoflow.certified import certify_equilibrium, certify_rank, inertia, rank_bounds
from geoflow.certified import equilibrium as equilibrium_module
from geoflow.checker import check, intervals


def moved(text, by):
    """The number behind "mpe" plus a float, written again."""
    value = intervals.number(text) + intervals.Fraction(by)
    e = value.denominator.bit_length() - 1
    return f"{value.numerator}p{-e}"


def saddle():
    """Of sin (1, 1, 1) on six samples: λ_min = .026, found by Newton's method in floating point."""
    problem = gf.Problem(gf.MLP((1, 1, 1), "sin"), gf.generic(jax.random.key(0), 6, 1, 1))
    gradient, hessian = jax.jit(jax.grad(problem.cost)), jax.jit(jax.hessian(problem.cost))
    for start in np.asarray(problem.network.inits(jax.random.key(0), 50)):
        theta = start
        for _ in range(30):
            theta = theta - np.linalg.solve(np.asarray(hessian(theta)), np.asarray(gradient(theta)))
        near = np.abs(theta).max() < 20 and np.abs(gradient(theta)).max() < 1e-14
        if near and np.linalg.eigvalsh(np.asarray(hessian(theta)))[0] < -1e-3:
            return problem, theta
    raise AssertionError("no start leads to a saddle")


saddle = functools.cache(saddle)


@functools.cache
def equilibrium():
    return certify_equilibrium(*saddle(), data_radius=1e-9)


def twins(activation="tanh"):
    """Five samples, two of them with one input: rank 4 of D, from both sides."""
    network = gf.MLP((1, 2, 1), activation)
    inputs = np.array([[-1.0], [0.25], [0.25], [1.0], [2.0]])
    theta = np.asarray(network.init(jax.random.key(3)))
    return gf.Problem(network, gf.Dataset(inputs, inputs)), theta


@functools.cache
def ranked(radius=0.0):
    return certify_rank(*twins(), rank=4, radius=radius)


WIDE = 1e-4

CLAIMS = {
    "equilibrium": equilibrium,
    "rank": ranked,
    "rank of a box": functools.partial(ranked, 1e-6),
}


def test_a_singular_value_from_below_is_proved_again():
    """A box so wide that DDᵀ does not tell: the bound is that of UᵀDV, and it has no upper end."""
    certificate = ranked(WIDE)
    assert certificate.proved, certificate.reason
    assert certificate.enclosures["singular value 4"][1] == "inf"
    assert check(certificate.claim, "rank") == ""
    claim = copy.deepcopy(certificate.claim)
    claim["sigma"][0] = moved(claim["sigma"][0], 0.5 * float(intervals.number(claim["sigma"][0])))
    assert check(claim, "rank")


@pytest.mark.parametrize("name", CLAIMS)
def test_true_claims_are_proved_again(name):
    certificate = CLAIMS[name]()
    assert certificate.proved, certificate.reason
    assert check(certificate.claim, certificate.kind) == ""


def centre_moved(claim):
    claim["centre"][0] = moved(claim["centre"][0], 2.0**-20)


def index_changed(claim):
    claim["index"] += 1


def eigenvalue_doubled(claim):
    claim["eigenvalue"] = moved(claim["eigenvalue"], float(intervals.number(claim["eigenvalue"])))


def cost_lowered(claim):
    claim["cost"][1] = claim["cost"][0]


def cost_raised(claim):
    claim["cost"][0] = claim["cost"][1]


def rank_lowered(claim):
    claim["rank"] = [claim["rank"][0] - 1] * 2


def rank_without_reason(claim):
    claim["rank"][1] -= 1
    claim["rank"][0] -= 1
    for side in ("left", "right"):
        claim[side] = [row[:-1] for row in claim[side]]


def singular_vectors_equal(claim):
    claim["left"] = [[row[0]] * len(row) for row in claim["left"]]


def radius_too_small(claim):
    claim["radius"] = "1p-900"


def radius_enlarged(claim):
    claim["radius"] = "1p1"


def radius_zero(claim):
    claim["radius"] = "0p0"


def data_anywhere(claim):
    claim["data_radius"] = "1p-2"


def wide_radius_lost(claim):
    claim["wide_radius"] = "0p0"


def target_changed(claim):
    claim["targets"][1][0] = moved(claim["targets"][1][0], 2.0**-20)


def input_changed(claim):
    claim["inputs"][0][0] = moved(claim["inputs"][0][0], 2.0**-20)


def twin_changed(claim):
    claim["inputs"][1][0] = moved(claim["inputs"][1][0], 2.0**-20)


def other_network(claim):
    claim["network"]["activation"] = "sigmoid"


def sigma_raised(claim):
    claim["sigma"][0] = moved(claim["sigma"][0], 2.0**-20)


def sigma_lowered(claim):
    claim["sigma"][1] = moved(claim["sigma"][0], -(2.0**-20))


def nan_in_it(claim):
    claim["theta"][0] = "nan"


FAULTS = {
    "equilibrium": (
        centre_moved, index_changed, eigenvalue_doubled, cost_lowered, cost_raised, rank_lowered, rank_without_reason,
        singular_vectors_equal, radius_too_small, radius_enlarged, radius_zero, data_anywhere, wide_radius_lost, target_changed,
        input_changed, other_network, nan_in_it,
    ),
    "rank": (
        rank_lowered, rank_without_reason, singular_vectors_equal, radius_enlarged, input_changed, twin_changed, other_network,
        sigma_raised, sigma_lowered, nan_in_it,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fault"), [(n, f) for n, faults in FAULTS.items() for f in faults]
)
def test_tampered_claims_are_refused(name, fault):
    certificate = CLAIMS[name]()
    claim = copy.deepcopy(certificate.claim)
    fault(claim)
    assert check(claim, certificate.kind)


# Faults in the prover --------------------------------------------------------------------------------------------------------


def test_a_fault_in_the_prover_s_index_is_seen(monkeypatch):
    monkeypatch.setattr(equilibrium_module, "inertia", lambda H: inertia.Inertia(0, len(H)))
    certificate = certify_equilibrium(*saddle())
    assert certificate.proved, "or there is no false proof to find"
    assert "a minimum" in certificate.statement
    assert check(certificate.claim, "equilibrium")


def test_a_fault_in_the_prover_s_eigenvalue_is_seen(monkeypatch):
    true = inertia.least_size
    monkeypatch.setattr(equilibrium_module, "least_size", lambda H: true(H) * arb("1.01"))
    certificate = certify_equilibrium(*saddle())
    assert certificate.proved, "or there is no false proof to find"
    assert check(certificate.claim, "equilibrium")


def test_a_fault_in_the_prover_s_rank_is_seen(monkeypatch):
    monkeypatch.setattr(rank_bounds, "row_norm", lambda matrix: arb(0))
    certificate = certify_rank(*twins())
    assert certificate.proved, "or there is no false proof to find"
    assert check(certificate.claim, "rank")
