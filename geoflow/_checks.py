"""What every public entry point asks of its arguments. A refusal says what was expected, what came and what to do."""

import jax
import jax.numpy as jnp
import numpy as np


def is_traced(value) -> bool:
    """True inside a transformation, where shapes are known and values are not."""
    return isinstance(value, jax.core.Tracer)


def float64_array(name: str, value, ndim: int, axes: str):
    """`value` as a float64 JAX array with `ndim` axes (described by `axes`, for the message), all finite.

    Raises TypeError for a dtype that would lose or hide digits, ValueError for shape, emptiness, NaN or infinity.
    """
    if not is_traced(value):
        value = value if isinstance(value, jax.Array) else np.asarray(value)
    if value.dtype.kind in "iub":
        value = value.astype(np.float64)
    if value.dtype != np.float64:
        raise TypeError(
            f"{name} must be float64, got {value.dtype}: rank and convergence are decided far below the resolution of "
            f"that type. Load or compute the data in float64, or convert knowingly with {name}.astype('float64')."
        )
    if value.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes {axes}, got shape {tuple(value.shape)}.")
    if 0 in value.shape:
        raise ValueError(f"{name} {axes} must not be empty, got shape {tuple(value.shape)}.")
    if not is_traced(value) and not bool(np.isfinite(np.asarray(value)).all()):
        bad = np.argwhere(~np.isfinite(np.asarray(value)))
        raise ValueError(
            f"{name} must be finite, but {len(bad)} entries are NaN or infinite (first at index "
            f"{tuple(int(i) for i in bad[0])}). Remove or impute those samples first."
        )
    return jnp.asarray(value)


def parameter_vector(theta, K: int):
    """`theta` as a float64 array of shape (K,), the flat parameter vector of the papers."""
    theta = float64_array("theta", theta, 1, "(K,)")
    if theta.shape != (K,):
        raise ValueError(
            f"theta must have shape (K,) = ({K},), got {tuple(theta.shape)}: was it made by another network's init?"
        )
    return theta


def positive_integer(name: str, value) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}.")
    return int(value)


def positive_number(name: str, value, *, zero_allowed: bool = False) -> float:
    number = float(value)
    if not np.isfinite(number) or number < 0 or (number == 0 and not zero_allowed):
        kind = "a finite number, zero or above" if zero_allowed else "a finite number above zero"
        raise ValueError(f"{name} must be {kind}, got {value!r}.")
    return number
