"""Sorted rows, their places, medians and quantiles in machine code: NumPy's bits, and nothing written outside."""

from __future__ import annotations

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, compiled, surrounded

import tinygrad_math as tm
from tinygrad_math.compiler.native.orders import function

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

RNG = np.random.default_rng(41)


def numbers(shape, dtype):
    """Numbers of which many are equal, with zeros of both signs and NaN among floats."""
    x = (RNG.normal(size=shape) * 3).round().astype(dtype)
    if x.dtype.kind in "fc" and x.size > 3:
        x.reshape(-1)[:3] = 0.0, np.nan, -0.0
    return x


def layouts(x):
    return x, x[::-1], np.asfortranarray(x), np.repeat(x, 2, -1)[..., ::2]


def left(f):
    return [v.title for v in f.latest.program.body if not f.latest.native.lowered.is_native(v)]


def assert_bytes(f, x, monkeypatch):
    """f natively, over a used workspace between canaries, has the bytes of f as it is; nothing is left to NumPy."""
    with monkeypatch.context() as patch, np.errstate(all="ignore"):
        g, guarded, frames = compiled(f), Guarded(patch), []
        g(x)
        got, want = arrays(g(surrounded(x, frames))), arrays(f(tm.tensor(x)))
        for a, b in zip(got, want, strict=True):
            assert (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
        if g.latest.native is not None:
            guarded.check()
        for memory, before in frames:
            assert (memory == before).all()
    assert not x.size or left(g) == []


@pytest.mark.parametrize("dtype", [*"dfihF?"])
@pytest.mark.parametrize("shape", [(7,), (5, 6), (2, 3, 4), (3, 1), (2, 0), (600,)])
def test_sorted_rows_and_their_places_have_numpys_bytes(shape, dtype, monkeypatch):
    x = numbers(shape, dtype)
    for axis in (None, *range(len(shape))):
        for y in layouts(x):

            def f(x, axis=axis):
                up = tm.sort(x, axis=axis), tm.argsort(x, axis=axis), tm.argsort(x, axis=axis, stable=False)
                return *up, tm.sort(x, axis=axis, descending=True), tm.argsort(x, axis=axis, descending=True)

            assert_bytes(f, y, monkeypatch)


def test_the_largest_few_and_their_derivative(monkeypatch):
    x = numbers((4, 6), "d")
    assert_bytes(lambda x: tuple(tm.topk(x, 3, axis=0)), x, monkeypatch)
    x = np.array([[2.0, 1.0, 2.0, 3.0], [0.0, -0.0, 5.0, 5.0]])
    slope = compiled(tm.grad(lambda x: tm.sum(tm.topk(x, 2).values * tm.tensor([10.0, 1.0]))))(x)
    assert slope.tolist() == [[1.0, 0.0, 0.0, 10.0], [0.0, 0.0, 10.0, 1.0]]


@pytest.mark.parametrize("kinds", ["dd", "ff", "ll", "df", "dl", "Bi", "??"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_keys_are_searched_for_as_numpy_does(kinds, side, monkeypatch):
    """In sorted rows with NaN at the end, in others, in none, and in those that lie apart; keys in any order."""
    guarded = Guarded(monkeypatch)
    for n in (0, 1, 2, 7, 33):
        for keys in (numbers((5, 4), kinds[1]), numbers(1, kinds[1])[0], np.sort(numbers(9, kinds[1]))[::-1]):
            row = numbers(n, kinds[0])
            for y in (np.sort(row), row, np.repeat(np.sort(row), 2)[::2], np.sort(row)[::-1]):
                f = compiled(lambda x, k: tm.searchsorted(x, k, side=side))
                np.testing.assert_array_equal(f(y, keys).numpy(), np.searchsorted(y, keys, side=side))
                assert left(f) == []
    guarded.check()


def test_rows_are_sorted_within_a_loop():
    def f(x):
        return tm.fori_loop(4, lambda k, x: tm.sort(x, axis=0) * 0.5 + tm.sort(x, axis=1, descending=True), x)

    x = RNG.normal(size=(5, 3))
    for g in (f, tm.grad(lambda x: tm.sum(f(x) ** 2))):
        h = compiled(g)
        np.testing.assert_array_equal(h(x).numpy(), g(tm.tensor(x)).numpy())
        assert left(h) == []


def test_a_function_that_does_not_sort_as_numpy_is_not_taken(monkeypatch):
    from tinygrad_math.compiler.native import orders

    monkeypatch.setattr(orders, "_FIRST", {"sort": 37, "argsort": 33})  # each the other's, as in another NumPy
    monkeypatch.setattr(orders, "_sorts", lambda *_: False)
    monkeypatch.setattr(orders, "function", lambda *key: function.__wrapped__(*key))
    x = RNG.normal(size=5)
    f = compiled(lambda x: tm.sort(x) * 2.0)
    np.testing.assert_array_equal(f(x).numpy(), np.sort(x) * 2.0)
    assert left(f) == ["sort"]


@pytest.mark.parametrize("dtype", ["d", "f"])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (1,)])
def test_medians_quantiles_and_their_slopes_have_numpys_bytes(shape, dtype, monkeypatch):
    x = numbers(shape, dtype) + 0.0  # of zeros of both signs NumPy's partition takes any
    parts = (0.3, 0.5, 0.0, 1.0, np.array([0.2, 0.77], dtype), np.array([[0.25], [0.1]], dtype))
    for axis in (None, -1, *([(0, 2)] if len(shape) == 3 else [])):
        for y in (x, np.nan_to_num(x), np.nan_to_num(x)[::-1]):

            def f(x, axis=axis):
                found = [tm.median(x, axis=axis), tm.median(x, axis=axis, keepdims=True)]
                found += [tm.quantile(x, q, axis=axis) for q in parts]
                return *found, tm.quantile(x, parts[-1], axis=axis, keepdims=True)

            assert_bytes(f, y, monkeypatch)
            assert_bytes(tm.grad(lambda x: sum((y**2).sum() for y in f(x)[:5])), y, monkeypatch)


def test_a_quantile_that_numpy_takes_otherwise_is_left_to_it(monkeypatch):
    from tinygrad_math.compiler.native import quantiles

    x = RNG.normal(size=(4, 5))
    monkeypatch.setattr(quantiles, "_between", lambda n, part: (0, n - 1, 0.25))
    f = compiled(lambda x: tm.quantile(x, 0.3, axis=1) * 2.0)
    np.testing.assert_array_equal(f(x).numpy(), np.quantile(x, 0.3, axis=1) * 2.0)
    assert left(f) == ["quantile"]
    for method in ("hazen", "lower"):
        g = compiled(lambda x, method=method: tm.quantile(x, 0.3, method=method) * 2.0)
        np.testing.assert_array_equal(g(x).numpy(), np.quantile(x, 0.3, method=method) * 2.0)
