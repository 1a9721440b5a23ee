"""Loops as programs: memory, what is computed once, random steps; and how loops are drawn, told of and written down."""

import numpy as np
import pytest
from pythons_loops import H0, PARAMS, XS, B, W, by_python, by_scan, close, loops_of, python_scan

import tinygrad_math as tm

RNG = np.random.default_rng(1)


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
