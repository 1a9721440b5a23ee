"""Parts that are changed, masks, what moves, norms and few ufuncs in a row, in machine code: NumPy's bits."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, compiled
from test_native_orders import assert_bytes, left

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

RNG = np.random.default_rng(43)
MASK, ROWS, COLUMNS = RNG.random((4, 5)) > 0.5, np.array([True, False, True, True]), np.array([1, 0, 1, 1, 0], bool)
I, J, ALL = np.array([0, 2, 2]), np.array([1, 1, 0]), slice(None)
BASIC = {
    "all": (), "dots": (Ellipsis,), "from one on": (slice(1, None),), "every other": (slice(None, None, -2),),
    "a row": (0,), "columns": (ALL, slice(1, 3)), "a further axis": (None, 1), "an element": (2, -1),
}  # fmt: skip
NAMED = {
    "mask": (MASK,), "mask of rows": (ROWS,), "mask of columns": (ALL, COLUMNS), "columns": (ALL, I),
    "last": (Ellipsis, I), "below the first": (slice(1, None), I), "parts of rows": (I, slice(1, None)),
    "a new axis behind": (I, None), "a new axis ahead": (None, I), "pairs": (I, J),
    "upside down": (slice(None, None, -1), J), "of a row": (2, J), "mask beside positions": (ROWS, J),
}  # fmt: skip


def both(f, *args):
    """Whether the bytes are those of f as it is, and what is left to NumPy."""
    with np.errstate(all="ignore"):
        g = compiled(f)
        g(*args)
        for a, b in zip(arrays(g(*args)), arrays(f(*map(tm.tensor, args))), strict=True):
            assert (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
    return left(g)


def written(key):
    def f(x, w):
        y = x * 1
        y[key] = w
        return y

    return f


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("name", [*BASIC, *(f"named: {name}" for name in NAMED)])
def test_parts_are_written_added_to_and_multiplied(name, dtype, monkeypatch):
    key = NAMED[name[7:]] if name.startswith("named") else BASIC[name]
    x = (RNG.normal(size=(4, 5)) * 9).astype(dtype)
    part = (RNG.normal(size=x[key].shape) * 9).astype(dtype)
    guarded = Guarded(monkeypatch)
    for w in (np.array(3, dtype), part, part[-1:] if part.ndim else part):
        assert both(written(key), x, w) == []
        assert both(lambda x, w: x.at[key].add(w), x, w) == []
        if not name.startswith("named"):
            assert both(lambda x, w: x.at[key].multiply(w), x, w) == []
    guarded.check()
    assert_bytes(lambda x: x[key] * 2, x, monkeypatch)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_what_is_written_under_a_mask_that_each_call_tells(dtype, monkeypatch):
    x = (RNG.normal(size=(4, 5)) * 9).astype(dtype)
    cases = [(MASK, lambda m: m), (ROWS, lambda m: m), (COLUMNS, lambda m: (ALL, m))]
    guarded = Guarded(monkeypatch)
    for mask, key in cases:
        for w in (np.array(3, dtype), np.array([3], dtype), x[0] if mask is ROWS else np.array(4, dtype)):
            f = compiled(lambda x, m, w, key=key: written(key(m))(x, w))
            g = compiled(lambda x, m, w, key=key: x.at[key(m)].add(w))
            for m in (mask, ~mask, mask & False):
                want = x.copy()
                want[key(m)] = w
                np.testing.assert_array_equal(f(x, m, w).numpy(), want)
                want = x.copy()
                want[key(m)] += w
                np.testing.assert_array_equal(g(x, m, w).numpy(), want)
            assert left(f) == left(g) == []
    guarded.check()
    f = tm.grad(lambda x, w: tm.sum(written(MASK)(x, w) ** 2), argnums=(0, 1))
    if dtype == "float64":
        assert both(f, x, np.array(3.0)) == []


def test_a_position_beyond_a_part_is_refused_by_name():
    x = np.arange(12.0).reshape(3, 4)
    f = compiled(lambda x, i: x[1:, i] * 2)
    np.testing.assert_array_equal(f(x, np.array([3, 0])).numpy(), x[1:, [3, 0]] * 2)
    for k in (4, -5):
        with pytest.raises(tm.errors.IndexOutOfBounds):
            f(x, np.array([0, k]))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (1,), (0, 3)])
def test_what_moves_and_what_is_rounded_has_numpys_bits(shape, dtype, monkeypatch):
    x = (RNG.normal(size=shape) * 300).astype(dtype)
    if x.size > 4:
        x.reshape(-1)[:4] = np.nan, np.inf, -np.inf, -0.0
    shifts = [(1, None), (-2, 0), ((1, 2), (0, -1)), (0, 0), ((0,), (0,)), (7, -1)]
    for y in (x, np.asfortranarray(x), x[::-1]):
        assert_bytes(lambda x: tuple(tm.roll(x, s, axis=a) for s, a in shifts), y, monkeypatch)
        assert_bytes(lambda x: tuple(tm.round(x, decimals=d) for d in (0, 1, 3, -2)), y, monkeypatch)
        numbers = {"nan": 2.0, "posinf": 9.0, "neginf": -7.0}
        assert_bytes(lambda x: (tm.nan_to_num(x), tm.nan_to_num(x, **numbers)), y, monkeypatch)
        assert_bytes(lambda x: tm.special.rel_entr(tm.abs(x), tm.abs(x) + 1), y, monkeypatch)
        slope = tm.grad(lambda x: tm.sum(tm.diagonal(x, 1, -1, 0) ** 2))
        if len(shape) > 1 and x.size:
            assert_bytes(slope, y, monkeypatch)


def test_a_number_is_seen_as_an_array():
    def f(x):
        spread = tm.broadcast_to(x, (3,)) * 2.0, tm.reshape(x, (1, 1)) + 1.0, x[None], tm.broadcast_to(x, (2, 2))
        return *spread, tm.grad(lambda x: tm.nan_to_num(x) ** 2 + tm.relu(x))(x)

    assert both(f, np.array(1.5)) == []
    assert both(tm.grad(lambda x: 3.0 * tm.sum(x)), np.ones((2, 3))) == []


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (4, 300)])
@pytest.mark.parametrize("size", [1.0, "far", 0.0, np.nan])
def test_norms_and_deviations_of_any_size_have_the_bits_of_the_op(shape, dtype, size, monkeypatch):
    far = 1e30 if dtype == "float32" else 1e200
    x = (RNG.normal(size=shape) * (far if size == "far" else size)).astype(dtype)
    for axis in (None, 0, -1):
        for keep in (False, True):

            def f(x, axis=axis, keep=keep):
                over = {"axis": axis, "keepdims": keep}
                norms = [tm.linalg.vector_norm(x, ord=o, **over) for o in (2, 1, 0, np.inf, -np.inf)]
                return *norms, tm.std(x, **over), tm.std(x + 1, **over)

            assert_bytes(f, x, monkeypatch)


def test_numbers_out_of_range_are_pythons_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = compiled(lambda x: tm.linalg.norm(x) * 2.0)
        for size in (1.0, 1e300, 1e-300, 0.0, 1.0):
            np.testing.assert_allclose(float(f(np.full(3, size))), 2 * 3**0.5 * size, rtol=1e-15)
        g = compiled(lambda x: tm.fori_loop(5, lambda k, x: x / tm.linalg.norm(x), x))
        for size in (1.0, 1e300, 1e-300):
            np.testing.assert_allclose(g(np.full(3, size)).numpy(), 3**-0.5, rtol=1e-15)
    assert f.latest.native.whole
    assert g.latest.native.whole
