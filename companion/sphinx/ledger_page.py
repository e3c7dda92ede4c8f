"""The ledger as a reader sees it: a table for each paper, and the counts as a sentence."""

from collections.abc import Callable, Mapping

from docutils import nodes

from companion.sphinx import ledger_rows as rows
from companion.sphinx import ledger_text as text
from companion.sphinx.tag import tag
from companion.statements import Statement

#: From a claim to a reference to its place on its page.
Link = Callable[[rows.Claim], nodes.Node]
COLUMNS = ("statement", "claim", "predicted", "measured", "tolerance")


def pieces(parts: list[text.Piece]) -> list[nodes.Node]:
    make = {
        "text": nodes.Text,
        "math": lambda t: nodes.math(t, t),
        "sup": lambda t: nodes.superscript(t, t),
        "sub": lambda t: nodes.subscript(t, t),
    }
    return [make[kind](content) for kind, content in parts]


def cell(label: str, *children: nodes.Node) -> tag:
    """A cell that carries its column's name, shown when the table is laid out as cards."""
    return tag("td", {"role": "cell", "data-label": label}, *children)


def noted(kind: str, words: str) -> list[tag]:
    """A line in smaller print, if there is anything to say."""
    return [tag("div", {"class": f"ledger-{kind}"}, *pieces(text.claim(words)))] if words else []


def claim_row(claim: rows.Claim, link: Link) -> list[tag]:
    """The cells of one claim: what is claimed and where, predicted, measured, tolerance."""
    where = tag("div", {"class": "ledger-where"}, nodes.Text("in "), link(claim))
    over = f"over {claim.over}" if claim.over else ""
    return [
        cell("claim", *pieces(text.claim(claim.text)), *noted("caveat", claim.caveat), where),
        cell("predicted", *pieces(text.claim(claim.predicted))),
        cell(
            "measured",
            *pieces(text.claim(text.figure(claim.raw, claim.measured))),
            *noted("over", over),
        ),
        cell("tolerance", *pieces(text.claim(text.tolerance(claim.tolerance, claim.kind)))),
    ]


def statement_rows(
    statement: Statement, claims: list[rows.Claim], spelling: Mapping[str, str], link: Link
) -> tag:
    """One statement: its header cell, and a row for each of its claims."""
    state = rows.status(statement, claims)
    header = tag(
        "th",
        {"scope": "rowgroup", "role": "rowheader", "id": f"ledger-{statement.id}"}
        | ({"rowspan": str(len(claims))} if len(claims) > 1 else {}),
        nodes.strong("", text.number(statement.number)),
        tag("div", {"class": "ledger-title"}, *pieces(text.title(statement.title, spelling))),
        tag("span", {"class": f"ledger-status is-{state.replace(' ', '-')}"}, nodes.Text(state)),
        tag("code", {"class": "ledger-id"}, nodes.Text(statement.id)),
        *noted("remark", statement.remark),
    )
    if not claims:
        empty = tag(
            "td", {"role": "cell", "colspan": "4"}, nodes.Text("No chapter reproduces it yet.")
        )
        lines = [[header, empty]]
    else:
        lines = [claim_row(claim, link) for claim in claims]
        lines[0].insert(0, header)
    return tag(
        "tbody", {"role": "rowgroup"}, *[tag("tr", {"role": "row"}, *line) for line in lines]
    )


def paper_table(
    name: str,
    statements: list[Statement],
    ledger: Mapping[str, list[rows.Claim]],
    spelling: Mapping[str, str],
    link: Link,
) -> tag:
    """The statements of one paper."""
    head = [
        tag("th", {"scope": "col", "role": "columnheader"}, nodes.Text(column))
        for column in COLUMNS
    ]
    # Roles are spelt out because a table laid out as cards (display: block) loses the ones it has by nature.
    return tag(
        "table",
        {"class": "ledger", "role": "table"},
        tag("caption", {}, nodes.Text(name)),
        tag("thead", {"role": "rowgroup"}, tag("tr", {"role": "row"}, *head)),
        *[statement_rows(s, ledger[s.id], spelling, link) for s in statements],
    )


#: How the summary says each status, in its order.
SAID = {
    "proved here": "proved", "reproduced": "reproduced", "caveat": "reproduced with a caveat", "corrected": "corrected",
    "reconstructed": "reconstructed", "evidence": "with evidence only", "failed": "failed",
}  # fmt: skip


def summary(
    statements: Mapping[str, Statement], ledger: Mapping[str, list[rows.Claim]], papers: int
) -> str:
    """The counts in two sentences."""
    totals = rows.counts(statements, ledger)
    parts = [f"{totals[status]} {words}" for status, words in SAID.items() if totals[status]]
    claims = [claim for found in ledger.values() for claim in found]
    left = totals["open"]
    still_open = f"{left} are still open" if left > 1 else f"{left or 'none'} is still open"
    return (
        f"Of the {text.several(len(ledger), 'numbered statement')} of {text.several(papers, 'paper')}, "
        f"{len(ledger) - left} have claims in this book ({', '.join(parts) or 'nothing yet'}), and {still_open}. "
        f"There are {text.several(len(claims), 'claim')}, measured in "
        f"{text.several(len({claim.chapter for claim in claims}), 'chapter')}."
    )
