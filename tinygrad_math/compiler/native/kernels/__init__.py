"""Vector kernels for functions of one number, made for the processor at hand.

| function | method | largest error found, in units in the last place: float64, float32 |
| --- | --- | --- |
"""

from .choice import NAMES, kernel, loop

__all__ = ["NAMES", "kernel", "loop"]
