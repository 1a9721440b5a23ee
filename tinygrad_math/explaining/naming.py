"""What the values of a graph are called: by the user's names, and where there are none, by letters and formulas."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import FrameType
from typing import Any

import numpy as np

from ..core.node import Constant, Node
from ..core.place import is_library
from ..core.tensor import Tensor, select
from ..formulas.notation import latex, plain
from ..formulas.terms import ZERO, Formula, number, quoted, shaped, symbol, words
from ..formulas.tracing import branch_of, constant, of_node, shape_of
from ..viz.page import visible

_GREEK = words("""
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
""")
_DOMAINS = words("within replaced")  # what is something else where a function is not defined
_CHECKS = words("checked_values checked_labels on_simplex lattice_point required")
_LONGEST = 40  # characters of a name that are shown
_SHORT = 14  # a formula of so many characters stands for itself, and needs no name
_LARGEST = 10_000  # elements of a constant that is looked for among the user's variables


def written(name: str) -> str:
    r"""A user's name as LaTeX: `x`, `\theta`, `W_{1}`, `\text{loss}`. Nothing in it is read as markup.

    >>> written("x"), written("W1"), written("theta"), written("loss")
    ('x', 'W_{1}', '\\theta', '\\text{loss}')
    """
    shown = visible(name)
    if len(shown) > _LONGEST:
        shown = shown[: _LONGEST - 1] + "…"
    found = re.fullmatch(r"([A-Za-z]+)(?:_?([0-9]+)|_([A-Za-z]{1,2}))?", shown)
    if found:
        base, low = found[1], found[2] or found[3]
        base = "\\" + base if base in _GREEK else base if len(base) == 1 else None
        if base:
            return base if low is None else f"{base}_{{{low}}}"
    return rf"\text{{{plain(shown)}}}"


_UNSEEN = re.compile(r"\\(?:left|right|text|operatorname|mathbf|frac|lvert|rvert|,)(?![a-zA-Z])|[{}^_ ]")
_FUNCTIONS = words("sin cos tan sinh cosh tanh arcsin arccos arctan ln log max min det")


def width(text: str) -> int:
    """About how many characters a formula takes on paper."""
    return len(re.sub(r"\\(?!text)[a-zA-Z]+", lambda m: "." * _wide(m[0]), _UNSEEN.sub("", text))) + text.count(
        r"\frac"
    )


def _wide(command: str) -> int:
    return len(command) - 1 if command[1:] in _FUNCTIONS else 1


def variables(depth: int = 1) -> tuple[dict[Node, str], list[tuple[str, np.ndarray[Any, Any]]]]:
    """The variables of the innermost function outside this package: Tensors by their node, and arrays."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    nodes: dict[Node, str] = {}
    arrays: list[tuple[str, np.ndarray[Any, Any]]] = []
    if frame is None:
        return nodes, arrays
    scopes: list[Mapping[str, Any]] = [frame.f_locals]
    if frame.f_globals is not frame.f_locals:
        scopes.append(frame.f_globals)
    for scope in scopes:
        for name, value in list(scope.items()):
            if name.startswith("_"):
                continue
            if isinstance(value, Tensor):
                nodes.setdefault(value.node, name)
            elif isinstance(value, np.ndarray) and value.dtype.kind in "biufc" and 1 < value.size <= _LARGEST:
                arrays.append((name, value))
    return nodes, arrays


class Names:
    """Formulas for the nodes of a graph.

    A name of the user's comes first: that of the Tensor, then that of a variable. A value without one is written as the
    formula that made it where that is short, and else gets a letter with a number.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        root: Node,
        targets: Sequence[Node],
        given: Mapping[Node, str],
        arrays: Iterable[tuple[str, np.ndarray[Any, Any]]] = (),
        fixed: Mapping[Node, Formula] | None = None,
    ) -> None:
        self.given, self.arrays = given, list(arrays)
        self.known: dict[Node, Formula] = dict(fixed or {})
        self.named: set[Node] = set(self.known)  # by the user
        self.letters: dict[Node, Formula] = {}  # that were given out here, with what they stand for
        self.depth: dict[Node, int] = {}  # of what stands as a formula: how many formulas within each other
        self.constants: list[tuple[Any, Formula]] = []
        self.used: set[str] = {latex(f) for f in self.known.values()}
        everybody = list(dict.fromkeys([*targets, root, *(i for n in nodes for i in _inputs(n)), *nodes]))
        for n in everybody:
            self._users(n)
        letters = {s[0] for s in self.used if s[:1].isalpha()}
        self.letter = next((c for c in "qhsrpkmg" if c not in letters), "q")
        self.count = 0
        taken = {written(name) for name in given.values()}  # by variables that may have no part in this
        for k, t in enumerate(targets):
            if t not in self.known:
                free = next((c for c in ("x", "w", "a", "b", "u", "v") if c not in self.used | taken), f"x_{{{k + 1}}}")
                self.known[t] = self._free(free, shape_of(t.data))
                self.named.add(t)
        if root not in self.known:
            free = next((c for c in ("y", "f", "L", "z") if c not in self.used | taken), r"\text{result}")
            self.known[root] = self._free(free, shape_of(root.data))
            self.named.add(root)
        for n in nodes:
            if n not in self.known:
                self._decide(n)

    def _users(self, n: Node) -> bool:
        """Whether a node has a name of the user's, by which it is called from now on."""
        name = None if type(n) is Constant else n.name or self.given.get(n)
        if n in self.known or name is None or not name.strip():
            return n in self.named
        self.known[n] = self._free(written(name), shape_of(n.data))
        self.named.add(n)
        return True

    def _free(self, text: str, shape: tuple[int, ...]) -> Formula:
        """A name that no other value has."""
        count, found = 1, text
        while found in self.used:
            count += 1
            found = f"{text}^{{({count})}}"
        self.used.add(found)
        return symbol(found, shape)

    def _decide(self, n: Node) -> None:
        """A formula where it is short, else a letter."""
        same = passed_on(n)
        same = same if same in self.known else None
        made = self._short(n) if same is None else self.known[same]
        if made is None:
            self._letter(n)
        else:
            self.known[n] = made if made.head == "number" else shaped(made, shape_of(n.data))
            if same is not None:
                self.depth[n] = self.depth.get(same, 0)

    def _short(self, n: Node) -> Formula | None:
        """The formula of a node if it can stand in place of a name: a short one, of names."""
        inner = [i for i in _inputs(n) if i not in self.named and i.op is not None]
        if any(i not in self.depth for i in inner):
            return None
        depth = 1 + max((self.depth[i] for i in inner), default=0)
        made = self.definition(n) if depth <= 2 else None
        if made is None or width(latex(made)) > _SHORT or r"\frac" in latex(made):
            return None
        self.depth[n] = depth
        return made

    def _letter(self, n: Node) -> Formula:
        self.count += 1
        self.known[n] = self.letters[n] = self._free(f"{self.letter}_{{{self.count}}}", shape_of(n.data))
        return self.known[n]

    def formula(self, n: Node) -> Formula:
        """What a node is called."""
        if n not in self.known and not self._users(n):
            self.known[n] = constant(n.data, self.constant) if n.op is None or not n.inputs else self._other(n)
        return self.known[n]

    def _other(self, n: Node) -> Formula:
        """Of a value beside the paths: its formula where it is made of what has a name, else a letter."""
        made = self._short(n)
        return self._letter(n) if made is None else made

    def constant(self, data: Any) -> Formula:
        """The name of an array without a history: the user's variable that holds the same, or a letter."""
        array = np.asarray(data) if not isinstance(data, (tuple, list)) else None
        for known, formula in self.constants:
            if known is data or (
                array is not None and array.dtype.kind == "b" and np.array_equal(np.asarray(known), array)
            ):
                return formula
        if array is not None and array.dtype.kind == "b" and array.size and array.all() == array.any():
            return number(bool(array.all()))
        if array is not None and array.dtype.kind in "fc" and array.size:
            if np.all(array == 1):
                return Formula("ones", (), array.shape)
            if not np.any(array):
                return ZERO._replace(shape=array.shape)
        name = None
        if array is not None and array.size <= _LARGEST:
            same = [
                k
                for k, v in self.arrays
                if v.shape == array.shape and v.dtype == array.dtype and np.array_equal(v, array)
            ]
            name = same[0] if len(same) == 1 else None
        if name is not None:
            formula = symbol(written(name), shape_of(data))
            self.used.add(latex(formula))
        else:
            letter = next(c for c in ("c", "k", "d", r"\gamma") if c not in self.used or c == r"\gamma")
            count = sum(f.parts[0].startswith(f"{letter}_{{") for _, f in self.constants) + 1
            formula = self._free(f"{letter}_{{{count}}}", shape_of(data))
        self.constants.append((data, formula))
        return formula

    def definition(self, n: Node) -> Formula | None:
        """What a node was made of, in a formula; None for a leaf."""
        if n.op is None or not n.inputs:
            return None
        if n.op is select and n.inputs[0].op is not None and n.inputs[0].op.hides:  # a loop that hands on its results
            return self.formula(n.inputs[0].inputs[n.params["index"]])
        if n.op is select:
            made = self.definition(n.inputs[0])
            return None if made is None else of_node(n, (made,), chosen=True)
        return of_node(n, self.arguments(n), chosen=True)

    def arguments(self, n: Node) -> tuple[Formula, ...]:
        """What a node was made of, each as it is called."""
        return tuple(quoted(self.formula(i)) for i in _inputs(n))


def _inputs(n: Node) -> tuple[Node, ...]:
    return n.inputs[0].inputs if n.op is select else n.inputs


def passed_on(n: Node) -> Node | None:
    """The operand that a node only hands on: times 1, as recorded walks leave it, checked, or chosen everywhere."""
    if n.op is None:
        return None
    found: Node | None = None
    if n.op is select:
        loop = n.inputs[0]
        found = loop.inputs[n.params["index"]] if loop.op is not None and loop.op.hides else None
    elif n.op.name in ("multiply", "divide"):
        pairs = [n.inputs] if n.op.name == "divide" else [n.inputs, n.inputs[::-1]]
        found = next((a for a, b in pairs if a.live and not b.live and bool(np.all(b.data == 1))), None)
    elif n.op.name == "gather" and len(n.inputs) == 2 and np.asarray(n.inputs[1].data).dtype.kind == "b":
        if np.all(n.inputs[1].data) and np.size(n.inputs[0].data) == np.size(n.data):
            return n.inputs[0]
    elif n.op.name in _DOMAINS:
        found = n.inputs[0] if np.all(n.inputs[1].data) else None
    elif n.op.name in _CHECKS or (n.op.name in ("sum", "mean") and not np.ndim(n.inputs[0].data)):
        found = n.inputs[0]
    elif (branch := branch_of(n)) is not None:
        found = n.inputs[branch]
    return found if found is not None and np.shape(found.data) == np.shape(n.data) else None
