"""What every public entry point asks of its arguments. A refusal says what was expected, what came and what to do."""

import operator
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from geoflow.types import AnyArray


def is_traced(value: object) -> bool:
    """True inside a transformation, where shapes are known and values are not."""
    return isinstance(value, jax.core.Tracer)


def float64_array(name: str, value: object, ndim: int, axes: str) -> Array:
    """`value` as a float64 JAX array with `ndim` axes (described by `axes`, for the message), all finite.

    Raises TypeError for what is no array of numbers or would lose or hide digits (float32, complex, masked, sparse),
    ValueError for shape, emptiness, NaN or infinity.
    """
    array = numbers(name, value)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes {axes}, got shape {tuple(array.shape)}.")
    if 0 in array.shape:
        raise ValueError(f"{name} {axes} must not be empty, got shape {tuple(array.shape)}.")
    return jnp.asarray(array)


def numbers(name: str, value: object) -> AnyArray:
    """`value` as a float64 array of any shape, finite unless it is traced. Raises as `float64_array`."""
    if is_traced(value):
        array: Any = value
    else:
        _require_plain(name, value)
        array = value if isinstance(value, jax.Array) else np.asarray(value)
    if array.dtype.kind in "iub" and not is_traced(value):
        array = array.astype(np.float64)
    if array.dtype.kind == "f" and array.dtype.itemsize == 8:
        array = array.astype(np.float64)  # big-endian or not, no digit is lost
    if array.dtype != np.float64:
        raise TypeError(f"{name} must be float64, got {array.dtype}{_about(array.dtype, name)}")
    if not is_traced(array):
        finite = np.isfinite(np.asarray(array))
        if not finite.all():
            bad = np.argwhere(~finite)
            where = f" (first at index {tuple(int(i) for i in bad[0])})" if array.ndim else ""
            raise ValueError(
                f"{name} must be finite, but {len(bad)} of {array.size} entries are NaN or infinite{where}. Remove or "
                "impute them first."
            )
    return array


def _require_plain(name: str, value: object) -> None:
    if value is None or isinstance(value, str | bytes):
        raise TypeError(f"{name} must be an array of numbers, got {value!r}.")
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array: under the mask stand fill values, which would become data. Fill it knowingly with "
            f"{name}.filled(value), or drop the masked samples."
        )
    if hasattr(value, "toarray") or hasattr(
        value, "todense"
    ):  # scipy.sparse, jax.experimental.sparse
        raise TypeError(
            f"{name} is a sparse {type(value).__name__}: convert it with {name}.toarray() or .todense()."
        )


def _about(dtype: np.dtype[Any], name: str) -> str:
    if dtype.kind == "f":
        return (
            ": rank and convergence are decided far below the resolution of that type. Load or compute the data in "
            f"float64, or convert knowingly with {name}.astype('float64')."
        )
    if dtype.kind == "c":
        return ": complex data have no place in these theorems. Give the real and the imaginary part as two columns."
    return ": give numbers, in one array of one shape."


def parameter_vector(theta: object, K: int, name: str = "theta") -> Array:
    """`theta` as a float64 array of shape (K,), the flat parameter vector of the papers, or a direction there (`name`)."""
    array = float64_array(name, theta, 1, "(K,)")
    if array.shape != (K,):
        advice = (
            ": was it made by another network's init?"
            if name == "theta"
            else ", a direction in parameter space."
        )
        raise ValueError(f"{name} must have shape (K,) = ({K},), got {tuple(array.shape)}{advice}")
    return array


def output_vector(name: str, u: object, QN: int) -> Array:
    """`u` as a float64 array of shape (QN,): a vector of output space, sample after sample."""
    array = float64_array(name, u, 1, "(QN,)")
    if array.shape != (QN,):
        raise ValueError(
            f"{name} must have shape (QN,) = ({QN},), a vector of output space that lists the outputs sample after sample, got "
            f"{tuple(array.shape)}."
        )
    return array


def whole_number(name: str, value: object, least: int = 1) -> int:
    """A whole number of at least `least`. Raises TypeError for anything else than an integer, ValueError below."""
    refused = isinstance(value, bool | np.bool_)
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # whatever it is: it raises TypeError
    except TypeError:
        refused, number = True, least
    if refused:
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if number < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    return number


def positive_number(name: str, value: object, *, zero_allowed: bool = False) -> float:
    """A finite number above zero. Raises TypeError for what is no single real number, ValueError otherwise."""
    number = _number(name, value)
    if not np.isfinite(number) or number < 0 or (number == 0 and not zero_allowed):
        kind = "a finite number, zero or above" if zero_allowed else "a finite number above zero"
        raise ValueError(f"{name} must be {kind}, got {value!r}.")
    return number


def real_number(name: str, value: object) -> float:
    """A finite number. Raises TypeError for what is no single real number, ValueError for NaN and infinity."""
    number = _number(name, value)
    if not np.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {value!r}.")
    return number


def _number(name: str, value: object) -> float:
    refused = isinstance(value, str | bytes | bool | np.bool_ | complex | np.ma.MaskedArray)
    try:
        if not refused and np.ndim(value) == 0:  # type: ignore[arg-type]  # anything has a number of axes
            return float(value)  # type: ignore[arg-type]  # whatever it is: it raises TypeError
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} must be one number, got {value!r}.")


def instance(name: str, value: object, kind: type[Any], advice: str) -> None:
    """Raises TypeError unless `value` is an instance of `kind`; `advice` says what to give."""
    if not isinstance(value, kind):
        what = (
            f"the class {value.__name__} itself"
            if isinstance(value, type)
            else f"{type(value).__name__} {value!r:.80}"
        )
        raise TypeError(f"{name} must be a {kind.__name__}, got {what}. {advice}")


def prng_key(key: object, name: str = "key") -> Array:
    """One of JAX's random keys. Raises TypeError for a seed or anything else, ValueError for a batch of keys."""
    typed = isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    raw = isinstance(key, jax.Array) and key.dtype == jnp.uint32 and key.ndim >= 1
    if not (typed or raw):
        raise TypeError(
            f"{name} must be a random key, got {key!r:.80}: make one from a seed with jax.random.key(seed)."
        )
    assert isinstance(key, jax.Array)
    if key.ndim != (0 if typed else 1):
        raise ValueError(
            f"{name} must be one random key, got an array of them, shape {tuple(key.shape)}: pass one, as keys[0]."
        )
    return key
