"""Chains over large arrays, block by block, in native programs."""

from __future__ import annotations

import numpy as np
import pytest
from agreement_of_native import Guarded, assert_bits, assert_close, compiled

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler.native.kernels import choice

CHAINS = {
    "sums": lambda x: (tm.sum(tm.tanh(x) * tm.exp(-x * x)), tm.sum(x, axis=0) * 2.0),
    "extremes": lambda x: (tm.max(x * 2.0 + 1.0), tm.min(tm.exp(x)), tm.exp(x) - x),
    "choices": lambda x: tm.where(x > 0.0, tm.exp(x), x * 2.0) + tm.minimum(x, 1.0),
    "gradient": tm.grad(lambda x: tm.sum(tm.tanh(tm.sin(tm.exp(x)))) + tm.sum(tm.relu(x) * x)),
    "product": lambda x: (tm.ravel(x * 2.0) @ tm.ravel(x * 2.0), x * 2.0),
    "narrow": lambda x: tm.sigmoid(x.astype("float32") * 2) + 1,
    "truth": lambda x: ((x > 0.1) & (x * 2.0 < 1.0), tm.sqrt(abs(x))),
    "loop": lambda x: tm.fori_loop(3, lambda k, c: tm.tanh(c) * 2.0 + k - tm.exp(-c * c), x),
    "two": lambda x: tm.exp(tm.sum(x * 0.5, axis=0) * 1e-3 - x) * tm.cos(x) + tm.sin(x),
}  # fmt: skip


@pytest.mark.parametrize("shape", [(300, 1000), (1 << 16, 1), (3, 87_381)])
@pytest.mark.parametrize("name", CHAINS)
def test_chains_over_large_arrays_are_native_block_by_block_between_canaries(name, shape, monkeypatch):
    f, x = CHAINS[name], np.random.default_rng(6).normal(size=shape)
    slow, guarded = tm.compile(f), Guarded(monkeypatch)
    fast = compiled(f)
    for y in (x, x[::-1], np.asfortranarray(x)):  # the latter are brought into order
        assert_close(fast(y), slow(np.ascontiguousarray(y)), 1e-11)
    assert fast.latest.native.whole
    guarded.check()


@pytest.mark.parametrize("kept", ["float32", "float64", "int32", "bool"])
def test_a_chain_reads_every_block_of_a_constant_of_another_dtype(kept, numpys_loops):
    """The oracle is NumPy."""
    rng = np.random.default_rng(14)
    x, c, same = rng.normal(size=70_001), rng.integers(-1, 2, 70_001).astype(kept), np.full(70_001, 2).astype(kept)
    zeros = np.where(c > 0, 0.0, -0.0)

    def f(x, xp, where):
        y = xp.sin(x) * c + same
        return y, xp.maximum(y, c) - y, where(c > 0, y, c), xp.sqrt(xp.abs(x)) / zeros

    with np.errstate(all="ignore"):
        want = f(x, np, np.where)
    got = compiled(lambda x: f(x, tm, tm.where))
    assert_bits(got(x), want)
    assert got.latest.native.whole
    step = compiled(lambda x: tm.fori_loop(3, lambda k, y: tm.maximum(y, c) * 0.3 + same, x))
    y = x
    for _ in range(3):
        y = np.maximum(y, c) * 0.3 + same
    assert_bits(step(x), [y])


def test_a_native_chain_between_lines_of_numpy_and_over_a_donated_array():
    x = np.random.default_rng(7).normal(size=100_000)
    f = compiled(lambda x: tm.max(tm.partition(tm.exp(x) * 2.0 - x, -1)) * 3.0 + tm.exp(x))
    y = np.exp(x)
    for _ in range(2):
        assert_close(f(x), [np.max(y * 2.0 - x) * 3.0 + y])
    rows = f.profile(x, repeat=1).rows
    assert [r.text for r in rows if not r.native] == ["partition"]
    assert sum(r.native for r in rows) >= 2
    step = compiled(lambda x, g: x * 0.9 - tm.tanh(g) * x, donate_argnums=0)
    own = tm.tensor(x.copy())
    for _ in range(3):
        want = own.numpy() * 0.9 - np.tanh(x) * own.numpy()
        own = step(own, x)
        assert_close(own, [want])


def test_a_chain_that_many_threads_share_stays_with_numpy(monkeypatch):
    double = np.dtype(float)
    monkeypatch.setitem(
        choice._chosen, ("exp", double.str), choice.loop("exp", double)
    )  # though NumPy's may be as fast
    x = np.zeros(1 << 22)  # 32 MiB: for eight threads
    many = compiled(lambda x: tm.exp(x * 2.0) + 1.0, threads=8)
    few = compiled(lambda x: tm.exp(x * 2.0) + 1.0, threads=2)
    cheap = compiled(lambda x: x * 2.0 + 1.0, threads=2)  # there is no loop of ours for these
    many(x), few(x), cheap(x)
    assert cheap.latest.native is None or not cheap.latest.native.whole
    assert many.latest.native is None or not many.latest.native.whole
    assert few.latest.native.whole
