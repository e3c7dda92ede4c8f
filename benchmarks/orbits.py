"""Whole orbits to C = 1e-10·C_0 in both clocks, and many of them at once."""

import time

import diffrax
import jax
import jax.numpy as jnp

import geoflow
from benchmarks import cases
from benchmarks.timing import in_turns

RATIO = 1e-10  # C/C_0 at the end

SETTINGS = {
    "Dopri8 1e-10, clock s": {"flow": "adapted"},
    "Dopri8 1e-10, clock τ": {"flow": "adapted_tau"},
}
#: enough for a picture; the Newton correction puts the last state onto the line all the same
CHAPTER = {
    "Tsit5 1e-6, clock τ": {
        "flow": "adapted_tau",
        "solver": diffrax.Tsit5(),
        "rtol": 1e-6,
        "atol": 1e-9,
    }
}


def measure(size: str) -> list[dict]:
    """Per setting: seconds of the first call (with compilation) and of a later one, steps, |x(s) − x_exact|/|x_0 − y|."""
    problem, theta = cases.digits() if size == "digits" else cases.sized(size)
    settings = SETTINGS | CHAPTER if size == "digits" else SETTINGS
    until = geoflow.stopping_time(1.0, RATIO, problem.N)
    rows = []
    for name, options in settings.items():
        walls = []
        for _ in range(2):
            started = time.perf_counter()
            orbit = geoflow.integrate(
                problem=problem, start=theta, until=until, save=9, throw=False, **options
            )
            walls.append(time.perf_counter() - started)
        gap = geoflow.off_the_line(orbit)[
            :-1
        ].max()  # before the last state's Newton correction, where there is one
        rows.append({
            "name": name, "first": walls[0], "later": walls[1], "steps": orbit.steps, "gap": float(gap),
            "status": orbit.status.name,
        })  # fmt: skip
    return rows


def census() -> dict[str, float]:
    """Median seconds for 16 adapted orbits (QN = 24, K = 439) to s = 5 N: one compiled program, and one orbit after another."""
    network = geoflow.MLP((4, 20, 14, 3))
    problem = geoflow.Problem(network, geoflow.generic(jax.random.key(0), 8, 4, 3))
    starts = jnp.stack([network.init(jax.random.key(i)) for i in range(16)])
    options = {
        "until": 5.0 * problem.N,
        "save": 2,
        "rtol": 1e-6,
        "atol": 1e-8,
        "solver": diffrax.Tsit5(),
        "throw": False,
    }
    calls = {
        "integrate_many": lambda: geoflow.integrate_many("adapted", problem, starts, **options).end,
        "integrate, one by one": lambda: [
            geoflow.integrate("adapted", problem, theta, **options).end for theta in starts
        ],
    }
    for call in calls.values():
        call()
    return in_turns(calls)
