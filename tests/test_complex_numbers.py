"""Complex numbers through every op that takes them, whether its samples say so or not."""

import itertools

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math import fft, linalg, nn, random, special, stats, testing  # noqa: F401  (they fill the registry)
from tinygrad_math.core.op import registry
from tinygrad_math.core.samples import Sample

# Vectors that are free up to a phase: linalg's own tests compare products of them.
GAUGE = {"eig", "eigh", "svd", "orth", "null_space"}
# Parts of other functions, which give them real numbers.
REAL = {"abs_power", "lp_norm", "signed_power", "inverse_or_zero", "root", "eigen_spread"}
DIFFERENTIABLE = sorted(n for n, op in registry.items() if not op.constant and op.kind != "structural")
SECOND = testing.second_order_matches_finite_differences
HOLOMORPHIC = sorted(n for n, op in registry.items() if op.holomorphic and op.kind == "elementwise")
HOLOMORPHIC.remove("lambert")  # whose last argument is the number of a branch: test_special_further.py


def _tilted(x, k):
    """x with an imaginary part that is neither small nor special."""
    steps = np.arange(1, x.size + 1).reshape(x.shape)
    return x + 1j * (0.3 + 0.1 * k) * np.cos(steps + k)


def _complex_versions(sample):
    """The sample with all, and with each one alone, of its floating arrays made complex."""
    grouped = len(sample.args) == 1 and isinstance(sample.args[0], (list, tuple))
    args = list(sample.args[0] if grouped else sample.args)
    floating = [k for k, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype == np.float64]
    if not sample.smooth or not floating:
        return
    for chosen in [floating, *([[k] for k in floating] if len(floating) > 1 else [])]:
        new = [_tilted(a, k) if k in chosen else a for k, a in enumerate(args)]
        yield Sample(new, **sample.params) if grouped else Sample(*new, **sample.params)


def _takes(op, sample):
    """Whether the op accepts the sample; what it refuses, it refuses with a named error."""
    try:
        with np.errstate(all="ignore"):
            testing.raw_equals_recorded(op, sample)
    except (tm.MathError, np.exceptions.ComplexWarning):
        return False
    return True


@each("name", [n for n in DIFFERENTIABLE if n not in GAUGE | REAL], parts=8)
def test_what_takes_complex_numbers_has_right_complex_derivatives(name):
    _check(registry[name], first=1)


@pytest.mark.long
@pytest.mark.parametrize("name", [n for n in DIFFERENTIABLE if n not in GAUGE | REAL])
def test_what_takes_complex_numbers_has_right_second_derivatives_on_every_sample(name):
    _check(registry[name])


def _check(op, first=None):
    """The claims about derivatives; those of second order on so many samples that the op takes, or on all."""
    done = 0
    for sample in op.samples():
        taken = [z for z in _complex_versions(sample) if _takes(op, z)]
        claims = [c for c in testing.SMOOTH_CLAIMS if first is None or done < first or c is not SECOND]
        done += bool(taken)
        for z, claim in itertools.product(taken, claims):
            with np.errstate(all="ignore"):
                try:
                    claim(op, z)
                except Exception as error:
                    raise AssertionError(f"{op.name} on {z!r}, {claim.__name__}: {error}") from error


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_holomorphic_gives_the_complex_derivative(name):
    op = registry[name]
    points = [0.7 + 0.4j, 1.3 - 0.2j, 0.5 + 0.5j][: op.arity]
    try:
        op(*points)
    except tm.MathError:  # complex in its last argument only, as Bessel functions are
        points = [1.5] * (op.arity - 1) + points[-1:]
    *others, z = map(np.asarray, points)
    got = tm.grad(lambda z: op(*others, z), holomorphic=True)(z).item()
    h = 1e-4
    for direction in (1, 1j):  # the quotient is the same from every side: f is complex differentiable
        step = h * direction
        a, b, c, d = (op(*others, z + k * step).item() for k in (1, -1, 2, -2))
        assert got == pytest.approx((8 * (a - b) - (c - d)) / (12 * step), rel=1e-8)


def test_the_gradient_of_a_real_function_descends():
    z = np.array([1.0 + 2.0j, -0.5j])
    g = tm.grad(lambda z: (tm.abs(z) ** 2).sum())(z).numpy()
    np.testing.assert_allclose(g, 2 * z)  # dL/d(re) + i dL/d(im)


def test_a_real_argument_beside_complex_ones_has_a_real_gradient():
    x, z = np.array([1.0, 2.0]), np.array([1j, 2.0 - 1j])
    gx, gz = tm.grad(lambda x, z: tm.real(x * z * z).sum(), argnums=(0, 1))(x, z)
    assert gx.dtype == np.float64
    np.testing.assert_allclose(gx.numpy(), (z * z).real)
    np.testing.assert_allclose(gz.numpy(), np.conj(2 * x * z))


def test_a_complex_result_needs_holomorphic():
    with pytest.raises(tm.DTypeError, match="holomorphic=True"):
        tm.grad(lambda z: z * z)(1.0 + 2.0j)
    assert tm.grad(lambda z: z * z, holomorphic=True)(1.0 + 2.0j).item() == 2.0 + 4.0j
    with pytest.raises(tm.DTypeError, match="not complex differentiable"):
        tm.grad(tm.abs, holomorphic=True)(1.0 + 2.0j)
    with pytest.raises(tm.DTypeError, match="0j"):
        tm.grad(lambda x: 1j * x, holomorphic=True)(2.0)
    second = tm.grad(tm.grad(lambda z: z**3, holomorphic=True), holomorphic=True)
    assert second(1.0 + 1.0j).item() == pytest.approx(6 + 6j)


def test_backward_of_a_complex_number_asks_for_a_cotangent():
    z = tm.tensor(1.0 + 2.0j, requires_grad=True)
    with pytest.raises(tm.DTypeError, match="cotangent"):
        (z * z).backward()
    with pytest.raises(tm.DTypeError, match="cotangent"):
        tm.grad_of(z * z, [z])
    (z * z).backward(1.0)
    assert z.grad.item() == 2.0 - 4.0j  # the gradient of the real part


@pytest.mark.parametrize("mode", [tm.jacfwd, tm.jacrev])
def test_the_jacobian_of_a_holomorphic_function_is_its_matrix(mode):
    A = np.array([[1.0 + 1j, 2.0], [0.5j, -1.0]])
    z = np.array([0.3 + 1j, 1.0 - 1j])
    J = mode(lambda z: A @ z, holomorphic=True)(z)
    np.testing.assert_allclose(J.numpy(), A)


def test_single_precision_complex_stays():
    z = np.array([1 + 1j], np.complex64)
    assert tm.grad(lambda z: tm.abs(tm.exp(z) * 2.0).sum())(z).dtype == np.complex64


@pytest.mark.parametrize("mode", [tm.jacfwd, tm.jacrev, tm.jacobian])
def test_the_jacobian_of_a_complex_function_of_real_numbers_is_complex(mode):
    A = np.array([[1.0 + 1j, 2.0], [0.5j, -1.0], [1j, 2j]])
    J = mode(lambda x: A @ x)(np.array([0.3, 1.0]))
    np.testing.assert_allclose(J.numpy(), A)


@pytest.mark.parametrize("transform", [tm.jacfwd, tm.jacrev, tm.jacobian, tm.hessian])
def test_a_matrix_of_derivatives_by_complex_arguments_asks_for_holomorphic(transform):
    with pytest.raises(tm.DTypeError, match="holomorphic=True"):
        transform(lambda z: tm.abs(z).sum())(np.array([1.0 + 1j, 2.0]))


@pytest.mark.parametrize("combine", [lambda x: 1j * x, lambda x: 1j + x, lambda x: 1j / x, lambda x: x - 1j])
def test_a_single_real_number_beside_a_python_complex_has_a_dtype(combine):
    y = combine(tm.tensor(2.0))
    assert y.shape == ()
    assert y.dtype == np.complex128
    assert tm.jvp(combine, (2.0,), (1.0,))[1].dtype == np.complex128
