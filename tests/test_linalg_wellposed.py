"""Where eigenvalues or singular values coincide: right derivatives of what has one, named errors for the rest."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import IllPosedDerivative, SingularMatrix

la = tm.linalg


def unitary(n, dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n))
    if np.dtype(dtype).kind == "c":
        a = a + 1j * rng.normal(size=(n, n))
    return np.linalg.qr(a)[0]


def arrays(*shape, dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=shape)
    return a + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else a


def hermitian(n, dtype=float, seed=0):
    a = arrays(n, n, dtype=dtype, seed=seed)
    return (a + a.conj().T) / 2


def slope(f, a, t, h=1e-3):
    """d/ds f(a + s t) by central differences of fourth order."""
    return (8 * (f(a + h * t) - f(a - h * t)) - (f(a + 2 * h * t) - f(a - 2 * h * t))) / (12 * h)


def bend(f, a, t, h=3e-3):
    """d2/ds2 f(a + s t)."""
    return (16 * (f(a + h * t) + f(a - h * t)) - f(a + 2 * h * t) - f(a - 2 * h * t) - 30 * f(a)) / (12 * h * h)


def inner(g, t):
    return float(np.sum(np.conj(tm.asarray(g).numpy()) * t).real)


def first_orders(f, a, t):
    return {"rev": inner(tm.grad(f)(tm.tensor(a)), t), "fwd": float(tm.jvp(f, (a,), (t,))[1].numpy())}


def second_order(mode, f, a, t):
    a, along = tm.tensor(a), tm.tensor(t)
    if mode == "hvp":
        return inner(tm.hvp(f, a, along), t)
    if mode == "rev-rev":
        return inner(tm.grad(lambda x: tm.sum(tm.real(tm.conj(tm.grad(f)(x)) * along)))(a), t)
    return float(tm.jvp(lambda x: tm.jvp(f, (x,), (along,))[1], (a,), (along,))[1].numpy())


def assert_derivatives(f, a, t, second=("hvp", "rev-rev", "fwd-fwd")):
    value = lambda x: float(f(tm.tensor(x)).numpy())  # noqa: E731
    want = slope(value, a, t)
    for mode, got in first_orders(f, a, t).items():
        assert got == pytest.approx(want, rel=1e-8, abs=1e-8), mode
    if second:
        want = bend(value, a, t)
        for mode in second:
            assert second_order(mode, f, a, t) == pytest.approx(want, rel=1e-6, abs=1e-6), mode


def outer(v):
    return v @ tm.conj(v).mT


POINTS = [
    pytest.param(q, w, dtype, id=f"{np.dtype(dtype)}-{w}-{'turned' if q else 'diagonal'}")
    for q in (True, False)
    for w in ([-1.0, 2.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0])
    for dtype in (float, complex)
]


def matrix(turn, w, dtype):
    q = unitary(len(w), dtype) if turn else np.eye(len(w), dtype=dtype)
    return (q * np.array(w)) @ q.conj().T


@pytest.mark.parametrize(("turn", "w", "dtype"), POINTS)
def test_the_projector_onto_an_eigenspace_has_all_derivatives(turn, w, dtype):
    a, c, t = matrix(turn, w, dtype), hermitian(4, dtype, 1), hermitian(4, dtype, 2)
    first = 1 if w[0] < 0 else 2  # the lowest eigenspace: simple, or of dimension two
    for columns in (slice(0, first), slice(first, 4)):
        f = lambda x, s=columns: tm.real(tm.sum(tm.conj(outer(la.eigh(x).eigenvectors[:, s])) * c))  # noqa: E731
        assert_derivatives(f, a, t)


@pytest.mark.parametrize(("turn", "w", "dtype"), POINTS)
def test_symmetric_functions_of_eigenvalues_have_derivatives(turn, w, dtype):
    a, t = matrix(turn, w, dtype), hermitian(4, dtype, 2)
    for f in (
        lambda x: tm.sum(la.eigvalsh(x) ** 3),
        lambda x: tm.sum(tm.exp(la.eigh(x).eigenvalues)),
        lambda x: tm.sum(la.eigvalsh(x)) ** 2,
    ):
        assert_derivatives(f, a, t, second=("hvp", "rev-rev"))


def test_the_second_derivative_of_a_trace_function_sees_the_whole_eigenspace():
    t = np.array([[0.0, 1.0], [1.0, 0.0]])
    h = tm.hvp(lambda x: tm.sum(la.eigvalsh(x) ** 2), tm.tensor(np.eye(2)), tm.tensor(t))  # tr A^2: 2 t
    np.testing.assert_allclose(h.numpy(), 2 * t, atol=1e-12)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("point", [np.eye(3), np.diag([1.0, 2.0, 2.0])])
def test_one_of_several_equal_eigenvalues_has_no_derivative(dtype, point):
    with pytest.raises(IllPosedDerivative, match=r"[12], [12].*coincide"):
        tm.grad(lambda x: la.eigvalsh(x)[2])(tm.tensor(point.astype(dtype)))


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("mode", ["rev", "fwd"])
def test_an_eigenvector_of_a_degenerate_block_has_no_derivative(dtype, mode):
    point, t = np.diag([1.0, 2.0, 2.0]).astype(dtype), hermitian(3, dtype)
    for f in (
        lambda x: tm.real(la.eigh(x).eigenvectors[1, 1]),
        lambda x: tm.sum(tm.abs(la.eigh(x).eigenvectors[:, 1]) ** 2 * np.arange(3.0)),
        lambda x: tm.real(outer(la.eigh(x).eigenvectors[:, 2:])[2, 1]),
    ):
        with pytest.raises(IllPosedDerivative, match=r"2, 2|phase"):
            tm.grad(f)(tm.tensor(point)) if mode == "rev" else tm.jvp(f, (point,), (t,))


@pytest.mark.parametrize(("turn", "w", "dtype"), POINTS)
def test_a_matrix_function_through_a_degenerate_decomposition_has_a_gradient(turn, w, dtype):
    a, c, t = matrix(turn, w, dtype), hermitian(4, dtype, 1), hermitian(4, dtype, 2)

    def through(x):
        w, v = la.eigh(x)
        return tm.real(tm.sum(tm.conj((v * tm.exp(w)) @ tm.conj(v).mT) * c))

    assert_derivatives(through, a, t, second=())
    x = tm.tensor(a, requires_grad=True)
    through(x).backward()
    direct = tm.grad(lambda x: tm.real(tm.sum(tm.conj(la.expm(x)) * c)))(tm.tensor(a)).numpy()
    np.testing.assert_allclose(x.grad.numpy(), (direct + direct.conj().T) / 2, atol=1e-10)


def test_matrix_functions_one_after_another_and_in_stacks():
    a, c = np.stack([np.eye(3), np.diag([1.0, 2.0, 2.0]), hermitian(3)]), hermitian(3, seed=1)

    def through(x, f):
        w, v = la.eigh(x)
        return (v * tm.expand_dims(f(w), -2)) @ v.mT

    g = tm.grad(lambda x: tm.sum(through(through(x, tm.exp), tm.sin) * c))(tm.tensor(a)).numpy()
    for one, point in zip(g, a, strict=True):
        value = lambda x: np.sum(_sine_of_exponential(x) * c)  # noqa: E731
        t = hermitian(3, seed=5)
        assert np.sum(one * t) == pytest.approx(slope(value, point, t), rel=1e-7)


def test_a_decomposition_that_is_called_twice_makes_the_same_choice_twice():
    a, c, t = matrix(True, [1.0, 1.0, 3.0, 3.0], float), hermitian(4, seed=1), hermitian(4, seed=2)
    f = lambda x: tm.sum((la.eigh(x).eigenvectors[:, :2] @ la.eigh(x).eigenvectors[:, :2].mT) * c)  # noqa: E731
    assert_derivatives(f, a, t, second=())


def _sine_of_exponential(x):
    w, v = np.linalg.eigh(x)
    return (v * np.sin(np.exp(w))) @ v.T


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_functions_of_repeated_singular_values_have_a_gradient(shape, dtype):
    a, c = with_values(*shape, [2.0, 2.0, 1.0], dtype), arrays(*shape, dtype=dtype, seed=4)

    def through(x, f):
        u, s, vh = la.svd(x, full_matrices=False)
        return tm.real(tm.sum(tm.conj((u * f(s)) @ vh) * c))

    identity = tm.grad(lambda x: through(x, lambda s: s))(tm.tensor(a)).numpy()
    np.testing.assert_allclose(identity, c, atol=1e-9)
    assert_derivatives(lambda x: through(x, tm.exp), a, arrays(*shape, dtype=dtype, seed=3), second=())


def test_a_function_that_is_stationary_in_the_choice_by_accident_is_refused():
    point = np.diag([1.0, 2.0, 2.0])
    for f in (
        lambda x: la.eigh(x).eigenvectors[0, 2],  # 0 for every choice, but it moves as the choice tells
        lambda x: la.eigh(x).eigenvectors[1, 1],
        lambda x: la.eigh(x).eigenvalues[2] + la.eigh(x).eigenvectors[0, 0] ** 2,
    ):
        with pytest.raises(IllPosedDerivative, match="2, 2"):
            tm.grad(f)(tm.tensor(point))
    with pytest.raises(IllPosedDerivative, match="2, 2"):
        tm.grad(lambda x: la.svd(x).S[0] * la.svd(x).U[0, 0] ** 2)(tm.tensor(np.diag([2.0, 2.0, 1.0])))


def test_a_function_of_the_phase_of_a_complex_eigenvector_is_refused():
    a = hermitian(3, complex)
    with pytest.raises(IllPosedDerivative, match="phase"):
        tm.grad(lambda x: tm.real(la.eigh(x).eigenvectors[0, 0]))(tm.tensor(a))
    assert_derivatives(lambda x: tm.abs(la.eigh(x).eigenvectors[0, 0]) ** 2, a, hermitian(3, complex, 1))


def test_near_but_distinct_eigenvalues_are_not_taken_for_equal():
    a = np.diag([1.0, 1.0 + 1e-6, 3.0])
    g = tm.grad(lambda x: la.eigvalsh(x)[1])(tm.tensor(a)).numpy()
    np.testing.assert_allclose(g, np.diag([0.0, 1.0, 0.0]), atol=1e-9)


# -- singular values ----------------------------------------------------------------------------------------


def with_values(m, n, s, dtype=float):
    u, v = unitary(m, dtype, 1), unitary(n, dtype, 2)
    return (u[:, : len(s)] * np.array(s)) @ v[:, : len(s)].conj().T


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(("m", "n"), [(3, 3), (4, 3), (3, 4)])
def test_projectors_of_repeated_singular_values_have_derivatives(m, n, dtype):
    a, t = with_values(m, n, [3.0, 1.0, 1.0], dtype), arrays(m, n, dtype=dtype, seed=3)
    c, d = hermitian(m, dtype, 4), hermitian(n, dtype, 5)

    def f(x):
        u, _, vh = la.svd(x, full_matrices=False)
        left = tm.sum(tm.conj(outer(u[:, 1:3])) * c)
        return tm.real(left + tm.sum(tm.conj(tm.conj(vh[:1]).mT @ vh[:1]) * d))

    assert_derivatives(f, a, t)


@pytest.mark.parametrize("dtype", [float, complex])
def test_the_polar_factor_of_repeated_singular_values_has_a_derivative(dtype):
    a, t = with_values(4, 3, [2.0, 2.0, 1.0], dtype), arrays(4, 3, dtype=dtype, seed=3)
    c = arrays(4, 3, dtype=dtype, seed=4)

    def f(x):
        u, _, vh = la.svd(x, full_matrices=False)
        return tm.real(tm.sum(tm.conj(u @ vh) * c))

    assert_derivatives(f, a, t)
    assert_derivatives(f, with_values(4, 3, [3.0, 2.0, 1.0], dtype), t)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(("m", "n"), [(4, 2), (2, 4), (3, 3)])
def test_the_full_decomposition_differentiates_projectors_onto_null_spaces(m, n, dtype):
    k = min(m, n)
    a, t = with_values(m, n, [3.0, 2.0, 1.0][:k], dtype), arrays(m, n, dtype=dtype, seed=3)
    c, d = hermitian(m, dtype, 4), hermitian(n, dtype, 5)

    def f(x):
        u, s, vh = la.svd(x)
        null = tm.sum(tm.conj(outer(u[:, k - 1 :])) * c) + tm.sum(tm.conj(tm.conj(vh[k - 1 :]).mT @ vh[k - 1 :]) * d)
        return tm.real(null) * tm.sum(s**2)

    assert_derivatives(f, a, t)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_symmetric_functions_of_repeated_singular_values_have_both_derivatives(shape, dtype):
    a, t = with_values(*shape, [2.0, 2.0, 1.0], dtype), arrays(*shape, dtype=dtype, seed=3)
    assert_derivatives(lambda x: tm.sum(la.svdvals(x) ** 3), a, t, second=("hvp", "rev-rev"))
    assert_derivatives(lambda x: tm.sum(tm.exp(la.svd(x).S)), a, t, second=("hvp", "rev-rev"))


TWICE = np.diag([2.0, 2.0, 1.0])
ILL_POSED = {  # each with what its error has to advise
    "a vector": (lambda x: la.eigh(x)[1][0, 1], TWICE, "projector.*expm.*sqrtm"),
    "a value": (lambda x: la.eigvalsh(x)[1], TWICE, "sum"),
    "a value in second order": (lambda x: tm.grad(lambda x: la.eigvalsh(x)[1])(x).sum(), TWICE, "expm.*sqrtm"),
    "a left vector": (lambda x: la.svd(x).U[0, 0], TWICE, "projector"),
    "a defective matrix": (lambda x: tm.real(la.eigvals(x)[0]), np.array([[1.0, 1.0], [0.0, 1.0]]), "trace.*expm"),
    "a singular root": (lambda x: la.sqrtm(x).sum(), np.ones((2, 2)), "multiple of the identity"),
}


@pytest.mark.parametrize("name", ILL_POSED)
def test_an_error_about_a_matrix_says_what_has_a_derivative(name):
    f, a, advice = ILL_POSED[name]
    with pytest.raises(IllPosedDerivative, match=f"(?s){advice}"):
        tm.grad(f)(a)


def test_an_error_about_a_direction_says_what_has_a_derivative():
    with pytest.raises(IllPosedDerivative, match=r"(?s)Reverse mode.*expm.*sqrtm"):
        tm.jvp(lambda x: la.eigh(x)[1], (TWICE,), (np.ones((3, 3)),))[1].numpy()


def test_the_choice_of_a_completing_column_is_refused():
    a = arrays(4, 2)
    for f in (lambda x: la.svd(x).U[0, 3], lambda x: la.qr(x, mode="complete").Q[0, 3] ** 2):
        with pytest.raises(IllPosedDerivative, match="arbitrary basis"):
            tm.grad(f)(tm.tensor(a))


@pytest.mark.parametrize("dtype", [float, complex])
def test_the_reconstruction_of_distinct_singular_values_is_the_identity(dtype):
    for shape in ((3, 3), (4, 2), (2, 4)):
        a, c = arrays(*shape, dtype=dtype), arrays(*shape, dtype=dtype, seed=1)

        def f(x, c=c):
            u, s, vh = la.svd(x, full_matrices=False)
            return tm.real(tm.sum(tm.conj((u * s) @ vh) * c))

        np.testing.assert_allclose(tm.grad(f)(tm.tensor(a)).numpy(), c, atol=1e-10)


def test_one_of_several_equal_singular_values_and_a_value_at_zero_have_no_derivative():
    with pytest.raises(IllPosedDerivative, match="2, 2"):
        tm.grad(lambda x: la.svdvals(x)[0])(tm.tensor(2 * np.eye(3)))
    with pytest.raises(IllPosedDerivative, match="0"):
        tm.grad(lambda x: la.svdvals(x)[1])(tm.tensor([[1.0, 2.0], [2.0, 4.0]]))
    with pytest.raises(IllPosedDerivative):
        tm.grad(lambda x: la.svd(x).S[1])(tm.tensor([[1.0, 2.0], [2.0, 4.0]]))
    np.testing.assert_allclose(  # the sum of squares is smooth
        tm.grad(lambda x: tm.sum(la.svdvals(x) ** 2))(tm.tensor(2 * np.eye(3))).numpy(), 4 * np.eye(3), atol=1e-12
    )


def test_a_zero_matrix_seen_through_its_decomposition_is_refused_and_never_gives_zero():
    c = np.array([[0.0, 1.0], [1.0, 0.0]])

    def f(x):
        u, s, vh = la.svd(x)
        return tm.sum(((u * s) @ vh) * c)

    with pytest.raises(IllPosedDerivative):
        tm.grad(f)(tm.tensor(np.zeros((2, 2))))


# -- general eigenvalues ------------------------------------------------------------------------------------


def test_eigenvalues_of_a_general_matrix_that_coincide():
    a, t = np.diag([2.0, 2.0, 5.0]), arrays(3, 3)
    assert first_orders(lambda x: tm.sum(tm.real(la.eigvals(x))), a, t)["rev"] == pytest.approx(np.trace(t))
    for f in (lambda x: la.eigvals(x)[0], lambda x: la.eig(x).eigenvectors[0, 0] ** 2):
        with pytest.raises(IllPosedDerivative, match="2, 2"):
            tm.grad(f)(tm.tensor(a))


def test_a_defective_matrix_is_named():
    with pytest.raises(IllPosedDerivative, match=r"defective.*3, 3"):
        tm.grad(lambda x: tm.sum(la.eigvals(x) ** 2))(tm.tensor([[3.0, 1.0], [0.0, 3.0]]))


def test_eigenvectors_of_a_general_matrix_keep_their_length_and_not_their_phase():
    a, t = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 1.0], [0.5, 0.0, 6.0]]), arrays(3, 3)
    assert_derivatives(lambda x: tm.sum(la.eig(x).eigenvectors[0] ** 2 * np.array([1.0, 2.0, 4.0])), a, t)
    turning = np.array([[0.0, 1.0], [-2.0, 0.5]])
    assert_derivatives(lambda x: tm.sum(tm.abs(la.eig(x).eigenvectors[0]) ** 2), turning, arrays(2, 2))
    with pytest.raises(IllPosedDerivative, match="phase"):
        tm.grad(lambda x: tm.real(la.eig(x).eigenvectors[0, 0]))(tm.tensor(turning))


# -- determinants -------------------------------------------------------------------------------------------


def test_the_gradient_of_det_of_a_singular_matrix_is_the_cofactor_matrix():
    g = tm.grad(la.det)(tm.tensor([[1.0, 2.0], [2.0, 4.0]]))
    np.testing.assert_allclose(g.numpy(), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-12)


def minors(a):
    """The cofactor matrix by its definition."""
    n = len(a)
    out = np.empty_like(a)
    for i in range(n):
        for j in range(n):
            out[i, j] = (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))
    return out


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(("n", "rank"), [(n, r) for n in (1, 2, 3, 4) for r in range(n + 1)])
def test_det_has_all_derivatives_at_every_rank(n, rank, dtype):
    a = arrays(n, rank, dtype=dtype) @ arrays(rank, n, dtype=dtype, seed=1)
    s, t = arrays(n, n, dtype=dtype, seed=2), arrays(n, n, dtype=dtype, seed=3)
    gradient = np.conj(tm.grad(lambda x: tm.real(la.det(x)))(tm.tensor(a)).numpy())
    np.testing.assert_allclose(gradient, minors(a), atol=1e-10)
    # the determinant is a polynomial: interpolate det(a + x s + y t) for its mixed coefficients
    x = np.exp(2j * np.pi * np.arange(n + 1) / (n + 1))
    values = np.linalg.det(a + x[:, None, None, None] * s + x[None, :, None, None] * t)
    mixed = np.fft.fft2(values)[1, 1] / (n + 1) ** 2
    along = lambda z: tm.jvp(la.det, (z,), (tm.tensor(t),))[1]  # noqa: E731
    forward = tm.jvp(along, (tm.tensor(a),), (tm.tensor(s),))[1].numpy()
    np.testing.assert_allclose(forward, mixed if dtype is complex else mixed.real, atol=1e-10)
    product = tm.hvp(lambda z: tm.real(la.det(z)), tm.tensor(a), tm.tensor(s)).numpy()
    assert np.sum(np.conj(product) * t).real == pytest.approx(mixed.real, abs=1e-10)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_the_third_derivative_of_det_is_right_at_every_rank(rank):
    n = 3
    a = arrays(n, rank) @ arrays(rank, n, seed=1)
    t = arrays(n, n, seed=2)
    f = lambda s: la.det(tm.tensor(a) + s * t)  # noqa: E731
    third = tm.grad(tm.grad(tm.grad(f)))(0.0).numpy()
    assert third == pytest.approx(6 * np.linalg.det(t), abs=1e-9)


def test_the_second_derivative_of_det_at_the_zero_matrix():
    h = tm.hessian(la.det)(tm.tensor(np.zeros((2, 2)))).numpy()
    want = np.zeros((2, 2, 2, 2))
    want[0, 0, 1, 1] = want[1, 1, 0, 0] = 1.0
    want[0, 1, 1, 0] = want[1, 0, 0, 1] = -1.0
    np.testing.assert_allclose(h, want, atol=1e-12)


def test_det_of_a_stack_with_singular_and_regular_matrices():
    a = np.stack([np.eye(3), arrays(3, 1) @ arrays(1, 3), np.zeros((3, 3)), arrays(3, 3)])
    g = tm.grad(lambda x: tm.sum(la.det(x)))(tm.tensor(a)).numpy()
    np.testing.assert_allclose(g, np.stack([minors(m) for m in a]), atol=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_logarithm_of_a_zero_determinant_has_no_derivative(rank):
    a = arrays(3, rank) @ arrays(rank, 3, seed=1)
    for f in (lambda x: la.slogdet(x).logabsdet, lambda x: tm.sum(la.slogdet(x)[1])):
        with pytest.raises(IllPosedDerivative, match="singular"):
            tm.grad(f)(tm.tensor(a))
        with pytest.raises(IllPosedDerivative, match="singular"):
            tm.jvp(f, (a,), (np.eye(3),))


# -- systems ------------------------------------------------------------------------------------------------


def test_a_singular_system_and_a_singular_inverse_are_named():
    a = [[1.0, 2.0], [2.0, 4.0]]
    for f in (lambda: la.inv(a), lambda: la.solve(a, [1.0, 2.0]), lambda: la.matrix_power(a, -1)):
        with pytest.raises(SingularMatrix, match="inverse"):
            f()


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_the_pseudoinverse_below_full_rank_has_no_derivative_unless_the_rank_is_held(shape):
    a = np.outer(np.arange(1.0, shape[0] + 1), np.arange(1.0, shape[1] + 1))
    c, t = arrays(*shape[::-1]), arrays(*shape, seed=1)
    for f in (lambda x: tm.sum(la.pinv(x) * c), lambda x: tm.sum(la.lstsq(x, np.ones(shape[0])).x)):
        for derivative in (lambda f=f: tm.grad(f)(tm.tensor(a)), lambda f=f: tm.jvp(f, (a,), (t,))):
            with pytest.raises(IllPosedDerivative, match="singular values"):
                derivative()
    held = lambda x: tm.sum(la.pinv(x, rcond=1e-2) * c)  # noqa: E731
    # what moves within rank one: u v^T with both factors moving
    u, v = arrays(shape[0], 1, seed=2), arrays(1, shape[1], seed=3)
    t = u @ np.arange(1.0, shape[1] + 1)[None] + np.arange(1.0, shape[0] + 1)[:, None] @ v

    def along(s):
        b = (np.arange(1.0, shape[0] + 1)[:, None] + s * u) @ (np.arange(1.0, shape[1] + 1)[None] + s * v)
        return float(np.sum(np.linalg.pinv(b, rcond=1e-10) * c))

    want = slope(along, 0.0, 1.0)
    for mode, got in first_orders(held, a, t).items():
        assert got == pytest.approx(want, rel=1e-8), mode


def test_least_squares_has_derivatives_in_both_arguments_over_and_underdetermined():
    for shape in ((4, 2), (2, 4), (3, 3)):
        a, b, c = arrays(*shape), arrays(shape[0], 2, seed=1), arrays(shape[1], 2, seed=2)
        tm.testing.check_grads(lambda x, y, c=c: tm.sum(la.lstsq(x, y).x * c), (a, b))
    tm.testing.check_grads(lambda x, y: tm.sum(la.lstsq(x, y).residuals), (arrays(4, 2), arrays(4, 2, seed=1)))


def test_bases_of_null_spaces_and_ranges_have_derivatives_of_their_projectors():
    wide, tall = arrays(2, 4), arrays(4, 2)
    c, t = hermitian(4, seed=1), arrays(2, 4, seed=2)
    assert_derivatives(lambda x: tm.sum(outer(la.null_space(x)) * c), wide, t)
    assert_derivatives(lambda x: tm.sum(outer(la.orth(x)) * c), tall, t.T)
    for f, a in ((lambda x: la.null_space(x)[0, 0], wide), (lambda x: la.orth(x)[0, 0] ** 2, tall)):
        with pytest.raises(IllPosedDerivative, match="choice"):
            tm.grad(f)(tm.tensor(a))


def test_dependent_columns_have_no_qr_derivative():
    with pytest.raises(IllPosedDerivative, match="dependent"):
        tm.grad(lambda x: tm.sum(la.qr(x).Q))(tm.tensor([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]))
    with pytest.raises(IllPosedDerivative, match="pivot"):
        tm.grad(lambda x: tm.sum(la.lu(x).L))(tm.tensor([[1.0, 2.0], [2.0, 4.0]]))


def test_the_square_root_of_a_singular_matrix_has_no_derivative():
    with pytest.raises(IllPosedDerivative, match="singular"):
        tm.grad(lambda x: tm.sum(la.sqrtm(x)))(tm.tensor([[1.0, 0.0], [0.0, 0.0]]))


def test_gradients_of_symmetric_functions_are_symmetric():
    a, c = hermitian(4) + 8 * np.eye(4), arrays(4, 4, seed=1)
    for f in (
        lambda x: tm.sum(la.cholesky(x) * c),
        lambda x: tm.sum(la.eigh(x).eigenvectors ** 2 * c),
        lambda x: la.eigvalsh(x)[0],
    ):
        g = tm.grad(f)(tm.tensor(a)).numpy()
        np.testing.assert_allclose(g, g.T, atol=1e-14)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(("m", "n"), [(4, 4), (5, 3), (3, 5)])
def test_the_projector_onto_the_range_of_a_dominant_part_has_derivatives_below_full_rank(m, n, dtype):
    a, t, c = with_values(m, n, [3.0, 2.0], dtype), arrays(m, n, dtype=dtype, seed=3), hermitian(m, dtype, 4)
    f = lambda x: tm.real(tm.sum(tm.conj(outer(la.svd(x, full_matrices=False).U[:, :2])) * c))  # noqa: E731
    assert_derivatives(f, a, t)


COMPILED = {
    "det": la.det,
    "solve": lambda a: la.solve(a, a[0]),
    "eigh": lambda a: la.eigh(a).eigenvectors ** 2,
    "svd": lambda a: la.svd(a).S,
    "cholesky": la.cholesky,
    "qr": lambda a: la.qr(a).R,
    "logm": la.logm,
    "pinv": la.pinv,
    "nuclear": lambda a: la.norm(a, ord="nuc"),
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_gradients_are_the_eager_ones(name):
    a, b = hermitian(3) + 8 * np.eye(3), hermitian(3, seed=1) + 9 * np.eye(3)
    gradient = tm.grad(lambda x: tm.sum(COMPILED[name](x)))
    compiled = tm.compile(gradient)
    for point in (a, b):
        np.testing.assert_allclose(np.asarray(compiled(point)), gradient(tm.tensor(point)).numpy(), atol=1e-10)


def test_bases_of_null_spaces_made_of_unit_vectors_are_refused_as_well():
    for f, a in (
        (lambda x: la.null_space(x)[1, 0] ** 2, [[1.0, 0.0, 0.0]]),
        (lambda x: la.orth(x)[0, 0] ** 2, np.eye(3, 2)),
        (lambda x: la.qr(x, mode="complete").Q[1, 1] ** 2, np.eye(3, 1)),
    ):
        with pytest.raises(IllPosedDerivative, match="choice"):
            tm.grad(f)(tm.tensor(a))


def test_what_is_singular_to_working_precision_is_refused_and_not_answered():
    rng = np.random.default_rng(0)
    for n in (3, 5, 20):
        a = rng.normal(size=(n, n - 1)) @ rng.normal(size=(n - 1, n))
        for f in (la.inv, lambda a, n=n: la.solve(a, np.eye(n))):
            with pytest.raises(SingularMatrix, match="singular"):
                f(a)
            with pytest.raises(SingularMatrix, match="singular"):
                f(np.stack([np.eye(n), a]))
    with pytest.raises(SingularMatrix, match=r"singular|inverse"):
        la.solve(np.arange(1.0, 10.0).reshape(3, 3), [1.0, 0.0, 0.0])
