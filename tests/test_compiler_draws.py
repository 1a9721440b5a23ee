"""Random numbers that a compiled function draws from a seed of its own."""

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
