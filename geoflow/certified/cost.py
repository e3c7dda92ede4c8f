"""The cost of a network in balls: C, its gradient and its Hessian."""

from flint import arb, arb_mat

from geoflow.certified.balls import Matrix, Vector
from geoflow.certified.curvature import curvature
from geoflow.certified.network import BallNetwork
from geoflow.certified.products import dot


def cost(x: Vector, y: Vector, N: int) -> arb:
    """C = |x − y|²/(2N)."""
    v = [a - b for a, b in zip(x, y, strict=True)]
    return dot(v, v) / (2 * N)  # not v**2, which is NaN for a ball around zero


def gradient(network: BallNetwork, theta: Vector, inputs: Matrix, targets: Vector) -> Vector:
    """∇C = Dᵀ(x − y)/N (K)."""
    v = [a - b for a, b in zip(network.outputs(theta, inputs), targets, strict=True)]
    D = network.jacobian(theta, inputs)
    return [dot(column, v) / len(inputs) for column in zip(*D, strict=True)]


def hessian(network: BallNetwork, theta: Vector, inputs: Matrix, targets: Vector) -> Matrix:
    """Hess C = (DᵀD + Σ_m v_m ∂²x_m)/N (K × K)."""
    v = [a - b for a, b in zip(network.outputs(theta, inputs), targets, strict=True)]
    D = arb_mat(network.jacobian(theta, inputs))
    return (
        (D.transpose() * D + arb_mat(curvature(network, theta, inputs, v))) / len(inputs)
    ).tolist()
