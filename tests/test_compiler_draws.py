"""Random numbers that a compiled function draws from a seed of its own."""

import importlib.util

import numpy as np
import pytest
from agreeing import X, agree

import tinygrad_math as tm
from tinygrad_math.core.errors import TraceError


# -- random numbers from a seed within the function ---------------------------------------------------------------
def _one_draw(x):
    return x * tm.random.default_rng(3).normal(size=3)


def _several_draws(x):
    rng = tm.random.default_rng(np.random.SeedSequence(5))
    return x * rng.uniform(size=3) + rng.poisson(4.0, size=3) + x[rng.permutation(3)]


def _drawn_around_an_argument(x):
    return tm.random.default_rng([1, 2]).normal(x, abs(x))


def _a_layer(x):
    return tm.nn.Linear(3, 2, rng=4)(x)


@pytest.mark.parametrize("f", [_one_draw, _several_draws, _drawn_around_an_argument, _a_layer])
def test_a_generator_seeded_within_the_function_starts_anew_at_each_call(f):
    g = tm.compile(f)
    for x in (X, 2.0 * X, X):
        agree(f, g, x)


def _seeded_by_an_argument(x):
    return x * tm.random.default_rng(tm.asarray(x[0], dtype=int)).normal(size=3)


def _restarted(x):
    tm.random.seed(0)
    return x * tm.random.normal(size=3)


def _state_set(x):
    rng = tm.random.default_rng()
    rng.state = np.random.default_rng(0).bit_generator.state
    return x * rng.normal(size=3)


def _a_layer_without_a_seed(x):
    return tm.nn.Linear(3, 2)(x)


def _gamma_of_an_argument(x):
    return tm.random.default_rng(0).gamma(abs(x))


@pytest.mark.parametrize(
    "f", [_seeded_by_an_argument, _restarted, _state_set, _a_layer_without_a_seed, _gamma_of_an_argument]
)
def test_draws_that_a_program_would_repeat_or_skip_are_refused(f):
    state = tm.random.shared.state
    with pytest.raises(TraceError, match=r"seed|outside"):
        tm.compile(f)(X)
    assert tm.random.shared.state == state


# -- what is drawn and not used -------------------------------------------------------------------------------------
def _draw():
    return tm.random.normal()


def _once(x):
    return x * tm.random.uniform()


X3 = np.ones(3)
IDLE = {
    "before": lambda x: (_draw(), _once(x))[1],
    "around a result": lambda x: (tm.random.normal(loc=x), _once(x))[1],
    "with what is made of it": lambda x: (tm.exp(tm.random.normal(size=3)) * x, _once(x))[1],
    "after": lambda x: (_once(x), _draw())[0],
    "rows": lambda x: tm.scan(lambda c, t: (_once(c), _draw()), x, X3)[0],
    "in a step": lambda x: tm.scan(lambda c, t: (tm.random.normal(loc=c), (_once(c), c))[1], x, X3)[0],
    "a carry": lambda x: tm.scan(lambda c, t: ((_once(c[0]), tm.random.normal(loc=c[1])), t), (x, x), X3)[0][0],
    "a loop": lambda x: (tm.scan(lambda c, t: (tm.random.normal(loc=c), c), x, X3), _once(x))[1],
    "a loop in a loop": lambda x: tm.fori_loop(
        2, lambda i, c: (tm.fori_loop(3, lambda j, d: _once(d), c), _once(c))[1], x
    ),
    "stretches": lambda x: tm.fori_loop(4, lambda i, c: (_draw(), _once(c))[1], x, checkpoint=2),
    "steps that are written out": lambda x: tm.fori_loop(
        3, lambda i, c: (_draw(), _once(c) if int(i) % 2 else c)[1], x
    ),
    "while": lambda x: tm.while_loop(lambda c: c < 5, lambda c: (_draw(), c + _once(1.0))[1], x, max_steps=50),
    "a condition": lambda x: tm.while_loop(
        lambda c: (_draw(), c + _once(1.0) < 5)[1], lambda c: c + 1, x, max_steps=50
    ),
    "recomputed": lambda x: tm.checkpoint(lambda x: (_draw(), tm.sin(_once(x)) * x)[1])(x),
    "vmap": lambda x: tm.vmap(lambda y: (_draw(), _once(y))[1])(x * X3).sum(),
    "a loop under vmap": lambda x: tm.vmap(
        lambda y: tm.scan(lambda c, t: (_draw(), (_once(c), t))[1], y, X3)[0]
    )(x * X3).sum(),
    "jacobian": lambda x: tm.jacobian(lambda y: (_draw(), tm.sin(_once(y)))[1])(x * X3).sum(),
    "a value that its slope does not need": lambda x: 2 * x + _draw(),
}  # fmt: skip
BACKENDS = ["numpy", *["native"] * (importlib.util.find_spec("llvmlite") is not None)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", IDLE)
def test_what_is_not_used_is_drawn_all_the_same(name, backend):
    """So that what is drawn next is what it is without compiling, after the call too."""
    f = IDLE[name]
    for g in (f, tm.grad(f), lambda x: tm.jvp(f, (x,), (1.0,))[1], lambda x: tm.vmap(tm.grad(f))(x * np.arange(1, 3))):
        found = []
        for called in (g, tm.compile(g, backend=backend)):
            tm.random.seed(3)
            found.append((called(1.0), tm.random.uniform()))
        (want, after), (got, then) = found
        np.testing.assert_allclose(got, want, rtol=1e-12)
        assert after.item() == then.item()
