"""Reading, writing, taking, choosing: against NumPy on plain arrays, and against finite differences to second order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math import testing

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape)


def check_grads(f, args):
    testing.check_grads(lambda *xs: f(*map(tm.asarray, xs)), args)


X = normal(4, 3, 2)
ROWS, COLUMNS = np.array([0, 3, 3, -1]), np.array([2, 0, 0, 1])
MASK = X[..., 0] > 0

BASIC = {
    "an int": 1,
    "a negative int": -1,
    "NumPy's int": np.int64(2),
    "ints": (1, -1, 0),
    "a slice": slice(1, 3),
    "a backward slice": slice(None, None, -2),
    "an empty slice": slice(2, 2),
    "a slice that goes beyond": slice(-9, 9, 3),
    "a slice between NumPy's ints": slice(np.int64(1), np.int8(3)),
    "a column": (slice(None), 0),
    "ellipsis": (Ellipsis, 0),
    "ellipsis in the middle": (0, Ellipsis, slice(1, None)),
    "the last axis whole after an ellipsis": (Ellipsis, 0, slice(None)),
    "a new axis before the last one, after an ellipsis": (1, Ellipsis, None, slice(None)),
    "a new axis": (None, slice(None), None, 1),
    "nothing": (),
    "all of it": Ellipsis,
}
ADVANCED = {
    "a list": [0, 2, 2],
    "a nested list": [[0, 1], [1, 1]],
    "an empty list": [],
    "an array": ROWS,
    "an array without axes": np.array(2),
    "unsigned integers": ROWS.astype(np.uint8) % 4,
    "two arrays": (ROWS, COLUMNS % 3),
    "arrays that broadcast": (ROWS[:, None], COLUMNS % 3),
    "an array and a slice": (slice(1, None), COLUMNS % 3),
    "an array and an int": (ROWS, 0),
    "arrays parted by a slice": (ROWS, slice(None), COLUMNS % 2),
    "an array, a new axis, ellipsis": (None, ROWS, Ellipsis, 0),
    "a mask": MASK,
    "a mask of one axis": np.array([True, False, True, True]),
    "a mask that lets nothing through": np.zeros((4, 3), bool),
    "a mask of the last axes": (Ellipsis, np.array([True, False])),
    "a mask and an array": (MASK, np.array([0] * MASK.sum())),
    "a truth value": True,
    "NumPy's truth value": np.bool_(False),
    "a truth value and an array": (np.bool_(True), ROWS),
    "a truth value between an int and an array": (0, True, [0, 0, 2]),
    "two arrays and a mask": (ROWS[:3], np.array([True, True, True]), 0),
}
EVERY = BASIC | ADVANCED


@pytest.mark.parametrize("name", EVERY)
def test_reading_is_numpys_and_its_derivatives_are_right(name):
    index = EVERY[name]
    y = tm.tensor(X)[index]
    np.testing.assert_array_equal(y.numpy(), X[index])
    assert y.shape == X[index].shape
    check_grads(lambda x: x[index] ** 2, (X,))


@pytest.mark.parametrize("name", EVERY)
def test_the_gradient_of_reading_adds_up_over_repeated_indices(name):
    index, count = EVERY[name], np.zeros_like(X)
    np.add.at(count, index, 1.0)
    np.testing.assert_array_equal(tm.grad(lambda x: x[index].sum())(X).numpy(), count)


@pytest.mark.parametrize("name", EVERY)
def test_writing_is_numpys_and_its_derivatives_are_right(name):
    index = EVERY[name]
    v = normal(*X[index].shape)
    want = X.copy()
    want[index] = v
    np.testing.assert_array_equal(tm.tensor(X).at[index].set(v).numpy(), want)
    check_grads(lambda x, v: x.at[index].set(v) ** 2, (X, v))
    check_grads(lambda x, v: x.at[index].set(v) ** 2, (X, np.array(0.3)))


@pytest.mark.parametrize("name", EVERY)
def test_adding_and_multiplying_at_an_index_are_numpys_and_their_derivatives_are_right(name):
    index = EVERY[name]
    v = normal(*X[index].shape)
    want = X.copy()
    np.add.at(want, index, v)
    np.testing.assert_allclose(tm.tensor(X).at[index].add(v).numpy(), want, rtol=1e-14)
    want = X.copy()
    np.multiply.at(want, index, v)
    np.testing.assert_allclose(tm.tensor(X).at[index].multiply(v).numpy(), want, rtol=1e-14)
    check_grads(lambda x, v: x.at[index].add(v) ** 2, (X, v))
    check_grads(lambda x, v: x.at[index].multiply(v), (X, v))
    check_grads(lambda x, v: x.at[index].multiply(v), (X, np.array(0.3)))


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_compiled_index_is_numpys(backend):
    x = normal(3, 4, 3, 2)
    parts = [1, slice(None), slice(None, 2), slice(None, None, -1), None]
    behind = [
        (*ahead, ..., *more) for ahead in ((), (1,)) for n in (1, 2) for more in itertools.product(parts, repeat=n)
    ]
    indices = [*EVERY.values(), *behind, *(key[:-1] for key in behind), *(key[1:] for key in behind if key[0] == 1)]
    given = [X] * len(EVERY) + [x] * (len(indices) - len(EVERY))
    found = tm.compile(lambda *xs: [v[k] * 2 for v, k in zip(xs, indices, strict=True)], backend=backend)(*given)
    for key, v, y in zip(indices, given, found, strict=True):
        np.testing.assert_array_equal(y.numpy(), v[key] * 2, strict=True, err_msg=str(key))


def _random_part(rng, size, advanced):
    """One part of an index into an axis of this size."""
    kind = rng.integers(0, 5 if advanced else 3)
    if kind == 0:
        return int(rng.integers(-size, size))
    if kind == 1:
        return slice(
            *(int(v) if v % 3 else None for v in rng.integers(-size - 1, size + 2, 2)), int(rng.choice([-2, -1, 1, 2]))
        )
    if kind == 2:
        return slice(None)
    return rng.integers(-size, size, 3) if kind == 3 else rng.permutation([True] * 3 + [False] * (size - 3))


@pytest.mark.parametrize("block", range(4))
@each("seed", range(50))
def test_a_random_index_reads_writes_and_differentiates_as_numpys(block, seed):
    seed += 50 * block
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(3, 6, rng.integers(1, 5)))
    advanced = bool(seed % 3)
    index = [_random_part(rng, n, advanced) for n in shape[: rng.integers(1, len(shape) + 1)]]
    if seed % 4 == 0:
        index.insert(rng.integers(0, len(index) + 1), None)
    if seed % 5 == 0:
        index.append(Ellipsis)
    index = tuple(index)
    x = rng.standard_normal(shape)
    part = x[index]
    v, g = rng.standard_normal(part.shape), rng.standard_normal(part.shape)
    y, pull = tm.vjp(lambda x: tm.asarray(x)[index], x)
    np.testing.assert_array_equal(y.numpy(), part)
    want = np.zeros(shape)
    np.add.at(want, index, g)
    np.testing.assert_allclose(pull(g)[0].numpy(), want, rtol=1e-13, atol=1e-14)
    want = x.copy()
    want[index] = v
    np.testing.assert_array_equal(tm.asarray(x).at[index].set(v).numpy(), want)
    h = rng.standard_normal(shape)
    last = np.zeros(shape, int)  # the place in v from which each element was assigned last, counted from 1
    last[index] = np.arange(1, v.size + 1).reshape(v.shape)
    gx, gv = tm.vjp(lambda x, v: tm.asarray(x).at[index].set(v), x, v)[1](h)
    np.testing.assert_array_equal(gx.numpy(), np.where(last == 0, h, 0))
    want = np.zeros(v.size)
    want[last[last > 0] - 1] = h[last > 0]
    np.testing.assert_array_equal(gv.numpy().reshape(-1), want)


# -- what repeats -------------------------------------------------------------------------------------
def test_of_repeated_assignments_the_last_wins_and_alone_has_the_derivative():
    v = np.array([1.0, 2.0, 3.0])
    f = lambda v: (tm.zeros(3).at[[1, 1, 0]].set(v) * tm.tensor([10.0, 20.0, 30.0])).sum()  # noqa: E731
    np.testing.assert_array_equal(tm.grad(f)(v).numpy(), [0.0, 20.0, 10.0])


def test_repeated_multiplication_has_its_derivative_where_a_factor_is_zero():
    v = np.array([0.0, 2.0, 5.0, 3.0])
    f = lambda x, v: tm.asarray(x).at[[1, 1, 0, 1]].multiply(v)[1]  # noqa: E731
    x = np.array([1.0, 7.0])
    np.testing.assert_array_equal(tm.grad(f, argnums=1)(x, v).numpy(), [42.0, 0.0, 0.0, 0.0])
    mixed = tm.hessian(lambda v: f(x, v))(v).numpy()
    np.testing.assert_array_equal(mixed[0], [0.0, 21.0, 0.0, 14.0])
    np.testing.assert_array_equal(mixed, mixed.T)


@pytest.mark.parametrize("rows", [[0, 1, 3], [-1, 0, 3], [0, 0, 1], [2, 1, 0], [-3, -2, -1], [3, 0, 3]])
@pytest.mark.parametrize("columns", [[2, 2, 2], [0, 1, 2], [-1, 2, 2]])
def test_the_gradient_of_pairs_of_indices_counts_each_as_often_as_it_is_named(rows, columns):
    x = tm.tensor(normal(4, 3), requires_grad=True)
    weights = normal(3)
    (x[np.array(rows), np.array(columns)] * weights).sum().backward()
    want = np.zeros((4, 3))
    for i, j, w in zip(rows, columns, weights, strict=True):
        want[i, j] += w
    np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-15)


@pytest.mark.parametrize(
    "keys",
    [
        [slice(None, None, -1), slice(0, 4)],
        [slice(0, 3), slice(1, 4), slice(2, 3)],
        [slice(1, 3), 2, -2],
        [slice(0, 2), slice(2, 4), slice(0, 4)],
        [slice(0, 2), slice(2, 4), (slice(0, 3),)],
        [0, -1, 2],
        [3, -1, 3],
        [(Ellipsis, slice(0, 2)), (slice(1, 4),), (1,)],
    ],
)
@pytest.mark.parametrize("before, after", [(0, 0), (0, 1), (0, 2), (1, 0), (2, 1)])
def test_where_parts_overlap_a_sum_of_negative_zeros_is_one(keys, before, after):
    def f(x):
        y = x * 1.0
        uses = [(y * -0.0).sum() for _ in range(before)]
        uses += [(y[k] * -0.0).sum() for k in keys] + [(y * -0.0).sum() for _ in range(after)]
        return sum(uses[1:], uses[0])

    x, total = normal(4), np.full(4, -0.0)
    for k in keys:
        share = np.zeros(4)
        share[k] = -0.0
        total = total + share
    recorded = tm.vjp(tm.grad(f), x)[0]
    for got in (tm.grad(f)(x), recorded, tm.compile(tm.grad(f))(x)):
        np.testing.assert_array_equal(np.signbit(got.numpy()), np.signbit(total))


@pytest.mark.parametrize("place", range(4))
def test_a_cotangent_of_the_whole_among_those_of_its_parts_is_not_lost(place):
    x = normal(4)
    keys = [slice(0, 1), slice(1, 3), slice(3, 4)]
    keys.insert(place, slice(None))

    def f(x):
        y = x * 1.0
        return sum((y * 2.0 if k == slice(None) else y[k] * 5.0).sum() for k in keys)

    for got in (tm.grad(f)(x), tm.vjp(tm.grad(f), x)[0]):
        np.testing.assert_array_equal(got.numpy(), np.full(4, 7.0))


@pytest.mark.parametrize("first", ["a part", "the whole", "the whole twice"])
def test_the_cotangents_of_parts_add_up_bit_for_bit_as_arrays_with_zeros_elsewhere(first):
    keys = [(slice(None), slice(0, 2)), 1, (0, 1), (Ellipsis, None, 3), slice(None, None, -1), (2, 3), slice(3, 3)]
    weights = [normal(*np.zeros((3, 4))[k].shape) for k in keys]
    weights[0] = -np.zeros_like(weights[0])  # of -0.0 and 0.0 the sum is 0.0
    whole = -np.zeros((3, 4))
    x = tm.tensor(normal(3, 4), requires_grad=True)
    y = x * 1.0
    uses = [(y[k] * w).sum() for k, w in zip(keys, weights, strict=True)]
    times = {"a part": 0, "the whole": 1, "the whole twice": 2}[first]
    uses += [(y * whole).sum() for _ in range(times)]  # the newest comes first in the walk
    sum(uses[1:], uses[0]).backward()
    shares = []
    for k, w in zip(keys, weights, strict=True):
        share = np.zeros((3, 4))
        share[k] = w
        shares.append(share)
    shares += [whole] * times
    total = shares.pop()
    for share in reversed(shares):
        total = total + share
    np.testing.assert_array_equal(x.grad.numpy(), total)
    np.testing.assert_array_equal(np.signbit(x.grad.numpy()), np.signbit(total))


@pytest.mark.parametrize("keys", [((), ()), ((...,), ()), ((), (...,)), (None, (...,)), ((..., None), None)])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_the_cotangents_of_several_reads_of_one_number_add_up(keys, shape):
    x = tm.tensor(np.full(shape, 2.0), requires_grad=True)
    y = x * 1.0
    sum((y[k] ** 2).sum() for k in (*keys, *keys)).backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full(shape, 4 * 4.0))


def test_the_gradient_of_a_loop_over_rows_writes_each_row_once():
    """Not the whole array for each of them: four times as many rows would make sixteen times as much."""

    def allocated(rows):
        x = tm.tensor(np.ones((rows, 1000)), requires_grad=True)
        y = sum((x[k] * x[k]).sum() for k in range(rows))
        made, zeros = [0], np.zeros

        def counted(shape, *args, **kwargs):
            made[0] += np.prod(shape)
            return zeros(shape, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(np, "zeros", counted)
            y.backward()
        np.testing.assert_array_equal(x.grad.numpy(), 2.0)
        return made[0]

    assert allocated(40) <= 4 * 1.5 * allocated(10)


def test_an_index_may_be_a_tensor_and_has_no_derivative():
    i = tm.tensor([0, 2])
    np.testing.assert_array_equal(tm.tensor(X)[i, 1].numpy(), X[[0, 2], 1])
    np.testing.assert_array_equal(tm.tensor(X)[tm.tensor(1)].numpy(), X[1])
    np.testing.assert_array_equal(tm.tensor(X)[[tm.tensor(1), 0]].numpy(), X[[1, 0]])
    x = tm.tensor(X)
    np.testing.assert_array_equal(x[x > 0].numpy(), X[X > 0])
    np.testing.assert_array_equal(tm.grad(lambda x: x[x > 0].sum())(X).numpy(), (X > 0) * 1.0)


# -- assignment ---------------------------------------------------------------------------------------
def test_assignment_is_recorded_and_earlier_results_keep_what_they_held():
    x = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    before = y[1] * 1
    view = y[:2]
    y[1] = x[0] * x[0]
    assert (before.item(), view.tolist(), y.tolist()) == (4.0, [2.0, 4.0], [2.0, 1.0, 6.0])
    (y.sum() + before).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [4.0, 2.0, 2.0])


def test_assignment_in_place_of_an_operation():
    x = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    y[[0, 2]] += x[1]
    y[1:] *= 3.0
    np.testing.assert_array_equal(y.detach().numpy(), [3.0, 6.0, 15.0])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 7.0, 3.0])


def test_assignment_strips_leading_ones_of_the_value_as_numpy_does():
    check_grads(lambda x, v: x.at[0].set(v), (normal(2, 3), normal(1, 1, 3)))


@pytest.mark.parametrize("kind", [np.bool_, np.int8, np.uint16, np.int64, np.float32, np.complex64])
def test_assignment_works_for_every_dtype(kind):
    x = np.zeros(3, kind)
    t = tm.tensor(x)
    t[1] = np.ones((), kind)
    x[1] = 1
    assert t.dtype == x.dtype
    np.testing.assert_array_equal(t.numpy(), x)


def test_assignment_of_what_the_dtype_cannot_hold_raises():
    with pytest.raises(tm.DTypeError, match=r"float64\(\).* would lose|assigning 1.5 into int64"):
        tm.arange(3)[0] = 1.5
    with pytest.raises(tm.DTypeError, match="complex128"):
        tm.zeros(3)[0] = tm.tensor(1j)
    with pytest.raises(tm.DTypeError, match="int64"):
        tm.arange(3).at[0].multiply(0.5)
    with pytest.raises(tm.DTypeError, match="1000 into int8"):
        tm.zeros(2, dtype=tm.int8)[0] = 1000
    with pytest.raises(tm.DTypeError, match="2 into bool"):
        tm.zeros(2, dtype=bool)[0] = 2
    single = tm.zeros(2, dtype=tm.float32)
    single[0] = tm.tensor(1.5)
    assert single.dtype == np.float32


def test_a_complex_array_takes_real_values_and_gives_them_real_gradients():
    check_grads(lambda x, v: tm.abs(x.at[[0, 0]].set(v)) ** 2, (normal(3) + 1j * normal(3), normal(2)))
    check_grads(lambda x, v: x.at[[0, 0]].multiply(v), (normal(3) + 1j * normal(3), normal(2) + 1j))
    check_grads(lambda x: x[[2, 2, 0]] ** 2, (normal(3) + 1j * normal(3),))


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint8, np.uint64, np.int32])
def test_many_rows_are_read_as_few_are(kind):
    """Beyond some number of indices another of NumPy's functions is taken."""
    rng = np.random.default_rng(0)
    at = rng.integers(0, 3, size=(40, 5)).astype(kind)
    minus = at if np.dtype(kind).kind == "u" else at - 3
    for x in (normal(3, 2), normal(3, 3, 2), normal(3), normal(2, 3)[::-1].T, normal(3, 3).astype(np.float32)):
        for index in (at, minus, np.broadcast_to(at[0], (40, 5))):
            np.testing.assert_array_equal(tm.tensor(x)[index].numpy(), x[index], strict=True)
            if x.ndim > 2:
                np.testing.assert_array_equal(tm.tensor(x)[:, index].numpy(), x[:, index], strict=True)
                np.testing.assert_array_equal(tm.tensor(x)[..., index % 2].numpy(), x[..., index % 2], strict=True)
        check_grads(lambda x: x[at] ** 2, (x.astype(float),))
    with pytest.raises(tm.IndexOutOfBounds, match="float64"):
        tm.tensor(normal(2, 3))[at + 2 if at.dtype.itemsize > 4 else at]
    mask = rng.random(100) < 0.5
    np.testing.assert_array_equal(tm.tensor(np.ones((100, 2)))[mask].numpy(), np.ones((mask.sum(), 2)))


# -- errors -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("index", [4, -5, [0, 4], (0, 0, 2), (slice(None), [3]), (0, 0, 0, 0)])
def test_an_index_beyond_the_end_is_named_for_reading_and_writing(index):
    x = tm.tensor(X)
    with pytest.raises(tm.IndexOutOfBounds, match="float64"):
        x[index]
    with pytest.raises(tm.IndexOutOfBounds, match="float64"):
        x[index] = 0.0
    np.testing.assert_array_equal(x.numpy(), X)


@pytest.mark.parametrize("index", [1.0, [0.5], "a", slice(0.5, 2), np.array([1.0]), 1j])
def test_an_index_of_another_kind_is_named(index):
    with pytest.raises((tm.InvalidIndex, tm.DTypeError)):
        tm.tensor(X)[index]


def test_a_mask_of_another_length_and_a_value_of_another_shape_are_named():
    with pytest.raises(tm.IndexOutOfBounds, match="boolean"):
        tm.tensor(X)[[True, False]]
    with pytest.raises(tm.ShapeError, match=r"could not (be )?broadcast"):
        tm.tensor(X)[0] = normal(5)


# -- functions ----------------------------------------------------------------------------------------
TAKEN = {
    "take": (lambda xp, x: xp.take(x, np.array([1, 1, -1])), X),
    "take along": (lambda xp, x: xp.take(x, np.array([[0, 2], [2, 2]]), axis=1), X),
    "take one": (lambda xp, x: xp.take(x, 1, axis=-1), X),
    "take none": (lambda xp, x: xp.take(x, [], axis=-1) if xp is tm else np.take(x, np.zeros(0, int), axis=-1), X),
    "take and wrap": (lambda xp, x: xp.take(x, np.array([5, -7]), axis=0, mode="wrap"), X),
    "take and clip": (lambda xp, x: xp.take(x, np.array([5, -7]), axis=0, mode="clip"), X),
    "take_along_axis": (lambda xp, x: xp.take_along_axis(x, np.argsort(X, axis=1), axis=1), X),
    "take_along_axis of few": (lambda xp, x: xp.take_along_axis(x, np.argmax(X, axis=-1, keepdims=True), axis=-1), X),
    "take_along_axis broadcast": (lambda xp, x: xp.take_along_axis(x, np.array([[[2], [2]]]), axis=1), X),
    "take_along_axis flat": (lambda xp, x: xp.take_along_axis(x, np.array([3, 3, 0]), axis=None), X),
    "compress": (lambda xp, x: xp.compress([False, True, True], x, axis=1), X),
    "compress by fewer": (lambda xp, x: xp.compress([False, True], x, axis=0), X),
    "compress by numbers": (lambda xp, x: xp.compress([0, 2], x), X),
    "extract": (lambda xp, x: xp.extract(MASK[..., None] & np.array([True, False]), x), X),
}


@pytest.mark.parametrize("name", TAKEN)
def test_taking_is_numpys_and_its_derivatives_are_right(name):
    f, x = TAKEN[name]
    want = f(np, x)
    got = f(tm, x)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got.numpy(), want)
    check_grads(lambda x: f(tm, x) ** 2, (x,))


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choose_is_numpys_and_its_derivatives_are_right(mode):
    which = np.array([[0, 2, 1], [1, 0, 0]]) + (2 if mode != "raise" else 0)
    a, b, c = normal(2, 3), normal(3), np.array(0.4)
    want = np.choose(which, [a, b, c], mode=mode)
    np.testing.assert_array_equal(tm.choose(which, [a, b, c], mode=mode).numpy(), want)
    np.testing.assert_array_equal(tm.tensor(which).choose([a, b, c], mode=mode).numpy(), want)
    check_grads(lambda a, b, c: tm.choose(which, [a, b, c], mode=mode) ** 2, (a, b, c))


def test_compress_is_also_a_method_with_the_array_first():
    x = tm.tensor(X)
    np.testing.assert_array_equal(x.compress([True, False, True], axis=1).numpy(), X.compress([1, 0, 1], axis=1))
    np.testing.assert_array_equal(np.compress([True, False, True], x, axis=1).numpy(), X.compress([1, 0, 1], axis=1))


@pytest.mark.parametrize("axis", [0, -1, None])
def test_put_along_axis_assigns_in_place_as_numpy_does(axis):
    x = normal(2, 3)
    i = np.array([[1, 0, 1]]) if axis == 0 else np.array([4, 1]) if axis is None else np.array([[2, 0], [1, 1]])
    v = normal(*i.shape)
    want = x.copy()
    np.put_along_axis(want, i, v, axis)
    t = tm.tensor(x)
    before = t * 1
    returned = tm.put_along_axis(t, i, v, axis)
    np.testing.assert_array_equal(t.numpy(), want)
    np.testing.assert_array_equal(returned.numpy(), want)
    np.testing.assert_array_equal(before.numpy(), x)
    np.testing.assert_array_equal(tm.put_along_axis(x, i, v, axis).numpy(), want)
    check_grads(lambda x, v: tm.put_along_axis(x, i, v, axis) ** 2, (x, v))


def test_taking_names_what_is_wrong():
    x = tm.tensor(X)
    for call, error, words in [
        (lambda: tm.take(x, 9, axis=1), tm.IndexOutOfBounds, "out of bounds"),
        (lambda: tm.take(x, 0, axis=3), tm.AxisError, "axis 3"),
        (lambda: tm.take(x, 0, mode="nearest"), tm.ArgumentError, "mode is"),
        (lambda: tm.take_along_axis(x, [[0]], axis=0), tm.ShapeError, "dimension"),
        (lambda: tm.take_along_axis(x, [[[9]]], axis=0), tm.IndexOutOfBounds, "9"),
        (lambda: tm.put_along_axis(x, [[0]], 1.0, axis=0), tm.ShapeError, "as many axes"),
        (lambda: tm.choose([3], [x, x]), tm.IndexOutOfBounds, "3"),
        (lambda: tm.choose([-1], [1.0, 2.0]), tm.IndexOutOfBounds, "below 0"),
        (lambda: tm.choose([0], []), tm.ShapeError, "one choice"),
        (lambda: tm.compress([[True]], x), tm.ShapeError, "vector"),
        (lambda: tm.compress([True] * 9, x, axis=0), tm.IndexOutOfBounds, "boolean"),
    ]:
        with pytest.raises(error, match=words):
            call()


def test_iterating_reads_slices_that_are_part_of_the_graph():
    x = tm.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * second).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[3.0, 4.0], [1.0, 2.0]])
