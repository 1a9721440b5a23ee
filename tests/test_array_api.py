"""What the Array API standard asks of the namespace and of the array object, in this project's own tests."""

import inspect

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm


def _words(text):
    return text.split()


# The names of the standard, 2024.12.
FUNCTIONS = _words("""
abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2 atanh bitwise_and
bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor broadcast_arrays broadcast_to can_cast
ceil clip concat conj copysign cos cosh count_nonzero cumulative_prod cumulative_sum diff divide empty empty_like
equal exp expand_dims expm1 eye finfo flip floor floor_divide from_dlpack full full_like greater greater_equal hypot
iinfo imag isdtype isfinite isinf isnan less less_equal linspace log log10 log1p log2 logaddexp logical_and
logical_not logical_or logical_xor matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply
negative nextafter nonzero not_equal ones ones_like permute_dims positive pow prod real reciprocal remainder repeat
reshape result_type roll round searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum
take take_along_axis tan tanh tensordot tile tril triu trunc unique_all unique_counts unique_inverse unique_values
unstack var vecdot where zeros zeros_like
""")
LINALG = _words("""
cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer
pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
""")
FFT = _words("fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift")
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *INTEGERS, "float32", "float64", "complex64", "complex128"]
METHODS = _words("""
__abs__ __add__ __and__ __array_namespace__ __bool__ __complex__ __dlpack__ __dlpack_device__ __eq__ __float__
__floordiv__ __ge__ __getitem__ __gt__ __index__ __int__ __invert__ __le__ __lshift__ __lt__ __matmul__ __mod__
__mul__ __ne__ __neg__ __or__ __pos__ __pow__ __rshift__ __setitem__ __sub__ __truediv__ __xor__ to_device
""")


@each("path", [*FUNCTIONS, *(f"linalg.{n}" for n in LINALG), *(f"fft.{n}" for n in FFT), *METHODS])
def test_every_name_of_the_standard_exists_with_signature_and_docstring(path):
    f = tm.Tensor if path in METHODS else tm
    for part in path.split("."):
        f = getattr(f, part)
    assert callable(f)
    assert inspect.signature(f) is not None
    assert f.__doc__ or path.startswith("__")


def test_constants_and_version():
    assert tm.e == np.e
    assert tm.pi == np.pi
    assert tm.inf == np.inf
    assert np.isnan(tm.nan)
    assert tm.newaxis is None
    assert tm.__array_api_version__ == "2024.12"


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes_are_numpys(name):
    x = tm.zeros((2,), dtype=getattr(tm, name))
    assert x.dtype == getattr(tm, name)
    assert x.dtype == np.dtype(name)


@pytest.mark.parametrize(
    ("dtype", "kind", "answer"),
    [
        (tm.float32, "real floating", True),
        (tm.float32, "complex floating", False),
        (tm.complex64, ("real floating", "complex floating"), True),
        (tm.bool, "bool", True),
        (tm.bool, "numeric", False),
        (tm.uint8, "integral", True),
        (tm.int8, "unsigned integer", False),
        (tm.int8, tm.int8, True),
        (tm.int8, (tm.int16, "signed integer"), True),
    ],
)
def test_isdtype(dtype, kind, answer):
    assert tm.isdtype(dtype, kind) is answer
    assert tm.isdtype(np.dtype(dtype), kind) is answer


@pytest.mark.parametrize("name", ["float32", "float64", "complex64", "complex128"])
def test_finfo_holds_python_numbers(name):
    info, of_array = tm.finfo(getattr(tm, name)), tm.finfo(tm.ones(2, dtype=name))
    assert info == of_array
    for field in ("eps", "max", "min", "smallest_normal", "tiny"):
        assert type(getattr(info, field)) is float
        assert getattr(info, field) == getattr(np.finfo(name), field)
    assert type(info.bits) is int
    assert info.dtype == np.finfo(name).dtype


@pytest.mark.parametrize("name", INTEGERS)
def test_iinfo_holds_python_numbers(name):
    info = tm.iinfo(tm.ones(2, dtype=name))
    assert (info.min, info.max, info.bits) == (np.iinfo(name).min, np.iinfo(name).max, np.iinfo(name).bits)
    assert type(info.max) is int


def test_finfo_and_iinfo_name_each_other_for_the_wrong_kind():
    with pytest.raises(tm.DTypeError, match="iinfo"):
        tm.finfo(tm.int32)
    with pytest.raises(tm.DTypeError, match="finfo"):
        tm.iinfo(tm.float32)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tm.isdtype(tm.float32, "decimal"), "real floating"),
        (lambda: tm.isdtype("decimal", "numeric"), "float64"),
        (lambda: tm.can_cast(tm.float32, "decimal"), "float64"),
        (lambda: tm.finfo("decimal"), "float64"),
    ],
)
def test_what_is_no_dtype_or_kind_gets_a_named_error(call, words):
    with pytest.raises(tm.DTypeError, match=words):
        call()


def test_promotion_is_numpys_and_python_numbers_are_weak():
    x = tm.ones(2, dtype=tm.float32)
    assert tm.result_type(x, 1.0) == tm.float32
    assert tm.result_type(x, tm.float64) == tm.float64
    assert tm.promote_types(tm.int8, tm.uint8) == tm.int16
    assert tm.can_cast(x, tm.float64)
    assert not tm.can_cast(tm.float64, tm.float32)
    assert (x * 2.0).dtype == tm.float32
    assert (2 - x).dtype == tm.float32


def test_namespace_info_tells_devices_dtypes_and_capabilities():
    info = tm.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert info.default_device() in info.devices()
    assert info.default_dtypes() == {
        "real floating": tm.float64,
        "complex floating": tm.complex128,
        "integral": tm.int64,
        "indexing": tm.int64,
    }
    assert sorted(info.dtypes()) == sorted(DTYPES)
    assert list(info.dtypes(kind="real floating")) == ["float32", "float64"]
    assert sorted(info.dtypes(kind=("bool", "integral"))) == sorted(["bool", *INTEGERS])
    with pytest.raises(tm.ArgumentError, match="kinds are"):
        info.dtypes(kind="decimal")
    with pytest.raises(tm.ArgumentError, match="cpu"):
        info.dtypes(device="gpu")


def test_the_capabilities_that_are_claimed_work():
    x = tm.asarray([1.0, 2.0, 3.0])
    assert x[x > 1.5].shape == (2,)
    assert tm.unique_values(tm.asarray([1, 1, 2])).shape == (2,)
    assert tm.zeros((1,) * tm.__array_namespace_info__().capabilities()["max dimensions"]).ndim == 64


# -- the array object ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DTYPES)
@each("symbol", ["+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>", "@"])
def test_operators_in_place_equal_numpys_for_every_dtype(name, symbol):
    def run(module, make):
        x = make(np.array([3, 1, 2]), name)
        before = x
        scope = {"x": x, "v": make(np.array([1, 1, 2]), name)}
        try:
            exec(f"x {symbol}= v", scope)
        except (TypeError, ValueError) as error:
            return TypeError if isinstance(error, TypeError) else ValueError
        assert scope["x"] is before
        return scope["x"]

    expected = run(np, lambda a, dtype: a.astype(dtype))
    got = run(tm, lambda a, dtype: tm.asarray(a.astype(dtype)))
    if isinstance(expected, type):
        assert got is expected
    else:
        assert isinstance(got, tm.Tensor)
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("name", DTYPES)
@each(
    ("key", "value"),
    [
        (0, 1),
        ((slice(None), -1), 0),
        (..., 1),
        (np.array([[True, False, True], [False, True, False]]), 1),
        (np.array([True, False]), np.array([1, 0, 1])),
        ((np.array([0, 1]), np.array([2, 0])), 1),
    ],
)
def test_assignment_equals_numpys_for_every_dtype(name, key, value):
    expected = np.arange(6).reshape(2, 3).astype(name)
    x = tm.asarray(expected.copy())
    expected[key] = value
    x[key] = value if isinstance(value, int) else tm.asarray(value.astype(name))
    assert x.dtype == expected.dtype
    np.testing.assert_array_equal(x.numpy(), expected)


def test_assignment_is_differentiable_through_masks():
    x, mask = np.array([1.0, 2.0, 3.0]), np.array([True, False, True])

    def f(x, v):
        y = x * 1.0
        y[mask] = v
        return (y * y).sum()

    gx, gv = tm.grad(f, argnums=(0, 1))(x, 5.0)
    np.testing.assert_allclose(gx.numpy(), [0.0, 4.0, 0.0])
    assert gv.item() == 20.0


def test_zero_dimensional_tensors_are_tensors():
    x = tm.asarray([1.0, 2.0])
    for y in (x[0], x.sum(), tm.asarray(3.0), x[0] * 2.0, tm.zeros(())):
        assert isinstance(y, tm.Tensor)
        assert y.shape == ()
        assert y.ndim == 0
        assert y.size == 1
    assert float(tm.asarray(3)) == 3.0
    assert int(tm.asarray(3.7)) == 3
    assert complex(tm.asarray(2.0)) == 2.0 + 0j
    assert bool(tm.asarray(True))
    assert [10, 20, 30][tm.asarray(1)] == 20


@pytest.mark.parametrize("convert", [float, int, complex])
def test_only_one_number_becomes_a_python_number(convert):
    with pytest.raises(TypeError, match=r"shape|single"):
        convert(tm.ones((2,)))


def test_asarray_copies_when_asked_to():
    a = np.array([1.0, 2.0])
    kept, copied = tm.asarray(a, copy=False), tm.asarray(a, copy=True)
    a[0] = 9.0
    assert kept.numpy()[0] == 9.0
    assert copied.numpy()[0] == 1.0
    x = tm.asarray([1.0])
    y = tm.asarray(x, copy=True)
    y[0] = 5.0
    assert x.item() == 1.0
    with pytest.raises(ValueError, match="copy"):
        tm.asarray(a, dtype=tm.float32, copy=False)


def test_large_integers_in_lists_keep_their_digits():
    big = 2**63 + 1
    assert tm.asarray([1, big], dtype=tm.uint64).tolist() == [1, big]
    with pytest.raises(tm.DTypeError, match="uint8"):
        tm.asarray([1, 300], dtype=tm.uint8)
    with pytest.raises(tm.DTypeError, match="uint8"):
        tm.asarray(-1, dtype=tm.uint8)


def test_dlpack_shares_the_array_and_keeps_gradients_in():
    a = np.array([1.0, 2.0])
    x = tm.from_dlpack(a)
    assert isinstance(x, tm.Tensor)
    np.testing.assert_array_equal(np.from_dlpack(x), a)
    assert x.__dlpack_device__() == a.__dlpack_device__()
    with pytest.raises(tm.NeedsDetach):
        np.from_dlpack(tm.tensor(a, requires_grad=True))


def test_there_is_one_device():
    x = tm.ones(2)
    assert x.device == "cpu"
    assert x.to_device("cpu") is x
    with pytest.raises(tm.DTypeError, match="cpu"):
        x.to_device("gpu")


@pytest.mark.parametrize(
    ("name", "fields", "argument"),
    [
        ("eigh", ("eigenvalues", "eigenvectors"), np.eye(2)),
        ("svd", ("U", "S", "Vh"), np.diag([3.0, 2.0])),
        ("qr", ("Q", "R"), np.diag([3.0, 2.0])),
        ("slogdet", ("sign", "logabsdet"), np.diag([3.0, 2.0])),
    ],
)
def test_factorisations_give_named_tuples(name, fields, argument):
    out = getattr(tm.linalg, name)(argument)
    assert isinstance(out, tuple)
    assert out._fields == fields
    assert all(isinstance(part, tm.Tensor) for part in out)


def test_unique_gives_named_tuples():
    x = tm.asarray([1, 3, 1])
    assert tm.unique_all(x)._fields == ("values", "indices", "inverse_indices", "counts")
    assert tm.unique_counts(x)._fields == ("values", "counts")
    assert tm.unique_inverse(x)._fields == ("values", "inverse_indices")


@pytest.mark.parametrize("diagonal", [[3.4e7, 1.0], [1e19, 1e19], [1e-30, 1e30], [-1e19, 1e-10]])
def test_rows_of_different_sizes_do_not_make_a_matrix_singular(diagonal):
    d = np.asarray(diagonal, np.float32)
    np.testing.assert_allclose(tm.linalg.inv(np.diag(d)).numpy(), np.diag(1 / d), rtol=1e-6)
    np.testing.assert_allclose(tm.linalg.solve(np.diag(d), d).numpy(), 1.0, rtol=1e-6)
