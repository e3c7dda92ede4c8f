"""A claim that the lifts have brackets which are not zero proved again, in mpmath's intervals.

With DDᵀλ_i = e_i, V_i = Dᵀλ_i and H_λ = Σ_m λ_m ∂²x_m the bracket [V_i, V_j] is the part of H_{λ_j} V_i − H_{λ_i} V_j in ker D. Second
derivatives come from the checker's own tables, the λ from an enclosure of a linear system.
"""

import itertools
from typing import Any

from geoflow.checker.cost import Unit, jacobian, outputs
from geoflow.checker.intervals import (
    Refused,
    below,
    interval,
    iv,
    numbers,
    table,
    whole,
    working_precision,
)
from geoflow.checker.matrices import (
    Matrix,
    dot,
    inverse,
    product,
    require_rank,
    transposed,
)
from geoflow.checker.network import Vector, read_network

BITS = 160


def check_brackets(claim: dict[str, Any]) -> None:
    """Raises Refused unless D has full rank, the brackets of the pairs listed are not zero, and with V they span enough."""
    net, inputs, targets = read_network(claim)
    K, QN = net.parameters, len(targets) * net.widths[-1]
    theta, span = numbers(claim["theta"], K, "theta"), whole(claim["span"], 1, "span")
    pairs = list(itertools.combinations(range(QN), 2))
    left = table(claim["left"], QN + len(pairs), span, "left")
    right = table(claim["right"], K, span, "right")
    listed = [(whole(i, 0, "nonzero"), whole(j, 0, "nonzero")) for i, j in claim["nonzero"]]
    if not listed or len(set(listed)) < len(listed) or not set(listed) <= set(pairs):
        raise Refused("nonzero: expected different pairs (i, j) with i < j < QN, one at least.")
    with working_precision(BITS):
        x = outputs(
            net, [interval(t) for t in theta], [[interval(z) for z in row] for row in inputs]
        )
        D = jacobian(x, K)
        found = dict(zip(pairs, _brackets(x, D, pairs), strict=True))
        for pair in listed:
            if not any(below(iv.mpf(0), abs(entry)) for entry in found[pair]):
                raise Refused(
                    f"the bracket of the lifts {pair} is not certainly different from zero."
                )
        require_rank(D + list(found.values()), left, right, span)


def _brackets(x: list[Unit], D: Matrix, pairs: list[tuple[int, int]]) -> Matrix:
    gram = inverse(product(D, transposed(D)))  # symmetric: rows are the λ_i
    lifts = product(gram, D)  # rows are the V_i
    along = [[_times(unit, V) for unit in x] for V in lifts]  # along[i][m] = ∂²x_m V_i
    bent = [product(gram, rows) for rows in along]  # bent[i][j] = H_{λ_j} V_i
    found: Matrix = []
    for i, j in pairs:
        w = [a - b for a, b in zip(bent[i][j], bent[j][i], strict=True)]
        parts = [dot(row, w) for row in D]
        found.append(
            [a - dot(parts, column) for a, column in zip(w, transposed(lifts), strict=True)]
        )
    return found


def _times(unit: Unit, V: Vector) -> Vector:
    """∂²x_m V (K)."""
    total = [iv.mpf(0)] * len(V)
    for (k, m), bend in unit.second.items():
        total[k] = total[k] + bend * V[m]
        if k != m:
            total[m] = total[m] + bend * V[k]
    return total
