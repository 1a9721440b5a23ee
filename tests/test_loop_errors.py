"""Loops that do not fit, and steps that raise: what is named, and what is left behind."""

import numpy as np
import pytest
from pythons_loops import XS

import tinygrad_math as tm
from tinygrad_math.core.errors import (
    ArgumentError,
    DTypeError,
    NeedsDetach,
    ShapeError,
)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_errors_name_what_does_not_fit(compiled):
    wrap = tm.compile if compiled else lambda f: f
    x, xs = tm.tensor([1.0, 2.0]), np.ones((3, 2))
    with pytest.raises(ShapeError, match=r"its leaf a was float64\(2,\).*float64\(2, 1\)"):
        wrap(lambda x: tm.scan(lambda c, y: ({"a": c["a"][:, None]}, None), {"a": x}, xs))(x)
    with pytest.raises(DTypeError, match=r"was float32\(2,\).*float64\(2,\)"):
        wrap(lambda x: tm.scan(lambda c, y: (c + y, None), x, xs))(x.astype("f"))
    with pytest.raises(ArgumentError, match="keeps its containers"):
        wrap(lambda x: tm.scan(lambda c, y: ((c, c), None), x, xs))(x)
    with pytest.raises(ArgumentError, match=r"returns \(carry, y\)"):
        wrap(lambda x: tm.scan(lambda c, y: c, x, xs))(x)
    with pytest.raises(ShapeError, match="differ in length"):
        wrap(lambda x: tm.scan(lambda c, y: (c, None), x, (xs, xs[:2])))(x)
    with pytest.raises(ShapeError, match="length=4"):
        wrap(lambda x: tm.scan(lambda c, y: (c, None), x, xs, length=4))(x)
    with pytest.raises(ArgumentError, match="length"):
        wrap(lambda x: tm.scan(lambda c, y: (c, None), x))(x)
    with pytest.raises(ArgumentError, match="one boolean"):
        wrap(lambda x: tm.while_loop(lambda c: c > 0, lambda c: c - 1, x))(x)
    with pytest.raises(ArgumentError, match="one boolean"):
        wrap(lambda x: tm.while_loop(lambda c: c.sum(), lambda c: c - 1, x))(x)
    with pytest.raises(ArgumentError, match="n counts steps from 0"):
        wrap(lambda x: tm.fori_loop(-1, lambda i, c: c, x))(x)


def test_ys_stay_alike():
    with pytest.raises(ShapeError, match="at step 1"):
        tm.scan(lambda c, x: (c + 1, tm.zeros(int(c.item()))), 1.0, XS)
    with pytest.raises(ArgumentError, match="at step 1"):
        tm.scan(lambda c, x: (c + 1, None if c > 1 else c), 1.0, XS)


def test_an_exception_names_its_step_and_leaves_all_as_it_was():
    def step(c, x):
        if c > 2:
            raise RuntimeError("too much")
        return c + 1, c

    w = tm.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="too much") as caught:
        tm.scan(step, w, XS[:, 0])
    assert caught.value.__notes__ == ["in scan, step 2 of 5"]
    (w * w).backward()
    assert w.grad.item() == 2.0
    with pytest.raises(ShapeError) as caught:
        tm.compile(lambda x: tm.scan(lambda c, r: (c @ r, None), x, np.ones((4, 5)))[0])(np.ones(3))
    assert "in scan, step 0 of 4" in caught.value.__notes__[-1]
    with pytest.raises(NeedsDetach):
        tm.grad(lambda x: tm.fori_loop(3, lambda i, c: c * np.linalg.det(np.asarray(c)), x).sum())(np.eye(2))


def test_hooks_and_kept_gradients_work_inside():
    seen = []

    def step(c, x):
        c = c * x
        c.retain_grad()
        seen.append(c)
        return c, None

    x = tm.tensor(2.0, requires_grad=True)
    tm.scan(step, x, np.array([3.0, 5.0]))[0].backward()
    assert [s.grad.item() for s in seen] == [5.0, 1.0]
    assert x.grad.item() == 15.0


def test_an_anomaly_points_to_the_line_of_the_step():
    def step(c, x):
        return tm.log(c) + x, None

    with pytest.raises(tm.errors.AnomalyError) as caught, tm.inspect.detect_anomaly():
        tm.scan(step, tm.tensor(1.0, requires_grad=True), np.array([0.0, 1.0]))
    assert "tm.log(c)" in str(caught.value)

    compiled = tm.compile(lambda x: tm.scan(step, x, np.array([0.0, -2.0, 1.0]))[0])
    for f, op in ((compiled, "log made NaN"), (tm.compile(tm.grad(compiled)), "log made NaN")):
        with pytest.raises(tm.errors.AnomalyError, match=op) as caught, tm.inspect.detect_anomaly():
            f(1.5)
        assert "tm.log(c)" in str(caught.value)
        assert caught.value.__notes__ == ["in scan, step 2 of 3"]
    noisy = tm.compile(lambda x: tm.fori_loop(2, lambda i, c: tm.log(c) * tm.random.normal(), x))
    with pytest.raises(tm.errors.AnomalyError, match="log made"), tm.inspect.detect_anomaly():
        noisy(-1.0)


def test_only_the_carries_of_stretches_are_kept():
    import gc

    from tinygrad_math.core.tensor import Node

    def alive():
        gc.collect()
        return sum(getattr(o.data, "size", 0) == 1234 for o in gc.get_objects() if issubclass(type(o), Node))

    x, before = tm.tensor(np.ones(1234), requires_grad=True), 0
    counts = []
    for k in (None, 10):
        before = alive()
        y = tm.fori_loop(100, lambda i, c: tm.sin(c) * 1.1, x, checkpoint=k)
        counts.append(alive() - before)
        del y
    assert counts[0] >= 200
    assert counts[1] <= 30
