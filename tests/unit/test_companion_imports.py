"""companion stands alone: it starts no JAX, knows no geoflow, and its wheel has all that it serves."""

import ast
import pkgutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import companion

PACKAGE = Path(companion.__file__).parent
ROOT = PACKAGE.parent
MODULES = [
    "companion",
    *sorted(m.name for m in pkgutil.walk_packages(companion.__path__, "companion.")),
]
FOREIGN = ("jax", "jaxlib", "geoflow", "equinox", "diffrax", "lineax")


def test_no_module_loads_jax_or_geoflow():
    """In a fresh process: here they are loaded already."""
    program = f"""
import importlib, sys
for name in {MODULES!r}:
    importlib.import_module(name)
    loaded = [other for other in {FOREIGN!r} if other in sys.modules]
    assert not loaded, f"{{name}} loads {{loaded}}"
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_no_line_imports_them(path):
    """Not inside a function either."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.split(".")[0] in FOREIGN], f"line {node.lineno}"


def test_a_chapter_finds_the_explorer_by_one_import():
    from companion.explorer import Choice, Explorer, Slider, plotting, say

    assert all(callable(each) for each in (Choice, Explorer, Slider, say))
    assert plotting.__name__ == "companion.explorer.plotting"


def test_the_wheel_has_every_file_that_is_no_python():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]
    patterns = [
        f"{package.replace('.', '/')}/{name}" for package, names in listed.items() for name in names
    ]
    files = [
        path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert {path.name for path in files} >= {
        "widget.js",
        "widget.css",
        "host.js",
        "ledger.css",
        "py.typed",
    }
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        assert any(fnmatch(name, pattern) for pattern in patterns), (
            f"{name} is in no package-data of pyproject.toml"
        )
