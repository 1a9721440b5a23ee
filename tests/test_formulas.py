"""Derivatives as a book writes them: each is put into NumPy here, letter for letter, and held against the rule."""

import numpy as np
import pytest
import scipy.linalg
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
