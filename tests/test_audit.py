"""`tm.inspect.audit`: right computations get a certificate, and a wrong rule is found where it stands."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.inspect import differences, rules


def primitive(f, vjp=None, jvp=None):
    op = tm.primitive(f)
    if vjp is not None:
        op.defvjp(vjp)
    if jvp is not None:
        op.defjvp(jvp)
    return op


def network(op, dtype=np.float64):
    """The op in the middle of a network, audited."""
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(4, 4)).astype(dtype), rng.normal(size=(3, 4)).astype(dtype)

    def loss(x):
        h = tm.tanh(x @ w)
        h = op(h)  # the line
        return (h * h).sum()

    return tm.inspect.audit(loss, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_right_rules_get_a_certificate(dtype):
    report = network(primitive(np.square, lambda g, y, x: 2 * x * g, lambda t, y, x: 2 * x * t), dtype)
    assert report.ok
    assert report.check() is report
    assert [r.state for r in report.rows] == ["right"] * 6
    assert max(r.reverse for r in report.rows) < 1e-6
    assert "the rules of all 5 ops hold" in repr(report)


WRONG = {
    "vjp": (lambda g, y, x: 2.001 * x * g, lambda t, y, x: 2 * x * t, "vjp"),
    "jvp": (lambda g, y, x: 2 * x * g, lambda t, y, x: 2.001 * x * t, "jvp"),
    "no vjp": (None, lambda t, y, x: 2.001 * x * t, "jvp"),
    "shape": (lambda g, y, x: (2 * x * g).sum(0), None, "ShapeError"),
    "nan": (lambda g, y, x: 2 * x * g + 0 * np.log(0 * x - 1), None, "nan"),
    "one element": (lambda g, y, x: 2 * x * g * (1 + (x == x.max())), None, "vjp"),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_rule_in_the_middle_of_a_network_is_named_with_its_line(case, dtype):
    vjp, jvp, words = WRONG[case]
    report = network(primitive(np.square, vjp, jvp), dtype)
    assert not report.ok
    row = report.faults[0]
    assert [r.op for r in report.faults if r.op != "the whole"] == ["square"]
    assert words in row.words
    assert "h = op(h)  # the line" in row.line
    with pytest.raises(tm.WrongDerivative, match=r"square.*(?s:.*)test_audit.py:\d+"):
        report.check()


def test_the_argument_whose_rule_is_wrong_is_named():
    @tm.primitive
    def product(left, right):
        return left * right

    product.defvjp(lambda g, y, left, right: g * right, lambda g, y, left, right: g * right)
    report = tm.inspect.audit(lambda a, b: product(a, b).sum(), np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert "the vjp rule for right" in report.faults[0].words


def test_a_rule_that_forgets_to_conjugate_is_found():
    z = np.array([1 + 1j, 2.0])
    right = primitive(lambda z: z * z, lambda g, y, z: 2 * g * np.conj(z), lambda t, y, z: 2 * t * z)
    wrong = primitive(lambda z: z * z, lambda g, y, z: 2 * g * z, lambda t, y, z: 2 * t * z)
    assert tm.inspect.audit(right, z).ok
    assert not tm.inspect.audit(wrong, z).ok


@pytest.mark.parametrize(
    "rule, ok",
    [
        (lambda g, y, x: g * (x == y) / (x == y).sum(), True),  # ties share
        (lambda g, y, x: g * (np.arange(x.size) == x.argmax()), True),  # the first one takes all
        (lambda g, y, x: g * (x == y), False),  # each takes all
        (lambda g, y, x: g * (x == y) * np.nan, False),
    ],
    ids=["share", "first", "all", "nan"],
)
def test_a_rule_that_is_wrong_at_ties_is_told_from_a_choice_there(rule, ok):
    report = tm.inspect.audit(primitive(lambda x: np.max(x), rule), np.array([1.0, 2.0, 2.0]))
    assert report.ok is ok
    if ok:
        assert report.rows[0].state == "kink"


def test_two_rules_that_choose_differently_at_a_kink_are_a_fault():
    relu = primitive(lambda x: np.maximum(x, 0), lambda g, y, x: g * (x >= 0), lambda t, y, x: t * (x > 0))
    report = tm.inspect.audit(relu, np.array([0.0, -2.0, 3.0]))
    assert "the two rules are two derivatives" in report.faults[0].words
    assert tm.inspect.audit(relu, np.array([1.0, -2.0, 3.0])).ok


@pytest.mark.parametrize(
    "f, x, state",
    [
        (lambda x: tm.abs(x).sum(), [0.0, 1.0], "kink"),
        (lambda x: tm.nn.functional.relu(x).sum(), [0.0, 1.0], "kink"),
        (lambda x: tm.clip(x, 0.0, 1.0).sum(), [0.0, 0.5, 1.0], "kink"),
        (lambda x: tm.sort(x)[0], [2.0, 2.0, 3.0], "kink"),
        (lambda x: tm.linalg.norm(x), [0.0, 0.0], "kink"),
        (lambda x: tm.sqrt(x).sum(), [0.0, 1.0], "no derivative"),
        (lambda x: tm.arcsin(x).sum(), [1.0, 0.5], "no derivative"),
        (lambda x: tm.linalg.eigh(x).eigenvectors[0, 0], np.eye(3), "no derivative"),
    ],
)
def test_points_without_a_derivative_are_no_faults(f, x, state):
    report = tm.inspect.audit(f, np.array(x))
    assert report.ok
    assert report.rows[0].state == state


@pytest.mark.parametrize(
    "f",
    [
        lambda a: (tm.linalg.svd(a)[0] ** 2).sum() + tm.linalg.slogdet(a)[1],
        lambda a: (tm.abs(tm.linalg.svd(a + 1j * a.mT)[0]) ** 3).sum(),
        lambda a: tm.linalg.eigh(a @ a.mT).eigenvalues[0],
        lambda a: tm.abs(tm.linalg.eig(a).eigenvalues).sum(),
        lambda a: tm.linalg.det(a) * tm.linalg.qr(a)[1][0, 1],
        lambda a: tm.linalg.inv(tm.linalg.solve(a, a.mT)).sum(),
    ],
    ids=["svd", "complex svd", "eigh", "eig", "det, qr", "inv, solve"],
)
def test_many_valued_ops_are_judged_by_what_is_made_of_them(f):
    report = tm.inspect.audit(f, np.random.default_rng(0).normal(size=(4, 4)))
    assert report.check().rows[0].state == "right"


@pytest.mark.parametrize("n", [6, 8])
def test_an_ill_conditioned_matrix_is_no_fault(n):
    for dtype in (np.float32, np.float64):
        a = np.vander(np.linspace(0.1, 1, n)).astype(dtype)
        for seed in range(3):
            tm.inspect.audit(lambda a: tm.linalg.inv(a).sum(), a, seed=seed).check()


def test_modules_trees_and_several_arguments_are_audited():
    rng = np.random.default_rng(0)
    model = tm.nn.Sequential(tm.nn.Linear(4, 8, rng=rng), tm.nn.ReLU(), tm.nn.Linear(8, 3, rng=rng))
    x, labels = rng.normal(size=(5, 4)), np.array([0, 1, 2, 0, 1])

    def loss(model, batch):
        return tm.nn.functional.cross_entropy(model(batch["x"]), batch["y"])

    before = {k: v.copy() for k, v in model.state_dict().items()}
    report = tm.inspect.audit(loss, model, {"x": x, "y": labels}).check()
    assert "args[0].0.weight" in report.rows[0].operands
    assert "args[1].x" in report.rows[0].operands
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())
    assert tm.inspect.audit(lambda x: loss(model, {"x": x, "y": labels}), x).ok  # the parameters are audited too


def _assign(x):
    y = x * 1
    for k in range(3):
        y[k] = y[k - 1] * 2
    return y.sum()


@pytest.mark.parametrize(
    "f",
    [
        tm.checkpoint(lambda x: tm.sin(x) * x),
        tm.compile(lambda x: tm.sin(x) * x),
        tm.grad(lambda x: (tm.sin(x) * x).sum()),
        lambda x: tm.implicit.root(lambda y, x: y**3 + y - x, lambda x: np.zeros(3))(0.0 * x),
        lambda x: tm.random.default_rng(0).gamma(tm.exp(x)),
        _assign,
    ],
    ids=["checkpoint", "compile", "grad", "implicit", "random", "assignment"],
)
def test_every_way_to_compute_is_audited(f):
    assert tm.inspect.audit(f, np.array([0.5, 0.3, 1.2])).check().rows


def test_what_no_derivative_goes_through_is_held():
    x = np.array([0.3, 1.2])

    def under_no_grad(x):
        with tm.no_grad():
            y = tm.sin(x)
        return (x * y).sum()

    for f in (under_no_grad, lambda x: (tm.stop_gradient(x) * x).sum(), lambda x: (x * tm.floor(x)).sum()):
        for dtype in (np.float32, np.float64):
            tm.inspect.audit(f, x.astype(dtype)).check()
    assert tm.inspect.audit(lambda x: None, x).ok


def test_an_op_that_gives_another_value_each_time_is_not_checked():
    noisy = primitive(lambda x: x + np.random.random(), lambda g, y, x: g)
    assert [r.state for r in tm.inspect.audit(noisy, 1.0).rows] == ["not checked", "not checked"]


def test_what_cannot_be_audited_is_refused_by_name():
    with pytest.raises(tm.DTypeError, match="floating"):
        tm.inspect.audit(lambda n: n * 2, np.array([1, 2]))
    with pytest.raises(tm.TraceError, match="audit"):
        tm.compile(lambda x: (tm.inspect.audit(tm.sin, x), x)[1])(1.0)
    with pytest.raises(tm.ArgumentError):
        tm.inspect.audit(3.0, 1.0)


def test_the_report_shows_itself():
    report = network(primitive(np.square, lambda g, y, x: 3 * x * g))
    assert "square" in report._repr_html_()
    assert report.text().count("\n") >= 7
    assert tm.inspect.audit(lambda x: tm.sum(x), tm.tensor([1.0], name="<b>"))._repr_html_().count("<b>") == 0


OPS = [n for n in sorted(registry) if registry[n].samples is not None and not registry[n].constant]


@pytest.mark.parametrize("part", range(8))
def test_no_op_of_ours_is_at_fault_and_each_is_if_its_rule_is_a_thousandth_off(part):
    for name in OPS[part::8]:
        op = registry[name]
        if name in ("det_factored", "solve_factored"):  # of which a part is for their own rules
            continue
        for sample in op.samples()[:2]:
            args = sample.args[0] if op.arity is None else sample.args
            params = {**op.defaults, **sample.params}
            params.update(zip([n for n in op.param_names if n not in params], args[len(op.array_names) :]))
            args = [np.asarray(a)[()] for a in (args if op.arity is None else args[: op.arity])]
            with np.errstate(all="ignore"):
                y, live, values = op.forward(*args, **params), [True] * len(args), {}
                rule = _Remembering(values, op, params, args, y, live)
                if not any(rule.live):
                    continue
                found = rules.check(rule, np.random.default_rng(0))
                assert found.state != rules.FAULT, f"{name} on {sample!r}: {found.words}"
                if found.state == rules.RIGHT and sample.smooth and found.words == "" and rules.flat(rule.y).size:
                    off = _off(op)
                    changed = _Remembering(values, off, params, args, y, live)
                    ts = rule.directions(np.random.default_rng(1), False)
                    if np.any(rules.flat(rule.push(ts))):
                        assert rules.check(changed, np.random.default_rng(0)).state == rules.FAULT, name
                        break  # the second sample is for ops of whose first one nothing can be said


class _Remembering(rules.Rule):
    """A rule near whose operands each value is computed once, for all rules of that op."""

    def __init__(self, values, *given):
        super().__init__(*given)
        self.values = values

    def value(self, args):
        point = tuple((a.dtype.str, a.shape, a.tobytes()) for a in map(np.asarray, args))
        if point not in self.values:
            self.values[point] = super().value(args)
        return self.values[point]


class _off:
    """An op whose vjp rule is a thousandth off."""

    def __init__(self, op):
        self.__dict__.update(op.__dict__, constant=op.constant, implicit=op.implicit)
        self.vjp = lambda *a, **k: [g if g is None else g * 1.001 for g in op.vjp(*a, **k)]


SHAPES = {
    "smooth": (np.sin, 0.7, differences.SMOOTH, np.cos(0.7)),
    "bend that jumps": (lambda x: x * abs(x), 0.0, differences.SMOOTH, 0.0),
    "near a kink": (lambda x: np.maximum(x, 0), 3e-6, differences.SMOOTH, 1.0),
    "kink": (lambda x: np.maximum(x, 0), 0.0, differences.KINK, None),
    "root": (np.sqrt, 0.0, differences.SINGULAR, None),
    "cusp": (lambda x: np.sqrt(abs(x)), 0.0, differences.SINGULAR, None),
    "jump": (np.floor, 1.0, differences.SINGULAR, None),
    "pole": (np.log, 0.0, differences.UNKNOWN, None),
    "cancellation": (lambda x: (1e8 + x) - 1e8, 0.3, differences.SMOOTH, 1.0),
    "noise": (lambda x: x + 1e-9 * np.sin(1e13 * x), 0.3, differences.SMOOTH, 1.0),
    "large": (lambda x: x * 1e200, 1.0, differences.SMOOTH, 1e200),
    "steep": (lambda x: np.exp(50 * x), 1.0, differences.SMOOTH, 50 * np.exp(50)),
}


@pytest.mark.parametrize("case", SHAPES)
def test_differences_tell_smooth_points_kinks_and_jumps_apart(case):
    f, x, kind, slope = SHAPES[case]
    with np.errstate(all="ignore"):
        s = differences.slopes(lambda h: np.atleast_1d(f(np.float64(x + h))), np.atleast_1d(f(np.float64(x))), 2**-53)
    assert s.kind[0] == kind
    if slope is not None:
        assert s.low[0] == s.high[0] == pytest.approx(slope, rel=1e-6, abs=1e-6)
        assert abs(s.low[0] - slope) <= 10 * s.error[0] + 1e-6 * abs(slope)


# -- second order -------------------------------------------------------------------------------------------
RIGHT_TWICE = {
    "products": (lambda x: (tm.sin(x) * x).sum(), np.array([0.3, 1.2])),
    "single precision": (lambda x: (tm.tanh(x) ** 3).sum(), np.array([0.3, 1.2], np.float32)),
    "complex": (lambda z: (abs(z) ** 2 * tm.exp(z).real).sum(), np.array([1.0 + 2.0j, 0.3 - 1.0j])),
    "complex result": (lambda z: tm.exp(z) * z, np.array([0.2 + 0.5j])),
    "trees": (lambda t: (t["a"] @ t["b"][0]).sum() * t["b"][1], {"a": np.ones((2, 3)), "b": [np.arange(3.0), 2.0]}),
    "network": (
        lambda net: (net(np.linspace(-1.0, 1.0, 6).reshape(2, 3)) ** 2).mean(),
        tm.nn.Sequential(tm.nn.Linear(3, 2, rng=0), tm.nn.Tanh(), tm.nn.Linear(2, 1, rng=1)),
    ),
    "many-valued": (lambda x: tm.linalg.eigh(x @ x.T)[0].prod(), np.array([[1.0, 2.0], [0.5, -1.0]])),
    "held": (lambda x: (tm.stop_gradient(x * x) * x + x.detach() ** 2 * x**2).sum(), np.array([0.3, 1.2])),
    "linear": (lambda x: 3.0 * x.sum(), np.array([0.3, 1.2])),
    "a gradient": (lambda x: tm.grad(lambda y: (tm.sin(y) * y).sum())(x) ** 2, np.array([0.3, 1.2])),
}


@pytest.mark.parametrize("name", RIGHT_TWICE)
def test_right_gradients_get_a_certificate(name):
    f, x = RIGHT_TWICE[name]
    report = tm.inspect.audit(f, x, order=2)
    assert report.check().ok
    whole = report.rows[-2]
    assert (whole.op, whole.state) == ("gradient of the whole", "right")
    assert whole.adjoint < 1e-12
    assert whole.reverse < 1e-8
    assert "and the derivatives of their gradients" in repr(report)


@tm.primitive
def _forgetful(x):
    return x**3


_forgetful.defvjp(
    lambda g, y, x: 3.0 * g * tm.stop_gradient(tm.tensor(x)) ** 2 if isinstance(x, tm.Tensor) else 3.0 * g * x**2
)


@tm.primitive
def _slope(x):
    return 3.0 * x**2


_slope.defvjp(lambda g, y, x: 5.0 * g * x)  # 6 g x


@tm.primitive
def _half_wrong(x):
    return x**3


_half_wrong.defvjp(lambda g, y, x: g * _slope(x))


@tm.primitive
def _turned(x):
    return (x * x).sum() / 2.0


@tm.primitive
def _same(x):
    return 1.0 * x


_same.defvjp(lambda g, y, x: g + 0.3 * g[::-1] * np.array([1.0, -1.0]))  # right as a value only
_turned.defvjp(lambda g, y, x: g * _same(x))


@pytest.mark.parametrize("op", [_forgetful, _half_wrong, _turned])
def test_a_gradient_that_is_right_and_whose_derivative_is_not_is_named(op):
    x = np.array([0.4, 1.1])
    assert tm.inspect.audit(lambda x: op(tm.exp(x)), x).ok
    report = tm.inspect.audit(lambda x: op(tm.exp(x)), x, order=2)
    assert [r.op for r in report.faults] == [f"gradient of {op.__name__}", "gradient of the whole"]
    assert "test_audit.py" in report.faults[0].line
    with pytest.raises(
        tm.WrongDerivative, match=r"(?s)derivatives of 2 of their gradients do not.*its derivative gives"
    ):
        report.check()


def test_where_there_is_no_second_derivative_none_is_asked_for():
    report = tm.inspect.audit(lambda x: (tm.relu(x) * x).sum(), np.array([0.0, 1.0, -1.0]), order=2)
    assert report.ok
    with pytest.raises(tm.ArgumentError, match="order is 1 or 2, got 3"):
        tm.inspect.audit(tm.sin, 1.0, order=3)
