"""Functions of tm.special with several results or arguments: values and two derivatives against mp."""

import mpmath as mp
import numpy as np
import pytest
import scipy.special

import tinygrad_math as tm
from tinygrad_math import special


def held(f, reference, x, orders=3, first=0):
    """The value of f at a number and its derivatives are the reference's."""
    for k in range(orders):
        got = float(np.asarray(tm.asarray(f(x)).detach()))
        if k >= first:
            with mp.workdps(25):
                want = float(mp.re(mp.diff(reference, mp.mpf(x), k)))
            assert got == pytest.approx(want, rel=1e-10, abs=1e-14), (x, k)
        f = tm.grad(f)


def dawson(x):
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


def faddeeva(z):
    return mp.exp(-z * z) * mp.erfc(-1j * z)


def scaled_macdonald(x):
    """exp(x) K_1(x): from 40 on by 60 terms of DLMF 10.40.2, to 30 digits, as mpmath's besselk takes a second there."""
    if x < 40:
        return mp.exp(x) * mp.besselk(1, x)
    terms = [mp.mpf(1)]
    for k in range(1, 60):
        terms.append(terms[-1] * (4 - (2 * k - 1) ** 2) / (8 * k * x))
    return mp.sqrt(mp.pi / (2 * x)) * mp.fsum(terms)


OF_ONE = {
    "Ai": (lambda x: special.airy(x)[0], mp.airyai, (-8.0, 0.0, 5.0)),
    "Bi'": (lambda x: special.airy(x)[3], lambda x: mp.airybi(x, derivative=1), (-1.0, 0.7)),
    "ber": (special.ber, lambda x: mp.ber(0, x), (0.01, 3.0, 12.0)),
    "beip": (special.beip, lambda x: mp.diff(lambda t: mp.bei(0, t), x), (0.5,)),
    "kei": (special.kei, lambda x: mp.kei(0, x), (1e-3, 3.0)),
    "ker": (lambda x: special.kelvin(x)[1].real, lambda x: mp.ker(0, x), (0.5,)),
    "D": (lambda x: special.pbdv(0.5, x)[0], lambda x: mp.pcfd(0.5, x), (0.0, 2.0)),
    "V": (lambda x: special.pbvv(1.0, x)[0], lambda x: mp.pcfv(-1.5, x), (0.5, 2.0)),
    "W": (lambda x: special.pbwa(1.0, x)[0], lambda x: mp.pcfw(1.0, x), (0.5,)),
    "dawsn": (special.dawsn, dawson, (-3.0, 0.0, 7.9, 8.1, 1e4)),
    "wofz": (lambda x: special.wofz(x).imag, lambda x: 2 / mp.sqrt(mp.pi) * dawson(x), (0.5, 1e3)),
    "S": (lambda x: special.fresnel(x)[0], mp.fresnels, (-0.7, 0.0, 2.9)),
    "C": (lambda x: special.fresnel(x)[1], mp.fresnelc, (0.4,)),
    "Si": (lambda x: special.sici(x)[0], mp.si, (0.01, 20.0)),
    "Ci": (lambda x: special.sici(x)[1], mp.ci, (-2.0, 0.5, 20.0)),
    "Shi": (lambda x: special.shichi(x)[0], mp.shi, (0.01, 20.0)),
    "Chi": (lambda x: special.shichi(x)[1], mp.chi, (-2.0, 0.5)),
    "k1e": (special.k1e, scaled_macdonald, (0.1, 49.0, 51.0)),
    "kve": (lambda x: special.kve(1.5, x), lambda x: mp.exp(x) * mp.besselk(1.5, x), (0.3, 60.0)),
    "struve": (lambda x: special.struve(1.5, x), lambda x: mp.struveh(1.5, x), (0.3, 10.0)),
    "modstruve": (lambda x: special.modstruve(0.0, x), lambda x: mp.struvel(0, x), (0.3, 10.0)),
    "lambertw": (lambda z: special.lambertw(z).real, mp.lambertw, (-0.3, 0.0, 1e5)),
    "lambertw of -1": (lambda z: special.lambertw(z, -1).real, lambda z: mp.lambertw(z, -1), (-0.3,)),
    "zetac": (special.zetac, lambda x: mp.zeta(x) - 1, (-0.5, 1.5, 20.0)),
    "hyp0f1": (lambda z: special.hyp0f1(1.5, z), lambda z: mp.hyp0f1(1.5, z), (-3.0, 0.0, 2.0)),
    "hyperu": (lambda x: special.hyperu(1.0, 2.5, x), lambda x: mp.hyperu(1, 2.5, x), (0.3, 2.0)),
    "lpmv": (lambda x: special.lpmv(2, 3.0, x), lambda x: 15 * x * (1 - x * x), (-0.7, 0.1)),
    "P_2'": (lambda x: special.lpmv(0, 2.0, x), lambda x: (3 * x * x - 1) / 2, (1.0, -1.0)),
    "wright_bessel": (
        lambda x: special.wright_bessel(0.5, 1.5, x),
        lambda x: mp.nsum(lambda k: x**k / mp.factorial(k) * mp.rgamma(k / 2 + 1.5), [0, 80], method="direct"),
        (0.5,),
    ),
}
for _kind, _bessel in {"j": mp.besselj, "y": mp.bessely, "i": mp.besseli, "k": mp.besselk}.items():
    OF_ONE[f"spherical_{_kind}n"] = (
        lambda x, name=f"spherical_{_kind}n": getattr(special, name)(2, x),
        lambda x, f=_bessel: mp.sqrt(mp.pi / 2 / x) * f(2.5, x),
        (0.3, 5.0),
    )


@pytest.mark.parametrize("name", OF_ONE)
def test_functions_of_one_number(name):
    f, reference, points = OF_ONE[name]
    for x in points:
        held(f, reference, x, 2 if name == "P_2'" else 3)


def owen(h, a):
    return mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi)


def voigt(x, s, g):
    return mp.re(faddeeva((x + 1j * g) / (s * mp.sqrt(2)))) / (s * mp.sqrt(2 * mp.pi))


SEVERAL = {
    "elliprf": (mp.elliprf, [(1e-6, 2.0, 30.0), (1.0, 1.0, 1.0)]),
    "elliprd": (mp.elliprd, [(0.3, 0.5, 0.7)]),
    "elliprg": (mp.elliprg, [(1e-6, 2.0, 30.0)]),
    "elliprj": (mp.elliprj, [(0.3, 0.5, 0.7, 0.2)]),
    "elliprc": (mp.elliprc, [(0.3, 0.5), (1.0, 1.0)]),
    "ellipkinc": (mp.ellipf, [(0.5, 0.3), (4.0, 0.5), (0.3, 0.0)]),
    "ellipeinc": (mp.ellipe, [(1.5, -2.0), (-2.5, 0.9)]),
    "agm": (mp.agm, [(0.3, 2.0), (1.0, 1.0), (1e-5, 7.0)]),
    "voigt_profile": (voigt, [(0.3, 0.5, 0.2), (100.0, 1.0, 0.3)]),
    "owens_t": (owen, [(0.0, 0.7), (3.0, 0.5)]),
    "powm1": (lambda x, y: x**y - 1, [(2.0, 0.5), (0.3, 1e-8)]),
    "poch": (mp.rf, [(0.3, 1e-8), (5.0, 3.0), (0.0, 0.5), (-2.0, 0.5)]),
    "binom": (mp.binomial, [(5.0, 2.5), (3.0, 5.0), (60.0, 30.0), (4.5, -1.0)]),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_functions_of_several_numbers_in_each(name):
    reference, points = SEVERAL[name]
    for point in points:
        for k, x in enumerate(point):
            at_pole = name in ("poch", "binom") and point in ((0.0, 0.5), (-2.0, 0.5), (3.0, 5.0), (4.5, -1.0))
            held(
                lambda v, k=k, point=point: getattr(special, name)(*point[:k], v, *point[k + 1 :]),
                lambda v, k=k, point=point: reference(*map(mp.mpf, point[:k]), v, *map(mp.mpf, point[k + 1 :])),
                x,
                2 if at_pole else 3,
            )


@pytest.mark.parametrize("place", ["sn", "cn", "dn"])
@pytest.mark.parametrize(("u", "m"), [(0.5, 0.3), (7.0, 0.2)])
def test_jacobis_functions_in_both_arguments(place, u, m):
    k = ("sn", "cn", "dn").index(place)
    held(lambda x: special.ellipj(x, m)[k], lambda x: mp.ellipfun(place, x, m=mp.mpf(m)), u)
    held(lambda x: special.ellipj(u, x)[k], lambda x: mp.ellipfun(place, mp.mpf(u), m=x), m)


def test_few_degrees_of_freedom_keep_their_digits():
    for dfn, dfd, x in (
        (2.0, 1e-15, 10.0),
        (30.0, 1e-8, 0.5),
        (1.0, 1e-100, 1e-3),
        (1e-3, 1e-15, 10.0),
        (5.0, 3.0, 0.7),
    ):
        with mp.workdps(150):
            a, b, z = mp.mpf(dfn) / 2, mp.mpf(dfd) / 2, dfn * mp.mpf(x) / (dfd + dfn * mp.mpf(x))
            above = mp.betainc(b, a, 0, 1 - z, regularized=True)
            want = float(1 - above), float(above)
        assert special.fdtr(dfn, dfd, x).item() == pytest.approx(want[0], rel=1e-12)
        assert special.fdtrc(dfn, dfd, x).item() == pytest.approx(want[1], rel=1e-12)
        assert special.fdtrc(dfd, dfn, 1 / x).item() == pytest.approx(want[0], rel=1e-12)
    slope = tm.grad(special.fdtr, argnums=1)(2.0, 1e-9, 10.0).item()  # of 1 - (d / (d + 20))^(d / 2)
    d = 1e-9
    assert slope == pytest.approx(-0.5 * (np.log(d / (d + 20)) + 20 / (d + 20)), rel=1e-6)
    assert special.betainc(0.5, 1e-12, 1e-8).item() == pytest.approx(2e-16, rel=1e-7)  # b x^a / a


def test_tukeys_lambda_turns_its_quantiles_round():
    for p, lam in ((0.2, 0.5), (0.7, 0.0), (0.6, -0.5)):

        def quantile(p, lam):
            return special.boxcox(p, lam) - special.boxcox(1 - p, lam)

        slope, in_lam = tm.grad(quantile, argnums=(0, 1))(p, lam)
        got = tm.grad(special.tklmbda, argnums=(0, 1))(quantile(p, lam).item(), lam)
        assert got[0].item() == pytest.approx(1 / slope.item(), rel=1e-10)
        assert got[1].item() == pytest.approx(-in_lam.item() / slope.item(), rel=1e-10)


INTEGRALS = {
    "itairy": ([mp.airyai, mp.airybi, lambda x: mp.airyai(-x), lambda x: mp.airybi(-x)], (0.3, 2.0)),
    "iti0k0": ([lambda x: mp.besseli(0, x), lambda x: mp.besselk(0, x)], (0.5, 3.0)),
    "itj0y0": ([lambda x: mp.besselj(0, x), lambda x: mp.bessely(0, x)], (0.5, 3.0)),
    "it2i0k0": ([lambda x: (mp.besseli(0, x) - 1) / x, lambda x: -mp.besselk(0, x) / x], (1e-3, 1.6, 5.0)),
    "it2j0y0": ([lambda x: (1 - mp.besselj(0, x)) / x, lambda x: -mp.bessely(0, x) / x], (1e-3, 1.6, 5.0)),
    "itstruve0": ([lambda x: mp.struveh(0, x)], (0.5, 3.0)),
    "itmodstruve0": ([lambda x: mp.struvel(0, x)], (0.5, 3.0)),
    "it2struve0": ([lambda x: -mp.struveh(0, x) / x], (0.5, 3.0)),
}


@pytest.mark.parametrize("name", INTEGRALS)
def test_integrals_have_their_integrands_for_derivatives(name):
    slopes, points = INTEGRALS[name]
    f = getattr(special, name)
    for x in points:
        parts = f(x) if isinstance(f(x), tuple) else (f(x),)
        own = getattr(scipy.special, name)(x)
        assert [float(p) for p in parts] == pytest.approx(list(own) if isinstance(own, tuple) else [own])
        for k, slope in enumerate(slopes):
            held(tm.grad(lambda x, k=k: f(x)[k] if isinstance(f(x), tuple) else f(x)), slope, x, 2)


def test_scipys_own_functions_are_ours():
    x = np.array([0.4, 1.3])
    for f in (
        lambda x: scipy.special.airy(x)[0],
        lambda x: scipy.special.ellipj(x, 0.5)[1],
        lambda x: scipy.special.lambertw(x).real,
        lambda x: scipy.special.zeta(2.0, x),
        lambda x: scipy.special.hankel2(1, x).imag,
    ):
        slope = (f(x + 1e-6) - f(x - 1e-6)) / 2e-6
        assert np.allclose(tm.grad(lambda x, f=f: f(x).sum())(x).numpy(), slope, rtol=1e-7)


def test_orders_that_are_none_and_complex_arguments_are_refused():
    with pytest.raises(tm.ArgumentError, match="whole number"):
        special.spherical_jn(0.5, 1.0)
    for f in (special.airy, special.dawsn, lambda z: special.hankel1(0, z), lambda z: special.jve(0, z)):
        with pytest.raises(tm.DTypeError, match="real"):
            f(1j)
    with pytest.raises(tm.NoDerivative, match="argument v"):
        tm.grad(special.struve)(0.5, 1.0)


@pytest.mark.parametrize("k", [0, 1, -2])
def test_lamberts_function_is_complex_differentiable_on_each_branch(k):
    z = np.array(0.7 + 0.4j)
    w = complex(special.lambertw(z, k).item())
    got = tm.grad(lambda z: special.lambertw(z, k), holomorphic=True)(z).item()
    assert w * np.exp(w) == pytest.approx(z.item(), rel=1e-13)
    assert got == pytest.approx(1 / (z.item() + np.exp(w)), rel=1e-13)
    for wrong in (k + 0.5, k + 1j):
        with pytest.raises(tm.ArgumentError, match="whole number of a branch"):
            special.lambertw(z, wrong)


def test_carlsons_integrals_at_their_ends():
    assert special.elliprf(0.0, 1.0, 1.0).item() == pytest.approx(np.pi / 2)
    assert tm.grad(special.elliprf)(0.0, 1.0, 1.0).item() == -np.inf
    assert np.isnan(tm.grad(special.elliprc, argnums=1)(1.0, -2.0).item())


@pytest.mark.parametrize("n, m", [(0, 0), (1, 1), (1, -1), (2, 0), (3, -2), (3, 3), (5, 4), (2, 3)])
def test_spherical_harmonics_are_smooth_at_the_poles_too(n, m):
    """Against the sum over powers of the half angle, which knows neither sines nor polynomials of Jacobi's."""

    def reference(theta):
        c, s = mp.cos(theta / 2), mp.sin(theta / 2)
        total = mp.mpf(0)
        for k in range(max(0, -m), n - abs(m) + abs(min(m, 0)) + 1):
            if k > n or k + m > n or k + m < 0:
                continue
            total += (-1) ** k * mp.binomial(n, k) * mp.binomial(n, k + m) * c ** (2 * n - 2 * k - m) * s ** (2 * k + m)
        norm = mp.sqrt((2 * n + 1) / (4 * mp.pi) * mp.factorial(n - m) * mp.factorial(n + m)) / mp.factorial(n)
        return (-1) ** m * norm * total

    for theta in (0.0, 0.4, 2.5):
        if abs(m) > n:
            assert special.sph_harm_y(n, m, theta, 0.0).item() == 0.0
            continue
        held(lambda t: special.sph_harm_y(n, m, t, 0.0).real, reference, theta)
    want = scipy.special.sph_harm_y(n, m, 0.7, 0.3) if hasattr(scipy.special, "sph_harm_y") else None
    if want is not None:
        got = special.sph_harm_y(n, m, np.array([0.7, -0.7]), 0.3).numpy()
        np.testing.assert_allclose(got, scipy.special.sph_harm_y(n, m, [0.7, -0.7], 0.3), rtol=1e-13, atol=1e-16)
    turn = tm.grad(lambda p: special.sph_harm_y(n, m, 0.7, p).real)(0.3).item()
    assert turn == pytest.approx(-m * special.sph_harm_y(n, m, 0.7, 0.3).imag.item(), abs=1e-15)


def test_arrays_of_degrees_and_orders_and_what_is_none():
    n, m = np.array([0, 2, 4]), np.array([[0], [-1]])
    got = special.sph_harm_y(n, m, np.float32(0.7), np.float32(0.0))
    assert got.dtype == np.complex64
    want = [[special.sph_harm_y(int(a), int(b), 0.7, 0.0).item() for a in n] for b in m[:, 0]]
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=1e-7)
    assert np.isfinite(special.sph_harm_y(1000, 500, 1.5, 0.0).item())
    for wrong in ((-1, 0), (1.5, 0), (2, 0.5), (1001, 0), (3, -(2**63))):
        with pytest.raises((tm.errors.OutsideDomain, tm.errors.DTypeError), match="sph_harm_y"):
            special.sph_harm_y(*wrong, 0.5, 0.5)


@pytest.mark.parametrize("name", ["eval_sh_legendre", "eval_sh_chebyt", "eval_sh_chebyu"])
def test_shifted_polynomials_of_integers_of_few_bits_do_not_wrap_around(name):
    x = np.array([1, -100, 100], np.int8)
    want = getattr(scipy.special, name)(1, x.astype(float))
    np.testing.assert_array_equal(getattr(special, name)(1, x).numpy(), want)


@pytest.mark.parametrize("name", ["jv", "jve", "yv", "yve", "yn", "iv", "ive", "kv", "kn", "kve", "hankel1"])
@pytest.mark.parametrize("order", [np.int8(-128), np.array([-128, 3], np.int8), np.int16(-(2**15))])
def test_the_lowest_order_of_few_bits_is_no_order_of_zero(name, order):
    """abs() of it is itself, a negative number."""
    f = getattr(special, name)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(f(order, 2.0).numpy(), f(np.asarray(order, np.float64), 2.0).numpy())


def test_orders_of_more_than_32_bits_do_not_wrap_around():
    """Y of an order beyond its argument is -inf, of a negative one (-1)^n as much; SciPy's yn(2**62, 1) is Y_0(1)."""
    for n, want in ((2**62, -np.inf), (2**63 - 1, -np.inf), (-(2**31) - 1, np.inf), (-(2**62), -np.inf)):
        assert float(special.yn(n, 1.0)) == want
    for f in (special.kv, special.kn, special.kve):
        assert float(f(2**63 - 1, 1.0)) == float(f(-(2**63), 1.0)) == np.inf


@pytest.mark.parametrize("f", [special.struve, special.modstruve])
def test_struve_functions_of_low_orders_are_infinite_with_the_sign_of_their_first_term(f):
    """(x/2)^(v+1) / (gamma(3/2) gamma(v + 3/2)); SciPy's is +inf from -1e10 on, and NaN or 0 from 2^52 on."""
    x = np.array([0.0, 0.5, 4.0, -0.5])
    for v, sign in ((-1e5, -1), (-1e5 - 1, 1), (-1e10, -1), (-1e10 - 1, 1), (-(2.0**52) - 1, 1), (-1e300, -1)):
        want = sign * np.inf * np.array([1, 1, 1, -1 if v % 2 == 0 else 1])
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(f(v, x).numpy(), want)
            slope = tm.grad(lambda x, v=v: tm.sum(f(v, x)))(x)
        np.testing.assert_array_equal(slope.numpy(), -want * np.sign(x + 0.1))  # (v + 1)/x times as much
    assert np.isnan(f(-np.inf, x).numpy()).all()
    assert f(-10000.5, x[:3]).tolist() == [0.0, 0.0, 0.0]  # J of the order 10000, or I, but for the sign


@pytest.mark.parametrize("name", ["sindg", "cosdg", "tandg"])
def test_angles_of_few_bits_are_turned_by_whole_turns(name):
    for x in (np.int8(-128), np.array([100, -100], np.int8), np.uint8(255)):
        want = getattr(scipy.special, name)(np.asarray(x, np.float64))
        np.testing.assert_allclose(getattr(special, name)(x).numpy(), want, rtol=1e-15)


@pytest.mark.parametrize("name", ["chebyt", "chebyu", "chebyc", "legendre", "laguerre", "hermite", "sh_legendre"])
def test_degrees_of_which_the_recurrence_would_not_end_are_refused(name):
    with pytest.raises(
        tm.errors.NoConvergence, match=r"as many steps as the degree is large, 1e\+07 at most; got 1\.0"
    ):
        getattr(tm.special, f"eval_{name}")(2**40, 0.5)


def test_a_branch_that_no_64_bits_hold_is_refused():
    for k in (np.inf, -np.inf, np.nan, 1e30):
        with pytest.raises(tm.errors.NotAnInteger, match="64 bits"):
            tm.special.lambertw(1.0, k)


@pytest.mark.parametrize("a", [150.0, 1e3, 1e18, 2.0**63, 1e300])
def test_tricomis_function_vanishes_for_a_large_first_parameter(a):
    x = np.array([0.5, 10.0])
    for b in (-3.5, 0.5, 2.0):
        want = [float(mp.hyperu(a, b, v)) for v in x] if a < 1e4 else [0.0] * 2
        np.testing.assert_allclose(tm.special.hyperu(a, b, x).numpy(), want, rtol=1e-10)


@pytest.mark.parametrize("b", [0.5, 0.99, 1.0, 1.01])
def test_tricomis_function_keeps_its_digits_where_its_integrand_falls_slowly(b):
    for a, x in ((0.3, 1e-200), (150.0, 1e-200), (20.0, 1e-30)):
        with mp.workdps(40):
            want = float(mp.hyperu(a, mp.mpf(b), mp.mpf(x)))
        assert tm.special.hyperu(a, b, x).item() == pytest.approx(want, rel=1e-10, abs=0)


@pytest.mark.parametrize("x", [1100.0, 3000.0, -3000.0])
def test_kelvins_functions_overflow_with_their_sign(x):
    with mp.workdps(30):
        want = [np.sign(float(mp.sign(f(0, abs(x))))) * np.inf for f in (mp.ber, mp.bei)]
    assert [tm.special.ber(x).item(), tm.special.bei(x).item()] == want
