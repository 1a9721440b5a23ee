"""The code that the compiler writes: readable, safe against any name, and able to stand alone."""

from __future__ import annotations

import ast
import subprocess
import sys

import numpy as np
import pytest
from cases import each
from test_compiler_every_op import CASES, assert_same, called

import tinygrad_math as tm
from tinygrad_math.compiler.names import Names, comment, identifier
from tinygrad_math.compiler.profile import Profile
from tinygrad_math.core.errors import ArgumentError, MathError, NonScalarError
from tinygrad_math.core.tree import flatten


def loss(p, x):
    h = tm.tanh(x @ p["w"] + p["b"])
    return (h * h).mean()


RNG = np.random.default_rng(0)
PARAMS = {"w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}
X = RNG.normal(size=(5, 3))


def test_source_names_the_arguments_and_comments_each_line_with_shape_and_origin():
    f = tm.compile(tm.grad(loss))
    f(PARAMS, X)
    assert "def loss(p_w, p_b, x):" in f.source
    forward = next(line for line in f.source.splitlines() if "tanh(" in line and "def" not in line)
    assert "float64[5, 2]" in forward
    assert 'h = tm.tanh(x @ p["w"] + p["b"])' in forward
    assert "test_compiler_source.py" in forward
    assert "gradient of h = tm.tanh" in f.source


@pytest.mark.parametrize(
    "name",
    [
        "x); import os #",
        "__import__('os')",
        "class",
        "λ",
        "np",
        "a\nb = 1",
        "x-y",
        "",
        "1st",
        "'''",
        "add",
        "space",
        "print",
    ],
)
def test_nothing_that_a_user_names_becomes_code(name):
    f = tm.compile(lambda d: {name: tm.sum(d[name] * 2.0)})
    x = np.arange(3.0)
    assert f({name: x})[name].item() == 6.0
    assert f({name: x})[name].item() == 6.0
    tree = ast.parse(f.source)
    assert not any(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.walk(tree))
    assert [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)] == ["make", "lambda_2"]
    assert tm.tensor(x, name=name).name == name


def test_a_function_name_cannot_become_code():
    def f(x):
        return x * 2.0

    f.__name__ = "f(x):\n    raise SystemExit\ndef g"
    assert tm.compile(f)(np.array(1.5)).item() == 3.0


def test_identifiers_are_unique_and_plain():
    names = Names(frozenset({"add"}))
    given = [names.new(w) for w in ("add", "add", "if", "ä b", "x__y", "list")]
    assert len(set(given)) == len(given)
    assert all(g.isidentifier() and g.isascii() and "__" not in g for g in given)
    assert identifier("") == "v"
    assert "\n" not in comment("a\nb\r\x0cc")


@pytest.mark.parametrize("buffers", [False, True])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_to_source_runs_without_this_package(tmp_path, order, buffers):
    text = tm.to_source(loss, PARAMS, X, order=order, buffers=buffers)
    v = {"w": np.cos(PARAMS["w"]), "b": np.sin(PARAMS["b"])}
    given = [PARAMS["w"], PARAMS["b"], X, *(v.values() if order == 2 else ())]
    np.savez(tmp_path / "given.npz", *given)
    script = text + (
        "\nimport sys\nassert not any(m.startswith('tinygrad') for m in sys.modules)\n"
        f"data = np.load({str(tmp_path / 'given.npz')!r})\nout = loss(*[data[k] for k in data.files])\n"
        f"np.savez({str(tmp_path / 'out.npz')!r}, *out)\n"
    )
    (tmp_path / "alone.py").write_text(script)
    subprocess.run([sys.executable, "-I", "alone.py"], cwd=tmp_path, check=True)
    data = np.load(tmp_path / "out.npz")
    out = [data[k] for k in data.files]
    expected = [loss(PARAMS, X)]
    if order:
        expected += flatten(tm.grad(loss)(PARAMS, X))[0]
    if order == 2:
        expected += flatten(tm.jvp(lambda p: tm.grad(loss)(p, X), (PARAMS,), (v,))[1])[0]
    for a, b in zip(out, expected, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12, atol=1e-15)


OPS = list({c.values[0].name: c.values for c in reversed(CASES)}.values())


@each(("op", "k"), OPS, parts=8)
def test_the_source_of_every_op_stands_alone(op, k):
    f, arrays = called(op, op.samples()[k])
    scope: dict[str, object] = {}
    with np.errstate(all="ignore"):
        text = tm.to_source(f, *arrays)
        assert "from tinygrad_math" not in text
        assert "import tinygrad_math" not in text
        exec(text, scope)
        name = next(line for line in text.splitlines() if line.endswith(" = make()")).split(" =")[0]
        assert_same(list(scope[name](*arrays)), f(*arrays))


def test_to_source_waits_for_examples_and_checks_what_it_is_given():
    waiting = tm.to_source(loss, order=1)
    assert waiting(PARAMS, X) == tm.to_source(loss, PARAMS, X, order=1)
    with pytest.raises(ArgumentError, match="order is 0, 1 or 2"):
        tm.to_source(loss, PARAMS, X, order=3)
    with pytest.raises(NonScalarError, match="one number"):
        tm.to_source(lambda x: x * 2.0, X, order=1)
    w = tm.tensor(2.0, requires_grad=True)
    with pytest.raises(ArgumentError, match="closes over parameters"):
        tm.to_source(lambda x: x * w, X)


def test_source_before_the_first_call_says_what_is_missing():
    with pytest.raises(MathError, match="call it once"):
        _ = tm.compile(loss).source


def test_a_program_without_instructions_has_a_profile():
    f = tm.compile(lambda x: x)
    assert f.profile(np.ones(3)).rows == []


def test_what_takes_no_time_that_a_clock_sees_reaches_no_share_of_a_limit():
    x = np.ones((1000, 1000))
    table = tm.compile(lambda x: (tm.sin(x), x.T)).profile(x, repeat=3)
    for row in table.rows:
        assert (row.limit == 0) == (row.seconds < 5e-9)
    faster = Profile("f", [r._replace(seconds=1e-9, limit=0.0) for r in table.rows], (1e9, 1e9))
    assert "%" not in "".join(line.replace("% ", "", 1) for line in str(faster).splitlines()[2:])
