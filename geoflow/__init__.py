"""geoflow: the mathematics of four papers on gradient descent as geometry, in the papers' letters.

Importing geoflow switches JAX to 64 bit: rank, trapping and convergence are decided far below float32's resolution.
"""

import jax as _jax

_jax.config.update("jax_enable_x64", True)

from geoflow.data import Dataset, clustered, digits, generic, one_hot  # noqa: E402  (after the switch to 64 bit)
from geoflow.flows import (  # noqa: E402
    Adapted,
    Comparison,
    Flow,
    Standard,
    adapted,
    comparison,
    comparison_solution,
    require_smooth,
    standard,
    stopping_time,
)
from geoflow.integration import integrate  # noqa: E402
from geoflow.linear_algebra import (  # noqa: E402
    Rank,
    moore_penrose,
    numerical_rank,
    penrose_inverse,
    range_projector,
    singular_values,
)
from geoflow.networks import (  # noqa: E402
    MLP,
    Activation,
    FunctionNetwork,
    Network,
    identity,
    relu,
    sigmoid,
    sin,
    smooth_relu,
    softplus,
    tanh,
)
from geoflow.orbit import Orbit, OrbitStopped, Status  # noqa: E402
from geoflow.problem import Problem, cost_of_outputs  # noqa: E402
from geoflow.solvers import LSMR, Auto, DenseQR, DenseSVD, LayeredCholesky, Solution, Solver, sigma_range  # noqa: E402

__all__ = [name for name in dir() if not name.startswith("_")]
