"""A pytest plugin: once one case of a parametrized test has failed, its other cases are skipped. -x would stop all."""

import pytest

failed: set[str] = set()


def function(nodeid: str) -> str:
    return nodeid.partition("[")[0]


def pytest_runtest_logreport(report):
    if report.failed:
        failed.add(function(report.nodeid))


@pytest.hookimpl(tryfirst=True)  # before its fixtures are made
def pytest_runtest_setup(item):
    if function(item.nodeid) in failed:
        pytest.skip("another case of it has failed")
