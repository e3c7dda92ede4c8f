"""Chapters run with poisoned orbits: what claims do when the numbers that they rest on are no numbers.

A chapter's cells are executed in this process, statement by statement, with `geoflow.integrate` and `integrate_many`
replaced: the orbits are those of the real integration, and then the last saved state is NaN (`not_a_number`), or the
integrator gave up half way (`gave_up`). Which checked cells rest on orbits is read off the chapter's source: a name is
*tainted* when it is assigned from, or its function uses, a call of an integrator or a tainted name.
"""

import ast
import contextlib
import dataclasses
import inspect
import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import companion.explorer
import geoflow as gf
from companion.notebook.cells import Chapter, is_checked, name_of, source_of
from companion.notebook.claim_calls import makes_claims

INTEGRATORS = {"integrate": gf.integrate, "integrate_many": gf.integrate_many}
#: Calls that integrate inside geoflow.
INSIDE = {"holonomy"}
#: Methods that put something into the object before the dot.
FILLS = {"append", "extend", "update", "add"}


# --- poisons ---------------------------------------------------------------------------------------------


def _spoiled(values: np.ndarray, where: Any) -> np.ndarray:
    values = np.array(values, dtype=np.float64)
    values[where] = np.nan
    return values


def not_a_number(found: gf.Orbit | gf.Ensemble) -> gf.Orbit | gf.Ensemble:
    """The last saved state of every orbit is NaN, with all that was recorded of it, and its status is what it was."""
    if isinstance(found, gf.Orbit):
        recorded = {name: _spoiled(values, -1) for name, values in found.recorded.items()}
        return dataclasses.replace(
            found,
            cost=_spoiled(found.cost, -1),
            end=np.full_like(found.end, np.nan),
            recorded=recorded,
        )
    reached = found.reached  # (B, S + 1): an orbit's last state is the last one that it reached
    last = (np.arange(len(found)), reached.shape[1] - 1 - reached[:, ::-1].argmax(axis=1))
    return dataclasses.replace(
        found,
        all_costs=_spoiled(found.all_costs, last),
        all_states=_spoiled(found.all_states, last),
        all_records={name: _spoiled(values, last) for name, values in found.all_records.items()},
    )


def gave_up(found: gf.Orbit | gf.Ensemble) -> gf.Orbit | gf.Ensemble:
    """An orbit ends half way, `Status.max_steps`; of an ensemble, every second one does."""
    if isinstance(found, gf.Orbit):
        half = len(found.s) // 2 or 1
        recorded = {name: values[:half] for name, values in found.recorded.items()}
        end = recorded["theta"][-1] if "theta" in recorded else found.end
        return dataclasses.replace(
            found,
            s=found.s[:half],
            cost=found.cost[:half],
            end=end,
            status=gf.Status.max_steps,
            recorded=recorded,
        )
    reached, status = found.reached.copy(), found.status.copy()
    for i in range(0, len(found), 2):
        places = np.flatnonzero(reached[i])
        reached[i, places[len(places) // 2 or 1 :]] = False
        status[i] = gf.Status.max_steps
    return dataclasses.replace(found, reached=reached, status=status)


POISONS = {"not a number": not_a_number, "gave up": gave_up}


def poisoned(
    integrator: Callable[..., Any], poison: Callable[[Any], Any], results: dict[bytes, Any]
):
    """`integrator` whose results are poisoned; `throw` is honoured after that. `results` keeps the real ones."""
    signature = inspect.signature(integrator)

    def integrate(*args, **kwargs):
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        throw = given.arguments["throw"]
        try:
            key = pickle.dumps(
                (integrator.__name__, {k: v for k, v in given.arguments.items() if k != "throw"})
            )
        except (
            Exception
        ):  # a flow or a network made of a cell's own functions: integrated each time
            key = None
        real = results.get(key) if key is not None else None
        if real is None:
            real = integrator(*args, **kwargs | {"throw": False})
            if key is not None:
                results[key] = real
        found = poison(real)
        if throw and isinstance(found, gf.Orbit) and not found.status.ok:
            raise gf.OrbitStopped(found)
        if throw and isinstance(found, gf.Ensemble) and not found.ok.all():
            raise gf.EnsembleStopped(found)
        return found

    return integrate


# --- which cells rest on orbits --------------------------------------------------------------------------


def _uses(node: ast.AST, tainted: set[str]) -> bool:
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Name)
            and isinstance(part.ctx, ast.Load)
            and part.id in tainted | set(INTEGRATORS)
        ):
            return True
        if isinstance(part, ast.Attribute) and part.attr in set(INTEGRATORS) | INSIDE:
            return True
    return False


def _targets(node: ast.AST) -> Iterator[str]:
    """The names that a target binds or changes: x, and x in x[0] = …"""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id


def _of_the_cell(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a cell, without the bodies of its functions, whose names are their own."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield from _of_the_cell(node)


def _taint(tree: ast.Module, tainted: set[str]) -> None:
    """Adds to `tainted` what this cell makes of integrations; to a fixed point, for what is defined after its use."""
    before = -1
    while before != len(tainted):
        before = len(tainted)
        for node in _of_the_cell(tree):
            if isinstance(node, ast.FunctionDef):
                own = {
                    argument.arg
                    for argument in ast.walk(node.args)
                    if isinstance(argument, ast.arg)
                }
                tainted.update([node.name] if _uses(node, tainted - own) else ())
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
                if node.value is not None and _uses(node.value, tainted):
                    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                        tainted.update(_targets(target))
            elif isinstance(node, ast.For):
                tainted.update(_targets(node.target) if _uses(node.iter, tainted) else ())
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                tainted.update(
                    _targets(node.optional_vars) if _uses(node.context_expr, tainted) else ()
                )
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in FILLS
            ):
                # xs.append(orbit): xs holds it
                filled = any(_uses(given, tainted) for given in node.args)
                tainted.update(_targets(node.func.value) if filled else ())


def resting_on_orbits(chapter: Chapter) -> list[str]:
    """The ids of the checked cells whose claims use an integration, directly or through names."""
    tainted: set[str] = set()
    found = []
    for cell in chapter.code:
        tree = ast.parse(source_of(cell))
        _taint(tree, tainted)
        if is_checked(cell) and _uses(tree, tainted) and makes_claims(tree):
            found.append(cell["id"])
    return found


# --- running ---------------------------------------------------------------------------------------------


def run(
    chapter: Chapter, poison: Callable[[Any], Any], results: dict[bytes, Any], patch: Any
) -> dict[str, str]:
    """Executes the chapter with poisoned integrators. Checked cell's id -> what refused it, "" where nothing did.

    A statement that raises is left out and the rest of its cell goes on: a plot that fails must hide nothing.
    """
    for name, integrator in INTEGRATORS.items():
        patch.setattr(gf, name, poisoned(integrator, poison, results))
    patch.setattr(gf.bundle, "integrate", gf.integrate)
    # claims look at no picture
    patch.setattr(companion.explorer, "Explorer", lambda *_, **__: None)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outcome: dict[str, str] = {}
    for cell in chapter.code:
        refused = ""
        for statement in ast.parse(source_of(cell)).body:
            code = compile(ast.Module([statement], []), name_of(cell), "exec")
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                try:
                    exec(code, namespace)
                except Exception as raised:
                    refused = refused or f"{type(raised).__name__}: {raised}"
        if is_checked(cell):
            outcome[cell["id"]] = refused
    return outcome
