"""Networks: the forward map against the plain one, the layout of theta, activations, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import ACTIVATIONS, PlainNetwork
from strategies import relative, scales, seeds, widths

import geoflow as gf


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
    activation = gf.smooth_relu(0.1) if name.startswith("smooth") else getattr(gf, name)
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
    assert steepest == pytest.approx(1 / (2 * eps), rel=1e-6)  # the Lipschitz constant that it promises, attained
    assert (np.diff(activation(z)) >= 0).all()
    assert gf.smooth_relu(eps) is activation  # one object an eps: no recompilation


def test_only_a_hidden_kink_counts():
    assert gf.MLP((2, 3, 1), "relu").kinked == "relu"
    assert gf.MLP((2, 1), "relu").kinked is None
    assert gf.MLP((2, 3, 1), gf.smooth_relu(0.1)).kinked is None
    assert gf.FunctionNetwork(lambda theta, inputs: inputs * theta, 1).kinked is None


def test_a_kink_that_is_followed_almost_everywhere():
    followed = gf.almost_everywhere(gf.relu)
    z = jnp.linspace(-2, 2, 41)
    assert np.array_equal(followed(z), gf.relu(z))
    assert float(jax.grad(followed.function)(0.0)) == 0
    assert (followed.name, followed.smoothness) == ("relu (a.e.)", "almost everywhere")
    assert followed == gf.almost_everywhere(gf.relu)  # one program for both
    assert hash(followed) == hash(gf.almost_everywhere(gf.relu))
    assert gf.relu.smoothness == "kinked"  # as before
    network = gf.MLP((2, 3, 1), followed)
    assert network.almost_everywhere
    assert network.kinked is None
    for plain in (gf.MLP((2, 1), followed), gf.MLP((2, 3, 1), "relu"), gf.MLP((2, 3, 1), gf.smooth_relu(0.1))):
        assert not plain.almost_everywhere
    assert not gf.FunctionNetwork(lambda theta, inputs: inputs * theta, 1).almost_everywhere


def test_a_function_network_is_its_function():
    network = gf.FunctionNetwork(lambda theta, inputs: theta[0] * inputs + theta[1], 2)
    assert network.parameter_count == 2
    assert np.array_equal(network.apply(jnp.array([2.0, 1.0]), jnp.array([[1.0], [3.0]])), [[3.0], [7.0]])


@pytest.mark.usefixtures("as_a_user")
def test_refuses_networks_that_cannot_be_meant():
    with pytest.raises(ValueError, match="input and the output width"):
        gf.MLP((3,))
    with pytest.raises(ValueError, match=r"widths\[1\] must be a whole number of at least 1, got 0"):
        gf.MLP((3, 0, 1))
    with pytest.raises(ValueError, match=r"widths\[1\].*got 2\.5"):
        gf.MLP((3, 2.5, 1))
    with pytest.raises(ValueError, match=r"unknown activation 'gelu'.*tanh.*smooth_relu"):
        gf.MLP((3, 2, 1), "gelu")
    with pytest.raises(ValueError, match=r"smoothness must be .*got 'rough'"):
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
