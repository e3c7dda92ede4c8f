"""Claims: each kind holds and fails where it should, refuses what is no measurement, and shows what nbval may compare."""

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.claims import (
    KINDS,
    MIME,
    Claim,
    ClaimFailed,
    Claims,
    bound,
    claims,
    count,
    equality,
    every,
    exists,
    limit,
    proved,
    refutes,
)
from companion.trials import Sample, trials

ID = "GM-T2.1a"
numbers = st.floats(-1e6, 1e6)


def sample(table) -> Sample:
    """One value a trial, 2 widths × 3 starts, or a value of any shape each."""
    return trials(lambda width, start: {"x": table[width][start]}, width=range(2), start=range(3)).x


ONES = sample([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
RAGGED = sample([[1.0, [2.0, 3.0], 1.0], [[[0.5]], 1.0, [1.0, 4.0]]])
OVER = "2 widths × 3 starts = 6 trials"


def an_equality(error=0.0, tolerance=1e-8, **more):
    return equality(ID, "x(s) − y = e^(−s/N)(x_0 − y)", error=error, tolerance=tolerance, **more)


def certificate(decided, reason=""):
    return SimpleNamespace(proved=decided, statement="full rank", reason=reason)


# --- each kind holds, and fails -----------------------------------------------------------------------------

HOLDS = {
    "equality": (lambda: an_equality([1e-9, 1e-8]), "error ≤ 1e-08", 1e-8),
    "bound above": (lambda: bound(ID, "a", [1.0, 2.0], at_most=2.0), "2", 2.0),
    "bound below": (lambda: bound(ID, "a", [3.0, 2.0], at_least=2.0), "2", 2.0),
    "limit": (lambda: limit(ID, "a", [0.9, 1.25], 1.0, 0.25), "within 0.25", 1.25),
    "count of truths": (lambda: count(ID, "a", [True, False, True], 2), "2", 2.0),
    "count of a number": (lambda: count(ID, "a", 6, 6), "6", 6.0),
    "every": (lambda: every(ID, "a", [True, True]), "2 of 2", 2.0),
    "exists": (lambda: exists(ID, "a", True, "seen", raw=4.8), "seen", 4.8),
    "refutes": (lambda: refutes(ID, "a", np.array([True, True]), "seen"), "seen", math.nan),
    "proved": (lambda: proved(ID, "a", certificate(True)), "by certificate", math.nan),
}
FAILS = {
    "equality": (
        lambda: an_equality([1e-9, math.nextafter(1e-8, 1)]),
        "error 1.000e-08 > 1e-08 at index (1,)",
    ),
    "bound above": (lambda: bound(ID, "a", [1.0, 3.0], at_most=2.0), "3 at index (1,)"),
    "bound below": (lambda: bound(ID, "a", [1.0, 3.0], at_least=2.0), "1 at index (0,)"),
    "limit from below": (
        lambda: limit(ID, "a", [1.0, 0.74], 1.0, 0.25),
        "0.74, off by more than 0.25",
    ),
    "limit from above": (lambda: limit(ID, "a", 1.26, 1.0, 0.25), "1.26, off by more than 0.25"),
    "count of truths": (lambda: count(ID, "a", [True, False], 2), "1"),
    "count of a number": (lambda: count(ID, "a", 5, 6), "5"),
    "every": (lambda: every(ID, "a", [True, False, True]), "2 of 3, not at index (1,)"),
    "exists": (lambda: exists(ID, "a", False, "not seen"), "not seen"),
    "refutes": (lambda: refutes(ID, "a", [True, False], "not seen"), "not seen"),
    "proved": (
        lambda: proved(ID, "a", certificate(False, "a ball straddles")),
        "undecided: a ball straddles",
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_each_kind_holds(name):
    make, shown, raw = HOLDS[name]
    claim = make()
    assert claim.holds is True
    assert (claim.measured, claim.raw) == (shown, pytest.approx(raw, nan_ok=True))
    assert claim.kind in KINDS
    assert claims(claim).claims == (claim,)


@pytest.mark.parametrize("name", FAILS)
def test_each_kind_fails(name):
    make, shown = FAILS[name]
    claim = make()
    assert claim.holds is False
    assert claim.measured == shown
    with pytest.raises(ClaimFailed, match=r"does not hold:\n✗ GM-T2\.1a"):
        claims(claim)


@given(numbers, numbers)
def test_bounds_hold_on_their_own_side(measured, edge):
    assert bound(ID, "a", measured, at_most=edge).holds is (measured <= edge)
    assert bound(ID, "a", measured, at_least=edge).holds is (measured >= edge)


@given(st.lists(numbers, min_size=1), numbers)
def test_the_whole_sample_decides(measured, edge):
    assert bound(ID, "a", measured, at_most=edge).holds is all(value <= edge for value in measured)
    assert every(ID, "a", np.array(measured) <= edge).holds is all(
        value <= edge for value in measured
    )


# --- what is no measurement is refused, by its trial --------------------------------------------------------

NUMERIC = {
    "equality": lambda given: equality(ID, "a", given, 1e-8),
    "bound above": lambda given: bound(ID, "a", given, at_most=1e9),
    "bound below": lambda given: bound(ID, "a", given, at_least=-1e9),
    "limit": lambda given: limit(ID, "a", given, 1.0, 1e9),
}
LOGICAL = {
    "every": lambda given: every(ID, "a", given),
    "exists": lambda given: exists(ID, "a", given, "seen"),
    "refutes": lambda given: refutes(ID, "a", given, "seen"),
}
COUNT = {"count": lambda given: count(ID, "a", given, 1)}
ALL = NUMERIC | LOGICAL | COUNT


def test_a_nan_is_not_dropped_as_max_drops_it():
    """The historical fault: max(errors) dropped the NaN of an orbit that had stopped, and the claim held."""
    errors = [1e-12, math.nan]
    assert max(errors) == 1e-12
    with pytest.raises(ClaimFailed, match=r"the error is nan at index \(1,\)"):
        equality(ID, "a", errors, 1e-8)


def test_a_negative_error_is_no_small_error():
    """The historical fault: equality(error=-5) held, since −5 ≤ 1e-8."""
    with pytest.raises(
        ClaimFailed,
        match=r"the error is negative, -5\.000e\+00 at the only value: .*absolute value",
    ):
        equality(ID, "a", error=-5, tolerance=1e-8)
    with pytest.raises(ClaimFailed, match=r"negative, -1\.000e-15 at width = 1, start = 2"):
        equality(ID, "a", sample([[0.0, 0.0, 0.0], [0.0, 1e-9, -1e-15]]), 1e-8)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", [*NUMERIC, "count"])
def test_what_is_no_finite_number_proves_nothing(name, wrong):
    with pytest.raises(ClaimFailed, match="a claim needs finite numbers"):
        ALL[name](wrong)
    with pytest.raises(ClaimFailed, match=rf"is {wrong} at width = 1, start = 0"):
        ALL[name](sample([[1.0, 1.0, 1.0], [wrong, 1.0, wrong]]))
    with pytest.raises(
        ClaimFailed, match=r"at width = 0, start = 2, index \(0, 1\) \(2 of 4 values there\)"
    ):
        ALL[name](sample([[1.0, 1.0, [[1.0, wrong], [wrong, 1.0]]], [1.0, 1.0, 1.0]]))


@pytest.mark.parametrize("name", ALL)
def test_nothing_measured_claims_nothing(name):
    with pytest.raises(ClaimFailed, match="is empty: nothing was measured"):
        ALL[name]([])
    with pytest.raises(ClaimFailed, match="is empty in the trial width = 0, start = 1"):
        ALL[name](sample([[1.0, [], 1.0], [1.0, 1.0, 1.0]]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "wrong",
    [None, "1e-9", b"1", 1j, [object()]],
    ids=["None", "text", "bytes", "complex", "object"],
)
def test_what_is_no_number_is_refused(name, wrong):
    with pytest.raises(TypeError, match=r"must be (a number|real numbers)"):
        ALL[name](wrong)


@pytest.mark.parametrize("name", LOGICAL)
@pytest.mark.parametrize("wrong", [1.0, 0, math.nan, [1, 0], ONES], ids=repr)
def test_numbers_are_no_answer_to_a_question(name, wrong):
    with pytest.raises(
        TypeError, match=r"must be truth values, such as seen\.rank == 7, got (float64|int64)"
    ):
        LOGICAL[name](wrong)


def test_a_list_of_lists_of_different_lengths_is_refused_and_a_ragged_sample_is_not():
    with pytest.raises(ValueError, match="inhomogeneous"):
        bound(ID, "a", [[1.0], [1.0, 2.0]], at_most=2)
    claim = bound(ID, "a", RAGGED, at_most=3)
    assert (claim.holds, claim.raw, claim.measured) == (
        False,
        4.0,
        "4 at width = 1, start = 2, index (1,)",
    )
    assert bound(ID, "a", RAGGED, at_least=0.5).holds
    assert limit(ID, "a", RAGGED, 1.0, 3.0).raw == 4.0
    assert every(ID, "a", RAGGED < 4).measured == "7 of 8, not at width = 1, start = 2, index (1,)"
    assert count(ID, "a", RAGGED == 1.0, 4).holds


@pytest.mark.parametrize("tolerance", [0, -1e-8, math.nan, math.inf])
def test_a_tolerance_is_finite_and_above_zero(tolerance):
    for make in (
        lambda: equality(ID, "a", 0.0, tolerance),
        lambda: limit(ID, "a", 1.0, 1.0, tolerance),
    ):
        with pytest.raises(ValueError, match="a tolerance must be a finite number above zero, got"):
            make()


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: bound(ID, "a", 1.0), ValueError, "exactly one of at_most and at_least"),
        (lambda: bound(ID, "a", 1.0, at_most=1.0, at_least=0.0), ValueError, "exactly one of at_most and at_least"),
        (lambda: bound(ID, "a", 1.0, at_most=[1.0, 2.0]), ValueError, "bound the ratio by 1"),
        (lambda: bound(ID, "a", 1.0, at_most=math.nan), ClaimFailed, "the bound is nan"),
        (lambda: limit(ID, "a", 1.0, math.nan, 0.1), ClaimFailed, "what is expected is nan"),
        (lambda: count(ID, "a", 5.5, 6), ValueError, r"whole numbers, got .*5\.5"),
        (lambda: count(ID, "a", 5, 5.5), ValueError, r"whole numbers, got 5\.5"),
        (lambda: count(ID, "a", [7, 7], 7), TypeError, r"use every\(id, statement, seen\.rank == 7\)"),
        (lambda: exists(ID, "a", True, " "), ValueError, "say in stable words"),
        (lambda: exists(ID, "a", True, None), ValueError, "say in stable words"),
        (lambda: proved(ID, "a", certificate(None)), TypeError, "proved = True or False, got None"),
        (lambda: proved(ID, "a", certificate(1)), TypeError, "proved = True or False, got 1"),
        (lambda: an_equality(kind="lemma"), ValueError, "unknown kind of claim 'lemma': use one of identity"),
        (lambda: equality("GM-T9.9", "a", 0.0, 1.0), ValueError, r"unknown statement id 'GM-T9\.9'; known ones: .*GM-T2\.1a"),
        (lambda: equality("XY-1", "a", 0.0, 1.0), ValueError, r"known ones: NA-1\.1, .*CM-5"),
        (lambda: equality(ID, " ", 0.0, 1.0), ValueError, "says in words or symbols what is claimed"),
        (lambda: equality(ID, None, 0.0, 1.0), ValueError, "says in words or symbols what is claimed"),
        (lambda: claims(), ValueError, "at least one claim"),
        (lambda: claims(True), TypeError, "claims\\(\\) takes what equality, .* return, got True"),
    ],
)  # fmt: skip
def test_what_is_no_claim_is_refused(make, error, told):
    with pytest.raises(error, match=told):
        make()


# --- over writes itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["equality", "bound above", "limit", "every", "count"])
def test_what_it_was_measured_over_is_read_off_the_sample(name):
    def over(given, **more):
        makers = {
            "equality": lambda: equality(ID, "a", given, 1.0, **more),
            "bound above": lambda: bound(ID, "a", given, at_most=1.0, **more),
            "limit": lambda: limit(ID, "a", given, 1.0, 1.0, **more),
            "every": lambda: every(ID, "a", np.equal(given, 1.0), **more),
            "count": lambda: count(ID, "a", np.equal(given, 1.0), 6, **more),
        }
        return makers[name]().over

    assert over(ONES) == OVER
    assert over(ONES, over="s ≤ 40") == f"{OVER}; s ≤ 40"
    assert over(np.ones((2, 3))) == "6 values"
    assert over(1.0) == ""
    assert over(1.0, over="24 orbits") == "24 orbits"


@pytest.mark.parametrize("make", [exists, refutes])
def test_a_witness_is_not_measured_over_anything(make):
    """`over` is what the caller says: a witness is one thing, however many conditions it meets."""
    assert make(ID, "a", ONES == 1.0, "seen").over == ""
    assert make(ID, "a", ONES == 1.0, "seen", over="of 30 draws").over == "of 30 draws"


# --- what a cell shows --------------------------------------------------------------------------------------


def test_claims_raise_and_name_each_one_that_fails():
    good, bad, worse = (
        an_equality(),
        an_equality(error=1.0),
        count(ID, "rank", measured=5, expected=6),
    )
    with pytest.raises(ClaimFailed) as failed:
        claims(good, bad, worse)
    assert str(failed.value) == (
        "does not hold:\n"
        "✗ GM-T2.1a  x(s) − y = e^(−s/N)(x_0 − y)\n    equal: error 1.000e+00 > 1e-08 at the only value\n"
        "✗ GM-T2.1a  rank\n    6, measured 5"
    )
    assert issubclass(ClaimFailed, AssertionError)


@given(st.floats(0, 1e-8), st.floats(0, 1e-8))
def test_what_is_shown_does_not_depend_on_the_noise(one, other):
    shown = [
        claims(an_equality(error=e, over="24 orbits", caveat="existence")) for e in (one, other)
    ]
    assert repr(shown[0]) == repr(shown[1])
    assert (
        repr(shown[0])
        == "✓ GM-T2.1a  x(s) − y = e^(−s/N)(x_0 − y)\n    equal: error ≤ 1e-08  (24 orbits)"
    )
    assert shown[0]._repr_mimebundle_()[0] == shown[1]._repr_mimebundle_()[0]


def test_the_bundle_is_json_and_aligned_with_the_raw_figures():
    made = [
        an_equality(error=3e-9, over="seeds", caveat="existence for all s is assumed"),
        bound("NA-T1.3c", "C(s)/bound", measured=0.98765432, at_most=1.0),
        count("NA-T1.3b", "rank", measured=6, expected=6),
        exists("NA-1.10", "an orbit that runs away", witness=True, shown="|θ| grows"),
        refutes("NA-1.10", "C converges ⇒ θ converges", witness=True, shown="it spirals", raw=4.8),
        limit("NA-T1.3c", "late slope", measured=0.9999, expected=1.0, tolerance=0.01),
        every("GM-T2.1b", "orbits that arrive", ONES == 1.0),
        proved("GM-T2.1b", "full rank along the orbit", certificate(True)),
    ]
    shown = claims(*made)
    data, metadata = shown._repr_mimebundle_()
    assert set(data) == {"text/plain", MIME}
    assert MIME == "application/vnd.companion.claims+json"
    assert len(data["text/plain"].splitlines()) == 2 * len(made)
    assert metadata == {
        "companion": {"measured": [3e-9, 0.98765432, 6.0, None, 4.8, 0.9999, 6.0, None]}
    }
    assert json.loads(json.dumps(data[MIME], allow_nan=False)) == data[MIME]
    json.dumps(metadata, allow_nan=False)
    for claim, record in zip(made, data[MIME], strict=True):
        assert record == {
            key: value for key, value in dataclasses.asdict(claim).items() if key != "raw"
        }
        assert record["holds"] is True
    assert [record["kind"] for record in data[MIME]] == [
        "identity", "inequality", "count", "existence", "counterexample", "limit", "every", "proved",
    ]  # fmt: skip
    first = data[MIME][0]
    assert (first["over"], first["caveat"], first["tolerance"]) == (
        "seeds",
        "existence for all s is assumed",
        1e-8,
    )
    # raw noise stays out of what nbval compares
    assert "0.98765" not in json.dumps(data)


def test_claims_are_a_sequence_of_claims():
    made = claims(an_equality(), every(ID, "a", [True]))
    assert isinstance(made, Claims)
    assert len(made) == 2
    assert [claim.kind for claim in made] == ["identity", "every"]
    assert isinstance(made[0], Claim)
    assert repr(made) == "\n".join(claim.line() for claim in made)


def test_predictions_in_words_and_in_numbers_read_well():
    assert (
        every(ID, "arrive", ONES == 1.0).line()
        == f"✓ GM-T2.1a  arrive\n    every one: 6 of 6  ({OVER})"
    )
    assert bound(ID, "ratio", 0.5, at_most=1).line() == "✓ GM-T2.1a  ratio\n    ≤ 1, measured 0.5"
    assert (
        proved(ID, "rank", certificate(True)).line()
        == "✓ GM-T2.1a  rank\n    proved: by certificate"
    )
    assert refutes(ID, "never", True, "once").line() == "✓ GM-T2.1a  never\n    fails: once"
