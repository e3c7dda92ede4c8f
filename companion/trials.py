"""Trials: one function run over the product of its axes, its results kept together with where they came from.

::

    def straight(network, start):
        orbit = ...
        return {"line": off_the_line(orbit), "reached": orbit.cost[-1] < 1e-8}

    seen = trials(straight, network=NETWORKS, start=range(6))
    seen.line          # a Sample: 18 arrays, and that they are 3 networks × 6 starts

A claim that takes ``seen.line`` says over what it holds, and names the first trial at which it does not.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from tqdm.auto import tqdm


class Axis:
    """The values over which an argument runs, what one of them is called, and what several are."""

    def __init__(self, values: Iterable[Any], plural: str | None = None):
        if isinstance(values, str | bytes):
            raise TypeError(
                f"an axis is a collection of values, got the string {values!r}: write [{values!r}]."
            )
        names = list(values) if isinstance(values, Mapping) else None
        self.values = list(values.values()) if isinstance(values, Mapping) else list(values)
        #: how each value reads: a mapping's keys, else the values themselves
        self.names = (
            [str(name) for name in names]
            if names is not None
            else [_short(value) for value in self.values]
        )
        self.plural = plural
        if not self.values:
            raise ValueError("an axis needs at least one value.")


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _several(name: str, axis: Axis) -> str:
    """ "3 networks", "1 network", "2 biases", "2 samples", "5 values of H" """
    count = len(axis.values)
    if count == 1:
        return f"1 {name}"
    if axis.plural is not None:
        return f"{count} {axis.plural}"
    word = name.replace("_", " ")
    if len(word) == 1:
        return f"{count} values of {word}"
    if word.endswith("s") and word[-2] not in "saiou":
        return f"{count} {word}"  # a plural already
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{count} {word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{count} {word[:-1]}ies"
    return f"{count} {word}s"


class NotANumber(ValueError):
    """A comparison with NaN has no answer."""


class Sample:
    """One named result of every trial, with the axes: an array a trial, of any shapes.

    Arithmetic and comparisons with numbers, and NumPy's functions of one argument, work trial by trial and keep the axes:
    ``abs(seen.rate / 2 - 1) < 0.01`` is a Sample of truth values.
    """

    def __init__(self, name: str, axes: Mapping[str, Axis], values: list[np.ndarray]):
        self.name, self.axes, self.values = name, dict(axes), values

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.values)

    @property
    def array(self) -> np.ndarray:
        """All values as one array, the axes first. Raises ValueError when the trials' arrays have different shapes."""
        shapes = {value.shape for value in self.values}
        if len(shapes) > 1:
            raise ValueError(
                f"{self.name} has arrays of different shapes, {sorted(shapes)}: it is no one array."
            )
        stacked = np.stack(self.values)
        return stacked.reshape(
            *(len(axis.values) for axis in self.axes.values()), *stacked.shape[1:]
        )

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)

    def where(self, index: int) -> str:
        """Which trial the index-th one is: "network = (2, 16, 1), start = 3" """
        places = np.unravel_index(index, [len(axis.values) for axis in self.axes.values()])
        return ", ".join(
            f"{name} = {axis.names[i]}"
            for (name, axis), i in zip(self.axes.items(), places, strict=True)
        )

    @property
    def over(self) -> str:
        """What the trials are: "3 networks × 6 starts = 18 trials" """
        parts = [_several(name, axis) for name, axis in self.axes.items()]
        total = len(self.values)
        return parts[0] if len(parts) == 1 else f"{' × '.join(parts)} = {total} trials"

    def map(self, function: Callable[[np.ndarray], Any]) -> "Sample":
        """A function of each trial's array."""
        return Sample(self.name, self.axes, [np.asarray(function(value)) for value in self.values])

    def _with(self, other: Any, operation: Callable[[Any, Any], Any]) -> "Sample":
        if isinstance(other, Sample):
            if [axis.names for axis in other.axes.values()] != [
                axis.names for axis in self.axes.values()
            ]:
                raise ValueError(
                    f"{self.name} and {other.name} come from other trials: {self.over} and {other.over}."
                )
            pairs = zip(self.values, other.values, strict=True)
            return Sample(self.name, self.axes, [np.asarray(operation(a, b)) for a, b in pairs])
        return self.map(lambda value: operation(value, other))

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" or kwargs:
            return NotImplemented
        if len(inputs) == 1:
            return self.map(ufunc)
        first, second = inputs
        compares = ufunc in (
            np.less,
            np.less_equal,
            np.greater,
            np.greater_equal,
            np.equal,
            np.not_equal,
        )
        if isinstance(first, Sample):
            return first._compared(second, ufunc) if compares else first._with(second, ufunc)

        def turned(a, b):
            return ufunc(b, a)

        return second._compared(first, turned) if compares else second._with(first, turned)

    def __abs__(self):
        return self.map(np.abs)

    def __neg__(self):
        return self.map(np.negative)

    def __invert__(self):
        return self.map(np.logical_not)

    def __add__(self, other):
        return self._with(other, np.add)

    __radd__ = __add__

    def __sub__(self, other):
        return self._with(other, np.subtract)

    def __rsub__(self, other):
        return self._with(other, lambda a, b: np.subtract(b, a))

    def __mul__(self, other):
        return self._with(other, np.multiply)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._with(other, np.divide)

    def __rtruediv__(self, other):
        return self._with(other, lambda a, b: np.divide(b, a))

    def _compared(self, other: Any, operation: Callable[[Any, Any], Any]) -> "Sample":
        """A comparison that refuses NaN, which is neither above nor below anything."""
        for sample in (self, other):
            if isinstance(sample, Sample):
                sample._refuse_nan()
        if not isinstance(other, Sample) and np.isnan(np.asarray(other, dtype=float)).any():
            raise NotANumber(f"{self.name} is compared with NaN.")
        return self._with(other, operation)

    def _refuse_nan(self) -> None:
        for index, value in enumerate(self.values):
            if value.dtype.kind == "f" and np.isnan(value).any():
                raise NotANumber(
                    f"{self.name} is NaN at {self.where(index)}: it is neither above nor below anything, and a comparison would count it "
                    "as false. Say what a trial without a result counts as."
                )

    def __lt__(self, other):
        return self._compared(other, np.less)

    def __le__(self, other):
        return self._compared(other, np.less_equal)

    def __gt__(self, other):
        return self._compared(other, np.greater)

    def __ge__(self, other):
        return self._compared(other, np.greater_equal)

    def __eq__(self, other):  # type: ignore[override]
        return self._compared(other, np.equal)

    def __ne__(self, other):  # type: ignore[override]
        return self._compared(other, np.not_equal)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other):
        return self._with(other, np.logical_and)

    def __or__(self, other):
        return self._with(other, np.logical_or)

    def __repr__(self) -> str:
        return f"Sample({self.name}: {self.over})"


class Trials:
    """The named results of all trials: ``seen.line`` or ``seen["line"]`` is a `Sample`."""

    def __init__(self, axes: Mapping[str, Axis], results: list[dict[str, Any]]):
        self._axes, self._results = dict(axes), results

    def __getitem__(self, name: str) -> Sample:
        if name not in self._results[0]:
            raise KeyError(f"the trials return {', '.join(self._results[0])}, and no {name!r}.")
        return Sample(name, self._axes, [np.asarray(result[name]) for result in self._results])

    def __getattr__(self, name: str) -> Sample:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(str(error)) from None

    def __len__(self) -> int:
        return len(self._results)

    def __dir__(self):
        return [*super().__dir__(), *self._results[0]]

    def objects(self, name: str) -> list[Any]:
        """A result that is no number, such as an orbit to be drawn, one a trial."""
        return [result[name] for result in self._results]

    def __repr__(self) -> str:
        sample = Sample("", self._axes, [np.zeros(0)] * len(self._results))
        return f"Trials({sample.over}: {', '.join(self._results[0])})"


class TrialFailed(RuntimeError):
    """A trial raised: at which values, and, as its cause, what."""


def trials(
    run: Callable[..., Mapping[str, Any]], /, *, progress: bool = False, **axes: Any
) -> Trials:
    """`run(**values)` for every combination of the axes' values, in the order of the product, the last axis fastest.

    run: returns named results, the same names each time. An axis is a collection, a mapping (whose keys are how its values
    read), or an `Axis` (with a plural of its own). progress: a bar.
    Raises `TrialFailed`, naming the values, when `run` raises; TypeError or ValueError for results that do not fit.
    """
    if not callable(run):
        raise TypeError(f"trials runs a function over the product of its axes, got {run!r}.")
    if not axes:
        raise ValueError("trials needs at least one axis, as in trials(run, start=range(6)).")
    made = {name: given if isinstance(given, Axis) else Axis(given) for name, given in axes.items()}
    every = list(itertools.product(*(range(len(axis.values)) for axis in made.values())))
    results: list[dict[str, Any]] = []
    for places in tqdm(every, disable=not progress, leave=False):
        values = {
            name: axis.values[i] for (name, axis), i in zip(made.items(), places, strict=True)
        }
        said = ", ".join(
            f"{name} = {axis.names[i]}"
            for (name, axis), i in zip(made.items(), places, strict=True)
        )
        try:
            result = run(**values)
        except Exception as error:
            raise TrialFailed(
                f"the trial at {said} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(result, Mapping) or not result:
            raise TypeError(
                f"a trial returns its results by name, as {{'error': ...}}; the one at {said} returned {result!r:.80}."
            )
        if results and set(result) != set(results[0]):
            raise ValueError(
                f"the trial at {said} returns {sorted(result)}, the first one {sorted(results[0])}."
            )
        results.append(dict(result))
    return Trials(made, results)
