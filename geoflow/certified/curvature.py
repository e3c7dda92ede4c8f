"""Second derivatives of a network in balls: D along a direction, and the curvature of a combination of outputs."""

from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, Vector
from geoflow.certified.network import BallNetwork
from geoflow.certified.products import apply, combined, product


def jacobian_along(network: BallNetwork, theta: Vector, inputs: Matrix, w: Vector) -> Matrix:
    """The derivative of D along w, d/dt D(theta + t w) (QN × K): second derivatives of x contracted with w in R^K."""
    layers, moves = network.layers(theta), network.layers(w)
    rows: Matrix = []
    for z in inputs:
        sample = network.through(layers, z)
        moved = [[arb(0)] * len(z)]  # of the activities
        drift: list[Vector] = []  # of the hidden preactivations
        for (W, _), (dW, db), A, slope in zip(
            layers[:-1], moves[:-1], sample.activities[:-1], sample.slopes, strict=True
        ):
            dz = [x + y + d for x, y, d in zip(apply(dW, A), apply(W, moved[-1]), db, strict=True)]
            drift.append(dz)
            moved.append([s * d for s, d in zip(slope, dz, strict=True)])
        turned: list[Matrix] = [
            [[arb(0)] * network.Q for _ in range(network.Q)]
        ]  # of the backward matrices, last first
        for l in reversed(range(1, len(layers))):
            carried, of_W = (
                product(sample.backward[l], layers[l][0]),
                product(sample.backward[l], moves[l][0]),
            )
            of_B = product(turned[-1], layers[l][0])
            slope, bend, dz = sample.slopes[l - 1], sample.bends[l - 1], drift[l - 1]
            turned.append([
                [(x + y) * s + c * (b * d) for x, y, c, s, b, d in zip(X, Y, C, slope, bend, dz, strict=True)]
                for X, Y, C in zip(of_W, of_B, carried, strict=True)
            ])  # fmt: skip
        for q in range(network.Q):
            row: Vector = []
            for A, dA, B, dB in zip(
                sample.activities, moved, sample.backward, reversed(turned), strict=True
            ):
                row += [
                    db * a + b * da
                    for b, db in zip(B[q], dB[q], strict=True)
                    for a, da in zip(A, dA, strict=True)
                ]
                row += dB[q] if network.bias else []
            rows.append(row)
    return rows


def curvature(network: BallNetwork, theta: Vector, inputs: Matrix, u: Vector) -> Matrix:
    """Σ_m u_m ∂²x_m (K × K): second derivatives of x contracted with u in R^QN.

    With dz_l = J_l dtheta along the forward pass and the adjoints beta_l = uᵀ∂x/∂z_l, d²(u·x) is the sum over the hidden
    layers of Σ_a (adjoint of the activity)_a sigma''_a dz_a² and over all layers but the first of 2 beta_l·dW_l dA_(l−1).
    """
    layers, K, starts = network.layers(theta), network.K, network.starts()
    if len(u) != len(inputs) * network.Q:
        raise ValueError(f"u must have QN = {len(inputs) * network.Q} entries, got {len(u)}.")
    S = [[arb(0)] * K for _ in range(K)]
    left: Matrix = []
    right: Matrix = []  # what the deep layers add, as a sum of products of rows
    for j, z in enumerate(inputs):
        sample = network.through(layers, z)
        weights = u[j * network.Q : (j + 1) * network.Q]
        beta = [combined(weights, B) for B in sample.backward]
        J: Matrix = []  # of the preactivations of the layer before, dense from the second on
        for l, (W, _) in enumerate(layers):
            A = sample.activities[l]
            if l == 0:
                J = [_own_row(network, 0, a, A) for a in range(len(W))]
            else:
                dA = [[s * x for x in row] for s, row in zip(sample.slopes[l - 1], J, strict=True)]
                _add_cross(S, starts[l], beta[l], dA)
                if l < len(layers) - 1:
                    carried = product(W, dA)
                    J = [
                        [x + y for x, y in zip(row, _own_row(network, l, a, A), strict=True)]
                        for a, row in enumerate(carried)
                    ]
            if l < len(layers) - 1:
                adjoint = combined(beta[l + 1], layers[l + 1][0])
                factors = [x * y for x, y in zip(adjoint, sample.bends[l], strict=True)]
                if l == 0:
                    _add_blocks(network, S, factors, A)
                else:
                    left += [[f * x for x in row] for f, row in zip(factors, J, strict=True)]
                    right += J
    if not left:
        return S
    return (arb_mat(S) + arb_mat(left).transpose() * arb_mat(right)).tolist()


def _add_cross(S: Matrix, start: int, beta: Vector, dA: Matrix) -> None:
    """Adds beta_a ∂A_b for the weights W_ab of the layer that begins at `start` against all parameters before it, both ways."""
    for a, b_a in enumerate(beta):
        for b, row in enumerate(dA):
            k = start + a * len(dA) + b
            for m, x in enumerate(row[:start]):
                if not x.is_zero():
                    S[k][m] += b_a * x
                    S[m][k] += b_a * x


def _add_blocks(network: BallNetwork, S: Matrix, factors: Vector, A: Vector) -> None:
    """Adds factor_a (A, 1)(A, 1)ᵀ in the rows and columns of neuron a of the first layer."""
    d_in, d_out = network.widths[0], network.widths[1]
    extended = [*A, arb(1)] if network.bias else A
    for a, factor in enumerate(factors):
        places = [a * d_in + b for b in range(d_in)] + ([d_out * d_in + a] if network.bias else [])
        scaled = [factor * x for x in extended]
        for k, x in zip(places, scaled, strict=True):
            row = S[k]
            for m, y in zip(places, extended, strict=True):
                row[m] += x * y


def _own_row(network: BallNetwork, layer: int, a: int, A: Vector) -> Vector:
    """The derivative of preactivation a of a layer with respect to the weights and the bias of that layer itself."""
    row = [arb(0)] * network.K
    start, d_in, d_out = network.starts()[layer], network.widths[layer], network.widths[layer + 1]
    row[start + a * d_in : start + (a + 1) * d_in] = A
    if network.bias:
        row[start + d_out * d_in + a] = arb(1)
    return row
