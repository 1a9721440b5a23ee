"""The choice of the native backend, its errors and its profile, and the parts that it is made of."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from agreement_of_native import arrays, compiled, sorted_by_numpy
from cases import each as each_of

import tinygrad_math as tm

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler.native import assembly, loops, machine
from tinygrad_math.compiler.native.table import merged


def test_errors_are_those_of_the_numpy_program():
    f = compiled(lambda x: tm.linalg.inv(tm.exp(x) - 1.0) + 1.0)
    assert np.isfinite(f(np.eye(2)).numpy()).all()
    with pytest.raises(tm.errors.SingularMatrix):
        f(np.zeros((2, 2)))
    assert np.isfinite(f(np.eye(2)).numpy()).all()


def test_division_by_zero_and_overflow_are_silent_and_leave_numpy_no_flags():
    f = compiled(lambda x, k: (1.0 / x, tm.exp(1e3 * x), tm.log(x - 1.0), k // k))
    got = arrays(f(np.array([0.0, 2.0]), np.array([0, 2])))
    assert np.isinf(got[0][0])
    assert np.isinf(got[1][1])
    assert np.isneginf(got[2][1]) or got[2][1] == 0.0
    with np.errstate(all="raise"):
        assert (np.ones(3) + 1.0).tolist() == [2.0] * 3


def test_the_backend_is_one_of_three():
    for wrong in ("jax", "Native", 3, None):
        with pytest.raises(tm.ArgumentError, match=r"backend is (a text|one of 'numpy', 'native', 'auto')"):
            tm.compile(lambda x: x, backend=wrong)


def test_without_llvmlite_an_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(assembly.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(tm.errors.MissingExtra, match=r"pip install llvmlite.*native"):
        compiled(lambda x: x)
    f = tm.compile(lambda x: x * 2.0, backend="auto")
    assert f(np.ones(2)).tolist() == [2.0, 2.0]
    assert f.latest.native is None


@pytest.mark.parametrize("error", [ImportError, ModuleNotFoundError, ValueError])
def test_an_llvmlite_that_is_kept_from_being_found_is_as_none(error, monkeypatch):
    def blocked(name):
        raise error(f"{name} is not to be imported")

    monkeypatch.setattr(assembly.importlib.util, "find_spec", blocked)
    with pytest.raises(tm.errors.MissingExtra, match="which is not installed"):
        compiled(lambda x: x)
    f = tm.compile(lambda x: x * 2.0, backend="auto")
    assert f(np.ones(2)).tolist() == [2.0, 2.0]
    assert f.latest.native is None


def test_an_llvmlite_that_cannot_be_loaded_is_as_none(tmp_path):
    (tmp_path / "llvmlite").mkdir()
    (tmp_path / "llvmlite" / "__init__.py").write_text("raise OSError('libLLVM.so: no such file')")
    code = (
        "import numpy as np, tinygrad_math as tm; f = tm.compile(lambda x: tm.sin(x) * 2, backend='auto')\n"
        "assert np.allclose(f(np.ones(3)), 2 * np.sin(1)) and f.latest.native is None\n"
        "try: tm.compile(lambda x: x, backend='native')\n"
        "except tm.errors.MissingExtra as error: print(error)"
    )
    setting = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=setting)
    assert "cannot be loaded (OSError: libLLVM.so: no such file)" in out.stdout


def test_auto_is_native_where_that_pays():
    f = tm.compile(lambda x: tm.tanh(x) * 2.0, backend="auto")
    f(np.ones(3))
    assert f.latest.native is not None
    g = tm.compile(lambda x: sorted_by_numpy(tm.cumsum(sorted_by_numpy(x))), backend="auto")
    g(np.ones(3))
    assert g.latest.native is None


def test_importing_the_package_and_compiling_for_numpy_does_not_load_llvmlite():
    code = (
        "import sys, numpy as np, tinygrad_math as tm; tm.compile(lambda x: tm.sin(x))(np.ones(3)); "
        "tm.compile(lambda x: x, backend='auto'); print('llvmlite' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_the_profile_says_which_instructions_are_native():
    f = compiled(lambda x: sorted_by_numpy(tm.tanh(x)) * 2.0)
    rows = {r.text: r for r in f.profile(np.linspace(-1.0, 1.0, 5), repeat=3).rows}
    assert {name: row.native for name, row in rows.items()} == {"tanh": True, "partition": False, "multiply": True}
    assert "native" in str(f.profile(np.linspace(-1.0, 1.0, 5), repeat=3))
    net = compiled(lambda x, w, b: tm.tanh(x @ w + b))
    rows = net.profile(np.ones((9, 4)), np.ones((4, 3)), np.ones(3), repeat=3).rows
    assert [(r.text, r.flops) for r in rows] == [("chain of 2: matmul, add", 2 * 9 * 4 * 3), ("tanh", 0)]
    assert not any(r.native for r in tm.compile(f.f).profile(np.ones(5), repeat=3).rows)


def test_a_native_program_is_compiled_again_after_pickling_and_its_derivatives_are_native():
    import copy

    f = compiled(tm.tanh)
    assert copy.deepcopy(f).backend == "native"
    assert f._compiled_alike(tm.sin).backend == "native"


def test_dimensions_that_follow_each_other_are_one():
    assert merged((2, 3, 4), [(96, 32, 8)]) == ([24], [[8]])
    assert merged((2, 3), [(0, 8), (24, 8)]) == ([2, 3], [[0, 8], [24, 8]])
    assert merged((1, 1), [(8, 8)]) == ([], [[]])
    assert merged((3, 2), [(8, 24)]) == ([6], [[8]])  # turned


@pytest.mark.parametrize("source", loops.PLAIN)
@each_of("target", loops.PLAIN)
def test_casts_are_numpys(source, target):
    by = loops.caster(np.dtype(source), np.dtype(target))
    if by is None:
        assert np.dtype(source).kind in "fc"
        return
    x = np.array(
        [0, 1, 100, 250, -3, 0.5, np.nan, -0.0] if np.dtype(source).kind in "fc" else [0, 1, 100, 5, 127], source
    )
    x = np.concatenate([x] * 5)
    for given in (x, np.stack([x, x], 1)[:, 0]):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            want = given.astype(target)
        out = np.zeros(len(x), target)
        loops.run(by, [given, out])
        np.testing.assert_array_equal(out, want)


def test_the_places_of_numpys_functions_are_those_of_its_header():
    from pathlib import Path

    header = (Path(np.get_include()) / "numpy" / "__multiarray_api.h").read_text()
    for name, place in (("PyArray_NewFromDescr", machine._NEW_FROM_DESCR), ("PyArray_Scalar", machine._SCALAR)):
        text = header.partition(f"#define {name} ")[2]
        assert text.partition("PyArray_API[")[2].partition("]")[0] == str(place)
