"""The command line: `python -m tinygrad_math {demo,train,inspect,reference,doctor}`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .core.errors import MathError

TASKS = ("linear", "moons", "spirals", "digits", "diabetes", "chars")
_EXAMPLES = """examples:
  python -m tinygrad_math train moons
  python -m tinygrad_math train digits --hidden 64,32 --optimizer adamw --schedule onecycle --compile
  python -m tinygrad_math train spirals --epochs 300 --activation relu --seed 3 --out spirals3
  python -m tinygrad_math train spirals --epochs 600 --activation relu --seed 3 --out spirals3 --resume
"""


class _Parser(argparse.ArgumentParser):
    """One line for a mistake, instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def _read(form: str, kind: Callable[[str], Any], fits: Callable[[Any], bool]) -> Callable[[str], Any]:
    """What reads an argument of this form."""

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"this is {form}, got {text!r:.40}")
        return value

    return read


_count = _read("a whole number above 0", int, lambda n: n > 0)
_step = _read("a number above 0", float, lambda x: 0 < x < float("inf"))
_seed = _read("a whole number from 0 on", int, lambda n: n >= 0)
_widths = _read("a list of widths like 32,32", lambda s: tuple(map(int, s.split(","))), lambda w: min(w) > 0)


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m tinygrad_math", description="automatic differentiation for the mathematics of deep learning"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="train a two-layer linear network on real data and explain it")
    demo.add_argument("--out", default="demo_output", metavar="DIR", help="where to write (default: %(default)s)")
    train = commands.add_parser(
        "train", help="train a small network, and write a report", epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    train.add_argument("task", choices=TASKS, metavar="task", help="one of " + ", ".join(TASKS))
    train.add_argument(
        "--epochs", type=_count, metavar="N", help="passes over the data, those before a resume included"
    )
    train.add_argument("--lr", type=_step, metavar="X", help="the step size")
    train.add_argument(
        "--hidden", type=_widths, metavar="N,N", help="the widths of the layers between input and output"
    )
    names = ("tanh", "relu", "sigmoid", "gelu", "silu")
    train.add_argument("--activation", choices=names, help="(default: tanh)")
    optimizers = ("sgd", "adam", "adamw", "rmsprop", "nadam", "radam", "adagrad", "adamax", "adadelta")
    train.add_argument("--optimizer", choices=optimizers, default="adam", help="(default: %(default)s)")
    schedules = ("none", "cosine", "onecycle", "step", "exponential")
    train.add_argument("--schedule", choices=schedules, default="none", help="of the step size (default: %(default)s)")
    train.add_argument("--batch", type=_count, metavar="N", help="examples in a batch")
    train.add_argument("--compile", action="store_true", help="each step as one program: the same results, faster")
    train.add_argument("--seed", type=_seed, default=0, metavar="N", help="of all that is drawn (default: %(default)s)")
    train.add_argument("--out", metavar="DIR", help="where to write (default: TASK_output)")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    where = train.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_count, metavar="N", help="compute gradients in N processes (Dask)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="... by the workers of the Dask scheduler at tcp://...")
    inspect = commands.add_parser("inspect", help="tell what an .npz, .npy or .safetensors file holds")
    inspect.add_argument("file", metavar="FILE")
    reference = commands.add_parser("reference", help="write a page about every op and its derivative")
    reference.add_argument("--out", default=".", metavar="DIR", help="where to write reference.html (default: here)")
    commands.add_parser("doctor", help="tell what is installed here, and which renderers work")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if it went well, 1 for a failure, 2 for flags that are not known, 130 after Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "inspect" and not Path(options.file).is_file():
        what = "a folder, no file" if Path(options.file).is_dir() else "no file that is there"
        parser.error(f"inspect: {options.file} is {what}")
    options.given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if options.command == "demo":
            from .demo.run import run

            run(options.out)
        elif options.command == "train":
            from .command.training import run as train

            return train(options)
        elif options.command == "inspect":
            from .command.looking import inspect

            return inspect(options.file)
        elif options.command == "reference":
            from .command.reference import write

            return write(options.out)
        else:
            from .command.looking import doctor

            return doctor()
    except (MathError, OSError) as error:
        print(f"tinygrad_math: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tinygrad_math: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
