"""What a matrix does to a vector, column by column; the vectors that it only scales; how an eigenvalue moves."""

from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.geometry import angle, column_view


def main():
    m = tm.tensor([[0.0, 3.0], [2.0, 1.0]])
    title("Column view: M (2, 1)")
    view = column_view(m, [2.0, 1.0])
    print(view)
    out = {"column view": beside("M (2, 1)", "(3, 5)", view.result)}
    turned = angle([2.0, 1.0], view.result).item()
    out["scaled"] = (tm.linalg.norm(view.result) / tm.linalg.norm([2.0, 1.0])).item()
    print(f"the new vector is rotated by {turned:.3f} radians and scaled by {out['scaled']:.3f}")

    title("Try (1, 1)")
    print(column_view(m, [1.0, 1.0]))
    out["eigen"] = beside("M (1, 1) = 3 (1, 1)", "(3, 3)", m @ [1.0, 1.0])
    w, v = tm.linalg.eig(m)
    order = tm.argsort(w.real) if w.dtype.kind == "c" else tm.argsort(w)
    out["eigenvalues"] = beside("all eigenvalues", "-2, 3", w.real[order])
    ratio = (v[:, order] / v[1:2, order]).real
    out["eigenvectors"] = beside("eigenvectors, scaled to end in 1", "(-1.5, 1), (1, 1)", ratio.mT)
    out["sum"] = beside("their sum is the trace", 1, w.sum().real)
    out["product"] = beside("their product is the determinant", -6, tm.linalg.det(m))

    title("The derivative of the eigenvalue 3 in M is u v' / u'v, with the left and the right eigenvector")
    slope = tm.grad(lambda m: tm.max(tm.real(tm.linalg.eigvals(m))))(m)
    out["slope"] = beside("d 3 / dM", "[[.4, .4], [.6, .6]]", slope)
    save(tm.viz.matrix_map(m), "12_eigenvectors")
    return out


if __name__ == "__main__":
    main()
