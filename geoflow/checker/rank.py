"""A claim about rank D proved again, in mpmath's intervals: at a point or over a box around it."""

from typing import Any

from geoflow.checker.intervals import (
    Interval,
    Refused,
    grown,
    interval,
    iv,
    number,
    numbers,
    table,
    whole,
    working_precision,
)
from geoflow.checker.matrices import (
    Matrix,
    inertia,
    most_rank,
    product,
    require_rank,
    shifted,
    singular_above,
    transposed,
)
from geoflow.checker.network import read_network

#: Singular values are claimed to 24 digits, and their squares are compared.
BITS = 240


def check_rank(claim: dict[str, Any]) -> None:
    """Raises Refused unless D has a rank from rank[0] to rank[1], and singular value number rank[0] in sigma, all over the box."""
    net, inputs, targets = read_network(claim)
    K, Q = net.parameters, net.widths[-1]
    theta, radius = numbers(claim["theta"], K, "theta"), number(claim["radius"])
    least, most = (whole(r, 1, "rank") for r in claim["rank"])
    left, right = (
        table(claim["left"], len(targets) * Q, least, "left"),
        table(claim["right"], K, least, "right"),
    )
    low, high = (number(text) if text else None for text in claim["sigma"])
    if radius < 0 or low is None or low < 0:
        raise Refused("the radius and the lower bound of the singular value must be at least zero.")
    with working_precision(BITS):
        box = [grown(interval(t), interval(radius)) for t in theta]
        identity = [[iv.mpf(int(k == m)) for m in range(K)] for k in range(K)]
        D = net.along(box, identity, [[interval(x) for x in row] for row in inputs])
        require_rank(D, left, right, least)
        if most_rank(D, [(tuple(z), q) for z in inputs for q in range(Q)], None) > most:
            raise Refused(f"no reason is known why rank D should be {most} at most.")
        gram = product(D, transposed(D)) if len(D) <= K else product(transposed(D), D)
        from_below = _above(gram, interval(low), least)
        if low > 0 and not from_below and not singular_above(D, left, right, interval(low)):
            raise Refused(f"singular value {least} is not certainly above its lower bound.")
        if high is not None and _above(gram, interval(high), least) is not False:
            raise Refused(f"singular value {least} is not certainly below its upper bound.")


def _above(gram: Matrix, sigma: Interval, number_of: int) -> bool | None:
    """Whether singular value number_of (1: the largest) exceeds sigma; None where it is not certain."""
    signs = inertia(shifted(gram, -(sigma**2)))
    return None if signs is None else signs[1] >= number_of
