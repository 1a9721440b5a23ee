"""Loops of native programs whose steps share arrays of another dtype, in another order, than what is made of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, compiled

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

DTYPES = ["bool", "int8", "int32", "float16", "float32", "float64", "complex64", "complex128"]
WHOLE = np.random.default_rng(0).integers(-1, 2, (9, 12))
LAYOUTS = {
    "rows": lambda x: x[:3, :4].copy(),
    "columns": lambda x: x[:4, :3].copy().T,
    "reversed": lambda x: x[2::-1, 3::-1],
    "apart": lambda x: x[::3, ::3],
    "one row for all": lambda x: np.broadcast_to(x[:1, :4].copy(), (3, 4)),
}


def laid(dtype, how):
    """Numbers -1, 0 and 1 in this dtype, which lie so."""
    return LAYOUTS[how](WHOLE.astype(dtype))


def like(y, c):
    """y in the dtype of what is carried on."""
    y = y.real if y.dtype.kind == "c" and c.dtype.kind != "c" else y
    return y.astype(c.dtype)


def longer(k, c, m):
    return like(c * m + c, c)


STEPS = {  # of whole numbers that stay small enough for int8
    "element by element": longer,
    "sums of what is made of it": lambda k, c, m: like(((c * m).sum(0) != 0) + m, c),
    "compared": lambda k, c, m: like((c != m) + c * m, c),
    "two readers": lambda k, c, m: like((c + m != 1) * m + (m * k != c), c),
}


def looped(c, m):
    """What each loop makes of c, of which m is the same in all steps."""
    fors = [tm.fori_loop(5, lambda k, c, step=step: step(k, c, m), c) for step in STEPS.values()]
    rows = tm.scan(lambda c, k: (longer(k, c, m), c * m), c, np.arange(5))
    ended = tm.while_loop(lambda s: s[1] < 5, lambda s: (longer(s[1], s[0], m), s[1] + 1), (c, 0))[0]
    nested = tm.fori_loop(2, lambda k, c: tm.fori_loop(4, lambda j, d: like(d * m + k, c), c), c)
    many = tm.vmap(lambda c: tm.fori_loop(5, lambda k, c: like(c * m[1] + c, c), c))(c)
    return fors, rows, ended, nested, many


def by_numpy(c, m):
    fors = [_ended(step, c, m) for step in STEPS.values()]
    rows = [c]
    for _ in range(5):
        rows.append(longer(0, rows[-1], m))
    nested = c
    for k in (0, 1):
        for _ in range(4):
            nested = like(nested * m + k, c)
    many = _ended(lambda k, c, row: like(c * row + c, c), c, m[1])
    return fors, (rows[-1], np.stack([r * m for r in rows[:-1]])), rows[-1], nested, many


def _ended(step, c, m):
    for k in range(5):
        c = step(k, c, m)
    return c


@pytest.mark.parametrize("shared", DTYPES)
def test_a_loop_reads_what_its_steps_share_in_any_dtype_and_order(shared, monkeypatch):
    guarded, f = Guarded(monkeypatch), compiled(looped)
    hows = itertools.cycle(itertools.product(LAYOUTS, LAYOUTS))
    for dtype in DTYPES:
        for how, other in itertools.islice(hows, 2):
            c, m = laid(dtype, how), laid(shared, other)
            for got, want in zip(arrays(f(c, m)), arrays(by_numpy(c, m)), strict=True):
                assert got.dtype == want.dtype
                np.testing.assert_array_equal(got, want)
    guarded.check()


@pytest.mark.parametrize("shared", DTYPES)
def test_gradients_of_a_loop_in_what_its_steps_share_are_those_of_the_power(shared):
    """c becomes c (1 + m)^5: the slopes of the sum are 5 c (1 + m)^4 and (1 + m)^5."""
    f = compiled(tm.grad(lambda c, m: tm.sum(tm.real(tm.fori_loop(5, lambda k, c: longer(k, c, m), c))), (0, 1)))
    of_c = compiled(tm.grad(lambda c, m: tm.sum(tm.real(tm.fori_loop(5, lambda k, c: longer(k, c, m), c)))))
    for dtype, (how, other) in zip(
        ["float32", "float64", "complex128"] * 2, itertools.product(["rows", "columns", "apart"], LAYOUTS), strict=False
    ):
        c, m = laid(dtype, how), laid(shared, other)
        slopes = f(c, m) if m.dtype.kind in "fc" else (of_c(c, m),)
        want = ((1.0 + m) ** 5, 5.0 * c * (1.0 + m) ** 4)
        for got, w, x in zip(arrays(slopes), want, (c, m), strict=False):
            assert got.dtype == x.dtype
            np.testing.assert_allclose(got, like(np.conj(w), x), rtol=1e-6)
