"""The numbers of mpmath's that are kept are those of mpmath; `python -m tests.kept` writes them anew."""

import functools

import pytest
import test_digits_sampled
import test_digits_stats
import test_special
import test_special_parameters
from cases import each
from digits_sampled import SAMPLED
from digits_stats import ROWS
from kept import NUMBERS, all_anew

at_random, of_laws = (
    test_digits_sampled.test_values_and_two_derivatives_at_random_points,
    test_digits_stats.test_a_distribution_and_two_derivatives_at_random_points,
)
SAMPLES = [*(functools.partial(at_random, n) for n in SAMPLED), *(functools.partial(of_laws, n) for n in ROWS)]
TESTS = [*test_special_parameters.OF_KEPT_NUMBERS, *test_special.OF_KEPT_NUMBERS, *SAMPLES]


@each("test", SAMPLES[3::32])
def test_some_of_them(test):
    found = all_anew([test])
    assert found
    assert {what: NUMBERS.get(what) for what in found} == found


@pytest.mark.long
def test_all_of_them():
    assert all_anew(TESTS) == NUMBERS
