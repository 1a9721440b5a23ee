"""Formulas as LaTeX: each op in its own notation, brackets where the notation needs them."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ..core.op import Op
from .terms import Formula, is_negative, negative, words

RELATION, SUM, PRODUCT, APPLIED, POWER, ATOM = range(6)  # how firmly the outermost part of a formula holds together


def latex(e: Formula) -> str:
    """A formula as LaTeX."""
    return _latex(e)[0]


def fenced(e: Formula, level: int) -> str:
    """A formula as part of one that binds this firmly."""
    text, own = _latex(e)
    return text if own >= level else brackets(text)


def _base(e: Formula) -> str:
    """A formula below an exponent or an index: a fraction too stands in brackets there."""
    text = fenced(e, ATOM)
    return brackets(text) if text.startswith(r"\frac") else text


def brackets(text: str) -> str:
    tall = r"\frac" in text or r"\sum" in text or r"\begin" in text
    return rf"\left({text}\right)" if tall else f"({text})"


def _latex(e: Formula) -> tuple[str, int]:
    head, parts = e.head, e.parts
    if head == "number":
        text = write_exact(parts[0])
        return text, ATOM if text[0] != "-" and r"\cdot" not in text and "+" not in text else SUM
    if head == "symbol":
        return parts[0], ATOM
    if head == "indicator":  # 1 where it holds, else 0
        return f"[{latex(parts[0])}]", ATOM
    if head == "quoted":
        return _latex(parts[0])
    if head == "ones":
        return r"\mathbf{1}", ATOM
    if head == "negative":
        return "-" + fenced(parts[0], PRODUCT), SUM
    if head == "sum":
        text = fenced(parts[0], SUM)
        for p in parts[1:]:
            sign, body = ("-", p.parts[0]) if p.head == "negative" else ("+", p)
            if is_negative(p):
                sign, body = "-", negative(p)
            text += f" {sign} {fenced(body, PRODUCT)}"
        return text, SUM
    if head == "product":
        scalars, arrays = parts
        text = beside([*sorted(scalars, key=_place_in_product)])
        if arrays:
            level = APPLIED if len(arrays) > 1 or scalars else PRODUCT
            body = r" \odot ".join(
                brackets(latex(a)) if len(arrays) > 1 and a.head == "matrix" else fenced(a, level) for a in arrays
            )
            text = beside_text(text, body) if text else body
        return text, PRODUCT
    if head == "matrix":
        return beside(parts), APPLIED
    if head == "quotient":
        return rf"\frac{{{latex(parts[0])}}}{{{latex(parts[1])}}}", ATOM
    if head == "power":
        return rf"{_base(parts[0])}^{{{latex(parts[1])}}}", POWER
    if head == "transposed":
        return f"{_base(parts[0])}^T", POWER
    op, args, params = parts
    return _filled(op, args, dict(params))


def _place_in_product(e: Formula) -> int:
    """Numbers first, then names, what is in brackets, and functions last, which else would seem to take it in."""
    while e.head == "quoted":
        e = e.parts[0]
    if e.head == "number":
        return 0
    if e.head in ("operation", "sum"):
        _, level = _latex(e)
        return 3 if e.head == "sum" else 4 if level == APPLIED else 2
    return 1


def beside(factors: Iterable[Formula]) -> str:
    """A product without a sign."""
    text = ""
    for f in factors:
        text = beside_text(text, fenced(f, APPLIED)) if text else fenced(f, APPLIED)
    return text


_APPLIED = re.compile(r"\\(?:operatorname|ln|log|sin|cos|tan|sinh|cosh|tanh)(?![a-z])")
_WORD = re.compile(r"\\text\{|\\operatorname|\\ln|\\sin|\\cos|\\tan|\\max|\\min|\\log|\\det")


def beside_text(a: str, b: str) -> str:
    if b[:1] in ("(", "[") or b.startswith(r"\left("):  # no function of what is in the brackets
        return rf"{a} \, {b}"
    if b[:1].isdigit() or (a[-1:].isdigit() and b.startswith(r"\frac")):
        return rf"{a} \cdot {b}"
    wide = a.endswith("}") and _WORD.search(a) and "^" not in a[-4:]
    return rf"{a} \, {b}" if wide or b.startswith(r"\text") else f"{a} {b}"


def write_number(value: Any, digits: int = 5) -> str:
    """A number as LaTeX, to some significant digits."""
    if isinstance(value, (bool, np.bool_)):
        return r"\text{true}" if value else r"\text{false}"
    if isinstance(value, complex) or np.iscomplexobj(value):
        value = complex(value)
        real, imaginary = write_number(value.real, digits), write_number(abs(value.imag), digits)
        if value.imag == 0:
            return real
        i = rf"{'' if imaginary == '1' else imaginary} \mathrm{{i}}".strip()
        sign = "-" if np.signbit(value.imag) else "+"
        return f"{real} {sign} {i}" if value.real else i if sign == "+" else "-" + i
    if isinstance(value, (int, np.integer)):
        if abs(int(value)) < 10**9:
            return str(int(value))
        value = float(value)
    value = float(value)
    if np.isnan(value):
        return r"\text{NaN}"
    if np.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    if not exponent:
        return "0" if mantissa == "-0" else mantissa
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


_KNOWN = {  # numbers that have a name, each of them one piece of a formula
    math.pi: r"\pi", math.sqrt(2): r"\sqrt{2}", math.sqrt(0.5): r"\frac{1}{\sqrt{2}}",
    math.sqrt(math.pi): r"\sqrt{\pi}", math.sqrt(2 * math.pi): r"\sqrt{2 \pi}", 2 / math.pi: r"\frac{2}{\pi}",
    math.sqrt(2 / math.pi): r"\sqrt{\frac{2}{\pi}}", 2 / math.sqrt(math.pi): r"\frac{2}{\sqrt{\pi}}",
    math.pi / 2: r"\frac{\pi}{2}", math.pi / 180: r"\frac{\pi}{180}",
    0.5 * math.log(2 * math.pi): r"\frac{\ln(2 \pi)}{2}",
}  # fmt: skip


def write_exact(value: Any) -> str:
    """A number of a formula: a simple fraction as one; by its name what is a root or a part of pi to the last bit."""
    if isinstance(value, float) and abs(value) in _KNOWN:
        return "-" * (value < 0) + _KNOWN[abs(value)]
    if isinstance(value, float) and 1e-4 < abs(value) < 1e4 and len(repr(value)) > 8:
        near = Fraction(value).limit_denominator(1000)
        if abs(float(near) - value) <= 1e-15 * abs(value):
            sign = "-" if value < 0 else ""
            return rf"{sign}\frac{{{abs(near.numerator)}}}{{{near.denominator}}}"
    return write_number(value)


def write_index(key: Any, arrays: Iterator[Formula] = iter(())) -> str:  # noqa: B008  (an empty one)
    """An index as it is written between brackets; the arrays in it are operands of the op."""
    if isinstance(key, tuple):
        return ", ".join(write_index(k, arrays) for k in key) if key else r"\,"
    if isinstance(key, str) and key == "array" and (array := next(arrays, None)) is not None:
        return latex(array)
    if isinstance(key, slice):
        ends = ["" if v is None else str(v) for v in (key.start, key.stop)]
        return ":".join([*ends, str(key.step)] if key.step not in (None, 1) else ends)
    if key is Ellipsis:
        return r"\dots"
    if key is None:
        return r"\text{new}"
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        return str(int(key))
    return r"\ast" if not isinstance(key, (float, str)) else rf"\text{{{plain(str(key))}}}"


_ESCAPED = {c: "\\" + c for c in "#$%&_{}"} | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}"}
_ESCAPED |= {"~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
_ESCAPED |= {"`": r"\textasciigrave{}", '"': r"\textquotedbl{}", "*": r"\textasteriskcentered{}"}


def plain(text: str) -> str:
    """Text between the braces of `\\text`: what means something to TeX, HTML or Markdown is escaped."""
    return "".join(_ESCAPED.get(c, c) for c in text)


_FUNCTION = re.compile(r"\\(?:operatorname\{[^{}]*\}|[a-zA-Z]+)(?:_\{?[^{}]*\}?|\^\{?[^{}]*\}?)*\s*$")
_NAMES = words("""
    sin cos tan sinh cosh tanh arcsin arccos arctan ln log det max min exp lnot forall exists Re Im arg sum prod
""")


@functools.cache
def _template(op: Op) -> tuple[tuple[tuple[str, str | None, int], ...], int]:
    """An op's notation: pieces (text, field, how firmly the field's content must bind), and how firmly it binds."""
    pieces: list[tuple[str, str | None]] = []
    text, k = "", 0
    source = op.latex
    while k < len(source):
        field = re.compile(r"\{(\w+)\}").match(source, k)
        if source.startswith(("{{", "}}"), k):
            text += source[k]
            k += 2
        elif field:
            pieces.append((text, field[1]))
            text, k = "", field.end()
        else:
            text += source[k]
            k += 1
    pieces.append((text, None))
    whole = []
    for j, (before, name) in enumerate(pieces):
        level = ATOM if name is None else _needed(before, pieces[j + 1][0], j > 0, pieces[j + 1][1] is not None)
        whole.append((before, name, level))
    return tuple(whole), _own_level("\0".join(t for t, _ in pieces))


def _needed(before: str, after: str, follows: bool, goes_on: bool) -> int:
    """How firmly an argument must bind between these texts."""
    b, a = before.rstrip(), after.lstrip()
    if a[:1] in ("^", "_", "["):
        return ATOM
    opened = b.endswith(("(", "{", "[", ",", r"\lvert", r"\lVert", r"\lfloor", r"\lceil", "D")) and not b.endswith(
        r"\{"
    )
    closed = a.startswith((")", "}", "]", ",", r"\rvert", r"\rVert", r"\rfloor", r"\rceil"))
    if opened and closed:
        return RELATION
    function = _FUNCTION.search(b)
    if function:
        command = re.match(r"\\([a-zA-Z]+)", function[0])
        assert command is not None
        if command[1] == "operatorname" or command[1] in _NAMES:
            return ATOM
    if (not b or opened) and (not a or closed or a[0] in "+-=<>") and (a or not goes_on):
        return SUM
    if b.endswith(("+", "=", "<", ">")) and (not a or closed):
        return SUM if not b.endswith("+") else PRODUCT
    return PRODUCT if b.endswith("-") and (not a or closed) else APPLIED


def _own_level(text: str) -> int:
    outer, depth = "", 0
    for c in text.replace(r"\{", "(").replace(r"\}", ")"):
        depth -= c in ")}]"
        if not depth or c == "\0":
            outer += c if not depth else ""
        depth += c in "({["
    outer = re.sub(r"\\[lr](?:vert|Vert|floor|ceil)", "|", outer)
    outer = re.sub(r"\|[^|]*\|", "|", outer)
    if re.search(r"[=<>]|\\(?:le|ge|ne|in|leftarrow|ll|gg|land|lor|lnot|forall|exists)\b", outer):
        return RELATION
    if re.search(r"[+-]", outer):
        return SUM
    if re.search(r"\\(?:odot|cdot|times|bmod|otimes|oplus|sum|prod|mathbin)(?![a-zA-Z])|\0\s*\0|/|\*", outer):
        return PRODUCT
    if re.match(r"\s*\\(?!sqrt|frac|tfrac|overline|zeta|Gamma|psi|sigma|Phi)[a-zA-Z]+", outer):
        return APPLIED if outer.rstrip().endswith("\0") else ATOM
    return POWER if "^" in outer else ATOM


_INDICES = {"gather": 1, "scatter": 1, "assign": 2, "add_at": 2, "multiply_at": 2}  # from which argument on


_LOWERED = re.compile(r"_(?:\{[^{}]*\}|.)$")


def _ends_outside(text: str) -> bool:
    """Whether text begins with a bracket that is closed before its end."""
    depth = 0
    for k, c in enumerate(text if text[:1] == "(" else ""):
        depth += (c == "(") - (c == ")")
        if not depth:
            return k < len(text) - 1
    return False


_REDUCED = words("sum mean prod max min std var median logsumexp all any argmax argmin nanmax nanmin nanmedian")
_RUNNING = words("cumsum cumprod exclusive_product")
_REDUCES = re.compile(r"\\(?:sum|prod|max|min|forall|exists|operatorname\{\w+\})(?![a-zA-Z_])")


def _along(op: Op, args: tuple[Formula, ...], params: dict[str, Any]) -> str:
    """Along which axes a reduction goes, where that is not all of them, or a running sum; along which a softmax, where
    not the last."""
    axis, ndim = params.get("axis"), len(args[0].shape) if args else 0
    if axis is None or ndim < 2 or op.name not in _REDUCED | _RUNNING | {"softmax", "log_softmax"}:
        return ""
    axes = sorted({int(k) % ndim for k in (axis if isinstance(axis, tuple) else (axis,))})
    if len(axes) == ndim or (op.name not in _REDUCED | _RUNNING and axes == [ndim - 1]):
        return ""
    return f"{'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"


def _filled(op: Op, args: tuple[Formula, ...], params: dict[str, Any]) -> tuple[str, int]:
    pieces, level = _template(op)
    out, over = "", _along(op, args, params)
    for (before, name, needed), (after, _, _) in itertools.pairwise((*pieces, ("", None, ATOM))):
        if over and not out:
            named = rf"\text{{{over}}}"
            before = _REDUCES.sub(rf"\g<0>_{{\{named}}}", before, count=1)
            before = before.replace(" i}", rf" i,\,{named}}}").replace("<i}", rf"<i,\,{named}}}")  # of a running one
        out += before
        if name is None:
            continue
        if name.isdigit():
            filled = r"\cdot"
            if int(name) < len(args):
                raised = needed == ATOM and after.lstrip()[:1] in ("^", "_", "[")
                filled = _base(args[int(name)]) if raised else fenced(args[int(name)], needed)
            if needed == ATOM and _FUNCTION.search(before) and (_APPLIED.match(filled) or _ends_outside(filled)):
                filled = brackets(filled)  # a function of another one, or of what has an index behind its brackets
            if after.startswith("_") and _LOWERED.search(filled):
                filled = f"{{{filled}}}"  # TeX knows no second index
        elif name == "key":
            arrays = iter(args[_INDICES.get(op.name, len(args)) :])
            filled = write_index(params.get(name), arrays)
        else:
            value = params.get(name)
            numeric = isinstance(value, (int, float, complex)) and not isinstance(value, bool)
            filled = write_number(value) if numeric else rf"\text{{{plain(str(value)[:40])}}}"
        out += filled
    if op.arity is None and r"\dots" in out and len(args) <= 4:
        out = (
            out.replace(r"\dots", ", ".join(latex(a) for a in args[1:]))
            if len(args) > 1
            else out.replace(r", \dots", "")
        )
    return out, level
