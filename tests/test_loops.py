"""tm.scan, tm.fori_loop and tm.while_loop: the values and derivatives of Python's loops, whichever way they run."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.compiler.passes.loops import Repeated
from tinygrad_math.core.errors import (
    ArgumentError,
    DTypeError,
    NeedsDetach,
    NoConvergence,
    NoDerivative,
    ShapeError,
    TraceError,
)
from tinygrad_math.testing import check_grads

RNG = np.random.default_rng(0)
W, B, XS, H0 = RNG.normal(size=(3, 3)) * 0.5, RNG.normal(size=3), RNG.normal(size=(5, 3)), RNG.normal(size=3)


def cell(w, h, x):
    h = tm.tanh(h @ w["w"] + x * w["b"])
    return h, tm.sin(h) * x


def python_scan(f, init, xs, reverse=False):
    """The oracle: a loop of Python's on Tensors."""
    carry, ys, n = init, {}, len(xs)
    for t in reversed(range(n)) if reverse else range(n):
        carry, ys[t] = f(carry, xs[t])
    return carry, tm.stack([ys[t] for t in range(n)])


def by_scan(w, h, xs, **options):
    h, ys = tm.scan(lambda h, x: cell(w, h, x), h, xs, **options)
    return (h * h).sum() + (ys * tm.cos(ys)).sum()


def by_python(w, h, xs, reverse=False):
    h, ys = python_scan(lambda h, x: cell(w, h, x), h, tm.tensor(xs) if isinstance(xs, np.ndarray) else xs, reverse)
    return (h * h).sum() + (ys * tm.cos(ys)).sum()


PARAMS = {"w": W, "b": B}
OPTIONS = [{}, {"reverse": True}, {"checkpoint": 2}, {"checkpoint": 5}, {"checkpoint": 2, "reverse": True}]


def close(a, b, rtol=1e-12, atol=1e-13):
    for x, y in zip(tm.tree_leaves(a), tm.tree_leaves(b), strict=True):
        u, v = (np.asarray(tm.stop_gradient(z)) for z in (x, y))
        assert u.shape == v.shape
        np.testing.assert_allclose(u, v, rtol=rtol, atol=atol)


def loops_of(compiled):
    """The loops among the instructions of a compiled function's program."""
    return [v for v in compiled.program.body if isinstance(v.op, Repeated)]


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


def test_a_compiled_loop_is_one_instruction_whose_program_does_not_grow():
    sizes = []
    for n in (5, 150):
        f = tm.compile(tm.grad(by_scan))
        f(PARAMS, H0, np.resize(XS, (n, 3)))
        loops = loops_of(f)
        assert len(loops) == 2
        sizes.append((len(f.program.body), [len(v.op.step.body) for v in loops]))
    assert sizes[0] == sizes[1]
    f.program.validate(W, B, H0, np.resize(XS, (150, 3)))


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


def test_memory_layouts_and_sizes():
    """Turned, reversed and large arrays, which a program treats in its own ways."""
    w = np.asfortranarray(RNG.normal(size=(4, 4)) * 0.5)
    h, xs = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 3, 6)).transpose(2, 1, 0)[::-1]

    def turned(w, h, xs):
        h, ys = tm.scan(lambda h, x: (tm.tanh(h @ w.T + x).T.copy().T, h.T @ x), h, xs)
        return (h**2).sum() + (ys**2).sum()

    def plain(w, h, xs):
        h, ys = python_scan(lambda h, x: (tm.tanh(h @ w.T + x), h.T @ x), h, xs)
        return (h**2).sum() + (ys**2).sum()

    args = tuple(map(tm.tensor, (w, h, xs)))
    close(tm.compile(tm.grad(turned, (0, 1, 2)))(w, h, xs), tm.grad(plain, (0, 1, 2))(*args))
    close(tm.compile(lambda *z: tm.hvp(turned, z, z))(w, h, xs), tm.hvp(plain, args, args))
    a, b = RNG.normal(size=(2, 300, 300))

    def large(a, b):
        return tm.fori_loop(4, lambda i, c: tm.where(c > 0, tm.sin(c) * a + b, c * 0.5 - b) * 1.01, a).sum()

    def long(a, b):
        c = a
        for _ in range(4):
            c = tm.where(c > 0, tm.sin(c) * a + b, c * 0.5 - b) * 1.01
        return c.sum()

    for threads in (1, 2):
        compiled = tm.compile(tm.grad(large, (0, 1)), threads=threads)
        close(compiled(a, b), tm.grad(long, (0, 1))(tm.tensor(a), tm.tensor(b)))
    assert "parallel(" in compiled.source


def test_results_of_a_compiled_loop_have_memory_of_their_own():
    for f in (
        lambda x: tm.scan(lambda c, _: (c * 2, c), x, length=5),
        lambda x: tm.scan(lambda c, _: (c * 2, c), x, length=5)[1][2:, ::-1].T,
        lambda x: tm.fori_loop(3, lambda i, c: c, x),
        lambda x: tm.scan(lambda c, _: ((c[1], c[0]), c), (x, x * 2), length=5),
    ):
        compiled, x = tm.compile(f), np.ones(3)
        first = tm.tree_leaves(compiled(x))
        kept = [t.numpy().copy() for t in first]
        x[0] = 7.0
        compiled(x * 3)
        for t, old in zip(first, kept, strict=True):
            np.testing.assert_array_equal(t.numpy(), old)


def test_what_no_step_needs_is_computed_for_all_at_once():
    def step(w, h, x):
        return tm.tanh(h @ w + x @ w.T), tm.exp(-h * h) * x

    def f(loop, w, xs):
        h, ys = loop(lambda h, x: step(w, h, x), tm.zeros(3), xs)
        return (h**2).sum() + ys.sum()

    compiled = tm.compile(tm.grad(lambda w, xs: f(tm.scan, w, xs)))
    close(compiled(W, XS), tm.grad(lambda w: f(python_scan, w, tm.tensor(XS)))(W))
    forward, reverse = (v.op.step for v in loops_of(compiled))
    assert [v.title for v in forward.body] == ["matmul", "add", "tanh"]
    assert sum(v.title == "matmul" for v in reverse.body) == 1  # of the two, and the two sums of outer products


def test_rows_that_are_known_while_compiling_are_those_of_all_steps():
    xs = tm.tensor(XS)
    f = lambda x: tm.scan(lambda c, r: (c * 0.5, r * 2.0), x, xs)  # noqa: E731
    compiled = tm.compile(lambda x: (tm.sin(f(x)[1]) * 3.0).sum() + f(x)[0].sum())
    close(compiled(H0), np.sin(2 * XS).sum() * 3 + H0.sum() / 2**5)


def test_loops_within_loops():
    def plain(a, x):
        c, total = x, 0.0
        for row in XS:
            for _ in range(3):
                c = tm.sin(c * a + row)
            s = c * 0.0
            for r in row:
                total = total + (s * s).sum()
                s = s + r * c
        return c.sum() + total

    def scanned(a, x):
        def outer(c, row):
            inner = tm.fori_loop(3, lambda i, s: tm.sin(s * a + row), c)
            return inner, tm.scan(lambda s, r: (s + r * inner, s), inner * 0.0, row)[1]

        c, ys = tm.scan(outer, x, XS)
        return c.sum() + (ys * ys).sum()

    args = (1.3, H0)
    for wrap in (lambda f: f, tm.compile):
        close(wrap(scanned)(*args), plain(*args))
        close(wrap(tm.grad(scanned, (0, 1)))(*args), tm.grad(plain, (0, 1))(*args))
        close(wrap(tm.hessian(scanned))(*args), tm.hessian(plain)(*args))
        batch = wrap(tm.vmap(tm.grad(scanned), in_axes=(0, None)))(np.array([1.3, 0.2]), H0)
        close(batch, tm.stack([tm.grad(plain)(a, H0) for a in (1.3, 0.2)]))


def test_random_draws_are_those_of_pythons_loop():
    def noisy(x):
        return tm.fori_loop(4, lambda i, c: tm.sin(c) * tm.random.normal(size=3) + x, x)

    def plain(x):
        c = x
        for _ in range(4):
            c = tm.sin(c) * tm.random.normal(size=3) + x
        return c

    def seeded(f, *args):
        tm.random.seed(3)
        return f(*args)

    x = tm.tensor(H0)
    want = seeded(plain, x)
    slope = seeded(tm.grad(lambda x: plain(x).sum()), x)
    push = seeded(tm.jvp, plain, (x,), (x,))
    curve = seeded(tm.hvp, lambda x: plain(x).sum(), x, x)
    assert not np.allclose(want, plain(x))
    for wrap in (lambda f: f, tm.compile):
        f, g = wrap(noisy), wrap(tm.grad(lambda x: noisy(x).sum()))
        h = wrap(lambda x: tm.hvp(lambda x: noisy(x).sum(), x, x))
        j = wrap(lambda x: tm.jvp(noisy, (x,), (x,)))
        for _ in range(2):
            close(seeded(f, x), want)
            close(seeded(g, x), slope)
            close(seeded(h, x), curve)
            close(seeded(j, x), push)
    for k in (2, 3):
        kept = tm.compile(tm.grad(lambda x, k=k: tm.fori_loop(
            4, lambda i, c: tm.sin(c) * tm.random.normal(size=3) + x, x, checkpoint=k).sum()))  # fmt: skip
        close(seeded(kept, x), slope)


def test_under_no_grad_nothing_is_differentiated():
    def f(x):
        def step(c, _):
            with tm.no_grad():
                d = c * 2
            return c * x + d, None

        return tm.scan(step, x, length=3)[0]

    def plain(x):
        c = x
        for _ in range(3):
            c = c * x + tm.stop_gradient(c * 2)
        return c

    for wrap in (lambda f: f, tm.compile):
        close(wrap(tm.grad(f))(1.5), tm.grad(plain)(1.5))
        close(wrap(tm.grad(tm.grad(f)))(1.5), tm.grad(tm.grad(plain))(1.5))
    with tm.no_grad():
        assert not tm.scan(lambda c, x: (c + x, c), tm.tensor(1.0, requires_grad=True), XS[:, 0])[1].requires_grad


def test_what_looks_at_values_is_written_out():
    def f(x):
        def body(i, c):
            return c * x if i % 2 else c + x  # i is a number of Python's

        return tm.fori_loop(4, body, x)

    def plain(x):
        return ((x + x) * x + x) * x

    compiled = tm.compile(tm.grad(f))
    close(compiled(1.5), tm.grad(plain)(1.5))
    assert not loops_of(compiled)
    eager = tm.grad(lambda x: tm.scan(lambda c, _: (c * x if c > 1 else c + x, None), x, length=4)[0])
    close(eager(0.7), tm.grad(_chosen)(0.7))
    with pytest.raises(TraceError):
        tm.compile(lambda x: tm.scan(lambda c, _: (c * x if c > 1 else c + x, None), x, length=4)[0])(0.7)


def _chosen(x):
    c = x
    for _ in range(4):
        c = c * x if c > 1 else c + x
    return c


def test_an_op_after_a_loop_is_traced_with_values_that_it_takes():
    """The sum of one outer product is singular, that of all of them is not."""

    def f(xs):
        gram = tm.scan(lambda c, x: (c + tm.outer(x, x), None), tm.zeros((3, 3)), xs)[0]
        return tm.linalg.solve(gram, xs[0]).sum() + tm.linalg.slogdet(gram)[1]

    def plain(xs):
        return tm.linalg.solve(xs.T @ xs, xs[0]).sum() + tm.linalg.slogdet(xs.T @ xs)[1]

    close(tm.compile(f)(XS), plain(tm.tensor(XS)), rtol=1e-10)
    close(tm.compile(tm.grad(f))(XS), tm.grad(plain)(XS), rtol=1e-9)
    count = []
    compiled = tm.compile(lambda xs: (count.append(1), f(xs))[1])
    compiled(XS)
    assert len(count) <= 1 + 1  # it is traced once more, and what it changes is as after one run
    with pytest.raises(tm.errors.SingularMatrix):
        tm.compile(f)(XS * 0)


def with_a_total(xs):
    """Each step reads what the last one has written around it."""
    total = 0.0

    def step(c, x):
        nonlocal total
        total = total + x
        return c * total, None

    return tm.scan(step, 1.0, xs)[0] + total


def with_the_last(xs):
    """What a step writes around it is used after the loop."""
    last = None

    def step(c, x):
        nonlocal last
        last = c * x
        return c + x, None

    return tm.scan(step, 1.0, xs)[0] * last


def with_a_count(xs):
    """A number of Python's changes from step to step."""
    count = [0]

    def step(c, x):
        count[0] += 1
        return c * count[0] + x, None

    return tm.scan(step, 1.0, xs)[0]


def with_a_last_within(xs):
    last = None

    def outer(c, x):
        def inner(i, d):
            nonlocal last
            last = d * x
            return d + x

        return tm.fori_loop(3, inner, c) + last, None

    return tm.scan(outer, 1.0, xs)[0]


@pytest.mark.parametrize("f", [with_a_total, with_the_last, with_a_count, with_a_last_within])
def test_what_steps_write_around_them_is_as_in_pythons_loop(f):
    xs, scan, fori_loop = np.array([0.3, 1.2, -0.4, 0.9]), tm.scan, tm.fori_loop
    try:
        tm.scan = lambda f, init, xs: (python_scan(lambda c, x: (f(c, x)[0], x), tm.tensor(init), xs)[0], None)
        tm.fori_loop = lambda n, body, c: [c := body(i, c) for i in range(n)][-1]
        want = f(tm.tensor(xs)), tm.grad(f)(xs)
    finally:
        tm.scan, tm.fori_loop = scan, fori_loop
    close((f(tm.tensor(xs)), tm.grad(f)(xs)), want)
    compiled, gradient = tm.compile(f), tm.compile(tm.grad(f))
    for _ in range(2):
        close((compiled(xs), gradient(xs)), want)
    close(tm.grad(compiled)(xs), want[1])
    close(tm.compile(tm.vmap(f))(np.stack([xs, xs]))[1], want[0])


def test_a_step_may_assign_to_what_it_is_given():
    def step(c, x):
        c[0] = c[0] * x[1]
        x[1] = 100.0
        c += x
        return c, c * 2

    def f(c, xs):
        return tm.scan(step, c, xs)

    c, xs = tm.tensor([1.0, 2.0]), tm.tensor(np.arange(8.0).reshape(4, 2))
    first, second = f(c, xs), tm.compile(f)(c, xs)
    close(first, second)
    close((c, xs), (np.array([1.0, 2.0]), np.arange(8.0).reshape(4, 2)))
    loss = lambda c: f(c, xs)[0].sum()  # noqa: E731
    close(tm.compile(tm.grad(loss))(c), tm.grad(loss)(c))
    big = tm.tensor(np.ones((3, 5000)))
    tm.scan(lambda c, x: (_written(x) + c, None), tm.zeros(5000), big)
    close(big, np.ones((3, 5000)))


def _written(x):
    x[0] = 5.0
    return x


# -- while_loop -----------------------------------------------------------------------------------------
def newton(a, max_steps=None):
    """The square root of a, with the number of steps that it took."""
    return tm.while_loop(
        lambda s: tm.abs(s[0] * s[0] - a) > 1e-10, lambda s: (0.5 * (s[0] + a / s[0]), s[1] + 1), (a, 0), max_steps
    )


def python_newton(a):
    x, n = a, 0
    while abs((x * x - a).item()) > 1e-10:
        x, n = 0.5 * (x + a / x), n + 1
    return x, n


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_while_loops(compiled):
    wrap = tm.compile if compiled else lambda f: f
    for a in (2.0, 1e4):
        x, n = wrap(newton)(a)
        want, count = python_newton(tm.tensor(a))
        close(x, want)
        assert n.item() == count
        want = tm.jvp(lambda a: python_newton(a)[0], (a,), (3.0,))
        close(wrap(lambda a: tm.jvp(lambda a: newton(a)[0], (a,), (3.0,)))(a), want)
        close(wrap(tm.grad(lambda a: newton(a, 40)[0]))(a), want[1] / 3)
        second = tm.grad(tm.grad(lambda a: python_newton(a)[0]))(a)
        close(wrap(tm.grad(tm.grad(lambda a: newton(a, 40)[0])))(a), second, rtol=1e-9)
        close(wrap(tm.hessian(lambda a: newton(a, 40)[0]))(a), second, rtol=1e-9)
        close(wrap(lambda a: tm.jvp(tm.grad(lambda a: newton(a, 40)[0]), (a,), (1.0,)))(a)[1], second, rtol=1e-9)
    with pytest.raises(NoDerivative, match="max_steps"):
        wrap(tm.grad(lambda a: newton(a)[0]))(2.0)
    with pytest.raises(NoConvergence, match="max_steps=2"):
        wrap(lambda a: newton(a, 2)[0])(2.0)
    assert wrap(lambda a: newton(a, 6)[1])(2.0).item() <= 6


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_each_example_of_a_batch_ends_by_itself(compiled):
    wrap = tm.compile if compiled else lambda f: f
    a = np.array([1.0, 2.0, 100.0, 1e6])
    x, n = wrap(tm.vmap(newton))(a)
    rows = [python_newton(tm.tensor(v)) for v in a]
    close(x, tm.stack([r[0] for r in rows]))
    assert n.tolist() == [r[1] for r in rows]
    slopes = tm.stack([tm.grad(lambda v: python_newton(v)[0])(v) for v in a])
    close(wrap(tm.vmap(tm.grad(lambda v: newton(v, 40)[0])))(a), slopes)
    close(wrap(tm.grad(lambda v: tm.vmap(lambda u: newton(u, 40)[0])(v).sum()))(a), slopes)
    close(wrap(lambda v: tm.jvp(tm.vmap(lambda u: newton(u)[0]), (v,), (np.ones(4),)))(a)[1], slopes)
    seconds = tm.stack([tm.grad(tm.grad(lambda v: python_newton(v)[0]))(v) for v in a])
    close(wrap(tm.vmap(tm.grad(tm.grad(lambda v: newton(v, 40)[0]))))(a), seconds, rtol=1e-8)
    nested = wrap(tm.vmap(tm.vmap(lambda u: newton(u)[0])))(a.reshape(2, 2))
    close(nested, np.sqrt(a).reshape(2, 2), rtol=1e-8)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_a_finished_example_meets_no_point_at_which_the_step_is_undefined(compiled):
    """sqrt(1 - x) has an infinite slope at 1, where the second example has finished: 0 times it would be NaN."""
    wrap = tm.compile if compiled else lambda f: f

    def f(x, s):
        return tm.while_loop(lambda c: c < 0.9, lambda c: tm.sqrt(1 - c) * s + 0.1, x, max_steps=5)

    xs = np.array([0.1, 1.0])
    got = wrap(tm.grad(lambda s: tm.vmap(f, in_axes=(0, None))(xs, s).sum()))(0.9)
    want = tm.grad(lambda s: tm.sqrt(1 - 0.1 * s**0) * s + 0.1)(0.9)
    close(got, want)


def test_a_condition_that_is_known_while_tracing_is_pythons():
    f = tm.compile(lambda x: tm.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * x), (0, x))[1])
    assert f(2.0).item() == 16.0


def test_a_number_of_steps_that_is_only_known_at_the_call():
    f = tm.compile(lambda n, x: tm.fori_loop(n, lambda i, c: c * x + i, x))
    for n in (0, 3, 7):
        want = tm.fori_loop(n, lambda i, c: c * 1.1 + i, 1.1)
        close(f(np.array(n), 1.1), want)


# -- errors ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_errors_name_what_does_not_fit(compiled):
    wrap = tm.compile if compiled else lambda f: f
    x, xs = tm.tensor([1.0, 2.0]), np.ones((3, 2))
    with pytest.raises(ShapeError, match=r"its leaf a was float64\(2,\).*float64\(2, 1\)"):
        wrap(lambda x: tm.scan(lambda c, y: ({"a": c["a"][:, None]}, None), {"a": x}, xs))(x)
    with pytest.raises(DTypeError, match=r"was float32\(2,\).*float64\(2,\)"):
        wrap(lambda x: tm.scan(lambda c, y: (c + y, None), x, xs))(x.astype("f"))
    with pytest.raises(ArgumentError, match="keeps its containers"):
        wrap(lambda x: tm.scan(lambda c, y: ((c, c), None), x, xs))(x)
    with pytest.raises(ArgumentError, match=r"returns \(carry, y\)"):
        wrap(lambda x: tm.scan(lambda c, y: c, x, xs))(x)
    with pytest.raises(ShapeError, match="differ in length"):
        wrap(lambda x: tm.scan(lambda c, y: (c, None), x, (xs, xs[:2])))(x)
    with pytest.raises(ShapeError, match="length=4"):
        wrap(lambda x: tm.scan(lambda c, y: (c, None), x, xs, length=4))(x)
    with pytest.raises(ArgumentError, match="length"):
        wrap(lambda x: tm.scan(lambda c, y: (c, None), x))(x)
    with pytest.raises(ArgumentError, match="one boolean"):
        wrap(lambda x: tm.while_loop(lambda c: c > 0, lambda c: c - 1, x))(x)
    with pytest.raises(ArgumentError, match="one boolean"):
        wrap(lambda x: tm.while_loop(lambda c: c.sum(), lambda c: c - 1, x))(x)
    with pytest.raises(ArgumentError, match="n counts steps from 0"):
        wrap(lambda x: tm.fori_loop(-1, lambda i, c: c, x))(x)


def test_ys_stay_alike():
    with pytest.raises(ShapeError, match="at step 1"):
        tm.scan(lambda c, x: (c + 1, tm.zeros(int(c.item()))), 1.0, XS)
    with pytest.raises(ArgumentError, match="at step 1"):
        tm.scan(lambda c, x: (c + 1, None if c > 1 else c), 1.0, XS)


def test_an_exception_names_its_step_and_leaves_all_as_it_was():
    def step(c, x):
        if c > 2:
            raise RuntimeError("too much")
        return c + 1, c

    w = tm.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="too much") as caught:
        tm.scan(step, w, XS[:, 0])
    assert caught.value.__notes__ == ["in scan, step 2 of 5"]
    (w * w).backward()
    assert w.grad.item() == 2.0
    with pytest.raises(ShapeError) as caught:
        tm.compile(lambda x: tm.scan(lambda c, r: (c @ r, None), x, np.ones((4, 5)))[0])(np.ones(3))
    assert "in scan, step 0 of 4" in caught.value.__notes__[-1]
    with pytest.raises(NeedsDetach):
        tm.grad(lambda x: tm.fori_loop(3, lambda i, c: c * np.linalg.det(np.asarray(c)), x).sum())(np.eye(2))


def test_hooks_and_kept_gradients_work_inside():
    seen = []

    def step(c, x):
        c = c * x
        c.retain_grad()
        seen.append(c)
        return c, None

    x = tm.tensor(2.0, requires_grad=True)
    tm.scan(step, x, np.array([3.0, 5.0]))[0].backward()
    assert [s.grad.item() for s in seen] == [5.0, 1.0]
    assert x.grad.item() == 15.0


def test_an_anomaly_points_to_the_line_of_the_step():
    def step(c, x):
        return tm.log(c) + x, None

    with pytest.raises(tm.errors.AnomalyError) as caught, tm.inspect.detect_anomaly():
        tm.scan(step, tm.tensor(1.0, requires_grad=True), np.array([0.0, 1.0]))
    assert "tm.log(c)" in str(caught.value)

    compiled = tm.compile(lambda x: tm.scan(step, x, np.array([0.0, -2.0, 1.0]))[0])
    for f, op in ((compiled, "log made NaN"), (tm.compile(tm.grad(compiled)), "log made NaN")):
        with pytest.raises(tm.errors.AnomalyError, match=op) as caught, tm.inspect.detect_anomaly():
            f(1.5)
        assert "tm.log(c)" in str(caught.value)
        assert caught.value.__notes__ == ["in scan, step 2 of 3"]
    noisy = tm.compile(lambda x: tm.fori_loop(2, lambda i, c: tm.log(c) * tm.random.normal(), x))
    with pytest.raises(tm.errors.AnomalyError, match="log made"), tm.inspect.detect_anomaly():
        noisy(-1.0)


def test_only_the_carries_of_stretches_are_kept():
    import gc

    from tinygrad_math.core.tensor import Node

    def alive():
        gc.collect()
        return sum(getattr(o.data, "size", 0) == 1234 for o in gc.get_objects() if issubclass(type(o), Node))

    x, before = tm.tensor(np.ones(1234), requires_grad=True), 0
    counts = []
    for k in (None, 10):
        before = alive()
        y = tm.fori_loop(100, lambda i, c: tm.sin(c) * 1.1, x, checkpoint=k)
        counts.append(alive() - before)
        del y
    assert counts[0] >= 200
    assert counts[1] <= 30


# -- drawings and explanations -----------------------------------------------------------------------------
def test_a_drawing_has_one_box_for_a_loop():
    x = tm.tensor(0.5, requires_grad=True, name="x")
    w = tm.tensor(1.5, requires_grad=True, name="w")
    y = tm.fori_loop(50, lambda i, c: tm.sin(c * w), x) * 2
    text = tm.graph(y).text()
    lines = [line.split("  ")[0] for line in text.splitlines()]
    assert lines[:3] == ["n0 = leaf", "n1 = leaf", "n2 = fori_loop of 50 steps(n0, n1)"]
    assert lines[3:] == ["n3 = select(n2, index=0)", "n4 = multiply(n3, 2)"]
    y.backward()
    assert w.grad.item() == pytest.approx(float(text.splitlines()[1].split("grad ")[1]), rel=1e-3)
    drawing = tm.graph(lambda: tm.while_loop(lambda c: c < 5, lambda c: c + 1, 0.0))
    assert "while_loop of 5 steps" in drawing.svg()
    nested = tm.graph(tm.fori_loop(3, lambda i, c: tm.fori_loop(2, lambda j, d: d * w, c), x))
    assert "fori_loop of 3 steps(n0, n1)" in nested.text()


def test_an_explanation_goes_through_the_steps():
    x = tm.tensor(0.5, requires_grad=True, name="x")
    y = tm.scan(lambda c, _: (tm.sin(c) * c, None), x, length=2)[0]
    told = tm.explain(y, x).text()
    assert "sin" in told
    assert "scan_results" not in told
    f = tm.compile(lambda x: tm.scan(lambda c, _: (tm.sin(c) * c, None), x, length=3)[0])
    f(0.5)
    assert "scan_loop_step(carry: float64)" in str(f.program)


def test_a_loop_keeps_the_pattern_of_its_steps():
    f = lambda x: tm.scan(lambda c, _: (tm.sin(c) * x, None), x, length=3)[0]  # noqa: E731
    np.testing.assert_array_equal(tm.curvature.sparsity(f, np.ones(3)).toarray(), np.eye(3, dtype=bool))


# -- random programs --------------------------------------------------------------------------------------
def random_step(rng):
    """A step on a carry (a: vector, b: number) and a row, of random ops."""
    unary = [tm.sin, tm.tanh, lambda v: v * 0.5, tm.special.expit, lambda v: tm.exp(-v * v), lambda v: v[::-1] * 1.0]
    plan = [
        (rng.integers(4), rng.integers(len(unary)), rng.integers(3), rng.integers(3)) for _ in range(rng.integers(2, 7))
    ]
    keep = rng.integers(3)

    def step(w, carry, x, i):
        a, b = carry
        pool = [a, x * b, w @ a]
        for kind, u, p, q in plan:
            v = pool[p]
            if kind == 0:
                v = unary[u](v)
            elif kind == 1:
                v = v * tm.tanh(pool[q])
            elif kind == 2:
                v = tm.where(v > pool[q], v, pool[q] * 0.5)
            else:
                v = v + pool[q] * (i + 1) * 0.1
            pool[(p + 1) % 3] = v
        b = tm.sin(b + pool[keep].sum() * 0.1)
        return (tm.tanh(pool[(keep + 1) % 3]) + 0.1 * w[0], b), {"y": pool[keep] * b, "s": b * x.sum()}

    return step


@pytest.mark.parametrize("seed", range(8))
def test_random_programs(seed):
    rng = np.random.default_rng(seed)
    step = random_step(rng)
    n = int(rng.integers(2, 6))
    w, a, xs = rng.normal(size=(3, 3)) * 0.5, rng.normal(size=3), rng.normal(size=(n, 3))
    options = [{}, {"reverse": True}, {"checkpoint": 2}][seed % 3]

    def total(carry, ys):
        return (carry[0] ** 2).sum() + carry[1] + (ys["y"] * tm.cos(ys["y"])).sum() + (ys["s"] ** 2).sum()

    def scanned(w, a, xs):
        def f(carry, row):
            x, i = row
            return step(w, carry, x, i)

        return total(*tm.scan(f, (a, 0.3), (xs, np.arange(n)), **options))

    def plain(w, a, xs):
        carry, ys = (a, tm.tensor(0.3)), {}
        order = reversed(range(n)) if options.get("reverse") else range(n)
        for t in order:
            carry, ys[t] = step(w, carry, xs[t], np.int64(t))
        return total(carry, {k: tm.stack([ys[t][k] for t in range(n)]) for k in "ys"})

    args = w, a, tm.tensor(xs)
    v = tuple(rng.normal(size=np.shape(z)) for z in args)
    want = plain(*args), tm.grad(plain, (0, 1, 2))(*args), tm.hvp(plain, args, v), tm.jvp(plain, args, v)
    for wrap in (lambda f: f, tm.compile):
        got = wrap(scanned)(*args), wrap(tm.grad(scanned, (0, 1, 2)))(*args)
        got += wrap(lambda a, v: tm.hvp(scanned, a, v))(args, v), wrap(lambda a, v: tm.jvp(scanned, a, v))(args, v)
        close(got, want, rtol=1e-9, atol=1e-10)
        many = wrap(tm.vmap(tm.grad(scanned), in_axes=(None, 0, None)))(w, np.stack([a, -a]), xs)
        close(many, tm.stack([tm.grad(plain)(w, z, args[2]) for z in (a, -a)]), rtol=1e-9, atol=1e-10)


def test_threads_share_a_compiled_loop():
    from concurrent.futures import ThreadPoolExecutor

    f = tm.compile(tm.grad(by_scan))
    starts = RNG.normal(size=(40, 3))
    want = [tm.grad(by_python)(PARAMS, h, XS) for h in starts]
    f(PARAMS, H0, XS)
    with ThreadPoolExecutor(4) as pool:
        close(list(pool.map(lambda h: f(PARAMS, h, XS), starts)), want)


def test_a_compiled_loop_can_be_written_down_as_source():
    text = tm.to_source(by_scan, PARAMS, H0, XS, order=1, argnums=1)
    scope = {}
    exec(text, scope)
    value, gradient = scope["by_scan"](W, B, H0, XS)
    close([value, gradient], [by_python(PARAMS, H0, XS), tm.grad(by_python, 1)(PARAMS, H0, XS)])
