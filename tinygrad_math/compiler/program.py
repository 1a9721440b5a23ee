"""A program: arguments, instructions in the order in which they run, results.

A `Value` is one array of the program and at the same time the instruction that makes it: an op, the
values it is applied to, and static parameters. Arguments and constants have no op. Every value knows its
shape and dtype, because a program is compiled for given shapes; while it is being compiled it also
carries an example, the array that the traced run held there, from which new instructions are typed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..core.arguments import is_about_arguments
from ..core.errors import MathError, TraceError, explain_failure
from ..core.notebook import bundle, preformatted
from ..core.op import Op, registry
from ..core.quiet import quietly
from ..transforms.loops.lazy import elements

NUMBERS = (bool, int, float, complex)
_DEFAULTS = tuple(map(np.dtype, NUMBERS))
ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide", "floor_divide", "remainder", "negative", "positive"})
ARITHMETIC |= {"power", "integer_power", "square", "reciprocal"}
_COMPARE = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
_BITS = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"}
OPERATORS = (
    ARITHMETIC | _COMPARE | _BITS | {"absolute"}
)  # of Python, which makes Python numbers of them; sin() makes none


class Value:
    """One array: an argument, a constant, or what an instruction computes."""

    __slots__ = (
        *("constant", "dtype", "example", "inputs", "name", "nbytes", "op"),
        *("params", "place", "shape", "size", "strides", "weak"),
    )
    shape: Any  # a tuple of ints; None, as the dtype, for a many-valued op
    dtype: Any
    strides: Any

    def __init__(
        self,
        op: Op | None,
        inputs: tuple[Value, ...] = (),
        params: Mapping[str, Any] | None = None,
        example: Any = None,
        *,
        constant: bool = False,
        name: str | None = None,
        place: Any = None,
    ) -> None:
        self.op, self.inputs, self.params = op, inputs, dict(params or {})
        self.example, self.constant, self.name, self.place = example, constant, name, place
        self._describe()

    def _describe(self) -> None:
        data = self.example
        if isinstance(data, tuple):  # a many-valued op: the parts are taken out by `select`
            self.shape, self.dtype, self.strides, self.weak = None, None, None, False
            self.size, self.nbytes = 0, sum(np.asarray(part).nbytes for part in data)
        else:
            self.shape = np.shape(data)
            self.dtype = np.dtype(type(data)) if type(data) in NUMBERS else np.asarray(data).dtype
            self.strides = data.strides if isinstance(data, np.ndarray) else ()
            self.weak = type(data) in NUMBERS  # a Python number, which takes on the dtype of what it meets
            self.size = math.prod(self.shape)
            self.nbytes = self.size * self.dtype.itemsize

    def become(self, other: Value) -> None:
        """Take over another's computation, keeping the own identity, so that users need no change."""
        self.op, self.inputs, self.params, self.constant = other.op, other.inputs, other.params, other.constant
        self.example = other.example
        self._describe()

    @property
    def title(self) -> str:
        return self.op.name if self.op is not None else "constant" if self.constant else "argument"

    @property
    def said(self) -> str:
        """What messages call this: the op by its own name, where the passes know it by another."""
        return self.op.__name__ if self.op is not None else self.title

    @property
    def ufunc(self) -> np.ufunc | None:
        """NumPy's ufunc of this instruction, if it is one: it acts on each element, and can write into a buffer."""
        return self.op.ufunc if self.op is not None else None

    @property
    def elementwise(self) -> bool:
        return self.op is not None and (u := self.op.ufunc) is not None and u.signature is None

    @property
    def pointwise(self) -> bool:
        """Whether this works through its arguments element by element, and into a buffer where one is given."""
        return self.elementwise or (self.op is not None and self.op.into is not None)

    @property
    def reads_again(self) -> tuple[Value, ...]:
        """The inputs that must not lie where the result does, because they are read after its first write."""
        if self.title == "where":
            return self.inputs[:2]
        return self.inputs[1:] if self.pointwise and not self.elementwise else ()

    def is_number(self, n: float) -> bool:
        """Whether this is a constant all of whose elements are `n`."""
        if not self.constant or self.shape is None or not self.size:
            return False
        data = np.asarray(self.example)
        return bool(data.flat[0] == n and (self.size == 1 or (data == n).all()))


class Program:
    """Instructions in the order in which they run. `str()` prints them, `validate()` checks them.

    A compiled program also has `profile(*args)`: time and bytes of every instruction.
    """

    profile: Callable[..., Any]

    def __init__(self, name: str, arguments: Sequence[Value], body: Sequence[Value], results: Sequence[Value]) -> None:
        self.name = name
        self.arguments, self.body, self.results = list(arguments), list(body), list(results)

    def users(self) -> dict[Value, int]:
        """How many times each value is read; a result counts as one more."""
        count: dict[Value, int] = {}
        for v in self.body:
            for i in v.inputs:
                count[i] = count.get(i, 0) + 1
        for r in self.results:
            count[r] = count.get(r, 0) + 1
        return count

    def constants(self) -> list[Value]:
        found: dict[Value, None] = {}
        for v in self.body:
            found.update((i, None) for i in v.inputs if i.constant)
        found.update((r, None) for r in self.results if r.constant)
        return list(found)

    def replace(self, changed: Mapping[Value, Value]) -> None:
        """Let every reader of a key read its value instead."""

        def last(v: Value) -> Value:
            while v in changed:
                v = changed[v]
            return v

        if changed:
            for v in self.body:
                if any(i in changed for i in v.inputs):
                    v.inputs = tuple(last(i) for i in v.inputs)
            self.results = [last(r) for r in self.results]

    def run(self, *arrays: Any) -> list[Any]:
        """The results for these arguments, one instruction after another: slow, obvious, with named errors."""
        held: dict[Value, Any] = {v: v.example for v in self.constants()}
        held.update(zip(self.arguments, arrays, strict=True))
        for v in self.body:
            held[v] = apply(v, [held[i] for i in v.inputs])
            if v.shape is not None and np.shape(held[v]) != v.shape:
                raise TraceError(
                    f"{v.said} gave shape {np.shape(held[v])}, but the program was traced with {v.shape}: a shape "
                    f"that depends on values cannot be compiled. Compute it outside of {self.name}. {v.place or ''}"
                )
            if v.shape is not None and is_foreign(v) and np.result_type(held[v]) != v.dtype:
                raise TraceError(
                    f"{v.said} gave {np.result_type(held[v])}, but the program was traced with {v.dtype}: a dtype "
                    f"that depends on values cannot be compiled. Let {v.said} return one dtype. {v.place or ''}"
                )
        return [held[r] for r in self.results]

    def release(self) -> None:
        """Let go of the arrays of the traced run; numbers and constants stay."""
        for v in (*self.arguments, *self.body):
            if not v.constant and v.shape != ():
                v.example = None

    def validate(self, *arrays: Any) -> None:
        """Check that every instruction reads what was made before it, and that shapes and dtypes are as stated.

        The latter by running it, on `arrays` as the arguments or on the traced run's.
        """
        known = set(self.arguments)
        held: dict[Value, Any] = {v: v.example for v in (*self.arguments, *self.constants())}
        held.update(zip(self.arguments, arrays, strict=False))
        for v in self.body:
            for i in v.inputs:
                if i not in known and not i.constant:
                    raise MathError(f"{self.name}: {v.said} reads {describe_value(i)} before it is made")
            if v.op is None:
                raise MathError(f"{self.name}: an instruction without an op")
            if v.op.name in registry and registry[v.op.name] is not v.op:
                raise MathError(f"{self.name}: {v.op.name} is not the registered op of that name")
            if v in known:
                raise MathError(f"{self.name}: {describe_value(v)} is made twice")
            given = [held[i] for i in v.inputs]
            if any(x is None for x in given):
                held[v] = None
            elif getattr(v.op, "random", False):
                held[v] = v.example  # running it would draw
            else:
                again = Value(v.op, v.inputs, v.params, apply(v, given))
                held[v] = again.example
                if (again.shape, again.dtype) != (v.shape, v.dtype):
                    raise MathError(f"{self.name}: {v.said} gives {describe_value(again)}, not {describe_value(v)}")
            known.add(v)
        for r in self.results:
            if r not in known and not r.constant:
                raise MathError(f"{self.name}: the result {describe_value(r)} is never made")

    def __str__(self) -> str:
        names: dict[Value, str] = {}
        for k, a in enumerate(self.arguments):
            names[a] = a.name or f"x{k}"
        for k, c in enumerate(self.constants()):
            names[c] = repr(c.example) if c.weak else f"{c.example.item()!r}" if not c.shape else f"c{k}"
        lines = [f"{self.name}({', '.join(f'{names[a]}: {describe_value(a)}' for a in self.arguments)})"]
        for k, v in enumerate(self.body):
            names[v] = f"%{k}"
            params = "".join(f", {key}={value!r}" for key, value in v.params.items() if value is not None)
            call = f"{v.said}({', '.join(names[i] for i in v.inputs)}{params})"
            where = f"  # {v.place}" if v.place else ""
            lines.append(f"  {names[v]}: {describe_value(v)} = {call}{where}")
            for part in ("step", "condition"):  # of a loop
                inner = getattr(v.op, part, None)
                lines += [] if inner is None else [f"      {line}" for line in str(inner).splitlines()]
        lines.append(f"  return {', '.join(names[r] for r in self.results)}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return bundle(self, html=lambda: preformatted(str(self)))


def is_foreign(v: Value) -> bool:
    """Whether v is made by a function of the user, of which nothing is known but what it gave in the traced run."""
    return v.op is not None and is_of_user(v.op)


def is_of_user(op: Op) -> bool:
    """Whether an op is none of ours, nor made of ours."""
    return op.name != "select" and op.kind not in ("compiled", "loop") and registry.get(op.name) is not op


def apply(v: Value, arrays: Sequence[Any]) -> Any:
    """What an instruction computes from these arrays."""
    assert v.op is not None
    try:
        data = quietly(v.op.forward, *arrays, **v.params)
        return as_weak(data) if v.weak else data
    except MathError:
        raise
    except (ValueError, TypeError, IndexError, ArithmeticError, np.linalg.LinAlgError) as error:
        if not is_about_arguments(error):  # a function of the user's raises its own
            raise
        raise explain_failure(v.said, tuple(arrays), v.params, error) from error


def as_weak(data: Any) -> Any:
    """What arithmetic of Python numbers gave, as a Python number again, so that it stays weakly typed."""
    if isinstance(data, (np.ndarray, np.generic)) and data.shape == () and data.dtype in _DEFAULTS:
        return data.item()
    return data


def describe_value(v: Value) -> str:
    if v.shape is None:
        return "tuple"
    return f"{_name(v.dtype)}{list(v.shape)}" if v.shape else _name(v.dtype)


_name = cache(str)  # of a dtype, which NumPy puts together in Python


def constant(data: Any) -> Value:
    """A value that is known while compiling."""
    return Value(None, example=elements(data), constant=True)


def value_of(
    name: str | Op, *inputs: Value, place: Any = None, examples: Sequence[Any] | None = None, **params: Any
) -> Value:
    """A new instruction; its type is read off its example, which is made of those of its inputs, or of these."""
    op = registry[name] if isinstance(name, str) else name
    v = Value(op, inputs, {**op.defaults, **params}, place=place)
    example = getattr(op, "example", None)  # of a loop, which would take all its steps
    given = [i.example for i in inputs] if examples is None else examples
    v.example = apply(v, given) if example is None else example()
    if op.name in OPERATORS and inputs and all(i.weak for i in inputs):
        v.example = as_weak(v.example)
    v._describe()
    return v
