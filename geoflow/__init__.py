"""geoflow: the mathematics of four papers on gradient descent as geometry, in the papers' letters.

Importing geoflow switches JAX to 64 bit: rank, trapping and convergence are decided far below float32's resolution.

What is used everywhere stands here. What belongs to one subject stands in its module: `bundle` (lifts, brackets, holonomy),
`equilibria` (Hessians, kicks), `trapping`, `linear_networks` (LN), `constructive` (CM), `networks` (activations by name).
"""

import jax as _jax

_jax.config.update("jax_enable_x64", True)

from geoflow import bundle, constructive, equilibria, linear_networks, networks, trapping
from geoflow.closed_forms import comparison_solution, stopping_time
from geoflow.data import Dataset, clustered, digits, generic, one_hot
from geoflow.diagnostics import (
    Stationarity,
    arc_length,
    decay_rate,
    exponent,
    ntk_bound,
    off_the_line,
    stationarity,
    stationary_cost,
    wilson_interval,
)
from geoflow.flows import (
    Adapted,
    AdaptedTau,
    Comparison,
    Flow,
    LinearSolveFailed,
    Standard,
    adapted,
    adapted_tau,
    comparison,
    standard,
)
from geoflow.linear_algebra import (
    Rank,
    moore_penrose,
    normal_part,
    numerical_rank,
    penrose_inverse,
    range_projector,
    singular_values,
    tangent_projector,
)
from geoflow.networks import (
    MLP,
    Activation,
    FunctionNetwork,
    Network,
    almost_everywhere,
    relu,
    smooth_relu,
)
from geoflow.orbits import (
    Ensemble,
    EnsembleStopped,
    Orbit,
    OrbitStopped,
    Status,
    integrate,
    integrate_many,
)
from geoflow.problem import Problem, cost_of_outputs
from geoflow.solvers import (
    LSMR,
    Auto,
    Damped,
    DenseQR,
    DenseSVD,
    LayeredCholesky,
    Solution,
    Solver,
    sigma_range,
)

__version__ = "0.2.0"

__all__ = [
    "LSMR",
    "MLP",
    "Activation",
    "Adapted",
    "AdaptedTau",
    "Auto",
    "Comparison",
    "Damped",
    "Dataset",
    "DenseQR",
    "DenseSVD",
    "Ensemble",
    "EnsembleStopped",
    "Flow",
    "FunctionNetwork",
    "LayeredCholesky",
    "LinearSolveFailed",
    "Network",
    "Orbit",
    "OrbitStopped",
    "Problem",
    "Rank",
    "Solution",
    "Solver",
    "Standard",
    "Stationarity",
    "Status",
    "adapted",
    "adapted_tau",
    "almost_everywhere",
    "arc_length",
    "bundle",
    "clustered",
    "comparison",
    "comparison_solution",
    "constructive",
    "cost_of_outputs",
    "decay_rate",
    "digits",
    "equilibria",
    "exponent",
    "generic",
    "integrate",
    "integrate_many",
    "linear_networks",
    "moore_penrose",
    "networks",
    "normal_part",
    "ntk_bound",
    "numerical_rank",
    "off_the_line",
    "one_hot",
    "penrose_inverse",
    "range_projector",
    "relu",
    "sigma_range",
    "singular_values",
    "smooth_relu",
    "standard",
    "stationarity",
    "stationary_cost",
    "stopping_time",
    "tangent_projector",
    "trapping",
    "wilson_interval",
]
