"""What the rules of the calculus are called, and how a blackboard has them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..core.node import Node
from ..core.tensor import select
from ..formulas.terms import words
from ..formulas.tracing import branch_of


class Rule(NamedTuple):
    """A rule's name, and its law in LaTeX."""

    name: str
    law: str


SUM = Rule("sum rule", "(u + v)' = u' + v'")
DIFFERENCE = Rule("difference rule", "(u - v)' = u' - v'")
FACTOR = Rule("constant factor", "(c u)' = c u'")
PRODUCT = Rule("product rule", "(u v)' = u' v + u v'")
QUOTIENT = Rule("quotient rule", r"\left(\frac{u}{v}\right)' = \frac{u' v - u v'}{v^2}")
RECIPROCAL = Rule("reciprocal rule", r"\left(\frac{c}{v}\right)' = -\frac{c v'}{v^2}")
POWER = Rule("power rule", r"(u^n)' = n u^{n - 1} u'")
EXPONENTIAL = Rule("exponential rule", r"(a^u)' = a^u \ln(a) u'")
MATRIX = Rule("matrix product rule", r"\mathrm{d}(A B) = \mathrm{d}A \, B + A \, \mathrm{d}B")
LINEAR = Rule("linear map", r"\mathrm{d}(A x) = A \, \mathrm{d}x")
ELEMENTS = Rule("sum over elements", r"\frac{\partial}{\partial u_i} \sum_j u_j = 1")
MEAN = Rule("mean over elements", r"\frac{\partial}{\partial u_i} \frac{1}{n} \sum_j u_j = \frac{1}{n}")
SAME = Rule("rearrangement", r"\mathrm{d}(P u) = P \, \mathrm{d}u")
BRANCH = Rule("branch taken", r"\operatorname{where}(c, u, v)' = u' \text{ where } c \text{ holds, else } v'")
CHOICE = Rule("selection", r"\mathrm{d}u_k = e_k^T \, \mathrm{d}u")
SEVERAL = r"f(u, v)' = \frac{\partial f}{\partial u} u' + \frac{\partial f}{\partial v} v'"
PLACED = Rule("placement", r"\mathrm{d}(e_k u) = e_k \, \mathrm{d}u")
LENGTH = Rule("chain rule, norm", r"\lVert u \rVert' = \frac{u^T u'}{\lVert u \rVert}")
MERGED = Rule("several ways", "")

_LAWS = {
    "exp": r"(e^u)' = e^u u'",
    "expm1": r"(e^u - 1)' = e^u u'",
    "log": r"(\ln u)' = \frac{u'}{u}",
    "log1p": r"(\ln(1 + u))' = \frac{u'}{1 + u}",
    "sin": r"(\sin u)' = \cos(u) u'",
    "cos": r"(\cos u)' = -\sin(u) u'",
    "tan": r"(\tan u)' = \frac{u'}{\cos^2 u}",
    "tanh": r"(\tanh u)' = (1 - \tanh^2 u) u'",
    "sigmoid": r"\sigma(u)' = \sigma(u) (1 - \sigma(u)) u'",
    "sqrt": r"(\sqrt{u})' = \frac{u'}{2 \sqrt{u}}",
    "absolute": r"\lvert u \rvert' = \operatorname{sign}(u) u'",
    "relu": r"\max(u, 0)' = [u > 0] u'",
    "softplus": r"\ln(1 + e^u)' = \sigma(u) u'",
    "ndtr": r"\Phi(u)' = \frac{e^{-\frac{u^2}{2}}}{\sqrt{2 \pi}} u'",
    "softmax": r"s' = s \odot (u' - s^T u') \text{ for } s = \operatorname{softmax} u",
    "log_softmax": r"(\ln s)' = u' - s^T u' \text{ for } s = \operatorname{softmax} u",
    "logsumexp": r"(\ln \sum_k e^{u_k})' = s^T u' \text{ for } s = \operatorname{softmax} u",
    "mean_nll": r"(-\operatorname{mean}_k u_{k, c_k})' = -\operatorname{mean}_k u'_{k, c_k}",
    "clip": r"\operatorname{clip}(u, a, b)' = [a \le u \le b] u'",
}  # at a kink, the convention of the op holds
_WORDS = {
    "exp": "exponential",
    "log": "logarithm",
    "absolute": "absolute value",
    "expit": "sigmoid",
    "lp_norm": "norm",
    "sqrt": "square root",
    "ndtr": "normal distribution",
    "mean_nll": "mean over the classes given",
}
_WORDS |= {"solve_factored": "solve", "det_factored": "determinant", "inv": "inverse"}
_POWERS = frozenset({"integer_power", "square", "cbrt", "signed_power", "abs_power"})
_PRODUCTS = frozenset({"multiply", "cross3", "convolve"})
_MATRIX = frozenset({"matmul", "affine", "band_matmul", "contract"})
_SAME = words("""
    stack concat reshape transpose matrix_transpose squeeze expand_dims flip roll broadcast_to alias copy
    astype positive
""")
_PICK = words("""
    getitem gather take_along_axis diagonal select unstack split windows
""")
_PUT = frozenset({"embed", "scatter", "scatter_along_axis", "assign"})


def is_choice(node: Node) -> bool:
    """Whether a node chooses between values by a condition."""
    return node.op is not None and node.op.name == "where"


def _at_singular_point(node: Node, name: str) -> bool:
    """Whether a slope of a node is 0/0 or 0 times infinity as its formula is written, and 0 by the op's convention."""
    if name in ("hypot", "arctan2", "power"):
        return bool(np.any(np.equal(node.inputs[0].data, 0) & np.equal(node.inputs[1].data, 0)))
    if name == "std" or (name == "lp_norm" and 1 < node.params["ord"] < np.inf):
        return bool(np.any(np.equal(node.data, 0)))
    return False


def rule_of(node: Node, positions: tuple[int, ...], reached: tuple[bool, ...]) -> Rule:
    """The rule of a step into a node from its operand at these positions; `reached`: which operands vary.

    Where a formula has no value and the op's convention holds, its name says so.
    """
    rule = _rule_of(node, positions, reached)
    op = node.op
    if op is None or not _at_singular_point(node, op.name) or (op.name == "power" and 0 not in positions):
        return rule
    return rule._replace(name=f"{rule.name}; slope 0 at 0 by convention")


def _rule_of(node: Node, positions: tuple[int, ...], reached: tuple[bool, ...]) -> Rule:
    op = node.inputs[0].op if node.op is select else node.op
    assert op is not None
    name, both = op.name, sum(reached) > 1
    if name == "add":
        return SUM
    if name == "subtract":
        return DIFFERENCE
    if name == "negative":
        return FACTOR
    if name in _PRODUCTS:
        return PRODUCT if both else FACTOR
    if name in ("divide", "quotient"):
        return QUOTIENT if both else FACTOR if 0 in positions else RECIPROCAL
    if name == "reciprocal":
        return RECIPROCAL
    if name == "power":
        return POWER if 0 in positions else EXPONENTIAL
    if name in _POWERS:
        return POWER
    if name in _MATRIX:
        return MATRIX if both else LINEAR
    if name in ("sum", "mean"):
        return ELEMENTS if name == "sum" else MEAN
    if name in _SAME:
        return SAME
    if name == "where":
        return BRANCH if branch_of(node) in (None, *positions) else BRANCH._replace(name="branch not taken")
    if name in _PICK:
        return CHOICE
    if name in _PUT:
        return PLACED
    if name == "lp_norm" and node.params["ord"] == 2:
        return LENGTH
    law = _LAWS.get(name, SEVERAL if both else "f(u)' = f'(u) u'")
    return Rule(f"chain rule, {_WORDS.get(name, name).replace('_', ' ')}", law)
