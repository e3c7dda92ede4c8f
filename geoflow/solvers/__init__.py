"""Ways to apply D⁺ to one vector at one theta, one class each: what the adapted flow needs at every step."""

from geoflow.solvers.auto import Auto as Auto
from geoflow.solvers.damped import Damped as Damped
from geoflow.solvers.dense import DenseQR as DenseQR
from geoflow.solvers.dense import DenseSVD as DenseSVD
from geoflow.solvers.layered_cholesky import LayeredCholesky as LayeredCholesky
from geoflow.solvers.lsmr import LSMR as LSMR
from geoflow.solvers.singular import loses_rank as loses_rank
from geoflow.solvers.singular import orientation as orientation
from geoflow.solvers.singular import sigma_range as sigma_range
from geoflow.solvers.solver import Solution as Solution
from geoflow.solvers.solver import Solver as Solver
