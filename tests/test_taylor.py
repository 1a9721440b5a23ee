"""Taylor mode: the coefficients along a line are those of mpmath, of closed forms, and of nested derivatives."""

import math

import mpmath
import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.core.tensor import record

_ = (tm.linalg, tm.fft, tm.special, tm.nn)  # rooms with further ops

FUNCTIONS = {
    "exp": (tm.exp, mpmath.exp, 0.3),
    "sin": (tm.sin, mpmath.sin, 0.4),
    "tanh": (tm.tanh, mpmath.tanh, 0.4),
    "log": (tm.log, mpmath.log, 1.3),
    "sqrt": (tm.sqrt, mpmath.sqrt, 1.7),
    "power": (lambda x: x**2.5, lambda x: x ** mpmath.mpf("2.5"), 1.2),
    "arctan": (tm.arctan, mpmath.atan, 0.3),
    "erf": (tm.special.erf, mpmath.erf, 0.3),
    "gammaln": (tm.special.gammaln, mpmath.loggamma, 2.3),
    "j0": (tm.special.j0, lambda x: mpmath.besselj(0, x), 0.7),
    "quotient": (lambda x: tm.sin(x) / (1 + x * x), lambda x: mpmath.sin(x) / (1 + x * x), 0.3),
    "composed": (lambda x: tm.exp(tm.sin(x * x)), lambda x: mpmath.exp(mpmath.sin(x * x)), 0.6),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_coefficients_are_those_of_mpmath(name):
    ours, theirs, x = FUNCTIONS[name]
    with mpmath.workdps(40):
        want = [float(c) for c in mpmath.taylor(theirs, mpmath.mpf(x), 6)]
    np.testing.assert_allclose([c.item() for c in tm.jet(ours, x, 1.0, 6)], want, rtol=1e-11, atol=1e-13)


def _smooth_cases():
    found = []
    for _, op in sorted(registry.items()):
        if op.jvp is None or op.samples is None or op.implicit:
            continue
        for sample in op.samples():
            arrays = tuple(sample.args[0]) if op.arity is None else tuple(sample.args)
            sizes = [np.size(a) for a in arrays]
            real = any(np.asarray(a).dtype.kind == "f" for a in arrays)
            if sample.smooth and real and max(sizes) < 30 and min(sizes) > 0:
                found.append((op, sample))
                break
    return found


# whose third derivatives take a second or more: they go to the second order in the quick run
COSTLY = {"betaincinv", "betainccinv", "btdtria", "btdtrib", "hyp2f1", "hyp2f1_slope"}
COSTLY |= {"ellipj_sn", "ellipj_cn", "ellipj_dn", "ellipj_ph"}
CASES = _smooth_cases()


@each(("op", "sample"), CASES, parts=16)
def test_a_jet_is_what_nested_derivatives_give(op, sample):
    """Of the first smooth sample of every op with a forward rule, along a line, to third order."""
    _is_nested(op, sample, 2 if op.name in COSTLY else 3)


@pytest.mark.long
@each(("op", "sample"), [case for case in CASES if case[0].name in COSTLY], parts=4)
def test_a_costly_jet_is_what_nested_derivatives_give(op, sample):
    _is_nested(op, sample, 3)


def _is_nested(op, sample, most):
    arrays, params = tuple(sample.args), dict(op.defaults)
    if op.array_names:
        arrays, params = op.bind(arrays, dict(sample.params))
    arrays = tuple(arrays[0]) if op.arity is None else arrays
    rng = np.random.default_rng(0)
    moving = [k for k, a in enumerate(arrays) if np.asarray(a).dtype.kind == "f"]
    xs = [np.asarray(arrays[k], float) for k in moving]
    vs = [rng.uniform(-0.5, 0.5, np.shape(x)) for x in xs]

    def along(t):
        full = list(arrays)
        for k, x, v in zip(moving, xs, vs, strict=True):
            full[k] = x + t * v
        y = record(op, tuple(full), params)
        return [tm.real(p) for p in (y if op.many else [y]) if p.dtype.kind in "fc"]

    def nested(order):
        """The derivatives up to this order, of which the outer one is made of those within."""
        f = lambda t: [along(t)]  # noqa: E731
        for _ in range(order):

            def f(t, f=f):
                lower, above = tm.jvp(f, (t,), (1.0,))
                return [*lower, above[-1]]

        return f(0.0)

    jet = tm.jet(along, 0.0, 1.0, most)
    for highest in range(most, 0, -1):
        try:
            wanted = nested(highest)
        except (tm.NoDerivative, tm.IllPosedDerivative):
            continue
        for order, want in enumerate(wanted):
            for got, w in zip(jet[order], want, strict=True):
                scale = max(1.0, float(np.max(np.abs(w.numpy()), initial=0.0)))
                np.testing.assert_allclose(got.numpy() * math.factorial(order), w.numpy(), rtol=1e-7, atol=1e-8 * scale)
        return


def test_a_jet_of_trees_is_a_list_of_trees():
    def f(p):
        return {"y": p["a"] * p["b"], "c": tm.ones(2)}

    jet = tm.jet(f, {"a": np.array([1.0, 2.0]), "b": 3.0}, {"a": np.array([1.0, 0.0]), "b": 1.0}, 2)
    np.testing.assert_allclose([c["y"].numpy() for c in jet], [[3, 6], [4, 2], [1, 0]])
    np.testing.assert_allclose([c["c"].numpy() for c in jet], [[1, 1], [0, 0], [0, 0]])


def test_a_polynomial_has_no_coefficients_beyond_its_degree():
    jet = tm.jet(lambda x: x**3 - 2 * x, np.array([1.0, -2.0]), np.array([1.0, 1.0]), 5)
    np.testing.assert_allclose(jet[4].numpy(), 0)
    np.testing.assert_allclose(jet[3].numpy(), 1)


def test_high_orders_take_polynomial_time():
    assert math.isclose(tm.jet(tm.sin, 0.4, 1.0, 20)[20].item() * math.factorial(20), math.sin(0.4), rel_tol=1e-12)


def test_jets_are_differentiated_mapped_and_compiled():
    def third(x):
        return tm.directional(tm.sin, x, 1.0, order=3)

    x = np.array([0.1, 0.7])
    np.testing.assert_allclose(tm.vmap(third)(x).numpy(), -np.cos(x))
    np.testing.assert_allclose(tm.grad(lambda x: third(x))(0.3).numpy(), math.sin(0.3))
    np.testing.assert_allclose(tm.compile(third)(0.3).numpy(), -math.cos(0.3))


def test_the_jet_of_a_primitive_is_differentiated_and_compiled():
    @tm.primitive
    def softabs(x):
        return np.sqrt(x * x + 1e-3)

    softabs.defjvp(lambda t, y, x: t * x / y)
    softabs.defvjp(lambda g, y, x: g * x / y)
    x = np.array([0.3, 1.0])
    y = np.sqrt(x**2 + 1e-3)

    def second(x):
        return tm.directional(softabs, x, np.ones(2), order=2)

    np.testing.assert_allclose(tm.compile(second)(x).numpy(), 1e-3 / y**3)
    np.testing.assert_allclose(tm.grad(lambda x: second(x).sum())(x).numpy(), -3e-3 * x / y**5)


def test_a_complex_line_has_complex_coefficients():
    jet = tm.jet(tm.exp, np.array(0.3 + 0.1j), np.array(1j), 3)
    np.testing.assert_allclose(jet[3].numpy(), np.exp(0.3 + 0.1j) * 1j**3 / 6)


def test_the_laplacian_is_the_trace_of_the_hessian():
    def f(x):
        return tm.exp(x[0] * x[1]).sum() + (x**3).sum()

    x = np.random.default_rng(0).normal(size=(2, 3))
    hessian = tm.hessian(f)(x).numpy().reshape(6, 6)
    np.testing.assert_allclose(tm.laplacian(f)(x).numpy(), np.trace(hessian))

    def harmonic(p):
        return tm.log(p["x"] ** 2 + p["y"] ** 2)

    assert abs(tm.laplacian(harmonic)({"x": 0.3, "y": 0.4}).item()) < 1e-12


def test_what_cannot_be_is_named():
    with pytest.raises(tm.ArgumentError, match="order counts from 0"):
        tm.jet(tm.sin, 0.0, 1.0, -1)
    for many in (tm.jet, tm.directional):
        with pytest.raises(tm.ArgumentError, match=r"1,000,000,000 orders.*no more than 10,000"):
            many(tm.exp, 0.0, 1.0, order=10**9)
    with pytest.raises(tm.ShapeError, match="direction of jet"):
        tm.jet(tm.sin, np.zeros(2), np.zeros(3), 1)
    with pytest.raises(tm.DTypeError, match="floating"):
        tm.jet(tm.sign, 1, 1, 1)
    with pytest.raises(tm.NonScalarError, match="one number"):
        tm.laplacian(tm.sin)(np.zeros(2))
    with pytest.raises(tm.DTypeError, match="laplacian needs floating"):
        tm.laplacian(lambda x: (x**2).sum())(np.arange(2))

    @tm.primitive
    def twice(x):
        return 2 * x

    with pytest.raises(tm.NoDerivative, match=r"jet: twice has no forward-mode rule"):
        tm.jet(twice, 1.0, 1.0, 1)


def test_a_coefficient_is_differentiable_in_the_direction_alone():
    # the coefficient of t^3 of exp(x + t v) is exp(x) v^3 / 6
    for k, factor in ((1, 1.0), (2, 1 / 2), (3, 1 / 6)):
        got = tm.grad(lambda v, k=k: tm.jet(tm.exp, 0.5, v, 3)[k])(2.0).item()
        assert abs(got - np.exp(0.5) * factor * k * 2.0 ** (k - 1)) < 1e-12
    assert abs(tm.grad(lambda v: tm.directional(tm.exp, 0.5, v, 2))(2.0).item() - np.exp(0.5) * 4) < 1e-12
    _, slope = tm.jvp(lambda v: tm.directional(lambda x: x * x, 0.5, v, 2), (2.0,), (1.0,))
    assert abs(slope.item() - 8.0) < 1e-12
    assert not tm.jet(tm.exp, 0.5, tm.tensor(1.0, requires_grad=True), 1)[0].requires_grad


def test_a_constant_and_an_infinite_slope_have_series():
    assert [c.item() for c in tm.jet(lambda x: 3.0, 1.0, 1.0, 2)] == [3.0, 0.0, 0.0]
    assert [c.item() for c in tm.jet(tm.sqrt, 0.0, 1.0, 1)] == [0.0, np.inf]
