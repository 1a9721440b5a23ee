"""The five constructors, and how to add an op.

An op is declared once, in one place: forward, both derivative rules, LaTeX, the shape note, the edge
conventions and the samples that every test runs it on. Choose the constructor that leaves least to say:

`elementwise(ufunc, partial, ...)`: the NumPy ufunc and one partial derivative per argument,
    `partial(xp, y, x)` for one argument, `partial(xp, y, a, b)` for two. A number is a constant partial.

        tanh = elementwise(np.tanh, lambda xp, y, x: 1 - y * y, latex=r"\\tanh {0}")

`linear`: the decorated function is linear in its array. Say its transpose `(xp, g, x, **params)`; the
    tangent is the op itself. For complex arrays the transpose is the adjoint (conjugate transpose).

        @linear(lambda xp, g, x, axes: xp.transpose(g, axes=inverse(axes)))
        def transpose(x, axes=None): ...

`bilinear`: linear in each of two arrays. Say the left and the right transpose `(xp, g, a, b, **params)`;
    the array that stays is handed over conjugated, so a rule written for real numbers is right for complex.

`general`: anything else. Attach the rules below the function, and cite where they come from:

        @general(latex=...)
        def solve(a, b): ...

        @solve.defvjp
        def _(xp, need, g, y, a, b): ...      # one cotangent per argument; need[i] tells which are wanted

        @solve.defjvp
        def _(xp, ts, y, a, b): ...           # ts[i] is None where it is zero

`nondiff`: no derivative: comparisons, argmax, rounding to an integer. Still recorded while tracing.

Rules for writing rules:
- Use `xp.name` for every array function, and operators. `xp` is the plain namespace at first order and
  the recording one above it, so a rule may only use registered ops; that is what makes every order work.
- Arguments may be Python numbers, and 0-d values NumPy scalars: use `xp.f(x)`, not `x.f()`.
- Never write into an array. Do not undo broadcasting, and do not cast: the walk does both.
- Parameters (axis, keepdims) arrive by keyword, complete. They are static: no arrays among them.
- `samples` is a function that returns a list of `sample(*arrays, **params)`; it holds the edge cases:
  0-d, empty, size-1 axes, broadcast, ties, zeros. `smooth=False` marks a point where only the stated
  subgradient is to be tested and finite differences mean nothing.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

import numpy as np

from .arguments import contract, in_other_words, is_about_arguments, named
from .errors import ArgumentError, NoDerivative, describe, integer, refuse_unordered
from .op import PLAIN, Op, by_ufunc, raw
from .samples import Sample, domain_samples
from .tensor import Tensor, rec, record

P = ParamSpec("P")
R = TypeVar("R")
Partial = Callable[..., Any] | float
Samples = Callable[[], list[Sample]] | None


_PLAIN = PLAIN | {tuple}  # static arguments that need no second look
_LARGE = 1 << 62
_FLOAT = np.float64  # of a single number, which takes longer to say its dtype than to be multiplied
_ALL = sys.maxsize
_CALLS = 256  # how many combinations of parameters an op remembers
_EXACT = frozenset(
    {int, bool, str, type(None), type}
)  # whose values are the same thing where they are equal, type for type
_DTYPES = frozenset(type(np.dtype(c)) for c in "?bBhHiIlLqQefdFDgG")


def call_key(params: dict[str, Any]) -> Any:
    """What tells parameters apart that have been looked at before; None where equal ones may differ (0.0 and -0.0), or
    equal nothing (NaN)."""
    key: list[Any] = []
    for name, value in params.items():
        kind: Any = value.__class__
        if kind is tuple:
            kind = tuple([v.__class__ for v in value])
            if not _EXACT.issuperset(kind):
                return None
        elif kind not in _EXACT and not (
            abs(value) > 0 if kind is float else kind in _DTYPES and value.metadata is None
        ):
            return None
        key += name, value, kind
    return tuple(key)


class Declared(Op, Generic[P]):
    """A public op: call it on arrays or Tensors; attach rules with `defvjp` and `defjvp`."""

    def __call__(self, *args: P.args, **params: P.kwargs) -> Tensor:
        if not params and len(args) == self.simple_arity:
            return record(self, args, self.defaults)  # type: ignore[no-any-return]
        count, given, named = self.arity, args, params
        if count is not None and count < len(args) <= count + len(self.param_names):
            extra: Any = dict(zip(self.param_names, args[count:], strict=False))
            if params.keys().isdisjoint(extra):
                given, named = args[:count], {**extra, **params}  # type: ignore[assignment]
        key = None
        if len(given) == count:
            key = call_key(named)
            known = self.accepted.get(key) if key is not None else None
            if known is not None:
                return record(self, given, known)  # type: ignore[no-any-return]
        try:
            arrays, full = self.bind(given, named)
        except ArgumentError as error:
            failed = error
        else:
            return self._called(arrays, full, key)  # type: ignore[no-any-return]
        return in_other_words(self, args, params, failed)  # type: ignore[no-any-return]

    def _called(self, arrays: tuple[Any, ...], full: dict[str, Any], key: Any) -> Any:
        if self.whole or not _PLAIN.issuperset(map(type, full.values())):
            self._settle(full)
        contract(self).hold((), full)
        if self.arity is not None:
            if key is not None and len(self.accepted) < _CALLS:
                self.accepted[key] = full
            return record(self, arrays, full)
        if not isinstance(arrays[0], Iterable):
            raise ArgumentError(
                f"{self.name}{self.__signature__} takes a sequence of arrays, got {describe(arrays[0])}"
            )
        refuse_unordered(arrays[0], self.name)
        try:
            listed = tuple(arrays[0])
        except Exception as error:  # an object that only seems to be a sequence, an array without axes
            if not is_about_arguments(error):
                raise
            raise ArgumentError(
                f"{self.name} takes a sequence of arrays, got {describe(arrays[0])}: {error}"
            ) from error
        return record(self, listed, full)

    def _settle(self, params: dict[str, Any]) -> None:
        """Integers where integers belong, and constants in place of Tensors."""
        for name, value in params.items():
            if isinstance(value, Tensor):
                value._refuse_trace(f"{name} of {self.name}")
                if value.node.live:
                    raise NoDerivative(
                        f"{self.name} takes {name} as a fixed number, in which it has no derivative, and was given one "
                        f"that is being differentiated; give {name}.item() if that is meant"
                    )
                params[name] = _frozen(value.node.data)
        for name, optional in self.whole.items():
            value = params[name]
            if not (type(value) is int and -_LARGE < value < _LARGE) and (value is not None or not optional):
                params[name] = integer(value, self.name, name)

    transpose: Callable[..., Any] | None = None  # of a linear op

    def deftranspose(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """The transpose of a linear op, where it takes more than a line."""
        self.transpose = rule
        return rule

    def defvjp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """`rule(xp, need, g, y, *args, **params)` returns one cotangent per argument."""
        self.vjp = rule
        return rule

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """`rule(xp, ts, y, *args, **params)` returns the tangent of y."""
        self.jvp = rule
        return rule


def _frozen(data: Any) -> Any:
    """An array as nested tuples of numbers, which can be compared."""
    listed = np.asarray(data).tolist()
    return tuple(map(_frozen, listed)) if isinstance(listed, list) else listed


def declare(name: str, forward: Callable[..., Any], made: type[Declared[...]] = Declared, **record: Any) -> Any:
    """Register an op under `name` in the registry, in `raw` and in `rec`, and return its function."""
    op: Any = made(name, forward, **record)
    setattr(rec, name, op)
    if isinstance(forward, np.ufunc):
        by_ufunc[forward] = op
    return op


def alias(name: str, op: Any) -> None:
    """A second name of an op for rules, methods and NumPy's spelling of it."""
    setattr(rec, name, op)
    if isinstance(op, Op):
        setattr(raw, name, op.plain)


def helper(name: str) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """A function of rules that is no op: `f(xp, ...)` becomes `xp.name(...)` in both namespaces."""

    def attach(f: Callable[P, Any]) -> Callable[P, Any]:
        for xp in (raw, rec):
            setattr(xp, name, functools.partial(cast(Any, f), xp))
        return f

    return attach


def derived(f: Callable[P, R]) -> Callable[P, R]:
    """A public function made of ops: reachable as `rec.name`, as a method, and from NumPy's function of that name."""
    call = named(f)
    setattr(rec, call.__name__, call)
    return call


def elementwise(
    ufunc: Callable[..., Any],
    *partials: Partial,
    name: str | None = None,
    latex: str | None = None,
    note: str = "",
    domain: Any = (-2.0, 2.0),
    holomorphic: bool = False,
    samples: Samples = None,
    doc: str | None = None,
    made: type[Declared[...]] = Declared,
) -> Declared[...]:
    """An op that acts on each element: one partial derivative per argument.

    `domain` is the interval (or one per argument) from which the samples are drawn; `holomorphic` says that
    the op and its partials also hold for complex numbers.
    """
    title = name or ufunc.__name__
    op = declare(
        title,
        ufunc,
        made,
        kind="elementwise",
        arity=len(partials),
        vjp=_elementwise_vjp(partials, holomorphic),
        jvp=_elementwise_jvp(partials),
        latex=latex,
        note=note,
        shape="broadcast of the arguments" if len(partials) > 1 else "same as x",
        holomorphic=holomorphic,
        doc=doc,
        samples=samples or (lambda: domain_samples(len(partials), domain, holomorphic)),
    )
    op.partials, op.mechanical = partials, op.jvp
    if not any(map(callable, partials)):
        op.formal = len(partials)
    return op  # type: ignore[no-any-return]


def _share(partial: Partial, holomorphic: bool) -> Callable[..., Any]:
    """One argument's part of the cotangent: g times the partial, without work for a constant 1."""
    if not callable(partial):
        factor = partial
        if factor == 0:  # not g * 0, which is nan where g is inf
            return lambda xp, g, y, *args: xp.zeros_like(g)
        if factor in (1, -1):
            return (lambda xp, g, y, *args: g) if factor == 1 else (lambda xp, g, y, *args: -g)
        return lambda xp, g, y, *args: g * factor
    if not holomorphic:
        return lambda xp, g, y, *args: g * partial(xp, y, *args)

    def share(xp: Any, g: Any, y: Any, *args: Any) -> Any:
        d = partial(xp, y, *args)
        return g * xp.conj(d) if y.dtype.kind == "c" else g * d

    return share


def _elementwise_vjp(partials: tuple[Partial, ...], holomorphic: bool) -> Callable[..., Any]:
    if len(partials) == 1 and callable(partials[0]):  # without a call in between
        d: Any = partials[0]
        if not holomorphic:
            return lambda xp, need, g, y, x: (g * d(xp, y, x),)
        return lambda xp, need, g, y, x: (
            g * (xp.conj(d(xp, y, x)) if y.__class__ is not _FLOAT and y.dtype.kind == "c" else d(xp, y, x)),
        )
    shares = [_share(p, holomorphic) for p in partials]
    if len(shares) == 1:
        (only,) = shares
        return lambda xp, need, g, y, x: (only(xp, g, y, x),)
    if len(shares) == 2:
        first, second = shares
        return lambda xp, need, g, y, a, b: (
            first(xp, g, y, a, b) if need[0] else None,
            second(xp, g, y, a, b) if need[1] else None,
        )
    return lambda xp, need, g, y, *args: [
        share(xp, g, y, *args) if wanted else None for wanted, share in zip(need, shares, strict=True)
    ]


def _elementwise_jvp(partials: tuple[Partial, ...]) -> Callable[..., Any]:
    def jvp(xp: Any, ts: Any, y: Any, *args: Any) -> Any:
        total = None
        for t, partial in zip(ts, partials, strict=True):
            if t is not None and partial != 0:
                d = partial(xp, y, *args) if callable(partial) else partial
                part = t if isinstance(d, (int, float)) and d == 1 else t * d
                total = part if total is None else total + part
        return total

    return jvp


def linear(
    transpose: Callable[..., Any] | None = None, *, name: str | None = None, variadic: bool = False, **record: Any
) -> Callable[[Callable[P, Any]], Declared[P]]:
    """An op that is linear in its array, or in a sequence of arrays (`variadic`, as concat is).

    `transpose(xp, g, x, **params)` gives the cotangent; variadic: `transpose(xp, g, *arrays, **params)`
    gives one for each.
    """

    def build(f: Callable[P, Any]) -> Declared[P]:
        title = name or f.__name__

        def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any, **params: Any) -> Any:
            out = op.transpose(xp, g, *args, **params)
            return out if variadic else (out,)

        def jvp(xp: Any, ts: Any, y: Any, *args: Any, **params: Any) -> Any:
            if not variadic:
                return getattr(xp, title)(ts[0], **params)
            full = [xp.zeros_like(a) if t is None else t for t, a in zip(ts, args, strict=True)]
            return getattr(xp, title)(full, **params)

        op: Any = declare(title, f, kind="linear", arity=None if variadic else 1, vjp=vjp, jvp=jvp, **record)
        op.transpose, op.mechanical = transpose, jvp
        op.formal = _ALL  # the derivative of what is linear does not depend on where it is taken
        return cast(Declared[P], op)

    return build


def bilinear(
    left: Callable[..., Any], right: Callable[..., Any], *, name: str | None = None, **record: Any
) -> Callable[[Callable[P, Any]], Declared[P]]:
    """An op that is linear in each of two arrays: `left(xp, g, a, b, **params)` is the cotangent of a."""

    def build(f: Callable[P, Any]) -> Declared[P]:
        title = name or f.__name__

        def vjp(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any, **params: Any) -> Any:
            if y.dtype.kind == "c":
                a, b = xp.conj(a), xp.conj(b)
            return (
                left(xp, g, a, b, **params) if need[0] else None,
                right(xp, g, a, b, **params) if need[1] else None,
            )

        def jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any, **params: Any) -> Any:
            ta, tb = ts
            f = getattr(xp, title)
            if tb is None:
                return f(ta, b, **params)
            return f(a, tb, **params) if ta is None else f(ta, b, **params) + f(a, tb, **params)

        op: Any = declare(title, f, kind="bilinear", arity=2, vjp=vjp, jvp=jvp, **record)
        op.mechanical = jvp
        return cast(Declared[P], op)

    return build


def general(
    *, name: str | None = None, arity: int | None = 1, **record: Any
) -> Callable[[Callable[P, Any]], Declared[P]]:
    """An op whose two rules are attached with `defvjp` and `defjvp`. `many=True`: it returns a tuple."""

    def build(f: Callable[P, Any]) -> Declared[P]:
        return cast(Declared[P], declare(name or f.__name__, f, kind="general", arity=arity, **record))

    return build


@overload
def nondiff(f: None = None, **record: Any) -> Callable[[Callable[P, Any]], Declared[P]]: ...
@overload
def nondiff(f: np.ufunc, **record: Any) -> Declared[...]: ...
@overload
def nondiff(f: Callable[P, Any], **record: Any) -> Declared[P]: ...
def nondiff(f: Any = None, *, name: str | None = None, arity: int | None = 1, **record: Any) -> Any:
    """An op without a derivative. For a ufunc: `greater = nondiff(np.greater, arity=2)`."""

    def build(f: Any) -> Any:
        return declare(name or f.__name__, f, kind="nondiff", arity=arity, **record)

    return build if f is None else build(f)
