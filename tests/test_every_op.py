"""Walks the registry: every op, on every sample that stands in its declaration, one test a claim."""

import contextlib

import numpy as np
import pytest
from cases import each
from test_compiler_every_op import chosen, parted

import tinygrad_math as tm
from tinygrad_math import fft, linalg, nn, random, special, stats, testing  # noqa: F401  (they fill the registry)
from tinygrad_math.core.op import registry
from tinygrad_math.core.tensor import rec
from tinygrad_math.errors import NoDerivative

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


@each("name", DIFFERENTIABLE, parts=16)
def test_second_order_matches_finite_differences_in_all_mixed_modes(name):
    kept, _ = parted(registry[name])  # a further one has another shape alone
    _run(name, testing.second_order_matches_finite_differences, lambda s: s.smooth, kept)


@pytest.mark.long
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_second_order_matches_finite_differences_on_every_sample(name):
    _run(name, testing.second_order_matches_finite_differences, lambda s: s.smooth)


def moves_though_its_tangent_rests(op, sample):
    """Along x + s^2 d every tangent at s = 0 is 0, and its own derivative twice that along d: forward over forward."""
    rng, args = np.random.default_rng(0), sample.args
    moving = [isinstance(a, (float, np.ndarray)) and np.asarray(a).dtype == np.float64 for a in args]
    ahead = [rng.normal(size=np.shape(a)) if m else None for a, m in zip(args, moving, strict=True)]

    def along(way):
        def f(s):
            y = getattr(rec, op.name)(
                *(a if d is None else a + way(s) * d for a, d in zip(args, ahead, strict=True)), **sample.params
            )
            return [v for v in (y if isinstance(y, (tuple, list)) else [y]) if v.dtype.kind in "fc"]

        return lambda s: tm.jvp(f, (s,), (1.0,))[1]

    if any(moving):
        once = along(lambda s: s)(0.0)
        twice = tm.jvp(along(lambda s: s * s), (0.0,), (1.0,))[1]
        for a, b in zip(twice, once, strict=True):
            np.testing.assert_allclose(tm.asarray(a).detach().numpy(), 2 * tm.asarray(b).detach().numpy(), 1e-9, 1e-12)


@each("name", [n for n in DIFFERENTIABLE if hasattr(rec, n)], parts=8)
def test_what_rests_at_a_point_is_differentiated_again(name):
    def claim(op, sample):
        with contextlib.suppress(NoDerivative):
            moves_though_its_tangent_rests(op, sample)

    _run(name, claim, lambda s: s.smooth, chosen(registry[name]))


WITHOUT_END = {  # whose second derivatives go as log(s^2) to 0
    "x^x": (lambda s: (s * s) ** (s * s), -np.inf),
    "x^y": (lambda s: s ** (s * s), -np.inf),
    "x log y": (lambda s: special.xlogy(s * s, s * s), -np.inf),
    "entropy": (lambda s: special.entr(s * s), np.inf),
    "x log(y / x)": (lambda s: special.rel_entr(s * s, 1 + s), -np.inf),
}


@pytest.mark.parametrize("name", WITHOUT_END)
def test_a_slope_without_end_counts_where_a_tangent_rests_but_moves(name):
    """A tangent 2 s times a slope log(s^2) is 0 at 0, and its derivative there is 2 log(0): not 0."""
    f, want = WITHOUT_END[name]

    def along(f):
        return lambda s: tm.jvp(f, (s,), (1.0,))[1]

    assert float(along(f)(0.0)) == 0
    assert float(along(along(f))(0.0)) == want
    assert float(tm.compile(along(along(f)))(0.0)) == want
    assert 2 * float(tm.jet(f, 0.0, 1.0, order=2)[2]) == want
    assert tm.vmap(along(along(f)))(np.zeros(2)).numpy().tolist() == [want, want]


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
