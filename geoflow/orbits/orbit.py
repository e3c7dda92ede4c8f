"""What an integration returns: the orbit up to where it got, and a status that cannot be overlooked."""

import functools
import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from geoflow.checks import instance
from geoflow.flows import Flow
from geoflow.orbits.advice import advice
from geoflow.orbits.status import Status
from geoflow.problem import Problem
from geoflow.solvers import sigma_range
from geoflow.types import Floats


@dataclass(frozen=True, eq=False)
class Orbit:
    """States at S flow times s (increasing; the last one is where the integration ended).

    problem, flow: what was integrated. s (S,); cost C (S,); end: the last state, theta (K,), or x (N, Q) of the comparison
    flow; status; steps taken. recorded: what was asked for, "theta" (S, K) (the states; x of the comparison flow), "outputs"
    (S, N, Q), "sigma" (S, 2). The properties theta, outputs, sigma_min and sigma_max give what was recorded, or compute it from
    the states when it is first asked for.
    """

    problem: Problem
    flow: Flow
    s: Floats
    cost: Floats
    end: Floats
    status: Status
    steps: int
    recorded: dict[str, Floats] = field(repr=False)
    #: The orbit that `upto` cut this one from: what is computed from states is computed once, for all of them.
    whole: "Orbit | None" = field(default=None, repr=False)

    @property
    def in_parameters(self) -> bool:
        """Whether states are parameters theta, and not outputs x."""
        return self.end.ndim == 1

    @property
    def states(self) -> Floats:
        """The states (S, ...). Raises ValueError when they were not recorded."""
        if "theta" not in self.recorded:
            raise ValueError(
                "this orbit kept no states: integrate with record=('theta',) or name what you need, as record=('outputs', 'sigma')."
            )
        return self.recorded["theta"]

    @property
    def theta(self) -> Floats:
        """theta (S, K). Raises ValueError for an orbit of the comparison flow, or one that kept no states."""
        if not self.in_parameters:
            raise ValueError(
                "an orbit of the comparison flow has outputs and no theta: integrate `adapted` or `standard`."
            )
        return self.states

    @functools.cached_property
    def outputs(self) -> Floats:
        """x (S, N, Q)."""
        if "outputs" in self.recorded:
            return self.recorded["outputs"]
        if self.whole is not None:
            return self.whole.outputs[: len(self.s)]
        return np.asarray(_outputs(self.flow, self.problem, jnp.asarray(self.states)))

    @functools.cached_property
    def sigma(self) -> Floats:
        """(sigma_min, sigma_max) of D, (S, 2); nan for the comparison flow, which has no D."""
        if "sigma" in self.recorded:
            return self.recorded["sigma"]
        if self.whole is not None:
            return self.whole.sigma[: len(self.s)]
        if not self.in_parameters:
            return np.full((len(self.s), 2), np.nan)
        return np.asarray(_sigmas(self.problem, jnp.asarray(self.states)))

    @property
    def sigma_min(self) -> Floats:
        """The least singular value of D (S,)."""
        return self.sigma[:, 0]

    @property
    def sigma_max(self) -> Floats:
        """The largest singular value of D (S,)."""
        return self.sigma[:, 1]

    @property
    def classical(self) -> bool:
        """Whether derivatives existed everywhere: False where a kinked network was followed almost everywhere, knowingly."""
        return not self.in_parameters or self.problem.smoothness.kind in ("analytic", "C1")

    def upto(self, s: float) -> "Orbit":
        """The saved states with flow time at most s; status and end remain those of the whole orbit."""
        keep = self.s <= s
        kept = {name: values[keep] for name, values in self.recorded.items()}
        return Orbit(
            self.problem,
            self.flow,
            self.s[keep],
            self.cost[keep],
            self.end,
            self.status,
            self.steps,
            kept,
            self.whole or self,
        )

    def save(self, path: str | Path) -> None:
        """Writes the numbers to an .npz file; the problem itself is not in it, only a fingerprint."""
        np.savez(
            Path(path),
            allow_pickle=False,
            s=self.s,
            cost=self.cost,
            end=self.end,
            status=np.array(self.status.name),
            steps=np.array(self.steps),
            flow=np.array(repr(self.flow)),
            fingerprint=np.array(fingerprint(self.problem)),
            **{f"recorded_{name}": values for name, values in self.recorded.items()},
        )

    @classmethod
    def load(cls, path: str | Path, problem: Problem, flow: Flow) -> "Orbit":
        """Reads an orbit of this problem and this flow. Raises ValueError when the file is of other ones. Nothing is unpickled."""
        instance("problem", problem, Problem, "The order is Orbit.load(path, problem, flow).")
        instance("flow", flow, Flow, "Pass the flow that was integrated, as geoflow.adapted.")
        with np.load(Path(path), allow_pickle=False) as file:
            if str(file["fingerprint"]) != fingerprint(problem):
                raise ValueError(
                    f"{path} holds an orbit of another problem: other data, or another network."
                )
            if str(file["flow"]) != repr(flow):
                raise ValueError(
                    f"{path} holds an orbit of the flow {file['flow']}, not of {flow!r}."
                )
            names = [name for name in file.files if name.startswith("recorded_")]
            return cls(
                problem=problem,
                flow=flow,
                s=file["s"],
                cost=file["cost"],
                end=file["end"],
                status=Status[str(file["status"])],
                steps=int(file["steps"]),
                recorded={name.removeprefix("recorded_"): file[name] for name in names},
            )

    def __repr__(self) -> str:
        kind = "" if self.classical else ", almost everywhere"
        return (
            f"Orbit({self.status.name}{kind} at s = {self.s[-1]:.6g}: C from {self.cost[0]:.3e} to {self.cost[-1]:.3e}, "
            f"{len(self.s)} states, {self.steps} steps)"
        )


@eqx.filter_jit
def _outputs(flow: Flow, problem: Problem, states: Array) -> Array:
    return jax.lax.map(lambda state: flow.outputs(problem, state), states)


@eqx.filter_jit
def _sigmas(problem: Problem, thetas: Array) -> Array:
    return jax.lax.map(lambda theta: jnp.stack(sigma_range(problem, theta)), thetas)


def fingerprint(problem: Problem) -> str:
    """A hash of the data and of how the network is written: enough to notice another problem."""
    text = repr(problem.network).encode()
    data = (problem.data.inputs, problem.data.targets)
    return hashlib.sha256(text + b"".join(np.asarray(a).tobytes() for a in data)).hexdigest()


class OrbitStopped(RuntimeError):
    """An integration did not do what was asked. `orbit` holds everything up to there, `orbit.status` the reason."""

    def __init__(self, orbit: Orbit):
        self.orbit = orbit
        super().__init__(orbit)

    def __str__(self) -> str:
        orbit = self.orbit
        sigma, ratio = "", math.nan
        if (
            orbit.in_parameters
            and np.isfinite(orbit.end).all()
            and orbit.problem.QN * orbit.problem.K <= 2**24
        ):
            least, largest = (float(x) for x in sigma_range(orbit.problem, jnp.asarray(orbit.end)))
            ratio = least / largest if largest else 0.0
            sigma = f", sigma_min = {least:.2e}, sigma_max = {largest:.2e}"
        return (
            f"{orbit.status.value}; stopped at flow time s = {orbit.s[-1]:.6g} with cost C = {orbit.cost[-1]:.3e}{sigma}. "
            f"{advice(orbit.status, orbit.problem, orbit.flow, float(orbit.cost[-1]), ratio)} "
            "The orbit up to here is in the exception's `orbit`; throw=False returns it with its status."
        )
