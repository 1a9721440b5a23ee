"""A text with formulas, once; and its forms: plain text, Markdown, LaTeX, HTML."""

from __future__ import annotations

import abc
import contextlib
import itertools
import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from ..core.notebook import bundle
from ..formulas.notation import plain
from ..viz.mathml import STYLE, mathml
from ..viz.page import page, visible
from ..viz.page import text as escaped
from .plain import text_of

_WIDTH = 110  # columns of a terminal that are used
_LINE = 88  # characters of a formula and its note that fit a line on paper
_PART = re.compile(r"\\(?:left|right)\s*(?:\\.|\\[a-z]+|.)|\\[A-Za-z]+|\\.| [+-] ")
_OPEN = frozenset("([{")
_CLOSE = frozenset(")]}")
_NOTE = 36  # characters of a note that fit beside a formula on paper
_CSS = """
table.equations{border:0}table.equations td{border:0;padding:.15em .25em;vertical-align:middle}
table.equations td:first-child{text-align:right}table.equations td.note{padding-left:1.5em}
section{margin:1.2em 0}
"""


class Math(NamedTuple):
    """A formula within a line."""

    latex: str


Inline = str | Math


class Heading(NamedTuple):
    inlines: tuple[Inline, ...]
    part: bool = False  # the heading of a part that has headings of its own


class Paragraph(NamedTuple):
    inlines: tuple[Inline, ...]


class Equation(NamedTuple):
    """`left = right = ...`, and a note beside it. `broken`: each right side on a line of its own."""

    left: str
    rights: tuple[str, ...]
    note: str = ""
    broken: bool = False


class Equations(NamedTuple):
    rows: tuple[Equation, ...]


Block = Heading | Paragraph | Equations


class Document:
    """A title and blocks."""

    def __init__(self, title: Iterable[Inline], blocks: Iterable[Block]) -> None:
        self.title, self.blocks = tuple(title), list(blocks)

    # -- plain text ----------------------------------------------------------------------------------------------
    def text(self) -> str:
        title = as_text(self.title)
        out = [title, "=" * len(title)]
        for block in self.blocks:
            if isinstance(block, Equations):
                out += _columns(block.rows)
                continue
            line = as_text(block.inlines)
            out += ["", line, "-" * len(line)] if isinstance(block, Heading) and block.part else ["", line]
        return "\n".join(out) + "\n"

    # -- Markdown ------------------------------------------------------------------------------------------------
    def markdown(self) -> str:
        out = [f"# {_markdown(self.title)}"]
        for block in self.blocks:
            if isinstance(block, Heading):
                out.append(f"{'##' if block.part else '###'} {_markdown(block.inlines)}")
            elif isinstance(block, Paragraph):
                out.append(_markdown(block.inlines))
            else:
                out.append(f"$$\n\\begin{{aligned}}\n{_aligned(block.rows)}\n\\end{{aligned}}\n$$")
        return "\n\n".join(out) + "\n"

    # -- LaTeX -----------------------------------------------------------------------------------------------------
    def latex(self) -> str:
        title = _tex(self.title)
        out = [rf"\section*{{\Large {title}}}"]
        for block in self.blocks:
            if isinstance(block, Heading):
                out.append(rf"\{'section' if block.part else 'subsection'}*{{{_tex(block.inlines)}}}")
            elif isinstance(block, Paragraph):
                out.append(_tex(block.inlines))
            else:
                out.append(f"\\begin{{align*}}\n{_aligned(block.rows, narrow=True)}\n\\end{{align*}}")
        body = "\n\n".join(out)
        return _PREAMBLE.format(letters=_letters(body), body=body)

    # -- HTML ------------------------------------------------------------------------------------------------------
    def fragment(self) -> str:
        """The body of the page, for a notebook."""
        out = [f"<h1>{_html(self.title)}</h1>"]
        for block in self.blocks:
            if isinstance(block, Heading):
                tag = "h2" if block.part else "h3"
                out.append(f"<{tag}>{_html(block.inlines)}</{tag}>")
            elif isinstance(block, Paragraph):
                out.append(f"<p>{_html(block.inlines)}</p>")
            else:
                out.append('<table class="equations">' + "".join(map(_row, block.rows)) + "</table>")
        return "\n".join(out)

    def html(self) -> str:
        return page(as_text(self.title), self.fragment(), style=STYLE + _CSS)


class Shown(abc.ABC):
    """What can be written as a Document: the methods, and what a notebook takes."""

    @abc.abstractmethod
    def document(self) -> Document: ...

    def text(self) -> str:
        """As plain text for a terminal."""
        return self.document().text()

    def markdown(self) -> str:
        """As Markdown, with formulas between dollar signs."""
        return self.document().markdown()

    def latex(self) -> str:
        """As a LaTeX document that compiles by itself, with pdflatex, lualatex or xelatex."""
        return self.document().latex()

    def html(self) -> str:
        """As a page of its own, with formulas in MathML: it needs no network and no script."""
        return self.document().html()

    def __str__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        forms = bundle(self, html=lambda: self.document().fragment(), markdown=self.markdown)
        with contextlib.suppress(Exception):  # else the repr stays
            forms["text/plain"] = self.text()
        return forms


# -- pieces ---------------------------------------------------------------------------------------------------------
def as_text(inlines: tuple[Inline, ...]) -> str:
    """Text and formulas as one line of text."""
    return "".join(text_of(i.latex) if isinstance(i, Math) else visible(i) for i in inlines)


def _columns(rows: tuple[Equation, ...]) -> list[str]:
    lefts = [text_of(r.left) if r.left else "" for r in rows]
    wide = min(max(map(len, lefts), default=0), 30)
    lines: list[tuple[str, str]] = []
    for left, row in zip(lefts, rows, strict=True):
        rights = [text_of(r) for r in row.rights]
        if row.broken and len(rights) > 1:
            lines += [
                (f"  {left if not k else '':<{wide}} = {r}", row.note if not k else "") for k, r in enumerate(rights)
            ]
        else:
            lines.append((f"  {left:<{wide}} " + " ".join(f"= {r}" for r in rights), visible(row.note)))
    column = max((len(a) for a, note in lines if note and len(a) + len(note) + 3 <= _WIDTH), default=0) + 3
    out = []
    for a, note in lines:
        if not note:
            out.append(a.rstrip())
        elif max(len(a), column - 2) + len(note) <= _WIDTH + 10:
            out.append(f"{a:<{column}}{note}" if len(a) < column else f"{a}   {note}")
        else:
            out += [a, f"      {note}"]
    return out


def _aligned(rows: tuple[Equation, ...], narrow: bool = False) -> str:
    """Equations one below the other; on paper a long note is broken into lines."""
    lines = []
    beside = max((min(len(row.note), _NOTE) for row in rows), default=0)
    before = max((len(text_of(row.left)) // 2 for row in rows), default=0)  # most are fractions
    room = _LINE - beside - before if narrow else math.inf
    for row in rows:
        note = rf" && \text{{{plain(row.note)}}}" if row.note else ""
        if narrow and len(row.note) > _NOTE:
            note = rf" && \parbox{{0.36\textwidth}}{{\raggedright\small {plain(row.note)}}}"
        if not row.rights:
            lines.append(f"{row.left} &{note}")
            continue
        whole = " = ".join(row.rights)
        rights = row.rights if row.broken or len(text_of(whole)) > room else [whole]
        for k, right in enumerate(rights):
            first, *rest = _terms(right, room) if len(text_of(right)) > room else [right]
            lines.append(f"{row.left if not k else ''} &= {first}{note if not k else ''}".lstrip())
            lines += [rf"&\quad {{}} {r}" for r in rest]
    return " \\\\\n".join(lines)


def _terms(formula: str, room: float) -> list[str]:
    """A sum as lines that fit, each but the first beginning with its sign; what is within brackets stays together."""
    cuts, depth, at = [0], 0, 0
    while at < len(formula):
        part = _PART.match(formula, at)
        token = part[0] if part else formula[at]
        depth += token in _OPEN or token.startswith((r"\left", r"\begin"))
        depth -= token in _CLOSE or token.startswith((r"\right", r"\end"))
        if depth == 0 and token in (" + ", " - "):
            cuts.append(at + 1)
        at += len(token)
    pieces = [formula[a:b].strip() for a, b in itertools.pairwise([*cuts, len(formula)])]
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(text_of(lines[-1])) + len(text_of(piece)) > room:
            lines.append("")
        lines[-1] = f"{lines[-1]} {piece}".strip()
    return lines


def _row(row: Equation) -> str:
    note = f'<td class="note muted">{escaped(row.note)}</td>' if row.note else "<td></td>"
    groups = [[r] for r in row.rights] if row.broken else [list(row.rights)]
    out = ""
    for k, group in enumerate(groups):
        right = mathml("= " + " = ".join(group), True).replace(
            'display="block"', 'display="inline" displaystyle="true"'
        )
        left = mathml(row.left).replace("<math ", '<math displaystyle="true" ', 1) if not k else ""
        out += f"<tr><td>{left}</td><td>{right if group else ''}</td>{note if not k else '<td></td>'}</tr>"
    return out


def _markdown(inlines: tuple[Inline, ...]) -> str:
    special = {c: "\\" + c for c in "\\`*_{}[]<>#|$~"}
    return "".join(f"${i.latex}$" if isinstance(i, Math) else "".join(special.get(c, c) for c in i) for i in inlines)


def _tex(inlines: tuple[Inline, ...]) -> str:
    return "".join(f"${i.latex}$" if isinstance(i, Math) else plain(i) for i in inlines)


def _html(inlines: tuple[Inline, ...]) -> str:
    return "".join(mathml(i.latex) if isinstance(i, Math) else escaped(i) for i in inlines)


_PREAMBLE = r"""\documentclass{{article}}
\usepackage{{iftex}}
\ifpdftex
\usepackage[T1]{{fontenc}}
{letters}\fi
\usepackage{{amsmath}}
\usepackage[margin=2cm]{{geometry}}
\setlength{{\parindent}}{{0pt}}
\allowdisplaybreaks
\begin{{document}}

{body}

\end{{document}}
"""
_KNOWN = {"→": r"\ensuremath{\to}", "∂": r"\ensuremath{\partial}", "·": r"\ensuremath{\cdot}", "…": r"\dots{}"}
_KNOWN |= {"×": r"\ensuremath{\times}", "≤": r"\ensuremath{\le}", "∞": r"\ensuremath{\infty}"}


def _letters(body: str) -> str:
    """What pdflatex is to write for letters that its font may not have: what is known, or the letter's number."""
    out = []
    for c in sorted({c for c in body if ord(c) > 0x17F or c == "·" or c == "×"}):
        shown = _KNOWN.get(c, f"[U+{ord(c):04X}]")
        out.append(rf"\DeclareUnicodeCharacter{{{ord(c):04X}}}{{{shown}}}" + "\n")
    return "".join(out)
