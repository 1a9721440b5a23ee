"""Native forms of ops that NumPy does in several steps, and native loops that call Python for the others."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest
from agreement_of_native import sorted_by_numpy
from scipy import special

import tinygrad_math as tm
from tinygrad_math.core.errors import OutsideDomain
from tinygrad_math.core.tree import flatten

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler.native import fused, loops


def arrays(tree):
    return [np.asarray(t.numpy() if isinstance(t, tm.Tensor) else t) for t in flatten(tree)[0]]


def assert_close(got, want, tolerance=1e-12):
    for x, y in zip(arrays(got), arrays(want), strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        narrow = y.dtype == np.float32
        np.testing.assert_allclose(x, y, rtol=1e-5 if narrow else tolerance, atol=1e-5 if narrow else tolerance)


def both(f, *args):
    """What f gives natively, over a used workspace, and what it gives as it is."""
    g = tm.compile(f, backend="native")
    g(*args)
    return g(*args), f(*map(tm.tensor, args)), g.latest


x = np.random.default_rng(0).normal(size=(8, 6))
FORMS = {
    "slope of sigmoid": lambda x: tm.sigmoid(40.0 * x),
    "erf": lambda x: tm.special.erf(x),
    "gelu": lambda x: tm.nn.functional.gelu(x),
    "log of sigmoid": lambda x: tm.nn.functional.logsigmoid(x),
    "part of columns": lambda x: x[:, 1:4:2] ** 2,
    "a row from behind": lambda x: x[-2, ::-1] ** 2,
    "one element": lambda x: tm.exp(x[3, 2]) * x[0],
    "clip": lambda x: tm.clip(x, -0.5, 0.7),
    "clip between arrays": lambda x: tm.clip(x, -tm.abs(x[0]), 0.3 * tm.exp(x[:, :1])),
    "running sum of rows": lambda x: tm.cumsum(x, axis=0) ** 2,
    "running sum of columns": lambda x: tm.cumsum(x, axis=-1) ** 2,
    "running sum of a turned array": lambda x: tm.cumsum(tm.sin(x).T, axis=0) ** 2,
    "running sum of a row": lambda x: tm.cumsum(x[2]) ** 2,
    "share of the largest": lambda x: tm.max(tm.round(x), axis=1),
    "share of the least": lambda x: tm.min(x, axis=(0, 1)) * x,
    "centered": lambda x: tm.var(x + 1e6, axis=1, keepdims=True) * x,
    "variance of all, corrected": lambda x: tm.var(x, correction=1),
    "deviation": lambda x: tm.std(x, axis=0),
    "triangles": lambda x: tm.tril(x) ** 2 + tm.triu(x, 1) ** 3,
    "cross products": lambda x: tm.cross(x[:, :3], tm.sin(x[:, 3:])) * x[:, ::2],
    "cross products down": lambda x: tm.cross(x[:3], x[0, :1] * tm.cos(x[3:6]), axis=0),
    "cross products with one": lambda x: tm.cross(x[:, 1:4], tm.sin(x[0, :3])),
    "rolled": lambda x: tm.roll(x, 2, axis=0) * tm.roll(x, -1, axis=1) * x,
    "einsum of matrices": lambda x: tm.einsum("ij,kj->ki", x, tm.sin(x)),
    "einsum of stacks": lambda x: tm.einsum("bij,bkj->bik", x.reshape(2, 4, 6), tm.cos(x).reshape(2, 4, 6)),
    "einsum of all": lambda x: tm.einsum("ij,ij->", x, tm.sin(x)),
    "einsum without a sum": lambda x: tm.einsum("ij,k->kij", x, x[0]),
    "einsum of three": lambda x: tm.einsum("ij,kj,kl->il", x, tm.sin(x), tm.cos(x)),
    "einsum of four": lambda x: tm.einsum("bi,ij,bj,b->b", x, tm.sin(x[:6]), tm.cos(x), x[:, 0]),
    "bilinear forms": lambda x: tm.einsum("bi,ij,bj->b", x, tm.sin(x[:6]), tm.cos(x)),
    "convolution": lambda x: tm.nn.functional.conv1d(x.reshape(2, 4, 6), tm.sin(x[:, :4].reshape(2, 4, 4))),
    "convolution of images": lambda x: tm.nn.functional.conv2d(
        x.reshape(1, 2, 4, 6), tm.cos(x[:4]).reshape(3, 2, 2, 2), stride=(2, 1)
    ),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", FORMS)
def test_values_and_derivatives_are_those_of_the_op(name, dtype):
    def f(x):
        y = FORMS[name](x)
        return y, tm.grad(lambda x: tm.sum(tm.sin(FORMS[name](x))))(x)

    for given in (x, np.asfortranarray(x), x[::-1]):
        got, want, program = both(f, given.astype(dtype))
        assert_close(got, want)
    assert not {v.title for v in program.program.body if not program.native.lowered.is_native(v)}


@pytest.mark.parametrize(
    "subscripts", ["ij,jk->ik", "ij,jk->i", "ii,ij->j", "a,b->", "ab,ab->ba", "ab,bc->ac", ",a->a"]
)
def test_an_einsum_of_any_two_arrays_is_numpys(subscripts):
    first, second = subscripts.split("->")[0].split(",")
    rng, n = np.random.default_rng(1), dict(zip("abcijk", (2, 3, 4, 3, 4, 2), strict=True))
    a, b = (rng.normal(size=[n[c] for c in term]) for term in (first, second))
    for backend in ("numpy", "native"):
        got = tm.compile(lambda a, b: tm.einsum(subscripts, a, b), backend=backend)(a, b)
        np.testing.assert_allclose(got.numpy(), np.einsum(subscripts, a, b), rtol=1e-13, atol=1e-13)


def test_lengths_of_one_are_spread_in_an_einsum():
    a, b = np.ones((2, 1)), np.arange(6.0).reshape(2, 3)
    for backend in ("numpy", "native"):
        got = tm.compile(lambda a, b: tm.einsum("ij,ij->i", a, b), backend=backend)(a, b)
        assert got.tolist() == [3.0, 12.0]


@pytest.mark.parametrize("dtype", ["d", "f"])
@pytest.mark.parametrize(("name", "rest"), [("tanh_slope", lambda y: 1 - y * y), ("sigmoid_slope", lambda y: 1 - y)])
def test_slopes_in_tails_over_their_own_values(name, rest, dtype):
    """Blocks with and without small elements, of all lengths; the result may lie where y does, and not in order."""
    wide, of = np.dtype(dtype), {"tanh_slope": np.tanh, "sigmoid_slope": special.expit}[name]
    by = fused.slope(name, wide)
    for n in (1, 7, 64, 65, 191):
        for reach in (1.0, 60.0):
            at = np.linspace(-reach, reach, n).astype(dtype)
            at[n // 2] = np.nan
            y = of(at.astype(float))
            exact = 1 / np.cosh(at.astype(float)) ** 2 if name == "tanh_slope" else y * special.expit(-at.astype(float))
            for given in (y.astype(dtype), np.repeat(y.astype(dtype), 2)[::2]):
                apart = np.full(n, 7.0, dtype)
                loops.run(by, [given, at, apart])
                loops.run(by, [given, at, given])
                np.testing.assert_array_equal(given, apart)
                tolerance = 1e-8 if dtype == "d" else 1e-3  # what 1 - y has lost where it is not yet taken anew
                np.testing.assert_allclose(apart, exact, rtol=tolerance, atol=np.finfo(dtype).tiny)
                usual = np.nan_to_num(rest(given.astype(dtype))) > 0.5
                assert (np.abs(apart - exact) <= 4 * np.finfo(dtype).eps)[usual].all()


def test_the_slope_of_sigmoid_has_its_digits_in_both_tails():
    at = np.array([-700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0])
    slope = tm.compile(tm.grad(lambda x: tm.sum(tm.sigmoid(x))), backend="native")(at).numpy()
    np.testing.assert_allclose(slope, special.expit(at) * special.expit(-at), rtol=1e-13)


@pytest.mark.parametrize("reach", [np.nan, np.inf])
def test_extremes_that_are_no_numbers_are_shared(reach):
    given = np.array([[1.0, reach, reach], [2.0, 0.0, 2.0]])
    got, want, _ = both(tm.grad(lambda x: tm.sum(tm.max(x, axis=1))), given)
    np.testing.assert_array_equal(got.numpy(), want.numpy())
    assert want.tolist() == [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]


# -- loops that call Python -------------------------------------------------------------------------------------------
E, W = np.random.default_rng(2).normal(size=(5, 4)), np.random.default_rng(3).normal(size=(4, 4)) * 0.4
WHICH = np.random.default_rng(4).integers(0, 5, 12)


def reads(e, w, which):
    """A recurrent network that reads words, whose rows are looked up."""

    def step(h, k):
        h = tm.tanh(tm.sin(h @ w) + sorted_by_numpy(e[k]) * tm.sigmoid(h)) * 0.9
        return h, h.sum()

    h, ys = tm.scan(step, tm.zeros(4), which)
    return (h * h).sum() + ys.sum()


def is_native(program):
    return all(program.native.lowered.is_native(v) for v in program.program.body if v.op.kind == "loop")


def test_a_native_loop_calls_python_for_what_has_no_native_form():
    for f in (reads, tm.grad(reads, argnums=(0, 1))):
        got, want, program = both(f, E, W, WHICH)
        assert_close(got, want)
        assert is_native(program)
        assert program.native.lowered.memory.calls
    slope = tm.compile(tm.grad(reads), backend="native")(E, W, WHICH).numpy()
    for k in range(5):
        step = np.zeros_like(E)
        step[k, 0] = 1e-6
        rise = float(reads(E + step, W, WHICH) - reads(E - step, W, WHICH)) / 2e-6
        np.testing.assert_allclose(slope[k, 0], rise, rtol=1e-6, atol=1e-8)


def test_what_is_called_sees_numbers_rows_and_carries_as_they_are_by_then():
    def f(x, limit):
        def step(k, c):
            y, last = c
            z = sorted_by_numpy(tm.sin(y * 1.1) + tm.cos(y + k) * 0.5) * limit
            return tm.exp(-z * z) + y * 0.5 - last * 0.1, tm.abs(y) + z * 0.25

        return tm.fori_loop(7, step, (x, x * 0.0))

    got, want, program = both(f, x, np.array(0.7))
    assert_close(got, want)
    assert is_native(program)


def test_errors_from_within_a_loop_are_those_of_the_op():
    def f(e, w, which):
        def step(h, k):
            (row,) = tm.nn.functional.embedding(k.reshape(1), e)
            return tm.tanh(tm.sin(h @ w) + row * tm.sigmoid(h)) * 0.9, None

        return tm.scan(step, tm.zeros(4), which)[0]

    g = tm.compile(f, backend="native")
    want = g(E, W, WHICH).numpy()
    assert is_native(g.latest)
    with pytest.raises(OutsideDomain, match=re.escape("0 to 4, got 9")):
        g(E, W, np.where(np.arange(12) == 7, 9, WHICH))
    np.testing.assert_array_equal(g(E, W, WHICH).numpy(), want)


def test_threads_call_python_from_loops_of_their_own():
    g = tm.compile(reads, backend="native")
    inputs = [E * k for k in range(1, 9)]
    want = [float(g(e, W, WHICH)) for e in inputs]
    found = [[] for _ in inputs]

    def work(k):
        for _ in range(20):
            found[k].append(float(g(inputs[k], W, WHICH)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [[w] * 20 for w in want]


def test_a_step_that_would_call_python_for_much_is_one_of_numpy():
    def f(x):
        return tm.fori_loop(3, lambda k, x: sorted_by_numpy(sorted_by_numpy(x, 0) + x), x)

    got, want, program = both(f, x)
    assert_close(got, want)
    assert program.native is None or not is_native(program)
