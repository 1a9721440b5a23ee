"""Programs as people write them, as source text: a seed gives a file with functions, classes and `f` of some arguments.

`written(seed)` takes statements, expressions of `moves` and `habits` around them, where their values at the inputs and
at two points beside them are finite, moderate and away from kinks, so that finite differences mean something.
A program that fails is shrunk and printed.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from habits import HABITS, Desk, lined
from moves import MOVES
from programs import COMMON, REACH, SHAPES, _smooth, _Value, directions
from wording import words

import tinygrad_math as tm

ELSEWHERE = {"assigned", "overwritten", "inner_transform"}  # moves that habits write out
EXPRESSIONS = [m for m in MOVES if m[0] not in ELSEWHERE]
HEAD = '''\
import collections, dataclasses, functools
import numpy as np
import tinygrad_math as tm


def loss(*args):
    """One number made of all results, linear in none."""
    total = 0.0
    for y in f(*args):
        w = np.cos(np.arange(1.0, 1 + y.size)).reshape(y.shape).astype("f")
        y = tm.real(y * tm.conj(y)) + tm.real(y) + tm.imag(y) if y.dtype.kind == "c" else y * y + y
        total = total + tm.sum(w * y)
    return total
'''
CONTAINERS = [  # weight, how many arrays, what it is made of, definitions, how each array is read
    (6, 1, "{0}", "", ["{a}"]),
    (1, 2, "[{0}, {1}]", "", ["{a}[0]", "{a}[1]"]),
    (1, 2, "({0}, {1})", "", ["{a}[0]", "{a}[1]"]),
    (1, 2, "{{'w': {0}, 'b': {1}}}", "", ["{a}['w']", "{a}['b']"]),
    (1, 2, "{{'z': [{0}], 'c': ({1}, None)}}", "", ["{a}['z'][0]", "{a}['c'][0]"]),
    (
        1,
        2,
        "Both{s}({0}, {1})",
        "@dataclasses.dataclass\nclass Both{s}:\n    u: object\n    v: object",
        ["{a}.u", "{a}.v"],
    ),
    (
        1,
        2,
        "Model{s}({0}, {1})",
        "class Model{s}(tm.nn.Module):\n    def __init__(self, w, b):\n        super().__init__()\n"
        "        self.w, self.parts = tm.nn.Parameter(w), [tm.nn.Parameter(b)]",
        ["{a}.w", "{a}.parts[0]"],
    ),
]


class Wide:
    """This package in double precision throughout, so that differences mean something."""

    float32, complex64 = tm.float64, tm.complex128

    def __getattr__(self, name: str) -> Any:
        return getattr(tm, name)


class Still(Wide):
    """The same, with what is held still at the values that it had in the first run."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.replayed: Iterator[Any] | None = None

    def stop_gradient(self, x: Any) -> Any:
        if self.replayed is not None:
            return tm.tensor(next(self.replayed))
        self.kept.append(tm.stop_gradient(x).numpy())
        return tm.stop_gradient(x)

    def replay(self, f: Callable[..., Any], *args: Any) -> Any:
        self.replayed = iter(self.kept)
        return f(*args)


@dataclasses.dataclass
class Statement:
    """Some lines that read values and make one more, `name`."""

    name: str
    text: str
    top: str
    still: str
    kind: str
    value: Any  # at the inputs

    def held(self) -> Statement:
        """The same value as a constant."""
        listed, dtype = self.value.tolist(), self.value.dtype
        made = f"tm.asarray(np.array({listed}, np.{dtype}).reshape({self.value.shape}))"
        return dataclasses.replace(self, text=f"{self.name} = {made}", top="", still=f"{self.name} = {made}")


def reads(text: str) -> set[str]:
    return set(re.findall(r"\bv\d+\b", text))


@dataclasses.dataclass
class Written:
    """A program: the arrays it starts from, how its arguments are made of them, and its statements."""

    seed: int
    leaves: list[Any]
    tops: list[str]
    arguments: list[str]
    opened: list[Statement]  # the arguments' arrays get names
    statements: list[Statement]

    def source(self, still: bool = False) -> str:
        used = set().union(*[reads(s.text) - {s.name} for s in self.statements])
        given = [s.name for s in self.statements if s.name not in used] or [s.name for s in self.opened]
        tops = list(dict.fromkeys(t for t in [*self.tops, *(s.top for s in self.statements)] if t))
        names = ", ".join("abcdef"[: len(self.arguments)])
        body = [s.still if still else s.text for s in [*self.opened, *self.statements]]
        made = ", ".join(self.arguments)
        return "\n\n".join([
            HEAD, *tops, f"def arguments({', '.join(f'x{k}' for k in range(len(self.leaves)))}):\n    return ({made},)",
            f"def f({names}):\n{lined(chr(10).join(body))}\n    return ({', '.join(given)},)\n",
        ])  # fmt: skip

    def dtypes(self) -> set[Any]:
        """Of all values that have a name."""
        return {x.dtype for x in self.leaves} | {s.value.dtype for s in self.statements}

    def run(self, still: bool = False, namespace: Any = tm) -> dict[str, Any]:
        """The names that the program defines."""
        # `import tinygrad_math as tm` is the reader's; the namespace takes its place
        text = self.source(still).replace("import tinygrad_math as tm\n", "", 1)
        found: dict[str, Any] = {"tm": namespace, "__name__": __name__}
        exec(compile(text, f"<program {self.seed}>", "exec"), found)
        return found

    def __str__(self) -> str:
        given = [f"x{k} = np.array({x.tolist()}, np.{x.dtype}).reshape({x.shape})" for k, x in enumerate(self.leaves)]
        call = f"args = arguments({', '.join(f'x{k}' for k in range(len(self.leaves)))})"
        return f"# seed {self.seed}\n{self.source()}\n" + "\n".join([*given, call])

    def without(self, k: int, held: bool) -> Written:
        """The program with a statement left out, or with its value as a constant."""
        s = self.statements
        return dataclasses.replace(self, statements=[*s[:k], *([s[k].held()] if held else []), *s[k + 1 :]])


# -- writing --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _array(y: Any) -> Any:
    return y.detach().numpy() if isinstance(y, tm.Tensor) else y


class _Writer:
    def __init__(self, rng: Any, plain: float) -> None:
        self.rng, self.plain = rng, plain  # how many of the statements are a single expression
        self.values: dict[str, _Value] = {}
        self.count = 0

    def expression(self) -> Any:
        """A move on some of the values, in words."""
        name, arity, _, draw = EXPRESSIONS[int(self.rng.choice(len(EXPRESSIONS), p=_weights(tuple(EXPRESSIONS))))]
        names = list(self.values)
        recent = np.arange(1, len(names) + 1) ** 2.0
        chosen = [names[k] for k in self.rng.choice(len(names), size=arity, p=recent / recent.sum())]
        arguments = [self.values[n] for n in chosen]
        drawn = draw(self.rng, *(v.at[0] for v in arguments))
        if drawn is None:
            return None
        call, gaps = drawn if isinstance(drawn, tuple) else (drawn, None)
        if gaps is not None and not _smooth(gaps, arguments):
            return None
        text, above = words(call, *chosen)
        if self.rng.random() < 0.15:
            text = re.sub(r"\btm\.(?=(\w+)\()", lambda m: "np." if hasattr(np, m[1]) else "tm.", text)
        return name, "\n".join([*above, f"{{y}} = {text}"]), "", None

    def habit(self) -> Any:
        name, _, draw = HABITS[int(self.rng.choice(len(HABITS), p=_weights(tuple(HABITS))))]
        draft = draw(Desk(self.rng, {n: v.at[0] for n, v in self.values.items()}, self.count))
        if draft.gaps is not None and not _smooth(draft.gaps[1], [self.values[draft.gaps[0]]]):
            return None
        return name, draft.text, draft.top, draft.still

    def statement(self) -> Statement | None:
        drawn = self.expression() if self.rng.random() < self.plain else self.habit()
        if drawn is None:
            return None
        kind, *texts = drawn
        y = f"v{self.count}"
        text, top, still = [t if t is None else t.replace("{y}", y) for t in texts]
        read = sorted(reads(text) - {y})
        found = {"tm": tm, "np": np, "collections": collections, "dataclasses": dataclasses, "functools": functools}
        exec(f"{top}\n\ndef step({', '.join(read)}):\n{lined(text)}\n    return {y}\n", found)
        value = _Value([_array(found["step"](*(tm.tensor(self.values[n].at[k]) for n in read))) for k in range(3)])
        if not value.moderate():
            return None
        self.values[y] = value
        self.count += 1
        return Statement(y, text, top, text if still is None else still, kind, np.asarray(value.at[0]))


@functools.cache
def _weights(table: Any) -> Any:
    w = np.array([row[-2] for row in table])
    return w / w.sum()


REFUSALS = (ValueError, IndexError, TypeError, ZeroDivisionError, AttributeError, np.linalg.LinAlgError)


def written(seed: int) -> Written:
    """The program of this seed; every fourth one is a longer sequence of expressions alone."""
    rng, plain = np.random.default_rng([seed, 2718]), 1.0 if seed % 4 == 3 else 0.4
    writer, leaves, tops, arguments, opened = _Writer(rng, plain), [], [], [], []
    p = np.array(COMMON) / sum(COMMON)
    weights = np.array([c[0] for c in CONTAINERS], float)
    single = rng.random() if rng.random() < 0.3 else 0.0  # how many of the arrays are in single precision
    for k in range(int(rng.integers(1, 4))):
        _, n, made, top, access = CONTAINERS[int(rng.choice(len(CONTAINERS), p=weights / weights.sum()))]
        names = [f"x{len(leaves) + i}" for i in range(n)]
        arguments.append(made.format(*names, s=k))
        tops.append(top.format(s=k))
        for way in access:
            x = np.asarray(rng.uniform(-1.2, 1.2, SHAPES[rng.choice(len(SHAPES), p=p)]))
            x = np.asarray(x + 1j * rng.uniform(-1, 1, x.shape)) if rng.random() < 0.08 else x
            x = x.astype(np.complex64 if x.dtype.kind == "c" else np.float32) if rng.random() < single else x
            t, y = directions(rng, [x])[0], f"v{writer.count}"
            writer.values[y] = _Value([x, x + REACH * t, x - REACH * t])
            text = f"{y} = {way.format(a='abcdef'[k])}"
            opened.append(Statement(y, text, "", text, "argument", x))
            leaves.append(x)
            writer.count += 1
    statements: list[Statement] = []
    length = int(rng.integers(5, 21) if plain == 1 else rng.integers(3, 12))
    with quiet():
        while len(statements) < length:
            with contextlib.suppress(*REFUSALS):
                found = writer.statement()
                if found is not None:
                    statements.append(found)
    return Written(seed, leaves, tops, arguments, opened, statements)


# -- shrinking ------------------------------------------------------------------------------------------


def failure(check: Callable[[Written], None], program: Written) -> str | None:
    """How a program fails: the kind of error and the claim."""
    try:
        with quiet():
            check(program)
    except Exception as error:
        return f"{type(error).__name__}: {re.split(r'[,:(]', str(error))[0]}"
    return None


def shrunk(program: Written, check: Callable[[Written], None]) -> Written:
    """A program that fails in the same way, with as few statements as leaving out and holding still allow."""
    kind = failure(check, program)
    smaller = True
    while smaller:
        smaller = False
        for k in reversed(range(len(program.statements))):
            held = program.statements[k].text.startswith(f"{program.statements[k].name} = tm.asarray(")
            for keep in (False, True)[: 1 + (not held)]:
                less = program.without(k, keep)
                if failure(check, less) == kind:
                    program, smaller = less, True
                    break
    return program


def claim(program: Written, check: Callable[[Written], None]) -> None:
    """Run the check; what fails is shrunk and printed."""
    try:
        with quiet():
            check(program)
    except Exception as error:
        small = shrunk(program, check)
        raise AssertionError(f"{type(error).__name__}: {error}\n\n{textwrap.indent(str(small), '    ')}") from error
