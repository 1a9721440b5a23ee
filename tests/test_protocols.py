"""NumPy's functions and ufuncs on Tensors: ours, or a named error; never a silent loss of the gradient."""

import inspect
import itertools
import math

import numpy as np
import pytest
import scipy.special
from numpy._core.overrides import ARRAY_FUNCTIONS

import tinygrad_math as tm
from tinygrad_math.core.op import by_ufunc
from tinygrad_math.core.samples import positive, real

A, v, w, p = real(3, 4), real(4), real(4, key="w"), positive(3, 4)


def _leaf(x):
    return tm.tensor(x, requires_grad=True)


def _gradient(f, x):
    return tm.grad(lambda x: (f(x) * np.arange(1.0, f(x).size + 1).reshape(f(x).shape)).sum())(x).numpy()


def _slope(f, x, h=1e-6):
    """The same gradient by central differences of the plain function."""
    weights = np.arange(1.0, f(x).size + 1).reshape(f(x).shape)
    out = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[at] = h
        out[at] = (np.sum(weights * f(x + e)) - np.sum(weights * f(x - e))) / (2 * h)
    return out


BINARY = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.hypot, np.logaddexp, np.arctan2]


@pytest.mark.parametrize("ufunc", sorted((u for u in by_ufunc if u.nin == 1), key=str), ids=str)
def test_a_ufunc_of_a_tensor_is_our_function(ufunc):
    x = _leaf(p) if by_ufunc[ufunc].name not in ("arccosh",) else _leaf(p + 1)
    x = x if "d" in "".join(ufunc.types) else tm.tensor(np.array([1, 2]))
    with np.errstate(all="ignore"):
        through, own = ufunc(x), by_ufunc[ufunc](x)
    parts = zip(through, own) if isinstance(through, tuple) else [(through, own)]
    for a, b in parts:
        assert isinstance(a, tm.Tensor)
        assert a.requires_grad == b.requires_grad
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda u: u.__name__)
@pytest.mark.parametrize("order", ["array first", "tensor first", "number first"])
def test_a_binary_ufunc_takes_arrays_numbers_and_tensors_in_any_order(ufunc, order):
    def f(x):
        return {
            "array first": lambda: ufunc(p, x),
            "tensor first": lambda: ufunc(x, p),
            "number first": lambda: ufunc(2.0, x),
        }[order]()

    x = real(3, 4, low=0.2, high=1.9)
    assert isinstance(f(_leaf(x)), tm.Tensor)
    np.testing.assert_allclose(f(_leaf(x)).detach().numpy(), f(x), rtol=1e-14)
    np.testing.assert_allclose(_gradient(f, x), _slope(f, x), rtol=1e-5, atol=1e-6)


# without arctan2, of which NumPy's own reduce along a contiguous axis is wrong
@pytest.mark.parametrize("ufunc", [u for u in BINARY if u is not np.arctan2], ids=lambda u: u.__name__)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_reduce_and_accumulate_have_the_derivative(ufunc, axis):
    methods = [lambda x: ufunc.accumulate(x, axis=axis), lambda x: ufunc.reduce(x, axis=axis)]
    for f in methods:
        np.testing.assert_allclose(f(_leaf(p)).detach().numpy(), f(p), rtol=1e-12)
        np.testing.assert_allclose(_gradient(f, p), _slope(f, p), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.logaddexp], ids=lambda u: u.__name__)
@pytest.mark.parametrize("options", [{}, {"axis": None}, {"axis": (0, 1)}, {"axis": 1, "keepdims": True}])
def test_reduce_takes_numpys_options(ufunc, options):
    out = ufunc.reduce(_leaf(p), **options)
    expected = ufunc.reduce(p, **options)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-12)


def test_reduce_takes_initial_where_and_dtype():
    x, mask = _leaf(p), p > 1
    np.testing.assert_allclose(np.add.reduce(x, initial=5.0).detach().numpy(), np.add.reduce(p, initial=5.0))
    f = lambda x: np.multiply.reduce(x, axis=0, where=mask)  # noqa: E731
    np.testing.assert_allclose(f(x).detach().numpy(), f(p))
    np.testing.assert_allclose(_gradient(f, p), _slope(f, p), rtol=1e-5, atol=1e-6)
    assert np.add.reduce(x, dtype=np.float32).dtype == np.float32
    with pytest.raises(tm.ArgumentError, match="neutral"):
        np.maximum.reduce(x, where=mask)


@pytest.mark.parametrize(
    ("f", "options"),
    [
        (np.sum, {"where": p > 1}),
        (np.sum, {"axis": 0, "initial": 2.0, "keepdims": True}),
        (np.prod, {"axis": 1, "where": p > 1}),
        (np.max, {"axis": 1, "where": p > 1, "initial": 0.0}),
        (np.min, {"where": p > 1, "initial": 5.0}),
        (np.amax, {"axis": (0, 1), "initial": 1.0}),
    ],
)
def test_reductions_of_chosen_elements_have_the_derivative(f, options):
    np.testing.assert_allclose(f(_leaf(p), **options).detach().numpy(), f(p, **options), rtol=1e-14)
    np.testing.assert_allclose(
        _gradient(lambda x: f(x, **options), p), _slope(lambda x: f(x, **options), p), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda u: u.__name__)
def test_outer_has_the_derivative(ufunc):
    f = lambda x: ufunc.outer(x, np.array([0.5, 1.5]))  # noqa: E731
    x = positive(3)
    np.testing.assert_allclose(f(_leaf(x)).detach().numpy(), f(x), rtol=1e-14)
    np.testing.assert_allclose(_gradient(f, x), _slope(f, x), rtol=1e-5, atol=1e-6)


def test_reduceat_has_the_derivative():
    f = lambda x: np.add.reduceat(x, [0, 2, 1], axis=1)  # noqa: E731
    np.testing.assert_allclose(f(_leaf(A)).detach().numpy(), f(A), rtol=1e-14)
    np.testing.assert_allclose(_gradient(f, A), _slope(f, A), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ufunc", [np.add, np.subtract], ids=lambda u: u.__name__)
def test_at_adds_up_repeated_indices_and_is_recorded(ufunc):
    expected = v.copy()
    ufunc.at(expected, [0, 0, 2], [1.0, 2.0, 3.0])
    x, b = _leaf(v), _leaf(np.array([1.0, 2.0, 3.0]))
    y = x * 1.0
    ufunc.at(y, [0, 0, 2], b)
    np.testing.assert_allclose(y.detach().numpy(), expected)
    gx, gb = tm.grad_of((y * w).sum(), [x, b])
    np.testing.assert_allclose(gx.numpy(), w)
    np.testing.assert_allclose(gb.numpy(), (1 if ufunc is np.add else -1) * w[[0, 0, 2]])
    with pytest.raises(tm.NeedsDetach, match="plain array"):
        ufunc.at(v.copy(), [0], x[:1])
    with pytest.raises(tm.NoDerivative, match=r"\.at\["):
        np.maximum.at(y, [0], 1.0)


def test_out_is_an_assignment_and_where_chooses():
    x, target, mask = _leaf(v), tm.tensor(w), np.array([True, False, True, False])
    result = np.multiply(x, 3.0, out=target, where=mask)
    assert result is target
    np.testing.assert_allclose(target.detach().numpy(), np.where(mask, 3 * v, w))
    (g,) = tm.grad_of(target.sum(), [x])
    np.testing.assert_allclose(g.numpy(), np.where(mask, 3.0, 0.0))
    plain = v.copy()
    plain += tm.tensor(w)  # a constant has no derivative to lose
    np.testing.assert_array_equal(plain, v + w)
    total = tm.tensor(0.0)
    np.sum(x, out=total)
    assert total.item() == pytest.approx(v.sum())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.add(x, x, where=v > 0), tm.ArgumentError, r"where\(condition"),
        (lambda x: np.add(x, x, dtype=np.float32), tm.ArgumentError, "astype"),
        (lambda x: np.add(x, x, out=np.zeros(4)), tm.NeedsDetach, r"y = x \+ t"),
        (lambda x: np.zeros(4).__iadd__(x), tm.NeedsDetach, r"y = x \+ t"),
        (lambda x: np.asarray(x), tm.NeedsDetach, "detach"),
        (lambda x: np.array([x, x]), tm.NeedsDetach, "detach"),
        (lambda x: np.array([x[0], 1.0]), tm.NeedsDetach, "detach"),
        (lambda x: np.testing.assert_allclose(x, v), tm.NeedsDetach, "detach"),
        (lambda x: np.from_dlpack(x), tm.NeedsDetach, "detach"),
        (lambda x: np.isnat(x), tm.NoDerivative, r"numpy\.isnat"),
        (lambda x: np.frompyfunc(lambda a: a, 1, 1)(x), tm.NoDerivative, r"tm\.primitive"),
        (lambda x: np.save("unwritten.npy", x), tm.NoDerivative, r"tm\.save"),
        (lambda x: np.put(x, [0], 1.0), tm.NotALeaf, "no_grad"),
        (lambda x: np.sum(x, axis=0, no=1), TypeError, "no"),
        (lambda x: np.sin(x, where=v > 0), tm.ArgumentError, r"undefined"),
        (lambda x: np.emath.sqrt(x), tm.NoDerivative, "scimath"),
    ],
)
def test_what_would_lose_the_gradient_raises_and_says_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call(_leaf(v))


def test_numpys_argument_names_and_places_are_understood():
    x = _leaf(A)
    np.testing.assert_allclose(np.sum(a=x, axis=0).detach().numpy(), A.sum(0))
    np.testing.assert_allclose(np.std(x, 0, None, None, 1).detach().numpy(), A.std(0, ddof=1))
    np.testing.assert_allclose(np.mean(x, 1, None, None, True).detach().numpy(), A.mean(1, keepdims=True))
    np.testing.assert_allclose(np.clip(x, a_min=-1.0, a_max=1.0).detach().numpy(), A.clip(-1, 1))
    np.testing.assert_allclose(np.reshape(x, (4, 3), order="C").detach().numpy(), A.reshape(4, 3))


def test_array_and_tensor_combine_by_operators_on_either_side():
    x = _leaf(v)
    for y in (w + x, w - x, w * x, w / (x * x + 1), A @ x, w @ x):
        assert isinstance(y, tm.Tensor)
        assert y.requires_grad
    np.testing.assert_allclose(tm.grad(lambda x: A @ x @ np.ones(3))(v).numpy(), A.sum(0))
    assert isinstance(w < x, tm.Tensor)
    assert isinstance(w == x, tm.Tensor)


def test_shape_and_dtype_questions_are_answered_by_numpy():
    x = _leaf(A)
    assert np.shape(x) == (3, 4)
    assert np.ndim(x) == 2
    assert np.size(x, 1) == 4
    assert np.isrealobj(x)
    assert not np.iscomplexobj(x)
    assert np.result_type(x, np.complex64) == np.complex128
    assert np.array_repr(x) == np.array_repr(A)


def test_a_ufunc_of_scipy_is_our_special_function():
    x = _leaf(v)
    y = scipy.special.erf(x)
    assert isinstance(y, tm.Tensor)
    (g,) = tm.grad_of(y.sum(), [x])
    np.testing.assert_allclose(g.numpy(), 2 / np.sqrt(np.pi) * np.exp(-v * v))
    for name in ("expm1", "cbrt", "exp2", "exp10"):  # ufuncs of SciPy's own
        f = getattr(scipy.special, name)
        np.testing.assert_allclose(f(x).detach().numpy(), f(v), rtol=1e-14)
        np.testing.assert_allclose(_gradient(f, v), _slope(f, v), rtol=1e-6)
    assert isinstance(scipy.special.obl_cv(1, 1, tm.tensor(1.0)), tm.Tensor)  # a constant has its value
    with pytest.raises(tm.NoDerivative, match=r"scipy\.special"):
        scipy.special.obl_cv(x, x, x)


T = tm.tensor(A)
ALONE = {  # functions that NumPy alone has, of constants: what they give is what they give of arrays
    "memory": lambda x: (np.may_share_memory(x, x), np.shares_memory(x, x[0]), np.min_scalar_type(x[0, 0])),
    "sets": lambda x: (np.intersect1d(x, x[0]), np.union1d(x, x), np.setdiff1d(x, x[0])),
    "counts": lambda x: (*np.histogram2d(x[0], x[1], bins=3), np.histogramdd(x, bins=2)[0]),
    "index numbers": lambda x: (*np.ix_(x[0] > 0, x[1] > 0), np.unravel_index(np.argmax(x), x.shape)),
    "windows": lambda x: (np.lib.stride_tricks.sliding_window_view(x, 2, axis=1), np.trim_zeros(x[0])),
    "roots of negative numbers": lambda x: (np.emath.sqrt(x), np.emath.log(x), np.poly1d(x[0])(x[1])),
    "bounds that may be None": lambda x: (np.broadcast_arrays(x, None)[0], np.ravel(x, order="K")),
    "plans": lambda x: np.einsum_path("ij,kj", x, x)[0],
    "at least": lambda x: (np.atleast_1d(x), np.atleast_2d(x[0]), np.atleast_3d(x)),
}


@pytest.mark.parametrize("kind", ALONE)
def test_what_numpy_alone_has_takes_constants(kind):
    got, want = ALONE[kind](T), ALONE[kind](A)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)


def test_files_of_numpys_take_constants(tmp_path):
    np.save(tmp_path / "a.npy", T)
    np.savez(tmp_path / "b.npz", T, t=T)
    np.savetxt(tmp_path / "c.txt", T)
    for back in (np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npz")["t"], np.loadtxt(tmp_path / "c.txt")):
        np.testing.assert_array_equal(back, A)


WRITES = {
    "copyto": lambda x: np.copyto(x, 7.0, where=A > 0),
    "put": lambda x: np.put(x, [0, -1, 5], [1.0, 2.0]),
    "put clipped": lambda x: np.put(x, [0, 99], [1.0, 2.0], mode="clip"),
    "put wrapped": lambda x: np.put(x, [-1, 99], [1.0, 2.0], mode="wrap"),
    "place": lambda x: np.place(x, A > 0, [1.0, 2.0, 3.0]),
    "putmask": lambda x: np.putmask(x, A > 0, [1.0, 2.0, 3.0, 4.0, 5.0]),
    "fill_diagonal": lambda x: np.fill_diagonal(x, [1.0, 2.0]),
    "fill": lambda x: x.fill(3.0),
}


@pytest.mark.parametrize("name", WRITES)
def test_numpys_functions_that_write_are_assignments(name):
    x, array, y = tm.tensor(A), A.copy(), tm.tensor(A, requires_grad=True)
    WRITES[name](x)
    WRITES[name](array)
    np.testing.assert_array_equal(x.numpy(), array)
    result = y * 2.0
    WRITES[name](result)
    result.sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), np.where(array == A, 2.0, 0.0))


def test_a_diagonal_is_filled_in_any_shape():
    for shape in [(5, 2), (2, 5), (3, 3, 3), (7, 3)]:
        for wrap in (False, True):
            x, array = tm.zeros(shape), np.zeros(shape)
            np.fill_diagonal(x, [1.0, 2.0], wrap)
            np.fill_diagonal(array, [1.0, 2.0], wrap)
            np.testing.assert_array_equal(x.numpy(), array)


def test_a_write_of_numpys_into_a_part_or_beyond_the_end_is_refused():
    x = tm.tensor(A)
    with pytest.raises(tm.LostWrite):
        np.copyto(x[0], 1.0)
    with pytest.raises(tm.IndexOutOfBounds, match="12 elements"):
        np.put(x, [12], 1.0)
    with pytest.raises(tm.DTypeError, match="astype"):
        np.copyto(tm.tensor([1, 2]), 0.5)
    with pytest.raises(tm.NoDerivative, match="detach"):
        np.copyto(np.zeros(4), _leaf(v))
    assert x.tolist() == A.tolist()


def test_numpys_attributes_of_arrays():
    x = tm.tensor(A)
    assert x.strides == A.strides
    assert [float(e) for e in x.flat] == A.ravel().tolist()
    np.testing.assert_array_equal(x.view(np.int64).numpy(), A.view(np.int64))
    assert x.view(4, 3).shape == (4, 3)
    x.shape = (4, 3)
    np.testing.assert_array_equal(x.numpy(), A.reshape(4, 3))
    with pytest.raises(tm.ShapeError):
        x.shape = (5, 3)
    with pytest.raises(tm.NotALeaf, match="reshape"):
        _leaf(v).shape = (2, 2)
    np.testing.assert_array_equal(x.to_numpy(), A.reshape(4, 3))
    with pytest.raises(tm.NeedsDetach):
        _leaf(v).to_numpy()
    kinds = {dtype: name for name, dtype in tm.__array_namespace_info__().dtypes().items()}
    assert kinds[x.dtype] == "float64"


def _without_counterpart():
    """NumPy's dispatching functions that have no counterpart: each must raise, none may return."""
    for f in sorted(ARRAY_FUNCTIONS, key=lambda f: f.__name__):
        module = {"numpy": tm, "numpy.linalg": tm.linalg, "numpy.fft": tm.fft}.get(f.__module__)
        if module is not None and f.__name__ in getattr(np, "__all__", ()) and not hasattr(module, f.__name__):
            yield f


ANSWERED = {
    "shape",
    "size",
    "common_type",
    "array_repr",
    "array_str",
    "array2string",
    "may_share_memory",
    "shares_memory",
    "einsum_path",
    "copyto",
    "put",
    "place",
    "putmask",
    "fill_diagonal",
}


def _required(f):
    """The parameters that must be given; None for a function that dispatches on `like` alone."""
    if f.__name__ == "fromstring":  # does not tell its signature
        return None
    try:
        parameters = inspect.signature(f).parameters
    except ValueError:
        return 2
    if "like" in parameters:
        return None
    return sum(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters.values())


UNSERVED = [f for f in _without_counterpart() if f.__name__ not in ANSWERED and _required(f) is not None]


@pytest.mark.parametrize("f", UNSERVED, ids=lambda f: f.__name__)
def test_a_function_without_counterpart_raises_by_name(f):
    with pytest.raises((tm.NoDerivative, tm.NeedsDetach), match=r"tinygrad_math|detach"):
        f(*[_leaf(v)] * max(_required(f), 1))


def test_the_namespace_of_a_tensor_is_the_package():
    assert _leaf(v).__array_namespace__() is tm
    assert _leaf(v).__array_namespace__(api_version="2024.12") is tm
    with pytest.raises(tm.ArgumentError, match=r"2024\.12"):
        _leaf(v).__array_namespace__(api_version="1999.01")


# -- options that say nothing, and constants -------------------------------------------------------------------
def test_options_of_functions_of_any_number_of_arrays_are_left_out_or_refused():
    x = tm.tensor([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(np.broadcast_arrays(x, x[0], subok=True)[1].numpy(), [[1.0, 2.0], [1.0, 2.0]])
    assert np.einsum("ab->b", x, casting="safe", order="K", dtype=None).tolist() == [4.0, 6.0]
    with pytest.raises(tm.ArgumentError, match="astype"):
        np.einsum("ab->b", x, dtype=np.float32)
    with pytest.raises(tm.ArgumentError, match="unexpected keyword argument 'subject'"):
        tm.broadcast_arrays(x, x, subject=True)


def test_ufuncs_of_constants_take_every_option_of_numpys():
    x, a = tm.tensor([1.0, 2.0]), np.array([1.0, 2.0])
    for options in ({"dtype": np.float32}, {"casting": "unsafe", "dtype": int}):
        got, want = np.subtract(x, 0.5, **options), np.subtract(a, 0.5, **options)
        assert (type(got), got.dtype) == (tm.Tensor, want.dtype)
        np.testing.assert_array_equal(got.numpy(), want)
    assert tm.grad(lambda x: np.multiply(x, 3.0, dtype=float).sum())(a).tolist() == [3.0, 3.0]  # as it would anyway
    for call in (
        tm.grad(lambda x: np.subtract(x, 0.5, dtype=np.float32).sum()),
        tm.compile(lambda x: np.sin(x, dtype=np.float32)),
    ):
        with pytest.raises(tm.ArgumentError, match="cast with astype"):
            call(x)


def test_objects_that_another_ufunc_gives_stay_objects():
    halves = np.frompyfunc(lambda v: {"half": v / 2}, 1, 1)
    assert halves(tm.tensor(3.0)) == {"half": 1.5}
    assert halves(tm.tensor([3.0, 5.0])).tolist() == [{"half": 1.5}, {"half": 2.5}]
    assert not isinstance(halves(tm.tensor([3.0])), tm.Tensor)


FOLDED = [np.add, np.multiply, np.maximum, np.fmax, np.logaddexp, np.hypot, np.subtract, np.bitwise_or, np.logical_xor]


@pytest.mark.parametrize("ufunc", FOLDED, ids=lambda u: u.__name__)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0), (2, 3)])
def test_methods_of_ufuncs_of_few_elements_are_numpys(ufunc, shape):
    """Of a number, of one element and of none: NumPy's value, or a named error where NumPy has one."""
    x = np.arange(-3, -3 + math.prod(shape)).reshape(shape) if shape else np.array(-3)
    x = x if ufunc is np.bitwise_or else x.astype(float)
    for method, axis in itertools.product(("reduce", "accumulate"), (0, -1, None, (), 1, (0, 1))):
        try:
            expected = getattr(ufunc, method)(x, axis=axis)
        except (ValueError, TypeError):
            with pytest.raises(tm.MathError):
                getattr(ufunc, method)(tm.tensor(x), axis=axis)
            continue
        got = getattr(ufunc, method)(tm.tensor(x), axis=axis)
        np.testing.assert_array_equal(got.numpy(), expected, strict=True) if expected.size < 2 else (
            np.testing.assert_allclose(got.numpy(), expected, rtol=1e-15, strict=True)
        )


@pytest.mark.parametrize("ufunc", [*FOLDED, np.floor_divide, np.divide], ids=lambda u: u.__name__)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3,), (0, 2), (2, 0), (2, 3)])
def test_a_fold_begins_with_the_value_that_is_given(ufunc, shape):
    """(initial - a) - b, and not initial - (a - b)."""
    x = np.arange(1, 1 + math.prod(shape)).reshape(shape) if shape else np.array(2)
    x = x if ufunc is np.bitwise_or else x * 0.75
    for axis, keepdims in itertools.product((0, -1, None), (False, True)):
        options = {"axis": axis, "keepdims": keepdims, "initial": x.dtype.type(3)}
        try:
            expected = ufunc.reduce(x, **options)
        except ValueError:
            with pytest.raises(tm.MathError):
                ufunc.reduce(tm.tensor(x), **options)
            continue
        got = ufunc.reduce(tm.tensor(x), **options)
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-14, strict=True)


def test_a_fold_of_nothing_begins_with_what_is_given():
    x = tm.tensor(np.zeros((0, 2)), requires_grad=True)
    assert np.fmax.reduce(x, initial=4.0).tolist() == [4.0, 4.0]
    np.hypot.reduce(tm.tensor(-3.0, requires_grad=True)).backward()
    assert tm.grad(lambda x: np.hypot.reduce(x))(-3.0).item() == -1.0
    with pytest.raises(tm.ShapeError, match="give initial="):
        np.subtract.reduce(x)
    with pytest.raises(tm.ArgumentError, match=r"accumulate runs along an axis, and float64\(\)"):
        np.add.accumulate(tm.tensor(1.5))
    with pytest.raises(tm.ArgumentError, match="reduceat runs along an axis"):
        np.add.reduceat(tm.tensor(1.5), [0])


@pytest.mark.parametrize("dtype", ["i2", "f2", "f4", "f8"])
def test_numpys_bessel_function_has_its_dtype(dtype):
    x = np.array([1, 3], dtype)
    got = np.i0(tm.tensor(x))
    np.testing.assert_allclose(got.numpy(), np.i0(x), rtol=4 * np.finfo(got.dtype).eps, strict=True)
    assert tm.compile(np.i0)(x).dtype == np.i0(x).dtype
    assert tm.special.i0(x).dtype == scipy.special.i0(x).dtype
