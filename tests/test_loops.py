"""tm.scan, tm.fori_loop and tm.while_loop: the values and derivatives of Python's loops, whichever way they run."""

import numpy as np
import pytest
from pythons_loops import H0, OPTIONS, PARAMS, XS, W, by_python, by_scan, cell, close, loops_of, python_scan

import tinygrad_math as tm
from tinygrad_math.testing import check_grads

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_values_and_derivatives_of_a_scan_are_those_of_pythons_loop(options, compiled):
    reverse = options.get("reverse", False)
    wrap = tm.compile if compiled else lambda f: f
    args = (PARAMS, H0, XS)

    def scanned(*args):
        return by_scan(*args, **options)

    def plain(*args):
        return by_python(*args, reverse=reverse)

    close(wrap(scanned)(*args), plain(*args))
    close(wrap(tm.grad(scanned, argnums=(0, 1, 2)))(*args), tm.grad(plain, argnums=(0, 1, 2))(*args))
    v = tm.tree_map(lambda a: RNG.normal(size=np.shape(a)), args)
    close(wrap(lambda a, t: tm.jvp(scanned, a, t))(args, v), tm.jvp(plain, args, v))
    close(wrap(lambda a, t: tm.hvp(scanned, a, t))(args, v), tm.hvp(plain, args, v))
    close(wrap(tm.hessian(lambda h: scanned(PARAMS, h, XS)))(H0), tm.hessian(lambda h: plain(PARAMS, h, XS))(H0))
    third = [tm.grad(lambda h, f=f: (tm.hessian(lambda u: f(PARAMS, u, XS))(h) ** 2).sum()) for f in (scanned, plain)]
    close(wrap(third[0])(H0), third[1](H0), rtol=1e-10)


def test_derivatives_agree_with_finite_differences():
    check_grads(by_scan, (PARAMS, H0, XS), order=2)
    check_grads(tm.compile(by_scan), (PARAMS, H0, XS), order=2)


@pytest.mark.parametrize("order", ["grad(compile)", "compile(grad)", "compile(grad(compile))"])
def test_derivatives_through_compiled_loops(order):
    inner = by_scan if order == "compile(grad)" else tm.compile(by_scan)
    f = tm.grad(inner, argnums=(0, 1, 2))
    f = f if order == "grad(compile)" else tm.compile(f)
    for _ in range(2):  # the second call may take another way
        close(f(PARAMS, H0, XS), tm.grad(by_python, argnums=(0, 1, 2))(PARAMS, H0, XS))
    v = RNG.normal(size=3)
    close(tm.hvp(lambda h: inner(PARAMS, h, XS), H0, v), tm.hvp(lambda h: by_python(PARAMS, h, XS), H0, v))
    close(tm.jvp(lambda h: inner(PARAMS, h, XS), (H0,), (v,)), tm.jvp(lambda h: by_python(PARAMS, h, XS), (H0,), (v,)))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_under_vmap(compiled):
    wrap = tm.compile if compiled else lambda f: f
    hs, xss = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 4, 3))
    for f, axes in ((by_scan, (None, 0, 1)), (tm.grad(by_scan), (None, 0, 1)), (tm.grad(by_scan, 1), (None, 0, None))):
        plain = {by_scan: by_python}.get(f) or tm.grad(by_python, 1 if axes[2] is None else 0)
        xs = XS if axes[2] is None else xss
        got = wrap(tm.vmap(f, in_axes=axes))(PARAMS, hs, xs)
        rows = [plain(PARAMS, hs[k], XS if axes[2] is None else xss[:, k]) for k in range(4)]
        close(got, tm.tree_map(lambda *r: tm.stack(r), *rows))
        close(wrap(tm.vmap(f, in_axes=axes, chunk_size=3))(PARAMS, hs, xs), got)
    nested = tm.vmap(tm.vmap(by_scan, in_axes=(None, 0, None)), in_axes=(None, None, 1))
    want = [[by_python(PARAMS, h, xss[:, k]) for h in hs] for k in range(4)]
    close(wrap(nested)(PARAMS, hs, xss), tm.stack([tm.stack(row) for row in want]))
    total = wrap(tm.grad(lambda p: tm.vmap(by_scan, in_axes=(None, 0, 1))(p, hs, xss).sum()))
    close(total(PARAMS), tm.grad(lambda p: sum(by_python(p, hs[k], xss[:, k]) for k in range(4)))(PARAMS))


def test_closed_forms():
    compiled = [lambda f: f, tm.compile]
    for wrap in compiled:
        series = wrap(lambda r: tm.scan(lambda c, _: (c * r, c), 1.0, length=20)[1].sum())
        r = 0.7
        np.testing.assert_allclose(series(r).item(), (1 - r**20) / (1 - r), rtol=1e-14)
        slope = sum(k * r ** (k - 1) for k in range(1, 20))
        np.testing.assert_allclose(wrap(tm.grad(series))(r).item(), slope, rtol=1e-13)
        fibonacci = wrap(lambda n: tm.fori_loop(30, lambda i, c: (c[1], c[0] + c[1]), (n * 0, n))[0])
        assert fibonacci(1).item() == 832040
        assert fibonacci(1).dtype == np.int64
        logistic = wrap(tm.grad(lambda x: tm.fori_loop(6, lambda i, x: 4 * x * (1 - x), x)))
        x = 0.3  # x_n = sin(2^n asin sqrt(x))^2
        angle = 2**6 * np.arcsin(np.sqrt(x))
        np.testing.assert_allclose(
            logistic(x).item(), np.sin(2 * angle) * 2**6 / (2 * np.sqrt(x * (1 - x))), rtol=1e-10
        )
        root = wrap(lambda a: tm.while_loop(lambda x: abs(x * x - a) > 1e-12, lambda x: 0.5 * (x + a / x), a, 50))
        np.testing.assert_allclose(root(2.0).item(), np.sqrt(2), rtol=1e-13)
        np.testing.assert_allclose(wrap(tm.grad(root))(2.0).item(), 0.5 / np.sqrt(2), rtol=1e-9)
        factorial = wrap(lambda x: tm.fori_loop(10, lambda i, c: c * (i + x), 1.0))
        assert factorial(1.0).item() == 3628800.0


def test_trees_of_any_kind_and_none():
    def f(carry, x):
        a, more = carry["a"] + x["u"], [carry["more"][0] * x["v"][0]]
        return {"more": more, "a": a}, {"sum": a, "none": None, "pair": (more[0], a * 2)}

    xs = {"u": np.arange(4.0), "v": (np.full(4, 1.1),)}
    for wrap in (lambda f: f, tm.compile):
        carry, ys = wrap(lambda xs: tm.scan(f, {"a": 1.0, "more": [2.0]}, xs))(xs)
        close([carry["a"], carry["more"][0]], [7.0, 2 * 1.1**4])
        close(ys["sum"], np.array([1.0, 2.0, 4.0, 7.0]))
        assert ys["none"] is None
        close(ys["pair"][0], 2 * 1.1 ** np.arange(1, 5))
        assert wrap(lambda c: tm.scan(lambda c, x: (c, None), c, None, length=3))(1.0)[1] is None


def test_of_no_steps():
    for wrap in (lambda f: f, tm.compile):
        carry, ys = wrap(lambda h, xs: tm.scan(lambda h, x: cell(PARAMS, h, x), h, xs))(H0, np.zeros((0, 3)))
        close(carry, H0)
        assert ys.shape == (0, 3)
        assert ys.dtype == np.float64
        close(wrap(lambda x: tm.fori_loop(0, lambda i, c: c * x, x))(3.0), 3.0)
        close(wrap(lambda x: tm.while_loop(lambda c: c < 0, lambda c: c * x, x))(3.0), 3.0)
        close(wrap(tm.grad(lambda x: tm.fori_loop(0, lambda i, c: c * x, x)))(3.0), 1.0)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "complex64"])
def test_dtypes_stay(dtype):
    w, h, xs = W.astype(dtype), H0.astype(dtype), XS.astype(dtype)
    if dtype.startswith("c"):
        w, h = w * (1 + 0.3j), h * 1j
        w, h = w.astype(dtype), h.astype(dtype)

    def scanned(w, h, xs):
        h, ys = tm.scan(lambda h, x: (tm.sin(h @ w + x), h * x * 0.5), h, xs)
        return tm.real(tm.abs(h) ** 2).sum() + tm.abs(ys**2).sum()

    def plain(w, h, xs):
        h, ys = python_scan(lambda h, x: (tm.sin(h @ w + x), h * x * 0.5), h, xs)
        return tm.real(tm.abs(h) ** 2).sum() + tm.abs(ys**2).sum()

    rtol = 1e-5 if dtype in ("float32", "complex64") else 1e-12
    want = tm.grad(plain, argnums=(0, 1, 2))(w, h, tm.tensor(xs))
    for wrap in (lambda f: f, tm.compile):
        got = wrap(tm.grad(scanned, argnums=(0, 1, 2)))(w, h, xs)
        assert [g.dtype for g in got] == [dtype] * 3
        close(got, want, rtol=rtol, atol=rtol)
        assert tm.scan(lambda c, x: (c + x, None), 0, np.ones(3, dtype))[0].dtype == dtype
        assert wrap(lambda x: tm.fori_loop(3, lambda i, c: c + i * x, 0.0))(np.ones((), dtype)).dtype == dtype


def test_closures_receive_gradients():
    w = tm.tensor(W, requires_grad=True)
    model = tm.nn.Linear(3, 3, rng=0)

    def loss(h):
        h, _ = tm.scan(lambda h, x: (tm.tanh(model(h) @ w + x.astype(h.dtype)), None), h, XS)
        return h.sum()

    def plain(h):
        for x in XS:
            h = tm.tanh(model(h) @ w + tm.tensor(x).astype(h.dtype))
        return h.sum()

    h = tm.tensor(H0).astype(model.weight.dtype)
    grads = []
    for f in (loss, plain, tm.compile(loss)):
        w.grad = model.weight.grad = model.bias.grad = None
        y = f(h)
        y.backward()
        grads.append([y.item(), w.grad, model.weight.grad, model.bias.grad])
    close(grads[0], grads[1], rtol=1e-5, atol=1e-6)
    close(grads[2], grads[1], rtol=1e-5, atol=1e-6)


def test_an_inner_gradient_is_not_confused_with_the_outer_one():
    def f(x):
        def g(y):
            return tm.fori_loop(3, lambda i, c: c * x * y, 1.0)  # x^3 y^3

        return x * tm.grad(g)(x)  # 3 x^6

    for wrap in (lambda f: f, tm.compile):
        np.testing.assert_allclose(wrap(tm.grad(f))(1.5).item(), 18 * 1.5**5, rtol=1e-13)
        assert (
            wrap(tm.grad(lambda x: tm.fori_loop(3, lambda i, c: tm.grad(lambda y: x * y * c)(c), x)))(2.0).item() == 32
        )


def test_a_module_is_carried_and_trained_in_a_loop():
    model = tm.nn.Linear(2, 1, rng=0)
    x, y = RNG.normal(size=(8, 2)).astype("f"), RNG.normal(size=(8, 1)).astype("f")

    def step(model, _):
        value, g = tm.value_and_grad(lambda m: ((m(x) - y) ** 2).mean())(model)
        return tm.tree_map(lambda p, d: p - 0.1 * d, model, g), value

    def train(model):
        return tm.scan(step, model, length=30)

    want, losses = model, []
    for _ in range(30):
        want, value = step(want, None)
        losses.append(value.item())
    for wrap in (lambda f: f, tm.compile):
        got, seen = wrap(train)(model)
        assert isinstance(got, tm.nn.Linear)
        close(got, want, rtol=1e-4, atol=1e-5)
        close(seen, np.array(losses), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_training_loop_gives_leaves(name):
    x, y = RNG.normal(size=(8, 2)), RNG.normal(size=(8, 1))
    model = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1)).to(np.float64)
    optimizer = getattr(tm.optim, name)(model.parameters(), lr=0.1)

    def step(i, carry):
        model, state = carry
        return optimizer.update(tm.grad(lambda m: ((m(x) - y) ** 2).mean())(model), state, model)

    def train(model, state):
        return tm.fori_loop(10, step, (model, state))

    start = optimizer.init(model)
    want = model, start
    for i in range(10):
        want = step(i, want)
    compiled = tm.compile(train)
    for f in (train, compiled, compiled):
        got = f(model, start)
        close(got, want)
        assert all(p.requires_grad and p.node.op is None for p in got[0].parameters())
    assert len(loops_of(compiled)) == 1
