"""`reference`: one page of HTML about every op, made from the registry."""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..core.arguments import usage
from ..core.docs import public_name
from ..core.errors import FileError, MathError
from ..core.op import Op, raw, registry
from ..core.quiet import ignoring
from ..formulas.rules import rules
from ..inspect.conventions import Conventions, conventions
from ..viz.mathml import STYLE, mathml
from ..viz.page import page, text
from .curves import plot
from .topics import TOPICS

_ROOMS = ("linalg", "fft", "special", "nn", "random", "stats")
_SHOWN = 4  # samples of an op
_EDGES = (-np.inf, -1.0, 0.0, 1.0, np.inf, np.nan)


def write(folder: str) -> int:
    """Write the page into a folder; prints where it is. Raises FileError."""
    path = Path(folder) / "reference.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reference(), encoding="utf-8")
    except OSError as error:
        raise FileError(
            f"the reference cannot be written to {path}: {error.strerror or error}; choose another --out"
        ) from error
    print(path)
    return 0


def reference() -> str:
    """The page: topics, every op by family, and the table of conventions."""
    for room in _ROOMS:
        importlib.import_module(f"{__package__.partition('.')[0]}.{room}")
    ops = {name: op for name, op in sorted(registry.items()) if op.kind != "structural"}
    table = conventions()
    families: dict[str, list[str]] = {}
    for name, op in ops.items():
        families.setdefault(_family(op), []).append(name)
    sections = []
    for family in sorted(families):
        cards = "".join(_card(ops[name], table) for name in families[family])
        sections.append(f'<section class="family"><h2 id="family-{family}">{text(family)}</h2>{cards}</section>')
    index = "".join(f'<a href="#op-{name}">{text(name)}</a>' for name in ops)
    body = (
        '<header><h1>Every op and its derivative</h1><input id="search" type="search" placeholder="search: / " '
        'aria-label="search"><span id="found" class="found"></span>'
        '<a href="#topics">topics</a> <a href="#conventions">conventions</a></header>'
        f"<main>{_topics(ops)}<h2 id='index'>Index</h2><nav class='index'>{index}</nav>"
        f"{''.join(sections)}{_all_conventions(table)}</main>"
    )
    style = STYLE + _resource("reference.css")
    return page("tinygrad_math: every op and its derivative", body, style=style, script=_resource("reference.js"))


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _family(op: Op) -> str:
    parts = op.home.get("__name__", op.__module__).split(".")
    return ".".join(parts[1:3]) if len(parts) > 1 else "numpy"


def _topics(ops: dict[str, Op]) -> str:
    rows = "".join(
        f"<tr><td>{text(t.title)}</td><td>{text(t.words)}</td>"
        f"<td>{' '.join(f'<a href=#op-{n}>{text(n)}</a>' for n in t.ops if n in ops)}</td>"
        f"<td><code>examples/{text(t.example)}</code></td></tr>"
        for t in TOPICS
    )
    return f'<h2 id="topics">Topics of the lecture</h2><div class="scroll"><table>{rows}</table></div>'


def _all_conventions(table: Conventions) -> str:
    measured = ", ".join(f"{name} {version}".strip() for name, version in table.versions.items())
    return (
        '<h2 id="conventions">Conventions at kinks and degenerate points</h2>'
        "<p>Value, first and second derivative as each library returned them; what differs from this package is "
        f'marked. Measured with {text(measured)}.</p><div class="scroll">{table.html()}</div>'
    )


def _card(op: Op, table: Conventions) -> str:
    own = [r for r in table if r.op == op.name]
    doc = op.__doc__ or ""
    words = text(f"{op.name} {public_name(op)} {op.kind} {_family(op)} {op.note} {doc.partition('>>>')[0]}")
    parts = [_formulas(op), _remarks(op, doc)]
    picture = _picture(op)
    sides = f'<div class="sides"><div>{"".join(parts)}</div><div>{picture}</div></div>' if picture else "".join(parts)
    below = [_edges(op), _numbers(op)]
    if own:
        shown = Conventions(own, table.versions, op.name)
        below.append(_folded("conventions of others", shown.html()))
    below.append(_code(op))
    return (
        f'<article class="op" id="op-{op.name}" data-words="{words}"><h3>{text(usage(op))}'
        f"<small>{text(public_name(op))} · {op.kind}</small></h3>{sides}{''.join(below)}</article>"
    )


def _formulas(op: Op) -> str:
    found = rules(op)
    lines = [_math(found.formula)]
    if op.constant:
        return f'<div class="rules">{lines[0]}</div><p class="muted">A constant for every derivative.</p>'
    if found.reverse:
        lines += ["<h4>backwards: what a cotangent of y gives to its arguments</h4>", *map(_math, found.reverse)]
    elif op.vjp is not None:
        lines.append('<p class="muted">Its derivative rules are programs; they stand under source.</p>')
    if found.forward is not None:
        lines += ["<h4>forwards: the tangent of y</h4>", _math(found.forward)]
    return f'<div class="rules">{"".join(lines)}</div>'


def _math(latex: str) -> str:
    try:
        return mathml(latex, display=True)
    except MathError:
        return f"<pre>{text(latex)}</pre>"


def _remarks(op: Op, doc: str) -> str:
    paragraphs = [" ".join(p.split()) for p in doc.partition(">>>")[0].split("\n\n") if p.strip()]
    out = "".join(f"<p>{text(p)}</p>" for p in paragraphs)
    return out + (f"<p><b>At the edges:</b> {text(op.note)}.</p>" if op.note else "")


def _example(op: Op) -> dict[str, Any] | None:
    """The parameters with which an op goes element by element in its first argument, and its other arguments."""
    if op.arity != len(op.array_names) or op.many or op.constant or op.samples is None or op.jvp is None:
        return None
    for s in op.samples():
        args = [np.asarray(a) for a in s.args[: op.arity]]
        if len(args) == op.arity and all(a.dtype.kind in "fi" and a.size for a in args):
            params = {**op.defaults, **s.params}
            params.update(zip([n for n in op.param_names if n not in params], s.args[op.arity :], strict=False))
            return {"params": params, "others": [float(a.max()) for a in args[1:]], "args": args}
    return None


def _slopes(op: Op, x: Any, example: dict[str, Any]) -> tuple[Any, Any] | None:
    """Values and derivatives in the first argument, if the op goes by elements."""
    others, params = example["others"], example["params"]
    with ignoring():
        try:
            y = op.forward(x, *others, **params)
            if np.shape(y) != x.shape or np.asarray(y).dtype.kind != "f":
                return None
            part = op.forward(x[2:3], *others, **params)
            turned = op.forward(x[::-1].copy(), *others, **params)
            if not (np.array_equal(part, y[2:3], equal_nan=True) and np.allclose(turned[::-1], y, equal_nan=True)):
                return None
            assert op.jvp is not None
            t = op.jvp(raw, [np.ones_like(x), *[None] * len(others)], y, x, *others, **params)
        except Exception:  # an op that wants matrices, or other parameters
            return None
    return y, np.broadcast_to(np.zeros(()) if t is None else np.asarray(t), x.shape)


def _picture(op: Op) -> str:
    example = _example(op)
    if example is None:
        return ""
    x = np.linspace(-4.0, 4.0, 241) + 1e-9  # beside kinks and poles
    found = _slopes(op, x, example)
    if found is None or not np.isfinite(found[0]).any():
        return ""
    good = np.isfinite(found[0])
    if good.mean() < 0.3:  # a short domain fills the picture
        x = np.linspace(x[good][0] - 0.05, x[good][-1] + 0.05, 241)
        found = _slopes(op, x, example) or found
    y, t = (np.asarray(v, float) for v in found)
    drawn = plot(x, [(y, "value"), (t, "slope")], f"plot of {text(op.name)} and its derivative")
    held = ", ".join(f"{n} = {v:.3g}" for n, v in zip(op.array_names[1:], example["others"], strict=True))
    fixed = ", ".join(f"{k} = {v!r}" for k, v in example["params"].items() if isinstance(v, (int, float, str)))
    at = text("; ".join(p for p in (held, fixed) if p))
    name = op.array_names[0]
    key = f"<b>y</b> and <i>dy/d{text(name)}</i>{f', at {at}' if at else ''}"
    return f'{drawn}<p class="key">{key}</p>' if drawn else ""


def _edges(op: Op) -> str:
    example = _example(op)
    found = _slopes(op, np.array(_EDGES), example) if example is not None else None
    if found is None or example is None:
        return ""
    name = op.array_names[0]
    rows = [[f"{name}"] + [f"{v:g}" for v in _EDGES]]
    rows += [[title] + [f"{v:.5g}" for v in values] for title, values in zip(("y", f"dy/d{name}"), found, strict=True)]
    cells = "".join("<tr>" + "".join(f"<td>{text(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f'<h4>at its edge points</h4><div class="scroll"><table>{cells}</table></div>'


def _numbers(op: Op) -> str:
    rows: list[str] = []
    called: Any = op
    for s in op.samples() if op.samples is not None else ():
        listed = s.args[0] if op.arity is None and s.args else s.args
        arrays = [np.asarray(a) for a in (listed if isinstance(listed, (list, tuple)) else [listed])]
        if len(rows) == _SHOWN:
            break
        if any(a.size > 9 or not a.size or a.dtype.hasobject for a in arrays):
            continue
        try:
            with ignoring():
                y = called(*s.args, **s.params)
        except Exception:  # an op of rules may insist on arrays
            continue
        y = tuple(v.numpy() for v in y) if isinstance(y, tuple) else y.numpy()
        params = "".join(f", {k}={v!r}" for k, v in s.params.items())
        rows.append(f"<tr><td>{text(', '.join(map(_short, arrays)) + params)}</td><td>{text(_short(y))}</td></tr>")
    if not rows:
        return ""
    head = "<tr><th>arguments</th><th>result</th></tr>"
    return _folded("samples", f"<table>{head}{''.join(rows)}</table>")


def _folded(title: str, markup: str) -> str:
    return f'<details><summary>{title}</summary><div class="scroll">{markup}</div></details>'


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_short, value)) + ")"
    shown = np.array2string(np.asarray(value), precision=4, separator=", ", threshold=9, max_line_width=10**6)
    return re.sub(r"\s*\n\s*", " ", shown)


def _code(op: Op) -> str:
    """The declaration of an op, as far as it is Python: what it computes, and rules that are its own."""
    home = op.home.get("__file__")
    found = []
    for f in (op.plain, op.vjp, op.jvp, *getattr(op, "partials", ())):
        code = getattr(f, "__code__", None)
        if code is not None and code.co_filename == home:
            try:
                found.append(textwrap.dedent(inspect.getsource(f)).strip())
            except (OSError, TypeError):
                continue
    unique = list(dict.fromkeys(found))
    if not unique:
        return ""
    module = text(op.home.get("__name__", ""))
    listed = "\n\n".join(unique)
    return f"<details><summary>source, {module}</summary><pre>{text_lines(listed)}</pre></details>"


def text_lines(source: str) -> str:
    """Lines of a program as text."""
    return "\n".join(map(text, source.splitlines()))
