"""What a type checker knows in a user's project: the types of the public functions, as tests/stubs.py writes them."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tests import stubs
from tests.test_numpy_coverage import ARGUMENTS, CASES, _call, _get

HERE = Path(__file__).parent


@pytest.mark.parametrize("path", stubs.texts(), ids=lambda p: str(p.relative_to(stubs.ROOT)))
def test_the_types_are_those_of_the_functions_as_they_are(path):
    if stubs.NAMERS not in (text := path.read_text()):
        pytest.skip("written beside other versions of NumPy and SciPy, whose words are in it")
    assert text == stubs.texts()[path], "python -m tests.stubs writes them anew"


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@each(("name", "text"), [case for case in CASES if "." not in case[0]])
def test_what_a_function_returns_is_what_its_type_says(name, text):
    f = getattr(tm, name)
    if name in stubs.TYPED or isinstance(f, type):
        return
    scope = getattr(getattr(f, "plain", f), "__globals__", {})
    said = stubs.result(name, f, scope)
    with np.errstate(all="ignore"):
        got = _call(_get(tm, name), text.replace(".detach()", ""), ARGUMENTS)
    if said == "Tensor":
        assert isinstance(got, tm.Tensor)
    elif said in (stubs._TENSORS, stubs._LIST):
        assert isinstance(got, tuple if said == stubs._TENSORS else list)
        assert all(isinstance(part, tm.Tensor) for part in got)


def _checked(tmp_path, text):
    """mypy's words on a user's file."""
    file = tmp_path / "project.py"
    file.write_text(text)
    settings = ["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path), "--no-error-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, str(file)],
        capture_output=True,
        text=True,
        env={"MYPYPATH": str(stubs.ROOT.parent), "PATH": ""},
    )
    return done.stdout


@pytest.mark.long
def test_a_users_project_passes_the_strict_checker(tmp_path):
    assert _checked(tmp_path, (HERE / "typed_project.py").read_text()) == ""


@pytest.mark.long
def test_the_checker_finds_what_is_wrong(tmp_path):
    lines = [
        "import tinygrad_math as tm",
        "x = tm.tensor([1.0, 2.0])",
        "tm.sum(x, dim=0)",
        "x.sum(dim=1)",
        "tm.sin(x, 2)",
        "tm.nonsense(x)",
        "tm.linalg.norm(x, axes=0)",
        "tm.nn.Linear(2, 3)(x, x)",
        "x.nonsense",
        "tm.compile(tm.sin).sources",
        "tm.sum(arr=x)",
        "tm.flip(x, axis=0, m=x)",
        "tm.linalg.eigh(a=x, uplo=1)",
        "tm.zeros(2, 3)",
    ]
    words = _checked(tmp_path, "\n".join(lines))
    assert [k for k in range(3, len(lines) + 1) if f"project.py:{k}: error" not in words] == []


def test_the_types_travel_with_the_package():
    settings = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["tinygrad_math"]
    assert (stubs.ROOT / "py.typed").exists()
