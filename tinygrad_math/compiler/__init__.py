"""tm.compile: a function is run once on recorded tensors, and from then on as straight-line NumPy.

The way of a function, one file a step:

    trace       run it on traced tensors; `place` notes which line of the user's each value comes from
    program     what was written down: arguments, instructions, results
    passes      make the program better, one idea a file
    memory      where each value lives; `blocks` finds chains that run in cache-sized blocks
    lines, emit print it as NumPy calls (`calls`) that write into the workspace; `names` keeps every name harmless
    executable  the printed function with its workspaces, one for each thread that is in it
    find, cache the program for the arguments of a call, in a microsecond
    derivatives a call as one node of the graph, so that derivatives pass through
    switch      which loops ops call where nothing is compiled
    profile     where the time goes
    standalone  `to_source`: the same as text that needs nothing of this package; `helpers` brings what it calls
"""

from __future__ import annotations

from ..core.elsewhere import face as _face
from .cache import compile
from .standalone import to_source
from .switch import set_kernels

__all__ = ["compile", "set_kernels", "to_source"]

__getattr__, __dir__ = _face(__name__)
