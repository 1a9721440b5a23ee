"""The command line: `python -m tinygrad_math demo [--out DIR]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from .core.errors import MathError


class _Parser(argparse.ArgumentParser):
    """One line for a mistake, instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if it went well, 1 for a failure, 2 for flags that are not known."""
    parser = _Parser(
        prog="python -m tinygrad_math", description="automatic differentiation for the mathematics of deep learning"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="train a two-layer linear network on real data and explain it")
    demo.add_argument("--out", default="demo_output", metavar="DIR", help="where to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        from .demo.run import run

        run(options.out)
    except (MathError, OSError) as error:
        print(f"tinygrad_math: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
