"""Linear algebra against NumPy, SciPy and closed forms: values, shapes, dtypes, errors; gradients to nine digits."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.errors import ArgumentError, MathError, MatrixError, ShapeError, SingularMatrix

la = tm.linalg


def arrays(*shape, dtype=float, seed=0):
    rng = np.random.default_rng((seed, *shape))
    a = rng.normal(size=shape)
    a = a + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else a
    return a.astype(dtype)


def regular(*shape, dtype=float, seed=0):
    return (arrays(*shape, dtype=dtype, seed=seed) + 4 * np.eye(shape[-1])).astype(dtype)


def symmetric(*shape, dtype=float, seed=0):
    a = arrays(*shape, dtype=dtype, seed=seed)
    return (a + np.conj(np.swapaxes(a, -1, -2)) + 4 * np.diag(np.arange(shape[-1]))).astype(dtype)


def definite(*shape, dtype=float, seed=0):
    return (symmetric(*shape, dtype=dtype, seed=seed) + 8 * np.eye(shape[-1])).astype(dtype)


def recompose(parts):
    return [np.asarray(p) for p in parts]


DTYPES = [np.float64, np.float32, np.complex128, np.complex64]
BATCHES = [(), (2,), (2, 1), (0,)]
CASES = {
    "det": (regular, np.linalg.det, la.det),
    "inv": (regular, np.linalg.inv, la.inv),
    "pinv": (regular, np.linalg.pinv, la.pinv),
    "slogdet": (regular, np.linalg.slogdet, la.slogdet),
    "cholesky": (definite, np.linalg.cholesky, la.cholesky),
    "eigvalsh": (symmetric, np.linalg.eigvalsh, la.eigvalsh),
    "eigvals": (symmetric, np.linalg.eigvals, la.eigvals),
    "svdvals": (regular, np.linalg.svdvals, la.svdvals),
    "eigh": (symmetric, np.linalg.eigh, la.eigh),
    "svd": (regular, np.linalg.svd, la.svd),
    "qr": (regular, np.linalg.qr, la.qr),
    "matrix_rank": (regular, np.linalg.matrix_rank, la.matrix_rank),
    "matrix_power 3": (regular, lambda a: np.linalg.matrix_power(a, 3), lambda a: la.matrix_power(a, 3)),
    "matrix_power -2": (regular, lambda a: np.linalg.matrix_power(a, -2), lambda a: la.matrix_power(a, -2)),
    "matrix_power 0": (regular, lambda a: np.linalg.matrix_power(a, 0), lambda a: la.matrix_power(a, 0)),
    "cond": (regular, np.linalg.cond, la.cond),
    "cond 1": (regular, lambda a: np.linalg.cond(a, 1), lambda a: la.cond(a, 1)),
    "trace": (regular, np.linalg.trace, la.trace),
    "diagonal": (regular, np.linalg.diagonal, la.diagonal),
    "norm nuc": (regular, lambda a: np.linalg.matrix_norm(a, ord="nuc"), lambda a: la.matrix_norm(a, ord="nuc")),
}


@pytest.mark.parametrize("name", CASES)
@each("batch", BATCHES)
@each("dtype", DTYPES)
def test_values_shapes_and_dtypes_are_numpys(name, batch, dtype):
    make, numpys, ours = CASES[name]
    a = make(*batch, 3, 3, dtype=dtype)
    want, got = numpys(a), ours(a)
    if not isinstance(want, tuple):
        want, got = (want,), (got,)
    tolerance = 1e-4 if np.dtype(dtype).itemsize // (2 if np.dtype(dtype).kind == "c" else 1) == 4 else 1e-10
    for u, v in zip(want, got, strict=True):
        if name == "eigvals" and np.dtype(dtype).kind == "f" and not np.imag(u).any():
            u = np.real(u)  # from NumPy 2.5 on complex whatever they are; ours are real if all are
        assert v.shape == np.shape(u)
        assert v.dtype == np.asarray(u).dtype
        np.testing.assert_allclose(v.numpy(), u, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["det", "inv", "pinv", "cholesky", "eigvalsh", "svdvals", "cond", "norm nuc", "matrix_power -2"]
)
def test_gradients_keep_the_dtype_and_shape_of_a_stack(name, dtype):
    make, _, f = CASES[name]
    for batch in ((2,), (0,)):
        a = make(*batch, 3, 3, dtype=dtype)
        g = tm.grad(lambda x: tm.sum(tm.real(f(x))))(tm.tensor(a))
        assert (g.shape, g.dtype) == (a.shape, a.dtype)
    one = tm.grad(lambda x: tm.sum(tm.real(f(x))))(tm.tensor(make(2, 3, 3, dtype=dtype)[1]))
    many = tm.grad(lambda x: tm.sum(tm.real(f(x))))(tm.tensor(make(2, 3, 3, dtype=dtype)))
    np.testing.assert_allclose(many[1].numpy(), one.numpy(), rtol=1e-4, atol=1e-4)


def test_results_have_the_standards_names():
    a = definite(2, 2)
    assert la.eigh(a)._fields == ("eigenvalues", "eigenvectors")
    assert la.eig(a)._fields == ("eigenvalues", "eigenvectors")
    assert la.svd(a)._fields == ("U", "S", "Vh")
    assert la.qr(a)._fields == ("Q", "R")
    assert la.slogdet(a)._fields == ("sign", "logabsdet")


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (1, 3), (3, 1)])
@pytest.mark.parametrize("dtype", [float, complex])
def test_factorisations_of_every_shape_multiply_back(shape, dtype):
    a = arrays(2, *shape, dtype=dtype)
    m, n = shape
    for mode in ("reduced", "complete"):
        q, r = (x.numpy() for x in la.qr(a, mode=mode))
        np.testing.assert_allclose(q @ r, a, atol=1e-12)
        assert q.shape[-1] == (m if mode == "complete" else min(m, n))
    np.testing.assert_allclose(la.qr(a, mode="r").numpy(), la.qr(a).R.numpy())
    for full in (True, False):
        u, s, vh = (x.numpy() for x in la.svd(a, full_matrices=full))
        k = min(m, n)
        np.testing.assert_allclose((u[..., :k] * s[:, None]) @ vh[..., :k, :], a, atol=1e-12)
        assert u.shape[-1] == (m if full else k)
    p, lower, upper = (x.numpy() for x in la.lu(a))
    np.testing.assert_allclose(p @ lower @ upper, a, atol=1e-12)


def test_what_is_to_be_differentiated_multiplies_back_as_well():
    for a in (np.eye(3), np.zeros((3, 2)), np.diag([2.0, 2.0, 1.0]), arrays(2, 3, 3, dtype=complex)):
        x = tm.tensor(a, requires_grad=True)
        u, s, vh = la.svd(x, full_matrices=False)
        np.testing.assert_allclose(((u * s[..., None, :]) @ vh).detach().numpy(), a, atol=1e-12)
        if a.shape[-1] == a.shape[-2]:
            h = a + np.conj(np.swapaxes(a, -1, -2))
            w, v = la.eigh(tm.tensor(h, requires_grad=True))
            np.testing.assert_allclose(((v * w[..., None, :]) @ tm.conj(v).mT).detach().numpy(), h, atol=1e-12)
            w, v = la.eig(tm.tensor(a, requires_grad=True))
            np.testing.assert_allclose((x @ v).detach().numpy(), (v * w[..., None, :]).detach().numpy(), atol=1e-12)


def test_one_triangle_can_be_read():
    a = symmetric(3, 3)
    for uplo, half in (("L", np.tril(a)), ("U", np.triu(a))):
        np.testing.assert_allclose(la.eigh(half, UPLO=uplo).eigenvalues.numpy(), np.linalg.eigvalsh(a))
        g = tm.grad(lambda x, u=uplo: la.eigvalsh(x, UPLO=u)[0])(tm.tensor(half)).numpy()
        assert np.all(g[half == 0] == 0)


@pytest.mark.parametrize("dtype", [float, complex])
def test_scipys_functions_agree(dtype):
    a, b = regular(3, 3, dtype=dtype), regular(2, 2, dtype=dtype, seed=1)
    pairs = [
        (la.expm(a), scipy.linalg.expm(a)),
        (la.logm(a), scipy.linalg.logm(a)),
        (la.sqrtm(a), scipy.linalg.sqrtm(a)),
        (la.block_diag(a, b), scipy.linalg.block_diag(a, b)),
        (la.toeplitz(a[0], a[1]), scipy.linalg.toeplitz(a[0], a[1])),
        (la.toeplitz(a[0]), scipy.linalg.toeplitz(a[0])),
        (la.solve_sylvester(a, b, a[:, :2]), scipy.linalg.solve_sylvester(a, b, a[:, :2])),
        (la.solve_banded((1, 1), a, b[[0, 1, 0]]), scipy.linalg.solve_banded((1, 1), a, b[[0, 1, 0]])),
        (la.multi_dot([a, a[:, :2], b]), a @ a[:, :2] @ b),
        (la.multi_dot([a[0], a, a[1]]), a[0] @ a @ a[1]),
        (la.kron(a, b), np.kron(a, b)),
        (la.tensorinv(a.reshape(3, 3, 1, 1)[:, :, 0], ind=1), np.linalg.tensorinv(a[:, :, None], ind=1)),
        (la.tensorsolve(a, a[0]), np.linalg.tensorsolve(a, a[0])),
    ]
    for got, want in pairs:
        np.testing.assert_allclose(got.numpy(), want, atol=1e-12)


@pytest.mark.parametrize("trans", [0, 1, 2])
@pytest.mark.parametrize("lower", [False, True])
def test_triangular_systems_agree_with_scipy(trans, lower):
    a, b = regular(3, 3, dtype=complex), arrays(3, 2, dtype=complex)
    got = la.solve_triangular(a, b, trans=trans, lower=lower)
    np.testing.assert_allclose(got.numpy(), scipy.linalg.solve_triangular(a, b, trans, lower), atol=1e-13)


def test_composed_functions_have_derivatives():
    a, c = regular(3, 3), arrays(3)
    check = tm.testing.check_grads
    check(lambda x: tm.sum(la.matrix_power(x, -3)) + tm.sum(la.matrix_power(x, 5)) / 100, (a,))
    check(lambda x: la.cond(x) + la.cond(x, 1) + la.cond(x, "fro") + la.cond(x, -2), (a,))
    check(lambda c, r: tm.sum(la.toeplitz(c, r) ** 2 * a), (c, arrays(3, seed=1)))
    check(lambda x, y: tm.sum(la.block_diag(x, y) ** 3), (a, c))
    check(lambda x, y: tm.sum(la.multi_dot([x, x, y])), (a, c))
    check(lambda x: tm.sum(la.tensorinv(x, ind=1) ** 2), (a,))
    check(lambda x, y: tm.sum(la.tensorsolve(x, y) ** 2), (a, c))
    check(lambda ab, b: tm.sum(la.solve_banded((1, 1), ab, b) ** 2), (a, c))
    check(lambda x, y: tm.sum(la.cross(x, y) ** 2), (a, c))
    check(lambda x: la.trace(x @ x), (a,))
    check(lambda x: tm.sum(la.qr(x).R ** 2 * a) + tm.sum(la.qr(x, mode="r")), (a,))
    check(lambda x: tm.sum(la.cholesky(x @ x.mT, upper=True) * a), (a,))
    check(lambda x, y: tm.sum(la.solve(x, y) ** 2), (a, c))
    check(lambda x: tm.sum(la.sqrtm(x) @ la.logm(x) @ la.expm(-x)), (a,))


# -- precision ----------------------------------------------------------------------------------------------


def complex_step(f, a, t):
    """The derivative of an analytic function along t, without cancellation."""
    return np.imag(f(a + 1e-30j * t)) / 1e-30


ANALYTIC = {
    "det": (lambda a: np.linalg.det(a), la.det),
    "logdet": (lambda a: np.log(np.linalg.det(a)), lambda a: la.slogdet(a).logabsdet),
    "inv": (lambda a: np.sum(np.linalg.inv(a)), lambda a: tm.sum(la.inv(a))),
    "solve": (lambda a: np.sum(np.linalg.solve(a, a[0] ** 2)), lambda a: tm.sum(la.solve(a, a[0] ** 2))),
    "pinv": (
        lambda a: np.sum(np.linalg.solve(a.T @ a, a.T)[:, 0]),
        lambda a: tm.sum(la.pinv(a)[:, 0]),
    ),
    "expm": (lambda a: np.sum(scipy.linalg.expm(a / 8)), lambda a: tm.sum(la.expm(a / 8))),
    "power": (lambda a: np.sum(np.linalg.matrix_power(a / 8, 7)), lambda a: tm.sum(la.matrix_power(a / 8, 7))),
}


@pytest.mark.parametrize("n", [2, 10, 50])
@pytest.mark.parametrize("name", ANALYTIC)
def test_gradients_of_analytic_functions_agree_with_the_complex_step(name, n):
    reference, f = ANALYTIC[name]
    a = np.eye(n) * 3 + arrays(n, n) / np.sqrt(n)
    g = tm.grad(f)(tm.tensor(a)).numpy()
    for seed in range(3):
        t = arrays(n, n, seed=seed + 1)
        assert np.sum(g * t) == pytest.approx(complex_step(reference, a, t), rel=1e-9)


_TENTH = np.array([5 / 6, -5 / 21, 5 / 84, -5 / 504, 1 / 1260])


def tenth_order(f, a, t, h):
    """Central differences of tenth order."""
    return sum(c * (f(a + k * h * t) - f(a - k * h * t)) for k, c in enumerate(_TENTH, 1)) / h


def _weights(n):
    return arrays(n, n, seed=9), np.linspace(1, 2, n)


SPECTRAL = {
    "eigvalsh": lambda xp, e, n: xp.sum(e.eigvalsh(n) * _weights(n.shape[0])[1]),
    "eigh": lambda xp, e, n: xp.sum(e.eigh(n)[1] ** 2 * _weights(n.shape[0])[0]),
    "svdvals": lambda xp, e, n: xp.sum(e.svdvals(n) * _weights(n.shape[0])[1]),
    "svd": lambda xp, e, n: (
        xp.sum(e.svd(n)[0] ** 2 * _weights(n.shape[0])[0]) + xp.sum(e.svd(n)[2] ** 2 * _weights(n.shape[0])[0])
    ),
    "cholesky": lambda xp, e, n: xp.sum(e.cholesky(n @ n.mT) * _weights(n.shape[0])[0]),
    "qr": lambda xp, e, n: xp.sum(e.qr(n)[1] ** 2 * _weights(n.shape[0])[0]),
    "nuclear": lambda xp, e, n: e.norm(n, "nuc"),
    "spectral": lambda xp, e, n: e.norm(n, 2),
}


@pytest.mark.parametrize("n", [2, 10, 50])
@pytest.mark.parametrize("name", SPECTRAL)
def test_gradients_of_decompositions_agree_with_differences_of_tenth_order(name, n):
    f = SPECTRAL[name]
    a = np.diag(np.arange(1.0, n + 1)) + 0.2 * symmetric(n, n) / n
    g = tm.grad(lambda x: f(tm, la, x))(tm.tensor(a)).numpy()
    t = arrays(n, n, seed=1)
    t = (t + t.T) / np.linalg.norm(t)
    want = tenth_order(lambda x: f(np, np.linalg, x), a, t, 0.02)
    size = np.linalg.norm(g) * np.linalg.norm(t)
    assert abs(np.sum(g * t) - want) <= 1e-9 * size


def test_det_and_eigenvalue_gradients_agree_with_mpmath_to_thirteen_digits():
    n, h = 5, mpmath.mpf(10) ** -20
    a, t = symmetric(n, n), symmetric(n, n, seed=1)
    with mpmath.workdps(60):
        A, T = mpmath.matrix(a.tolist()), mpmath.matrix(t.tolist())

        def slope(f):
            return float((f(A + h * T) - f(A - h * T)) / (2 * h))

        want = {
            "det": slope(mpmath.det),
            "lowest": slope(lambda m: mpmath.eigsy(m, eigvals_only=True)[0]),
            "vector": slope(lambda m: mpmath.eigsy(m)[1][0, 0] ** 2),
            "log": slope(lambda m: mpmath.expm(m / 16)[0, 1]),
        }
    functions = {
        "det": la.det,
        "lowest": lambda x: la.eigvalsh(x)[0],
        "vector": lambda x: la.eigh(x).eigenvectors[0, 0] ** 2,
        "log": lambda x: la.expm(x / 16)[0, 1],
    }
    for name, f in functions.items():
        assert np.sum(tm.grad(f)(tm.tensor(a)).numpy() * t) == pytest.approx(want[name], rel=1e-12), name


# -- errors -------------------------------------------------------------------------------------------------

SQUARE = [
    la.det, la.inv, la.slogdet, la.adjugate, la.eig, la.eigvals, la.eigh, la.eigvalsh, la.cholesky, la.expm, la.logm,
    la.sqrtm,
]  # fmt: skip
ANY = [la.svd, la.svdvals, la.qr, la.lu, la.pinv, la.null_space, la.orth, la.matrix_rank]


@pytest.mark.parametrize("f", SQUARE, ids=lambda f: f.__name__)
def test_matrices_that_are_not_square_are_named_with_their_shape(f):
    with pytest.raises(ShapeError, match=r"square.*float64\(2, 3\)"):
        f(np.ones((2, 3)))


@pytest.mark.parametrize("f", SQUARE + ANY, ids=lambda f: f.__name__)
def test_arrays_of_a_wrong_rank_and_values_that_are_not_finite_are_named(f):
    if f is not la.matrix_rank:
        with pytest.raises(ShapeError, match=r"matrix.*float64\(3,\)"):
            f(np.ones(3))
    for bad in (np.nan, np.inf):
        a = np.eye(3)
        a[1, 1] = bad
        with pytest.raises(MatrixError, match=rf"float64\(3, 3\).*\(1, 1\) is {bad}"):
            f(a)


@pytest.mark.parametrize("f", [la.eigh, la.eigvalsh, la.cholesky], ids=lambda f: f.__name__)
def test_unsymmetric_matrices_are_named_where_symmetry_is_needed(f):
    with pytest.raises(MatrixError, match=r"element \(0, 1\) is 2.0 and its mirror 0.5"):
        f([[1.0, 2.0], [0.5, 9.0]])
    with pytest.raises(MatrixError, match="Hermitian"):
        f(np.array([[1.0, 1j], [1j, 1.0]]))


def test_other_bad_input_is_named():
    claims = [
        (MatrixError, "smallest eigenvalue is -1", lambda: la.cholesky([[1.0, 2.0], [2.0, 1.0]])),
        (SingularMatrix, "singular", lambda: la.logm(np.zeros((2, 2)))),
        (MatrixError, "no square root", lambda: la.sqrtm([[0.0, 1.0], [0.0, 0.0]])),
        (SingularMatrix, "minus", lambda: la.solve_sylvester([[1.0]], [[-1.0]], [[1.0]])),
        (ShapeError, "3 rows", lambda: la.solve(np.eye(3), np.ones(2))),
        (ShapeError, "3 rows", lambda: la.lstsq(np.ones((3, 2)), np.ones(2))),
        (ShapeError, "3 rows", lambda: la.solve_triangular(np.eye(3), np.ones((2, 1)))),
        (SingularMatrix, "singular", lambda: la.solve_triangular(np.zeros((2, 2)), np.ones(2))),
        (ShapeError, "rows", lambda: la.solve_banded((1, 1), np.ones((2, 3)), np.ones(3))),
        (ShapeError, "chain", lambda: la.multi_dot([np.ones((2, 3)), np.ones((2, 3))])),
        (ShapeError, "at least two", lambda: la.multi_dot([np.eye(2)])),
        (ShapeError, "three", lambda: la.cross(np.ones(2), np.ones(2))),
        (ShapeError, "vector", lambda: la.matrix_norm(np.ones(3))),
        (ShapeError, "elements", lambda: la.cond(np.zeros((0, 0)))),
        (ArgumentError, "'fro'", lambda: la.matrix_norm(np.eye(2), ord=3)),
        (ArgumentError, "number", lambda: la.vector_norm(np.ones(2), ord="fro")),
        (ArgumentError, "mode", lambda: la.qr(np.eye(2), mode="raw")),
        (ArgumentError, "int", lambda: la.matrix_power(np.eye(2), 0.5)),
        (ArgumentError, "UPLO", lambda: la.eigh(np.eye(2), UPLO="X")),
        (ShapeError, "tensorinv", lambda: la.tensorinv(np.ones((2, 3)), ind=1)),
        (MathError, "axis", lambda: la.vector_norm(np.ones(2), axis=1)),
    ]
    for kind, words, call in claims:
        with pytest.raises(kind, match=words):
            call()


def test_hilberts_matrix_is_ill_conditioned_and_not_refused():
    n = 8
    hilbert = scipy.linalg.hilbert(n)
    np.testing.assert_allclose(la.inv(hilbert).numpy(), scipy.linalg.invhilbert(n), rtol=1e-5)
    assert float(la.cond(hilbert)) == pytest.approx(np.linalg.cond(hilbert))


def test_least_squares_take_a_share_that_is_not_positive_for_the_precision():
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 9.0], [7.0, 8.0, 15.0], [2.0, 4.0, 6.0]])  # of rank 2
    b = np.array([1.0, 2.0, 3.0, 5.0])
    for rcond in (-1, 0, -0.5, 1e-3):
        want, got = np.linalg.lstsq(a, b, rcond=rcond), la.lstsq(a, b, rcond=rcond)
        np.testing.assert_allclose(got.x.numpy(), want[0], rtol=1e-10)
        assert got.rank.item() == want[2] == 2
    for rcond in (1, 1.5, np.inf, np.nan, True):
        with pytest.raises(tm.errors.ArgumentError, match="lstsq: rcond is a share of the largest"):
            la.lstsq(a, b, rcond=rcond)


@pytest.mark.parametrize(
    "left, right", [("f4", "f8"), ("f8", "f4"), ("f4", "f4"), ("f4", "i8"), ("f4", "D"), ("F", "f8")]
)
def test_least_squares_is_computed_in_the_dtype_of_both_sides(left, right):
    a, b = np.array([[1, 2.5, 4], [3, 1, 0.5], [2, 2, 7], [1, 0, 1]], left), np.array([1, 2, 3, 4], right)
    want, got = np.linalg.lstsq(a, b), np.linalg.lstsq(tm.tensor(a), tm.tensor(b))
    for w, g in zip(want, got, strict=True):
        assert g.dtype == np.asarray(w).dtype
        np.testing.assert_allclose(g.numpy(), w, rtol=50 * np.finfo(want[0].dtype).eps)
