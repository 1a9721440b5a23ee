r"""Derivatives that are programs in their declaration, as a book writes them.

A dot marks a tangent, a bar a cotangent, $\circ$ the product of elements, $A^H$ the conjugate transpose.
Sources: M. Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation (2008);
S. Walter and L. Lehmann, Algorithmic differentiation of linear algebra functions (2010); J. Magnus and H. Neudecker,
Matrix differential calculus (2019), for the differentials of eigenvalues and determinants.
"""

from __future__ import annotations

from typing import NamedTuple


class Written(NamedTuple):
    """LaTeX of the op, of the cotangents of its arguments by their names, and of its tangent."""

    formula: str
    reverse: tuple[tuple[str, str], ...]
    forward: str


_BY_DFN, _BY_DFD = (rf"\frac{{\partial_{v} F_{{m, n}}(x)}}{{f_{{m, n}}(x)}}" for v in "mn")
_F = r"\quad F_{ij} = \frac{1}{\lambda_j - \lambda_i}, \; F_{ii} = 0"
_E = r"\quad E_{ij} = \frac{1}{s_j^2 - s_i^2}, \; E_{ii} = 0"
_LOW = r"\operatorname{low}"
_UP = r"\operatorname{up}"


def _of_quantile(tail: str, a: str, density: str, sign: str) -> Written:
    """The rules of the inverse of a lower or an upper tail with one parameter, of this density."""
    lower = "P" if tail == "Q" else tail
    part, q = rf"\frac{{\partial_{{{a}}} {lower}_{{{a}}}(z)}}{{{density}(z)}}", rf"\frac{{1}}{{{density}(z)}}"
    return Written(
        rf"z = {tail}_{{{a}}}^{{-1}}(q)",
        ((rf"\bar{{{a}}}", rf"-\bar{{z}} \, {part}"), (r"\bar{q}", rf"{sign}\bar{{z}} \, {q}")),
        rf"\dot{{z}} = -\dot{{{a}}} \, {part} {sign or '+'} \dot{{q}} \, {q}",
    )


def _of_bessel(f: str, sign: str) -> Written:
    """The rules of a Bessel function, by its neighbours."""
    slope = rf"\tfrac{{1}}{{2}} ({f}_{{n - 1}}(x) {sign} {f}_{{n + 1}}(x))"
    return Written(
        rf"y = {f}_n(x)",
        ((r"\bar{n}", rf"\bar{{y}} \, \partial_n {f}_n(x)"), (r"\bar{x}", rf"\bar{{y}} \, {slope}")),
        rf"\dot{{y}} = \dot{{n}} \, \partial_n {f}_n(x) + \dot{{x}} \, {slope}",
    )


def _of_inverse_boxcox(less: str) -> Written:
    """The rules of the inverse of a Box-Cox transform, which is this power, or the power less 1."""
    in_y = r"(1 + \lambda y)^{1 / \lambda - 1}"
    in_power = r"(1 + \lambda y)^{1 / \lambda} \int_0^y \frac{s}{(1 + \lambda s)^2} \, \mathrm{d}s"
    return Written(
        rf"z = (1 + \lambda y)^{{1 / \lambda}}{less}",
        ((r"\bar{y}", rf"\bar{{z}} \, {in_y}"), (r"\bar{\lambda}", rf"-\bar{{z}} \, {in_power}")),
        rf"\dot{{z}} = {in_y} \dot{{y}} - {in_power} \, \dot{{\lambda}}",
    )


def _of_solved(name: str, names: str, by: str, condition: str) -> Written:
    """The rules of the parameter `by` that solves F = p, of the arguments `names`: by the implicit function theorem."""
    slopes = [
        (
            v,
            rf"\frac{{1}}{{\partial_{by} F}}"
            if v == "p"
            else rf"\left(-\frac{{\partial_{v} F}}{{\partial_{by} F}}\right)",
        )
        for v in names
    ]
    return Written(
        rf"{by} = \operatorname{{{name}}}({', '.join(names)}), \quad F = {condition} = p",
        tuple([(rf"\bar{{{v}}}", rf"\bar{{{by}}} \, {slope}") for v, slope in slopes]),
        rf"\dot{{{by}}} = " + " + ".join(rf"{slope} \, \dot{{{v}}}" for v, slope in slopes),
    )


def _of_jacobi(name: str, in_u: str, by_amplitude: str | None) -> Written:
    """The rules of an elliptic function; in m by the amplitude, but for dn, the root of 1 - m sn^2."""
    in_m = (
        r"\left(-\frac{\operatorname{sn}}{\operatorname{dn}}"
        r" \left(\frac{\operatorname{sn}}{2} + m \operatorname{cn} \partial_m \varphi\right)\right)"
        if by_amplitude is None
        else rf"{by_amplitude} \partial_m \varphi".strip()
    )
    turned = r"\quad \partial_m \varphi = -\operatorname{dn} \partial_m F(\varphi \mid m)"
    return Written(
        rf"y = \operatorname{{{name}}}(u \mid m), \quad F(\varphi \mid m) = u",
        ((r"\bar{u}", rf"\bar{{y}} \, {in_u}"), (r"\bar{m}", rf"\bar{{y}} \, {in_m}, {turned}")),
        rf"\dot{{y}} = \dot{{u}} \, {in_u} + \dot{{m}} \, {in_m}, {turned}",
    )


def _of_beta_quantile(tail: str, sign: str) -> Written:
    """The rules of the inverse of the lower or the upper tail of the beta distribution, of density p."""
    a, b = (rf"\frac{{\partial_{v} I_z(a, b)}}{{p_{{a, b}}(z)}}" for v in "ab")
    q = r"\frac{1}{p_{a, b}(z)}"
    return Written(
        rf"z = {tail}^{{-1}}_q(a, b), \quad I_z(a, b) = \int_0^z p_{{a, b}}(u) \, \mathrm{{d}}u",
        (
            (r"\bar{a}", rf"-\bar{{z}} \, {a}"),
            (r"\bar{b}", rf"-\bar{{z}} \, {b}"),
            (r"\bar{q}", rf"{sign}\bar{{z}} \, {q}"),
        ),
        rf"\dot{{z}} = -\dot{{a}} \, {a} - \dot{{b}} \, {b} {sign or '+'} \dot{{q}} \, {q}",
    )


def _along(f: str, slope: str, x: str = "x", over: str = "", y: str = "y") -> Written:
    """A function of one number and its slope; of a complex one the cotangent takes its conjugate."""
    turned = rf"{over}{{{slope}}}" if over else slope
    return Written(
        f"{y} = {f}", ((rf"\bar{{{x}}}", rf"\bar{{{y}}} \, ({turned})"),), rf"\dot{{{y}}} = ({slope}) \, \dot{{{x}}}"
    )


_TAKEN = Written(
    r"y_i = x_{k_i}",
    ((r"\bar{x}_j", r"\sum_{i : k_i = j} \bar{y}_i"),),
    r"\dot{y}_i = \dot{x}_{k_i}",
)
_ADDED = Written(
    r"y_j = \sum_{i : k_i = j} x_i",
    ((r"\bar{x}_i", r"\bar{y}_{k_i}"),),
    r"\dot{y}_j = \sum_{i : k_i = j} \dot{x}_i",
)

WRITTEN = {
    "normalized": Written(
        r"y = r \, (x - \overline{x}), \quad r = (\operatorname{var} x + \epsilon)^{-1/2}",
        ((r"\bar{x}", r"r \, (\bar{y} - \overline{\bar{y}} - y \, \overline{y \circ \bar{y}})"),),
        r"\dot{y} = r \, (\dot{x} - \overline{\dot{x}} - y \, \overline{y \circ \dot{x}})",
    ),
    "inverse_deviation": Written(
        r"r = (\operatorname{var} x + \epsilon)^{-1/2}",
        ((r"\bar{x}", r"-\frac{1}{n} \, r^2 \, \bar{r} \, y, \quad y = r \, (x - \overline{x})"),),
        r"\dot{r} = -r^2 \, \overline{y \circ \dot{x}}",
    ),
    "eigh": Written(
        r"(\lambda, U), \quad A = U \operatorname{diag}(\lambda) U^H",
        ((r"\bar{A}", r"U (\operatorname{diag}(\bar{\lambda}) + F \circ (U^H \bar{U})) U^H" + _F),),
        r"\dot{\lambda} = \operatorname{diag}(U^H \dot{A} U), \quad \dot{U} = U (F \circ (U^H \dot{A} U))",
    ),
    "eig": Written(
        r"(\lambda, V), \quad A V = V \operatorname{diag}(\lambda)",
        (
            (
                r"\bar{A}",
                r"V^{-H} (\operatorname{diag}(\bar{\lambda}) + \overline{F} \circ (V^H \bar{V} -"
                r" V^H V \operatorname{Re} \operatorname{diag}(V^H \bar{V}))) V^H" + _F,
            ),
        ),
        r"\dot{\lambda} = \operatorname{diag}(V^{-1} \dot{A} V), \quad"
        r" \dot{V} = V (F \circ (V^{-1} \dot{A} V)) \text{, each column then kept at length 1}",
    ),
    "svd": Written(
        r"(U, s, V^H), \quad A = U \operatorname{diag}(s) V^H, \; S = \operatorname{diag}(s)",
        (
            (
                r"\bar{A}",
                r"U (\operatorname{diag}(\bar{s}) + (E \circ (J - J^H)) S + S (E \circ (K - K^H))) V^H +"
                r" (I - U U^H) \bar{U} S^{-1} V^H + U S^{-1} \bar{V}^H (I - V V^H),"
                r" \quad J = U^H \bar{U}, \; K = V^H \bar{V}" + _E,
            ),
        ),
        r"\dot{s} = \operatorname{diag}(P), \quad P = U^H \dot{A} V, \quad \dot{U} = U (E \circ (P S + S P^H)) +"
        r" (I - U U^H) \dot{A} V S^{-1}, \quad \dot{V} = V (E \circ (S P + P^H S)) + (I - V V^H) \dot{A}^H U S^{-1}",
    ),
    "qr": Written(
        r"(Q, R), \quad A = Q R, \; Q^H Q = I",
        (
            (
                r"\bar{A}",
                r"(\bar{Q} + Q \operatorname{sym}(M)) R^{-H}, \quad M = R \bar{R}^H - \bar{Q}^H Q, \quad"
                r" \operatorname{sym}(M) = " + _LOW + r"(M) + " + _LOW + r"(M)^H + \operatorname{diag}(M)",
            ),
        ),
        r"\dot{R} = (C - \Omega) R, \quad \dot{Q} = Q \Omega + (I - Q Q^H) \dot{A} R^{-1}, \quad"
        r" C = Q^H \dot{A} R^{-1}, \quad \Omega = " + _LOW + r"(C) - " + _LOW + r"(C)^H",
    ),
    "lu": Written(
        r"(P, L, U), \quad A = P L U",
        (
            (
                r"\bar{A}",
                r"P L^{-H} (" + _LOW + r"(L^H \bar{L}) + " + _UP + r"(\bar{U} U^H)) U^{-H}",
            ),
        ),
        r"\dot{L} = L \, " + _LOW + r"(C), \quad \dot{U} = " + _UP + r"(C) \, U, \quad C = L^{-1} P^T \dot{A} U^{-1}",
    ),
    "det_factored": Written(
        r"d = \det A",
        ((r"\bar{A}", r"\bar{d} \, d \, A^{-T}"),),
        r"\dot{d} = d \operatorname{tr}(A^{-1} \dot{A})",
    ),
    "slogdet": Written(
        r"(\operatorname{sign} \det A, \; l), \quad l = \ln \lvert \det A \rvert",
        ((r"\bar{A}", r"\bar{l} \, A^{-T}"),),
        r"\dot{l} = \operatorname{tr}(A^{-1} \dot{A})",
    ),
    "solve_factored": Written(
        r"x = A^{-1} b",
        ((r"\bar{b}", r"A^{-T} \bar{x}"), (r"\bar{A}", r"-\bar{b} \, x^T")),
        r"\dot{x} = A^{-1} (\dot{b} - \dot{A} x)",
    ),
    "logm": Written(
        r"Y = \log A",
        (
            (
                r"\bar{A}",
                r"L^{*}(\bar{Y}), \quad \log \begin{pmatrix} A^H & \bar{Y} \\ 0 & A^H \end{pmatrix} ="
                r" \begin{pmatrix} Y^H & L^{*}(\bar{Y}) \\ 0 & Y^H \end{pmatrix}",
            ),
        ),
        r"\dot{Y} = L(\dot{A}), \quad \log \begin{pmatrix} A & \dot{A} \\ 0 & A \end{pmatrix} ="
        r" \begin{pmatrix} Y & L(\dot{A}) \\ 0 & Y \end{pmatrix}",
    ),
    "concat": Written(
        r"y = (x_1 \mid x_2 \mid \dots)",
        ((r"\bar{x}_k", r"\text{the part of } \bar{y} \text{ where } x_k \text{ lies}"),),
        r"\dot{y} = (\dot{x}_1 \mid \dot{x}_2 \mid \dots)",
    ),
    "stack": Written(
        r"y_k = x_k",
        ((r"\bar{x}_k", r"\bar{y}_k"),),
        r"\dot{y}_k = \dot{x}_k",
    ),
    "unstack": Written(r"y_k = x_k", ((r"\bar{x}_k", r"\bar{y}_k"),), r"\dot{y}_k = \dot{x}_k"),
    "split": Written(
        r"(y_1 \mid y_2 \mid \dots) = x",
        ((r"\bar{x}", r"(\bar{y}_1 \mid \bar{y}_2 \mid \dots)"),),
        r"(\dot{y}_1 \mid \dot{y}_2 \mid \dots) = \dot{x}",
    ),
    "gather": _TAKEN,
    "take_along_axis": _TAKEN,
    "scatter": _ADDED,
    "scatter_along_axis": _ADDED,
    "assign": Written(
        r"y = x, \quad y_k \leftarrow v",
        ((r"\bar{x}", r"\bar{y} \text{ with } 0 \text{ at } k"), (r"\bar{v}", r"\bar{y}_k")),
        r"\dot{y} = \dot{x}, \quad \dot{y}_k \leftarrow \dot{v}",
    ),
    "add_at": Written(
        r"y = x, \quad y_k \leftarrow x_k + v",
        ((r"\bar{x}", r"\bar{y}"), (r"\bar{v}", r"\bar{y}_k")),
        r"\dot{y} = \dot{x}, \quad \dot{y}_k \leftarrow \dot{x}_k + \dot{v}",
    ),
    "multiply_at": Written(
        r"y = x, \quad y_k \leftarrow x_k \, v",
        ((r"\bar{x}", r"\bar{y}, \quad \bar{x}_k = v \, \bar{y}_k"), (r"\bar{v}", r"x_k \, \bar{y}_k")),
        r"\dot{y} = \dot{x}, \quad \dot{y}_k \leftarrow \dot{x}_k v + x_k \dot{v}",
    ),
    "contract": Written(
        r"y_{I} = \sum_{J} \prod_k (x_k)_{I_k}",
        ((r"(\bar{x}_k)_{I_k}", r"\sum_{\text{indices not in } I_k} \bar{y}_{I} \prod_{l \ne k} (x_l)_{I_l}"),),
        r"\dot{y}_{I} = \sum_k \sum_{J} (\dot{x}_k)_{I_k} \prod_{l \ne k} (x_l)_{I_l}",
    ),
    "convolve": Written(
        r"y_n = \sum_m a_m \, v_{n - m}",
        ((r"\bar{a}_m", r"\sum_n v_{n - m} \bar{y}_n"), (r"\bar{v}_m", r"\sum_n a_{n - m} \bar{y}_n")),
        r"\dot{y} = \dot{a} * v + a * \dot{v}",
    ),
    "weighted_bincount": Written(
        r"y_i = \sum_{n : x_n = i} w_n",
        ((r"\bar{w}_n", r"\bar{y}_{x_n}"),),
        r"\dot{y}_i = \sum_{n : x_n = i} \dot{w}_n",
    ),
    "weighted_shares": Written(
        r"y_i = \frac{[x_i = Q]}{\lvert \{ j : x_j = Q \} \rvert}, \quad Q = Q_{q}(x; w)",
        ((r"\bar{x}", "0"), (r"\bar{q}", "0"), (r"\bar{w}", "0")),
        r"\dot{y} = 0",
    ),
    "on_simplex": Written(
        r"y = x, \quad x_i \ge 0, \; \sum_i x_i = 1", ((r"\bar{x}", r"\bar{y}"),), r"\dot{y} = \dot{x}"
    ),
    "lattice_point": Written(
        r"y = k, \quad k \in \mathbb{Z}",
        ((r"\bar{k}", r"\text{none, for a mass function lives on whole numbers}"),),
        r"\dot{y} = \text{none}",
    ),
    "beta_da": Written(
        r"y = \partial_a B(a, b) = B(a, b) (\psi(a) - \psi(a + b))",
        (
            (
                r"\bar{a}",
                r"\bar{y} \, \partial_a^2 B(a, b), \quad"
                r" \partial_a^2 B = B \, ((\psi(a) - \psi(a + b))^2 + \psi'(a) - \psi'(a + b))",
            ),
            (
                r"\bar{b}",
                r"\bar{y} \, \partial_a \partial_b B(a, b), \quad"
                r" \partial_a \partial_b B = B \, ((\psi(a) - \psi(a + b)) (\psi(b) - \psi(a + b)) - \psi'(a + b))",
            ),
        ),
        r"\dot{y} = \dot{a} \, \partial_a^2 B(a, b) + \dot{b} \, \partial_a \partial_b B(a, b)",
    ),
    "gamma_weight": Written(
        r"w_k = \frac{x^{a - 1 - k} e^{-x}}{\Gamma(a)}",
        (
            (r"\bar{a}", r"\bar{w} \, w_k (\ln x - \psi(a))"),
            (r"\bar{x}", r"\bar{w} \, ((a - 1 - k) w_{k + 1} - w_k)"),
        ),
        r"\dot{w}_k = \dot{a} \, w_k (\ln x - \psi(a)) + \dot{x} \, ((a - 1 - k) w_{k + 1} - w_k)",
    ),
    "beta_weight": Written(
        r"w_{jk} = \frac{x^{a - 1 - j} (1 - x)^{b - 1 - k}}{B(a, b)}",
        (
            (r"\bar{a}", r"\bar{w} \, w_{jk} (\ln x - \psi(a) + \psi(a + b))"),
            (r"\bar{b}", r"\bar{w} \, w_{jk} (\ln(1 - x) - \psi(b) + \psi(a + b))"),
            (r"\bar{x}", r"\bar{w} \, ((a - 1 - j) w_{j + 1, k} - (b - 1 - k) w_{j, k + 1})"),
        ),
        r"\dot{w}_{jk} = \dot{x} \, ((a - 1 - j) w_{j + 1, k} - (b - 1 - k) w_{j, k + 1}) +"
        r" \dot{a} \, w_{jk} (\ln x - \psi(a) + \psi(a + b)) + \dot{b} \, w_{jk} (\ln(1 - x) - \psi(b) + \psi(a + b))",
    ),
    "betaincinv": _of_beta_quantile("I", ""),
    "poch": Written(
        r"y = (z)_m = \frac{\Gamma(z + m)}{\Gamma(z)}",
        (
            (r"\bar{z}", r"\bar{y} \, y \, (\psi(z + m) - \psi(z))"),
            (r"\bar{m}", r"\bar{y} \, y \, \psi(z + m)"),
        ),
        r"\dot{y} = \dot{z} \, y \, (\psi(z + m) - \psi(z)) + \dot{m} \, y \, \psi(z + m)",
    ),
    "tklmbda": Written(
        r"p = F_{\lambda}(x), \quad \frac{p^{\lambda} - (1 - p)^{\lambda}}{\lambda} = x",
        (
            (r"\bar{x}", r"\bar{p} \, \frac{1}{p^{\lambda - 1} + (1 - p)^{\lambda - 1}}"),
            (
                r"\bar{\lambda}",
                r"-\bar{p} \, \frac{s(p) - s(1 - p)}{p^{\lambda - 1} + (1 - p)^{\lambda - 1}}, \quad"
                r" s(p) = \partial_{\lambda} \frac{p^{\lambda} - 1}{\lambda}",
            ),
        ),
        r"\dot{p} = \frac{\dot{x} - \dot{\lambda} \, (s(p) - s(1 - p))}{p^{\lambda - 1} + (1 - p)^{\lambda - 1}}",
    ),
    "jn": _of_bessel("J", "-"),
    "iv": _of_bessel("I", "+"),
    "yv": _of_bessel("Y", "-"),
    "lpmv": Written(
        r"y = P_v^m(x)",
        (
            (r"\bar{m}", r"\text{none in closed form}"),
            (r"\bar{v}", r"\text{none in closed form}"),
            (r"\bar{x}", r"\bar{y} \, \frac{(v + m) P_{v - 1}^m(x) - v x P_v^m(x)}{1 - x^2}"),
        ),
        r"\dot{y} = \dot{x} \, \frac{(v + m) P_{v - 1}^m(x) - v x P_v^m(x)}{1 - x^2}",
    ),
    "gammaincinv": _of_quantile("P", "a", "p_a", ""),
    "gammainccinv": _of_quantile("Q", "a", "p_a", "-"),
    "stdtrit": _of_quantile(r"T", r"\nu", r"\tau_{\nu}", ""),
    "fdtri": Written(
        r"x = F^{-1}_p(m, n), \quad F_{m, n}(x) = \int_0^x f_{m, n}(u) \, \mathrm{d}u",
        (
            (r"\bar{m}", rf"-\bar{{x}} \, {_BY_DFN}"),
            (r"\bar{n}", rf"-\bar{{x}} \, {_BY_DFD}"),
            (r"\bar{p}", r"\bar{x} \, \frac{1}{f_{m, n}(x)}"),
        ),
        rf"\dot{{x}} = -\dot{{m}} \, {_BY_DFN} - \dot{{n}} \, {_BY_DFD} + \dot{{p}} \, \frac{{1}}{{f_{{m, n}}(x)}}",
    ),
    "betainccinv": _of_beta_quantile("(1 - I)", "-"),
    "fisher_density": Written(
        r"y = x^{-k} \, \partial_m^i \partial_n^j f_{m, n}(x)",
        (
            (r"\bar{m}", r"\bar{y} \, x^{-k} \partial_m^{i + 1} \partial_n^j f_{m, n}(x)"),
            (r"\bar{n}", r"\bar{y} \, x^{-k} \partial_m^i \partial_n^{j + 1} f_{m, n}(x)"),
            (r"\bar{x}", r"\bar{y} \, \partial_m^i \partial_n^j \partial_x (x^{-k} f_{m, n}(x))"),
        ),
        r"\dot{y} = \dot{m} \, x^{-k} \partial_m^{i + 1} \partial_n^j f_{m, n}(x)"
        r" + \dot{n} \, x^{-k} \partial_m^i \partial_n^{j + 1} f_{m, n}(x)"
        r" + \dot{x} \, \partial_m^i \partial_n^j \partial_x (x^{-k} f_{m, n}(x))",
    ),
    "stdtr_ddf": Written(
        r"y = \partial_{\nu}^n T_{\nu}(t), \quad T_{\nu}(t) = \int_{-\infty}^t \tau_{\nu}(u) \, \mathrm{d}u",
        (
            (r"\bar{\nu}", r"\bar{y} \, \partial_{\nu}^{n + 1} T_{\nu}(t)"),
            (r"\bar{t}", r"\bar{y} \, \partial_{\nu}^n \tau_{\nu}(t)"),
        ),
        r"\dot{y} = \dot{\nu} \, \partial_{\nu}^{n + 1} T_{\nu}(t) + \dot{t} \, \partial_{\nu}^n \tau_{\nu}(t)",
    ),
    "log_ndtr": _along(r"\ln \Phi(x)", r"\frac{e^{-x^2 / 2}}{\sqrt{2 \pi} \, \Phi(x)}"),
    "exponential_moment": Written(
        r"y_n = \int_0^l s^n e^{\lambda s} \, \mathrm{d}s",
        ((r"\bar{l}", r"\bar{y} \, l^n e^{\lambda l}"), (r"\bar{\lambda}", r"\bar{y} \, y_{n + 1}")),
        r"\dot{y} = \dot{l} \, l^n e^{\lambda l} + \dot{\lambda} \, y_{n + 1}",
    ),
    "student_density": Written(
        r"y = \partial_{\nu}^n \tau_{\nu}(t)",
        (
            (r"\bar{\nu}", r"\bar{y} \, \partial_{\nu}^{n + 1} \tau_{\nu}(t)"),
            (r"\bar{t}", r"-\bar{y} \, \partial_{\nu}^n \frac{(\nu + 1) t \, \tau_{\nu}(t)}{\nu + t^2}"),
        ),
        r"\dot{y} = \dot{\nu} \, \partial_{\nu}^{n + 1} \tau_{\nu}(t)"
        r" - \dot{t} \, \partial_{\nu}^n \frac{(\nu + 1) t \, \tau_{\nu}(t)}{\nu + t^2}",
    ),
    "expi": _along(r"\operatorname{Ei}(x)", r"\frac{e^x}{x}"),
    "exp1": _along("E_1(x)", r"-\frac{e^{-x}}{x}"),
    "sine_integral": _along(r"\operatorname{Si}(x)", r"\frac{\sin x}{x}"),
    "cosine_integral": _along(r"\operatorname{Ci}(x)", r"\frac{\cos x}{x}"),
    "sinh_integral": _along(r"\operatorname{Shi}(x)", r"\frac{\sinh x}{x}"),
    "cosh_integral": _along(r"\operatorname{Chi}(x)", r"\frac{\cosh x}{x}"),
    "gamma": _along(r"\Gamma(x)", r"\Gamma(x) \psi(x)"),
    "rgamma": _along(r"\frac{1}{\Gamma(x)}", r"-\frac{\psi(x)}{\Gamma(x)}"),
    "wrightomega": _along(r"\omega(x)", r"\frac{\omega(x)}{1 + \omega(x)}"),
    "airy_aip": _along(r"\operatorname{Ai}'(x)", r"x \operatorname{Ai}(x)"),
    "kolmogi": _along("K^{-1}(p)", r"\frac{1}{K'(y)}", "p"),
    "smirnovi": Written(
        r"d = D_n^{-1}(p)",
        ((r"\bar{n}", r"\text{none, for } n \text{ is a whole number}"), (r"\bar{p}", r"\bar{d} \, \frac{1}{D_n'(d)}")),
        r"\dot{d} = \dot{p} \, \frac{1}{D_n'(d)}",
    ),
    "ellipj_sn": _of_jacobi("sn", r"\operatorname{cn} \operatorname{dn}", r"\operatorname{cn}"),
    "ellipj_cn": _of_jacobi("cn", r"(-\operatorname{sn} \operatorname{dn})", r"(-\operatorname{sn})"),
    "ellipj_dn": _of_jacobi("dn", r"(-m \operatorname{sn} \operatorname{cn})", None),
    "ellipj_ph": _of_jacobi("ph", r"\operatorname{dn}", ""),
    "dawsn": _along("D(x)", "1 - 2 x D(x)"),
    "it2i0k0_first": _along(r"\int_0^x \frac{I_0(t) - 1}{t} dt", r"\frac{I_0(x) - 1}{x}"),
    "it2j0y0_first": _along(r"\int_0^x \frac{1 - J_0(t)}{t} dt", r"\frac{1 - J_0(x)}{x}"),
    "wofz": _along("w(z)", r"\left(\frac{2i}{\sqrt{\pi}} - 2 z w(z)\right)", "z", r"\overline", "w"),
    "lambert": _along("W_k(z)", r"\frac{e^{-W}}{1 + W}", "z", r"\overline", "W"),
    "inv_boxcox": _of_inverse_boxcox(""),
    "inv_boxcox1p": _of_inverse_boxcox(" - 1"),
    "gdtrib": _of_solved("gdtrib", "apx", "b", "P(b, a x)"),
    "chdtriv": _of_solved("chdtriv", "px", "v", r"P(\tfrac{v}{2}, \tfrac{x}{2})"),
    "btdtria": _of_solved("btdtria", "pbx", "a", "I_x(a, b)"),
    "btdtrib": _of_solved("btdtrib", "apx", "b", "I_x(a, b)"),
    "voigt_profile": Written(
        r"V = \frac{\operatorname{Re} w(z)}{\sigma \sqrt{2 \pi}}, \quad z = \frac{x + i \gamma}{\sigma \sqrt{2}}",
        (
            (r"\bar{x}", r"\bar{V} \, \frac{\operatorname{Re} w'(z)}{2 \sqrt{\pi} \sigma^2}"),
            (r"\bar{\sigma}", r"-\bar{V} \, \frac{V + \operatorname{Re}(z w'(z)) / (\sigma \sqrt{2 \pi})}{\sigma}"),
            (r"\bar{\gamma}", r"-\bar{V} \, \frac{\operatorname{Im} w'(z)}{2 \sqrt{\pi} \sigma^2}"),
        ),
        r"\dot{V} = \frac{\partial V}{\partial x} \dot{x} + \frac{\partial V}{\partial \sigma} \dot{\sigma}"
        r" + \frac{\partial V}{\partial \gamma} \dot{\gamma}",
    ),
    "binom": Written(
        r"y = \operatorname{binom}(n, k)",
        (
            (r"\bar{n}", r"\bar{y} \, y \, (\psi(n + 1) - \psi(n - k + 1))"),
            (r"\bar{k}", r"\bar{y} \, y \, (\psi(n - k + 1) - \psi(k + 1))"),
        ),
        r"\dot{y} = y \, (\psi(n + 1) - \psi(n - k + 1)) \, \dot{n} + y \, (\psi(n - k + 1) - \psi(k + 1)) \, \dot{k}",
    ),
    "frexp": Written(r"x = m \cdot 2^e", ((r"\bar{x}", r"2^{-e} \, \bar{m}"),), r"\dot{m} = 2^{-e} \, \dot{x}"),
    "modf": Written(
        r"(x - \operatorname{trunc} x, \; \operatorname{trunc} x)",
        ((r"\bar{x}", r"\bar{y}_1"),),
        r"\dot{y}_1 = \dot{x}, \quad \dot{y}_2 = 0",
    ),
    "normal_below": Written(
        r"P = \Phi_{\Sigma}(x)",
        (
            (
                r"\bar{x}_i",
                r"\bar{P} \, \varphi_{\Sigma_{ii}}(x_i) \, \Phi_{\Sigma_{-i \mid i}}(x_{-i} - \mu_{-i \mid i})",
            ),
            (r"\bar{\Sigma}", r"\bar{P} \, \tfrac{1}{2} \frac{\partial^2 P}{\partial x \, \partial x^T}"),
        ),
        r"\dot{P} = \frac{\partial P}{\partial x}^T \dot{x} +"
        r" \tfrac{1}{2} \operatorname{tr}(\frac{\partial^2 P}{\partial x \, \partial x^T} \dot{\Sigma})",
    ),
}
