"""The first NaN or infinity is found, with its op, its line, its element and its cause, wherever it arises."""

import asyncio
import gc
import pickle
import re
import sys
import threading
import warnings

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.mode import MODE
from tinygrad_math.core.op import registry

F = tm.nn.functional
INF = np.inf


def a32(*values):
    return np.array(values, np.float32)


# -- every cause, eager and compiled ------------------------------------------------------------------------
# name: (function, argument, op, element, cause)
FORWARD = {
    "log of a negative number": (lambda x: tm.log(x * 1.0), [1.0, -2.0], "log", (1,), r"logarithm of a negative.*-2"),
    "log of 0": (lambda x: tm.log(x * 1.0), [1.0, 0.0], "log", (1,), "logarithm of 0 is -infinity"),
    "log1p": (lambda x: tm.log1p(x * 1.0), [0.0, -3.0], "log1p", (1,), "below -1"),
    "sqrt": (lambda x: tm.sqrt(x * 1.0), [4.0, -9.0], "sqrt", (1,), r"square root of a negative.*-9"),
    "overflow of exp": (lambda x: tm.exp(x * 1.0), [1.0, 1000.0], "exp", (1,), r"exp\(1000\).*beyond 709.8"),
    "overflow of exp in float32": (lambda x: tm.exp(x * 2), a32(1, 50), "exp", (1,), r"float32.*beyond 88.72"),
    "overflow of sinh": (lambda x: tm.sinh(x * 1.0), [1.0, 1000.0], "sinh", (1,), "overflow"),
    "0/0": (lambda x: x / (x * 2.0), [1.0, 0.0], "divide", (1,), "0/0"),
    "x/0": (lambda x: 3.0 / (x * 1.0), [1.0, 0.0], "divide", (1,), "3/0: division by zero"),
    "1/0": (lambda x: tm.reciprocal(x * 1.0), [1.0, 0.0], "reciprocal", (1,), "1/0"),
    "0 · inf": (lambda x: (x * 0.0) * INF, [1.0, 2.0], "multiply", (0,), "0 · inf"),
    "inf - inf": (lambda x: (x + INF) - INF, [1.0, 2.0], "subtract", (0,), "inf - inf"),
    "inf/inf": (lambda x: (x + INF) / INF, [1.0, 2.0], "divide", (0,), "inf/inf"),
    "negative power of 0": (lambda x: (x * 1.0) ** -1.5, [1.0, 0.0], "power", (1,), "0 to the negative power -1.5"),
    "whole negative power of 0": (lambda x: (x * 1.0) ** -3, [1.0, 0.0], "integer_power", (1,), "negative power -3"),
    "power of a negative number": (lambda x: (x * 1.0) ** 0.3, [1.0, -8.0], "power", (1,), r"-8, to the power 0.3"),
    "overflow of a power": (lambda x: (x * 1.0) ** 40, [1.0, 1e10], "power", (1,), r"overflow.*1e\+400"),
    "arccos": (lambda x: tm.arccos(x * 1.0), [1.0, 1.0000001], "arccos", (1,), r"outside of \[-1, 1\]"),
    "arcsin": (lambda x: tm.arcsin(x * 1.0), [0.0, -2.0], "arcsin", (1,), r"outside of \[-1, 1\]"),
    "arccosh": (lambda x: tm.arccosh(x * 1.0), [2.0, 0.5], "arccosh", (1,), "below 1"),
    "arctanh at 1": (lambda x: tm.arctanh(x * 1.0), [0.0, 1.0], "arctanh", (1,), "infinite"),
    "logit": (lambda x: tm.special.logit(x * 1.0), [0.5, 1.0], "logit", (1,), "logit of 0 or 1"),
    "gamma at a pole": (lambda x: tm.special.gammaln(x * 1.0), [0.5, -2.0], "gammaln", (1,), "pole"),
    "xlogy": (lambda x: tm.special.xlogy(2.0, x * 1.0), [0.5, -2.0], "xlogy", (1,), "logarithm of a negative"),
    "overflow of a product": (lambda x: x * x, [1.0, 1e200], "multiply", (1,), r"overflow.*1e\+400"),
    "overflow in float32": (lambda x: x * x, a32(1, 1e30), "multiply", (1,), r"1e\+60, is larger.*float32"),
    "overflow in float16": (lambda x: x * x, np.array([1, 300], np.float16), "multiply", (1,), "90000.*float16, 65504"),
    "a cast to float32": (lambda x: (x * 1.0).astype(np.float32), [1.0, 1e40], "astype", (1,), "the cast to float32"),
    "a cast to float16": (lambda x: (x * 1.0).astype(np.float16), [1.0, 1e5], "astype", (1,), "largest float16, 65504"),
    "overflow of a sum": (lambda x: tm.sum(x, axis=1), [[1.0, 2.0], [1e308, 1e308]], "sum", (1,), "the sum of 2"),
    "overflow of a product in float16": (lambda x: x @ x, np.full(20, 100.0, np.float16), "matmul", (), "overflow"),
    "overflow in a layer": (
        lambda x: F.linear(x, np.full((2, 3), 1e200), np.zeros(2)), [[1.0, 1.0, 1.0], [1.0, 1e200, 1.0]],
        "affine", (1, 0), "the sum of 3 numbers of up to 1e\\+200",
    ),
    "a masked row": (lambda x: tm.softmax(x + INF * -1.0), [[1.0, 2.0]], "softmax", (0, 0), "all is masked: 0/0"),
    "inf in a product of matrices": (
        lambda x: tm.tensor([[0.0, 1.0]]) @ x, [[INF], [1.0]], "matmul", (0, 0), "0 · inf or inf - inf",
    ),
    "the mean of nothing": (lambda x: tm.mean(x[5:]), [1.0, 2.0], "mean", (), "0/0: the mean of no elements"),
    "the variance of one": (lambda x: tm.var(x[:1], correction=1), [1.0, 2.0], "var", (), "0/0: the var of one"),
    "NaN in the data": (lambda x: x * 2.0, [1.0, np.nan], "multiply", (1,), "NaN is in the data already"),
    "NaN in the data of a sum": (lambda x: x.sum(), [1.0, np.nan], "sum", (), "NaN is in the data already"),
}  # fmt: skip

BACKWARD = {
    "sqrt at 0": (lambda x: tm.sqrt(x).sum(), [4.0, 0.0], "sqrt", (1,), r"1/\(2 sqrt\(x\)\), is inf at 0"),
    "the where-trap": (lambda x: tm.where(x > 0, tm.sqrt(x), 0.0).sum(), [4.0, 0.0], "sqrt", (1,), "where-trap"),
    "the where-trap one op on": (
        lambda x: tm.where(x == 0, 0.0, 2.0 * tm.sqrt(x)).sum(), [4.0, 0.0], "sqrt", (1,), "where-trap",
    ),
    "a power below 1 at 0": (lambda x: (x**0.3).sum(), [4.0, 0.0], "power", (1,), r"\(b-1\), which is inf at a = 0"),
    "the exponent over 0": (lambda x: (0.0**x).sum(), [4.0, 0.0], "power", (1,), r"a\^b log\(a\), which is -inf"),
    "cbrt at 0": (lambda x: tm.cbrt(x).sum(), [8.0, 0.0], "cbrt", (1,), "is inf at 0"),
    "arccos at 1": (lambda x: tm.arccos(x).sum(), [0.0, 1.0], "arccos", (1,), r"-1/sqrt\(1 - x\^2\), is -inf at 1"),
    "arcsin at -1": (lambda x: tm.arcsin(x).sum(), [0.0, -1.0], "arcsin", (1,), "is inf at -1"),
    "an overflow of cotangents": (
        lambda x: (tm.sqrt(x) * 1e200).sum(), [4.0, 1e-300], "sqrt", (1,), "overflow",
    ),
}  # fmt: skip


def text_of(f):
    """The lines at which a lambda stands."""
    return f.__code__.co_firstlineno


def caught(f, *args, **options):
    with tm.inspect.detect_anomaly(**options), pytest.raises(tm.AnomalyError) as info:
        f(*args)
    assert MODE.get() is None
    return info.value


@pytest.mark.parametrize("run", [lambda f: f, tm.compile], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", FORWARD)
def test_a_bad_value_is_reported_with_op_line_element_and_cause(name, run):
    f, x, op, index, cause = FORWARD[name]
    error = caught(run(f), tm.tensor(np.array(x)))
    assert (error.op, error.index, error.phase) == (op, index, "forward")
    assert re.search(cause, error.cause), error
    assert (error.place.file, error.place.line - text_of(f) in (0, 1)) == (__file__, True)
    assert not np.isfinite(error.value)
    for part in (op, str(error.dtype), error.fix, error.place.text, str(error.place.line)):
        assert part in str(error)


@pytest.mark.parametrize("run", [lambda f: f, tm.compile], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", BACKWARD)
def test_a_bad_derivative_is_reported_with_op_line_element_and_cause(name, run):
    f, x, op, index, cause = BACKWARD[name]
    error = caught(run(tm.grad(f)), tm.tensor(np.array(x)))
    assert (error.op, error.index, error.phase) == (op, index, "backward"), error
    assert re.search(cause, error.cause), error
    assert (error.place.file, error.place.line - text_of(f) in (0, 1)) == (__file__, True)
    assert not np.isfinite(error.value)


def test_a_number_that_a_loop_takes_is_reported_as_elsewhere():
    def f(x):
        return tm.scan(lambda c, _: (c + tm.sqrt((x * x).sum()), c), 0.0 * x.sum(), np.arange(3.0))[0]

    error = caught(tm.grad(f), np.zeros(2))
    assert (error.op, error.phase) == ("sqrt", "backward")
    assert "is inf at 0" in error.cause


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_a_row_of_nothing_but_minus_infinity_raises_no_alarm_in_a_program(backend):
    def f(x):
        y = tm.special.logsumexp(x, axis=1)
        return tm.where(tm.isfinite(y), y, 0.0).sum()

    x = np.array([[-np.inf, -np.inf], [0.0, 1.0]])
    with tm.inspect.detect_anomaly():
        value, g = tm.compile(tm.value_and_grad(f), backend=backend)(x)
        assert g.numpy()[0].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(value, np.log(1 + np.e))


# -- in every transform -------------------------------------------------------------------------------------
TRANSFORMS = {
    "grad": lambda f, x: tm.grad(f)(x),
    "value_and_grad": lambda f, x: tm.value_and_grad(f)(x),
    "jacobian": lambda f, x: tm.jacrev(lambda x: f(x).reshape(1))(x),
    "vjp": lambda f, x: tm.vjp(f, x)[1](1.0),
    "grad_of": lambda f, x: tm.grad_of(f(x.requires_grad_()), [x]),
    "backward": lambda f, x: f(x.requires_grad_()).backward(),
    "backward with create_graph": lambda f, x: f(x.requires_grad_()).backward(create_graph=True),
    "checkpoint": lambda f, x: tm.grad(tm.checkpoint(f))(x),
    "vmap of grad": lambda f, x: tm.vmap(tm.grad(lambda v: f(v)))(x.reshape(2, 1)),
    "grad of vmap": lambda f, x: tm.grad(lambda x: tm.vmap(lambda v: f(v))(x.reshape(2, 1)).sum())(x),
    "compiled forward, eager backward": lambda f, x: tm.compile(f)(x.requires_grad_()).backward(),
    "no_grad around": lambda f, x: tm.no_grad(tm.grad(f))(x),
    "grad of scan": lambda f, x: tm.grad(
        lambda x: tm.scan(lambda c, _: (c + f(x), c), 0.0 * x.sum(), np.arange(3.0))[0]
    )(x),
    "grad of fori_loop": lambda f, x: tm.grad(lambda x: tm.fori_loop(3, lambda _, c: c + f(x), 0.0 * x.sum()))(x),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_names_the_line_of_the_op_whose_derivative_is_bad(name):
    def f(x):
        y = tm.sqrt(x)
        return y.sum()

    error = caught(TRANSFORMS[name], f, tm.tensor([4.0, 0.0]))
    assert (error.op, error.phase, error.place.text) == ("sqrt", "backward", "y = tm.sqrt(x)"), error
    assert "is inf at 0" in error.cause or (name == "vmap of grad" and "division by zero" in error.cause)


FORWARDS = {
    "jvp": lambda f, x: tm.jvp(f, (x,), (np.ones(2),)),
    "linearize": lambda f, x: tm.linearize(f, x)[1](np.ones(2)),
    "jacfwd": lambda f, x: tm.jacfwd(f)(x),
}


@pytest.mark.parametrize("name", FORWARDS)
def test_forward_mode_names_the_line_of_the_op_whose_tangent_is_bad(name):
    error = caught(FORWARDS[name], lambda x: tm.sqrt(x), tm.tensor([4.0, 0.0]))
    assert (error.op, error.phase) == ("sqrt", "tangent")
    assert error.place.text.startswith("error = caught(FORWARDS[name], lambda x: tm.sqrt(x)")
    assert "is inf at 0" in error.cause


@pytest.mark.parametrize("product", [tm.hvp, lambda f, x, v: tm.hessian(f)(x)], ids=["hvp", "hessian"])
def test_second_derivatives_name_the_line(product):
    def f(x):
        y = x**1.5
        return y.sum()

    error = caught(product, f, tm.tensor([4.0, 0.0]), tm.tensor([1.0, 1.0]))
    assert error.place.text == "y = x**1.5"
    assert error.phase in ("tangent", "backward")


# -- what the report tells ------------------------------------------------------------------------------------
def test_the_report_names_variables_parameters_operands_and_the_chain():
    w = tm.tensor([3.0, 1.0], requires_grad=True, name="w")

    def loss(scale):
        shifted = w * scale - 2.0
        return tm.log(shifted).mean()

    error = caught(loss, 1.0)
    (operand,) = error.operands
    assert (operand.name, operand.value, operand.place, operand.shape) == ("shifted", -1.0, (1,), (2,))
    assert error.chain[0].startswith("w: input float64(2,)")
    assert [step.split(" (")[0] for step in error.chain[1:]] == ["multiply", "shifted: subtract", "log"]
    assert (error.shape, error.dtype, error.op) == ((2,), np.float64, "log")
    text = str(error)
    assert "shifted[1] = -1" in text
    assert "1 of 2 elements" in text
    assert "tm.piecewise" in error.fix


def test_the_cotangent_and_the_slope_stand_in_the_report_and_the_way_on_to_the_root():
    def loss(x):
        y = tm.sqrt(x) * 3.0
        return y.sum()

    error = caught(tm.grad(loss), tm.tensor([1.0, 0.0]))
    assert (error.cotangent, error.slope) == (3.0, INF)
    assert [step.split(" (")[0] for step in error.chain] == ["x: input float64(2,)", "sqrt", "multiply", "sum"]


def test_a_long_chain_is_shortened_and_walked_without_recursion():
    x = tm.tensor(1.0, requires_grad=True)

    def f():
        y = x
        for _ in range(3000):
            y = y * 1.0
        return tm.log(y - 1.0)

    assert len(caught(f).chain) <= 10
    assert len(caught(tm.no_grad(f)).chain) <= 10


def test_values_that_nobody_differentiates_have_a_chain_too():
    data = tm.tensor([1.0, -1.0])

    def f():
        half = data * 0.5
        return tm.sqrt(half)

    assert [step.split(" (")[0] for step in caught(f).chain] == ["data: input float64(2,)", "half: multiply", "sqrt"]


def test_an_infinity_stops_only_if_it_is_wanted_and_one_in_the_data_never():
    x = tm.tensor([1.0, 0.0])
    with tm.inspect.detect_anomaly(check_inf=False):
        assert tm.log(x).tolist() == [0.0, -INF]
        assert tm.grad(lambda x: tm.sqrt(x).sum())(x)[1].item() == INF
        with pytest.raises(tm.AnomalyError, match="the where-trap"):
            tm.grad(lambda x: tm.where(x > 0, tm.sqrt(x), 0.0).sum())(x)
    with tm.inspect.detect_anomaly():
        scores = tm.tensor([[1.0, 2.0]]) + tm.tensor([[0.0, -INF]])
        assert tm.softmax(scores).tolist() == [[1.0, 0.0]]
        assert tm.where([True, False], [1.0, 2.0], -INF).tolist() == [1.0, -INF]
        assert tm.isnan([np.nan, 1.0]).tolist() == [True, False]
        assert tm.nanmean([np.nan, 1.0]).item() == 1.0
        assert np.isnan(tm.tensor([[np.nan]]).reshape(1).tolist())


def test_what_is_switched_off_is_not_looked_at():
    x = tm.tensor([1.0, 0.0])
    with tm.inspect.detect_anomaly(forward=False):
        tm.log(x)
        with pytest.raises(tm.AnomalyError):
            tm.grad(lambda x: tm.sqrt(x).sum())(x)
    with tm.inspect.detect_anomaly(backward=False):
        tm.grad(lambda x: tm.sqrt(x).sum())(x)
        with pytest.raises(tm.AnomalyError):
            tm.log(x)


def test_a_bad_value_from_before_the_block_is_explained_when_its_gradient_is_asked_for():
    w = tm.tensor([1.0, -1.0], requires_grad=True, name="w")
    with np.errstate(all="ignore"):
        y = tm.sqrt(w).sum()
    error = caught(y.backward)
    assert (error.op, error.phase, error.index) == ("sqrt", "forward", (1,))
    assert "w[1] = -1" in str(error)
    assert w.grad is None


def test_a_hook_that_returns_nan_is_blamed():
    x = tm.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2.0
    y.register_hook(lambda g: g * np.nan)
    error = caught(y.sum().backward)
    assert "hook" in error.cause or "hook" in str(error)
    assert x.grad is None


def test_cotangents_whose_sum_overflows_are_told_from_one_that_does():
    def f(x):
        y = x * 1.0
        return (y * 1.5e308 + y * 1.0e308).sum() * 1.0

    error = caught(tm.grad(f), tm.tensor([0.1]))
    assert "the sum of the 2 cotangents" in error.cause
    assert error.phase == "backward"


@pytest.mark.parametrize("run", [lambda f: f, tm.compile], ids=["eager", "compiled"])
def test_a_decomposition_that_has_no_derivative_is_an_anomaly_and_still_an_ill_posed_derivative(run):
    def f(a):
        values, vectors = tm.linalg.eigh(a)
        return vectors[0, 0] * 3.0 + values.sum()

    error = caught(run(tm.grad(f)), np.eye(2))
    assert error.op == "eigh"
    assert isinstance(error, tm.IllPosedDerivative)
    assert error.place.text == "values, vectors = tm.linalg.eigh(a)"
    assert "ill-posed" in error.cause
    assert "1, 1 coincide" in error.cause


def test_a_derivative_of_nearly_equal_singular_values_that_overflows_is_called_ill_posed():
    a = np.diag([1e-300, 2e-300])
    error = caught(tm.grad(lambda a: (1e300 * tm.linalg.inv(a)).sum()), a)
    assert "ill-posed" in error.cause or "overflow" in error.cause
    assert error.place.file == __file__


def test_a_primitive_of_the_users_is_named():
    @tm.primitive
    def shaky(x):
        return np.where(x > 1, np.nan, x)

    shaky.defvjp(lambda g, y, x: g / (x - 1))
    error = caught(lambda: shaky(tm.tensor([0.0, 2.0])))
    assert (error.op, error.index) == ("shaky", (1,))
    error = caught(tm.grad(lambda x: shaky(x).sum()), tm.tensor([0.5, 1.0]))
    assert (error.op, error.index, error.phase) == ("shaky", (1,), "backward")


def test_the_error_is_a_floating_point_error_that_can_be_pickled():
    error = caught(lambda: tm.log(tm.tensor([-1.0])))
    assert isinstance(error, FloatingPointError)
    assert isinstance(error, tm.MathError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.op, again.place, again.operands) == (str(error), "log", error.place, error.operands)


def test_functions_of_this_package_that_are_made_of_several_ops_are_named_beside_the_op():
    error = caught(lambda: F.mse_loss(tm.tensor([1e200]), tm.tensor([0.0])))
    assert "inside of mse_loss" in str(error) or error.op == "mean_squared_error"
    error = caught(lambda: tm.stats.norm.logpdf(tm.tensor([1.0]), 0.0, 0.0))
    assert "inside of" in str(error)


# -- training -------------------------------------------------------------------------------------------------
class Root(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = tm.nn.Parameter(np.array([0.5]))

    def forward(self, x):
        return tm.sqrt(self.w) * x


def test_a_parameter_is_named_by_its_path_in_the_network():
    net = tm.nn.Sequential(tm.nn.Linear(1, 1, rng=0), Root())
    with tm.no_grad():
        net[1].w[0] = -1.0
    error = caught(net, tm.tensor([[1.0]]))
    assert error.operands[0].name == "1.w"
    assert error.place.text == "return tm.sqrt(self.w) * x"


def test_a_step_of_an_optimiser_that_overflows_names_its_line():
    p = tm.nn.Parameter(np.array([1.0]))
    opt = tm.optim.SGD([p], lr=1e200)
    (p * 1e200).sum().backward()
    error = caught(opt.step)
    assert (error.op, error.index) == ("SGD", (0,))
    assert "went beyond the largest float64" in error.cause
    assert "gradient[0] = 1e+200" in str(error)
    assert p.tolist() == [1.0]


@pytest.mark.parametrize("compile", [False, True])
def test_a_training_run_inside_of_the_block_stops_at_the_op(compile):
    def run():
        net = Root()
        data = np.ones((4, 1)), np.full((4, 1), -3.0)
        tm.train.fit(net, data, F.mse_loss, tm.optim.SGD(net, lr=0.5), 3, compile=compile, progress=False)

    error = caught(run)
    assert error.op == "sqrt"
    assert error.place.text == "return tm.sqrt(self.w) * x"
    assert "negative" in error.cause


# -- nothing else changes -----------------------------------------------------------------------------------
def test_values_gradients_and_random_draws_are_the_same_bit_for_bit():
    def run(compiled):
        rng = tm.random.default_rng(3)
        net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.Tanh(), tm.nn.Linear(4, 1, rng=1))

        def f(x):
            return net(x + rng.normal(size=(5, 3))).sum()

        f = tm.compile(f) if compiled else f
        out = [f(np.ones((5, 3))).item() for _ in range(3)]
        opt = tm.optim.Adam(net)
        for _ in range(3):
            opt.zero_grad()
            net(np.ones((5, 3))).sum().backward()
            opt.step()
        return out + [p.detach().numpy().tobytes() for p in net.parameters()]

    for compiled in (False, True):
        plain = run(compiled)
        with tm.inspect.detect_anomaly():
            assert run(compiled) == plain


def test_no_sample_of_any_op_raises_a_false_alarm_or_is_missed():
    found = 0
    for name in ("multiply", "divide", "power", "sqrt", "log", "arctan2", "softmax", "norm", "svd", "var", "xlogy"):
        for s in registry[name].samples() if name in registry and registry[name].samples else ():
            with np.errstate(all="ignore"):
                y = registry[name](*s.args, **s.params)
            parts = [np.asarray(t.detach()) for t in (y if isinstance(y, tuple) else (y,))]
            made = any(np.isnan(p).any() for p in parts if p.dtype.kind in "fc")
            given = any(np.isnan(np.asarray(a)).any() for a in s.args if np.asarray(a).dtype.kind in "fc")
            if given:
                continue
            found += 1
            try:
                with tm.inspect.detect_anomaly(check_inf=False):
                    registry[name](*s.args, **s.params)
            except tm.AnomalyError:
                assert made, (name, s)
            else:
                assert not made, (name, s)
    assert found > 50


def test_the_block_ends_with_its_thread_and_function_and_numpys_warnings_come_back():
    @tm.inspect.detect_anomaly()
    def f(x):
        return tm.log(x)

    @tm.inspect.detect_anomaly
    async def g(x):
        await asyncio.sleep(0)
        return tm.log(x)

    seen = []
    before = np.geterr()
    with tm.inspect.detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append(MODE.get()))
        thread.start()
        thread.join()
    assert seen == [None]
    for call in (lambda: f(tm.tensor([-1.0])), lambda: asyncio.run(g(tm.tensor([-1.0])))):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(tm.AnomalyError):
                call()
    assert np.geterr() == before
    assert MODE.get() is None
    with pytest.warns(RuntimeWarning, match="log"):
        tm.log(tm.tensor([-1.0]))


def test_a_block_inside_of_a_compiled_function_is_refused_by_name():
    @tm.compile
    def f(x):
        with tm.inspect.detect_anomaly():
            return tm.log(x)

    with pytest.raises(tm.TraceError, match="around the call"):
        f(np.array([1.0]))


def test_a_compiled_function_with_donated_arrays_and_hidden_parameters_is_looked_at_before_it_runs():
    w = tm.nn.Parameter(np.array([2.0, -1.0]), name="w")

    def f(x):
        return x + tm.log(w)

    step = tm.compile(f, donate_argnums=0)
    x = np.ones(2)
    error = caught(lambda: step(x))
    assert error.op == "log"
    assert "w[1] = -1" in str(error)
    assert x.tolist() == [1.0, 1.0]


def test_wrong_options_are_refused_by_name():
    with pytest.raises(tm.ArgumentError, match="check_inf"):
        tm.inspect.detect_anomaly(check_inf="yes")


def test_what_the_compiler_makes_of_an_op_may_overflow_where_the_op_does_not():
    x = np.array([800.0, -800.0])
    f = tm.compile(lambda x: tm.sigmoid(x).sum())
    with tm.inspect.detect_anomaly():
        assert f(x).item() == 1.0
        assert tm.compile(tm.grad(lambda x: tm.sigmoid(x).sum()))(x).tolist() == [0.0, 0.0]


def test_an_overflow_that_only_the_compiled_program_has_is_found_too():
    def f(x, y, z):
        return x * (y * z)

    arrays = np.array([1e200]), np.array([1e200]), np.array([1e-200])
    with tm.inspect.detect_anomaly():
        assert np.isfinite(tm.compile(f)(*arrays).item())
    program = tm.compile(f, fast_math=True)
    with np.errstate(all="ignore"):
        finite = np.isfinite(program(*arrays).item())
    with tm.inspect.detect_anomaly():
        if finite:
            assert program(*arrays).item() == pytest.approx(1e200)
        else:
            with pytest.raises(tm.AnomalyError, match="multiply"):
                program(*arrays)


def test_arguments_outside_of_a_domain_that_a_function_marks_by_nan_are_blamed_on_them():
    error = caught(lambda: tm.stats.norm.logpdf(tm.tensor([1.0]), 0.0, -1.0))
    assert "arguments that are not in its domain" in error.cause
    assert "norm" in str(error) or "Continuous.logpdf" in str(error)


def test_each_example_of_a_batch_is_looked_at_and_the_line_is_that_of_the_function():
    def f(x):
        y = tm.log(x)
        return y * 2.0

    error = caught(tm.vmap(f), np.array([1.0, 2.0, -1.0]))
    assert (error.op, error.index, error.place.text) == ("log", (2,), "y = tm.log(x)")


def test_a_rule_that_guards_itself_raises_no_alarm_in_a_batch():
    def f(x):
        return tm.linalg.norm(x) + tm.arctan2(x[0], x[1]) + tm.std(x) + tm.relu(x).sum() + tm.abs(x).sum()

    batch = np.array([[1.0, 2.0], [0.0, 0.0]])
    with tm.inspect.detect_anomaly():
        assert np.isfinite(tm.vmap(tm.grad(f))(batch).numpy()).all()


@pytest.mark.parametrize(
    "block", [tm.no_grad, tm.inspect.detect_anomaly, lambda: tm.inspect.detect_anomaly(forward=False)]
)
def test_a_block_that_is_left_and_was_never_entered_is_named(block):
    with pytest.raises(tm.ArgumentError, match=r"(no_grad|detect_anomaly)\(\) is left, and was never entered"):
        block().__exit__(None, None, None)
    entered = block()
    with entered, entered:
        pass
    assert MODE.get() is None


def _looked_at(x):
    with tm.inspect.detect_anomaly():
        return tm.log(x)


TRACED = {
    "vmap": lambda x: tm.vmap(_looked_at)(x),
    "vmap of grad": lambda x: tm.vmap(tm.grad(_looked_at))(x),
    "decorated": lambda x: tm.vmap(tm.inspect.detect_anomaly()(tm.log))(x),
}


@pytest.mark.parametrize("name", TRACED)
def test_it_is_not_entered_where_one_example_stands_for_all(name):
    with pytest.raises(tm.TraceError, match="enter it around the call of vmap"):
        TRACED[name](np.array([1.0, 2.0, -1.0]))
    with tm.inspect.detect_anomaly(), pytest.raises(tm.AnomalyError, match="log"):
        tm.vmap(tm.log)(np.array([1.0, 2.0, -1.0]))
    assert tm.grad(_looked_at)(2.0).item() == 0.5


CONSTANTS = {
    "used": (lambda x: x + tm.log(tm.tensor(-1.0)), r"log made NaN: the logarithm of a negative number: log\(-1\)"),
    "not chosen": (lambda x: tm.where(x > 0.0, x, tm.sqrt(tm.tensor(-2.0))), r"sqrt made NaN.*sqrt\(-2\)"),
    "returned": (lambda x: (x, tm.log(tm.zeros(2))), "log made an infinity"),
    "one element": (lambda x: x * (tm.ones(3) / np.array([1.0, 0.0, 2.0])).sum(), "divide made an infinity"),
}


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("name", CONSTANTS)
def test_what_a_program_has_of_constants_alone_is_found(name, early):
    f, words = CONSTANTS[name]
    compiled = tm.compile(f)
    with np.errstate(all="ignore"):
        if early:
            compiled(1.0)
        for g in (f, compiled, compiled):
            error = caught(g, tm.tensor(1.0))
            assert re.match(words, str(error))
            assert error.place.line == f.__code__.co_firstlineno
    with tm.inspect.detect_anomaly(forward=False):
        compiled(tm.tensor(1.0))
    if name == "used":
        with tm.inspect.detect_anomaly(), pytest.raises(tm.AnomalyError, match="log"):
            tm.compile(tm.grad(f))(1.0)


def test_an_infinity_that_is_data_of_a_program_stops_nothing():
    mask, f = np.array([0.0, -np.inf]), lambda x: tm.softmax(x + mask - tm.max(mask))
    with tm.inspect.detect_anomaly():
        assert tm.compile(f)(np.zeros(2)).tolist() == [1.0, 0.0]
    with tm.inspect.detect_anomaly(check_inf=False):
        tm.compile(CONSTANTS["returned"][0])(1.0)


def test_a_step_does_nothing_more_after_it_was_looked_into():
    net = tm.nn.Sequential(tm.nn.Linear(2, 8), tm.nn.Tanh(), tm.nn.Linear(8, 1))
    opt = tm.optim.SGD(net.parameters(), lr=0.01)
    x, y = np.ones((5, 2)), np.zeros((5, 1))

    def step():
        opt.zero_grad()
        loss = tm.nn.functional.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        return loss

    def calls():
        seen = []
        gc.disable()  # what other libraries do when it runs is no part of a step
        sys.setprofile(lambda frame, event, argument: seen.append((event, frame.f_code.co_name)))
        try:
            loss = step()
        finally:
            sys.setprofile(None)
            gc.enable()
        del loss
        return seen

    step()
    gc.collect()  # what other tests left is not to go in the middle of a step
    before = calls()
    assert calls() == before
    with tm.inspect.detect_anomaly(), tm.inspect.watch(net):
        assert len(calls()) > 1.5 * len(before)
    tm.record(lambda x: net(x).sum(), x).set("x", 0.0)
    tm.explain(tm.nn.functional.mse_loss(net(x), y), net[0].weight)
    step()
    assert calls() == before
