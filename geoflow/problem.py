"""A learning problem: a network and a data set, seen as the map theta -> x(theta) from R^K to R^QN."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64

from geoflow._checks import parameter_vector
from geoflow.data import Dataset
from geoflow.networks import MLP, Network


class Problem(eqx.Module):
    """Outputs x(theta) against targets y, with C = |x − y|²/(2N) (NA (1.4), GM (1.7)).

    Vectors of R^QN list the samples one after the other (sample-major: all Q outputs of sample 1, then of sample 2 ...).
    Raises ValueError when the network does not fit the data. Every method raises for a theta of wrong shape or dtype,
    or with NaN in it.
    """

    network: Network
    data: Dataset

    def __init__(self, network: Network, data: Dataset):
        if isinstance(network, MLP):
            M, Q = data.inputs.shape[1], data.Q
            if network.widths[0] != M:
                raise ValueError(f"the network takes inputs of width {network.widths[0]}, the data have M = {M}.")
            if network.widths[-1] != Q:
                raise ValueError(f"the network has {network.widths[-1]} outputs, the targets have Q = {Q} columns.")
        else:
            theta = jax.ShapeDtypeStruct((network.parameter_count,), jnp.float64)
            shape = jax.eval_shape(network.apply, theta, data.inputs).shape
            if shape != data.targets.shape:
                raise ValueError(f"the network's outputs have shape {shape}, the targets {data.targets.shape}.")
        self.network = network
        self.data = data

    @property
    def N(self) -> int:
        return self.data.N

    @property
    def Q(self) -> int:
        return self.data.Q

    @property
    def QN(self) -> int:
        return self.data.Q * self.data.N

    @property
    def K(self) -> int:
        return self.network.parameter_count

    @property
    def regime(self) -> str:
        """ "over" (K > QN), "border" (K = QN) or "under" (K < QN)."""
        return "over" if self.K > self.QN else "border" if self.K == self.QN else "under"

    def outputs(self, theta: Float64[Array, " K"]) -> Float64[Array, "N Q"]:
        """x(theta)."""
        return _outputs(self, parameter_vector(theta, self.K))

    def residual(self, theta: Float64[Array, " K"]) -> Float64[Array, " QN"]:
        """v = x − y; ∇_x C = v/N."""
        return (self.outputs(theta) - self.data.targets).reshape(-1)

    def cost(self, theta: Float64[Array, " K"]) -> Float64[Array, ""]:
        """C = |x − y|²/(2N)."""
        return cost_of_outputs(self.outputs(theta), self.data.targets)

    def gradient(self, theta: Float64[Array, " K"]) -> Float64[Array, " K"]:
        """∇_theta C = Dᵀ ∇_x C = Dᵀv/N (GM (1.21))."""
        return _pullback(self, parameter_vector(theta, self.K), self.residual(theta) / self.N)

    def jacobian(self, theta: Float64[Array, " K"]) -> Float64[Array, "QN K"]:
        """D = ∂x/∂theta, dense (NA (1.13), GM (1.20)). For a large problem prefer `ntk`, `pushforward`, `pullback`."""
        return _jacobian(self, parameter_vector(theta, self.K))

    def ntk(self, theta: Float64[Array, " K"]) -> Float64[Array, "QN QN"]:
        """D Dᵀ, the neural tangent kernel (NA (1.14), GM (1.25)), for an MLP without ever forming D."""
        return _ntk(self, parameter_vector(theta, self.K))

    def pushforward(self, theta: Float64[Array, " K"], w: Float64[Array, " K"]) -> Float64[Array, " QN"]:
        """D w, the velocity in output space of the velocity w in parameter space (one JVP)."""
        return _pushforward(self, parameter_vector(theta, self.K), w)

    def pullback(self, theta: Float64[Array, " K"], v: Float64[Array, " QN"]) -> Float64[Array, " K"]:
        """Dᵀ v (one VJP)."""
        return _pullback(self, parameter_vector(theta, self.K), v)


def cost_of_outputs(x, y) -> Float64[Array, ""]:
    """C = |x − y|²/(2N) for x, y of shape (N, Q)."""
    return jnp.sum((x - y) ** 2) / (2 * y.shape[0])


@eqx.filter_jit
def _outputs(problem, theta):
    return problem.network.apply(theta, problem.data.inputs)


def _flat_outputs(problem):
    return lambda theta: _outputs(problem, theta).reshape(-1)


@eqx.filter_jit
def _pushforward(problem, theta, w):
    return jax.jvp(_flat_outputs(problem), (theta,), (w,))[1]


@eqx.filter_jit
def _pullback(problem, theta, v):
    return jax.vjp(_flat_outputs(problem), theta)[1](v)[0]


@eqx.filter_jit
def _jacobian(problem, theta):
    network, QN = problem.network, problem.QN
    if not isinstance(network, MLP):
        return jax.jacrev(_flat_outputs(problem))(theta)
    blocks = []
    for A, B in network.layer_factors(theta, problem.data.inputs):
        blocks.append(jnp.einsum("jia,jb->jiab", B, A).reshape(QN, -1))
        if network.bias:
            blocks.append(B.reshape(QN, -1))
    return jnp.concatenate(blocks, axis=1)


@eqx.filter_jit
def _ntk(problem, theta):
    """Σ_l (B_l B_lᵀ) ∘ (A_(l-1) A_(l-1)ᵀ + 1), the Gram matrix of A repeated over the Q outputs."""
    network, N, Q = problem.network, problem.N, problem.Q
    if not isinstance(network, MLP):
        D = _jacobian(problem, theta)
        return D @ D.T
    *hidden, (A_last, _) = network.layer_factors(theta, problem.data.inputs)
    # the output layer's B is the identity of R^Q in every sample, so its term is block diagonal in the outputs
    kernel = jnp.einsum("jk,il->jikl", A_last @ A_last.T + network.bias, jnp.eye(Q))
    for A, B in hidden:
        B = B.reshape(N * Q, -1)
        kernel += (B @ B.T).reshape(N, Q, N, Q) * (A @ A.T + network.bias)[:, None, :, None]
    return kernel.reshape(N * Q, N * Q)
