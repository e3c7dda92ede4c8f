"""The controls of an explorer: what the reader may choose, and how each value reads."""

from collections.abc import Iterable, Mapping

import numpy as np

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def say(value: object, digits: int = 4) -> str:
    """A value as a reader should see it, numbers to `digits` digits: 0.25, −3, 2.5×10⁻⁵, tanh."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return str(value)
    text = f"{value:.{digits}g}"
    if "e" in text:
        factor, power = text.split("e")
        raised = "10" + str(int(power)).translate(_RAISED)
        text = raised if factor == "1" else f"{factor}×{raised}"
    return text.replace("-", "−")


class Control:
    """One input: its visible label, the values it takes, and how each value reads (`says`)."""

    kind: str

    def __init__(
        self, label: str, values: list, says: list[str], unit: str, play: bool, start: object
    ):
        if not isinstance(label, str) or not label.strip():
            raise ValueError(
                f"a control needs a label that a reader understands, and got {label!r}."
            )
        if not values:
            raise ValueError(f"the control {label!r} has no values: give at least two.")
        for index, text in enumerate(says):
            if text in says[:index]:
                raise ValueError(
                    f"two values of the control {label!r} read {text!r}: a reader cannot tell them "
                    f"apart. Drop one, or round them differently."
                )
        self.label, self.values, self.says, self.unit, self.play = label, values, says, unit, play
        self.start = 0
        if start is not None:
            if say(start) not in says:
                raise ValueError(
                    f"the control {label!r} cannot start at {start!r}: it takes {', '.join(says)}."
                )
            self.start = says.index(say(start))

    def description(self) -> dict:
        """What the page needs to know of this control."""
        return {
            "kind": self.kind,
            "label": self.label,
            "says": self.says,
            "unit": self.unit,
            "play": self.play,
            "start": self.start,
        }


class Slider(Control):
    """A slider over numbers, with a play button if `play`; `start` is the value shown first."""

    kind = "slider"

    def __init__(
        self,
        label: str,
        values: Iterable[int | float],
        unit: str = "",
        play: bool = False,
        start: int | float | None = None,
    ):
        array = np.asarray(values if hasattr(values, "__array__") else list(values))
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iuf"):
            raise TypeError(
                f"the slider {label!r} takes a flat list of numbers, and got {values!r}. For words use Choice."
            )
        if array.size and not np.isfinite(array).all():
            raise ValueError(f"the slider {label!r} takes finite numbers, and got {values!r}.")
        numbers = array.tolist()
        super().__init__(label, numbers, [say(number) for number in numbers], unit, play, start)


class Choice(Control):
    """One of a few options: a list of words, or a mapping from words to what `draw` gets.

    Up to four options are shown as radio buttons, more as a menu. `start` is one of the words.
    """

    kind = "choice"

    def __init__(self, label: str, options: Iterable | Mapping[str, object], start: object = None):
        if isinstance(options, str):
            raise TypeError(
                f"the choice {label!r} takes a list of options, and got the string {options!r}: write [{options!r}]."
            )
        if isinstance(options, Mapping):
            super().__init__(
                label, list(options.values()), [str(word) for word in options], "", False, start
            )
        else:
            values = list(options)
            super().__init__(label, values, [say(value) for value in values], "", False, start)


def as_control(name: str, given: object) -> Control:
    """`given` itself if it is a control; a list becomes a Slider (numbers) or a Choice (words)."""
    if isinstance(given, Control):
        return given
    label = name.replace("_", " ")
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(
            f"the control {name!r} is a Slider, a Choice or a list of values, and got {given!r}."
        )
    values = list(given)
    numbers = all(
        isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        for value in values
    )
    return Slider(label, values) if numbers else Choice(label, values)
