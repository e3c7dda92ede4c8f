"""Critical values, dimensions and inertias of the critical strata (LN Lemma 3.2, Proposition 5, Assumptions 3, 4)."""

import itertools
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from geoflow.checks import float64_array, positive_number, whole_number
from geoflow.types import ArrayLike, Floats

#: A set D of modes, each by its place in sigma, from 0.
Modes = Collection[int]


def require_distinct(sigma: ArrayLike, rtol: float = 1e-10) -> Floats:
    """sigma as an array, its entries positive and distinct (LN Assumption 3). Raises ValueError, saying what changes else."""
    sigma, rtol = modes_array(sigma), positive_number("rtol", rtol)
    ordered = np.sort(sigma)
    if ordered[0] <= 0:
        raise ValueError(f"sigma must be positive numbers, one a mode, got {sigma}.")
    if (np.diff(ordered) <= rtol * ordered[-1]).any():
        raise ValueError(
            f"LN Assumption 3 asks for distinct σ_i, got {sigma}. With equal ones the critical values are still ½Σσ_i² over the "
            "modes left out, but modes of equal σ may be rotated into one another at no cost: the strata are larger, their "
            "dimensions and inertias others. Change the targets a little, or treat the equal modes as one block."
        )
    return sigma


def modes_array(sigma: ArrayLike) -> Floats:
    """sigma (d_y,) as a float64 array. Raises TypeError or ValueError for anything else, or with NaN in it."""
    return np.asarray(float64_array("sigma", sigma, 1, "(d_y modes,)"))


def kept_modes(D: Modes, d_y: int) -> tuple[int, ...]:
    try:
        kept = tuple(sorted(whole_number("a mode", i, least=0) for i in D))
    except (TypeError, ValueError):
        kept = None  # a number instead of a set of them, numbers that are not whole, or a mask
    if kept is None or len(set(kept)) != len(kept) or not all(0 <= i < d_y for i in kept):
        raise ValueError(
            f"D must be different modes out of 0..{d_y - 1} (where the diagonal of D in LN Lemma 3.2 is 1), got {D!r}."
        )
    return kept


def critical_value(sigma: ArrayLike, D: Modes) -> float:
    """½Σ_{i∉D} σ_i², the loss at a critical point whose product keeps the modes in D (LN Lemma 3.2)."""
    sigma = modes_array(sigma)
    lost = np.ones(len(sigma), dtype=bool)
    lost[list(kept_modes(D, len(sigma)))] = False
    return float(np.sum(sigma[lost] ** 2) / 2)


def critical_values(sigma: ArrayLike, rank: int | None = None) -> dict[tuple[int, ...], float]:
    """The critical value of every set D of modes, of at most `rank` modes (a bottleneck allows no more), by size."""
    d_y = len(modes_array(sigma))
    most = d_y if rank is None else min(whole_number("rank", rank, least=0), d_y)
    subsets = itertools.chain.from_iterable(
        itertools.combinations(range(d_y), r) for r in range(most + 1)
    )
    return {D: critical_value(sigma, D) for D in subsets}


@dataclass(frozen=True)
class Inertia:
    """How many eigenvalues of a Hessian are negative, zero, positive."""

    negative: int
    zero: int
    positive: int


def stratum_dimension(d_x: int, d_y: int, d_1: int, r: int) -> int:
    """dim O_D = r(2d_1 − r) + (d_1 − r)(d_x − d_y) for one hidden layer and r = |D| modes (LN (27))."""
    d_x, d_y, d_1 = (
        whole_number(name, d) for name, d in (("d_x", d_x), ("d_y", d_y), ("d_1", d_1))
    )
    r = whole_number("r", r, least=0)
    if r > min(d_y, d_1) or d_x < d_y:
        raise ValueError(
            f"r modes out of d_y pass a layer of width d_1: 0 ≤ r ≤ min(d_y, d_1) and d_x ≥ d_y, got r = {r}, "
            f"(d_x, d_y, d_1) = {(d_x, d_y, d_1)}."
        )
    return r * (2 * d_1 - r) + (d_1 - r) * (d_x - d_y)


def inertia(sigma: ArrayLike, d_x: int, d_1: int, D: Modes) -> Inertia:
    """The inertia of Hess L on the stratum O_D, one hidden layer: zero = dim O_D (LN Proposition 5), and, ours,

    negative = (d_y − r)(d_1 − r) + #{i ∉ D, j ∈ D : σ_i > σ_j}.

    Raises ValueError for equal σ, where the count changes.
    """
    sigma, d_1 = require_distinct(sigma), whole_number("d_1", d_1)
    d_y, kept = len(sigma), kept_modes(D, len(sigma))
    r = len(kept)
    zero = stratum_dimension(d_x, d_y, d_1, r)
    overtaken = sum(sigma[i] > sigma[j] for i in range(d_y) if i not in kept for j in kept)
    negative = (d_y - r) * (d_1 - r) + int(overtaken)
    return Inertia(negative, zero, d_1 * (d_x + d_y) - zero - negative)
