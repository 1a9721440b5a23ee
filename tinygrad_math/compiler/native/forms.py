"""Floats of one size, alone and in vectors as wide as the processor's, in LLVM's language."""

from __future__ import annotations

from typing import Any

from .assembly import llvm, vector_bytes


def lanes(char: str) -> int:
    """Elements in a vector, of float64 ("d") or float32 ("f")."""
    return vector_bytes() // (8 if char == "d" else 4)


class Form:
    """float64 or float32: its types, and what is done with vectors. `b` is LLVM's builder; offsets are in bytes."""

    def __init__(self, module: Any, char: str) -> None:
        self.ir = ir = llvm().ir
        self.module = module
        self.kind, self.size = (ir.DoubleType(), 8) if char == "d" else (ir.FloatType(), 4)
        self.width = lanes(char)
        self.vector = ir.VectorType(self.kind, self.width)
        self.byte = ir.IntType(8).as_pointer()
        self.small = ir.IntType(32)
        self.zeros = ir.Constant(self.vector, [ir.Constant(self.kind, 0.0)] * self.width)

    def at(self, b: Any, base: Any, offset: Any, kind: Any = None) -> Any:
        """The address of an element, or of what else is asked for."""
        return b.bitcast(b.gep(base, [offset]), (kind or self.kind).as_pointer())

    def load(self, b: Any, base: Any, offset: Any) -> Any:
        return b.load(self.at(b, base, offset), align=1)

    def store(self, b: Any, value: Any, base: Any, offset: Any) -> None:
        b.store(value, self.at(b, base, offset, value.type), align=1)

    def load_vector(self, b: Any, base: Any, offset: Any, lanes: int = 0) -> Any:
        """A whole vector, or one of fewer lanes."""
        kind = self.ir.VectorType(self.kind, lanes) if lanes else self.vector
        return b.load(self.at(b, base, offset, kind), align=1)

    def prefetch(self, b: Any, base: Any, offset: Any) -> None:
        """Let the first cache have what will be read here; where nothing is, nothing happens."""
        place = b.gep(base, [offset])
        read, near, data = (self.ir.Constant(self.small, n) for n in (0, 3, 1))
        kinds = [place.type, *[self.small] * 3]
        b.call(self._intrinsic("llvm.prefetch.p0", kinds, self.ir.VoidType()), [place, read, near, data])

    def load_some(self, b: Any, base: Any, offset: Any, mask: Any) -> Any:
        """A vector of the elements for which the mask holds, and zeros; nothing else is read."""
        place = self.at(b, base, offset, self.vector)
        kinds = [place.type, self.small, mask.type, self.vector]
        load = self._intrinsic(f"llvm.masked.load.v{self.width}f{8 * self.size}.p0", kinds)
        return b.call(load, [place, self.ir.Constant(self.small, 1), mask, self.zeros])

    def mask(self, b: Any, count: Any) -> Any:
        """True for the first `count` lanes, a number of 64 bits that may be negative or beyond them."""
        numbers = self.ir.Constant(self.ir.VectorType(count.type, self.width), list(range(self.width)))
        return b.icmp_signed("<", numbers, self.spread(b, count))

    def spread(self, b: Any, x: Any, lanes: int = 0) -> Any:
        """x in each lane, of a whole vector or of one of fewer lanes."""
        ir, lanes = self.ir, lanes or self.width
        undefined = ir.Constant(ir.VectorType(x.type, lanes), ir.Undefined)
        one = b.insert_element(undefined, x, ir.Constant(self.small, 0))
        return b.shuffle_vector(one, undefined, self.picks([0] * lanes))

    def picks(self, numbers: list[int]) -> Any:
        """Which lanes of two vectors a shuffle takes."""
        return self.ir.Constant(self.ir.VectorType(self.small, len(numbers)), numbers)

    def fma(self, b: Any, x: Any, y: Any, z: Any) -> Any:
        """x y + z, rounded once."""
        return b.call(self._intrinsic(f"llvm.fma.v{self.width}f{8 * self.size}", [self.vector] * 3), [x, y, z])

    def _intrinsic(self, name: str, kinds: list[Any], result: Any = None) -> Any:
        known = self.module.globals.get(name)
        return known or self.ir.Function(self.module, self.ir.FunctionType(result or self.vector, kinds), name)
