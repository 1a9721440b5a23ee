"""The Fourier transforms against NumPy, the dense DFT matrix and the adjoint identity."""

from functools import partial

import numpy as np
import pytest
import scipy.fft
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.samples import complexes, real

NORMS = [None, "backward", "ortho", "forward"]
ONE_AXIS = {"fft": complexes, "ifft": complexes, "rfft": real, "irfft": complexes, "hfft": complexes, "ihfft": real}
MANY_AXES = {
    name + many: make
    for name, make in [("fft", complexes), ("ifft", complexes), ("rfft", real), ("irfft", complexes)]
    for many in "2n"
}


def _inner(a, b):
    """The real inner product Re sum conj(a) b of the project's convention."""
    return float(np.sum(np.conj(a) * b).real)


def _assert_adjoint(f, x):
    """<g, J t> = <J' g, t> at x, and J t = f(t), since every transform is linear."""
    y, pull = tm.vjp(f, x)
    make = complexes if y.dtype.kind == "c" else real
    g = make(*y.shape, key="g")
    t = (complexes if np.iscomplexobj(x) else real)(*np.shape(x), key="t")
    _, jt = tm.jvp(f, (x,), (t,))
    np.testing.assert_allclose(jt.numpy(), f(t).numpy(), rtol=1e-12, atol=1e-12)
    (back,) = pull(g)
    assert back.dtype == np.asarray(x).dtype
    assert _inner(g, jt.numpy()) == pytest.approx(_inner(back.numpy(), t), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ONE_AXIS)
@each(("shape", "axis"), [((5,), -1), ((4,), 0), ((3, 4), 0), ((2, 3, 5), 1)])
@each("n", [None, 1, 3, 4, 9])
def test_transforms_of_one_axis_equal_numpy_and_have_the_adjoint(name, norm, shape, axis, n):
    x = ONE_AXIS[name](*shape)

    def f(x):
        return getattr(tm.fft, name)(x, n=n, axis=axis, norm=norm)

    expected = getattr(np.fft, name)(x, n=n, axis=axis, norm=norm)
    out = f(x)
    assert isinstance(out, tm.Tensor)
    assert out.dtype == expected.dtype
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12, atol=1e-12)
    _assert_adjoint(f, x)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", MANY_AXES)
@each(("s", "axes"), [(None, (0, 1)), (None, (-1, 0)), ((3, 6), (1, 2)), ((5, -1), (2, 0)), ((4,), (1,)), (None, None)])
def test_transforms_of_many_axes_equal_numpy_and_have_the_adjoint(name, norm, s, axes):
    options = {"norm": norm} if axes is None else {"s": s, "axes": axes, "norm": norm}
    x = MANY_AXES[name](3, 4, 2)

    def f(x):
        return getattr(tm.fft, name)(x, **options)

    np.testing.assert_allclose(f(x).numpy(), getattr(np.fft, name)(x, **options), rtol=1e-12, atol=1e-12)
    _assert_adjoint(f, x)


@pytest.mark.parametrize("name", ["fft", "ifft", "fftn", "ifftn"])
def test_complex_transforms_of_real_numbers_have_a_real_gradient(name):
    _assert_adjoint(getattr(tm.fft, name), real(3, 4))


@pytest.mark.parametrize("name", ["irfft", "hfft"])
def test_transforms_to_real_numbers_take_real_spectra(name):
    _assert_adjoint(lambda x: getattr(tm.fft, name)(x, n=5), real(4))


def test_the_jacobian_of_fft_is_the_dft_matrix():
    np.testing.assert_allclose(tm.jacfwd(tm.fft.fft)(real(6)).numpy(), scipy.linalg.dft(6), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tm.jacrev(tm.fft.fft)(real(6)).numpy(), scipy.linalg.dft(6), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [4, 5])
def test_irfft_ignores_the_imaginary_parts_of_its_real_frequencies(n):
    x = complexes(3)
    g = tm.grad(lambda x: (tm.fft.irfft(x, n=n) ** 2).sum())(x).numpy()
    assert g[0].imag == 0
    assert (g[2].imag == 0) == (n == 4)
    h = 1e-6
    for k in range(3):
        for step in (h, 1j * h):
            up, down = x.copy(), x.copy()
            up[k] += step
            down[k] -= step
            slope = (np.sum(np.fft.irfft(up, n) ** 2) - np.sum(np.fft.irfft(down, n) ** 2)) / (2 * h)
            assert (g[k].real if step == h else g[k].imag) == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("n", [4, 5])
def test_the_gradient_of_energy_obeys_parseval(n, norm):
    # sum |fft(x)|^2 = c n sum |x|^2 with c the squared scale, so the gradient is 2 c n x
    scale = {"backward": 1.0, "ortho": 1 / n, "forward": 1 / n**2}[norm]
    x = complexes(n)
    g = tm.grad(lambda x: (tm.abs(tm.fft.fft(x, norm=norm)) ** 2).sum())(x)
    np.testing.assert_allclose(g.numpy(), 2 * scale * n * x, rtol=1e-12)


def test_convolution_by_fft_has_the_gradient_of_convolution():
    a, b = real(5), real(4)

    def by_fft(a, b):
        return (tm.fft.irfft(tm.fft.rfft(a, n=8) * tm.fft.rfft(b, n=8), n=8) ** 2).sum()

    ga, gb = tm.grad(by_fft, argnums=(0, 1))(a, b)
    y = np.convolve(a, b)
    np.testing.assert_allclose(ga.numpy(), 2 * np.correlate(y, b, "valid"), rtol=1e-10)
    np.testing.assert_allclose(gb.numpy(), 2 * np.correlate(y, a, "valid"), rtol=1e-10)


def test_second_derivatives_go_through_real_transforms():
    x = real(5)

    def f(x):
        return (tm.abs(tm.fft.rfft(x)) ** 4).sum()

    H = tm.hessian(f)(x).numpy()
    np.testing.assert_allclose(H, H.T, rtol=1e-10)
    h = 1e-5
    for k, e in enumerate(np.eye(5) * h):
        column = (tm.grad(f)(x + e).numpy() - tm.grad(f)(x - e).numpy()) / (2 * h)
        np.testing.assert_allclose(H[k], column, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", ["fft", "ifft", "irfft", "hfft", "fft2", "irfft2"])
def test_single_precision_stays_single(name):
    x = complexes(3, 4).astype(np.complex64)
    f = getattr(tm.fft, name)
    assert f(x).dtype in (np.complex64, np.float32)
    assert tm.grad(lambda x: (tm.abs(f(x)) ** 2).sum())(x).dtype == np.complex64
    assert f(x.real).dtype in (np.complex64, np.float32)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("axes", [None, 0, -1, (0, 2), (1,)])
def test_shifts_equal_numpy_and_have_the_adjoint(name, axes):
    x = real(3, 4, 5)

    def f(x):
        return getattr(tm.fft, name)(x, axes=axes)

    np.testing.assert_array_equal(f(x).numpy(), getattr(np.fft, name)(x, axes=axes))
    _assert_adjoint(f, x)


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies_equal_numpy(name, n):
    out = getattr(tm.fft, name)(n, d=0.5, dtype=np.float32)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.numpy(), getattr(np.fft, name)(n, 0.5), rtol=1e-7)


def test_lengths_without_axes_are_those_of_the_last():
    x = real(2, 3, 4)
    spectrum = tm.fft.rfftn(x, s=(3, 4))
    np.testing.assert_allclose(spectrum.numpy(), np.fft.rfftn(x, axes=(1, 2)))
    np.testing.assert_allclose(tm.fft.irfftn(spectrum, s=(3, 4)).numpy(), x, rtol=1e-12)


def test_integers_transform_as_numpy_does():
    np.testing.assert_array_equal(tm.fft.rfft([1, 2, 3]).numpy(), np.fft.rfft([1, 2, 3]))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tm.fft.rfft(np.ones(3) * 1j), TypeError, "rfft"),
        (lambda: tm.fft.fft(np.ones(3), n=0), ValueError, "fft"),
        (lambda: tm.fft.fft(np.ones(3), axis=1), IndexError, "axis"),
        (lambda: tm.fft.fftn(np.ones(3), s=(-1,), axes=(1,)), IndexError, "axis 1"),
        (lambda: tm.fft.fftshift(np.ones(3), axes=1), IndexError, "axis 1"),
        (lambda: tm.fft.fft(np.ones(3), norm="none"), ValueError, "norm"),
        (lambda: tm.fft.hfft(np.ones(3), norm="none"), TypeError, "backward"),
        (lambda: tm.fft.fftn(np.ones(3), s=(2, 2)), IndexError, "axis"),
        (lambda: tm.fft.fftn(np.ones((3, 3)), s=(2, 2), axes=(0,)), ValueError, "differ in length"),
        (lambda: tm.fft.rfftn(np.array(1.0)), ValueError, "at least 1 axis"),
        (lambda: tm.fft.fftfreq(0), ValueError, "at least 1"),
        (lambda: tm.fft.fft(np.ones(3), dim=0), TypeError, "axis="),
    ],
)
def test_wrong_calls_get_a_named_error(call, error, words):
    with pytest.raises(tm.MathError, match=words) as caught:
        call()
    assert isinstance(caught.value, error)


@pytest.mark.parametrize("name", ["dct", "dst", "idct", "idst"])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_cosine_and_sine_transforms_are_scipys_and_their_derivatives_the_matrix(name, kind, norm):
    f, want = getattr(tm.fft, name), getattr(scipy.fft, name)
    x = real(3, 5)
    np.testing.assert_allclose(f(x, kind, 4, 1, norm).numpy(), want(x, kind, 4, 1, norm), rtol=1e-12, atol=1e-12)
    matrix = want(np.eye(5), kind, None, 0, norm)  # the images of the basis, side by side
    for mode in (tm.jacfwd, tm.jacrev):
        np.testing.assert_allclose(mode(lambda v: f(v, kind, norm=norm))(real(5)).numpy(), matrix, atol=1e-12)
    padded = want(np.eye(3, 6), kind, None, 1, norm).T
    np.testing.assert_allclose(tm.jacrev(lambda v: f(v, kind, n=6, norm=norm))(real(3)).numpy(), padded, atol=1e-12)


@pytest.mark.parametrize("name", ["dctn", "dstn", "idctn", "idstn"])
def test_transforms_of_scipys_over_several_axes_go_by_its_own_register(name):
    x, f = real(3, 4), getattr(scipy.fft, name)
    np.testing.assert_allclose(f(tm.tensor(x), s=(5, 2)).numpy(), f(x, s=(5, 2)), rtol=1e-12, atol=1e-12)
    g = tm.grad(lambda x: (f(x, norm="ortho") ** 2).sum())(x)  # an orthogonal matrix keeps the sum of squares
    np.testing.assert_allclose(g.numpy(), 2 * x, rtol=1e-12)


_OF_SEVERAL_AXES = "dctn", "dstn", "idctn", "idstn"


def test_a_cosine_transform_says_what_it_cannot_take():
    endless = []
    endless += [endless, endless]  # 2^64 ends for whoever walks it
    for call, error in [
        (lambda: tm.fft.dct([1.0], type=5), tm.ArgumentError),
        (lambda: tm.fft.dct([1.0], type=1), tm.ShapeError),
        (lambda: tm.fft.dct([1.0], norm="other"), tm.ArgumentError),
        (lambda: tm.fft.dct([1j]), tm.DTypeError),
        *((partial(getattr(tm.fft, f), np.ones((2, 3)), s=(None, 2)), tm.NotAnInteger) for f in _OF_SEVERAL_AXES),
        *((partial(getattr(tm.fft, f), endless), tm.ShapeError) for f in _OF_SEVERAL_AXES),
    ]:
        with pytest.raises(error):
            call()
