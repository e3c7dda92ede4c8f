"""Re-executes chapters and stores them in normal form. Running it twice changes nothing.

    make refresh                                     every chapter
    .venv/bin/python scripts/refresh.py book/flows/ntk.ipynb ...   these only
    .venv/bin/python scripts/refresh.py --check      execute nothing: fail where a file is not in normal form

A chapter whose execution fails is left as it was.
"""

import argparse
import difflib
import sys
import time
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from normal_form import ROOT, as_text, chapters, normal_form, read

TIMEOUT = 120  # seconds a cell, as in _config.yml and under nbval


def difference(path: Path) -> str:
    """What normal form would change in a stored chapter; empty when nothing."""
    before = path.read_text(encoding="utf8")
    after = as_text(normal_form(read(path)))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "stored", "normal form", lineterm="", n=1)
    return "\n".join(lines)


def refresh(path: Path) -> bool:
    """Execute a chapter and store it in normal form; says whether the file changed."""
    notebook = read(path)
    NotebookClient(
        notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    text = as_text(normal_form(notebook))
    changed = path.read_text(encoding="utf8") != text
    if changed:
        path.write_text(text, encoding="utf8")
    return changed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="chapters; all of them by default")
    parser.add_argument("--check", action="store_true", help="execute nothing, only look")
    options = parser.parse_args(arguments)
    failures = 0
    for path in [p.resolve() for p in options.paths] or chapters():
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        if options.check:
            if diff := difference(path):
                failures += 1
                print(f"{name} is not in normal form: run `make refresh`\n{diff}", file=sys.stderr)
            continue
        started = time.monotonic()
        try:
            changed = refresh(path)
        except CellExecutionError as error:
            failures += 1
            print(f"{name}: not stored, a cell failed\n{error}", file=sys.stderr)
        else:
            print(f"{name}: {'rewritten' if changed else 'unchanged'} ({time.monotonic() - started:.0f} s)")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
