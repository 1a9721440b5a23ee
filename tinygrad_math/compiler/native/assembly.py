"""LLVM made ready: machine code for this processor, kept as long as the process lives.

llvmlite is an optional extra, loaded by the first program that asks for native code. Without it `needed` raises a
named error.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import lru_cache, wraps
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ...core.errors import MissingExtra, installing

P = ParamSpec("P")
R = TypeVar("R")
_lock = threading.RLock()


def once(f: Callable[P, R]) -> Callable[P, R]:
    """f, whose results are kept, and which runs in a thread of its own.

    An interrupt strikes the main thread alone, and in the middle of LLVM it leaves objects half made, on which the
    process may end. So it ends the wait, and what was begun is there for the next call.
    """
    made: dict[tuple[Hashable, ...], R] = {}
    lock = threading.RLock()

    def make(*key: Any) -> R:
        with lock:
            if key not in made:
                made[key] = f(*key)  # type: ignore[call-arg]
        return made[key]

    @wraps(f)
    def found(*key: Any) -> R:
        try:
            return made[key]
        except KeyError:
            return apart(make, *key)

    return found  # type: ignore[return-value]


def apart(f: Callable[..., R], *args: Any) -> R:
    """What f gives in a thread that no interrupt strikes; outside the main thread, here."""
    if threading.current_thread() is not threading.main_thread():
        return f(*args)
    done: Future[R] = Future()

    def run() -> None:
        try:
            done.set_result(f(*args))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="native", daemon=True).start()
    return done.result()


def is_there() -> bool:
    """Whether llvmlite is installed; nothing is loaded."""
    try:
        return importlib.util.find_spec("llvmlite") is not None
    except (ImportError, ValueError):  # a finder that keeps it from being imported; a module in its place
        return False


def lacking() -> str:
    """Why llvmlite cannot be used here; nothing where it can."""
    if not is_there():
        return "which is not installed"
    try:
        from llvmlite import binding  # noqa: F401
    except Exception as error:  # whatever a broken installation raises
        return f"which is installed and cannot be loaded ({type(error).__name__}: {error})"
    return ""


def needed(asker: str = 'compile(backend="native")') -> None:
    """Raise where native code cannot be made here."""
    why = lacking()
    if why:
        raise MissingExtra(
            f"{asker} needs llvmlite, {why}: pip install llvmlite, or {installing('native')}"
            + ('; backend="auto" takes it where it is there' if "backend" in asker else "")
        )


@once
def host_features() -> dict[str, bool]:
    """What this processor can do, less the wide vectors that NumPy was told not to use (NPY_DISABLE_CPU_FEATURES)."""
    needed()
    from llvmlite import binding

    found = dict(binding.get_host_cpu_features())
    known: dict[str, bool] = getattr(np._core._multiarray_umath, "__cpu_features__", {})  # type: ignore[attr-defined]
    if not (known.get("AVX512F", True) and known.get("X86_V4", True)):
        found.update({name: False for name in found if name.startswith(("avx512", "avx10", "evex512"))})
    return found


def written(features: dict[str, bool]) -> str:
    """Features as LLVM reads them."""
    return ",".join(f"{'+' if there else '-'}{name}" for name, there in sorted(features.items()))


@once
def llvm() -> Any:
    """llvmlite's two halves, and the engine that keeps what has been assembled."""
    needed()
    from llvmlite import binding, ir

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = written(host_features())
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=2, jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    return SimpleNamespace(binding=binding, ir=ir, machine=machine, engine=engine)


@lru_cache(1)
def vector_bytes() -> int:
    """How wide the processor's vectors are."""
    features = host_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


def assemble(module: Any, vectors: bool = False) -> dict[str, int]:
    """The addresses of the functions of a module of `llvmlite.ir`, after the optimiser, which may look for vectors."""
    with _lock:
        tools = llvm()
        module.triple = tools.machine.triple
        module.data_layout = str(tools.machine.target_data)
        parsed = tools.binding.parse_assembly(str(module))
        options = tools.binding.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = vectors
        passes = tools.binding.create_pass_builder(tools.machine, options)
        passes.getModulePassManager().run(parsed, passes)
        tools.engine.add_module(parsed)
        tools.engine.finalize_object()
        return {f.name: tools.engine.get_function_address(f.name) for f in module.functions if f.blocks}


class Writer:
    """Writes one function in LLVM's language: integers of 64 bits, pointers to them, loops and branches."""

    def __init__(self, module: Any, name: str, result: Any, arguments: list[Any]) -> None:
        self.ir: Any = llvm().ir
        self.word = self.ir.IntType(64)
        self.pointer = self.word.as_pointer()
        self.function = self.ir.Function(module, self.ir.FunctionType(result, arguments), name)
        self.entry = self.function.append_basic_block("entry")
        self.b = self.ir.IRBuilder(self.function.append_basic_block("start"))
        self.first = self.b.block
        self.arguments = self.function.args

    def inside(self) -> None:
        """Let the function be called from its own module alone, and stay a function: it is assembled once."""
        self.function.linkage = "internal"
        self.function.attributes.add("noinline")

    def done(self) -> None:
        """Let the entry, in which room for variables is made, go on to the code."""
        self.ir.IRBuilder(self.entry).branch(self.first)

    def number(self, n: int) -> Any:
        return self.ir.Constant(self.word, n)

    def room(self, n: int = 1) -> Any:
        """A pointer to n words of the function's own."""
        return self.ir.IRBuilder(self.entry).alloca(self.word, n)

    def variable(self, start: Any) -> Any:
        """The place of a word or a pointer, which begins as `start`."""
        place = self.ir.IRBuilder(self.entry).alloca(start.type)
        self.b.store(start, place)
        return place

    def add(self, place: Any, n: Any) -> None:
        self.b.store(self.b.add(self.b.load(place), n), place)

    def at(self, pointer: Any, k: Any) -> Any:
        """The pointer to word k from here."""
        return self.b.gep(pointer, [self.number(k) if isinstance(k, int) else k])

    def load(self, pointer: Any, k: Any = 0) -> Any:
        return self.b.load(self.at(pointer, k))

    def store(self, value: Any, pointer: Any, k: Any = 0) -> None:
        self.b.store(value, self.at(pointer, k))

    def as_pointer(self, n: Any, kind: Any = None) -> Any:
        return self.b.inttoptr(n, self.pointer if kind is None else kind)

    def call(self, address: Any, result: Any, *arguments: Any) -> Any:
        """A call of the function at this address, an integer known now or then."""
        if isinstance(address, int):
            address = self.number(address)
        kind = self.ir.FunctionType(result, [a.type for a in arguments])
        return self.b.call(self.b.inttoptr(address, kind.as_pointer()), arguments)

    @contextmanager
    def repeat(self, n: Any) -> Iterator[Any]:
        """A loop over 0 .. n - 1; n is not negative."""
        head, body, end = (self.function.append_basic_block(name) for name in ("head", "body", "end"))
        k = self.variable(self.number(0))
        self.b.branch(head)
        self.b.position_at_end(head)
        self.b.cbranch(self.b.icmp_signed("<", self.b.load(k), n), body, end)
        self.b.position_at_end(body)
        yield self.b.load(k)
        self.add(k, self.number(1))
        self.b.branch(head)
        self.b.position_at_end(end)

    @contextmanager
    def forever(self) -> Iterator[Any]:
        """A loop that ends by a branch to what it yields."""
        body, end = (self.function.append_basic_block(name) for name in ("body", "end"))
        self.b.branch(body)
        self.b.position_at_end(body)
        yield end
        self.b.branch(body)
        self.b.position_at_end(end)

    @contextmanager
    def when(self, condition: Any) -> Iterator[None]:
        """What is written within runs if the condition holds."""
        true, on = (self.function.append_basic_block(name) for name in ("true", "on"))
        self.b.cbranch(condition, true, on)
        self.b.position_at_end(true)
        yield
        self.b.branch(on)
        self.b.position_at_end(on)

    def least(self, x: Any, y: Any) -> Any:
        """The lesser of two whole numbers."""
        return self.b.select(self.b.icmp_signed("<", x, y), x, y)

    def keep_order(self) -> None:
        """Let LLVM move no load and no store over this place."""
        nothing = self.ir.FunctionType(self.ir.VoidType(), [])
        self.b.asm(nothing, "", "~{memory}", [], True)

    def unless(self, condition: Any, target: Any) -> None:
        """Go to the block `target` if the condition does not hold."""
        on = self.function.append_basic_block("on")
        self.b.cbranch(condition, on, target)
        self.b.position_at_end(on)
