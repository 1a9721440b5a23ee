"""A program made ready to run: traced, improved, planned, printed, and called with arrays."""

from __future__ import annotations

import contextvars
import copy
import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..core.arguments import is_of_the_user
from ..core.errors import ArgumentError, MathError
from ..core.mode import MODE, witnesses
from ..core.node import DIFFERENTIABLE, TRANSFORMED, finished
from ..core.quiet import silence
from ..core.spent import STEP
from ..core.tensor import Node, Tensor, fresh, spent, wrap
from ..core.tree import Origin, Structure, Tie, container, flatten, unflatten
from .blocks import default_threads
from .derivatives import Compile, Differentiable, Recording
from .emit import emit
from .environment import Environment
from .find import FAILURES, derivatives_wanted
from .handlers import may_catch
from .leaves import is_static, objects_in, uncompiled
from .memory import plan
from .passes import improve
from .passes.ahead import draw_ahead
from .profile import Profile, profile
from .program import ARITHMETIC, Program, Value
from .remade import is_object
from .retyped import Retyped, check_types
from .trace import Fixed, Traced

if TYPE_CHECKING:
    from .native import Native


class Executable:
    """One program and its workspaces. Several threads may call it: each takes a workspace of its own."""

    def __init__(
        self,
        f: Callable[..., Any],
        traced: Traced,
        environment: Environment,
        leaves: Sequence[Any],
        donated: Sequence[bool] = (),
        threads: int | None = None,
        compile: Compile | None = None,
        fast_math: bool = False,
        backend: str = "numpy",
    ) -> None:
        self.f, self.traced, self.environment, self.hidden = f, traced, environment, traced.hidden
        self.retyped = check_types(traced.program)
        self.recording = Recording(self.traced.program)
        self.as_it_is = traced.hooked or (self.retyped and self.recording.random)
        if backend != "numpy":
            draw_ahead(self.traced.program)
        self.program: Program = improve(
            self.traced.program, fast_math, apart=_sines_apart(backend), blas=backend == "numpy"
        )
        moving = [d for leaf, d in zip(leaves, donated or [False] * len(leaves), strict=True) if not is_static(leaf)]
        taken = {
            a
            for a, d in zip(self.program.arguments, moving, strict=False)
            if d and isinstance(a.example, np.ndarray) and a.shape and not self.retyped
        }
        self.donated = [k for k, a in enumerate(self.program.arguments) if a in taken]
        self.plan = plan(self.program, frozenset(taken))
        self.threads = threads or default_threads()
        self.source = emit(self.program, self.plan, self.threads)
        self.native: Native | None = None
        if backend != "numpy":
            from .native import native

            self.native = native(self.program, self.plan, self.threads, backend)
        self.make = self.source.build() if self.native is None else self.native.make
        self.program.release()
        self.program.profile = lambda *args, repeat=50, **kwargs: self.profile(args, kwargs, repeat)
        self.pool: list[Callable[..., Any]] = []
        numbers = _python_numbers(self.program)
        self.numbers = [r in numbers for r in self.program.results]
        new, of_step = (fresh, spent) if self.native is None else (self.native.fresh, self.native.spent)
        parts = self.traced, self.program, self.numbers
        self.finish = self.finish_step = _finisher(*parts, new)
        self.losing = _losing(self.traced, self.recording)
        if self.losing:
            self.finish_step = _finisher(*parts, new, self.losing, of_step)
        self.look = environment.look(self.hidden)
        self.catches = not self.donated and may_catch(environment.functions)  # else f has lost its arguments
        self.differentiable: Differentiable | None = None
        if compile is not None and not self.recording.random and not self.donated:
            reasons = DIFFERENTIABLE | (TRANSFORMED if self.traced.transformed else 0)
            self.differentiable = Differentiable(self.program.name, self.recording, self.run, compile, reasons)

    def workspace(self, function: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """The program's function over a new workspace, in a context in which NumPy does not warn."""
        if function is None and self.native is not None and self.native.whole:
            return self.make()  # nothing in it asks NumPy
        context = contextvars.copy_context()
        context.run(silence)
        return functools.partial(context.run, function or self.make())

    def __call__(
        self, arrays: Sequence[Any], hidden: Sequence[Tensor], given: Any, f: Callable[..., Any], step: bool = False
    ) -> Any:
        """What f returns for these arrays, and Tensors from around it; f runs as it is where it must.

        Of a `step` of training see `is_step`.
        """
        if self.as_it_is:
            return uncompiled(f, given)
        try:
            if hidden:
                if not step and derivatives_wanted() and any(t.node.live for t in hidden):
                    return uncompiled(f, given) if self.differentiable is None else self.recorded(arrays, hidden, given)
                arrays = [*arrays, *(t.node.data for t in hidden)]
            return (self.finish_step if step else self.finish)(self.run(arrays), given)
        except Retyped:
            return uncompiled(f, given)
        except Exception:
            if not self.catches:
                raise
            return uncompiled(f, given)

    def is_step(self, arguments: Sequence[Any], hidden: Sequence[Tensor]) -> bool:
        """Whether this call is a step of training, whose results are leaves, or values without a graph that say so.

        Whatever requires a gradient is then what an update took, and no derivative through it is to be expected.
        """
        args = [(t.node, s) for t, s in zip(arguments, self.traced.settled, strict=True) if isinstance(t, Tensor)]
        return (
            any(self.traced.settled)
            and all(not n.live or n.op is STEP or (s and finished(n)) for n, s in args)
            and self.around_a_step(hidden)
        )

    def around_a_step(self, hidden: Sequence[Tensor]) -> bool:
        """Whether no derivative is to be expected in what a step of training reaches beside its arguments."""
        return all(
            not t.node.live or t.node.op is STEP or (t._tree_leaf() is not None and finished(t.node)) for t in hidden
        )

    def run(self, arrays: Sequence[Any]) -> Any:
        """The program's results for these arguments, hidden ones included."""
        if MODE.innermost() is not None:
            for witness in witnesses():
                witness.called(self, arrays)
        try:
            run = self.pool.pop()
        except IndexError:
            run = self.workspace()
        try:
            out = run(*arrays)
        except FAILURES as error:
            self.fail(error, arrays)
        self.pool.append(run)
        return out

    def recorded(
        self, arguments: Sequence[Any], hidden: Sequence[Tensor], args: Any, taken: Structure | None = None
    ) -> Any:
        """The function's results as one node of the graph, for derivatives in arguments and in hidden parameters."""
        assert self.differentiable is not None
        given = [*arguments, *hidden]
        kept = any(isinstance(given[k], Tensor) and given[k].node.live for k in self.traced.paced)
        parts = self.differentiable(given)
        borrowed = self.traced.borrowed
        structure, objects = borrowed.again(args, taken) if borrowed else (self.traced.structure, borrowed.objects)
        rest = iter(objects)
        leaves = [
            fixed(o.leaf, rest) if isinstance(o, Fixed) else parts[o].node.data if self.numbers[o] else parts[o]
            for o in self.traced.outputs
        ]
        return unflatten(structure, leaves, "attached" if kept else True)

    def names_of_donated(self) -> list[str]:
        """How each donated argument is spoken of."""
        return [f"{self.program.arguments[k].name} to the compiled {self.program.name}" for k in self.donated]

    def check_donated(self, arrays: Sequence[Any]) -> None:
        """Raise if a donated array is passed twice, so that overwriting one would change the other, or is read-only."""
        for k in self.donated:
            if not arrays[k].flags.writeable:
                raise ArgumentError(f"{self.program.arguments[k].name} is donated, but its array is read-only; copy it")
        ids = [id(a) for a in arrays]
        if len(set(ids)) == len(ids):
            return
        for k in self.donated:
            if ids.count(ids[k]) > 1:
                name = self.program.arguments[k].name
                raise ArgumentError(
                    f"{name} is donated, and the same array is also passed as another argument; copy it"
                )

    def profile(self, args: Any, kwargs: Any, repeat: int = 50) -> Profile:
        """Time and bytes of every instruction, for arguments that this program fits."""
        leaves, structure = flatten((args, kwargs))
        hidden = self.look([self.f, *(x for _, x in objects_in(structure, leaves))])
        moving = [leaf for leaf in [*leaves, *hidden] if not is_static(leaf)]
        return profile(self, [leaf.node.data if isinstance(leaf, Tensor) else leaf for leaf in moving], repeat)

    def fail(self, error: Exception, arrays: Sequence[Any]) -> NoReturn:
        """Raise what a function of the user's raised, as it is, or the named error for what NumPy said: that is found
        by running the program again, instruction by instruction."""
        if is_of_the_user(error):
            raise error
        try:
            self.program.run(*arrays)
        except MathError as named:
            raise named from None
        raise error


def _sines_apart(backend: str) -> Callable[[], bool]:
    """Tells whether sines and cosines of one array are quicker apart."""

    def apart() -> bool:
        if backend == "numpy":
            return False
        from .native import sines_are_quick

        return sines_are_quick()

    return apart


def _losing(traced: Traced, recording: Recording) -> frozenset[int]:
    """Which leaves of what a step of training returns have a derivative in what the update took, and lose it.

    What the update made is a leaf, and so is what stands in the place of a parameter.
    """
    places = {k for k, s in enumerate(traced.settled) if s} | set(range(len(traced.settled), recording.arguments))
    if not any(traced.settled):
        return frozenset()
    roles = _roles(traced.structure)
    return frozenset(
        k
        for k, (o, role) in enumerate(zip(traced.outputs, roles, strict=True))
        if not isinstance(o, Fixed)
        and not traced.made[o]
        and not places.isdisjoint(recording.reached[o])
        and (role is None or role[1] is None)
    )


def _roles(structure: Structure) -> Iterator[tuple[Any, ...] | None]:
    """For each leaf of a tree the role of its place."""
    if structure.kind is None:
        yield structure.extra
    for child in structure.children:
        yield from _roles(child)


def anew(leaf: Any) -> Any:
    """A result that is the same at every call, in memory of its own."""
    if isinstance(leaf, Tensor) and not leaf.node.live:
        return wrap(Node(np.array(leaf.node.data)[()]))
    if isinstance(leaf, Tensor) and leaf.node.op is None:  # a leaf that the function makes
        return copy.copy(leaf)
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def fixed(leaf: Any, objects: Iterator[Any]) -> Any:
    """A result that is the same at every call; of those that are objects the next one that this call has."""
    return next(objects) if is_object(leaf) else anew(leaf)


def _number_in(leaf: Any) -> Any:
    """The NumPy number that a Tensor without history is; None of anything else."""
    if type(leaf) is not Tensor or leaf.node.live:
        return None
    number = np.array(leaf.node.data)[()]
    return number if isinstance(number, np.generic) else None


def _python_numbers(program: Program) -> set[Value]:
    """Where f has a Python number: arithmetic of numbers; a function of this package gives a Tensor."""
    found = {v for v in (*program.arguments, *program.constants()) if v.weak}
    for v in program.body:
        if v.weak and v.title in ARITHMETIC and found.issuperset(v.inputs):
            found.add(v)
    return found


def _finisher(
    traced: Traced,
    program: Program,
    numbers: Sequence[bool],
    new: Callable[[Any], Tensor] = fresh,
    losing: Collection[int] = (),
    of_step: Callable[[Any], Tensor] = spent,
) -> Callable[[Any, Any], Any]:
    """From a program's results to what the user's function returned: one expression, where that is possible.

    It is given the arguments, too, whose own objects may be part of that.

    Leaves of it that are `losing` their graph know that.
    """
    scope: dict[str, Any] = {
        "container": container,
        "fresh": new,
        "spent": of_step,
        "unflatten": unflatten,
        "anew": anew,
    }
    scope["array"] = np.asarray
    results = program.results
    leaves, objects = [], 0
    for k, o in enumerate(traced.outputs):
        if isinstance(o, Fixed) and traced.borrowed and is_object(o.leaf):
            leaves.append(f"objects[{objects}]")
            objects += 1
        elif isinstance(o, Fixed):
            number = _number_in(o.leaf)
            scope[f"fixed{k}"] = o.leaf if number is None else number
            anew_ = f"anew(fixed{k})" if isinstance(o.leaf, (Tensor, np.ndarray)) else f"fixed{k}"
            leaves.append(anew_ if number is None else f"fresh(fixed{k})")
        else:
            value = f"array(out[{o}])[()]" if results[o].weak else f"out[{o}]"
            leaves.append(f"out[{o}]" if numbers[o] else f"{'spent' if k in losing else 'fresh'}({value})")
    before = ""
    if traced.borrowed:
        scope["again"] = traced.borrowed.again
        before = "structure, objects = again(given)\n    "
        text = f"unflatten(structure, [{', '.join(leaves)}])"
    elif _simple(traced.structure):
        text = _written(traced.structure, iter(leaves), scope)
    else:
        scope["structure"] = traced.structure
        text = f"unflatten(structure, [{', '.join(leaves)}])"
    exec(_compiled(f"def finish(out, given):\n    {before}return {text}\n"), scope)
    finish: Callable[[Any, Any], Any] = scope["finish"]
    return finish


@functools.lru_cache(1000)
def _compiled(text: str) -> CodeType:
    """The code of a text that many programs share."""
    return compile(text, "<finish>", "exec")


def _simple(s: Structure) -> bool:
    """Whether a tree is one of plain leaves in containers, none of which has a way of its own to be built."""
    whole = s.extra is None if s.kind is None else not hasattr(s.kind, "tree_unflatten") and s.kind is not Tie
    return whole and not isinstance(s, Origin) and all(map(_simple, s.children))


def _written(s: Structure, leaves: Iterator[str], scope: dict[str, Any]) -> str:
    """The tree as an expression over the texts of its leaves; what it needs beside them is put into the scope."""
    if s.kind is None:
        return next(leaves)
    if s.kind is type(None):
        return "None"
    parts = [_written(child, leaves, scope) for child in s.children]
    inner = ", ".join(parts)
    if s.kind is list:
        return f"[{inner}]"
    if s.kind is tuple:
        return f"({inner}{',' if len(parts) == 1 else ''})"
    kind, keys, extra = (f"{part}{len(scope)}" for part in ("kind", "keys", "extra"))
    scope.update({kind: s.kind, keys: s.keys, extra: s.extra})
    if s.kind is dict:
        names = [repr(k) if type(k) is str else f"{keys}[{i}]" for i, k in enumerate(s.keys)]
        return "{" + ", ".join(map("{}: {}".format, names, parts)) + "}"
    return f"container({kind}, {keys}, [{inner}], {extra})"


def title_of(f: Any) -> str:
    """The name of a function, or of what a partial or a module stands for."""
    return str(getattr(getattr(f, "func", f), "__name__", type(f).__name__))


def argument_names(f: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """A name for every leaf that is traced: the parameter's, and below it the keys of the tree."""
    try:
        signature = inspect.signature(f)
        bound = signature.bind(*args, **kwargs).arguments
        named: list[tuple[str, Any]] = []
        for title, value in bound.items():
            kind = signature.parameters[title].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                named += list(value.items())
            else:
                named.append((title, value))
    except (TypeError, ValueError):
        named = [(f"x{k}", a) for k, a in enumerate(args)] + list(kwargs.items())
    leaves, structure = flatten([value for _, value in named])
    paths = [title + p for (title, _), s in zip(named, structure.children, strict=True) for p in _paths(s)]
    return [path for path, leaf in zip(paths, leaves, strict=True) if not is_static(leaf)]


def _paths(structure: Structure) -> list[str]:
    if structure.kind is None:
        return [""]
    return [f"_{key}{p}" for key, child in zip(structure.keys, structure.children, strict=True) for p in _paths(child)]
