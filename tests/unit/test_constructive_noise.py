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
    assert measured == pytest.approx(plain.noise_to_signal(drawn.X, drawn.labels), rel=1e-10, abs=rounding)
    spread = [j for j in range(drawn.Q) if len(np.unique(drawn.X[drawn.labels == j], axis=0)) > 1]
    assert con.noisy_clusters(drawn.X, drawn.labels) == len(spread)


def test_by_hand():
    z = np.array([[0.0, 1], [0, -1], [4, 0], [4, 0]])
    assert con.noise_to_signal(z, [0, 0, 1, 1]) == 0.25
    assert con.noise_to_signal(z, [7, 7, 3, 3]) == 0.25  # any names
    assert con.noisy_clusters(z, [0, 0, 1, 1]) == 1
    assert con.noise_to_signal(z[2:], [0, 1]) == 0  # two points on one spot, and no noise
    assert con.noise_to_signal(np.array([[1.0], [-1], [0], [0]]), [0, 0, 1, 1]) == np.inf
    assert con.noise_to_signal(z, [0, 0, 0, 0]) == pytest.approx(np.sqrt(5))  # one cluster: its radius


def test_the_count_falls_by_one_a_layer_and_the_ratio_may_rise():
    """Q = 3: base points move inwards, and means come closer before the last cluster has shrunk."""
    drawn = Clouds((20, 20, 20), 0.6, 0, 1.0)
    made = con.zero_loss_network(drawn.data)
    ratios = [con.noise_to_signal(z, drawn.labels) for z in made.stages]
    assert [con.noisy_clusters(z, drawn.labels) for z in made.stages] == [3, 2, 1, 0]
    assert ratios == pytest.approx([plain.noise_to_signal(z, drawn.labels) for z in made.stages[:3]] + [0.0], rel=1e-9)
    assert ratios[0] < ratios[1] < ratios[2]
    assert ratios[3] == 0
