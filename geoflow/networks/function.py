"""`FunctionNetwork`: a hand-made map, for the papers' toy examples and for a network of one's own."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64

from geoflow.checks import is_traced, whole_number
from geoflow.networks.activations import smoothness_kind
from geoflow.networks.kinks import Smoothness
from geoflow.networks.network import Network, jacobian_of_batch


class FunctionNetwork(Network):
    """A hand-made map: `function(theta, inputs) -> outputs`, theta (K,), inputs (N, M), outputs (N, Q).

    The function must be traceable by JAX. smoothness: "analytic" or "C1" where you know it, "almost everywhere" to follow
    kinks knowingly; None looks for primitives that ReLU is made of (max, abs, where ...), and flows refuse the map when
    one is found. per_sample: whether row j of the outputs depends on row j of the inputs only; None tries it out, on two
    samples and a drawn theta.

    Compiled programs keep what the function's globals and closures held when it was first traced. A map with other
    constants is another function: make it anew (a function that returns the map), and pass it anew.

    Raises TypeError when `function` cannot be called, ValueError or TypeError for the other arguments.
    """

    function: Callable[[Array, Array], Array] = eqx.field(static=True)
    parameter_count: int = eqx.field(static=True)
    declared: str | None = eqx.field(static=True)
    per_sample: bool | None = eqx.field(static=True)

    def __init__(
        self,
        function: Callable[[Array, Array], Array],
        parameter_count: int,
        *,
        smoothness: str | None = None,
        per_sample: bool | None = None,
    ):
        if not callable(function):
            raise TypeError(
                f"a FunctionNetwork needs a function (theta, inputs) -> outputs, got {function!r}. For a network by widths "
                "and activation use MLP."
            )
        if per_sample not in (None, True, False):
            raise TypeError(f"per_sample must be True, False or None, got {per_sample!r}.")
        self.function = function
        self.parameter_count = whole_number("parameter_count K", parameter_count)
        self.declared = None if smoothness is None else smoothness_kind(smoothness)
        self.per_sample = per_sample

    def apply(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> Float64[Array, "N Q"]:
        """Outputs (N, Q) of the samples `inputs` (N, M)."""
        return self.function(theta, inputs)

    def jacobian(
        self, theta: Float64[Array, " K"], inputs: Float64[Array, "N M"]
    ) -> Float64[Array, "QN K"]:
        """D, sample by sample where samples are independent, else output by output."""
        if self._independent(inputs):
            return self._jacobian_by_sample(theta, inputs)
        return jacobian_of_batch(self.apply, theta, inputs)

    def smoothness(self, theta: jax.ShapeDtypeStruct, inputs: Float64[Array, "N M"]) -> Smoothness:
        """As declared, else as found in the jaxpr."""
        return (
            Network.smoothness(self, theta, inputs)
            if self.declared is None
            else Smoothness(self.declared, "as declared")
        )

    def _independent(self, inputs: Array) -> bool:
        """Whether samples are independent: as declared, else as tried out, once a trace."""
        if self.per_sample is not None:
            return self.per_sample
        N, M = inputs.shape
        with jax.ensure_compile_time_eval():
            theta = jnp.asarray(np.random.default_rng(0).normal(size=self.parameter_count))
            drawn = (
                jnp.asarray(np.random.default_rng(1).normal(size=(N, M)))
                if is_traced(inputs)
                else inputs
            )
            try:
                together = np.asarray(self.function(theta, drawn))
                alone = [np.asarray(self.function(theta, drawn[j : j + 1])) for j in {0, N - 1}]
            except (
                TypeError,
                ValueError,
                IndexError,
            ):  # a map of the whole batch may well refuse a single sample
                return False
        if any(one.shape != (1, together.shape[1]) for one in alone):
            return False
        return all(
            np.allclose(one[0], together[j], rtol=1e-9, atol=1e-12)
            for one, j in zip(alone, {0, N - 1}, strict=True)
        )
