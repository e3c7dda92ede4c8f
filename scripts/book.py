"""Builds the book: executes every chapter that may have changed, renders `_build/html`.

Jupyter Book keeps executed chapters in `_build/.jupyter_cache`, keyed on their own cells only. A chapter's
results also depend on geoflow and on the installed packages, so the cache is dropped when either changes.
Sphinx would execute the chapters one after the other: here they are executed two at a time, into the same cache.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from normal_form import chapters, read

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
CACHES = (BUILD / ".jupyter_cache", BUILD / "jupyter_execute", BUILD / ".doctrees")
STAMP = BUILD / ".executed-with"
WORKERS = 2  # a kernel takes more than a gigabyte, and two fill the cores that the tests count on


def fingerprint(root: Path) -> str:
    """Hash of everything outside a chapter that its results depend on."""
    paths = [root / "requirements.txt", *sorted((root / "geoflow").rglob("*"))]
    digest = hashlib.sha256(sys.version.encode())
    for path in paths:
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def drop_stale_caches(root: Path = ROOT) -> None:
    """Forget executed chapters when geoflow, the lock or Python changed since they ran."""
    now = fingerprint(root)
    if STAMP.exists() and STAMP.read_text() == now:
        return
    for cache in CACHES:
        shutil.rmtree(cache, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    STAMP.write_text(now)


def fill_cache(root: Path = ROOT) -> None:
    """Execute what Sphinx would not find in its cache. A chapter that fails is left to Sphinx, which says why."""
    cache = get_cache(CACHES[0])
    timeout = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))["execute"]["timeout"]
    listed = re.findall(r"file: (\S+)", (root / "_toc.yml").read_text(encoding="utf8"))

    def execute(path: Path) -> ExecutionResult:  # as Sphinx would do it
        return single_nb_execution(read(path), cwd=str(path.parent), timeout=timeout, allow_errors=False)

    with ThreadPoolExecutor(WORKERS) as pool:
        running = {}
        for path in chapters(root):
            name = path.relative_to(root / "book").with_suffix("").as_posix()
            if name in listed and not is_cached(cache, path):
                running[pool.submit(execute, path)] = path, name
        for future in as_completed(running):
            (path, name), result = running[future], future.result()
            if result.err is None:
                bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            print(f"{name}: {'executed' if result.err is None else 'failed'} in {result.time:.0f} s", flush=True)


def is_cached(cache, path: Path) -> bool:
    try:
        return bool(cache.match_cache_notebook(read(path)))
    except KeyError:
        return False


def main() -> int:
    drop_stale_caches()
    # A widget computes every frame while the book is built: the pages work with no kernel.
    os.environ["GEOFLOW_STATIC"] = "1"
    started = time.monotonic()
    fill_cache()
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
