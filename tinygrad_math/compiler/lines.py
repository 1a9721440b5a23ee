"""The lines of a program as straight-line NumPy; `emit` adds the loops over blocks.

The text is one function `make()`, which sets up the workspace once and returns the function that is called.
A value in the workspace is a name bound outside the returned function; instructions write into it with `out`,
given as the last positional argument, which NumPy reads fastest. Everything else is an ordinary local variable.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops.exponential import tanh_tail
from ..ops.normalized import far_root
from .blocks import Chain, parallel
from .calls import call, literal, looks_only
from .memory import Plan, layout
from .names import Names, comment
from .packing import ALIGNMENT
from .passes.loops import Repeated
from .passes.sincos import cosine
from .program import Program, Value, describe_value, is_foreign

NUMPY = {name: u for name, u in vars(np).items() if isinstance(u, np.ufunc)} | {
    name: getattr(np, name) for name in ("where", "concatenate", "stack", "copyto", "empty", "array")
}
LONG = 2000  # instructions: of more, a buffer has one name for all that it holds; Python takes n^2 steps for n names
OWN = {
    "one_d": np.ones((), "d"),
    "one_f": np.ones((), "f"),
    "tanh_tail": tanh_tail,
    "far_root": far_root,
    "inf": np.inf,
}
RESERVED = frozenset({*NUMPY, *OWN}) | {"np", "make", "space", "parallel", "cosine", "start", "stop"}


class Source:
    """The text of a program and the objects that it refers to by name."""

    def __init__(self, text: str, namespace: dict[str, Any], function: str, names: Names) -> None:
        self.text, self.namespace, self.function, self.names = text, namespace, function, names

    @property
    def words(self) -> set[str]:
        """The names that the code uses."""
        return {n.id for n in ast.walk(ast.parse(self.text)) if isinstance(n, ast.Name)}

    def build(self) -> Callable[[], Callable[..., Any]]:
        """`make`: each call of it sets up a workspace and returns the function over it."""
        scope = dict(self.namespace)
        exec(compile(self.text, f"<compiled {self.function}>", "exec"), scope)
        make: Callable[[], Callable[..., Any]] = scope["make"]
        return make


class LineEmitter:
    """Writes one program down, all but its chains."""

    def __init__(self, program: Program, plan: Plan, threads: int = 1, around: LineEmitter | None = None) -> None:
        """`around` writes the program whose loop has this one as its step."""
        self.program, self.plan, self.threads = program, plan, threads
        self.names: Names = Names(RESERVED) if around is None else around.names
        self.function: str = self.names.new(program.name) if around is None else around.function
        self.text: dict[Value, str] = {}
        self.namespace: dict[str, Any] = {"np": np, "parallel": parallel, "cosine": cosine, **OWN, **NUMPY}
        self.setup: list[str] = []
        self.space = "space" if around is None else self.names.new("space")
        if plan.size:
            part = f"{self.space}[-{self.space}.ctypes.data % {ALIGNMENT}:]"
            self.setup = [
                f"{self.space} = empty({plan.size + ALIGNMENT}, 'uint8')",
                f"{self.space} = {part}  # from the start of a cache line",
            ]
        self.lines: list[str] = []
        self.joined = plan.joined()
        self.buffers: dict[Any, int] = {}  # where a buffer lies and how -> the line that sets it up
        self.numbers: dict[Any, str] = {}
        self.helpers: dict[str, Value] = {}
        if around is not None:
            self.namespace, self.numbers, self.helpers = around.namespace, around.numbers, around.helpers
        self.marks: list[list[Value]] | None = None  # while profiling: what each timed line computes

    def emit(self) -> Source:
        arguments = [self._name(v, f"x{k}") for k, v in enumerate(self.program.arguments)]
        self.write()
        returned = [self._result(k, r) for k, r in enumerate(self.program.results)]
        where = comment(f"{len(self.program.body)} instructions, a workspace of {self.plan.size} bytes")
        body = [f'"""{where}."""', *self.lines, f"return ({', '.join(returned)}{',' if returned else ''})"]
        inner = [f"def {self.function}({', '.join(arguments)}):", *(f"    {line}" for line in body)]
        make = ["def make():", *(f"    {line}" for line in [*self.setup, *inner]), f"    return {self.function}"]
        return Source("\n".join(make) + "\n", self.namespace, self.function, self.names)

    def write(self) -> None:
        """The lines of the instructions."""
        dying: dict[int, list[Value]] = {}
        for v, k in self.plan.last.items():
            if v.op is not None and self.plan.kind[v] == "fresh" and v.nbytes > 4096:
                dying.setdefault(k, []).append(v)
        chains = {chain.start: chain for chain in self.plan.chains}
        chained = {v for chain in self.plan.chains for v in chain.members}
        for k, v in enumerate(self.program.body):
            if k in chains:
                self._chain(chains[k])
            if v not in chained:
                self._instruction(v)
            for dead in dying.get(k, ()):
                if dead is not v and dead in self.text:
                    self._forget(self.text[dead])

    # -- names ----------------------------------------------------------------------------------------
    def _name(self, v: Value, default: str) -> str:
        if v not in self.text:
            self.text[v] = self.names.new(v.name or default)
        return self.text[v]

    def _read(self, v: Value, user: Value | None = None) -> str:
        """The text by which the instruction `user` reads v."""
        if v not in self.text and v.constant:
            if v.shape == () and v.dtype.kind in "biuf":
                return self._number(v, user)
            self.text[v] = self._bind(self.names.new(v.name or "constant"), v.example)
        return self.text[v]

    def _bind(self, name: str, thing: Any) -> str:
        self.namespace[name] = thing
        return name

    def _number(self, v: Value, user: Value | None) -> str:
        """A known number. Beside arrays a 0-d array, which a ufunc need not convert at each call; else as it stands."""
        dtype = v.dtype
        if user is not None and user.shape != () and (user.elementwise or user.title == "where"):
            dtype = self._dtype_in(user, v) if user.elementwise else bool if v is user.inputs[0] else user.dtype
        elif v.weak:
            text = str(literal(v.example))
            return f"({text})" if text.startswith("-") else text
        else:
            user = None
        key = (repr(v.example), dtype, user and user.title == "where")
        if key not in self.numbers:
            name = self.names.new(f"c_{np.asarray(v.example).item()!r}".replace("-", "m"))
            self.numbers[key] = self._bind(name, v.example if user is None else _as_array(v.example, dtype, user))
        return self.numbers[key]

    @staticmethod
    def _dtype_in(user: Value, v: Value) -> Any:
        """The dtype to which a ufunc converts its argument v."""
        if not v.weak:
            return v.dtype
        assert user.ufunc is not None
        given = [type(i.example) if i.weak else i.dtype for i in user.inputs]
        given = [np.dtype(bool) if g is bool else g for g in given]  # NumPy's booleans are not weak
        return user.ufunc.resolve_dtypes((*given, *[None] * user.ufunc.nout))[user.inputs.index(v)]

    # -- instructions -----------------------------------------------------------------------------------
    def _instruction(self, v: Value) -> None:
        kind = self.plan.kind_of(v)
        owner = self.plan.root[v] is v
        inputs = [self._read(i, v) for i in v.inputs]
        name = self._name(v, title_of_value(v))
        if isinstance(v.op, Repeated):
            self._loop(v, v.op, inputs, name)
        elif owner and kind in ("buffer", "donated"):
            out = self._buffer(v, name) if kind == "buffer" else self.text[self.plan.shared[v]]
            if kind == "donated":
                self.text[v] = out
            if v.title == "where" and self.plan.shared.get(v) is self.plan.root[v.inputs[2]]:
                inputs[2] = out  # it lies there already
            if v in self.joined:
                self.lines.append(self._commented("", f"{name}: {', '.join(inputs)}, side by side"))
            elif v in self.plan.spread:
                k = self.plan.spread[v]
                copied, inputs[k] = f"{out}[...] = {inputs[k]}", out
                self._line(f"{copied}; {self._call(v, inputs, out)}", v)
            else:
                self._line(self._call(v, inputs, out), v)
        elif not owner and kind in ("buffer", "constant") and not v.weak and self._before_the_call(v):
            self.setup.append(self._commented(f"{name} = {self._call(v, inputs, None)}", f"view, {describe_value(v)}"))
        elif v in self.plan.spread:
            k = self.plan.spread[v]
            kind = "" if v.dtype.char == "d" else f", {v.dtype.name!r}"
            new = f"{name} = empty({literal(v.shape)}{kind}); {name}[...] = {inputs[k]}"
            inputs[k] = name
            self._line(f"{new}; {self._call(v, inputs, name)}", v)
        else:
            self._line(f"{name} = {self._call(v, inputs, None)}", v)
            if is_foreign(v) and v.shape is not None:
                other = f"np.shape({name}) != {literal(v.shape)} or np.result_type({name}) != {v.dtype.name!r}"
                self.lines.append(f"if {other}: raise ValueError({v.said!r})")
            elif _may_change_shape(v):
                self.lines.append(f"if {name}.shape != {literal(v.shape)}: raise ValueError({v.said!r})")

    def _before_the_call(self, v: Value) -> bool:
        """Whether v is a buffer, a constant, or a view of these through nothing that the call itself computes."""
        if self.plan.root[v] is v:
            return self.plan.kind_of(v) in ("buffer", "constant")
        return looks_only(v) and all(map(self._before_the_call, v.inputs))

    def _forget(self, name: str) -> None:
        """Let go of a large array that nobody reads any more."""
        self.lines.append(f"del {name}")

    def _chain(self, chain: Chain) -> None:
        raise NotImplementedError

    def _loop(self, v: Value, op: Repeated, inputs: list[str], name: str) -> None:
        raise NotImplementedError

    def _set_up(self, line: str) -> None:
        self.setup.append(line)

    def _call(self, v: Value, inputs: list[str], out: str | None) -> str:
        text = call(v, inputs, out)
        return text if text is not None else self._helper(v, inputs, out)

    def _helper(self, v: Value, inputs: list[str], out: str | None) -> str:
        """A call of the op's own plain function."""
        assert v.op is not None
        name = next((n for n, h in self.helpers.items() if h.op is v.op), None)
        if name is None:
            name = self.names.new(v.said)
            self.helpers[name] = v
            self.namespace[name] = v.op.into or (v.op.plain if v.op.arity is None else v.op.forward)
        given = [f"({', '.join(inputs)},)"] if v.op.arity is None else list(inputs)
        if out is not None:
            given.append(out)
        for key, value in v.params.items():
            text = literal(value)
            if text is None:
                text = self.names.new(f"{v.said}_{key}")
                self.namespace[text] = value
            given.append(f"{key}={text}")
        text = f"{name}({', '.join(given)})"
        return f"{type(v.example).__name__}({text})" if v.weak else text

    def _buffer(self, v: Value, name: str) -> str:
        shape, inverse = layout(v)
        start = self.plan.offset[v]
        key = (start, shape, inverse, v.dtype)
        if key in self.buffers:
            line = self.buffers[key]
            if len(self.program.body) > LONG:
                self.text[v] = self.setup[line].partition(" = ")[0]
                return self.text[v]
            self.setup[line] = f"{name} = {self.setup[line]}"
            return name
        view = f"{self.space}[{start}:{start + v.nbytes}].view({v.dtype.name!r}).reshape({literal(shape)})"
        if inverse is not None:
            view += f".transpose({literal(inverse)})"
        self.buffers[key] = len(self.setup)
        self.setup.append(f"{name} = {view}")
        return name

    def _result(self, k: int, r: Value) -> str:
        text = self._read(r)
        return f"array({text})" if k in self.plan.copied and not (r.shape == () and r.weak) else text

    def _line(self, text: str, v: Value) -> None:
        note = describe_value(v) + (f"  {v.place}" if v.place else "")
        self.lines.append(self._commented(text, note))
        self._mark([v])

    def _mark(self, values: list[Value]) -> None:
        if self.marks is not None:
            self.marks.append(values)
            self.lines.append("mark(now())")

    @staticmethod
    def _commented(text: str, note: str) -> str:
        return f"{text:<52}  # {comment(note)}"


def _as_array(number: Any, dtype: Any, user: Value) -> Any:
    """A number in the dtype in which `user` takes it: `where` lets a whole one wrap around, a ufunc may compare it."""
    try:
        return np.asarray(number).astype(dtype) if user.title == "where" else np.array(number, dtype)
    except OverflowError:
        return number


def _may_change_shape(v: Value) -> bool:
    """Whether the shape might depend on values, as that of `unique` does: then it is checked at each call."""
    source = v.inputs[0] if v.title == "select" else v
    known = v.title != "select" and call(v, ["x"] * len(v.inputs), None) is not None
    return source.op is not None and source.op.constant and v.shape not in (None, ()) and not known


def title_of_value(v: Value) -> str:
    """A name for what an instruction computes: the user's own where its line is an assignment to one name."""
    assert v.op is not None
    return {"matmul": "product", "transpose": "turned", "matrix_transpose": "turned"}.get(v.op.name, "t_" + v.said)
