"""Walks the registry: every op, on every sample that stands in its declaration, one test a claim."""

import numpy as np
import pytest
from cases import each
from test_compiler_every_op import chosen

from tinygrad_math import fft, linalg, nn, random, special, stats, testing  # noqa: F401  (they fill the registry)
from tinygrad_math.core.op import registry

OPS = sorted(name for name in registry if registry[name].kind != "structural")
DIFFERENTIABLE = [name for name in OPS if not registry[name].constant]


def _run(name, claim, keep, kept=None):
    op = registry[name]
    for k, sample in enumerate(op.samples() if op.samples is not None else []):
        if keep(sample) and (kept is None or k in kept):
            with np.errstate(all="ignore"):
                try:
                    claim(op, sample)
                except Exception as error:
                    raise AssertionError(f"{name} on {sample!r}: {error}") from error


@each("name", DIFFERENTIABLE)
def test_every_differentiable_op_has_samples_and_both_rules(name):
    op = registry[name]
    assert op.samples is not None
    assert op.samples()
    assert op.vjp is not None
    assert op.jvp is not None


@each("name", OPS, parts=8)
def test_raw_equals_recorded(name):
    _run(name, testing.raw_equals_recorded, lambda s: True)


@each("name", DIFFERENTIABLE, parts=8)
def test_jvp_matches_finite_differences(name):
    _run(name, testing.jvp_matches_finite_differences, lambda s: s.smooth)


@each("name", DIFFERENTIABLE, parts=8)
def test_the_two_rules_are_adjoint(name):
    _run(name, testing.rules_are_adjoint, lambda s: s.smooth)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_second_order_matches_finite_differences_in_all_mixed_modes(name):
    _run(name, testing.second_order_matches_finite_differences, lambda s: s.smooth, chosen(registry[name]))


@pytest.mark.long
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_second_order_matches_finite_differences_on_every_sample(name):
    _run(name, testing.second_order_matches_finite_differences, lambda s: s.smooth)


@each("name", DIFFERENTIABLE, parts=8)
def test_single_precision_stays(name):
    _run(name, testing.single_precision_stays, lambda s: True)


@each("name", DIFFERENTIABLE, parts=8)
def test_the_subgradient_is_a_number_where_there_is_no_derivative(name):
    _run(name, testing.both_modes_are_finite, lambda s: not s.smooth)


@each("name", OPS)
def test_every_op_says_what_it_is(name):
    op = registry[name]
    assert op.__doc__, f"{name} has no docstring"
    assert op.latex.format(*"abcdefgh", **dict.fromkeys(op.param_names, "p"))
