"""Bad input gets a named error that teaches, and leaves everything as it was: the rules, and a sample of odd calls."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import tinygrad_math as tm
from tests import odd_calls

X = np.array([[1.0, 2.0], [3.0, 5.0]])


def test_every_public_function_has_a_good_call_to_begin_with():
    assert odd_calls.targets()[1] == []


@pytest.mark.parametrize(
    ("size", "seed"), [(400, 1), pytest.param(4000, 3, marks=pytest.mark.long)], ids=["few", "many"]
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory and of processor time")
def test_a_sample_of_odd_calls_is_answered_as_by_numpy_and_scipy_or_ends_in_a_named_error(size, seed):
    call = [sys.executable, "-m", "tests.odd_calls", "--sample", str(size), "--seed", str(seed), "--verbose"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tm.sum(X, keepdims="no"), "keepdims is True or False; got 'no', a str"),
        (lambda: tm.mean(X, axis=(0.0, 1.0)), "axis is an int, a tuple of ints or None"),
        (lambda: tm.fft.fft(X, norm="forwards"), "norm is 'backward', 'ortho' or 'forward' or None"),
        (lambda: tm.can_cast(np.int8, np.int16, "sometimes"), "'same_kind'"),
        (lambda: tm.zeros(3, device="gpu"), "device is 'cpu'"),
        (lambda: tm.grad(3.0), "f is a function; got 3.0"),
        (lambda: tm.var(X, correction="1"), "correction is a real number"),
        (lambda: tm.random.normal(size="3"), "size"),
        (lambda: tm.special.lambertw(1.0, 0, range(3)), "lambertw: tol is a real number, got range(0, 3)"),
        (lambda: tm.nn.ReLU(inplace=X), "ReLU: inplace is True or False"),
        (lambda: tm.nn.ModuleDict({"a": tm.nn.ReLU()}).get(X), "ModuleDict.get: the modules have names"),
        (lambda: tm.nn.functional.affine(odd=1), "affine"),
        (lambda: tm.histogram_bin_edges(X, range=[[1.0], [2.0]]), "histogram_bin_edges: range is (low, high)"),
    ],
)
def test_the_error_says_which_argument_what_came_and_what_was_expected(call, words):
    with pytest.raises(tm.ArgumentError) as caught:
        call()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tm.zeros_like(X, dtype="U3"),
        lambda: tm.full((2,), 1.0, dtype=object),
        lambda: tm.random.random(3, dtype=tm.tensor([1.0])),
        lambda: tm.promote_types(None, np.float32),
        lambda: tm.tensor(X).to_numpy(dtype=False),
    ],
)
def test_what_is_no_dtype_of_numbers_is_refused(call):
    with pytest.raises((tm.DTypeError, tm.ArgumentError), match="dtype"):
        call()


class Refusing:
    """Another library's array that cannot become NumPy's now."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("detach me first")


@pytest.mark.parametrize("f", [tm.exp, lambda a: tm.add(X, a), tm.linalg.norm, tm.tensor, lambda a: tm.stack([X, a])])
def test_an_array_that_refuses_its_conversion_is_a_named_error_with_its_words(f):
    with pytest.raises(tm.DTypeError, match=r"Refusing.*detach me first"):
        f(Refusing())


def _within_itself(copies):
    made = []
    made += [made] * copies
    return made


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("f", [tm.sin, tm.tensor, tm.linalg.det, lambda a: tm.concat([X, a]), tm.grad(tm.sum)])
def test_a_list_that_contains_itself_is_refused_at_once(f, copies):
    with pytest.raises(tm.MathError):
        f(_within_itself(copies))


def test_an_array_that_no_memory_holds_is_a_named_error_and_a_memory_error():
    for make in (
        lambda: tm.zeros_like(X, shape=(2**50,)),
        lambda: tm.fft.fft(X, n=2**50),
        lambda: tm.data.moons(2**50),
    ):
        with pytest.raises(tm.OutOfMemory) as caught:
            make()
        assert isinstance(caught.value, MemoryError)


def test_what_a_function_that_was_handed_over_raises_passes_through():
    def own(*args):
        raise KeyError("mine")

    for call in (
        lambda: tm.grad(own)(1.0),
        lambda: tm.apply_along_axis(own, 0, X),
        lambda: tm.fromfunction(own, (2, 2)),
        lambda: tm.tree_map(own, [1.0]),
    ):
        with pytest.raises(KeyError, match="mine"):
            call()


def test_a_warning_turned_into_an_error_stays_what_it_is():
    with pytest.raises(RuntimeWarning):
        tm.log(np.array([0.0]))
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        tm.exp(np.array([1e9]))


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda r: r.uniform(2.0, 1.0), "low <= high"),
        (lambda r: r.uniform(0.0, np.inf), "finite"),
        (lambda r: r.beta(0.0, 1.0), "greater than 0"),
        (lambda r: r.chisquare([1.0, -1.0]), "greater than 0"),
        (lambda r: r.standard_t(0), "greater than 0"),
    ],
)
def test_a_distribution_that_does_not_exist_is_not_drawn_from(draw, words):
    with pytest.raises(tm.OutsideDomain, match=words):
        draw(tm.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "given"),
    [("gamma", (2,)), ("beta", (1, 2)), ("chisquare", ([1, 2],)), ("standard_t", (3,)), ("normal", (0, 2))],
)
def test_whole_numbers_are_parameters_of_a_distribution_as_others_are(name, given):
    floats = [np.asarray(g, float)[()] for g in given]
    a, b = getattr(tm.random.default_rng(1), name)(*given), getattr(tm.random.default_rng(1), name)(*floats)
    assert np.array_equal(a.numpy(), b.numpy())


def test_numbers_of_a_distribution_are_real():
    for draw in (tm.random.normal, tm.random.laplace, tm.random.lognormal):
        with pytest.raises(tm.DTypeError, match="real"):
            draw(1 + 2j)


def test_a_failed_call_leaves_its_arguments_and_the_stream_as_they_were():
    rng, x = tm.random.default_rng(5), tm.tensor([1.0, 2.0], requires_grad=True)
    state = rng.state
    for call in (lambda: rng.uniform(3.0, 1.0), lambda: x.add_([1.0, 2.0, 3.0]), lambda: x.requires_grad_("no")):
        with pytest.raises(tm.MathError):
            call()
    assert rng.state == state
    assert x.tolist() == [1.0, 2.0]
    assert x.requires_grad


def test_observations_do_not_count_negatively():
    for weights in ({"fweights": [1, -1, 2]}, {"aweights": [0.5, 1.0, -0.1]}):
        with pytest.raises(tm.OutsideDomain, match="not negative"):
            tm.cov([[1.0, 2.0, 4.0], [0.0, 1.0, 3.0]], **weights)


# -- what odd calls have found ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "call",
    [
        lambda l: tm.full(l, 1.0),
        lambda l: tm.full(3, l),
        tm.arange,
        lambda l: tm.tile(X, l),
        lambda l: tm.hsplit(X, l),
        lambda l: tm.array_split(X, l),
        lambda l: tm.insert(X, l, 1.0),
        lambda l: tm.repeat(X, l),
        lambda l: tm.piecewise(X, l, [1.0]),
        lambda l: tm.asarray(l),
    ],
)
@pytest.mark.parametrize("copies", [1, 2])
def test_numpy_never_sees_a_list_that_holds_itself(call, copies):
    with pytest.raises(tm.MathError):
        call(_within_itself(copies))


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    "call",
    [
        lambda v: tm.tensor(1.0, name=v),
        lambda v: tm.nn.Parameter(X, name=v),
        lambda v: tm.no_grad(v),
        lambda v: tm.load("x.npz", max_bytes=v),
        lambda v: tm.optim.Optimizer([v]),
        lambda v: tm.optim.Optimizer(np.array(2.5)),
    ],
)
def test_what_cannot_be_shown_is_refused_by_a_named_error(call):
    with pytest.raises(tm.MathError):
        call(Unshowable())


@pytest.mark.parametrize(
    "call", [lambda: tm.concat({1.0, 2.0}), lambda: tm.stack({1.0: X}), lambda: tm.dstack({X.size})]
)
def test_what_has_no_order_is_no_sequence_of_arrays(call):
    with pytest.raises(tm.ArgumentError, match="sequence of arrays"):
        call()


@pytest.mark.parametrize("f", [tm.mean, tm.var, tm.std, tm.nanmean, tm.nanvar, tm.nanstd, tm.cov, tm.corrcoef])
def test_a_mean_is_not_cut_off_to_whole_numbers(f):
    with pytest.raises(tm.DTypeError, match="floating"):
        f([[1.0, 2.5], [4.0, 1.0]], dtype=int)


@pytest.mark.parametrize("dtype", [np.uint64, np.int64])
def test_the_mean_of_large_integers_does_not_wrap_around(dtype):
    x = np.array([np.iinfo(dtype).max, np.iinfo(dtype).max, 3], dtype)
    assert tm.mean(x).item() == pytest.approx(np.mean(x.astype(object)), rel=1e-15)
    assert tm.mean(np.stack([x, x]), axis=1).tolist() == pytest.approx([np.mean(x.astype(float))] * 2)


def test_an_index_beyond_the_signed_integers_does_not_count_from_the_end():
    beyond = np.array([0, 2**64 - 1], np.uint64)
    for call in (lambda: tm.take(X, beyond), lambda: tm.tensor(X)[beyond], lambda: tm.choose(beyond, [1.0, 2.0])):
        with pytest.raises(tm.IndexOutOfBounds):
            call()


def test_a_matrix_that_a_compiled_function_is_given_is_an_array_at_every_call():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        a = np.asmatrix([[1.0, 2.0], [3.0, 4.0]])
    f = tm.compile(lambda x: x * x)
    for _ in range(3):
        assert f(a).tolist() == [[1.0, 4.0], [9.0, 16.0]]
    assert f(np.asarray(a)).tolist() == [[1.0, 4.0], [9.0, 16.0]]


@pytest.mark.parametrize("base", [[2.0, 3.0], np.full((2, 3), 2.0), 2.0])
@pytest.mark.parametrize("axis", [0, -1])
def test_each_base_of_a_logspace_has_points_of_its_own(base, axis):
    got = tm.logspace(0.0, 2.0, 3, base=base, axis=axis).numpy()
    np.testing.assert_allclose(got, np.logspace(0.0, 2.0, 3, base=base, axis=axis))


@pytest.mark.parametrize(("ours", "numpys"), [(tm.var, np.var), (tm.nanvar, np.nanvar), (tm.nanstd, np.nanstd)])
@pytest.mark.parametrize("ddof", [float("nan"), 2, 5])
def test_too_little_to_measure_is_what_numpy_says(ours, numpys, ddof):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(ours([1.0, 2.0], ddof=ddof).numpy(), numpys([1.0, 2.0], ddof=ddof))


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (tm.ShapeError, lambda: tm.interp(0.5, [0.0, 1.0], [1.0, 2.0], left=[1.0, 2.0])),
        (tm.DTypeError, lambda: tm.interp(0.5j, [0.0, 1.0], [1.0, 2.0])),
        (tm.DTypeError, lambda: tm.select([X], [X])),
        (tm.ShapeError, lambda: tm.matvec([1.0, 2.0], [1.0, 2.0])),
        (tm.ShapeError, lambda: tm.vander([1.0], -1)),
        (tm.ArgumentError, lambda: tm.choose([0], {1.0})),
        (tm.OutsideDomain, lambda: tm.average([1.0, 2.0], weights=[1.0, -1.0])),
        (tm.DTypeError, lambda: tm.cov(X, aweights=[1j, 2.0])),
        (tm.ArgumentError, lambda: tm.gradient(X, axis=(0, 0))),
        (tm.ShapeError, lambda: tm.searchsorted([1.0, 2.0], 1.5, sorter=[0])),
        (tm.ArgumentError, lambda: tm.polyfit([0.0, 1.0], [0.0, 1.0], -1)),
        (tm.DTypeError, lambda: tm.concatenate([[1.5], [2.5]], dtype=int)),
        (tm.ArgumentError, lambda: tm.optim.minimize(lambda x: (x * x).sum(), X, tol=0)),
        (tm.ArgumentError, lambda: tm.nn.LSTM(2, 2, num_layers=10**9)),
        (tm.ArgumentError, lambda: tm.testing.check_grads(tm.sin, (1.0,), order=99)),
        (tm.ShapeError, lambda: tm.append(X, 1.0, axis=0)),
    ],
)
def test_what_numpy_refuses_is_refused(error, call):
    with pytest.raises(error):
        call()


def test_a_primitive_does_not_drop_the_gradient_of_what_it_reads_beside_its_arguments():
    w = tm.tensor([2.0, 3.0], requires_grad=True)
    scaled = tm.primitive(lambda x: w * x)
    with pytest.raises(tm.NeedsDetach):
        scaled(np.array([1.0, 2.0]))
    with pytest.raises(tm.NeedsDetach):
        tm.grad(lambda v: tm.primitive(lambda x: v * x)(np.array([1.0, 2.0])).sum())(np.array([1.0, 1.0]))
    assert tm.primitive(lambda x: w.detach() * x)(np.array([1.0, 2.0])).tolist() == [2.0, 6.0]


@pytest.mark.parametrize("f", [tm.jacobian, tm.jacfwd, tm.jacrev])
def test_a_jacobian_takes_as_many_axes_as_an_array_has(f):
    assert f(lambda x: x.sum())(np.ones((1,) * 40)).shape == (1,) * 40


@pytest.mark.parametrize("order", [2**63, 1e6, -1e6, 5000, -5000])
@pytest.mark.parametrize("x", [[1.0, 2.0, 3.0], [0.1, 0.2, 0.7], [1e-200, 3e-200]])
def test_a_norm_of_a_high_order_tends_to_the_largest_or_the_smallest(x, order):
    wanted = max(x) if order > 0 else min(x)
    assert tm.linalg.norm(x, ord=order).item() == pytest.approx(wanted, rel=1e-12)
    assert tm.linalg.vector_norm(np.array([x, x]), axis=1, ord=order).tolist() == pytest.approx([wanted] * 2, rel=1e-12)
