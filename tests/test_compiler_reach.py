"""What a compiled function reaches by way of its arguments' classes is seen as it is at each call."""

import random

import changes_of_arguments
import changes_of_own_arrays
import numpy as np
import pytest
from agreeing import X, agree, values
from changes_of_arguments import REACHED, Config, Net, held

import tinygrad_math as tm
from tinygrad_math.compiler.environment import Environment

ROOMS = (changes_of_arguments, changes_of_own_arrays)
CLOSED = {name: make for room in ROOMS for name, make in vars(room).items() if name.startswith("by_")}


def follows(f, args, change, **how):
    g = tm.compile(f, **how)
    for _ in range(2):
        agree(f, g, *args)
    before = values(f(*args))
    change()
    assert not np.array_equal(before[0], values(f(*args))[0])
    for _ in range(2):
        agree(f, g, *args)


@pytest.mark.parametrize("name", REACHED)
def test_a_change_of_what_an_argument_reaches_is_seen(name):
    follows(*REACHED[name]())


@pytest.mark.parametrize("name", ["a global", "an attribute of the class", "a slot", "a method of a dataclass"])
def test_it_is_seen_by_native_programs_and_by_gradients(name):
    pytest.importorskip("llvmlite")
    follows(*REACHED[name](), backend="native")
    f, args, change = REACHED[name]()
    follows(lambda m, x: tm.value_and_grad(lambda x: tm.sum(f(m, x)))(x)[1], args, change)


@pytest.mark.parametrize("name", CLOSED)
def test_a_change_of_what_is_closed_over_is_seen(name):
    f, change = CLOSED[name]()
    follows(f, (X,), change)


def test_modules_of_one_class_with_objects_of_their_own_are_told_apart():
    loss = tm.value_and_grad(lambda m, x: tm.sum(m(x)))
    step = tm.compile(loss)
    _, (net, _), _ = held(Config, lambda c: c.scale, None)
    for k in (2.0, 3.0, 5.0, 2.0):
        other = type(net)()
        other.held = Config(k)
        agree(lambda m, x: loss(m, x)[0], lambda m, x: step(m, x)[0], other, X)
        np.testing.assert_array_equal(step(other, X)[1].w.numpy(), X * k)


@pytest.mark.parametrize("draw", [lambda: np.random.normal(size=3), lambda: random.random()])
def test_an_argument_that_draws_elsewhere_is_refused_by_line(draw):
    class Noisy(Net):
        def times(self, x):
            return x + draw()

    with pytest.raises(tm.TraceError, match=r"draws from .*random"):
        tm.compile(lambda m, x: m(x))(Noisy(), X)


def test_a_constructor_that_does_not_run_costs_no_program():
    class Own(Net):
        def __init__(self):
            super().__init__(changes_of_arguments.FACTOR)

        def times(self, x):
            return 2.0 * x

    net, f = Own(), tm.compile(lambda m, x: m(x))
    for _ in range(3):
        f(net, X)
        changes_of_arguments.changed()
    assert len(f._programs) == 1


def test_an_object_without_a_hash_is_itself():
    from types import SimpleNamespace

    first, second = SimpleNamespace(k=2.0), SimpleNamespace(k=2.0)
    f = tm.compile(lambda x, n: (n.k * x, n))
    for n in (first, second, first):
        assert f(X, n)[1] is n


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_an_error_state_of_numpys_that_raises_or_calls_is_heeded(backend):
    if backend == "native":
        pytest.importorskip("llvmlite")
    f = tm.compile(lambda x: tm.exp(1000.0 * x) - tm.log(x - 1.0), backend=backend)
    told = []
    for _ in range(2):
        assert np.isinf(f(np.array([1.0])).numpy()).all()
        with np.errstate(divide="raise", over="ignore"), pytest.raises(FloatingPointError, match="log"):
            f(np.array([1.0]))
        with np.errstate(divide="ignore", over="raise"), pytest.raises(FloatingPointError, match="exp"):
            f(np.array([1.0]))
        with np.errstate(all="call", call=lambda *what: told.append(what[0])):
            f(np.array([1.0]))
        with np.errstate(all="ignore"):
            assert np.isinf(f(np.array([1.0])).numpy()).all()
    assert told == ["overflow", "divide by zero"] * 2
    assert len(f._programs) == 1


def test_what_an_array_of_an_own_class_holds_may_be_written_and_is_left_as_one_run_leaves_it():
    own = changes_of_own_arrays.owned(changes_of_own_arrays.OwnTensor, calls=0)

    def f(x):
        own.calls += 1
        own.last = 3.0
        return x * own * own.last

    np.testing.assert_array_equal(tm.compile(f)(X), 3.0 * X)
    assert (own.calls, own.last) == (1, 3.0)

    def keeping(x):
        own.seen = x
        return x

    with pytest.raises(tm.TraceError, match=r"own\.seen"):
        tm.compile(keeping)(X)
    assert not hasattr(own, "seen")


def test_plain_tensors_and_arrays_ask_nothing_more_at_a_call():
    t, a, p = tm.tensor([1.0]), np.ones(1), tm.nn.Parameter([1.0])
    facts = Environment([("f", lambda x: x * t.rate * a.rate * p.rate)]).facts
    assert sorted(f.path for f in facts) == ["a", "f", "p", "t"]
