"""The page of a graph: one file for a browser, in which frames open and close and boxes tell of themselves."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.docs import DERIVATIVE
from ..core.errors import MathError
from ..core.op import tex
from ..formulas.rules import rules
from . import labels
from .blocks import Ends, magnitudes, strengths
from .cards import Card, card_of, closed_card, common_dtype, in_blocks, name_of, ordered, said_of, text_width
from .layout import Arranged, Spot, arrange
from .legend import KINDS
from .mathml import STYLE, mathml
from .outline import Frame, Outline, Tile, light
from .page import page, resource, text, visible
from .values import summary
from .view import Arrow, Box, View

if TYPE_CHECKING:
    from .graph import Graph

_NUMBERS = 60_000  # entries of arrays on a page, so that it stays small
_BODY = """<header>
<h1>{title}</h1>
<span class="group"><label for="search">Search</label>
<input id="search" type="search" autocomplete="off" spellcheck="false">
<output id="hits" for="search"></output></span>
<span class="group"><button id="out" type="button" aria-label="zoom out">−</button>
<button id="fit" type="button">Fit</button>
<button id="in" type="button" aria-label="zoom in">+</button></span>
{frames}{moments}{walk}</header>
<main><div id="canvas"><div id="told"><p id="status" role="status" aria-live="polite"></p></div></div>
<aside id="about" aria-label="about the graph" tabindex="-1"></aside></main>
<noscript><pre>{text}</pre></noscript>"""
_FRAMES = """<span class="group"><button id="close" type="button">Close all</button>
<button id="open" type="button">Open all</button></span>
"""
_MOMENTS = """<span class="group"><label for="moment">Step</label>
<button id="moments-play" type="button" aria-label="play the recorded steps">▶</button>
<input id="moment" type="range" min="0" max="{last}" value="{last}">
<output id="moment-said">{count} of {count}</output></span>
"""
_WALK = """<span class="group"><label for="walk">Backward</label>
<button id="walk-back" type="button" aria-label="one step back">‹</button>
<button id="walk-play" type="button" aria-label="play the backward walk">▶</button>
<button id="walk-on" type="button" aria-label="one step on">›</button>
<input id="walk" type="range" min="0" value="0"><output id="walk-said"></output></span>
"""


def page_of(graph: Graph) -> str:
    """The page: what it shows is data, which its script lays out and draws."""
    outline, shown, view = graph.whole(), graph.shown, graph.view
    closed = {f.call for f in graph.outline().root.frames() if f.call is not None and not f.open}
    cards = said_of(view, outline, shown)
    done = arrange(outline)
    moments = [{b.id: b for b in v.boxes} for v in graph.moments]
    magnitudes_ = [magnitudes(v) if shown.grads else {} for v in graph.moments]
    tiles = [t for t in outline.tiles.values() if t.id in cards]
    limit = max(2, min(24, int((_NUMBERS / max(1, 2 * len(moments) * len(tiles))) ** 0.5)))
    home = {i.id: id for id, a in done.items() for i in a.frame.items}
    dtype = common_dtype(view)
    arguments, boxes = view.arguments(), {b.id: b for b in view.boxes}
    places = ordered(outline)
    incoming: dict[str, list[Any]] = {}
    for k in outline.links:
        incoming.setdefault(k.head, []).append({"id": k.tail, "said": k.through})
    nodes = {}
    for at, t in enumerate(tiles):
        later = [
            card_of(Tile(m[t.id], t.title), shown, dtype, cards[t.id].title, in_blocks(t.id, outline, sizes))
            for m, sizes in zip(moments, magnitudes_, strict=True)
        ]
        nodes[t.id] = {
            "at": at,
            "title": cards[t.id].title,
            "called": _called(t, cards[t.id].title),
            "shape": cards[t.id].shape,
            "role": cards[t.id].role,
            "part": t.box.part,
            "count": t.count,
            "size": [max(c.size[0] for c in later), max(c.size[1] for c in later)],
            "lines": [c.lines for c in later],
            "frame": home[t.id],
            "ordered": t.id in places,
            "parents": incoming.get(t.id, []),
            "words": _words(t.box, t.title),
            **_about(t.box, boxes, arguments, t.count),
        }
        if shown.values and t.box.kind != "failed":
            nodes[t.id]["values"] = [summary(m[t.id].data, limit) for m in moments]
        if shown.grads and t.box.cotangent is not None:
            nodes[t.id]["grads"] = [summary(m[t.id].cotangent, limit) for m in moments]
    for n in nodes.values():
        n["parents"] = [p for p in n["parents"] if p["id"] in nodes]
    sizes = [
        {id: float(f"{s:.4g}") if math.isfinite(s) else None for id, s in strengths(v, outline).items() if id in cards}
        if shown.grads
        else {}
        for v in graph.moments
    ]
    ends = [Ends(v, outline) for v in graph.moments]
    frames = {}
    for f in outline.root.frames():
        if f.id in done or f.id in cards:
            told = [closed_card(f, shown, e, outline, s) for e, s in zip(ends, magnitudes_, strict=True)]
            frames[f.id] = _frame(f, done.get(f.id), told, outline, f.call not in closed)
    again = {s.key for a in done.values() for r in a.ranks for s in r if s.kind == "again"}
    title = graph.title
    data = {
        "title": title,
        "words": _count(view, outline, dtype),
        "result": _result(view),
        "remark": view.remark if shown.grads else "",
        "direction": graph.direction,
        "legend": _legend(nodes, any(f.kind == "module" for f in outline.root.frames())),
        "nodes": nodes,
        "rules": {visible(op.name): _rule(op) for op in {t.box.op for t in tiles} if op is not None},
        "derivatives": {visible(op.name): _derivatives(op) for op in {t.box.op for t in tiles} if op is not None},
        "frames": frames,
        "order": list(done),
        "root": outline.root.id,
        "moments": len(moments),
        "sizes": sizes,
        "again": {id: _again(outline, id) for id in again},
    }
    several = any(f.kind != "graph" for f in outline.root.frames())
    body = _BODY.format(
        title=text(title),
        frames=_FRAMES if several else "",
        moments=_MOMENTS.format(last=len(moments) - 1, count=len(moments)) if len(moments) > 1 else "",
        walk=_WALK if any(sizes) else "",
        text="\n".join(text(line) for line in graph.text().splitlines()[:2000]),
    )
    return page(title, body, style=resource("graph.css") + STYLE, script=resource("graph.js"), data=data)


def _again(outline: Outline, id: str) -> dict[str, Any]:
    said = name_of(outline, id)
    return {"said": said, "width": text_width(said, 10.5) + 16.0}


def _called(t: Tile, title: str) -> str:
    """The box in a sentence."""
    name = t.box.name or t.box.meaning
    return (
        visible(name)[:60] if name else title if "·" not in title and "(" in title else f"{visible(t.box.title)} {t.id}"
    )


def _words(b: Box, title: str) -> str:
    parts = [b.id, b.name or "", title, b.title, b.module or "", b.meaning or "", b.extent]
    return visible(" ".join(parts))[:400].lower()


def _count(view: View, outline: Outline, dtype: str) -> str:
    steps = sum(b.is_step for b in view.boxes)
    words = f"{steps:,} steps on {len(view.boxes) - steps:,} leaves and constants"
    drawn = sum(t.box.is_step for t in outline.tiles.values())
    words += f", of which {drawn:,} are boxes here" if drawn < steps else ""
    return words + (f"; {dtype} where nothing else is said." if dtype else ".")


def _result(view: View) -> str:
    found = [b for b in view.boxes if b.kind == "result"]
    return visible(found[0].name or "the result") if found else "the result"


def _legend(nodes: Mapping[str, Any], modules: bool) -> list[tuple[str, str]]:
    roles = {n["role"] for n in nodes.values()} | ({"closed"} if modules else set())
    parts = {n["part"] for n in nodes.values()}
    found = [(k, w) for k, w in KINDS if k in roles]
    found += [("backward", "backward")] if 1 in parts else []
    return found + ([("second", "backward of backward")] if max(parts, default=0) > 1 else [])


def _frame(f: Frame, a: Arranged | None, told: Sequence[Card], outline: Outline, is_open: bool) -> dict[str, Any]:
    """A frame, which says what is `told` of it while it is closed. One without an arrangement cannot be opened."""
    label = labels.shortened(visible(f.label), 60)
    sizes = [replace(card, title=f"▸ {card.title}").size for card in told]
    return {
        "kind": f.kind if f.kind in ("pass", "repeat") else "module",
        "label": label,
        "path": visible(f.path),
        "count": f.count,
        "loops": f.loops,
        "open": a is not None and (is_open or f.kind == "graph"),
        "fixed": a is None or f.kind == "graph",
        "parent": _parent(outline, f),
        "closed": [max(w for w, _ in sizes), max(h for _, h in sizes)],
        "closedLines": [card.lines for card in told],
        "shape": told[0].shape,
        "least": text_width(f"▾ {label}", 11.0) + 24.0,
        **(_arrangement(a) if a is not None else _NOTHING),
    }


_NOTHING: dict[str, Any] = {"rows": [], "paths": [], "ports": {}, "enters": [], "leaves": [], "floats": []}


def _arrangement(a: Arranged) -> dict[str, Any]:
    index: dict[Spot, int] = {s: k for k, s in enumerate(s for r in a.ranks for s in r)}
    return {
        "rows": [[[s.kind, s.key, index[s]] for s in r] for r in a.ranks],
        "paths": [
            [
                [index[s] for s in p.spots],
                p.tail,
                p.port,
                p.links[0].position if p.links else 0,
                [labels.shortened(k.through, 28) for k in p.links],
            ]
            for p in a.paths
        ],
        "ports": a.ports,
        "enters": a.enters,
        "leaves": a.leaves,
        "floats": sorted(a.floats),
    }


def _parent(outline: Outline, frame: Frame) -> str | None:
    return next((f.id for f in outline.root.frames() if any(i is frame for i in f.items)), None)


def _about(b: Box, boxes: Mapping[str, Box], arguments: Mapping[str, list[Arrow]], count: int) -> dict[str, Any]:
    """What the page tells of one box beside its arrays."""
    kinds = {"leaf": "a leaf", "data": "a constant", "result": "a result", "failed": "the step that failed"}
    says = kinds.get(b.kind, "a step")
    if b.part:
        says += ", of the backward pass" if b.part == 1 else f", of backward pass {b.part}"
    says += f"; the first of {count} equal ones" if count > 1 else ""
    facts = [("id", b.id)]
    if b.name:
        facts.append(("name", visible(b.name)))
    if b.kind != "failed":
        facts += [("shape", b.extent), ("dtype", b.dtype or "a Python number")]
    if b.op is not None:
        facts.append(("op", b.op.name))
        facts += [(str(k), labels.parameter(v)) for k, v in b.params.items()]
    if b.module:
        facts.append(("module", visible(b.module)))
    if b.place is not None:
        facts.append(("line", visible(b.place)))
    if b.message:
        facts.append(("message", visible(b.message)))
    about: dict[str, Any] = {"says": says, "facts": facts, "op": visible(b.title)}
    if b.op is not None:
        about["formula"] = _formula(b, arguments, boxes)
    return about


def _formula(b: Box, arguments: Mapping[str, Sequence[Arrow]], boxes: Mapping[str, Box]) -> str:
    """The step in maths, as MathML, with the names of its operands; nothing where it cannot be written so."""
    try:
        return mathml(f"{_symbol(b)} = {_written(b, arguments, boxes)}", display=True)
    except (MathError, IndexError, KeyError, ValueError):
        return ""


def _written(b: Box, arguments: Mapping[str, Sequence[Arrow]], boxes: Mapping[str, Box], depth: int = 3) -> str:
    operands = []
    for a in arguments.get(b.id, ()):
        tail = boxes[a.tail]
        inner = light(tail) and tail.name is None and depth > 0  # a transpose is written out
        said = _written(tail, arguments, boxes, depth - 1) if inner else labels.literal(tail) or _symbol(tail)
        operands.append(said)
    params = {k: tex(labels.parameter(v)).replace("{{}}", "{}") for k, v in b.params.items()}
    return str(b.op.latex.format(*operands, **params))


def _symbol(b: Box) -> str:
    """A value in a formula: its name, or n with its number."""
    name = visible(b.name).rpartition(".")[2] if b.name else ""
    if re.fullmatch("[A-Za-z]", name):
        return name
    if re.fullmatch("[A-Za-z][0-9]+", name):
        return f"{name[0]}_{{{name[1:]}}}"
    if name:
        return rf"\text{{{tex(labels.shortened(name, 24)).format()}}}"
    return f"n_{{{b.id[1:]}}}" if b.id[1:].isdigit() else "c"


def _derivatives(op: Any) -> list[str]:
    """The rules of an op as equations in its own letters, as MathML: backwards, then forwards."""
    found = rules(op)
    if not found.reverse:
        return []
    equations = [found.formula, *found.reverse, *([found.forward] if found.forward is not None else [])]
    try:
        return [mathml(e, display=True) for e in equations]
    except MathError:
        return []


def _rule(op: Any) -> str:
    """What is known of the derivative of an op: what its author wrote of it, or what its kind says."""
    words = inspect.cleandoc(op.words or "").partition(">>>")[0]
    sentences = re.split(r"(?<=[.:])\s+(?=[A-Z`(])|\n\n", words)
    lines = [part for part in sentences if re.search("erivative|cotangent|d/d", part)]
    said = " ".join([*lines, *([] if lines else [DERIVATIVE.get(op.kind, "")]), op.note])
    return labels.shortened(visible(re.sub(r"\s+", " ", said)).strip(), 400)
