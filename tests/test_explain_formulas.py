"""The formulas of derivatives: evaluated by NumPy they are the derivatives, as they are traced and when simplified."""

import importlib
import math

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.explaining.plain import text_of
from tinygrad_math.formulas.notation import latex
from tinygrad_math.formulas.terms import ONE
from tinygrad_math.formulas.tracing import opened

for room in ("linalg", "fft", "special", "nn"):
    importlib.import_module(f"tinygrad_math.{room}")


class Loose(Exception):
    """A formula that leaves out along which axes a value is repeated, as one does on paper."""


def value_of(e, env):
    """What a formula comes to: an evaluation of its own, by NumPy."""
    value = np.asarray(plain_value(e, env))
    if value.shape == e.shape or (e.head == "number" and not e.shape):
        return value[()]
    if value.size == math.prod(e.shape):  # a reshape, which is not written
        return value.reshape(e.shape)
    if value.size == 1 or (value.ndim == len(e.shape) and all(m in (1, n) for m, n in zip(value.shape, e.shape))):
        return np.broadcast_to(value, e.shape)
    raise Loose


def plain_value(e, env):
    head, parts = e.head, e.parts
    if head == "number":
        return parts[0]
    if head == "symbol":
        return np.eye(1, e.shape[0], int(parts[0][3:-1]))[0] if parts[0].startswith("e_{") else env[parts[0]]
    if head == "ones":
        return np.ones(e.shape)
    if head in ("negative", "quoted", "indicator"):
        inner = value_of(parts[0], env)
        return -inner if head == "negative" else np.not_equal(inner, 0).astype(float) if head == "indicator" else inner
    if head == "transposed":
        return np.swapaxes(value_of(parts[0], env), -1, -2) if len(parts[0].shape) > 1 else value_of(parts[0], env)
    if head in ("sum", "product"):
        values = [value_of(p, env) for p in (parts if head == "sum" else (*parts[0], *parts[1]))]
        if len({np.ndim(v) for v in values} - {0}) > 1:
            raise Loose
        return sum(values) if head == "sum" else math.prod(values, start=np.float64(1))
    if head == "matrix":
        total, *rest = (as_matrix(p, env) for p in parts)
        for factor in rest:
            total = total @ factor
        return np.reshape(total, e.shape)
    if head == "quotient":
        return value_of(parts[0], env) / value_of(parts[1], env)
    if head == "power":
        return value_of(parts[0], env) ** value_of(parts[1], env)
    op, args, params = parts
    found = op.forward(*(np.asarray(value_of(a, env)) for a in args), **dict(params))
    return found[0] if op.name.endswith("_factored") else found


def as_matrix(e, env):
    """A vector as a column, and with a T above it as a row."""
    value = np.asarray(value_of(e, env))
    while e.head in ("quoted", "negative"):
        e = e.parts[0]
    if value.ndim != 1:
        return value
    return value[None] if e.head == "transposed" else value[:, None]


def environment(path):
    """The value of each name in the formulas of a path."""
    names = path._situation.names
    known = {latex(f): n.data for n, f in names.known.items() if f.head == "symbol"}
    return known | {latex(f): data for data, f in names.constants}


def formula_of(path):
    """The rules of a path's steps put together, from the result back."""
    g = ONE
    for step in reversed(path.steps):
        g = step.formula(g, np.ones_like(step.end.data)[()])
        if g is None:
            return None
    return g


def check(explanation):
    """How many formulas of paths were evaluated, and found to be the derivative along the path."""
    count = 0
    for path in explanation.paths:
        traced = formula_of(path)
        for formula in () if traced is None else (traced, opened(traced)):
            try:
                with np.errstate(all="ignore"):
                    found = value_of(formula, environment(path))
            except Loose:
                continue
            want = path.value.numpy()
            found = np.reshape(found, want.shape) if np.size(found) == want.size else found
            try:
                np.testing.assert_allclose(found, want, rtol=1e-6, atol=1e-9)
            except AssertionError as error:
                error.add_note(text_of(latex(formula))[:2000])
                raise
            count += 1
    return count


ODD = {"convolve", "eigen_within", "eigen_rotation", "extreme_singular_value", "adjugate_tangent", "eigen_unsplit"}
OPS = sorted(
    n
    for n, op in registry.items()
    if not op.constant and op.samples and op.vjp is not None and op.arity and n not in ODD
)


@each("name", OPS, parts=8)
def test_the_formula_of_a_rule_is_the_derivative(name):
    """Of a weighted sum of an op's result, at its samples of at most two axes."""
    op, done = registry[name], 0
    for sample in op.samples():
        arrays = [np.asarray(a) for a in sample.args]
        if done >= 3 or not sample.smooth or any(a.ndim > 2 or not a.size or a.dtype.kind == "c" for a in arrays):
            continue
        pairs = zip(arrays, sample.args, strict=True)
        args = [tm.tensor(a, requires_grad=True) if a.dtype.kind == "f" else given for a, given in pairs]
        results = op(*args, **sample.params)
        results = [y for y in (results if isinstance(results, tuple) else (results,)) if y.dtype.kind == "f"]
        total = sum((y * (0.3 * np.arange(y.size).reshape(y.shape) + 0.5)).sum() for y in results)
        for x in args:
            if isinstance(x, tm.Tensor) and isinstance(total, tm.Tensor) and total.requires_grad:
                done += check(tm.explain(total, x)) > 0


def test_the_formulas_of_networks_are_their_derivatives():
    rng = np.random.default_rng(0)
    leaf = lambda *shape: tm.tensor(rng.normal(size=shape), requires_grad=True)  # noqa: E731
    W1, b1, W2, x, T = leaf(4, 3), leaf(4), leaf(2, 4), leaf(3), rng.normal(size=2)
    h = tm.tanh(W1 @ x + b1)
    loss = ((W2 @ h - T) ** 2).mean()
    assert [check(tm.explain(loss, v)) for v in (W1, b1, W2, x, h)] == [2] * 5
    Q, K, V = leaf(3, 2), leaf(3, 2), leaf(3, 2)
    out = tm.softmax(Q @ K.T / 2.0, axis=-1) @ V
    assert check(tm.explain((out**2).sum(), V)) == 2
    A, b = leaf(3, 3), leaf(3)
    y = tm.linalg.solve(A @ A.T + np.eye(3), b)
    assert check(tm.explain(y @ y, A)) >= 4
    assert check(tm.explain(b @ A @ b / (b @ b), b)) >= 6
    assert check(tm.explain(tm.log(tm.linalg.det(A @ A.T)) + tm.linalg.norm(A) + tm.linalg.inv(A).sum(), A)) >= 4


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (r"2 \frac{e^x}{q} v", "2 (e^x/q) v"),
        (r"-\frac{x}{y} \sin x", "-(x/y) sin x"),
        (r"\frac{2}{3} v", "(2/3) v"),
        (r"\frac{\partial y}{\partial u} w", "∂y/∂u w"),
        (r"\frac{a}{b} \cdot c", "a/b · c"),
    ],
)
def test_a_factor_behind_a_fraction_is_not_read_as_one_below_it(source, told):
    assert text_of(source) == told


def of_choices(rng, x):
    """A number that is computed by ops drawn at random, many of which choose."""
    f = tm.nn.functional
    made = [x, 0.5 * x]
    for kind in rng.integers(12, size=6):
        a, b = (made[k] for k in rng.integers(len(made), size=2))
        step = (
            lambda: a * b, lambda: a + b, lambda: tm.tanh(a), lambda: tm.where(a > 0, a, b),
            lambda: tm.where(a > 100, a, b), lambda: f.softplus(a), lambda: f.elu(a), lambda: tm.maximum(a, b),
            lambda: f.huber_loss(a, np.zeros(a.shape), reduction="none"), lambda: tm.stack([a, b])[0],
            lambda: tm.piecewise(a, [a > 0], [tm.sqrt, lambda t: t * 2.0]),
            lambda: tm.scan(lambda c, _: (c * 0.5 + a, c), b, np.arange(2.0))[0],
        )[kind]  # fmt: skip
        made.append(step())
    return made[-1].sum()


@pytest.mark.parametrize("seed", range(24))
def test_random_programs_full_of_choices_are_told_as_what_they_are(seed):
    rng = np.random.default_rng(seed)
    x = tm.tensor(rng.normal(size=(3,) if seed % 2 else ()), requires_grad=True, name="x")
    told = tm.explain(of_choices(rng, x), x)
    assert told.agrees
    assert "true" not in told.text().replace("(true", "").replace(", true", "")
    assert check(told) or told.ways > 12  # where paths merge, there are no formulas of them


def test_the_slope_of_a_power_is_told_with_its_factors():
    x, p = (tm.tensor(v, requires_grad=True, name=name) for v, name in (([2.0, 3.0], "x"), ([1.5, 2.5], "p")))
    (slope,) = tm.grad_of((x**p).sum(), [x], create_graph=True)
    told = tm.explain(slope.sum(), x)
    assert told.agrees
    assert r"p \odot (p - 1) \odot x^{p - 2}" in told.latex()


@pytest.mark.parametrize(
    ("f", "told"),
    [
        (lambda W, x: (tm.tanh(W @ x) ** 2).sum(), "(2 tanh(W x) ⊙ (1 - (tanh(W x))²)) xᵀ"),
        (lambda W, x: (x / (W @ x)).sum(), "-(x/(W x)²) xᵀ"),
        (lambda W, x: ((W @ x) ** 2 * tm.cos(W @ x)).sum(), "(2 cos(W x) ⊙ (W x)) xᵀ - ((W x)² ⊙ sin(W x)) xᵀ"),
        (lambda W, x: -(3.0 * x * tm.sin(W @ x)).sum(), "-(3 x ⊙ cos(W x)) xᵀ"),
        (lambda W, x: tm.log(x * x / (W @ x) ** 2).sum() * 2.0, None),
        (lambda W, x: (x @ tm.tanh(W @ x)) ** 2, None),
    ],
)
def test_the_sign_and_the_factors_of_a_vector_stay_with_it_in_an_outer_product(f, told):
    rng = np.random.default_rng(2)
    W, x = (tm.tensor(rng.normal(size=s), requires_grad=True, name=n) for s, n in (((2, 2), "W"), (2, "x")))
    for v in (W, x):
        explanation = tm.explain(f(W, x), v)
        assert check(explanation) == 2 * len(explanation.paths)
    assert told is None or told in tm.explain(f(W, x), W).text()


def test_the_derivative_of_a_vector_with_a_further_axis_is_that_of_the_vector():
    m = tm.tensor(np.arange(6.0).reshape(2, 3), name="M")
    b, c = tm.tensor([1.0, 2.0], requires_grad=True, name="b"), tm.tensor([1.0, 2.0, 3.0], requires_grad=True, name="c")
    y = (b[:, None] * m).sum() + (c[None] * m).sum()
    for x, axis, values in ((b, 1, "(3, 12)"), (c, 0, "(3, 5, 7)")):
        told = tm.explain(y, x).text().partition("The derivative\n")[2]
        assert f"∂y/∂{x.name} = ∑_(axis {axis}) M\n" in told
        assert f"= {values}\n" in told
        assert "embed" not in told
