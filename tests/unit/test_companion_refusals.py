"""companion.refusals."""

import pytest

from companion.refusals import refusal


def test_the_words_of_a_refusal():
    assert "invalid literal" in refusal(lambda: int("x"))


def test_what_is_not_refused_is_said():
    with pytest.raises(AssertionError, match=r"nothing was refused: the call returned 3\."):
        refusal(lambda: 3)


def test_another_exception_is_no_refusal():
    with pytest.raises(ZeroDivisionError):
        refusal(lambda: 1 // 0)
    assert refusal(lambda: 1 // 0, ZeroDivisionError)
