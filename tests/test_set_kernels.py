"""tm.set_kernels: eager ops on vector kernels, with NumPy's errors, casts and strides; NumPy's bits come back."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import scipy.special

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="kernels are made by llvmlite")

from tinygrad_math.compiler import switch
from tinygrad_math.compiler.native import assembly, kernels, ufuncs
from tinygrad_math.compiler.native.kernels import choice

if kernels.loop("exp", np.dtype(np.float64)) is None:
    pytest.skip("no fused multiply-add, or an llvmlite before 0.45", allow_module_level=True)

DTYPES = [np.float64, np.float32]


@pytest.fixture(scope="module")
def functions():
    """Each function with our loops for both dtypes, whatever is the faster one here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "_is_faster", lambda *_: True)
        return {name: ufuncs.faster.__wrapped__(name) for name in kernels.NAMES}


@pytest.fixture
def native():
    tm.set_kernels("native")
    yield
    tm.set_kernels("numpy")


def theirs(name, x, **options):
    f = ufuncs.numpys(name)
    return f(x, x.dtype.type(0), **options) if f.nin == 2 else f(x, **options)


def special_values(dtype):
    info = np.finfo(dtype)
    edges = [1.0, 1.5, 0.625, 22.0, 87.0, 88.8, 103.0, 700.0, 708.3, 709.9, 745.0, 746.0, 1e5, 1e10, 1e-20, info.max]
    sizes = [0.0, np.inf, np.nan, info.tiny, info.smallest_subnormal, 0.75 * info.tiny, 2.0 * info.tiny, *edges]
    with np.errstate(over="ignore"):
        return np.array([s * size for size in sizes for s in (1, -1)], dtype)


def heard(f, *args, **options):
    """What f gives, and what NumPy's error state is told meanwhile."""
    said = []
    with np.errstate(all="call"), np.errstate(call=lambda kind, _: said.append(kind)):
        return f(*args, **options), said


def assert_near(got, want, places=4):
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    there = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[there]), np.signbit(want[there]))
    finite = there & np.isfinite(want)
    np.testing.assert_array_equal(got[there & ~finite], want[there & ~finite])
    largest = np.finfo(want.dtype).max
    room = np.spacing(np.minimum(np.abs(want[finite]), np.nextafter(largest, 0.0, dtype=want.dtype)))
    assert (np.abs(got[finite] - want[finite]) <= places * room).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", kernels.NAMES)
def test_a_special_value_has_numpys_value_and_numpys_flags(name, dtype, functions):
    """By itself and among usual ones. SciPy's expit vanishes where exp(-x) is infinite, and ours does not yet."""
    tiny, f = np.finfo(dtype).tiny, functions[name]
    for x in special_values(dtype):
        for n, where in ((1, 0), (17, 5), (64, 63)):
            given = np.full(n, 0.5, dtype)
            given[where] = x
            (got, said), (want, says) = heard(f, given), heard(theirs, name, given)
            if (np.abs(want) >= tiny).all() and "underflow" in says and "underflow" not in said:
                says.remove("underflow")  # which NumPy reports of a normal result
            assert said == says, (name, x)
            if name == "expit" and x < -np.log(np.finfo(dtype).max):
                assert_near(got[[where]], np.exp(given[[where]]))
                continue
            assert_near(got, want)


@pytest.mark.parametrize("name", kernels.NAMES)
def test_flags_of_before_stay_and_are_not_taken_for_those_of_a_loop(name, functions):
    """A loop gives back the processor's flags as they were, and those of many parts of an array come together."""
    x = np.linspace(0.5, 2.0, 40_000)
    with np.errstate(all="raise"):
        for dtype in DTYPES:
            functions[name](x.astype(dtype))
    bad = x.copy()
    bad[[3, 30_000]] = np.nan, -2.0
    assert heard(functions[name], bad)[1] == heard(theirs, name, bad)[1]


@pytest.mark.parametrize("name", kernels.NAMES)
def test_casts_are_numpys(name, functions):
    f, own = functions[name], set(functions[name].types)
    if getattr(np, name, None) is None:
        assert own == {"d->d", "f->f"}
        return
    assert own == set(ufuncs.numpys(name).types)
    for char in "?bBhHiIlLqQefdgFDG":
        x = np.array([1.0, 2.0, 1.75, 1.25]).astype(char)
        got, want = f(x), ufuncs.numpys(name)(x)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=0 if want.dtype.char in "egFDG" else 4 * np.finfo(want.dtype).eps)
    assert f(np.array([1.0], ">f8")).dtype == np.float64
    for wrong in (np.array(["a"]), np.array([{}]), np.array(["2020-01-01"], "M8[D]")):
        with pytest.raises(TypeError):
            f(wrong)
    assert f(0.5) == f(np.array([0.5]))[0]
    assert type(f(np.float32(0.5))) is np.float32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", kernels.NAMES)
def test_an_element_has_the_same_bits_at_every_place(name, dtype, functions):
    """Strides of every kind, `out`, `where`, over its own memory, over a part of it, and at odd addresses."""
    f = functions[name]
    x = np.random.default_rng(0).uniform(0.1, 4.0, (30, 24)).astype(dtype)
    want = np.array([f(v) for v in x.ravel()], dtype).reshape(x.shape)
    for view in (np.s_[:], np.s_[::2, ::3], np.s_[::-1], np.s_[:, ::-1], np.s_[3, :], np.s_[:0], np.s_[2, 5]):
        np.testing.assert_array_equal(f(x[view]), want[view])
    np.testing.assert_array_equal(f(x.T), want.T)
    np.testing.assert_array_equal(f(np.broadcast_to(x[0, 0], (7, 5))), np.full((7, 5), want[0, 0]))
    odd = np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(dtype)
    np.testing.assert_array_equal(f(odd), want.ravel())
    out = np.zeros((30, 48), dtype)
    assert f(x, out=out[:, ::2]).base is out
    np.testing.assert_array_equal(out[:, ::2], want)
    assert not out[:, 1::2].any()
    chosen = x > 2
    np.testing.assert_array_equal(f(x, out=x.copy(), where=chosen), np.where(chosen, want, x))
    own = x.copy()
    f(own, out=own)
    np.testing.assert_array_equal(own, want)
    line = x.ravel().copy()
    f(line[:-1], out=line[1:])
    np.testing.assert_array_equal(line[1:], want.ravel()[:-1])


OPS = {
    "cos": tm.cos, "exp": tm.exp, "expm1": tm.expm1, "log": tm.log, "log1p": tm.log1p, "sin": tm.sin, "tanh": tm.tanh,
    "sigmoid": tm.sigmoid, "expit": tm.special.expit, "erf": tm.special.erf, "softplus": tm.special.softplus,
    "steep softplus": lambda x: tm.special.softplus(x, beta=2.0, threshold=3.0),
    "softmax": tm.softmax, "softmax of columns": lambda x: tm.softmax(x, 0), "log_softmax": tm.log_softmax,
    "log_softmax of columns": lambda x: tm.log_softmax(x, axis=0), "softmax of all": tm.special.softmax,
    "logsumexp": lambda x: tm.special.logsumexp(x, axis=-1, keepdims=True),
}  # fmt: skip


def everything(f, x):
    """f, its derivative, the derivative of that, and both forwards."""

    def first(x):
        return tm.grad(lambda x: tm.sum(f(x) * w))(x)

    w = np.cos(np.arange(x.size)).reshape(x.shape).astype(x.dtype)
    found = [f(x), first(x), tm.grad(lambda x: tm.sum(first(x) * w))(x), *tm.jvp(f, (x,), (w,))]
    return [np.asarray(y.detach().numpy()) for y in found]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPS)
def test_results_and_derivatives_of_both_kinds_agree_and_numpys_bits_come_back(name, dtype):
    x = np.random.default_rng(1).uniform(0.2, 3.0, (6, 20)).astype(dtype)
    before = everything(OPS[name], x)
    tm.set_kernels("native")
    try:
        during, again = everything(OPS[name], x), everything(OPS[name], x)
    finally:
        assert tm.set_kernels("numpy") == "native"
    after = everything(OPS[name], x)
    few = 60 * np.finfo(dtype).eps
    for b, d, g, a in zip(before, during, again, after, strict=True):
        assert d.dtype == b.dtype == dtype
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(g, d)
        np.testing.assert_allclose(d, b, rtol=few, atol=few)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["expit", "tanh"])
def test_where_one_dtype_is_no_faster_it_keeps_numpys_bits(name, dtype, monkeypatch):
    other = np.dtype(DTYPES[dtype is np.float64])
    monkeypatch.setattr(choice, "_is_faster", lambda address, name, kind: kind == dtype)
    ours, x = ufuncs.faster.__wrapped__(name), np.linspace(-3.0, 3.0, 50)
    f = ours if name == "tanh" else switch._of_floats(ours, scipy.special.expit)
    for kind in (dtype, other):
        assert f(x.astype(kind)).dtype == kind
    np.testing.assert_array_equal(f(x.astype(other)), ufuncs.numpys(name)(x.astype(other)))
    monkeypatch.setattr(choice, "_is_faster", lambda *_: False)
    assert ufuncs.faster.__wrapped__(name) is None


def test_with_native_kernels_the_slopes_of_the_tails_keep_their_digits(native):
    x = np.array([-40.0, -19.0, -9.0, -0.5, 0.0, 3.0, 12.0, 21.0, 36.0])
    got = tm.grad(lambda x: tm.sum(tm.tanh(x)))(x).numpy()
    np.testing.assert_allclose(got, np.cosh(x) ** -2.0, rtol=1e-14)
    got = tm.grad(lambda x: tm.sum(tm.sigmoid(x)))(x).numpy()
    np.testing.assert_allclose(got, scipy.special.expit(x) * scipy.special.expit(-x), rtol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("f", [tm.tanh, tm.sigmoid, tm.special.expit])
def test_with_native_kernels_a_slope_has_the_same_bits_of_numbers_of_arrays_and_recorded(f, dtype, native):
    x = np.array([0.0, 0.3, -2.0, 3.3, -5.9, 6.1, 7.0, -9.0, 18.5, 20.0, -40.0, -745.2, np.inf, np.nan], dtype)
    want = tm.grad(lambda x: f(x).sum())(x).numpy()
    np.testing.assert_array_equal([tm.grad(f)(v).item() for v in x], want)
    leaf = tm.tensor(x, requires_grad=True)
    (recorded,) = tm.grad_of(f(leaf).sum(), [leaf], create_graph=True)
    np.testing.assert_array_equal(recorded.detach().numpy(), want)


def test_what_is_no_float_array_is_computed_as_ever(native):
    for x in (3, 0.5, True, [1, 2], np.float16(0.5), np.array([1, 2], np.int8), 1 + 1j, np.array([0.5j])):
        for f, g in ((tm.tanh, np.tanh), (tm.exp, np.exp)):
            got, want = f(x).numpy(), g(x)
            assert np.asarray(got).dtype == np.asarray(want).dtype
            np.testing.assert_allclose(got, want, rtol=1e-15 if np.asarray(want).dtype == np.float64 else 1e-14)
    assert tm.sigmoid(np.float16(0.5)).dtype == np.float16
    for x in (1j, np.array([0.5 - 2j]), np.complex64(1j)):
        np.testing.assert_allclose(tm.sigmoid(x).numpy(), 1 / (1 + np.exp(-np.asarray(x))), rtol=1e-6)
    assert tm.grad(tm.tanh)(0.5).item() == pytest.approx(np.cosh(0.5) ** -2, rel=1e-15)


def test_numpys_error_state_hears_what_it_hears_without(native):
    with np.errstate(all="raise"):
        tm.tanh(np.array([1e-200, -1e-300, np.nan, 5.0] * 8))
        tm.sigmoid(np.array([-800.0, np.nan] * 8))
        for f, x in ((tm.exp, 800.0), (tm.log, 0.0), (tm.log, -1.0), (tm.log1p, -1.0), (tm.sin, np.inf)):
            with pytest.raises(FloatingPointError):
                f(np.full(9, x))
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in log"):
        tm.log(np.zeros(3))
    x = tm.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        tm.sum(tm.log(x)).backward()  # a walk is silent
    assert x.grad.tolist() == [np.inf, 1.0]


def test_compiled_programs_keep_their_loops_and_compute_their_constants_anew():
    x, c = np.linspace(-2.0, 2.0, 500), np.linspace(-1.0, 1.0, 500)
    scaled = tm.compile(lambda x: x * tm.tanh(c))
    calls = [tm.compile(lambda x: tm.softmax(tm.tanh(x)), backend=backend) for backend in ("numpy", "native")]
    before = [f(x).numpy() for f in calls]
    assert "tanh" in calls[0].source
    for name in ("numpy", "native", "numpy"):
        tm.set_kernels(name)
        try:
            np.testing.assert_array_equal(scaled(x).numpy(), (x * tm.tanh(c)).numpy())
            for f, want in zip(calls, before, strict=True):
                np.testing.assert_array_equal(f(x).numpy(), want)
        finally:
            tm.set_kernels("numpy")
    assert len(scaled._programs) == 2


def test_an_op_is_copied_pickled_and_shown_as_ever(native):
    x = tm.tensor([0.5], requires_grad=True)
    for op in (tm.tanh, tm.sigmoid, tm.special.erf, tm.softmax):
        assert copy.copy(op) is copy.deepcopy(op) is pickle.loads(pickle.dumps(op)) is op
        assert repr(op)
    y = tm.sum(tm.tanh(x))
    y.backward()
    assert x.grad.item() == pytest.approx(np.cosh(0.5) ** -2, rel=1e-15)
    assert np.tanh(x).node.op is tm.tanh
    assert "tanh" in tm.graph(y).text()
    assert tm.vmap(tm.tanh)(np.ones((3, 2))).tolist() == tm.tanh(np.ones((3, 2))).tolist()


def test_threads_compute_the_same_bits(native):
    rng = np.random.default_rng(2)
    xs = [rng.normal(size=(300, 400)) for _ in range(4)]
    want = [everything(tm.tanh, x) for x in xs]
    found = [None] * len(xs)

    def run(k):
        found[k] = everything(tm.tanh, xs[k])

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(xs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for got, right in zip(found, want, strict=True):
        for g, w in zip(got, right, strict=True):
            np.testing.assert_array_equal(g, w)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_is_forked_goes_on_with_them(native):
    x = np.linspace(-1.0, 1.0, 99)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(_tanh, (x,)), tm.tanh(x).numpy())
        assert pool.apply(tm.set_kernels, ("numpy",)) == "native"


def _tanh(x):
    return tm.tanh(x).numpy()


def test_wrong_names_and_what_is_missing_are_named(monkeypatch):
    for wrong in ("Native", "jax", "", None, 3, np.ones(2)):
        with pytest.raises(tm.ArgumentError, match="set_kernels"):
            tm.set_kernels(wrong)
    monkeypatch.setattr(switch.SWITCH, "calls", {})
    with monkeypatch.context() as patch:
        patch.setattr(assembly.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(tm.errors.MissingExtra, match=r"set_kernels.*pip install llvmlite.*native"):
            tm.set_kernels("native")
    monkeypatch.setattr(choice, "is_possible", lambda: False)
    with pytest.raises(tm.errors.MathError, match="fused multiply-add"):
        tm.set_kernels("native")
    assert tm.set_kernels("numpy") == "numpy"
    assert tm.tanh(0.0).item() == 0.0


def test_llvmlite_is_not_loaded_before_they_are_asked_for():
    code = (
        "import sys, tinygrad_math as tm; tm.set_kernels('numpy'); tm.sigmoid([1.0])\n"
        "assert 'llvmlite' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
