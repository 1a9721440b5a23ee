"""Random programs: value, jvp, gradient and Hessian-vector product against NumPy and finite differences.

Two thousand in the long run, 100 at each change.
NumPy evaluates the same program, and is differenced for the first derivative; the gradient is differenced for the
second. Differences are taken at two step sizes, which tells how far they can be believed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from programs import DISPATCHED, NUMPY, OURS, Program, directions, program

import tinygrad_math as tm

BLOCK = 50
NARROW = {"float64": np.float32, "complex128": np.complex64}


def plain(tensors: Any) -> list[Any]:
    return [np.asarray(t.numpy() if isinstance(t, tm.Tensor) else t) for t in tensors]


def inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The real inner product over all arrays, and the size that its rounding goes by."""
    return float(sum(np.sum(np.conj(u) * v).real for u, v in zip(a, b, strict=True)))


def magnitude(a: Sequence[Any], b: Sequence[Any]) -> float:
    return 1.0 + float(sum(np.sum(np.abs(u) * np.abs(v)) for u, v in zip(a, b, strict=True)))


def difference(f: Callable[..., Any], xs: Sequence[Any], ts: Sequence[Any], h: float) -> list[Any]:
    """The derivative of f along ts, by central differences of fourth order."""
    a, b, c, d = (plain(f(*[x + k * h * t for x, t in zip(xs, ts, strict=True)])) for k in (1, -1, 2, -2))
    return [(8 * (p - m) - (pp - mm)) / (12 * h) for p, m, pp, mm in zip(a, b, c, d, strict=True)]


def assert_is_derivative(claim: str, got: Sequence[Any], f: Callable[..., Any], xs: Any, ts: Any) -> None:
    """Hold `got` against the derivative of f along ts, as sharply as two step sizes agree about it."""
    coarse, fine = difference(f, xs, ts, 1e-3), difference(f, xs, ts, 5e-4)
    for k, (y, a, b) in enumerate(zip(plain(got), coarse, fine, strict=True)):
        assert y.shape == b.shape, f"{claim}, output {k}: shape {y.shape}, expected {b.shape}"
        scale = 1.0 + np.abs(b).max(initial=0.0)
        doubt = np.abs(a - b)
        assert doubt.max(initial=0.0) < 1e-3 * scale, f"{claim}, output {k}: differences do not settle: {a} or {b}"
        wrong = np.abs(y - b) > 1e-8 * scale + doubt
        assert not np.any(wrong | np.isnan(y)), f"{claim}, output {k}: {y} instead of {b}"


def check_value(p: Program, f: Callable[..., Any], xs: Sequence[Any], tolerance: float) -> None:
    """The same shapes, dtypes and numbers as NumPy."""
    want, got = [np.asarray(y) for y in p.on(NUMPY)(*xs)], plain(f(*map(tm.asarray, xs)))
    for k, (y, w) in enumerate(zip(got, want, strict=True)):
        assert (y.shape, y.dtype) == (w.shape, w.dtype), f"output {k}: {y.dtype}{y.shape}, NumPy {w.dtype}{w.shape}"
        np.testing.assert_allclose(y, w, rtol=tolerance, atol=tolerance, err_msg=f"value of output {k}")


def check_single_precision(p: Program, f: Callable[..., Any], loss: Callable[..., Any], rng: Any) -> None:
    """Some inputs, or all, in single precision: NumPy's dtypes in the values, the inputs' own in the gradients."""
    some = rng.random(len(p.inputs)) < 0.7
    xs = tuple(x.astype(NARROW[x.dtype.name]) if s else x for x, s in zip(p.inputs, some, strict=True))
    check_value(p, f, xs, 1e-2)
    gradient = tm.grad(loss, argnums=tuple(range(len(xs))))
    for x, g, wide in zip(xs, gradient(*xs), gradient(*p.inputs), strict=True):
        assert g.dtype == x.dtype, f"the gradient of {x.dtype} is {g.dtype}"
        scale = 1.0 + np.abs(wide.numpy()).max(initial=0.0)
        assert np.all(np.abs(g.numpy() - wide.numpy()) < 1e-2 * scale), f"gradient {g} of {x.dtype} instead of {wide}"
    for y, t in zip(*tm.jvp(f, xs, xs), strict=True):
        assert t.dtype == y.dtype, f"the tangent of {y.dtype} is {t.dtype}"


def check_first_order(p: Program, f: Callable[..., Any], rng: Any) -> None:
    """Forward mode against differences of NumPy, and <g, Jt> = <J'g, t>."""
    xs, ts = tuple(p.inputs), tuple(directions(rng, p.inputs))
    y, jt = tm.jvp(f, xs, ts)
    assert_is_derivative("jvp", jt, p.on(NUMPY), xs, ts)
    gs, jt = directions(rng, plain(y)), plain(jt)
    _, pull = tm.vjp(f, *xs)
    pulled = plain(pull(tuple(gs)))
    left, right = inner(gs, jt), inner(pulled, ts)
    assert abs(left - right) < 1e-10 * (magnitude(gs, jt) + magnitude(pulled, ts)), f"<g, Jt> {left}, <J'g, t> {right}"


def check_second_order(p: Program, loss: Callable[..., Any], rng: Any) -> None:
    """Gradient against differences of NumPy's loss, hvp against differences of the gradient, <u, Hv> = <v, Hu>."""
    xs, n = tuple(p.inputs), len(p.inputs)
    us, vs = tuple(directions(rng, xs)), tuple(directions(rng, xs))
    gradient = tm.grad(loss, argnums=tuple(range(n)))
    assert_is_derivative(
        "gradient", [np.asarray(inner(plain(gradient(*xs)), us))], lambda *xs: [p.loss(NUMPY)(*xs)], xs, us
    )
    hv, hu = plain(tm.hvp(loss, xs, vs)), plain(tm.hvp(loss, xs, us))
    assert_is_derivative("hvp", hv, gradient, xs, vs)
    left, right = inner(us, hv), inner(vs, hu)
    assert abs(left - right) < 1e-9 * (magnitude(us, hv) + magnitude(vs, hu)), f"<u, Hv> {left}, <v, Hu> {right}"


def check(seed: int) -> None:
    """All claims about the program of this seed; every third one calls NumPy's functions on Tensors."""
    p = program(seed)
    xp = DISPATCHED if seed % 3 == 0 else OURS
    f, loss, rng = p.on(xp), p.loss(xp), np.random.default_rng([seed, 1])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            check_value(p, f, p.inputs, 1e-10)
            check_first_order(p, f, rng)
            check_second_order(p, loss, rng)
            check_single_precision(p, f, loss, rng)
        except Exception as error:
            raise AssertionError(f"{error}\n{p}") from error


@pytest.mark.parametrize("block", [b if b < 2 else pytest.param(b, marks=pytest.mark.long) for b in range(40)])
def test_random_programs_have_the_right_value_jvp_gradient_and_hvp(block):
    for seed in range(BLOCK * block, BLOCK * (block + 1)):
        check(seed)


# -- what random programs have found --------------------------------------------------------------------


def test_average_sums_narrow_weights_in_the_dtype_of_the_result():
    x, w = np.array([0.1, 0.7, -0.3]), np.array([0.8, 0.4, 0.5], np.float32)
    assert tm.average(x, weights=w).item() == pytest.approx(np.average(x, weights=w), rel=1e-14)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py", "rel_entr", "beta", "betaln", "gammainc"])
def test_python_numbers_leave_single_precision_alone_in_special_functions(name):
    x = np.array([0.5, 0.25], np.float32)
    assert getattr(tm.special, name)(1.5, x).dtype == np.float32
    assert tm.special.logsumexp(x, b=2.0).dtype == np.float32


def test_einsum_of_a_letter_with_lengths_zero_and_one_has_an_empty_gradient():
    g = tm.grad(lambda a, b: tm.sum(tm.einsum("...i,...i->...", a, b)), argnums=(0, 1))
    a, b = g(np.ones((1, 3)), np.ones((0, 3)))
    assert a.tolist() == [[0.0, 0.0, 0.0]]
    assert b.shape == (0, 3)


def test_an_implicit_function_of_nothing_has_an_empty_derivative():
    solve = tm.implicit.root(lambda z, c: z**3 - c, np.cbrt)
    assert tm.jvp(solve, (np.zeros((0, 3)),), (np.zeros((0, 3)),))[1].shape == (0, 3)
    assert tm.grad(lambda c: tm.sum(solve(c)))(np.zeros(0)).shape == (0,)


def test_the_inverse_transform_of_no_frequencies_is_zero():
    for shape, axis in [((0,), 0), ((2, 0), -1), ((0, 3), 0)]:
        y = tm.fft.irfft(np.zeros(shape, complex), n=4, axis=axis).numpy()
        assert y.size == max(4, 4 * np.prod([m for m in shape if m]))
        assert not y.any()


def test_interpolating_unsigned_integers_does_not_wrap_around():
    x, xp, fp = np.array([0.5, 1.5]), np.arange(3, dtype=np.uint8), np.array([9, 2, 5], np.uint8)
    np.testing.assert_allclose(tm.interp(x, xp, fp).numpy(), np.interp(x, xp, fp))
    np.testing.assert_allclose(tm.interp(x, xp, fp > 3).numpy(), np.interp(x, xp, fp > 3))


def test_a_python_number_among_choices_leaves_single_precision_alone():
    assert tm.choose([0, 1], [tm.tensor(np.ones(2, np.float32)), 2.0]).dtype == np.float32


def test_sums_along_an_axis_of_a_single_number_have_a_named_error():
    with pytest.raises(tm.ShapeError, match="0-d"):
        tm.trapezoid(2.0, np.ones(3))
    with pytest.raises(tm.ShapeError, match="weights"):
        tm.average(2.0, weights=np.ones(3), axis=0)
