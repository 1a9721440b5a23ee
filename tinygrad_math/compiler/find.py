"""The quick way in: code that takes the arguments apart and checks that a program fits them.

A general walk over trees costs more than a small network's training step. So for each program the few lines
that open just these trees and compare just these shapes are written out. Keys and values of the user are
referred to by generated names only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.node import Taken, finished
from ..core.spent import STEP
from ..core.tensor import MODE, TRACED, Node, Tensor, wrap
from ..core.tree import Attributes, Structure, Tie, attributes, flatten, only_a_dict
from .environment import Environment
from .facts import MISS, Fact
from .later import later
from .leaves import Static, is_object, uncompiled
from .retyped import Retyped
from .switch import SWITCH
from .values import at_a_glance, is_plain, same

if TYPE_CHECKING:
    from .executable import Executable

FAILURES = (ValueError, TypeError, IndexError, ArithmeticError, np.linalg.LinAlgError)  # what NumPy may raise
Find = Callable[[Any, Any], Any]  # of (args, kwargs), and the function


def _alone(tensor: Tensor) -> int:
    node = tensor.node
    return getrefcount(node)


ALONE = _alone(wrap(Node(0.0)))  # references to a node that only its Tensor knows: no graph needs its value


def _probe(given: Any) -> int:
    array = given[0][0]
    return getrefcount(array)


def _held_by_one() -> int:
    return _probe([[np.zeros(1)]])


HELD = _held_by_one()  # references to an array that only its Tensor, or a list among the arguments, knows


def derivatives_wanted() -> bool:
    mode = MODE.get()
    return mode is None or mode.differentiable


def watched() -> bool:
    """Whether an outer function is being traced, which has to see what this one reads and draws."""
    mode = MODE.get()
    return mode is not None and mode.observe is not None


class Finder:
    """Writes the lines of a finder, which takes the pair (args, kwargs)."""

    def __init__(self, settled: Sequence[bool]) -> None:
        self.scope: dict[str, Any] = {
            "finished": finished, "attributes": attributes,
            "MISS": MISS, "Tensor": Tensor, "ndarray": np.ndarray, "wanted": derivatives_wanted,
            "watched": watched, "STEP": STEP,
            "references": getrefcount, "ALONE": ALONE, "HELD": HELD, "same": same,
        }  # fmt: skip
        self.objects = ["f"]  # where the roots of the environment lie
        self.lines: list[str] = []
        self.taken: list[str] = []  # lines that take the arrays and numbers out, once the trees are open
        self.usual: (
            list[tuple[Any, ...]] | None
        ) = []  # what they have to be where Tensors have no history, see `opener`
        self.places: list[str] = []  # and how each of these is reached
        self.shared: dict[str, str] = {}  # donated array -> whether somebody else may hold it
        self.given: dict[str, tuple[str, str]] = {}  # donated array -> its Tensor's node, if any, and the Tensor
        self.arrays: list[str] = []
        self.count = 0
        self.settled = settled  # which of the arguments an update took, whose result is a leaf
        self.texts: list[str] = []  # how each leaf is reached
        self.called = False  # whether the tree is what a call was given
        self.ties = False  # whether Tensors in two places would be one leaf, as Parameters are anywhere
        self.tensors: dict[Any, list[str]] = {}

    def name(self, kind: str, value: Any = None) -> str:
        self.count += 1
        name = f"{kind}{self.count}"
        if kind in ("key", "like"):
            self.scope[name] = value
        return name

    def demand(self, condition: str) -> None:
        self.demand_of(self.lines, condition)

    def demand_of(self, lines: list[str], condition: str) -> None:
        lines.append(f"if not ({condition}): return MISS")

    def leaf(self, text: str, role: tuple[Any, ...] | None, depth: int, like: Any, static: bool, donated: bool) -> None:
        self.texts.append(text)
        if (self.ties or role is not None) and isinstance(like, Tensor):
            self.tensors.setdefault((like.shape, like.dtype), []).append(text)
        if static:
            given = self.name("s")
            self.lines.append(f"{given} = {text}")
            self.demand(self._static(given, like))
            if is_object(like):
                self.objects.append(given if not isinstance(like, Static) else f"{given}.value")
            return
        data = like.node.data if isinstance(like, Tensor) else like
        name, lines = self.name("a"), self.taken
        lines.append(f"{name} = {text}")
        if isinstance(data, (np.ndarray, np.generic)):
            given = self.name("node")
            if role is None:
                lines.append(f"if {name}.__class__ is Tensor:")
            else:
                self.demand_of(
                    lines, f"{name}.__class__ is {self.name('like', role[0])} and {name}.learns is {role[1]}"
                )
                lines.append("if True:")
            lines.append(f"    {given} = {name}.node")
            if self.settled[len(self.arrays)]:
                lines.append(f"    if {given}.live:")
                lines.append(f"        if {given}.live & {TRACED}: return MISS")
                lines.append("        if wanted():")
                lines.append(f"            if not finished({given}): return MISS")
                lines.append("            step = True")
            else:
                wanted = f"wanted() and {given}.op is not STEP" if any(self.settled) else "wanted()"
                lines.append(f"    if {given}.live and ({given}.live & {TRACED} or {wanted}): return MISS")
            lines.append(f"    {name} = {given}.data")
            if donated:  # copied, once everything fits, if somebody else holds the memory
                if role is None:
                    lines.append(f"else: {given} = None")
                others = f"references({name}) > HELD or {name}.base is not None or not {name}.flags.c_contiguous"
                if depth == 2:  # an array that is itself an argument: how many know it cannot be told
                    others = f"{given} is None or {others}"
                self.shared[name] = f"{others} or ({given} is not None and references({given}) > ALONE)"
                self.given[name] = given, text
        if isinstance(data, np.generic) or (
            isinstance(data, np.ndarray) and not data.shape
        ):  # NumPy gives now one, now the other
            scalar = self.name("like", data.dtype.type)
            self.demand_of(lines, f"{name}.__class__ is {scalar} or {name}.__class__ is ndarray and {name}.shape == ()")
            self.demand_of(lines, self._dtype(name, data))
        elif isinstance(data, np.ndarray):  # a subclass's operators are its own: it misses, and its values are taken
            self.demand_of(
                lines, f"{name}.__class__ is ndarray and {name}.shape == {data.shape} and {self._dtype(name, data)}"
            )
        else:
            self.demand_of(lines, f"{name}.__class__ is {self.name('like', type(data))}")
        self.arrays.append(name)
        if role is not None or self.settled[len(self.arrays) - 1]:
            self.usual = None
        elif self.usual is not None:
            whole = (np.ndarray, data.dtype, data.shape) if isinstance(data, np.ndarray) else (type(data), None, ())
            self.usual.append((*whole, donated))
            self.places.append(text)

    def _static(self, given: str, like: Any) -> str:
        """The condition that a static argument is what the program is made for, beside what changes in an object."""
        if type(like).__hash__ is not None:
            known = self.name("like", like)
            return f"{given} is {known} or same({given}, {known})"
        if is_plain(like):
            return f"{given}.__class__ is {self.name('like', type(like))}"
        return f"{given} is {self.name('like', like)}"

    def _dtype(self, name: str, data: Any) -> str:
        known = self.name("like", data.dtype)
        return f"({name}.dtype is {known} or {name}.dtype == {known})"

    def tree(
        self, text: str, structure: Structure, leaves: Sequence[tuple[Any, bool, bool]], at: int, depth: int = 0
    ) -> int:
        """Lines that open a tree; returns the index of the next leaf."""
        kind, keys, children, extra = structure
        if kind is None:
            self.leaf(text, extra, depth, *leaves[at])
            return at + 1
        if kind is Tie:
            self.demand(f"{text} is {self.texts[extra]}")
            return at
        name = self.name("t")
        self.lines.append(f"{name} = {text}")
        if kind is type(None):
            self.demand(f"{name} is None")
            return at
        if depth > 1 or not self.called:  # else a tuple and a dict, as Python made them
            self.demand(f"{name}.__class__ is {self.name('like', kind)}")
        if hasattr(kind, "tree_flatten"):
            parts = self.name("t")
            self.lines.append(f"keys, {parts}, more = {name}.tree_flatten()")
            self.demand(f"keys == {self.name('like', keys)}")
            if extra:  # looked into as what surrounds the function
                rest = self.name("t")
                self.lines.append(f"{rest} = {'dict(more.pairs)' if isinstance(extra, Attributes) else 'more'}")
                self.objects.append(rest)
            else:
                self.demand(f"same(more, {self.name('like', extra)})")
            texts = [f"{parts}[{k}]" for k in range(len(keys))]
        elif issubclass(kind, (dict, list, tuple)):
            if issubclass(kind, dict):
                keyed = [self.name("key", k) for k in keys]
                order = self.name("like", list(keys))
                text_alone = all(type(k) is str for k in keys)
                exact = f"[*{name}] == {order}" if text_alone else f"same([*{name}], {order})"
                self.demand(exact if keys else f"not {name}")
                texts = [f"{name}[{k}]" for k in keyed]
            else:
                if depth or not self.called:
                    self.demand(f"len({name}) == {len(keys)}")
                texts = [f"{name}[{k}]" for k in range(len(keys))]
        else:
            texts = [f"getattr({name}, {self.name('key', k)})" for k in keys]
        if extra is not None and not hasattr(kind, "tree_flatten"):
            extra.frozen()  # as it is now: what it holds may be written to before it is first compared
            beside, quick = at_a_glance(dict(extra.pairs)) if only_a_dict(kind) and is_plain(extra.pairs) else ("", [])
            if beside:
                beside = beside.format(v=f"{name}.__dict__", quick=self.name("like", quick)) + " or "
                self.demand(f"{beside}attributes({name}) == {self.name('like', extra)}")
            else:
                rest = self.name("t")
                self.lines.append(f"{rest} = attributes({name})")
                self.demand(f"{rest} == {self.name('like', extra)}")
                if not is_plain(extra.pairs):
                    self.objects.append(f"dict({rest}.pairs)")
        outer, self.ties = self.ties, self.ties or getattr(kind, "tree_ties", False)
        for child, child_text in zip(children, texts, strict=True):
            at = self.tree(child_text, child, leaves, at, depth + 1)
        self.ties = outer
        return at

    def demand_distinct(self) -> None:
        """What was several parameters must not be one: those that could be the same have one shape and dtype."""
        for texts in self.tensors.values():
            if len(texts) > 1:
                ids = ", ".join(f"id({t})" for t in texts)
                self.demand(f"len({{{ids}}}) == {len(texts)}")

    def _opening(self) -> list[str]:
        """Lines that take the arrays out in machine code, and as ever where something is not as usual."""
        arrays, nodes = ", ".join(self.arrays), [f"{node} = " for node, _ in self.given.values()]
        lines = [f"usual = opened({', '.join(self.places)})", f"if usual is not None: {arrays}, = usual"]
        lines += [f"if usual is not None: {''.join(nodes)}True"] if nodes else []
        return [*lines, "else:", *(f"    {line}" for line in self.taken)]

    def build(
        self,
        before: Sequence[str],
        last: Sequence[str],
        environment: Environment | None,
        hidden: Sequence[Fact] = (),
    ) -> Find:
        arrays = "".join(f"{a}, " for a in self.arrays)
        around = environment.lines(self.objects, self.scope, hidden) if environment is not None else []
        opened = "opened" in self.scope
        copies = []
        if self.shared:
            # what surrounds the function is read before: that is one reference more, as for an array passed twice
            copies += [f"h{fact.number} = e{fact.number}.node.data" for fact in hidden]
            carrays = " and ".join(f"{a}.flags.carray" for a in self.shared)  # writable too
            fast = [others.replace(f" or not {a}.flags.c_contiguous", "") for a, others in self.shared.items()]
            unknown = "usual is None and " if opened else ""
            copies.append(f"if {unknown}({' or '.join(fast)} or not ({carrays})):")
            copies.append("    program.check_donated((ARRAYS))")
            for a, others in self.shared.items():
                copies.append(f"    if {others}: {a}, {self.given[a][0]} = {a}.copy(), None")
        taken = self._opening() if opened else self.taken
        body = [*before, *self.lines, *taken, *around, *(line.replace("ARRAYS", arrays) for line in [*copies, *last])]
        return later("find", "def find(given, f=None):\n    " + "\n    ".join(body), self.scope)


def finder(
    args: Any, static: Callable[[Any], bool], donated: Sequence[bool], program: Executable | None = None
) -> Find:
    """`find((args, kwargs), f)` for arguments like these; `donated` has an entry per leaf.

    It returns the arrays of a program that fits them, or MISS. Given the program itself, it runs it.
    """
    leaves, structure = flatten(args)
    settled = program.traced.settled if program is not None else [False] * len(leaves)
    f, last = Finder(settled), ["return (ARRAYS)"]
    before: list[str] = []
    if program is not None:
        f.scope.update(SWITCH=SWITCH)
        before.append(f"if SWITCH.name != {SWITCH.name!r}: return MISS")
        moving = iter(range(len(leaves)))
        donated = [not static(x) and next(moving) in program.donated for x in leaves]
    f.called = program is not None
    f.tree("given", structure, [(x, static(x), d) for x, d in zip(leaves, donated, strict=True)], 0)
    f.demand_distinct()
    if program is None:
        return f.build(before, last, None)
    f.scope["program"] = program
    steps = any(settled)
    if steps:
        before.append("step = False")
    if program.hidden or program.recording.random:
        before.append("if watched(): return MISS")
    if program.native is not None and f.usual and not (f.shared and program.hidden):  # which may hold what is donated
        f.scope["opened"] = program.native.opener(f.usual)
    around = "".join(f"e{fact.number}, " for fact in program.hidden)
    slowly = f"return program((ARRAYS), ({around}), given, f)"
    if program.as_it_is:
        return f.build(before, [slowly], program.environment, program.hidden)
    f.scope.update(take=program.pool.pop, give=program.pool.append, finish=program.finish, FAILURES=FAILURES)
    f.scope.update(finish_step=program.finish_step)
    f.scope.update(Retyped=Retyped, uncompiled=uncompiled)
    live = " or ".join(f"e{fact.number}.node.live" for fact in program.hidden)
    read = "h{}, " if f.shared else "e{}.node.data, "
    all_of_them = f"ARRAYS{''.join(read.format(fact.number) for fact in program.hidden)}"
    f.scope.update({f"taken{k}": Taken(by) for k, by in enumerate(program.names_of_donated())})
    gone = [f"if {n} is not None: {text}.node = taken{k}" for k, (n, text) in enumerate(f.given.values())]
    closed = [
        f"if ({live}) and wanted():",
        f"    if not program.around_a_step(({around})): {slowly}",
        "    step = True",
    ]
    last = [  # what Executable.__call__ does, without the calls in between
        *([] if not live else closed if steps else [f"if ({live}) and wanted(): {slowly}"]),
        *gone,  # from now on, whoever still holds the Tensor is told
        "try: run = take()",
        "except IndexError: run = program.workspace()",
        f"try: out = run({all_of_them})",
        *(["except Retyped: return uncompiled(f, given)"] if program.retyped else []),
        "except FAILURES as error:",
        *(["    return uncompiled(f, given)"] if program.catches else []),
        f"    program.fail(error, ({all_of_them}))",
        "give(run)",
        f"return {'(finish_step if step else finish)' if program.losing else 'finish'}(out, given)",
    ]
    return f.build(before, last, program.environment, program.hidden)
