"""A rule of the contract: a claim takes its sample whole.

Python's `max`, `min` and `sum` compare as they go, and a NaN loses every comparison: ``max([1e-12, nan])`` is ``1e-12``.
Where a claim's arguments hold such a call, the claim cannot see what was dropped.
"""

import ast
from collections.abc import Iterator

from companion.notebook.cells import Chapter, name_of, trees

#: The functions of `companion.claims` that make a claim.
MAKERS = ("equality", "bound", "limit", "count", "every", "exists", "refutes", "proved")
REDUCE = ("max", "min", "sum")


def called(call: ast.Call) -> str:
    """The last name of what is called: `bound` for bound(...) and for claims.bound(...)."""
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def makes_claims(tree: ast.Module) -> bool:
    """Whether a cell calls one of MAKERS."""
    return any(isinstance(node, ast.Call) and called(node) in MAKERS for node in ast.walk(tree))


def reductions(chapter: Chapter) -> Iterator[str]:
    """No builtin `max`, `min` or `sum` in the arguments of a claim."""
    for cell, tree in trees(chapter.code):
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or called(call) not in MAKERS:
                continue
            inside = [part for given in (*call.args, *call.keywords) for part in ast.walk(given)]
            for part in inside:
                if (
                    isinstance(part, ast.Call)
                    and isinstance(part.func, ast.Name)
                    and part.func.id in REDUCE
                ):
                    yield (
                        f"{name_of(cell)}, line {part.lineno}: {part.func.id}(...) in the arguments of {called(call)}: "
                        "max([1e-12, nan]) is 1e-12. Give the claim the whole sample, or reduce it with "
                        f"np.{part.func.id}, which keeps a NaN"
                    )
