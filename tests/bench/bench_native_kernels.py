"""Our vector kernels beside NumPy's and SciPy's loops: python tests/bench/bench_native_kernels.py [--quick] [--avx2]"""

import argparse

import processor

if processor.AVX2_ALONE:
    processor.keep_to_avx2()

import numpy as np

from tinygrad_math.compiler.native.kernels import NAMES, assembled, choice


def both(name, dtype, cpu, repeats):
    """Nanoseconds an element of our kernel and of theirs."""
    made = assembled.assemble(name, dtype, cpu)
    return choice.nanoseconds(made.address, name, np.dtype(dtype), repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repeat: to see that it runs")
    repeats = 1 if parser.parse_args().quick else 300
    print(processor.name(), processor.numpy_loops(), sep="\n")
    cpu = "haswell" if processor.AVX2_ALONE else ""
    print(f"\nns an element of {choice.NUMBERS}, least of {repeats} interleaved calls; ours, theirs, ours / theirs")
    for dtype in choice.DTYPES:
        for name in NAMES:
            ours, theirs = both(name, dtype, cpu, repeats)
            taken = "" if ours < choice.GAIN * theirs else "   theirs is taken"
            print(f"  {dtype} {name:<9}{ours:6.2f}{theirs:7.2f}{ours / theirs:7.2f}{taken}")


if __name__ == "__main__":
    main()
