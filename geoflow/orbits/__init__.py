"""Orbits: integrated from one start or from many, each with a status that cannot be overlooked."""

from geoflow.orbits.ensemble import Ensemble as Ensemble
from geoflow.orbits.ensemble import EnsembleStopped as EnsembleStopped
from geoflow.orbits.integration import integrate as integrate
from geoflow.orbits.integration import integrate_many as integrate_many
from geoflow.orbits.orbit import Orbit as Orbit
from geoflow.orbits.orbit import OrbitStopped as OrbitStopped
from geoflow.orbits.status import Status as Status
