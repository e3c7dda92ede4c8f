"""What every construction hands back: the problem, theta, and what was promised of them, against what plain numpy measures."""

import constructive_reference as plain
import jax.numpy as jnp
import numpy as np
import pytest
from constructive_cases import Clouds, data_of, layers_of, order_of
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

import geoflow as gf
from geoflow import constructive as con
from geoflow.constructive.construction import construct

# each with the clusters it was made for, what it should keep, and how many layers of what width
MADE = {
    "zero_loss": (lambda d: con.zero_loss_network(d, 4), (3, 4, 2), (), (3,) * 6),
    "separable": (con.separable_network, (3, 4, 2), (), (3,) * 5),
    "two_layers": (con.two_layer_network, (3, 4, 2), (), (3,) * 4),
    "one_layer": (con.one_layer_network, (3, 4), (), (2,) * 3),
    "local_minimum": (lambda d: con.local_minimum(d, (1,)), (3, 4, 2), (0, 2), (3,) * 5),
    "collapsed": (lambda d: con.collapsed_network(d, [(2,), (1, 0)], 2), (3, 4, 2), (), (3,) * 4),
    "nothing truncated": (lambda d: con.local_minimum(d, ()), (3, 4, 2), (0, 1, 2), (3,) * 5),
}


@pytest.mark.parametrize("name", MADE)
@given(seeds, st.sampled_from([0.0, 0.2, 0.4]), st.sampled_from([1e-6, 1.0, 1e6]))
def test_what_is_promised_is_what_is_measured(name, seed, ratio, scale):
    build, sizes, kept, widths = MADE[name]
    drawn = Clouds(sizes, ratio, seed, 0.5, scale)
    made = build(drawn.data)
    assert type(made) is con.Construction
    assert made.problem.network.widths == widths
    assert made.problem.network.activation is gf.relu
    assert made.problem.data is drawn.data
    assert made.theta.shape == (made.problem.K,)
    layers = layers_of(made)
    assert made.cost == pytest.approx(plain.cost(layers, drawn.X, drawn.Y), rel=1e-9, abs=1e-18)
    assert made.cost == pytest.approx(float(made.problem.cost(made.theta)), rel=1e-9, abs=1e-18)
    assert made.clearance == pytest.approx(plain.clearance(layers, drawn.X), rel=1e-6, abs=1e-12)
    assert made.clearance > 0
    assert made.clearance == con.clearance(made.problem, made.theta)
    # every cluster is in one block or kept, each as a plain whole number
    names = [j for block in made.blocks for j in block]
    assert sorted([*names, *made.kept]) == list(range(drawn.Q))
    assert all(type(j) is int for j in [*names, *made.kept])
    assert made.kept == kept
    if made.cones:
        assert len(made.cones) == drawn.Q == len(made.stages) - 1 == len(order_of(made))
        assert np.array_equal(made.stages[0], drawn.X)
        for cone, before, after in zip(made.cones, made.stages[:-1], made.stages[1:], strict=True):
            size = np.abs(before).max() + np.abs(cone.p).max()
            assert np.abs(cone.apply(before) - after).max() < 1e-12 * size * max(cone.condition, 1)
    else:
        assert made.stages == ()
    assert bool(made.cones) == (name in ("zero_loss", "separable"))


def test_a_network_by_hand_on_data_and_its_clearance():
    """x ↦ σ(x − 1), σ(2 − x), then their difference: at x = 0, 1.25, 3 the least preactivation is 1/4."""
    data = gf.Dataset(np.array([[0.0], [1.25], [3.0]]), np.zeros((3, 1)))
    layers = [
        (np.array([[1.0], [-1.0]]), np.array([-1.0, 2.0])),
        (np.array([[1.0, -1.0]]), np.array([0.5])),
    ]
    made = construct(data, layers, [(0,)], 1.5)
    assert made.problem.network.widths == (1, 2, 1)
    assert made.theta.tolist() == [1, -1, -1, 2, 1, -1, 0.5]
    assert made.problem.outputs(made.theta).tolist() == [[-1.5], [0.0], [2.5]]
    assert (
        made.clearance
        == con.clearance(made.problem, made.theta)
        == 0.25
        == plain.clearance(layers, data.inputs)
    )
    assert (made.blocks, made.kept, made.cost, made.cones, made.stages) == (
        ((0,),),
        (),
        1.5,
        (),
        (),
    )


def test_the_clearance_without_biases_and_of_relu_followed_knowingly():
    data = gf.Dataset(np.array([[2.0], [-0.5]]), np.zeros((2, 1)))
    for activation in ("relu", gf.almost_everywhere(gf.relu)):
        problem = gf.Problem(gf.MLP((1, 1, 1, 1), activation, bias=False), data)
        # −0.5 dies, and 0 meets the next kink
        assert con.clearance(problem, jnp.array([3.0, 0.1, 1.0])) == 0.0
        assert (
            con.clearance(
                gf.Problem(gf.MLP((1, 1, 1), activation, bias=False), data), jnp.array([3.0, 1.0])
            )
            == 1.5
        )


@pytest.mark.usefixtures("as_a_user")
def test_the_clearance_is_of_relu_networks_alone():
    drawn = Clouds((2, 2), 0.4)
    made = con.two_layer_network(drawn.data)
    with pytest.raises(
        TypeError,
        match=r"(?s)problem must be a Problem, got .*The order is clearance\(problem, theta\)",
    ):
        con.clearance(made.theta, made.problem)
    function = gf.FunctionNetwork(lambda theta, inputs: theta * inputs, 2)
    with pytest.raises(
        TypeError, match=r"(?s)the network must be a MLP, got FunctionNetwork .*fully connected"
    ):
        con.clearance(gf.Problem(function, drawn.data), np.ones(2))
    with pytest.raises(
        ValueError, match="the clearance is from the kinks of ReLU, got an MLP with activation tanh"
    ):
        con.clearance(gf.Problem(gf.MLP((2, 2, 2)), drawn.data), np.ones(12))
    with pytest.raises(ValueError, match=r"theta must have shape \(K,\) = \(18,\), got \(17,\)"):
        con.clearance(made.problem, made.theta[1:])


@given(st.permutations(range(4)))
def test_renamed_clusters_are_named_in_the_blocks(names):
    """The blocks list clusters by label, whatever the order in which they were cut."""
    drawn = Clouds((3, 2, 4, 3), 0.3, 1, 0.5)
    new = np.array(names)
    made = con.collapsed_network(
        data_of(drawn.X, new[drawn.labels], 4), [(names[2],), (names[0], names[3])]
    )
    assert made.blocks == ((names[2],), tuple(sorted((names[0], names[3]))))
    assert made.kept == (names[1],)
    assert made.cost == pytest.approx(
        con.merged_cost(drawn.data, [(2,), (0, 3)]), rel=1e-9, abs=1e-18
    )
