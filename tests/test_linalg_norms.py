"""Norms of every order: values, derivatives of both orders, and the stated subgradients."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import IllPosedDerivative

la = tm.linalg
ORDERS = [1, 2, 3, 1.5, 0.5, 4, -1, 0, np.inf, -np.inf]


@pytest.mark.parametrize("ord", ORDERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64])
def test_vector_norms_are_numpys(ord, dtype):
    x = (np.arange(1, 13).reshape(3, 4) * (1 + 0.5j if dtype is np.complex128 else 1)).astype(dtype)
    for options in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}):
        want, got = np.linalg.vector_norm(x, ord=ord, **options), la.vector_norm(x, ord=ord, **options)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-5 if dtype is np.float32 else 1e-13)
        assert got.shape == np.shape(want)
        assert got.dtype == (np.float32 if dtype is np.float32 else np.float64)


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norms_are_numpys_and_have_both_derivatives(ord):
    a = np.array([[[3.0, -0.5, 0.2], [0.3, 1.5, -0.7]], [[1.0, 2.0, 0.1], [-2.5, 0.4, 1.1]]])
    for keepdims in (False, True):
        want = np.linalg.norm(a, ord=ord, axis=(1, 2), keepdims=keepdims)
        np.testing.assert_allclose(la.norm(a, ord=ord, axis=(1, 2), keepdims=keepdims).numpy(), want, rtol=1e-13)
    np.testing.assert_allclose(la.norm(a[0] + 1j * a[1], ord=ord).numpy(), np.linalg.norm(a[0] + 1j * a[1], ord=ord))
    np.testing.assert_allclose(
        la.norm(a, ord=ord, axis=(2, 0)).numpy(), np.linalg.norm(a, ord=ord, axis=(2, 0)), rtol=1e-13
    )
    tm.testing.check_grads(lambda x: la.norm(x, ord=ord), (a[0],))


@pytest.mark.parametrize("ord", [1, 2, 3, 1.5, 0.5, np.inf, 0])
@pytest.mark.parametrize("dtype", [float, complex])
def test_the_gradient_of_a_norm_at_zero_is_zero(ord, dtype):
    g = tm.grad(lambda x: la.vector_norm(x, ord=ord))(tm.tensor(np.zeros(3, dtype))).numpy()
    np.testing.assert_array_equal(g, 0)
    t = tm.jvp(lambda x: la.vector_norm(x, ord=ord), (np.zeros(3, dtype),), (np.ones(3, dtype),))[1]
    assert float(t) == 0


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, 2, -2, np.inf])
def test_the_gradient_of_a_matrix_norm_at_zero_is_zero(ord):
    g = tm.grad(lambda x: la.norm(x, ord=ord))(tm.tensor(np.zeros((2, 3)))).numpy()
    np.testing.assert_array_equal(g, 0)


def test_zero_rows_of_a_batch_leave_the_others_right():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    g = tm.grad(lambda x: tm.sum(la.vector_norm(x, axis=1)))(tm.tensor(x)).numpy()
    np.testing.assert_allclose(g, [[0, 0], [0.6, 0.8]])


@pytest.mark.parametrize("ord", [2.5, 3, 4, 6])
def test_second_derivatives_are_right_where_an_element_is_zero(ord):
    x = np.array([0.0, 2.0, -1.0])

    def gradient(v):  # of (sum |x|^p)^(1/p)
        return np.sign(v) * np.abs(v) ** (ord - 1) * np.sum(np.abs(v) ** ord) ** (1 / ord - 1)

    want = np.empty((3, 3))
    for k, e in enumerate(np.eye(3) * 1e-5):
        want[k] = (gradient(x + e) - gradient(x - e)) / 2e-5
    got = tm.hessian(lambda v: la.vector_norm(v, ord=ord))(tm.tensor(x)).numpy()
    np.testing.assert_allclose(got, want, atol=1e-5 if ord > 2.5 else 5e-3)
    np.testing.assert_allclose(got, got.T, atol=1e-14)


def test_an_infinite_second_derivative_is_infinite_and_not_nan():
    h = tm.hvp(lambda v: la.vector_norm(v, ord=1.5), tm.tensor([0.0, 2.0]), tm.tensor([1.0, 0.0])).numpy()
    assert h[0] == np.inf
    h = tm.hvp(lambda v: la.vector_norm(v, ord=1.5), tm.tensor([0.0, 2.0]), tm.tensor([0.0, 1.0])).numpy()
    np.testing.assert_allclose(h, 0, atol=1e-12)  # homogeneous: no curvature along x


def test_ties_of_the_infinity_norm_share():
    g = tm.grad(lambda x: la.vector_norm(x, ord=np.inf))(tm.tensor([2.0, -2.0, 1.0])).numpy()
    np.testing.assert_allclose(g, [0.5, -0.5, 0.0])
    g = tm.grad(lambda x: la.norm(x, ord=np.inf))(tm.tensor([[1.0, -2.0], [3.0, 0.0]])).numpy()
    np.testing.assert_allclose(g, [[0.5, -0.5], [0.5, 0.0]])


@pytest.mark.parametrize("turn", [False, True])
def test_repeated_largest_singular_values_share_the_spectral_norms_gradient(turn):
    q = np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2 + np.eye(3))[0] if turn else np.eye(3)
    a = q @ np.diag([2.0, 2.0, 1.0]) @ q.T
    g = tm.grad(lambda x: la.norm(x, ord=2))(tm.tensor(a)).numpy()
    np.testing.assert_allclose(g, q @ np.diag([0.5, 0.5, 0.0]) @ q.T, atol=1e-12)


@pytest.mark.parametrize("dtype", [float, complex])
def test_the_nuclear_norm_at_repeated_singular_values_is_smooth(dtype):
    rng = np.random.default_rng(0)
    z = (lambda *s: rng.normal(size=s) + 1j * rng.normal(size=s)) if dtype is complex else lambda *s: rng.normal(size=s)
    u, v = np.linalg.qr(z(4, 3))[0], np.linalg.qr(z(3, 3))[0]
    a = tm.tensor(2 * u @ v.conj().T)
    np.testing.assert_allclose(tm.grad(lambda x: la.norm(x, ord="nuc"))(a).numpy(), u @ v.conj().T, atol=1e-12)
    t, h = z(4, 3), 2e-3

    def value(s):
        return np.linalg.norm(a.numpy() + s * t, ord="nuc")

    second = (16 * (value(h) + value(-h)) - value(2 * h) - value(-2 * h) - 30 * value(0)) / (12 * h * h)
    product = tm.hvp(lambda x: la.norm(x, ord="nuc"), a, tm.tensor(t)).numpy()
    assert np.sum(np.conj(product) * t).real == pytest.approx(second, rel=1e-6)


def test_the_nuclear_norm_at_a_zero_singular_value_has_its_smallest_subgradient_and_no_second_derivative():
    a = tm.tensor([[3.0, 0.0], [0.0, 0.0]])
    g = tm.grad(lambda x: la.norm(x, ord="nuc"))(a).numpy()
    np.testing.assert_allclose(g, [[1.0, 0.0], [0.0, 0.0]], atol=1e-14)
    with pytest.raises(IllPosedDerivative, match="3, 0"):
        tm.hvp(lambda x: la.norm(x, ord="nuc"), a, tm.tensor(np.eye(2)))


def test_the_condition_of_a_singular_matrix_is_infinite_and_has_no_derivative():
    assert float(la.cond([[1.0, 0.0], [0.0, 0.0]])) == np.inf
    with pytest.raises(IllPosedDerivative, match="5, "):
        tm.grad(la.cond)(tm.tensor([[1.0, 2.0], [2.0, 4.0]]))


def test_the_frobenius_norm_is_the_root_of_a_trace():
    a = tm.tensor([[1.0, 2.0], [3.0, 4.0]])
    root = lambda x: tm.sqrt(la.trace(x @ x.mT))  # noqa: E731
    assert float(la.norm(a)) == pytest.approx(float(root(a)))
    np.testing.assert_allclose(tm.grad(la.norm)(a).numpy(), tm.grad(root)(a).numpy(), rtol=1e-13)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("order", [1, -1, 2, -2, np.inf, -np.inf, "nuc", "fro"])
def test_a_matrix_without_elements_has_numpys_norm(shape, order):
    x = np.zeros(shape)
    if (order == -1 and not shape[1]) or (order == -np.inf and not shape[0]) or order == -2:
        with pytest.raises(tm.ShapeError, match="without elements"):
            tm.linalg.norm(tm.tensor(x), order)
        return
    assert tm.linalg.norm(tm.tensor(x), order).item() == 0.0
    assert tm.linalg.norm(tm.tensor(x), order, keepdims=True).shape == (1, 1)
    assert tm.grad(lambda x: tm.linalg.norm(x, order))(x).shape == shape
