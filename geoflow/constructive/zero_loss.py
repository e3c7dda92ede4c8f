"""Networks of zero loss, written down: one truncation a cluster, then an affine output layer."""

from collections.abc import Sequence

import numpy as np

from geoflow.checks import positive_number, whole_number
from geoflow.constructive.cones import Cone, cone
from geoflow.constructive.construction import TOLERANCE, Construction, activity, construct
from geoflow.constructive.geometry import Clusters, classes, clusters, require_clustered
from geoflow.data import Dataset
from geoflow.types import Floats

#: A cluster, and where and along which direction it is cut off: (j, p, n).
Cut = tuple[int, Floats, Floats]


def zero_loss_network(
    data: Dataset, hidden_layers: int | None = None, lam: float | None = None, opening: float = 0.5
) -> Construction:
    """A network of L ≥ Q hidden layers of width Q and zero loss, for clustered data: δ < h_min/2 (in the spirit of CM).

    Layer ℓ collapses cluster ℓ to p_ℓ = (1 − lam)μ_ℓ + lam·(mean of the other means), cutting along −∇λ_ℓ; L > Q layers: the
    rest let everything pass.
    hidden_layers: L, by default Q. lam: between δ/h_min and ½, by default the middle. opening: of the largest possible, in (0, 1).
    Raises ValueError when the clustering condition fails (naming the cluster and 2δ/h), for L < Q, or lam out of its range.
    """
    c = clusters(data)
    require_clustered(c)
    Q = c.Q
    L = Q if hidden_layers is None else whole_number("hidden_layers L", hidden_layers)
    least = c.delta / float(c.heights.min())
    lam = (least + 0.5) / 2 if lam is None else positive_number("lam", lam)
    if not least < lam < 0.5:
        raise ValueError(f"lam must lie between δ/h = {least:.4g} and 1/2, got {lam:.4g}.")
    if Q == 1:
        cuts = [(0, *beyond(c))]
    else:
        others = (c.means.sum(axis=0) - c.means) / (Q - 1)
        cuts = [(j, (1 - lam) * c.means[j] + lam * others[j], -c.gradients[j]) for j in range(Q)]
    return telescoped(data, c, cuts, L, opening)


def beyond(c: Clusters) -> tuple[Floats, Floats]:
    """(p, n) for Q = 1: a base point that the only cluster does not reach."""
    return c.means[0] + c.radii[0] + np.maximum(1.0, np.abs(c.means[0])), np.ones(1)


def telescoped(
    data: Dataset, c: Clusters, cuts: Sequence[Cut], L: int, opening: float
) -> Construction:
    """The telescoped network: W_ℓ = V_ℓV_{ℓ−1}⁻¹, b_ℓ = V_ℓ(p_{ℓ−1} − p_ℓ), so that x^(ℓ) = V_ℓ(z^(ℓ) − p_ℓ)."""
    Q, labels = c.Q, np.asarray(data.labels)
    if len(cuts) > L:
        raise ValueError(
            f"one hidden layer a cluster: L ≥ Q = {len(cuts)} is needed, got L = {L}. See two_layer_network."
        )
    stages: list[Floats] = [np.asarray(data.inputs)]
    cones: list[Cone] = []
    layers: list[tuple[Floats, Floats]] = []
    V_before, p_before = np.eye(Q), np.zeros(Q)
    for _, p, n in cuts:
        made = cone(p, n, stages[-1], opening)
        V = made.V
        layers.append((V @ np.linalg.inv(V_before), V @ (p_before - p)))
        after = np.where((((stages[-1] - p) @ made.n) < 0)[:, None], p, stages[-1])
        stages.append(after)
        cones.append(made)
        V_before, p_before = V, np.asarray(p)
    if any(np.ptp(stages[-1][labels == j], axis=0).max() for j in range(Q)):
        raise ValueError(
            "a cut did not collapse its cluster: the clusters are not what the construction needs."
        )
    one_each = stages[0][[int(np.argmax(labels == j)) for j in range(Q)]]
    size = activity(layers, one_each).max() or 1.0
    # what is non-negative passes, higher by `size`
    layers += [(np.eye(Q), np.full(Q, size))] * (L - len(cuts))
    # as rounded in the layers above: only the output layer's own rounding is left
    points = activity(layers, one_each)
    middle = points.mean(axis=0)
    A = np.linalg.pinv(
        points - middle, rcond=1e-12
    ).T  # A (x − middle) + 1/Q is e_j at the j-th point
    layers.append((A, 1 / Q - A @ middle))
    miss = np.abs(activity(layers[:-1], stages[0]) @ A.T + layers[-1][1] - np.eye(Q)[labels]).max()
    condition = max(made.condition for made in cones)
    miss = max(miss, np.finfo(float).eps * condition)  # what another order of the sums would show
    if not miss <= TOLERANCE:
        raise ValueError(
            f"in float64 this network would miss its targets by {miss:.1e}: its layers are too ill-conditioned (cond V up to "
            f"{condition:.1e}), since the simplex of means is nearly flat (h = {c.heights.min():.1e}, "
            f"δ = {c.delta:.1e}) or far from the origin. Centre and rescale the inputs, or project them otherwise."
        )
    return construct(
        data, layers, [(j,) for j, _, _ in cuts], 0.0, cones=tuple(cones), stages=tuple(stages)
    )


def two_layer_network(data: Dataset) -> Construction:
    """Two hidden layers suffice for any Q ≥ 2, under the same condition δ < h_min/2 (ours).

    σ(λ(x) − ½) = s·e_j on cluster j; then σ(1 − c·s·e_j) = 1 − e_j for c large; then affine.
    """
    c = clusters(data)
    require_clustered(c)
    Q = c.Q
    if Q < 2:
        raise ValueError("with one class a constant fits: use zero_loss_network.")
    least = 0.5 - c.delta / c.heights.min()  # s ≥ this
    first = (c.gradients, 1 / Q - c.gradients @ c.means.mean(axis=0) - 0.5)
    second = (-2 / least * np.eye(Q), np.ones(Q))
    output = (-np.eye(Q), np.ones(Q))
    return construct(data, [first, second, output], [(j,) for j in range(Q)], 0.0)


def one_layer_network(data: Dataset) -> Construction:
    """One hidden layer of two parallel neurons suffices for Q = 2 (ours): σ(t − a) − σ(t − b) is 0 below a and b − a above b.

    a and b lie at a third and two thirds of the gap between the clusters. Raises ValueError when they overlap along their means.
    """
    labels = classes(data)
    if data.Q != 2:
        raise ValueError(
            f"two parallel neurons separate Q = 2 classes, got Q = {data.Q}: use two_layer_network."
        )
    c = clusters(data)
    n = c.gradients[1] / np.linalg.norm(c.gradients[1])
    t = np.asarray(data.inputs) @ n
    low, high = t[labels == 0].max(), t[labels == 1].min()
    if low >= high:
        raise ValueError(
            f"the line through the means does not separate the clusters: cluster 0 reaches to {low:.4g}, cluster 1 starts at "
            f"{high:.4g} (2δ/h = {c.ratio:.3f}). If another line does, separable_network(data) finds it."
        )
    a, b = (2 * low + high) / 3, (low + 2 * high) / 3
    output = np.array([[-1.0, 1.0], [1.0, -1.0]]) / (b - a)
    layers = [(np.array([n, n]), np.array([-a, -b])), (output, np.array([1.0, 0.0]))]
    return construct(data, layers, [(0,), (1,)], 0.0)
