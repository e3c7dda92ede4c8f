"""A progress bar that stands where the orbit stands."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NoReturn

import diffrax
import jax
from jaxtyping import Array
from numpy.typing import NDArray
from tqdm.auto import tqdm

#: the bar of the orbit under way; callbacks of a compiled program can't be handed one
_bars: list["tqdm[NoReturn]"] = []


def _show(progress: float | Array | NDArray[Any]) -> None:
    if _bars:
        _bars[-1].n = round(100 * float(progress), 1)
        _bars[-1].refresh()


class OrbitBar(diffrax.AbstractProgressMeter[None]):
    """diffrax's own bar ends at 100 % wherever the orbit stopped; this one stays there."""

    def init(self) -> None:
        return None

    def step(self, state: None, progress: float | Array | NDArray[Any]) -> None:
        jax.debug.callback(_show, progress)
        return state

    def close(self, state: None) -> None:
        return None


@contextmanager
def progress_bar(until: float) -> Generator[Callable[[float], None], None, None]:
    """A bar over flow time in percent; yields a function that sets it to the flow time that was reached."""
    bar = tqdm(total=100, unit="%", bar_format="{percentage:.1f}%|{bar}| [{elapsed}<{remaining}]")
    _bars.append(bar)

    def reached(s: float) -> None:
        jax.effects_barrier()
        _show(s / until)

    try:
        yield reached
    finally:
        _bars.remove(bar)
        bar.close()
