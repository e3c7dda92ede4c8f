"""The independent checker: it accepts what is true, refuses what was tampered with, and sees a fault planted in the prover."""

import copy
import dataclasses
import functools
import json

import certificates
import jax
import numpy as np
import pytest
from flint import arb
from mpmath import iv

import geoflow as gf
from geoflow.certified import (
    activations,
    certify_zero_loss,
    charts,
    cosine,
    enclose_infimum,
    krawczyk,
    load,
    save,
    zero_loss,
)
from geoflow.checker import __main__ as program
from geoflow.checker import check, check_file, intervals, squares
from geoflow.checker.kinds import CHECKERS

# True claims -------------------------------------------------------------------------------------------------------------------


def with_zero(widths, N, activation="tanh", seed=0, bias=True):
    """A network, data and a theta of zero loss up to rounding."""
    network = gf.MLP(widths, activation, bias)
    inputs = np.random.default_rng(seed).normal(size=(N, widths[0]))
    theta = network.init(jax.random.key(seed))
    x = gf.Problem(network, gf.Dataset(inputs, np.zeros((N, widths[-1])))).outputs(theta)
    return network, gf.Dataset(inputs, np.asarray(x).reshape(N, -1)), theta


@functools.cache
def zero(case):
    if case == "labels":
        network = gf.MLP((2, 3, 2))
        inputs = np.random.default_rng(4).normal(size=(6, 2))
        part = gf.MLP((2, 3, 1))
        theta = part.init(jax.random.key(1))
        x = np.asarray(
            gf.Problem(part, gf.Dataset(inputs, np.zeros((6, 1)))).outputs(theta)
        ).reshape(-1)
        x = np.round(x * 2**20) / 2**20  # 1 − x is exact
        return certify_zero_loss(
            network,
            gf.Dataset(inputs, np.stack([x, 1 - x], axis=1)),
            theta,
            one_hot=True,
            reach=1e-3,
        )
    radius = 1e-9 if case == "inputs" else 0.0
    given = {
        "tanh": ((2, 2, 1), 5),
        "inputs": ((2, 3, 1), 5),
        "deep": ((2, 3, 2, 2), 4, "softplus"),
        "no bias": ((3, 4, 1), 6, "sin", 2, False),
        "sigmoid": ((1, 3, 2), 4, "sigmoid"),
    }[case]
    return certify_zero_loss(*with_zero(*given), input_radius=radius)


@functools.cache
def bounded():
    return enclose_infimum(*SAMPLES, 0.5)


SAMPLES = np.array([-2.0, -1, 0, 1, 2]), np.array([0.5, -1, 0, 0.25, 1])
ZEROS = ("tanh", "inputs", "deep", "no bias", "sigmoid", "labels")


@pytest.mark.parametrize("case", ZEROS)
def test_true_zeros_are_proved_again(case):
    assert zero(case).proved, zero(case).reason
    assert check(zero(case).claim, "zero loss") == ""


def test_a_true_infimum_is_proved_again():
    assert bounded().proved, bounded().reason
    assert check(bounded().claim) == ""


def test_the_proof_is_small():
    assert len(json.dumps(bounded().claim)) < 6000


# Tampering ---------------------------------------------------------------------------------------------------------------------


def moved(text, by):
    """The number behind "mpe" plus a float, written again."""
    value = intervals.number(text) + intervals.Fraction(by)
    e = value.denominator.bit_length() - 1
    return f"{value.numerator}p{-e}"


def theta_moved(claim):
    claim["centre"][0] = moved(claim["centre"][0], 2.0**-20)


def given_theta_moved(claim):
    claim["theta"][1] = moved(claim["theta"][1], 0.5)


def radius_enlarged(claim):
    claim["radius"] = "1p3"


def radius_too_small(claim):
    claim["radius"] = "1p-2000"


def radius_negative(claim):
    claim["radius"] = "-1p-3"


def target_changed(claim):
    claim["targets"][1][0] = moved(claim["targets"][1][0], 2.0**-30)


def input_changed(claim):
    claim["inputs"][0][0] = moved(claim["inputs"][0][0], 2.0**-30)


def inputs_anywhere(claim):
    claim["input_radius"] = "1p-3"


def sample_left_out(claim):
    claim["targets"].pop()


def other_network(claim):
    claim["network"]["activation"] = "sigmoid"


def reduced_by_hand(claim):
    claim["reduced"] = not claim["reduced"]


def nan_in_it(claim):
    claim["centre"][2] = "nan"


def a_float(claim):
    claim["centre"][2] = float("nan")


def huge_exponent(claim):
    claim["centre"][2] = "1p999999"


def directions_vanish(claim):
    claim["directions"] = [["0p0"] * len(row) for row in claim["directions"]]


def no_radius(claim):
    del claim["radius"]


@pytest.mark.parametrize(
    "fault",
    [
        theta_moved, given_theta_moved, radius_enlarged, radius_too_small, radius_negative, target_changed, input_changed, inputs_anywhere,
        sample_left_out, other_network, reduced_by_hand, nan_in_it, a_float, huge_exponent, directions_vanish, no_radius,
    ],
)  # fmt: skip
def test_tampered_zeros_are_refused(fault):
    claim = copy.deepcopy(zero("tanh").claim)
    fault(claim)
    assert check(claim, "zero loss")


def lower_raised(claim):
    claim["lower"] = moved(claim["lower"], 0.6 * float(intervals.number(claim["upper"])))


def upper_lowered(claim):
    claim["upper"] = moved(claim["upper"], -1e-6 * float(intervals.number(claim["upper"])))


def lower_negative(claim):
    claim["lower"] = "-1p0"


def targets_of_a_step(claim):
    claim["targets"] = ["0p0"] * 4 + ["1p0"]  # C comes near zero


def input_moved(claim):
    claim["inputs"][1] = claim["inputs"][0]


def box_left_out(claim):
    claim["trees"]["cell 2"] = claim["trees"]["cell 2"][:-1]


def box_left_out_within(claim):
    tree = claim["trees"]["right"]
    k = tree.index(".")
    claim["trees"]["right"] = tree[:k] + tree[k + 1 :]


def box_called_covered(claim):
    claim["trees"]["cell 3"] = claim["trees"]["cell 3"].replace(".", "w", 1)


def a_tree_of_one_leaf(claim):
    claim["trees"]["cell 3"] = "."


def a_face_for_a_half(claim):
    claim["trees"]["cell 3"] = "a" + claim["trees"]["cell 3"][1:]


def box_too_many(claim):
    claim["trees"]["flat +"] += "."


def chart_left_out(claim):
    del claim["trees"]["left"]


def witness_moved(claim):
    claim["witness"]["point"] = ["1p-1", "1p-1"]


def witness_outside(claim):
    claim["witness"]["point"] = ["3p0", "0p0"]


def target_nan(claim):
    claim["targets"][0] = "nan"


def constant_targets(claim):
    claim["targets"] = ["1p0"] * len(claim["targets"])


@pytest.mark.parametrize(
    "fault",
    [
        lower_raised, upper_lowered, lower_negative, targets_of_a_step, input_moved, box_left_out, box_left_out_within, box_called_covered,
        a_tree_of_one_leaf, a_face_for_a_half, box_too_many, chart_left_out, witness_moved, witness_outside, target_nan, constant_targets,
    ],
)  # fmt: skip
def test_tampered_infima_are_refused(fault):
    claim = copy.deepcopy(bounded().claim)
    fault(claim)
    assert check(claim)


def test_what_is_no_claim_is_refused():
    assert check({}, "zero loss")
    assert "knows the kinds" in check({}, "theorem")
    assert "knows the kinds" in check({"kind": "nonsense"})
    assert check({"inputs": 3}, "infimum")
    assert check(copy.deepcopy(bounded().claim), "zero loss"), "a claim of another kind"


# Faults in the prover ----------------------------------------------------------------------------------------------------------


def test_a_fault_in_the_prover_s_tanh_is_seen(monkeypatch):
    true = activations.ACTIVATIONS["tanh"]

    def faulty(z):
        t, slope, bend = true(z)
        return t * (1 + arb(2) ** -40), slope, bend

    monkeypatch.setitem(activations.ACTIVATIONS, "tanh", faulty)
    certificate = certify_zero_loss(*with_zero((2, 2, 1), 5))
    assert certificate.proved, "or there is no false proof to find"
    assert check(certificate.claim, "zero loss")


def test_a_fault_in_the_prover_s_inclusion_is_seen(monkeypatch):
    """It calls a point a zero that is none."""
    monkeypatch.setattr(
        zero_loss, "polish", lambda point, step, reach: krawczyk.Polished(point, 0.0, 0.0)
    )
    monkeypatch.setattr(
        zero_loss,
        "include",
        lambda A, at, slope, r: krawczyk.Inclusion(True, arb(2) ** -20, arb(0.5), ""),
    )
    network, data, theta = with_zero((2, 2, 1), 5)
    certificate = certify_zero_loss(
        network, gf.Dataset(data.inputs, np.asarray(data.targets) + 0.01), theta
    )
    assert certificate.proved, "or there is no false proof to find"
    assert "not mapped into itself" in check(certificate.claim, "zero loss")


@pytest.mark.parametrize("fault", ["slopes", "value", "covered"])
def test_a_fault_in_the_prover_s_bounds_is_seen(monkeypatch, fault):
    true = cosine.Cosine.value
    if fault == "slopes":  # every box a leaf as soon as its centre is below
        monkeypatch.setattr(cosine.Cosine, "slopes", lambda self, features: [arb(0), arb(0)])
    elif fault == "value":
        monkeypatch.setattr(cosine.Cosine, "value", lambda self, g: true(self, g) * arb(0.5))
    else:
        monkeypatch.setattr(charts._Cell, "covered", lambda self, box: True)
    certificate = enclose_infimum(*SAMPLES, 0.05)
    assert certificate.proved, "or there is no false proof to find"
    assert check(certificate.claim)


# The checker's own numbers -----------------------------------------------------------------------------------------------------


def test_below_needs_finite_intervals():
    one = iv.mpf(1)
    assert intervals.below(iv.mpf(0), one)
    for worse in (
        iv.mpf("nan"),
        iv.mpf([iv.ninf, 0]),
        one / iv.mpf([-1, 1]),
        iv.mpf([0, 1]),
        iv.mpf(1),
        iv.mpf(2),
    ):
        assert not intervals.below(worse, one)
    assert not intervals.below(iv.mpf(0), iv.inf)
    assert not intervals.below(iv.mpf(0), iv.mpf("nan"))


def test_squares_agree_with_the_charts():
    """Two sets of formulas, written apart, for the same features."""
    z = [intervals.Fraction(x) for x in (-1.0, -0.25, 0.5, 2.0)]
    found = squares.squares(z)
    assert [chart.name for chart in charts.charts(z)] == list(found)
    rng = np.random.default_rng(0)
    for chart in charts.charts(z):
        for _ in range(8):
            box = tuple(tuple(sorted(rng.uniform(*side, 2).tolist())) for side in chart.root)
            for ours, theirs in zip(
                chart.features(box), found[chart.name].features(box), strict=True
            ):
                for a, b in zip(ours, theirs, strict=True):
                    middle, half = intervals.size(b), intervals.size(b.delta) / 2
                    assert abs(float(a.mid()) - middle) <= float(a.rad()) + half + 1e-12, (
                        "both enclose the same numbers"
                    )
                    assert half < 3 * float(a.rad()) + 1e-12


# Files -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "certificate", [lambda: zero("tanh"), bounded], ids=["zero loss", "infimum"]
)
def test_a_file_gives_back_what_was_saved(certificate, tmp_path):
    saved = certificate()
    save(saved, tmp_path / "a.json")
    again = load(tmp_path / "a.json")
    assert again == saved
    assert check(again.claim, again.kind) == ""
    assert check_file(tmp_path / "a.json") == ""
    assert (tmp_path / "a.json").stat().st_size < 8000
    undecided = dataclasses.replace(saved, proved=False)
    save(undecided, tmp_path / "b.json")
    assert "claims nothing" in check_file(tmp_path / "b.json")


def test_the_checker_as_a_program(tmp_path, capsys):
    save(zero("tanh"), tmp_path / "good.json")
    (tmp_path / "bad.json").write_text("{}", encoding="utf8")
    assert program.main([str(tmp_path / "good.json")]) == 0
    assert program.main([str(tmp_path / "good.json"), str(tmp_path / "bad.json")]) == 1
    said = capsys.readouterr().out
    assert "good.json: proved again" in said
    assert "is no certificate" in said


def test_wrong_files(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(TypeError, match="certificate"):
        save({}, path)
    with pytest.raises(ValueError, match="exact number"):
        save(dataclasses.replace(bounded(), radius=float("nan")), path)
    save(bounded(), path)
    good = json.loads(path.read_text(encoding="utf8"))
    for content, advice in (
        ("no JSON", "no JSON file"),
        ("[]", "is no certificate"),
        (json.dumps(good | {"format": "another"}), "is no certificate"),
        (json.dumps(good | {"more": 1}), "is no certificate"),
        (json.dumps(good | {"proved": "yes"}), "proved must be a bool"),
        (json.dumps(good | {"seconds": 0.1}), "not exact"),
        (json.dumps(good | {"enclosures": {"a": 1}}), "not exact"),
    ):
        path.write_text(content, encoding="utf8")
        with pytest.raises(ValueError, match=advice):
            load(path)


def test_every_kind_is_known():
    assert {"zero loss", "infimum"} <= CHECKERS.keys()


def test_the_certificates_of_a_book(tmp_path, capsys):
    """Those in folders called certificates; none at all is no success."""
    assert certificates.main(tmp_path) == 1
    folder = tmp_path / "flows" / "certificates"
    folder.mkdir(parents=True)
    save(zero("tanh"), folder / "zero.json")
    assert certificates.main(tmp_path) == 0
    save(dataclasses.replace(zero("tanh"), claim={}), folder / "empty.json")
    assert certificates.main(tmp_path) == 1
    assert "1 of 2 certificates proved again" in capsys.readouterr().out
    assert certificates.stored(certificates.BOOK), "the book has certificates"
