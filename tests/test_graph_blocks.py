"""Drawings of networks: closed modules say what they are, repeats what happens in each of them, and names stay free."""

import itertools
import math
import re

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.viz.marks import Curve, Rectangle, Text
from tinygrad_math.viz.svg import curves

nn = tm.nn


def conv():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3, rng=1)
    )


def deep(count, width=4):
    layers = [m for k in range(count) for m in (nn.Linear(width, width, rng=k), nn.Tanh())]
    return nn.Sequential(*layers)


def rms(a):
    return math.sqrt(np.mean(np.square(np.asarray(a))))


def cards(g):
    """The texts of each box and closed module."""
    return [[m.content for m in grp.marks if isinstance(m, Text)] for grp in g.picture().groups if grp.kind == "node"]


def ink(g):
    """Points on all arrows, close to each other."""
    (edges,) = (grp for grp in g.picture().groups if grp.kind == "edges")
    found = []
    for m in (m for m in edges.marks if isinstance(m, Curve)):
        begin = m.points[0]
        for a, b, c in curves(m.points, m.right):
            p, q = (a, b) if a is not None else (begin, c)
            for t in np.linspace(0, 1, 60):
                w = np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])
                found.append(w @ np.array([begin, p, q, c]))
            begin = c
    return np.array(found)


def struck(points, text):
    """How far arrows run through the middle of a line of text that begins at its left."""
    wide = 0.55 * text.size * len(text.content)
    x, y = points.T
    return int(((x > text.x + 1) & (x < text.x + wide) & (y > text.y - 6) & (y < text.y - 1)).sum())


def residual():
    class Block(nn.Module):
        def __init__(self, k):
            super().__init__()
            self.norm, self.first = nn.LayerNorm(4), nn.Linear(4, 4, rng=k)

        def forward(self, x):
            return x + tm.tanh(self.first(self.norm(x)))

    model = nn.Sequential(*(Block(k) for k in range(6)))
    x = tm.tensor(np.random.default_rng(0).normal(size=(3, 4)), name="x")
    return tm.graph(lambda: (model(x) ** 2).sum())


def encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 16, rng=0)
    return tm.graph(lambda: (layer(np.random.default_rng(0).normal(size=(2, 5, 8))) ** 2).mean())


def recurrent():
    cell = nn.LSTMCell(3, 4, rng=0)
    return tm.graph(lambda: cell(np.random.default_rng(0).normal(size=(2, 3)))[0].sum())


def third():
    x = tm.tensor(0.7, requires_grad=True, name="x")
    return tm.graph(tm.sin(x) * x**3, order=3)


# -- closed modules ---------------------------------------------------------------------------------------------
def test_a_drawing_of_layers_says_shapes_parameters_and_gradients_of_each():
    model = conv()
    x = tm.tensor(np.random.default_rng(0).normal(size=(2, 1, 8, 8)), name="images")
    g = tm.graph(lambda: (model(x) ** 2).mean(), levels="layers")
    said = {c[0]: c[1:] for c in cards(g)}
    assert said["0: Conv2d"][0] == "(2, 1, 8, 8) → (2, 4, 8, 8)"
    assert said["0: Conv2d"][1].startswith("40 parameters, ")
    assert said["4: Linear"][:2] == ["(2, 64) → (2, 3)", "195 parameters, 1 step"]
    assert "weight" not in said
    (model(x) ** 2).mean().backward()
    norm = math.hypot(*(np.linalg.norm(p.grad) for p in model[0].parameters()))
    (line,) = (t for t in said["0: Conv2d"] if t.startswith("grad of parameters, norm "))
    assert float(line.split()[-1]) == pytest.approx(norm, rel=5e-3)


def test_names_of_parameters_alone_tell_of_layers_too():
    model = conv()
    y = (model(tm.tensor(np.ones((2, 1, 8, 8)), name="images")) ** 2).mean()
    said = {c[0]: c[1:] for c in cards(tm.graph(y, levels="layers"))}
    assert said["0"][1].startswith("40 parameters, ")


def test_only_modules_that_hold_no_others_are_layers():
    layer = nn.TransformerEncoderLayer(8, 2, 16, rng=0)
    g = tm.graph(lambda: layer(np.ones((2, 5, 8))).sum(), levels="layers")
    closed = {f.path: f.open for f in g.outline().root.frames() if f.kind == "module"}
    assert [p for p, is_open in closed.items() if is_open] == ["", "self_attn"]
    assert {"norm1", "linear1", "self_attn.out_proj"} < set(closed)


def test_a_frozen_module_counts_its_parameters_and_an_input_with_a_gradient_is_none():
    layer = nn.Linear(3, 2, rng=0)
    for p in layer.parameters():
        p.requires_grad = False
    x = tm.tensor(np.ones((4, 3)), requires_grad=True, name="x")
    (card,) = (c for c in cards(tm.graph(lambda: layer(x).sum(), levels=0)) if c[0] == "Linear")
    assert card[1:3] == ["(4, 3) → (4, 2)", "8 parameters, 1 step"]
    assert not any("of parameters, norm" in t for t in card)


def test_the_arrow_from_a_closed_module_shows_the_gradient_that_flows_there():
    model = deep(2)
    x = np.random.default_rng(0).normal(size=(3, 4))
    for g in (tm.graph((model(x) ** 2).sum(), levels=0), tm.graph(lambda: (model(x) ** 2).sum(), levels=0)):
        (edges,) = (grp for grp in g.picture().groups if grp.kind == "edges")
        lines = [m for m in edges.marks if isinstance(m, Curve) and m.color]
        assert len(lines) >= 2  # from the module, and from the square
        words = [
            t.content for grp in g.picture().groups if grp.kind == "legend" for t in grp.marks if hasattr(t, "content")
        ]
        assert "leaf" not in words
        assert "module" in words


def test_a_wrong_word_for_levels_is_refused():
    with pytest.raises(tm.errors.ArgumentError, match="'layers'"):
        tm.graph(tm.tensor(1.0), levels="modules")


# -- repeats ----------------------------------------------------------------------------------------------------
def test_a_repeat_says_how_large_the_gradient_is_in_each_block():
    model = deep(12)
    x = tm.tensor(np.random.default_rng(0).normal(size=(3, 4)), name="x")
    g = tm.graph(lambda: (model(x) ** 2).sum())
    (model(x) ** 2).sum().backward()
    sizes = [rms(model[2 * k].weight.grad) for k in range(12)]
    (line,) = (c[-1] for c in cards(g) if c[0] == "weight")
    word, first, bars, last = line.split()
    assert word == "grad"
    assert (float(first), float(last)) == pytest.approx((sizes[0], sizes[-1]), rel=0.05)
    heights = ["▁▂▃▄▅▆▇█".index(b) for b in bars]
    assert len(heights) == 12
    assert heights == sorted(heights) == [heights[i] for i in np.argsort(sizes, kind="stable")]
    assert heights[0] == max(round(7 * (1 + math.log10(sizes[0] / max(sizes)) / 4)), 0)
    assert "by powers of ten" in g.svg()


def test_closed_modules_of_a_repeat_say_it_of_their_parameters():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(4, 4, rng=k), nn.Tanh()) for k in range(12)))
    x = tm.tensor(np.random.default_rng(0).normal(size=(3, 4)), name="x")
    g = tm.graph(lambda: (model(x) ** 2).sum(), levels=1)
    (model(x) ** 2).sum().backward()
    ends = [math.hypot(*(np.linalg.norm(p.grad) for p in m.parameters())) for m in (model[0], model[11])]
    (card,) = (c for c in cards(g) if "× 12" in c[0])
    assert card[1:3] == ["(3, 4) → (3, 4)", "20 parameters each, 2 steps"]
    (line,) = (t for t in card if "of parameters, norm" in t)
    found = re.search(r"norm (\S+) [▁▂▃▄▅▆▇█]{12} (\S+)$", line)
    assert [float(v) for v in found.groups()] == pytest.approx(ends, rel=0.05)


# -- what can be read -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("draw", [residual, encoder, recurrent, third])
def test_no_arrow_runs_through_the_name_of_a_frame_or_the_words_at_an_arrow(draw):
    g = draw()
    points = ink(g)
    names = [grp.marks[0] for grp in g.picture().groups if grp.kind == "name"]
    (edges,) = (grp for grp in g.picture().groups if grp.kind == "edges")
    words = [m for m in edges.marks if isinstance(m, Text) and m.role == "through"]
    assert names
    assert [t.content for t in (*names, *words) if struck(points, t)] == []


def test_the_forward_pass_does_not_wait_for_the_backward_one():
    x = tm.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = tm.sin(tm.exp(x) ** 2).sum()
    y.name = "L"
    g = tm.graph(y, order=2)
    rects = {
        grp.id: [m for m in grp.marks if isinstance(m, Rectangle)][-1].rect
        for grp in g.picture().groups
        if grp.kind in ("node", "frame")
    }
    (backward,) = (f for f in g.outline().root.frames() if f.kind == "pass")
    (result,) = (b.id for b in g.view.boxes if b.name == "L")
    assert rects[result].y <= rects[backward.id].y + 1


def test_a_network_runs_straight_down():
    g = tm.graph(lambda: deep(6)(tm.tensor(np.ones((3, 4)), name="x")).sum(), roll=False)
    rects = {
        grp.id: [m for m in grp.marks if isinstance(m, Rectangle)][-1].rect
        for grp in g.picture().groups
        if grp.kind == "node"
    }
    steps = [rects[b.id] for b in g.view.boxes if b.title in ("affine", "tanh")]
    middles = [r.x + r.width / 2 for r in steps]
    columns = sum(b.y < a.y for a, b in itertools.pairwise(steps))
    assert columns < 3
    assert sum(abs(a - b) > 60 for a, b in itertools.pairwise(middles)) == columns


def test_draws_and_objects_are_told_without_addresses():
    drop = nn.Dropout(0.5)
    g = tm.graph(lambda: drop(np.ones(4)).sum())
    for form in (
        g.svg(),
        g.text(),
        g.dot,
        g.mermaid(),
        g.html().partition('<script type="application/json"')[2].partition("</script>")[0],
    ):
        assert "0x" not in form
    assert "random.random()" in [t.title for t in g.outline().tiles.values()]


def test_a_check_of_labels_is_no_box():
    x = tm.tensor(np.ones((2, 3)), requires_grad=True, name="x")
    g = tm.graph(lambda: nn.functional.cross_entropy(x, np.array([0, 2])))
    assert "checked_labels" not in g.svg()
