"""Fair clocks: contestants in turns, results ready, medians; and a count of compilations."""

import contextlib
import time
from collections.abc import Callable

import jax
import numpy as np


def seconds(call: Callable) -> float:
    """Wall time of one call, with its result ready."""
    started = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - started


def in_turns(calls: dict[str, Callable], budget: float = 2.0, most: int = 40) -> dict[str, float]:
    """The median wall time of each call in seconds; every call must have been compiled.

    Each contestant repeats for about `budget` seconds, at least twice and at most `most` times, its repetitions spread
    evenly over the whole measurement: what disturbs the machine for a while disturbs everybody.
    """
    times = {name: [seconds(call)] for name, call in calls.items()}
    turns = []
    for name, (once,) in times.items():
        further = int(np.clip(budget / once, 1, most - 1))
        turns += [((i + 0.5) / further, name) for i in range(further)]
    for _, name in sorted(turns):
        times[name].append(seconds(calls[name]))
    return {name: float(np.median(values)) for name, values in times.items()}


@contextlib.contextmanager
def compilations():
    """Counts the XLA compilations in its block: `with compilations() as seen: ...; len(seen)`."""
    seen = []

    def listen(event: str, duration: float, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield seen
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
