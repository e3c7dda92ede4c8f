"""The independent checker of certificates: it proves each claim again with mpmath's intervals, from the numbers in the file.

It shares no code with the prover, `geoflow.certified`: nothing here imports flint, JAX or another module of geoflow.
"""

from geoflow.checker.kinds import check as check
from geoflow.checker.kinds import check_file as check_file
