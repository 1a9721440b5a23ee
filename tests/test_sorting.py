"""Sorting, searching and sets: values against NumPy, derivatives against the permutation they must be."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import ShapeError
from tinygrad_math.testing import check_grads

NAN = float("nan")
TIED = np.array([2.0, 1.0, 2.0, 1.0, 2.0])


def data(x):
    return np.asarray(tm.tensor(x).detach().numpy())


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_sort_is_numpys_and_its_jacobian_is_a_permutation_also_at_ties(descending, axis):
    x = np.array([[2.0, 1.0, 2.0], [1.0, 1.0, 0.0]])
    want = np.sort(x, axis=axis)
    want = np.flip(want, 0 if axis is None else axis) if descending else want
    y = tm.sort(x, axis=axis, descending=descending)
    np.testing.assert_array_equal(data(y), want)
    for jacobian in (tm.jacrev, tm.jacfwd):
        p = data(jacobian(lambda z: tm.sort(z, axis=axis, descending=descending))(x)).reshape(6, 6)
        np.testing.assert_array_equal(np.sort(p, axis=0)[-1], 1.0)
        np.testing.assert_array_equal(p @ p.T, np.eye(6))
        np.testing.assert_array_equal(p @ x.ravel(), want.ravel())


@pytest.mark.parametrize("descending", [False, True])
def test_argsort_keeps_ties_in_the_order_in_which_they_stand(descending):
    want = [0, 2, 4, 1, 3] if descending else [1, 3, 0, 2, 4]
    np.testing.assert_array_equal(data(tm.argsort(TIED, descending=descending)), want)


def test_sort_puts_nan_last_and_gives_it_its_own_cotangent():
    x = np.array([NAN, 1.0, 0.0])
    np.testing.assert_array_equal(data(tm.sort(x)), [0.0, 1.0, NAN])
    pulled = tm.vjp(tm.sort, x)[1](np.array([1.0, 2.0, 3.0]))[0]
    np.testing.assert_array_equal(data(pulled), [3.0, 2.0, 1.0])


def test_sorting_has_a_zero_second_derivative_but_not_a_function_of_it():
    x = np.array([3.0, 1.0, 2.0])
    h = data(tm.hessian(lambda z: tm.sum(tm.sort(z) ** 2 * np.array([1.0, 10.0, 100.0])))(x))
    np.testing.assert_array_equal(h, np.diag([200.0, 2.0, 20.0]))


def test_sorting_of_complex_numbers_and_float32_keeps_the_dtype():
    check_grads(tm.sort, (np.array([1 + 1j, -2j, 0.5]),))
    assert tm.grad(lambda z: tm.sort(z)[0])(np.ones(3, np.float32)).dtype == np.float32


@pytest.mark.parametrize("kth", [0, 2, -1, (1, 3)])
def test_partition_puts_the_kth_in_place_and_is_a_permutation(kth):
    x = np.array([5.0, 3.0, 1.0, 4.0, 2.0])
    y = data(tm.partition(x, kth))
    places = np.atleast_1d(kth)
    np.testing.assert_array_equal(y[places], np.sort(x)[places])
    p = data(tm.jacobian(lambda z: tm.partition(z, kth))(x))
    np.testing.assert_array_equal(p @ x, y)
    np.testing.assert_array_equal(p @ p.T, np.eye(5))
    np.testing.assert_array_equal(x[data(tm.argpartition(x, kth))], y)


def test_partition_beyond_the_end_is_a_named_error():
    with pytest.raises(ShapeError, match="partition"):
        tm.partition(np.ones(3), 5)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_topk_takes_the_ends_of_the_sorted_array_and_their_indices(largest, axis):
    x = np.array([[3.0, 9.0, 1.0], [8.0, 2.0, 7.0]])
    values, indices = tm.topk(x, 2, axis=axis, largest=largest)
    ordered = np.sort(x, axis=axis)
    ordered = np.flip(ordered, axis) if largest else ordered
    np.testing.assert_array_equal(data(values), np.take(ordered, [0, 1], axis=axis))
    np.testing.assert_array_equal(np.take_along_axis(x, data(indices), axis), data(values))
    g = data(tm.grad(lambda z: tm.sum(tm.topk(z, 1, axis=axis, largest=largest).values))(x))
    np.testing.assert_array_equal(g, x == np.take(ordered, [0], axis=axis))
    check_grads(lambda z: tm.topk(z, 2, axis=axis, largest=largest).values ** 2, (x,))


def test_topk_of_more_than_there_are_is_a_named_error():
    with pytest.raises(ShapeError, match="k=4"):
        tm.topk([1.0, 2.0, 3.0], 4)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted_is_numpys_with_and_without_a_sorter(side):
    a, v = np.array([3.0, 1.0, 2.0]), np.array([[0.0, 2.0], [3.0, 9.0]])
    order = np.argsort(a)
    want = np.searchsorted(a, v, side=side, sorter=order)
    np.testing.assert_array_equal(data(tm.searchsorted(a, v, side=side, sorter=order)), want)
    np.testing.assert_array_equal(data(tm.searchsorted(a[order], v, side=side)), want)


def test_the_places_of_what_is_not_zero_are_numpys():
    x = np.array([[0.0, 2.0], [3.0, 0.0]])
    for got, want in zip(tm.nonzero(x), np.nonzero(x), strict=True):
        np.testing.assert_array_equal(data(got), want)
    np.testing.assert_array_equal(data(tm.argwhere(x)), np.argwhere(x))
    np.testing.assert_array_equal(data(tm.flatnonzero(x)), np.flatnonzero(x))
    with pytest.raises(ShapeError, match="0-d"):
        tm.nonzero(np.float64(1.0))


def test_unique_values_are_taken_from_x_so_they_have_a_derivative():
    x = np.array([[2.0, 1.0], [3.0, 2.0]])
    got = tm.unique_all(x)
    want = np.unique_all(x)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(data(a), b)
    np.testing.assert_array_equal(data(got.values)[data(got.inverse_indices)], x)
    g = data(tm.grad(lambda z: tm.sum(tm.unique_values(z) * np.array([1.0, 10.0, 100.0])))(x))
    np.testing.assert_array_equal(g, [[10.0, 1.0], [100.0, 0.0]])


def test_the_array_apis_unique_keeps_nans_apart_and_numpys_does_not():
    x = np.array([NAN, 1.0, NAN])
    assert tm.unique_values(x).shape == (3,)
    assert tm.unique(x).shape == (2,)
    np.testing.assert_array_equal(data(tm.unique_counts(x).counts), [1, 1, 1])
    assert tm.unique_inverse(x).inverse_indices.shape == (3,)


def test_unique_along_an_axis_is_numpys():
    x = np.array([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0]])
    got = tm.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=0)
    want = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=0)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(data(a), b)


def test_isin_is_numpys():
    x, s = np.array([[1.0, 2.0], [3.0, 4.0]]), [2.0, 3.0]
    np.testing.assert_array_equal(data(tm.isin(x, s)), np.isin(x, s))
    np.testing.assert_array_equal(data(tm.isin(x, s, invert=True)), ~np.isin(x, s))
