"""A process that has imported everything but geoflow, and forks for each run of pytest: an import saved a run.

Reads one JSON object a line, {"path": ..., "arguments": [...], "output": FILE}, from its standard input, runs pytest in a
fork with `path` before everything else, and answers with the exit code. JAX is imported and does nothing before the
fork, so no thread of its backend is lost in it.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

IMPORTED = (
    "anywidget", "beartype", "diffrax", "equinox", "hypothesis", "jax", "jax.numpy", "jaxtyping", "lineax", "matplotlib",
    "numpy", "optimistix", "pytest", "scipy.integrate", "scipy.linalg", "scipy.optimize", "sklearn.datasets",
    "sklearn.decomposition", "tqdm.auto",
)  # fmt: skip


def child(path: str, arguments: list[str], output: str) -> int:
    with Path(output).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.path[:0] = [path]
    import pytest

    return int(pytest.main(arguments))


def main() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    for line in sys.stdin:
        wanted = json.loads(line)
        process = os.fork()
        if process == 0:
            code = 70
            try:
                code = child(wanted["path"], wanted["arguments"], wanted["output"])
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        print(status, flush=True)


if __name__ == "__main__":
    main()
