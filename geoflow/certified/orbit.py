"""`certify_orbit`: a whole orbit of the adapted flow, its straight line, and full rank all along it.

In τ = 1 − e^{−s/N} the orbit is dtheta/dτ = D⁺b, b = y − x_0, on [0, 1]; where D keeps full rank x(theta(τ)) = x_0 + τb, exactly. On a
slab of times a polynomial P (from floating point, taken as exact) comes near: with λ another one,
|P′ − D⁺(P)b| ≤ |P′ − Dᵀλ| + |DDᵀλ − b|/σ_min, by Taylor series with the remainder from balls. The distance e of orbit and P then obeys
e′ ≤ μe + defect in a tube around P, where μ bounds the symmetric part of the slope of D⁺b (`slopes`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from flint import arb, arb_poly, arb_series, ctx

from geoflow.certified.balls import Vector, below, exact, precision
from geoflow.certified.certificate import Certificate
from geoflow.certified.claims import Balls, float_above, in_balls, undecided, written_problem
from geoflow.certified.dyadic import bounds, written, written_vector
from geoflow.certified.slopes import logarithmic_norm
from geoflow.checks import instance, parameter_vector, whole_number
from geoflow.problem import Problem
from geoflow.types import ArrayLike, Floats

KIND = "orbit"

#: Points of collocation in a slab; the degree of P. And the length of the series that bound a defect.
NODES, LENGTH = 8, 12

#: A slab is 2^-k long, from the first k on to the last; it is halved while the tube of it is too wide for a proof.
LONGEST, SHORTEST = 4, 16

#: Where D moves by less than this share of σ_min, the next slab may be longer.
EASY = 0.02

#: The radius of the tube around P.
TUBE = 1e-6


@dataclass(frozen=True)
class Piece:
    """P (K × NODES + 1) and λ (QN × NODES) on a slab, coefficients of powers of s in [−1, 1], τ = middle + s·half."""

    path: Floats
    multiplier: Floats
    half: float


def certify_orbit(
    problem: Problem, theta: ArrayLike, *, slabs: int = 2000, bits: int = 128
) -> Certificate:
    """That the adapted orbit from theta (K,) exists for all times, goes straight to y, and D has full rank QN all along it.

    So C = e^{−2s/N}C_0 exactly, and it ends at a zero of C, which is enclosed. slabs: of τ in [0, 1], at most so many are tried.
    Undecided, with the reason, where the proof fails, as it must where rank is lost. Raises TypeError or ValueError for wrong
    arguments.
    """
    since = time.perf_counter()
    instance("problem", problem, Problem, "The order is certify_orbit(problem, theta).")
    slabs, bits = whole_number("slabs", slabs), whole_number("bits", bits, least=64)
    at = np.asarray(parameter_vector(theta, problem.K))
    balls = in_balls(problem)
    name = f"{balls} (K = {problem.K}, QN = {problem.QN}) on these {problem.N} samples"
    what = f"{name}: the adapted orbit from θ goes straight to y, with full rank of D all along."
    if problem.QN > problem.K:
        reason = (
            f"D has {problem.QN} rows and {problem.K} columns: its rank is below QN everywhere."
        )
        return undecided(KIND, what, reason, bits, since)
    with precision(bits):
        x0 = balls.network.outputs(exact(at), balls.inputs)
        b = [t - x for t, x in zip(balls.targets, x0, strict=True)]
        walk = Walk(balls, b, collocation(problem, np.array([float(x.mid()) for x in b])))
        reason = walk.go(at, slabs)
        if reason:
            return undecided(KIND, what, reason, bits, since)
        radius = (16 * walk.error).upper()  # room for the checker, whose P is another one
        claim = written_problem(problem) | {
            "theta": written_vector(at),
            "slabs": walk.levels,
            "end": written_vector(walk.end),
            "radius": written(radius),
            "sigma": written(float(walk.sigma) * 0.9375),
        }
        enclosures = {
            "least singular value of D": (bounds(walk.sigma, 6)[0], "inf"),
            "distance of the end from the point in the certificate": ("0", bounds(radius, 3)[1]),
        }
    return Certificate(
        KIND,
        True,
        f"{what} It exists for all s ≥ 0, C = e^(−2s/N)·C_0, and it converges to a zero of C. ({len(walk.levels)} slabs of time.)",
        enclosures=enclosures,
        radius=float_above(radius),
        precision=bits,
        seconds=time.perf_counter() - since,
        claim=claim,
    )


class Walk:
    """From slab to slab. error: of P at the end; sigma: a lower bound of σ_min so far; levels: k of the slabs, 2^-k long."""

    def __init__(self, balls: Balls, b: Vector, piece: Callable[[Floats, float], Piece | None]):
        self.balls, self.b, self.piece = balls, b, piece
        self.error, self.sigma, self.levels = arb(0), arb("inf"), list[int]()
        self.end: Floats = np.zeros(0)

    def go(self, start: Floats, slabs: int) -> str:
        """To τ = 1, or the reason why not."""
        tau, level, self.end = 0.0, LONGEST, start
        for _ in range(slabs):
            if tau == 1.0:
                return ""
            spread = self._step(level)
            if spread is not None:
                tau += 2.0**-level
                self.levels.append(level)
                if spread < EASY and level > LONGEST and (tau * 2 ** (level - 1)).is_integer():
                    level -= 1
            elif level < SHORTEST:
                level += 1
            else:
                return f"no proof beyond τ = {tau:.6g}: before, σ_min is above {float(self.sigma):.2g}."
        return (
            ""
            if tau == 1.0
            else f"only τ = {tau:.6g} is reached with {slabs} slabs: raise `slabs`."
        )

    def _step(self, level: int) -> float | None:
        """One slab; how far D moves there against σ_min, or None where the proof fails."""
        piece = self.piece(self.end, 2.0**-level)
        if piece is None:
            return None
        middle = exact(piece.path[:, 0])
        wide = [
            arb(0, sum(abs(arb(c)) for c in row[1:].tolist()) + arb(TUBE)) for row in piece.path
        ]
        found = logarithmic_norm(
            self.balls, middle, [m + w for m, w in zip(middle, wide, strict=True)], self.b
        )
        if found is None:
            return None
        mu, sigma, spread = found
        defect = self._defect(piece, sigma)
        first = [
            sum((arb(c) * (-1) ** k for k, c in enumerate(row.tolist())), arb(0))
            for row in piece.path
        ]
        last = [sum((arb(c) for c in row.tolist()), arb(0)) for row in piece.path]
        jump = length([f - e for f, e in zip(first, exact(self.end), strict=True)])
        time_ = 2 * arb(piece.half)
        growth = (mu * time_).exp()
        begin = self.error + jump
        worst = growth.max(arb(1)) * (begin + time_ * defect)
        if not below(worst, arb(TUBE)):
            return None
        end = np.array([float(x.mid()) for x in last])
        off = length([x - e for x, e in zip(last, exact(end), strict=True)])
        self.error = (growth * begin + growth.max(arb(1)) * time_ * defect + off).upper()
        self.end = end
        self.sigma = sigma if below(sigma, self.sigma) or not self.sigma.is_finite() else self.sigma
        return spread

    def _defect(self, piece: Piece, sigma: arb) -> arb:
        """|P′ − D⁺(P)b| on the slab."""
        before = ctx.cap
        ctx.cap = LENGTH
        try:
            near, wide = (self._residuals(piece, at) for at in (arb(0), arb(0, 1)))
        finally:
            ctx.cap = before
        sizes = [
            sum((abs(a[k]) for k in range(LENGTH - 1)), arb(0)) + abs(w[LENGTH - 1])
            for a, w in zip(near, wide, strict=True)
        ]
        K = self.balls.network.K
        return (length(sizes[:K]) + length(sizes[K:]) / sigma).upper()

    def _residuals(self, piece: Piece, at: arb) -> list[Any]:
        """P′ − Dᵀλ (K) and DDᵀλ − b (QN), as series around s = at."""
        shift = arb_poly([at, 1])

        def series(rows: Floats) -> list[Any]:
            return [arb_series(arb_poly([arb(c) for c in row.tolist()])(shift)) for row in rows]

        theta, multiplier = series(piece.path), series(piece.multiplier)
        slopes = series(piece.path[:, 1:] * np.arange(1, piece.path.shape[1]))
        D = self.balls.network.jacobian(theta, self.balls.inputs)
        back = [
            sum(d * m for d, m in zip(column, multiplier, strict=True))
            for column in zip(*D, strict=True)
        ]
        closed = [p / arb(piece.half) - v for p, v in zip(slopes, back, strict=True)]
        met = [
            sum(d * v for d, v in zip(row, back, strict=True)) - c
            for row, c in zip(D, self.b, strict=True)
        ]
        return closed + met


def length(vector: Vector) -> arb:
    """An upper bound of the Euclidean norm."""
    total = arb(0)
    for entry in vector:
        size = entry.abs_upper()
        total += size * size
    return total.sqrt().upper()


def collocation(problem: Problem, b: Floats) -> Callable[[Floats, float], Piece | None]:
    """P and λ in floating point, for a start and the width of a slab: D⁺b at Chebyshev's points, by fixed-point iteration."""
    nodes = -np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    to_powers = np.linalg.inv(np.vander(nodes, increasing=True))
    k = np.arange(1, NODES + 1)
    jacobians = jax.jit(jax.vmap(problem.jacobian))

    def piece(start: Floats, width: float) -> Piece | None:
        theta, v, before = np.tile(start, (NODES, 1)), np.zeros((NODES, len(start))), np.inf
        for _ in range(60):
            D = np.asarray(jacobians(theta))
            try:
                multiplier = np.linalg.solve(
                    D @ D.transpose(0, 2, 1), np.tile(b, (NODES, 1))[..., None]
                )
            except np.linalg.LinAlgError:
                return None
            new = (D.transpose(0, 2, 1) @ multiplier)[..., 0]
            change = float(np.abs(new - v).max())
            powers = (to_powers @ new) / k[:, None] * (width / 2)  # of s, s², ...
            zeroth = start - ((-1.0) ** k) @ powers
            theta, v = zeroth + (nodes[:, None] ** k) @ powers, new
            if not np.isfinite(theta).all():
                return None
            if change < 1e-14 * np.abs(v).max() or (
                change >= before and change < 1e-11 * np.abs(v).max()
            ):
                path = np.concatenate([zeroth[None], powers]).T
                return Piece(path, (to_powers @ multiplier[..., 0]).T, width / 2)
            before = change
        return None

    return piece
