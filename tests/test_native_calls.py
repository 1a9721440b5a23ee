"""Calls of native programs: how arguments lie, whose memory results have, objects and threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from agreement_of_native import arrays, assert_bits, assert_close, compiled, sorted_by_numpy
from test_compiler_networks import Network, each

import tinygrad_math as tm
from tinygrad_math.core.tree import flatten

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")


# -- how arguments lie ------------------------------------------------------------------------------------------------
def layouts(x):
    wide = np.zeros([2 * n for n in x.shape], x.dtype)[tuple(slice(None, None, 2) for _ in x.shape)]
    wide[...] = x
    odd = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)  # not aligned
    odd[...] = x
    return [x, np.array(x, order="F"), wide, x[::-1].copy()[::-1], x[:, ::-1].copy()[:, ::-1], odd]


@pytest.mark.parametrize("first", range(6))
def test_arguments_may_lie_otherwise_than_those_that_it_was_made_for(first):
    x = np.random.default_rng(3).normal(size=(6, 4))
    f = compiled(
        lambda x: (tm.sum(tm.tanh(x @ x.T) * 2.0, axis=0), x[1:, ::2] + 1.0, x.reshape(-1) * 2.0, x.T.reshape(-1))
    )
    want = np.tanh(x @ x.T).sum(0) * 2, x[1:, ::2] + 1, x.reshape(-1) * 2, x.T.reshape(-1)
    given = layouts(x)
    for y in (given[first], *given, given[first]):
        assert_close(f(y), want)


def test_arrays_of_the_other_byte_order_are_read_as_numpy_reads_them():
    x = np.arange(6.0).reshape(2, 3)
    f = compiled(lambda x: (x * 2.0 + 1.0, tm.sum(x, axis=0)))
    for y in (x.astype(x.dtype.newbyteorder()), x):
        for got, want in zip(arrays(f(y)), (x * 2 + 1, x.sum(0)), strict=True):
            np.testing.assert_array_equal(got, want)


def test_a_spread_argument_and_overlapping_views_of_one_array():
    base = np.arange(12.0)
    f = compiled(lambda x, y: (x + y, tm.sum(x * y, axis=0), y - x))
    windows = np.lib.stride_tricks.sliding_window_view(base, 4)[:5]
    for x, y in [
        (np.broadcast_to(base[:4], (5, 4)), windows), (windows, np.broadcast_to(base[:5, None], (5, 4))),
        (windows, windows), (base[2:12].reshape(5, 2).repeat(2, 1), windows), (windows[::-1], windows),
    ]:  # fmt: skip
        assert_bits(f(x, y), [x + y, (x * y).sum(0), y - x])


def test_numbers_of_all_kinds_as_arguments_and_results():
    def f(x, lr, n, scale, b):
        return x * lr + n, lr * 2.0, scale * lr, n + 1, tm.sum(x) * scale, lr, tm.where(b, x, 0.0)

    for args in (
        (np.ones(3), 0.5, 2, np.float32(3.0), True), (np.ones(3, np.float32), 0.1, 3, np.array(2.0), np.True_),
        (tm.tensor(np.ones(3)), 0.5, np.int64(2), tm.tensor(1.5), False),
        (np.ones(3), 0.5, 2, np.float64(1.0), np.array(True)),
    ):  # fmt: skip
        got, want = compiled(f)(*args), tm.compile(f)(*args)
        assert_bits(got, want)
        assert [type(g) for g in flatten(got)[0]] == [type(w) for w in flatten(want)[0]]


def test_empty_arrays_pass_through():
    f = compiled(lambda x, y: (x * 2.0 + y, tm.sum(x, axis=0), tm.concat([x, y]), x.T @ y, tm.where(x > 0, x, y)))
    for shape in ((0, 3), (0, 0)):
        x = np.zeros(shape)
        assert_bits(f(x, x), [x, x.sum(0), np.concatenate([x, x]), x.T @ x, x])


# -- memory -----------------------------------------------------------------------------------------------------------
def test_results_are_in_memory_of_their_own():
    f = compiled(lambda x: (tm.tanh(x), tm.exp(x).T, tm.exp(x).T, tm.sum(x), x, x.T, tm.stack([x, x])))
    x = np.arange(6.0).reshape(2, 3)
    first = arrays(f(x))
    kept = [a.copy() for a in first]
    f(x + 1.0)
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.may_share_memory(a, x)
    for k, a in enumerate(first):
        assert not any(np.may_share_memory(a, b) for b in first[k + 1 :])


def test_donated_arguments_are_written_over():
    step = compiled(lambda p, g: [p[0] - 0.1 * g, p[1] * 2.0], donate_argnums=0)
    p = step([tm.tensor(np.ones(4)), tm.tensor(np.ones(2))], np.ones(4))
    for _ in range(3):
        before = [t.node.data.ctypes.data for t in p]
        p = step(p, np.ones(4))
        assert [t.node.data.ctypes.data for t in p] == before
    np.testing.assert_allclose(p[0].numpy(), 1 - 0.4)
    np.testing.assert_array_equal(p[1].numpy(), 16.0)


@pytest.mark.parametrize("first", range(6))
def test_donated_arguments_may_lie_otherwise_between_lines_of_numpy(first):
    f = tm.compile(
        lambda p, x: (sorted_by_numpy(p + x, axis=0), p - 0.5 * tm.cumsum(x, axis=0)),
        backend="native",
        donate_argnums=0,
    )
    x = np.random.default_rng(12).normal(size=(6, 4))
    for given in (layouts(x)[first], *layouts(x)):
        for p in (given.copy("K"), tm.tensor(given)):
            assert_close(f(p, x), [np.sort(x + x, axis=0), x - 0.5 * np.cumsum(x, axis=0)])


def crooked():
    """Arrays whose elements lie where no C array's would: fields of packed records, and parts of a buffer of bytes."""
    rows = np.zeros(4, [("a", "i1"), ("b", "f8"), ("c", "f4", (3,)), ("d", "i4"), ("z", "c16")])
    rows["b"], rows["d"], rows["z"] = [1, 2, 3, 4], [5, 6, 7, 8], [1, 2j, 3, 4]
    rows["c"] = np.arange(12).reshape(4, 3)
    bytes_ = np.ndarray((4, 3), "f4", np.zeros(200, np.uint8), 3, (17, 5))
    bytes_[...] = rows["c"]
    shifted = np.ndarray((6,), "f8", np.zeros(60, np.uint8), 1)
    shifted[...] = np.arange(6)
    return {
        "float64": rows["b"], "float32": rows["c"], "int32": rows["d"], "complex": rows["z"], "turned": rows["c"].T,
        "backwards": rows["b"][::-1], "empty": rows["b"][:0], "bytes": bytes_, "both ways": bytes_[::-1, ::-1],
        "shifted": shifted,
    }  # fmt: skip


CROOKED = {
    "sums": lambda x: (x * 2 + 1, x.sum()),
    "views": lambda x: (x.T, x[::-1], x[1:] + x[:-1], tm.ravel(x)),
    "lines of numpy": lambda x: sorted_by_numpy(x * 2) + x,
    "products": lambda x: x.T @ x,
    "rows": lambda x: tm.scan(lambda c, a: (c + tm.sum(a), a * 2), 0.0 * tm.sum(x), x),
    "steps": lambda x: tm.fori_loop(3, lambda k, c: c * 0.5 + x, x * 1.0),
}


@pytest.mark.parametrize("f", CROOKED.values(), ids=CROOKED)
@pytest.mark.parametrize("kind", crooked())
def test_an_array_that_lies_crookedly_is_brought_into_order(kind, f):
    x = crooked()[kind]
    plain = x.astype(x.dtype, order="C")
    want = f(tm.tensor(plain))
    g, around, taking = compiled(f), compiled(lambda y: (f(tm.asarray(x)), y)), compiled(f, donate_argnums=0)
    for _ in range(2):
        for given in (x, plain, [x][0].copy()):
            assert_close(g(given), want)
            assert_close(taking(tm.tensor(given)), want)
        assert_close(around(1.0)[0], want)
    np.testing.assert_array_equal(x, plain)


def test_objects_are_neither_leaked_nor_freed_too_often():
    f = compiled(lambda x, lr: (x * lr, tm.sum(x), lr * 2.0))
    x, lr = np.ones(3), 0.1234
    f(x, lr)
    before = [sys.getrefcount(thing) for thing in (x, lr, x.dtype, np.float64, float)]
    for _ in range(1000):
        f(x, lr)
    after = [sys.getrefcount(thing) for thing in (x, lr, x.dtype, np.float64, float)]
    assert all(abs(a - b) < 50 for a, b in zip(before, after, strict=True)), (before, after)


def test_results_are_tensors_like_all_others_and_die_with_their_last_reference():
    import gc
    import weakref

    f = compiled(lambda x: (tm.tanh(x), tm.sum(x)))
    y, total = f(np.ones(3))
    plain = tm.compile(f.f)(np.ones(3))[0]
    fields = ("op", "inputs", "params", "live", "meta")
    assert [getattr(y.node, n) for n in fields] == [getattr(plain.node, n) for n in fields]
    assert y.node.tick < total.node.tick < plain.node.tick
    assert gc.is_tracked(y)
    assert gc.is_tracked(y.node)
    y.requires_grad = True
    tm.sum(y * 2.0).backward()
    assert y.grad.tolist() == [2.0] * 3
    seen = [weakref.ref(thing) for thing in (total, total.node)]
    del total
    assert [r() for r in seen] == [None, None]
    counts = [sys.getrefcount(thing) for thing in (y.node.params, type(y), type(y.node))]
    for _ in range(1000):
        f(np.ones(3))
    after = [sys.getrefcount(thing) for thing in (y.node.params, type(y), type(y.node))]
    assert all(abs(a - b) < 50 for a, b in zip(counts, after, strict=True))


@pytest.mark.parametrize("seed", range(0, 60, 6))
def test_native_networks_and_their_derivatives_equal_the_eager_ones(seed):
    network = Network(seed)
    gradients, step = compiled(network.gradients), compiled(network.step, donate_argnums=0)
    for point in network.points:
        tensors = each(tm.tensor, *point)
        network.assert_equal(gradients(*point), network.gradients(*tensors))
        network.assert_equal(step(*each(np.copy, *point)), network.step(*tensors))


def test_derivatives_pass_through_a_native_program():
    f = compiled(lambda x, w: tm.sum(tm.tanh(x @ w) ** 2))
    rng = np.random.default_rng(4)
    x, w, t = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    plain = f.f
    assert_close(tm.grad(f, 1)(x, w), tm.grad(plain, 1)(x, w))
    assert_close(tm.jvp(lambda w: f(x, w), (w,), (t,)), tm.jvp(lambda w: plain(x, w), (w,), (t,)))
    assert_close(tm.hvp(lambda w: f(x, w), w, t), tm.hvp(lambda w: plain(x, w), w, t))


def test_eight_threads_share_a_native_program():
    network = Network(4)
    gradients = compiled(network.gradients)
    mixed = compiled(lambda x: sorted_by_numpy(tm.tanh(x) * 2.0, axis=0) + tm.cumsum(tm.exp(x), axis=0))
    alone = [gradients(*point) for point in network.points]
    x = np.random.default_rng(5).normal(size=(400, 100))  # long enough that Python's lock is let go
    sorted_alone = mixed(x)
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(gradients, *network.points[k % 2]) for k in range(64)]
        others = [pool.submit(mixed, x) for _ in range(16)]
        for k, job in enumerate(jobs):
            assert_bits(job.result(), alone[k % 2])
        for job in others:
            assert_bits(job.result(), sorted_alone)
