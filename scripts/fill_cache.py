"""Chapters executed two at a time, into the cache that Sphinx reads: Sphinx alone takes one after the other."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution

from companion.notebook import toc
from companion.notebook.normal_form import read

WORKERS = 2  # a kernel takes about a gigabyte, and two fill the cores that the tests count on


def fill(cache_folder: Path, root: Path) -> None:
    """Executes the listed chapters that Sphinx would not find in its cache. One that fails is left to Sphinx, which says why."""
    cache = get_cache(cache_folder)
    timeout = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))["execute"][
        "timeout"
    ]
    listed = toc.documents(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf8")))

    def execute(path: Path) -> ExecutionResult:  # as Sphinx would do it
        return single_nb_execution(
            read(path), cwd=str(path.parent), timeout=timeout, allow_errors=False
        )

    with ThreadPoolExecutor(WORKERS) as pool:
        running = {}
        for name in listed:
            path = root / "book" / f"{name}.ipynb"
            if path.exists() and not is_cached(cache, path):
                running[pool.submit(execute, path)] = path, name
        for future in as_completed(running):
            (path, name), result = running[future], future.result()
            if result.err is None:
                bundle = CacheBundleIn(
                    result.nb, str(path), data={"execution_seconds": result.time}
                )
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            print(
                f"{name}: {'executed' if result.err is None else 'failed'} in {result.time:.0f} s",
                flush=True,
            )


def is_cached(cache, path: Path) -> bool:
    try:
        return bool(cache.match_cache_notebook(read(path)))
    except KeyError:
        return False
