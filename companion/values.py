"""The sample of a claim: arrays of any shapes, and where each of their values comes from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from companion.trials import Sample


class ClaimFailed(AssertionError):
    """A claim does not hold: the theorem is false, or the code is wrong, or the sample is not what it was taken for."""


class Values:
    """A sample as claims see it: flat arrays, one a trial, and where each comes from."""

    def __init__(self, name: str, given: Any):
        self.name, self.sample = name, given if isinstance(given, Sample) else None
        parts = list(given) if isinstance(given, Sample) else [given]
        self.parts = [_plain(name, part) for part in parts]
        if not any(part.size for part in self.parts):
            raise ClaimFailed(f"{name} is empty: nothing was measured, and nothing can be claimed.")
        for index, part in enumerate(self.parts):
            if part.size == 0:
                raise ClaimFailed(
                    f"{name} is empty in the trial {self._where(index, ())}: what was measured there?"
                )

    def _where(self, trial: int, place: Sequence[int]) -> str:
        where = self.sample.where(trial) if self.sample is not None else ""
        inner = f"index {tuple(int(i) for i in place)}" if len(place) else ""
        return ", ".join(part for part in (where, inner) if part) or "the only value"

    def numbers(self) -> "Values":
        """As float64. Raises `ClaimFailed` for NaN or infinity, naming the first trial."""
        converted = []
        for index, part in enumerate(self.parts):
            values = part.astype(np.float64)
            if not np.isfinite(values).all():
                place = np.argwhere(~np.isfinite(values))[0]
                bad = int((~np.isfinite(values)).sum())
                raise ClaimFailed(
                    f"{self.name} is {values[tuple(place)]} at {self._where(index, place)} ({bad} of {values.size} values there): a "
                    "claim needs finite numbers. An orbit that stopped, a solver that gave up or a division by zero is no measurement: "
                    "count it, or find out why."
                )
            converted.append(values)
        self.parts = converted
        return self

    def truths(self) -> "Values":
        """As truth values. Raises TypeError for numbers: a NaN is no answer to a question."""
        for part in self.parts:
            if part.dtype != np.bool_:
                raise TypeError(
                    f"{self.name} must be truth values, such as seen.rank == 7, got {part.dtype}: a comparison says what is meant."
                )
        return self

    def extreme(self, largest: bool) -> tuple[float, str]:
        """The largest or the smallest value, and where it stands."""
        picked = [part.max() if largest else part.min() for part in self.parts]
        trial = int(np.argmax(picked) if largest else np.argmin(picked))
        part = self.parts[trial]
        place = np.unravel_index(part.argmax() if largest else part.argmin(), part.shape)
        return float(picked[trial]), self._where(trial, place)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def over(self) -> str:
        """What it was measured over: the trials, else how many values an array has."""
        if self.sample is not None:
            return self.sample.over
        return f"{self.size} values" if self.size > 1 else ""


def _plain(name: str, given: Any) -> np.ndarray:
    if given is None or isinstance(given, str | bytes):
        raise TypeError(f"{name} must be a number, an array or a Sample, got {given!r}.")
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers or truth values, got {array.dtype}.")
    return array
