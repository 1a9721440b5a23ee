"""Plain numbers in reach of a function that change from call to call: read at each call, as closed-over Tensors are.

A program is made for the numbers that it was traced with. Of one that has had three values by now (a count of steps,
an annealed coefficient) it would be made again and again. So the function is traced once more with a `Moving` in the
place of each such number, which notes what is done with it. Arithmetic with other numbers is noted as Python's own, to
be done again by Python at each call; beside a Tensor what came out is a hidden argument of the program, a Python number
of weak type. Where the function asks for more (`if step > 10`, an index, a text) it is told, and what it was told must
hold for the program.
"""

from __future__ import annotations

import math
import operator
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import BuiltinFunctionType, ModuleType
from typing import Any

import numpy as np

from ..core.node import Constant
from ..core.standing import Number
from ..core.tensor import Node, Tensor, clock, wrap
from .environment import Environment
from .facts import UNSET, Fact
from .later import later
from .places import Place, is_number, place_of
from .shown import is_just_shown
from .values import frozen

_SCALARS = (int, float, bool, complex)


_AS_TENSOR = "t = new(Tensor); t.node = n = new(Constant); n.data = x; return t"


def _is_scalar(x: Any) -> bool:
    return type(x) in _SCALARS or issubclass(type(x), (np.number, np.bool_))


class Formula:
    """A number as it is computed at each call: one that is read, or a function of Python's of some others."""

    __slots__ = ("f", "fact", "node", "parts", "value")

    def __init__(self, value: Any, f: Any = None, parts: Sequence[Any] = (), fact: Fact | None = None) -> None:
        self.value, self.f, self.parts, self.fact = value, f, tuple(parts), fact
        self.node: Node | None = None

    def leaves(self) -> list[Formula]:
        """The numbers that are read, each once."""
        found: dict[Formula, None] = {}
        stack = [self]
        while stack:
            formula = stack.pop()
            if formula.f is None:
                found[formula] = None
            stack += [p for p in formula.parts if type(p) is Formula]
        return list(found)

    def reader(self, ending: str) -> Callable[..., Any]:
        """The number as a function of the leaves, returned by `ending`; UNSET where it cannot be computed."""
        scope: dict[str, Any] = {"new": object.__new__, "Tensor": Tensor, "Constant": Constant, "UNSET": UNSET}
        names = {leaf: f"v{k}" for k, leaf in enumerate(self.leaves())}

        def written(x: Any) -> str:
            if type(x) is not Formula or x.f is not None:
                name = f"k{len(scope)}"
                scope[name] = x.f if type(x) is Formula else x
                return f"{name}({', '.join(map(written, x.parts))})" if type(x) is Formula else name
            return names[x]

        lines = f"    try: x = {written(self)}\n    except Exception: return UNSET\n    {ending}"
        return later("read", f"def read({', '.join(names.values())}):\n{lines}", scope)

    def __str__(self) -> str:
        if self.f is None:
            return self.fact.path if self.fact is not None else repr(self.value)
        name = getattr(self.f, "__name__", "f").strip("_")
        return f"{name}({', '.join(map(str, self.parts))})"


class Numbers:
    """The numbers of one trace, and what is asked of them."""

    def __init__(self, environment: Environment, places: Sequence[tuple[Place, Sequence[Fact]]]) -> None:
        self.environment, self.places = environment, places
        self.tick, self.thread, self.over = clock(), threading.get_ident(), False
        self.made: dict[Any, Formula] = {}
        self.read: list[Formula] = []
        self.handles: list[weakref.ref[Moving]] = []
        self.asked: set[Formula] = set()

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Meanwhile the function finds what stands for its numbers, and functions of `math` that know it."""
        there: list[tuple[Place, Any, Any]] = []
        try:
            for place, facts in self.places:
                x = place.read()
                if x is not facts[0].value:
                    continue
                if is_number(x):
                    self.read.append(Formula(x, fact=facts[0]))
                    stand_in: Any = self.handle(self.read[-1])
                else:
                    stand_in = _MATH.get(id(x))
                there.append((place, x, stand_in))
                place.write(stand_in)
                del stand_in
            yield
        finally:
            self.over = True
            for place, x, stand_in in there:
                if place.read() is stand_in:
                    place.write(x)
            del there

    def here(self) -> bool:
        """Whether it is the function itself that asks, while it is traced."""
        return not self.over and threading.get_ident() == self.thread

    def handle(self, formula: Formula) -> Moving:
        m = Moving(formula, self)
        self.handles.append(weakref.ref(m))
        return m

    def escaped(self) -> bool:
        """Whether somebody holds what stands for a number after the trace: a list, a cache, a parameter of an op."""
        return any(ref() is not None for ref in self.handles)

    def of(self, f: Callable[..., Any], parts: Sequence[Any]) -> Formula:
        """A function of Python's of such numbers and plain ones, computed once."""
        key = f, tuple(p if type(p) is Formula else frozen(p) for p in parts)
        if key not in self.made:
            value = f(*[p.value if type(p) is Formula else p for p in parts])
            self.made[key] = Formula(value, f, parts)
        return self.made[key]

    def node(self, formula: Formula) -> Node:
        """What such a number is beside a Tensor: what a Tensor from outside is, which lies where the number is read."""
        if formula.node is None:
            formula.node = Node(formula.value)
            formula.node.tick = self.tick
            fact = self._fact(formula, _AS_TENSOR, wrap(formula.node))
            fact.check, fact.like = "{v}.__class__ is {like}", Tensor
            self.environment.tensors[formula.node] = fact
        return formula.node

    def tell(self, formula: Formula) -> Any:
        """The value, for which the program is then made."""
        if not self.here():  # another thread, which finds it where the number lies
            self.asked.update(formula.leaves())
        elif formula.f is None:
            self.asked.add(formula)
        elif formula not in self.asked:
            self.asked.add(formula)
            fact = self._fact(formula, "return x", formula.value)
            fact.check, fact.like = "same({v}, {like})", formula.value
        return formula.value

    def _fact(self, formula: Formula, ending: str, value: Any) -> Fact:
        facts = self.environment.facts
        fact = Fact(str(formula), value, None, ("of", formula.reader(ending)))
        fact.parts, fact.number = tuple([leaf.fact for leaf in formula.leaves() if leaf.fact]), len(facts)
        facts.append(fact)
        return fact

    def depended_on(self) -> list[str]:
        """The paths of numbers that were asked for, or took part in what Tensors are computed of."""
        used = [*self.asked, *(f for f in [*self.made.values(), *self.read] if f.node is not None)]
        return [leaf.fact.path for f in used for leaf in f.leaves() if leaf.fact is not None]

    def settle(self) -> bool:
        """Let the facts of numbers that were not asked for demand their type alone; tells whether there are any."""
        found = False
        for formula in self.read:
            first, *others = next(facts for _, facts in self.places if facts[0] is formula.fact)
            if formula in self.asked:
                continue
            found = True
            first.check, first.like, first.moves = "type({v}) is {like}", type(formula.value), True
            for fact in others:
                fact.check, fact.like, fact.moves = "{v} is {like}", first, True
        return found


def _itself(x: Any) -> Any:
    return x


def _binary(f: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: Moving, other: Any) -> Any:
        return _apply(self._home, f, (self, other))

    def reflected(self: Moving, other: Any) -> Any:
        return _apply(self._home, f, (other, self))

    return forward, reflected


def _apply(home: Numbers, f: Callable[..., Any], args: Sequence[Any]) -> Any:
    """f of such numbers and others: noted, if all are numbers; recorded, beside a Tensor; else done with the values."""
    movings = [a for a in args if type(a) is Moving]
    if any(isinstance(a, Tensor) for a in args):
        return f(*[wrap(a._home.node(a._formula)) if type(a) is Moving else a for a in args])
    mine = home.here() and all(m._home is home for m in movings)
    if mine and all(type(a) is Moving or _is_scalar(a) for a in args):
        formula = home.of(f, [a._formula if type(a) is Moving else a for a in args])
        return home.handle(formula) if is_number(formula.value) else home.tell(formula)
    return f(*[a._home.tell(a._formula) if type(a) is Moving else a for a in args])


def _unary(f: Callable[[Any], Any]) -> Callable[[Moving], Any]:
    return lambda self: _apply(self._home, f, (self,))


def _told(f: Callable[..., Any]) -> Callable[..., Any]:
    """The answer to a question: for what was answered the program is made."""

    def answer(self: Moving, *args: Any) -> Any:
        found = _apply(self._home, f, (self, *args))
        return found._home.tell(found._formula) if type(found) is Moving else found

    return answer


class Moving(Number):
    """Stands for a number while a function is traced."""

    __slots__ = ("__weakref__", "_formula", "_home")

    def __init__(self, formula: Formula, home: Numbers) -> None:
        self._formula, self._home = formula, home

    @property  # type: ignore[misc]  # which object has without one
    def __class__(self) -> Any:
        return type(self._formula.value)  # what isinstance() goes by

    @property
    def node(self) -> Node:
        return self._home.node(self._formula) if self._home.here() else Node(self.number)

    @property
    def number(self) -> Any:
        return self._home.tell(self._formula)

    @property
    def value(self) -> Any:
        return self._formula.value

    @property
    def leaf(self) -> Any:
        return wrap(self.node) if type(self._formula.value) in (int, float) else self.number

    __add__, __radd__ = _binary(operator.add)
    __sub__, __rsub__ = _binary(operator.sub)
    __mul__, __rmul__ = _binary(operator.mul)
    __truediv__, __rtruediv__ = _binary(operator.truediv)
    __floordiv__, __rfloordiv__ = _binary(operator.floordiv)
    __mod__, __rmod__ = _binary(operator.mod)
    __pow__, __rpow__ = _binary(operator.pow)
    __and__, __rand__ = _binary(operator.and_)
    __or__, __ror__ = _binary(operator.or_)
    __xor__, __rxor__ = _binary(operator.xor)
    __lshift__, __rlshift__ = _binary(operator.lshift)
    __rshift__, __rrshift__ = _binary(operator.rshift)
    __matmul__, __rmatmul__ = _binary(operator.matmul)
    __divmod__, __rdivmod__ = _binary(divmod)
    __lt__, __le__ = _binary(operator.lt)[0], _binary(operator.le)[0]
    __gt__, __ge__ = _binary(operator.gt)[0], _binary(operator.ge)[0]
    __eq__, __ne__ = _binary(operator.eq)[0], _binary(operator.ne)[0]
    __neg__, __pos__, __abs__ = _unary(operator.neg), _unary(operator.pos), _unary(abs)
    __invert__ = _unary(operator.invert)
    __trunc__, __floor__, __ceil__ = _unary(math.trunc), _unary(math.floor), _unary(math.ceil)

    def __round__(self, digits: Any = None) -> Any:
        return _apply(self._home, round, (self,) if digits is None else (self, digits))

    __bool__, __int__, __float__, __complex__ = _told(bool), _told(int), _told(float), _told(complex)
    __index__ = _told(operator.index)

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return repr(self._text())

    def __str__(self) -> str:
        return str(self._text())

    def __format__(self, spec: str) -> str:
        return format(self._text(), spec)

    def _text(self) -> Any:
        return self.value if is_just_shown() else self.number

    def __copy__(self) -> Moving:
        return self

    def __deepcopy__(self, memo: Any) -> Moving:
        return self

    def __reduce__(self) -> Any:
        return _itself, (self.number,)

    def __getattr__(self, name: str) -> Any:
        getattr(self._formula.value, name)  # what a number has not, none of its type has
        return getattr(self.number, name)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.number, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and ufunc.nout == 1:
            return _apply(self._home, ufunc, inputs)
        options = {k: v.number if type(v) is Moving else v for k, v in options.items()}
        return getattr(ufunc, method)(*[v.number if type(v) is Moving else v for v in inputs], **options)


def _knowing(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `math` that notes what it is asked of a number that moves."""

    def known(*args: Any, **keywords: Any) -> Any:
        home = next((a._home for a in args if type(a) is Moving), None)
        if home is None or keywords or any(isinstance(a, Tensor) for a in args):
            return f(*args, **keywords)
        return _apply(home, f, args)

    return known


class _Math(ModuleType):
    """`math`, as a function finds it that is traced with numbers that move."""

    def __getattr__(self, name: str) -> Any:
        return _MATH.get(id(getattr(math, name)), getattr(math, name))


_MATH: dict[int, Any] = {
    id(math): _Math("math"),
    **{id(f): _knowing(f) for f in vars(math).values() if isinstance(f, BuiltinFunctionType)},
}


def numbers(environment: Environment, paths: frozenset[str], given: frozenset[int] = frozenset()) -> Numbers:
    """What is to stand for the numbers at these paths, where something can.

    `given` are the roots that are what a container of arguments has beside its children.
    """
    places: dict[tuple[int, Any], tuple[Place, list[Fact]]] = {}
    moves = False
    for f in environment.facts:
        if (f.path in paths and is_number(f.value)) or id(f.value) in _MATH:
            place = place_of(f, given)
            if place is not None:
                places.setdefault((id(place.holder), place.key), (place, []))[1].append(f)
                moves = moves or is_number(f.value)
    return Numbers(environment, list(places.values()) if moves else [])
