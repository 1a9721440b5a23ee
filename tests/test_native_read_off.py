"""Native forms that are read off an op's own function: its bits, and the op itself where the numbers are unusual."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, assert_bits, assert_close, compiled

import tinygrad_math as tm
from tinygrad_math.core.declare import nondiff
from tinygrad_math.core.op import registry

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler.native import followed, read_off

pytestmark = pytest.mark.usefixtures("numpys_loops")
RNG = np.random.default_rng(41)
norm = tm.nn.functional


def slopes(f):
    """f, its derivative against a weight, and the derivative of that."""

    def all_of_it(x):
        first = tm.grad(lambda x: tm.sum(tm.sin(f(x)) * 0.7))
        return f(x), first(x), tm.grad(lambda x: tm.sum(tm.cos(first(x))))(x)

    return all_of_it


FORMS = {
    "norm of a layer": slopes(lambda x: norm.layer_norm(x, x.shape[-1], eps=1e-5)),
    "norm of several axes": slopes(lambda x: norm.layer_norm(x, x.shape[1:], tm.cos(x[0]), x[1])),
    "norm by the root of the mean square": slopes(lambda x: norm.rms_norm(x, x.shape[-1])),
    "norm of groups": slopes(lambda x: norm.group_norm(x, 2)),
    "norm of a batch": slopes(lambda x: norm.batch_norm(x, None, None, training=True)),
    "deviation": slopes(lambda x: tm.std(x, axis=1)),
    "deviation of all": slopes(lambda x: tm.std(x, correction=1)),
    "length": slopes(lambda x: tm.linalg.vector_norm(x, axis=(0, -1))),
    "cube root of cubes": slopes(lambda x: tm.linalg.vector_norm(x, axis=-1, ord=3)),
    "arcs": slopes(lambda x: tm.arcsin(x / 9) + tm.arccos(x / 8)),
    "angles": slopes(lambda x: tm.arctan2(x, tm.cos(x)) * tm.hypot(x, 2.0)),
    "powers": slopes(lambda x: tm.abs(x) ** (x[..., :1] * x + 0.3)),
    "largest number": slopes(lambda x: tm.nanmax(x, axis=1, keepdims=True) - tm.nanmin(x, axis=(0, 2), keepdims=True)),
    "without what is none": slopes(lambda x: tm.nanvar(tm.where(x > 1.5, np.nan, x), axis=-1)),
    "logarithm of a sum": slopes(lambda x: tm.special.logsumexp(x, axis=-1)),
    "differences": slopes(lambda x: tm.diff(x, n=2, axis=1) * 2.0),
    "roots": slopes(lambda x: tm.cbrt(x * x + 1) * tm.arcsinh(x)),
}


def layouts(x):
    return x, np.asfortranarray(x), x[:, ::-1], np.repeat(x, 2, -1)[..., ::2]


ELEMENT_BY_ELEMENT = {"arcs", "angles", "differences", "roots"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FORMS)
def test_forms_give_what_numpys_program_gives_and_nothing_is_left_to_it(name, dtype, monkeypatch):
    x = RNG.normal(size=(4, 6, 5)).astype(dtype)
    guarded = Guarded(monkeypatch)
    g, plain = compiled(FORMS[name]), tm.compile(FORMS[name])
    for given in layouts(x):
        got, want = g(given), plain(given)
        assert_close(got, want)  # sums are taken in another order where rows do not lie side by side
        if name in ELEMENT_BY_ELEMENT:
            assert_bits(got, want)
        lowered = g.latest.native.lowered
        assert not [v.title for v in g.latest.program.body if not lowered.is_native(v)]
    guarded.check()


def test_many_numbers_in_single_precision_are_added_in_double():
    x = RNG.normal(size=(40, 300)).astype(np.float32) + 100
    for f in (lambda x: tm.std(x, axis=1), lambda x: norm.layer_norm(x, 300), lambda x: tm.std(x)):
        g, exact = compiled(f), f(x.astype(float)).numpy()
        np.testing.assert_allclose(g(x).numpy(), exact, rtol=1e-5, atol=1e-5)
        assert g.latest.native.whole


UNUSUAL = {
    "large": lambda x: x * 1e300,
    "small": lambda x: x * 1e-250,
    "nothing but zeros": lambda x: x * 0.0,
    "equal": lambda x: x * 0.0 + 0.1,
    "zeros among them": lambda x: np.where(x > 0, x, 0.0),
    "infinite": lambda x: np.where(x > 1, np.inf, x),
    "not a number": lambda x: np.where(x > 1, np.nan, x),
    "of both kinds": lambda x: np.where(np.arange(5) > 2, x * 1e200, x),
}
ASKING = {
    "normalized": lambda x: tm.vjp(lambda x: norm.layer_norm(x, 5), x)[1](tm.cos(x)),
    "deviation": lambda x: (tm.std(x, axis=0), tm.grad(lambda x: tm.sum(tm.std(x, axis=-1)))(x)),
    "length": lambda x: tm.linalg.vector_norm(x, axis=1),
    "hypotenuse": lambda x: tm.grad(lambda x: tm.sum(tm.hypot(x, 1e-200 * x)))(x),
    "power": tm.grad(lambda x: tm.sum(tm.abs(x) ** (0.5 * (x > -1)))),
    "logarithm of a sum": lambda x: tm.special.logsumexp(x, axis=-1),
}


@pytest.mark.parametrize("kind", UNUSUAL)
@pytest.mark.parametrize("name", ASKING)
def test_where_an_answer_is_another_one_the_op_computes(name, kind):
    x = RNG.normal(size=(4, 3, 5))
    g, plain = compiled(ASKING[name]), tm.compile(ASKING[name])
    with np.errstate(all="ignore"):
        g(x)
        form = g.latest
        assert form.native.whole
        for _ in range(2):
            for given in (UNUSUAL[kind](x), x):
                for got, want in zip(arrays(g(given)), arrays(plain(given)), strict=True):
                    scale = np.abs(want[np.isfinite(want)]).max(initial=0.0)
                    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13 * scale)
    assert g.latest is form


def test_a_loop_whose_numbers_become_unusual_is_that_of_numpy():
    def f(x):
        def step(k, c):
            y, total = c
            return y * 1e-40, total + norm.layer_norm(y, 5, eps=0.0) + tm.std(y, axis=0)

        return tm.fori_loop(9, step, (x, x * 0.0))

    x = RNG.normal(size=(3, 5))
    g = compiled(f)
    assert_close(g(x), tm.compile(f)(x))
    assert g.latest.native.whole


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_complex_numbers_are_followed_too(dtype):
    x = (RNG.normal(size=(3, 5)) + 1j * RNG.normal(size=(3, 5))).astype(dtype)

    def f(x):
        return tm.std(x, axis=1), tm.var(x), tm.linalg.vector_norm(x, axis=0), tm.sinh(x) * tm.arctan(x / 3)

    g = compiled(f)
    for given in layouts(x[..., None])[:2]:
        assert_close(g(given), tm.compile(f)(given))
        assert g.latest.native.whole


# -- linear algebra ---------------------------------------------------------------------------------------------------
SYSTEMS = {
    "system": lambda a, b: tm.linalg.solve(a, b),
    "one vector": lambda a, b: tm.linalg.solve(a, b[0, :, 0]),
    "one matrix": lambda a, b: tm.linalg.solve(a[0], b),
    "turned": lambda a, b: tm.linalg.solve(a[1].T, b[..., ::-1][0]),
    "inverse": lambda a, b: tm.linalg.inv(a) @ b,
    "determinant": lambda a, b: tm.linalg.det(a),
    "factor": lambda a, b: tm.linalg.cholesky(a @ tm.conj(a.mT)),
}


def systems(n, dtype):
    a, b = RNG.normal(size=(4, n, n)) + 3 * n * np.eye(n), RNG.normal(size=(4, n, 2))
    if np.dtype(dtype).kind == "c":
        a, b = a + 1j * RNG.normal(size=a.shape), b * 1j
    return a.astype(dtype), b.astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "complex64"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_systems_inverses_and_factors_are_numpys_bits(name, dtype, monkeypatch):
    guarded = Guarded(monkeypatch)
    for n in (1, 2, 5, 17):
        g, given = compiled(SYSTEMS[name]), systems(n, dtype)
        want = tm.compile(SYSTEMS[name])(*given)
        (assert_close if name in ("inverse", "factor") else assert_bits)(g(*given), want)  # they have products beside
        assert_close(g(*map(np.asfortranarray, given)), want)
        assert g.latest.native.whole
    guarded.check()


@pytest.mark.parametrize("name", ["system", "one vector", "inverse", "factor"])
def test_what_cannot_be_solved_is_the_ops_error(name):
    a, b = systems(3, float)
    g = compiled(SYSTEMS[name])
    want = g(a, b).numpy()
    for bad in (a * 0.0, a * np.array([0.0, 1.0, 1.0]), np.where(a > 8, np.nan, a)):
        said = []
        for f, given in ((g, (bad, b)), (SYSTEMS[name], (tm.tensor(bad), tm.tensor(b)))):
            with pytest.raises(tm.errors.MathError) as error:
                f(*given)
            said.append((type(error.value), str(error.value).partition(". ")[0]))
        assert said[0] == said[1]
    np.testing.assert_array_equal(g(a, b).numpy(), want)


def test_systems_within_a_loop_are_solved_without_python():
    a, b = systems(3, float)

    def f(a, b):
        return tm.fori_loop(30, lambda k, c: tm.cos(tm.linalg.solve(a, c) - tm.linalg.inv(a) @ b + k), b)

    g = compiled(f)
    c = b
    for k in range(30):
        c = np.cos(np.linalg.solve(a, c) - np.linalg.inv(a) @ b + k)
    np.testing.assert_allclose(g(a, b).numpy(), c, rtol=1e-12, atol=1e-12)
    assert g.latest.native.whole


def test_arrays_of_nothing_and_numbers_alone_are_as_they_were():
    def f(x):
        return tm.var(x, axis=1), tm.logaddexp(x, x[:1]), tm.std(x, axis=0)

    for shape in ((3, 0), (0, 4), (1, 1)):
        x = np.ones(shape)
        with np.errstate(all="ignore"):
            assert_bits(compiled(f)(x), tm.compile(f)(x))
    assert_bits(compiled(lambda x: tm.hypot(x[0], x[1]) ** x[1])(x := np.array([3.0, 4.0])), [np.float64(5.0) ** x[1]])


def test_threads_have_their_own_answers():
    g = compiled(lambda x: tm.grad(lambda x: tm.sum(norm.layer_norm(x, 5, eps=0.0) ** 3))(x))
    xs = [RNG.normal(size=(6, 5)) * 10.0 ** (-90 * (k % 3)) for k in range(8)]
    want, wrong = [g(x).numpy() for x in xs], []

    def work(k):
        wrong.extend(k for _ in range(30) if not np.array_equal(g(xs[k]).numpy(), want[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


# -- what is not followed ---------------------------------------------------------------------------------------------
def form_of(f, *given):
    """The form of a function of plain arrays, or None."""
    op = type("Op", (), {"plain": staticmethod(f), "arity": len(given)})
    return read_off._followed(op, tuple((x.shape, x.dtype) for x in map(np.asarray, given)), (), id(f))


def written_twice(x):
    out = np.zeros(3)
    np.divide(x, 2, out=out, where=x > 1)
    return out + x  # as NumPy left it


def in_place(x):
    y = x * 2
    z = y
    y += 1
    return z + x


def over_itself(x):
    y = x * 2
    z = y
    np.add(y, 1, out=y)
    return z + x


def over_what_is_shown(x):
    y = x * 2
    first = y[:1]
    y = np.add(y, 1, out=y)
    return y + first


NOT_FOLLOWED = {
    "over itself": over_itself,
    "over what is shown": over_what_is_shown,
    "over its argument": lambda x: np.add(x, 1, out=x) * 1,
    "an array of it": lambda x: np.asarray(x) + 1,
    "its number": lambda x: x * float(x[0]),
    "each of its elements": lambda x: sum(v for v in x),
    "where it is true": lambda x: x[x > 1] + 1,
    "written over": written_twice,
    "in place": in_place,
    "another for arrays": lambda x: x + 1 if isinstance(x, np.ndarray) else x + 2,
    "known": lambda x: np.ones(3),
    "with signs": lambda x: np.frexp(x)[0],
}


@pytest.mark.parametrize("name", NOT_FOLLOWED)
def test_what_would_be_read_off_wrongly_is_not_read_off(name):
    assert form_of(NOT_FOLLOWED[name], np.ones(3)) is None


def test_what_is_read_off_is_what_is_asked_and_done():
    form = form_of(lambda x: x * 2 if (x > 0).all() else -x, np.ones(3))
    assert [s.kind for s in form.steps] == ["given", "ufunc", "reduce", "ufunc"]
    assert form.answers == {2: True}
    assert len(form_of(lambda x: np.add(y := x * 2, 1, out=y) * 3, np.ones(3)).steps) == 4
    assert form_of(lambda x: np.divide(x, 2, out=np.zeros(3), where=x > 1), np.ones(3)).steps[-1].kind == "where"


def test_an_op_of_the_user_is_called_as_often_as_the_function_runs():
    calls = []

    def plain(x):
        calls.append(1)
        return x * 2

    double = nondiff(name="double_of_the_test", shape="same as x", latex="2 {0}")(plain)
    g = compiled(lambda x: tm.sin(x) + double(x))
    try:
        g(np.ones(3))
        before = len(calls)
        g(np.ones(3))
        assert len(calls) == before + 1
    finally:
        registry.pop("double_of_the_test", None)


def test_following_is_refused_by_name():
    x = followed.Notes().add("given", None, [], np.ones(3))
    for f in (float, int, np.asarray, len, iter, lambda x: x[[0, 1]], lambda x: np.linalg.norm(x)):
        with pytest.raises(followed.NotFollowed):
            f(x)
