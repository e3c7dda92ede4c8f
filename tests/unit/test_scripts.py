"""The house's own machinery: when the book forgets what it executed, how test counts add up, what README says."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import chromium
import fill_cache
import nbformat
import pytest
import run_tests
from jupyter_cache import get_cache

import book

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def repository(tmp_path):
    write(tmp_path / "geoflow" / "flows.py", "one = 1\n")
    write(tmp_path / "companion" / "claims.py", "one = 1\n")
    (tmp_path / "requirements.txt").write_text("jax==1\n")
    (tmp_path / "book").mkdir()
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("name", "forgets"),
    [
        ("geoflow/flows.py", True),
        ("companion/claims.py", True),
        ("companion/explorer/controls.py", True),
        ("companion/explorer/widget.js", False),
        ("companion/explorer/widget.css", False),
        ("companion/sphinx/ledger.py", False),
        ("companion/notebook/contract.py", False),
        ("requirements.txt", True),
        ("geoflow/__pycache__/flows.pyc", False),
        ("book/index.md", False),
    ],
)
def test_executed_chapters_are_forgotten_when_what_they_depend_on_changes(
    repository, monkeypatch, name, forgets
):
    build = repository / "_build"
    cache = build / ".jupyter_cache"
    monkeypatch.setattr(book, "BUILD", build)
    monkeypatch.setattr(book, "CACHES", (cache,))
    monkeypatch.setattr(book, "STAMP", build / "stamp")
    book.drop_stale_caches(repository)
    cache.mkdir()
    book.drop_stale_caches(repository)
    assert cache.exists(), "nothing changed"
    write(repository / name, "two = 2\n")
    book.drop_stale_caches(repository)
    assert cache.exists() is not forgets


def test_chapters_are_executed_into_the_cache_that_sphinx_reads(repository, capsys):
    (repository / "_config.yml").write_text("execute:\n  timeout: 60\n")
    (repository / "_toc.yml").write_text(
        "root: index\nchapters:\n  - file: sound\n  - file: broken\n"
    )
    sources = {"sound": "1 / 2", "broken": "1 / 0", "draft": "1 / 3"}
    paths = {name: repository / "book" / f"{name}.ipynb" for name in sources}
    for name, path in paths.items():
        cell = nbformat.v4.new_code_cell(sources[name])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    fill_cache.fill(repository / "cache", repository)
    cache = get_cache(repository / "cache")
    executed = cache.match_cache_notebook(nbformat.read(paths["sound"], as_version=4))
    assert cache.get_cache_bundle(executed.pk).nb.cells[0].outputs[0].data["text/plain"] == "0.5"
    assert not fill_cache.is_cached(cache, paths["broken"]), "left to Sphinx, which says why"
    said = capsys.readouterr().out
    assert "sound: executed" in said
    assert "broken: failed" in said
    assert "draft" not in said


def suite(folder, name, **counts):
    root = ElementTree.Element("testsuites")
    ElementTree.SubElement(root, "testsuite", {key: str(value) for key, value in counts.items()})
    ElementTree.ElementTree(root).write(folder / f"{name}.xml")


def test_counts_add_up_over_the_stages(tmp_path):
    suite(tmp_path, "unit", tests=10, failures=1, errors=2, skipped=3)
    suite(tmp_path, "browser", tests=5, failures=0, errors=0, skipped=0)
    total = run_tests.counts(tmp_path)
    assert total == {"passed": 9, "failed": 1, "errors": 2, "skipped": 3}
    assert "9 passed, 1 failed, 2 errors, 3 skipped in 61s" in run_tests.summary(total, None, 61.2)
    assert "stage 'unit' failed" in run_tests.summary(total, "unit", 1.0)
    assert run_tests.skipped_in(tmp_path / "unit.xml") == 3


def test_without_chromium_and_without_the_right_to_install_it_there_is_advice(monkeypatch):
    monkeypatch.setattr(chromium, "find", lambda: None)
    monkeypatch.setattr(chromium, "apt", lambda: None)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        chromium.ensure()


def test_the_example_in_the_readme_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf8")
    (example,) = re.findall(r"^```python\nimport jax\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    names: dict = {}
    exec("import jax\n" + example, names)
    cost, s = names["orbit"].cost, names["orbit"].s
    assert cost[-1] / cost[0] == pytest.approx(
        float(names["jax"].numpy.exp(-2 * (s[-1] - s[0]) / 8)), rel=1e-6
    )
