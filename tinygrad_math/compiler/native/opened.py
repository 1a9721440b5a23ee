"""The arrays in a call's arguments, taken out and checked in machine code: a tenth of the time that Python takes.

What is usual goes this way: Tensors without a graph, arrays and numbers just like those that the program was made for;
and where memory is handed on, arrays that only their Tensor holds. Of all else Python says whether it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.node import Node
from ...core.tensor import Tensor
from .assembly import Writer, assemble, llvm, once
from .machine import BASE, DATA, DESCR, DIMS, FASTCALL, FLAGS, HEAD, ITEMS, NDIM, Method, function, python
from .tensors import offset

CARRAY = 0x1 | 0x100 | 0x400  # in order, aligned and writeable, as NumPy flags it
ROW = 5  # words in front of an array's sizes


class Leaf(NamedTuple):
    """What an argument has to be: its data's type, an array's dtype and sizes, and whether its memory is handed on."""

    kind: type
    dtype: np.dtype[Any] | None
    shape: tuple[int, ...]
    donated: bool

    def words(self) -> list[int]:
        dtype = 0 if self.dtype is None else id(self.dtype)
        return [ROW + len(self.shape), id(self.kind), dtype, int(self.donated), len(self.shape), *self.shape]


def opener(leaves: Sequence[Leaf]) -> Callable[..., tuple[Any, ...] | None]:
    """The function from arguments to a tuple of their arrays and numbers; None where one of them is not as usual."""
    frame = np.array([len(leaves), *(w for leaf in leaves for w in leaf.words())], np.int64)
    return function(_assembled(), (frame, list(leaves)))  # type: ignore[no-any-return]


@once
def _assembled() -> Method:
    ir = llvm().ir
    module = ir.Module("opened")
    word = ir.IntType(64)
    _Opened(Writer(module, "opened", word, [word, word.as_pointer(), word])).write()
    return Method(b"opened", assemble(module)["opened"], FASTCALL, None)


class _Opened:
    def __init__(self, w: Writer) -> None:
        self.w = w
        me, self.given, self.count = w.arguments
        self.frame = w.as_pointer(self.held(self.held(me, ITEMS), DATA))
        self.row = w.variable(self.frame)
        self.lost = w.function.append_basic_block("lost")

    def held(self, thing: Any, at: int, kind: Any = None) -> Any:
        """What lies in an object, at this offset."""
        w = self.w
        place = w.b.add(thing, w.number(at))
        return w.b.load(w.as_pointer(place) if kind is None else w.as_pointer(place, kind.as_pointer()))

    def demand(self, x: Any, y: Any) -> None:
        """Go on only if two words are the same."""
        w = self.w
        y = w.number(y) if isinstance(y, int) else y
        w.unless(w.b.icmp_signed("==", w.b.zext(x, w.word) if x.type != w.word else x, y), self.lost)

    def write(self) -> None:
        w, b = self.w, self.w.b
        failed, other = (w.function.append_basic_block(name) for name in ("failed", "other"))
        w.unless(b.icmp_signed("==", self.count, w.load(self.frame)), other)
        found = w.call(python("PyTuple_New"), w.word, self.count)
        w.unless(b.icmp_signed("!=", found, w.number(0)), failed)
        self.items = w.as_pointer(b.add(found, w.number(ITEMS)))
        for each in (self._open, self._alone):  # who else holds an array is asked when all have been taken
            b.store(w.at(self.frame, 1), self.row)
            with w.repeat(self.count) as k:
                this = b.load(self.row)
                b.store(w.at(this, w.load(this)), self.row)
                each(k, this)
        b.ret(found)
        b.position_at_end(self.lost)
        w.call(python("Py_DecRef"), w.ir.VoidType(), found)
        b.branch(other)
        b.position_at_end(other)
        none = w.number(id(None))
        w.call(python("Py_IncRef"), w.ir.VoidType(), none)
        b.ret(none)
        b.position_at_end(failed)
        b.ret(w.number(0))
        w.done()

    def _open(self, k: Any, this: Any) -> None:
        """Put the data of an argument into the tuple, if they are as they have to be."""
        w, b = self.w, self.w.b
        thing = w.load(self.given, k)
        place = w.variable(thing)
        with w.when(self._is_tensor(thing)):
            node = self._node(thing)
            self.demand(self.held(node, offset(Node, "live")), id(0))
            b.store(self.held(node, offset(Node, "data")), place)
        data = b.load(place)
        w.unless(b.icmp_signed("!=", data, w.number(0)), self.lost)
        self.demand(self.held(data, HEAD - 8), w.load(this, 1))
        w.call(python("Py_IncRef"), w.ir.VoidType(), data)
        w.store(data, self.items, k)
        with w.when(b.icmp_signed("!=", w.load(this, 2), w.number(0))):
            self.demand(self.held(data, DESCR), w.load(this, 2))
            self.demand(self.held(data, NDIM, w.ir.IntType(32)), w.load(this, 4))
            sizes = w.as_pointer(self.held(data, DIMS))
            with w.repeat(w.load(this, 4)) as j:
                self.demand(w.load(sizes, j), w.load(this, b.add(j, w.number(ROW))))

    def _alone(self, k: Any, this: Any) -> None:
        """Memory that is handed on is in order and no view, and nothing but its Tensor holds the array, or its node."""
        w, b = self.w, self.w.b
        small = w.ir.IntType(32)
        with w.when(b.icmp_signed("!=", w.load(this, 3), w.number(0))):
            thing, data = w.load(self.given, k), w.load(self.items, k)
            w.unless(self._is_tensor(thing), self.lost)
            self.demand(self.held(self._node(thing), 0, small), 1)
            self.demand(self.held(data, 0, small), 2)  # the tuple is the other
            self.demand(self.held(data, BASE), 0)
            flags = b.and_(self.held(data, FLAGS, small), w.ir.Constant(small, CARRAY))
            self.demand(flags, CARRAY)

    def _is_tensor(self, thing: Any) -> Any:
        return self.w.b.icmp_signed("==", self.held(thing, HEAD - 8), self.w.number(id(Tensor)))

    def _node(self, tensor: Any) -> Any:
        """A Tensor's node; one whose memory was taken has none."""
        node = self.held(tensor, offset(Tensor, "node"))
        self.w.unless(self.w.b.icmp_signed("!=", node, self.w.number(0)), self.lost)
        self.demand(self.held(node, HEAD - 8), id(Node))
        return node
