"""Drawings: what they show, where things stand, and that names are data in every form."""

import io
import itertools
import re
import sys
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.viz.cards import text_width
from tinygrad_math.viz.marks import Curve, Rectangle, Text
from tinygrad_math.viz.svg import FILLS

SVG = "{http://www.w3.org/2000/svg}"


def loss():
    x = tm.tensor(np.ones((2, 2)), requires_grad=True, name="x")
    return ((tm.tanh(x) - 0.5) ** 2).mean()


def lecture():
    w1 = tm.tensor([[1.0, 2.0], [0.0, -1.0]], requires_grad=True, name="W1")
    w2 = tm.tensor([[0.5, 1.0], [1.0, -1.0]], requires_grad=True, name="W2")
    r = w2 @ (w1 @ tm.tensor([1.0, 3.0], name="x")) - tm.tensor([1.0, 0.0], name="y")
    return (r * r).sum()


def net():
    return tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))


def lstm(steps):
    out, _ = tm.nn.LSTM(3, 4, rng=0)(np.random.default_rng(0).normal(size=(steps, 2, 3)))
    return (out**2).sum()


def chain(length):
    y = tm.tensor(1.0, requires_grad=True, name="x")
    for _ in range(length):
        y = tm.sin(y)
    return y


def tangle(count):
    """A graph without order: each step takes what a few steps before made."""
    rng = np.random.default_rng(0)
    live = [tm.tensor(float(i + 1), requires_grad=True, name=f"x{i}") for i in range(5)]
    for _ in range(count):
        i, j = (max(0, len(live) - 1 - int(rng.exponential(s))) for s in (3, 6))
        kind = rng.integers(5)
        live.append((tm.sin, tm.tanh, tm.cos)[kind](live[i]) if kind < 3 else live[i] * live[j] + 0.5)
    return tm.sum(tm.stack(live[-8:]))


def titles(g):
    return {t.id: t.title for t in g.outline().tiles.values()}


def nodes(g):
    """The rectangle and the texts of each box, by the id of the box."""
    found = {}
    for group in g.picture().groups:
        if group.kind == "node":
            box = [m for m in group.marks if isinstance(m, Rectangle)][-1].rect
            found[group.id] = box, [m for m in group.marks if isinstance(m, Text)]
    return found


# -- what is said -----------------------------------------------------------------------------------------------
def test_the_text_names_every_step_with_shape_value_and_gradient():
    x = tm.tensor(3.0, requires_grad=True, name="x")
    lines = tm.graph(tm.tanh(x) * x).text().splitlines()
    assert lines[0] == "n0 = leaf  'x'  float64 ()  3  grad 1.025"
    assert lines[1].startswith("n1 = tanh(n0)  float64 ()  0.9951")
    assert lines[2].startswith("n2 = multiply(n1, n0)")


def test_ids_are_the_same_in_every_run():
    assert tm.graph(loss()).dot == tm.graph(loss()).dot


def test_what_is_shown_can_be_chosen():
    g = tm.graph(loss(), values=False, shapes=False, grads=False)
    for text in (g.text(), g.svg(), g.dot, g.mermaid()):
        assert "float64" not in text
        assert "grad " not in text
        assert "tanh" in text


@pytest.mark.parametrize(
    "f, title",
    [
        (lambda x: x**3, "x**3"),
        (lambda x: x[:, 0], "x[:, 0]"),
        (lambda x: x[1:, None, ...], "x[1:, None]"),
        (lambda x: x.sum(axis=0), "sum(x, axis=0)"),
        (lambda x: tm.linalg.norm(x, ord=1, axis=1), "lp_norm(x, axis=1, ord=1)"),
        (lambda x: 2.0 - x, "2 - x"),
        (lambda x: x / 4.0, "x / 4"),
        (lambda x: x @ tm.tensor(np.eye(3), name="M"), "x @ M"),
        (lambda x: tm.reshape(x, (3, 2)), "reshape(x, (3, 2))"),
        (lambda x: tm.clip(x, 0.0, 1.0), "clip(x, 0, 1)"),
        (lambda x: -x, "-x"),
        (lambda x: x[:, tm.tensor([0, 1], name="rows")], "x[:, rows]"),
    ],
)
def test_a_step_is_written_as_in_python_with_its_parameters_and_operands(f, title):
    x = tm.tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True, name="x")
    assert title in titles(tm.graph(f(x))).values() or title in titles(tm.graph(f(x), fold=False)).values()


def test_parameters_stand_in_the_text_too():
    x = tm.tensor(np.ones((2, 3)), requires_grad=True, name="x")
    text = tm.graph((x**3)[:, 0].sum(axis=0)).text()
    assert "integer_power(n0, n=3)" in text
    assert "getitem(n1, key=(:, 0))" in text


def test_operands_stand_in_the_order_in_which_they_are_written():
    for first, second in (("W", "x"), ("x", "W")):
        x = tm.tensor(np.eye(2), requires_grad=True, name=first)
        y = tm.tensor(np.eye(2), requires_grad=True, name=second)
        at = {t[0].content: box.x for box, t in nodes(tm.graph(x @ y)).values()}
        assert at[first] < at[second]
    u, v = (tm.tensor(a, requires_grad=True, name=n) for a, n in ((1.0, "u"), (2.0, "v")))
    at = {t[0].content: box.y for box, t in nodes(tm.graph(u / v, direction="right")).values()}
    assert at["u"] < at["v"]


def test_small_arrays_are_shown_in_full_and_zeros_read_well():
    x = tm.tensor([[1.0, 2.0], [3.0, 4.5]], requires_grad=True, name="x")
    _, texts = nodes(tm.graph((x * x).sum()))["n0"]
    assert [t.content for t in texts] == ["x", "(2, 2)", "[1    2]", "[3  4.5]", "grad", "[2  4]", "[6  9]"]
    zeros = tm.tensor(np.zeros((30, 40)), requires_grad=True, name="z")
    assert "all 0" in tm.graph(zeros.sum()).text()
    assert "-0" not in tm.graph(tm.tensor([0.0, -0.0, -0.0], requires_grad=True) * 1.0).text()


def test_a_dtype_is_said_where_it_differs_and_else_once():
    x = tm.tensor(np.ones(3), requires_grad=True, name="x")
    small = tm.tensor(np.ones(3, "f4"), name="small")
    svg = tm.graph((x * x + small).sum()).svg()
    assert svg.count("float32") == 1 + svg.count("<title>n") * 0 + len(re.findall("<title>[^<]*float32", svg))
    assert len(re.findall(">float64<", svg)) == 1


def test_a_picture_before_backward_shows_the_gradients_and_none_where_there_are_none():
    x = tm.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = x * x
    before = tm.graph(y.sum()).text()
    y.sum().backward()
    assert before == tm.graph(y.sum()).text().replace("n3", "n2") or "grad [2, 4]" in before
    several = tm.graph(y)
    assert "grad" not in several.text()
    assert "the result is no single number" in several.svg()


def test_the_second_order_graph_says_which_derivative_each_box_is():
    u, v = (tm.tensor(a, requires_grad=True, name=n) for a, n in ((3.0, "u"), (2.0, "v")))
    z = u * tm.sin(v) + u**3
    z.name = "z"
    g = tm.graph(z, order=2)
    by_meaning = {b.meaning: b for b in g.view.boxes if b.meaning}
    assert by_meaning["∂z/∂u"].data == pytest.approx(np.sin(2.0) + 27.0)
    assert by_meaning["∂z/∂v"].data == pytest.approx(3.0 * np.cos(2.0))
    assert {b.part for b in g.view.boxes} == {0, 1}
    assert {f.title for f in g.outline().root.frames()} == {"", "backward"}
    third = tm.graph(z, order=3)
    assert {b.part for b in third.view.boxes} == {0, 1, 2}
    assert any(b.meaning == "∂s/∂u" for b in third.view.boxes)


def test_what_cannot_be_differentiated_is_drawn_and_the_legend_says_so():
    x = tm.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = (x * x).sum()
    x.data[0] = 5.0
    assert "no gradients: " in tm.graph(y).svg()


# -- where things stand -----------------------------------------------------------------------------------------
GRAPHS = {
    "lecture": lecture, "lstm": lambda: lstm(10), "tangle": lambda: tangle(60),
    "net": lambda: net()(np.ones((4, 2))).sum(),
}  # fmt: skip


@pytest.mark.parametrize("direction", ["down", "right"])
@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_do_not_overlap_and_arrows_lead_on(name, direction):
    g = tm.graph(GRAPHS[name](), direction=direction)
    boxes = [box for box, _ in nodes(g).values()]
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            assert (
                a.x + a.width <= b.x + 1 or b.x + b.width <= a.x + 1
                or a.y + a.height <= b.y + 1 or b.y + b.height <= a.y + 1
            )  # fmt: skip
    (edges,) = (grp for grp in g.picture().groups if grp.kind == "edges")
    along = 1 if direction == "down" else 0
    for curve in (m for m in edges.marks if isinstance(m, Curve)):
        places = [p[along] for p in curve.points]
        assert places == sorted(places)


@pytest.mark.parametrize("name", GRAPHS)
def test_text_stays_in_its_box_in_the_widest_of_the_usual_fonts(name):
    from matplotlib import font_manager, ft2font

    fonts = {
        bold: ft2font.FT2Font(font_manager.findfont(f"DejaVu Sans Mono:{'bold' if bold else 'normal'}"))
        for bold in (False, True)
    }
    for box, texts in nodes(tm.graph(GRAPHS[name]())).values():
        for t in texts:
            font = fonts[t.bold]
            font.set_size(t.size, 72)
            font.set_text(t.content)
            width, height = (n / 64 for n in font.get_width_height())
            assert width > 0
            assert box.x < t.x - width / 2 < t.x + width / 2 < box.x + box.width
            assert box.y < t.y - height < t.y < box.y + box.height


def test_modules_are_framed_and_paths_nest():
    class Block(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = tm.nn.Linear(2, 2, rng=0), tm.nn.Linear(2, 2, rng=1)

        def forward(self, x):
            return tm.tanh(self.second(tm.relu(self.first(x))))

    model = tm.nn.Sequential(Block(), Block())
    x = np.ones((1, 2))
    by_names = tm.graph(model(x).sum(), roll=False).outline()
    frames = {f.path: f for f in by_names.root.frames()}
    assert {"0", "0.first", "0.second", "1", "1.first", "1.second"} <= set(frames)
    assert "relu" in [t.box.title for t in frames["0"].tiles()]
    watched = tm.graph(lambda: model(x).sum(), roll=False)
    frames = {f.path: f for f in watched.outline().root.frames()}
    assert [t.box.title for t in frames["1"].tiles() if t.box.is_step][-1] == "tanh"
    assert frames["0.first"].title == "first: Linear"
    assert [len(f.tiles()) for p, f in frames.items() if p.endswith("first")] == [3, 3]


def test_what_uses_parameters_of_several_modules_stands_in_what_holds_them_all():
    """As the one box of a compiled network does: it stood in the frame of its first layer, with the others' weights."""

    def block(seed):
        return tm.nn.Sequential(tm.nn.Linear(2, 3, rng=seed), tm.nn.Tanh(), tm.nn.Linear(3, 2, rng=seed))

    def frames(y):
        found = {f.path: f.tiles() for f in tm.graph(y).outline().root.frames() if f.path}
        return {path: [t.box.title for t in tiles if t.box.is_step] for path, tiles in found.items()}

    x = np.ones((4, 2))
    y = tm.compile(block(0))(x).sum()
    assert frames(y) == {}
    assert all(f"'{name}'" in tm.graph(y).text() for name in ("0.weight", "0.bias", "2.weight", "2.bias"))
    pair = tm.nn.Sequential(block(0), block(1))
    assert frames(tm.compile(pair[1])(tm.compile(pair[0])(x)).sum()) == {"0": ["Sequential"], "1": ["Sequential"]}
    first, second = pair[0][0], pair[1][2]
    assert frames((first.weight.T * second.weight).sum()) == {}
    assert frames((first.weight.T * first.bias).sum())["0.0"][-1] == "multiply"


def test_a_watched_function_tells_the_line_of_each_step_and_needs_no_gradient():
    x = tm.tensor([1.0, 2.0], name="x")

    def f():
        y = tm.sin(x)
        return y * 2.0

    boxes = tm.graph(f).view.boxes
    assert [b.place.text for b in boxes if b.is_step] == ["y = tm.sin(x)", "return y * 2.0"]
    assert [b.title for b in boxes if b.is_step] == ["sin", "multiply"]
    assert tm.graph(f()).text().count("\n") == 1  # nothing was recorded, as nothing is differentiated


def test_a_module_called_twice_has_two_frames():
    layer = tm.nn.LayerNorm(2)
    model = tm.nn.Sequential(layer, tm.nn.Tanh(), layer)
    x = np.array([1.0, 3.0])
    for g in (tm.graph(model(x).sum()), tm.graph(lambda: model(x).sum())):
        paths = [f.path for f in g.outline().root.frames() if f.path]
        assert sorted(paths) in (["0", "0"], ["2", "2"])


# -- large ones -------------------------------------------------------------------------------------------------
def test_the_steps_of_a_recurrent_network_are_drawn_once():
    g = tm.graph(lstm(10))
    (frame,) = (f for f in g.outline().root.frames() if f.kind == "repeat")
    assert (frame.count, frame.loops) == (10, True)
    assert [t.box.title for t in frame.tiles()].count("sigmoid") == 3
    picture = g.picture()
    assert picture.width < 1200
    assert picture.height < 1600
    assert "split[0]" in g.svg()


def test_the_equal_layers_of_a_network_are_drawn_once_and_only_equal_ones():
    layers = [m for k in range(12) for m in (tm.nn.Linear(8, 8, rng=k), tm.nn.Tanh())]
    model = tm.nn.Sequential(tm.nn.Linear(4, 8, rng=0), *layers, tm.nn.Linear(8, 1, rng=0))
    g = tm.graph(lambda: model(np.ones((2, 4))).sum())
    (frame,) = (f for f in g.outline().root.frames() if f.kind == "repeat")
    assert frame.count == 12
    assert len(frame.tiles()) == 4
    odd = [tm.nn.Linear(8, 8, rng=k) if k % 2 else tm.nn.Linear(8, 8, bias=False, rng=k) for k in range(14)]
    odd = tm.graph(tm.nn.Sequential(*odd)(np.ones((2, 8))).sum(), roll=True)
    (frame,) = (f for f in odd.outline().root.frames() if f.kind == "repeat")
    assert frame.count == 7
    beside = tm.graph(sum(tm.sin(tm.tensor(float(k), requires_grad=True)) for k in range(5)), roll=True)
    assert not any(t.count > 1 for t in beside.outline().tiles.values() if t.box.title == "sin")


def test_steps_that_only_move_data_fold_into_the_arrow_and_a_rule_of_ones_own_decides_too():
    x = tm.tensor(np.ones((2, 3)), requires_grad=True, name="x")
    y = tm.exp(tm.reshape(x, (3, 2)).T).sum()
    assert "reshape(x, (3, 2))" in titles(tm.graph(y, fold=False)).values()
    folded = tm.graph(y, fold="moves")
    assert [t.box.title for t in folded.outline().tiles.values()] == ["leaf", "exp", "sum"]
    assert "(3, 2) .T" in folded.svg()
    own = tm.graph(y, fold=lambda box: box.title == "exp")
    assert "exp" not in [t.box.title for t in own.outline().tiles.values()]
    assert "exp" in own.svg()


def test_levels_close_modules_and_no_more_is_drawn_than_asked_for():
    model = tm.nn.Sequential(*(tm.nn.Sequential(tm.nn.Linear(2, 2, rng=k), tm.nn.Tanh()) for k in range(4)))
    y = model(np.ones((1, 2))).sum()
    closed = tm.graph(y, levels=1)
    assert len(nodes(closed)) < len(nodes(tm.graph(y)))
    assert "2 steps" in closed.svg() or "1 step" in closed.svg()
    few = tm.graph(tangle(300), most=20, roll=False)
    assert len(nodes(few)) <= 26
    assert "further steps" in few.svg()


def test_depth_cuts_off_what_is_further_away():
    y = loss()
    assert len(tm.graph(y, depth=1).view.boxes) < len(tm.graph(y).view.boxes)


def test_five_hundred_boxes_are_drawn_within_two_seconds_without_another_program(monkeypatch):
    monkeypatch.setenv("PATH", "")
    y = tangle(560)
    g = tm.graph(y)
    assert len(g.view.boxes) > 500
    times = []
    for _ in range(3):
        start = time.process_time()
        svg = g.svg()
        times.append(time.process_time() - start)
    assert min(times) < 2.0
    assert svg.count('class="node"') > 400


def test_twenty_thousand_boxes_give_a_folded_drawing():
    g = tm.graph(chain(20_000))
    start = time.process_time()
    assert len(nodes(g)) < 10
    assert "sin × 19998" in g.svg()
    assert time.process_time() - start < 20.0
    assert len(tm.graph(chain(20_000), depth=3).view.boxes) == 4


# -- gradients, paths, failures ---------------------------------------------------------------------------------
def test_the_width_of_an_arrow_grows_with_the_gradient():
    a, b = (tm.tensor(1.0, requires_grad=True, name=n) for n in "ab")
    g = tm.graph(a * 100.0 + b)
    (edges,) = (grp for grp in g.picture().groups if grp.kind == "edges")
    ids = {b.name: b.id for b in g.view.boxes}
    at = {id: box for id, (box, _) in nodes(g).items()}
    width = {}
    for m in edges.marks:
        for name in "ab":
            box = at[ids[name]]
            if (
                isinstance(m, Curve)
                and abs(m.points[0][0] - box.x - box.width / 2) < 1
                and abs(m.points[0][1] - box.y - box.height) < 1
            ):
                width[name] = m.width
    assert width["a"] > width["b"] > 1.0
    assert "gradient 1" in g.svg()


def test_paths_between_two_values_are_found_and_stand_out():
    x = tm.tensor(3.0, requires_grad=True, name="x")
    y = tm.sin(x) * x + tm.tensor(1.0, requires_grad=True, name="c")
    g = tm.graph(y)
    ids = {b.name: b.id for b in g.view.boxes if b.name}
    by_title = {b.title: b.id for b in g.view.boxes}
    assert g.paths("x", y) == [
        [ids["x"], by_title["multiply"], by_title["add"]],
        [ids["x"], by_title["sin"], by_title["multiply"], by_title["add"]],
    ]
    marked = g.highlight("x").svg()
    assert marked.count('s-mark"') > 3 > g.svg().count('s-mark"')
    with pytest.raises(tm.ArgumentError, match="x, c"):
        g.paths("q")


def test_a_failed_forward_pass_shows_what_ran_and_the_shapes_that_clashed():
    w = tm.tensor(np.ones((3, 2)), requires_grad=True, name="w")
    h = tm.tanh(w)
    with pytest.raises(tm.ShapeError) as caught:
        h @ h
    g = tm.graph(caught.value)
    assert [b.title for b in g.view.boxes] == ["leaf", "tanh", "matmul"]
    assert g.view.boxes[-1].kind == "failed"
    assert g.text().splitlines()[-1].startswith("failed = matmul(n1, n1)  matmul(float64(3, 2), float64(3, 2))")
    assert g.svg().count('t-bad"') > 1


def test_a_network_that_fails_shows_the_module_and_each_way_of_failing_is_drawn():
    model = tm.nn.Sequential(tm.nn.Linear(2, 4, rng=0), tm.nn.ReLU(), tm.nn.Linear(5, 1, rng=0))
    with pytest.raises(tm.ShapeError) as caught:
        tm.graph(lambda: model(np.ones((3, 2))))
    g = tm.graph(caught.value)
    assert [b.title for b in g.view.boxes if b.is_step] == ["affine", "relu", "Linear"]
    assert g.view.boxes[-1].module == "2"
    x = tm.tensor(np.ones(3), requires_grad=True)
    for f in (lambda: x + np.ones(4), lambda: tm.concatenate([x, np.ones((2, 2))]), lambda: x[5], lambda: x.reshape(2)):
        with pytest.raises(tm.MathError) as caught:
            f()
        assert tm.graph(caught.value).view.boxes[-1].kind == "failed"
    with pytest.raises(tm.ArgumentError, match="no step"):
        tm.graph(ValueError("mine"))


def test_names_of_local_variables_can_be_given():
    x = tm.tensor(2.0, requires_grad=True)
    hidden = x * x
    y = hidden + 1.0
    g = tm.graph(y, names=locals())
    assert [b.name for b in g.view.boxes if b.name] == ["x", "hidden", "y"]
    assert "hidden = x * x" in titles(g).values()


STRIPS = {
    "lstm": lambda: tm.graph(lstm(10), roll=False),
    "tangle": lambda: tm.graph(tangle(200), roll=False, most=700),
    "chain": lambda: tm.graph(chain(300), roll=False, fold=False),
    "layers": lambda: tm.graph(
        lambda: tm.nn.Sequential(*(net2(k) for k in range(9)))(np.ones((2, 2))).sum(), roll=False
    ),
}


def net2(seed):
    return tm.nn.Sequential(tm.nn.Linear(2, 2, rng=seed), tm.nn.Tanh())


@pytest.mark.parametrize("name", STRIPS)
def test_a_strip_is_broken_into_columns_and_says_what_it_said(name, monkeypatch):
    g = STRIPS[name]()
    broken = g.picture()
    monkeypatch.setattr("tinygrad_math.viz.picture.in_columns", lambda *found: found)
    strip = g.picture()
    assert strip.height > 3 * strip.width
    assert broken.height < 1.6 * broken.width
    assert broken.width < 3.5 * broken.height
    said = [
        [(m.content, m.size) for grp in p.groups for m in grp.marks if isinstance(m, Text)] for p in (broken, strip)
    ]
    assert said[0] == said[1]
    boxes = [
        {
            grp.id: grp.marks[-1 - sum(isinstance(m, Text) for m in grp.marks)].rect
            for grp in p.groups
            if grp.kind == "node"
        }
        for p in (broken, strip)
    ]
    assert [(k, r.width, r.height) for k, r in boxes[0].items()] == [
        (k, r.width, r.height) for k, r in boxes[1].items()
    ]
    rects = list(boxes[0].values())
    for a, b in itertools.combinations(rects, 2):
        assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
    assert all(r.x >= 0 and r.x + r.width <= broken.width and r.y + r.height <= broken.height for r in rects)


@pytest.mark.parametrize("name", STRIPS)
def test_an_arrow_that_is_cut_goes_on_in_the_next_column_as_far_from_its_left(name):
    groups = STRIPS[name]().picture().groups
    (lines,) = ([m.points for m in grp.marks] for grp in groups if grp.kind == "break")
    arrows = [m for grp in groups if grp.kind == "edges" for m in grp.marks if isinstance(m, Curve)]
    assert len(lines) >= 2
    assert len(lines) % 2 == 0
    for foot, head in zip(lines[::2], lines[1::2], strict=True):
        (left, low), (end, _) = foot
        (begin, top), (right, _) = head
        assert low > top
        left_at = sorted((m.points[-1][0] - left, m.width, m.color) for m in arrows if on(m.points[-1], left, end, low))
        goes_on = sorted(
            (m.points[0][0] - begin, m.width, m.color) for m in arrows if on(m.points[0], begin, right, top)
        )
        assert left_at
        assert not [m for m in arrows if m.head and on(m.points[-1], left, end, low)]
        shift = goes_on[0][0] - left_at[0][0]  # columns begin where the first of their boxes does
        assert [(round(x + shift, 6), w, c) for x, w, c in left_at] == [(round(x, 6), w, c) for x, w, c in goes_on]
        for grp in groups:
            if grp.kind == "node":
                r = grp.marks[0].rect
                assert not (r.x < end and r.x + r.width > left and r.y < low < r.y + r.height)


def on(p, left, right, y):
    return left - 1e-6 <= p[0] <= right + 1e-6 and abs(p[1] - y) < 1e-6


# -- forms ------------------------------------------------------------------------------------------------------
def test_svg_is_well_formed_and_shows_the_ops():
    root = ET.fromstring(tm.graph(loss()).svg())
    text = "".join(root.itertext())
    assert "tanh" in text
    assert "(2, 2)" in text
    assert "prefers-color-scheme:dark" in text


def test_png_and_pdf_need_no_other_program(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    g = tm.graph(lecture())
    png, pdf = g.png(), g.pdf()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(png[16:20], "big") == pytest.approx(2 * g.picture().width, abs=4)
    assert pdf[:5] == b"%PDF-"
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(tm.MissingExtra, match=r"\.\[viz\]"):
        g.save(tmp_path / "g.png")
    assert not list(tmp_path.iterdir())


def dots(g, **how):
    from PIL import Image

    found = np.asarray(Image.open(io.BytesIO(g.png(**how))).convert("RGB")).astype(int)
    return found, found.shape[1] / g.picture().width


def test_a_png_has_each_box_in_its_colour_and_each_text_in_its_ink_where_the_picture_has_them():
    g = tm.graph(loss())
    found, scale = dots(g)
    blank = np.ones(found.shape[:2], bool)  # where nothing of the picture is
    texts = 0
    for group in g.picture().groups:
        for m in group.marks if group.kind in ("node", "legend", "edges") else ():
            if isinstance(m, Rectangle):
                r = m.rect
                corner = found[round((r.y + 3.5) * scale), round((r.x + r.width / 2) * scale)]
                fill = FILLS[m.role][0]
                assert corner == pytest.approx([int(fill[k : k + 2], 16) for k in (1, 3, 5)], abs=1), m
                ends = (r.x - 2, r.y - 2, r.x + r.width + 2, r.y + r.height + 2)
            elif isinstance(m, Text):
                wide = text_width(m.content, m.size)
                left = m.x if m.left else m.x - wide / 2
                ends = (left, m.y - m.size, left + wide, m.y + 0.3 * m.size)
                x, y, right, low = (round(e * scale) for e in ends)
                words = found[y:low, x:right].min(axis=2)
                columns = np.flatnonzero((words < words.max() - 60).any(axis=0))
                assert columns[0] < 1.2 * m.size * scale, m
                assert columns[-1] > words.shape[1] - 1.2 * m.size * scale - 0.3 * words.shape[1] * m.left, m
                texts += 1
            else:
                xs, ys = zip(*m.points, strict=True)
                ends = (min(xs) - 6, min(ys) - 6, max(xs) + 6, max(ys) + 6)
            x, y, right, low = (max(round(e * scale), 0) for e in ends)
            blank[y:low, x:right] = False
    assert texts > 10
    assert (found[blank] == 255).all()


def test_a_large_picture_is_a_png_of_fewer_dots_and_painted_in_time(monkeypatch):
    large = tm.graph(tangle(500), roll=False, most=700)
    picture = large.picture()
    assert picture.width * picture.height > 1.2e7
    monkeypatch.setattr(large, "picture", lambda: picture)
    start = time.process_time()
    content = large.png()
    assert time.process_time() - start < 6  # an artist for each mark, and all dots: 25
    wide, high = (int.from_bytes(content[k : k + 4], "big") for k in (16, 20))
    assert 0.5 * picture.width < wide < 2 * picture.width
    assert 1e7 < wide * high < 4.1e7


@pytest.mark.parametrize("suffix", ["svg", "html", "dot", "gv", "txt", "mmd", "md"])
def test_save_writes_what_the_ending_says(tmp_path, suffix):
    target = tmp_path / f"g.{suffix}"
    assert tm.graph(loss()).save(target) == target
    assert "tanh" in target.read_text()


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(tm.ArgumentError, match=r"\.svg"):
        tm.graph(loss()).save(tmp_path / "g.jpg")
    assert not list(tmp_path.iterdir())


def test_a_notebook_shows_the_drawing_and_whatever_fails_it_shows_something(monkeypatch):
    g = tm.graph(loss())
    assert g._repr_mimebundle_()["image/svg+xml"].lstrip().startswith("<?xml")

    def broken(self):
        raise RuntimeError("a fault")

    monkeypatch.setattr(type(g), "svg", broken)
    assert "tanh" in g._repr_mimebundle_()["text/plain"]
    monkeypatch.setattr(type(g), "text", broken)
    assert "a fault" in g._repr_mimebundle_()["text/plain"]


def test_many_valued_results_can_be_drawn():
    w, _ = tm.linalg.eigh(tm.tensor(np.diag([2.0, 1.0]), requires_grad=True))
    g = tm.graph(w.sum())
    assert "eigh" in g.text()
    assert "[0]" in g.svg()


def test_a_mermaid_chart_has_a_node_for_each_box_and_a_subgraph_for_each_frame():
    g = tm.graph(net()(np.ones((1, 2))).sum())
    text = g.mermaid()
    assert text.startswith("flowchart TD\n")
    assert len(re.findall(r'^ *v_n\w+\["', text, re.MULTILINE)) == len(g.outline().tiles)
    assert text.count("subgraph ") == text.count("\n  end\n") == 2
    assert text.count("-->") == len(g.outline().links)


def test_graph_refuses_what_is_no_tensor_and_what_makes_no_sense():
    for wrong in ({"y": [1.0]}, {"y": 3.0}, {"y": []}, {"y": lambda: 3.0}):
        with pytest.raises(tm.ArgumentError, match="Tensor"):
            tm.graph(**wrong)
    with pytest.raises(tm.ArgumentError, match=r"lambda: f\(x\)"):
        tm.graph(net())
    for wrong in ({"group": "layer"}, {"order": 0}, {"depth": -1}, {"direction": "up"}, {"most": 1}, {"levels": -1}):
        with pytest.raises(tm.ArgumentError):
            tm.graph(loss(), **wrong)


# -- names are data ---------------------------------------------------------------------------------------------
NAMES = [
    '"', "\\", "\\N", "{}", "<b>", "</pre>", "$x$", "\\input{a}", "a\nb", "%", "{0}", '"]; x [label="', "&lt;", "'",
    "<i>x</i>", "</script><script>alert(1)</script>", "]]>&amp;", "a|b{c}", "<<table></table>>", "ü → ∂", "\n\t",
    "x" * 10_000, "abc\u202edef", "\u200f", "end", "$$$x^2$$", "`code`", "-->", "%%{init}%%", "\x00", "\udc80",
]  # fmt: skip


def named(name):
    def f(x):
        return x * 2

    f.__name__ = name
    op = tm.primitive(f).defvjp(lambda g, y, x: g * 2)
    return op, op(tm.tensor(1.0, requires_grad=True, name=f"{name}.weight")) * tm.tensor(2.0, name=name)


def shown(name):
    """The name as a drawing shows it, without spaces."""
    text = "".join(c if c.isprintable() else " " if c.isspace() else ascii(c)[1:-1] for c in name)
    return "".join(text.split())


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_are_text_in_the_svg(name):
    _, y = named(name)
    root = ET.fromstring(tm.graph(y).svg().encode())
    said = "".join("".join(root.itertext()).split()).replace("\xa0", "")
    assert said.count(shown(name)[:15]) >= 2
    assert {e.tag.removeprefix(SVG) for e in root.iter()} == {"svg", "title", "style", "rect", "g", "path", "text"}
    assert not [e for e in root.iter() for key in e.attrib if key.startswith("on")]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_are_text_in_every_other_form(name):
    op, y = named(name)
    g = tm.graph(y)
    assert len(g.text().splitlines()) == len(g.view.boxes)
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', '""', g.dot)
    assert re.fullmatch(r'[\w\s{}\[\]=,;>"\-.#]*', unquoted)
    mermaid = re.sub(r'"[^"]*"', '""', g.mermaid())
    assert re.fullmatch(r'[\w\s\[\]">|:,#\-]*', mermaid)
    assert len(mermaid.splitlines()) < 20
    assert "#36;#36;" not in g.mermaid()  # what Mermaid sets as a formula
    formula = op.latex.format("x")
    bare = formula.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert r"\input" not in formula


def test_graphviz_shows_the_names_as_they_are(tmp_path):
    import shutil
    import subprocess

    if shutil.which("dot") is None:
        pytest.skip("the program dot is not installed")
    for name in NAMES:
        _, y = named(name)
        done = subprocess.run(["dot", "-Tsvg"], input=tm.graph(y).dot.encode(), capture_output=True, check=True)
        said = "".join("".join(ET.fromstring(done.stdout).itertext()).split()).replace("\xa0", "")
        assert said.count(shown(name)[:15]) >= 2, name


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    g = tm.graph(tm.exp(tm.tensor(1.0, requires_grad=True)))
    with pytest.raises(tm.FileError, match="No such file"):
        g.save(tmp_path / "none" / "a.svg")
    with pytest.raises(tm.ArgumentError, match="path is a text"):
        g.save(3)


def test_names_that_are_no_texts_are_named():
    y = tm.exp(tm.tensor(1.0, requires_grad=True))
    with pytest.raises(tm.ArgumentError, match="the key 1"):
        tm.graph(y, names={1: y})
