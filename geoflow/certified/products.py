"""Products of small matrices of balls, as lists of rows: below some twenty rows no slower than arb_mat, and zeros stay zero."""

from collections.abc import Iterator, Sequence

from flint import arb

from geoflow.certified.balls import Ball, Matrix, Vector


def dot(a: Sequence[Ball], b: Sequence[Ball]) -> Ball:
    """Σ a_k b_k."""
    return sum((x * y for x, y in zip(a, b, strict=True)), arb(0))


def columns(W: Matrix) -> Iterator[tuple[Ball, ...]]:
    """The columns of W, one after the other."""
    return zip(*W, strict=True)


def apply(W: Matrix, a: Vector) -> Vector:
    """W a."""
    return [dot(row, a) for row in W]


def product(B: Matrix, W: Matrix) -> Matrix:
    """B W."""
    of_W = list(columns(W))
    return [[dot(row, column) for column in of_W] for row in B]


def combined(u: Vector, B: Matrix) -> Vector:
    """uᵀB."""
    return [dot(u, column) for column in columns(B)]
