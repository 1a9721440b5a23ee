"""What an explanation tells is true as it is read: its text, read by a reader of its own, is the value beside it."""

import re

import numpy as np
import pytest
from scipy import special

import tinygrad_math as tm
from tinygrad_math.explaining.plain import text_of
from tinygrad_math.formulas.notation import latex

F = tm.nn.functional
HIGH = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-"))
FUNCTIONS = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "ln": np.log,
    "arctan": np.arctan, "arsinh": np.arcsinh, "log₂": np.log2, "log₁₀": np.log10, "σ": special.expit,
    "erf": special.erf, "sign": np.sign, "max": max, "min": min, "atan2": np.arctan2, "Φ": special.ndtr,
    "sinc": np.sinc,
}  # fmt: skip
KINDS = ("number", "function", "name", "high", "sign")
NAMES = "|".join(sorted(FUNCTIONS, key=len, reverse=True))
TOKEN = re.compile(rf"\s*(?:(\d+(?:\.\d+)?)|({NAMES})(?![A-Za-z₀-₉])|([A-Za-zπ][₀-₉]*)|([⁰-⁹¹²³⁺⁻]+)|(.))")


class Reader:
    """Reads a formula of numbers. Products without a sign bind as firmly as a fraction's bar, or `tight`, more so."""

    def __init__(self, text, known, tight):
        found = TOKEN.findall(text)
        self.tokens = [(KINDS[k], t[k]) for t in found for k in range(5) if t[k]]
        self.known, self.tight, self.at, self.bars = known, tight, 0, 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def next(self, *wanted):
        token = self.peek()
        assert not wanted or token[1] in wanted, (token, wanted, self.tokens)
        self.at += 1
        return token

    def relation(self):
        value = self.sum()
        while self.peek()[1] in ("=", ">", "<"):
            sign, other = self.next()[1], self.sum()
            value = {"=": value == other, ">": value > other, "<": value < other}[sign]
        return value

    def sum(self):
        value = self.product()
        while self.peek()[1] in ("+", "-"):
            value = value + self.product() if self.next()[1] == "+" else value - self.product()
        return value

    def begins(self):
        kind, text = self.peek()
        return kind in ("number", "function", "name") or text in ("(", "√", "[") or (text == "|" and not self.bars)

    def run(self):
        value = self.factor()
        while self.tight and self.begins():
            value = value * self.factor()
        return value

    def product(self):
        if self.peek()[1] == "-":
            self.next()
            return -self.product()
        value = self.run()
        while True:
            if self.peek()[1] in ("·", "/"):
                value = value * self.run() if self.next()[1] == "·" else value / self.run()
            elif self.begins():
                value = value * self.factor()
            else:
                return value

    def factor(self):
        value = self.atom()
        while True:
            kind, text = self.peek()
            if kind == "high":
                self.next()
                value = value ** float("".join(HIGH[c] for c in text))
            elif text == "^":
                self.next()
                value = value ** self.factor()
            else:
                return value

    def atom(self):
        kind, text = self.next()
        if kind == "number":
            return np.float64(text)
        if kind == "name":
            return np.float64({"e": np.e, "π": np.pi}[text] if text in "eπ" else self.known[text])
        if kind == "function":
            return self.applied(FUNCTIONS[text])
        if text == "√":
            return np.sqrt(self.atom())
        if text == "|":
            self.bars += 1
            value = abs(self.sum())
            self.bars -= 1
            self.next("|")
            return value
        assert text in "([", (text, self.tokens)
        bars, self.bars = self.bars, 0
        value = np.float64(self.relation())
        self.bars = bars
        self.next(")" if text == "(" else "]")
        return value

    def applied(self, f):
        if self.peek()[1] != "(":  # of one thing alone, and no other factor may follow that it could take in
            value = f(self.factor())
            assert self.peek()[1] not in ("·", "/", "(", "[") or self.tokens[self.at + 1][0] == "function", self.tokens
            assert self.peek()[0] not in ("number", "name"), self.tokens
            return value
        self.next("(")
        values = [self.sum()]
        while self.peek()[1] == ",":
            self.next()
            values.append(self.sum())
        self.next(")")
        return f(*values)


def read(text, known):
    """The value of a formula, which is the same one whichever way a fraction's bar is read."""
    text = re.sub(r"(\d+(?:\.\d+)?) · 10([⁰-⁹¹²³⁻]+)", r"(\1 · 10\2)", text)
    readers = [Reader(text, known, tight) for tight in (False, True)]
    with np.errstate(all="ignore"):
        first, second = (r.sum() for r in readers)
    assert all(r.peek()[0] == "end" for r in readers), text
    assert first == pytest.approx(second, rel=1e-9, nan_ok=True), text
    return first


def sides_of(text):
    """Of each line but those of the rules, what stands between its equality signs, without derivatives and notes."""
    told = text.partition("\nRules\n")[0]
    for line in re.sub(r"\n\s+= ", " = ", told).split("\n"):
        sides = re.split(r"(?<![\w\])₀-₉] [<>]) = (?![^\[]*\])", re.split(r"\s{3,}(?=[a-z])", line.strip())[0])
        if line.startswith("  ") and len(sides) > 1:
            yield line, [s.strip() for s in sides if "∂" not in s and not re.match(r"d[²a-z]|product|their", s)]


@pytest.mark.parametrize(
    ("f", "singular", "regular"),
    [
        (tm.hypot, (0.0, 0.0), (0.0, 2.0)),
        (tm.arctan2, (0.0, 0.0), (0.0, 2.0)),
        (tm.power, (0.0, 0.0), (0.0, 2.0)),
        (lambda x, y: tm.linalg.norm(tm.stack([x, y])), (0.0, 0.0), (0.0, 2.0)),
        (lambda x, y: tm.std(tm.stack([x, y])), (2.0, 2.0), (0.0, 2.0)),
    ],
    ids=["hypot", "arctan2", "power", "norm", "std"],
)
def test_where_a_formula_has_no_value_the_convention_is_named(f, singular, regular):
    for point, named in ((singular, True), (regular, False)):
        x, y = (tm.tensor(v, requires_grad=True) for v in point)
        told = tm.explain(f(x, y), x).text()
        assert ("slope 0 at 0 by convention" in told) is named, told


UNARY = [
    tm.sin, tm.cos, tm.tanh, tm.exp, tm.sinh, tm.arctan, tm.arcsinh, tm.square, tm.sqrt, tm.log, tm.reciprocal, tm.abs,
    tm.log2, tm.special.expit, tm.special.erf, tm.sinc, F.relu, F.softplus, F.gelu, tm.sign, lambda a: 1 - a,
    lambda a: a**3, lambda a: a**-0.5, lambda a: 2**a, lambda a: a / 3, lambda a: 3 / a, lambda a: -a,
]  # fmt: skip
BINARY = [
    tm.add, tm.subtract, tm.multiply, tm.multiply, tm.divide, tm.divide, tm.power, tm.maximum, tm.minimum, tm.arctan2,
    tm.hypot, tm.logaddexp,
]  # fmt: skip


def program(seed):
    rng = np.random.default_rng(seed)
    values = [tm.tensor(rng.uniform(0.3, 2.0), requires_grad=True, name=n) for n in "xyw"]
    for _ in range(rng.integers(2, 7)):
        a, b = values[rng.integers(len(values))], values[-1]
        with np.errstate(all="ignore"):
            made = UNARY[rng.integers(len(UNARY))](a) if rng.random() < 0.5 else BINARY[rng.integers(len(BINARY))](a, b)
        if np.isfinite(made.item()) and abs(made.item()) < 1e4:
            values.append(made)
    return values[:3], values[-1]


@pytest.mark.parametrize("seed", range(60))
def test_each_line_of_an_explanation_says_one_value_and_the_right_one(seed):
    leaves, z = program(seed)
    for x in leaves if z.node.op is not None else ():
        e = tm.explain(z, x)
        text, names = e.text(), e._situation.names
        known = {text_of(latex(f)): n.data for n, f in names.known.items() if f.head == "symbol"}
        known |= {text_of(latex(f)): value for f, value in names.constants}
        for line, sides in sides_of(text):
            values = [read(s, known) for s in sides]
            assert values == pytest.approx([values[-1]] * len(values), rel=1e-3, abs=2e-4, nan_ok=True), line


def leaf(name, *shape):
    size = int(np.prod(shape))
    return tm.tensor((np.arange(size) % 4 - 1.5).reshape(shape), requires_grad=True, name=name)


A, M, b, v = leaf("A", 3, 2), leaf("M", 3, 3), leaf("b", 3), leaf("v", 2)


@pytest.mark.parametrize(
    ("y", "x", "told"),
    [
        (tm.outer(b, v) @ v, b, "q₁ = b vᵀ"),
        ((tm.outer(b, v) * A).sum(), b, "∂y/∂b = ∑_(axis 1) (A ⊙ vᵀ)"),
        ((tm.outer(b, v) * A).sum(), v, "∂y/∂v = ∑_(axis 0) (A ⊙ (b 𝟏ᵀ))"),
        ((A**3).mean(axis=1) @ b, A, "∂y/∂A = 1.5 (b 𝟏ᵀ) ⊙ A²"),
        ((A**3).sum(axis=0) @ v, A, "y = (∑_(axis 0) (A³))ᵀ v"),
        (tm.cumsum(b)[1] * v[0], b, "(∑_(j≤i) bⱼ)[1]"),
        (tm.special.expit(M).sum(), M, "dy/dM = σ(M) ⊙ (1 - σ(M))"),
        (tm.special.entr(M**2 + 1).sum(), M, "-(M² + 1) ⊙ ln(M² + 1)"),
        (tm.expand_dims(b, 1) + A, b, "y = b 𝟏ᵀ + A"),
        (tm.softmax(M, axis=0)[0, 0], M, "softmax_(axis 0) M"),
        (tm.cumsum(M, axis=0).sum(), M, "y = ∑(∑_(j ≤ i, axis 0) Mⱼ)"),
        (A.max(axis=1) @ b, b, "max_(axis 1) A"),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_columns_rows_and_axes_are_told_where_a_formula_would_be_another_one_without_them(y, x, told):
    assert told in tm.explain(y, x).text()
