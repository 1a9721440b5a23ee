"""Every benchmark in one process, which imports the peers once: python tests/bench/every.py [--quick] [--avx2]"""

import runpy
import sys
import time
from pathlib import Path

import harness  # noqa: F401  (before NumPy: it sets the number of threads)


def main() -> None:
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"\n== {path.name}", flush=True)
        sys.argv[0], start = str(path), time.process_time()
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise
        print(f"-- {time.process_time() - start:.1f} s of this process", flush=True)


if __name__ == "__main__":
    main()
