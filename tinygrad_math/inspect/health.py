"""`health`: how many digits each step of a computation loses, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, Literal, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, MathError
from ..core.node import Node
from ..core.op import Op, raw
from ..core.quiet import ignoring
from ..core.tensor import select
from .computation import Computation

__all__ = ["Health", "HealthRow", "health"]

Array = np.ndarray[Any, Any]
_WIDER = {"float16": np.float64, "float32": np.float64, "complex64": np.complex128}
_WIDEST = {"float64": np.longdouble, "complex128": np.clongdouble}
_JUMP = 0.2  # of all digits, lost in one step, are a loss of that step
_SAMPLES = 4


class HealthRow(NamedTuple):
    """One op: its operands, the user's line, the digits that its result has lost in its worst element (`lost`), those
    that its worst operand had lost (`before`), the digits there are, the index of that `element`, words on a loss."""

    number: int
    op: str
    operands: str
    line: str
    lost: float
    before: float
    digits: float
    element: tuple[int, ...]
    words: str


class Health:
    """What `health` found: `.rows`, one an op; `.losses`, those where digits go that the result then lacks; `.lost` of
    the result; `.nans`, how many of its elements are NaN; `.ok` where it has more than half of its digits, and no NaN.
    """

    def __init__(
        self, title: str, rows: Sequence[HealthRow], losses: Sequence[int], lost: float, digits: float, nans: int = 0
    ) -> None:
        self.title, self.rows = title, tuple(rows)
        self.losses = tuple(self.rows[k] for k in losses)
        self.lost, self.digits, self.nans = lost, digits, nans

    @property
    def ok(self) -> bool:
        """Whether no step is named, and no element of the result is NaN."""
        return not self.losses and not self.nans

    def _head(self) -> str:
        left = max(self.digits - self.lost, 0.0)
        if not self.rows:
            return f"health of {self.title}: no op leads from the arguments to the result: there is nothing to judge"
        if self.nans:
            elements = f"{self.nans:,} element{' is' if self.nans == 1 else 's are'}"
            return f"health of {self.title}: {elements} NaN in the result; inspect.detect_anomaly() names its op"
        return f"health of {self.title}: the result has {left:.1f} of {self.digits:.1f} digits"

    def text(self) -> str:
        """The report as a table, a line an op, with the digits that its result has lost."""
        head = ("", "op", "operands", "lost", "line")
        body = [(str(r.number), r.op, r.operands[:60], f"{r.lost:.1f}", r.line) for r in self.rows]
        widths = [max(len(row[k]) for row in (head, *body)) for k in range(len(head))]
        lines = [" ".join(f"{c:<{w}} " for c, w in zip(row, widths, strict=True)).rstrip() for row in (head, *body)]
        return "\n".join([repr(self), *lines])

    def __repr__(self) -> str:
        if not self.rows:
            return self._head()
        if self.ok:
            return f"{self._head()}; no step loses many"
        return "\n".join([self._head(), *(f"  {r.op}({r.operands}): {r.words}\n      {r.line}" for r in self.losses)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{r.number}</td><td>{escape(r.op)}</td><td>{escape(r.operands)}</td><td>{r.lost:.1f}</td>"
            f"<td>{escape(r.line)}</td><td>{escape(r.words)}</td></tr>"
            for r in self.rows
        )
        head = "<tr><th></th><th>op</th><th>operands</th><th>digits lost</th><th>line</th><th></th></tr>"
        return f"<p>{escape(self._head())}</p><table>{head}{rows}</table>"


@named
def health(
    f: Callable[..., Any],
    *args: Any,
    method: Literal["wider", "perturb"] = "wider",
    threshold: float = 0.5,
    seed: int = 0,
) -> Health:
    """How many digits each step of f loses to rounding, and which steps the result lacks them for.

    Arguments: `f` a function and `args` its arguments, trees or modules, whose numbers count as exact; `method`:
    "wider" computes every step again in long double (float32 in float64) along the same branches, and where an op does
    not go there carries the errors through its derivative; "perturb" does that everywhere, with errors of half a unit
    of the last digit that each step adds, `seed` their signs; `threshold` the share of all digits that a result may
    lack before steps are named for it.

    Of a result that lacks more, the steps are named at which the digits went: where near equal numbers are subtracted
    (cancellation), or where an op is ill-conditioned at its operands. A difference of exact numbers loses nothing.
    Steps are judged by their worst element. Returns Health: `.ok`, `.losses`, `.rows`, `.lost`, `.text()`.
    Raises DTypeError for arguments without floating numbers, TraceError inside of `compile`.
    Source: Higham 2002, "Accuracy and stability of numerical algorithms", 1.7 and 1.8.

    >>> import tinygrad_math as tm
    >>> report = tm.inspect.health(lambda x: 1 - tm.cos(x), 1e-5)
    >>> [(row.op, round(row.lost)) for row in report.losses]
    [('subtract', 9)]
    >>> tm.inspect.health(lambda x: 2 * tm.sin(x / 2) ** 2, 1e-5).ok
    True
    """
    if not 0 <= threshold <= 1:
        raise ArgumentError(f"health: threshold is a share of all digits, from 0 to 1, got {threshold}")
    run = Computation(f, args, "health")
    exact = {n: _widened(n.data, method) for n in run.tape.inputs}
    with ignoring():
        errors = _errors(run, exact, method, np.random.default_rng(seed))
    return _report(run, errors, getattr(f, "__name__", "f"), threshold)


def _widened(data: Any, method: str) -> Any:
    """A value in the next wider precision."""
    if isinstance(data, tuple):
        return tuple(_widened(part, method) for part in data)
    if not hasattr(data, "dtype"):
        return data
    name = data.dtype.name
    wide = _WIDER.get(name) or (_WIDEST.get(name) if method == "wider" else None)
    return data if wide is None else np.asarray(data, wide)[()]


def _errors(run: Computation, exact: dict[Node, Any], method: str, rng: np.random.Generator) -> dict[Node, list[Any]]:
    """For each node the estimates of its error, arrays of its shape (lists of them of a many-valued one)."""
    wide: dict[Node, Any] = dict(exact)  # what a node would be without rounding, where that is known
    errors: dict[Node, list[Any]] = {n: [] for n in exact}
    for n in run.nodes:
        op, inputs, params = run.making(n)
        if op is None or n in errors:
            continue
        moved = [i for i in inputs if i in errors]
        if not moved or getattr(op, "random", False) or op.constant or getattr(op, "implicit", False):
            continue  # a choice that was made stays
        if op is select:
            k = params["index"]
            errors[n] = [e[k] for e in errors[inputs[0]] if e is not None]
            if inputs[0] in wide:
                wide[n] = wide[inputs[0]][k]
            continue
        found = _exactly(n, op, inputs, params, wide, errors) if method == "wider" else None
        if found is not None:
            wide[n] = found
            errors[n] = [_difference(n.data, found)]
        else:
            errors[n] = _carried(n, op, inputs, params, errors, rng)
            wide.pop(n, None)
    return errors


def _exactly(n: Node, op: Op, inputs: Sequence[Node], params: Any, wide: dict[Node, Any], errors: Any) -> Any:
    """The op on operands without rounding, in the wider precision; None where it does not go there."""
    if any(i in errors and i not in wide for i in inputs):
        return None
    args = [wide[i] if i in wide else _widened(i.data, "wider") for i in inputs]
    try:
        found = op.forward(*args, **params)
    except Exception:  # whatever an op says to numbers that it does not know
        return None
    pairs = zip(_parts(n.data), _parts(found), strict=False)
    for own, other in pairs:
        kind = np.asarray(own).dtype
        if kind.kind in "fc" and np.finfo(np.asarray(other).dtype).eps >= np.finfo(kind).eps:
            return None
        if np.shape(own) != np.shape(other):
            return None
    return found


def _parts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def _difference(data: Any, found: Any) -> Any:
    if isinstance(data, (tuple, list)):
        return [_difference(a, b) for a, b in zip(data, found, strict=True)]
    a = np.asarray(data)
    return np.asarray(np.asarray(data) - found, a.dtype) if a.dtype.kind in "fc" else np.zeros(a.shape)


def _carried(
    n: Node, op: Op, inputs: Sequence[Node], params: Any, errors: dict[Node, list[Any]], rng: np.random.Generator
) -> list[Any]:
    """The errors of the operands through the derivative of the op, and its own: that of operands half a unit off."""
    out = []
    args = [i.data for i in inputs]
    for k in range(_SAMPLES):
        ts: list[Any] = []
        for i in inputs:
            known = errors.get(i)
            a = np.asarray(i.data)
            if a.dtype.kind not in "fc" or known is None:
                ts.append(None)
                continue
            own = known[k % len(known)] if known else np.zeros(a.shape, a.dtype)
            ts.append(np.asarray(own, a.dtype)[()])
        pushed = _pushed(op, ts, n.data, args, params)
        rounded = [None if t is None else _half(i.data, rng) for i, t in zip(inputs, ts, strict=True)]
        ill = _pushed(op, rounded, n.data, args, params) if op.kind == "general" else None
        out.append(_sum(n.data, pushed, ill, rng))
    return out


def _pushed(op: Op, ts: Sequence[Any], y: Any, args: Sequence[Any], params: Any) -> Any:
    if op.jvp is None or all(t is None for t in ts):
        return None
    try:
        return op.jvp(raw, list(ts), y, *args, **params)
    except (MathError, ArithmeticError, np.linalg.LinAlgError):
        return None


def _half(data: Any, rng: np.random.Generator) -> Any:
    """Half a unit in the last place of each element, up or down."""
    a = np.asarray(data)
    if a.dtype.kind not in "fc":
        return None
    eps = np.finfo(a.dtype).eps / 2
    return np.asarray(a * eps * rng.choice([-1.0, 1.0], a.shape), a.dtype)[()]


def _sum(data: Any, pushed: Any, ill: Any, rng: np.random.Generator) -> Any:
    if isinstance(data, (tuple, list)):
        pairs = zip(data, pushed or [None] * len(data), ill or [None] * len(data), strict=True)
        return [_sum(d, p, i, rng) for d, p, i in pairs]
    a = np.asarray(data)
    total = np.zeros(a.shape, a.dtype if a.dtype.kind in "fc" else float)
    for part in (pushed, ill, _half(data, rng)):
        if part is not None:
            total = total + np.where(np.isfinite(part), part, 0)
    return total


def _lost(data: Any, estimates: Iterable[Any]) -> tuple[float, tuple[int, ...]]:
    """The digits that the worst element has lost, and its index."""
    worst: tuple[float, tuple[int, ...]] = (0.0, ())
    if isinstance(data, (tuple, list)):
        for k, part in enumerate(data):
            found = _lost(part, [e[k] for e in estimates])
            worst = max(worst, found)
        return worst
    a = np.asarray(data)
    listed = [np.abs(e) for e in estimates]
    if a.dtype.kind not in "fc" or not listed or not a.size:
        return worst
    eps = float(np.finfo(a.dtype).eps) / 2
    error = np.asarray(np.max(listed, axis=0), float)
    size = np.maximum(np.abs(a).astype(float), error)
    with ignoring():
        relative = np.where(error > 0, error / np.where(size > 0, size, 1.0), 0.0)
        relative = np.where(np.isfinite(relative), relative, 0.0)
    k = int(np.argmax(relative))
    digits = float(np.log10(max(float(relative.reshape(-1)[k]) / eps, 1.0)))
    return digits, tuple(int(i) for i in np.unravel_index(k, a.shape))


def _digits(data: Any) -> float:
    kinds = [np.asarray(p).dtype for p in _parts(data)]
    return max((float(-np.log10(np.finfo(k).eps / 2)) for k in kinds if k.kind in "fc"), default=0.0)


def _report(run: Computation, errors: dict[Node, list[Any]], title: str, threshold: float) -> Health:
    lost = {n: _lost(n.data, e) for n, e in errors.items()}
    roots = [y.node for y in run.tape.outputs]
    rows: list[HealthRow] = []
    place: dict[Node, int] = {}
    for n in run.nodes:
        op, inputs, _ = run.making(n)
        if n not in lost or op is None or op is select or op.name == "alias":
            continue
        before = max((lost[i][0] for i in inputs if i in lost), default=0.0)
        digits, index = lost[n]
        all_ = _digits(n.data)
        jump = digits - before > _JUMP * all_
        words = _words(run, n, op, digits, before, index, all_) if jump else ""
        place[n] = len(rows)
        operands = ", ".join(run.title(i) for i in inputs)
        rows.append(HealthRow(len(rows) + 1, op.name, operands, run.line(n), digits, before, all_, index, words))
    total, digits = max(((lost.get(r, (0.0,))[0], _digits(r.data)) for r in roots), default=(0.0, 0.0))
    named_ = _origins(run, roots, lost, rows, place, threshold)
    parts = [np.asarray(part) for r in roots for part in _parts(r.data)]
    nans = sum(int(np.isnan(a).sum()) for a in parts if a.dtype.kind in "fc")
    return Health("f" if title == "<lambda>" else title, rows, sorted(named_), total, digits, nans)


def _origins(run: Computation, roots: Sequence[Node], lost: Any, rows: Any, place: Any, threshold: float) -> set[int]:
    """The rows at which the digits went that the results lack: back from these, along operands that lack them too."""
    stack = [r for r in roots if r in lost and lost[r][0] > threshold * max(_digits(r.data), 1e-9)]
    seen, found = set(stack), set()
    while stack:
        n = stack.pop()
        if n in place and rows[place[n]].words:
            found.add(place[n])
        for i in run.making(n)[1]:
            if i in lost and i not in seen and lost[i][0] > _JUMP * max(_digits(i.data), 1e-9):
                seen.add(i)
                stack.append(i)
    return found


def _words(run: Computation, n: Node, op: Op, digits: float, before: float, index: tuple[int, ...], all_: float) -> str:
    """What happened at a step that loses digits."""
    inputs = run.making(n)[1]
    where = f" in element {index}" if index else ""
    head = f"loses {digits - before:.1f} of {all_:.1f} digits{where}"
    if op.name in ("subtract", "add") and len(inputs) == 2:
        try:
            a, b = (np.broadcast_to(np.asarray(i.data), np.shape(n.data))[index] for i in inputs)
        except (ValueError, IndexError):
            return head
        sign = "-" if op.name == "subtract" else "+"
        return f"{head}: cancellation, {a} {sign} {_bracketed(b)} leaves {np.asarray(n.data)[index]:.6g}"
    if op.kind in ("linear", "bilinear") or op.name == "affine":
        return f"{head}: cancellation among the terms that it adds up"
    return f"{head}: it is ill-conditioned there"


def _bracketed(b: Any) -> str:
    text = str(b)
    return f"({text})" if text.startswith("-") else text
