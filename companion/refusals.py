"""What a call says when it refuses: for a page that shows a hypothesis being needed."""

from collections.abc import Callable
from typing import Any


def refusal(
    call: Callable[[], Any], kind: type[Exception] | tuple[type[Exception], ...] = ValueError
) -> str:
    """The words of the exception that `call` raises: ``refusal(lambda: gf.MLP((2,)))``.

    Only exceptions of `kind` are refusals; any other goes on to the caller. Raises AssertionError when the call returns.
    """
    try:
        returned = call()
    except kind as refused:
        return str(refused)
    raise AssertionError(f"nothing was refused: the call returned {returned!r}.")
