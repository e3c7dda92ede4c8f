# ruff: noqa: C408 - a call written as dict(name=value) reads as the call
"""Every public function, called with one wrong argument at a time: it refuses at once, with words of our own.

The calls are generated: a right call for each public name, and for each of its arguments the wrong values of that kind. What
comes back must be a TypeError or a ValueError raised in geoflow itself (not deep in JAX), long enough to say something. The
exceptions are listed, with the reason why the value is no mistake there.
"""

import inspect
import traceback
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

import geoflow as gf
import geoflow.certified as certified
import geoflow.constructive as cm
import geoflow.linear_networks as ln

DATA = gf.generic(jax.random.key(0), 4, 2, 1)
PROBLEM = gf.Problem(gf.MLP((2, 3, 1)), DATA)
THETA = PROBLEM.network.init(jax.random.key(1))
OUT = jnp.arange(1.0, 5.0)
KEY = jax.random.key(2)
ORBIT = gf.integrate(gf.standard, PROBLEM, THETA, until=2.0, save=9)
LINEAR = ln.ReducedProblem([3.0, 1.0], 3, [2])
LINEAR_THETA = ln.stratum_point(LINEAR, (0,), KEY)
WS = list(LINEAR.weights(LINEAR_THETA))
MEANS = np.array([[0.0, 4.0], [3.0, 0.0]])
CLUSTERED = gf.clustered(KEY, 5, MEANS, 0.3)
MATRIX = np.arange(6.0).reshape(2, 3) + np.eye(2, 3)
POINT = gf.equilibria.critical_point(
    gf.Problem(
        gf.FunctionNetwork(lambda t, z: (t[0] * t[1])[None, None] + 0 * z, 2),
        gf.Dataset([[1.0]], [[1.0]]),
    ),
    jnp.zeros(2),
)

#: kind of an argument: wrong values of it
WRONG = {
    "array": {
        "None": None, "a string": "theta", "float32": lambda a: np.asarray(a, np.float32), "complex": lambda a: np.asarray(a, complex),
        "NaN": lambda a: np.where(np.arange(np.size(a)).reshape(np.shape(a)) == 0, np.nan, a),
        "infinite": lambda a: np.full(np.shape(a), np.inf), "a batch": lambda a: np.stack([a, a]), "too long": lambda a: np.concatenate([a, a]),
        "masked": lambda a: np.ma.masked_array(a, np.ones(np.shape(a), bool)), "sparse": lambda a: scipy.sparse.csr_matrix(np.atleast_2d(a)),
        "objects": lambda a: np.array([object()] * 3), "a number": 3.5, "empty": lambda a: np.asarray(a)[:0],
    },
    "number": {
        "None": None, "a string": "1", "NaN": np.nan, "infinite": np.inf, "negative": -1.0, "zero": 0.0, "complex": 1j,
        "an array": np.ones(3), "a truth value": True,
    },
    "whole number": {
        "None": None, "a string": "1", "a fraction": 2.5, "negative": -1, "zero": 0, "an array": np.ones(2, int), "NaN": np.nan,
        "a truth value": True,
    },
    "object": {"None": None, "a string": "adapted", "a number": 3.0, "a class": gf.MLP, "an array": np.ones(3), "another object": POINT.rank},
    "key": {"None": None, "a seed": 0, "a batch of keys": jax.random.split(KEY, 2), "a string": "0"},
    "word": {"None": None, "another word": "nonsense", "a number": 3},
    "modes": {"None": None, "a number": 1, "a string": "01", "twice the same": (0, 0), "too large": (7,), "negative": (-1,), "fractions": (0.5,)},
    "weights": {"None": None, "one matrix": lambda w: w[:1], "swapped": lambda w: w[::-1], "float32": lambda w: [np.asarray(m, np.float32) for m in w],
                "an array": lambda w: np.asarray(w[0]), "NaN": lambda w: [np.full(np.shape(m), np.nan) for m in w], "a string": "W"},
    "widths": {"None": None, "a number": 5, "a string": "2, 3", "empty": (), "zero": (2, 0, 1), "fractions": (2, 2.5, 1)},
}  # fmt: skip

A, N, I, O = "array", "number", "whole number", "object"

#: public name: (function, arguments of a right call, kinds of those that are tried)
CALLS = {
    # data, networks, problems
    "Dataset": (gf.Dataset, dict(inputs=np.ones((4, 2)), targets=np.ones((4, 1))), dict(inputs=A, targets=A)),
    "generic": (gf.generic, dict(key=KEY, samples=4, inputs=2, outputs=1, targets="gaussian"), dict(key="key", samples=I, inputs=I, outputs=I, targets="word")),
    "clustered": (gf.clustered, dict(key=KEY, samples_per_cluster=2, means=MEANS, radius=0.3), dict(key="key", samples_per_cluster=I, means=A, radius=N)),
    "digits": (gf.digits, dict(samples=20, components=5, classes=(1, 2)), dict(samples=I, components=I, classes="modes")),
    "one_hot": (gf.one_hot, dict(labels=[0, 1], Q=2), dict(labels=A, Q=I)),
    "MLP": (gf.MLP, dict(widths=(2, 3, 1), activation="tanh"), dict(widths="widths", activation="word")),
    "MLP.init": (PROBLEM.network.init, dict(key=KEY, scale=1.0), dict(key="key", scale=N)),
    "MLP.unflatten": (PROBLEM.network.unflatten, dict(theta=THETA), dict(theta=A)),
    "FunctionNetwork": (gf.FunctionNetwork, dict(function=lambda t, z: z, parameter_count=2, smoothness="C1"), dict(function=O, parameter_count=I, smoothness="word")),
    "smooth_relu": (gf.smooth_relu, dict(eps=0.1), dict(eps=N)),
    "almost_everywhere": (gf.almost_everywhere, dict(kinked=gf.relu), dict(kinked=O)),
    "Activation": (gf.Activation, dict(name="mine", function=jnp.tanh, smoothness="C1"), dict(function=O, smoothness="word")),
    "Problem": (gf.Problem, dict(network=PROBLEM.network, data=DATA), dict(network=O, data=O)),
    **{f"Problem.{m}": (getattr(PROBLEM, m), dict(theta=THETA), dict(theta=A)) for m in ("outputs", "residual", "cost", "gradient", "jacobian", "ntk", "linearize")},
    "Problem.pushforward": (PROBLEM.pushforward, dict(theta=THETA, w=THETA), dict(theta=A, w=A)),
    "Problem.pullback": (PROBLEM.pullback, dict(theta=THETA, v=OUT), dict(theta=A, v=A)),
    "cost_of_outputs": (gf.cost_of_outputs, dict(x=np.ones((4, 1)), y=np.zeros((4, 1))), dict(x=A, y=A)),
    # linear algebra
    **{f: (getattr(gf, f), dict(D=MATRIX), dict(D=A)) for f in ("singular_values", "penrose_inverse")},
    **{f: (getattr(gf, f), dict(D=MATRIX, rtol=1e-9), dict(D=A, rtol=N)) for f in ("numerical_rank", "moore_penrose", "range_projector")},
    "tangent_projector": (gf.tangent_projector, dict(D=MATRIX.T), dict(D=A)),
    "normal_part": (gf.normal_part, dict(D=MATRIX.T, v=np.ones(3), rtol=1e-9), dict(D=A, v=A, rtol=N)),
    # solvers
    **{f"{s}()": (getattr(gf, s)(*a), dict(problem=PROBLEM, theta=THETA, b=OUT), dict(problem=O, theta=A, b=A))
       for s, a in (("Auto", ()), ("LayeredCholesky", ()), ("DenseQR", ()), ("DenseSVD", ()), ("LSMR", ()), ("Damped", (0.1,)))},
    "Damped": (gf.Damped, dict(lam=0.1, accept=1e-9), dict(lam=N, accept=N)),
    "LayeredCholesky": (gf.LayeredCholesky, dict(max_refinements=3, accept=1e-9), dict(max_refinements=I, accept=N)),
    "DenseQR": (gf.DenseQR, dict(rtol=1e-9), dict(rtol=N)),
    "DenseSVD": (gf.DenseSVD, dict(rtol=1e-9), dict(rtol=N)),
    "LSMR": (gf.LSMR, dict(rtol=1e-12, max_steps=10, accept=1e-8), dict(rtol=N, max_steps=I, accept=N)),
    "sigma_range": (gf.sigma_range, dict(problem=PROBLEM, theta=THETA), dict(problem=O, theta=A)),
    # flows
    "Adapted": (gf.Adapted, dict(solver=gf.Auto()), dict(solver=O)),
    "AdaptedTau": (gf.AdaptedTau, dict(solver=gf.Auto()), dict(solver=O)),
    **{f: (getattr(gf, f), dict(problem=PROBLEM, state=THETA), dict(problem=O, state=A)) for f in ("standard", "adapted", "adapted_tau")},
    "comparison": (gf.comparison, dict(problem=PROBLEM, state=np.ones((4, 1))), dict(problem=O, state=A)),
    "comparison_solution": (gf.comparison_solution, dict(x0=np.ones((4, 1)), y=np.zeros((4, 1)), s=np.ones(2)), dict(x0=A, y=A, s=A)),
    "stopping_time": (gf.stopping_time, dict(cost0=2.0, cost=1.0, samples=4), dict(cost0=N, cost=N, samples=I)),
    # orbits
    **{
        f: (getattr(gf, f), dict(flow=gf.standard, problem=PROBLEM, start=start, until=1.0, cost=1e-3, save=3, rtol=1e-6, atol=1e-8, rank_tolerance=1e-7, max_steps=50, record=("theta",), throw=False)
            if f == "integrate" else dict(flow=gf.standard, problem=PROBLEM, starts=start, until=1.0, cost=1e-3, save=3, rtol=1e-6, atol=1e-8, rank_tolerance=1e-7, max_steps=50, record=("theta",), throw=False),
            dict(flow=O, problem=O, start=A, starts=A, until=N, cost=N, save=I, rtol=N, atol=N, rank_tolerance=N, max_steps=I, record="word", solver=O))
        for f, start in (("integrate", THETA), ("integrate_many", jnp.stack([THETA, THETA])))
    },
    "Orbit.load": (gf.Orbit.load, dict(path="x.npz", problem=PROBLEM, flow=gf.standard), dict(problem=O, flow=O)),
    # diagnostics
    "stationarity": (gf.stationarity, dict(problem=PROBLEM, theta=THETA, tolerance=1e-9, rtol=1e-9), dict(problem=O, theta=A, tolerance=N, rtol=N)),
    "stationary_cost": (gf.stationary_cost, dict(problem=PROBLEM, theta=THETA, rtol=1e-9), dict(problem=O, theta=A, rtol=N)),
    "exponent": (gf.exponent, dict(x=np.arange(1.0, 4.0), y=np.arange(1.0, 4.0)), dict(x=A, y=A)),
    "decay_rate": (gf.decay_rate, dict(s=np.arange(3.0), cost=np.exp(-np.arange(3.0))), dict(s=A, cost=A)),
    "ntk_bound": (gf.ntk_bound, dict(cost0=1.0, lam=0.1, s=np.arange(3.0), samples=4), dict(cost0=N, lam=N, s=A, samples=I)),
    "arc_length": (gf.arc_length, dict(orbit=ORBIT), dict(orbit=O)),
    "off_the_line": (gf.off_the_line, dict(orbit=ORBIT), dict(orbit=O)),
    "wilson_interval": (gf.wilson_interval, dict(successes=1, trials=3, z=1.96), dict(successes=I, trials=I, z=N)),
    # bundle, equilibria, trapping
    "bundle.bundle_metric": (gf.bundle.bundle_metric, dict(problem=PROBLEM, theta=THETA, V=THETA, W=THETA), dict(problem=O, theta=A, V=A, W=A)),
    "bundle.bundle_gradient": (gf.bundle.bundle_gradient, dict(problem=PROBLEM, theta=THETA, differential=THETA), dict(problem=O, theta=A, differential=A)),
    "bundle.horizontal_projector": (gf.bundle.horizontal_projector, dict(problem=PROBLEM, theta=THETA), dict(problem=O, theta=A)),
    **{f"bundle.{f}": (getattr(gf.bundle, f), dict(problem=PROBLEM, theta=THETA, w=THETA), dict(problem=O, theta=A, w=A)) for f in ("horizontal", "vertical")},
    "bundle.lift": (gf.bundle.lift, dict(problem=PROBLEM, theta=THETA, u=OUT), dict(problem=O, theta=A, u=A)),
    "bundle.lie_bracket": (gf.bundle.lie_bracket, dict(first=jnp.sin, second=jnp.cos, theta=THETA), dict(first=O, second=O, theta=A)),
    "bundle.lift_bracket": (gf.bundle.lift_bracket, dict(problem=PROBLEM, theta=THETA, u=OUT, w=OUT), dict(problem=O, theta=A, u=A, w=A)),
    "bundle.holonomy": (gf.bundle.holonomy, dict(problem=PROBLEM, theta=THETA, u=OUT, w=OUT, side=0.1, points=2), dict(problem=O, theta=A, u=A, w=A, side=N, points=I)),
    "equilibria.hessian": (gf.equilibria.hessian, dict(problem=PROBLEM, theta=THETA), dict(problem=O, theta=A)),
    "equilibria.critical_point": (gf.equilibria.critical_point, dict(problem=PROBLEM, theta=THETA, tolerance=9.0, rtol=1e-8, rank_rtol=1e-9), dict(problem=O, theta=A, tolerance=N, rtol=N, rank_rtol=N)),
    "equilibria.frame_gradients": (gf.equilibria.frame_gradients, dict(problem=PROBLEM, theta=THETA, rtol=1e-9), dict(problem=O, theta=A, rtol=N)),
    "equilibria.kick": (gf.equilibria.kick, dict(problem=PROBLEM, theta=THETA, direction=THETA, kappa=0.1), dict(problem=O, theta=A, direction=A, kappa=N)),
    "equilibria.escape_direction": (gf.equilibria.escape_direction, dict(point=POINT), dict(point=O)),
    "trapping.slope": (gf.trapping.slope, dict(problem=PROBLEM, theta=THETA), dict(problem=O, theta=A)),
    "trapping.orbit_slopes": (gf.trapping.orbit_slopes, dict(orbit=ORBIT), dict(orbit=O)),
    "trapping.longest_stay": (gf.trapping.longest_stay, dict(orbit=ORBIT, epsilon=9.0), dict(orbit=O, epsilon=N)),
    # linear networks
    "ln.LinearProblem": (ln.LinearProblem, dict(data=DATA, hidden=(3,)), dict(data=O, hidden="widths")),
    "ln.ReducedProblem": (ln.ReducedProblem, dict(sigma=np.array([3.0, 1.0]), d_x=3, hidden=(2,)), dict(sigma=A, d_x=I, hidden="widths")),
    "ln.reduction": (ln.reduction, dict(data=gf.generic(KEY, 6, 3, 2)), dict(data=O)),
    "ln.gdd": (ln.gdd, dict(problem=LINEAR, state=LINEAR_THETA), dict(problem=O, state=A)),
    **{f"ln.{f}": (getattr(ln, f), dict(Ws=WS), dict(Ws="weights")) for f in ("product", "partial_products", "invariants", "norm_differences", "product_bounds", "exponential_rate")},
    "ln.growing_start": (ln.growing_start, dict(widths=(4, 3, 2), key=KEY, scale=0.5, gap=1.0), dict(widths="widths", key="key", scale=N, gap=N)),
    "ln.stratum_point": (ln.stratum_point, dict(problem=LINEAR, D=(0,), key=KEY, vanish=(2,), gauge=0.5), dict(problem=O, D="modes", key="key", vanish="modes", gauge=N)),
    "ln.aligned_start": (ln.aligned_start, dict(problem=LINEAR, u0=0.1), dict(problem=O, u0=N)),
    "ln.mode_strengths": (ln.mode_strengths, dict(problem=LINEAR, theta=LINEAR_THETA), dict(problem=O, theta=A)),
    "ln.mode_velocity": (ln.mode_velocity, dict(u=np.ones(2), sigma=2.0, H=2), dict(u=A, sigma=N, H=I)),
    "ln.mode_time": (ln.mode_time, dict(u=np.ones(2), u0=0.1, sigma=2.0, H=2), dict(u=A, u0=N, sigma=N, H=I)),
    "ln.saxe_mode": (ln.saxe_mode, dict(t=np.ones(2), sigma=2.0, u0=0.1), dict(t=A, sigma=N, u0=N)),
    "ln.unbalanced_mode": (ln.unbalanced_mode, dict(t=np.ones(2), sigma=2.0, u0=0.1, c=1.0), dict(t=A, sigma=N, u0=N, c=N)),
    **{f"ln.{f}": (getattr(ln, f), dict(problem=LINEAR, theta=LINEAR_THETA, w=LINEAR_THETA), dict(problem=O, theta=A, w=A)) for f in ("first_variation", "second_variation")},
    "ln.critical_value": (ln.critical_value, dict(sigma=np.array([3.0, 1.0]), D=(0,)), dict(sigma=A, D="modes")),
    "ln.critical_values": (ln.critical_values, dict(sigma=np.array([3.0, 1.0]), rank=1), dict(sigma=A, rank=I)),
    "ln.inertia": (ln.inertia, dict(sigma=np.array([3.0, 1.0]), d_x=3, d_1=2, D=(0,)), dict(sigma=A, d_x=I, d_1=I, D="modes")),
    "ln.stratum_dimension": (ln.stratum_dimension, dict(d_x=3, d_y=2, d_1=2, r=1), dict(d_x=I, d_y=I, d_1=I, r=I)),
    "ln.require_distinct": (ln.require_distinct, dict(sigma=np.array([3.0, 1.0]), rtol=1e-10), dict(sigma=A, rtol=N)),
    # constructive
    "cm.clusters": (cm.clusters, dict(data=CLUSTERED), dict(data=O)),
    "cm.require_clustered": (cm.require_clustered, dict(c=cm.clusters(CLUSTERED)), dict(c=O)),
    "cm.zero_loss_network": (cm.zero_loss_network, dict(data=CLUSTERED, hidden_layers=3, lam=0.3, opening=0.5), dict(data=O, hidden_layers=I, lam=N, opening=N)),
    "cm.separable_network": (cm.separable_network, dict(data=CLUSTERED, opening=0.5), dict(data=O, opening=N)),
    **{f"cm.{f}": (getattr(cm, f), dict(data=CLUSTERED), dict(data=O)) for f in ("one_layer_network", "two_layer_network")},
    "cm.local_minimum": (cm.local_minimum, dict(data=CLUSTERED, T=(0,), hidden_layers=2, margin=0.5), dict(data=O, T="modes", hidden_layers=I, margin=N)),
    "cm.minimum_cost": (cm.minimum_cost, dict(data=CLUSTERED, T=(0,)), dict(data=O, T="modes")),
    "cm.affine_fit": (cm.affine_fit, dict(data=CLUSTERED, kept=(0,)), dict(data=O, kept="modes")),
    "cm.merged_cost": (cm.merged_cost, dict(data=CLUSTERED, blocks=[(0,)]), dict(data=O, blocks="modes")),
    "cm.collapsed_network": (cm.collapsed_network, dict(data=CLUSTERED, blocks=[(0,)], hidden_layers=2, margin=0.5), dict(data=O, blocks="modes", hidden_layers=I, margin=N)),
    "cm.proper_subsets": (cm.proper_subsets, dict(Q=2), dict(Q=I)),
    "cm.clearance": (cm.clearance, dict(problem=cm.two_layer_network(CLUSTERED).problem, theta=cm.two_layer_network(CLUSTERED).theta), dict(problem=O, theta=A)),
    "cm.cone": (cm.cone, dict(p=np.zeros(2), n=np.ones(2), z=np.array([[1.0, 0.9], [-1.0, -0.8]]), fraction=0.5), dict(p=A, n=A, z=A, fraction=N)),
    "cm.simplex": (cm.simplex, dict(Q=3), dict(Q=I)),
    "cm.truncation": (cm.truncation, dict(W=np.eye(2), b=np.ones(2), x=MEANS), dict(W=A, b=A, x=A)),
    # proofs
    "certified.certify_zero_loss": (certified.certify_zero_loss, dict(network=PROBLEM.network, data=DATA, theta=THETA, input_radius=1e-9, reach=1e-7, bits=64), dict(network=O, data=O, theta=A, input_radius=N, reach=N, bits=I)),
    "certified.reduce_one_hot": (certified.reduce_one_hot, dict(network=gf.MLP((2, 3, 2)), data=CLUSTERED), dict(network=O, data=O)),
    "certified.certify_equilibrium": (certified.certify_equilibrium, dict(problem=PROBLEM, theta=THETA, data_radius=1e-9, reach=1e-7, bits=64), dict(problem=O, theta=A, data_radius=N, reach=N, bits=I)),
    "certified.certify_orbit": (certified.certify_orbit, dict(problem=PROBLEM, theta=THETA, slabs=2, bits=64), dict(problem=O, theta=A, slabs=I, bits=I)),
    "certified.certify_rank": (certified.certify_rank, dict(problem=PROBLEM, theta=THETA, rank=4, radius=1e-9, bits=64), dict(problem=O, theta=A, rank=I, radius=N, bits=I)),
    "certified.certify_fold": (certified.certify_fold, dict(problem=PROBLEM, start=THETA, theta=THETA, reach=1e-7, bits=64), dict(problem=O, start=A, theta=A, reach=N, bits=I)),
    "certified.certify_nonintegrable": (certified.certify_nonintegrable, dict(problem=PROBLEM, theta=THETA, bits=64), dict(problem=O, theta=A, bits=I)),
    "certified.enclose_infimum": (certified.enclose_infimum, dict(z=np.arange(5.0), y=np.arange(5.0) ** 2, rtol=0.5, boxes=9, bits=64), dict(z=A, y=A, rtol=N, boxes=I, bits=I)),
    **{f"cm.{f}": (getattr(cm, f), dict(z=np.eye(2), labels=np.array([0, 1])), dict(z=A, labels=A)) for f in ("noise_to_signal", "noisy_clusters")},
}  # fmt: skip

#: (name or "*", argument, wrong value): why it is no mistake
RIGHT = {
    **{("*", a, "too long"): "any number of times, points or samples will do" for a in ("s", "save", "t", "u", "cost", "starts", "z", "labels")},
    **{("*", a, v): "one time or strength is as good as many" for a in ("s", "t", "u") for v in ("a number", "a batch", "empty")},
    **{(f, "rtol", "None"): "the default: rounding decides" for f in ("moore_penrose", "range_projector", "normal_part", "stationary_cost", "DenseSVD")},
    **{(f, "D", v): "another matrix" for f in ("singular_values", "numerical_rank", "moore_penrose", "range_projector", "tangent_projector") for v in ("too long",)},
    ("clustered", "radius", "zero"): "points on their means",
    ("clustered", "means", "too long"): "more clusters",
    ("FunctionNetwork", "smoothness", "None"): "the default: looked for in the jaxpr",
    ("FunctionNetwork", "function", "a class"): "a class can be called",
    ("Activation", "function", "a class"): "a class can be called",
    **{(f, "flow", "a string"): "flows have names" for f in ("integrate", "integrate_many")},
    **{(f, "cost", "None"): "the default" for f in ("integrate", "integrate_many")},
    **{(f, "rank_tolerance", "None"): "no rank is looked for" for f in ("integrate", "integrate_many")},
    ("integrate", "start", "a batch"): "two starts",
    ("LayeredCholesky", "max_refinements", "zero"): "no refinement",
    ("LSMR", "max_steps", "None"): "the default",
    **{("ntk_bound", a, "zero"): "a bound all the same" for a in ("cost0", "lam")},
    ("wilson_interval", "successes", "zero"): "none of them",
    ("equilibria.kick", "kappa", "negative"): "backwards",
    ("equilibria.kick", "kappa", "zero"): "no kick",
    ("trapping.longest_stay", "epsilon", "None"): "the default: the one with the largest bound",
    ("ln.stratum_point", "vanish", "None"): "the default",
    ("ln.stratum_point", "gauge", "zero"): "no change of basis",
    ("ln.growing_start", "scale", "zero"): "W_1 = 0",
    ("ln.unbalanced_mode", "u0", "negative"): "an unbalanced mode may start below zero",
    ("ln.unbalanced_mode", "u0", "zero"): "or at zero",
    ("ln.unbalanced_mode", "c", "negative"): "the other layer is larger",
    ("ln.critical_values", "rank", "None"): "the default",
    ("ln.critical_values", "rank", "zero"): "one value",
    ("ln.stratum_dimension", "r", "zero"): "the stratum of Remark 7",
    **{(f, "sigma", "too long"): "more modes" for f in ("ln.critical_value", "ln.critical_values", "ln.ReducedProblem")},
    **{(f, a, "None"): "the default" for f, a in (("cm.zero_loss_network", "hidden_layers"), ("cm.zero_loss_network", "lam"), ("cm.local_minimum", "hidden_layers"), ("cm.collapsed_network", "hidden_layers"))},
    ("digits", "classes", "too large"): "class 7 alone",
    ("bundle.lie_bracket", "theta", "too long"): "these fields exist in every dimension",
    **{(f, "solver", "None"): "the default" for f in ("integrate", "integrate_many")},
    ("cm.truncation", "x", "too long"): "more points",
    **{(f"certified.{f}", a, "zero"): "the statement for this data set, this point alone" for f, a in (("certify_zero_loss", "input_radius"), ("certify_equilibrium", "data_radius"), ("certify_rank", "radius"))},
    ("certified.certify_rank", "rank", "None"): "the default: full rank",
}  # fmt: skip


PACKAGE = Path(gf.__file__).parent


def ours(error) -> bool:
    """Raised by geoflow, not by a library that a wrong value was handed to."""
    return Path(traceback.extract_tb(error.__traceback__)[-1].filename).is_relative_to(PACKAGE)


def complaint(name, argument, label, wrong):
    """What is wrong with how the call goes wrong, or None."""
    function, arguments, _ = CALLS[name]
    value = wrong(arguments[argument]) if callable(wrong) and not isinstance(wrong, type) else wrong
    if (name, argument, label) in RIGHT or ("*", argument, label) in RIGHT:
        return None
    try:
        function(**arguments | {argument: value})
    except (TypeError, ValueError) as refused:
        if not ours(refused):
            return f"{refused!r} comes from elsewhere"
        return None if len(str(refused)) > 25 else f"{refused!r} says too little"
    except Exception as error:
        return f"{error!r} is no TypeError and no ValueError"
    return "accepted"


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("name", CALLS)
def test_one_wrong_argument_at_a_time(name):
    _, arguments, kinds = CALLS[name]
    tried = [
        (argument, label, wrong)
        for argument, kind in kinds.items()
        if argument in arguments or argument == "solver"
        for label, wrong in WRONG[kind].items()
    ]
    assert tried
    found = {
        f"{argument}: {label}": complaint(name, argument, label, wrong)
        for argument, label, wrong in tried
    }
    assert {call: words for call, words in found.items() if words} == {}


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("name", CALLS)
def test_the_right_calls_are_right(name):
    function, arguments, _ = CALLS[name]
    if name != "Orbit.load":  # there is no file
        function(**arguments)


#: public, and no function of arguments that could be wrong
NOT_TRIED = {
    "Comparison", "Standard", "Flow", "Network", "Solver", "Solution", "Rank", "Stationarity", "Status", "Ensemble", "EnsembleStopped", "Orbit",
    "OrbitStopped", "LinearSolveFailed", "Auto", "relu", "bundle", "constructive", "equilibria", "linear_networks", "networks", "trapping",
    "certified.load", "certified.save",  # files: see test_certified_check.py
}  # fmt: skip


def test_every_public_name_is_tried_or_named():
    tried = {name.split(".")[0].removesuffix("()") for name in CALLS}
    assert set(gf.__all__) - tried - NOT_TRIED == set()
    for prefix, module in (
        ("bundle", gf.bundle),
        ("equilibria", gf.equilibria),
        ("trapping", gf.trapping),
        ("ln", ln),
        ("cm", cm),
        ("certified", certified),
    ):
        own = {
            n for n, f in vars(module).items()
            if inspect.isfunction(f) and not n.startswith("_") and f.__module__.startswith(f"geoflow.{module.__name__.split('.')[1]}")
        }  # fmt: skip
        assert {f"{prefix}.{n}" for n in own} - set(CALLS) - NOT_TRIED == set()
