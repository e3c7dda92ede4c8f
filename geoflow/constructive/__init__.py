"""Zero-loss ReLU networks and local minima by construction, in the spirit of Chen and Muñoz Ewald (arXiv 2309.10639, CM).

Clustered inputs in R^Q, one class a cluster, targets y_j = e_j; networks (Q, ..., Q) with L hidden layers. The truncation map is
the authors'; theorems and proofs are ours, reconstructed from the abstract of the paper.
"""

from geoflow.constructive.cones import Cone as Cone
from geoflow.constructive.cones import cone as cone
from geoflow.constructive.cones import simplex as simplex
from geoflow.constructive.cones import truncation as truncation
from geoflow.constructive.construction import Construction as Construction
from geoflow.constructive.construction import clearance as clearance
from geoflow.constructive.geometry import Clusters as Clusters
from geoflow.constructive.geometry import clusters as clusters
from geoflow.constructive.geometry import require_clustered as require_clustered
from geoflow.constructive.minima import affine_fit as affine_fit
from geoflow.constructive.minima import collapsed_network as collapsed_network
from geoflow.constructive.minima import local_minimum as local_minimum
from geoflow.constructive.minima import merged_cost as merged_cost
from geoflow.constructive.minima import minimum_cost as minimum_cost
from geoflow.constructive.minima import proper_subsets as proper_subsets
from geoflow.constructive.noise import noise_to_signal as noise_to_signal
from geoflow.constructive.noise import noisy_clusters as noisy_clusters
from geoflow.constructive.separable import separable_network as separable_network
from geoflow.constructive.zero_loss import one_layer_network as one_layer_network
from geoflow.constructive.zero_loss import two_layer_network as two_layer_network
from geoflow.constructive.zero_loss import zero_loss_network as zero_loss_network
