"""`tm.inspect.health`: where digits go, against exact arithmetic, and silence where none do."""

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm

RNG = np.random.default_rng(0)
SHIFTED = 1e6 + RNG.normal(size=50)
MATRIX = RNG.normal(size=(4, 4))


def root(a, b, c):
    return (-b + tm.sqrt(b * b - 4 * a * c)) / (2 * a)


def stable_root(a, b, c):
    return c / (-(b + tm.sqrt(b * b - 4 * a * c)) / 2)


def exact_variance():
    x = [mpmath.mpf(float(v)) for v in SHIFTED]
    mean = sum(x) / len(x)
    return sum((v - mean) ** 2 for v in x) / len(x)


CANCELLING = {  # f, arguments, the op at which digits go, the exact value
    "1 - cos": (lambda x: 1 - tm.cos(x), (1e-5,), "subtract", lambda: 1 - mpmath.cos(mpmath.mpf(1e-5))),
    "roots": (
        lambda x: tm.sqrt(x + 1) - tm.sqrt(x),
        (1e10,),
        "subtract",
        lambda: mpmath.sqrt(mpmath.mpf(10) ** 10 + 1) - mpmath.mpf(10) ** 5,
    ),
    "variance": (lambda x: tm.mean(x * x) - tm.mean(x) ** 2, (SHIFTED,), "subtract", exact_variance),
    "quadratic": (
        root,
        (1.0, 1e7, 1.0),
        "add",
        lambda: (-(mpmath.mpf(10) ** 7) + mpmath.sqrt(mpmath.mpf(10) ** 14 - 4)) / 2,
    ),
    "exp - 1": (lambda x: (tm.exp(x) - 1) / x, (1e-10,), "subtract", lambda: mpmath.expm1(1e-10) / mpmath.mpf(1e-10)),
    "log(1 + x)": (lambda x: tm.log(1 + x), (1e-10,), "log", lambda: mpmath.log1p(mpmath.mpf(1e-10))),
}
HEALTHY = {
    "2 sin^2": (lambda x: 2 * tm.sin(x / 2) ** 2, (1e-5,)),
    "roots": (lambda x: 1 / (tm.sqrt(x + 1) + tm.sqrt(x)), (1e10,)),
    "variance": (tm.var, (SHIFTED,)),
    "quadratic": (stable_root, (1.0, 1e7, 1.0)),
    "expm1": (lambda x: tm.expm1(x) / x, (1e-10,)),
    "log1p": (tm.log1p, (1e-10,)),
    "exact numbers": (lambda x, y: x - y, (1.0 + 1e-12, 1.0)),
    "cross entropy": (
        lambda x: tm.nn.functional.cross_entropy(x, np.array([0, 1, 2])),
        (RNG.normal(size=(3, 4)),),
    ),
    "inverse": (lambda a: tm.linalg.inv(a).sum(), (MATRIX + 4 * np.eye(4),)),
    "eigenvalues": (lambda a: tm.linalg.eigh(a @ a.mT).eigenvalues.sum(), (MATRIX,)),
    "gradient": (tm.grad(lambda x: (tm.sin(x) * x).sum()), (RNG.normal(size=4),)),
    "network": (
        lambda m: tm.nn.functional.mse_loss(m(MATRIX), np.ones((4, 2))),
        (tm.nn.Sequential(tm.nn.Linear(4, 8, rng=RNG), tm.nn.Tanh(), tm.nn.Linear(8, 2, rng=RNG)),),
    ),
    "float32": (lambda m: m(MATRIX.astype(np.float32)).sum(), (tm.nn.Linear(4, 8, rng=RNG).float(),)),
    "lstm": (lambda m: m(RNG.normal(size=(3, 2, 4)))[0].sum(), (tm.nn.LSTM(4, 3, rng=RNG),)),
}


@pytest.mark.parametrize("method", ["wider", "perturb"])
@pytest.mark.parametrize("case", CANCELLING)
def test_cancellation_is_named_with_its_line(case, method):
    f, args, op, _ = CANCELLING[case]
    report = tm.inspect.health(f, *args, method=method)
    assert [row.op for row in report.losses] == [op]
    (row,) = report.losses
    assert "test_inspect_health.py" in row.line
    assert ("cancellation" in row.words) is (op != "log")
    assert not report.ok
    assert row.op in repr(report)


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is no wider than double here")
@pytest.mark.parametrize("case", CANCELLING)
def test_the_digits_lost_are_those_by_which_the_result_is_off(case):
    f, args, _, exact = CANCELLING[case]
    with mpmath.workdps(60):
        off = abs(mpmath.mpf(float(f(*map(tm.tensor, args)).item())) / exact() - 1)
        want = float(mpmath.log10(off / mpmath.mpf(2) ** -53))
    assert tm.inspect.health(f, *args).lost == pytest.approx(want, abs=0.2)


@pytest.mark.parametrize("method", ["wider", "perturb"])
@pytest.mark.parametrize("case", HEALTHY)
def test_nothing_is_named_where_nothing_is_lost(case, method):
    f, args = HEALTHY[case]
    report = tm.inspect.health(f, *args, method=method)
    assert report.ok, report
    assert report.lost < 7
    assert "no step loses many" in repr(report)


def test_the_element_that_loses_digits_is_named():
    report = tm.inspect.health(lambda x: (1 - tm.cos(x)) / x**2, np.array([1.0, 1e-7, 2.0]))
    (row,) = report.losses
    assert row.element == (1,)
    assert "in element (1,)" in row.words
    assert report.rows[-1].op == "divide"
    assert report.rows[-1].words == ""  # it has lost them before


def test_a_loss_that_does_not_reach_the_result_is_no_finding():
    report = tm.inspect.health(lambda x: (1 - tm.cos(x)) + 1.0, 1e-5)
    assert report.ok
    assert max(row.lost for row in report.rows) > 8


def test_single_precision_is_judged_in_its_own_digits():
    report = tm.inspect.health(lambda x: 1 - tm.cos(x), np.float32(1e-3))
    assert [row.op for row in report.losses] == ["subtract"]
    assert report.digits == pytest.approx(7.2, abs=0.1)


def test_an_ill_conditioned_system_is_named():
    report = tm.inspect.health(lambda a: tm.linalg.solve(a, tm.arange(14.0))[0], np.vander(np.linspace(0.1, 1, 14)))
    assert any("ill-conditioned" in row.words for row in report.losses)


def test_an_op_that_long_double_is_too_wide_for_carries_the_errors():
    assert tm.inspect.health(lambda a: tm.linalg.expm(a).sum(), MATRIX).ok
    assert tm.inspect.health(lambda a: None, MATRIX).rows == ()


def test_branches_and_random_numbers_stay_as_they_were():
    def f(x):
        noise = tm.random.default_rng(0).normal(size=3)
        return tm.where(x > 0, tm.sort(x), 0.0)[tm.argmax(x)] + tm.floor(x).sum() + (noise * x).sum()

    assert tm.inspect.health(f, np.array([1.0, 3.0, 2.0])).ok


def test_the_report_shows_itself_and_refuses_what_it_cannot_look_at():
    report = tm.inspect.health(lambda x: 1 - tm.cos(x), 1e-5)
    assert "subtract" in report.text()
    assert "cancellation" in report._repr_html_()
    with pytest.raises(tm.DTypeError):
        tm.inspect.health(lambda n: n * 2, 3)
    with pytest.raises(tm.ArgumentError, match="method"):
        tm.inspect.health(tm.sin, 1.0, method="narrower")


def test_a_result_that_is_nan_has_no_digits_to_praise():
    with np.errstate(all="ignore"):
        report = tm.inspect.health(lambda x: tm.log(x).sum(), np.array([-1.0, 2.0]))
    assert report.nans == 1
    assert not report.ok
    assert "NaN in the result" in repr(report)


@pytest.mark.parametrize("look", [tm.inspect.health, tm.inspect.audit])
def test_what_no_op_leads_to_is_not_certified(look):
    assert "no op leads from the arguments" in repr(look(lambda x: np.ones(2), 1.0))


@pytest.mark.parametrize("threshold", [np.nan, -1.0, 2.0])
def test_a_threshold_is_a_share(threshold):
    with pytest.raises(tm.ArgumentError, match="from 0 to 1"):
        tm.inspect.health(tm.sin, 1.0, threshold=threshold)
