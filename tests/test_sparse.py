"""Patterns hold at every point, are as small as they can be, and are never those of another function."""

import gc
import itertools
import pickle
import sys
import tracemalloc
import weakref
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.core.tensor import record
from tinygrad_math.curvature.colouring import both_ways, column_colours, number, pruned, star_colours, symmetric_colours

sys.path.insert(0, str(Path(__file__).parent / "bench"))
import sparse_problems

C = tm.curvature
PROBLEMS = [("jacobian", name) for name in sparse_problems.JACOBIANS] + [
    ("hessian", name) for name in sparse_problems.HESSIANS
]
# What asdex 0.5.1 finds at n = 200: entries of the pattern, and products of rows or of columns or of a star colouring.
PEERS = {
    "burgers": (596, 3), "bratu": (924, 7), "bundle": (3968, 8), "bordered": (598, 200), "tall": (200, 1),
    "convolved": (788, 4), "scattered": (399, 5), "multiplied": (462, 3), "sorted_rows": (200, 1),
    "cumulated": (693, 6), "network": (594, 3), "marched": (400, 2), "scanned": (400, 2), "rosenbrock": (598, 3),
    "spring_chain": (1192, 6), "minimal_surface": (1209, 8), "arrow": (598, 2), "gathered": (577, 5),
    "reduced": (800, 4), "pairs": (400, 2),
}  # fmt: skip


def made(kind, name, n):
    f, x = getattr(sparse_problems, name)(tm, sparse_problems.Ours, n)
    dense = tm.hessian(f) if kind == "hessian" else tm.jacobian(f)
    return f, x, dense, getattr(C, f"sparse_{kind}")


@pytest.mark.parametrize(("kind", "name"), PROBLEMS)
def test_sparse_is_dense_and_one_pattern_holds_at_all_points(kind, name):
    f, x, dense, sparse = made(kind, name, 60)
    pattern, rng = C.sparsity(f, x, kind=kind), np.random.default_rng(0)
    for k in range(5):
        z = x + 0.3 * rng.normal(size=x.shape)
        want = dense(z).numpy()
        assert not ((want != 0) & ~pattern.toarray()).any()
        for compiled in (False, True)[: 1 + (k < 2)]:
            np.testing.assert_allclose(sparse(f, z, compiled=compiled).toarray(), want, atol=1e-9 * abs(want).max())
        np.testing.assert_allclose(sparse(f, z, pattern=pattern).toarray(), want, atol=1e-9 * abs(want).max())


@pytest.mark.parametrize(("kind", "name"), [p for p in PROBLEMS if p[1] in PEERS])
def test_patterns_are_as_tight_and_products_as_few_as_those_of_asdex(kind, name):
    f, x, *_ = made(kind, name, 200)
    pattern = C.sparsity(f, x, kind=kind)
    assert pattern.nnz <= PEERS[name][0]
    assert pattern.products <= PEERS[name][1]


def test_a_constant_mask_of_one_choice_is_not_that_of_the_next():
    mask = np.arange(6) % 2 == 0

    def f(x):
        return tm.where(x > 0, tm.where(mask, x, x[::-1]), 2 * x[::-1])

    want = np.where(mask[:, None], np.eye(6) + np.eye(6)[::-1], np.eye(6)[::-1])
    np.testing.assert_array_equal(C.sparsity(f, np.ones(6)).toarray(), want)


# -- what a function closes over ----------------------------------------------------------------------
class Holder:
    pass


def numpy_matrix():
    w = np.diag([1.0, 0, 0, 0])
    return lambda x: w @ x + x**2, lambda k, v: w.__setitem__((k % 4, (k + 1) % 4), v)


def tensor_matrix():
    w = tm.tensor(np.diag([1.0, 0, 0, 0]))
    return lambda x: w @ x + x**2, lambda k, v: w.__setitem__((k % 4, (k + 1) % 4), v)


def numpy_mask():
    mask = np.array([True, False, True, False])
    return lambda x: tm.where(mask, x[::-1] ** 2, x), lambda k, v: mask.__setitem__(k % 4, v > 0)


def tensor_mask():
    m = tm.tensor([1.0, 0.0, 1.0, 0.0])
    return lambda x: tm.where(m > 0, x[::-1] ** 2, x) + m * tm.roll(x, 1), lambda k, v: m.__setitem__(k % 4, v)


def numpy_index():
    index = np.arange(4)
    return lambda x: x[index] ** 2 * x, lambda k, v: index.__setitem__(k % 4, (k + 2) % 4)


def tensor_index():
    index = tm.tensor(np.arange(4))
    return lambda x: x[index] ** 2 * x, lambda k, v: index.__setitem__(k % 4, (k + 2) % 4)


def attribute():
    o = Holder()
    o.shift = 1
    return lambda x: tm.roll(x, o.shift) * x, lambda k, v: setattr(o, "shift", k % 4)


def items():
    places = [0, 1]
    return lambda x: x[places[0]] * x[places[1]] * x, lambda k, v: places.__setitem__(k % 2, (k + 2) % 4)


def inside_a_loop():
    w = tm.tensor(np.eye(4))
    step = lambda y, _: (w @ y + 0.1 * y**2, None)  # noqa: E731
    return lambda x: tm.scan(step, x, length=3)[0], lambda k, v: w.__setitem__((k % 4, (k + 1) % 4), v)


def decided_inside_a_loop():
    t = tm.tensor(1.0)
    step = lambda y, _: (tm.where(t > 0, y**2, y[::-1] * y), None)  # noqa: E731
    return lambda x: tm.scan(step, x, length=2)[0], lambda k, v: t.__setitem__(..., -v)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "make",
    [numpy_matrix, tensor_matrix, numpy_mask, tensor_mask, numpy_index, tensor_index, attribute, items, inside_a_loop,
     decided_inside_a_loop],
)  # fmt: skip
def test_no_pattern_is_that_of_values_that_have_changed(make, compiled):
    """The new entries are too small to show beside the others, by any tolerance but none."""
    f, change = make()
    x = np.array([0.7, -1.3, 0.4, 2.0])
    for k, v in enumerate([None, 1e-13, 1e-30, 0.0, 1.0, 1e-30, 0.0]):
        if v is not None:
            change(k, v)
        want = tm.jacobian(f)(x).numpy()
        got = C.sparse_jacobian(f, x, compiled=compiled).toarray()
        np.testing.assert_allclose(got, want, rtol=1e-12)
        np.testing.assert_array_equal(got != 0, want != 0)


def test_a_branch_taken_elsewhere_has_its_own_pattern():
    def f(x):
        return x * x if float(x[0].detach()) > 0 else x * x[::-1]

    for first in (1.0, -1.0, 2.0, -2.0):
        x = np.array([first, 2.0, 3.0])
        np.testing.assert_array_equal(C.sparse_jacobian(f, x).toarray(), tm.jacobian(f)(x).numpy())


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[tm.argsort(x)] ** 2,
        lambda x: x[tm.argmax(x)] * x,
        lambda x: tm.take_along_axis(x, tm.argsort(-x), 0),
        lambda x: x.at[tm.argmax(x)].set(x[0] * x[1]),
        lambda x: (x > 0).astype(float) @ (x * np.ones((4, 4))),
        lambda x: tm.einsum("i,i,ij->j", (x > 0).astype(float), x, np.eye(4)),
        lambda x: tm.where(x.detach() > 0, x, x[::-1]),
        lambda x: tm.where((2 * x).detach() > 0, x, x[::-1]),
        lambda x: x * tm.stop_gradient(tm.maximum(x, 0.0)),
        lambda x: tm.sort(x) ** 2,
    ],
)
def test_what_is_computed_from_x_is_no_constant(f):
    pattern, rng = C.sparsity(f, np.array([3.0, -1.0, 2.0, -2.0]), kind="jacobian").toarray(), np.random.default_rng(0)
    for _ in range(20):
        x = rng.normal(size=4)
        assert not ((tm.jacobian(f)(x).numpy() != 0) & ~pattern).any()


@pytest.mark.parametrize("hidden", [tm.compile, tm.checkpoint])
@pytest.mark.parametrize("compiled", [False, True])
def test_what_is_compiled_or_a_checkpoint_has_the_pattern_of_what_it_computes(hidden, compiled):
    f = hidden(lambda x: x[1:] * x[:-1])
    x = np.arange(1.0, 6.0)
    f(x)
    assert C.sparsity(f, x).nnz == 8
    assert C.sparsity(lambda x: (f(x) ** 2).sum(), x).products == 3
    want = np.eye(4, 5) * x[1:, None] + np.eye(4, 5, 1) * x[:-1, None]
    for _ in range(2):
        np.testing.assert_array_equal(C.sparse_jacobian(f, x, compiled=compiled).toarray(), want)


@pytest.mark.parametrize("f", [lambda x: x.sum() ** 2, tm.special.logsumexp, lambda x: (tm.sort(x) ** 2).sum()])
def test_a_matrix_that_is_full_and_too_large_is_refused(f):
    with pytest.raises(tm.OutOfMemory, match="take hvp"):
        C.sparsity(f, np.ones(50_000))


def test_exact_structures():
    """Each beside the pattern that mathematics gives it."""
    one, low = np.eye(4), np.tri(4)
    for f, want in [
        (lambda x: tm.cumsum(x), low),
        (lambda x: tm.cumprod(x), low),
        (lambda x: x * np.array([1.0, 0, 2, 0]), np.diag([1, 0, 1, 0])),
        (lambda x: tm.diff(x), one[:3] + one[1:]),
        (lambda x: tm.cross(x[:3], np.array([1.0, 2, 3])), np.pad(1 - np.eye(3), ((0, 0), (0, 1)))),
        (lambda x: tm.convolve(x, np.array([1.0, 0, 1])), np.eye(6, 4) + np.eye(6, 4, -2)),
        (lambda x: tm.diff(x, n=2), np.tri(2, 4, 2) - np.tri(2, 4, -1)),
        (lambda x: tm.imag(x * 1j), one),
        (lambda x: tm.linalg.inv(x.reshape(4, 1, 1)).reshape(-1), one),
        (lambda x: tm.real(tm.fft.fft(x.reshape(2, 2))).reshape(-1), np.kron(np.eye(2), np.ones((2, 2)))),
        (lambda x: tm.argsort(x) * 1.0, 0 * one),
        (lambda x: tm.floor(x) * x[::-1] + tm.sign(x), one[::-1]),
    ]:  # fmt: skip
        np.testing.assert_array_equal(C.sparsity(f, np.arange(1.0, 5), kind="jacobian").toarray(), want != 0)


def _operands(op, sample):
    arrays, params = tuple(sample.args), dict(op.defaults)
    if op.array_names:
        arrays, params = op.bind(arrays, dict(sample.params))
    return (tuple(arrays[0]) if op.arity is None else arrays), params


def _check_links(op, samples):
    """Each argument's own pattern beside its derivative, a direction at a time; complex results by both parts."""
    for arrays, params in (_operands(op, s) for s in samples):
        for k, x in enumerate(map(np.asarray, arrays)):
            if x.dtype.kind != "f" or x.size > 40 or not x.size:
                continue

            def f(x, arrays=arrays, params=params, k=k):
                y = record(op, (*arrays[:k], x, *arrays[k + 1 :]), params)
                return [part for part in y if part.dtype.kind in "fc"] if op.many else y

            if not op.many and f(x).dtype.kind not in "fc":
                continue  # what has no derivative has no links
            _, push = tm.linearize(f, x)
            units = np.eye(x.size, dtype=x.dtype).reshape(-1, *x.shape)
            columns = [np.concatenate([np.ravel(t.numpy()) for t in tm.tree_leaves(push(e))]) for e in units]
            pattern = C.sparsity(f, x, kind="jacobian").toarray()
            assert not ((np.nan_to_num(np.stack(columns, axis=1)) != 0) & ~pattern).any(), (op.name, params, k)


_ = (tm.linalg, tm.fft, tm.special, tm.random, tm.stats, tm.nn)  # rooms with further ops
OPS = [n for n, op in sorted(registry.items()) if op.samples is not None and not op.constant and n != "select"]


def test_no_link_of_any_op_is_too_small():
    for name in OPS:
        _check_links(registry[name], registry[name].samples()[: 1 if registry[name].kind == "elementwise" else 2])


@pytest.mark.long
@pytest.mark.parametrize("name", OPS)
def test_no_link_of_an_op_is_too_small_on_all_of_its_samples(name):
    _check_links(registry[name], registry[name].samples())


# -- products ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "formula",
    ["ij,jk->ik", "ij,jk->ki", "ij,ij->i", "ij,ji->ij", "ii,ij->j", "ij,jj->i", "ii,jj->ij", "ij,kl->jk", "ij,ij->",
     "ij,jk,kl->il", "ij,ij,jk->ik"],
)  # fmt: skip
def test_sums_of_products_with_constants_depend_on_just_what_is_not_multiplied_by_zero(formula):
    rng = np.random.default_rng(len(formula))
    count = formula.count(",") + 1
    given = [rng.normal(size=(4, 4)) * (rng.random((4, 4)) < p) for p in (0.4, 0.6, 1.0)[:count]]
    x = rng.normal(size=(4, 4))
    for k, sparse in itertools.product(range(count), (False, True)):
        factors = [a if sparse else a + 3 for a in given]

        def f(x, k=k, factors=factors):
            return tm.einsum(formula, *factors[:k], x, *factors[k + 1 :])

        want = tm.jacobian(f)(x).numpy().reshape(-1, 16)
        found = C.sparsity(f, x, kind="jacobian").toarray()
        assert not ((want != 0) & ~found).any()
        assert found.sum() == (want != 0).sum() or "ii" in formula or "jj" in formula
        np.testing.assert_allclose(C.sparse_jacobian(f, x).toarray(), want, atol=1e-12)


def test_patterns_of_large_products_are_made_of_their_blocks_and_of_what_is_not_zero(monkeypatch):
    band = scipy.sparse.diags_array([1.0, 2.0, 1.0], offsets=[-1, 0, 1], shape=(2500, 2500)).toarray()
    assert C.sparsity(lambda x: band @ x, np.ones(2500)).nnz == 3 * 2500 - 2
    weights = np.ones((6, 30))
    monkeypatch.setattr("tinygrad_math.curvature.links._LARGEST_GRID", 100)
    assert C.sparsity(lambda x: x @ weights, np.ones((40, 6))).nnz == 40 * 30 * 6
    weights[::2] = 0  # too many terms to look at one by one: the blocks are full, and nothing more
    assert C.sparsity(lambda x: x @ weights, np.ones((40, 6))).nnz == 40 * 30 * 6


# -- colourings ---------------------------------------------------------------------------------------
def test_a_full_row_and_a_full_column_need_both_ways_compiled_too():
    n = 40

    def f(x):
        return tm.concatenate([tm.sum(x**2)[None], x[1:] * x[0], tm.sum(tm.sin(x))[None]])

    x = np.linspace(0.5, 1, n)
    assert C.sparsity(f, x).products == 4
    for compiled in (False, True):
        np.testing.assert_allclose(C.sparse_jacobian(f, x, compiled=compiled).toarray(), tm.jacobian(f)(x).numpy())


@pytest.mark.parametrize("seed", range(30))
def test_rows_and_columns_together_tell_every_entry(seed):
    rng = np.random.default_rng(seed)
    a = scipy.sparse.random_array((12, 17), density=0.15, rng=rng).toarray()
    a[rng.integers(12)], a[:, rng.integers(17)] = 1.5, 2.5
    columns, rows = both_ways(scipy.sparse.csr_array(a != 0))
    assert number(columns) + number(rows) <= number(column_colours(a != 0))
    for i, j in zip(*np.nonzero(a), strict=True):
        if rows[i] >= 0:
            assert (a[rows == rows[i], j] != 0).sum() == 1
        else:
            assert (a[i, columns == columns[j]] != 0).sum() == 1


def _tells_apart(pattern, colours):
    """Whether each entry stands alone in the product with its column's colour, or with its row's."""

    def alone(i, j):
        return colours[j] >= 0 and pattern[i, colours == colours[j]].sum() == 1

    return all(alone(i, j) or alone(j, i) for i, j in zip(*np.nonzero(pattern), strict=True))


def test_star_colourings_are_right_and_on_small_graphs_nearly_the_best():
    rng, over = np.random.default_rng(0), 0
    for _ in range(25):
        upper = np.triu(rng.random((5, 5)) < 0.5)
        pattern = upper | upper.T
        for apart in (False, True):
            assert _tells_apart(pattern, star_colours(pattern, apart=apart))
        found = symmetric_colours(scipy.sparse.csr_array(pattern))
        assert _tells_apart(pattern, found)
        best = next(
            k
            for k in range(6)
            if any(_tells_apart(pattern, np.array(c)) for c in itertools.product(range(-1, k), repeat=5))
        )
        over += number(found) - best
    assert over <= 6  # of 25 graphs: greedy colourings need not be the best


def test_colours_that_nobody_reads_take_no_product():
    star = np.zeros((6, 6), bool)
    star[0, 1:] = star[1:, 0] = True
    assert number(pruned(star, star_colours(star))) == 1
    H = C.sparse_hessian(lambda x: x[0] * tm.sum(x[1:]), np.ones(6))
    np.testing.assert_array_equal(H.toarray(), star)
    assert C.sparsity(lambda x: x[0] * tm.sum(x[1:]), np.ones(6)).products == 1


def test_a_full_matrix_is_coloured_at_once():
    full = np.ones((300, 300), bool)
    assert number(symmetric_colours(scipy.sparse.csr_array(full))) == 300
    assert sum(map(number, both_ways(full))) == 300


# -- programs ----------------------------------------------------------------------------------------
def test_functions_that_are_equal_have_matrices_of_their_own():
    class Scaled:
        """Objects that say that they are the same."""

        def __init__(self, by):
            self.by = by

        def __eq__(self, other):
            return isinstance(other, Scaled)

        def __hash__(self):
            return 1

        def __call__(self, x):
            return self.by * x**2

    x, all_of_them = np.ones(3), [Scaled(np.arange(3.0) + k) for k in range(3)]
    for _ in range(2):
        for k, f in enumerate(all_of_them):
            for compiled in (False, True):
                got = C.sparse_jacobian(f, x, compiled=compiled).toarray()
                np.testing.assert_array_equal(got, np.diag(2 * (np.arange(3.0) + k)))


def test_what_is_kept_of_a_function_goes_with_it():
    from tinygrad_math.curvature.sparsity import _known

    before = len(_known)
    for _ in range(5):
        C.sparse_jacobian(lambda x: x * x, np.ones(2))
    gc.collect()
    assert len(_known) <= before


@pytest.mark.parametrize("backend", ["numpy", "native", "auto"])
def test_products_run_by_any_backend(backend):
    if backend == "native":
        pytest.importorskip("llvmlite")
    factor = np.array([1.0, 0.0, 2.0])

    def f(x):
        return (factor * tm.tanh(x[1:]) * x[:-1]).sum()

    for x in (np.linspace(-1, 1, 4), np.linspace(0, 2, 4)):
        for compiled in (backend, True):
            got = C.sparse_hessian(f, x, compiled=compiled).toarray()
            np.testing.assert_allclose(got, tm.hessian(f)(x).numpy(), atol=1e-14)
        factor[:] = [0.0, 3.0, 1.0]


def test_another_word_for_compiled_is_refused():
    with pytest.raises(tm.errors.ArgumentError, match="compiled is True, False, or one of"):
        C.sparse_jacobian(lambda x: x, np.ones(2), compiled="fast")


# -- edges --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("compiled", [False, True])
def test_edges(compiled):
    def jacobian(f, x):
        return C.sparse_jacobian(f, x, compiled=compiled)

    x = np.array([0.5, -1.0, 2.0])
    for f in (
        lambda x: x.sum(), lambda x: tm.outer(x, x), lambda x: tm.ones(3), lambda x: x - x, lambda x: 0 * x,
        lambda x: x**0, lambda x: tm.abs(x) * x, lambda x: x * (1 + 2j) * x[::-1], lambda x: (x * 1j).sum()[None],
        lambda x: x[[0, 0, 1, 0]] ** 2, lambda x: [x[:1] ** 2, {"b": x[1:] * x[0]}], lambda x: x[:0],
    ):  # fmt: skip
        _, push = tm.linearize(f, x)
        want = [np.concatenate([np.ravel(t.numpy()) for t in tm.tree_leaves(push(e))]) for e in np.eye(3)]
        np.testing.assert_allclose(jacobian(f, x).toarray(), np.stack(want, axis=1), rtol=1e-12)
    assert jacobian(lambda x: x * 2, np.zeros(0)).shape == (0, 0)
    assert jacobian(lambda x: x * x[::-1], x.astype(np.float32)).dtype == np.float32
    half = jacobian(lambda x: x * x[::-1], x.astype(np.float16))  # SciPy has no matrices of half precision
    assert half.dtype == np.float32
    assert half.toarray().tolist() == [[2.0, 0.0, 0.5], [0.0, -2.0, 0.0], [2.0, 0.0, 0.5]]
    both_ways = jacobian(lambda x: tm.concat([(x**2).sum()[None], x[0] * x[1:]]), np.ones(9, np.float32))
    assert both_ways.dtype == np.float32
    for f in (tm.argsort, lambda x: x > 0):
        with pytest.raises(tm.errors.DTypeError, match="sparse_jacobian needs floating results"):
            jacobian(f, x)
    hessian = C.sparse_hessian(lambda x: x.sum(), x, compiled=compiled)
    assert (hessian.shape, hessian.nnz) == ((3, 3), 0)
    assert C.sparse_hessian(lambda x: (x**3).sum(), np.ones(1), compiled=compiled).toarray().tolist() == [[6.0]]


def test_a_matrix_is_its_owners_and_a_pattern_can_be_stored():
    def f(x):
        return x * x[::-1]

    x = np.array([1.0, 2.0, 0.0, 3.0])
    J = C.sparse_jacobian(f, x)
    J.data[:] = 7
    J.eliminate_zeros()
    J.indices[:] = 0
    np.testing.assert_array_equal(C.sparse_jacobian(f, x).toarray(), tm.jacobian(f)(x).numpy())
    pattern = pickle.loads(pickle.dumps(C.sparsity(f, x)))
    assert (pattern.products, pattern.kind) == (2, "jacobian")
    np.testing.assert_array_equal(C.sparse_jacobian(f, x, pattern=pattern).toarray(), tm.jacobian(f)(x).numpy())


def test_a_smaller_pattern_that_somebody_knows_is_kept_to_and_held_against_a_product():
    def f(x):
        return x * (x > 0) + tm.sort(x)  # in order, if the user knows that x is sorted

    x = np.array([1.0, 2.0, 3.0])
    for compiled in (False, True, True):
        J = C.sparse_jacobian(f, x, pattern=np.eye(3), compiled=compiled)
        assert J.toarray().tolist() == (2 * np.eye(3)).tolist()
        with pytest.raises(tm.ArgumentError, match="no entry"):
            C.sparse_jacobian(f, x[::-1], pattern=np.eye(3), compiled=compiled)


def test_a_function_is_let_go_with_what_is_kept_for_it():
    def f(x):
        return x * x

    C.sparse_jacobian(f, np.ones(3))
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None


def test_memory_grows_with_the_entries():
    def peak(n):
        f, x = sparse_problems.rosenbrock(tm, sparse_problems.Ours, n)
        tracemalloc.start()
        C.sparse_hessian(f, x)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(100)
    assert peak(6_000) < 5 * peak(1_500)
