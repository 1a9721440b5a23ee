"""Compiling a loop costs the same for any number of steps: what is made of all steps' rows is typed, not computed."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import fft, linalg, nn, random, special, stats  # noqa: F401  (they fill the registry)
from tinygrad_math.compiler.passes.fission import AT_ONCE, by_form
from tinygrad_math.compiler.program import Program
from tinygrad_math.core.op import registry
from tinygrad_math.core.quiet import quietly
from tinygrad_math.core.tree import flatten
from tinygrad_math.transforms.batching.rules import aligned, rule_of
from tinygrad_math.transforms.loops import lazy
from tinygrad_math.transforms.loops.lazy import SMALL, Lazy, elements, lazily
from tinygrad_math.transforms.loops.loop import Loop

ROWS = np.random.default_rng(0).normal(size=(40, 20, 30))
TURNED = ROWS.transpose(1, 0, 2)
OTHER = np.random.default_rng(1).normal(size=(40, 30, 6))
FUNCTIONS = {
    "ufunc": lambda x: np.exp(x),
    "two arrays": lambda x: x - x[:, :1],
    "numbers": lambda x: 2 * x + np.float32(1),
    "a wider dtype": lambda x: x.astype(np.float32) * np.arange(30),
    "comparison": lambda x: x > 0.5,
    "product": lambda x: x.reshape(-1, 30) @ OTHER[0],
    "products": lambda x: x @ OTHER[: len(x)] if x.shape[0] == 40 else x @ OTHER[:20],
    "product of a vector": lambda x: x @ OTHER[0, :, 0],
    "vector by products": lambda x: np.ones(x.shape[1]) @ x,
    "sum of rows": lambda x: x.sum(axis=0),
    "sum": lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    "largest": lambda x: np.max(x, axis=-1),
    "mean": lambda x: np.mean(x, axis=1),
    "sums of rows in a row": lambda x: np.cumsum(x, axis=0),
    "reshape": lambda x: np.reshape(x, (x.shape[0] * x.shape[1], 30)),
    "transpose": lambda x: np.transpose(x, (2, 0, 1)),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "part": lambda x: x[::2, None, ..., -1],
    "picked": lambda x: np.take(x, [3, 1], axis=0),
    "join": lambda x: np.concatenate([x, x[:2]], axis=0),
    "stack": lambda x: np.stack([x, -x], axis=1),
    "choice": lambda x: np.where(x > 0, x, 0.0),
    "broadcast": lambda x: np.broadcast_to(x, (2, *x.shape)) * 1,
    "contraction": lambda x: np.einsum("abc,abd->acd", x, x),
    "written into": lambda x: np.multiply(x, x, out=np.empty_like(x)),
    "cast": lambda x: x.astype(np.complex64),
    "copy": lambda x: x.copy(),
    "sort": lambda x: np.sort(x, axis=1),
    "a zero each": lambda x: np.zeros_like(x),
    "clip": lambda x: np.clip(x, -1, 1),
}


@pytest.mark.parametrize("given", [ROWS, TURNED], ids=["in order", "turned"])
@pytest.mark.parametrize("how", FUNCTIONS)
def test_a_lazy_array_has_the_form_and_when_asked_the_elements_of_the_array(how, given):
    f = FUNCTIONS[how]
    lazily_made, right = f(lazily(given) if given.base is None else lazily(ROWS).transpose(1, 0, 2)), f(given)
    assert (lazily_made.shape, lazily_made.dtype) == (right.shape, right.dtype)
    assert [s for s, n in zip(lazily_made.strides, right.shape, strict=True) if n > 1] == [
        s for s, n in zip(right.strides, right.shape, strict=True) if n > 1
    ]
    made = elements(lazily_made)
    assert type(made) is np.ndarray
    np.testing.assert_allclose(made, right, rtol=1e-12)


AT_A_TIME = [op for op in registry.values() if not op.many and (op.name in AT_ONCE or rule_of(op) is aligned)]
MOVED = [op for op in AT_A_TIME if by_form(op)]


@pytest.mark.parametrize("op", [op for op in MOVED if op.samples], ids=lambda op: op.name)
def test_what_is_computed_for_all_steps_at_once_is_typed_by_lazy_arrays_as_by_others(op, monkeypatch):
    monkeypatch.setattr(lazy, "SMALL", 1)
    for s in op.samples():
        several = op.arity is None and len(s.args) == 1 and isinstance(s.args[0], (list, tuple))
        args = [np.asarray(a)[()] for a in (s.args[0] if several else s.args[: op.arity])]
        more = () if op.arity is None else s.args[op.arity :]
        right = np.asarray(quietly(op.forward, *args, *more, **s.params))
        found = np.asarray(quietly(op.forward, *map(lazily, args), *more, **s.params))
        assert (found.shape, found.dtype) == (right.shape, right.dtype)


def lstm(length, n=8, inputs=3, hidden=8):
    """The gradient of an LSTM's squared states, by scan, and its arguments."""
    rng = np.random.default_rng(length)
    params = [rng.normal(size=(k, 4 * hidden)) * 0.1 for k in (inputs, hidden)] + [np.zeros(4 * hidden)]

    def loss(params, xs, start):
        wx, wh, b = params

        def step(state, x):
            h, c = state
            z = x @ wx + h @ wh + b
            i, f, g, o = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
            c = tm.sigmoid(f) * c + tm.sigmoid(i) * tm.tanh(g)
            h = tm.sigmoid(o) * tm.tanh(c)
            return (h, c), tm.softmax(h)

        _, hs = tm.scan(step, (start, start), xs)
        return (hs * hs).sum()

    return loss, (params, rng.normal(size=(length, n, inputs)), np.zeros((n, hidden)))


def mlp(length):
    """Steps of a small network's training over as many batches, and the loss of each step."""
    rng = np.random.default_rng(length)
    params = [rng.normal(size=(4, 16)), np.zeros(16), rng.normal(size=(16, 3))]

    def loss(params, x, y):
        w, b, v = params
        return ((tm.relu(x @ w + b) @ v - y) ** 2).mean()

    def train(params, xs, ys):
        def step(params, batch):
            value, grads = tm.value_and_grad(loss)(params, *batch)
            return [p - 0.1 * g for p, g in zip(params, grads, strict=True)], value

        return tm.scan(step, params, (xs, ys))

    return train, (params, rng.normal(size=(length, 8, 4)), rng.normal(size=(length, 8, 3)))


def batch(length):
    params, xs, start = lstm(length)[1]
    return params, np.stack([xs, -xs]), start


CASES = {
    "gradient": lambda n: (tm.grad(lstm(n)[0]), lstm(n)[1]),
    "Hessian-vector product": lambda n: (lambda p, xs, s: tm.hvp(lambda q: lstm(n)[0](q, xs, s), p, p), lstm(n)[1]),
    "training": mlp,
    "batch": lambda n: (lambda p, x, s: tm.vmap(lambda x: lstm(n)[0](p, x, s))(x), batch(n)),
}


def filled(f, args, monkeypatch):
    """How many bytes of examples a program holds that were computed, when it is ready; no step is run till then."""
    found = []
    release, run = Program.release, Loop.run

    def looked_at(program):
        own = [np.asarray(a.example) for a in program.arguments]
        for v in program.body:
            parts = v.example if isinstance(v.example, tuple) else (v.example,)
            for e in parts:
                e = e.root if isinstance(e, Lazy) and e.root is not None else e
                lies_there = any(np.may_share_memory(e, a) for a in own)
                if isinstance(e, np.ndarray) and not lies_there and not (isinstance(e, Lazy) and e.make is not None):
                    found.append(e.nbytes)
        release(program)

    with monkeypatch.context() as m:
        m.setattr(Program, "release", looked_at)
        m.setattr(Loop, "run", lambda *_: pytest.fail("the loop was run to be compiled"))
        g = tm.compile(f)
        g(*args)
    assert Loop.run is run
    return sum(found)


@pytest.mark.parametrize("case", CASES)
def test_compiling_fills_no_arrays_that_grow_with_the_number_of_steps(case, monkeypatch):
    few, many = (filled(*CASES[case](n), monkeypatch) for n in (300, 1000))
    assert many < few + SMALL


@pytest.mark.parametrize("case", CASES)
def test_loops_whose_rows_are_lazy_are_compiled_to_what_they_compute(case, monkeypatch):
    monkeypatch.setattr(lazy, "SMALL", 1)
    f, args = CASES[case](8)
    right, found = (flatten(g(*args))[0] for g in (f, tm.compile(f)))
    for a, b in zip(found, right, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-12)


def test_series_and_integrals_are_typed_by_their_elements():
    rows = np.random.default_rng(0).uniform(0.5, 2.0, (lazy.SMALL // 8, 3))

    def f(w):
        slope = lambda x: tm.grad(lambda b: tm.special.elliprf(x[0], b, x[2]))(x[1])  # noqa: E731
        return tm.scan(lambda c, x: (c + w * slope(x), None), 0.0 * w, rows)[0]

    x, y, z = rows.T
    want = -tm.special.elliprd(x, z, y).sum() / 6  # DLMF 19.18.1
    np.testing.assert_allclose(tm.compile(f)(1.0), want, rtol=1e-10)


def test_what_an_op_demands_of_each_element_is_asked_of_the_elements():
    """Not of some number in the place of whether any of them is at fault."""
    rows = np.full((lazy.SMALL // 8, 2), 0.25)

    def f(w):
        step = lambda c, x: (c + w * tm.nn.functional.binary_cross_entropy(x, np.ones(2)), None)  # noqa: E731
        return tm.scan(step, 0.0 * w, rows)[0]

    want = -np.log(0.25) * len(rows)
    np.testing.assert_allclose([tm.compile(f)(1.0), tm.compile(tm.grad(f))(1.0)], [want, want], rtol=1e-12)
    rows[7, 1] = 1.5
    with pytest.raises(tm.errors.OutsideDomain, match=r"from 0 to 1, got 1\.5"):
        tm.compile(f)(1.0)
