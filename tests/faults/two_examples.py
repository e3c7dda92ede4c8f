"""A pytest plugin: of a property test only two examples are run, whatever its settings say."""

import functools

import pytest

EXAMPLES = 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    handle = getattr(item.obj, "hypothesis", None)
    if handle is None:
        return (yield)
    whole = handle.inner_test  # the attribute that hypothesis documents for plugins
    left = iter(range(EXAMPLES))

    @functools.wraps(whole)
    def some(*args, **kwargs):
        if next(left, None) is not None:
            return whole(*args, **kwargs)

    handle.inner_test = some
    try:
        return (yield)
    finally:
        handle.inner_test = whole
