"""What is known of the flows in advance: the comparison flow solved, and when the adapted flow has which cost."""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow.checks import float64_array, numbers, positive_number, whole_number
from geoflow.types import AnyArray, ArrayLike


def stopping_time(cost0: float, cost: float, samples: int) -> float:
    """τ = (N/2) ln(C_0/C): the flow time s at which the adapted flow has cost C, known in advance (GM Theorem 2.3).

    cost0, cost: C_0 ≥ C > 0. samples: N. Raises TypeError or ValueError otherwise.
    """
    N = whole_number("samples N", samples)
    cost0, cost = positive_number("cost0", cost0), positive_number("cost", cost)
    if cost > cost0:
        raise ValueError(
            f"the target cost must not exceed the initial one, got cost = {cost:.6g} > cost0 = {cost0:.6g}."
        )
    return N / 2 * math.log(cost0 / cost)


def comparison_solution(
    x0: Float64[AnyArray, "N Q"], y: Float64[AnyArray, "N Q"], s: ArrayLike
) -> Float64[Array, "*S N Q"]:
    """x(s) = y + e^(−s/N)(x_0 − y), the comparison flow solved (NA (1.7), GM (1.13)); s a number or an array (S,).

    Raises TypeError or ValueError for arrays of other shapes, or with NaN in them.
    """
    x0, y = float64_array("x0", x0, 2, "(N, Q)"), float64_array("y", y, 2, "(N, Q)")
    if x0.shape != y.shape:
        raise ValueError(
            f"x0 and y must have one shape (N, Q), got {tuple(x0.shape)} and {tuple(y.shape)}."
        )
    s = jnp.asarray(numbers("s", s))
    return y + jnp.exp(-s / y.shape[0])[..., None, None] * (x0 - y)
