"""The stage "types" of `make test`: a strict type checker on geoflow and on README's example, with geoflow installed.

Installed as a user has it: from a wheel, into a folder of its own, not editable. Two checks:

- geoflow: the installed package by the rules of [tool.basedpyright] in pyproject.toml;
- user: README's Python and all of geoflow's public names by every rule of the strict mode, those on unknown types included.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WHEELS = ROOT / "_build" / "wheel"
CHECKED = ROOT / "_build" / "types"
SITE = CHECKED / "site"
BIN = Path(sys.executable).parent


def install() -> None:
    """geoflow's wheel, built and unpacked into SITE; from nothing, so that no deleted module lives on."""
    for old in (WHEELS, CHECKED):
        shutil.rmtree(old, ignore_errors=True)
    uv = [BIN / "uv", "--quiet", "--offline", "--no-config"]
    here = ["--python", sys.executable]
    subprocess.run(
        [*uv, "build", *here, "--wheel", "--no-build-isolation", "--out-dir", WHEELS],
        cwd=ROOT,
        check=True,
    )
    (wheel,) = WHEELS.glob("*.whl")
    subprocess.run(
        [*uv, "pip", "install", *here, "--no-deps", "--target", SITE, wheel], cwd=ROOT, check=True
    )


def snippets(readme: str) -> list[str]:
    """README's blocks of Python. One inside a list is a cell of a chapter, whose names come from the cells before it."""
    return re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)


def public_names(source: str) -> list[str]:
    """What `__all__` lists."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [
            "__all__"
        ]:
            return ast.literal_eval(node.value)
    raise ValueError("there is no __all__")


def write_user() -> None:
    """What a user may write, each file on its own."""
    user = CHECKED / "user"
    user.mkdir()
    examples = snippets((ROOT / "README.md").read_text(encoding="utf8"))
    if not examples:
        raise ValueError("README.md has no block of Python")
    for i, example in enumerate(examples, start=1):
        (user / f"readme_{i}.py").write_text(example, encoding="utf8")
    names = public_names((SITE / "geoflow" / "__init__.py").read_text(encoding="utf8"))
    listed = "".join(f"    geoflow.{name},\n" for name in names)
    (user / "public.py").write_text(f"import geoflow\n\npublic = (\n{listed})\n", encoding="utf8")
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (user / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf8")


def check(project: Path) -> subprocess.Popen[bytes]:
    """The checker on this project, started; it finds geoflow in SITE, as an installed package."""
    found = os.environ | {"PYTHONPATH": str(SITE)}
    return subprocess.Popen(
        [BIN / "basedpyright", "--project", project, "--pythonpath", sys.executable], env=found
    )


def main() -> int:
    install()
    write_user()
    inside = {
        "extends": "../../pyproject.toml",
        "include": ["site/geoflow"],
        "extraPaths": ["site"],
    }
    (CHECKED / "pyrightconfig.json").write_text(json.dumps(inside), encoding="utf8")
    running = {"geoflow": check(CHECKED), "user": check(CHECKED / "user")}
    codes = {name: process.wait() for name, process in running.items()}
    failed = [name for name, code in codes.items() if code]
    for name in failed:
        print(f"types: the check of {name} failed", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
