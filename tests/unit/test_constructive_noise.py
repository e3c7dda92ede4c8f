"""Noise-to-signal ratios by hand, and along the layers of a construction."""

import itertools

import constructive_reference as plain
import numpy as np
import pytest
from constructive_cases import Clouds, clouds
from hypothesis import given

from geoflow import constructive as con


@given(clouds().filter(lambda c: c.Q > 1))
def test_by_loops(drawn):
    least = min(np.linalg.norm(a - b) for a, b in itertools.combinations(drawn.means, 2))
    measured = con.noise_to_signal(drawn.X, drawn.labels)
    rounding = 1e-14 * np.abs(drawn.X).max() / least
    assert measured == pytest.approx(
        plain.noise_to_signal(drawn.X, drawn.labels), rel=1e-10, abs=rounding
    )
    spread = [j for j in range(drawn.Q) if len(np.unique(drawn.X[drawn.labels == j], axis=0)) > 1]
    assert con.noisy_clusters(drawn.X, drawn.labels) == len(spread)


def test_by_hand():
    z = np.array([[0.0, 1], [0, -1], [4, 0], [4, 0]])
    assert con.noise_to_signal(z, [0, 0, 1, 1]) == 0.25
    assert con.noise_to_signal(z, [7, 7, 3, 3]) == 0.25  # any names
    assert con.noisy_clusters(z, [0, 0, 1, 1]) == 1
    assert con.noise_to_signal(z[2:], [0, 1]) == 0  # two points on one spot, and no noise
    assert con.noise_to_signal(np.array([[1.0], [-1], [0], [0]]), [0, 0, 1, 1]) == np.inf
    # one cluster: its radius
    assert con.noise_to_signal(z, [0, 0, 0, 0]) == pytest.approx(np.sqrt(5))


def test_the_count_falls_by_one_a_layer_and_the_ratio_may_rise():
    """Q = 3: base points move inwards, and means come closer before the last cluster has shrunk."""
    drawn = Clouds((20, 20, 20), 0.6, 0, 1.0)
    made = con.zero_loss_network(drawn.data)
    ratios = [con.noise_to_signal(z, drawn.labels) for z in made.stages]
    assert [con.noisy_clusters(z, drawn.labels) for z in made.stages] == [3, 2, 1, 0]
    assert ratios == pytest.approx(
        [plain.noise_to_signal(z, drawn.labels) for z in made.stages[:3]] + [0.0], rel=1e-9
    )
    assert ratios[0] < ratios[1] < ratios[2]
    assert ratios[3] == 0


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_ratio_has_no_unit(scale):
    drawn = Clouds((5, 4, 6), 0.7, 2)
    assert con.noise_to_signal(scale * drawn.X, drawn.labels) == pytest.approx(
        con.noise_to_signal(drawn.X, drawn.labels), rel=1e-12
    )
    assert con.noisy_clusters(scale * drawn.X, drawn.labels) == 3


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("measure", [con.noise_to_signal, con.noisy_clusters])
def test_refusals(measure):
    z = np.ones((4, 2))
    with pytest.raises(
        ValueError, match=r"labels must be one whole number per point, \(4,\), got shape \(3,\)"
    ):
        measure(z, [0, 0, 1])
    with pytest.raises(
        ValueError, match=r"labels must be one whole number per point, \(4,\), got shape \(4, 1\)"
    ):
        measure(z, [[0], [0], [1], [1]])
    for labels in ([0.0, 0, 1, 1], list("aabb"), [True, True, False, False], None):
        with pytest.raises(TypeError, match="labels must be whole numbers, one per point, got"):
            measure(z, labels)
    with pytest.raises(ValueError, match=r"z must have 2 axes \(N, Q\), got shape \(4,\)"):
        measure(z[:, 0], [0, 0, 1, 1])
    with pytest.raises(ValueError, match="z must be finite, but 1 of 8 entries are NaN"):
        measure(np.where(np.arange(8).reshape(4, 2) == 3, np.nan, z), [0, 0, 1, 1])
