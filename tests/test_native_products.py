"""Matrix products of our own: all layouts, biases, many at once, and no write beside their results."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, assert_close, compiled, sorted_by_numpy

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler.native import assembly, forms, instructions, products, stacks

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
            sorted_by_numpy(x @ w + row) + row,
        )

    y = x.astype(float) @ w
    want = y + row, y + column, np.tanh(y + row[0]), y + full, y.T + column.T + 1, np.sort(y + row) + row
    for got, exact in zip(arrays(compiled(f)(x, w, row, column, full)), want, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("left", "right", "bias"),
    [
        *(((3, 2), (2,), bias) for bias in ((), (1,), (3,))),
        *(((5, 3, 2), (2,), bias) for bias in ((), (3,), (5, 1), (5, 3))),
        *(((2,), (2, 9), bias) for bias in ((), (1,), (9,))),
        *(((2,), (5, 2, 9), bias) for bias in ((), (9,), (5, 1), (5, 9))),
        *(((7,), (7,), bias) for bias in ((), (1,))),
        *(((5, 3, 2), (5, 2, 4), bias) for bias in ((), (4,), (3, 1), (5, 1, 1))),
    ],
)
def test_products_with_rows_and_columns_of_one_axis_begin_with_their_biases(left, right, bias, dtype):
    """Logistic regression with one bias, a bank of layers at one point: what follows reads the whole result."""
    rng = np.random.default_rng(4)
    a, b, c = (rng.normal(size=s).astype(dtype) for s in (left, right, bias))
    f, loss = lambda a, b, c: tm.sin(a @ b + c), lambda a, b, c: (tm.tanh(c + a @ b) ** 2).sum()
    slopes = tm.grad(loss, argnums=(0, 1, 2))
    want = f(*map(tm.tensor, (a, b, c))), slopes(a, b, c)
    for got, exact in zip(arrays((compiled(f)(a, b, c), compiled(slopes)(a, b, c))), arrays(want), strict=True):
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


def run(function, data, *matrices):
    """The product function over A, B, C and what the sums begin with."""
    (n, k), m = matrices[0].shape, matrices[1].shape[1]
    strides = [0, 0, 0, 0, *(s for x in matrices for s in x.strides)]
    words = [np.array(w, np.int64) for w in ([x.ctypes.data for x in matrices], [1, n, k, m], strides)]
    function(*(w.ctypes.data for w in words), data)


LOOP = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)


@pytest.fixture(scope="module", params=[16, 32, 64])
def ours(request):
    """The products of processors whose vectors have so many bytes, which LLVM splits where this one's are narrower."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (forms, products):
            patch.setattr(module, "vector_bytes", lambda: request.param)
        names = {char: f"product_{char}_{request.param}" for char in "df"}
        made = {}
        for char, name in names.items():
            module = assembly.llvm().ir.Module(name)
            products._Product(module, name, char).write()
            made[char] = LOOP(assembly.assemble(module)[name])
    return request.param, made


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_of_ours_end_where_their_matrices_do(dtype, ours):
    """All ways to cut rows and columns into tiles; what lies around C, and between its rows, keeps its NaN."""
    d, rng = np.dtype(dtype), np.random.default_rng(12)
    lanes, function = ours[0] // d.itemsize, ours[1][d.char]
    columns = sorted({1, 3, *(v * lanes + k for v in range(1, 5) for k in (-1, 0, 1, lanes // 2))} - {0})
    rows = {1, 2, 3, 4, 6, 7, 8, 13, 18}
    for n, k, m in [(n, k, m) for n in sorted(rows) for k in (1, 6) for m in columns]:
        a, b, bias = (rng.normal(size=s).astype(d) for s in ((n, k), (k, m), (m,)))
        want = a.astype(float) @ b + bias
        allowed = 1e-5 * np.abs(want) + (1e-5 if d.char == "f" else 1e-13)
        frames = [np.full((n + 2, m + 2), np.nan, d), np.full((m + 2, n + 2), np.nan, d), np.full(n * m + 2, np.nan, d)]
        results = frames[0][1:-1, 1:-1], frames[1][1:-1, 1:-1].T, frames[2][1:-1].reshape(n, m)
        for right in (b, np.asfortranarray(b), np.repeat(np.repeat(b, 2, 0), 3, 1)[::2, ::3]):
            for whole, c in zip(frames, results, strict=True):
                run(function, 1, a, right, c, np.broadcast_to(bias, c.shape))
                assert (np.abs(c - want) <= allowed).all(), (n, k, m)
                c[...] = np.nan
                assert np.isnan(whole).all(), (n, k, m)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_of_ours_take_their_first_matrix_as_it_lies(dtype, ours):
    """Rows in order, columns in order, or neither, forwards and backwards: the same terms in the same order."""
    d, rng = np.dtype(dtype), np.random.default_rng(19)
    lanes, function = ours[0] // d.itemsize, ours[1][d.char]
    shapes = [(n, k, m) for n in (1, 3, 4, 7, 18, 31) for k in (1, 3, 4, 5, 18) for m in (1, lanes, 2 * lanes + 1)]
    for n, k, m in shapes:
        a, b, bias = (rng.normal(size=s).astype(d) for s in ((n, k), (k, m), (n, 1)))
        wide = np.repeat(np.repeat(a, 2, 0), 3, 1)[::2, ::3]
        ways = np.asfortranarray(a), wide, np.asfortranarray(wide), a[::-1].copy()[::-1], a[:, ::-1].copy()[:, ::-1]
        want, c = np.empty((n, m), d), np.empty((n, m), d)
        run(function, 1, a, b, want, np.broadcast_to(bias, want.shape))
        tolerance = 1e-5 if d.char == "f" else 1e-13
        np.testing.assert_allclose(want, a.astype(float) @ b + bias, rtol=tolerance, atol=tolerance)
        for left in ways:
            c[...] = np.nan
            run(function, 1, left, b, c, np.broadcast_to(bias, c.shape))
            np.testing.assert_array_equal(c, want)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_element_of_a_product_has_the_same_bits_whatever_is_computed_beside_it(dtype, ours):
    function, rng = ours[1][np.dtype(dtype).char], np.random.default_rng(17)
    a, b = rng.normal(size=(37, 19)).astype(dtype), rng.normal(size=(19, 45)).astype(dtype)
    whole = np.empty((37, 45), dtype)
    run(function, 0, a, b, whole, whole)
    for n, m in ((4, 1), (5, 9), (8, 16), (13, 31), (37, 44)):
        c = np.empty((n, m), dtype)
        run(function, 0, a[:n], b[:, :m], c, c)
        np.testing.assert_array_equal(c, whole[:n, :m])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_read_no_column_beyond_theirs(dtype, ours):
    """Rows of B a power of two apart are copied, by the first tile where they fill vectors; NaN lies between."""
    d, rng = np.dtype(dtype), np.random.default_rng(16)
    function, tolerance = ours[1][d.char], 1e-5 if d.char == "f" else 1e-13
    for n, k, m in [(n, k, m) for n in (31, 37) for k in (21, 40) for m in (1, 7, 8, 16, 27, 64)]:
        a, bias, whole = (
            rng.normal(size=(n, k)).astype(d),
            rng.normal(size=m).astype(d),
            np.full((k + 1, 256), np.nan, d),
        )
        b, frame = whole[:k, 64 : 64 + m], np.full((n + 2, m + 2), np.nan, d)
        b[...] = rng.normal(size=(k, m))
        assert k * 256 * d.itemsize > products.CROWDED
        c = frame[1:-1, 1:-1]
        run(function, 1, a, b, c, np.broadcast_to(bias, c.shape))
        np.testing.assert_allclose(c, a.astype(float) @ b + bias, rtol=tolerance, atol=tolerance * k)
        again = np.empty((n, m), d)
        run(function, 1, a, b.copy(), again, np.broadcast_to(bias, c.shape))
        np.testing.assert_array_equal(again, c)
        c[...] = np.nan
        assert np.isnan(frame).all(), (n, k, m)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_many_tiny_products_go_side_by_side_and_end_where_their_matrices_do(dtype):
    d, lanes, rng = np.dtype(dtype), forms.lanes(np.dtype(dtype).char), np.random.default_rng(13)
    function = LOOP(stacks.stacked(d.char))
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
        slope = tm.grad(lambda p: ((x @ p[0] @ p[1] - y) ** 2).mean())
        return tuple(a - rate * d for a, d in zip(p, slope(p), strict=True))

    step, bank = compiled(tm.vmap(train)), start
    for _ in range(20):
        bank = step(bank, rates)
    assert made
    for k, rate in enumerate(rates):
        a, b = (w[k] for w in start)
        for _ in range(20):
            e = 2 * (x @ a @ b - y) / y.size
            a, b = a - rate * x.T @ e @ b.T, b - rate * (x @ a).T @ e
        np.testing.assert_allclose(bank[0].numpy()[k], a, rtol=1e-10)
        np.testing.assert_allclose(bank[1].numpy()[k], b, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("many", [2, 8, 11])
def test_many_tiny_products_begin_with_their_biases_and_so_do_sums_of_rows(many, dtype, monkeypatch):
    rng, guarded = np.random.default_rng(18), Guarded(monkeypatch)
    x, w, row, column = (rng.normal(size=s).astype(dtype) for s in ((5, 4), (many, 4, 3), (many, 3), (many, 5, 1)))

    def f(x, w, row, column):
        y = x @ w + row[:, None]
        turned = tm.swapaxes(w, 1, 2) @ x.T + row[:, :, None]
        return y, x @ w + column, turned * 2.0, x @ w + row[0], tm.sum(y, axis=1), tm.sum(y, axis=1, keepdims=True)

    y = x.astype(float) @ w + row[:, None]
    want = y, x @ w + column, 2 * y.swapaxes(1, 2), x @ w + row[0], y.sum(1), y.sum(1, keepdims=True)
    g = compiled(f)
    for _ in range(2):
        for got, exact in zip(arrays(g(x, w, row, column)), want, strict=True):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-5 if dtype == "float32" else 1e-13)
    guarded.check()


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
