"""D and DDᵀ from the factors of dense layers: no matrix with K columns is needed for the kernel.

For a dense layer with weights W_l and biases b_l, ∂x_(j,i)/∂W_l[a,b] = B_l[j,i,a] A_(l−1)[j,b] and ∂x_(j,i)/∂b_l[a] =
B_l[j,i,a], so that DDᵀ = Σ_l (B_lB_lᵀ) ∘ (A_(l−1)A_(l−1)ᵀ + 1), the Gram matrix of A repeated over the Q outputs.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float64


class Layer(NamedTuple):
    """What one dense layer adds to D.

    A (N, d_in): the activity that the layer multiplies; B (N, Q, d_out): the derivatives of the outputs with respect to its
    preactivations, or None for the identity of R^Q in every sample (an affine output layer); bias: whether b_l is there.
    theta lists W_l (row-major), then b_l, layer after layer.
    """

    A: Float64[Array, "N d_in"]
    B: Float64[Array, "N Q d_out"] | None
    bias: bool = True


def backward(layer: Layer, Q: int) -> Float64[Array, "N Q d_out"]:
    """B, the identity of the output layer written out."""
    return jnp.broadcast_to(jnp.eye(Q), (layer.A.shape[0], Q, Q)) if layer.B is None else layer.B


def layered_jacobian(layers: Sequence[Layer], Q: int) -> Float64[Array, "QN K"]:
    """D = ∂x/∂theta, dense."""
    blocks = []
    for layer in layers:
        A, B = layer.A, backward(layer, Q)
        QN = A.shape[0] * Q
        blocks.append(jnp.einsum("jia,jb->jiab", B, A).reshape(QN, -1))
        if layer.bias:
            blocks.append(B.reshape(QN, -1))
    return jnp.concatenate(blocks, axis=1)


def layered_ntk(layers: Sequence[Layer], Q: int) -> Float64[Array, "QN QN"]:
    """DDᵀ. An output layer (B = None) costs a block diagonal only."""
    N = layers[0].A.shape[0]
    diagonal, kernel = None, None
    for layer in layers:
        gram = layer.A @ layer.A.T + float(layer.bias)
        if layer.B is None:
            diagonal = gram if diagonal is None else diagonal + gram
            continue
        B = layer.B.reshape(N * Q, -1)
        term = (B @ B.T).reshape(N, Q, N, Q) * gram[:, None, :, None]
        kernel = term if kernel is None else kernel + term
    if diagonal is not None:
        block = jnp.einsum("jk,il->jikl", diagonal, jnp.eye(Q))
        kernel = block if kernel is None else kernel + block
    assert kernel is not None, "a network has a layer"
    return kernel.reshape(N * Q, N * Q)


def column_blocks(
    layers: Sequence[Layer], Q: int
) -> Iterator[tuple[Float64[Array, "N Q c d_out"], Float64[Array, "N d"]]]:
    """Per layer (pieces of B by output neurons, A with a column of ones for the biases), from which D is streamed.

    D restricted to the neurons of one piece has the columns B[j, i, a]·A[j, b]: the columns of D in another order, which
    singular values and DDᵀ do not see.
    """
    for layer in layers:
        A = (
            jnp.concatenate([layer.A, jnp.ones((layer.A.shape[0], 1))], axis=1)
            if layer.bias
            else layer.A
        )
        yield backward(layer, Q), A


def layered_push(layers: Sequence[Layer], w: Float64[Array, " K"], Q: int) -> Float64[Array, " QN"]:
    """D w: Σ_l B_l (A_(l−1) δW_lᵀ + δb_l) for the pieces δW_l, δb_l of w."""
    total, start = jnp.zeros((layers[0].A.shape[0], Q)), 0
    for layer in layers:
        d_in, d_out = layer.A.shape[1], Q if layer.B is None else layer.B.shape[2]
        moved = layer.A @ w[start : start + d_out * d_in].reshape(d_out, d_in).T
        start += d_out * d_in
        if layer.bias:
            moved = moved + w[start : start + d_out]
            start += d_out
        total = total + (moved if layer.B is None else jnp.einsum("jia,ja->ji", layer.B, moved))
    return total.reshape(-1)


def layered_pull(layers: Sequence[Layer], v: Float64[Array, " QN"], Q: int) -> Float64[Array, " K"]:
    """Dᵀv: per layer (vB_l)ᵀA_(l−1) for the weights and its column sums for the biases."""
    v, parts = v.reshape(-1, Q), []
    for layer in layers:
        back = v if layer.B is None else jnp.einsum("ji,jia->ja", v, layer.B)
        parts.append((back.T @ layer.A).reshape(-1))
        if layer.bias:
            parts.append(back.sum(axis=0))
    return jnp.concatenate(parts)
