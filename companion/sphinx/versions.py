"""Sphinx extension: ``{versions}`` lists the packages a book was computed with, as they are installed."""

import platform
from importlib.metadata import PackageNotFoundError, version

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ConfigError
from sphinx.util.docutils import SphinxDirective

from companion.sphinx import settings
from companion.sphinx.meta import about
from companion.sphinx.tag import tag


def installed(names: list[str]) -> list[tuple[str, str]]:
    """Name and version of Python and of each package."""
    found = [("Python", platform.python_version())]
    for name in names:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            raise ConfigError(f"companion_packages names {name}, which is not installed.") from None
    return found


class VersionsDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        head = tag(
            "tr", {}, *[tag("th", {"scope": "col"}, nodes.Text(t)) for t in ("Package", "Version")]
        )
        body = [
            tag(
                "tr",
                {},
                tag("th", {"scope": "row"}, nodes.Text(name)),
                tag("td", {}, nodes.Text(number)),
            )
            for name, number in installed(settings.packages(self.config))
        ]
        caption = tag("caption", {}, nodes.Text("The versions this book was computed with"))
        return [
            tag(
                "table",
                {"class": "table versions"},
                caption,
                tag("thead", {}, head),
                tag("tbody", {}, *body),
            )
        ]


def setup(app: Sphinx) -> dict:
    app.setup_extension("companion.sphinx.tag")
    app.add_config_value("companion_packages", None, "env", (list,))
    app.add_directive("versions", VersionsDirective)
    return about()
