"""The explorer: controls, a picture they move, a sentence that reads it; with or without kernel.

::

    Explorer(
        draw,
        s=Slider("flow time s", times, unit="s", play=True),
        activation=Choice("activation", ["tanh", "sin"]),
    )

`draw(s=..., activation=...)` returns a matplotlib figure (or several, shown side by side) and one
sentence that says what is to be seen in it. In Jupyter a frame is drawn when it is first asked for.
With ``COMPANION_STATIC=1`` in the environment, as in ``make book``, every frame is drawn at once and
stored in the page, which then needs no kernel.
"""

import base64
import gzip
import inspect
import itertools
import json
import math
import os
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import anywidget
import traitlets
from matplotlib import pyplot
from matplotlib.figure import Figure
from tqdm import tqdm

from companion.explorer.controls import as_control, say
from companion.explorer.plotting import palette_css, themed_svg

# At 2.5 kB a frame: more would make a page of more than half a megabyte, and minutes of building.
MAX_STATIC_FRAMES = 240

_HERE = Path(__file__).parent


def view() -> tuple[str, str]:
    """The view's JavaScript module and its style sheet, as they are in the package now."""
    return (_HERE / "widget.js").read_text(encoding="utf-8"), palette_css() + (
        _HERE / "widget.css"
    ).read_text(encoding="utf-8")


def _is_static() -> bool:
    return os.environ.get("COMPANION_STATIC", "") not in ("", "0")


class Explorer(anywidget.AnyWidget):
    """Controls above, a picture below, and the sentence that reads it.

    `draw` takes each control's value by keyword and returns ``(figure, reading)`` or
    ``((figure, figure, …), reading)``. It should call a jitted function that does not recompile
    when a value changes. Figures are closed once they are drawn.

    Raises TypeError or ValueError at once when the controls and `draw` do not fit each other, or
    when there are more frames than a page can carry; an error inside `draw` names the values it was
    called with.
    """

    _esm, _css = view()

    controls = traitlets.List().tag(sync=True)
    # The frame shown first, where a kernel draws the others.
    first = traitlets.Dict().tag(sync=True)
    # Every frame, row-major over the controls, as JSON, gzip, base64; empty where a kernel draws.
    frames = traitlets.Unicode().tag(sync=True)

    def __init__(self, draw: Callable, **controls: object):
        if not callable(draw):
            raise TypeError(
                f"an Explorer's first argument is the function that draws a frame, and got {draw!r}."
            )
        if not controls:
            raise ValueError(
                "an Explorer needs at least one control, such as s=Slider('flow time s', times)."
            )
        self._draw = draw
        self._inputs = {name: as_control(name, given) for name, given in controls.items()}
        self._cache: dict[tuple[int, ...], dict] = {}
        self._check_names()
        name = f"{getattr(draw, '__qualname__', type(draw).__qualname__)} {self!r}"
        self._prefix = "gf" + sha256(name.encode()).hexdigest()[:6]
        static = _is_static()
        if static and self.count > MAX_STATIC_FRAMES:
            raise ValueError(
                f"{self!r} has {self.count} frames, and a page without a kernel carries "
                f"{MAX_STATIC_FRAMES}: give fewer values, or split it in two explorers."
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
        """The pictures (SVG text) and the reading at these values, each a value or the word for it.

        A control left out stands at its start.
        """
        if unknown := set(values) - set(self._inputs):
            names = ", ".join(sorted(unknown))
            raise TypeError(f"no control is called {names}: there are {', '.join(self._inputs)}.")
        indices = []
        for name, control in self._inputs.items():
            text = say(values[name]) if name in values else control.says[control.start]
            if text not in control.says:
                known = ", ".join(control.says)
                raise ValueError(f"{control.label!r} takes {known}, and {name} is {text}.")
            indices.append(control.says.index(text))
        frame = self._frame(tuple(indices))
        return frame["pictures"], frame["reading"]

    def __repr__(self) -> str:
        labels = " × ".join(control.label for control in self._inputs.values())
        counts = " × ".join(str(len(control.values)) for control in self._inputs.values())
        return f"Explorer({labels}: {counts} frames)"

    def _check_names(self) -> None:
        try:
            inspect.signature(self._draw).bind(**dict.fromkeys(self._inputs))
        except TypeError as error:
            wanted = ", ".join(inspect.signature(self._draw).parameters) or "nothing"
            raise TypeError(
                f"draw takes {wanted}, and the controls are {', '.join(self._inputs)}: {error}."
            ) from None

    def _frame(self, indices: tuple[int, ...]) -> dict:
        if indices not in self._cache:
            self._cache[indices] = self._drawn(indices)
        return self._cache[indices]

    def _drawn(self, indices: tuple[int, ...]) -> dict:
        values = {
            name: control.values[index]
            for (name, control), index in zip(self._inputs.items(), indices, strict=True)
        }
        said = ", ".join(
            f"{control.label} = {control.says[index]}"
            for control, index in zip(self._inputs.values(), indices, strict=True)
        )
        before = set(pyplot.get_fignums())
        try:
            figures, reading = _checked(self._draw(**values))
            pictures = [
                themed_svg(figure, f"{self._prefix}{place}") for place, figure in enumerate(figures)
            ]
        except Exception as error:
            error.add_note(f"while drawing the frame {said}")
            raise
        finally:
            for number in set(pyplot.get_fignums()) - before:
                pyplot.close(number)
        return {"key": list(indices), "pictures": pictures, "reading": reading}

    def _all_frames(self) -> str:
        every = itertools.product(
            *(range(len(control.values)) for control in self._inputs.values())
        )
        # `disable=None`: a bar in a terminal, and nothing in a notebook's output, where it would
        # end up in the page
        frames = [
            self._frame(indices)
            for indices in tqdm(every, total=self.count, desc=repr(self), disable=None)
        ]
        packed = json.dumps(
            [[frame["pictures"], frame["reading"]] for frame in frames], ensure_ascii=False
        )
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
        case (list() | tuple() as figures, str(reading)) if figures and all(
            isinstance(figure, Figure) for figure in figures
        ):
            figures = list(figures)
        case _:
            raise TypeError(
                f"draw returns a matplotlib figure (or a list of figures) and one sentence that "
                f"reads it, and returned {drawn!r}."
            )
    if not reading.strip():
        raise ValueError(
            "draw returned an empty reading: say in one sentence what the picture shows; a screen "
            "reader has nothing else."
        )
    return figures, reading
