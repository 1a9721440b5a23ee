"""New arrays: values and dtypes against NumPy, derivatives where a value goes in."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.testing import check_grads

rng = np.random.default_rng(0)


def same(got, want):
    assert isinstance(got, tm.Tensor)
    want = np.asarray(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_array_equal(got.numpy(), want)


CREATED = {
    "zeros": lambda xp: xp.zeros((2, 3)),
    "zeros of an int": lambda xp: xp.zeros(2, dtype=np.int8),
    "zeros of a dtype by position": lambda xp: xp.zeros((2,), np.complex64),
    "ones": lambda xp: xp.ones((2, 0)),
    "ones bool": lambda xp: xp.ones(3, dtype=bool),
    "full": lambda xp: xp.full((2, 2), 7),
    "full of a float": lambda xp: xp.full(3, 0.5, dtype=np.float32),
    "full of a vector": lambda xp: xp.full((2, 3), np.array([1.0, 2.0, 3.0])),
    "full complex": lambda xp: xp.full((), 1j),
    "eye": lambda xp: xp.eye(3),
    "eye off the diagonal": lambda xp: xp.eye(2, 4, k=-1, dtype=np.int16),
    "identity": lambda xp: xp.identity(2, dtype=np.float32),
    "arange": lambda xp: xp.arange(4),
    "arange from": lambda xp: xp.arange(1, 4),
    "arange by a step": lambda xp: xp.arange(1.0, 2.0, 0.25),
    "arange backward": lambda xp: xp.arange(5, 0, -2, dtype=np.float32),
    "arange of nothing": lambda xp: xp.arange(3, 1),
    "linspace": lambda xp: xp.linspace(0, 1, 7),
    "linspace without its end": lambda xp: xp.linspace(-1.5, 2, 4, endpoint=False),
    "linspace of arrays": lambda xp: xp.linspace(np.array([0.0, 1.0]), 2.0, 3, axis=-1),
    "linspace of one": lambda xp: xp.linspace(3, 4, 1),
    "linspace of none": lambda xp: xp.linspace(3, 4, 0),
    "linspace of integers": lambda xp: xp.linspace(0, 10, 4, dtype=np.int64),
    "linspace of single precision": lambda xp: xp.linspace(np.float32(0), np.float32(1), 5),
    "logspace": lambda xp: xp.logspace(0, 2, 3, base=2.0),
    "geomspace": lambda xp: xp.geomspace(1, 1000, 4),
    "geomspace below zero": lambda xp: xp.geomspace(-1, -8, 4),
    "zeros_like": lambda xp: xp.zeros_like(np.ones((2, 3), np.float32)),
    "zeros_like of another dtype": lambda xp: xp.zeros_like(np.ones(2), dtype=int),
    "zeros_like of another shape": lambda xp: xp.zeros_like(np.ones(2), shape=(3, 1)),
    "ones_like": lambda xp: xp.ones_like(np.zeros((0, 2), np.int8)),
    "full_like": lambda xp: xp.full_like(np.zeros(2, int), 3),
    "full_like of another dtype": lambda xp: xp.full_like(np.zeros(2, int), 0.5, dtype=float),
    "array": lambda xp: xp.array([[1, 2], [3, 4]]),
    "array of a dtype": lambda xp: xp.array([1, 2], dtype=np.float32),
    "array of more axes": lambda xp: xp.array([1.0, 2.0], ndmin=3),
    "asarray": lambda xp: xp.asarray(True),
    "asarray of a complex number": lambda xp: xp.asarray(1j),
    "astype": lambda xp: xp.astype(xp.asarray([1.7, -1.7]), np.int64),
    "copy": lambda xp: xp.copy(np.arange(3)),
    "indices": lambda xp: xp.indices((2, 3)),
    "fromfunction": lambda xp: xp.fromfunction(lambda i, j: i * 10 + j, (2, 3)),
    "fromfunction of integers": lambda xp: xp.fromfunction(lambda i: i, (3,), dtype=int),
}


@pytest.mark.parametrize("name", CREATED)
def test_it_is_numpys(name):
    same(CREATED[name](tm), CREATED[name](np))


def test_an_empty_array_has_the_shape_and_dtype_asked_for():
    assert tm.empty((2, 3), dtype=tm.float32).shape == (2, 3)
    assert tm.empty((2, 3), dtype=tm.float32).dtype == np.float32
    assert tm.empty_like(tm.zeros((2, 0), dtype=tm.int8)).dtype == np.int8


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_indices_of_triangles_read_triangles(k):
    x = rng.standard_normal((3, 4))
    same(tm.tensor(x)[tm.tril_indices(3, k, 4)], x[np.tril_indices(3, k, 4)])
    same(tm.tensor(x)[tm.triu_indices(3, k, 4)], x[np.triu_indices(3, k, 4)])


def test_a_nested_list_may_mix_tensors_and_numbers():
    f = lambda a, b: tm.array([[a, 1.0, b[0]], [2, a * b[1], np.pi]])  # noqa: E731
    a, b = 0.5, np.array([2.0, 3.0])
    np.testing.assert_allclose(f(tm.tensor(a), tm.tensor(b)).numpy(), [[0.5, 1, 2], [2, 1.5, np.pi]])
    check_grads(f, (a, b))
    check_grads(lambda b: tm.array([b, b * b, [1.0, 2.0]]), (b,))
    check_grads(lambda b: tm.asarray((b[0], b)[1:]), (b,))


def test_numbers_beside_tensors_in_a_list_take_on_their_dtype():
    t = tm.tensor(np.float32(0.5))
    assert tm.array([t, 1.0]).dtype == tm.tensor([t, 1]).dtype == tm.stack([1.0, t]).dtype == np.float32
    assert tm.array([[t, 1.0], [2.0, 3.0]]).dtype == np.float32
    assert tm.array([t, 1j]).dtype == np.complex64
    assert tm.array([t, np.float64(1.0)]).dtype == np.float64
    assert tm.array([[tm.tensor(1), 2], [3, 4]]).dtype == np.int64
    assert tm.array([1, 2.5]).dtype == np.float64
    same(tm.array([tm.tensor(1), 2, 2.5]), [1.0, 2.0, 2.5])
    same(tm.stack([tm.tensor(1), 2, 2.5]), [1.0, 2.0, 2.5])


def test_full_arrays_are_differentiable_in_the_value():
    check_grads(lambda v: tm.full((2, 3), v) ** 2, (0.7,))
    check_grads(lambda v: tm.full((2, 3), v) ** 2, (rng.standard_normal(3),))
    check_grads(lambda v: tm.full_like([[1.0, 2.0]], v) ** 2, (0.7,))


@pytest.mark.parametrize("options", [{}, {"endpoint": False}, {"num": 1}, {"num": 0}, {"axis": -1}])
def test_spaces_are_differentiable_in_both_ends(options):
    options = {"num": 4, **options}
    for ends in [(0.3, 2.0), (rng.uniform(0.5, 1, 3), 2.0), (rng.uniform(0.5, 1, (2, 1)), rng.uniform(2, 3, 3))]:
        same(tm.linspace(*map(tm.asarray, ends), **options), np.linspace(*ends, **options))
        for f in (tm.linspace, tm.logspace, tm.geomspace):
            g = getattr(np, f.__name__)
            value = tm.vjp(lambda a, b: f(a, b, **options), *ends)[0]
            np.testing.assert_allclose(value.numpy(), g(*ends, **options), rtol=1e-12)
            check_grads(lambda a, b: f(a, b, **options), ends)
    check_grads(lambda a, b: tm.geomspace(a, b, **options), (-0.5, -3.0))


def test_arange_is_differentiable_in_start_and_step():
    check_grads(lambda a, h: tm.arange(a, 3.0, h) ** 2, (1.0, 0.7))
    np.testing.assert_allclose(tm.arange(tm.tensor(1.0, requires_grad=True), 3.0).data, np.arange(1.0, 3.0))


def test_linspace_gives_its_step_which_is_differentiable():
    _, step = tm.linspace(1.0, 2.0, 5, retstep=True)
    assert step.item() == 0.25
    assert tm.grad(lambda b: tm.linspace(1.0, b, 5, retstep=True)[1])(2.0).item() == 0.25
    assert np.isnan(tm.linspace(1.0, 2.0, 1, retstep=True)[1])


def test_linspace_of_complex_and_of_single_precision_ends():
    check_grads(lambda a, b: tm.linspace(a, b, 4), (1 + 2j, 0.5))
    y, pull = tm.vjp(lambda a: tm.linspace(a, np.float32(2), 4), np.float32(1))
    assert y.dtype == np.float32
    assert pull(np.ones(4, np.float32))[0].dtype == np.float32


# -- conversion ---------------------------------------------------------------------------------------
def test_asarray_shares_memory_only_if_it_must_not_copy():
    x = np.arange(3.0)
    t = tm.tensor([1.0])
    assert not np.shares_memory(tm.asarray(x).data, x)
    assert np.shares_memory(tm.asarray(x, copy=False).data, x)
    assert not np.shares_memory(tm.asarray(x, copy=True).data, x)
    assert not np.shares_memory(tm.array(x).data, x)
    assert tm.asarray(t) is t
    assert tm.asarray(t, dtype=float) is t
    assert tm.asarray(t, dtype=tm.float32).dtype == np.float32
    with pytest.raises(tm.ShapeError, match="copy=False"):
        tm.asarray(x, dtype=tm.float32, copy=False)
    with pytest.raises(tm.ShapeError, match="copy=False"):
        tm.asarray([1.0], copy=False)


def test_copies_and_conversions_stay_in_the_graph():
    check_grads(lambda x: tm.copy(x) * tm.array(x) * tm.asarray(x, copy=True), (rng.standard_normal(3),))
    check_grads(lambda x: tm.astype(x, tm.complex128) ** 2, (rng.standard_normal(3),))
    g = tm.grad(lambda x: (tm.astype(x, tm.float64) ** 2).sum())(np.array([1.0, 2.0], np.float32))
    same(g, np.array([2.0, 4.0], np.float32))


def test_a_conversion_to_integers_is_a_constant_for_the_derivative():
    x = np.array([1.5, 2.5])
    np.testing.assert_array_equal(tm.grad(lambda x: (tm.astype(x, int) * 3.0 + x).sum())(x).numpy(), [1.0, 1.0])
    _, tangent = tm.jvp(lambda x: tm.astype(x, int) * x, (x,), (np.ones(2),))
    np.testing.assert_array_equal(tangent.numpy(), [1.0, 2.0])


def test_memory_of_other_libraries_comes_in_by_dlpack():
    x = np.arange(3.0)
    assert np.shares_memory(tm.from_dlpack(x, copy=False).data, x)
    for copy in (None, True):
        assert not np.shares_memory(tm.from_dlpack(x, copy=copy).data, x)
        assert tm.from_dlpack(x, copy=copy).tolist() == [0.0, 1.0, 2.0]
    t = tm.tensor([1.0])
    assert tm.from_dlpack(t) is t


class Marked:
    """An array as PyTorch has it whose sign may be a mark of the view, which DLPack does not hand over."""

    def __init__(self, negative: bool) -> None:
        self.numbers, self.negative = np.array([2.0, -4.0]), negative

    def is_neg(self) -> bool:
        return self.negative

    def __dlpack__(self, **asked):
        return self.numbers.__dlpack__(**asked)

    def __dlpack_device__(self):
        return self.numbers.__dlpack_device__()


def test_a_view_whose_sign_is_a_mark_is_refused_by_dlpack_and_one_without_the_mark_comes_in():
    assert tm.from_dlpack(Marked(negative=False)).tolist() == [2.0, -4.0]
    for copy in (None, True, False):
        with pytest.raises(tm.DTypeError, match=r"resolve_neg\(\)"):
            tm.from_dlpack(Marked(negative=True), copy=copy)


def test_what_has_no_numeric_dtype_or_no_place_is_named():
    for call, error, words in [
        (lambda: tm.asarray("text"), tm.DTypeError, "text|str"),
        (lambda: tm.asarray(["a"]), tm.DTypeError, "text"),
        (lambda: tm.asarray(10**40), tm.DTypeError, "float"),
        (lambda: tm.astype(tm.tensor(1j), float), tm.DTypeError, "imaginary"),
        (lambda: tm.zeros(2, device="gpu"), tm.ArgumentError, "cpu"),
        (lambda: tm.asarray([1.0], device="gpu"), tm.ArgumentError, "cpu"),
        (lambda: tm.meshgrid([[1.0]]), tm.ShapeError, "vectors"),
        (lambda: tm.meshgrid([1.0], indexing="yx"), tm.ArgumentError, "indexing"),
        (lambda: tm.linspace(0.0, 1.0, -1), tm.ArgumentError, "0 or more"),
    ]:
        with pytest.raises(error, match=words):
            call()
    with pytest.raises((tm.DTypeError, ValueError)):
        tm.asarray([[1.0], [1.0, 2.0]])


def test_numpys_functions_create_like_tensors():
    x = tm.tensor([1.0, 2.0], requires_grad=True)
    for y in (np.zeros_like(x), np.ones_like(x), np.full_like(x, 3.0), np.copy(x), np.linspace(x, 3.0, 4)):
        assert isinstance(y, tm.Tensor)
    check_grads(lambda a, b: np.linspace(a, b, 4) if isinstance(a, tm.Tensor) else tm.linspace(a, b, 4), (1.0, 2.0))


def test_spaces_have_numpys_dtypes_recorded_traced_and_batched():
    x = np.array([2, 3], "f4")
    for name, f in {
        "geomspace": lambda xp, v: xp.geomspace(v, 5, 4),
        "logspace": lambda xp, v: xp.logspace(0, v, 3),
        "linspace": lambda xp, v: xp.linspace(0, v, 3),
    }.items():
        want = f(np, x)
        own = functools.partial(f, tm)
        live = own(tm.tensor(x, requires_grad=True)).detach()
        tensors = (own(tm.tensor(x)), live, tm.compile(own)(x), tm.vmap(own, out_axes=1)(x))
        for got in tensors:
            assert got.dtype == want.dtype, name
            np.testing.assert_allclose(got.numpy(), want, rtol=8 * np.finfo(want.dtype).eps)
        _, back = tm.vjp(own, x)
        assert back(np.ones(want.shape, want.dtype))[0].dtype == np.float32


def test_a_python_number_that_is_joined_takes_on_the_others_dtype_in_a_batch_too():
    for f, x in ((lambda v: tm.stack([v, 2.5]), np.array([1, 2], "f4")),
                 (lambda v: tm.append(v, 2.5), np.array([[1], [2]], "f4"))):  # fmt: skip
        assert f(tm.tensor(x[0])).dtype == tm.vmap(f)(x).dtype == np.float32
        assert tm.vmap(f)(x).tolist() == [[1, 2.5], [2, 2.5]]


@pytest.mark.parametrize(
    "num, endpoint", [(0, True), (1, True), (1, False), (2, True), (2, False), (7, True), (7, False)]
)
@pytest.mark.parametrize("start, stop", [(0.1, 0.9), (np.array([-0.3, -7.0]), -0.7), (0.3 + 0.1j, 2j)])
def test_a_geometric_space_that_is_recorded_has_numpys_values_to_the_last_bit(num, endpoint, start, stop):
    """Its ends above all, which are what was given: as edges of bins they count what lies on them."""
    want = np.geomspace(start, stop, num, endpoint)
    f = functools.partial(tm.geomspace, num=num, endpoint=endpoint)
    for got in (f(tm.tensor(start, requires_grad=True), stop).detach(), tm.compile(f)(start, stop)):
        np.testing.assert_allclose(got.numpy(), want, rtol=4e-16 if want.dtype.kind == "c" else 0, atol=0)
    check_grads(f, (start, stop))
