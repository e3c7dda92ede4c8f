"""Whether a traced map may have kinks: a walk through its jaxpr, looking for what ReLU is made of.

The walk is one-sided. A map without such a primitive has no kink of that making; a map with one may still be C¹ (softsign
is built from |z|), and only its author can say so.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

#: Primitives that are not C¹ where their arguments tie, vanish or jump.
KINKED = frozenset(
    [
        "abs",
        "max",
        "min",
        "clamp",
        "sign",
        "floor",
        "ceil",
        "round",
        "rem",
        "reduce_max",
        "reduce_min",
        "argmax",
        "argmin",
        "cummax",
        "cummin",
        "sort",
        "top_k",
    ]
)
#: Calls with a body that is walked as if it stood there.
CALLS = frozenset(
    [
        "jit",
        "pjit",
        "closed_call",
        "core_call",
        "remat",
        "checkpoint",
        "custom_jvp_call",
        "custom_vjp_call",
        "custom_vjp_call_jaxpr",
    ]
)
#: Library functions whose bodies guard against overflow with a maximum and are smooth all the same.
SMOOTH = frozenset(["logaddexp", "softplus", "silu", "swish", "log_sigmoid", "mish"])


class Smoothness(NamedTuple):
    """kind: "analytic", "C1", "kinked" or "almost everywhere"; kink: what makes it so, for messages, or None."""

    kind: str
    kink: str | None = None


def first_kink(function: Callable[..., Any], theta: Any, *fixed: Any) -> str | None:
    """The first primitive on the way from theta to the outputs that may have a kink; None when there is none."""
    closed = jax.make_jaxpr(function)(theta, *fixed)
    leaves = len(jax.tree.leaves(theta))
    count = len(closed.jaxpr.invars)
    live = _live(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    return _walk(closed.jaxpr, [i < leaves for i in range(count)], live)[0]


def _inner(equation: Any) -> Any:
    """The body of a call, or None."""
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        body = equation.params.get(name)
        if body is not None:
            return getattr(body, "jaxpr", body)
    return None


def _name(equation: Any, body: Any) -> str:
    """What the call is called in the source."""
    name = equation.params.get("name")
    if name is None and body is not None:
        info = getattr(body, "debug_info", None)
        name = str(getattr(info, "func_name", "")).split(" ")[0].rsplit(".", 1)[-1]
    return str(name or equation.primitive.name)


def _live(jaxpr: Any, outputs: list[bool]) -> set[Any]:
    """The variables whose derivative reaches an output: not what ends in stop_gradient, and not what is never used."""
    live = {
        v
        for v, wanted in zip(jaxpr.outvars, outputs, strict=True)
        if wanted and not hasattr(v, "val")
    }
    for equation in reversed(jaxpr.eqns):
        if equation.primitive.name != "stop_gradient" and any(v in live for v in equation.outvars):
            live.update(v for v in equation.invars if not hasattr(v, "val"))
    return live


def _walk(jaxpr: Any, depends: list[bool], live: set[Any]) -> tuple[str | None, list[bool]]:
    """(the first kink met, which outputs depend on theta), given which inputs do."""
    moving = {v for v, yes in zip(jaxpr.invars, depends, strict=True) if yes}
    guards: set[Any] = set()  # truth values that look at NaN or infinity only

    def moves(v: Any) -> bool:
        return not hasattr(v, "val") and v in moving

    for equation in jaxpr.eqns:
        name = equation.primitive.name
        arguments = [moves(v) for v in equation.invars]
        if not any(arguments):
            continue
        outputs = [True] * len(equation.outvars)
        reaches = any(v in live for v in equation.outvars)
        body = _inner(equation)
        label = _name(equation, body)
        if name in CALLS and body is not None:
            if label not in SMOOTH and reaches:
                kink, outputs = _walk(
                    body,
                    _fitted(arguments, body),
                    _live(body, [v in live for v in equation.outvars]),
                )
                if kink is not None:
                    return (
                        label if label not in ("_where", "None") and name != "jit" else kink
                    ), outputs
        elif reaches and name in ("cond", "scan", "while"):
            kink = "cond" if name == "cond" and arguments[0] else _inside(equation)
            if kink is not None:
                return kink, outputs
        elif reaches and name in KINKED:
            return name, outputs
        elif reaches and name == "select_n" and arguments[0] and equation.invars[0] not in guards:
            return "where", outputs
        if name in ("is_finite", "ne", "eq") or (
            name in ("and", "or", "not")
            and all(v in guards for v, m in zip(equation.invars, arguments, strict=True) if m)
        ):
            guards.update(equation.outvars)
        moving.update(v for v, yes in zip(equation.outvars, outputs, strict=True) if yes)
    return None, [moves(v) for v in jaxpr.outvars]


def _fitted(arguments: list[bool], body: Any) -> list[bool]:
    """One truth value per input of the body: a call's constants come first and may be left out of its arguments."""
    missing = len(body.invars) - len(arguments)
    return [False] * missing + arguments if missing >= 0 else arguments[-len(body.invars) :]


def _inside(equation: Any) -> str | None:
    """A kink in the body of a loop or of a branch, where everything is taken to move and to count."""
    bodies = [*equation.params.get("branches", ())]
    bodies += [equation.params[k] for k in ("jaxpr", "body_jaxpr") if k in equation.params]
    for body in bodies:
        jaxpr = getattr(body, "jaxpr", body)
        kink, _ = _walk(
            jaxpr, [True] * len(jaxpr.invars), _live(jaxpr, [True] * len(jaxpr.outvars))
        )
        if kink is not None:
            return kink
    return None
