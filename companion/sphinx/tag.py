"""A docutils node that stands for one HTML element; other formats see its content only.

docutils' own tables have no ``scope`` on their headers and no roles, which a table that turns into
cards on a narrow screen needs.
"""

from docutils import nodes

from companion.sphinx.meta import about


class tag(nodes.General, nodes.TextElement):
    """``tag("th", {"scope": "row"}, child, ...)``."""

    def __init__(self, name: str = "", html: dict[str, str] | None = None, *children: nodes.Node):
        super().__init__("", "", *children, name=name, html=html or {})


def _visit(translator, node: tag) -> None:
    attributes = "".join(
        f' {key}="{translator.attval(value)}"' for key, value in node["html"].items()
    )
    translator.body.append(f"<{node['name']}{attributes}>")


def _depart(translator, node: tag) -> None:
    translator.body.append(f"</{node['name']}>\n")


def _nothing(translator, node: tag) -> None:
    pass


def setup(app) -> dict:
    plain = (_nothing, _nothing)
    app.add_node(tag, html=(_visit, _depart), latex=plain, text=plain, man=plain, texinfo=plain)
    return about()
