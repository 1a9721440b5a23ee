"""Where values live: the workspace, what is returned, what may be overwritten, and how much memory a call takes."""

from __future__ import annotations

import copy
import itertools
import re
import tracemalloc

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.compiler import blocks
from tinygrad_math.compiler.blocks import LARGE
from tinygrad_math.compiler.packing import ALIGNMENT
from tinygrad_math.core.errors import ArgumentError, Donated

RNG = np.random.default_rng(0)


def network(params, x):
    for w, b in params[:-1]:
        x = tm.tanh(x @ w + b)
    w, b = params[-1]
    e = x @ w + b
    return tm.mean(e * e)


def params_of(*sizes):
    return [(RNG.normal(size=(n, m)) / n, np.zeros(m)) for n, m in itertools.pairwise(sizes)]


PARAMS, X = params_of(30, 50, 40, 20), RNG.normal(size=(200, 30))


def step(params, x):
    loss, g = tm.value_and_grad(network)(params, x)
    return loss, [(w - 0.1 * gw, b - 0.1 * gb) for (w, b), (gw, gb) in zip(params, g, strict=True)]


def test_the_next_call_does_not_overwrite_results():
    f = tm.compile(step)
    first = f(PARAMS, X)
    kept = [np.array(a.numpy()) for pair in first[1] for a in pair]
    f(PARAMS, 2.0 * X)
    f([(w + 1.0, b) for w, b in PARAMS], X)
    for a, b in zip(kept, [a for pair in first[1] for a in pair], strict=True):
        np.testing.assert_array_equal(a, b.numpy())


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x,
        lambda x: x.T,
        lambda x: (x[0], x.reshape(-1)),
        lambda x: (tm.exp(x), tm.exp(x).T, tm.exp(x)),
        lambda x: tm.tensor(np.ones(3)) + 0.0 * x[0],
        lambda x: tm.broadcast_to(tm.sum(x, axis=0), x.shape),
    ],
)
def test_results_share_memory_with_nothing(f):
    x = RNG.normal(size=(3, 3))
    g = tm.compile(f)
    flat = [t.node.data for t in tm_leaves(g(x))]
    again = [t.node.data for t in tm_leaves(g(x))]
    for a, b in itertools.combinations([x, *flat, *again], 2):
        assert not np.shares_memory(a, b)
    for a, b in zip(flat, tm_leaves(f(tm.tensor(x))), strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def tm_leaves(tree):
    from tinygrad_math.core.tree import flatten

    return flatten(tree)[0]


def test_arguments_are_never_written_unless_they_are_donated():
    copies = [(w.copy(), b.copy()) for w, b in PARAMS]
    tm.compile(step)(PARAMS, X)
    for (w, b), (v, c) in zip(PARAMS, copies, strict=True):
        np.testing.assert_array_equal(w, v)
        np.testing.assert_array_equal(b, c)


def test_donated_parameters_are_updated_in_place():
    mine = [(w.copy(), b.copy()) for w, b in PARAMS]
    expected = step(PARAMS, X)[1]
    f = tm.compile(step, donate_argnums=0)
    _, new = f(mine, X)
    for (w, b), (v, c), (ew, eb) in zip(mine, new, expected, strict=True):
        assert v.node.data is w
        assert c.node.data is b
        np.testing.assert_allclose(w, ew.numpy(), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(b, eb.numpy(), rtol=1e-12, atol=1e-15)
    where = mine[0][0].ctypes.data
    del mine, w, b, v, c  # whose memory is nobody else's now
    for _ in range(3):
        _, new = f(new, X)
    assert new[0][0].node.data.ctypes.data == where


def test_a_donated_argument_that_is_still_needed_is_not_overwritten_too_early():
    f = tm.compile(lambda a, b: (a + 1.0, a * b, b - a), donate_argnums=(0, 1))
    a, b = RNG.normal(size=(2, 50))
    expected = a + 1.0, a * b, b - a
    for got, want in zip(f(a.copy(), b.copy()), expected, strict=True):
        np.testing.assert_array_equal(got.numpy(), want)
    swap = tm.compile(lambda a, b: (b, a, a @ b), donate_argnums=(0, 1))
    for got, want in zip(swap(a.copy(), b.copy()), (b, a, a @ b), strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-14)
    turn = tm.compile(lambda m: (m.T + m, m @ m), donate_argnums=0)
    m = RNG.normal(size=(5, 5))
    for got, want in zip(turn(m.copy()), (m.T + m, m @ m), strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-14)


def test_what_cannot_be_donated_raises():
    f = tm.compile(lambda a, b: (a + 1.0, b + 1.0), donate_argnums=0)
    a = np.ones(3)
    with pytest.raises(ArgumentError, match="also passed"):
        f(a, a)
    a.flags.writeable = False
    with pytest.raises(ArgumentError, match="read-only"):
        f(a, np.ones(3))


def test_a_donated_value_that_a_derivative_needs_is_not_overwritten():
    f = tm.compile(lambda a: a + 1.0, donate_argnums=0)
    c = tm.tensor(np.ones(3))
    x = tm.tensor(2.0, requires_grad=True)
    for _ in range(3):
        y = tm.sum(x * c)
        f(c)
        y.backward()
    assert x.grad.item() == 9.0


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("keep", ["itself", "a dict", "a list"])
def test_a_donated_tensor_that_is_still_held_says_so_and_shows_no_other_values(backend, keep):
    into = {"itself": lambda w: w, "a dict": lambda w: {"w": w}, "a list": lambda w: [[w]]}[keep]
    out = {"itself": lambda p: p, "a dict": lambda p: p["w"], "a list": lambda p: p[0][0]}[keep]

    def update(p, x):
        return out(p) - 0.1 * x * out(p)

    f, kept, w = tm.compile(update, donate_argnums=0, backend=backend), [], tm.tensor(np.ones(2))
    for k in range(4):
        kept.append(into(w))
        del w
        w = f(kept[-1], float(k))
    np.testing.assert_allclose(w.numpy(), 0.9 * 0.8 * 0.7 * np.ones(2), rtol=1e-14)
    for old in map(out, kept):
        assert repr(old).startswith("tensor<donated as p")
        uses = (
            lambda x: x + 1.0, lambda x: 1.0 + x, tm.sin, np.sin, lambda x: x[0], lambda x: x.numpy(), tm.grad(tm.sum),
            lambda x: x.shape, lambda x: x.copy(), lambda x: f(into(x), 1.0), lambda x: x.__setitem__(0, 1.0),
            tm.tensor, lambda x: x.requires_grad_(), lambda x: copy.deepcopy(x), lambda x: x.data,
        )  # fmt: skip
        for use in uses:
            with pytest.raises(Donated, match=r"donated as p.* to the compiled update.*copy"):
                use(old)


def test_a_tensor_keeps_its_values_where_its_memory_was_not_taken():
    w = tm.tensor(np.ones(3))
    f = tm.compile(lambda p, x: (p * 2.0 * x, p - w * x), donate_argnums=0)  # w is also what f reads around itself
    for x in (3.0, 4.0):
        double, less = f(w, x)
        assert (double.tolist(), less.tolist(), w.tolist()) == ([2.0 * x] * 3, [1.0 - x] * 3, [1.0] * 3)
    g = tm.compile(lambda p: p * 2.0, donate_argnums=0)
    for other in (w.detach(), w.reshape(3, 1), copy.copy(w), w[1:]):
        g(w)
        assert w.tolist() == [1.0] * 3
        assert (other.numpy() == 1.0).all()
    g.profile(w)
    assert w.tolist() == [1.0] * 3
    with pytest.raises(ArgumentError, match="also passed"):
        tm.compile(lambda p, x: p - x, donate_argnums=0)(w, w)
    assert w.tolist() == [1.0] * 3
    x = tm.tensor(np.ones(3), requires_grad=True)
    y = g(x)  # what is differentiated runs as it is
    y.sum().backward()
    assert (x.tolist(), x.grad.tolist()) == ([1.0] * 3, [2.0] * 3)


def test_buffers_are_within_a_tenth_of_the_live_minimum():
    for f, args in (
        (step, (PARAMS, X)),
        (tm.grad(network), (PARAMS, X)),
        (lambda p, x: tm.jvp(lambda p: tm.grad(network)(p, x), (p,), (p,))[1], (PARAMS, X)),
    ):
        g = tm.compile(f)
        g(*args)
        plan = g.latest.plan
        assert plan.live_minimum > 100_000
        assert plan.size <= 1.1 * plan.live_minimum


def test_values_that_live_together_never_overlap():
    g = tm.compile(step)
    g(PARAMS, X)
    plan, body = g.latest.plan, g.program.body
    first = {v: k for k, v in enumerate(body)}
    roots = [v for v in body if plan.root[v] is v and plan.kind[v] == "buffer"]
    for a, b in itertools.combinations(roots, 2):
        apart = plan.offset[a] + a.nbytes <= plan.offset[b] or plan.offset[b] + b.nbytes <= plan.offset[a]
        times = first[b] > plan.last[a] or first[a] > plan.last[b]
        over = (first[b] == plan.last[a] and plan.shared.get(b) is not None) or (
            first[a] == plan.last[b] and plan.shared.get(a) is not None
        )
        assert apart or times or over
    assert all(
        plan.offset[v] % 16 == 0 and (v.nbytes < 16 * ALIGNMENT or plan.offset[v] % ALIGNMENT == 0) for v in roots
    )


def test_a_call_takes_no_more_memory_than_its_workspace_and_results():
    big, x = params_of(100, 300, 200, 10), RNG.normal(size=(500, 100))
    f = tm.compile(step)
    f(big, x)
    f.latest.pool.clear()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    out = f(big, x)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    results = sum(a.node.data.nbytes for a in tm_leaves(out))
    assert peak <= 1.1 * (f.latest.plan.live_minimum + results)


ROW, COLUMN, TURNED = RNG.normal(size=30), RNG.normal(size=(200, 1)), np.asfortranarray(RNG.normal(size=(200, 30)))


@pytest.mark.parametrize("other", [ROW, COLUMN, TURNED])
@pytest.mark.parametrize("f", [tm.add, tm.subtract, tm.divide, lambda a, b: tm.arctan2(b, a)])
def test_an_argument_that_lies_otherwise_is_copied_over_the_result_first(f, other):
    def g(x, other):
        e = tm.exp(x)
        y = f(e, other)
        return tm.sum(tm.sin(y) * y * (x + 1.0) * tm.cos(x))

    compiled = tm.compile(g)
    want = tm.sum(g(X, other))
    np.testing.assert_allclose(compiled(X, other).numpy(), want.numpy(), rtol=1e-12)
    (line,) = (line for line in compiled.source.splitlines() if "[...] = other;" in line)
    out = line.split("[...]")[0].strip()
    assert re.search(rf"\(({out}, t_exp|t_exp, {out}), {out}\)", line)
    assert compiled.latest.plan.size <= 1.1 * compiled.latest.plan.live_minimum
    slope = tm.grad(g)(X, other).numpy()
    got = tm.compile(tm.grad(g))(X, other).numpy()
    np.testing.assert_allclose(got, slope, rtol=1e-12, atol=1e-12 * np.abs(slope).max())


@pytest.mark.parametrize("other", [ROW, COLUMN, TURNED])
def test_so_it_is_over_a_result_that_is_returned_in_memory_of_its_own(other):
    compiled = tm.compile(lambda x, other: x / other)
    first, second = compiled(X, other), compiled(2 * X, other)
    assert re.search(r"(\w+) = empty\(\(200, 30\)\); \1\[...\] = other; divide\(x, \1, \1\)", compiled.source)
    assert compiled.latest.plan.size == 0
    np.testing.assert_array_equal(first.numpy(), X / other)
    np.testing.assert_array_equal(second.numpy(), 2 * X / other)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tm.sum(tm.sin(tm.exp(x) + ROW)),  # a second buffer would double the workspace
        lambda x: tm.sum(tm.sin(tm.exp(x) + 1.0) * tm.exp(x) * tm.cos(x)),  # numbers are met by one loop as they are
        lambda x: tm.sum(tm.sin(tm.exp(x) + ROW.astype("f4")) * tm.exp(x) * tm.cos(x)),  # of another dtype
        lambda x: tm.sum(tm.sin(tm.exp(x[:, :1]) + ROW[None]) * tm.cos(x)),  # both are spread
    ],
)
def test_nothing_is_copied_where_that_takes_memory_or_time(f):
    g = tm.compile(f)
    np.testing.assert_allclose(g(X).numpy(), f(tm.tensor(X)).numpy(), rtol=1e-12)
    assert not g.latest.plan.spread
    assert "[...]" not in g.source


def test_large_rows_are_not_copied():
    row, x = RNG.normal(size=500), RNG.normal(size=(500, 500))
    f = tm.compile(lambda x: tm.sum(tm.sin(tm.exp(x).T @ x + row) * (x @ tm.exp(x))))
    f(x)
    assert not f.latest.plan.spread


# -- blocks -------------------------------------------------------------------------------------------------
N = 3 * LARGE + 17


def chained(x, y):
    e = tm.exp(-x * x)
    s = tm.sin(e) * y
    return tm.sum(s), s * e, tm.where(s > 0, s, e)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shape", [(N,), (N // 17, 17), (1, N)])
def test_large_elementwise_chains_run_in_blocks(shape, threads, monkeypatch):
    monkeypatch.setattr(blocks, "PER_THREAD", 1 << 19)
    x, y = (RNG.normal(size=int(np.prod(shape))).reshape(shape) for _ in range(2))
    f = tm.compile(chained, threads=threads)
    for a, b in ((x, y), (y, x), (x, np.asfortranarray(y)), (x[::-1], y)):
        for got, want in zip(f(a, b), chained(tm.tensor(a), tm.tensor(b)), strict=True):
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)
    assert "parallel(chain" in f.source


def test_warnings_of_numpy_stay_silent_in_a_program():
    f = tm.compile(lambda x: tm.log(x) / x, threads=2)
    assert np.isnan(f(np.zeros(3)).numpy()).all() or np.isinf(f(np.zeros(3)).numpy()).all()
    f(np.zeros(N))


# -- profile ------------------------------------------------------------------------------------------------
def test_a_profile_has_a_row_for_each_instruction_that_takes_time():
    f = tm.compile(step, donate_argnums=0)
    mine = [(w.copy(), b.copy()) for w, b in PARAMS]
    profile = f.profile(mine, X, repeat=5)
    products = [r for r in profile.rows if r.text == "matmul" and r.flops > 1e5]
    assert len(products) >= 7  # forward, and both gradients
    assert all(r.seconds > 0 and r.nbytes > 0 for r in profile.rows)
    assert profile.blas_rate > 1e8
    assert profile.bandwidth > 1e8
    assert profile.slowest().rows[0].seconds == max(r.seconds for r in profile.rows)
    assert "of limit" in str(profile)
    assert "matmul" in str(profile)
    assert len(f.program.profile(mine, X, repeat=2).rows) == len(profile.rows)
    blocks = tm.compile(chained).profile(np.ones(N), np.ones(N), repeat=2)
    assert any(r.text.startswith("chain of") for r in blocks.rows)


def test_buffers_start_at_a_cache_line():
    f = tm.compile(lambda x: tm.sin(tm.exp(x) @ x.T) @ x)
    f(X)
    (space,) = (line for line in f.source.splitlines() if "% 64" in line)
    scope = {"space": np.empty(1000, "uint8")}
    exec(space.strip(), scope)
    assert scope["space"].ctypes.data % ALIGNMENT == 0


def test_parts_of_a_concatenation_are_computed_in_place():
    def f(x):
        a, b = tm.exp(x), tm.sin(x)
        both = tm.concat([a, b], axis=0)
        c = tm.tanh(b)  # b is read again, after it has become a part
        return tm.sum(both * both) + tm.sum(a * c) + tm.sum(both[5:])

    g = tm.compile(f)
    for _ in range(2):
        np.testing.assert_allclose(g(X).numpy(), f(X).numpy(), rtol=1e-13)
    assert "side by side" in g.source
    assert "concatenate(" not in g.source
    for other in (
        lambda x: tm.sum(tm.exp(tm.concat([tm.exp(x), tm.exp(x)], axis=0))),  # one part twice
        lambda x: tm.sum(tm.exp(tm.concat([tm.exp(x), x], axis=0))),  # an argument
        lambda x: tm.sum(tm.exp(tm.concat([tm.exp(x), tm.sin(x)], axis=1))),  # rows would be torn apart
        lambda x: tm.concat([tm.exp(x), tm.sin(x)], axis=0),  # returned
        lambda x: tm.sum(tm.exp(tm.concat([tm.exp(x), tm.sin(x)], axis=None))),
    ):
        g = tm.compile(other)
        np.testing.assert_allclose(g(X).numpy(), other(X).numpy(), rtol=1e-13)
        assert "concatenate(" in g.source


def test_concatenations_inside_a_concatenation():
    def f(x):
        inner = tm.concat([tm.cos(x), tm.tanh(x)])
        return tm.sum(tm.sin(tm.concat([tm.exp(x), inner, tm.concat([inner, tm.exp(-x)])])) ** 2, axis=0)

    g = tm.compile(f)
    for x in (X, X[:, ::-1]):
        np.testing.assert_allclose(g(x).numpy(), f(x).numpy(), rtol=1e-13)


def test_donated_arguments_may_lie_otherwise_than_the_traced_ones():
    def f(a, b):
        flat = a.reshape(-1)  # a copy of a Fortran-ordered array, a view of another
        n = b * 2.0 + tm.sum(a)
        return n, tm.sum(flat * n.reshape(-1))

    def product(a, b, c):
        return b @ c, tm.sum(a)

    a, b, c = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2)), RNG.normal(size=(2, 3))
    for function, args in ((f, (a, a + 1.0)), (product, (a, b, c))):
        for first, second in itertools.permutations((np.ascontiguousarray, np.asfortranarray)):
            g = tm.compile(function, donate_argnums=0)
            for order in (first, second, first):
                got = g(order(args[0]).copy(order="K"), *args[1:])
                for x, want in zip(got, function(*map(tm.tensor, args)), strict=True):
                    np.testing.assert_allclose(x.numpy(), want.numpy(), rtol=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
def test_large_matrices_that_are_donated_are_written_over_block_by_block(order):
    def f(state, g):
        m = 0.9 * state["m"] + 0.1 * g
        return {"m": m, "w": state["w"] - m / (tm.sqrt(tm.abs(m)) + 1e-8)}

    def donated():
        return {"m": RNG.normal(size=(300, 400)).copy(order=order), "w": RNG.normal(size=(300, 400)).copy(order=order)}

    traced, g = {k: np.ascontiguousarray(v) for k, v in donated().items()}, RNG.normal(size=(300, 400))
    step = tm.compile(f, donate_argnums=0, threads=2)
    step(traced, g)
    assert step.latest.plan.chains
    given = donated()
    expected = f({k: tm.tensor(v) for k, v in given.items()}, g)
    result = step(given, g)
    for k in expected:
        np.testing.assert_allclose(result[k].numpy(), expected[k].numpy(), rtol=1e-14, atol=1e-300)
        assert (result[k].node.data is given[k]) == (order == "C")


def test_a_donated_array_that_somebody_looks_at_is_copied_in_the_order_of_the_program():
    w = np.asfortranarray(RNG.normal(size=(300, 400)))
    step = tm.compile(lambda p: [0.5 * p[0] * p[0]], donate_argnums=0)
    step([np.zeros((300, 400))])
    seen, before = w[:1], w.copy()
    np.testing.assert_array_equal(step([w])[0].numpy(), 0.5 * before * before)
    np.testing.assert_array_equal(w, before)
    np.testing.assert_array_equal(seen, before[:1])


def test_a_chain_does_not_overwrite_what_it_reads_in_another_order():
    def f(a, b):
        turned = tm.exp(a[::-1])
        n = b * 2.0 + 1.0
        return n, tm.sum(tm.tanh(turned) * n)

    a, b = RNG.normal(size=(2, 3 * LARGE + 1))
    g = tm.compile(f, donate_argnums=0, threads=1)
    for given in (a[::-1].copy()[::-1], a.copy()):  # a[::-1] of the first is contiguous, so that it may join a chain
        for x, want in zip(g(given, b), f(tm.tensor(a), tm.tensor(b)), strict=True):
            np.testing.assert_allclose(x.numpy(), want.numpy(), rtol=1e-12)


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_check_that_hands_its_argument_on_looks_at_the_values_of_every_call(backend):
    """It gives a view of a buffer, and yet is no view to be taken once."""
    if backend == "native":
        pytest.importorskip("llvmlite")

    def of(v):
        return tm.nn.functional.gaussian_nll_loss(np.ones(3), np.zeros(3), v * 2.0).reshape((1, 1))

    loss = tm.compile(of, backend=backend)
    assert loss(np.ones(3)).item() == pytest.approx((np.log(2) + 0.5) / 2)
    with pytest.raises(tm.errors.OutsideDomain, match="not negative, got -2"):
        loss(-np.ones(3))
    labels = np.random.default_rng(0).integers(0, 2, (3, 16))  # the sum of weights is checked, and is a buffer
    found = tm.compile(tm.vmap(tm.nn.functional.cross_entropy), backend=backend)(np.zeros((3, 16, 2)), labels)
    np.testing.assert_allclose(np.asarray(found), np.log(2), rtol=1e-14)


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_check_inside_a_loop_looks_at_every_step(backend):
    if backend == "native":
        pytest.importorskip("llvmlite")

    def fall(x):
        return tm.fori_loop(
            5, lambda k, v: v - 1.0 + 0 * tm.nn.functional.gaussian_nll_loss(v * 0, v * 0, v * 2.0, eps=1e-6), x
        )

    program = tm.compile(fall, backend=backend)
    assert program(np.full(3, 6.0)).tolist() == [1, 1, 1]
    with pytest.raises(tm.errors.OutsideDomain, match="not negative, got -1"):
        program(np.full(3, 2.5))
