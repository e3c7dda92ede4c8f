"""Computer-assisted proofs by ball arithmetic (python-flint): theorems about given numbers, each a frozen `Certificate`.

`proved=False` means undecided, with a reason, and never that the contrary holds. Everything is decided by `balls.below`.
`geoflow.checker` proves a certificate again by other means. Needs python-flint: pip install 'geoflow[certified]'.
"""

from geoflow.certified.brackets import certify_nonintegrable as certify_nonintegrable
from geoflow.certified.certificate import Certificate as Certificate
from geoflow.certified.equilibrium import certify_equilibrium as certify_equilibrium
from geoflow.certified.files import load as load
from geoflow.certified.files import save as save
from geoflow.certified.fold import certify_fold as certify_fold
from geoflow.certified.infimum import enclose_infimum as enclose_infimum
from geoflow.certified.one_hot import Reduction as Reduction
from geoflow.certified.one_hot import reduce_one_hot as reduce_one_hot
from geoflow.certified.orbit import certify_orbit as certify_orbit
from geoflow.certified.rank import certify_rank as certify_rank
from geoflow.certified.zero_loss import certify_zero_loss as certify_zero_loss
