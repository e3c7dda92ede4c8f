"""Iterative refinement of a Cholesky solve: the digits that squaring the condition number cost are won back."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array

#: (corrections so far, z, w, the last correction's size, this one's)
State = tuple[int | Array, Array, Array, Array, Array]


def refined_solve(
    L: Array,
    b: Array,
    lift: Callable[[Array], Array],
    residual: Callable[[Array, Array], Array],
    most: int,
) -> tuple[Array, Array]:
    """(w, its estimated relative error), where z solves A z = b for A = LLᵀ up to rounding, and w = lift(z).

    residual(z, w) = b − A z, computed from w as far as it goes: for A = DDᵀ and w = Dᵀz it is b − D w, whose rounding is that
    of |D||w|, where the one of D(Dᵀz) would be that of |D|²|z|, larger by cond(D). Corrections are added to z and to w
    alike. Refinement stops when a correction no longer halves or is below rounding. The error is the size that the next
    correction would have; sizes are measured as |L⁻¹r|, for A = DDᵀ the length |Dᵀδ| in parameter space of the correction δ
    that r asks for.
    """

    def half_solve(r: Array) -> Array:
        return solve_triangular(L, r, lower=True)

    def full_solve(half: Array) -> Array:
        return solve_triangular(L, half, lower=True, trans="T")

    half = half_solve(b)
    size = jnp.linalg.norm(half)
    z = full_solve(half)
    state: State = (0, z, lift(z), size, size)

    def unfinished(state: State) -> Array:
        count, _, _, last, now = state
        contracting = (count == 0) | (now < 0.5 * last)
        return (count < most) & contracting & (now > 1e-15 * size)

    def refine(state: State) -> State:
        count, z, w, _, now = state
        half = half_solve(residual(z, w))
        correction = jnp.linalg.norm(half)
        # the first correction measures plain Cholesky; a correction that grew would only do harm
        helps = (correction < now) & jnp.isfinite(correction)
        step = jnp.where(helps, full_solve(half), 0.0)
        return count + 1, z + step, w + lift(step), now, correction

    _, z, w, last, now = jax.lax.while_loop(unfinished, refine, state)
    rate = jnp.minimum(now / jnp.where(last > 0, last, 1.0), 1.0)
    return w, jnp.where(size > 0, rate * now / jnp.where(size > 0, size, 1.0), 0.0)
