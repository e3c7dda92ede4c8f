"""Claims: what each maker accepts and rejects at its boundary, what is shown, and what the ledger gets."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import geoflow as gf
from geoflow.claims import KINDS, MIME, Claims

ID = "GM-T2.1a"
numbers = st.floats(-1e6, 1e6)


def an_equality(error=0.0, tolerance=1e-8, **more):
    return gf.equality(ID, "x(s) − y = e^(−s/N)(x_0 − y)", error=error, tolerance=tolerance, **more)


@pytest.mark.usefixtures("as_a_user")
def test_equality_holds_up_to_its_tolerance():
    assert an_equality(error=1e-8).holds
    assert not an_equality(error=math.nextafter(1e-8, 1)).holds
    with pytest.raises(ValueError, match="tolerance must be a finite number above zero, got 0"):
        an_equality(tolerance=0)
    with pytest.raises(ValueError, match="tolerance must be a finite number above zero, got nan"):
        an_equality(tolerance=math.nan)


@given(numbers, numbers)
def test_bounds_hold_on_their_own_side(measured, limit):
    assert gf.bound(ID, "a", measured=measured, at_most=limit).holds is (measured <= limit)
    assert gf.bound(ID, "a", measured=measured, at_least=limit).holds is (measured >= limit)


def test_bounds_hold_at_equality_and_need_one_side():
    assert gf.bound(ID, "a", measured=2.0, at_most=2.0).holds
    assert gf.bound(ID, "a", measured=2.0, at_least=2.0).holds
    assert gf.bound(ID, "a", measured=2.0, at_most=3.0).predicted == "≤ 3"
    assert gf.bound(ID, "a", measured=2.0, at_least=1.0).predicted == "≥ 1"
    for sides in ({}, {"at_most": 1.0, "at_least": 0.0}):
        with pytest.raises(ValueError, match="exactly one of at_most and at_least"):
            gf.bound(ID, "a", measured=1.0, **sides)


def test_limit_holds_within_its_tolerance_on_both_sides():
    def claim(measured):
        return gf.limit(ID, "late slope", measured=measured, expected=1.0, tolerance=0.25)

    assert claim(0.75).holds
    assert claim(1.25).holds
    assert not claim(0.74).holds
    assert not claim(1.26).holds
    assert claim(1.2).measured == "within 0.25"
    assert "1.26, off by more than 0.25" in claim(1.26).measured


@pytest.mark.usefixtures("as_a_user")
def test_a_count_is_hit_exactly():
    assert gf.count(ID, "rank", measured=6, expected=6).holds
    assert not gf.count(ID, "rank", measured=5, expected=6).holds
    with pytest.raises(ValueError, match=r"whole numbers, got 5\.5 and 6"):
        gf.count(ID, "rank", measured=5.5, expected=6)


@pytest.mark.parametrize("make", [gf.exists, gf.refutes])
def test_witnesses(make):
    assert make(ID, "a", witness=True, shown="seen").holds is True
    assert make(ID, "a", witness=False, shown="not seen").holds is False


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_proves_nothing(wrong):
    for make in (
        lambda: an_equality(error=wrong),
        lambda: gf.bound(ID, "a", measured=wrong, at_most=1.0),
        lambda: gf.bound(ID, "a", measured=0.0, at_least=wrong),
        lambda: gf.limit(ID, "a", measured=wrong, expected=1.0, tolerance=0.1),
    ):
        with pytest.raises(gf.ClaimFailed, match="a claim needs a finite number"):
            make()


def test_unknown_ids_and_kinds_are_refused():
    with pytest.raises(ValueError, match=r"unknown statement id 'GM-T9\.9'.*GM-T2\.1a"):
        gf.equality("GM-T9.9", "a", error=0.0, tolerance=1.0)
    with pytest.raises(ValueError, match=r"unknown kind of claim 'lemma'.*identity"):
        an_equality(kind="lemma")


def test_the_statements_are_those_of_the_four_papers():
    assert {s.paper for s in gf.STATEMENTS.values()} == {"NA", "GM", "LN", "CM"}
    assert gf.STATEMENTS[ID].number.startswith("Theorem 2.1")
    for key, statement in gf.STATEMENTS.items():
        assert statement.id == key
        assert statement.number
        assert statement.title


def test_claims_raise_and_name_each_one_that_fails():
    good, bad, worse = an_equality(), an_equality(error=1.0), gf.count(ID, "rank", measured=5, expected=6)
    with pytest.raises(gf.ClaimFailed, match=r"does not hold:\n✗ GM-T2\.1a .*\n.*error 1\.000e\+00 > 1e-08\n✗ .*rank"):
        gf.claims(good, bad, worse)
    assert issubclass(gf.ClaimFailed, AssertionError)
    with pytest.raises(ValueError, match="at least one claim"):
        gf.claims()


@given(st.floats(0, 1e-8), st.floats(0, 1e-8))
def test_what_is_shown_does_not_depend_on_the_noise(one, other):
    shown = [gf.claims(an_equality(error=e, over="24 orbits", caveat="existence")) for e in (one, other)]
    assert repr(shown[0]) == repr(shown[1])
    assert repr(shown[0]) == "✓ GM-T2.1a  x(s) − y = e^(−s/N)(x_0 − y)\n    equal: error ≤ 1e-08  (24 orbits)"
    assert shown[0]._repr_mimebundle_()[0] == shown[1]._repr_mimebundle_()[0]


def test_the_bundle_is_json_and_aligned_with_the_raw_figures():
    made = [
        an_equality(error=3e-9, over="seeds", caveat="existence for all s is assumed"),
        gf.bound("NA-T1.3c", "C(s)/bound", measured=0.98765432, at_most=1.0),
        gf.count("NA-T1.3b", "rank", measured=6, expected=6),
        gf.exists("NA-1.10", "an orbit that runs away", witness=True, shown="|θ| grows"),
        gf.refutes("NA-1.10", "C converges ⇒ θ converges", witness=True, shown="it spirals", raw=4.8),
        gf.limit("NA-T1.3c", "late slope", measured=0.9999, expected=1.0, tolerance=0.01),
    ]
    data, metadata = gf.claims(*made)._repr_mimebundle_()
    assert set(data) == {"text/plain", MIME}
    assert len(data["text/plain"].splitlines()) // 2 == len(data[MIME]) == len(metadata["geoflow"]["measured"]) == 6
    assert metadata == {"geoflow": {"measured": [3e-9, 0.98765432, 6.0, None, 4.8, 0.9999]}}
    assert json.loads(json.dumps(data[MIME], allow_nan=False)) == data[MIME]
    json.dumps(metadata, allow_nan=False)
    for claim, record in zip(made, data[MIME], strict=True):
        assert record["id"] == claim.id
        assert record["kind"] in KINDS
        assert record["holds"] is True
        assert set(record) == {
            "id", "kind", "statement", "predicted", "measured", "tolerance", "holds", "over", "caveat",
        }  # fmt: skip
    assert [r["kind"] for r in data[MIME]] == [
        "identity", "inequality", "count", "existence", "counterexample", "limit",
    ]  # fmt: skip
    first = data[MIME][0]
    assert (first["over"], first["caveat"], first["tolerance"]) == ("seeds", "existence for all s is assumed", 1e-8)
    # raw noise stays out of what nbval compares
    assert "0.98765" not in json.dumps(data)
    assert repr(Claims(made)) == data["text/plain"]
