"""A chapter in a real JupyterLab with a kernel: its explorer computes on demand, and soon enough."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.browser.support import ROOT, chapters, source

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WARM = 150  # ms: an answer within this feels immediate enough to drag a slider


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A copy of the first chapter with an explorer, alone in a folder."""
    for chapter in chapters():
        path = source(chapter)
        if "Explorer(" in path.read_text(encoding="utf-8"):
            return shutil.copy(path, tmp_path_factory.mktemp("lab") / path.name)
    pytest.fail("No chapter of _toc.yml has an explorer.", pytrace=False)


@pytest.fixture(scope="module")
def lab(notebook, tmp_path_factory):
    """The address of a JupyterLab on that folder; nothing of the reader's own settings."""
    home = tmp_path_factory.mktemp("jupyter")
    settings = home / "settings" / "@jupyterlab"
    for extension, name, value in (
        # Render every cell, also those below the fold.
        ("notebook-extension", "tracker", {"windowingMode": "none"}),
        # No question about news, which needs another host.
        ("apputils-extension", "notification", {"fetchNews": "false", "checkForUpdates": False}),
    ):
        folder = settings / extension
        folder.mkdir(parents=True)
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(value))
    environment = {name: value for name, value in os.environ.items() if name != "COMPANION_STATIC"}
    environment |= {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": str(ROOT),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "lab.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={notebook.parent}", "--IdentityProvider.token=",
                "--LabApp.expose_app_in_browser=True",
            ],
            env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api/status", server, log)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str, server: subprocess.Popen, log) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}", pytrace=False)


def test_an_explorer_computes_on_demand(lab, notebook, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/lab/tree/{notebook.name}?reset")
    ready = """() => window.jupyterapp?.shell.currentWidget?.context?.isReady
        && window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel"""
    page.wait_for_function(ready, timeout=90_000)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    explorer = page.locator(".gf-explorer").first
    # The whole chapter runs first, compilation included.
    explorer.wait_for(state="attached", timeout=240_000)
    page.wait_for_function(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status
            === "idle" """,
        timeout=240_000,
    )
    explorer.scroll_into_view_if_needed()
    error = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    assert error.count() == 0, error.first.inner_text()

    times = []
    slider, picture = explorer.locator("input[type=range]").first, explorer.locator(".gf-picture")
    shown_first = slider.input_value()
    pictures = {picture.inner_html()}
    for key in ("Home", *["ArrowRight"] * min(12, int(slider.get_attribute("max")))):
        # The time of an answer stands in the page only once the answer has come.
        explorer.evaluate("root => { delete root.dataset.milliseconds }")
        slider.press(key)
        if slider.input_value() == shown_first:
            continue  # not asked for again
        page.wait_for_function(
            "root => root.dataset.milliseconds", arg=explorer.element_handle(), timeout=60_000
        )
        times.append(float(explorer.get_attribute("data-milliseconds")))
        pictures.add(picture.inner_html())
    page.close()
    assert len(pictures) > len(times) / 2, "the slider moved and the picture did not"
    # Where we measure: in the kernel, from the question's arrival to the answer handed to the socket
    # (computing, drawing, SVG); socket and browser belong to the machine. The quickest quarter counts,
    # because the first answer may still compile and other tests share the cores meanwhile.
    print(f"warm answers of {notebook.name}: {[round(each) for each in times]} ms")
    assert statistics.quantiles(times, n=4)[0] <= WARM, times
