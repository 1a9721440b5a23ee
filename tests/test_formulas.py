"""Derivatives as a book writes them: each is put into NumPy here, letter for letter, and held against the rule."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.formulas.rules import rules
from tinygrad_math.formulas.written import WRITTEN
from tinygrad_math.viz.mathml import mathml

RNG = np.random.default_rng(0)
A = RNG.standard_normal((3, 3)) + 3 * np.eye(3)
B = RNG.standard_normal((4, 3))
SYMMETRIC = A + A.T
DOT, DOT_B = RNG.standard_normal((3, 3)), RNG.standard_normal((4, 3))
T = np.transpose


def low(m):
    return np.tril(m, -1)


def up(m):
    return np.triu(m)


def inverse_gaps(v):
    gaps = v[None, :] - v[:, None]
    return np.divide(1, gaps, out=np.zeros_like(gaps), where=gaps != 0)


def both(f, x, dx):
    """Values, tangents, cotangents that are drawn, and what the reverse walk makes of them."""
    values, tangents = tm.jvp(f, (x,), (dx,))
    _, back = tm.vjp(f, x)
    bars = [RNG.standard_normal(np.shape(v)) for v in values]
    return [np.asarray(v) for v in values], [np.asarray(t) for t in tangents], bars, np.asarray(back(tuple(bars))[0])


def test_eigh():
    s = DOT + DOT.T
    (w, u), (dw, du), (bw, bu), back = both(lambda a: tuple(tm.linalg.eigh(a)), SYMMETRIC, s)
    f = inverse_gaps(w)
    np.testing.assert_allclose(dw, np.diag(u.T @ s @ u), rtol=1e-10)
    np.testing.assert_allclose(du, u @ (f * (u.T @ s @ u)), rtol=1e-9, atol=1e-12)
    told = u @ (np.diag(bw) + f * (u.T @ bu)) @ u.T
    np.testing.assert_allclose(back, (told + told.T) / 2, rtol=1e-9, atol=1e-12)


def test_eig():
    a = np.array([[1.0, 2.0, 0.3], [0.1, 4.0, -1.0], [0.5, 0.2, 9.0]])
    values, vectors = (np.asarray(v) for v in tm.linalg.eig(a))
    f, h, vi = inverse_gaps(values), lambda m: m.conj().T, np.linalg.inv(vectors)
    dw = np.asarray(tm.jvp(lambda x: tm.linalg.eig(x)[0], (a,), (DOT,))[1])
    np.testing.assert_allclose(dw, np.diag(vi @ DOT @ vectors), rtol=1e-9)
    # of the vectors, what does not depend on their phase: weights times squared moduli
    c = RNG.standard_normal((3, 3))
    bw = RNG.standard_normal(3)

    def loss(x):
        w, v = tm.linalg.eig(x)
        return (tm.real(w) * bw).sum() + (c * (tm.real(v) ** 2 + tm.imag(v) ** 2)).sum()

    bv = 2 * c * vectors
    inner = np.diag(bw) + f.conj() * (h(vectors) @ bv - h(vectors) @ vectors @ np.diag(np.diag(h(vectors) @ bv).real))
    told = h(vi) @ inner @ h(vectors)
    np.testing.assert_allclose(np.asarray(tm.grad(loss)(a)), told.real, rtol=1e-8, atol=1e-10)


def test_svd():
    def parts(x):
        return tuple(tm.linalg.svd(x, full_matrices=False))

    (u, s, vh), (du, ds, dvh), _, _ = both(parts, B, DOT_B)
    v, e, big = vh.T, inverse_gaps(s**2), np.diag(s)
    p = u.T @ DOT_B @ v
    np.testing.assert_allclose(ds, np.diag(p), rtol=1e-10)
    rest = (np.eye(4) - u @ u.T) @ DOT_B @ v / s
    np.testing.assert_allclose(du, u @ (e * (p @ big + big @ p.T)) + rest, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dvh.T, v @ (e * (big @ p + p.T @ big)), rtol=1e-9, atol=1e-12)
    # a cotangent of the singular vectors that does not depend on their signs
    cu, cv, bs = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 3)), RNG.standard_normal(3)

    def loss(x):
        u, s, vh = parts(x)
        return (cu * u**2).sum() + (cv * vh**2).sum() + (bs * s).sum()

    bu, bv = 2 * cu * u, (2 * cv * vh).T
    j, k = u.T @ bu, v.T @ bv
    told = u @ (np.diag(bs) + (e * (j - j.T)) @ big + big @ (e * (k - k.T))) @ v.T
    told += (np.eye(4) - u @ u.T) @ bu / s @ v.T + u / s @ bv.T @ (np.eye(3) - v @ v.T)
    np.testing.assert_allclose(np.asarray(tm.grad(loss)(B)), told, rtol=1e-8, atol=1e-10)


def test_qr():
    (q, r), (dq, dr), (bq, br), back = both(lambda x: tuple(tm.linalg.qr(x)), B, DOT_B)
    c = q.T @ DOT_B @ np.linalg.inv(r)
    turn = low(c) - low(c).T
    np.testing.assert_allclose(dr, (c - turn) @ r, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dq, q @ turn + (np.eye(4) - q @ q.T) @ DOT_B @ np.linalg.inv(r), rtol=1e-9, atol=1e-12)
    br = np.triu(br)
    m = r @ br.T - bq.T @ q
    told = (bq + q @ (low(m) + low(m).T + np.diag(np.diag(m)))) @ np.linalg.inv(r).T
    _, pull = tm.vjp(lambda x: tuple(tm.linalg.qr(x)), B)
    np.testing.assert_allclose(np.asarray(pull((bq, br))[0]), told, rtol=1e-9, atol=1e-12)
    assert back.shape == B.shape


def test_lu():
    p, lower, upper = scipy.linalg.lu(A)
    c = np.linalg.inv(lower) @ p.T @ DOT @ np.linalg.inv(upper)
    (_, dl, du) = tm.jvp(lambda x: tuple(tm.linalg.lu(x)), (A,), (DOT,))[1]
    np.testing.assert_allclose(np.asarray(dl), lower @ low(c), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.asarray(du), up(c) @ upper, rtol=1e-9, atol=1e-12)
    bl, bu = RNG.standard_normal((3, 3)), RNG.standard_normal((3, 3))

    def loss(x):
        _, one, other = tm.linalg.lu(x)
        return (bl * one).sum() + (bu * other).sum()

    told = p @ np.linalg.inv(lower).T @ (low(lower.T @ bl) + up(bu @ upper.T)) @ np.linalg.inv(upper).T
    np.testing.assert_allclose(np.asarray(tm.grad(loss)(A)), told, rtol=1e-9, atol=1e-12)


def test_determinants_and_solve():
    inverse, d = np.linalg.inv(A), np.linalg.det(A)
    np.testing.assert_allclose(np.asarray(tm.grad(tm.linalg.det)(A)), d * inverse.T, rtol=1e-10)
    np.testing.assert_allclose(np.asarray(tm.grad(lambda a: tm.linalg.slogdet(a)[1])(A)), inverse.T, rtol=1e-10)
    tangent = tm.jvp(tm.linalg.det, (A,), (DOT,))[1]
    np.testing.assert_allclose(np.asarray(tangent), d * np.trace(inverse @ DOT), rtol=1e-10)
    b, db, bar = RNG.standard_normal((3, 3))
    x, back = tm.vjp(tm.linalg.solve, A, b)
    of_a, of_b = (np.asarray(g) for g in back(bar))
    np.testing.assert_allclose(of_b, inverse.T @ bar, rtol=1e-10)
    np.testing.assert_allclose(of_a, -np.outer(of_b, np.asarray(x)), rtol=1e-10)
    tangent = tm.jvp(tm.linalg.solve, (A, b), (DOT, db))[1]
    np.testing.assert_allclose(np.asarray(tangent), inverse @ (db - DOT @ np.asarray(x)), rtol=1e-10)


def test_logm():
    spd = A @ A.T
    bar, zero = RNG.standard_normal((3, 3)), np.zeros((3, 3))
    y, back = tm.vjp(tm.linalg.logm, spd)
    block = scipy.linalg.logm(np.block([[spd.T, bar], [zero, spd.T]]))
    np.testing.assert_allclose(np.asarray(back(bar)[0]), block[:3, 3:], rtol=1e-8, atol=1e-11)
    block = scipy.linalg.logm(np.block([[spd, DOT], [zero, spd]]))
    np.testing.assert_allclose(
        np.asarray(tm.jvp(tm.linalg.logm, (spd,), (DOT,))[1]), block[:3, 3:], rtol=1e-8, atol=1e-11
    )
    np.testing.assert_allclose(np.asarray(y), block[:3, :3], rtol=1e-8, atol=1e-11)


def test_convolution():
    a, v, bar = RNG.standard_normal(5), RNG.standard_normal(3), RNG.standard_normal(7)
    _, back = tm.vjp(tm.convolve, a, v)
    of_a, of_v = (np.asarray(g) for g in back(bar))
    np.testing.assert_allclose(of_a, [sum(v[n - m] * bar[n] for n in range(7) if 0 <= n - m < 3) for m in range(5)])
    np.testing.assert_allclose(of_v, [sum(a[n - m] * bar[n] for n in range(7) if 0 <= n - m < 5) for m in range(3)])


def test_elements_that_are_taken_and_put():
    x, v, k, bar = RNG.standard_normal(4), RNG.standard_normal(2), np.array([1, 1, 3]), RNG.standard_normal(3)
    taken = np.asarray(tm.grad(lambda x: (x[k] * bar).sum())(x))
    np.testing.assert_allclose(taken, [bar[k == j].sum() for j in range(4)])
    w, bar = RNG.standard_normal(3), RNG.standard_normal(4)
    counted = np.asarray(tm.grad(lambda w: (tm.bincount(k, weights=w) * bar).sum())(w))
    np.testing.assert_allclose(counted, bar[k])
    places = np.array([0, 2])
    kept, scaled = bar.copy(), bar.copy()
    kept[places], scaled[places] = 0, v * bar[places]
    for how, of_x, of_v in (
        ("set", kept, bar[places]),
        ("add", bar, bar[places]),
        ("multiply", scaled, x[places] * bar[places]),
    ):
        f = lambda x, v, how=how: (getattr(x.at[places], how)(v) * bar).sum()  # noqa: E731
        gx, gv = tm.grad(f, argnums=(0, 1))(tm.tensor(x), tm.tensor(v))
        np.testing.assert_allclose(np.asarray(gx), of_x)
        np.testing.assert_allclose(np.asarray(gv), of_v)


def test_frexp_and_modf():
    x = np.array([3.7, -0.2, 40.0])
    mantissa, exponent = np.frexp(x)
    np.testing.assert_array_equal(np.asarray(tm.grad(lambda t: tm.frexp(t)[0].sum())(x)), 2.0**-exponent)
    np.testing.assert_array_equal(np.asarray(tm.grad(lambda t: tm.modf(t)[0].sum())(x)), np.ones(3))
    np.testing.assert_array_equal(np.asarray(tm.grad(lambda t: tm.modf(t)[1].sum())(x)), np.zeros(3))
    assert np.all(mantissa * 2.0**exponent == x)


def test_normal_below():
    x, cov = np.array([0.3, -0.4]), np.array([[1.0, 0.4], [0.4, 2.0]])
    cdf = tm.stats.multivariate_normal.cdf
    gradient = np.asarray(tm.grad(lambda t: cdf(t, np.zeros(2), cov))(x))
    mean, spread = 0.4 / 1.0 * x[0], 2.0 - 0.4**2 / 1.0  # of the second, given the first
    told = scipy.stats.norm.pdf(x[0]) * scipy.stats.norm.cdf(x[1], mean, np.sqrt(spread))
    np.testing.assert_allclose(gradient[0], told, rtol=1e-6)
    second = np.asarray(tm.hessian(lambda t: cdf(t, np.zeros(2), cov))(x))
    of_cov = np.asarray(tm.grad(lambda c: cdf(x, np.zeros(2), c))(cov))
    np.testing.assert_allclose((of_cov + of_cov.T) / 2, second / 2, rtol=1e-5)


def parts_of(f, arrays):
    """A value, a cotangent that is drawn, what the reverse walk makes of it, tangents that are drawn, and theirs."""
    y, back = tm.vjp(f, *arrays)
    listed = y if isinstance(y, tuple) else (y,)
    bars = [RNG.standard_normal(np.shape(v)) for v in listed]
    dots = [RNG.standard_normal(np.shape(a)) for a in arrays]
    moved = tm.jvp(f, tuple(arrays), tuple(dots))[1]
    moved = moved if isinstance(moved, tuple) else (moved,)
    got = [np.asarray(g) for g in back(tuple(bars) if isinstance(y, tuple) else bars[0])]
    return [np.asarray(v) for v in listed], bars, got, dots, [np.asarray(m) for m in moved]


def test_arrays_beside_each_other_and_on_top_of_each_other():
    a, b = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 4))
    (y,), (bar,), (of_a, of_b), (da, db), (dy,) = parts_of(lambda a, b: tm.concat([a, b], axis=1), [a, b])
    for n in range(7):  # y = (a | b)
        own, k = (0, n) if n < 3 else (1, n - 3)
        for whole, parts in ((y, (a, b)), (dy, (da, db)), (bar, (of_a, of_b))):
            np.testing.assert_array_equal(whole[:, n], parts[own][:, k])
    c = RNG.standard_normal((2, 3))
    (y,), (bar,), bars, dots, (dy,) = parts_of(lambda a, c: tm.stack([a, c], axis=1), [a, c])
    for k, x in enumerate((a, c)):
        np.testing.assert_array_equal(y[:, k], x)
        np.testing.assert_array_equal(bars[k], bar[:, k])
        np.testing.assert_array_equal(dy[:, k], dots[k])


def test_an_array_taken_apart():
    x = RNG.standard_normal((5, 2))
    ys, bars, (of_x,), (dx,), dys = parts_of(lambda x: tuple(tm.split(x, [1, 3])), [x])
    for whole, parts in ((x, ys), (of_x, bars), (dx, dys)):
        for part, rows in zip(parts, ([0], [1, 2], [3, 4]), strict=True):
            np.testing.assert_array_equal(part, whole[rows])
    ys, bars, (of_x,), (dx,), dys = parts_of(lambda x: tuple(tm.unstack(x, axis=1)), [x])
    for k in range(2):
        for whole, parts in ((x, ys), (of_x, bars), (dx, dys)):
            np.testing.assert_array_equal(parts[k], whole[:, k])


def test_sums_over_indices():
    shapes = {"i": 2, "j": 3, "k": 4}
    a, b, c = RNG.standard_normal((2, 3)), RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2))
    (y,), (bar,), got, dots, (dy,) = parts_of(lambda a, b, c: tm.einsum("ij,jk,ki->i", a, b, c), [a, b, c])
    want_y, want_dy = np.zeros(2), np.zeros(2)
    wanted = [np.zeros_like(x) for x in (a, b, c)]
    for i, j, k in np.ndindex(*shapes.values()):
        factors = [a[i, j], b[j, k], c[k, i]]
        moves = [dots[0][i, j], dots[1][j, k], dots[2][k, i]]
        want_y[i] += np.prod(factors)
        for m, place in enumerate(((i, j), (j, k), (k, i))):
            others = np.prod([f for n, f in enumerate(factors) if n != m])
            wanted[m][place] += bar[i] * others
            want_dy[i] += moves[m] * others
    np.testing.assert_allclose(y, want_y)
    np.testing.assert_allclose(dy, want_dy)
    for found, exact in zip(got, wanted, strict=True):
        np.testing.assert_allclose(found, exact)


def test_the_beta_function_and_its_weights():
    psi, psi_1 = scipy.special.digamma, lambda v: scipy.special.polygamma(1, v)
    a, b, x, j, k = 2.3, 1.7, 0.4, 1, 0
    beta, of_a, of_b = scipy.special.beta(a, b), psi(a) - psi(a + b), psi(b) - psi(a + b)
    (y,), (bar,), got, (da, db), (dy,) = parts_of(registry["beta_da"], [a, b])
    second = beta * (of_a**2 + psi_1(a) - psi_1(a + b)), beta * (of_a * of_b - psi_1(a + b))
    np.testing.assert_allclose(y, beta * of_a)
    np.testing.assert_allclose(got, np.multiply(bar, second))
    np.testing.assert_allclose(dy, da * second[0] + db * second[1])

    def w(j, k):
        return x ** (a - 1 - j) * (1 - x) ** (b - 1 - k) / beta

    weight = lambda a, b, x: registry["beta_weight"](a, b, x, j=j, k=k)  # noqa: E731
    (y,), (bar,), got, dots, (dy,) = parts_of(weight, [a, b, x])
    slopes = [
        w(j, k) * (np.log(x) - psi(a) + psi(a + b)),
        w(j, k) * (np.log(1 - x) - psi(b) + psi(a + b)),
        (a - 1 - j) * w(j + 1, k) - (b - 1 - k) * w(j, k + 1),
    ]
    np.testing.assert_allclose(y, w(j, k))
    np.testing.assert_allclose(got, np.multiply(bar, slopes))
    np.testing.assert_allclose(dy, np.dot(dots, slopes))


def test_the_weights_of_the_gamma_distribution():
    a, x, k = 2.3, 0.7, 1

    def w(k):
        return x ** (a - 1 - k) * np.exp(-x) / scipy.special.gamma(a)

    (y,), (bar,), got, dots, (dy,) = parts_of(lambda a, x: registry["gamma_weight"](a, x, k=k), [a, x])
    slopes = [w(k) * (np.log(x) - scipy.special.digamma(a)), (a - 1 - k) * w(k + 1) - w(k)]
    np.testing.assert_allclose(y, w(k))
    np.testing.assert_allclose(got, np.multiply(bar, slopes))
    np.testing.assert_allclose(dy, np.dot(dots, slopes))


def test_students_distribution_in_its_degrees_of_freedom():
    df, t = 3.5, 0.8

    def density(v, u):
        return (
            mpmath.gamma((v + 1) / 2)
            / mpmath.gamma(v / 2)
            / mpmath.sqrt(v * mpmath.pi)
            * (1 + u * u / v) ** (-(v + 1) / 2)
        )

    def below(v):
        return mpmath.mpf(1) / 2 + mpmath.quad(lambda u: density(v, u), [0, t])

    (y,), (bar,), got, _, _ = parts_of(lambda v, t: registry["stdtr_ddf"](v, t, order=1), [df, t])
    np.testing.assert_allclose(y, float(mpmath.diff(below, df)), rtol=1e-8)
    np.testing.assert_allclose(got[0], bar * float(mpmath.diff(below, df, 2)), rtol=1e-6)
    np.testing.assert_allclose(got[1], bar * float(mpmath.diff(lambda v: density(v, t), df)), rtol=1e-8)


def test_quantiles_of_the_beta_distribution_and_the_density_of_fishers():
    a, b, q = 1.3, 2.1, 0.4
    for quantile, sign in ((tm.special.betaincinv, 1), (tm.special.betainccinv, -1)):
        (z,), (bar,), got, dots, (dz,) = parts_of(quantile, [a, b, q])
        z, density = float(z), scipy.stats.beta.pdf(z, a, b)
        below = lambda a, b, z=z: mpmath.betainc(a, b, 0, z, regularized=True)  # noqa: E731
        slopes = [-float(mpmath.diff(below, (a, b), orders)) / density for orders in ((1, 0), (0, 1))]
        slopes.append(sign / density)
        np.testing.assert_allclose(got, np.multiply(bar, slopes), rtol=1e-8)
        np.testing.assert_allclose(dz, np.dot(dots, slopes), rtol=1e-8)

    def density_of(m, n, x):
        return x ** (m / 2 - 2) * (m / n) ** (m / 2) * (1 + m * x / n) ** (-(m + n) / 2) / mpmath.beta(m / 2, n / 2)

    at = 3.0, 5.0, 0.7
    (y,), (bar,), got, dots, (dy,) = parts_of(
        lambda m, n, x: registry["fisher_density"](m, n, x, in_n=1, k=1), list(at)
    )
    slopes = [float(mpmath.diff(density_of, at, orders)) for orders in ((1, 1, 0), (0, 2, 0), (0, 1, 1))]
    np.testing.assert_allclose(y, float(mpmath.diff(density_of, at, (0, 1, 0))), rtol=1e-8)
    np.testing.assert_allclose(got, np.multiply(bar, slopes), rtol=1e-6)
    np.testing.assert_allclose(dy, np.dot(dots, slopes), rtol=1e-6)


def test_what_only_checks_or_counts():
    x, w = np.array([3.0, 1.0, 3.0, 2.0]), np.array([1.0, 1.0, 1.0, 0.5])
    shares = registry["weighted_shares"](x, 0.9, w, axis=None)
    np.testing.assert_array_equal(shares, [0.5, 0, 0.5, 0])  # the quantile is 3, and two are 3
    np.testing.assert_array_equal(
        tm.grad(lambda x: registry["weighted_shares"](x, 0.9, w, axis=None)[0])(x), np.zeros(4)
    )
    (_,), (bar,), (got,), (dot,), (moved,) = parts_of(registry["on_simplex"], [np.array([0.25, 0.75])])
    np.testing.assert_array_equal(got, bar)
    np.testing.assert_array_equal(moved, dot)
    with pytest.raises(tm.NoDerivative):
        tm.grad(lambda k: registry["lattice_point"](k))(2.0)


def test_every_op_with_a_derivative_has_its_rules_written():
    for room in ("linalg", "fft", "special", "stats", "nn"):
        getattr(tm, room)
    smooth = [op for op in registry.values() if op.vjp is not None and not op.constant and op.name != "select"]
    without = [op.name for op in smooth if not rules(op).reverse]
    assert without == []


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_what_is_written_is_of_an_op_and_can_be_set(name):
    assert registry[name].vjp is not None
    told = rules(registry[name])
    for equation in (told.formula, *told.reverse, told.forward):
        assert mathml(equation, display=True).startswith("<math")


def test_a_whole_number_among_the_arguments_keeps_its_letter():
    assert rules(registry["polygamma"]).forward.endswith(r"\psi^{(n + 1)}(x)")
    assert rules(registry["where"]).forward == (
        r"\dot{y} = \operatorname{where}(\mathrm{condition}, \dot{x}_{1}, \dot{x}_{2})"
    )
    assert rules(registry["sigmoid_slope"]).formula.startswith("z = ")  # as one of its arguments is called y
