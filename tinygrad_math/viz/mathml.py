"""MathML for the LaTeX of this package: of the ops' formulas, and of explanations.

What a browser shows by itself, without a script or a font from elsewhere (MathML Core). The part of LaTeX is the one
that the registry and the explanations are written in; every other command is refused by name. Text stays text: what
means something to HTML is escaped wherever it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import NamedTuple

from ..core.arguments import named
from ..core.errors import ArgumentError

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_DEEPEST = 100  # braces within braces
STYLE = """mtd.left{text-align:left}mtd.right{text-align:right}mtable.aligned>mtr>mtd{padding-left:0;padding-right:0}
math{font-family:"Latin Modern Math","STIX Two Math","Cambria Math",math}
mover[accent="true"]>mo{padding-bottom:.12em}
"""  # of a page with formulas: how the columns of aligned lines lie, which the elements alone cannot say, and that bars
# stand clear of their letters, which they do not in a browser without a font for mathematics


def _pairs(table: str) -> dict[str, str]:
    words = table.split()
    return dict(zip(words[::2], words[1::2]))


_LETTERS = _pairs("""
    alpha α  beta β  gamma γ  delta δ  epsilon ϵ  varepsilon ε  zeta ζ  eta η  theta θ  iota ι  kappa κ
    lambda λ  mu μ  nu ν  xi ξ  pi π  rho ρ  sigma σ  tau τ  upsilon υ  phi ϕ  varphi φ  chi χ  psi ψ  omega ω
    Gamma Γ  Delta Δ  Theta Θ  Lambda Λ  Xi Ξ  Pi Π  Sigma Σ  Phi Φ  Psi Ψ  Omega Ω  Re ℜ  Im ℑ  ell ℓ  hbar ℏ
    partial ∂  nabla ∇  infty ∞  emptyset ∅  aleph ℵ
""")
_BINARY = _pairs("""
    cdot ·  times ×  odot ⊙  otimes ⊗  oplus ⊕  land ∧  lor ∨  ast ∗  circ ∘  pm ±  mp ∓  cap ∩  cup ∪
    setminus ∖  div ÷  wedge ∧
""")
_RELATIONS = _pairs("""
    ne ≠  neq ≠  le ≤  leq ≤  ge ≥  geq ≥  in ∈  to →  rightarrow →  leftarrow ←  gets ←  mapsto ↦  approx ≈
    equiv ≡  sim ∼  ll ≪  gg ≫  mid ∣  perp ⊥  subset ⊂  propto ∝  implies ⟹  Rightarrow ⇒  iff ⟺  notin ∉
""")
_OPENING = {"lvert": "|", "lVert": "‖", "lfloor": "⌊", "lceil": "⌈", "langle": "⟨", "{": "{", "lbrace": "{"}
_CLOSING = {"rvert": "|", "rVert": "‖", "rfloor": "⌋", "rceil": "⌉", "rangle": "⟩", "}": "}", "rbrace": "}"}
_LARGE = {"sum": "∑", "prod": "∏", "int": "∫", "bigcup": "⋃", "bigcap": "⋂", "bigoplus": "⨁"}
_FUNCTIONS = frozenset(re.findall(r"\w+", """
    arccos arcsin arctan arg cos cosh cot det dim exp gcd ker lg ln log sin sinh tan tanh max min sup inf lim
"""))  # fmt: skip
_LIMITS = ("max", "min", "sup", "inf", "lim", "det", "gcd")  # what stands below them in a formula of its own
_SPACES = {
    ",": "0.167em",
    ":": "0.222em",
    ";": "0.278em",
    " ": "0.25em",
    "quad": "1em",
    "qquad": "2em",
    "!": "-0.167em",
}
_MARKS = {"dots": "…", "ldots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱", "lnot": "¬", "neg": "¬", "prime": "′"}
_MARKS |= {"forall": "∀", "exists": "∃", "backslash": "\\"}
_MARKS |= {c: c for c in "#$%&_"} | {"|": "‖", "vert": "|", "Vert": "‖"}
_ACCENTS = {"overline": "¯", "bar": "¯", "hat": "^", "widehat": "^", "tilde": "~", "dot": "˙", "ddot": "¨", "vec": "→"}
_TABLES = {"matrix": "", "pmatrix": "()", "bmatrix": "[]", "vmatrix": "||", "cases": "{", "aligned": "", "array": ""}
_IN_TEXT = {"backslash": "\\", "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "^": "^", "~": "~"}
_IN_TEXT |= {"ldots": "…", "dots": "…", "textellipsis": "…", "textless": "<", "textgreater": ">", "textbar": "|"}
_IN_TEXT |= {"textquotedbl": '"', "textasciigrave": "`", "textasteriskcentered": "*"}
_STYLES = {"mathbf": (0x1D400, 0x1D41A), "mathcal": (0x1D49C, 0x1D4B6), "mathbb": (0x1D538, 0x1D552)}
_STYLES |= {"boldsymbol": (0x1D468, 0x1D482), "mathit": (0x1D434, 0x1D44E)}
_ODD = dict(
    zip("𝒝𝒠𝒡𝒣𝒤𝒧𝒨𝒭𝒺𝒼𝓄𝔺𝔿𝕅𝕇𝕈𝕉𝕑\U0001d455", "ℬℰℱℋℐℒℳℛℯℊℴℂℍℕℙℚℝℤℎ")
)  # letters that Unicode had before its rows of styled ones


class Part(NamedTuple):
    """A piece of a formula, and what it is to its neighbours."""

    markup: str
    kind: str = "ordinary"  # or: function, large, binary, relation, opening, closing, comma, space


@named
def mathml(latex: str, display: bool = False) -> str:
    r"""A formula as a `<math>` element, which browsers show by themselves.

    Arguments: `latex`, a formula without dollar signs, in the part of LaTeX that this package writes: letters, numbers,
    scripts, fractions, roots, accents, braces under and over, `\text`, `\operatorname`, fences, matrices, `aligned`;
    `display`: on a line of its own.
    Raises ArgumentError for a command that it does not know, braces that do not match, or too many within each other.

    >>> mathml(r"\frac{1}{x^2}")  # doctest: +ELLIPSIS
    '<math xmlns=...><mfrac><mn>1</mn><msup><mi>x</mi><mn>2</mn></msup></mfrac></math>'
    """
    reader = _Reader(latex)
    body = _row(reader.parts(""))
    kind = "block" if display else "inline"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="{kind}">{body}</math>'


def _row(parts: list[Part]) -> str:
    """Pieces beside each other as one element, with TeX's spaces around the names of functions."""
    out: list[str] = []
    before = "opening"
    for k, part in enumerate(parts):
        markup, kind = part
        if kind == "binary" and before in ("binary", "relation", "opening", "comma", "function", "large"):
            markup, kind = markup.replace("<mo>", '<mo form="prefix">', 1), "ordinary"
        if kind == "function" or (kind == "large" and "<mi>" in markup):
            after = parts[k + 1].kind if k + 1 < len(parts) else "closing"
            if before in ("ordinary", "closing", "function", "large"):
                out.append('<mspace width="0.167em"/>')
            if after in ("ordinary", "function", "large"):
                markup += '<mo>&#x2061;</mo><mspace width="0.167em"/>'
        elif (
            kind == "ordinary"
            and before in ("ordinary", "closing")
            and "<mtext>" in markup + parts[k - 1].markup
            and not parts[k - 1].markup.endswith((">d</mi>", "∂</mi>", "∂</mo>"))
        ):
            out.append('<mspace width="0.167em"/>')  # a factor with a name of several letters beside another
        out.append(markup)
        before = kind if kind != "space" else before
    count = len(parts)
    return out[0] if count == 1 and len(out) == 1 and parts[0].kind != "space" else f"<mrow>{''.join(out)}</mrow>"


def _mi(name: str) -> str:
    """A name: one letter is italic by itself, and more are upright."""
    return f"<mi>{escape(name)}</mi>"


def _upright(name: str) -> str:
    return f'<mi mathvariant="normal">{escape(name)}</mi>' if len(name) == 1 else _mi(name)


def _fence(mark: str, form: str, stretchy: bool = False) -> str:
    if mark == ".":
        return ""
    return f'<mo form="{form}" stretchy="{"true" if stretchy else "false"}">{escape(mark)}</mo>'


class _Reader:
    """A formula from left to right."""

    def __init__(self, latex: str) -> None:
        self.latex, self.tokens, self.at, self.depth = latex, _TOKEN.findall(latex), 0, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def error(self, what: str) -> ArgumentError:
        place = len("".join(self.tokens[: self.at]))
        return ArgumentError(f"mathml: {what} at character {place} of {self.latex[:200]!r}")

    def skip(self) -> None:
        while self.peek().isspace():
            self.at += 1

    # -- rows ------------------------------------------------------------------------------------------------
    def parts(self, *ends: str) -> list[Part]:
        """The pieces up to one of these tokens, which is left."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(f"more than {_DEEPEST} groups within each other")
        out: list[Part] = []
        while True:
            self.skip()
            token = self.peek()
            if token in ends:
                break
            if not token or token in ("}", r"\right", r"\end", "&", r"\\"):
                wanted = " or ".join(e for e in ends if e)
                raise self.error(f"{token or 'the end'} where {wanted or 'the formula goes on'}" + " was expected")
            out.append(self.scripted())
        self.depth -= 1
        return out

    def scripted(self) -> Part:
        """A piece with what stands below and above it."""
        base = self.piece()
        low = high = ""
        while True:
            self.skip()
            token = self.peek()
            if token == "'":
                count = 0
                while self.peek() == "'":
                    count += 1
                    self.at += 1
                high = f"<mo>{'′″‴'[count - 1] if count < 4 else '′' * count}</mo>"
                continue
            if token not in ("_", "^") or (low if token == "_" else high and high[:4] != "<mo>"):
                break
            self.at += 1
            script = self.argument()
            if token == "_":
                low = script
            else:
                high = f"<mrow>{high}{script}</mrow>" if high else script
        if not low and not high:
            return base
        over = base.kind == "large" or base.markup.startswith(("<munder>", "<mover>"))
        tag = ("munderover" if over else "msubsup") if low and high else ("munder" if over else "msub") if low else ""
        tag = tag or ("mover" if over else "msup")
        kind = "function" if base.kind == "large" and "<mi>" in base.markup else base.kind
        return Part(f"<{tag}>{base.markup or '<mrow></mrow>'}{low}{high}</{tag}>", kind)

    def argument(self) -> str:
        """What a command or a script applies to, as one element."""
        self.skip()
        if self.peek() in ("}", "", "&", "^", "_"):
            raise self.error("an argument was expected")
        return _row([self.piece()]) if self.peek() != "{" else _row(self.group())

    def group(self) -> list[Part]:
        self.skip()
        if self.next() != "{":
            raise self.error("{ was expected")
        inside = self.parts("}")
        self.at += 1
        return inside

    # -- pieces ----------------------------------------------------------------------------------------------
    def piece(self) -> Part:
        token = self.next()
        if token == "{":
            self.at -= 1
            inside = self.group()
            return inside[0] if len(inside) == 1 and inside[0].kind != "space" else Part(_row(inside))
        if token[:1] == "\\" and len(token) > 1:
            return self.command(token[1:])
        if token in ("^", "_", "'"):
            self.at -= 1
            return Part("")
        return _character(token)

    def command(self, name: str) -> Part:
        if name in _LETTERS:
            return Part(_mi(_LETTERS[name]) if name[:1].islower() else _upright(_LETTERS[name]))
        if name in _BINARY or name == "bmod":
            return Part(f"<mo>{_BINARY.get(name, 'mod')}</mo>", "binary")
        if name in _RELATIONS:
            return Part(f"<mo>{escape(_RELATIONS[name])}</mo>", "relation")
        if name in _OPENING:
            return Part(_fence(_OPENING[name], "prefix"), "opening")
        if name in _CLOSING:
            return Part(_fence(_CLOSING[name], "postfix"), "closing")
        if name in _LARGE:
            return Part(f"<mo>{_LARGE[name]}</mo>", "large")
        if name in _FUNCTIONS:
            return Part(_mi(name), "large" if name in _LIMITS else "function")
        if name in _SPACES:
            return Part(f'<mspace width="{_SPACES[name]}"/>', "space")
        if name in _MARKS:
            return Part(f'<mo form="prefix" lspace="0" rspace="0">{escape(_MARKS[name])}</mo>')
        if name in ("displaystyle", "textstyle", "limits", "nolimits"):
            return Part("", "space")
        if name in _STYLES:
            return self.styled(name)
        if name in _ACCENTS:
            return Part(f'<mover accent="true">{self.argument()}<mo>{_ACCENTS[name]}</mo></mover>')
        if name not in _SHAPES:
            raise self.error(f"the command \\{name} is not known")
        made = _SHAPES[name](self)
        return made if isinstance(made, Part) else Part(made)

    def text(self) -> str:
        """The characters between braces, as they are to be read."""
        self.skip()
        if self.next() != "{":
            raise self.error("{ was expected")
        out: list[str] = []
        open_braces = 1
        while True:
            token = self.next()
            if not token:
                raise self.error("text that does not end")
            if token == "{":
                open_braces += 1
            elif token == "}":
                open_braces -= 1
                if not open_braces:
                    return "".join(out)
            elif token[0] == "\\" and len(token) > 1:
                name = token[1:]
                if name in _SPACES:
                    out.append(" ")
                elif name in _IN_TEXT or (len(name) == 1 and not name.isalnum()):
                    out.append(_IN_TEXT.get(name, name))
                else:
                    raise self.error(f"the command {token} in a text is not known")
            else:
                out.append(" " if token == "~" else token)

    def styled(self, name: str) -> Part:
        capital, small = _STYLES[name]
        out = []
        for c in self.text():
            if name in ("mathbf", "boldsymbol") and "0" <= c <= "9":
                out.append(chr(0x1D7CE + int(c)))
                continue
            first = (capital, "A") if "A" <= c <= "Z" else (small, "a") if "a" <= c <= "z" else None
            letter = c if first is None else chr(first[0] + ord(c) - ord(first[1]))
            out.append(_ODD.get(letter, letter))
        return Part(_mi("".join(out)))

    def fenced(self) -> Part:
        left = self.delimiter()
        inside = self.parts(r"\right", r"\middle")
        self.at += 1
        right = self.delimiter()
        return Part(f"<mrow>{_fence(left, 'prefix', True)}{_row(inside)}{_fence(right, 'postfix', True)}</mrow>")

    def delimiter(self) -> str:
        self.skip()
        token = self.next()
        known = {**_OPENING, **_CLOSING, "|": "‖", "vert": "|", "Vert": "‖"}
        if token[:1] == "\\" and token[1:] in known:
            return known[token[1:]]
        if token not in tuple("()[]|./"):
            raise self.error(f"{token or 'the end'} is no fence")
        return token

    def table(self) -> Part:
        name = self.text()
        if name not in _TABLES:
            raise self.error(f"the environment {name!r} is not known")
        if name == "array":
            self.text()
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(_row(self.parts("&", r"\\", r"\end")))
            end = self.next()
            if end == r"\\":
                self.skip()
                if self.peek() != r"\end":
                    rows.append([])
                    continue
                end = self.next()
            if end == r"\end":
                break
        if self.text() != name:
            raise self.error(f"\\end{{{name}}} was expected")
        sides = (
            ("right", "left") if name == "aligned" else ("left", "left") if name == "cases" else ("center", "center")
        )
        cell = '<mtd class="{0}" columnalign="{0}">{1}</mtd>'
        body = "".join(
            "<mtr>" + "".join(cell.format(sides[k % 2], c) for k, c in enumerate(row)) + "</mtr>" for row in rows
        )
        style = ' class="aligned" displaystyle="true"' if name == "aligned" else ""
        fences = _TABLES[name]
        left = _fence(fences[0], "prefix", True) if fences else ""
        right = _fence(fences[1], "postfix", True) if len(fences) > 1 else ""
        return Part(
            f"<mrow>{left}<mtable{style}>{body}</mtable>{right}</mrow>" if fences else f"<mtable{style}>{body}</mtable>"
        )

    def root(self) -> str:
        self.skip()
        if self.peek() != "[":
            return f"<msqrt>{self.argument()}</msqrt>"
        self.at += 1
        index = _row(self.parts("]"))
        self.at += 1
        return f"<mroot>{self.argument()}{index}</mroot>"

    def beside(self) -> Part:
        r"""`\operatorname`: a name of a function."""
        if self.peek() == "*":
            self.at += 1
        return Part(_upright(self.text()), "function")

    def under(self, mark: str, tag: str) -> str:
        return f"<{tag}>{self.argument()}<mo>{mark}</mo></{tag}>"

    def annotated(self, tag: str) -> str:
        """What comes first stands below or above what follows."""
        note = self.argument()
        return f"<{tag}>{self.argument()}{note}</{tag}>"

    def classed(self, kind: str) -> Part:
        inside = "".join(re.findall(r">([^<]*)<", _row(self.group())))
        return Part(f"<mo>{inside}</mo>" if kind != "ordinary" else f'<mo form="prefix">{inside}</mo>', kind)

    def fraction(self, style: str = "") -> str:
        above, below = self.argument(), self.argument()
        made = f"<mfrac>{above}{below}</mfrac>"
        return f'<mstyle displaystyle="{style}">{made}</mstyle>' if style else made


_SHAPES: dict[str, Callable[[_Reader], Part | str]] = {
    "frac": _Reader.fraction,
    "tfrac": lambda r: r.fraction("false"),
    "dfrac": lambda r: r.fraction("true"),
    "sqrt": _Reader.root,
    "left": _Reader.fenced,
    "begin": _Reader.table,
    "text": lambda r: f"<mtext>{escape(r.text())}</mtext>",
    "mathrm": lambda r: _upright(r.text()),
    "operatorname": _Reader.beside,
    "underbrace": lambda r: r.under("⏟", "munder"),
    "overbrace": lambda r: r.under("⏞", "mover"),
    "underset": lambda r: r.annotated("munder"),
    "overset": lambda r: r.annotated("mover"),
    "stackrel": lambda r: r.annotated("mover"),
    "mathrel": lambda r: r.classed("relation"),
    "mathbin": lambda r: r.classed("binary"),
    "mathord": lambda r: r.classed("ordinary"),
}


def _character(token: str) -> Part:
    if token[0].isdigit():
        return Part(f"<mn>{token}</mn>")
    if token in "+-*/":
        mark = {"-": "−", "*": "∗"}.get(token, token)
        return Part(f"<mo>{mark}</mo>", "binary") if token != "/" else Part('<mo lspace="0" rspace="0">/</mo>')
    if token in "=<>:":
        return Part(f"<mo>{escape(token)}</mo>", "relation")
    if token in "([":
        return Part(_fence(token, "prefix"), "opening")
    if token in ")]!":
        return Part(_fence(token, "postfix"), "closing")
    if token in ",;":
        return Part(f"<mo>{token}</mo>", "comma")
    if token == "~":
        return Part('<mspace width="0.25em"/>', "space")
    if token == "|":
        return Part('<mo form="prefix" stretchy="false" lspace="0" rspace="0">|</mo>')
    return Part(_mi(token) if token.isalpha() else f"<mo>{escape(token)}</mo>")
