"""Matrix chains: A B C in the order that needs the fewest multiplications (the last bits may differ)."""

from __future__ import annotations

from ..program import Program, Value
from .rewrite import Make, is_float, is_op, rewrite

LONGEST = 16  # factors: the search takes the cube of their number


def reorder_chains(program: Program) -> int:
    users = program.users()

    def factors(v: Value) -> list[Value]:
        """The matrices of a product, from left to right; products that have other users count as one."""
        found: list[Value] = []
        open_ = list(v.inputs[::-1])
        while open_ and len(found) <= LONGEST:
            t = open_.pop()
            if _is_product(t) and users.get(t) == 1:
                open_ += t.inputs[::-1]
            else:
                found.append(t)
        return found

    def rule(v: Value, make: Make) -> Value | None:
        if not _is_product(v):
            return None
        chain = factors(v)
        if not 3 <= len(chain) <= LONGEST or any(len(i.shape) != 2 for i in chain[1:-1]):
            return None
        sizes = [chain[0].shape[0] if len(chain[0].shape) == 2 else 1]
        sizes += [f.shape[-1] if len(f.shape) == 2 else 1 for f in chain]
        if len(chain[0].shape) == 1:
            sizes[1] = chain[1].shape[0]
        cost, order = cheapest(sizes)
        if cost >= _cost(v, users):
            return None

        def build(i: int, j: int) -> Value:
            return chain[i] if i == j else make("matmul", build(i, order[i, j]), build(order[i, j] + 1, j))

        return build(0, len(chain) - 1)

    return rewrite(program, rule)


def cheapest(sizes: list[int]) -> tuple[int, dict[tuple[int, int], int]]:
    """The least number of multiplications for matrices of sizes[k] x sizes[k+1], and where to split each interval."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return cost[0, n - 1], split


def _is_product(v: Value) -> bool:
    return is_op(v, "matmul") and is_float(v) and all(len(i.shape) in (1, 2) for i in v.inputs)


def _cost(v: Value, users: dict[Value, int], top: bool = True) -> int:
    if not _is_product(v) or not (top or users.get(v) == 1):
        return 0
    a, b = v.inputs
    return int(v.size * a.shape[-1]) + _cost(a, users, False) + _cost(b, users, False)
