"""Ctrl-C at a place of the test's choice, by a trace function that raises there."""

import sys


def interrupted(action, trace):
    """Run `action` under a trace function; whether it ended by a KeyboardInterrupt."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False
