"""Loops over a bank of networks, which native programs run some networks at a time: each as it trains alone."""

from __future__ import annotations

import ctypes
import itertools
import threading
import warnings

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, assert_close, compiled, surrounded

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")
from tinygrad_math.compiler.native import abreast, forms, strips

LOOP = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)
LANES = {char: forms.lanes(char) for char in "df"}


@pytest.fixture
def pieces(monkeypatch):
    """How many networks lay abreast, or not, in each piece of the loops that were made."""
    found, piece = [], strips.Strips._piece

    def seen(self, start, few, count, beside):
        words = piece(self, start, few, count, beside)
        if words is not None:
            found.append((few, count, beside and few >= LANES["d"]))
        return words

    monkeypatch.setattr(strips.Strips, "_piece", seen)
    return found


@pytest.mark.parametrize("char", "df")
def test_products_of_matrices_that_lie_abreast_end_where_these_do(char):
    d, lanes, rng = np.dtype(char), LANES[char], np.random.default_rng(3)
    function = LOOP(abreast._assembled(char))
    tolerance = 1e-5 if char == "f" else 1e-13
    for n, k, m in [(n, k, m) for n in (1, 2, 7) for k in (1, 5) for m in (1, 2, 3, 4, 6)]:
        for count in (lanes, lanes + 1, 3 * lanes - 1):
            a, b, start = (rng.normal(size=(*s, count)).astype(d) for s in ((n, k), (k, m), (1, m)))
            turned = np.ascontiguousarray(b.swapaxes(0, 1)).swapaxes(0, 1)
            shared = np.broadcast_to(a[..., :1], a.shape)
            for x, y, begun in ((a, b, 0), (a, turned, 1), (shared, b, 1), (shared, turned, 0)):
                whole = np.full((n + 2, m + 2, count + 2), np.nan, d)
                c, given = whole[1:-1, 1:-1, 1:-1], np.broadcast_to(start, (n, m, count))
                operands = (x, y, c, given)
                steps = [*(z.strides[2] for z in operands), *(s for z in operands for s in z.strides[:2])]
                where = [z.ctypes.data for z in operands]
                words = [np.array(w, np.int64) for w in (where, [count, n, k, m], steps)]
                function(*(w.ctypes.data for w in words), begun)
                want = np.einsum("ikc,kjc->ijc", x.astype(float), y.astype(float)) + begun * given
                np.testing.assert_allclose(c, want, rtol=tolerance, atol=tolerance)
                c[...] = np.nan
                assert np.isnan(whole).all(), (n, k, m)


def test_a_bank_trains_as_each_of_its_networks_does_by_hand(pieces):
    """The oracle is gradient descent written in NumPy."""
    rng, many = np.random.default_rng(5), 50
    x, y = rng.normal(size=(16, 4)), rng.normal(size=(16, 2))
    start = [rng.normal(size=(many, *s)) for s in ((4, 3), (3,), (3, 2), (2,))]
    rates = np.linspace(0.01, 0.1, many)

    def train(p, rate):
        loss = lambda p: (((x @ p[0] + p[1]) @ p[2] + p[3] - y) ** 2).mean()  # noqa: E731
        return tm.fori_loop(20, lambda _, p: [w - rate * g for w, g in zip(p, tm.grad(loss)(p), strict=True)], p)

    bank = compiled(tm.vmap(train))(start, rates)
    assert len(pieces) == 2
    assert sum(few * count for few, count, _ in pieces) == many
    assert all(beside for _, _, beside in pieces)
    for k, rate in enumerate(rates):
        a, b, c, d = (w[k] for w in start)
        for _ in range(20):
            h = x @ a + b
            e = 2 * (h @ c + d - y) / y.size
            f = e @ c.T
            a, b, c, d = a - rate * x.T @ f, b - rate * f.sum(0), c - rate * h.T @ e, d - rate * e.sum(0)
        for got, want in zip(bank, (a, b, c, d), strict=True):
            np.testing.assert_allclose(got.numpy()[k], want, rtol=1e-10)


ACTIVATIONS = (
    tm.tanh, tm.special.expit, lambda z: tm.maximum(z, 0.0), lambda z: tm.where(z > 0.1, z, 0.3 * z), tm.sin,
    lambda z: tm.logaddexp(0.0, z), lambda z: z * tm.exp(-z * z), lambda z: z,
)  # fmt: skip


def random_bank(seed, many, single):
    """A training loop of a random small network, how its arguments lie, and these."""
    rng = np.random.default_rng(seed)
    kind = np.float32 if single else np.float64
    sizes = [int(s) for s in rng.integers(1, 7, size=rng.integers(2, 5))]
    rows, steps = int(rng.integers(1, 9)), int(rng.integers(2, 5))
    biases, act, rule = rng.random() < 0.7, ACTIVATIONS[rng.integers(len(ACTIVATIONS))], rng.integers(3)
    labels = rng.integers(0, sizes[-1], size=rows)
    measure, own, looped = rng.integers(4), rng.random() < 0.4, rng.random() < 0.5
    backwards = bool(rng.random() < 0.3)

    def loss(p, x, y):
        for k, layer in enumerate(p):
            x = x @ layer[0] + (layer[1] if biases else 0.0)
            x = act(x) if k < len(p) - 1 else x
        if measure == 0:
            return tm.mean((x - y) ** 2)
        if measure == 1:
            return tm.mean(tm.logaddexp(0.0, x[:, 0]) - y[:, 0] * x[:, 0])
        if measure == 2:
            return tm.nn.functional.cross_entropy(x, labels)
        return tm.mean(tm.special.logsumexp(x * y, axis=1)) + tm.sum(tm.concat([x, y], axis=1)[:, ::2] ** 2)

    def step(k, p, m, rate, x, y):
        value, g = tm.value_and_grad(loss)(p, x, y)
        pair = lambda f, *trees: [[f(*t) for t in zip(*rows, strict=True)] for rows in zip(*trees, strict=True)]  # noqa: E731
        if rule == 0:
            return value, pair(lambda p, g: p - rate * g, p, g), m
        m = pair(lambda m, g: 0.9 * m + g * g, m, g) if rule == 1 else pair(lambda m, g: 0.9 * m - g, m, g)
        new = pair(lambda p, g, m: p - rate * g / (tm.sqrt(m / (1 - 0.9 ** (k + 1.0))) + 0.1), p, g, m)
        return value, (new if rule == 1 else pair(lambda p, m: p + rate * m, p, m)), m

    def train(p, rate, x, y):
        m = [[0.0 * w for w in layer] for layer in p]
        if not looped:
            return tm.fori_loop(steps, lambda k, c: step(k, *c, rate, x, y)[1:], (p, m))
        turn = lambda c, row: ((c[0] + 1, *(out := step(tm.astype(c[0], kind), *c[1:], rate, *row))[1:]), out[0])  # noqa: E731
        return tm.scan(turn, (tm.tensor(0), p, m), (x, y), reverse=backwards)

    def draw(*shape):
        return rng.normal(size=shape).astype(kind)

    ahead = ((many,) if own else ()) + ((steps,) if looped else ())
    layers = [[draw(many, a, b), *([draw(many, b)] if biases else [])] for a, b in itertools.pairwise(sizes)]
    data = draw(*ahead, rows, sizes[0]), draw(*ahead, rows, sizes[-1])
    axes = (0, 0, *((0, 0) if own else (None, None)))
    return tm.vmap(train, in_axes=axes), (layers, (0.1 * rng.random(many)).astype(kind), *data)


MANY = (1, LANES["d"] - 1, LANES["d"], 11, LANES["f"] + 1, 49, 100)


@pytest.mark.parametrize("block", range(3))
def test_random_banks_equal_those_of_numpy_between_canaries(block, monkeypatch, pieces):
    check_banks(range(7 * block, 7 * block + 7), monkeypatch, pieces)


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_six_hundred_random_banks_equal_those_of_numpy(block, monkeypatch, pieces):
    check_banks(range(100 + 30 * block, 130 + 30 * block), monkeypatch, pieces)


def assert_as_close(got, want, exact):
    """As close to what double precision gives as NumPy comes, which in single precision may be far off, or overflow."""
    for x, y, z in zip(arrays(got), arrays(want), arrays(exact), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        there = np.isfinite(z) & np.isfinite(y) if x.dtype == np.float32 else np.ones(z.shape, bool)
        x, y, z = x[there], y[there], z[there]
        scale = 1.0 + np.abs(z[np.isfinite(z)]).max(initial=0.0)
        off = (1e-5 if x.dtype == np.float32 else 1e-10) * scale + 8 * np.nanmax(np.abs(y - z), initial=0.0)
        np.testing.assert_allclose(x, z, rtol=0, atol=off)


def check_banks(seeds, monkeypatch, pieces):
    for seed in seeds:
        many, single = MANY[seed % len(MANY)], seed % 5 == 4
        f, args = random_bank(seed, many, single)
        leaves, structure = tm.core.tree.flatten(args)
        with monkeypatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            want = tm.compile(f)(*args)
            guarded, frames = Guarded(patch), []
            g = compiled(f)
            pieces.clear()
            inside = tm.core.tree.unflatten(structure, [surrounded(x, frames) for x in leaves])
            exact = tm.compile(f)(*tm.core.tree.tree_map(lambda x: x.astype(float), args)) if single else want
            for given in (args, inside):
                assert_as_close(g(*given), want, exact)
            guarded.check()
            for memory, before in frames:
                assert (memory == before).all()
        if many >= (LANES["f"] if single else LANES["d"]):
            assert pieces, seed


def descent(x, y, steps=3):
    """Gradient descent of a linear layer on data that all networks share, by scan, with the losses."""

    def train(w, rate):
        def step(w, _):
            e = x @ w - y
            return w - rate * x.T @ e, tm.sum(e * e)

        return tm.scan(step, w, None, length=steps)

    return train


@pytest.mark.parametrize("rows", [13, 26, 0])
def test_shared_data_of_as_many_rows_as_there_are_networks_stay_whole(rows, pieces):
    rng, many = np.random.default_rng(2), 13
    x, y = rng.normal(size=(rows, 3)), rng.normal(size=(rows, 2))
    w, rate = rng.normal(size=(many, 3, 2)), np.full(many, 0.01)
    got, losses = compiled(tm.vmap(descent(x, y)))(w, rate)
    assert pieces or not rows
    for k in range(many):
        a, told = w[k], []
        for _ in range(3):
            told.append(((x @ a - y) ** 2).sum())
            a = a - 0.01 * x.T @ (x @ a - y)
        np.testing.assert_allclose(got.numpy()[k], a, rtol=1e-12)
        np.testing.assert_allclose(losses.numpy()[k], told, rtol=1e-12)


STEPS = {
    "networks pull each other": lambda w, x: w - 0.1 * (w - w.mean(axis=0)) - 0.01 * (x @ w),
    "networks change places": lambda w, x: tm.flip(w, axis=0) * 0.9 + x @ w,
    "the first leads": lambda w, x: w[:1] * 0.5 + 0.5 * w + 0.1 * (x @ w),
    "turned about": lambda w, x: 0.5 * w + tm.transpose(tm.sin(tm.transpose(x @ w, (2, 1, 0))), (2, 1, 0)),
    "rows of all": lambda w, x: tm.reshape(tm.cumsum(tm.reshape(x @ w, (-1,))), w.shape) * 0.01,
    "sorted": lambda w, x: tm.sort(x @ w, axis=0) * 0.5,
    "each by itself": lambda w, x: 0.5 * w + 0.1 * (x @ w),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_mixes_networks_runs_as_a_whole(name, pieces):
    rng = np.random.default_rng(8)
    w, x = rng.normal(size=(12, 3, 3)), rng.normal(size=(12, 3, 3))
    f = lambda w, x: tm.fori_loop(4, lambda k, w: STEPS[name](w, x), w)  # noqa: E731
    assert_close(compiled(f)(w, x), tm.compile(f)(w, x))
    assert bool(pieces) == (name == "each by itself")


def test_what_a_bank_draws_is_drawn_as_in_numpy():
    w, found = np.random.default_rng(1).normal(size=(12, 3, 3)), []
    train = tm.vmap(lambda w: tm.fori_loop(3, lambda k, w: w @ w * 0.1 + tm.random.normal(size=(3, 3)), w))
    for f in (compiled(train), tm.compile(train)):
        tm.random.seed(3)
        found += [(f(w), tm.random.random())]
    assert_close(*found)


@pytest.mark.parametrize("many", [1, 2, 20, 60])
def test_networks_that_lie_otherwise_and_are_given_up_train_the_same(many, pieces):
    rng = np.random.default_rng(many)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    whole = rng.normal(size=(2, 3, 2 * many))
    w, rate = np.moveaxis(whole[:, :, ::-2], -1, 0).swapaxes(1, 2), np.linspace(0.01, 0.1, 3 * many)[::3]
    train = descent(x, y)
    want = tm.compile(tm.vmap(train))(w, rate)
    assert_close(compiled(tm.vmap(train))(w, rate), want)
    given = tm.tensor(np.array(w))
    assert_close(compiled(tm.vmap(train), donate_argnums=0)(given, rate), want)
    turned = compiled(tm.vmap(train, in_axes=(2, 0), out_axes=(1, 0)))(np.moveaxis(w, 0, 2), rate)
    assert_close([np.moveaxis(arrays(turned)[0], 1, 0), turned[1]], want)
    assert bool(pieces) == (many >= LANES["d"])


def test_larger_networks_are_trained_one_by_one_and_those_of_empty_layers_too(pieces):
    rng, many = np.random.default_rng(3), 40
    x, y = rng.normal(size=(160, 96)), rng.normal(size=(160, 96))
    w, rate = rng.normal(size=(many, 96, 96)) / 10, np.full(many, 1e-3)
    f = tm.vmap(descent(x, y))
    assert_close(compiled(f)(w, rate), tm.compile(f)(w, rate), 1e-11)
    assert pieces == [(1, many, False)]
    f = tm.vmap(descent(np.ones((4, 0)), np.ones((4, 2))))
    assert_close(compiled(f)(np.ones((many, 0, 2)), rate), tm.compile(f)(np.ones((many, 0, 2)), rate))


def test_a_bank_in_eight_threads_at_once():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(16, 4)), rng.normal(size=(16, 2))
    f = compiled(tm.vmap(descent(x, y, 200)))
    starts = [rng.normal(size=(33, 4, 2)) for _ in range(8)]
    rate, found = np.full(33, 1e-3), {}
    want = [arrays(f(w, rate)) for w in starts]

    def run(k):
        found[k] = [arrays(f(starts[k], rate)) for _ in range(5)]

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(8):
        for got in found[k]:
            for a, b in zip(got, want[k], strict=True):
                np.testing.assert_array_equal(a, b)


def test_loops_of_epochs_in_which_batches_pass_and_their_derivatives(pieces, monkeypatch):
    rng, many = np.random.default_rng(6), 11
    xs, ys = rng.normal(size=(3, 5, 4)), rng.normal(size=(3, 5, 2))
    w, rate = rng.normal(size=(many, 4, 2)), np.linspace(0.01, 0.1, many)

    def train(w, rate):
        def batch(w, row):
            e = tm.tanh(row[0] @ w) - row[1]
            return w - rate * row[0].T @ e, tm.sum(e * e)

        def epoch(k, c):
            w, total = c
            w, losses = tm.scan(batch, w, (tm.tensor(xs), tm.tensor(ys)))
            return w, 0.5 * total + tm.sum(losses)

        return tm.fori_loop(4, epoch, (w, 0.0 * tm.sum(w)))

    def total(w, rate):
        end, losses = tm.vmap(train)(w, rate)
        return tm.sum(end * end) + tm.sum(losses)

    for f in (tm.vmap(train), tm.grad(total, argnums=(0, 1)), lambda w, r: tm.jvp(total, (w, r), (w, r))):
        guarded = Guarded(monkeypatch)
        pieces.clear()
        got, want = compiled(f)(w, rate), tm.compile(f)(w, rate)
        assert_close(got, want, 1e-11)
        guarded.check()
        assert pieces


@pytest.mark.parametrize("seed", range(40, 46))
def test_derivatives_of_banks_equal_those_of_numpy(seed):
    f, (layers, rates, x, y) = random_bank(seed, 11, False)

    def total(layers, rates):
        return sum(
            tm.sum(tm.sin(leaf)) for leaf in tm.core.tree.flatten(f(layers, rates, x, y))[0] if leaf.dtype.kind == "f"
        )

    g = tm.grad(total, argnums=(0, 1))
    assert_close(compiled(g)(layers, rates), tm.compile(g)(layers, rates), 1e-9)
