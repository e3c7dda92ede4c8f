"""The explorer's Python side: frames, caching, errors that advise, and the page without a kernel."""

import base64
import gzip
import json

import numpy as np
import pytest
from matplotlib import pyplot

from companion.explorer import MAX_STATIC_FRAMES, Choice, Explorer, Slider, say


@pytest.fixture(autouse=True)
def with_a_kernel(monkeypatch):
    monkeypatch.delenv("COMPANION_STATIC", raising=False)


class Recorded:
    """A draw function that remembers what it was called with."""

    def __init__(self):
        self.calls = []

    def __call__(self, s, activation):
        self.calls.append((s, activation))
        figure, axes = pyplot.subplots()
        axes.plot([0, s])
        return figure, f"s is {s}, {activation}"


def explorer(draw):
    return Explorer(
        draw,
        s=Slider("flow time s", [0.0, 0.5, 1.0], unit="s", play=True, start=0.5),
        activation=Choice("activation", ["tanh", "sin"]),
    )


def answers(shown, monkeypatch):
    """What the explorer sends to its page."""
    sent = []
    monkeypatch.setattr(shown, "send", sent.append)
    return sent


def unpacked(shown):
    return json.loads(gzip.decompress(base64.b64decode(shown.frames)))


def test_repr_is_stable_and_says_what_it_explores():
    assert repr(explorer(Recorded())) == "Explorer(flow time s × activation: 3 × 2 frames)"


def test_with_a_kernel_only_the_first_frame_is_drawn():
    draw = Recorded()
    shown = explorer(draw)
    assert draw.calls == [(0.5, "tanh")]
    assert shown.frames == ""
    assert shown.first["key"] == [1, 0]
    assert shown.first["reading"] == "s is 0.5, tanh"


def test_a_frame_is_drawn_once_and_answered_with_its_time(monkeypatch):
    draw = Recorded()
    shown = explorer(draw)
    sent = answers(shown, monkeypatch)
    for _ in range(2):
        shown._answer(shown, {"ask": [2, 1]}, [])
    assert draw.calls == [(0.5, "tanh"), (1.0, "sin")]
    assert [answer["key"] for answer in sent] == [[2, 1], [2, 1]]
    assert sent[0]["pictures"] == sent[1]["pictures"]
    assert sent[0]["pictures"][0].startswith("<svg ")
    assert sent[1]["milliseconds"] < sent[0]["milliseconds"]


def test_an_error_while_exploring_reaches_both_the_page_and_python(monkeypatch):
    def draw(s):
        if s > 1:
            raise ArithmeticError("rank was lost")
        return pyplot.figure(), "fine"

    shown = Explorer(draw, s=[1, 2])
    sent = answers(shown, monkeypatch)
    with pytest.raises(ArithmeticError) as error:
        shown._answer(shown, {"ask": [1]}, [])
    assert sent == [{"key": [1], "error": "ArithmeticError: rank was lost"}]
    assert error.value.__notes__ == ["while drawing the frame s = 2"]


def test_static_pages_carry_every_frame_in_order(monkeypatch):
    monkeypatch.setenv("COMPANION_STATIC", "1")
    shown = explorer(Recorded())
    assert [reading for _, reading in unpacked(shown)] == [
        f"s is {s}, {activation}" for s in (0.0, 0.5, 1.0) for activation in ("tanh", "sin")
    ]
    assert shown.first == {}
    again = explorer(Recorded())
    assert again.frames == shown.frames, "a second build would give another page"


def test_a_hundred_frames_fit_in_a_page(monkeypatch):
    monkeypatch.setenv("COMPANION_STATIC", "1")
    s = np.linspace(0, 10, 150)

    def draw(k):
        figure, axes = pyplot.subplots()
        for rate in (1, 2, 3):
            axes.semilogy(s, np.exp(-s * rate / 3) * (1.1 + np.sin(s * k / 10)), label=f"{rate}")
        axes.legend()
        return figure, f"k is {k}"

    assert len(Explorer(draw, k=range(10)).frames) / 10 <= 3000  # bytes: 300 kB for a hundred


def test_too_many_frames_for_a_page_are_refused_before_any_is_drawn(monkeypatch):
    monkeypatch.setenv("COMPANION_STATIC", "1")

    def never(a, b):
        raise AssertionError("drawn")

    with pytest.raises(ValueError, match=rf"400 frames.*carries {MAX_STATIC_FRAMES}.*fewer values"):
        Explorer(never, a=range(20), b=range(20))


def test_several_figures_stand_side_by_side():
    shown = Explorer(lambda k: ([pyplot.figure(), pyplot.figure()], "two"), k=[1, 2])
    assert len(shown.first["pictures"]) == 2


def test_figures_are_closed_even_when_drawing_fails():
    kept = pyplot.figure()

    def draw(k):
        pyplot.figure()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        Explorer(draw, k=[1, 2])
    explorer(Recorded())
    assert pyplot.get_fignums() == [kept.number]
    pyplot.close(kept)


def test_frame_by_value():
    shown = explorer(Recorded())
    assert shown.frame(s=1.0, activation="sin")[1] == "s is 1.0, sin"
    assert shown.frame()[1] == "s is 0.5, tanh"
    with pytest.raises(ValueError, match=r"takes 0, 0\.5, 1, and s is 0\.7"):
        shown.frame(s=0.7)
    with pytest.raises(TypeError, match="no control is called t"):
        shown.frame(t=0)


def test_lists_are_shorthand():
    shown = Explorer(lambda width, data: (pyplot.figure(), "x"), width=[2, 4], data=["a", "b"])
    assert [control["kind"] for control in shown.controls] == ["slider", "choice"]
    assert [control["label"] for control in shown.controls] == ["width", "data"]


def test_a_choice_may_name_its_values():
    seen = []

    def draw(flow):
        seen.append(flow)
        return pyplot.figure(), "x"

    Explorer(draw, flow=Choice("flow", {"adapted": 1, "standard": 2}, start="standard"))
    assert seen == [2]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (-3, "−3"),
        (1e-5, "10⁻⁵"),
        (2.5e-12, "2.5×10⁻¹²"),
        (np.float64(1 / 3), "0.3333"),
        ("tanh", "tanh"),
        (True, "True"),
    ],
)
def test_values_read_as_in_print(value, text):
    assert say(value) == text


def test_a_reading_may_ask_for_fewer_digits():
    assert say(3.3546e-4, 2) == "0.00034"
    assert say(5.4321e-8, 2) == "5.4×10⁻⁸"


@pytest.mark.parametrize(
    ("make", "error", "advice"),
    [
        (lambda: Explorer("draw", s=[1]), TypeError, "the function that draws a frame"),
        (lambda: Explorer(lambda: None), ValueError, "at least one control"),
        (
            lambda: Explorer(lambda s: None, t=[1]),
            TypeError,
            "draw takes s, and the controls are t",
        ),
        (lambda: Explorer(lambda s, t: None, s=[1]), TypeError, "missing a required argument: 't'"),
        (lambda: Explorer(lambda s: None, s=3), TypeError, "a list of values, and got 3"),
        (lambda: Explorer(lambda s: None, s=[1, 2]), TypeError, "returns a matplotlib figure"),
        (lambda: Explorer(lambda s: (1, "x"), s=[1]), TypeError, "returns a matplotlib figure"),
        (lambda: Explorer(lambda s: (pyplot.figure(), " "), s=[1]), ValueError, "empty reading"),
        (lambda: Slider("", [1]), ValueError, "a label that a reader understands"),
        (lambda: Slider("s", []), ValueError, "has no values"),
        (lambda: Slider("s", ["a"]), TypeError, "For words use Choice"),
        (lambda: Slider("s", [[1, 2]]), TypeError, "a flat list of numbers"),
        (lambda: Slider("s", [1, float("nan")]), ValueError, "finite numbers"),
        (lambda: Slider("s", [1 / 3, 0.33333]), ValueError, "cannot tell them apart"),
        (lambda: Slider("s", [1, 2], start=3), ValueError, "cannot start at 3: it takes 1, 2"),
        (lambda: Choice("c", "tanh"), TypeError, r"write \['tanh'\]"),
        (lambda: Choice("c", ["a", "a"]), ValueError, "cannot tell them apart"),
    ],
)
def test_bad_input_is_refused_with_advice(make, error, advice):
    with pytest.raises(error, match=advice):
        make()
    pyplot.close("all")
