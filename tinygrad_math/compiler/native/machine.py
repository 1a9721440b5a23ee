"""The interpreter: one function in machine code that walks a program's table, made once in a process.

A table is a row of 64-bit words that nobody writes to, so that threads share it. What lies where is told by cells: cell
k of a workspace holds the address at which an argument, a result, the workspace itself or the program's constants
begin in this call. An instruction is

    loop, data, length, operands, outer, strides at, operands at, outer at,
    dims ..., strides ..., (cell, offset) of each operand ..., (count, stride of each operand) of each outer loop ...

and runs `loop(pointers, dims, strides, data)`, NumPy's own signature of an inner loop (numpy/ufuncobject.h), once for
each place of the outer loops. Where `loop` is 0, `data` says which of the machine's own instructions it is:

    REPEAT, length, cell and offset of the number of times, words before the body, moved cells, swapped cells, chunk,
        times expected, (cell, stride) of each moved cell, (cell, cell) of each pair that is swapped, body ...
    SET, length, cell, cell that it is taken from, offset
    ROW, length, cell, cell that it is taken from, offset, cell and offset of a number, stride: that row of an array
    WHILE, length, cell and offset of a truth value: if it is false, the repeated body ends here, and is not repeated
    LIMIT, length, cell and offset of a number, number that it must not reach, error's message
    CALL, length, cell that holds a function of Python, which is called without arguments

A stretch of a program is a function of Python's own kind (METH_FASTCALL): it reads the arrays' addresses out of the
objects that it is called with, makes the arrays that it returns, and runs its part of the table. An object that lies
otherwise than the table was made for is handed, with all others, to a function in Python that brings them in order.
"""

from __future__ import annotations

import ctypes
import sysconfig
from typing import Any

import numpy as np

from ...core.errors import NoConvergence
from .assembly import Writer, assemble, llvm, once

LOOP_HEAD = 8  # words in front of an instruction's dims
MOST_OPERANDS, MOST_OUTER = 8, 40
REPEAT, SET, ROW, WHILE, LIMIT, CALL = 1, 2, 3, 4, 5, 6  # the machine's own instructions, see `_write_own`
REPEAT_HEAD = 10  # words in front of what moves on in a repeated body
OVER = 2  # what `run` returns where a repeated body has ended itself
ARRAY, OBJECT, NOTHING = 0, 1, 2  # how an argument is read: a NumPy array, a number in an object of one type, not
FRESH, GIVEN, NUMBER, FLOAT = 0, 1, 2, 3  # how a result is made: an array, an argument, a NumPy number, a float
HEAD = object.__basicsize__  # bytes in front of what an object holds
ITEMS = tuple.__basicsize__
DATA, NDIM, DIMS, STRIDES, BASE, DESCR, FLAGS = (HEAD + k for k in (0, 8, 16, 24, 32, 40, 48))
FASTCALL = 0x80
_NEW_FROM_DESCR, _SCALAR = 94, 60  # places in the table of NumPy's C interface, which never change


class Method(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def python(name: str) -> int:
    """The address of a function of Python's C interface."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


def of_numpy(place: int, table: str = "_ARRAY_API") -> int:
    """The address of a function of NumPy's C interface, by its place in one of its tables."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    start = pointer(getattr(np._core._multiarray_umath, table), None)  # type: ignore[attr-defined]
    return int(ctypes.cast(start, ctypes.POINTER(ctypes.c_void_p))[place] or 0)


def is_possible() -> bool:
    """Whether Python's objects lie as this machine reads them: those of CPython with one lock do."""
    return not sysconfig.get_config_var("Py_GIL_DISABLED") and np.ndarray.__basicsize__ >= FLAGS + 4


def _write_run(module: Any) -> Any:
    """`run(at, end, cells)`: the instructions from `at` to `end`; 0, or 1 where there is an error, or OVER."""
    ir = llvm().ir
    word, nothing = ir.IntType(64), ir.VoidType()
    pointer = word.as_pointer()
    w = Writer(module, "run", word, [pointer, pointer, pointer])
    b = w.b
    start, end, cells = w.arguments
    stopped = w.function.append_basic_block("stopped")
    here = ir.IRBuilder(w.entry).alloca(pointer)
    b.store(start, here)
    pointers, moving, counters = w.room(MOST_OPERANDS), w.room(MOST_OPERANDS), w.room(MOST_OUTER)
    signature = [pointer, pointer, pointer, pointer]
    with w.forever() as stop:
        pc = b.load(here)
        w.unless(b.icmp_unsigned("<", pc, end), stop)
        loop, data, length = w.load(pc, 0), w.load(pc, 1), w.load(pc, 2)
        b.store(w.at(pc, length), here)
        own, given, done = (w.function.append_basic_block(name) for name in ("own", "given", "done"))
        b.cbranch(b.icmp_unsigned("==", loop, w.number(0)), own, given)

        b.position_at_end(given)
        n, outer = w.load(pc, 3), w.load(pc, 4)
        strides, operands, loops = (w.at(pc, w.load(pc, k)) for k in (5, 6, 7))
        dims = w.at(pc, LOOP_HEAD)
        function = w.as_pointer(loop, ir.FunctionType(nothing, signature).as_pointer())
        handed = w.as_pointer(data)
        with w.repeat(n) as k:
            cell, offset = (w.load(operands, b.add(b.mul(k, w.number(2)), w.number(j))) for j in (0, 1))
            address = b.add(w.load(cells, cell), offset)
            w.store(address, pointers, k)
            w.store(address, moving, k)
        many = w.function.append_basic_block("many")
        once = w.function.append_basic_block("once")
        b.cbranch(b.icmp_unsigned("==", outer, w.number(0)), once, many)
        b.position_at_end(once)
        b.call(function, [pointers, dims, strides, handed])
        b.branch(done)

        b.position_at_end(many)
        with w.repeat(outer) as k:
            w.store(w.number(0), counters, k)
        row = b.add(n, w.number(1))
        with w.forever() as over:
            with w.repeat(n) as k:
                w.store(w.load(moving, k), pointers, k)
            b.call(function, [pointers, dims, strides, handed])
            axis = w.variable(b.sub(outer, w.number(1)))
            with w.forever() as moved:
                level = b.load(axis)
                w.unless(b.icmp_signed(">=", level, w.number(0)), over)
                this = w.at(loops, b.mul(level, row))
                count, reached = w.load(this), b.add(w.load(counters, level), w.number(1))
                full = b.icmp_signed("==", reached, count)
                back = b.select(full, b.sub(count, w.number(1)), w.number(-1))  # how many strides to go back
                with w.repeat(n) as k:
                    step = b.mul(back, w.load(this, b.add(k, w.number(1))))
                    w.store(b.sub(w.load(moving, k), step), moving, k)
                w.store(b.select(full, w.number(0), reached), counters, level)
                w.unless(full, moved)
                w.add(axis, w.number(-1))
        b.branch(done)

        b.position_at_end(own)
        _write_own(w, pc, length, cells, (done, stopped))
        b.position_at_end(done)
    b.ret(w.number(0))
    b.position_at_end(stopped)
    b.ret(w.number(1))
    w.done()
    return w.function


def _write_own(w: Writer, pc: Any, length: Any, cells: Any, ends: tuple[Any, Any]) -> None:
    """The machine's own instructions; each goes on at the first of `ends`, or ends with an error at the second."""
    ir, b = llvm().ir, w.b
    small, nothing = ir.IntType(32), ir.VoidType()
    done, stopped = ends

    def place(cell: int) -> Any:
        """The address that a cell and an offset tell, which begin at this word."""
        return b.add(w.load(cells, w.load(pc, cell)), w.load(pc, cell + 1))

    blocks = {kind: w.function.append_basic_block("own") for kind in (REPEAT, SET, ROW, WHILE, LIMIT, CALL)}
    choice = b.switch(w.load(pc, 1), done)
    for kind, block in blocks.items():
        choice.add_case(w.number(kind), block)

    b.position_at_end(blocks[SET])
    w.store(place(4), cells, w.load(pc, 3))
    b.branch(done)

    b.position_at_end(blocks[ROW])
    w.store(b.add(place(4), b.mul(w.load(w.as_pointer(place(6))), w.load(pc, 8))), cells, w.load(pc, 3))
    b.branch(done)

    b.position_at_end(blocks[WHILE])
    true = b.load(w.as_pointer(place(3), ir.IntType(8).as_pointer()))
    over = w.function.append_basic_block("over")
    b.cbranch(b.icmp_unsigned("!=", true, ir.Constant(ir.IntType(8), 0)), done, over)
    b.position_at_end(over)
    b.ret(w.number(OVER))

    b.position_at_end(blocks[LIMIT])
    beyond = w.function.append_basic_block("beyond")
    b.cbranch(b.icmp_signed("<", w.load(w.as_pointer(place(3))), w.load(pc, 5)), done, beyond)
    b.position_at_end(beyond)
    lock = w.call(python("PyGILState_Ensure"), small)
    w.call(python("PyErr_SetString"), nothing, w.number(id(NoConvergence)), w.load(pc, 6))
    w.call(python("PyGILState_Release"), nothing, lock)
    b.branch(stopped)

    b.position_at_end(blocks[CALL])
    lock = w.call(python("PyGILState_Ensure"), small)
    made = w.call(python("PyObject_CallNoArgs"), w.word, w.load(cells, w.load(pc, 3)))
    w.call(python("Py_DecRef"), nothing, made)  # which may be 0
    w.call(python("PyGILState_Release"), nothing, lock)
    b.cbranch(b.icmp_unsigned("!=", made, w.number(0)), done, stopped)

    b.position_at_end(blocks[REPEAT])
    body, moves, swaps, chunk = w.at(pc, w.load(pc, 5)), w.load(pc, 6), w.load(pc, 7), w.load(pc, 8)
    behind = w.at(pc, length)
    left = w.variable(chunk)  # until signals are looked for; of 0 it goes down from there, and never comes back
    with w.repeat(w.load(w.as_pointer(place(3)))):
        ended, going = (w.function.append_basic_block(name) for name in ("ended", "going"))
        how = b.call(w.function, [body, behind, cells])
        b.cbranch(b.icmp_unsigned("==", how, w.number(0)), going, ended)
        b.position_at_end(ended)
        b.cbranch(b.icmp_unsigned("==", how, w.number(OVER)), done, stopped)
        b.position_at_end(going)
        with w.repeat(moves) as k:
            pair = w.at(pc, b.add(b.mul(k, w.number(2)), w.number(REPEAT_HEAD)))
            cell = w.load(pair, 0)
            w.store(b.add(w.load(cells, cell), w.load(pair, 1)), cells, cell)
        with w.repeat(swaps) as k:
            pair = w.at(pc, b.add(b.mul(b.add(k, moves), w.number(2)), w.number(REPEAT_HEAD)))
            one, other = w.load(pair, 0), w.load(pair, 1)
            first, second = w.load(cells, one), w.load(cells, other)
            w.store(second, cells, one)
            w.store(first, cells, other)
        w.add(left, w.number(-1))
        look, on = (w.function.append_basic_block(name) for name in ("look", "on"))
        b.cbranch(b.icmp_signed("==", b.load(left), w.number(0)), look, on)
        b.position_at_end(look)  # with the lock, whether this thread holds it or has let it go
        b.store(chunk, left)
        lock = w.call(python("PyGILState_Ensure"), small)
        raised = w.call(python("PyErr_CheckSignals"), small)
        w.call(python("PyGILState_Release"), nothing, lock)
        w.unless(b.icmp_signed("==", raised, ir.Constant(small, 0)), stopped)
        b.branch(on)
        b.position_at_end(on)
    b.branch(done)


def _write_stretch(module: Any, run: Any) -> None:
    """`stretch(self, arguments, count)`: self is a tuple whose first item is the frame, an array of words.

    Frame: first and last word of the table, cells, arguments, rows of arguments, results, rows of results, whether the
    lock is let go, the function in Python.
    """
    ir = llvm().ir
    word, pointer, nothing = ir.IntType(64), ir.IntType(64).as_pointer(), ir.VoidType()
    small = ir.IntType(32)
    w = Writer(module, "stretch", word, [word, pointer, word])
    b = w.b
    me, arguments, count = w.arguments

    def held(address: Any, offset: int, kind: Any = None) -> Any:
        """What lies in an object, at this offset."""
        if kind is None:
            return b.load(w.as_pointer(b.add(address, w.number(offset))))
        return b.load(w.as_pointer(b.add(address, w.number(offset)), kind.as_pointer()))

    frame = w.as_pointer(held(held(me, ITEMS), DATA))
    start, end, cells = (w.as_pointer(w.load(frame, k)) for k in (0, 1, 2))
    rows, made_at, alone = w.as_pointer(w.load(frame, 4)), w.as_pointer(w.load(frame, 6)), w.load(frame, 7)
    otherwise = w.function.append_basic_block("otherwise")
    w.unless(b.icmp_signed("==", count, w.load(frame, 3)), otherwise)

    # arguments: a row is length, kind, cell, type, dtype, dims, (size, stride or the word that none is asked for) ...
    row = ir.IRBuilder(w.entry).alloca(pointer)
    b.store(rows, row)
    with w.repeat(count) as k:
        this, given = b.load(row), w.load(arguments, k)
        b.store(w.at(this, w.load(this, 0)), row)
        kind, cell = w.load(this, 1), w.load(this, 2)
        array, other, thing, on = (w.function.append_basic_block(n) for n in ("array", "other", "object", "on"))
        b.cbranch(b.icmp_signed("==", kind, w.number(ARRAY)), array, other)

        b.position_at_end(array)
        w.unless(b.icmp_signed("==", held(given, HEAD - 8), w.load(this, 3)), otherwise)
        w.unless(b.icmp_signed("==", held(given, DESCR), w.load(this, 4)), otherwise)
        flags, asked = b.zext(held(given, FLAGS, small), word), w.load(this, 6)
        w.unless(b.icmp_signed("==", b.and_(flags, asked), asked), otherwise)
        w.unless(b.icmp_signed("==", b.zext(held(given, NDIM, small), word), w.load(this, 5)), otherwise)
        dims, strides = w.as_pointer(held(given, DIMS)), w.as_pointer(held(given, STRIDES))
        with w.repeat(w.load(this, 5)) as j:
            pair = w.at(this, b.add(b.mul(j, w.number(2)), w.number(7)))
            w.unless(b.icmp_signed("==", w.load(dims, j), w.load(pair, 0)), otherwise)
            stride = w.load(pair, 1)
            same = b.icmp_signed("==", w.load(strides, j), stride)
            w.unless(b.or_(same, b.icmp_signed("==", stride, w.number(ANY))), otherwise)
        w.store(held(given, DATA), cells, cell)
        b.branch(on)

        b.position_at_end(other)
        b.cbranch(b.icmp_signed("==", kind, w.number(OBJECT)), thing, on)
        b.position_at_end(thing)
        w.unless(b.icmp_signed("==", held(given, HEAD - 8), w.load(this, 3)), otherwise)
        w.store(b.add(given, w.number(HEAD)), cells, cell)
        b.branch(on)
        b.position_at_end(on)

    # results: kind, cell, dtype, dims, where the sizes are, where the strides are or 0, the offset
    results = w.load(frame, 5)
    tuple_ = w.call(python("PyTuple_New"), word, results)
    failed = w.function.append_basic_block("failed")
    w.unless(b.icmp_signed("!=", tuple_, w.number(0)), failed)
    items = w.as_pointer(b.add(tuple_, w.number(ITEMS)))
    lost = w.function.append_basic_block("lost")
    array_type = w.number(id(np.ndarray))
    with w.repeat(results) as k:
        this = w.at(made_at, b.mul(k, w.number(7)))
        fresh, on = (w.function.append_basic_block(n) for n in ("fresh", "on"))
        b.cbranch(b.icmp_signed("==", w.load(this, 0), w.number(FRESH)), fresh, on)
        b.position_at_end(fresh)
        descr = w.load(this, 2)
        w.call(python("Py_IncRef"), nothing, descr)
        zero32, null = ir.Constant(small, 0), w.number(0)
        dims = b.trunc(w.load(this, 3), small)
        make = of_numpy(_NEW_FROM_DESCR)
        new = w.call(make, word, array_type, descr, dims, w.load(this, 4), w.load(this, 5), null, zero32, null)
        w.unless(b.icmp_signed("!=", new, w.number(0)), lost)
        w.store(new, items, k)
        w.store(held(new, DATA), cells, w.load(this, 1))
        b.branch(on)
        b.position_at_end(on)

    free, kept, ran = (w.function.append_basic_block(n) for n in ("free", "kept", "ran"))
    b.cbranch(b.icmp_signed("!=", alone, w.number(0)), free, kept)
    b.position_at_end(free)
    state = w.call(python("PyEval_SaveThread"), word)
    b.call(run, [start, end, cells])
    w.call(python("PyEval_RestoreThread"), nothing, state)
    b.branch(ran)
    b.position_at_end(kept)
    b.call(run, [start, end, cells])
    b.branch(ran)
    b.position_at_end(ran)
    error = w.call(python("PyErr_Occurred"), word)
    w.unless(b.icmp_signed("==", error, w.number(0)), lost)

    with w.repeat(results) as k:
        this = w.at(made_at, b.mul(k, w.number(7)))
        kind = w.load(this, 0)
        names = ("given", "scalar", "float", "after")
        given, scalar, real, after = (w.function.append_basic_block(n) for n in names)
        choice = b.switch(kind, after)
        choice.add_case(w.number(GIVEN), given)
        choice.add_case(w.number(NUMBER), scalar)
        choice.add_case(w.number(FLOAT), real)
        b.position_at_end(given)
        thing = w.load(arguments, w.load(this, 1))
        w.call(python("Py_IncRef"), nothing, thing)
        w.store(thing, items, k)
        b.branch(after)
        b.position_at_end(scalar)
        where = b.add(w.load(cells, w.load(this, 1)), w.load(this, 6))
        new = w.call(of_numpy(_SCALAR), word, where, w.load(this, 2), w.number(0))
        w.unless(b.icmp_signed("!=", new, w.number(0)), lost)
        w.store(new, items, k)
        b.branch(after)
        b.position_at_end(real)
        where = b.add(w.load(cells, w.load(this, 1)), w.load(this, 6))
        double = ir.DoubleType()
        new = w.call(python("PyFloat_FromDouble"), word, b.load(w.as_pointer(where, double.as_pointer())))
        w.unless(b.icmp_signed("!=", new, w.number(0)), lost)
        w.store(new, items, k)
        b.branch(after)
        b.position_at_end(after)
    b.ret(tuple_)

    b.position_at_end(lost)
    w.call(python("Py_DecRef"), nothing, tuple_)
    b.branch(failed)
    b.position_at_end(failed)
    b.ret(w.number(0))
    b.position_at_end(otherwise)
    b.ret(
        w.call(python("PyObject_Vectorcall"), word, w.load(frame, 8), b.ptrtoint(arguments, word), count, w.number(0))
    )
    w.done()


ANY = -(1 << 62)  # a stride that is not asked for: that of one row, or of none


@once
def machine() -> Method:
    """The interpreter, assembled once, as the definition of a method."""
    ir = llvm().ir
    module = ir.Module("machine")
    _write_stretch(module, _write_run(module))
    return Method(b"stretch", assemble(module)["stretch"], FASTCALL, None)


def function(method: Method, parts: tuple[Any, ...]) -> Any:
    """A function of Python's own kind, which is handed `parts` and keeps them alive."""
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.POINTER(Method), ctypes.py_object, ctypes.c_void_p]
    return make(ctypes.byref(method), parts, None)


def stretch(parts: tuple[Any, ...]) -> Any:
    """A function over a frame, the first of `parts`."""
    return function(machine(), parts)
