"""A learning problem: a network and a data set, seen as the map theta -> x(theta) from R^K to R^QN."""

from collections.abc import Callable
from typing import Generic

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64
from typing_extensions import TypeVar  # Python 3.13's, with a default

from geoflow.checks import float64_array, instance, output_vector, parameter_vector
from geoflow.data import Dataset
from geoflow.networks import Linearization, Network, Smoothness, linearize
from geoflow.types import AnyArray

#: The kind of network of a problem, so that `problem.network` is known to be an MLP where it was made with one; `Problem`
#: alone stands for a problem of any network.
NetworkT = TypeVar("NetworkT", bound=Network, covariant=True, default=Network)


class Problem(eqx.Module, Generic[NetworkT]):
    """Outputs x(theta) against targets y, with C = |x − y|²/(2N) (NA (1.4), GM (1.7)).

    Vectors of R^QN list the samples one after the other (sample-major: all Q outputs of sample 1, then of sample 2 ...).
    Raises TypeError for what is no network or no data set, ValueError when the network does not fit the data. Every method
    raises for a theta of wrong shape or dtype, or with NaN in it.
    """

    network: NetworkT
    data: Dataset

    def __init__(self, network: NetworkT, data: Dataset):
        swapped = isinstance(network, Dataset) and isinstance(data, Network)
        order = "Network and data set stand in the wrong order: " if swapped else ""
        instance(
            "network",
            network,
            Network,
            f"{order}Problem(network, data), as Problem(MLP((2, 16, 1)), data).",
        )
        instance(
            "data",
            data,
            Dataset,
            f"{order}Problem(network, data), with data = Dataset(inputs, targets).",
        )
        self.network = network
        self.data = data
        theta = self.theta_shape
        try:
            shape = jax.eval_shape(network.apply, theta, data.inputs).shape
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            raise ValueError(
                f"the network does not fit inputs of shape {data.inputs.shape}: {error}"
            ) from error
        if shape != data.targets.shape:
            raise ValueError(
                f"the network's outputs have shape {shape}, the targets {data.targets.shape}: one row a sample."
            )

    @property
    def theta_shape(self) -> jax.ShapeDtypeStruct:
        """What theta looks like: shape (K,), float64."""
        return jax.ShapeDtypeStruct((self.network.parameter_count,), jnp.float64)

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

    @property
    def smoothness(self) -> Smoothness:
        """How smooth theta -> x(theta) is, as far as the network knows: see `Smoothness`."""
        return self.network.smoothness(self.theta_shape, self.data.inputs)

    def outputs(self, theta: Float64[AnyArray, " K"]) -> Float64[Array, "N Q"]:
        """x(theta)."""
        return _outputs(self, parameter_vector(theta, self.K))

    def residual(self, theta: Float64[AnyArray, " K"]) -> Float64[Array, " QN"]:
        """v = x − y; ∇_x C = v/N."""
        return (self.outputs(theta) - self.data.targets).reshape(-1)

    def cost(self, theta: Float64[AnyArray, " K"]) -> Float64[Array, ""]:
        """C = |x − y|²/(2N)."""
        x, y = self.outputs(theta), self.data.targets
        return jnp.sum((x - y) ** 2) / (2 * self.N)

    def gradient(self, theta: Float64[AnyArray, " K"]) -> Float64[Array, " K"]:
        """∇_theta C = Dᵀ ∇_x C = Dᵀv/N (GM (1.21))."""
        return _pullback(self, parameter_vector(theta, self.K), self.residual(theta) / self.N)

    def jacobian(self, theta: Float64[AnyArray, " K"]) -> Float64[Array, "QN K"]:
        """D = ∂x/∂theta, dense (NA (1.13), GM (1.20)). For a large problem prefer `ntk`, `pushforward`, `pullback`."""
        return _jacobian(self, parameter_vector(theta, self.K))

    def ntk(self, theta: Float64[AnyArray, " K"]) -> Float64[Array, "QN QN"]:
        """D Dᵀ, the neural tangent kernel (NA (1.14), GM (1.25)); without ever forming D where the network knows its layers."""
        return _ntk(self, parameter_vector(theta, self.K))

    def linearize(self, theta: Float64[AnyArray, " K"]) -> Linearization:
        """D(theta) as an operator with `push` (D w) and `pull` (Dᵀv), for many products at one theta."""
        return linearize(self.network, parameter_vector(theta, self.K), self.data.inputs)

    def pushforward(
        self, theta: Float64[AnyArray, " K"], w: Float64[AnyArray, " K"]
    ) -> Float64[Array, " QN"]:
        """D w, the velocity in output space of the velocity w in parameter space (one JVP)."""
        return _pushforward(self, parameter_vector(theta, self.K), parameter_vector(w, self.K, "w"))

    def pullback(
        self, theta: Float64[AnyArray, " K"], v: Float64[AnyArray, " QN"]
    ) -> Float64[Array, " K"]:
        """Dᵀ v (one VJP)."""
        return _pullback(self, parameter_vector(theta, self.K), output_vector("v", v, self.QN))


def cost_of_outputs(x: Float64[AnyArray, "N Q"], y: Float64[AnyArray, "N Q"]) -> Float64[Array, ""]:
    """C = |x − y|²/(2N) for x, y of shape (N, Q). Raises TypeError or ValueError for other arrays, or two shapes."""
    x, y = float64_array("x", x, 2, "(N, Q)"), float64_array("y", y, 2, "(N, Q)")
    if x.shape != y.shape:
        raise ValueError(
            f"x and y must have one shape (N, Q), got {tuple(x.shape)} and {tuple(y.shape)}."
        )
    return jnp.sum((x - y) ** 2) / (2 * y.shape[0])


def resolved_cost(problem: Problem) -> Float64[Array, ""]:
    """The cost that rounding leaves of zero: x = y up to a few units in the last place of y."""
    y = problem.data.targets
    return jnp.sum((4 * jnp.finfo(jnp.float64).eps * y) ** 2) / (2 * problem.N)


@eqx.filter_jit
def _outputs(problem: Problem, theta: Array) -> Array:
    return problem.network.apply(theta, problem.data.inputs)


def _flat_outputs(problem: Problem) -> Callable[[Array], Array]:
    return lambda theta: _outputs(problem, theta).reshape(-1)


@eqx.filter_jit
def _pushforward(problem: Problem, theta: Array, w: Array) -> Array:
    return jax.jvp(_flat_outputs(problem), (theta,), (w,))[1]


@eqx.filter_jit
def _pullback(problem: Problem, theta: Array, v: Array) -> Array:
    return jax.vjp(_flat_outputs(problem), theta)[1](v)[0]


@eqx.filter_jit
def _jacobian(problem: Problem, theta: Array) -> Array:
    return problem.network.jacobian(theta, problem.data.inputs)


@eqx.filter_jit
def _ntk(problem: Problem, theta: Array) -> Array:
    return problem.network.ntk(theta, problem.data.inputs)
