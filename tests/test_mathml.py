"""Formulas as MathML: every op's, well formed, and text that stays text."""

import importlib
import string
import xml.etree.ElementTree as ET

import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.op import registry
from tinygrad_math.viz.mathml import mathml

for room in ("linalg", "fft", "special", "nn", "random", "stats", "geometry"):
    importlib.import_module(f"tinygrad_math.{room}")
KNOWN = """
math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd mstyle
"""
ARGUMENTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}


def tree(latex, display=False):
    root = ET.fromstring(mathml(latex, display))
    for e in root.iter():
        tag = e.tag.removeprefix("{http://www.w3.org/1998/Math/MathML}")
        assert tag in KNOWN.split(), tag
        assert len(e) == ARGUMENTS.get(tag, len(e)), (tag, latex)
    return root


def words(latex):
    return "".join(tree(latex).itertext())


@each("name", sorted(registry))
def test_the_formula_of_every_op_converts(name):
    op = registry[name]
    formula = op.latex.format(*"xyzuvw", **dict.fromkeys(op.param_names, "2"))
    assert "\\" not in words(formula)
    mathml(formula, display=True)


def test_structure_is_that_of_the_formula():
    assert mathml(r"\frac{a}{b}").endswith("<mfrac><mi>a</mi><mi>b</mi></mfrac></math>")
    assert mathml("x^{2}").endswith("<msup><mi>x</mi><mn>2</mn></msup></math>")
    assert mathml(r"\sqrt[3]{x}").endswith("<mroot><mi>x</mi><mn>3</mn></mroot></math>")
    assert mathml("W_1^T").endswith("<msubsup><mi>W</mi><mn>1</mn><mi>T</mi></msubsup></math>")
    assert mathml(r"\sum_j x", True).count("<munder>") == 1
    assert mathml(r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}").count("<mtd") == 4
    assert words(r"f''") == "f″"
    assert words(r"-x") == "−x"
    assert words(r"\mathcal{F}") == "ℱ"
    assert words(r"\lvert x \rvert^2") == "|x|2"
    assert words(r"\left.\frac{a}{b}\right|_{x=2}") == "ab|x=2"


def test_a_name_of_a_function_is_one_upright_word_apart_from_its_argument():
    page = mathml(r"\operatorname{array\_equal} x")
    assert "<mi>array_equal</mi>" in page
    assert "<mspace" in page
    assert "<mspace" not in mathml(r"\sin(x)")
    assert '<mi mathvariant="normal">E</mi>' in mathml(r"\operatorname{E}")


def test_a_minus_after_an_operator_is_a_sign():
    assert mathml("a - b").count("prefix") == 0
    assert mathml(r"a \cdot -b").count('form="prefix">−') == 1


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a<b & c>\"'", "א\u2067b", "ü → ∂", "$x$", "a^b_c"])
def test_text_is_text(text):
    escaped = "".join("\\" + c if c in "_$&" else r"\textasciicircum{}" if c == "^" else c for c in text)
    assert words(rf"\text{{{escaped}}}") == text
    assert words(rf"\operatorname{{{escaped}}}") == text
    assert "<script>" not in mathml(rf"\text{{{escaped}}}")
    mathml("".join(c for c in text if c not in "^_&$\\{}"))


@pytest.mark.parametrize(
    "latex, said",
    [
        (r"\unknown x", r"\\unknown"),
        (r"\text{\input{a}}", r"\\input"),
        ("{x", "the end"),
        ("x}", "}"),
        (r"\frac{1}", "argument"),
        ("x^", "argument"),
        (r"\left( x", "the end"),
        (r"\begin{tikz}\end{tikz}", "tikz"),
        (r"\text{a", "does not end"),
        ("{" * 500 + "x" + "}" * 500, "100 groups"),
        ("a & b", "&"),
    ],
)
def test_what_it_cannot_read_is_refused_by_name(latex, said):
    with pytest.raises(tm.ArgumentError, match=said):
        mathml(latex)


@each("cut", range(1, 60))
def test_a_formula_that_is_cut_off_is_refused_or_well_formed(cut):
    formula = r"\left(\frac{\partial^2 y}{\sqrt[3]{x_1}}\right)^{-1} \begin{bmatrix} a & \text{b} \\ c \end{bmatrix}"[
        :cut
    ]
    try:
        tree(formula)
    except tm.ArgumentError as error:
        assert "character" in str(error)  # noqa: PT017


def test_the_names_of_formulas_that_format_completes_survive():
    formula = string.Formatter().format(registry["multiply"].latex, r"\text{a\_b}", "c")
    assert words(formula) == "a_b⊙c"


def test_names_of_several_letters_stand_apart_from_their_neighbours():
    assert mathml(r"x \text{weight}").count("<mspace") == 1
    assert mathml(r"\text{weight}^T y").count("<mspace") == 1
    assert mathml(r"\text{weight} + y").count("<mspace") == 0
