"""Loops in native programs: their values, derivatives and ends, and how they are interrupted."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from agreement_of_native import Guarded, assert_bits, assert_close, compiled

import tinygrad_math as tm
from tinygrad_math.core.tree import flatten

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")


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
    "read behind its successor": lambda w: tm.scan(
        lambda c, _: ((c[0] * 0.5 + 1.0, tm.sin(c[0]) + c[1]), tm.cos(c[0])), (w, w * 2.0), None, length=5
    ),
    "beside itself turned": lambda w: tm.fori_loop(4, lambda k, c: c * 0.5 + c.T, tm.expand_dims(w, 1) * w),
    "beside itself reversed": lambda w: tm.fori_loop(4, lambda k, c: c * 0.5 + c[::-1], w),
    "times its first": lambda w: tm.fori_loop(4, lambda k, c: c * 0.5 + c * c[0], w),
    "of a product": lambda w: tm.fori_loop(4, lambda k, c: c - 0.1 * (c @ c + c.T), tm.expand_dims(w, 1) * w),
    "beside what lies turned": lambda w: tm.fori_loop(
        4, lambda k, c: tm.sin(c) + (tm.expand_dims(w, 1) * np.arange(4.0)).T, tm.zeros((4, 3))
    ),
    "less a product": lambda w: tm.fori_loop(4, lambda k, c: (c[0] - 0.1 * c[1], c[1] - c[0] * 0.2), (w, w + 1.0)),
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
