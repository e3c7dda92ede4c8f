"""Builds the book: executes every chapter that may have changed, renders `_build/html`.

Jupyter Book keeps executed chapters in `_build/.jupyter_cache`, keyed on their own cells only. A chapter's results also
depend on geoflow, on companion and on the installed packages, so the cache is dropped when one of them changes. What only
shows a result, style sheets and scripts, does not count: `companion.sphinx` puts the present ones into the pages.
The chapters are executed two at a time, by `fill_cache`, before Sphinx comes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import fill_cache

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
CACHES = (BUILD / ".jupyter_cache", BUILD / "jupyter_execute", BUILD / ".doctrees")
STAMP = BUILD / ".executed-with"
# no chapter imports them: they work on what a chapter stored
AFTERWARDS = (
    "companion/sphinx",
    "companion/notebook",
)


def fingerprint(root: Path) -> str:
    """Hash of everything outside a chapter that its results depend on."""
    sources = [
        path
        for package in ("geoflow", "companion")
        for path in sorted((root / package).rglob("*.py"))
    ]
    sources = [
        path
        for path in sources
        if not any(path.is_relative_to(root / other) for other in AFTERWARDS)
    ]
    digest = hashlib.sha256(sys.version.encode())
    for path in [root / "requirements.txt", *sources]:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def drop_stale_caches(root: Path = ROOT) -> None:
    """Forget executed chapters when geoflow, companion, the lock or Python changed since they ran."""
    now = fingerprint(root)
    if STAMP.exists() and STAMP.read_text() == now:
        return
    for cache in CACHES:
        shutil.rmtree(cache, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    STAMP.write_text(now)


def main() -> int:
    drop_stale_caches()
    # A widget computes every frame while the book is built: the pages work with no kernel.
    os.environ["COMPANION_STATIC"] = "1"
    started = time.monotonic()
    fill_cache.fill(CACHES[0], ROOT)
    # fmt: off
    built = subprocess.run([
        Path(sys.executable).with_name("jupyter-book"), "build", "book",
        "--config", ROOT / "_config.yml", "--toc", ROOT / "_toc.yml", "--path-output", ROOT,
        "-W", "-n", "--keep-going",
    ], cwd=ROOT, check=False)
    # fmt: on
    if built.returncode:
        print("The book did not build: the warnings above are errors here.", file=sys.stderr)
        return built.returncode
    page = (BUILD / "html" / "index.html").as_uri()
    print(f"The book was built in {time.monotonic() - started:.0f} s. Open {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
