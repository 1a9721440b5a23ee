"""Native programs: what they compute is what the function computes, and nothing is written outside an array."""

from __future__ import annotations

import _thread
import ctypes
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import each as each_of
from programs import OURS, program
from test_compiler_every_op import CASES, OPS, assert_same, called, chosen
from test_compiler_networks import Network, each

import tinygrad_math as tm
from tinygrad_math.compiler import executable
from tinygrad_math.compiler.packing import ALIGNMENT
from tinygrad_math.core.errors import TraceError
from tinygrad_math.core.tree import flatten

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler import native
from tinygrad_math.compiler.native import assembly, instructions, loops, machine, places, products, stacks
from tinygrad_math.compiler.native.table import merged

NARROW = {"float64": np.float32, "complex128": np.complex64}
CANARY = 0xA5
BLOCK = 100


def compiled(f, **how):
    return tm.compile(f, backend="native", **how)


def arrays(tree):
    return [np.asarray(t.numpy() if isinstance(t, tm.Tensor) else t) for t in flatten(tree)[0]]


def assert_close(got, want, tolerance=1e-12):
    for x, y in zip(arrays(got), arrays(want), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        narrow = y.dtype in (np.float32, np.complex64)
        scale = 1.0 + np.abs(y[np.isfinite(y)]).max(initial=0.0)
        np.testing.assert_allclose(
            x, y, rtol=1e-5 if narrow else tolerance, atol=(1e-5 if narrow else tolerance) * scale
        )


def assert_bits(got, want):
    for x, y in zip(arrays(got), arrays(want), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_array_equal(x, y)


@pytest.fixture
def numpys_loops(monkeypatch):
    """NumPy's loops alone, with which results are NumPy's bit for bit."""
    loops.loop.cache_clear()
    monkeypatch.setattr(loops, "kernel", lambda name, dtype: None)
    yield
    loops.loop.cache_clear()


# -- canaries ---------------------------------------------------------------------------------------------------------
class Guarded:
    """Plans and scratch in which nothing shares memory, with canaries between all that has a place."""

    def __init__(self, monkeypatch):
        self.spaces, self.scratches = [], []
        plan, room, bind = executable.plan, places.Memory.room, native.stretch.Workspaces.__call__

        def spaced(*args, **kwargs):
            p = plan(*args, **kwargs)
            owners = {p.home(v)[0] for v in p.offset}
            start = {}
            p.size = ALIGNMENT
            for v in owners:
                start[v] = p.size
                p.size += -(-v.nbytes // ALIGNMENT) * ALIGNMENT + ALIGNMENT
            for v in p.offset:
                owner, inner = p.home(v)
                p.offset[v] = start[owner] + inner
            p.guarded = [(start[v], v.nbytes) for v in owners]
            return p

        def roomy(memory, nbytes):
            start = room(memory, nbytes)
            memory.__dict__.setdefault("guarded", []).append((start, nbytes))
            memory.size += ALIGNMENT
            return start

        def bound(workspaces, space):
            functions = bind(workspaces, space)
            frame, _, cells, (space, scratch, *_), _ = functions[0].__self__
            del frame
            lowered = workspaces.lowered
            first = int(cells[places.SCRATCH]) - scratch.ctypes.data
            if space is not None:
                space[...] = CANARY
                self.spaces.append((space, lowered.plan.guarded))
            scratch[...] = CANARY
            self.spaces.append((scratch, [(first + s, n) for s, n in lowered.memory.__dict__.get("guarded", [])]))
            return functions

        monkeypatch.setattr(executable, "plan", spaced)
        monkeypatch.setattr(places.Memory, "room", roomy)
        monkeypatch.setattr(native.stretch.Workspaces, "__call__", bound)

    def check(self):
        assert self.spaces
        for space, guarded in self.spaces:
            outside = np.ones(space.size, bool)
            for start, nbytes in guarded:
                outside[start : start + nbytes] = False
            assert (space[outside] == CANARY).all()


def surrounded(x, frames):
    """x as it lies, inside a larger array that is full of canaries."""
    if not x.size:
        return x
    low, high = (int(b) for b in np.lib.array_utils.byte_bounds(x))
    memory = np.full(high - low + 4 * ALIGNMENT, CANARY, np.uint8)
    start = 2 * ALIGNMENT - memory.ctypes.data % ALIGNMENT
    y = np.ndarray(x.shape, x.dtype, memory, start + x.ctypes.data - low, x.strides)
    y[...] = x
    frames.append((memory, memory.copy()))
    return y


def random_program(seed, single):
    p = program(seed)
    f, loss, count = p.on(OURS), p.loss(OURS), len(p.inputs)
    xs = [x.astype(NARROW[x.dtype.name]) if single else x for x in p.inputs]

    def both(*xs):
        return f(*xs), tm.grad(loss, argnums=tuple(range(count)))(*xs)

    return p, both, xs


def check(seed, monkeypatch):
    """A random program and its gradient: the values, and canaries around buffers and arguments."""
    single = seed % 4 == 3
    tolerance = 1e-5 if single else 1e-12  # results in double precision may be of numbers in single
    p, both, xs = random_program(seed, single)
    with monkeypatch.context() as patch, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        want = tm.compile(both)(*xs)
        guarded, frames = Guarded(patch), []
        f = compiled(both)
        inside = [surrounded(x, frames) for x in xs]
        try:
            assert_close(f(*xs), want, tolerance)
            assert_close(f(*inside), want, tolerance)
        except Exception as error:
            raise AssertionError(f"{error}\n{p}") from error
        if f.latest.native is not None:
            guarded.check()
        for memory, before in frames:
            assert (memory == before).all()


@pytest.mark.parametrize("block", range(2))
def test_native_random_programs_and_their_gradients_equal_those_of_numpy_between_canaries(block, monkeypatch):
    for seed in range(12 * block, 12 * (block + 1)):
        check(seed, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_native_random_programs_equal_those_of_numpy(block, monkeypatch):
    for seed in range(BLOCK * block, BLOCK * (block + 1)):
        check(seed, monkeypatch)


def test_a_canary_is_heard(monkeypatch):
    with monkeypatch.context() as patch:
        guarded = Guarded(patch)
        f = compiled(lambda x: tm.sin(tm.exp(x) + 1.0) * 2.0)
        f(np.ones(5))
        guarded.check()
        space, places = guarded.spaces[0]
        space[places[0][0] + places[0][1]] += 1
        with pytest.raises(AssertionError):
            guarded.check()


# -- every op ---------------------------------------------------------------------------------------------------------
CHOSEN = [(op, k) for op in OPS.values() for k in chosen(op)]


@pytest.mark.parametrize("block", range(-(-len(CHOSEN) // BLOCK)))
def test_a_native_op_equals_the_eager_one(block):
    check_ops(CHOSEN[BLOCK * block : BLOCK * (block + 1)])


@pytest.mark.long
@pytest.mark.parametrize("block", range(-(-len(CASES) // BLOCK)))
def test_a_native_op_equals_the_eager_one_on_every_sample(block):
    check_ops([case.values for case in CASES[BLOCK * block : BLOCK * (block + 1)]])


def check_ops(cases):
    for op, k in cases:
        f, given = called(op, op.samples()[k])
        g = compiled(f)
        with np.errstate(all="ignore"):
            try:
                got = g(*given)
            except TraceError:
                with pytest.raises(TraceError):
                    tm.compile(f)(*given)
                continue
            try:
                assert_same(got, f(*given))
                assert_same(g(*given), f(*given))  # over a used workspace
            except AssertionError as error:
                raise AssertionError(f"{op.name}, sample {k}: {error}") from error


ELEMENTWISE = ["add", "multiply", "divide", "maximum", "tanh", "exp", "sqrt", "less", "where", "square", "floor_divide"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "complex64", "int64", "int32", "uint8", "bool"])
def test_every_dtype_and_mixture_gives_numpys_bits(dtype, numpys_loops):
    rng = np.random.default_rng(0)
    x, y, z = (rng.integers(0, 2 if dtype == "bool" else 100, (4, 5)).astype(dtype) for _ in range(3))
    w, k = rng.normal(size=(4, 1)), rng.integers(1, 9, 5).astype(np.int32)

    def f(x, y, z, w, k):
        total = x + y
        total = total * z if dtype != "bool" else tm.logical_and(total, z)
        return (
            total,
            x * w,
            tm.where(w > 0, x, k),
            (x + k) * w,
            tm.sum(x * w, axis=0),
            tm.max(y, axis=1),
            tm.any(z, axis=0),
        )

    assert_bits(compiled(f)(x, y, z, w, k), tm.compile(f)(x, y, z, w, k))
    assert_bits(compiled(f)(x, y, z, w, k), f(*map(tm.tensor, (x, y, z, w, k))))


@pytest.mark.parametrize(
    "shape", [(7,), (3, 4), (0,), (0, 3), (2, 0, 3), (1, 5), (5, 1), (2, 3, 4), (100, 3), (3, 100), (1,)]
)
@pytest.mark.parametrize("axis", [None, 0, -1, "all but the last"])
def test_sums_and_extremes_are_numpys_bits_in_all_layouts(shape, axis, numpys_loops):
    x = np.random.default_rng(1).normal(size=shape)
    axis = tuple(range(len(shape) - 1)) if axis == "all but the last" else axis
    extremes = x.size > 0

    def f(x):
        pair = (tm.max(x, axis=axis), tm.min(x, axis=axis, keepdims=True)) if extremes else ()
        return (tm.sum(x, axis=axis), tm.prod(x, axis=axis, keepdims=True), tm.all(x > 0, axis=axis), *pair)

    for y in (x, x.T.copy().T, x[::-1], np.stack([x, x], -1)[..., 0], np.negative(np.abs(x)) * 0.0):
        plain = tm.compile(f)
        got, want = compiled(f)(y), plain(y)
        if y.flags.c_contiguous and all(v.title != "matmul" for v in plain.program.body):
            assert_bits(got, want)  # else sums are taken in another order, or by BLAS
        assert_close(got, f(tm.tensor(y)))
        assert_bits([np.signbit(t) for t in arrays(got)[:1]], [np.signbit(t) for t in arrays(want)[:1]])


def test_sums_are_pairwise_in_all_layouts():
    x = np.random.default_rng(8).uniform(size=(3, 20_000, 3)).astype(np.float32)
    for y in (x[:, ::-1], x[..., ::-1], np.array(x, order="F"), x.transpose(1, 0, 2).copy().transpose(1, 0, 2)):
        rows, total = arrays(compiled(lambda x: (tm.sum(x, axis=(0, 1)), tm.sum(x)))(y))
        np.testing.assert_allclose(rows, y.astype(float).sum((0, 1)), rtol=1e-6)
        np.testing.assert_allclose(total, y.astype(float).sum(), rtol=1e-6)


PRODUCTS = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)), ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((5, 2, 3), (3,)), ((1, 3), (3, 1)),
    ((4, 2, 3), (4, 3, 1)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "int64"])
@pytest.mark.parametrize(("left", "right"), PRODUCTS)
def test_products_of_all_ranks_and_layouts(left, right, dtype):
    rng = np.random.default_rng(2)
    a, b = ((rng.normal(size=s) * 4).astype(dtype) for s in (left, right))
    f = compiled(lambda a, b: tm.matmul(a, b) + (tm.matmul(a, b) * 2))
    turned = (lambda x: np.swapaxes(np.swapaxes(x, -1, -2).copy(), -1, -2)) if min(a.ndim, b.ndim) > 1 else np.copy
    for x, y in ((a, b), (turned(a), b), (a, turned(b)), (a[::-1], b[..., ::-1].copy()[..., ::-1])):
        assert_close(f(x, y), [np.matmul(x, y) * 3], 1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("n", "k", "m"), [(16, 4, 3), (1, 5, 40), (40, 5, 1), (17, 9, 33), (100, 1, 16), (8, 3, 8), (9, 0, 3)]
)
def test_products_begin_with_their_biases(n, k, m, dtype):
    rng = np.random.default_rng(11)
    x, w, row, column, full = (rng.normal(size=s).astype(dtype) for s in ((n, k), (k, m), (m,), (n, 1), (n, m)))

    def f(x, w, row, column, full):
        turned = tm.matmul(w.T, x.T) + column.T
        return (
            x @ w + row,
            column + x @ w,
            tm.tanh(x @ w + row[0]),
            x @ w + full,
            turned + 1.0,
            tm.sort(x @ w + row) + row,
        )

    y = x.astype(float) @ w
    want = y + row, y + column, np.tanh(y + row[0]), y + full, y.T + column.T + 1, np.sort(y + row) + row
    for got, exact in zip(arrays(compiled(f)(x, w, row, column, full)), want, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize(
    "f",
    [
        lambda xp, x, w, row, column: xp.sin(-(xp.matmul(x, w) + row)),
        lambda xp, x, w, row, column: xp.exp(column + xp.matmul(x, w)) + column,
        lambda xp, x, w, row, column: xp.abs(xp.matmul(w.T, x.T) + column.T) * row[:, None],
        lambda xp, x, w, row, column: (xp.matmul(x, w).T + row[:, None]) / 3.0,
    ],
)
def test_products_of_single_precision_meet_biases_of_double_precision(f):
    rng = np.random.default_rng(15)
    for n, k, m in [(1, 2, 2), (16, 4, 3), (40, 5, 1), (3, 9, 33)]:
        x, w = (rng.normal(size=s).astype("f4") for s in ((n, k), (k, m)))
        row, column = (rng.normal(size=s) for s in ((m,), (n, 1)))
        (got,) = arrays(compiled(lambda *args: f(tm, *args))(x, w, row, column))
        exact = f(np, x.astype(float), w.astype(float), row, column)
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_of_ours_end_where_their_matrices_do(dtype):
    """All ways to cut rows and columns into groups and vectors; what lies around C keeps its NaN."""
    d, lanes, rng = np.dtype(dtype), products.lanes(np.dtype(dtype).char), np.random.default_rng(12)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(products.product(d.char))
    columns = sorted({1, 3, *(v * lanes + k for v in range(1, 5) for k in (-1, 0, 1, lanes // 2))})
    for n, k, m in [(n, k, m) for n in (1, 3, 4, 6, 7, 13, 18) for k in (1, 6) for m in columns]:
        a, b, bias = (rng.normal(size=s).astype(d) for s in ((n, k), (k, m), (m,)))
        for right in (b, np.asfortranarray(b), np.repeat(np.repeat(b, 2, 0), 3, 1)[::2, ::3]):
            for whole, turned in (
                (np.full((n + 2, m + 2), np.nan, d), False),
                (np.full((m + 2, n + 2), np.nan, d), True),
            ):
                c = whole[1:-1, 1:-1]
                c = c.T if turned else c
                where = [a, right, c, bias]
                strides = [0, 0, 0, 0, *a.strides, *right.strides, *c.strides, 0, d.itemsize]
                words = [np.array(w, np.int64) for w in ([x.ctypes.data for x in where], [1, n, k, m], strides)]
                function(*(w.ctypes.data for w in words), 1)
                want = a.astype(float) @ b + bias
                np.testing.assert_allclose(
                    c, want, rtol=1e-5, atol=1e-5 if d.char == "f" else 1e-13, err_msg=str((n, k, m))
                )
                c[...] = np.nan
                assert np.isnan(whole).all(), (n, k, m)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_read_no_column_beyond_theirs(dtype):
    """Rows of B that are a power of two apart are copied; what lies between them is NaN."""
    d, rng = np.dtype(dtype), np.random.default_rng(16)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(products.product(d.char))
    for n, k, m in [(n, k, m) for n in (31, 37) for k in (21, 40) for m in (1, 7, 8, 16, 27, 64)]:
        a, c, whole = rng.normal(size=(n, k)).astype(d), np.full((n, m), np.nan, d), np.full((k + 1, 256), np.nan, d)
        b = whole[:k, 64 : 64 + m]
        b[...] = rng.normal(size=(k, m))
        assert k * 256 * d.itemsize > products.CROWDED
        strides = [0, 0, 0, 0, *a.strides, *b.strides, *c.strides, 0, 0]
        words = [np.array(w, np.int64) for w in ([x.ctypes.data for x in (a, b, c, c)], [1, n, k, m], strides)]
        function(*(w.ctypes.data for w in words), 0)
        tolerance = 1e-5 if d.char == "f" else 1e-13
        np.testing.assert_allclose(c, a.astype(float) @ b, rtol=tolerance, atol=tolerance * k)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_many_tiny_products_go_side_by_side_and_end_where_their_matrices_do(dtype):
    d, lanes, rng = np.dtype(dtype), products.lanes(np.dtype(dtype).char), np.random.default_rng(13)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(stacks.stacked(d.char))
    for n, k, m in [(n, k, m) for n in (1, 3, 16) for k in (1, 5) for m in range(1, stacks.COLUMNS + 1)]:
        for count in (lanes, lanes + 1, 3 * lanes - 1):
            a, b = (rng.normal(size=shape).astype(d) for shape in ((count, n, k), (count, k, m)))
            want = np.einsum("cik,ckj->cij", a.astype(float), b.astype(float))
            shared = np.broadcast_to(a[:1], a.shape)
            turned = np.ascontiguousarray(b.swapaxes(1, 2)).swapaxes(1, 2)
            for x, y in ((a, b), (a, turned), (shared, b)):
                whole = np.full((count + 2, n + 2, m + 2), np.nan, d)
                c = whole[1:-1, 1:-1, 1:-1]
                strides = [*(z.strides[0] for z in (x, y, c, c)), *(s for z in (x, y, c) for s in z.strides[1:])]
                where = [z.ctypes.data for z in (x, y, c, c)]
                words = [np.array(w, np.int64) for w in (where, [count, n, k, m], strides)]
                function(*(w.ctypes.data for w in words), 0)
                exact = want if x is a else np.einsum("ik,ckj->cij", a[0].astype(float), b.astype(float))
                np.testing.assert_allclose(c, exact, rtol=1e-5, atol=1e-5 if d.char == "f" else 1e-13)
                c[...] = np.nan
                assert np.isnan(whole).all(), (n, k, m)


def test_a_bank_of_tiny_networks_trains_as_each_of_them_alone(monkeypatch):
    made, stacked = [], instructions.stacked
    monkeypatch.setattr(instructions, "stacked", lambda char: made.append(char) or stacked(char))
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(16, 4)), rng.normal(size=(16, 2))
    start, rates = (rng.normal(size=(11, 4, 3)), rng.normal(size=(11, 3, 2))), np.linspace(0.01, 0.1, 11)

    def train(p, rate):
        loss = tm.grad(lambda p: ((x @ p[0] @ p[1] - y) ** 2).mean())
        return tm.fori_loop(20, lambda _, p: tuple(a - rate * d for a, d in zip(p, loss(p), strict=True)), p)

    bank = compiled(tm.vmap(train))(start, rates)
    assert made
    for k, rate in enumerate(rates):
        a, b = (w[k] for w in start)
        for _ in range(20):
            e = 2 * (x @ a @ b - y) / y.size
            a, b = a - rate * x.T @ e @ b.T, b - rate * (x @ a).T @ e
        np.testing.assert_allclose(bank[0].numpy()[k], a, rtol=1e-10)
        np.testing.assert_allclose(bank[1].numpy()[k], b, rtol=1e-10)


def test_products_in_a_loop_begin_with_their_biases(monkeypatch):
    x = np.random.default_rng(13).normal(size=(40, 8))

    def step(k, c):
        w, b = c
        y = tm.tanh((w.T @ x.T).T + b)  # turned, as a thin product is
        z = tm.tanh(y @ w + b)
        return w * 0.9 + (y.T @ z) * 1e-3, b + z.sum(0) * 1e-3

    found, of_one = [], instructions.Instructions._with_biases
    monkeypatch.setattr(
        instructions.Instructions,
        "_with_biases",
        lambda self, v, out: (lambda words: (found.append(words is not None), words)[1])(of_one(self, v, out)),
    )
    w, b = np.random.default_rng(14).normal(size=(8, 8)), np.linspace(-1.0, 1.0, 8)
    f = compiled(lambda w, b: tm.fori_loop(5, step, (w, b)))
    assert_close(f(w, b), tm.fori_loop(5, step, (tm.tensor(w), tm.tensor(b))))
    assert sum(found) == 2


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [2, 3, 4, 7, 10])
def test_whole_powers_are_products_with_the_bits_of_the_eager_op(n, dtype, numpys_loops):
    x = np.random.default_rng(15).uniform(-1.0, 1.0, (5, 7)).astype(dtype)
    x[0, :5] = 0.0, -0.0, np.inf, -np.inf, np.nan
    f, sums = compiled(lambda x: x**n), compiled(lambda x: tm.sum(x**n, axis=0))
    assert_bits(f(x), f.f(tm.tensor(x)))
    assert_close(sums(x), sums.f(tm.tensor(x)))
    assert f.latest.native.whole
    train = compiled(lambda x: tm.fori_loop(3, lambda k, c: c - 0.01 * tm.grad(lambda c: tm.sum(c**n))(c), x))
    y = x[1:].astype(float)
    for _ in range(3):
        y = y - 0.01 * n * y ** (n - 1)
    np.testing.assert_allclose(train(x[1:]).numpy(), y, rtol=1e-5 if dtype == "float32" else 1e-12)
    assert train.latest.native.whole


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("n", "classes"), [(1, 3), (64, 10), (5, 1)])
def test_cross_entropy_of_labels_and_its_slopes_are_native(n, classes, dtype):
    rng = np.random.default_rng(n)
    z, labels = rng.normal(size=(n, classes)).astype(dtype), rng.integers(0, classes, n)
    labels[n // 2 + 1 :: 7] = -100  # which do not count
    mean = tm.nn.functional.cross_entropy
    counts = labels >= 0
    shares = np.exp(z.astype(float)) / np.exp(z.astype(float)).sum(1, keepdims=True)
    slopes = (shares - np.eye(classes)[labels * counts]) * counts[:, None] / counts.sum()
    want = -np.log(shares[np.arange(n), labels * counts])[counts].mean()
    fits = {"rtol": 1e-12, "atol": 1e-14} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-7}
    f = compiled(tm.value_and_grad(lambda z, labels: mean(z, labels)))
    turned = compiled(tm.value_and_grad(lambda z, labels: mean(z.T, labels)))
    for kind in (np.int64, np.int32):
        for g, given, found in ((f, z, slopes), (turned, z.T, slopes.T)):
            y, slope = g(given, labels.astype(kind))
            assert g._latest.native.whole
            np.testing.assert_allclose(y.numpy(), want, **fits)
            np.testing.assert_allclose(slope.numpy(), found, **fits)
            assert slope.dtype == dtype
    for bad, said in (
        (classes, f"one of {classes}, 0 to {classes - 1}, got {classes}"),
        (-1, "got -1"),
        (-100, "not 0"),
    ):
        with pytest.raises(tm.errors.OutsideDomain, match=said):
            f(z, np.full(n, bad))


def test_softplus_and_the_tails_of_tanh():
    x = np.concatenate([np.linspace(-40, 40, 101), [0.0, -0.0, np.inf, -np.inf, np.nan, 800.0, -800.0]])
    f = compiled(lambda x: (tm.logaddexp(0.0, x), tm.logaddexp(x, 0.0), tm.grad(lambda x: tm.sum(tm.tanh(x)))(x)))
    with np.errstate(all="ignore"):
        want = np.logaddexp(0, x), np.logaddexp(x, 0), np.cosh(x) ** -2.0
    for y, exact in zip(arrays(f(x)), want, strict=True):
        np.testing.assert_allclose(y, exact, rtol=1e-9 if exact is want[2] else 1e-14)
    for y, exact in zip(arrays(f(np.stack([x, x], 1)[:, 0])), want, strict=True):
        np.testing.assert_allclose(y, exact, rtol=1e-9 if exact is want[2] else 1e-14)


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
        lambda p, x: (tm.sort(p + x, axis=0), p - 0.5 * tm.cumsum(x, axis=0)), backend="native", donate_argnums=0
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
    "lines of numpy": lambda x: tm.sort(x * 2, axis=-1) + x,
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


LONG = {
    "numbers": (lambda x: tm.fori_loop(10**10, lambda k, c: c * 1.0000001 + x, x), 2.0),
    "nested": (
        lambda x: tm.fori_loop(10**5, lambda k, c: tm.fori_loop(10**5, lambda j, d: d * 0.9 + x, c), x), 2.0,
    ),
    "matrices": (lambda x: tm.fori_loop(10**9, lambda k, c: tm.tanh(c @ x), x), np.ones((60, 60))),
    "while": (lambda x: tm.while_loop(lambda c: tm.sum(c) > -1.0, lambda c: tm.tanh(c) + x, x), np.ones(3)),
    "large arrays": (lambda x: tm.fori_loop(10**6, lambda k, c: tm.sin(c) * 0.5 + x, x), np.ones(1 << 20)),
    "long steps": (lambda x: tm.fori_loop(10**9, lambda k, c: tm.sin(c) + x, x), np.ones((100, 300))),
}  # fmt: skip


@pytest.mark.parametrize("how", LONG)
def test_a_long_loop_answers_an_interrupt_and_can_be_called_again(how):
    f, x = LONG[how]
    g = compiled(f)

    def interrupted():
        ended = threading.Event()

        def interrupt():  # again after a while: what strikes in a finaliser is lost, as anywhere in Python
            wait = 0.05
            while not ended.wait(wait):
                _thread.interrupt_main()
                wait = 3.0

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            g(x)
        finally:
            ended.set()
            thread.join()

    for _ in range(2):
        start = time.perf_counter()
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert time.perf_counter() - start < 20.0  # to the end it would be a minute and more
    short = compiled(lambda x: tm.fori_loop(5, lambda k, c: c * 0.5 + x, x))
    assert_close(short(x), x * (2.0 - 0.5**5))


def test_a_loop_that_is_not_interrupted_goes_on_between_its_looks_for_signals():
    """The oracle is the closed form of the sum."""
    n, told = 1_000_000, []
    f = compiled(lambda x: tm.fori_loop(n, lambda k, c: c + x * k, x))
    before = signal.signal(signal.SIGINT, lambda *_: told.append(1))
    try:
        threading.Timer(0.005, signal.raise_signal, [signal.SIGINT]).start()
        assert f(1.0).item() == 1.0 + n * (n - 1) / 2
    finally:
        while not told:
            time.sleep(0.001)
        signal.signal(signal.SIGINT, before)
    assert f(2.0).item() == 2.0 + n * (n - 1)


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
    mixed = compiled(lambda x: tm.sort(tm.tanh(x) * 2.0, axis=0) + tm.cumsum(tm.exp(x), axis=0))
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
    f = compiled(lambda x: tm.sort(tm.exp(x) * 2.0 - x) * 3.0 + tm.exp(x))
    y = np.exp(x)
    for _ in range(2):
        assert_close(f(x), [np.sort(y * 2.0 - x) * 3.0 + y])
    rows = f.profile(x, repeat=1).rows
    assert [r.text for r in rows if not r.native] == ["sort"]
    assert sum(r.native for r in rows) >= 2
    step = compiled(lambda x, g: x * 0.9 - tm.tanh(g) * x, donate_argnums=0)
    own = tm.tensor(x.copy())
    for _ in range(3):
        want = own.numpy() * 0.9 - np.tanh(x) * own.numpy()
        own = step(own, x)
        assert_close(own, [want])


def test_a_chain_that_many_threads_share_stays_with_numpy():
    x = np.zeros(1 << 22)  # 32 MiB: for eight threads
    many = compiled(lambda x: tm.exp(x * 2.0) + 1.0, threads=8)
    few = compiled(lambda x: tm.exp(x * 2.0) + 1.0, threads=2)
    cheap = compiled(lambda x: x * 2.0 + 1.0, threads=2)  # there is no loop of ours for these
    many(x), few(x), cheap(x)
    assert cheap.latest.native is None or not cheap.latest.native.whole
    assert many.latest.native is None or not many.latest.native.whole
    assert few.latest.native.whole


# -- loops ------------------------------------------------------------------------------------------------------------
def momentum(w, v, x):
    g = x.T @ (x @ w - 1.0)
    v = 0.9 * v + g
    return w - 0.01 * v, v


X = np.random.default_rng(9).normal(size=(6, 3))
ROWS = np.random.default_rng(10).normal(size=(5, 2, 3))
LOOPS = {
    "carries": lambda w: tm.fori_loop(20, lambda k, c: momentum(*c, X), (w, tm.zeros_like(w))),
    "numbered": lambda w: tm.fori_loop(7, lambda k, w: w * 0.9 + k, w),
    "rows in": lambda w: tm.scan(lambda c, x: (tm.tanh(c + x @ w), None), tm.zeros(2), tm.tensor(ROWS))[0],
    "rows out": lambda w: tm.scan(lambda c, x: (tm.tanh(c + x.sum(0)), c * x), w, tm.tensor(ROWS)),
    "backwards": lambda w: tm.scan(lambda c, x: (tm.sin(c) + x[0], (c, x.T)), w, tm.tensor(ROWS), reverse=True),
    "exchanged": lambda w: tm.scan(lambda c, _: ((c[1], c[0] + c[1]), c[0]), (w, w * 2.0), None, length=6),
    "unchanged": lambda w: tm.scan(lambda c, x: (c, x * 2.0), w, tm.tensor(ROWS)),
    "turned": lambda w: tm.scan(lambda c, x: (c * 0.5, x.T @ x), w, tm.tensor(ROWS.transpose(0, 2, 1))),
    "nested": lambda w: tm.fori_loop(3, lambda k, w: tm.fori_loop(4, lambda j, u: u * 0.9 + w * j, w), w),
    "numbers": lambda w: tm.scan(lambda c, x: (c + x.sum(), c), tm.sum(w), tm.tensor(ROWS)),
    "no steps": lambda w: tm.fori_loop(0, lambda k, w: w * 2.0, w),
    "while": lambda w: tm.while_loop(lambda w: tm.sum(w * w) > 0.1, lambda w: w * 0.5, w, max_steps=50),
    "while in a loop": lambda w: tm.fori_loop(
        3, lambda k, w: tm.while_loop(lambda c: tm.max(c) > 0.2 / (k + 1.0), lambda c: c * 0.7, w + 0.3, max_steps=9), w
    ),
    "loop in while": lambda w: tm.while_loop(
        lambda c: c[1] < 3, lambda c: (tm.fori_loop(2, lambda j, u: tm.sin(u) + j, c[0]), c[1] + 1), (w, 0), max_steps=3
    ),
    "while with a flag": lambda w: tm.while_loop(
        lambda c: c[1], lambda c: (c[0] * 0.5, tm.sum(c[0]) > 0.1), (w, tm.tensor(True)), max_steps=20
    ),
    "sorted": lambda w: tm.fori_loop(3, lambda k, w: tm.sort(w) * 0.5 + tm.exp(w), w),
    "checkpoint": lambda w: tm.scan(lambda c, x: (tm.tanh(c + x[0]), c * x[1]), w, tm.tensor(ROWS), checkpoint=2),
    "numbers of steps": lambda w: tm.fori_loop(4, lambda k, w: w * 0.9 ** (k + 1) + (2 * k - 3) * -k, w),
    "narrow": lambda w: tm.fori_loop(5, lambda k, w: w * np.float32(0.5) + 1, w.astype("float32")),
    "whole numbers": lambda w: tm.fori_loop(5, lambda k, c: (c[0] + 1, c[1] * c[0]), (tm.tensor(1), w)),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOPS)
def test_a_native_loop_and_its_derivatives_equal_those_of_numpy_between_canaries(name, monkeypatch):
    f, w, t = LOOPS[name], np.array([0.3, -0.2, 0.7]), np.array([1.0, 0.5, -1.0])

    def loss(w):
        return sum(tm.sum(tm.sin(y)) for y in flatten(f(w))[0] if y.dtype.kind == "f")

    def derivatives(w):
        return tm.grad(loss)(w), tm.jvp(loss, (w,), (t,)), tm.hvp(loss, w, t)

    plain = f(tm.tensor(w)), derivatives(tm.tensor(w))
    guarded = Guarded(monkeypatch)
    native_f, native_derivatives = compiled(f), compiled(derivatives)
    for _ in range(2):
        assert_close(native_f(w), plain[0])
        assert_close(native_derivatives(w), plain[1], 1e-11)
    guarded.check()


def test_loops_run_as_a_whole():
    python = {"no steps"}  # nothing to do
    for name, f in LOOPS.items():
        g = compiled(f)
        g(np.array([0.3, -0.2, 0.7]))
        assert (g.latest.native is not None and g.latest.native.whole) == (name not in python), name


WHILES = {
    "Collatz": (
        lambda n: tm.while_loop(
            lambda c: c[0] > 1, lambda c: (tm.where(c[0] % 2 == 0, c[0] // 2, 3 * c[0] + 1), c[1] + 1), (n, 0)
        )[1],
        [(np.int64(27), 111), (np.int64(1), 0), (np.int64(97), 118)],
    ),
    "root": (  # Newton's steps
        lambda x: tm.while_loop(lambda r: tm.max(abs(r * r - x)) > 1e-13, lambda r: 0.5 * (r + x / r), x),
        [(np.array([2.0, 0.25]), np.sqrt([2.0, 0.25])), (np.array([9.0, 1.0]), np.array([3.0, 1.0]))],
    ),
    "as often as it says": (
        lambda n: tm.fori_loop(n, lambda k, c: c + k, 0.0), [(np.int64(n), n * (n - 1) / 2) for n in (5, 0, 1, 1000)],
    ),
    "never": (lambda x: tm.while_loop(lambda c: c < 0.0, lambda c: c * 2.0, x), [(2.0, 2.0), (-0.0, -0.0)]),
}  # fmt: skip


@pytest.mark.parametrize("name", WHILES)
def test_native_loops_without_a_bound_end_where_their_condition_does(name):
    f, cases = WHILES[name]
    g = compiled(f)
    for x, want in cases:
        np.testing.assert_allclose(g(x).numpy(), want, rtol=1e-13)
    rows = g.profile(cases[0][0], repeat=1).rows
    assert [r.native for r in rows if "while_loop" in r.text or "fori_loop" in r.text] == [True], rows


def test_a_native_loop_that_does_not_end_in_time_raises_and_can_be_called_again():
    f = compiled(lambda x: tm.scan(lambda c, _: (bounded(c), c), x, None, length=2))

    def bounded(x):
        return tm.while_loop(lambda c: tm.sum(c) < 100.0, lambda c: c * 2.0, x, max_steps=5)

    slow = tm.compile(f.f)
    for x in (np.array([4.0, 8.0]), np.array([50.0, 60.0])):
        assert_bits(f(x), slow(x))
        with pytest.raises(tm.errors.NoConvergence) as want:
            slow(x / 1e3)
        with pytest.raises(tm.errors.NoConvergence) as got:
            f(x / 1e3)
        assert str(got.value) == str(want.value)
    g = compiled(tm.grad(lambda x: tm.sum(bounded(x) ** 2)))
    assert_close(g(np.array([4.0, 8.0])), [2 * 16.0**2 * np.array([4.0, 8.0])])
    assert_close(g(np.array([40.0, 80.0])), [2 * np.array([40.0, 80.0])])
    with pytest.raises(tm.errors.NoConvergence, match="max_steps=5"):
        g(np.array([0.1, 0.1]))
    assert g.latest.native.whole


def drawing(steps, x):
    """A loop whose steps draw, twice and of several kinds."""

    def uniform(c, row):
        return c + tm.random.random(3).sum() * row * tm.random.random((2, 2)).mean(), c

    def mixed(c, row):
        z = tm.random.exponential(2.0, size=2, dtype="float32")
        return c + tm.random.normal(row, 1.0, size=3) * z.mean() + tm.random.integers(0, 5, size=2).sum(), c

    return tm.scan({"uniform": uniform, "mixed": mixed}[steps], tm.zeros(3), x, reverse=steps == "mixed")


@pytest.mark.parametrize("steps", ["uniform", "mixed"])
@pytest.mark.parametrize("transform", ["value", "gradient"])
def test_loops_whose_steps_draw_are_native_and_draw_what_the_eager_ones_do(steps, transform):
    x = np.arange(15.0).reshape(5, 3)

    def f(x):
        return tm.grad(lambda x: drawing(steps, x)[0].sum())(x) if transform == "gradient" else drawing(steps, x)

    tm.random.seed(3)
    want, after = f(tm.tensor(x)), tm.random.random()
    program = compiled(f)
    for _ in range(2):
        tm.random.seed(3)
        assert_close(program(x), want)
        assert tm.random.random() == after
    made = program._latest
    assert all(made.native.lowered.is_native(v) for v in made.program.body if v.op.kind == "loop")


def test_what_a_step_might_write_behind_its_last_row_is_not_written(monkeypatch):
    """Of a loop with a bound, whose rows are kept for its derivative."""
    guarded = Guarded(monkeypatch)

    def loss(x):
        return tm.sum(tm.while_loop(lambda c: tm.sum(c) < 100.0, lambda c: tm.sinh(c), x, max_steps=4))

    f, slow = compiled(tm.value_and_grad(loss)), tm.compile(tm.value_and_grad(loss))
    for x in (np.array([1.5, 1.0]), np.array([3.0, 2.0]), np.array([200.0, 1.0])):
        assert_close(f(x), slow(x))
    with pytest.raises(tm.errors.NoConvergence):
        f(np.array([0.1, 0.2]))
    guarded.check()


def test_a_long_native_loop_trains_and_lets_other_threads_run():
    train = compiled(lambda w: tm.fori_loop(20_000, lambda k, c: momentum(*c, X), (w, tm.zeros_like(w)))[0])
    w = np.zeros(3)
    want = np.linalg.lstsq(X, np.ones(6), rcond=None)[0]
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: train(w).numpy(), range(8)):
            np.testing.assert_allclose(got, want, rtol=1e-10)


@pytest.mark.parametrize("rule", ["SGD", "Adam", "dropout"])
def test_fit_trains_natively_as_it_does_in_numpy(rule):
    x, y = tm.data.two_layer_linear(48, rng=0)

    def trained(compile):
        tm.random.seed(3)
        layers = [tm.nn.Linear(4, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 2, rng=1)]
        net = tm.nn.Sequential(*layers[:2], *([tm.nn.Dropout(0.2)] if rule == "dropout" else []), layers[2])
        opt = (tm.optim.Adam if rule == "Adam" else tm.optim.SGD)(net, lr=0.03)
        history = tm.train.fit(net, (x, y), tm.nn.functional.mse_loss, opt, 5, compile=compile, progress=False)
        return [p.detach().numpy() for p in net.parameters()], [row["loss"] for row in history]

    want, losses = trained(True)
    got, found = trained("native")
    assert_close(got, want, 1e-10)
    np.testing.assert_allclose(found, losses, rtol=1e-10)
    with pytest.raises(tm.ArgumentError, match=r"compile is True, False,? or one of"):
        trained("jax")


# -- errors and choice ------------------------------------------------------------------------------------------------
def test_errors_are_those_of_the_numpy_program():
    f = compiled(lambda x: tm.linalg.inv(tm.exp(x) - 1.0) + 1.0)
    assert np.isfinite(f(np.eye(2)).numpy()).all()
    with pytest.raises(tm.errors.SingularMatrix):
        f(np.zeros((2, 2)))
    assert np.isfinite(f(np.eye(2)).numpy()).all()


def test_division_by_zero_and_overflow_are_silent_and_leave_numpy_no_flags():
    f = compiled(lambda x, k: (1.0 / x, tm.exp(1e3 * x), tm.log(x - 1.0), k // k))
    got = arrays(f(np.array([0.0, 2.0]), np.array([0, 2])))
    assert np.isinf(got[0][0])
    assert np.isinf(got[1][1])
    assert np.isneginf(got[2][1]) or got[2][1] == 0.0
    with np.errstate(all="raise"):
        assert (np.ones(3) + 1.0).tolist() == [2.0] * 3


def test_the_backend_is_one_of_three():
    for wrong in ("jax", "Native", 3, None):
        with pytest.raises(tm.ArgumentError, match=r"backend is (a text|one of 'numpy', 'native', 'auto')"):
            tm.compile(lambda x: x, backend=wrong)


def test_without_llvmlite_an_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(assembly.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(tm.errors.MissingExtra, match=r"pip install llvmlite.*native"):
        compiled(lambda x: x)
    f = tm.compile(lambda x: x * 2.0, backend="auto")
    assert f(np.ones(2)).tolist() == [2.0, 2.0]
    assert f.latest.native is None


def test_auto_is_native_where_that_pays():
    f = tm.compile(lambda x: tm.tanh(x) * 2.0, backend="auto")
    f(np.ones(3))
    assert f.latest.native is not None
    g = tm.compile(lambda x: tm.sort(tm.cumsum(tm.sort(x, descending=True))), backend="auto")
    g(np.ones(3))
    assert g.latest.native is None


def test_importing_the_package_and_compiling_for_numpy_does_not_load_llvmlite():
    code = (
        "import sys, numpy as np, tinygrad_math as tm; tm.compile(lambda x: tm.sin(x))(np.ones(3)); "
        "tm.compile(lambda x: x, backend='auto'); print('llvmlite' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_the_profile_says_which_instructions_are_native():
    f = compiled(lambda x: tm.sort(tm.tanh(x)) * 2.0)
    rows = {r.text: r for r in f.profile(np.linspace(-1.0, 1.0, 5), repeat=3).rows}
    assert {name: row.native for name, row in rows.items()} == {"tanh": True, "sort": False, "multiply": True}
    assert "native" in str(f.profile(np.linspace(-1.0, 1.0, 5), repeat=3))
    net = compiled(lambda x, w, b: tm.tanh(x @ w + b))
    rows = net.profile(np.ones((9, 4)), np.ones((4, 3)), np.ones(3), repeat=3).rows
    assert [(r.text, r.flops) for r in rows] == [("chain of 2: matmul, add", 2 * 9 * 4 * 3), ("tanh", 0)]
    assert not any(r.native for r in tm.compile(f.f).profile(np.ones(5), repeat=3).rows)


def test_a_native_program_is_compiled_again_after_pickling_and_its_derivatives_are_native():
    import copy

    f = compiled(tm.tanh)
    assert copy.deepcopy(f).backend == "native"
    assert f._compiled_alike(tm.sin).backend == "native"


# -- the parts --------------------------------------------------------------------------------------------------------
def test_dimensions_that_follow_each_other_are_one():
    assert merged((2, 3, 4), [(96, 32, 8)]) == ([24], [[8]])
    assert merged((2, 3), [(0, 8), (24, 8)]) == ([2, 3], [[0, 8], [24, 8]])
    assert merged((1, 1), [(8, 8)]) == ([], [[]])
    assert merged((3, 2), [(8, 24)]) == ([6], [[8]])  # turned


@pytest.mark.parametrize("source", loops.PLAIN)
@each_of("target", loops.PLAIN)
def test_casts_are_numpys(source, target):
    by = loops.caster(np.dtype(source), np.dtype(target))
    if by is None:
        assert np.dtype(source).kind in "fc"
        return
    x = np.array(
        [0, 1, 100, 250, -3, 0.5, np.nan, -0.0] if np.dtype(source).kind in "fc" else [0, 1, 100, 5, 127], source
    )
    x = np.concatenate([x] * 5)
    for given in (x, np.stack([x, x], 1)[:, 0]):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            want = given.astype(target)
        out = np.zeros(len(x), target)
        loops.run(by, [given, out])
        np.testing.assert_array_equal(out, want)


def test_the_places_of_numpys_functions_are_those_of_its_header():
    from pathlib import Path

    header = (Path(np.get_include()) / "numpy" / "__multiarray_api.h").read_text()
    for name, place in (("PyArray_NewFromDescr", machine._NEW_FROM_DESCR), ("PyArray_Scalar", machine._SCALAR)):
        text = header.partition(f"#define {name} ")[2]
        assert text.partition("PyArray_API[")[2].partition("]")[0] == str(place)
