"""Complex functions keep their digits, and their side of a cut: scanned against mpmath, see digits_complex."""

import math
import random

import digits_complex
import mpmath
import numpy as np
import pytest
from digits_complex import ROWS, RTOL
from mpmath import mpc, mpf

import tinygrad_math as tm
from tinygrad_math import fft, linalg, nn, special, stats  # noqa: F401  (they fill the registry)
from tinygrad_math.core.op import registry

KINDS = list(RTOL)


def report(found):
    assert not found, f"{len(found)} values, among them\n" + "\n".join(found[:8])


@pytest.mark.parametrize("name", ROWS)
def test_complex_functions_keep_their_digits_and_their_side_of_a_cut(name):
    for count, kind in ((6, np.complex128), (3, np.complex64)):
        report(digits_complex.failures(name, count, 0, kind))


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ROWS)
def test_at_many_points_too(name, kind):
    report(digits_complex.failures(name, 250, 1, kind))


@pytest.mark.parametrize("z", [3e95 + 1e-4j, -124 + 6e94j, -4e82 + 0j, 3e8 - 2e8j, 1e7 + 1e8j])
@pytest.mark.parametrize(("f", "sign"), [(tm.arctan, 1), (tm.arctanh, -1)])
def test_far_out_second_derivatives_of_arctan_do_not_vanish_before_they_are_small(f, sign, z):
    def slope(v):
        return tm.jvp(f, (v,), (np.complex128(1),))[1]

    at = mpc(z)
    want = -2 * sign * at / (1 + sign * at * at) ** 2
    got = tm.jvp(slope, (np.complex128(z),), (np.complex128(1),))[1].item()
    assert abs(got - complex(want)) <= 1e-14 * abs(complex(want))


def test_every_elementwise_op_of_complex_numbers_is_scanned_or_named_as_one_that_is_not():
    ops = {n for n, op in registry.items() if op.holomorphic and op.kind == "elementwise"}
    assert ops - digits_complex.SCANNED - set(digits_complex.NOT_SCANNED) == set()


# -- functions of two real numbers: no complex derivative, but a gradient and tangents ---------------------------------


def _abs(z, t):
    """|z|, its gradient, its change along t, and the second one."""
    r = abs(z)
    s = z / r
    along = (mpmath.conj(s) * t).real
    return r, s, along, (abs(t) ** 2 - along**2) / r


def _angle(z, t):
    ratio = t / z
    return mpmath.arg(z), I_ * z / abs(z) ** 2, ratio.imag, -(ratio * ratio).imag


I_ = mpc(0, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("f", "truth"), [(tm.abs, _abs), (tm.angle, _angle)], ids=["abs", "angle"])
def test_size_and_angle_keep_their_digits_at_every_magnitude(f, truth, kind):
    """Normwise; the tangent is as large as the number, so that neither derivative leaves the range of floats."""
    rng, rtol, info = random.Random(0), 10 * RTOL[kind], np.finfo(kind)
    top = 150 if kind is np.complex128 else 17
    for _ in range(40):
        z = kind(complex(*(rng.choice([-1, 1]) * 10 ** rng.uniform(-top, top) for _ in "xy")))
        t = kind(z * complex(rng.uniform(-1, 1), rng.uniform(-1, 1)))
        want = truth(mpc(complex(z)), mpc(complex(t)))
        along = lambda v, t=t: tm.jvp(f, (v,), (t,))[1]  # noqa: E731
        got = f(tm.tensor(z)), tm.grad(f)(z), along(z), tm.jvp(along, (z,), (t,))[1]
        sizes = [abs(want[0]), abs(want[1]), abs(want[1] * t), max(abs(want[1] * t), abs(t / z) ** 2)]
        for a, b, size in zip(got, want, sizes, strict=True):
            error = abs(mpc(complex(a.item())) - b)
            assert error <= rtol * size + mpf(float(info.tiny)), (z, t, a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sign_of_a_complex_number_has_size_one_and_turns_with_it(kind):
    rng, rtol = random.Random(1), RTOL[kind]
    top = 150 if kind is np.complex128 else 17
    for _ in range(40):
        z = kind(complex(*(rng.choice([-1, 1]) * 10 ** rng.uniform(-top, top) for _ in "xy")))
        t = kind(z * complex(rng.uniform(-1, 1), rng.uniform(-1, 1)))
        at, way = mpc(complex(z)), mpc(complex(t))
        s = at / abs(at)
        turn = I_ * s * (way / at).imag
        y, change = tm.jvp(tm.sign, (z,), (t,))
        assert abs(mpc(complex(y.item())) - s) <= rtol
        assert abs(mpc(complex(change.item())) - turn) <= rtol * abs(way / at)


# -- log1p, whose digits NumPy's loses ---------------------------------------------------------------------------------


@pytest.mark.parametrize("through", [tm.log1p, np.log1p, lambda z: z.log1p(), tm.compile(tm.log1p)])
def test_log1p_of_complex_numbers_has_the_digits_of_both_parts_however_it_is_called(through):
    z = tm.tensor([1e-20 + 1e-30j, -1e-20 + 0j, -5e-7 + 1e-3j])
    with mpmath.workdps(60):
        want = [complex(mpmath.log(1 + mpc(v))) for v in z.tolist()]
    got = through(z).numpy()
    np.testing.assert_allclose(got.real, [w.real for w in want], rtol=1e-14)
    np.testing.assert_allclose(got.imag, [w.imag for w in want], rtol=1e-14)


def test_log1p_of_numbers_that_are_complex_in_python_and_at_the_ends():
    assert tm.log1p(1e-20 + 0j).item() == 1e-20
    assert tm.log1p([1e-20 + 0j]).tolist() == [1e-20]
    assert tm.log1p(-1 + 0j).item() == complex(-math.inf, 0)
    assert tm.log1p(complex(math.inf, 1)).item() == complex(math.inf, 0)
    assert tm.log1p(np.array([1e-20], np.complex64)).dtype == np.complex64
