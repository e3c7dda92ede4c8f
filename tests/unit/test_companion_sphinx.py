"""The smaller extensions: pages offline, explorers with the view of today, what each extension tells Sphinx."""

import importlib
import json
import pkgutil

import pytest
from matplotlib import pyplot

import companion.sphinx
from companion.explorer.explorer import Explorer, view
from companion.sphinx import explorer, meta, offline


def test_font_preloads_go_and_other_links_stay():
    page = '<link rel="stylesheet" href="a.css">\n  <link rel="preload" as="font" type="font/woff2" crossorigin href="f">'
    assert offline.without_preloads(page) == '<link rel="stylesheet" href="a.css">'


def test_mathjax_keeps_what_its_loader_asks_for(tmp_path):
    for name in (
        "tex-chtml.js",
        "tex-svg.js",
        "output/svg.js",
        "output/chtml/fonts/tex.js",
        "input/tex/extensions/ams.js",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    offline.trim_mathjax(tmp_path)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.js")}
    assert left == {"tex-chtml.js", "output/chtml/fonts/tex.js", "input/tex/extensions/ams.js"}


def test_a_page_gets_the_view_of_today_and_keeps_its_frames():
    shown = Explorer(lambda k: (pyplot.figure(), "a figure"), k=[1, 2])
    pyplot.close("all")
    ours = {"_anywidget_id": shown._anywidget_id, "_esm": "old", "_css": "old", "frames": "H4sI"}
    theirs = {"_anywidget_id": "another.Widget", "_esm": "theirs"}
    before = {
        "state": {"1": {"state": ours}, "2": {"state": theirs}, "3": {"state": {}}},
        "version_major": 2,
    }
    after = json.loads(explorer.with_present_view(json.dumps(before)))
    assert after["state"]["1"]["state"] == ours | dict(zip(("_esm", "_css"), view(), strict=True))
    assert after["state"]["2"]["state"] == theirs
    assert after["version_major"] == 2


def test_the_view_of_today_ends_no_script():
    assert "</script>" not in explorer.with_present_view(
        json.dumps({"state": {"1": {"state": {"a": "</script>"}}}})
    )


EXTENSIONS = (
    "accessible",
    "claims",
    "explorer",
    "inline_svg",
    "ledger",
    "offline",
    "tag",
    "versions",
)


def test_every_extension_is_known_here():
    found = {module.name for module in pkgutil.iter_modules(companion.sphinx.__path__)}
    having_setup = {
        name
        for name in found
        if hasattr(importlib.import_module(f"companion.sphinx.{name}"), "setup")
    }
    assert having_setup == set(EXTENSIONS)


def test_a_change_to_the_machinery_has_every_page_read_again(tmp_path, monkeypatch):
    def fingerprint():
        meta._fingerprint.cache_clear()
        return meta.about()["env_version"]

    monkeypatch.setattr(meta, "HERE", tmp_path)
    monkeypatch.setattr(meta, "EXPLORER", tmp_path)
    (tmp_path / "ledger.py").write_text("one = 1")
    (tmp_path / "widget.css").write_text("a {}")
    first = fingerprint()
    assert first == fingerprint()
    (tmp_path / "widget.css").write_text("b {}")
    second = fingerprint()
    (tmp_path / "ledger.py").write_text("two = 2")
    assert len({first, second, fingerprint()}) == 3
    meta._fingerprint.cache_clear()


@pytest.mark.parametrize("name", ["ledger.css", "host.js"])
def test_what_the_extensions_serve_is_there(name):
    assert any(
        path.name == name for path in (*meta.HERE.glob("static/*"), *meta.EXPLORER.glob("*.js"))
    )
