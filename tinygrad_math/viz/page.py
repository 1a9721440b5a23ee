"""A page of its own: one file of HTML that needs no network and lets nothing in through names or values."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from typing import Any

from ..core.errors import ArgumentError

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
{data}{script}</body>
</html>
"""


def resource(name: str) -> str:
    """The text of a style sheet or a script that lies beside this file."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def text(value: Any) -> str:
    """A name or a value as text in HTML or SVG: markup is escaped, what cannot be printed is shown as what it is.

    >>> text("<b> & '\\u202e")
    '&lt;b&gt; &amp; &#x27;\\\\u202e'
    """
    return html.escape(visible(value))


def visible(value: Any) -> str:
    """A name or a value in one line: what breaks a line is a space, what cannot be printed is escaped, as `\\u202e`."""
    told = str(value)
    if told.isprintable():
        return told
    return "".join(c if c.isprintable() else " " if c.isspace() else ascii(c)[1:-1] for c in told)


def page(title: str, body: str, *, style: str = "", script: str = "", data: Any = None) -> str:
    """One self-contained page, light or dark as the reader's browser is.

    Arguments: `title` as text; `body` as markup, in which the caller has escaped names and values with `text`;
    `style` and `script` are added to the page's own style sheet (no `style=` attribute and no `onclick=` in the body:
    the page's content-security policy allows the two blocks, by their hashes, and nothing else); `data` is what JSON
    can say, and is found by the script as `JSON.parse(document.getElementById("data").textContent)`.
    Raises ArgumentError for a style or a script that would end its own block.

    >>> markup = page("a < b", "<p>" + text("x < y") + "</p>")
    >>> "<title>a &lt; b</title>" in markup, "<p>x &lt; y</p>" in markup, "default-src 'none'" in markup
    (True, True, True)
    """
    style, script = _block(resource("page.css") + style, "style"), _block(script, "script")
    allowed = [f"style-src '{_hash(style)}'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    if script:
        allowed.append(f"script-src '{_hash(script)}'")
    return _PAGE.format(
        policy="; ".join(["default-src 'none'", *allowed]),
        title=text(title),
        style=style,
        body=body,
        data="" if data is None else f'<script type="application/json" id="data">{_json(data)}</script>\n',
        script=f"<script>{script}</script>\n" if script else "",
    )


def _json(data: Any) -> str:
    """JSON in which nothing ends its block. JSON has no NaN: values that may be one are written as text before."""
    plain = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for c in "<>&\u2028\u2029":  # they stand inside strings only, so that the escape means the same
        plain = plain.replace(c, f"\\u{ord(c):04x}")
    return plain.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair, as \udc80


def _block(content: str, tag: str) -> str:
    content = content.replace("\r\n", "\n").replace("\r", "\n")  # as the browser reads it, before it takes the hash
    if f"</{tag}" in content.lower() or "<!--" in content:
        raise ArgumentError(f"page: a {tag} may not hold '</{tag}' or '<!--', which would end its block")
    return content


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
