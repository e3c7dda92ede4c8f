"""Step sizes by two measures: the error of the state, and the error of the outputs relative to the residual x − y.

The usual control, relative to theta, is blind at the end of training: where |x − y| is 1e-9, an error of 1e-10·|theta| moves
the cost by a tenth, and a restarted orbit leaves its line. The second measure asks for |D δtheta| ≤ rtol·|x − y|, down to
what rounding leaves of x − y.
"""

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix
from jaxtyping import Array
from numpy.typing import NDArray

from geoflow.flows import Flow
from geoflow.problem import Problem

#: A number as diffrax passes it.
Scalar = int | float | Array | NDArray[Any]


class Carried(eqx.Module):
    """What is integrated: the state, and 0 that becomes NaN for good once a velocity is not to be believed."""

    state: Array
    trust: Array


class Context(eqx.Module):
    """What the field and the events of one orbit refer to."""

    problem: Problem
    flow: Flow
    sign: Array


def _size_of_state(carried: Any) -> Array:
    """The root mean square of a state: `trust` is no part of it."""
    state = carried.state if isinstance(carried, Carried) else carried
    return optimistix.rms_norm(state)


class ResidualControl(diffrax.AbstractAdaptiveStepSizeController[Any, None]):
    """An I controller on the larger of both measures. A step that cannot be told from none ends the integration."""

    rtol: Scalar
    atol: Scalar
    norm: Any = eqx.field(static=True, default=_size_of_state)

    def wrap(self, direction: Scalar) -> "ResidualControl":
        return self

    def init(
        self,
        terms: Any,
        t0: Scalar,
        t1: Scalar,
        y0: Any,
        dt0: None,
        args: Any,
        func: Callable[[Any, Scalar, Any, Any], Any],
        error_order: Scalar | None,
    ) -> tuple[Scalar, Any]:
        first = diffrax.PIDController(rtol=self.rtol, atol=self.atol, norm=self.norm)
        return first.init(terms, t0, t1, y0, dt0, args, func, error_order)

    def adapt_step_size(
        self,
        t0: Scalar,
        t1: Scalar,
        y0: Any,
        y1_candidate: Any,
        args: Any,
        y_error: Any,
        error_order: Scalar,
        controller_state: Any,
    ) -> tuple[
        bool | Array | NDArray[Any],
        Scalar,
        Scalar,
        bool | Array | NDArray[Any],
        Any,
        diffrax.RESULTS,
    ]:
        context: Context = args
        problem, flow = context.problem, context.flow
        before, after, error = y0.state, y1_candidate.state, y_error.state
        after = jnp.where(jnp.isfinite(after).all(), after, before)
        of_state = optimistix.rms_norm(
            error / (self.atol + self.rtol * jnp.maximum(jnp.abs(before), jnp.abs(after)))
        )

        x, y = flow.outputs(problem, after), problem.data.targets
        rounding = 8 * jnp.finfo(jnp.float64).eps * (jnp.linalg.norm(x) + jnp.linalg.norm(y))
        moved = jnp.linalg.norm(flow.push(problem, after, error))
        of_outputs = moved / (self.rtol * jnp.linalg.norm(x - y) + rounding)

        scaled = jnp.maximum(of_state, of_outputs)
        scaled = jnp.where(jnp.isfinite(scaled), scaled, jnp.inf)
        by_one = diffrax.PIDController(rtol=0.0, atol=1.0, norm=optimistix.max_norm)
        zero = jnp.zeros(())
        keep, next_t0, next_t1, jump, controller_state, result = by_one.adapt_step_size(
            t0, t1, zero, zero, None, scaled, error_order, controller_state
        )
        stuck = next_t1 <= next_t0 + 4 * jnp.finfo(jnp.float64).eps * jnp.abs(next_t0)
        result = diffrax.RESULTS.where(stuck, diffrax.RESULTS.dt_min_reached, result)
        return keep, next_t0, next_t1, jump, controller_state, result


#: Of a time and the context of an orbit: the values of its events, and what else diffrax wants to know.
Function = Callable[[Array, Any], tuple[Any, Any]]


class Bracket(eqx.Module):
    """Where an event is looked for: it has not happened at `lower`, and has at `upper`."""

    lower: Array
    upper: Array
    count: Array


class LocateEvent(optimistix.AbstractRootFinder[Array, Any, Any, Bracket]):
    """Bisection on the sign of an event, down to neighbouring floats or `most` halvings: the first time at which it has happened.

    The events of an orbit are steps from 1 to −1, or truth values that rounding blurs near their threshold. A root finder
    that asks for a small function value finds none.
    """

    most: int = eqx.field(static=True)
    rtol: float = 0.0
    atol: float = 0.0
    norm: Any = eqx.field(static=True, default=optimistix.max_norm)

    def init(
        self,
        fn: Function,
        y: Array,
        args: Any,
        options: dict[str, Any],
        f_struct: Any,
        aux_struct: Any,
        tags: frozenset[object],
    ) -> Bracket:
        return Bracket(
            jnp.asarray(options["lower"]), jnp.asarray(options["upper"]), jnp.zeros((), int)
        )

    def step(
        self,
        fn: Function,
        y: Array,
        args: Any,
        options: dict[str, Any],
        state: Bracket,
        tags: frozenset[object],
    ) -> tuple[Array, Bracket, Any]:
        middle = state.lower + 0.5 * (state.upper - state.lower)
        values, aux = fn(middle, args)
        # an event that was not triggered gives 0
        happened = jnp.stack([jnp.asarray(v) < 0 for v in jax.tree.leaves(values)]).any()
        lower, upper = (
            jnp.where(happened, state.lower, middle),
            jnp.where(happened, middle, state.upper),
        )
        return upper, Bracket(lower, upper, state.count + 1), aux

    def terminate(
        self,
        fn: Function,
        y: Array,
        args: Any,
        options: dict[str, Any],
        state: Bracket,
        tags: frozenset[object],
    ) -> tuple[Array, optimistix.RESULTS]:
        neighbours = state.upper <= jnp.nextafter(state.lower, jnp.inf)
        return neighbours | (state.count >= self.most), optimistix.RESULTS.successful

    def postprocess(
        self,
        fn: Function,
        y: Array,
        aux: Any,
        args: Any,
        options: dict[str, Any],
        state: Bracket,
        tags: frozenset[object],
        result: optimistix.RESULTS,
    ) -> tuple[Array, Any, dict[str, Any]]:
        return state.upper, aux, {}
