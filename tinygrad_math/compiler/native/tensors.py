"""`fresh` and `spent` in machine code: a Tensor around what a program returns, in a third of Python's time for it.

The fields of a Tensor and of its Node are slots, whose places in an object their descriptors know.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from ...core.node import DIFFERENTIABLE, NO_PARAMS, Node
from ...core.spent import GONE, STEP
from ...core.tensor import Tensor, clock
from .assembly import Writer, assemble, llvm, once
from .machine import HEAD, Method, function, python

_ONE_ARGUMENT = 8  # METH_O
_MEMBER = HEAD + 24  # where a descriptor points to its PyMemberDef, in which the offset is the third field


def offset(kind: type, name: str) -> int:
    """Where a slot lies in an object of this type."""
    member = ctypes.c_void_p.from_address(id(kind.__dict__[name]) + _MEMBER).value
    return int(ctypes.c_ssize_t.from_address((member or 0) + 16).value)


@once
def fresh() -> Callable[[Any], Tensor]:
    """The function that is called with an array or a number, and returns the Tensor of a new leaf."""
    return _maker({"op": None, "inputs": (), "params": NO_PARAMS, "live": 0, "meta": None})


@once
def spent() -> Callable[[Any], Tensor]:
    """The same for what a step of training leaves beside its parameters."""
    return _maker({"op": STEP, "inputs": GONE, "params": NO_PARAMS, "live": DIFFERENTIABLE, "meta": None})


def _maker(same: dict[str, Any]) -> Callable[[Any], Tensor]:
    """The function whose Tensors stand on nodes with these fields."""
    ir = llvm().ir
    module = ir.Module("fresh")
    word, nothing = ir.IntType(64), ir.VoidType()
    w = Writer(module, "fresh", word, [word, word])
    b = w.b
    _, data = w.arguments
    none = w.function.append_basic_block("none")
    lost = w.function.append_basic_block("lost")

    def put(thing: Any, where: Any, offset: int) -> None:
        b.store(thing, w.as_pointer(b.add(where, w.number(offset))))

    node = w.call(python("PyType_GenericAlloc"), word, w.number(id(Node)), w.number(0))
    w.unless(b.icmp_unsigned("!=", node, w.number(0)), none)
    for name, value in same.items():
        thing = w.number(id(value))
        w.call(python("Py_IncRef"), nothing, thing)
        put(thing, node, offset(Node, name))
    w.call(python("Py_IncRef"), nothing, data)
    put(data, node, offset(Node, "data"))
    tick = w.call(python("PyObject_CallNoArgs"), word, w.number(id(clock)))
    w.unless(b.icmp_unsigned("!=", tick, w.number(0)), lost)
    put(tick, node, offset(Node, "tick"))
    tensor = w.call(python("PyType_GenericAlloc"), word, w.number(id(Tensor)), w.number(0))
    w.unless(b.icmp_unsigned("!=", tensor, w.number(0)), lost)
    put(node, tensor, offset(Tensor, "node"))
    b.ret(tensor)
    b.position_at_end(lost)
    w.call(python("Py_DecRef"), nothing, node)
    b.branch(none)
    b.position_at_end(none)
    b.ret(w.number(0))
    w.done()
    method = Method(b"fresh", assemble(module)["fresh"], _ONE_ARGUMENT, None)
    return function(method, (method, same, clock))  # type: ignore[no-any-return]
