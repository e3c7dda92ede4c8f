"""The routes that one would write in plain JAX, without a line of geoflow: the NTK, and D⁺b by the usual solvers.

A network is `parameters`, a list of (W, b), as in the JAX documentation; `x` are inputs (N, M), `b` a vector (QN,),
sample-major. Every function is meant to be jitted by the caller.
"""

import jax
import jax.numpy as jnp
import lineax
from jax.flatten_util import ravel_pytree


def predict(parameters, x):
    """Outputs of one sample or of a batch."""
    *hidden, (W, b) = parameters
    for W_l, b_l in hidden:
        x = jnp.tanh(x @ W_l.T + b_l)
    return x @ W.T + b


# The Jacobian


def jacobian_per_sample(parameters, x):
    """The leaves of D by reverse mode sample by sample, as neural tangent kernel tutorials do; leaf (QN, size)."""
    leaves = jax.tree.leaves(jax.vmap(jax.jacrev(predict), (None, 0))(parameters, x))
    return [leaf.reshape(leaf.shape[0] * leaf.shape[1], -1) for leaf in leaves]


def jacobian_of_batch(parameters, x):
    """The leaves of D by reverse mode on the whole batch: shorter to write, QN passes over all samples."""
    leaves = jax.tree.leaves(jax.jacrev(predict)(parameters, x))
    return [leaf.reshape(leaf.shape[0] * leaf.shape[1], -1) for leaf in leaves]


def dense_jacobian(parameters, x):
    """D (QN, K) from `jacobian_per_sample`, the faster of the two."""
    return jnp.concatenate(jacobian_per_sample(parameters, x), axis=1)


# The neural tangent kernel D Dᵀ


def ntk_per_sample(parameters, x):
    return sum(leaf @ leaf.T for leaf in jacobian_per_sample(parameters, x))


def ntk_of_batch(parameters, x):
    return sum(leaf @ leaf.T for leaf in jacobian_of_batch(parameters, x))


def ntk_columns(parameters, x):
    """Column by column, D(Dᵀe_i): one VJP and one JVP each, D never in memory."""
    outputs = lambda p: predict(p, x)  # noqa: E731
    out, pullback = jax.vjp(outputs, parameters)

    def column(e):
        return jax.jvp(outputs, (parameters,), pullback(e.reshape(out.shape)))[1].reshape(-1)

    return jax.vmap(column)(jnp.eye(out.size))


NTK = {
    "jacrev per sample (vmap), leaf by leaf": ntk_per_sample,
    "jacrev of the whole batch": ntk_of_batch,
    "JVP∘VJP columns": ntk_columns,
}

# The adapted field D⁺b


def field_pinv(parameters, x, b):
    return jnp.linalg.pinv(dense_jacobian(parameters, x)) @ b


def field_svd(parameters, x, b):
    U, sigma, Vt = jnp.linalg.svd(dense_jacobian(parameters, x), full_matrices=False)
    return Vt.T @ ((U.T @ b) / sigma)


def field_cholesky(parameters, x, b):
    D = dense_jacobian(parameters, x)
    return D.T @ jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(D @ D.T), b)


def field_cg(parameters, x, b):
    """Dᵀλ with D Dᵀ λ = b by conjugate gradients to 1e-10, matrix-free."""
    out, pullback = jax.vjp(lambda p: predict(p, x), parameters)
    pushforward = jax.linearize(lambda p: predict(p, x), parameters)[1]

    def kernel_times(v):
        return pushforward(*pullback(v.reshape(out.shape))).reshape(-1)

    multiplier = jax.scipy.sparse.linalg.cg(kernel_times, b, tol=1e-10)[0]
    return ravel_pytree(pullback(multiplier.reshape(out.shape))[0])[0]


def field_lsmr(parameters, x, b):
    """LSMR to 1e-10, matrix-free."""
    pushforward = jax.linearize(lambda p: predict(p, x).reshape(-1), parameters)[1]
    operator = lineax.FunctionLinearOperator(pushforward, jax.eval_shape(lambda: parameters))
    found = lineax.linear_solve(operator, b, lineax.LSMR(rtol=1e-10, atol=1e-10), throw=False)
    return ravel_pytree(found.value)[0]


FIELD = {
    "Jacobian + pinv": field_pinv,
    "Jacobian + SVD": field_svd,
    "Jacobian + Cholesky of D Dᵀ": field_cholesky,
    "matrix-free CG, 1e-10": field_cg,
    "matrix-free LSMR, 1e-10": field_lsmr,
}
