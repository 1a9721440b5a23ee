"""Many small cases of one claim as one test: a test of its own costs some milliseconds, whatever it does."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each(
    names: str | tuple[str, ...], rows: Iterable[Any], parts: int = 1
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As pytest.mark.parametrize, within one test or so many parts: all cases are run, each that fails is named."""
    alone = isinstance(names, str)
    keys, given = ((names,) if alone else names), list(rows)
    assert given

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(part: int = 0, **fixtures: Any) -> None:
            errors = []
            for row in given[part::parts]:
                values = (row,) if alone else row
                try:
                    test(**fixtures, **dict(zip(keys, values, strict=True)))
                except pytest.skip.Exception:
                    pass
                except Exception as error:
                    error.add_note(", ".join(f"{k} = {v!r}" for k, v in zip(keys, values, strict=True)))
                    errors.append(error)
            if errors:
                raise errors[0] if len(errors) == 1 else ExceptionGroup(f"{len(errors)} of {len(given)}", errors)

        left = [p for name, p in inspect.signature(test).parameters.items() if name not in keys]
        if parts > 1:
            left.append(inspect.Parameter("part", inspect.Parameter.POSITIONAL_OR_KEYWORD))
        run.__signature__ = inspect.Signature(left)  # type: ignore[attr-defined]
        return pytest.mark.parametrize("part", range(parts))(run) if parts > 1 else run

    return decorate
