"""The explorer: a picture, a sentence that reads it, and controls that move it, with a kernel and without.

::

    Explorer(draw, s=Slider("flow time s", times, unit="s", play=True), activation=Choice("activation", ["tanh", "sin"]))

`draw(s=..., activation=...)` returns a matplotlib figure (or several, shown side by side) and one sentence that says what is to
be seen in it. In Jupyter a frame is drawn when it is first asked for. With ``GEOFLOW_STATIC=1`` in the environment, as in
``make book``, every frame is drawn at once and stored in the page, which then needs no kernel.
"""

import base64
import gzip
import inspect
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import anywidget
import numpy as np
import traitlets
from matplotlib import pyplot
from matplotlib.figure import Figure
from tqdm import tqdm

from geoflow.plotting import palette_css, themed_svg

# About 2.5 kB a frame: more would make a page of more than half a megabyte, and minutes of `make book`.
MAX_STATIC_FRAMES = 240

_HERE = Path(__file__).parent
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _say(value: object) -> str:
    """A value as a reader should see it: 0.25, −3, 10⁻⁵, tanh."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return str(value)
    text = f"{value:.4g}"
    if "e" in text:
        factor, power = text.split("e")
        raised = "10" + str(int(power)).translate(_RAISED)
        text = raised if factor == "1" else f"{factor}×{raised}"
    return text.replace("-", "−")


class Control:
    """One input of an explorer: its visible label, the values it takes, and how each value reads."""

    kind: str

    def __init__(self, label: str, values: list, says: list[str], unit: str, play: bool, start: object):
        if not isinstance(label, str) or not label.strip():
            raise ValueError(f"a control needs a label that a reader understands, and got {label!r}.")
        if not values:
            raise ValueError(f"the control {label!r} has no values: give at least two.")
        for index, say in enumerate(says):
            if say in says[:index]:
                raise ValueError(f"two values of the control {label!r} read {say!r}: a reader cannot tell them apart. Drop one, or round them differently.")
        self.label, self.values, self.says, self.unit, self.play = label, values, says, unit, play
        self.start = 0
        if start is not None:
            if _say(start) not in says:
                raise ValueError(f"the control {label!r} cannot start at {start!r}: it takes {', '.join(says)}.")
            self.start = says.index(_say(start))

    def description(self) -> dict:
        """What the page needs to know of this control."""
        return {"kind": self.kind, "label": self.label, "says": self.says, "unit": self.unit, "play": self.play, "start": self.start}


class Slider(Control):
    """A slider over numbers, with a play button if `play`. `start` is the value shown first (default: the first)."""

    kind = "slider"

    def __init__(self, label: str, values: Iterable[float], unit: str = "", play: bool = False, start: float | None = None):
        array = np.asarray(values if hasattr(values, "__array__") else list(values))
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iuf"):
            raise TypeError(f"the slider {label!r} takes a flat list of numbers, and got {values!r}. For words use Choice.")
        if array.size and not np.isfinite(array).all():
            raise ValueError(f"the slider {label!r} takes finite numbers, and got {values!r}.")
        numbers = array.tolist()
        super().__init__(label, numbers, [_say(number) for number in numbers], unit, play, start)


class Choice(Control):
    """One of a few options: a list of words, or a mapping from words to the values that `draw` gets."""

    kind = "choice"

    def __init__(self, label: str, options: Iterable | Mapping[str, object], start: object = None):
        if isinstance(options, str):
            raise TypeError(f"the choice {label!r} takes a list of options, and got the string {options!r}: write [{options!r}].")
        if isinstance(options, Mapping):
            super().__init__(label, list(options.values()), [str(word) for word in options], "", False, start)
        else:
            values = list(options)
            super().__init__(label, values, [_say(value) for value in values], "", False, start)


def _control(name: str, given: object) -> Control:
    if isinstance(given, Control):
        return given
    label = name.replace("_", " ")
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"the control {name!r} is a Slider, a Choice or a list of values, and got {given!r}.")
    values = list(given)
    numbers = all(isinstance(value, (int, float, np.number)) and not isinstance(value, bool) for value in values)
    return Slider(label, values) if numbers else Choice(label, values)


def _is_static() -> bool:
    return os.environ.get("GEOFLOW_STATIC", "") not in ("", "0")


class Explorer(anywidget.AnyWidget):
    """Controls above, a picture below, and the sentence that reads it.

    `draw` takes each control's value by keyword and returns ``(figure, reading)`` or ``((figure, figure, …), reading)``. It
    should call a jitted function that does not recompile when a value changes. Figures are closed once they are drawn.

    Raises TypeError or ValueError at once when the controls and `draw` do not fit each other, or when there are more frames
    than a page can carry; an error inside `draw` names the values it was called with.
    """

    _esm = _HERE / "widget.js"
    _css = palette_css() + (_HERE / "widget.css").read_text()

    controls = traitlets.List().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)  # the frame shown first, where a kernel draws the others
    frames = traitlets.Unicode().tag(sync=True)  # every frame, row-major over the controls: JSON, gzip, base64; "" with a kernel

    def __init__(self, draw: Callable, **controls: object):
        if not callable(draw):
            raise TypeError(f"an Explorer's first argument is the function that draws a frame, and got {draw!r}.")
        if not controls:
            raise ValueError("an Explorer needs at least one control, such as s=Slider('flow time s', times).")
        self._draw = draw
        self._inputs = {name: _control(name, given) for name, given in controls.items()}
        self._cache: dict[tuple[int, ...], dict] = {}
        self._check_names()
        self._prefix = "gf" + sha256(f"{draw.__module__}.{draw.__qualname__} {self!r}".encode()).hexdigest()[:6]
        static = _is_static()
        if static and self.count > MAX_STATIC_FRAMES:
            raise ValueError(
                f"{self!r} has {self.count} frames, and a page without a kernel carries {MAX_STATIC_FRAMES}: give fewer values, or split it in two explorers."
            )
        start = tuple(control.start for control in self._inputs.values())
        super().__init__(
            controls=[control.description() for control in self._inputs.values()],
            first={} if static else self._frame(start),
            frames=self._all_frames() if static else "",
        )
        self.on_msg(self._answer)

    @property
    def count(self) -> int:
        """The number of frames: the product of the numbers of values."""
        return math.prod(len(control.values) for control in self._inputs.values())

    def frame(self, **values: object) -> tuple[list[str], str]:
        """The frame at these values: its pictures (SVG text) and its reading. A control left out stands at its start."""
        if unknown := set(values) - set(self._inputs):
            raise TypeError(f"no control is called {', '.join(sorted(unknown))}: there are {', '.join(self._inputs)}.")
        indices = []
        for name, control in self._inputs.items():
            say = _say(values[name]) if name in values else control.says[control.start]
            if say not in control.says:
                raise ValueError(f"{name} = {say} is not among the values of {control.label!r}: {', '.join(control.says)}.")
            indices.append(control.says.index(say))
        frame = self._frame(tuple(indices))
        return frame["pictures"], frame["reading"]

    def __repr__(self) -> str:
        labels = " × ".join(control.label for control in self._inputs.values())
        counts = " × ".join(str(len(control.values)) for control in self._inputs.values())
        return f"Explorer({labels}: {counts} frames)"

    def _check_names(self) -> None:
        try:
            inspect.signature(self._draw).bind(**{name: None for name in self._inputs})
        except TypeError as error:
            wanted = ", ".join(inspect.signature(self._draw).parameters) or "nothing"
            raise TypeError(f"draw takes {wanted}, and the controls are {', '.join(self._inputs)}: {error}.") from None

    def _frame(self, indices: tuple[int, ...]) -> dict:
        if indices not in self._cache:
            self._cache[indices] = self._drawn(indices)
        return self._cache[indices]

    def _drawn(self, indices: tuple[int, ...]) -> dict:
        values = {name: control.values[index] for (name, control), index in zip(self._inputs.items(), indices, strict=True)}
        said = ", ".join(f"{control.label} = {control.says[index]}" for control, index in zip(self._inputs.values(), indices, strict=True))
        before = set(pyplot.get_fignums())
        try:
            figures, reading = _checked(self._draw(**values))
            pictures = [themed_svg(figure, f"{self._prefix}{place}") for place, figure in enumerate(figures)]
        except Exception as error:
            error.add_note(f"while drawing the frame {said}")
            raise
        finally:
            for number in set(pyplot.get_fignums()) - before:
                pyplot.close(number)
        return {"key": list(indices), "pictures": pictures, "reading": reading}

    def _all_frames(self) -> str:
        every = itertools.product(*(range(len(control.values)) for control in self._inputs.values()))
        # `disable=None`: a bar in a terminal, and nothing in a notebook's output, where it would end up in the page
        frames = [self._frame(indices) for indices in tqdm(every, total=self.count, desc=repr(self), disable=None)]
        packed = json.dumps([[frame["pictures"], frame["reading"]] for frame in frames], ensure_ascii=False)
        return base64.b64encode(gzip.compress(packed.encode(), mtime=0)).decode()

    def _answer(self, _widget: object, message: dict, _buffers: object) -> None:
        """Answer the page's question for the frame at `message["ask"]`, one index per control."""
        started = time.perf_counter()
        try:
            answer = self._frame(tuple(message["ask"]))
        except Exception as error:
            self.send({"key": message["ask"], "error": f"{type(error).__name__}: {error}"})
            raise
        self.send({**answer, "milliseconds": 1e3 * (time.perf_counter() - started)})


def _checked(drawn: object) -> tuple[list[Figure], str]:
    match drawn:
        case (figure, str(reading)) if isinstance(figure, Figure):
            figures = [figure]
        case (list() | tuple() as figures, str(reading)) if figures and all(isinstance(figure, Figure) for figure in figures):
            figures = list(figures)
        case _:
            raise TypeError(f"draw returns a matplotlib figure (or a list of figures) and one sentence that reads it, and returned {drawn!r}.")
    if not reading.strip():
        raise ValueError("draw returned an empty reading: say in one sentence what the picture shows; a screen reader has nothing else.")
    return figures, reading
