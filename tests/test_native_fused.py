"""Two instructions that native programs run as one loop: the bits of two, and nothing is read after it is written."""

from __future__ import annotations

import numpy as np
import pytest
from agreement_of_native import Guarded, assert_bits, assert_close, compiled

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

PAIRS = {
    "a product and a sum": lambda x, y, z: (x * y + z, z + y * x),
    "a product and a difference": lambda x, y, z: (x * y - z, z - x * y, x - 0.5 * y),
    "slopes": lambda x, y, z: (
        tm.grad(lambda x: tm.sum(tm.tanh(x) * y))(x),
        tm.grad(lambda x: tm.sum(z * tm.sigmoid(x)))(4.0 * x),
    ),
    "a momentum": lambda x, y, z: (0.9 * x + y, x - 0.1 * (0.9 * z + y)),
    "both sides": lambda x, y, z: (lambda p, q: (p + q, p - q))(x * y, y * z),
    "a square twice": lambda x, y, z: (lambda p: (p + p, p * p - z))(x * x),
    "what is read again": lambda x, y, z: (lambda p: (p + z, tm.max(p)))(x * y),
    "in a chain of views": lambda x, y, z: (x * y)[1:] + z[1:],
    "turned": lambda x, y, z: x.T * y.T + z.T,
    "rows": lambda x, y, z: x[0] * y - z[:, :1],
    "over its own memory": lambda x, y, z: tm.fori_loop(4, lambda k, c: (c[1] * 0.5 - c[0], c[0] * z + y), (x, y))[0],
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(4, 5), (3, 40), (1, 1)])
@pytest.mark.parametrize("name", PAIRS)
def test_two_instructions_in_one_loop_have_the_bits_of_two_loops(name, shape, dtype, numpys_loops, monkeypatch):
    rng, f = np.random.default_rng(21), PAIRS[name]
    xs = [rng.normal(size=shape).astype(dtype) for _ in range(3)]
    guarded = Guarded(monkeypatch)
    g = compiled(f)
    for given in (xs, [np.asfortranarray(x) for x in xs], [x[:, ::-1].copy()[:, ::-1] for x in xs]):
        want = f(*map(tm.tensor, given))
        (assert_close if name == "slopes" else assert_bits)(g(*given), want)
    guarded.check()


def test_an_update_is_one_loop_and_the_slope_of_a_layer_too():
    def step(w, x, y):
        return w - 0.1 * tm.grad(lambda w: tm.sum((tm.tanh(x @ w) - y) ** 2))(w)

    f, rng = compiled(step), np.random.default_rng(22)
    w, x, y = (rng.normal(size=s) for s in ((3, 2), (9, 3), (9, 2)))
    assert_close(f(w, x, y), [w - 0.2 * x.T @ ((np.tanh(x @ w) - y) * np.cosh(x @ w) ** -2.0)])
    lowered = f.latest.native.lowered
    assert {(first.title, v.title) for v, first in lowered.within.items()} >= {
        ("tanh_slope", "multiply"), ("multiply", "subtract"),
    }  # fmt: skip


def test_a_donated_argument_that_overlaps_another_one_is_read_before_it_is_written():
    base = np.arange(8.0)
    f = compiled(lambda p, x: p - 0.5 * x, donate_argnums=0)
    p, x = base[1:], base[:-1]
    want = p - 0.5 * x
    np.testing.assert_array_equal(f(p, x).numpy(), want)


BETWEEN = {
    "half numbers": (lambda x, y, h: tm.sin(x) * tm.cos(x) + h * tm.cos(x), np.array([2.0, 4.0], np.float16)),
    "half numbers taken away": (lambda x, y, h: (lambda c: tm.sin(x) * c - h * c)(tm.cos(x)), np.ones(2, np.float16)),
    "a number spread out": (lambda x, y, h: tm.sin(h) * tm.cos(h) + h * tm.cos(h), np.broadcast_to(3.0, (2,))),
    "a product and its bias": (lambda x, y, h: (tm.cos(y) @ tm.sin(y)) + tm.cos(y)[0] * h, np.ones(2, np.float16)),
    "slopes": (
        lambda x, y, h: tm.grad(lambda h: tm.sum(tm.tanh(tm.exp(h)) + tm.tanh(h * tm.exp(h)) + h.at[0].add(2)))(h),
        np.broadcast_to(0.3, (2,)),
    ),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_a_line_of_numpy_between_two_instructions_leaves_them_two(name):
    f, given = BETWEEN[name]
    x, y = np.array([3.0, 2.0]), np.array([[0.5, 1.5], [2.5, -1.0]])
    assert_close(compiled(f)(x, y, given), f(*map(tm.tensor, (x, y, given))))
