"""`make test`: every check, cheapest first, stopping at the first stage that fails.

Ends with one line of counts over all stages. A skipped browser test counts as a failure: a book that was not
looked at has not been tested.
"""

import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import chromium

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "_build" / "reports"
TWO_CORES = ("-n", "2")
NBVAL = (
    "--nbval-lax",  # compare the checked cells, execute the others
    "--nbval-current-env",  # the kernel of this environment, whatever is stored
    "--nbval-cell-timeout=120",
    "--nbval-sanitize-with=tests/chapters/sanitize.cfg",
    "--dist=loadscope",  # a chapter's cells share one kernel: they stay on one worker, in order
)


def pytest(name: str, *arguments: str) -> list[str]:
    report = f"--junitxml={REPORTS / name}.xml"
    return [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        report,
        "-o",
        f"junit_suite_name={name}",
        *arguments,
    ]


def stages() -> dict[str, list[str]]:
    """Name and command of each stage, in order."""
    python = sys.executable
    return {
        "lint": [python, "-m", "ruff", "check", "."],
        "format": [python, "-m", "ruff", "format", "--check", "."],
        "types": [python, "scripts/check_types.py"],
        "certificates": [python, "scripts/certificates.py"],
        "unit": pytest("unit", *TWO_CORES, "tests/unit", "tests/chapters/test_contract.py"),
        "chapters": pytest("chapters", *TWO_CORES, *NBVAL, "book"),
        # after the chapters, which leave their programs compiled
        "poison": pytest("poison", *TWO_CORES, "tests/chapters/test_poison.py"),
        "faults": pytest("faults", *TWO_CORES, "tests/faults"),
        "book": [python, "scripts/book.py"],
        # A worker that is done takes over from the other. By file, all pages would be on one.
        "browser": pytest("browser", *TWO_CORES, "--dist=worksteal", "tests/browser"),
    }


def counts(reports: Path) -> dict[str, int]:
    """Passed, failed, errors and skipped over the JUnit files of a folder."""
    total = dict.fromkeys(("passed", "failed", "errors", "skipped"), 0)
    for path in sorted(reports.glob("*.xml")):
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            tests, failed, errors, skipped = (
                int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
            )
            total["passed"] += tests - failed - errors - skipped
            total["failed"] += failed
            total["errors"] += errors
            total["skipped"] += skipped
    return total


def skipped_in(report: Path) -> int:
    """How many tests of one JUnit file were skipped."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    return sum(int(suite.get("skipped", 0)) for suite in suites)


def summary(total: dict[str, int], failed_stage: str | None, seconds: float) -> str:
    """One line in pytest's manner."""
    parts = [f"{number} {what}" for what, number in total.items() if number]
    if failed_stage:
        parts.append(f"stage '{failed_stage}' failed")
    return f"{', '.join(parts)} in {seconds:.0f}s".center(80, "=")


def main() -> int:
    started = time.monotonic()
    REPORTS.mkdir(parents=True, exist_ok=True)
    for old in REPORTS.glob("*.xml"):
        old.unlink()
    chromium.ensure()
    failed = None
    for name, command in stages().items():
        began = time.monotonic()
        print(f"\n--- {name}", flush=True)
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        print(f"--- {name}: {time.monotonic() - began:.0f} s", flush=True)
        if not code and name == "browser" and (skipped := skipped_in(REPORTS / "browser.xml")):
            print(f"{skipped} browser tests were skipped: that is a failure here", file=sys.stderr)
            code = 1
        if code:
            failed = name
            break
    print(summary(counts(REPORTS), failed, time.monotonic() - started))
    return int(failed is not None)


if __name__ == "__main__":
    sys.exit(main())
