"""`python -m benchmarks [--sizes S M L] [--output FILE]`: measures, prints the tables, exits 1 when a promise is broken."""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

# One thread for LAPACK: on two cores its threads fight each other. Before numpy is loaded, or it has no effect.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax

# The first calls are timed: programs kept from earlier runs would make them look faster than they are.
jax.config.update("jax_enable_compilation_cache", False)

from benchmarks import accuracy, cases, orbits, speed  # noqa: E402 - after the two settings above

FIELD_PROMISE, NTK_PROMISE = 60, 20  # times faster, on size M


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def contest(times: dict[str, float]) -> str:
    best = min(times.values())
    return table(
        ["route", "ms", "× the fastest"],
        [
            [name, f"{1e3 * t:.2f}", f"{t / best:.1f}"]
            for name, t in sorted(times.items(), key=lambda item: item[1])
        ],
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="geoflow against its peers."
    )
    parser.add_argument(
        "--sizes",
        nargs="+",
        choices=list(cases.SIZES),
        default=["S", "M"],
        help="L takes many minutes",
    )
    parser.add_argument("--output", type=Path, default=Path("_build/bench.md"))
    arguments = parser.parse_args()
    started = time.perf_counter()
    report, promises = [], []

    def say(text: str) -> None:
        report.append(text)
        print(text, flush=True)

    say(
        f"# geoflow's benchmark\n\njax {jax.__version__} on {os.cpu_count()} {platform.machine()} cores, float64; medians "
        "of runs in turns, compilation excluded unless a first call is named. Compare within one table only.\n"
    )
    for size in arguments.sizes:
        problem, _ = cases.sized(size)
        say(f"## Size {size}: K = {problem.K}, QN = {problem.QN}\n")
        times, plain = speed.ntk(size)
        ratio = min(times[name] for name in plain) / times["geoflow, layered"]
        say("The NTK D Dᵀ\n\n" + contest(times))
        if size == "M":
            promises.append(
                (
                    f"NTK {ratio:.0f}× the best plain-JAX Jacobian route",
                    f"≥ {NTK_PROMISE}×",
                    ratio >= NTK_PROMISE,
                )
            )
        times, _ = speed.field(size)
        say("One evaluation of the adapted field D⁺(x − y)/N\n\n" + contest(times))
        if size == "M":
            ratio = times["Jacobian + pinv"] / times["geoflow, Auto"]
            promises.append(
                (
                    f"field {ratio:.0f}× Jacobian + pinv",
                    f"≥ {FIELD_PROMISE}×",
                    ratio >= FIELD_PROMISE,
                )
            )
        say(
            f"The same, {speed.LOOP} evaluations in one compiled loop, per evaluation\n\n"
            + contest(speed.field_in_a_loop(size))
        )
        compiled = speed.recompilations(size)
        promises.append(
            (f"size {size}: {compiled} compilations caused by another theta", "0", compiled == 0)
        )

    say("## Many at once\n")
    times, states = speed.batched()
    ratio = times[f"vmap over {states} states"] / times["one by one"]
    say(f"The adapted field of `Auto` at {states} states of size S\n\n" + contest(times))
    promises.append(
        (f"field, vmapped over {states} states: {ratio:.2f}× one by one", "≤ 1.3×", ratio <= 1.3)
    )
    times = orbits.census()
    say("A census: 16 adapted orbits, QN = 24, K = 439\n\n" + contest(times))
    ratio = times["integrate_many"] / times["integrate, one by one"]
    promises.append(
        (f"census of 16 orbits: {ratio:.2f}× one orbit after another", "≤ 1.1×", ratio <= 1.1)
    )
    for size in ("S", "M"):
        found = speed.memory(size)
        ratio = found["geoflow, Auto"] / found["geoflow, LayeredCholesky"]
        promises.append(
            (
                f"size {size}: compiled memory of Auto {ratio:.2f}× LayeredCholesky's",
                "≤ 2×",
                ratio <= 2,
            )
        )

    say("## Accuracy of D⁺b on near-duplicate data\n")
    errors = accuracy.errors()
    limits = [accuracy.LIMIT * row["cond"] for row in errors]
    say(
        table(
            [
                "largest relative error, 3 seeds",
                *(f"cond(D) = {row['cond']:.1e}" for row in errors),
            ],
            [[name, *(f"{row[name]:.0e}" for row in errors)] for name in accuracy.SOLVERS]
            + [["(limit 2 eps cond(D))", *(f"{limit:.0e}" for limit in limits)]],
        )
    )
    worst = max(row["Auto"] / limit for row, limit in zip(errors, limits, strict=True))
    promises.append((f"accuracy of Auto at {worst:.2f} of 2 eps cond(D)", "≤ 1", worst <= 1))

    say(f"## The adapted flow to C = {orbits.RATIO:.0e}·C_0\n")
    rows = []
    for size in [s for s in arguments.sizes if s != "L"] + ["digits"]:
        for row in orbits.measure(size):
            cells = (
                f"{row['first']:.2f}",
                f"{row['later']:.2f}",
                f"{row['steps']}",
                f"{row['gap']:.0e}",
                row["status"],
            )
            rows.append([f"{size}, {row['name']}", *cells])
    say(
        table(["orbit", "first call, s", "later, s", "steps", "off the exact x(s)", "status"], rows)
    )

    say("## Promises\n")
    say(
        table(
            ["measured", "promised", "kept"],
            [[m, p, "yes" if kept else "NO"] for m, p, kept in promises],
        )
    )
    say(f"{time.perf_counter() - started:.0f} s in all.")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("\n".join(report) + "\n", encoding="utf-8")
    return 0 if all(kept for _, _, kept in promises) else 1


if __name__ == "__main__":
    sys.exit(main())
