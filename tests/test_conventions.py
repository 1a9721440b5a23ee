"""The table of conventions: our column is what we return, and does not contradict itself."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_math as tm

BENCH = Path(__file__).parent / "bench"


def _script(name):
    sys.path.insert(0, str(BENCH))
    try:
        spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCH))
    return module


CASES = _script("convention_cases")
SCRIPT = _script("conventions")
OURS = CASES.ours()
IDS = [f"{c.formula} at {c.where}" for c in CASES.CASES]
AT_A_BRANCH = "where(x > 0"  # IEEE decides: the infinite slope of the other branch times 0


def formula(case):
    return lambda x: eval(case.formula, {"__builtins__": {}}, SCRIPT._Scope(OURS.names, x))


@pytest.mark.parametrize("case", CASES.CASES, ids=IDS)
def test_our_column_is_what_we_return(case):
    stored = {(r.formula, json.dumps(r.x)): r.results["tinygrad_math"] for r in tm.inspect.conventions()}
    found = SCRIPT.measured(OURS, case)
    for order, value in stored[case.formula, json.dumps(SCRIPT.encoded(np.array(case.x)))].items():
        assert SCRIPT.same(value, found[order]), f"{order}: stored {value}, now {found[order]}"


def test_the_table_has_a_row_for_each_case_and_no_others():
    rows = [(r.op, r.formula, r.where, json.dumps(r.x)) for r in tm.inspect.conventions()]
    assert rows == [(c.op, c.formula, c.where, json.dumps(SCRIPT.encoded(np.array(c.x)))) for c in CASES.CASES]
    assert set(tm.inspect.conventions().libraries) == set(CASES.LIBRARIES)


@pytest.mark.parametrize("case", [c for c in CASES.CASES if AT_A_BRANCH not in c.formula], ids=lambda c: c.formula)
def test_forward_and_reverse_mode_say_the_same_and_hessians_are_symmetric(case):
    with np.errstate(all="ignore"):  # of values at poles
        _agree(case)


def _agree(case):
    x, f = np.array(case.x), formula(case)
    try:
        g = np.asarray(tm.grad(f)(tm.tensor(x)))
    except tm.IllPosedDerivative:
        return  # of the direction alone a tangent may exist
    units = [1.0, 1j] if x.dtype.kind == "c" else [1.0]
    for k in range(x.size):
        for unit in units:
            e = np.zeros(x.size, x.dtype)
            e[k] = unit
            t = np.asarray(tm.jvp(f, (tm.tensor(x),), (tm.tensor(e.reshape(x.shape)),))[1])
            want = np.real(np.conj(g.reshape(-1)[k]) * unit)
            np.testing.assert_allclose(t, want, rtol=1e-12, atol=1e-12)
    if x.dtype.kind != "c":
        try:
            h = np.asarray(tm.hessian(f)(tm.tensor(x))).reshape(x.size, x.size)
        except tm.IllPosedDerivative:
            return
        np.testing.assert_allclose(h, h.T, rtol=1e-12, atol=1e-12)


def test_second_derivatives_of_a_norm_at_0_are_0_and_of_a_power_at_0_symmetric():
    with np.errstate(all="ignore"):
        for ord in (2, 3, 1.5, 1):
            assert not tm.hessian(lambda x: tm.linalg.vector_norm(x, ord=ord))(np.zeros(3)).numpy().any()
        h = tm.hessian(lambda x: x[0] ** x[1])(np.zeros(2)).numpy()
        t = tm.jvp(lambda x: x[0] ** x[1], (np.array([-2.0, 2.0]),), (np.array([1.0, 0.0]),))[1]
    assert h.tolist() == [[0.0, np.inf], [np.inf, np.inf]]  # x^0 is constant in x; the others have no bound
    assert t.item() == -4.0
    np.testing.assert_allclose(
        tm.hessian(lambda x: x[0] ** x[1])(np.array([2.0, 3.0])).numpy(),
        [[12, 4 * (1 + 3 * np.log(2))], [4 * (1 + 3 * np.log(2)), 8 * np.log(2) ** 2]],
        rtol=1e-14,
    )


@pytest.mark.parametrize("f", [tm.arctan2, tm.hypot])
@pytest.mark.parametrize("at", [(np.nan, 1.0), (1.0, np.nan)])
def test_derivatives_at_nan_are_nan_and_no_number(f, at):
    g = tm.grad(lambda x: f(x[0], x[1]))(np.array(at)).numpy()
    h = tm.hessian(lambda x: f(x[0], x[1]))(np.array(at)).numpy()
    assert np.isnan(g).all()
    assert np.isnan(h).all()


def test_rows_are_found_by_op_and_by_formula_and_unknown_names_are_refused():
    clip = tm.inspect.conventions("clip")
    assert {r.op for r in clip} == {"clip"}
    first = {name: clip[0].results[name]["first"] for name in clip.libraries}
    assert first == {"tinygrad_math": 1, "PyTorch": 1, "JAX": 0.5, "autograd": 0, "MyGrad": 0, "tinygrad": 1}
    assert len(tm.inspect.conventions("logaddexp(")) == 1
    with pytest.raises(tm.ArgumentError, match=r"'clap'.*clip"):
        tm.inspect.conventions("clap")


def test_the_table_shows_itself():
    table = tm.inspect.conventions("clip")
    assert "PyTorch" in repr(table)
    assert "measured with" in repr(table)
    assert table._repr_html_().count("<tr>") == len(table) + 1
    assert "raises IllPosedDerivative" in tm.inspect.conventions("pinv").text()
    assert "second" not in tm.inspect.conventions("angle").text()
