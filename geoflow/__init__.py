"""geoflow: the mathematics of four papers on gradient descent as geometry, in the papers' letters.

Importing geoflow switches JAX to 64 bit: rank, trapping and convergence are decided far below float32's resolution.
"""

import jax as _jax

_jax.config.update("jax_enable_x64", True)

from geoflow import constructive, linear_networks
from geoflow.bundle import (
    Holonomy,
    bundle_gradient,
    bundle_metric,
    holonomy,
    horizontal,
    horizontal_projector,
    lie_bracket,
    lift,
    lift_bracket,
    vertical,
)
from geoflow.claims import STATEMENTS, Claim, ClaimFailed, bound, claims, count, equality, exists, limit, refutes
from geoflow.data import Dataset, clustered, digits, generic, one_hot
from geoflow.diagnostics import (
    Stationarity,
    arc_length,
    decay_rate,
    ntk_bound,
    stationarity,
    stationary_cost,
    wilson_interval,
)
from geoflow.ensemble import Ensemble, EnsembleStopped, integrate_many
from geoflow.equilibria import CriticalPoint, Kick, critical_point, escape_direction, frame_gradients, hessian, kick
from geoflow.flows import (
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
from geoflow.integration import integrate
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
    identity,
    relu,
    sigmoid,
    sin,
    smooth_relu,
    softplus,
    tanh,
)
from geoflow.orbit import Orbit, OrbitStopped, Status
from geoflow.problem import Problem, cost_of_outputs
from geoflow.solvers import LSMR, Auto, DenseQR, DenseSVD, LayeredCholesky, Solution, Solver, sigma_range
from geoflow.trapping import Trapping, orbit_slopes, slope, trapping
