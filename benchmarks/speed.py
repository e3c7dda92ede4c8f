"""The NTK and one evaluation of the adapted field, geoflow's routes and its peers', at one size."""

import jax
import jax.numpy as jnp
import numpy as np

import geoflow
from benchmarks import cases, peers
from benchmarks.timing import compilations, in_turns

# D of size L takes 1.7 GB and its SVD minutes: the dense routes stay out there
TOO_LARGE = {
    "L": (
        "jacrev of the whole batch",
        "Jacobian + pinv",
        "Jacobian + SVD",
        "Jacobian + Cholesky of D Dᵀ",
    )
}
SOLVERS = {"LayeredCholesky": geoflow.LayeredCholesky(), "Auto": geoflow.Auto()}


#: evaluations in one compiled loop, as an integrator makes them: a single call of Auto also pays for allocating the
#: memory of its SVD, which a loop does once
LOOP = 10


def _contest(ours: dict, theirs: dict, agree: float) -> dict[str, float]:
    """Median seconds of all. Raises RuntimeError when a result differs from our first one by more than `agree`, relatively."""
    calls = ours | theirs
    reference = np.asarray(next(iter(ours.values()))())
    for name, call in calls.items():  # this also compiles everything
        gap = np.linalg.norm(np.asarray(call()) - reference) / np.linalg.norm(reference)
        assert gap < agree, (
            f"{name} computes something else: relative difference {gap:.1e}, expected below {agree:.0e}."
        )
    return in_turns(ours | theirs)


def ntk(size: str) -> tuple[dict[str, float], list[str]]:
    """(median seconds per route, the names of the plain-JAX routes)."""
    problem, theta = cases.sized(size)
    parameters, x = problem.network.unflatten(theta), problem.data.inputs
    plain = {
        name: jax.jit(f) for name, f in peers.NTK.items() if name not in TOO_LARGE.get(size, ())
    }
    theirs = {name: lambda f=f: f(parameters, x) for name, f in plain.items()}
    ours = jax.jit(lambda problem, theta: problem.ntk(theta))
    return _contest({"geoflow, layered": lambda: ours(problem, theta)}, theirs, agree=1e-10), list(
        theirs
    )


def field(size: str) -> tuple[dict[str, float], list[str]]:
    """(median seconds per route, the names of the peers)."""
    problem, theta = cases.sized(size)
    parameters, x, b = (
        problem.network.unflatten(theta),
        problem.data.inputs,
        cases.right_hand_side(problem, theta),
    )
    plain = {
        name: jax.jit(f) for name, f in peers.FIELD.items() if name not in TOO_LARGE.get(size, ())
    }
    theirs = {name: lambda f=f: f(parameters, x, b) for name, f in plain.items()}
    jitted = {f"geoflow, {name}": jax.jit(_velocity(s)) for name, s in SOLVERS.items()}
    ours = {name: lambda f=f: f(problem, theta, b) for name, f in jitted.items()}
    return _contest(ours, theirs, agree=1e-6), list(theirs)


def field_in_a_loop(size: str) -> dict[str, float]:
    """Median seconds per evaluation when a compiled loop makes `LOOP` of them, each at the theta that the last one led to."""
    problem, theta = cases.sized(size)
    b = cases.right_hand_side(problem, theta)

    def loop(solver):
        velocity = _velocity(solver)
        return jax.jit(
            lambda problem, theta, b: jax.lax.fori_loop(
                0, LOOP, lambda _, t: t - 1e-3 * velocity(problem, t, b), theta
            )
        )

    jitted = {f"geoflow, {name}": loop(s) for name, s in SOLVERS.items()}
    times = _contest(
        {name: lambda f=f: f(problem, theta, b) for name, f in jitted.items()}, {}, agree=1e-6
    )
    return {name: t / LOOP for name, t in times.items()}


def _velocity(solver):
    return lambda problem, theta, b: solver(problem, theta, b).w


def recompilations(size: str) -> int:
    """XLA compilations that other thetas cause once every method of a problem has run: there should be none."""
    problem, theta = cases.sized(size)
    b = cases.right_hand_side(problem, theta)
    velocity = jax.jit(_velocity(SOLVERS["Auto"]))

    def everything(theta):
        return (
            problem.outputs(theta), problem.cost(theta), problem.gradient(theta), problem.ntk(theta),
            problem.pushforward(theta, theta), problem.pullback(theta, b), velocity(problem, theta, b),
        )  # fmt: skip

    jax.block_until_ready(everything(theta))
    others = [1.01 * theta, 0.99 * theta]
    jax.block_until_ready(others)
    with compilations() as seen:
        for other in others:
            jax.block_until_ready(everything(other))
    return len(seen)


def batched(states: int = 16) -> tuple[dict[str, float], int]:
    """Median seconds of `Auto` at size S (QN = 64): vmapped over that many states, and one after another."""
    problem, _ = cases.sized("S")
    starts = jnp.stack([problem.network.init(jax.random.key(i)) for i in range(states)])
    solver = geoflow.Auto()

    def velocity(theta):
        return solver.solve(problem, theta, problem.residual(theta) / problem.N).w

    one, many = jax.jit(velocity), jax.jit(jax.vmap(velocity))
    calls = {
        f"vmap over {states} states": lambda: many(starts),
        "one by one": lambda: [one(theta) for theta in starts],
    }
    for call in calls.values():
        jax.block_until_ready(call())
    return in_turns(calls), states


def memory(size: str) -> dict[str, float]:
    """Compiled temporaries in MB of one field evaluation, per solver."""
    problem, theta = cases.sized(size)
    found = {}
    for name, solver in SOLVERS.items():
        compiled = (
            jax.jit(lambda t, s=solver: s.solve(problem, t, problem.residual(t)).w)
            .lower(theta)
            .compile()
        )
        found[f"geoflow, {name}"] = compiled.memory_analysis().temp_size_in_bytes / 1e6
    return found
