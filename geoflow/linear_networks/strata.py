"""Critical values, dimensions and inertias of the critical strata (LN Lemma 3.2, Proposition 5, Assumptions 3, 4)."""

import itertools
import operator
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from geoflow.linear_networks.weights import require_linear
from geoflow.problem import Problem

#: A set D of modes, each by its place in sigma, from 0.
Modes = Collection[int]


def nonzero_modes(problem: Problem) -> np.ndarray:
    """sigma (d_y,), the diagonal of Σ_Y of a reduced problem. Raises ValueError when the problem is not reduced."""
    require_linear(problem)
    X, S = np.asarray(problem.data.inputs), np.asarray(problem.data.targets).T
    sigma = np.diagonal(S)
    full = np.zeros_like(S)
    np.fill_diagonal(full, sigma)
    white = X.shape[0] == X.shape[1] and (np.eye(len(X)) == X).all()
    if not white or len(S) > len(X) or (full != S).any() or not (sigma > 0).all():
        raise ValueError(
            "this needs a reduced problem, with X = 1 and targets S = [Σ_Y 0], d_y ≤ d_x: make it with reduced_problem(sigma, d_x, "
            "hidden), or with reduction(data).problem(hidden)."
        )
    return sigma


def require_distinct(sigma, rtol: float = 1e-10) -> np.ndarray:
    """sigma as an array, its entries positive and distinct (LN Assumption 3). Raises ValueError, saying what changes else."""
    sigma = np.asarray(sigma, dtype=np.float64)
    ordered = np.sort(sigma)
    if sigma.ndim != 1 or not sigma.size or not np.isfinite(sigma).all() or ordered[0] <= 0:
        raise ValueError(f"sigma must be positive numbers, one a mode, got {sigma}.")
    if (np.diff(ordered) <= rtol * ordered[-1]).any():
        raise ValueError(
            f"LN Assumption 3 asks for distinct σ_i, got {sigma}. With equal ones the critical values are still ½Σσ_i² over the "
            "modes left out, but modes of equal σ may be rotated into one another at no cost: the strata are larger, their "
            "dimensions and inertias others. Change the targets a little, or treat the equal modes as one block."
        )
    return sigma


def _modes(D: Modes, d_y: int) -> tuple[int, ...]:
    try:
        kept = tuple(sorted(operator.index(i) for i in D))
    except TypeError:
        kept = None  # a number instead of a set of them, or numbers that are not whole
    if kept is None or len(set(kept)) != len(kept) or not all(0 <= i < d_y for i in kept):
        raise ValueError(
            f"D must be different modes out of 0..{d_y - 1} (where the diagonal of D in LN Lemma 3.2 is 1), got {D!r}."
        )
    return kept


def critical_value(sigma, D: Modes) -> float:
    """½Σ_{i∉D} σ_i², the loss at a critical point whose product keeps the modes in D (LN Lemma 3.2)."""
    sigma = np.asarray(sigma, dtype=np.float64)
    lost = np.ones(len(sigma), dtype=bool)
    lost[list(_modes(D, len(sigma)))] = False
    return float(np.sum(sigma[lost] ** 2) / 2)


def critical_values(sigma, rank: int | None = None) -> dict[tuple[int, ...], float]:
    """The critical value of every set D of modes, of at most `rank` modes (a bottleneck allows no more), by size."""
    d_y = len(sigma)
    most = d_y if rank is None else min(rank, d_y)
    subsets = itertools.chain.from_iterable(itertools.combinations(range(d_y), r) for r in range(most + 1))
    return {D: critical_value(sigma, D) for D in subsets}


@dataclass(frozen=True)
class Inertia:
    """How many eigenvalues of a Hessian are negative, zero, positive."""

    negative: int
    zero: int
    positive: int


def stratum_dimension(d_x: int, d_y: int, d_1: int, r: int) -> int:
    """dim O_D = r(2d_1 − r) + (d_1 − r)(d_x − d_y) for one hidden layer and r = |D| modes (LN (27))."""
    if not 0 <= r <= min(d_y, d_1) or d_x < d_y:
        raise ValueError(
            f"r modes out of d_y pass a layer of width d_1: 0 ≤ r ≤ min(d_y, d_1) and d_x ≥ d_y, got r = {r}, "
            f"(d_x, d_y, d_1) = {(d_x, d_y, d_1)}."
        )
    return r * (2 * d_1 - r) + (d_1 - r) * (d_x - d_y)


def inertia(sigma, d_x: int, d_1: int, D: Modes) -> Inertia:
    """The inertia of Hess L on the stratum O_D, one hidden layer: zero = dim O_D (LN Proposition 5), and, ours,

    negative = (d_y − r)(d_1 − r) + #{i ∉ D, j ∈ D : σ_i > σ_j}.

    Raises ValueError for equal σ, where the count changes.
    """
    sigma = require_distinct(sigma)
    d_y, kept = len(sigma), _modes(D, len(sigma))
    r = len(kept)
    zero = stratum_dimension(d_x, d_y, d_1, r)
    overtaken = sum(sigma[i] > sigma[j] for i in range(d_y) if i not in kept for j in kept)
    negative = (d_y - r) * (d_1 - r) + int(overtaken)
    return Inertia(negative, zero, d_1 * (d_x + d_y) - zero - negative)
