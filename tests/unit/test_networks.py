"""Networks: the forward map against the plain one, the layout of theta, activations, refusals."""

import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import ACTIVATIONS, PlainNetwork, finite_differences
from strategies import relative, scales, seeds, widths

import geoflow as gf
from geoflow.networks import network as network_module


@given(widths(), st.booleans(), seeds, scales)
def test_unflatten_and_flatten_are_inverse(widths, bias, seed, scale):
    network = gf.MLP(widths, bias=bias)
    theta = network.init(jax.random.key(seed), scale)
    layers = network.unflatten(theta)
    assert np.array_equal(network.flatten(layers), theta)
    again = network.unflatten(network.flatten(layers))
    for (W, b), (W_again, b_again) in zip(layers, again, strict=True):
        assert np.array_equal(W, W_again)
        assert (b is None and b_again is None) or np.array_equal(b, b_again)
    plain = PlainNetwork.like(network).layers(np.asarray(theta))
    for (W, b), (W_plain, b_plain), d_in, d_out in zip(
        layers, plain, network.widths[:-1], network.widths[1:], strict=True
    ):
        assert W.shape == (d_out, d_in)
        assert np.array_equal(W, W_plain)
        assert (b is None) is (not network.bias)
        assert b is None or np.array_equal(b, b_plain)


def test_theta_lists_weights_by_rows_then_biases_layer_by_layer():
    network = gf.MLP((3, 2, 1))
    (W_1, b_1), (W_2, b_2) = network.unflatten(jnp.arange(11.0))
    assert np.array_equal(W_1, [[0, 1, 2], [3, 4, 5]])
    assert np.array_equal(b_1, [6, 7])
    assert np.array_equal(W_2, [[8, 9]])
    assert np.array_equal(b_2, [10])
    assert network.parameter_count == 11
    assert gf.MLP((3, 2, 1), bias=False).parameter_count == 8


def test_init_is_normal_with_the_promised_deviations():
    network = gf.MLP((400, 300, 1))
    theta = network.init(jax.random.key(0), scale=0.5)
    (W_1, b_1), (W_2, _) = network.unflatten(theta)
    # 120 000 and 300 draws: five standard errors of a deviation are 1 % and 20 %
    assert abs(W_1.std() * np.sqrt(400) / 0.5 - 1) < 0.01
    assert abs(W_2.std() * np.sqrt(300) / 0.5 - 1) < 0.2
    assert abs(b_1.std() / 0.5 - 1) < 0.2
    assert abs(W_1.mean()) < 5 * 0.5 / 400
    assert np.array_equal(theta, network.init(jax.random.key(0), scale=0.5))
    assert not np.array_equal(theta, network.init(jax.random.key(1), scale=0.5))
    # every layer draws with its own key
    square = gf.MLP((4, 4, 4))
    (A, a), (B, b) = square.unflatten(square.init(jax.random.key(0)))
    assert not np.array_equal(A, B)
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_slopes(name):
    activation = gf.smooth_relu(0.1) if name.startswith("smooth") else getattr(gf.networks, name)
    value, slope = ACTIVATIONS[name]
    z = np.concatenate([np.linspace(-3, 3, 101), [-0.1, 0.1, 0.05]])
    assert relative(activation(jnp.asarray(z)), value(z)) < 1e-15
    measured = jax.vmap(jax.grad(activation.function))(jnp.asarray(z))
    assert relative(measured, slope(z)) < 1e-15
    assert repr(activation) == activation.name == name
    assert activation.smoothness == ("C1" if name.startswith("smooth") else "analytic")


@pytest.mark.parametrize("eps", [0.02, 0.5])
def test_smooth_relu_is_c1_and_relu_outside_its_zone(eps):
    activation = gf.smooth_relu(eps)
    z = jnp.linspace(-3 * eps, 3 * eps, 2001)
    outside = np.abs(z) >= eps
    assert np.allclose(activation(z)[outside], gf.relu(z)[outside], rtol=0, atol=1e-16)
    slope = np.asarray(jax.vmap(jax.grad(activation.function))(z))
    steepest = np.abs(np.diff(slope)).max() / (z[1] - z[0])
    # the Lipschitz constant that it promises, attained
    assert steepest == pytest.approx(1 / (2 * eps), rel=1e-6)
    assert (np.diff(activation(z)) >= 0).all()
    assert gf.smooth_relu(eps) is activation  # one object an eps: no recompilation


def smoothness(network, inputs=2):
    return gf.Problem(network, gf.Dataset(jnp.ones((3, inputs)), jnp.zeros((3, 1)))).smoothness


def test_only_a_hidden_kink_counts():
    assert smoothness(gf.MLP((2, 3, 1), "relu")) == ("kinked", "relu")
    assert smoothness(gf.MLP((2, 1), "relu")) == ("analytic", None)
    assert smoothness(gf.MLP((2, 3, 1), gf.smooth_relu(0.1))) == ("C1", None)
    assert smoothness(gf.MLP((2, 3, 1), "sin")) == ("analytic", None)


def by_hand(activation):
    """theta_0·σ(theta_1·z), summed over the inputs."""
    return gf.FunctionNetwork(
        lambda t, z: t[0] * activation(t[1] * z).sum(axis=1, keepdims=True), 2
    )


SMOOTH = {
    "tanh": jnp.tanh, "softplus": jax.nn.softplus, "silu": jax.nn.silu, "gelu": jax.nn.gelu, "sin": jnp.sin,
    "softmax": jax.nn.softmax, "logaddexp": lambda z: jnp.logaddexp(z, 0.0), "x³": lambda z: z**3, "sigmoid": jax.nn.sigmoid,
    "a kink that no derivative sees": lambda z: z + jax.lax.stop_gradient(jnp.abs(z)),
    "a kink of the data alone": lambda z: jnp.tanh(z) + jnp.maximum(jnp.arange(2.0), 0.5),
    "a scan": lambda z: jax.lax.scan(lambda c, _: (jnp.tanh(c), None), z, None, length=3)[0],
}  # fmt: skip
KINKED = {
    "relu": (jax.nn.relu, "relu"), "leaky": (jax.nn.leaky_relu, "where"), "abs": (jnp.abs, "abs"),
    "hard_tanh": (jax.nn.hard_tanh, "where"), "maximum": (lambda z: jnp.maximum(z, 0.0), "max"), "clip": (lambda z: jnp.clip(z, -1, 1), "max"),
    "where": (lambda z: jnp.where(z > 0, z, 0.0), "where"), "relu6": (jax.nn.relu6, "relu6"), "sign": (jnp.sign, "sign"),
    "jitted": (jax.jit(jax.nn.relu), "relu"),
    "a scan": (lambda z: jax.lax.scan(lambda c, _: (jax.nn.relu(c), None), z, None, length=3)[0], "relu"),
    "a branch": (lambda z: jax.lax.cond(z.sum() > 0, lambda: z, lambda: -z), "cond"),
    "a vmap": (jax.vmap(jax.vmap(jax.nn.relu)), "relu"),
    "equinox's own MLP": (lambda z: jax.vmap(eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0)))(z), "relu"),
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_are_followed(name):
    assert smoothness(by_hand(SMOOTH[name])) == ("C1", None)


@pytest.mark.parametrize("name", KINKED)
def test_what_relu_is_made_of_is_found_in_a_function(name):
    function, kink = KINKED[name]
    assert smoothness(by_hand(function)) == ("kinked", kink)
    problem = gf.Problem(by_hand(function), gf.Dataset(jnp.ones((3, 2)), jnp.zeros((3, 1))))
    for flow in (gf.standard, gf.adapted):
        with pytest.raises(
            ValueError,
            match=rf"has a kink \({kink}\).*smoothness='almost everywhere'.*smoothness='C1'",
        ):
            gf.integrate(flow, problem, jnp.ones(2), until=1.0)


def test_a_function_is_followed_as_its_author_says():
    softsign = lambda z: z / (1 + jnp.abs(z))  # noqa: E731 - C¹, though built from |z|
    data = gf.Dataset(jnp.array([[0.3, 1.0], [0.7, -0.2]]), jnp.zeros((2, 1)))
    plain = by_hand(softsign).function
    assert gf.Problem(gf.FunctionNetwork(plain, 2), data).smoothness == ("kinked", "abs")
    declared = gf.Problem(gf.FunctionNetwork(plain, 2, smoothness="C1"), data)
    orbit = gf.integrate(gf.standard, declared, jnp.array([1.0, 0.5]), until=1.0, save=3)
    assert orbit.status.ok
    assert orbit.classical
    followed = gf.Problem(gf.FunctionNetwork(plain, 2, smoothness="almost everywhere"), data)
    orbit = gf.integrate(gf.standard, followed, jnp.array([1.0, 0.5]), until=1.0, save=3)
    assert orbit.status.ok
    assert not orbit.classical
    with pytest.raises(
        ValueError,
        match="smoothness must be one of 'analytic', 'C1', 'kinked', 'almost everywhere', got 'smooth'",
    ):
        gf.FunctionNetwork(plain, 2, smoothness="smooth")


def test_a_kink_that_is_followed_almost_everywhere():
    followed = gf.almost_everywhere(gf.relu)
    z = jnp.linspace(-2, 2, 41)
    assert np.array_equal(followed(z), gf.relu(z))
    assert float(jax.grad(followed.function)(0.0)) == 0
    assert (followed.name, followed.smoothness) == ("relu (a.e.)", "almost everywhere")
    assert followed == gf.almost_everywhere(gf.relu)  # one program for both
    assert hash(followed) == hash(gf.almost_everywhere(gf.relu))
    assert gf.relu.smoothness == "kinked"  # as before
    assert smoothness(gf.MLP((2, 3, 1), followed)) == ("almost everywhere", "relu (a.e.)")
    assert smoothness(gf.MLP((2, 1), followed)).kind == "analytic"
    with pytest.raises(ValueError, match="tanh is analytic: flows follow it as it is"):
        gf.almost_everywhere(gf.networks.tanh)


@pytest.mark.parametrize(
    "activation",
    [
        "tanh",
        "sigmoid",
        "softplus",
        "sin",
        "identity",
        "relu",
        gf.smooth_relu(0.3),
        gf.almost_everywhere(gf.relu),
    ],
    ids=str,
)
def test_activations_pickle_to_what_compiles_to_the_same_program(activation):
    network = gf.MLP((2, 3, 1), activation)
    again = pickle.loads(pickle.dumps(network))
    assert again == network
    assert hash(again.activation) == hash(network.activation)


# --- the Jacobian and the kernel of networks that bring less, or more -------------------------------------


class Brought(gf.Network):
    """A dense network brought in by hand: what an MLP knows, behind another class."""

    inner: gf.MLP
    parameter_count: int = eqx.field(static=True)
    knows: bool = eqx.field(static=True)

    def __init__(self, inner, knows):
        self.inner, self.parameter_count, self.knows = inner, inner.parameter_count, knows

    def apply(self, theta, inputs):
        return self.inner.apply(theta, inputs)

    def layer_factors(self, theta, inputs):
        return self.inner.layer_factors(theta, inputs) if self.knows else None


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_a_network_brought_in_by_hand_has_the_same_derivatives(knows, bias):
    mlp = gf.MLP((3, 5, 4, 2), bias=bias)
    data = gf.generic(jax.random.key(0), 6, 3, 2)
    mine, theirs = gf.Problem(Brought(mlp, knows), data), gf.Problem(mlp, data)
    theta = mlp.init(jax.random.key(1))
    D = finite_differences(lambda t: np.asarray(theirs.outputs(jnp.asarray(t))).ravel(), theta)
    v, w = jnp.arange(12.0), jnp.sin(jnp.arange(mlp.parameter_count))
    for problem in (mine, theirs):
        assert np.abs(problem.jacobian(theta) - D).max() < 1e-8
        assert np.abs(problem.ntk(theta) - D @ D.T).max() < 1e-7
        assert np.abs(problem.linearize(theta).push(w) - D @ w).max() < 1e-7
        assert np.abs(problem.linearize(theta).pull(v) - D.T @ v).max() < 1e-7
    assert np.abs(mine.ntk(theta) - theirs.ntk(theta)).max() < 1e-12
    assert np.abs(gf.adapted(mine, theta) - gf.adapted(theirs, theta)).max() < 1e-12


def test_layers_that_are_known_are_used(monkeypatch):
    """The kernel and the adapted field of a network that brings layer_factors never form D."""
    mlp = gf.MLP((3, 5, 2))
    problem = gf.Problem(Brought(mlp, knows=True), gf.generic(jax.random.key(3), 4, 3, 2))

    def forbidden(*_):
        raise AssertionError("D was formed")

    monkeypatch.setattr(gf.Network, "jacobian", forbidden)
    theta = mlp.init(jax.random.key(1))
    problem.ntk(theta)
    gf.adapted(problem, theta)


def test_samples_go_one_by_one_where_they_are_independent():
    """D of a per-sample map never asks for a reverse pass over the whole batch; a map that mixes samples is still right."""
    seen = []

    def alone(theta, inputs):
        seen.append(inputs.shape[0])
        return jnp.tanh(inputs @ theta.reshape(3, 2))

    def mixed(theta, inputs):
        return jnp.tanh((inputs - inputs.mean(axis=0)) @ theta.reshape(3, 2))

    data = gf.generic(jax.random.key(0), 5, 3, 2)
    theta = jax.random.normal(jax.random.key(1), (6,))
    for function in (alone, mixed):
        problem = gf.Problem(gf.FunctionNetwork(function, 6), data)
        D = finite_differences(
            lambda t, f=function: np.asarray(f(jnp.asarray(t), data.inputs)).ravel(), theta
        )
        seen.clear()
        assert np.abs(problem.jacobian(theta) - D).max() < 1e-8
        assert np.abs(problem.ntk(theta) - D @ D.T).max() < 1e-8
        if function is alone:
            assert 1 in seen  # traced on single samples
    declared = gf.Problem(gf.FunctionNetwork(mixed, 6, per_sample=False), data)
    assert np.abs(declared.jacobian(theta) - D).max() < 1e-8


def test_large_per_sample_jacobians_are_taken_in_groups(monkeypatch):
    monkeypatch.setattr(network_module, "AT_ONCE", 20)
    function = gf.FunctionNetwork(lambda t, z: jnp.tanh(z @ t.reshape(3, 2)), 6)
    mixed = gf.FunctionNetwork(lambda t, z: jnp.tanh((z - z.mean(axis=0)) @ t.reshape(3, 2)), 6)
    data = gf.generic(jax.random.key(4), 7, 3, 2)
    theta = jax.random.normal(jax.random.key(1), (6,))
    for network in (function, mixed):
        D = finite_differences(
            lambda t, n=network: np.asarray(n.apply(jnp.asarray(t), data.inputs)).ravel(), theta
        )
        assert np.abs(gf.Problem(network, data).jacobian(theta) - D).max() < 1e-8


def test_a_function_network_is_its_function():
    network = gf.FunctionNetwork(lambda theta, inputs: theta[0] * inputs + theta[1], 2)
    assert network.parameter_count == 2
    assert np.array_equal(
        network.apply(jnp.array([2.0, 1.0]), jnp.array([[1.0], [3.0]])), [[3.0], [7.0]]
    )


@pytest.mark.usefixtures("as_a_user")
def test_refuses_networks_that_cannot_be_meant():
    with pytest.raises(
        TypeError, match=r"must be a Activation, got str 'relu'.*almost_everywhere\(relu\)"
    ):
        gf.almost_everywhere("relu")
    with pytest.raises(ValueError, match=r"as in \(2, 16, 1\), got 5"):
        gf.MLP(5)
    with pytest.raises(
        TypeError, match=r"a FunctionNetwork needs a function .*got 'tanh'.*use MLP"
    ):
        gf.FunctionNetwork("tanh", 2)
    with pytest.raises(TypeError, match=r"key must be a random key, got 0.*jax.random.key\(seed\)"):
        gf.MLP((3, 1)).init(0)
    with pytest.raises(ValueError, match="input and the output width"):
        gf.MLP((3,))
    with pytest.raises(
        ValueError, match=r"widths\[1\] must be a whole number of at least 1, got 0"
    ):
        gf.MLP((3, 0, 1))
    with pytest.raises(TypeError, match=r"widths\[1\].*got 2\.5"):
        gf.MLP((3, 2.5, 1))
    with pytest.raises(ValueError, match=r"unknown activation 'gelu'.*tanh.*smooth_relu"):
        gf.MLP((3, 2, 1), "gelu")
    with pytest.raises(ValueError, match=r"smoothness must be one of .*got 'rough'"):
        gf.Activation("mine", jnp.tanh, "rough")
    with pytest.raises(ValueError, match="eps must be a finite number above zero, got 0"):
        gf.smooth_relu(0.0)
    with pytest.raises(ValueError, match=r"parameter_count K.*got 0"):
        gf.FunctionNetwork(lambda theta, inputs: inputs, 0)
    with pytest.raises(ValueError, match="scale must be a finite number above zero, got -1"):
        gf.MLP((3, 1)).init(jax.random.key(0), scale=-1.0)


@pytest.mark.usefixtures("as_a_user")
def test_flatten_refuses_layers_that_do_not_fit():
    network = gf.MLP((2, 3, 1))
    (W_1, b_1), (W_2, b_2) = network.unflatten(jnp.arange(13.0))
    with pytest.raises(ValueError, match="expected 2 layers"):
        network.flatten([(W_1, b_1)])
    with pytest.raises(ValueError, match=r"W_1 must have shape \(3, 2\), got \(2, 3\)"):
        network.flatten([(W_1.T, b_1), (W_2, b_2)])
    with pytest.raises(ValueError, match=r"b_2 must have shape \(1,\), got \(3,\)"):
        network.flatten([(W_1, b_1), (W_2, b_1)])
    with pytest.raises(ValueError, match="b_1 must be given: the network has bias=True"):
        network.flatten([(W_1, None), (W_2, b_2)])
    with pytest.raises(ValueError, match="b_1 must be None: the network has bias=False"):
        gf.MLP((2, 3, 1), bias=False).flatten([(W_1, b_1), (W_2, None)])
    with pytest.raises(ValueError, match="theta must have shape"):
        network.unflatten(np.zeros(12))
    with pytest.raises(TypeError, match="W_1 must be float64"):
        network.flatten([(W_1.astype(np.float32), b_1), (W_2, b_2)])


def test_many_starts_are_different_and_each_is_an_init():
    network, key = gf.MLP((2, 3, 1)), jax.random.key(3)
    starts = network.inits(key, 4, 2.0)
    assert starts.shape == (4, network.parameter_count)
    expected = jnp.stack([network.init(each, 2.0) for each in jax.random.split(key, 4)])
    assert jnp.array_equal(starts, expected)
    assert len(np.unique(np.asarray(starts)[:, 0])) == 4
    with pytest.raises(ValueError, match="number must be"):
        network.inits(key, 0)
