"""What six libraries return at kinks and degenerate points: conventions.py [--check] [LIBRARY ...]

Writes tinygrad_math/inspect/conventions.json, which `tm.inspect.conventions()` and the reference page show: value,
gradient and Hessian of each case of convention_cases.py. `--check` says which rows no longer hold, and writes nothing.
Named libraries are measured anew, and the others' columns kept.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DEV", "PYTHON")  # tinygrad's own interpreter, which needs no compiler
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from convention_cases import CASES, INF, LIBRARIES, Case, Library, Missing

DATA = Path(__file__).parents[2] / "tinygrad_math" / "inspect" / "conventions.json"
ORDERS = ("value", "first", "second")


def encoded(value: Any) -> Any:
    """Numbers as JSON can say them: ten digits, others and complex ones as text."""
    a = np.asarray(value)
    if a.ndim:
        return [encoded(v) for v in a]
    if a.dtype.kind == "c":
        re, im = (encoded(v) for v in (a.real, a.imag))
        return f"{re} + {im}i" if not str(im).startswith("-") else f"{re} - {str(im)[1:]}i"
    number = float(a)
    if not np.isfinite(number):
        return str(number)
    found = float(f"{number:.10g}")
    if abs(found) < 1e-9:  # what is left of rounding
        return 0
    near = round(found, 9)
    return int(near) if near == int(near) and abs(near) < 1e9 else near


def measured(library: Library, case: Case) -> dict[str, Any]:
    """What a library returns: value, first and second derivative; None for what it does not have."""

    def formula(x: Any) -> Any:
        return eval(case.formula, {"__builtins__": {}}, _Scope(library.names, x))

    x, out = np.array(case.x), {}
    for order, name in enumerate(ORDERS):
        if order == 2 and x.dtype.kind == "c":
            continue
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out[name] = encoded(library.evaluate(formula, x, order))
        except Missing:
            out[name] = None
        except Exception as error:
            text = str(error).strip().splitlines() or [""]
            out[name] = {"raises": type(error).__name__, "words": text[0][:160]}
    return out


class _Scope(dict[str, Any]):
    """The names that a formula is computed in."""

    def __init__(self, names: Any, x: Any) -> None:
        super().__init__(x=x, inf=INF)
        self.names = names

    def __missing__(self, name: str) -> Any:
        return self.names[name]


def row(case: Case) -> dict[str, Any]:
    return {"op": case.op, "formula": case.formula, "where": case.where, "x": encoded(np.array(case.x))}


def measure(wanted: list[str], before: dict[str, Any]) -> dict[str, Any]:
    """The whole table; columns that are not wanted as they were."""
    known = {(r["formula"], json.dumps(r["x"])): r["results"] for r in before.get("rows", [])}
    versions = dict(before.get("versions", {}))
    rows = [{**row(case), "results": {}} for case in CASES]
    for title, make in LIBRARIES.items():
        if title in wanted:
            library = make()
            versions[title] = library.version
            for case, found in zip(CASES, rows, strict=True):
                found["results"][title] = measured(library, case)
            print(f"{title} {library.version}", file=sys.stderr)
        else:
            for found in rows:
                old = known.get((found["formula"], json.dumps(found["x"])), {})
                if title in old:
                    found["results"][title] = old[title]
    versions["NumPy"], versions["Python"] = np.__version__, platform.python_version()
    return {"versions": versions, "rows": rows}


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Which numbers of which rows differ, in words."""
    known = {(r["formula"], json.dumps(r["x"])): r["results"] for r in old.get("rows", [])}
    out = []
    for r in new["rows"]:
        for title, found in r["results"].items():
            stored = known.get((r["formula"], json.dumps(r["x"])), {}).get(title)
            for name in found:
                was = None if stored is None else stored.get(name)
                if not same(was, found[name]):
                    out.append(f"{title}: {name} of {r['formula']} at {r['x']}: stored {was}, now {found[name]}")
    return out


def same(a: Any, b: Any) -> bool:
    """Whether two entries say the same; of an error, its class."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a["raises"] == b["raises"]
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-7 * (1 + abs(b))
    return a == b


def main() -> int:
    chosen = [a for a in sys.argv[1:] if not a.startswith("-")] or list(LIBRARIES)
    before = json.loads(DATA.read_text()) if DATA.exists() else {}
    found = measure(chosen, before)
    changed = differences(before, found)
    print(*changed, sep="\n")
    if "--check" in sys.argv:
        print(f"{len(changed)} entries no longer hold" if changed else "all entries hold")
        return 1 if changed else 0
    rows = ",\n".join(json.dumps(r, ensure_ascii=False) for r in found["rows"])
    DATA.write_text(f'{{"versions": {json.dumps(found["versions"])},\n"rows": [\n{rows}\n]}}\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
