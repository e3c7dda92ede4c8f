"""The ledger of the built book: every claim has its place on its chapter's page, and its row leads there."""

import json
from collections import Counter
from html.parser import HTMLParser

import pytest

pytestmark = pytest.mark.browser


class Ids(HTMLParser):
    """Counts the ids and the links of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.ids, self.links = Counter(), Counter()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag == "a" and "href" in given:
            self.links[given["href"]] += 1


@pytest.fixture(scope="module")
def records(built):
    return json.loads((built / "ledger.json").read_text(encoding="utf8"))


def test_every_anchor_is_on_its_page_once_and_linked_from_the_ledger(records, built):
    claimed = [record for record in records if record["chapter"]]
    assert claimed
    ledger = Ids((built / "ledger.html").read_text(encoding="utf8"))
    pages = {
        chapter: Ids((built / f"{chapter}.html").read_text(encoding="utf8"))
        for chapter in {record["chapter"] for record in claimed}
    }
    for record in claimed:
        assert pages[record["chapter"]].ids[record["anchor"]] == 1, record
        assert ledger.links[f"{record['chapter']}.html#{record['anchor']}"] == 1, record


def test_no_record_is_failed_and_every_statement_has_one(records):
    assert {record["status"] for record in records} <= {
        "proved here", "corrected", "caveat", "evidence", "reconstructed", "reproduced", "open",
    }  # fmt: skip
    assert all(record["holds"] in (True, None) for record in records)


def test_a_row_leads_to_the_text_of_its_claim(records, visit, address):
    record = next(
        record
        for record in records
        if record["status"] == "corrected" and record["kind"] == "counterexample"
    )
    page = visit(f"{address}/ledger.html").page
    page.click(f"a[href$='#{record['anchor']}']")
    page.wait_for_url(f"**/{record['chapter']}.html#{record['anchor']}")
    page.wait_for_load_state("load")
    page.evaluate("() => MathJax.startup.promise")  # formulas move what is below them
    page.wait_for_timeout(300)
    shown = page.evaluate(
        """id => {
            const place = document.getElementById(id);
            let output = place;
            while (output.classList.contains("claim-place")) output = output.nextElementSibling;
            return { top: place.getBoundingClientRect().top, height: innerHeight, text: output.innerText };
        }""",
        record["anchor"],
    )
    assert record["statement"] in shown["text"]
    assert 0 <= shown["top"] <= shown["height"] / 2
