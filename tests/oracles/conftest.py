"""What every oracle shares. Nothing skips in silence: a skipped test fails the run."""

import pytest
from servers import Farthing, Inbox, Sandbox


@pytest.fixture(scope="module", params=["alone", "in farthing dev"])
def sandbox(request, tmp_path_factory):
    """The sandbox as a program of its own and as a part of the product, which then hears of all
    that happens in it. A world of its own for each file of tests."""
    alone = request.param == "alone"
    sandbox = Sandbox() if alone else Farthing(tmp_path_factory.mktemp("farthing"))
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def farthing(tmp_path_factory):
    farthing = Farthing(tmp_path_factory.mktemp("farthing"))
    yield farthing
    farthing.stop()


@pytest.fixture(scope="module")
def inbox():
    inbox = Inbox()
    yield inbox
    inbox.close()


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or exitstatus != 0:
        return
    left_out = [kind for kind in ("skipped", "xfailed", "xpassed") if reporter.stats.get(kind)]
    if left_out:
        reporter.write_line(f"some tests are {', '.join(left_out)}: run them or remove them")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
