"""Settings of every test: compiled programs are kept, hypothesis is repeatable, shape annotations are enforced.

All three must be set before geoflow, and with it JAX, is first imported.
"""

import gc
import os
import sys
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parent.parent

if "geoflow" in sys.modules:
    raise RuntimeError(
        "geoflow was imported before tests/conftest.py: its annotations would go unchecked."
    )

# An integration compiles for seconds; kept in _build it loads in tenths. JAX keeps no program that calls back into
# Python, as equinox's run-time errors do: with "nan" they become values, and diffrax programs can be kept too.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / "_build" / "jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
os.environ.setdefault("EQX_ON_ERROR", "nan")
# Two workers on two cores: threads of BLAS would fight each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Every shape and dtype in a signature of geoflow holds, or the test fails. jaxtyping's hook decorates functions and
# dataclass fields and leaves eqx.Module and filter_jit as they are: the check happens while tracing, once a shape.
jaxtyping.install_import_hook("geoflow", "beartype.beartype")

# JAX keeps what it has traced: a heap of gigabytes that is not garbage, and is searched for it in vain.
gc.set_threshold(5_000, 20, 50)

# Repeatable: a failure in CI is a failure here. HYPOTHESIS_PROFILE=search draws new examples, and more of them.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search", deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow]
)
# For tests/faults, where a test is meant to fail: the same examples, but the one that fails need not be made small.
settings.register_profile(
    "first-failure",
    settings.get_profile("repeatable"),
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture
def as_a_user():
    """Without the annotations' checks: what a reader meets who passes a wrong array is geoflow's own refusal."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
