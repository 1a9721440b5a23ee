"""vmap: what it computes is what a Python loop over the examples computes, for every op, order and nesting."""

import dataclasses
import functools
import itertools
import random
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import each
from test_compiler_every_op import chosen

import tinygrad_math as tm
from tinygrad_math.core.errors import TraceError
from tinygrad_math.core.op import registry
from tinygrad_math.core.tensor import as_tensor, record
from tinygrad_math.transforms import matrices, tracing
from tinygrad_math.transforms.batching import forward, rules, trace
from tinygrad_math.transforms.batching.trace import Recording

_ = (tm.linalg, tm.fft, tm.special, tm.random, tm.stats, tm.nn)  # rooms with further ops

# what runs example by example: what NumPy, SciPy or LAPACK do for one array at a time, or what is seldom used
ONE_BY_ONE = {
    "allclose", "argwhere", "array_equal", "array_equiv", "band_matmul", "band_outer", "bin_edges", "bincount",
    "convolve", "dct", "det_factored", "digitize", "distinct", "dst", "flatnonzero", "isin", "lexsort",
    "nonzero", "normal_below", "null_space", "on_simplex", "orth", "quantile_weights", "rivals", "searchsorted",
    "shares", "solve_banded", "solve_factored", "weighted_bincount", "weighted_quantile", "weighted_shares", "winners",
}  # fmt: skip


def _operands(op, sample):
    arrays, params = (tuple(sample.args), dict(op.defaults))
    if op.array_names:
        arrays, params = op.bind(tuple(sample.args), dict(sample.params))
    return (tuple(arrays[0]) if op.arity is None else arrays), params


def _batch(array):
    """Three examples: the sample's own array, reversed where that is as good an argument, and the array again."""
    a = np.asarray(array)
    return np.stack([a, a[::-1] if a.ndim == 1 and a.dtype.kind in "fc" else a, a])


def _cases():
    found = []
    for name, op in sorted(registry.items()):
        if op.samples is not None and name != "select":
            found.append(op)
    return found


@each("op", _cases(), parts=16)
def test_a_batch_is_what_a_loop_over_its_examples_gives(op):
    for sample in op.samples():
        arrays, params = _operands(op, sample)
        own = None
        for moving in itertools.product([False, True], repeat=len(arrays)):
            if not any(moving) or (len(arrays) > 3 and sum(moving) not in (1, len(arrays))):
                continue
            masks = op.name in ("gather", "scatter", "assign", "add_at", "multiply_at")
            if masks and any(m and np.asarray(a).dtype == bool for a, m in zip(arrays, moving, strict=True)):
                continue  # of differing size
            batches = [as_tensor(_batch(a)) for a, m in zip(arrays, moving, strict=True) if m]

            def run(values, arrays=arrays, moving=moving, params=params):
                rest = iter(values)
                out = record(op, tuple(next(rest) if m else a for a, m in zip(arrays, moving, strict=True)), params)
                return list(out) if op.many else [out]

            try:
                own = own or run([b[0] for b in batches])  # the sample itself, whatever moves
                wanted = [own, run([b[1] for b in batches]), own]
            except tm.MathError:  # reversed, it is outside of the domain
                continue
            found = Recording(run, batches, "test").run(batches, 3)
            for k, (y, differs) in enumerate(found):
                want = np.stack([np.asarray(row[k].node.data) for row in wanted])
                got = np.asarray(y.node.data)
                got = got if differs else np.broadcast_to(got, want.shape)
                assert (got.shape, got.dtype) == (want.shape, want.dtype)
                np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def _pushed_cases():
    return [op for op in _cases() if op.mechanical and op.jvp is op.mechanical]


@each("op", _pushed_cases(), parts=16)
def test_many_tangents_at_once_are_those_of_each_by_itself(op):
    _are_those_of_each(op, [op.samples()[k] for k in chosen(op)])


@pytest.mark.long
@each("op", _pushed_cases(), parts=16)
def test_many_tangents_at_once_are_those_of_each_by_itself_on_every_sample(op):
    _are_those_of_each(op, op.samples())


def _are_those_of_each(op, samples):
    """By the walk with the batch in front: along all arguments, and along each."""
    rng = np.random.default_rng(0)
    for sample in samples:
        arrays, params = _operands(op, sample)
        real = [k for k, a in enumerate(arrays) if np.asarray(a).dtype.kind == "f"]
        for places in {tuple(real)} | {(k,) for k in real}:

            def f(*xs, arrays=arrays, places=places, params=params):
                given = dict(zip(places, xs, strict=True))
                return record(op, tuple(given.get(k, a) for k, a in enumerate(arrays)), params)

            tape = tracing.Tape(f, [arrays[k] for k in places], "test")
            if not (places and forward.Pushing.suits(tape.trail)):
                continue
            rows = [rng.normal(size=(3, *np.shape(n.data))).astype(n.data.dtype) for n in tape.inputs]
            try:
                wanted = [tape.push([r[b] for r in rows])[0].numpy() for b in range(3)]
            except tm.MathError:
                continue
            walk = forward.Pushing(tape.trail, tape.inputs, [tape.outputs[0].node], "test")
            for size in (3, 0):
                ((y, differs),) = walk.run([as_tensor(r[:size]) for r in rows], size)
                want = np.stack(wanted)[:size]
                got = y.numpy() if differs else np.broadcast_to(y.numpy(), want.shape)
                assert (got.shape, got.dtype) == (want.shape, want.dtype)
                np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def test_every_op_has_a_rule_or_stands_among_those_that_run_one_by_one():
    ours = {n: op for n, op in registry.items() if n != "select" and op.home["__name__"].startswith("tinygrad_math.")}
    without = {name for name, op in ours.items() if rules.rule_of(op) is rules.one_by_one}
    assert without == ONE_BY_ONE


# -- programs ---------------------------------------------------------------------------------------------
_STEPS = [
    lambda x, w: tm.tanh(x) * w[0],
    lambda x, w: x @ x.T @ x / 10,
    lambda x, w: x + w,
    lambda x, w: tm.where(x > 0.1, x * x, tm.sin(x)),
    lambda x, w: x.at[1].set(w[:3].sum() * x[0]),
    lambda x, w: tm.special.softmax(x, axis=-1) - x.mean(axis=0),
    lambda x, w: tm.cumsum(x, axis=0)[::-1],
    lambda x, w: x.reshape(-1)[np.array([3, 1, 0, 2, 5, 4, 3, 8, 7, 6, 2, 1])].reshape(4, 3),
    lambda x, w: tm.concatenate([x[2:], x[:2] * w[1]]),
    lambda x, w: tm.linalg.solve(x.T @ x + 3 * np.eye(3), x.T).T,
    lambda x, w: tm.einsum("ij,j,kj->ki", x, w, x)[:, :3] / 5,
    lambda x, w: tm.special.logsumexp(x, axis=1, keepdims=True) * x,
    lambda x, w: tm.sort(x, axis=0) + tm.max(x, axis=1)[:, None],
    lambda x, w: x / (1 + tm.linalg.norm(x)),
    lambda x, w: tm.vmap(lambda row, s: row * s.sum(), in_axes=(0, None))(x, w),
    lambda x, w: x + tm.grad(lambda z: (tm.sin(z) * w).sum())(x),
]


def _program(seed):
    rng = np.random.default_rng(seed)
    chosen = [_STEPS[k] for k in rng.integers(len(_STEPS), size=rng.integers(1, 5))]

    def f(x, w):
        for step in chosen:
            x = step(x, w)
        return (x * x).mean() + tm.sin(x).sum()

    return f, rng.uniform(-1, 1, (3, 4, 3)), rng.uniform(-1, 1, 3), rng.uniform(-1, 1, (3, 4, 3))


def _check_program(seed):
    f, xs, w, vs = _program(seed)
    mapped = tm.vmap(f, in_axes=(0, None))
    close = functools.partial(np.testing.assert_allclose, rtol=1e-8, atol=1e-9)
    close(mapped(xs, w).numpy(), [f(tm.tensor(x), tm.tensor(w)).item() for x in xs])
    gradient = tm.grad(f, argnums=(0, 1))
    got, want = tm.vmap(gradient, in_axes=(0, None))(xs, w), [gradient(x, w) for x in xs]
    for k in range(2):
        close(got[k].numpy(), [g[k].numpy() for g in want])
    outside = tm.grad(lambda x, w: mapped(x, w).sum(), argnums=(0, 1))(xs, w)
    close(outside[0].numpy(), [g[0].numpy() for g in want])
    close(outside[1].numpy(), np.sum([g[1].numpy() for g in want], axis=0))

    def product(x, v):
        return tm.hvp(lambda x: f(x, tm.tensor(w)), x, v)

    products = [product(x, v).numpy() for x, v in zip(xs, vs, strict=True)]
    close(tm.vmap(product)(xs, vs).numpy(), products)
    close(tm.compile(tm.vmap(product))(xs, vs).numpy(), products)
    close(tm.compile(mapped)(xs, w).numpy(), mapped(xs, w).numpy())


@pytest.mark.parametrize("seed", range(25))
def test_random_programs_are_mapped_as_by_a_loop(seed):
    _check_program(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25, 500))
def test_many_random_programs_are_mapped_as_by_a_loop(seed):
    _check_program(seed)


# -- axes, trees, modules ---------------------------------------------------------------------------------
X = np.random.default_rng(0).normal(size=(4, 3))


def test_axes_are_those_of_each_argument_and_result():
    def f(a, b):
        return (a * b, a.sum())

    y, s = tm.vmap(f, in_axes=(1, None), out_axes=(-1, 0))(X, np.arange(4.0))
    np.testing.assert_allclose(y.numpy(), X * np.arange(4.0)[:, None])
    np.testing.assert_allclose(s.numpy(), X.sum(0))


def test_an_example_picks_its_row_of_an_array_that_all_share():
    rows, table = np.array([2, 0, 2]), np.arange(12.0).reshape(4, 3)
    picked = tm.vmap(lambda i, x: x[i], in_axes=(0, None))
    np.testing.assert_array_equal(picked(rows, table).numpy(), table[rows])
    share = tm.grad(lambda x: (picked(rows, x) ** 2).sum())(table)
    np.testing.assert_allclose(share.numpy(), 2 * table * np.array([1.0, 0.0, 2.0, 0.0])[:, None])


def test_a_tree_of_axes_may_end_above_the_leaves():
    params = {"w": np.ones((2, 3)), "b": [np.arange(4.0), 2.0]}
    y = tm.vmap(lambda p, x: (p["w"] @ x).sum() + p["b"][0] * p["b"][1], in_axes=({"w": None, "b": (0, None)}, 0))(
        params, X
    )
    np.testing.assert_allclose(y.numpy(), 2 * X.sum(1) + np.arange(4.0) * 2)


@dataclasses.dataclass
class Line:
    slope: object
    offset: object


def test_a_tree_of_axes_is_made_of_the_containers_of_the_argument():
    lines = Line(X, X[0])
    for axes in (Line(0, None), {"offset": None, "slope": 0}):
        y = tm.vmap(lambda d: d.slope * d.offset, in_axes=(axes,))(lines)
        np.testing.assert_allclose(y.numpy(), X * X[0])
    turned = tm.vmap(lambda x: Line(x, x.sum()), out_axes=Line(1, 0))(X)
    np.testing.assert_allclose(turned.slope.numpy(), X.T)
    np.testing.assert_allclose(turned.offset.numpy(), X.sum(1))


def test_keyword_arguments_lie_along_the_first_axis():
    np.testing.assert_allclose(tm.vmap(lambda x, *, s: x * s)(X, s=np.arange(4.0)).numpy(), X * np.arange(4.0)[:, None])


def test_gradients_of_a_module_come_by_example_and_as_a_module():
    net = tm.nn.Sequential(tm.nn.Linear(3, 5, rng=0), tm.nn.Tanh(), tm.nn.Linear(5, 2, rng=1))
    labels = np.array([0, 1, 1, 0])

    def loss(net, x, y):
        return tm.nn.functional.cross_entropy(net(x[None]), y[None])

    each = tm.vmap(tm.grad(loss), in_axes=(None, 0, 0))(net, X, labels)
    whole = tm.grad(lambda net: tm.nn.functional.cross_entropy(net(X), labels))(net)
    for per, total in zip(each.parameters(), whole.parameters(), strict=True):
        np.testing.assert_allclose(per.detach().numpy().mean(0), total.detach().numpy(), atol=1e-12)


def test_what_the_function_closes_over_is_shared_and_differentiated():
    w = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    tm.vmap(lambda x: (x * w).sum())(X).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), X.sum(0))


def test_nested_maps_are_an_outer_product():
    table = tm.vmap(tm.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))(
        np.arange(3.0), np.arange(1.0, 3.0)
    )
    np.testing.assert_array_equal(table.numpy(), np.outer(np.arange(3.0), [1.0, 2.0]))


def test_a_result_without_examples_is_repeated_or_alone():
    assert tm.vmap(lambda x: tm.ones(2))(X).shape == (4, 2)
    assert tm.vmap(lambda x: (x, 3.0), out_axes=(0, None))(X)[1] == 3.0


def test_chunks_and_no_examples_change_no_shape():
    def f(x):
        return tm.sin(x).sum()

    np.testing.assert_allclose(tm.vmap(f, chunk_size=3)(X).numpy(), np.sin(X).sum(1))
    assert tm.vmap(f)(np.zeros((0, 3))).shape == (0,)
    assert tm.vmap(lambda x: tm.linalg.eigh(x)[1])(np.zeros((0, 3, 3))).shape == (0, 3, 3)


def test_the_function_is_called_once():
    calls = []
    tm.vmap(lambda x: calls.append(1) or x, chunk_size=1)(X)
    assert calls == [1]


def test_a_batch_of_float32_stays_one():
    assert tm.vmap(lambda x: x * 2 + 1)(X.astype(np.float32)).dtype == np.float32


# -- in Python --------------------------------------------------------------------------------------------
def test_assignment_no_grad_and_numpy_functions_inside_mean_what_they_mean_outside():
    def f(x):
        y = x.copy()
        y[0] = np.sin(x[1]) * 2
        y *= x
        with tm.no_grad():
            scale = (x * x).sum()
        return (y * scale).sum()

    want = [tm.grad(f)(x).numpy() for x in X]
    np.testing.assert_allclose(tm.vmap(tm.grad(f))(X).numpy(), want)


def test_checkpoint_and_primitives_are_mapped():
    @tm.primitive
    def softabs(x):
        return np.sqrt(x * x + 1e-3)

    softabs.defvjp(lambda g, y, x: g * x / y)
    y = tm.vmap(tm.grad(lambda x: softabs(x).sum()))(X)
    np.testing.assert_allclose(y.numpy(), X / np.sqrt(X * X + 1e-3))

    def f(x):
        return (tm.sin(x) * x).sum()

    np.testing.assert_allclose(tm.vmap(tm.grad(tm.checkpoint(f)))(X).numpy(), tm.vmap(tm.grad(f))(X).numpy())


def test_fixed_points_are_found_for_each_example():
    root = tm.implicit.fixed_point(lambda x, a: 0.5 * (x + a / x))
    a = np.array([4.0, 9.0])
    np.testing.assert_allclose(tm.vmap(lambda a: root(1.0, a))(a).numpy(), [2.0, 3.0])
    np.testing.assert_allclose(tm.vmap(tm.grad(tm.grad(lambda a: root(1.0, a))))(a).numpy(), -0.25 * a**-1.5)


@pytest.mark.parametrize(
    "f",
    [lambda x: x if x.sum() > 0 else -x, lambda x: x[x > 0], lambda x: float(x[0]), lambda x: tm.nonzero(x)[0]],
    ids=["if", "mask", "float", "nonzero"],
)
def test_what_hangs_on_an_examples_values_is_refused_with_the_line(f):
    with pytest.raises(tm.TraceError, match=r"test_vmap\.py"):
        tm.vmap(f)(X)


@pytest.mark.parametrize(
    "f",
    [lambda x, i: x[i:], lambda x, i: tm.zeros((i, 2)), lambda x, i: tm.roll(x, i), lambda x, i: tm.sum(x, axis=i)],
    ids=["slice", "shape", "parameter", "axis"],
)
@pytest.mark.parametrize("transform", [tm.vmap, tm.compile])
def test_what_has_to_be_one_number_is_refused_as_unknown(transform, f):
    x, i = (X, np.arange(4)) if transform is tm.vmap else (X[0], np.int64(1))
    with pytest.raises(tm.TraceError, match=r"asks for a value(.|\n)*test_vmap\.py"):
        transform(f)(x, i)


def test_an_exception_leaves_nothing_behind():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tm.vmap(f)(X)
    x = tm.tensor(2.0, requires_grad=True)
    (x * x).backward()
    assert x.grad.item() == 4.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tm.vmap(lambda x, y: x)(np.ones(3), np.ones(2)), "ShapeError", "argument 0: 3, argument 1: 2"),
        (lambda: tm.vmap(lambda x: x)(3.0), "AxisError", "no axis 0"),
        (lambda: tm.vmap(lambda x: x, in_axes=(0, 0))(X), "ArgumentError", "names 2 axes"),
        (lambda: tm.vmap(lambda x: x, in_axes=None)(X), "ArgumentError", "None for all"),
        (lambda: tm.vmap(lambda x: x, out_axes=None)(X), "ArgumentError", "out_axes is None"),
        (lambda: tm.vmap(lambda x: x, in_axes=5)(X), "AxisError", "no axis 5"),
        (lambda: tm.vmap(lambda x: x, out_axes=5)(X), "AxisError", "no axis 5"),
        (lambda: tm.vmap(lambda x: x, in_axes="a")(X), "ArgumentError", "an int or None"),
        (lambda: tm.vmap(lambda x: x, chunk_size=0)(X), "ArgumentError", "from 1"),
        (lambda: tm.vmap(lambda x: x, randomness="some")(X), "ArgumentError", "different"),
        (lambda: tm.vmap(lambda p: p["a"], in_axes=({"b": 0},))({"a": X}), "ArgumentError", "does not fit"),
        (lambda: tm.vmap(lambda x: x.register_hook(print))(X), "TraceError", "register_hook"),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(getattr(tm, error), match=message):
        call()


# -- random numbers ---------------------------------------------------------------------------------------
def test_random_draws_differ_between_examples_unless_asked_otherwise():
    rng = tm.random.default_rng(0)

    def f(x):
        return x + rng.normal(size=2)

    y = tm.vmap(f)(np.zeros((3, 2))).numpy()
    assert len(np.unique(y)) == 6
    same = tm.vmap(f, randomness="same")(np.zeros((3, 2))).numpy()
    assert (same == same[0]).all()
    nested = tm.vmap(tm.vmap(f))(np.zeros((2, 3, 2))).numpy()
    assert len(np.unique(nested)) == 12


def test_draws_have_each_examples_parameters():
    rng = tm.random.default_rng(0)
    means = np.array([0.0, 100.0, 10_000.0])
    y = tm.vmap(lambda m: rng.poisson(m, size=500).mean())(means).numpy()
    np.testing.assert_allclose(y, means, rtol=0.02)
    assert sorted(tm.vmap(lambda x: rng.permutation(5))(means).numpy()[1].tolist()) == [0, 1, 2, 3, 4]


def test_a_compiled_map_draws_anew_at_each_call():
    rng = tm.random.default_rng(0)
    f = tm.compile(tm.vmap(lambda x: x + rng.normal(size=2)))
    a, b = f(np.zeros((3, 2))).numpy(), f(np.zeros((3, 2))).numpy()
    assert len(np.unique([a, b])) == 12
    assert np.array_equal(a, tm.random.default_rng(0).normal(size=(3, 2)).numpy())


# -- Jacobians and Hessians in one walk --------------------------------------------------------------------
def test_a_hessian_of_many_numbers_is_one_forward_walk(monkeypatch):
    def rosenbrock(x):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    import scipy.optimize

    x = np.linspace(-1, 1, 40)
    runs = []
    walk = forward.Pushing
    run = walk.run
    monkeypatch.setattr(walk, "run", lambda self, seeds, size: runs.append(size) or run(self, seeds, size))
    np.testing.assert_allclose(tm.hessian(rosenbrock)(x).numpy(), scipy.optimize.rosen_hess(x), atol=1e-9)
    assert runs == [40]


def test_a_jacobian_of_trees_in_one_walk_has_the_blocks_of_each_pair():
    w = np.random.default_rng(1).normal(size=(2, 3))

    def f(p):
        return {"y": p["w"] @ p["x"], "s": (p["x"] ** 2).sum()}

    for mode in (tm.jacfwd, tm.jacrev):
        j = mode(f)({"w": w, "x": X[0]})
        np.testing.assert_allclose(j["y"]["x"].numpy(), w)
        np.testing.assert_allclose(j["y"]["w"].numpy(), np.einsum("ij,k->ijk", np.eye(2), X[0]))
        np.testing.assert_allclose(j["s"]["x"].numpy(), 2 * X[0])
        np.testing.assert_array_equal(j["s"]["w"].numpy(), np.zeros((2, 3)))


def _network(p):
    rows = np.linspace(-1, 1, 10).reshape(5, 2)
    return ((tm.tanh(rows @ p["w"] + p["b"]) @ p["v"] + p["c"] - 0.5) ** 2).mean()


def _weights():
    rng = np.random.default_rng(3)
    shapes = {"w": (2, 4), "b": (4,), "v": (4,), "c": (), "unused": (3,), "none": (0, 2)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("rows_at_once", [1, 2, 5, 100])
def test_a_hessian_of_a_tree_has_the_blocks_that_differences_have(rows_at_once, monkeypatch):
    monkeypatch.setattr(matrices, "_LEAST", rows_at_once)
    monkeypatch.setattr(matrices, "_MEMORY", 1)
    p = _weights()
    h, gradient = tm.hessian(_network)(p), tm.grad(_network)
    for of, row in h.items():
        assert list(row) == list(p)
        for by, block in row.items():
            want = np.zeros((*p[of].shape, *p[by].shape))
            for index in np.ndindex(p[by].shape):
                e = np.zeros(p[by].shape)
                e[index] = 1e-5
                up, down = (gradient({**p, by: p[by] + step})[of].numpy() for step in (e, -e))
                want[(..., *index)] = (up - down) / 2e-5
            np.testing.assert_allclose(block.numpy(), want, atol=1e-8)
    assert not h["unused"]["w"].numpy().any()


def test_a_hessian_in_parts_is_differentiated_and_compiled(monkeypatch):
    p = _weights()
    turned = tm.grad(lambda p: sum((b * b).sum() for row in tm.hessian(_network)(p).values() for b in row.values()))
    whole, third = tm.hessian(_network)(p), turned(p)
    monkeypatch.setattr(matrices, "_LEAST", 3)
    monkeypatch.setattr(matrices, "_MEMORY", 1)
    for a, b in ((tm.hessian(_network)(p), whole), (tm.compile(tm.hessian(_network))(p), whole)):
        for of, by in itertools.product(p, p):
            np.testing.assert_allclose(a[of][by].numpy(), b[of][by].numpy(), atol=1e-12)
    for name, g in turned(p).items():
        np.testing.assert_allclose(g.numpy(), third[name].numpy(), atol=1e-11)


def test_the_large_array_of_a_hessian_is_not_walked_to_from_the_others_twice(monkeypatch):
    def f(small, large):
        return (tm.sin(large) * small).sum()

    monkeypatch.setattr(matrices, "_MEMORY", 1)
    work, value = [], trace._value
    monkeypatch.setattr(trace, "_value", lambda n, *rest: work.append(n.op.name) or value(n, *rest))
    h = tm.hessian(f, argnums=(0, 1))(np.array([2.0]), np.linspace(0, 1, 40))
    np.testing.assert_allclose(h[0][1].numpy(), np.cos(np.linspace(0, 1, 40))[None])
    np.testing.assert_allclose(h[1][0].numpy(), h[0][1].numpy().T)
    np.testing.assert_allclose(h[1][1].numpy(), np.diag(-2 * np.sin(np.linspace(0, 1, 40))))
    assert work.count("sum") == 0  # of the gradient in the small one, which only the large one moves


def test_rules_that_contradict_each_other_have_the_columns_of_forward_mode(monkeypatch):
    @tm.primitive
    def reversed_(x):
        return x + 0.0

    reversed_.defvjp(lambda g, y, x: -g)  # a gradient that is turned round
    reversed_.defjvp(lambda t, y, x: t)
    h = tm.hessian(lambda x, w: (reversed_(x) * w).sum(), argnums=(0, 1))(np.ones(2), np.ones(3)[:2])
    np.testing.assert_array_equal(h[0][1].numpy(), -np.eye(2))
    np.testing.assert_array_equal(h[1][0].numpy(), np.eye(2))


# -- what may not go wrong in silence ----------------------------------------------------------------------
def test_a_number_for_an_example_has_no_axis_but_minus_one():
    x = np.array([0.5, 2.0, -1.0])
    np.testing.assert_array_equal(tm.vmap(tm.special.softmax)(x).numpy(), np.ones(3))
    np.testing.assert_array_equal(tm.vmap(tm.special.log_softmax)(x).numpy(), np.zeros(3))
    np.testing.assert_array_equal(tm.vmap(tm.argsort)(x).numpy(), [np.argsort(v) for v in x])


def test_one_place_for_each_example_is_written_to():
    x, i = np.arange(12.0).reshape(3, 2, 2), np.array([0, 1, 0])
    y = tm.vmap(lambda x, i: x.at[i].set(x[1] * 2))(x, i).numpy()
    for k in range(3):
        want = x[k].copy()
        want[i[k]] = x[k, 1] * 2
        np.testing.assert_array_equal(y[k], want)
    np.testing.assert_array_equal(tm.vmap(lambda x, i: x.at[:, i].add(1.0))(x, i).numpy()[1], x[1] + [[0, 1], [0, 1]])


def test_a_tensor_outside_cannot_take_on_an_examples_value():
    w = tm.tensor(np.zeros(3), name="w")

    def part(x):
        w[0] = x.sum()
        return x

    def whole(x):
        nonlocal w
        w += x
        return x

    for f in (part, whole):
        with pytest.raises(tm.TraceError, match=r"w lives outside of vmap(?s:.*)test_vmap\.py"):
            tm.vmap(f)(X)
    np.testing.assert_array_equal(w.numpy(), np.zeros(3))
    norm = tm.nn.BatchNorm1d(3)
    with pytest.raises(tm.TraceError, match="running values"):
        tm.vmap(norm)(np.ones((2, 4, 3)))
    assert norm.num_batches_tracked.item() == 0
    np.testing.assert_array_equal(norm.running_mean.numpy(), np.zeros(3))

    def inside(x):
        y = tm.zeros(3)
        y[0] = x.sum()
        y += x
        return y

    np.testing.assert_allclose(tm.vmap(inside)(X).numpy(), [inside(tm.tensor(x)).numpy() for x in X])


def test_no_examples_of_matrices_have_no_inverses():
    a = np.zeros((0, 3, 3))
    for f in (tm.linalg.inv, tm.linalg.cholesky, lambda a: tm.linalg.solve(a, a)):
        assert tm.vmap(f)(a).shape == (0, 3, 3)


def test_an_axis_may_be_a_number_of_numpys():
    np.testing.assert_array_equal(tm.vmap(lambda x: x.sum(), in_axes=np.int64(1))(X).numpy(), X.sum(0))


GENERATOR = np.random.default_rng(5)


def _helper(m):
    return m + np.random.normal()


class _Drawing:
    def __init__(self):
        self.rng = np.random.default_rng(2)

    def draw(self, m):
        return m + self.rng.normal()


def _closing_over(generator):
    return lambda m: m * generator.random()


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (_helper, "numpy.random"),
        (lambda m: 2.0 * _helper(m), "numpy.random"),
        (lambda m: m + random.random(), "random"),
        (lambda m: m + GENERATOR.normal(), "GENERATOR"),
        (_closing_over(np.random.default_rng(1)), "generator"),
        (_closing_over(random.Random(1)), "generator"),
        (lambda m, draw=np.random.normal: m + draw(), "a default"),
        (_Drawing().draw, "self.rng"),
        (functools.partial(_helper), "numpy.random"),
        (tm.grad(lambda m: m * np.random.normal()), "numpy.random"),
    ],
)
def test_a_draw_that_all_examples_would_share_is_refused_by_name(f, name):
    state, other, mine = np.random.get_state()[2:], random.getstate(), GENERATOR.bit_generator.state
    with pytest.raises(TraceError, match=rf"vmap\(.*\) draws from {name}, .*tm.random"):
        tm.vmap(f)(np.zeros(3))
    assert (np.random.get_state()[2:], random.getstate(), GENERATOR.bit_generator.state) == (state, other, mine)
    y = tm.vmap(f, randomness="same")(np.ones(3)).numpy()
    assert len(set(y)) == 1


def counting():
    k = 0.0
    while True:
        k += 1
        yield k


class _Taking(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.steps = {"steps": [itertools.count(1)]}

    def forward(self, m):
        return m * next(self.steps["steps"][0])


def _through(makes, take=next):
    return lambda m: m * take(makes)


STEPS = [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda: _through(iter(STEPS)), "makes"),
        (lambda: _through(counting()), "makes"),
        (lambda: _through(iter(STEPS).__next__, lambda step: step()), "makes"),
        (lambda: _through({"a": (0, deque([counting()]))}, lambda box: next(box["a"][1][0])), "makes"),
        (lambda: functools.partial(lambda steps, m: m * next(steps), itertools.count(1)), "an argument of a partial"),
        (_Taking, "self.steps"),
        (lambda: tm.nn.Sequential(tm.nn.Tanh(), _Taking()), r"self\.1\.steps"),
        (lambda: tm.grad(_through(itertools.count(1))), "makes"),
    ],
)
def test_what_is_taken_of_an_iterator_and_would_be_shared_is_refused_by_name(f, name):
    with pytest.raises(TraceError, match=rf"vmap\(.*\) draws from {name}, .*once: pass what was drawn"):
        tm.vmap(f())(np.ones(3))
    y = tm.vmap(f(), randomness="same")(np.ones(3)).numpy()
    assert len(set(y)) == 1


def test_iterators_that_are_made_inside_or_not_asked_are_no_matter():
    steps, rows = iter(STEPS), [1.0] * 1000

    def f(m):
        return (
            sum(a * b for a, b in zip([m, m], itertools.count(1))) + (0.0 if m.ndim == 0 else next(steps)) + len(rows)
        )

    np.testing.assert_array_equal(tm.vmap(f)(np.ones(3)).numpy(), [1003.0] * 3)
    assert list(steps) == STEPS


def test_a_generator_that_is_in_reach_and_not_drawn_from_is_no_matter():
    def f(m):
        return m * 2.0 if m.ndim == 0 else m + np.random.normal() + GENERATOR.normal()

    np.testing.assert_array_equal(tm.vmap(f)(np.ones(3)).numpy(), [2.0, 2.0, 2.0])


@pytest.mark.parametrize(
    "f, x",
    [
        (tm.sqrt, [0.0, 1.0]),
        (tm.tanh, [1000.0, -800.0]),
        (tm.arccosh, [1.0, 2.0]),
        (lambda x: tm.special.gamma(x + 170.0), [1.0, 1.6]),
    ],
)
@pytest.mark.parametrize("derivative", [tm.grad, tm.jacfwd, lambda f: tm.grad(tm.grad(f)), tm.hessian])
def test_a_derivative_of_every_example_warns_no_more_than_that_of_one(derivative, f, x):
    each = [derivative(f)(v).item() for v in np.array(x)]  # warnings are errors here
    np.testing.assert_array_equal(tm.vmap(derivative(f))(np.array(x)).numpy(), each)
    np.testing.assert_array_equal(tm.vmap(tm.vmap(derivative(f)))(np.array([x])).numpy(), [each])


def test_values_of_examples_warn_but_where_the_function_silences_them():
    x = np.array([1.0, 0.0])
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        tm.vmap(tm.value_and_grad(tm.log))(x)

    def silent(x):
        with np.errstate(divide="ignore"):
            return tm.log(x)

    assert tm.vmap(silent)(x).tolist() == [0.0, -np.inf]


@pytest.mark.parametrize(
    "write",
    [lambda a, x: a.__setitem__(0, x.sum()), lambda a, x: a.__setitem__(slice(3), x), lambda a, x: a.fill(x[0])],
)
def test_writing_an_example_into_an_array_is_refused_by_name_and_line(write):
    def f(x):
        a = np.zeros(3)
        write(a, x)
        return a

    with pytest.raises(TraceError, match=r"asks for a value.*vmap\(f\)[\s\S]*test_vmap.py"):
        tm.vmap(f)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="could not convert string"):  # NumPy's own stays what it is
        tm.vmap(lambda x: x + np.array(["a"]).astype(float))(np.ones((2, 3)))


@pytest.mark.parametrize("transform", [tm.vmap, tm.compile, lambda f: tm.compile(tm.grad(lambda x: f(x).sum()))])
def test_what_another_thread_computes_of_a_traced_value_is_refused_in_words_that_say_so(transform):
    def f(x):
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(lambda k: x * k, [1.0, 2.0]))

    with pytest.raises(TraceError, match=r"another thread.*one thread computes"):
        transform(f)(np.ones(3))
    np.testing.assert_array_equal(tm.grad(lambda x: f(x).sum())(np.ones(3)).numpy(), [3, 3, 3])
