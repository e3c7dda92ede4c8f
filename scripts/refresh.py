"""Re-executes chapters and stores them in normal form. Running it twice changes nothing.

    make refresh                                     every chapter
    .venv/bin/python scripts/refresh.py book/flows/ntk.ipynb ...   these only
    .venv/bin/python scripts/refresh.py --check      execute nothing: fail where a file is not in normal form
    .venv/bin/python scripts/refresh.py --verify     execute, store nothing: fail where the outcome is not what is stored

A chapter whose execution fails, or in which a checked cell writes to stderr, is left as it was.
"""

import argparse
import sys
import time
from pathlib import Path

from nbclient.exceptions import CellExecutionError

from companion.notebook.execution import difference, executed, warnings_in
from companion.notebook.normal_form import as_text, chapters, normal_form, read

ROOT = Path(__file__).resolve().parent.parent


class NotStored(Exception):
    """A chapter that is not as it should be, and why."""


def check(path: Path) -> str:
    """Raises `NotStored` where a stored chapter is not in normal form."""
    before, after = path.read_text(encoding="utf8"), as_text(normal_form(read(path)))
    if diff := difference(before, after, ("stored", "normal form")):
        raise NotStored(f"not in normal form: run `make refresh`\n{diff}")
    return "in normal form"


def fresh(path: Path) -> str:
    """The text of a chapter after a fresh run. Raises `NotStored` where a cell failed or a checked one warned."""
    try:
        notebook = executed(path)
    except CellExecutionError as error:
        raise NotStored(f"a cell failed\n{error}") from None
    if warned := warnings_in(notebook):
        raise NotStored("\n".join(warned))
    return as_text(normal_form(notebook))


def verify(path: Path) -> str:
    """Raises `NotStored` where a fresh run of a chapter gives something else than what is stored."""
    if diff := difference(path.read_text(encoding="utf8"), fresh(path), ("stored", "executed")):
        raise NotStored(f"its execution gives something else\n{diff}")
    return "as stored"


def refresh(path: Path) -> str:
    """Execute a chapter and store it in normal form."""
    text = fresh(path)
    if path.read_text(encoding="utf8") == text:
        return "unchanged"
    path.write_text(text, encoding="utf8")
    return "rewritten"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="chapters; all of them by default")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check", dest="step", action="store_const", const=check, help="execute nothing, only look"
    )
    how.add_argument(
        "--verify",
        dest="step",
        action="store_const",
        const=verify,
        help="execute and compare, store nothing",
    )
    options = parser.parse_args(arguments)
    step = options.step or refresh
    failures = 0
    for path in [p.resolve() for p in options.paths] or chapters(ROOT / "book"):
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        started = time.monotonic()
        try:
            outcome = step(path)
        except NotStored as reason:
            failures += 1
            print(f"{name}: {reason}", file=sys.stderr, flush=True)
        else:
            if step is not check:
                print(f"{name}: {outcome} ({time.monotonic() - started:.0f} s)", flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
