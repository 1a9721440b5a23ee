"""Sparse Jacobians and Hessians beside those of asdex on JAX, one thread each: pattern, colours and values.

bench_sparse.py [--quick] [--avx2] [names of problems]

For each problem: the entries of the pattern and the products that its values take; the time from nothing to the first
matrix (each library's quicker way, compiled or not), and that of a further matrix, compiled: ours to machine code,
where llvmlite is installed. asdex is optional.
"""

import argparse
import statistics
import time

import harness
import numpy as np
import scipy.sparse
import sparse_problems

import tinygrad_math as tm

MOST = 500  # products: a peer that needs more is not waited for
QUICK = ("burgers", "rosenbrock")  # the problems at which --quick waits for the peer to compile
jax, asdex = harness.peer("jax"), harness.peer("asdex")


def seconds(step):
    """The time of one call, and its result."""
    start = time.perf_counter()
    result = step()
    return time.perf_counter() - start, result


def ours(make, kind, n, repeats):
    """Entries, products, times of the first and of a further matrix, and the matrix."""
    f, x = make(tm, sparse_problems.Ours, n)
    find = getattr(tm.curvature, f"sparse_{kind}")

    def first():
        g = lambda x: f(x)  # a function that nothing is known of  # noqa: E731
        pattern = tm.curvature.sparsity(g, x, kind=kind)
        return pattern, find(g, x, pattern=pattern)

    t, (pattern, matrix) = min((seconds(first) for _ in range(min(3, repeats))), key=lambda found: found[0])
    find(f, x, compiled="auto")
    again = statistics.median(seconds(lambda: find(f, x, compiled="auto"))[0] for _ in range(repeats))
    return pattern.nnz, pattern.products, t, again, matrix


def theirs(make, kind, n, repeats):
    """The same of asdex."""
    f, x = make(jax.numpy, sparse_problems.theirs(jax), n)
    x = jax.numpy.asarray(x)

    def first(wrap):
        g = lambda x: f(x)  # noqa: E731
        coloured = getattr(asdex, f"{kind}_coloring")(g, x)
        return coloured, jax.block_until_ready(wrap(getattr(asdex, f"{kind}_from_coloring")(g, coloured))(x))

    coloured = getattr(asdex, f"{kind}_coloring")(f, x)
    if coloured.num_colors > MOST:
        raise NotImplementedError(f"asdex would take {coloured.num_colors} products")
    ways = (jax.jit, jax.jit, lambda h: h, lambda h: h)
    runs = [seconds(lambda wrap=wrap: first(wrap)) for wrap in ways[:: 1 if repeats > 1 else 2]]
    t, (coloured, matrix) = min(runs, key=lambda found: found[0])
    values = jax.jit(getattr(asdex, f"{kind}_from_coloring")(f, coloured))
    jax.block_until_ready(values(x))
    again = statistics.median(seconds(lambda: jax.block_until_ready(values(x)))[0] for _ in range(repeats))
    return coloured.sparsity.nnz, coloured.num_colors, t, again, matrix


def plain(matrix):
    """JAX's sparse matrix as SciPy's."""
    i, j = np.asarray(matrix.indices).T
    return scipy.sparse.csr_array((np.asarray(matrix.data), (i, j)), shape=matrix.shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small problems, most of them without the peer: shows that it runs"
    )
    parser.add_argument("names", nargs="*", help="of the problems, all of them without")
    given = parser.parse_args()
    n, repeats = (200, 1) if given.quick else (10_000, 15)
    print(harness.machine())
    print(f"\n{'':18}{'entries':>16}{'products':>12}{'first, ms':>18}{'again, ms':>18}   ours / asdex")
    for kind, problems in (("jacobian", sparse_problems.JACOBIANS), ("hessian", sparse_problems.HESSIANS)):
        for name, make in problems.items():
            if given.names and name not in given.names:
                continue
            rows = [ours(make, kind, n, repeats)]
            ratio = ""
            if jax and asdex and (not given.quick or name in QUICK):
                try:
                    rows.append(theirs(make, kind, n, repeats))
                except NotImplementedError as error:
                    ratio = str(error)[:60]
            if len(rows) == 2:
                (*_, t, again, matrix), (*_, u, once_more, other) = rows
                ratio = f"first {t / u:.3f}, again {again / once_more:.2f}"
                off = abs(matrix - plain(other)).max()
                ratio += "" if off < 1e-9 * abs(matrix).max() else f"   the values differ by {off:.1e}"
            columns = [(str(r[0]), str(r[1]), f"{r[2] * 1e3:.1f}", f"{r[3] * 1e3:.2f}") for r in rows]
            cells = [" / ".join(c) for c in zip(*columns, strict=True)]
            print(f"{name:18}{cells[0]:>16}{cells[1]:>12}{cells[2]:>18}{cells[3]:>18}   {ratio}", flush=True)


if __name__ == "__main__":
    main()
