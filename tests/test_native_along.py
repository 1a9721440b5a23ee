"""Places found and named in machine code: argmax and argmin, several index arrays at once, one index for each row."""

from __future__ import annotations

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, assert_bits, assert_close, assert_refused_alike, compiled

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

RNG = np.random.default_rng(37)


def layouts(x):
    return x, np.asfortranarray(x), x[..., ::-1].copy()[..., ::-1], np.repeat(x, 2, -1)[..., ::2]


def signs(arrays):
    return [np.signbit(a).tolist() if a.dtype.kind == "f" else None for a in map(np.asarray, arrays)]


# -- where the largest element is -------------------------------------------------------------------------------------
def extreme_numbers(dtype, shape):
    x = RNG.integers(0, 5, shape).astype(dtype)  # with ties
    if x.dtype.kind == "f":
        x[0] = RNG.normal(size=shape[1:])
        x[1, ..., 1] = np.nan
        x[2], x[2, 0, 0], x[2, 1, -1] = 0.0, -0.0, np.nan
        x[3, 0], x[3, 1] = -np.inf, np.inf
    return x


@pytest.mark.parametrize("dtype", ["?", "b", "B", "h", "H", "i", "I", "l", "L", "f", "d"])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_argmax_and_argmin_are_numpys_with_ties_and_what_is_not_a_number(axis, dtype, monkeypatch):
    guarded = Guarded(monkeypatch)
    for keepdims in (False, True):
        g = compiled(lambda x, k=keepdims: [f(x, axis=axis, keepdims=k) for f in (tm.argmax, tm.argmin)])
        x = extreme_numbers(dtype, (4, 3, 5))
        for given in layouts(x):
            assert_bits(g(given), [f(given, axis=axis, keepdims=keepdims) for f in (np.argmax, np.argmin)])
            assert g.latest.native.whole
    guarded.check()


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 9, 16, 17, 33, 100, 600])
def test_extremes_of_short_rows_are_numpys(n, dtype, monkeypatch):
    guarded = Guarded(monkeypatch)
    x = np.concatenate([extreme_numbers(dtype, (4, 3, max(n, 2)))[..., :n], RNG.normal(size=(2, 3, n)).astype(dtype)])
    for axis in (-1, (0, -1), 1):
        g = compiled(lambda x, a=axis: [f(x, axis=a) for f in (tm.max, tm.min)])
        for given in layouts(x):
            assert_bits(g(given), [f(given, axis=axis) for f in (np.max, np.min)])
    guarded.check()


@pytest.mark.parametrize("axis", [0, -1, None])
def test_the_place_of_a_single_number_is_0_along_any_axis(axis):
    for given in (np.float64(0.5), np.array(3), np.array(True), np.array(np.nan, "f")):
        g = compiled(lambda x: [tm.argmax(x, axis=axis), tm.argmin(x, axis=axis)])
        assert_bits(g(given), [np.argmax(given, axis=axis), np.argmin(given, axis=axis)])
        assert g.latest.native.whole


def test_an_argmax_of_nothing_is_the_ops_error():
    with pytest.raises(tm.errors.MathError, match="argmax"):
        compiled(lambda x: tm.argmax(x, axis=1))(np.zeros((2, 0)))


def test_a_greedy_decoder_runs_without_python():
    e, w, start = RNG.normal(size=(7, 4)), RNG.normal(size=(4, 4)), RNG.normal(size=4)

    def decoded(e, w, h):
        def step(h, _):
            k = tm.argmax(e @ h)
            return tm.tanh(h @ w) + e[k], k

        return tm.scan(step, h, length=20)[1]

    g = compiled(decoded)
    got, h, want = g(e, w, start).numpy(), start, []
    assert g.latest.native.whole
    for _ in range(20):
        k = int(np.argmax(e @ h))
        h = np.tanh(h @ w) + e[k]
        want.append(k)
    assert got.tolist() == want


# -- several index arrays ---------------------------------------------------------------------------------------------
ROWS = np.arange(4)
PAIRS = {
    "one for each row": (ROWS, np.array([2, 0, -1, 1])),
    "one for each column": (np.array([2, 0, -1, 3, 3]), np.arange(5)),
    "blocks": (np.array([[0], [3]]), np.array([1, -1, 1])),
    "narrow": (np.array([1, 1, 0], np.int8), np.array([4, 4, 4], np.uint16)),
    "a number": (np.array([1, 2]), np.array(3)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "int64", "int8", "bool"])
@pytest.mark.parametrize("ahead", [0, 1])
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_positions_are_read_added_and_put_as_numpy_does(name, ahead, dtype, monkeypatch):
    key = (slice(None),) * ahead + PAIRS[name]
    x = (RNG.normal(size=(2, 4, 5, 3) if ahead else (4, 5, 3)) * 9).astype(dtype)
    v = (RNG.normal(size=x[key].shape) * 9).astype(dtype)
    if v.dtype.kind == "f":
        v.flat[::2] *= 0.0  # of both signs
    guarded = Guarded(monkeypatch)

    def f(x, v):
        found = [x[key], x.at[key].set(v), x.at[key].set(x[key] if dtype == "bool" else v * 2)]
        return found if dtype == "bool" else [*found, x.at[key].add(v), x.at[key].add(v[..., :1])]

    g = compiled(f)
    for given in layouts(x):
        want = [given[key], given.copy(), given.copy(), given.copy(), given.copy()][: 3 if dtype == "bool" else 5]
        want[1][key] = v
        want[2][key] = given[key] if dtype == "bool" else v * 2
        for y, more in zip(want[3:], (v, v[..., :1]), strict=False):
            np.add.at(y, key, more)
        got = [y.numpy() for y in g(given, v)]
        assert_bits(got, want)
        assert signs(got) == signs(want)
    guarded.check()


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex64"])
@pytest.mark.parametrize("name", PAIRS)
def test_the_derivative_at_pairs_of_positions_has_the_ops_bits(name, dtype):
    x = RNG.normal(size=(4, 5, 3)).astype(dtype)
    g = RNG.normal(size=x[PAIRS[name]].shape).astype(dtype)
    g.real.flat[::2] *= 0.0

    def f(x, g):
        return tm.vjp(lambda x: x[PAIRS[name]], x)[1](g)[0]

    got, want = (y.numpy() for y in (compiled(f)(x, g), f(tm.tensor(x), tm.tensor(g))))
    assert_bits([got], [want])
    assert signs([got.real]) == signs([want.real])


STEPS = {
    "a row": lambda k, x: x[k].sum(0),
    "rows from behind": lambda k, x: x[5 - k, k - 6] * x[k, k - 3],
    "a number beside": lambda k, x: x[k, 1] + x[2, k - 1] * x[k - 6, -1],
    "rows of columns": lambda k, x: x[:, k].sum(0),
    "written": lambda k, x: x.at[k].set(2.0)[k, 0] + x.at[:, k].add(1.0)[1, k] ** 2,
}


@pytest.mark.parametrize("name", STEPS)
def test_the_number_of_a_step_names_rows_without_python(name):
    x, c = RNG.normal(size=(6, 6, 4)), RNG.normal(size=4)

    def f(x, c):
        return tm.fori_loop(6, lambda k, c: tm.sin(c) + STEPS[name](k, x), c)

    for f_or_slope in (f, tm.grad(lambda x, c: f(x, c).sum())):
        g = compiled(f_or_slope)
        assert_close(g(x, c), f_or_slope(tm.tensor(x), tm.tensor(c)))
        assert g.latest.native.whole
        assert not g.latest.native.lowered.memory.calls
    with pytest.raises(tm.errors.IndexOutOfBounds):
        compiled(lambda x, c: tm.fori_loop(7, lambda k, c: tm.sin(c) + STEPS[name](k, x), c))(x, c)


# -- one index for each row -------------------------------------------------------------------------------------------
ALONG = {
    "each row": ((3, 4), np.array([[0, 3, -1], [1, 1, 2], [0, 0, -4]]), 1),
    "each column": ((3, 4), np.array([[0, 2, -1, 1], [0, 2, 0, 1]]), 0),
    "the same for all": ((3, 4), np.array([[2, 0]]), -1),
    "spread": ((1, 4), np.array([[1, 1], [0, 3]]), 1),
    "in the middle": ((2, 4, 3), RNG.integers(-4, 4, (2, 6, 3)), 1),
    "a row": ((4,), np.array([1, 1, 3]), 0),
    "a row as a whole": ((4,), np.array([1, 1, 3]), None),
    "none": ((2, 3), np.zeros((2, 0), int), 1),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex64", "int32", "bool"])
@pytest.mark.parametrize("name", ALONG)
def test_what_is_taken_along_an_axis_has_numpys_bits(name, dtype, monkeypatch):
    shape, index, axis = ALONG[name]
    x = (RNG.normal(size=shape) * 9).astype(dtype)
    g, guarded = compiled(lambda x, i: tm.take_along_axis(x, i, axis=axis)), Guarded(monkeypatch)
    for given in layouts(x):
        for i in (index, np.asfortranarray(index), index.astype(np.int16)):
            assert_bits([g(given, i)], [np.take_along_axis(given, i, axis)])
    if name != "none":
        guarded.check()


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex64"])
@pytest.mark.parametrize("name", ALONG)
def test_the_derivative_of_what_is_taken_has_the_ops_bits(name, dtype):
    shape, index, axis = ALONG[name]
    x = RNG.normal(size=shape).astype(dtype)
    v = RNG.normal(size=np.take_along_axis(x, index, axis).shape).astype(dtype)

    def f(x, i, v):
        return tm.vjp(lambda x: tm.take_along_axis(x, i, axis=axis), x)[1](v)[0]

    for given in layouts(v):
        assert_bits([compiled(f)(x, index, given)], [f(*map(tm.tensor, (x, index, given)))])


WRONG = {
    "a pair": lambda x, i: x[np.arange(3), i] * 2.0,
    "a pair's derivative": lambda x, i: tm.grad(lambda x: tm.sum(x[np.arange(3), i] ** 2))(x),
    "a pair added to": lambda x, i: x.at[np.arange(3), i].add(1.0),
    "a pair written": lambda x, i: x.at[np.arange(3), i].set(1.0),
    "a place written": lambda x, i: x.at[:, i].set(1.0),
    "along an axis": lambda x, i: tm.take_along_axis(x, tm.reshape(i, (3, 1)), axis=1),
    "along it in a loop": lambda x, i: tm.fori_loop(
        3, lambda k, c: c + tm.take_along_axis(x, tm.reshape(i, (3, 1)), axis=1), tm.zeros((3, 1))
    ),
}


@pytest.mark.parametrize("wrong", [4, -5, 1 << 40, -(1 << 62)])
@pytest.mark.parametrize("how", WRONG)
def test_a_position_that_does_not_exist_is_the_ops_own_error(how, wrong):
    x, good, bad = RNG.normal(size=(3, 4)), np.array([0, 3, -4]), np.array([0, wrong, 1])
    f, g = WRONG[how], compiled(WRONG[how])
    for _ in range(2):
        assert_close(g(x, good), f(tm.tensor(x), tm.tensor(good)))
        assert g.latest.native.whole
        assert_refused_alike(f, g, x, bad)


def test_of_a_place_that_is_named_twice_the_last_value_stays():
    g = compiled(lambda x, i, v: x.at[i].set(v))
    assert g(np.zeros(3), np.array([1, 1, -2]), np.array([1.0, 2.0, 3.0])).tolist() == [0.0, 3.0, 0.0]
    assert g.latest.native.whole


def test_whole_numbers_and_complex_ones_are_added_in_loops_without_python():
    words = RNG.integers(0, 5, size=(6, 4))
    g = compiled(lambda ws: tm.scan(lambda c, w: (c.at[w].add(1), None), tm.zeros(5, dtype=int), ws)[0])
    assert g(words).tolist() == np.bincount(words.ravel(), minlength=5).tolist()
    assert g.latest.native.whole


@pytest.mark.parametrize("ignored", [-100, 2])
def test_labels_that_a_step_computes_are_checked_without_python(ignored):
    xs, w = RNG.normal(size=(7, 6, 4)), RNG.normal(size=(4, 5))

    def train(w, xs, classes):
        def step(k, w):
            labels = tm.minimum(tm.argmax(xs[k] @ tm.sin(w), axis=1), classes - 1)

            def loss(w):
                found = tm.nn.functional.cross_entropy(xs[k] @ w, labels, reduction="none", ignore_index=ignored)
                return (found**2).sum()

            return w - 0.1 * tm.grad(loss)(w)

        return tm.fori_loop(len(xs), step, w)

    g = compiled(train)
    assert_close(g(w, xs, np.array(5)), train(tm.tensor(w), tm.tensor(xs), tm.tensor(np.array(5))))
    assert g.latest.native.whole
    assert not g.latest.native.lowered.memory.calls
    for f in (g, train):
        with pytest.raises(tm.errors.OutsideDomain, match="a label is one of 5, 0 to 4, got -1"):
            f(w, xs, np.array(0))


def test_an_accuracy_is_counted_without_python():
    x, y = RNG.normal(size=(9, 4)), RNG.integers(0, 4, 9)
    g = compiled(lambda x, y: tm.mean(tm.argmax(x, axis=1) == y))
    assert float(g(x, y)) == np.mean(np.argmax(x, axis=1) == y)
    assert g.latest.native.whole
    whole = compiled(lambda k: (tm.mean(k), tm.mean(k, axis=0)))
    for k in (RNG.integers(0, 2**52, (20, 7)), RNG.integers(-(2**31), 2**31 - 1, (20, 7)).astype(np.int32)):
        assert_bits(whole(k), [k.mean(), k.mean(axis=0)])


# -- short rows -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [2, 3, 7, 8, 15, 16, 17, 40, 511, 513])
def test_what_is_spread_along_short_rows_or_over_them_has_numpys_bits(n, dtype, monkeypatch):
    x = RNG.normal(size=(3, 6, n)).astype(dtype)
    x[0, 0, :2], x[1, 1, -1], x[2, 2, 0] = (np.inf, -0.0), np.nan, 0.0
    column, row, block = x[:, :, 1:2].copy(), x[0, 3].copy(), x[1].copy()
    guarded = Guarded(monkeypatch)

    def f(x, column, row, block):
        y = x + 1.0
        return [
            x - column, column - x, x / column, column / x, x * row, row / x, row - y, y / column, y - y[..., :1],
            x + block, block[:, None] * x[0], x[:, ::2] - column[:, ::2], column + row,
        ]  # fmt: skip

    g = compiled(f)
    for given in (x, np.asfortranarray(x), x[::-1], np.repeat(x, 2, -1)[..., ::2]):
        with np.errstate(all="ignore"):
            want = f(given, column, row, block)
        assert_bits(g(given, column, row, block), want)
        assert [signs([a[~np.isnan(a)]]) for a in arrays(g(given, column, row, block))] == [
            signs([a[~np.isnan(a)]]) for a in want
        ]
    guarded.check()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_many_narrow_rows_have_numpys_bits(n, dtype):
    x, y = RNG.normal(size=(2, 100, n)).astype(dtype)

    def f(x, column, row):
        return [x - column, row / x, x[:, 1:] * column]

    given = x, y[:, :1], y[0]
    assert_bits(compiled(f)(*given), f(*given))


def test_a_softmax_of_rows_calls_no_loop_for_each_row():
    g = compiled(lambda x: tm.softmax(x))
    x = RNG.normal(size=(50, 10))
    e = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(g(x).numpy(), e / e.sum(1, keepdims=True), rtol=1e-13)
    words = [w for some in g.latest.native.lowered.words.values() for w in [some] if w]
    assert all(w[0] == 0 or w[4] == 0 for w in words)  # no loop has further dimensions, along which it is called again


# -- running products -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running_products_and_their_slopes_have_the_ops_bits(axis, dtype, monkeypatch):
    x = RNG.normal(size=(3, 5, 4)).astype(dtype)
    x[0, 1, 2], x[1, 3, :2] = 0.0, -0.0
    guarded = Guarded(monkeypatch)

    def f(x):
        y = [op(x, axis=axis, reverse=r) for op in (tm.core.op.rec.exclusive_product,) for r in (False, True)]
        return y, [tm.core.op.rec.scan(x, y[0], axis, r) for r in (False, True)]

    g = compiled(f)
    for given in layouts(x):
        assert_bits(g(given), f(tm.tensor(given)))
        assert g.latest.native.whole
    guarded.check()
    products = compiled(lambda x: (tm.cumprod(x, axis=axis), tm.cumprod(x[0, 0])))
    assert_bits(products(x), products.f(tm.tensor(x)))
    assert products.latest.native.whole
    slope = compiled(tm.grad(lambda x: (tm.cumprod(x, axis=axis) ** 2).sum() + tm.prod(x, axis=axis).sum()))
    assert_close(slope(x), slope.f(tm.tensor(x)))
    assert slope.latest.native.whole
