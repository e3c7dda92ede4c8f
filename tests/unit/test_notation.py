"""Every name in the notation's column "in code" is one of geoflow's: a reader who types it finds it."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import geoflow as gf
from geoflow import constructive, linear_networks

PAGE = (Path(__file__).resolve().parents[2] / "book" / "notation.md").read_text(encoding="utf8")
DATA = gf.generic(jax.random.key(0), samples=3, inputs=2, outputs=1)
PROBLEM = gf.Problem(gf.MLP((2, 2, 1)), DATA)
ORBIT = gf.integrate("standard", PROBLEM, PROBLEM.network.init(jax.random.key(1)), until=0.1)
CLUSTERS = constructive.clusters(gf.clustered(jax.random.key(0), 2, 3 * jnp.eye(2), radius=0.1))
#: What a table's expressions may begin with, by section; objects stand for those of a chapter.
ANYWHERE = {
    "problem": PROBLEM,
    "theta": ORBIT.end,
    "network": PROBLEM.network,
    "data": DATA,
    "orbit": ORBIT,
    "bundle": gf.bundle,
}
SECTIONS = {
    "Deep linear networks": {
        "ln": linear_networks,
        "problem": linear_networks.ReducedProblem([2.0, 1.0], 2, (2,)),
        "data": DATA,
    },
    "Constructive minimizers": {"con": constructive},
}


def expressions():
    """(section, expression) for each code span of a table's last column."""
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0]
        for line in section.splitlines():
            if line.startswith("|") and "|---" not in line:
                yield from (
                    (title, code) for code in re.findall(r"`([^`]+)`", line.rsplit("|", 2)[1])
                )


@pytest.mark.parametrize(("section", "code"), list(expressions()), ids=str)
def test_the_name_exists(section, code):
    if code.startswith("."):  # what follows con.clusters(...) in the same cell
        assert hasattr(CLUSTERS, code[1:].partition("(")[0])
        return
    first, *rest = re.match(r"[\w.]+", code)[0].split(".")
    names = ANYWHERE | SECTIONS.get(section, {})
    found = names[first] if first in names else getattr(gf, first)
    for name in rest:
        found = getattr(found, name)
    if (after := re.search(r"\)\.(\w+)", code)) is not None:
        made = {"con.clusters": CLUSTERS, "ln.reduction": linear_networks.reduction(DATA)}
        assert hasattr(made[code.partition("(")[0]], after[1])


def test_there_are_many():
    assert len(list(expressions())) > 40
