"""Drawings: that nothing in them covers something else, and that what is wrong is seen."""

import itertools
import json
import re

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.viz.cards import text_width
from tinygrad_math.viz.marks import Curve, Rectangle, Text


def leaf(value, name=None):
    return tm.tensor(value, requires_grad=True, name=name)


def sum_of_many():
    first, *rest = (leaf(float(k), f"w{k}") for k in range(40))
    return sum(rest, first)


def chain_that_takes_a_leaf_each_time():
    z = leaf(0.5, "z")
    y = z
    for k in range(60):
        y = tm.sin(y) + z * k
    return y


def recurrent():
    out, _ = tm.nn.LSTM(3, 4, rng=0)(np.random.default_rng(0).normal(size=(6, 1, 3)))
    return out.sum() + leaf(1.0, "beside")


def marks(g, kind):
    return [m for group in g.picture().groups if group.kind == kind for m in group.marks]


@pytest.mark.parametrize("f", [sum_of_many, chain_that_takes_a_leaf_each_time, recurrent])
def test_the_arrow_of_a_loop_runs_beside_its_frame_and_through_no_box(f):
    g = tm.graph(f())
    loops = [m for m in marks(g, "frame") if isinstance(m, Curve)]
    assert loops
    for loop, box in itertools.product(loops, (m.rect for m in marks(g, "node") if isinstance(m, Rectangle))):
        (left, right), (top, low) = ((min(c), max(c)) for c in zip(*loop.points, strict=True))
        assert right < box.x or box.x + box.width < left or low < box.y or box.y + box.height < top


def test_the_arrow_of_a_loop_within_a_module_stays_within_it():
    class Steps(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = tm.nn.Parameter(np.array(0.5))

        def forward(self, x):
            for _ in range(60):
                x = tm.sin(x) * self.w
            return x

    g = tm.graph(tm.nn.Sequential(tm.nn.Sequential(Steps()))(leaf(1.0, "x")))
    frames = [m.rect for m in marks(g, "frame") if isinstance(m, Rectangle) and m.role == "module"]
    (loop,) = (m for m in marks(g, "frame") if isinstance(m, Curve))
    reached = max(x for x, _ in loop.points)
    assert frames
    assert all(reached < r.x + r.width for r in frames)


def test_a_gradient_that_is_nan_or_infinite_is_seen_and_said():
    x, ok = leaf([0.0, 4.0], "x"), leaf(2.0, "ok")
    y = (tm.sqrt(x) * np.array([0.0, 1.0])).sum() * 0.5 + ok  # 0 times infinity at x[0]
    g = tm.graph(y)
    bad = [m for m in marks(g, "edges") if isinstance(m, Curve) and m.role == "bad"]
    assert len(bad) == 1
    assert bad[0].dashed
    assert "gradient NaN or infinite" in [m.content for m in marks(g, "legend") if isinstance(m, Text)]
    page = json.loads(re.search(r'id="data">(.*?)</script>', g.html(), re.DOTALL)[1])  # JSON knows no NaN
    assert list(page["sizes"][0].values()).count(None) == 1
    plain = tm.graph((tm.sqrt(x + 1.0)).sum())
    assert not [m for m in marks(plain, "edges") if isinstance(m, Curve) and m.role == "bad"]
    assert "NaN" not in plain.svg()


def test_the_norm_of_a_modules_gradient_is_nan_where_an_entry_is():
    net = tm.nn.Sequential(tm.nn.Linear(2, 2, rng=0), tm.nn.Tanh(), tm.nn.Linear(2, 1, rng=1))
    out = net(np.array([[1.0, np.nan]])).sum()
    assert "grad of parameters, norm nan" in tm.graph(out, levels="layers").svg()
    healthy = tm.graph(net(np.ones((1, 2))).sum(), levels="layers").svg()
    assert "grad of parameters, norm" in healthy
    assert "nan" not in healthy


def test_what_is_smaller_than_the_legend_shows_is_within_its_first_colour():
    a, b = leaf(1.0, "a"), leaf(1.0, "b")
    assert "gradient ≤ 1e+04" in tm.graph(a * 1e8 + b).svg()
    assert "≤" not in tm.graph(a * 100.0 + b).svg()


def test_of_arrows_that_crowd_together_one_says_what_was_done_on_the_way():
    g = tm.graph(tm.concatenate([tm.sin(leaf(float(k), f"w{k}"))[None] for k in range(40)]).sum())
    said = [m for m in marks(g, "edges") if isinstance(m, Text) and m.content == "[None]"]
    assert said
    for a, b in itertools.combinations(said, 2):
        wide = text_width(a.content, a.size)
        assert abs(a.x - b.x) >= wide - 1e-9 or abs(a.y - b.y) >= 10
