"""The notebook of the gallery runs cell by cell, and every object in it shows itself."""

import ast
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.notebook import bundle, table

NOTEBOOK = Path(__file__).parents[1] / "examples" / "notebook.ipynb"


def cells():
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def run(source, names):
    """What a cell shows: the value of its last line, if that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NOTEBOOK.name, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)


def shown(thing):
    """The richest form in which a notebook shows a thing."""
    if hasattr(thing, "_repr_mimebundle_"):
        forms = thing._repr_mimebundle_(include=None, exclude=None)
        return next(
            forms[kind] for kind in ("text/html", "image/svg+xml", "text/markdown", "text/plain") if kind in forms
        )
    return thing._repr_png_() if hasattr(thing, "_repr_png_") else repr(thing)


def test_the_notebook_is_stripped_and_well_formed():
    whole = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    assert len({c["id"] for c in whole["cells"]}) == len(whole["cells"])
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in whole["cells"] if c["cell_type"] == "code")


def test_the_notebook_runs_and_shows_what_it_says():
    names, seen = {}, []
    for cell in cells():
        if cell["cell_type"] == "code":
            thing = run("".join(cell["source"]), names)
            if thing is not None:
                seen.append(type(thing).__name__)
                assert len(shown(thing)) > 100
    assert seen == [
        "Graph", "Explanation", "Explanation", "Explanation", "Record", "Change", "Sequential", "History", "Compiled",
        "Figure",
    ]  # fmt: skip
    assert names["g"].value.item() < 10


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)


def test_names_are_text_in_what_a_notebook_shows():
    net = tm.nn.Module()
    net.weight = tm.nn.Parameter(np.ones(2), name="<script>alert(1)</script>\u202e")
    history = tm.train.History([{"<b>loss</b>": 1.0, "epoch": 1}])
    for thing in (net, history, tm.compile(lambda x: x * 2)):
        html = thing._repr_mimebundle_().get("text/html", "")
        tags = Tags()
        tags.feed(html)
        assert not {"script", "b"} & set(tags.seen)
    assert "&lt;b&gt;" in table(("<b>",), [("<i>",)])


def things():
    x = tm.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    f = tm.compile(lambda a: a * 2)
    f(np.ones(2))
    return [
        x,
        tm.graph(y),
        tm.explain(y, x),
        tm.explain(y, [x]),
        tm.record(lambda x: (x * x).sum(), x),
        tm.record(lambda x: (x * x).sum(), x).set("x", 0.0),
        tm.nn.Linear(2, 3, rng=0),
        tm.train.History(),
        tm.train.History([{"epoch": k, "loss": 1.0 / k} for k in range(1, 30)]),
        f,
        f.program,
    ]


@pytest.mark.parametrize("thing", things(), ids=lambda t: type(t).__name__)
def test_every_object_shows_itself(thing):
    assert "text/plain" in thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else repr(thing)
    assert shown(thing)


def test_a_display_never_raises():
    class Broken:
        def __repr__(self):
            raise RuntimeError("no")

    def page():
        raise ValueError("nor this")

    assert bundle(Broken(), html=page, markdown=lambda: "*still*") == {
        "text/plain": "<Broken>",
        "text/markdown": "*still*",
    }
    compiled = tm.compile(lambda x: x)
    assert compiled._repr_mimebundle_().keys() == {"text/plain"}  # nothing was compiled yet
