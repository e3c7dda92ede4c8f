"""What every extension here tells Sphinx of itself."""

import functools
import hashlib
from pathlib import Path

HERE = Path(__file__).parent
EXPLORER = HERE.parent / "explorer"


@functools.cache
def _fingerprint() -> int:
    """Of everything that goes into a page when it is read: these extensions, and the view of the explorers."""
    sources = [*sorted(HERE.glob("*.py")), *sorted(EXPLORER.glob("widget.*"))]
    text = b"\0".join(path.read_bytes() for path in sources)
    return int(hashlib.sha256(text).hexdigest()[:12], 16)


def about() -> dict:
    """For `setup` to return. A change to the machinery has every page read again, from the chapters as executed."""
    return {
        "version": "1",
        "env_version": _fingerprint(),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }


def static_file(app, path: Path) -> None:
    """Have a file of this package copied beside the pages, into ``_static``."""

    def add(_app, config) -> None:
        if str(path) not in config.html_static_path:
            config.html_static_path = [*config.html_static_path, str(path)]

    app.connect("config-inited", add)
