"""Zero-loss ReLU networks and local minima by construction, in the spirit of Chen and Muñoz Ewald (arXiv 2309.10639, CM).

Clustered inputs in R^Q, one class a cluster, targets y_j = e_j; networks (Q, ..., Q) with L hidden layers. The truncation map is
the authors'; theorems and proofs are ours, reconstructed from the abstract of the paper.
"""

from geoflow.constructive.clusters import Clusters, clusters, require_clustered
from geoflow.constructive.layers import clearance, relu_network
from geoflow.constructive.minima import (
    LocalMinimum,
    affine_fit,
    collapsed_network,
    local_minimum,
    merged_cost,
    minimum_cost,
    proper_subsets,
)
from geoflow.constructive.noise import noise_to_signal, noisy_clusters
from geoflow.constructive.separable import separable_network
from geoflow.constructive.truncation import Cone, cone, simplex, truncation
from geoflow.constructive.zero_loss import Construction, one_layer_network, two_layer_network, zero_loss_network
