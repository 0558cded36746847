"""What every oracle shares. Nothing skips in silence: a skipped test fails the run."""

import pytest
from servers import Inbox, Sandbox


@pytest.fixture(scope="module")
def sandbox():
    """A world of its own for each file of tests."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


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
