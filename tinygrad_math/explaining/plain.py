"""A formula as text for a terminal: `e^(x y)`, `u/v²`, `Wᵀ g`."""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET

from ..viz.mathml import mathml

_HIGH = dict(zip("0123456789+-−=()niT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱᵀ"))
_LOW = dict(zip("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"))
_FENCED = re.compile(r"[\w√]*\([^()]*\)[⁰¹²³⁴-⁹ᵀ]*")  # what a bracket holds together already
_TAKES = re.compile(
    r"(?:ln|log|exp|sinh?|cosh?|tanh?|mean|max|min|∑|∏)(?:_\([^()]*\))? *$"
)  # what is applied to what follows
_NUMBERED = re.compile(r"(log₂|log₁₀|[A-Za-z]{2,}\d)$")  # a function whose name ends in a number
_OPERATORS = frozenset("+−·×⊙⊗⊕=<>≤≥≠≈→←∈∓±∗≪≫∧∨")


@functools.lru_cache(4096)
def text_of(latex: str) -> str:
    r"""A formula of LaTeX as one line of text.

    >>> text_of(r"-\frac{u}{v^2}"), text_of(r"e^{x y}"), text_of(r"\sqrt{x + 1}")
    ('-u/v²', 'e^(x y)', '√(x + 1)')
    """
    root = ET.fromstring(mathml(latex))
    return " ".join(_line(list(root)).replace("−", "-").split())


def _tag(e: ET.Element) -> str:
    return e.tag.rpartition("}")[2]


def _line(elements: list[ET.Element]) -> str:
    out, joined = "", False
    last: ET.Element | None = None  # the one before this that is written, and its text
    written = ""
    for k, e in enumerate(elements):
        text = piece = _text(e)
        tag, prefix = _tag(e), e.get("form") == "prefix"
        if (tag != "mo" or _opens(e)) and piece.strip() and last is not None and _is_fraction(last, numbers=True):
            out = f"{out.rstrip().removesuffix(written)}({written})"  # (a/b) c, for a/b c may be read as a/(b c)
        if _TAKES.search(out) and _is_fraction(e):  # ln(a/b), for ln a/b may be read as (ln a)/b
            piece = f"({piece})"
        if tag == "mspace" and last is not None and last.get("form") == "prefix" and written in ("-", "−", "+"):
            piece = ""  # TeX's space between a sign and a function
        elif tag == "mo" and (piece in _OPERATORS or piece.isalpha()) and not prefix and k:
            piece = f" {piece} "
        elif tag == "mo" and piece in (",", ";"):
            piece += " "
        elif out and piece and not joined and _apart(out, piece[0]) and (tag != "mo" or prefix) and not _closes(e):
            piece = " " + piece
        out += piece
        bare = piece.strip()
        joined = bare in ("d", "∂", "∂²", "d²") or (prefix and bare in ("|", "‖"))  # belongs to what follows
        if text.strip():
            last, written = e, text
    return out


def _opens(e: ET.Element) -> bool:
    """Whether a piece is an opening fence."""
    return e.get("form") == "prefix" and (e.text or "") in ("(", "[", "{", "|", "‖", "⌊", "⌈")


def _closes(e: ET.Element) -> bool:
    """Whether a piece is a closing fence with something above it."""
    return len(e) > 0 and e[0].get("form") == "postfix"


def _apart(line: str, after: str) -> bool:
    """Whether a piece beside what comes before it would read as one with it."""
    before = line[-1]
    if before.isspace() or before in "([{⌊⌈√-−" or after in "′″":
        return False
    if after == "[":
        return False
    if after == "(":
        return before in "0123456789⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉)]ᵀ" and not _NUMBERED.search(line)
    return after.isalnum() or after in "√∑∏∂‖|"


def _simple(text: str) -> bool:
    return text.isalnum() or bool(_FENCED.fullmatch(text)) or (len(text) < 24 and not any(c in text for c in " +-−·/⊙"))


def _group(text: str) -> str:
    return text if _simple(text) or (text[0] == "(" and text[-1] == ")" and text.count("(") == 1) else f"({text})"


def _index(text: str) -> str:
    """Letters below, which stand close together: `ih`, not `i h`."""
    return text.replace(" ", "") if all(len(piece) == 1 for piece in text.split()) else text


def _script(text: str, table: dict[str, str], mark: str) -> str:
    if text and all(c in table for c in text):
        return "".join(table[c] for c in text)
    if any(c in text for c in "=≠<>≤≥,;") and not _FENCED.fullmatch(text):
        return f"{mark}({text})"
    return text if set(text) <= set("′″‴") else mark + _group(text)


def _text(e: ET.Element) -> str:
    tag, inside = _tag(e), list(e)
    if not inside:
        if tag == "mspace":
            return " " if not e.get("width", "").startswith("-") else ""
        text = e.text or ""
        return "" if text == "\u2061" else text
    if tag in ("mrow", "mstyle", "math"):
        return _line(inside)
    parts = [" ".join(_text(i).split()) for i in inside]
    if tag == "mfrac":
        below = parts[1] if _simple(parts[1]) or _derivative(parts[1]) else f"({parts[1]})"
        above = parts[0] if _simple(parts[0]) or (_product(parts[0]) and not _applies(inside[0])) else f"({parts[0]})"
        return f"{above}/{below}"
    if tag == "msqrt":
        return "√" + (parts[0] if _simple(parts[0]) else f"({parts[0]})")
    if tag == "mroot":
        return _script(parts[1], _HIGH, "root") + "√" + _group(parts[0])
    base = f"({parts[0]})" if _is_fraction(inside[0], numbers=True) else parts[0]
    if tag in ("msub", "munder"):
        return base + _script(_index(parts[1]), _LOW, "_")
    if tag in ("msup", "mover"):
        return base + ("̄" if parts[1] == "¯" and len(base) == 1 else _script(parts[1], _HIGH, "^"))
    if tag in ("msubsup", "munderover"):
        return base + _script(_index(parts[1]), _LOW, "_") + _script(parts[2], _HIGH, "^")
    if tag == "mtable":
        return "; ".join(" ".join(_text(cell) for cell in row) for row in inside)
    return _line(inside)


def _applies(e: ET.Element) -> bool:
    """Whether it holds a function of what has no brackets: ln x, whose half is not written ln x/2."""
    return any(i.text == "\u2061" for i in e)


def _is_fraction(e: ET.Element, numbers: bool = False) -> bool:
    """Whether it is a fraction, and no derivative; one of two numbers only if asked for."""
    inside = [i for i in e if _tag(i) != "annotation"]
    if _tag(e) in ("mrow", "mstyle") and len(inside) == 1:
        return _is_fraction(inside[0], numbers)
    if _tag(e) != "mfrac" or _start(inside[0]) in ("∂", "d"):
        return False
    return numbers or not (_is_number(inside[0]) and _is_number(inside[1]))


def _start(e: ET.Element) -> str:
    """The sign that its text begins with; the whole text is put together once, by those who write it."""
    if _tag(e) in ("msqrt", "mroot"):
        return "√"
    return next(filter(None, map(_start, e)), "") if len(e) else (e.text or "").strip()[:1]


def _is_number(e: ET.Element) -> bool:
    return all(_tag(i) in ("mrow", "mstyle", "mn") for i in e.iter()) and "".join(e.itertext()).strip().isdecimal()


def _derivative(text: str) -> bool:
    return text[0] == "∂" and (" " not in text or (text[1] == "(" and text[-1] == ")"))


def _product(text: str) -> bool:
    return not any(c in text for c in "+-−/·⊙")
