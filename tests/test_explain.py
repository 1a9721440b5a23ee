"""The chain rule, path by path: what it sums to, what it is called, and how it reads."""

import math
import re

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.explaining.naming import written
from tinygrad_math.formulas.notation import latex, write_number
from tinygrad_math.formulas.terms import Formula, add, divide, multiply, negative, number, power, quoted, symbol


def leaf(value, **more):
    return tm.tensor(value, requires_grad=True, **more)


def values(explanation):
    return [p.value.numpy() for p in explanation.paths]


# -- what the lecture has ---------------------------------------------------------------------------------------
def test_the_product_rule_as_a_teacher_writes_it():
    x = leaf(2.0)
    y = x**2 * (3 * x)
    e = tm.explain(y, x)
    assert values(e) == [24.0, 12.0]
    assert e.gradient.item() == 36.0
    text = e.text()
    assert "y = x² (3 x) = 24" in text
    assert re.search(r"∂y/∂\(x²\) +[=] 3 x = 6 +product rule", text)
    assert "∂y/∂(x²) · ∂(x²)/∂x = 3 x · 2 x = 6 · 4 = 24" in text
    assert "dy/dx = 3 x · 2 x + x² · 3\n        = 9 x²\n        = 24 + 12\n        = 36" in text
    assert "(u v)′ = u′ v + u v′      product rule" in text
    assert "Reverse mode gives 36: the same." in text


def test_the_quotient_rule():
    x = leaf(2.0)
    y = x**2 / (3 * x)
    e = tm.explain(y, x)
    np.testing.assert_allclose(values(e), [2 / 3, -1 / 3])
    assert "1/(3 x) · 2 x + (-x²/(3 x)²) · 3\n        = 2/3 - 1/3" in e.text()
    assert e.paths[1].steps[-1].rule == "quotient rule"
    assert "(u/v)′ = (u′ v - u v′)/v²" in e.text()


def test_the_chain_rule_of_two_variables():
    u, v = leaf(1.0), leaf(2.0)
    x, y = 2 * u + v, u / v
    z = tm.exp(x * y)
    of_u, of_v = tm.explain(z, [u, v])
    e2 = math.exp(2.0)
    np.testing.assert_allclose(values(of_u), [0.5 * e2 * 2, 4 * e2 / 2])
    np.testing.assert_allclose(values(of_v), [0.5 * e2, -4 * e2 / 4])
    assert [p.names for p in of_u.paths] == [("u", "x", "x y", "z"), ("u", "y", "x y", "z")]
    assert "∂z/∂(x y) · ∂(x y)/∂x · ∂x/∂u = e^(x y) · y · 2" in of_u.text()
    assert [s.rule for s in of_u.paths[0].steps] == [
        "sum rule, constant factor", "product rule", "chain rule, exponential",
    ]  # fmt: skip
    assert [s.value for s in of_u.paths[0].steps] == pytest.approx([2.0, 0.5, e2])
    assert of_v.paths[1].steps[0].rule == "reciprocal rule"


def test_the_total_derivative_is_the_sum_over_the_paths():
    z = leaf(0.7)
    q1, q2, q3 = tm.sin(z), tm.square(z), tm.exp(z)
    P = q1 * q2 + q3**2
    e = tm.explain(P, z)
    s, c, x = math.sin(0.7), math.cos(0.7), math.exp(0.7)
    np.testing.assert_allclose(values(e), [0.49 * c, s * 1.4, 2 * x * x])
    assert sum(p.value for p in e.paths).item() == pytest.approx(tm.grad_of(P, z).item())
    assert "dP/dz = q₂ · cos z + q₁ · 2 z + 2 q₃ · e^z" in e.text()


def test_a_stack_of_values_is_passed_on_the_way():
    z = leaf(0.7)
    q = tm.stack([tm.sin(z), z**2, tm.exp(z)])
    P = q[0] * q[1] + q[2] ** 2
    e = tm.explain(P, z)
    assert [p.names for p in e.paths] == [("z", "q[0]", "P"), ("z", "q[1]", "P"), ("z", "q[2]", "P")]
    assert sum(values(e)) == pytest.approx(e.gradient.item())


def test_a_linear_network_is_written_with_matrices():
    rng = np.random.default_rng(0)
    W1, W2 = leaf(rng.normal(size=(4, 5))), leaf(rng.normal(size=(3, 4)))
    x, target = rng.normal(size=5), rng.normal(size=3)
    h = W1 @ x
    y = W2 @ h
    L = ((y - target) ** 2).mean()
    e = tm.explain(L, W1)
    by_hand = 2 / 3 * W2.detach().numpy().T @ np.outer(y.detach().numpy() - target, x)
    np.testing.assert_allclose(e.gradient.numpy(), by_hand)
    np.testing.assert_allclose(e.paths[0].value.numpy(), by_hand)
    assert "∂L/∂W₁ = (2/3) W₂ᵀ (y - target) xᵀ" in e.text()
    assert "∂L/∂h               = W₂ᵀ ∂L/∂y" in e.text()
    (last,) = (s for s in e.paths[0].steps if s.end is y.node)
    np.testing.assert_allclose(last.jacobian(), W2.detach().numpy())
    assert last.norm == pytest.approx(np.linalg.norm(W2.detach().numpy()))
    of_2 = tm.explain(L, W2)
    assert "∂L/∂W₂ = (2/3) (y - target) hᵀ" in of_2.text()


# -- what it computes ---------------------------------------------------------------------------------------------
def test_an_array_has_a_jacobian():
    W, x = leaf([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), leaf([1.0, -1.0])
    y = tm.tanh(W @ x)
    e = tm.explain(y, x)
    assert e.gradient.shape == (3, 2)
    np.testing.assert_allclose(e.gradient.numpy(), (1 - y.detach().numpy() ** 2)[:, None] * W.detach().numpy())
    np.testing.assert_allclose(sum(values(e)), e.gradient.numpy())
    assert tm.explain(y, W).gradient.shape == (3, 3, 2)
    assert "a cotangent of y, 1 at one element" in e.text()


def test_a_number_that_is_broadcast_is_summed_over():
    b, X = leaf(2.0), np.arange(6.0).reshape(2, 3)
    y = (X * b + b).sum()
    e = tm.explain(y, b)
    assert values(e) == [15.0, 6.0]
    assert "dy/db = ∑ X + 6" in e.text()


@pytest.mark.parametrize("limit", [1, 2, 12])
def test_paths_sum_to_the_gradient_however_they_merge(limit):
    x, w = leaf([0.3, -0.4, 0.9]), leaf([[0.1, 0.2, 0.3], [-0.5, 0.4, 0.2], [0.7, -0.1, 0.6]])
    h = tm.tanh(w @ x) * x
    y = (tm.where(h > 0, h**2, -h) @ tm.sort(h)).sum() + tm.linalg.norm(h) * h[1]
    for target in (x, w, h):
        e = tm.explain(y, target, limit=limit)
        assert e.agrees
        np.testing.assert_allclose(sum(values(e)), tm.grad_of(y, target).numpy(), atol=1e-14)


def test_paths_that_explode_merge_at_bottlenecks_and_the_text_stays_short():
    x = leaf(1.0001)
    y = x
    for _ in range(20):
        y = y * y
    e = tm.explain(y, x)
    assert e.ways == 2**20
    assert len(e.paths) == 1
    assert e.paths[0].value.item() == pytest.approx(2**20 * 1.0001 ** (2**20 - 1))
    assert "1,048,576 paths lead from x to y" in e.text()
    assert len(e.text().splitlines()) < 60


def test_paths_without_a_bottleneck_merge_by_their_last_step():
    x = leaf(0.5)
    layer = [tm.sin(x), tm.cos(x), 2 * x]
    for _ in range(12):
        layer = [tm.tanh(layer[0] + layer[1] + k * layer[2]) for k in (1, 2, 3)]
    y = layer[0] * layer[1] + layer[2]
    e = tm.explain(y, x)
    assert e.ways == 3 * 3**12
    assert len(e.paths) == 2
    assert e.agrees
    assert "by their last step" in e.text()
    assert len(e.text().splitlines()) < 100


def test_a_long_chain_is_told_by_its_ends():
    x = y = leaf(0.5)
    for _ in range(3000):
        y = tm.sin(y)
    e = tm.explain(y, x)
    assert len(e.paths[0].steps) == 3000
    text = e.text()
    assert "2,990 more steps" in text
    assert len(text.splitlines()) < 60


def test_what_leads_nowhere_is_no_path():
    x, y = leaf(1.0), leaf(2.0)
    q = tm.stack([x, y])
    e = tm.explain(q[0] ** 2 + q[1], x)
    assert values(e) == [2.0]


def test_many_valued_results_are_paths_of_their_parts():
    A = leaf([[2.0, 1.0], [1.0, 3.0]])
    w, U = tm.linalg.eigh(A)
    y = (w * U[0]).sum()
    e = tm.explain(y, A)
    assert len(e.paths) == 2
    np.testing.assert_allclose(sum(values(e)), tm.grad_of(y, A).numpy())


def test_where_single_paths_have_no_derivative_all_together_are_told():
    A = leaf(np.diag([1.0, 1.0, 2.0]))
    w, U = tm.linalg.eigh(A)
    y = (U @ tm.diag(w**2) @ U.T)[0, 1]
    e = tm.explain(y, A)
    np.testing.assert_allclose(e.gradient.numpy(), tm.grad_of(y, A).numpy())
    np.testing.assert_allclose(sum(values(e)), e.gradient.numpy())


def test_complex_numbers_keep_the_convention():
    z = leaf(1 + 2j)
    L = tm.abs(z**2 - 1)
    e = tm.explain(L, z)
    assert e.gradient.item() == tm.grad_of(L, z).item()
    assert sum(values(e)) == pytest.approx(e.gradient.item())
    assert "1 + 2 i" in e.text()
    assert "complex number a + i b is ∂/∂a + i ∂/∂b" in e.text()
    with pytest.raises(tm.DTypeError, match="real"):
        tm.explain(z**2, z)
    with pytest.raises(tm.DTypeError, match="real numbers"):
        tm.explain(L, z, order=2)


def test_no_path_is_a_derivative_of_zero_and_a_value_itself_one():
    x, y = leaf([1.0, 2.0]), leaf(2.0)
    none = tm.explain(y * 2, x)
    assert none.paths == ()
    assert none.gradient.numpy().tolist() == [0.0, 0.0]
    assert "no path leads there" in none.text()
    same = tm.explain(y, y)
    assert values(same) == [1.0]
    assert same.gradient.item() == 1.0


def test_hooks_of_the_users_are_not_run_and_not_told():
    x = leaf(3.0)
    y = x * x
    z = y * 2
    called = []
    y.register_hook(lambda g: called.append(1) or g * 100)
    e = tm.explain(z, x)
    assert e.gradient.item() == 12.0
    assert called == []


def test_float32_stays_float32():
    x = leaf(np.float32([1, 2]))
    e = tm.explain((x**2).sum(), x)
    assert e.gradient.dtype == np.float32
    assert e.agrees


@pytest.mark.parametrize("count", [40, 1000])
def test_many_operands_of_one_op_are_told_in_little_time(count):
    x = leaf(0.3)
    y = tm.stack([tm.sin(x * k) for k in range(count)]).sum()
    e = tm.explain(y, x)
    assert e.ways == count
    assert e.gradient.item() == pytest.approx(sum(k * math.cos(0.3 * k) for k in range(count)))
    assert e.agrees
    assert len(e.text().splitlines()) < 80


def test_what_is_not_finite_is_told_as_it_is():
    x = leaf(0.0)
    with np.errstate(all="ignore"):
        y = tm.sqrt(x) * x + tm.log(x)
    e = tm.explain(y, x)
    assert np.isnan(e.gradient.item())
    assert e.agrees
    assert "∞" in e.text()


def test_an_empty_result_has_an_empty_jacobian():
    x = leaf(np.zeros((0, 2)))
    assert tm.explain(x * 2, x).gradient.shape == (0, 2, 0, 2)
    assert tm.explain(x.sum(), x).agrees


# -- second derivatives ---------------------------------------------------------------------------------------------
def test_a_second_derivative():
    x = leaf(2.0)
    e = tm.explain(x**3, x, order=2)
    assert e.gradient.item() == 12.0
    assert sum(values(e)) == 12.0
    assert "d²y/dx² = 6 x" in e.text()


def test_an_entry_of_the_hessian_over_several_variables():
    u, v = leaf(1.0), leaf(2.0)
    z = tm.exp(u * v)
    e = tm.explain(z, [u, v], order=2, entry=(0, 1))
    np.testing.assert_allclose(values(e), [2 * math.exp(2), math.exp(2)])
    assert "∂²z/(∂v ∂u)" in e.text()


def test_every_entry_of_a_hessian():
    x = leaf([0.5, -1.0, 2.0])
    f = lambda x: tm.exp(x[0] * x[1]) + tm.sin(x[0]) * x[1] ** 2 + (x**3).sum()  # noqa: E731
    H = tm.hessian(f)(x).detach().numpy()
    y = f(x)
    for i in range(3):
        for j in range(3):
            e = tm.explain(y, x, order=2, entry=(i, j))
            assert e.gradient.item() == pytest.approx(H[i, j], abs=1e-12)
            assert sum(values(e)) == pytest.approx(H[i, j], abs=1e-12)
    e = tm.explain(x[0] ** 2 * x[1], x, entry=(0, 1))
    assert [p.names for p in e.paths] == [("x[1]", "f_x[0]")]
    assert values(e) == [1.0]


def test_a_product_with_the_hessian():
    x = leaf([1.0, 2.0])
    e = tm.explain((x**3).sum(), x, vector=[1.0, -1.0])
    assert e.gradient.numpy().tolist() == [6.0, -12.0]
    np.testing.assert_allclose(sum(values(e)), [6.0, -12.0])
    assert "∂s/∂x = 6 v ⊙ x" in e.text()
    w = {"a": leaf(1.0), "b": leaf([1.0, 2.0])}
    both = tm.explain((w["a"] ** 2 * w["b"]).sum(), w, vector={"a": 1.0, "b": [0.0, 1.0]})
    want = tm.hvp(lambda w: (w["a"] ** 2 * w["b"]).sum(), w, {"a": 1.0, "b": tm.tensor([0.0, 1.0])})
    np.testing.assert_allclose(both.gradient["a"].item(), want["a"].item())
    np.testing.assert_allclose(both.gradient["b"].numpy(), want["b"].detach().numpy())


# -- names ------------------------------------------------------------------------------------------------------------
def test_names_are_those_of_tensors_then_of_variables_then_letters():
    a = leaf(1.5, name="alpha")
    inner = tm.sin(a) * tm.cos(a) * tm.exp(a) + tm.log(a) * 3
    result = inner * inner
    text = tm.explain(result, a).text()
    assert text.startswith("dresult/dα by")  # of one variable: a total derivative, and partial ones on the way
    assert "∂result/∂inner" in text
    assert re.search(r"inner += q₁ \+ 3 ln α", text)
    deep = tm.sin(tm.cos(tm.sin(tm.cos(tm.sin(inner)))))
    assert re.search(r"q₁ +=", tm.explain(deep, a).text())


def test_a_name_of_a_parameter_finds_it():
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))
    loss = net(np.ones((4, 2))).mean()
    e = tm.explain(loss, "0.weight")
    loss.backward()
    np.testing.assert_allclose(e.gradient.numpy(), net[0].weight.grad.numpy())
    whole = tm.explain(loss, net)
    assert len(whole) == 4
    np.testing.assert_allclose(whole.gradient[2].bias.numpy(), net[2].bias.grad.numpy())
    with pytest.raises(tm.ArgumentError, match=r"'0\.weight'"):
        tm.explain(loss, "nothing")


@pytest.mark.parametrize(
    "name, tex",
    [("x", "x"), ("W1", "W_{1}"), ("x_12", "x_{12}"), ("theta", r"\theta"), ("loss", r"\text{loss}")],
)
def test_names_in_formulas(name, tex):
    assert written(name) == tex


# -- formulas ---------------------------------------------------------------------------------------------------------
def test_numbers_are_written_as_on_paper():
    cases = {1.0: "1", -2.5: "-2.5", 1e-7: r"1 \cdot 10^{-7}", 123456.0: r"1.2346 \cdot 10^{5}", math.inf: r"\infty"}
    assert {v: write_number(v) for v in cases} == cases
    assert write_number(math.nan) == r"\text{NaN}"
    assert write_number(1 - 1j) == r"1 - \mathrm{i}"
    assert latex(number(2 / 3)) == r"\frac{2}{3}"
    assert latex(number(-math.sqrt(2 * math.pi))) == r"-\sqrt{2 \pi}"
    assert latex(number(np.nextafter(math.pi, 4))) == "3.1416"


def test_formulas_are_simplified_and_bracketed():
    x, y = symbol("x"), symbol("y")
    plus = Formula("sum", (x, y))

    assert latex(multiply(plus, x, ())) == r"x \, (x + y)"
    assert latex(add((x, x, negative(y)), ())) == "2 x - y"
    assert latex(divide(multiply(number(6), power(x, number(2), ()), ()), multiply(number(9), x, ()), ())) == (
        r"\frac{2 x}{3}"
    )
    assert latex(power(plus, number(2), ())) == "(x + y)^{2}"
    assert latex(multiply(negative(x), negative(y), ())) == "x y"
    cosine = quoted(Formula("operation", (registry["cos"], (x,), ())))
    assert latex(multiply(cosine, y, ())) == r"y \cos x"
    inner = Formula("operation", (registry["log1p"], (x,), ()))
    assert latex(Formula("operation", (registry["tanh"], (inner,), ()))) == r"\tanh (\ln(1 + x))"


# -- what is refused ------------------------------------------------------------------------------------------------
def test_what_cannot_be_explained_is_refused_by_name():
    x = leaf([1.0, 2.0])
    with pytest.raises(tm.ArgumentError, match=r"record\(f, x\)"):
        tm.explain(lambda x: x, x)
    with pytest.raises(tm.ArgumentError, match="its name"):
        tm.explain(x.sum(), 3.0)
    with pytest.raises(tm.errors.NoGradient, match="requires no gradient"):
        tm.explain(x.sum(), tm.tensor(1.0))
    with pytest.raises(tm.errors.NoGradient, match="history"):
        tm.explain(tm.tensor(1.0), x)
    with pytest.raises(tm.ArgumentError, match=r"entry=\(i, j\)"):
        tm.explain(x.sum(), x, order=2)
    with pytest.raises(tm.ArgumentError, match="positions among the 2"):
        tm.explain((x**2).sum(), x, entry=(0, 5))
    with pytest.raises(tm.ShapeError, match="vector"):
        tm.explain((x**2).sum(), x, vector=[1.0, 2.0, 3.0])
    with pytest.raises(tm.ArgumentError, match="order"):
        tm.explain(x.sum(), x, order=3)
    with pytest.raises(tm.ArgumentError, match="limit"):
        tm.explain(x.sum(), x, limit=0)
    with pytest.raises(tm.NonScalarError, match="one real number"):
        tm.explain(x * 2, x, order=2, entry=(0, 0))
    big = leaf(np.ones(1001))
    with pytest.raises(tm.NonScalarError, match="1,000,000"):
        tm.explain(big * 2, big)


def test_a_value_that_was_changed_after_its_use_is_refused():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    with tm.no_grad():
        x += 1.0
    with pytest.raises(tm.errors.MathError):
        tm.explain(y, x)


def test_inside_a_trace_there_is_nothing_to_explain():
    def f(x):
        y = x * x
        tm.explain(y, x)
        return y

    with pytest.raises(tm.errors.TraceError, match="explain"):
        tm.compile(f)(tm.tensor(1.0))


def test_inside_a_transform_its_input_is_explained():
    seen = []

    def f(x):
        y = x * x
        seen.append(tm.explain(y, x).gradient.item())
        return y

    assert tm.grad(f)(3.0).item() == 6.0
    assert seen == [6.0]


def test_one_way_is_not_told_of_as_a_sum():
    x = tm.tensor(2.0, requires_grad=True, name="x")
    told = tm.explain(tm.sin(x) * x / (1 + x), x, limit=1).text()
    assert "1 ways" not in told
    assert "The ways from x to 1 + x" not in told
    assert "sum over 2 ways" in told


def test_empty_constants_of_a_decomposition_are_not_told():
    a = tm.tensor(np.array([[2.0, 1.0], [0.0, 1.0]]), requires_grad=True, name="A")
    assert "empty" not in tm.explain(tm.linalg.svd(a)[1].sum(), a).text()


def test_what_stands_beside_a_long_path_is_told_too():
    names = "abcdefghjklmnopr"
    first, *rest = [tm.tensor(1.0 + i, requires_grad=True, name=name) for i, name in enumerate(names)]
    y = first
    for x in rest:
        y = y * tm.sin(x)
    assert "= a sin b = 0.9093" in tm.explain(y, "c").text()


def test_among_arrays_the_step_of_a_number_carries_what_arrives_too():
    x = tm.tensor(0.7, requires_grad=True, name="x")
    told = tm.explain(tm.mean(tm.stack([x, tm.sin(x)])), x).text()
    assert re.search(r"∂y/∂x += ∂y/∂\(sin x\) cos x  ", told)


def test_a_value_that_is_its_own_formula_is_told_once():
    x = tm.tensor(0.7, requires_grad=True, name="x")
    assert "= 0 = 0" not in tm.explain(x - x, x).text()


# -- choices ------------------------------------------------------------------------------------------------------
F = tm.nn.functional


@pytest.mark.parametrize(
    "f, at, value, slope",
    [
        (F.elu, 0.7, "x", "1"),
        (F.elu, -0.7, "e^x - 1", "e^x"),
        (F.relu6, 9.0, "6", "0"),
        (F.hardtanh, 0.3, "x", "1"),
        (F.leaky_relu, -2.0, "0.01 x", "0.01"),
        (F.softplus, 0.7, "ln(1 + e^x)", "σ(x)"),
        (lambda x: F.softplus(x, beta=2.0), 0.7, "(ln(1 + e^(2 x)))/2", "σ(2 x)"),
        (F.softplus, 30.0, "ln(1 + e^x)", "1"),
        (tm.special.log_ndtr, 0.5, "ln Φ(x)", "(e^(-x²/2))/(√(2 π) Φ(x))"),
        (tm.stats.norm.cdf, 0.5, "Φ(x)", "(e^(-x²/2))/√(2 π)"),
        (tm.stats.expon.logpdf, 0.5, "-x", "-1"),
        (lambda x: tm.logaddexp(x, 0.0), 0.5, "ln(1 + e^x)", "σ(x)"),
        (lambda x: tm.special.xlogy(1.0, x), 0.5, "ln x", "1/x"),
        (lambda x: tm.special.kl_div(x, 0.25), 0.5, "x ln (x/0.25) - x + 0.25", "ln (x/0.25)"),
    ],
)
def test_of_a_choice_the_branch_that_was_taken_is_told(f, at, value, slope):
    x = tm.tensor(at, requires_grad=True, name="x")
    told = tm.explain(f(x), x)
    assert len(told.paths) == 1
    text = told.text()
    assert re.search(rf"  y = {re.escape(value)}( = |$)", text, re.M), text
    assert re.search(rf"dy/dx = {re.escape(slope)}$|∂y/∂x = {re.escape(slope)}( = |  )", text, re.M), text
    assert not re.search(r"where\((true|false)|¬|\[true|\[false", text)
    np.testing.assert_allclose(told.gradient, tm.grad(f)(at))
    assert told.agrees


def test_a_choice_between_elements_keeps_its_condition():
    x = tm.tensor([-1.0, 2.0], requires_grad=True, name="x")
    told = tm.explain(F.elu(x).sum(), x)
    assert "[c₁] + [¬ c₁]² ⊙ e^where(c₁, 0, x)" in told.text()
    assert told.text().count("(false, true)") == 1


def test_nan_out_of_a_branch_that_was_not_taken_is_told_with_the_way_out():
    x = tm.tensor(0.0, requires_grad=True, name="x")
    told = tm.explain(tm.where(x > 0, tm.sqrt(x), 0.0), x)
    assert "= 0 · ∞ = NaN" in told.text()
    assert "branch not taken" in told.text()
    assert "tm.piecewise" in told.text()
    assert "dy/dx = 0" not in told.text()
    x = tm.tensor([0.0, 4.0], requires_grad=True, name="x")
    fine = tm.explain(tm.piecewise(x, [x > 0], [tm.sqrt, 0.0]).sum(), x)
    assert "NaN" not in fine.text()
    assert fine.gradient.tolist() == [0.0, 0.25]


def test_the_slope_of_the_logarithm_of_a_softmax_is_told_by_the_softmax():
    z = tm.tensor([[1.0, 2.0, 0.5]], requires_grad=True, name="z")
    text = tm.explain(F.cross_entropy(z, np.array([1])), z).text()
    assert "softmax z ⊙ (∑" in text
    assert "= -meanₖ (ln softmax z)_(k, c₁" in text
    assert "∂y/∂(ln softmax z) = ∇ nll(c₁)   chain rule, mean over the classes given" in text
    assert "e^" not in text


def test_the_results_of_a_loop_and_the_elements_that_it_takes_are_told_as_what_they_are():
    x = tm.tensor([1.0, 2.0], requires_grad=True, name="x")
    told = tm.explain(tm.scan(lambda c, u: (c * tm.tanh(u), c), x.sum(), x)[0], x)
    text = told.text()
    assert "scan" not in text
    assert "tanh x[0]" in text
    assert "unstack" not in text
    assert told.agrees
    np.testing.assert_allclose(told.gradient, tm.grad(lambda x: x.sum() * tm.tanh(x).prod())(np.array([1.0, 2.0])))


def test_a_mask_is_told_by_its_own_name_and_not_at_all_where_it_holds_everywhere():
    x = tm.tensor([1.0, -2.0], requires_grad=True, name="x")
    some = tm.explain(tm.piecewise(x, [x > 0], [tm.sqrt, 0.0]).sum(), x).text()
    assert "[c₁] ← √x[c₁]" in some
    x = tm.tensor(4.0, requires_grad=True, name="x")
    told = tm.explain(tm.piecewise(x, [x > 0], [tm.sqrt, 0.0]), x)
    assert "true" not in told.text()
    assert "1/(2 √x)" in told.text()
    assert told.gradient.item() == 0.25


def test_what_only_hands_a_number_on_is_no_step():
    x = tm.tensor(0.3, requires_grad=True, name="x")
    told = tm.explain(F.binary_cross_entropy(x, np.array(1.0)), x)
    assert "x → x" not in told.text()
    assert "checked" not in told.text()
    assert "mean" not in told.text()  # of one number
