"""The reference page: every op, made from the registry, in one file that needs no network."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.__main__ import main
from tinygrad_math.command.curves import plot
from tinygrad_math.command.reference import reference
from tinygrad_math.command.topics import TOPICS
from tinygrad_math.core.op import registry
from tinygrad_math.formulas.rules import rules

EXAMPLES = Path(__file__).parents[1] / "examples"
VOID = {"meta", "input", "br", "link", "hr", "img"}


class Page(HTMLParser):
    """Ids, links, tags that do not close, and attributes."""

    def __init__(self, markup):
        super().__init__()
        self.ids, self.links, self.open, self.attributes = [], [], [], set()
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def markup(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    assert main(["reference", "--out", str(folder)]) == 0
    return (folder / "reference.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(markup):
    return Page(markup)


def test_every_op_has_a_card_and_every_link_leads_somewhere(page):
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    shown = {i.removeprefix("op-") for i in page.ids if i.startswith("op-")}
    assert shown == {name for name, op in registry.items() if op.kind != "structural"}
    assert {link[1:] for link in page.links} <= set(page.ids)  # all within the page


def test_the_page_needs_no_network_and_lets_nothing_in(markup, page):
    assert len(markup) < 5e6
    assert "default-src 'none'" in markup
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", markup)
    assert not {"style", "onclick", "onload"} & page.attributes


def test_rules_are_written_as_formulas():
    assert rules(registry["tanh"]).reverse == (r"\bar{x} = \bar{y} \, (1 - y^2)",)
    assert rules(registry["tanh"]).forward == r"\dot{y} = \dot{x} \, (1 - y^2)"
    assert rules(registry["inv"]).forward == r"\dot{y} = -y \dot{x} y"
    told = (r"\bar{x}_{1} = \bar{y} x_{2}^T", r"\bar{x}_{2} = x_{1}^T \bar{y}")
    assert rules(registry["matmul"]).reverse == told
    assert rules(registry["floor"]).forward is None


def test_most_ops_have_formulas_for_both_rules():
    smooth = [op for op in registry.values() if op.kind in ("elementwise", "linear", "bilinear") and not op.many]
    told = [op for op in smooth if (found := rules(op)).forward is not None and found.reverse]
    assert len(told) > 0.85 * len(smooth)


def test_cards_show_plot_edges_samples_conventions_and_source(markup):
    card = re.search(r'<article class="op" id="op-clip".*?</article>', markup, re.DOTALL)[0]
    for part in ("<math", "<svg", "at its edge points", "samples", "conventions of others", "source", "PyTorch"):
        assert part in card, part
    assert 'class="differs"' in card
    tanh = re.search(r'<article class="op" id="op-tanh".*?</article>', markup, re.DOTALL)[0]
    assert "0.41997" in tanh  # 1 - tanh(1)^2


def test_topics_name_ops_and_examples_that_exist():
    for topic in TOPICS:
        assert set(topic.ops) <= registry.keys(), topic.title
        assert (EXAMPLES / topic.example).exists()


def test_a_plot_breaks_at_poles_and_leaves_out_what_is_not_finite():
    x = np.linspace(-2, 2, 101)
    with np.errstate(all="ignore"):
        drawn = plot(x, [(1 / x, "value"), (np.sqrt(x), "slope")], "1/x")
    value, slope = re.findall(r'<path class="\w+" d="(.*?)"', drawn)
    assert value.count("M") == 2
    assert slope.startswith("M")
    assert "nan" not in drawn
    assert plot(x, [(np.full(101, np.nan), "value")], "nothing") == ""


def test_a_page_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["reference", "--out", str(tmp_path / "file")]) == 1
    assert "reference" in capsys.readouterr().err
    assert issubclass(tm.FileError, OSError)


@pytest.mark.long
def test_the_page_is_made_alike_each_time(markup):
    assert reference() == markup
