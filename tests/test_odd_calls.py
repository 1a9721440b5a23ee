"""Bad input gets a named error that teaches, and leaves everything as it was: the rules, and a sample of odd calls."""

import subprocess
import sys

import numpy as np
import pytest

import tinygrad_math as tm
from tests import odd_calls

X = np.array([[1.0, 2.0], [3.0, 5.0]])


def test_every_public_function_has_a_good_call_to_begin_with():
    assert odd_calls.targets()[1] == []


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory and of processor time")
def test_a_sample_of_odd_calls_ends_in_a_value_or_a_named_error():
    call = [sys.executable, "-m", "tests.odd_calls", "--sample", "2500", "--seed", "3", "--faults", "bare,changed,hang"]
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
    for make in (lambda: tm.zeros_like(X, shape=(2**50,)), lambda: tm.fft.fft(X, n=2**50)):
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
