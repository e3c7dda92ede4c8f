"""Deep linear networks, in the letters of Chitour, Liao and Couillet (arXiv 1811.03568, LN).

Weights W_k of shape (d_k, d_{k−1}), k = 1..H+1, d_0 = d_x, d_{H+1} = d_y; product Π = W_{H+1}⋯W_1; loss L = ½‖Y − ΠX‖².
A `LinearProblem` is a problem whose network is an `MLP` with the identity activation and no biases; its cost C is L/N, and
`theta` lists W_1, W_2, ... In a `ReducedProblem` X = 1 and Y = S = [Σ_Y 0], with E = Π − S.
"""

from geoflow.linear_networks.conservation import ProductBounds as ProductBounds
from geoflow.linear_networks.conservation import invariants as invariants
from geoflow.linear_networks.conservation import norm_differences as norm_differences
from geoflow.linear_networks.conservation import product_bounds as product_bounds
from geoflow.linear_networks.critical_points import stratum_point as stratum_point
from geoflow.linear_networks.dynamics import GradientDescentDynamics as GradientDescentDynamics
from geoflow.linear_networks.dynamics import gdd as gdd
from geoflow.linear_networks.modes import aligned_start as aligned_start
from geoflow.linear_networks.modes import mode_strengths as mode_strengths
from geoflow.linear_networks.modes import mode_time as mode_time
from geoflow.linear_networks.modes import mode_velocity as mode_velocity
from geoflow.linear_networks.modes import saxe_mode as saxe_mode
from geoflow.linear_networks.modes import unbalanced_mode as unbalanced_mode
from geoflow.linear_networks.problem import LinearProblem as LinearProblem
from geoflow.linear_networks.problem import ReducedProblem as ReducedProblem
from geoflow.linear_networks.rates import ExponentialRate as ExponentialRate
from geoflow.linear_networks.rates import exponential_rate as exponential_rate
from geoflow.linear_networks.rates import growing_start as growing_start
from geoflow.linear_networks.regression import Reduction as Reduction
from geoflow.linear_networks.regression import reduction as reduction
from geoflow.linear_networks.strata import Inertia as Inertia
from geoflow.linear_networks.strata import critical_value as critical_value
from geoflow.linear_networks.strata import critical_values as critical_values
from geoflow.linear_networks.strata import inertia as inertia
from geoflow.linear_networks.strata import require_distinct as require_distinct
from geoflow.linear_networks.strata import stratum_dimension as stratum_dimension
from geoflow.linear_networks.variation import first_variation as first_variation
from geoflow.linear_networks.variation import second_variation as second_variation
from geoflow.linear_networks.weights import partial_products as partial_products
from geoflow.linear_networks.weights import product as product
