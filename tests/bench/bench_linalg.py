"""Gradients of matrix functions beside PyTorch's, one thread each: bench_linalg.py [--quick] [--avx2]"""

import argparse

import harness
import numpy as np

import tinygrad_math as tm

GOAL = 1.2  # of PyTorch's time, at 200x200


def functions(name, la, matmul_loss):
    """The same scalar functions over either library's linear algebra."""
    return {
        "det": lambda a: la.det(a),
        "slogdet": lambda a: la.slogdet(a).logabsdet,
        "inv": lambda a: matmul_loss(la.inv(a)),
        "eigh": lambda a: (lambda w, v: matmul_loss(v * v) + w[0])(*la.eigh(a)),
        "eigvalsh": lambda a: matmul_loss(la.eigvalsh(a)),
        "svd": lambda a: (lambda u, s, vh: matmul_loss(u * u) + matmul_loss(vh * vh) + s[0])(
            *la.svd(a, full_matrices=False)
        ),
        "cholesky": lambda a: matmul_loss(la.cholesky(a)),
        "qr": lambda a: matmul_loss(la.qr(a).R),
    }


def rows(n: int) -> dict:
    """For each function what computes its gradient: ours and, where it is installed, PyTorch's."""
    torch = harness.peer("torch")
    rng = np.random.default_rng(0)
    general = rng.normal(size=(n, n)) / np.sqrt(n)
    symmetric = general + general.T + np.diag(np.linspace(3, 9, n))
    weights = {(n,): rng.normal(size=n), (n, n): rng.normal(size=(n, n))}
    ours = functions("tinygrad_math", tm.linalg, lambda y: tm.sum(y * weights[y.shape]))
    for right, title in (((n, n), "solve, n right sides"), ((n,), "solve, one right side")):
        ours[title] = lambda a, b=weights[right]: tm.sum(tm.linalg.solve(a, b) * b)
    theirs = torch_functions(torch, weights, n) if torch else {}
    table = {}
    for title, f in ours.items():
        data = symmetric if title in ("eigh", "eigvalsh", "cholesky") else general
        a = tm.tensor(data)

        def our_step(f=f, a=a):
            return tm.grad(f)(a).numpy()

        table[title] = {"tinygrad_math": our_step}
        if torch:
            table[title]["torch"] = torch_step(torch, theirs[title], data)
    return table


def torch_functions(torch, weights, n):
    """The same functions of PyTorch's tensors."""
    known = {shape: torch.tensor(w) for shape, w in weights.items()}
    theirs = functions("torch", torch.linalg, lambda y: (y * known[tuple(y.shape)]).sum())
    for right, title in (((n, n), "solve, n right sides"), ((n,), "solve, one right side")):
        theirs[title] = lambda a, b=known[right]: (torch.linalg.solve(a, b) * b).sum()
    return theirs


def torch_step(torch, f, data):
    leaf = torch.tensor(data, requires_grad=True)

    def step():
        (g,) = torch.autograd.grad(f(leaf), leaf)
        return g.numpy()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repeat, small matrices: to see that it runs")
    quick = parser.parse_args().quick
    n, repeats, budget = (20, 1, 0.0) if quick else (200, 15, 0.05)
    print(harness.machine())
    over = []
    for title, steps in rows(n).items():
        if "torch" not in steps:
            harness.print_row(f"gradient of {title}, {n}x{n}", harness.medians(steps, repeats, budget))
            continue
        ours, theirs = steps["tinygrad_math"](), steps["torch"]()
        if title in ("eigh", "cholesky", "eigvalsh"):  # PyTorch may leave the gradient of a symmetric matrix lopsided
            theirs = (theirs + theirs.T) / 2
        worst = np.abs(ours - theirs).max() / np.abs(ours).max()
        assert worst < 1e-8, f"{title}: the gradients differ by {worst:.1e}"
        found = harness.medians(steps, repeats, budget)
        harness.print_row(f"gradient of {title}, {n}x{n}", found)
        if found["tinygrad_math"] > GOAL * found["torch"]:
            over.append(title)
    if not quick:
        print(f"\nover {GOAL} of PyTorch's time: {', '.join(over) or 'none'}")


if __name__ == "__main__":
    main()
