"""How geoflow is put together, read off its source: what may import what, and which names its packages show."""

import ast
import graphlib
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "geoflow"

#: From the ground up: a module imports from those before it, and a package of several modules from itself. Refusals, data and
#: networks know no problem; a problem knows no solver, a solver no flow, a flow no orbit; what measures orbits comes after them,
#: and the subjects of single papers come last, and proofs about all of them after those. Their checker
#: stands on the ground: it knows nothing of geoflow.
ORDER = (
    "checker",
    "types",
    "checks",
    "clocks",
    "networks",
    "data",
    "problem",
    "linear_algebra",
    "solvers",
    "closed_forms",
    "flows",
    "orbits",
    "diagnostics",
    "trapping",
    "bundle",
    "equilibria",
    "linear_networks",
    "constructive",
    "certified",
    "geoflow",
)


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of geoflow by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf8"), filename=str(path))
    return found


def imported(module: str) -> list[tuple[str, str]]:
    """(module, name) of everything that a module imports, wherever in it; name is "" for a module as a whole."""
    found = []
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: imports are absolute here"
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


def targets(module: str) -> set[str]:
    """The modules of geoflow that a module imports."""
    whole = {
        f"{origin}.{name}" if f"{origin}.{name}" in sources() else origin
        for origin, name in imported(module)
    }
    return {target for target in whole if target.split(".")[0] == "geoflow"}


def part(module: str) -> str:
    """The place of a module in ORDER: its first name below geoflow."""
    return module.split(".")[1] if "." in module else module


def private(dotted: str) -> bool:
    return any(name.startswith("_") for name in dotted.split("."))


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one import cycle, or none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_the_whole_package_is_read():
    assert len(sources()) > 40
    assert {"geoflow", "geoflow.orbits", "geoflow.orbits.orbit"} <= sources().keys()
    assert sum(len(targets(module)) for module in sources()) > 200


def test_every_module_has_its_place_in_the_order():
    assert {part(module) for module in sources()} <= set(ORDER)
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("above", ORDER)
def test_no_import_points_up(above):
    place = ORDER.index(above)
    up = {
        f"{module} imports {target}"
        for module in sources()
        if part(module) == above
        for target in targets(module)
        if ORDER.index(part(target)) > place or (target == "geoflow" != module)
    }
    assert not up


def test_no_modules_import_one_another():
    assert cycle({module: targets(module) for module in sources()}) == []
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}), "or this test could not fail"


def test_nothing_private_is_imported():
    """Neither a name nor a module with a leading underscore, of geoflow or of another package."""
    leaks = {
        f"{module} imports {name or '…'} of {origin}"
        for module in sources()
        for origin, name in imported(module)
        if private(origin) or private(name)
    }
    assert not leaks
    assert private("jax._src.core")
    assert private("_threshold")


def bound(module: str) -> set[str]:
    """The names that a module binds: functions, classes, assignments, imports; its own modules as they are left out."""
    names = set()
    for node in sources()[module].body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            names |= {
                alias.asname or alias.name
                for alias in node.names
                if node.module != module or alias.asname
            }
    return names


def test_no_name_of_a_package_hides_one_of_its_modules():
    """What `from geoflow.orbits import integrate` gives must not depend on what was imported before."""
    packages = {
        module for module in sources() if any(other.startswith(f"{module}.") for other in sources())
    }
    hidden = {
        f"{package}.{name}" for package in packages for name in bound(package)
    } & sources().keys()
    assert not hidden
    assert len(packages) >= 6
    assert "Orbit" in bound("geoflow.orbits")


def test_what_geoflow_exports_is_there_sorted_and_named_once():
    (names,) = (
        ast.literal_eval(node.value)
        for node in sources()["geoflow"].body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert len(names) > 40
    assert len(set(names)) == len(names)
    assert names == sorted(
        names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    modules = {name for origin, name in imported("geoflow") if origin == "geoflow"}
    assert set(names) == {name for name in bound("geoflow") | modules if not name.startswith("_")}
    assert modules <= {part(module) for module in sources()}


def test_the_version_is_the_project_s():
    (version,) = (
        ast.literal_eval(node.value)
        for node in sources()["geoflow"].body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    )
    assert (
        version
        == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]["version"]
    )


def asks_for_an_mlp(tree: ast.AST) -> bool:
    """Whether a source has isinstance(…, MLP), alone or among other classes."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("isinstance", "issubclass")
        and any("MLP" in ast.unparse(argument) for argument in node.args[1:])
        for node in ast.walk(tree)
    )


def test_problem_and_solvers_ask_no_network_for_its_class():
    """They use what every `Network` offers: a network of one's own is treated as an MLP is."""
    asked = [
        module
        for module in sources()
        if part(module) in ("problem", "solvers") and asks_for_an_mlp(sources()[module])
    ]
    assert asked == []
    assert asks_for_an_mlp(ast.parse("isinstance(problem.network, Layered | networks.MLP)")), (
        "or this test could not fail"
    )
    assert asks_for_an_mlp(ast.parse("isinstance(problem.network, (MLP, int))"))


def test_the_checker_of_certificates_shares_nothing_with_the_prover():
    """It knows itself, mpmath, numpy and Python; flint is the prover's, and nobody else's."""
    origins = {
        module: {origin.split(".")[0] for origin, _ in imported(module)} for module in sources()
    }
    apart = {module for module in sources() if part(module) == "checker"}
    assert len(apart) >= 10
    assert {target for module in apart for target in targets(module)} <= apart
    assert set().union(*(origins[module] for module in apart)) - sys.stdlib_module_names == {
        "geoflow",
        "mpmath",
        "numpy",
    }
    by_flint = {module for module in sources() if "flint" in origins[module]}
    assert {part(module) for module in by_flint} == {"certified"}
    assert not any(
        part(t) == "certified" for m in sources() if part(m) != "certified" for t in targets(m)
    )
