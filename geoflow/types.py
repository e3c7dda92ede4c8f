"""Types that the signatures of many modules share."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

#: What geoflow computes in numpy: float64 arrays.
Floats: TypeAlias = NDArray[np.float64]

#: What numpy makes of one number, or of many.
Values: TypeAlias = Floats | np.float64

#: An array as JAX computes it or as an orbit stores it; with its shape: Float64[AnyArray, "N Q"].
AnyArray: TypeAlias = Array | Floats

#: One real number.
Number: TypeAlias = int | float | np.integer[Any] | np.floating[Any]

#: What public functions read as an array of numbers: a number, an array of any dtype (floats have to be float64), or lists of
#: them. `checks` refuses what loses digits.
ArrayLike: TypeAlias = (
    Number
    | Array
    | NDArray[Any]
    | Sequence[Number | Array | NDArray[Any]]
    | Sequence[Sequence[Number | Array | NDArray[Any]]]
)
