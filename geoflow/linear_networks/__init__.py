"""Deep linear networks, in the letters of Chitour, Liao and Couillet (arXiv 1811.03568, LN).

Weights W_k of shape (d_k, d_{k−1}), k = 1..H+1, d_0 = d_x, d_{H+1} = d_y; product Π = W_{H+1}⋯W_1; loss L = ½‖Y − ΠX‖².
A linear network is an `MLP` with the identity activation and no biases; its cost C is L/N, and `theta` lists W_1, W_2, ...
In the reduced problem X = 1 and Y = S = [Σ_Y 0], with E = Π − S.
"""

from geoflow.linear_networks.critical_points import stratum_point
from geoflow.linear_networks.dynamics import GradientDescentDynamics, gdd
from geoflow.linear_networks.invariants import ProductBounds, invariants, norm_differences, product_bounds
from geoflow.linear_networks.modes import (
    aligned_start,
    mode_strengths,
    mode_time,
    mode_velocity,
    saxe_mode,
    unbalanced_mode,
)
from geoflow.linear_networks.rates import ExponentialRate, exponential_rate, growing_start
from geoflow.linear_networks.reduction import Reduction, linear_problem, reduced_problem, reduction
from geoflow.linear_networks.strata import (
    Inertia,
    critical_value,
    critical_values,
    inertia,
    nonzero_modes,
    require_distinct,
    stratum_dimension,
)
from geoflow.linear_networks.variation import first_variation, second_variation
from geoflow.linear_networks.weights import loss, partial_products, product, theta_of, weights
