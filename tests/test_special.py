"""tm.special against SciPy's values and mpmath's derivatives, where functions are hard: tails, poles, zeros."""

import functools
import subprocess
import sys

import mpmath
import numpy as np
import pytest
import scipy.special
from kept import kept

import tinygrad_math as tm
from tinygrad_math import special
from tinygrad_math.core.errors import ArgumentError, DTypeError, NoDerivative
from tinygrad_math.testing import check_grads

mpmath.mp.dps = 40
INF = float("inf")


def derivatives(f, x, orders):
    """f's value and its derivatives at a number, each the gradient of the one before."""
    out = []
    for _ in range(orders + 1):
        out.append(float(f(x).item()))
        f = tm.grad(f)
    return out


def mp_erfcx(x):
    return mpmath.exp(x * x) * mpmath.erfc(x)


def mp_log_ndtr(x):
    return mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2)


def mp_gammainc(a, x):
    return mpmath.gammainc(a, 0, x, regularized=True)


def at_digits(count, compute):
    """What is computed with so many digits."""

    def computed():
        with mpmath.workdps(count):
            return compute()

    return computed


# the function, mpmath's, and points that are hard for it
OF_ONE = {
    "erf": (mpmath.erf, (-3.0, 0.0, 0.7)),
    "erfc": (mpmath.erfc, (-1.0, 0.0, 9.0)),
    "erfi": (mpmath.erfi, (-1.0, 0.0, 2.0)),
    "erfcx": (mp_erfcx, (-3.0, 0.0, 0.4, 5.0, 1e3, 1e8)),
    "erfinv": (mpmath.erfinv, (-0.99, 0.0, 0.5)),
    "erfcinv": (lambda x: mpmath.erfinv(1 - x), (0.01, 1.0, 1.5)),
    "ndtr": (mpmath.ncdf, (-12.0, -1.0, 0.0, 2.0)),
    "log_ndtr": (mp_log_ndtr, (-300.0, -40.0, -1.0, 0.0, 3.0, 30.0)),
    "ndtri": (lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1), (0.01, 0.5, 0.8)),
    "gamma": (mpmath.gamma, (-2.5, 0.3, 4.0)),
    "gammaln": (lambda x: mpmath.log(abs(mpmath.gamma(x))), (-1.5, 0.3, 50.0)),
    "digamma": (mpmath.digamma, (-1.5, 0.3, 50.0)),
    "rgamma": (mpmath.rgamma, (-3.0, -1.0, 0.0, 0.5, 2.0)),
    "expit": (lambda x: 1 / (1 + mpmath.exp(-x)), (-50.0, 0.0, 50.0)),
    "logit": (lambda p: mpmath.log(p / (1 - p)), (0.01, 0.5)),
    "log_expit": (lambda x: -mpmath.log(1 + mpmath.exp(-x)), (-50.0, 0.0, 50.0)),
    "softplus": (lambda x: mpmath.log(1 + mpmath.exp(x)), (-50.0, 0.0, 50.0)),
    "entr": (lambda x: -x * mpmath.log(x), (0.01, 2.0)),
    "j0": (lambda x: mpmath.besselj(0, x), (-2.0, 0.0, 8.0)),
    "j1": (lambda x: mpmath.besselj(1, x), (-2.0, 0.0, 8.0)),
    "y0": (lambda x: mpmath.bessely(0, x), (0.1, 8.0)),
    "y1": (lambda x: mpmath.bessely(1, x), (0.1, 8.0)),
    "i0": (lambda x: mpmath.besseli(0, x), (-2.0, 0.0, 8.0)),
    "i1": (lambda x: mpmath.besseli(1, x), (-2.0, 0.0, 8.0)),
    "i0e": (lambda x: mpmath.exp(-x) * mpmath.besseli(0, x), (0.1, 20.0)),
    "i1e": (lambda x: mpmath.exp(-x) * mpmath.besseli(1, x), (0.1, 20.0)),
    "k0": (lambda x: mpmath.besselk(0, x), (0.1, 8.0)),
    "k1": (lambda x: mpmath.besselk(1, x), (0.1, 8.0)),
    "expi": (mpmath.ei, (-2.0, 0.3, 20.0)),
    "exp1": (mpmath.e1, (0.3, 20.0)),
    "exprel": (lambda x: mpmath.expm1(x) / x if x else mpmath.mpf(1), (-30.0, -1e-4, 1e-4, 20.0)),
    "spence": (lambda x: mpmath.re(mpmath.polylog(2, 1 - x)), (0.05, 0.999, 1.001, 3.0, 40.0)),
    "ellipk": (mpmath.ellipk, (-30.0, 0.0, 1e-4, 0.5, 0.9999)),
    "ellipkm1": (lambda p: mpmath.ellipk(1 - p), (1e-6, 0.5, 3.0)),
    "ellipe": (mpmath.ellipe, (-30.0, 0.0, 1e-4, 0.5, 0.999)),
    "loggamma": (mpmath.loggamma, (0.3, 50.0)),
    "wrightomega": (lambda x: mpmath.re(mpmath.lambertw(mpmath.exp(x))), (-30.0, 0.0, 5.0)),
    "ndtri_exp": (
        lambda y: mpmath.findroot(lambda x: mp_log_ndtr(x) - y, mpmath.mpf(float(scipy.special.ndtri_exp(float(y))))),
        (-300.0, -2.0, -0.1),
    ),
    "cosm1": (lambda x: -2 * mpmath.sin(x / 2) ** 2, (-1.0, 0.0, 1e-6)),
    "sindg": (lambda x: mpmath.sin(x * mpmath.pi / 180), (-30.0, 90.0)),
    "tandg": (lambda x: mpmath.tan(x * mpmath.pi / 180), (-30.0, 60.0)),
    "cotdg": (lambda x: mpmath.cot(x * mpmath.pi / 180), (-30.0, 60.0)),
}


@pytest.mark.parametrize("name", OF_ONE)
def test_value_and_three_derivatives_agree_with_mpmath(name):
    reference, points = OF_ONE[name]
    for x in points:
        got = derivatives(getattr(special, name), x, 3)
        want = [
            kept(
                f"derivative {k} of {name} at {x}", at_digits(40, lambda k=k: mpmath.diff(reference, mpmath.mpf(x), k))
            )
            for k in range(4)
        ]
        # the third derivative of log_ndtr is a difference of terms x^2 times its size; the scaled I_n decay slowly
        tolerance = [1e-12, 1e-12, 1e-11, 1e-7 if abs(x) > 100 else 1e-10]
        for k in range(4):
            assert got[k] == pytest.approx(want[k], rel=tolerance[k], abs=1e-15 if name[0] in "jik" else 1e-50), (x, k)


def mp_boxcox(x, k):
    u = k * mpmath.log(x)
    return mpmath.log(x) * (mpmath.expm1(u) / u if u else 1)


def mp_inv_boxcox(y, k):
    return mpmath.exp(mpmath.log1p(k * y) / k if k else y)


OF_TWO = {
    "beta": (mpmath.beta, [(0.3, 2.0), (5.0, 7.0)], (0, 1)),
    "betaln": (lambda a, b: mpmath.log(mpmath.beta(a, b)), [(0.3, 2.0), (50.0, 70.0)], (0, 1)),
    "xlogy": (lambda a, b: a * mpmath.log(b), [(0.3, 2.0), (-5.0, 7.0)], (0, 1)),
    "xlog1py": (lambda a, b: a * mpmath.log(1 + b), [(0.3, 2.0), (-5.0, 1e-9)], (0, 1)),
    "rel_entr": (lambda a, b: a * mpmath.log(a / b), [(0.3, 2.0), (5.0, 1e-9)], (0, 1)),
    "kl_div": (lambda a, b: a * mpmath.log(a / b) - a + b, [(0.3, 2.0), (5.0, 1e-3)], (0, 1)),
    "gammainc": (mp_gammainc, [(0.3, 0.1), (0.3, 2.0), (2.0, 1.5), (40.0, 30.0), (40.0, 50.0)], (0, 1)),
    "gammaincc": (lambda a, x: 1 - mp_gammainc(a, x), [(0.3, 0.1), (2.0, 30.0), (40.0, 50.0)], (0, 1)),
    "jn": (mpmath.besselj, [(2.0, 0.0), (3.0, 5.0), (0.5, 2.0)], (1,)),
    "yn": (mpmath.bessely, [(2.0, 1.0), (3.0, 5.0)], (1,)),
    "yv": (mpmath.bessely, [(0.5, 1.0), (2.3, 5.0)], (1,)),
    "iv": (mpmath.besseli, [(2.0, 0.0), (0.5, 5.0)], (1,)),
    "kv": (mpmath.besselk, [(2.0, 1.0), (0.5, 5.0)], (1,)),
    "ive": (lambda v, x: mpmath.exp(-x) * mpmath.besseli(v, x), [(2.0, 1.0), (0.5, 5.0)], (1,)),
    "zeta": (mpmath.zeta, [(2.0, 0.3), (3.0, 5.0)], (1,)),
    "expn": (mpmath.expint, [(0, 0.7), (1, 0.3), (2, 5.0), (4, 1.0)], (1,)),
    "boxcox": (mp_boxcox, [(0.3, -1.5), (2.0, 0.0), (4.0, 1e-9), (5.0, 2.0)], (0, 1)),
    "boxcox1p": (lambda x, k: mp_boxcox(1 + x, k), [(-0.5, 0.0), (1e-6, 0.5), (5.0, 2.0)], (0, 1)),
    "inv_boxcox": (mp_inv_boxcox, [(0.3, -1.5), (2.0, 0.0), (4.0, 1e-9), (5.0, 2.0)], (0, 1)),
    "inv_boxcox1p": (lambda y, k: mp_inv_boxcox(y, k) - 1, [(0.3, -1.5), (2.0, 0.0), (1e-6, 2.0)], (0, 1)),
    "pseudo_huber": (
        lambda d, r: d * d * (mpmath.sqrt(1 + (r / d) ** 2) - 1),
        [(0.5, 0.0), (1.5, 40.0), (2.0, 1e-5), (1.0, 1e4), (2.0, -3e8), (1e-9, 1e5)],
        (0, 1),
    ),
    "eval_legendre": (lambda n, x: mpmath.legendre(n, x), [(0, 0.3), (1, 1.0), (5, -1.0), (2.5, 0.3)], (1,)),
    "eval_chebyt": (mpmath.chebyt, [(0, 0.3), (1, 0.2), (5, -0.7)], (1,)),
    "eval_chebyu": (mpmath.chebyu, [(0, 0.3), (1, 0.2), (5, -0.7)], (1,)),
    "eval_hermite": (mpmath.hermite, [(0, 0.3), (1, -2.0), (6, 1.3)], (1,)),
    "eval_hermitenorm": (
        lambda n, x: mpmath.mpf(2) ** (-mpmath.mpf(n) / 2) * mpmath.hermite(n, x / mpmath.sqrt(2)),
        [(0, 0.3), (1, -2.0), (6, 1.3)],
        (1,),
    ),
    "eval_laguerre": (lambda n, x: mpmath.laguerre(n, 0, x), [(0, 0.3), (1, 2.0), (5, 1.3), (60, 30.0)], (1,)),
    "eval_genlaguerre": (mpmath.laguerre, [(0, 0.5, 0.3), (1, 0.5, 2.0), (5, 1.5, 1.3)], (2,)),
    "eval_gegenbauer": (mpmath.gegenbauer, [(0, 0.5, 0.3), (1, 1.5, 0.2), (5, 1.5, -0.7)], (2,)),
    "eval_jacobi": (mpmath.jacobi, [(0, 0.5, 1.5, 0.3), (1, 0.5, 1.5, 0.2), (5, 0.5, -0.3, -0.7)], (3,)),
    "polygamma": (lambda n, x: mpmath.polygamma(int(n), x), [(1, 0.3), (3, 5.0)], (1,)),
    "stdtr": (
        lambda n, t: mpmath.quad(
            lambda s: (1 + s * s / n) ** (-(n + 1) / 2) / mpmath.sqrt(n) / mpmath.beta(n / 2, 0.5), [-mpmath.inf, 0, t]
        ),
        [(3.0, 0.0), (3.0, -1.5)],
        (1,),
    ),
}


@pytest.mark.parametrize(
    "name, reflected",
    [
        ("eval_legendre", lambda n: (-n - 1, 1.0)),
        ("eval_chebyt", lambda n: (-n, 1.0)),
        ("eval_chebyu", lambda n: (-n - 2, -1.0)),
        ("eval_hermite", lambda n: (0, np.nan)),
        ("eval_hermitenorm", lambda n: (0, np.nan)),
    ],
)
def test_degrees_below_zero_are_reflected_or_no_number(name, reflected):
    f, x = getattr(special, name), np.array([0.3, -0.7, 1.4])
    for n in (-2, -3, -5, -4.0):
        degree, sign = reflected(n)
        np.testing.assert_allclose(f(n, x).numpy(), sign * f(degree, x).numpy(), rtol=1e-13)
        for k in (1, 2):
            slopes = [derivatives(lambda v, m=m: f(m, v), 0.3, k)[-1] for m in (n, degree)]
            np.testing.assert_allclose(float(slopes[0]), sign * float(slopes[1]), rtol=1e-12)
        if isinstance(n, int):
            np.testing.assert_allclose(f(n, x).numpy(), getattr(scipy.special, name)(n, x), rtol=1e-12)
    assert np.all(special.eval_chebyu(-1, x).numpy() == 0)


def test_hermites_polynomials_are_of_whole_degrees():
    for f in (special.eval_hermite, special.eval_hermitenorm):
        with pytest.raises(tm.OutsideDomain, match="whole number"):
            f(2.5, 1.0)
        assert np.isnan(float(f(np.nan, 1.0)))


@pytest.mark.parametrize("name", OF_TWO)
def test_derivatives_in_each_argument_agree_with_mpmath(name):
    reference, points, arguments = OF_TWO[name]
    f = getattr(special, name)
    for point in points:
        for k in arguments:
            got = derivatives(lambda v: f(*(v if i == k else p for i, p in enumerate(point))), point[k], 2)
            exact = [int(p) if isinstance(p, int) else mpmath.mpf(p) for p in point]

            def along(v, k=k, exact=exact):
                return reference(*(v if i == k else p for i, p in enumerate(exact)))

            want = [
                kept(
                    f"derivative {n} of {name} in argument {k} at {point}",
                    at_digits(50, lambda n=n, k=k, exact=exact, along=along: mpmath.diff(along, exact[k], n)),
                )
                for n in range(3)
            ]
            assert got == pytest.approx(want, rel=1e-10, abs=1e-15), (point, k)


@pytest.mark.parametrize("a, x", [(0.01, 1e-20), (0.01, 0.55), (0.5, 0.57), (3.0, 20.0), (100.0, 80.0), (100.0, 150.0)])
def test_gammainc_in_its_parameter_keeps_its_digits_in_both_tails(a, x):
    got = derivatives(lambda v: special.gammainc(v, x), a, 3)[1:]
    with mpmath.workdps(60):
        step = mpmath.mpf(10) ** -15
        want = [
            float(mpmath.diff(lambda v: mp_gammainc(v, mpmath.mpf(x)), mpmath.mpf(a), n, h=step)) for n in (1, 2, 3)
        ]
    assert got == pytest.approx(want, rel=1e-10)


def test_gammainc_at_both_ends_does_not_move():
    for x in (0.0, INF):
        assert [g.item() for g in tm.grad(special.gammainc, argnums=(0, 1))(2.0, x)] == [0.0, 0.0]
    assert tm.grad(tm.grad(special.gammainc), argnums=1)(2.0, 0.0).item() == 0.0
    assert tm.grad(special.gammainc, argnums=1)(1.0, 0.0).item() == 1.0


def test_mixed_derivatives_of_gammainc():
    a, x = np.array([0.4, 3.0, 20.0]), np.array([0.9, 2.0, 25.0])
    check_grads(special.gammainc, (a, x), order=3)
    check_grads(special.gammaincc, (a, x), order=2)


def test_betainc_agrees_with_its_density():
    x = np.linspace(0.05, 0.95, 7)
    for a, b in [(1, 1), (2, 5), (0.5, 0.5)]:
        d = tm.grad(lambda v: special.betainc(a, b, v).sum())(x)
        np.testing.assert_allclose(d.numpy(), x ** (a - 1) * (1 - x) ** (b - 1) / scipy.special.beta(a, b), rtol=1e-13)
        check_grads(lambda v: special.betaincc(a, b, v), (x,))


BETA_POINTS = [(0.5, 0.5, 0.3), (50.0, 30.0, 0.7), (0.01, 0.5, 1e-30), (5.0, 0.01, 0.99), (300.0, 200.0, 0.6)]


@pytest.mark.parametrize("a, b, x", BETA_POINTS)
@pytest.mark.parametrize("n, m", [(1, 0), (0, 1), (1, 1), (0, 2)])
def test_betainc_in_its_parameters_agrees_with_mpmath(a, b, x, n, m):
    f = special.betainc
    for argnum in [0] * n + [1] * m:
        f = tm.grad(f, argnums=argnum)
    with mpmath.workdps(50):
        want = mpmath.diff(
            lambda u, v: mpmath.betainc(u, v, 0, mpmath.mpf(x), regularized=True),
            (mpmath.mpf(a), mpmath.mpf(b)),
            (n, m),
            h=mpmath.mpf(10) ** -12,
        )
    assert f(a, b, x).item() == pytest.approx(float(want), rel=1e-10)


def test_many_elements_are_integrated_in_blocks_to_the_same_numbers():
    x = np.linspace(0.05, 0.95, 5000)
    for f in (
        lambda v: special.gammainc(v, 0.7),
        lambda v: special.betainc(v, 2.0, 0.7),
        lambda v: special.stdtr(v, 0.7),
    ):
        whole = tm.grad(lambda v: f(v).sum())(x).numpy()
        np.testing.assert_allclose(whole[::999], tm.grad(lambda v: f(v).sum())(x[::999]).numpy(), rtol=1e-13)
    whole = tm.grad(lambda v: special.erfcx(v).sum())(x).numpy()
    np.testing.assert_allclose(whole[::999], tm.grad(lambda v: special.erfcx(v).sum())(x[::999]).numpy(), rtol=1e-13)


def test_mixed_derivatives_of_betainc_and_of_students_distribution():
    a, b, x = np.array([0.4, 3.0, 20.0]), np.array([2.0, 0.7, 25.0]), np.array([0.1, 0.8, 0.4])
    check_grads(special.betainc, (a, b, x), order=2)
    check_grads(special.betaincc, (a, b, x), order=2)
    check_grads(special.stdtr, (np.array([0.6, 3.0, 40.0]), np.array([-2.0, 0.0, 1.3])), order=3)


def test_betainc_at_the_ends_of_the_interval_does_not_move_with_its_parameters():
    for x in (0.0, 1.0):
        assert [g.item() for g in tm.grad(special.betainc, argnums=(0, 1))(2.0, 3.0, x)] == [0.0, 0.0]


@pytest.mark.parametrize("df, t", [(0.3, -1.0), (3.0, 0.1), (3.0, 40.0), (30.0, -2.0), (300.0, 1.5)])
def test_students_distribution_in_its_degrees_of_freedom_agrees_with_mpmath(df, t):
    def reference(n):
        tail = mpmath.betainc(n / 2, mpmath.mpf(1) / 2, 0, n / (n + mpmath.mpf(t) ** 2), regularized=True) / 2
        return tail if t < 0 else 1 - tail

    got = derivatives(lambda n: special.stdtr(n, t), df, 3)
    with mpmath.workdps(50):
        want = [float(mpmath.diff(reference, mpmath.mpf(df), k, h=mpmath.mpf(10) ** -10)) for k in range(4)]
    assert got == pytest.approx(want, rel=1e-9)


def test_the_far_tail_of_log_ndtr_keeps_its_derivatives():
    # log_ndtr(x) = -x^2/2 - log(-x) + ..., so the derivatives go to -x - 1/x and to -1
    for x in (-1e4, -1e7):
        _, first, second = derivatives(special.log_ndtr, x, 2)
        assert first == pytest.approx(-x - 1 / x, rel=1e-14)
        assert second == pytest.approx(-1 + 1 / x**2, rel=1e-13)
    assert derivatives(special.log_ndtr, 60.0, 2) == [0.0, 0.0, 0.0]


def test_derivatives_of_rgamma_at_the_poles_of_gamma_are_factorials():
    for n, want in enumerate([1.0, -1.0, 2.0, -6.0, 24.0]):
        assert tm.grad(special.rgamma)(-float(n)).item() == pytest.approx(want, rel=1e-13)


def test_zero_times_log_of_zero():
    assert tm.grad(special.xlogy, argnums=1)(0.0, 0.0).item() == 0.0
    assert tm.grad(special.xlogy, argnums=0)(0.0, 0.0).item() == -INF
    assert tm.grad(special.xlogy, argnums=1)(0.0, 3.0).item() == 0.0
    assert tm.grad(tm.grad(special.xlogy, argnums=1), argnums=0)(0.0, 4.0).item() == 0.25
    assert tm.grad(special.xlog1py, argnums=1)(0.0, -1.0).item() == 0.0
    assert tm.grad(special.entr)(0.0).item() == INF
    assert tm.grad(special.rel_entr, argnums=1)(0.0, 0.0).item() == 0.0


def test_the_kink_of_the_scaled_bessel_functions_has_slope_zero_and_i1e_a_half():
    assert tm.grad(special.i0e)(0.0).item() == 0.0
    assert tm.grad(special.i1e)(0.0).item() == 0.5


@pytest.mark.parametrize(
    "name, args, argument",
    [
        ("yn", (1.0, 1.0), "n (the order)"),
        ("kn", (1.0, 1.0), "n (the order)"),
        ("polygamma", (1.0, 1.0), "n (the order)"),
    ],
)
def test_a_derivative_without_closed_form_is_refused_by_name_in_both_modes(name, args, argument):
    f = getattr(special, name)
    with pytest.raises(NoDerivative, match=name) as said:
        tm.grad(f)(*args)
    assert argument in str(said.value)
    with pytest.raises(NoDerivative, match=name):
        tm.jvp(lambda v: f(v, *args[1:]), (args[0],), (1.0,))


@pytest.mark.parametrize("name", ["gamma", "digamma", "erfcx", "log_ndtr", "i0", "gammaln"])
def test_complex_numbers_are_refused_where_the_derivative_is_real(name):
    with pytest.raises(DTypeError):
        getattr(special, name)(np.array([1.0 + 1.0j]))


@pytest.mark.parametrize("name", ["erf", "erfc", "erfi", "ndtr"])
def test_complex_derivatives_by_the_limit_along_both_axes(name):
    f, z, h = getattr(special, name), 0.3 + 0.4j, 1e-5
    got = tm.grad(f, holomorphic=True)(z).item()
    plain = getattr(scipy.special, name)
    assert got == pytest.approx((plain(z + h) - plain(z - h)) / (2 * h), rel=1e-8)
    assert got == pytest.approx((plain(z + 1j * h) - plain(z - 1j * h)) / (2j * h), rel=1e-8)


def test_multigammaln_is_scipys_and_differentiable():
    a = np.array([2.5, 7.0])
    np.testing.assert_allclose(special.multigammaln(a, 3).numpy(), scipy.special.multigammaln(a, 3), rtol=1e-14)
    check_grads(lambda v: special.multigammaln(v, 3), (a,))
    with pytest.raises(ArgumentError, match="positive integer"):
        special.multigammaln(a, 0)
    with pytest.raises(ArgumentError, match="n >= 0"):
        special.polygamma(-1, a)


def test_riemanns_zeta():
    assert special.zeta(4.0).item() == pytest.approx(np.pi**4 / 90, rel=1e-15)
    assert special.zeta(0.5).item() == pytest.approx(float(mpmath.zeta(0.5)), rel=1e-14)


WEIGHTS = [None, np.array([1.0, 0.0, 2.0]), np.array([-1.0, 0.5, 2.0])]


@pytest.mark.parametrize("b", WEIGHTS)
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_is_scipys(b, axis, keepdims):
    a = np.array([[1.0, -800.0, 3.0], [1e3, 2.0, -5.0]])
    got, sign = special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)
    want, want_sign = scipy.special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-13)
    np.testing.assert_array_equal(sign.numpy(), want_sign)


def test_logsumexp_of_infinities():
    a = np.array([[-INF, -INF], [-INF, 1.0], [INF, 1.0], [INF, -INF]])
    np.testing.assert_array_equal(special.logsumexp(a, axis=1).numpy(), [-INF, 1.0, INF, INF])
    (g,) = tm.vjp(lambda v: special.logsumexp(v, axis=1), a)[1](np.ones(4))
    np.testing.assert_array_equal(g.numpy(), [[0, 0], [0, 1], [1, 0], [1, 0]])
    masked = special.logsumexp(np.array([INF, 0.0]), b=np.array([0.0, 1.0]))
    assert masked.item() == 0.0
    assert np.isnan(special.logsumexp(np.array([np.nan, 0.0])).item())


@pytest.mark.parametrize("top", [0.0, 1e10, -1e17, 1e308, np.finfo(float).max])
def test_the_gradient_of_logsumexp_keeps_its_digits_at_large_numbers(top):
    assert tm.grad(special.logsumexp)(np.array([top, top])).numpy().tolist() == [0.5, 0.5]
    compiled = tm.compile(tm.grad(special.logsumexp))
    assert compiled(np.array([top, top])).numpy().tolist() == [0.5, 0.5]


def test_infinite_elements_share_the_gradient_of_logsumexp():
    a = np.array([[INF, INF], [INF, 1.0], [-INF, -INF], [np.nan, INF]])
    want = np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 0.0], [np.nan, np.nan]])
    f = lambda a: tm.vjp(lambda v: special.logsumexp(v, axis=1), a)[1](np.ones(4))[0]  # noqa: E731
    np.testing.assert_array_equal(f(a).numpy(), want)
    np.testing.assert_array_equal(tm.compile(f)(a).numpy(), want)


def test_logsumexp_with_weights_is_differentiable_in_both():
    a, b = np.array([[0.3, -1.0], [2.0, 0.1]]), np.array([0.5, 1.5])
    check_grads(lambda a, b: special.logsumexp(a, axis=1, b=b), (a, b))
    check_grads(lambda a: special.logsumexp(a, axis=(0, 1), keepdims=True), (a,), order=3)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_softmax_and_its_logarithm_are_scipys(axis):
    a = np.array([[1.0, -800.0, 3.0], [1e3, 2.0, -5.0]])
    np.testing.assert_allclose(special.softmax(a, axis).numpy(), scipy.special.softmax(a, axis), rtol=1e-13)
    np.testing.assert_allclose(special.log_softmax(a, axis).numpy(), scipy.special.log_softmax(a, axis), rtol=1e-12)
    exact = [float(-mpmath.log1p(mpmath.exp(-d))) for d in (8, 30)]  # SciPy has 13 digits of these
    got = [special.log_softmax([0.0, -float(d)]).numpy()[0] for d in (8, 30)]
    assert got == pytest.approx(exact, rel=1e-15)
    check_grads(lambda v: special.softmax(v, axis), (np.array([[0.1, 0.5], [1.0, -0.3]]),))


@pytest.mark.parametrize("name", [*OF_ONE])
def test_single_precision_stays_with_python_numbers_beside_it(name):
    x = np.array([0.4, 0.6], np.float32)
    f = getattr(special, name)
    assert f(x).dtype == np.float32
    assert tm.grad(lambda v: f(v).sum())(x).dtype == np.float32
    np.testing.assert_allclose(f(x).numpy(), f(x.astype(float)).numpy(), rtol=2e-5)


def test_importing_the_package_does_not_import_scipy():
    code = "import sys, tinygrad_math; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


OF_KEPT_NUMBERS = [
    *(functools.partial(test_value_and_three_derivatives_agree_with_mpmath, name) for name in OF_ONE),
    *(functools.partial(test_derivatives_in_each_argument_agree_with_mpmath, name) for name in OF_TWO),
]


def test_special_functions_have_their_second_derivatives_where_nothing_else_was_opened():
    """In a process of its own: here other rooms have declared ops too."""
    program = "import tinygrad_math as tm; print(tm.grad(tm.grad(tm.special.erf))(0.0).item())"
    assert float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout) == 0
