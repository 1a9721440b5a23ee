"""An explanation as text, Markdown, LaTeX, a page, and in a notebook; names stay text in all of them."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.explaining.document import Document, Equation, Equations
from tinygrad_math.explaining.plain import text_of
from tinygrad_math.formulas.notation import plain

HOSTILE = [
    "</script><script>alert(1)</script>",
    "q\"uo'te",
    "{br}ace}",
    "back\\slash \\input{a} \\N",
    "new\nline\tand tab",
    "\u202eright to left\u202c",
    "אבג",
    "x" * 10_000,
    "$x$ % #1 & ~^_ <b>",
    "*bold* `code` [link](http://x) ![i](y) | cell",
    "<!-- no comment --> ]]>",
    "",
    " ",
]


def example(name="u"):
    u, v = tm.tensor(1.0, requires_grad=True, name=name), tm.tensor(2.0, requires_grad=True)
    x, y = 2 * u + v, u / v
    return tm.explain(tm.exp(x * y), u)


class Reader(HTMLParser):
    """The tags and the text of a page; nothing may be left open."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.words, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "mspace"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def test_a_page_stands_by_itself():
    page = example().html()
    reader = read(page)
    names = {tag for tag, _ in reader.tags}
    assert "math" in names
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert "default-src 'none'" in page
    assert not [a for _, attrs in reader.tags for a in attrs if a in ("src", "href", "style") or a.startswith("on")]
    for formula in re.findall(r"<math.*?</math>", page, re.DOTALL):
        ET.fromstring(formula)


def test_markdown_holds_the_formulas_between_dollar_signs():
    text = example().markdown()
    assert text.startswith(r"# $\frac{\partial f}{\partial u}$ by the chain rule")
    assert text.count("$$") % 2 == 0
    assert r"\begin{aligned}" in text


def braces(text):
    """How deep the braces of a LaTeX text are at its end; never below 0."""
    depth = 0
    for token in re.findall(r"\\.|[{}]", text, re.DOTALL):
        depth += (token == "{") - (token == "}")
        assert depth >= 0
    return depth


def test_latex_is_a_document():
    text = example().latex()
    assert text.startswith(r"\documentclass")
    assert text.rstrip().endswith(r"\end{document}")
    assert braces(text) == 0
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}")


@pytest.mark.parametrize("name", HOSTILE, ids=[ascii(n[:12]) for n in HOSTILE])
def test_hostile_names_are_text(name):
    e = example(name)
    text, markdown, tex, page = e.text(), e.markdown(), e.latex(), e.html()
    shown = re.sub(r"[^\w]", "", name.split("\n")[0][:10])
    for form in (text, "".join(read(page).words)):
        assert shown in re.sub(r"[^\w]", "", form)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert not {tag for tag, _ in read(page).tags} & {"script", "b", "a", "img"}
    assert braces(tex) == 0
    body = tex[tex.index(r"\begin{document}") :]
    assert r"\input" not in body
    assert not re.search(r"(?<!\\)[#%]", body)
    assert not re.search(r"<[a-zA-Z/!]", markdown)
    assert not re.search(r"(?<!\\)[`*|]", markdown.replace("**", ""))
    assert markdown.count("$") % 2 == 0
    assert max(map(len, text.splitlines())) < 1000


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex to compile with")
def test_latex_compiles_with_every_name(tmp_path):
    leaves = [tm.tensor(1.0 + k, requires_grad=True, name=name) for k, name in enumerate(HOSTILE)]
    total = leaves[0]
    for x in leaves[1:]:
        total = total * x
    (tmp_path / "e.tex").write_text(tm.explain(total, leaves).latex(), encoding="utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "e.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_notebook_shows_it_and_never_raises():
    e = example()
    bundle = e._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/markdown", "text/html"}
    assert bundle["text/plain"] == e.text() == str(e)
    read(bundle["text/html"])
    assert repr(e).startswith("Explanation of f in u: 2 paths")
    assert repr(e.paths[0]).startswith("Path(u → ")
    assert "chain rule" in repr(e.paths[0].steps[-1])


def test_large_arrays_are_told_by_shape_and_norm_and_entries_on_request():
    W = tm.tensor(np.ones((2, 3)), requires_grad=True)
    y = (W @ np.array([1.0, 2.0, 3.0])).sum()
    assert "Jacobian (2, 2, 3) of norm 5.292" in tm.explain(y, W).text()
    assert "(1 2 3 0 0 0; 0 0 0 1 2 3)" in tm.explain(y, W, entries=True).text()
    big = tm.tensor(np.ones((300, 300)), requires_grad=True)
    text = tm.explain((big @ np.ones(300)).sum(), big, entries=True).text()
    assert "shape (300, 300)" in text
    assert len(text) < 3000


@pytest.mark.parametrize(
    "formula, text",
    [
        (r"-\frac{u}{v^2}", "-u/v²"),
        (r"e^{x y}", "e^(x y)"),
        (r"\frac{\partial z}{\partial (x y)} \cdot 2", "∂z/∂(x y) · 2"),
        (r"W_{2}^T (y - t) x^T", "W₂ᵀ (y - t) xᵀ"),
        (r"\frac{\mathrm{d} P}{\mathrm{d} z}", "dP/dz"),
        (r"\frac{1}{2 \sqrt{x}}", "1/(2 √x)"),
        (r"\lvert x + 1 \rvert", "|x + 1|"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "(1 2; 3 4)"),
        (r"3.2 \cdot 10^{-5}", "3.2 · 10⁻⁵"),
        (r"\sum_{j} q_{j}", "∑ⱼ qⱼ"),
        (r"W_{ih} x", "Wᵢₕ x"),
        (r"x \ln \frac{x}{y}", "x ln (x/y)"),
        (r"\frac{\ln x}{2}", "(ln x)/2"),
        (r"\sum \frac{x}{y}", "∑(x/y)"),
        (r"\sum_{\text{axis 0}} A", "∑_(axis 0) A"),
        (r"\sum_{j \le i} x_j", "∑_(j≤i) xⱼ"),
        (r"{\frac{a}{b}}^2", "(a/b)²"),
        (r"\frac{1}{3}^x", "(1/3)^x"),
        (r"\frac{1}{3} x^3", "(1/3) x³"),
        (r"\frac{2}{x} [x > 0]", "(2/x)[x > 0]"),
        (r"\frac{a}{b} (c + d)", "(a/b) (c + d)"),
        (r"-\sin x \cdot (-\sin y)", "-sin x · (-sin y)"),
        (r"a \bmod b", "a mod b"),
        (r"\operatorname{atan2}(x, y)", "atan2(x, y)"),
    ],
)
def test_formulas_as_plain_text(formula, text):
    assert text_of(formula) == text


def test_text_in_a_formula_comes_back_as_it_was():
    for name in HOSTILE[:10]:
        line = "".join(c for c in name[:40] if c.isprintable())
        assert text_of(rf"\text{{{plain(line)}}}").split() == line.split()


NUMBERED = {
    "loss": lambda x1, k: tm.nn.functional.cross_entropy(x1, k),
    "index": lambda x1, k: (x1[0] * x1[1]).sum(),
    "running": lambda x1, k: tm.sum(tm.cumsum(x1) * tm.cumprod(x1)),
    "gather": lambda x1, k: tm.sum(tm.take_along_axis(x1, k[:, None], 1)),
}


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex to compile with")
def test_latex_of_values_with_a_number_in_their_names_compiles(tmp_path):
    x1 = tm.tensor([[1.0, 2.0], [0.5, -1.0]], requires_grad=True, name="x1")
    for name, f in NUMBERED.items():
        document = tm.explain(f(x1, np.array([0, 1])), x1).latex()
        (tmp_path / "e.tex").write_text(document, encoding="utf-8")
        run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "e.tex"]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
        assert done.returncode == 0, (name, done.stdout[-2000:])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex to compile with")
def test_long_sums_are_broken_at_their_signs_so_that_they_fit_the_page(tmp_path):
    terms = [rf"\sin({k} x_{{1}}) \left(1 - x_{{{k}}}\right)" for k in range(2, 14)]
    row = Equation(
        "y", (" + ".join(terms), " - ".join(terms)), "the sum rule, and a note that is long enough for lines"
    )
    document = Document(
        ["sums"], [Equations((row, Equation(r"\frac{\partial y}{\partial x}", ("x + 1", "2"))))]
    ).latex()
    for term in terms:
        assert document.count(term) == 2
    (tmp_path / "e.tex").write_text(document, encoding="utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "e.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    assert "&= x + 1 = 2" in document
