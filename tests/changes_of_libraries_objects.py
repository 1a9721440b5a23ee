"""Changes of what objects of Python hide, and of what Python and NumPy keep for all code, each with a function of x."""

import asyncio
import builtins
import collections
import concurrent.futures
import contextvars
import copy
import ctypes
import decimal
import gc
import io
import itertools
import locale
import logging
import os
import queue
import random
import sys
import threading
import types
import warnings
from os import getenv

import numpy as np

C_DOUBLE = ctypes.c_double


def by_a_queue():
    q = queue.Queue()
    return lambda x: x * (1.0 + q.qsize()), lambda: q.put(1.0)


def by_what_waits_in_a_queue():
    q = queue.LifoQueue()
    q.put([2.0])
    return lambda x: x * q.queue[-1][0], lambda: q.queue[-1].__setitem__(0, 5.0)


def by_a_queue_of_c():
    q = queue.SimpleQueue()
    return lambda x: x if q.empty() else -x, lambda: q.put(1.0)


def by_a_queue_of_a_loop():
    q = asyncio.Queue()
    return lambda x: x * (1.0 + q.qsize()), lambda: q.put_nowait(1.0)


def by_event():
    e = threading.Event()
    return lambda x: x * 2.0 if e.is_set() else x, e.set


def by_lock():
    lock = threading.Lock()
    return lambda x: x * 2.0 if lock.locked() else x, lock.acquire


def by_lock_of_a_thread():
    lock = threading.RLock()
    return lambda x: x * 2.0 if lock._is_owned() else x, lock.acquire


def by_semaphore():
    s = threading.Semaphore(3)
    return lambda x: x * s._value, s.acquire


def by_barrier():
    b = threading.Barrier(2)
    return lambda x: x * 2.0 if b.broken else x, b.abort


def by_future():
    f = concurrent.futures.Future()
    return lambda x: x * f.result() if f.done() else x, lambda: f.set_result(4.0)


def by_arguments_of_an_exception():
    e = ValueError(1.0)
    return lambda x: x * e.args[0], lambda: setattr(e, "args", (3.0,))


def by_cause_of_an_exception():
    e = ValueError(1.0)
    return lambda x: x if e.__cause__ is None else -x, lambda: setattr(e, "__cause__", KeyError())


def by_cell():
    c = types.CellType(1.0)
    return lambda x: x * c.cell_contents, lambda: setattr(c, "cell_contents", 5.0)


def by_context():
    c, around = contextvars.ContextVar("c"), contextvars.copy_context()
    around.run(c.set, 1.0)
    return lambda x: x * around[c], lambda: around.run(c.set, 2.0)


def by_function_of_a_ufunc():
    k = 1.0

    def scaled(v):
        return v * k

    def change():
        nonlocal k
        k = 3.0

    u = np.frompyfunc(scaled, 1, 1)
    return lambda x: x * float(u(2.0)), change


def by_a_builtin():
    builtins.offset_of_test = lambda: 1.0

    def change():
        builtins.offset_of_test = lambda: 2.0

    return lambda x: x + offset_of_test(), change  # noqa: F821


def by_place_of_an_iterator():
    c = itertools.count(1)
    return lambda x: x * next(copy.copy(c)), lambda: next(c)


def by_state_of_a_generator():
    r = random.Random(0)
    return lambda x: x * (r.getstate()[1][-1] % 97), r.random


def by_state_of_numpys_generator():
    r = np.random.default_rng(0)
    return lambda x: x * (r.bit_generator.state["state"]["state"] % 97), r.random


def by_pointer():
    v = C_DOUBLE(1.0)
    p = ctypes.pointer(v)
    return lambda x: x * p.contents.value, lambda: setattr(v, "value", 3.0)


def by_text_in_memory():
    s = io.StringIO("a")
    s.seek(1)
    return lambda x: x * len(s.getvalue()), lambda: s.write("bc")


def by_bytes_in_memory():
    s = io.BytesIO(b"a")
    s.seek(1)
    return lambda x: x * len(s.getvalue()), lambda: s.write(b"bc")


def by_decimals():
    def change():
        decimal.getcontext().prec = 3

    return lambda x: x * float(decimal.Decimal(1) / decimal.Decimal(3)), change


def by_environment():
    os.environ["SCALE_OF_TEST"] = "2.0"
    return lambda x: x * float(getenv("SCALE_OF_TEST")), lambda: os.environ.update(SCALE_OF_TEST="3.0")


def by_level_of_a_logger():
    log = logging.getLogger("of a test")
    log.setLevel(10)
    return lambda x: x * 2.0 if log.isEnabledFor(20) else x, lambda: log.setLevel(50)


def by_level_of_all_loggers():
    return lambda x: x * logging.getLogger("of a test, too").getEffectiveLevel(), lambda: logging.getLogger().setLevel(
        17
    )


def by_filters_of_warnings():
    return lambda x: x * len(warnings.filters), lambda: warnings.filterwarnings("ignore", message="of a test")


def by_printing():
    return lambda x: x * np.get_printoptions()["precision"], lambda: np.set_printoptions(precision=3)


def by_printing_of_an_array():
    a = np.array([1 / 3])
    return lambda x: x * len(str(a)), lambda: np.set_printoptions(precision=3)


def by_arguments_of_the_program():
    return lambda x: x * len(sys.argv), lambda: sys.argv.append("of a test")


def by_depth_of_recursion():
    return lambda x: x * sys.getrecursionlimit(), lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 1)


def by_garbage_collection():
    return lambda x: x * 2.0 if gc.isenabled() else x, gc.disable


def by_name_of_a_thread():
    return lambda x: x * len(threading.current_thread().name), lambda: setattr(
        threading.current_thread(), "name", "MainThread of a test"
    )


def by_locale():
    return lambda x: x * len(locale.setlocale(locale.LC_ALL)), lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8")


def by_numpys_error_state():
    return lambda x: x * len(np.geterr()["divide"]), lambda: np.seterr(divide="ignore")


def by_fill_value_of_a_masked_array():
    m = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    return lambda x: x * m.filled(), lambda: setattr(m, "fill_value", 7.0)


def by_a_hard_mask():
    m = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    return lambda x: x * 2.0 if m.hardmask else x, m.harden_mask


def _late(base, *args):
    class Own(base):
        pass

    own = Own(*args)
    return lambda x: x * getattr(own, "late", 1.0), lambda: setattr(own, "late", 3.0)


def by_a_late_attribute_of_a_dict():
    return _late(dict, {"a": 1.0})


def by_a_late_attribute_of_a_list():
    return _late(list, [1.0])


def by_a_late_attribute_of_a_tuple():
    return _late(tuple, (1.0, 2.0))


def by_a_late_attribute_of_a_set():
    return _late(set, {1.0})


def by_a_late_attribute_of_a_deque():
    return _late(collections.deque, [1.0])


def by_a_late_attribute_of_a_counter():
    return _late(collections.Counter, "ab")


def by_a_late_attribute_of_a_text():
    return _late(str, "ab")


def by_a_late_attribute_of_a_number():
    return _late(float, 2.0)
