"""What people write around expressions: loops, closures, modules, assignment, masks, derivatives inside.

A habit looks at the values that a program has so far and writes statements that read some of them and give one more,
`{y}`; or None where it does not apply. It gets a `Desk`, which draws names, numbers and smooth expressions.
What `with tm.no_grad()` makes is held still in a second text, `still`: finite differences would see it move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from moves import flip, one_of

HABITS: list[tuple[str, float, Callable[..., Any]]] = []  # name, weight, draw


@dataclass
class Draft:
    """Statements that give {y}; definitions at the top of the file; distances from kinks, of the values named."""

    text: str
    top: str = ""
    still: str | None = None
    gaps: tuple[str, Callable[[Any], Any]] | None = None
    tags: set[str] = field(default_factory=set)


def habit(weight: float = 1.0) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def attach(draw: Callable[..., Any]) -> Callable[..., Any]:
        HABITS.append((draw.__name__, weight, draw))
        return draw

    return attach


class Desk:
    """What a habit draws from: the values so far, as arrays at the inputs, and numbers."""

    def __init__(self, rng: Any, arrays: dict[str, Any], serial: int) -> None:
        self.rng, self.arrays, self.serial = rng, arrays, serial

    def __getitem__(self, name: str) -> Any:
        return self.arrays[name]

    def pick(self, *where: Callable[[Any], bool]) -> str:
        """The name of a value, late ones first; raises IndexError where there is none."""
        names = [n for n, a in self.arrays.items() if all(holds(a) for holds in where)]
        p = np.arange(1, len(names) + 1) ** 2.0
        return names[int(self.rng.choice(len(names), p=p / p.sum()))] if names else names[0]

    def like(self, name: str) -> str:
        """A value of the same shape and kind, perhaps the same one."""
        a = self[name]
        return self.pick(lambda b: b.shape == a.shape and b.dtype.kind == a.dtype.kind)

    def number(self, low: float = 0.2, high: float = 1.5) -> float:
        return round(float(self.rng.uniform(low, high)), 2)

    def numbers(self, shape: Any) -> str:
        """An array in single precision, or in double, as text."""
        listed = np.round(self.rng.uniform(0.25, 1.5, shape), 2).tolist()
        return f"np.array({listed}{one_of(self.rng, ['', ', np.float32'])})"

    def one(self, *options: Any) -> Any:
        return one_of(self.rng, options)

    def smooth(self, x: str, kind: str = "f", depth: int = 2) -> str:
        """A smooth bounded expression of the shape of x, for values of any moderate size."""
        c, d = self.number(), self.number()
        y = self.smooth(x, kind, depth - 1) if depth > 1 and flip(self.rng) else x
        if kind == "c":
            return self.one(f"{c} * {y}", f"tm.conj({y}) * {c}", f"{y} / (2 + tm.real({y} * tm.conj({y})))",
                            f"tm.sin(0.1 * {y})", f"({y} - {d}j)", f"tm.exp(0.1j * {y})")  # fmt: skip
        return self.one(
            f"tm.tanh({y})", f"tm.sin({y}) * {c}", f"np.cos({c} * {y})", f"{y} / (2 + {y} * {y})", f"tm.exp(-({y}) ** 2)",
            f"tm.sqrt(1 + ({y}) ** 2)", f"({c} * {y} - {d})", f"tm.log1p(({y}) ** 2)", f"tm.arctan({y})",
            f"tm.sigmoid({y})", f"({y} + {d}) * 0.5", f"tm.logaddexp({y}, {d})", f"-({y})", f"{c} / (1 + ({y}) ** 2)",
            f"({c} - {y}) / {d + 1}", f"tm.square(tm.sin({y}))", f"tm.special.erf({y})", f"np.tanh({y}) ** 3",
        )  # fmt: skip

    def both(self, x: str, y: str) -> str:
        """A smooth expression of two arrays."""
        c = self.number()
        return self.one(f"{x} + {c} * {y}", f"{x} - tm.sin({y})", f"{x} * tm.cos({y})", f"tm.tanh({x}) * {y}",
                        f"{c} * {x} * {y}", f"{x} / (2 + tm.real({y}) ** 2)")  # fmt: skip


def real(a: Any) -> bool:
    return bool(a.dtype.kind == "f")


def small(a: Any) -> bool:
    return bool(0 < a.size <= 12)


def rows(a: Any) -> bool:
    return bool(a.ndim >= 1 and 1 <= a.shape[0] <= 4 and a.size)


def lined(text: str, indent: str = "    ") -> str:
    return "\n".join(indent + line for line in text.split("\n"))


# -- control flow ---------------------------------------------------------------------------------------


@habit(3)
def a_loop(d):
    x, n = d.pick(real), d.one(2, 3)
    z, w = d.like(x), d.smooth
    return Draft(d.one(
        f"{{y}} = {x}\nfor k in range({n}):\n    {{y}} = {w('{y}')} + {d.number()} * k * {z}",
        f"{{y}} = {x}\nfor c in ({d.number()}, {d.number()}):\n    {{y}} = {{y}} * c + {w(z)}",
        f"{{y}}, k = {x}, 0\nwhile k < {n}:\n    {{y}} = {d.both(w('{y}'), z)}\n    k += 1",
        f"{{y}} = 0.0\nfor k, v in enumerate([{x}, {z}], start=1):\n    {{y}} += {w('v')} / k",
        f"{{y}} = sum({w('v')} * c for v, c in zip([{x}, {z}], [{d.number()}, -{d.number()}]))",
        f"{{y}} = tm.stack([{w(x)} * k for k in range(1, {n + 1})])",
        f"parts = []\nfor k in range({n}):\n    if k == 1:\n        continue\n    parts.append({w(x)} * (k + 1))\n"
        f"{{y}} = tm.concatenate([tm.ravel(p) for p in parts])",
        f"{{y}} = {x}\nfor k in range(5):\n    if k >= {n}:\n        break\n    {{y}} = {w('{y}')}\n"
        f"else:\n    {{y}} = {{y}} * 7",
        f"{{y}} = functools.reduce(lambda a, b: {d.both('a', 'b')}, [{x}, {z}, {w(x)}])",
        f"{{y}}, before = {x}, {z}\nfor _ in range({n}):\n    {{y}}, before = {w('before')} + {{y}} * 0.5, {{y}}",
    ))  # fmt: skip


@habit(2)
def over_rows(d):
    x = d.pick(rows)
    w = d.smooth("r", d[x].dtype.kind)
    return Draft(d.one(
        f"{{y}} = tm.stack([{w} for r in {x}])",
        f"{{y}} = 0.0\nfor r in {x}:\n    {{y}} = {{y}} * 0.5 + {w}",
        f"first, *rest = {x}\n{{y}} = sum(rest, first * 2)",
        f"{{y}} = tm.stack([{w} * k for k, r in enumerate({x})][::-1])",
        f"{{y}} = {x}[0]\nfor k in range(1, len({x})):\n    {{y}} = {{y}} * {x}[k] + {x}[-k]",
        f"def each(v):\n    for r in v:\n        yield {w}\n{{y}} = tm.stack(list(each({x})))",
        f"{{y}} = tm.sum(tm.stack(list(map(lambda r: {w}, {x}))), axis=0)",
    ))  # fmt: skip


@habit(2)
def a_choice(d):
    x = d.pick(real)
    w, v = d.smooth(x), d.smooth(x)
    return Draft(d.one(
        f"if {x}.ndim == {d.rng.integers(3)} and {x}.size > 1:\n    {{y}} = {w}\nelse:\n    {{y}} = {v}",
        f"{{y}} = {w} if len({x}.shape) > 1 else {v}",
        f"match {x}.shape:\n    case (n,):\n        {{y}} = {w} * n\n    case (n, m):\n        {{y}} = {w} / m\n"
        f"    case _:\n        {{y}} = {v}",
        f"{{y}} = {{'a': lambda z: z * 2, 'b': lambda z: z * z}}[{d.one('a', 'b')!r}]({w})",
        f"try:\n    {{y}} = tm.reshape({x}, (7, 11))\nexcept ValueError:\n    {{y}} = {w}",
        f"n = {x}.shape[-1] if {x}.ndim else 1\n{{y}} = {w} / n ** 0.5",
        f"if (s := {w}).dtype.kind == 'f':\n    {{y}} = s\nelse:\n    {{y}} = s * 2",
    ))  # fmt: skip


# -- assignment -----------------------------------------------------------------------------------------


def position(d, x):
    """An index that names every element at most once, as text."""
    a = d[x]
    n = a.shape[0]
    options = [
        str(int(d.rng.integers(-n, n))),
        f"{int(d.rng.integers(n))}:",
        "::2",
        f":{int(d.rng.integers(1, n + 1))}",
    ]
    options += ["::-1", "...", str((d.rng.random(n) < 0.6).tolist()), str([int(k) for k in d.rng.permutation(n)[:2]])]
    options += [f"np.array({(d.rng.random(a.shape) < 0.6).tolist()})"]
    if a.ndim >= 2:
        m = a.shape[1]
        options += [f":, {int(d.rng.integers(m))}", f"0, {int(d.rng.integers(m))}:", "-1, ..."]
        options += [f"..., {int(d.rng.integers(a.shape[-1]))}", f"np.arange({n}), {int(d.rng.integers(m))}"]
        if n > 1:
            options.append(f"[0, {n - 1}], 0")
    return d.one(*options)


@habit(7)
def an_assignment(d):
    x = d.pick(rows)
    kind, i = d[x].dtype.kind, position(d, x)
    s, start = (
        d.pick(lambda a: a.ndim == 0 and a.dtype.kind == "f") if flip(d.rng) else None,
        d.one(f"{x}.copy()", f"{x} * 1.0", f"tm.zeros_like({x})", f"tm.copy({x})", f"{x} + 0.0", f"tm.array({x})"),
    )
    change = d.one(
        f"{{y}}[{i}] = {d.number()}", f"{{y}}[{i}] = {d.smooth(f'{x}[{i}]', kind)}",
        f"{{y}}[{i}] += {d.smooth(f'{x}[{i}]', kind)}", f"{{y}}[{i}] *= {d.number()}",
        f"{{y}}[{i}] -= {s or d.number()}", f"{{y}}[{i}] = {{y}}[{i}] * {x}[{i}]",
        f"{{y}}[{i}] /= {1 + d.number()}", f"view = {{y}}[{i}]\n{{y}}[...] = 0.5\n{{y}}[{i}] += view",
        f"before = {{y}}\n{{y}} = {{y}}.at[{i}].set({s or d.number()}) + before",
        f"{{y}} = {{y}}.at[{i}].add({d.smooth(f'{x}[{i}]', kind)})",
        f"for k in range(len({x})):\n    {{y}}[k] += {x}[k] * k\n    {{y}}[k] *= {d.number()}",
        f"for k in range(len({x})):\n    {{y}}[k] = {{y}}[k - 1] + {d.smooth(f'{x}[k]', kind)}",
    )  # fmt: skip
    after = d.one("", "", f"\n{{y}} *= {d.number()}", f"\n{{y}} += {x}", "\n{y} **= 2", f"\n{{y}} -= {x} * {{y}}")
    return Draft(f"{{y}} = {start}\n{change}{after}")


@habit(1)
def a_name_for_two(d):
    """Augmented assignment through another name: what was read before keeps its value."""
    x = d.pick(rows)
    c = d.number()
    return Draft(d.one(
        f"{{y}} = {x} * 1.0\nother = {{y}}\nheld = {{y}} * 2\nother += {c}\n{{y}} = {{y}} * held",
        f"{{y}} = {x} * {c}\nearlier = tm.ravel({{y}})\n{{y}}[0] = {c}\n{{y}} = tm.sum(earlier) + {{y}}",
        f"{{y}} = {x} * 1.0\ndef change(v):\n    v[0] *= {c}\n    v += 1\nchange({{y}})",
        f"rows = [{x} * 1.0, {x} * 2.0]\nfor r in rows:\n    r[-1] = {c}\n{{y}} = rows[0] * rows[1]",
        f"total, past = tm.sum({x}), []\nfor k in range(3):\n    total += {c} * k\n    past.append(total)\n{{y}} = sum(past) * {x}",
        f"total = 0.0\nfor r in {x}:\n    total += tm.sum(r * r)\n    before = total\n    total *= {c}\n{{y}} = total + before",
    ))  # fmt: skip


@habit(3)
def a_mask(d):
    x = d.pick(lambda a: a.ndim >= 1 and a.size, real)
    c, w, v = d.number(-0.5, 0.5), d.smooth(x), d.smooth(d.like(x))
    test = d.one(f"{x} > {c}", f"{x} <= {c}", f"~({x} < {c})", f"tm.greater({x}, {c})", f"({x} > {c}) & True",
                 f"({x} >= {c}) | False", f"tm.logical_not({x} > {c})", f"np.less({x}, {c})")  # fmt: skip
    return Draft(d.one(
        f"m = {test}\n{{y}} = tm.where(m, {w}, {v})",
        f"{{y}} = {w} * ({test})",
        f"{{y}} = {x} * 1.0\n{{y}}[{test}] = {d.number()}",
        f"m = {test}\n{{y}} = {w}\n{{y}}[m] = {c}\n{{y}} = tm.where(~m, {{y}}, 2 * {{y}})",
        f"{{y}} = tm.sum(tm.where({test}, {w}, 0.0)) / (1 + tm.sum({test}))",
        f"{{y}} = np.where({test}, {w}, {c})",
        f"{{y}} = ({test}).astype(tm.float64) * {w}",
    ), gaps=(x, lambda a: a - c))  # fmt: skip


@habit(1)
def ranks(d):
    x = d.pick(lambda a: 1 <= a.ndim <= 2 and 1 < a.size < 13, real)
    n = d[x].shape[-1]
    k = int(d.rng.integers(1, n + 1))
    return Draft(d.one(
        f"{{y}} = tm.topk({x}, {k})[0]", f"values, where = tm.topk({x}, {k}, largest=False)\n{{y}} = values * 2",
        f"order = tm.argsort({x}, axis=-1)\n{{y}} = tm.take_along_axis({d.smooth(x)}, order, axis=-1)",
        f"{{y}} = tm.cumsum(tm.sort({x}, axis=-1)[..., ::-1], axis=-1)",
        f"{{y}} = {x}.ravel()[tm.argmax({x})] * {d.smooth(x)}",
        f"best = tm.argmin({x}, axis=-1, keepdims=True)\n{{y}} = tm.take_along_axis({d.smooth(x)}, best, -1)",
        f"{{y}} = {x} - tm.max({x}, axis=-1, keepdims=True)",
    ), gaps=(x, lambda a: np.diff(np.sort(a.ravel()))))  # fmt: skip


# -- functions, closures, objects -----------------------------------------------------------------------


@habit(4)
def a_closure(d):
    x = d.pick(real)
    z, c = d.like(x), d.number()
    w = d.smooth
    return Draft(d.one(
        f"def inner(t):\n    return {d.both(w('t'), z)}\n{{y}} = inner({x})",
        f"def make(scale):\n    def inner(t):\n        return t * scale + {w(z)}\n    return inner\n{{y}} = make({c})({x})",
        f"def make(t):\n    return lambda s: {d.both('t', 's')}\n{{y}} = make({x})({w(z)})",
        f"def inner(t, scale={c}, *, shift={z}):\n    return {w('t')} * scale + shift\n{{y}} = inner({x}) + inner({z}, shift=1)",
        f"part = functools.partial(lambda a, b, c: a * b + c, {x}, c={w(z)})\n{{y}} = part({c})",
        f"def power(t, n):\n    return t if n == 0 else {w('t')} + power(t * {c}, n - 1)\n{{y}} = power({x}, 2)",
        f"calls = 0\ndef inner(t):\n    nonlocal calls\n    calls += 1\n    return {w('t')} * calls\n{{y}} = inner({x}) + inner({z})",
        f"fs = [lambda t, k=k: t * k + {w('t')} for k in range(1, 3)]\n{{y}} = fs[0](fs[1]({x}))",
        f"def twice(f):\n    @functools.wraps(f)\n    def g(t):\n        return f(f(t))\n    return g\n@twice\ndef inner(t):\n"
        f"    return {w('t')} + {z}\n{{y}} = inner({x})",
        f"def inner(*ts, **kw):\n    return sum(ts) * kw['scale']\n{{y}} = inner({x}, {z}, scale={w(z)})",
        f"memo = {{}}\ndef inner(t):\n    if 'k' not in memo:\n        memo['k'] = {w('t')}\n    return memo['k'] * t\n"
        f"{{y}} = inner({x}) + inner({z})",
    ))  # fmt: skip


@habit(3)
def from_the_top(d):
    """Arrays, Tensors, functions and objects of the module around."""
    x, s = d.pick(real), d.serial
    w, c = d.smooth, d.number()
    n = d.numbers(d[x].shape)
    return Draft(*d.one(
        (f"{{y}} = {w(x)} * K{s}", f"K{s} = {n}"),
        (f"{{y}} = {w(x)} + tm.sin(K{s})", f"K{s} = tm.tensor({n})"),
        (f"{{y}} = {x} * K{s}[0] + K{s}[1]['b']", f"K{s} = [{c}, {{'b': {n}}}]"),
        (f"{{y}} = scaled{s}({x})", f"K{s} = {n}\n\ndef scaled{s}(t, by=K{s}):\n    return {w('t')} * by"),
        (f"{{y}} = K{s}.apply({x})", f"class Box{s}:\n    factor = {c}\n\n    def __init__(self, w):\n        self.w = w\n\n"
         f"    def apply(self, t):\n        return {w('t')} * self.w * self.factor\n\nK{s} = Box{s}({n})"),
        (f"{{y}} = scaled{s}({x})", f"scaled{s} = functools.partial(lambda w, t: w * {w('t')}, {n})"),
        (f"{{y}} = K{s}({x})", f"class Call{s}:\n    @property\n    def w(self):\n        return {n}\n\n"
         f"    def __call__(self, t):\n        return t * self.w\n\nK{s} = Call{s}()"),
        (f"{{y}} = soft{s}({x})", f"@tm.primitive\ndef soft{s}(x):\n    return np.sqrt(x * x + {c})\n\n"
         f"soft{s}.defvjp(lambda g, y, x: g * x / y)\nsoft{s}.defjvp(lambda t, y, x: t * x / y)"),
        (f"{{y}} = {x} + K{s} * {x}", f"K{s} = tm.nn.Parameter({n})"),
    ))  # fmt: skip


@habit(3)
def a_module(d):
    x, s = d.pick(lambda a: a.ndim in (1, 2) and a.size, real), d.serial
    n, m, c = d[x].shape[-1], int(d.rng.integers(1, 4)), d.number()
    layer = (
        f"class Layer{s}(tm.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.w = tm.nn.Parameter({d.numbers((n, m))})\n        self.b = tm.nn.Parameter({d.numbers(m)})\n"
        f"        self.scale = {c}\n\n    def forward(self, x):\n"
        f"        return {d.smooth('(x @ self.w + self.b)')} * self.scale\n\nlayer{s} = Layer{s}()"
    )
    return Draft(*d.one(
        (f"{{y}} = layer{s}({x})", layer),
        (f"{{y}} = layer{s}({x}) @ layer{s}.w.T", layer),
        (f"{{y}} = net{s}({x})", f"net{s} = tm.nn.Sequential(tm.nn.Linear({n}, 3, rng={s}), tm.nn.Tanh(), tm.nn.Linear(3, {m}, rng=1))"),
        (f"{{y}} = tm.nn.functional.mse_loss(net{s}({x}), {x} * 0 + {c})", f"net{s} = tm.nn.Linear({n}, {n}, rng={s})"),
        (f"with tm.no_grad():\n    mean = tm.mean({x})\n{{y}} = layer{s}({x}) + mean * 0", layer),
    ))  # fmt: skip


@habit(2)
def containers(d):
    x, s = d.pick(real), d.serial
    z, w = d.pick(real), d.smooth
    pair = f"@dataclasses.dataclass\nclass Pair{s}:\n    a: object\n    b: object = {d.number()}\n\n    def norm(self):\n        return tm.sum(self.a ** 2) * self.b"
    return Draft(*d.one(
        (f"d = {{'x': {x}, 'rest': [{z}, {w(x)}]}}\nd['x'] = d['x'] * {d.number()}\n{{y}} = d['x'] + d['rest'][1]", ""),
        (f"p = Pair{s}({w(x)})\n{{y}} = p.a * p.b", pair), (f"{{y}} = Pair{s}({x}, tm.sum({z})).norm()", pair),
        (f"tree = tm.tree_map(lambda t: {w('t')}, {{'a': {x}, 'b': ({z},)}})\n{{y}} = tree['a'] * tm.mean(tree['b'][0])", ""),
        (f"total = 0.0\nfor name, v in {{'p': {x}, 'q': {w(x)}}}.items():\n    total = total + v * len(name)\n{{y}} = total", ""),
        (f"def both(t):\n    return {w('t')}, {{'aux': t * 2}}\n{{y}}, aux = both({x})\n{{y}} = {{y}} * aux['aux']", ""),
        (f"stack = [{x}]\nstack.append({w(x)})\nstack.insert(0, stack.pop() * 2)\n{{y}} = stack[0] - stack[-1]", ""),
        (f"Point = collections.namedtuple('Point', 'u v')\npt = Point(v={x}, u={w(x)})\n{{y}} = pt.u * pt.v", ""),
    ))  # fmt: skip


# -- derivatives inside, and what they shall not see ----------------------------------------------------


@habit(4)
def held_still(d):
    """no_grad, detach, stop_gradient: a constant for every derivative, inner ones included."""
    x = d.pick(real)
    z = d.like(x)
    w, v = d.smooth(x), d.smooth(z)
    c, u, q = d.number(), d.smooth("{y}"), d.smooth("t")
    texts = d.one(
        (f"with tm.no_grad():\n    {{y}} = {w}\n{{y}} = {{y}} * {z}", f"{{y}} = tm.stop_gradient({w}) * {z}"),
        (f"{{y}} = {z} * tm.stop_gradient({w})", None),
        (f"{{y}} = ({w}).detach() + {v}", f"{{y}} = tm.stop_gradient({w}) + {v}"),
        (f"@tm.no_grad()\ndef target(t):\n    return t * 2 + {z}\n{{y}} = target({x}) * {v}",
         f"{{y}} = tm.stop_gradient({x} * 2 + {z}) * {v}"),
        (f"{{y}} = {x} * 1.0\nfor k in range(2):\n    with tm.no_grad():\n        step = {u}\n    {{y}} = {{y}} - {c} * step * {z}",
         f"{{y}} = {x} * 1.0\nfor k in range(2):\n    step = tm.stop_gradient({u})\n    {{y}} = {{y}} - {c} * step * {z}"),
        (f"def inner(t):\n    with tm.no_grad():\n        s = {q}\n    return tm.sum(s * t * {z})\n{{y}} = tm.grad(inner)({x})",
         f"def inner(t):\n    s = tm.stop_gradient({q})\n    return tm.sum(s * t * {z})\n{{y}} = tm.grad(inner)({x})"),
        (f"with tm.no_grad():\n    g = tm.grad(lambda t: tm.sum({q}))({x})\n{{y}} = g * {z}",
         f"{{y}} = tm.stop_gradient(tm.grad(lambda t: tm.sum({q}))({x})) * {z}"),
    )  # fmt: skip
    return Draft(texts[0], still=texts[1])


@habit(4)
def derivative_inside(d):
    x = d.pick(real, small)
    z, c = d.like(x), d.number()
    q, r = d.smooth("t"), d.smooth("u")
    return Draft(d.one(
        f"{{y}} = tm.grad(lambda t: tm.sum({q} * {z}))({x})",
        f"def energy(t):\n    return tm.sum({q} * {z} + t ** 2)\n{{y}} = {x}\nfor _ in range(2):\n"
        f"    {{y}} = {{y}} - {c} * 0.2 * tm.grad(energy)({{y}})",
        f"value, g = tm.value_and_grad(lambda t: tm.sum({q}) * {c})({x})\n{{y}} = g * value",
        f"{{y}} = tm.jvp(lambda t: {q} * {z}, ({x},), ({d.smooth(z)},))[1]",
        f"out, pull = tm.vjp(lambda t: {q}, {x})\n{{y}} = pull(out * {z})[0]",
        f"{{y}} = tm.hvp(lambda t: tm.sum({q}), {x}, {z})",
        f"{{y}} = tm.grad(lambda t: tm.sum(tm.grad(lambda u: tm.sum({r} * t))(t) * t))({x})",
        f"ga, gb = tm.grad(lambda t, u: tm.sum({q} * {r}), argnums=(0, 1))({x}, {z})\n{{y}} = ga - {c} * gb",
        f"g = tm.grad(lambda p: tm.sum(p['a'] * {c} + p['b'][0] ** 2))({{'a': {x}, 'b': [{z}, None]}})\n{{y}} = g['b'][0] + g['a']",
        f"{{y}} = tm.jacobian(lambda t: ({q}).ravel())({x}).sum(axis=0)",
        f"{{y}} = tm.grad(lambda t: tm.sum({q} * {z}), has_aux=False)({x}) * {z}",
        f"{{y}} = tm.linearize(lambda t: {q}, {x})[1]({z})",
        f"u = {x} * 1.0\n(g,) = tm.grad_of(tm.sum({r} * {z}), [u], create_graph=True)\n{{y}} = g + u",
        f"{{y}} = tm.sum(tm.hessian(lambda t: tm.sum({q}))({x}))",
    ))  # fmt: skip


def body(d, t, z):
    """The lines of a function of {t} that closes over z; they give `r`, of the same shape. With a text that holds
    still what no_grad makes."""
    q, c = d.smooth(t), d.number()
    plain = [
        f"r = {q} * {z}",
        f"r = {t}\nfor k in range(2):\n    r = {d.smooth('r')} + {z} * k",
        f"r = tm.where({z} > {t} + 9, {c}, {q})",
        f"r = {t} * 1.0\nr[...] = {q}\nr += {z}",
        f"r = ({q}).copy()\nr *= {t}\nr -= {z}",
        f"r = {t} * 1.0\nother = r\nother += {q}",
        f"r = tm.checkpoint(lambda u: {d.smooth('u')} * {t})({z})",
        f"r = tm.grad(lambda u: tm.sum({d.smooth('u')} * {t} + u * {z}))({t})",
        f"r = tm.jvp(lambda u: {d.smooth('u')} * {z}, ({t},), ({q},))[1]",
        f"r = tm.stack([{t}, {z}, {q}])[1:].sum(axis=0)",
        f"parts = [{t}, {z}]\nparts[0] = parts[0] * parts[1]\nr = sum(parts)",
        f"r = {t} * tm.sum({q}) + {z}",
    ]
    if d.rng.random() < 0.75:
        text = d.one(*plain)
        return text, text
    return d.one(
        (f"with tm.no_grad():\n    s = {q}\nr = {t} * s + {z}", f"s = tm.stop_gradient({q})\nr = {t} * s + {z}"),
        (f"r = ({q}).detach() * {t}", f"r = tm.stop_gradient({q}) * {t}"),
        (f"s = tm.stop_gradient({q} * {z})\nr = {t} - s",) * 2,
        (
            f"with tm.no_grad():\n    s = {q}\n    s[...] = s * 2\nr = {t} * s",
            f"s = tm.stop_gradient({q})\nr = {t} * (s * 2)",
        ),
    )


@habit(6)
def a_function_transformed(d):
    """A function of several lines under every transform, also under two of them."""
    x = d.pick(real, small)
    z = d.like(x)
    text, still = body(d, "t", z)
    total = d.one("tm.sum(block(t))", "tm.sum(block(t) ** 2)", "tm.sum(block(block(t)))", "tm.mean(block(t)) * 3")
    use = d.one(
        f"{{y}} = block({x}) - block({z})", f"{{y}} = tm.grad(lambda t: {total})({x})",
        f"value, g = tm.value_and_grad(lambda t: {total})({x})\n{{y}} = g * tm.tanh(value)",
        f"{{y}} = tm.jvp(block, ({x},), ({z},))[1]", f"{{y}} = tm.vjp(block, {x})[1]({z})[0]",
        f"{{y}} = tm.hvp(lambda t: {total}, {x}, {z})", f"{{y}} = tm.jacobian(block)({x}).sum(axis=0) if {x}.ndim else block({x})",
        f"{{y}} = tm.grad(lambda t: tm.sum(tm.jvp(block, (t,), ({z},))[1]))({x})",
        f"{{y}} = tm.jvp(tm.grad(lambda t: {total}), ({x},), ({z},))[1]",
        f"{{y}} = tm.grad(lambda t: tm.sum(tm.grad(lambda t: {total})(t) ** 2))({x})",
        f"def pair(t):\n    r = block(t)\n    return tm.sum(r), {{'r': r, 'n': 2}}\ng, aux = tm.grad(pair, has_aux=True)({x})\n"
        f"{{y}} = g * aux['r'] * aux['n']",
        f"{{y}} = {x} - 0.1 * tm.grad(lambda p: tm.sum(block(p['x']) * p['z']))({{'x': {x}, 'z': {z}}})['x']",
    )  # fmt: skip
    if "stop_gradient" not in still:  # a checkpoint computes again, and differences could not tell the two apart
        use = d.one(
            use, use, f"{{y}} = tm.checkpoint(block)({x})", f"{{y}} = tm.grad(lambda t: tm.sum(tm.checkpoint(block)(t)))({x})",
            f"{{y}} = tm.compile(block)({x})", f"fast = tm.compile(tm.grad(lambda t: {total}))\n{{y}} = fast({x}) * fast({z})",
            f"fast = tm.compile(block)\n{{y}} = tm.grad(lambda t: tm.sum(fast(t)))({x}) + fast({z})",
        )  # fmt: skip
    made = [f"def block(t):\n{lined(lines)}\n    return r\n{use}" for lines in (text, still)]
    return Draft(made[0], still=made[1])


@habit(2)
def a_checkpoint(d):
    x = d.pick(real)
    z, q = d.like(x), d.smooth("t")
    return Draft(d.one(
        f"{{y}} = tm.checkpoint(lambda t: {q} * {d.number()})({x})",
        f"{{y}} = tm.checkpoint(lambda t, u: {d.both('t', 'u')})({x}, {z})",
        f"@tm.checkpoint\ndef block(t):\n    for _ in range(2):\n        t = {q}\n    return t\n{{y}} = block({x}) * {z}",
        f"def block(t):\n    return {q} * {z}\n{{y}} = tm.checkpoint(block)({x})",
    ))  # fmt: skip


# -- precision, complex values, ways of calling ---------------------------------------------------------


@habit(2)
def precision(d):
    x = d.pick(real)
    w, n = d.smooth(x), d.numbers(d[x].shape)
    return Draft(d.one(
        f"{{y}} = ({w}).astype(tm.float32)", f"{{y}} = tm.astype({x}, tm.float32) * {n}", f"{{y}} = {w} * {n}",
        f"{{y}} = {x} * np.float32({d.number()}) + 1", f"{{y}} = {w} * np.float64({d.number()})",
        f"{{y}} = {x} * True + {x} * 2", f"{{y}} = {w} * np.arange({d[x].size}).reshape({d[x].shape})",
        f"{{y}} = tm.full_like({x}, {d.number()}) * {w}", f"{{y}} = {w} + tm.ones({x}.shape, dtype={x}.dtype)",
        f"{{y}} = {w} * tm.pi + np.e", f"{{y}} = {x} / {x}.size",
    ))  # fmt: skip


@habit(2)
def complex_between(d):
    x = d.pick(real)
    z, w = d.like(x), d.smooth(x)
    return Draft(d.one(
        f"q = tm.exp(1j * {x}) * ({w})\n{{y}} = tm.real(q * tm.conj(q)) + tm.imag(q)",
        f"q = {x} + 1j * {z}\nfor _ in range(2):\n    q = q * q * 0.1 + {d.number()}j\n{{y}} = q.real - q.imag * {d.number()}",
        f"q = tm.zeros({x}.shape, dtype=tm.complex128)\nq[...] = {x}\nq += 1j * {w}\n{{y}} = tm.abs(q + 3) ** 2",
        f"{{y}} = tm.real(tm.fft.ifft(tm.fft.fft(tm.ravel({x})) * tm.fft.fft(tm.ravel({w}))))",
        f"{{y}} = tm.sum(tm.abs(tm.fft.rfft(tm.ravel({w}) + 0.5)[:1]) ** 2)",
        f"{{y}} = tm.angle(3 + {w} + 1j * {x})", f"{{y}} = tm.real(({x} + 0j) * 1j) + {w}",
        f"{{y}} = ({w}) * {d.number()}j", f"q = tm.stack([{x} * 1j, {z} + 0j])\n{{y}} = tm.sum(q * tm.conj(q), axis=0).real",
    ))  # fmt: skip


@habit(2)
def linear_algebra(d):
    x = d.pick(lambda a: a.ndim == 2 and 1 <= a.shape[0] <= 4 and a.shape[1], real)
    n, w = d[x].shape[0], d.smooth(x)
    gram = f"gram{d.serial}"
    top = f"def {gram}(a):\n    return tm.tanh(a) @ tm.tanh(a).T + {n + 1} * tm.eye({n})"
    return Draft(d.one(
        f"A = {gram}({x})\n{{y}} = tm.linalg.solve(A, {w})", f"L = tm.linalg.cholesky({gram}({x}))\n{{y}} = L @ {w}",
        f"{{y}} = tm.linalg.slogdet({gram}({w}))[1]", f"{{y}} = tm.linalg.inv({gram}({x}))[0]",
        f"vals, vecs = tm.linalg.eigh({gram}({x}) + tm.diag(3.0 * np.arange({n})))\n{{y}} = vals * (vecs ** 2)[0]",
        f"{{y}} = tm.linalg.norm({w}) + tm.trace({gram}({x}))",
        f"{{y}} = tm.einsum('ij,kj->ik', {x}, {w}) / {n}", f"{{y}} = tm.einsum('ij,ij->j', {x}, {w})",
        f"Q, R = tm.linalg.qr({gram}({x}))\n{{y}} = tm.abs(tm.diag(R)) @ {w}",
        f"u = tm.ones({n})\nfor _ in range(3):\n    u = {gram}({x}) @ u\n    u = u / tm.linalg.norm(u)\n{{y}} = u @ {w}",
    ), top=top)  # fmt: skip


@habit(3)
def ways_of_calling(d):
    """Methods, operators, NumPy's own functions on Tensors, out of the usual order."""
    x = d.pick(rows, real)
    w, n = d.smooth(x), d[x].shape[0]
    axis = int(d.rng.integers(-d[x].ndim, d[x].ndim))
    return Draft(d.one(
        f"{{y}} = ({w}).sum(axis={axis}, keepdims=True) * {x}", f"{{y}} = {x}.mean({axis}) + {d.number()}",
        f"{{y}} = np.sum({w}, axis={axis})", f"{{y}} = np.concatenate([{x}, {w}])", f"{{y}} = ({w}).reshape(-1)[::2]",
        f"{{y}} = np.asarray({d.numbers(d[x].shape)}) * {w}", f"{{y}} = {d.numbers(d[x].shape)} @ ({w}).T",
        f"{{y}} = np.add({x}, {w})", f"{{y}} = np.stack([{x}, {w}], axis=-1)", f"{{y}} = tm.where({[k % 2 == 0 for k in range(d[x].shape[-1])]}, {x}, {w})",
        f"{{y}} = ({w}).transpose().T * {x}", f"{{y}} = ({w}).prod(axis={axis})",
        f"{{y}} = ({w})[{n - 1}]",
        f"{{y}} = tm.clip({w}, -9.0, 9.0) + abs({x} + 40)", f"{{y}} = divmod({d.number()}, 0.3)[0] * {w}",
        f"{{y}} = tm.sum({w}, axis=tuple(range({x}.ndim)))", f"{{y}} = {d.number()} ** {w}", f"{{y}} = 2 - {x} ** 2 / 3",
        f"{{y}} = tm.asarray({x}) + tm.tensor({d.number()})", f"{{y}} = ({w}).var(axis=0)",
    ))  # fmt: skip


@habit(1)
def a_compiled_part(d):
    """A function that is compiled itself, called from eager code and from a trace."""
    x, s = d.pick(real), d.serial
    z, q = d.like(x), d.smooth("t")
    top = d.one(
        f"@tm.compile\ndef fast{s}(t, u):\n    return {d.both(q, 'u')}",
        f"K{s} = {d.numbers(d[x].shape)}\n\n@tm.compile\ndef fast{s}(t, u):\n    return ({q}) * K{s} + u",
        f"fast{s} = tm.compile(lambda t, u: tm.sum({q} * u))",
    )
    return Draft(f"{{y}} = fast{s}({x}, {z})", top=top)
