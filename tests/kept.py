"""Numbers of mpmath's that take long and are the same in every run: kept in kept.json by what they are.

`python -m tests.kept` writes the file; the long run computes all of them anew.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "kept.json"
NUMBERS: dict[str, float | None] = json.loads(FILE.read_text()) if FILE.exists() else {}


def kept(what: str, compute: Callable[[], Any]) -> Any:
    """The number that `compute` gives with mpmath, or None: from the file, or computed where it is not there."""
    if what not in NUMBERS:
        NUMBERS[what] = _float(compute())
    return NUMBERS[what]


def _float(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else -float("inf")


def all_anew(tests: list[Callable[[], None]]) -> dict[str, float | None]:
    """What these tests ask for, computed."""
    before = dict(NUMBERS)
    NUMBERS.clear()
    try:
        for test in tests:
            test()
        return dict(NUMBERS)
    finally:
        NUMBERS.clear()
        NUMBERS.update(before)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import kept as module  # the one that the tests import
    import test_kept

    found = module.all_anew(test_kept.TESTS)
    FILE.write_text(
        "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(found.items())) + "\n}\n"
    )
    print(f"{len(found)} numbers")
