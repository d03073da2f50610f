"""The page of a run's grid: whole in itself, a table for all readers, and nothing of a model's words obeyed."""

import re
from html.parser import HTMLParser

from llmkit.reports.heat import heat_maps
from llmkit.reports.heat_html import heat_html
from tests.reports.grids import grid


class Page(HTMLParser):
    """What a browser makes of a page: elements in order, and the texts of cells with their titles and classes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.attributes, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta",):
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag  # well formed

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "small"):
            self.cells[-1][2] += data


def page(run=None):
    run = run or grid()
    return heat_html(run, heat_maps(run))


def test_it_takes_nothing_from_elsewhere_and_runs_nothing():
    text = page()
    found = Page(text)
    assert found.open == []
    assert not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in found.attributes)
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|url\(|@import", text)


def test_heads_say_what_they_are_the_heads_of():
    heads = [(attrs["scope"], text) for tag, attrs, text in Page(page()).cells if tag == "th"]
    assert heads == [
        ("col", "depth ↓ length →"), ("col", "500"), ("col", "1000"), ("col", "16000"), ("col", "all"),
        ("row", "0%"), ("row", "50%"), ("row", "100%"), ("row", "all"),
    ]  # fmt: skip


def test_a_cell_says_its_value_and_its_title_all_of_it():
    cells = [(attrs, text) for tag, attrs, text in Page(page()).cells if tag == "td"]
    attrs, text = cells[8]
    assert text == "0.67 n=3[0.27, 1.00]"
    assert attrs["title"] == "0.6667, 95 % interval 0.2667 to 1.0000 (wilson), n=3"


def test_what_has_no_value_is_marked_apart_and_is_no_0():
    cells = [(attrs, text) for tag, attrs, text in Page(page()).cells if tag == "td"]
    overflow, failed = cells[2], cells[5]
    assert overflow[1] == "3 overflow"
    assert overflow[0]["class"] == "mark"
    assert overflow[0]["title"] == "no value: nothing was scored, n=0, 3 overflowed"
    assert failed[1] == "3 failed"
    assert failed[0]["class"] == "mark"


def test_names_are_escaped():
    hostile = "<script>alert(1)</script>\"'&\x1b[31m"
    text = page(grid(run_id=hostile, started_at=hostile, faults={hostile: (1, hostile)}))
    assert "<script" not in text
    assert "\x1b" not in text
    Page(text)


def test_the_language_the_title_and_the_signature_are_there():
    text = page()
    assert '<html lang="en">' in text
    assert "<title>needle · local/smol</title>" in text
    assert "needle|case:exact|v:1" in text
