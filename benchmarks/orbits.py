"""Whole orbits: `integrate("adapted", ...)` to C = 1e-10·C_0 in both clocks."""

import time

import diffrax

import geoflow
from benchmarks import cases

RATIO = 1e-10  # C/C_0 at the end

SETTINGS = {
    "Dopri8 1e-10, clock s": {"clock": "s"},
    "Dopri8 1e-10, clock τ": {"clock": "tau"},
}
#: enough for a picture; the Newton correction puts the last state onto the line all the same
CHAPTER = {"Tsit5 1e-6, clock τ": {"clock": "tau", "solver": diffrax.Tsit5(), "rtol": 1e-6, "atol": 1e-9}}


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
            orbit = geoflow.integrate("adapted", problem, theta, until=until, save=9, throw=False, **options)
            walls.append(time.perf_counter() - started)
        exact = geoflow.comparison_solution(orbit.outputs[0], problem.data.targets, orbit.s)
        # before the last state's Newton correction, where there is one
        gap = (
            orbit.monitor.max()
            if orbit.monitor is not None
            else abs(orbit.outputs - exact).max() / abs(exact[0] - problem.data.targets).max()
        )
        rows.append({
            "name": name, "first": walls[0], "later": walls[1], "steps": orbit.steps, "gap": float(gap),
            "status": orbit.status.name,
        })  # fmt: skip
    return rows
