"""Networks as maps of one flat parameter vector: theta in R^K and inputs to outputs (NA (1.1)-(1.3), GM (1.3)-(1.5))."""

from geoflow.networks.activations import Activation as Activation
from geoflow.networks.activations import activation as activation
from geoflow.networks.activations import almost_everywhere as almost_everywhere
from geoflow.networks.activations import identity as identity
from geoflow.networks.activations import relu as relu
from geoflow.networks.activations import sigmoid as sigmoid
from geoflow.networks.activations import sin as sin
from geoflow.networks.activations import smooth_relu as smooth_relu
from geoflow.networks.activations import softplus as softplus
from geoflow.networks.activations import tanh as tanh
from geoflow.networks.function import FunctionNetwork as FunctionNetwork
from geoflow.networks.kinks import Smoothness as Smoothness
from geoflow.networks.layered import Layer as Layer
from geoflow.networks.linearization import Linearization as Linearization
from geoflow.networks.linearization import linearize as linearize
from geoflow.networks.mlp import MLP as MLP
from geoflow.networks.network import Network as Network
