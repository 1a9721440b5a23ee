"""The report of the demo: one page that a learner can read from top to bottom."""

from __future__ import annotations

import base64
import html
from typing import Any

import numpy as np

from ..viz.mathml import STYLE, mathml
from ..viz.page import page as whole_page
from ..viz.svg import within
from .study import Study

_STYLE = """
body{max-width:60rem} td,th{text-align:right} img,svg{max-width:100%;height:auto} figure{margin:1rem 0}
figure img{background:#fff;border-radius:6px} pre{white-space:pre-wrap;overflow-wrap:anywhere}
"""
_NOTHING = 1e-5  # of the largest eigenvalue: the training ends that near to the minimum
_FORWARD = (r"H = X W_1^T", r"P = H W_2^T", r"L = \frac{1}{2N} \sum_{ij} (P - Y)_{ij}^2")
_BACKWARD = (
    r"\frac{\partial L}{\partial P} = \frac{1}{N} (P - Y)",
    r"\frac{\partial L}{\partial W_2} = \left(\frac{\partial L}{\partial P}\right)^T H",
    r"\frac{\partial L}{\partial H} = \frac{\partial L}{\partial P} W_2",
    r"\frac{\partial L}{\partial W_1} = \left(\frac{\partial L}{\partial H}\right)^T X",
)
_CODE = """net = tm.nn.Sequential(tm.nn.Linear(2, 3, bias=False, rng=0), tm.nn.Linear(3, 2, bias=False, rng=1))
opt = tm.optim.SGD(net, lr=0.1, momentum=0.9)
while abs(W2 @ W1 - W).max() > 1e-6:
    opt.zero_grad()
    loss = tm.nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()"""


def matrix(a: Any, digits: int = 4) -> str:
    """A matrix in rows of text."""
    rows = [["" if v is None else f"{v: .{digits}f}" for v in row] for row in np.atleast_2d(a)]
    return "\n".join("[ " + "  ".join(row) + " ]" for row in rows)


def product_views(s: Study) -> str:
    """y = W x for one flower, read by rows and by columns."""
    w, x = s.w, s.x[0]
    lines = [
        f"x = sepal length and width of the first flower, centred = ({x[0]:.3f}, {x[1]:.3f})",
        "",
        "Row view: y_i is the inner product of row i of W with x.",
    ]
    for i in range(2):
        terms = " + ".join(f"({w[i, j]:.3f})({x[j]:.3f})" for j in range(2))
        lines.append(f"  y{i + 1} = {terms} = {w[i] @ x:.3f}")
    lines += ["", "Column view: y is the sum of the columns of W, scaled by the elements of x."]
    terms = " + ".join(f"({x[j]:.3f}) ({w[0, j]:.3f}, {w[1, j]:.3f})" for j in range(2))
    y = w @ x
    lines.append(f"  y = {terms} = ({y[0]:.3f}, {y[1]:.3f})")
    return "\n".join(lines)


def gradient_rows(s: Study) -> list[tuple[str, float, float, float]]:
    """Each weight with its derivative by the chain rule, by finite differences, and their distance."""
    hidden = s.w1.shape[0]
    names = [f"W1[{i},{j}]" for i in range(hidden) for j in range(2)]
    names += [f"W2[{i},{j}]" for i in range(2) for j in range(hidden)]
    return [(n, a, b, abs(a - b)) for n, a, b in zip(names, s.gradient, s.differences, strict=True)]


def page(s: Study, graph_svg: str, training_png: bytes, circle_png: bytes) -> str:
    """The whole report as one HTML file that needs no other."""
    rank = int(np.linalg.matrix_rank(s.w))
    rows = "".join(
        f"<tr><td>{n}</td><td>{a:.9f}</td><td>{b:.9f}</td><td>{d:.1e}</td></tr>" for n, a, b, d in gradient_rows(s)
    )
    top = float(np.linalg.eigvalsh(s.curvature)[-1])
    drawing, colors = within(graph_svg)
    w1, w2 = s.w1.shape, s.w2.shape
    values = np.linalg.eigvalsh(s.curvature)[::-1]
    flat = int((np.abs(values) < _NOTHING * values[0]).sum())
    body = f"""<h1>Two linear layers are one matrix</h1>
<p>Fisher measured {len(s.x)} irises in 1936. How well does the size of the sepals predict that of the petals, if the
prediction may only be linear? The network has two layers without a bias, {w1[1]}–{w1[0]}–{w2[0]}:
y = W2 (W1 x) = (W2 W1) x. However it is trained, all it can ever say is y = W x with one 2 × 2 matrix W.
The best such matrix is known in closed form, by least squares.
Gradient descent has to find the same one, and it does.</p>
<pre>{html.escape(_CODE)}</pre>
<h2>What it learned</h2>
<pre>W1 =
{matrix(s.w1)}
W2 =
{matrix(s.w2)}
W2 W1 (after {len(s.steps)} steps of gradient descent with momentum) =
{matrix(s.w, 6)}
W by least squares =
{matrix(s.least_squares, 6)}
largest difference: {s.gaps[-1]:.1e}</pre>
<p>The product has rank {rank}; W1 and W2 themselves are not determined, for (W2 M⁻¹)(M W1) is the same map for every
invertible M.</p>
<h2>One prediction, read in two ways</h2>
<pre>{html.escape(product_views(s))}</pre>
<h2>What W does to the plane</h2>
{_image(circle_png, "The unit circle and its image, an ellipse whose half-axes are the singular values of W")}
<h2>The training</h2>
{_image(training_png, "Loss, distance to the least-squares solution, and gradient norms, over the steps")}
<p>The loss stops falling long before W has settled: near the minimum a small error in W costs only its square.</p>
<h2>The chain rule, with matrices</h2>
<p>The rows of X and Y are the flowers, N = {len(s.x)}. The network computes H, then P, and of these the loss L:</p>
{_formulas(_FORWARD)}
<p>The derivative of L with respect to P is taken first. Each further one is the one before, times the other factor of
the product that is walked back through, transposed: once from P to W2 and H, and once from H to W1.</p>
{_formulas(_BACKWARD)}
<p>At the start, with the numbers that the walk found:</p>
<pre>dL/dW1 =
{matrix(s.gradient[: 2 * w1[0]].reshape(w1), 6)}
dL/dW2 =
{matrix(s.gradient[2 * w1[0] :].reshape(w2), 6)}</pre>
<h2>The graph of the loss</h2>
<p>What was recorded in the first step, with values and gradients: the chain rule walks it from right to left.</p>
<figure>{drawing}</figure>
<h2>The gradient, checked</h2>
<p>Each derivative at the start: by the chain rule, walking the graph once backwards; and by finite differences,
(8 (L(w+h) − L(w−h)) − (L(w+2h) − L(w−2h))) / 12h, which asks for four losses for every single weight.</p>
<table><tr><th>weight</th><th>chain rule</th><th>finite differences</th><th>distance</th></tr>{rows}</table>
<h2>The curvature</h2>
<p>The Hessian H of the loss has {len(s.curvature)} × {len(s.curvature)} entries, but a product H v needs none of
them: it is the derivative of the gradient along v. Here the product and the dense Hessian times v differ by at most
{np.abs(s.product - s.dense).max():.1e}. Power iteration, which uses such products alone, finds the largest eigenvalue
{s.power[-1]:.9f} in {len(s.power)} products; the dense Hessian has {top:.9f}. Steps of gradient descent without
momentum are stable up to 2/λ = {2 / top:.3f}.</p>
<p>Its eigenvalues at the end, the largest first:</p>
<pre>{_listed(values)}</pre>
<p>{flat} of them vanish: along these directions W1 and W2 change and their product does not, by the invertible M above.
The other {len(values) - flat} belong to the {s.w.size} entries of W.</p>
"""
    return whole_page("Two linear layers are one matrix", body, style=_STYLE + STYLE + colors)


def _formulas(formulas: tuple[str, ...]) -> str:
    return "".join(f"<p>{mathml(f, display=True)}</p>" for f in formulas)


def _listed(values: Any) -> str:
    """Numbers in lines of four; what is nothing beside the largest reads 0."""
    told = [f"{v:12.6f}" if abs(v) > _NOTHING * values[0] else f"{'0':>12}" for v in values]
    return "\n".join("".join(told[k : k + 4]) for k in range(0, len(told), 4))


def _image(png: bytes, text: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    return f'<figure><img alt="{html.escape(text)}" src="data:image/png;base64,{data}"></figure>'
