"""The pytest plugin: each case of the suite a test item, so that a server's own tests can take ours in.

`pytest --mailproof-target smtp://127.0.0.1:2525 --mailproof-options target.toml`: the server is judged once, when the
first item runs; every item then reports what became of its case. A failed case is a failed test; one that could not be
decided, or gave no occasion, is skipped with its reason. The last item stands for what is judged on every reply.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from conformance.pytest_run import Asked
    from reports.document import CaseResult

TARGET: Final = "--mailproof-target"
_ASKED: "Final[pytest.StashKey[Asked]]" = pytest.StashKey()
_RED: Final = {"fail", "error"}
_SKIPPED: Final = {"inconclusive", "not-applicable"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("mailproof", "judge a mail server against the RFCs")
    group.addoption(TARGET, action="append", default=[], metavar="URL", help="smtp://host:port, lmtp://…, pop3://…")
    group.addoption("--mailproof-options", metavar="FILE", help="what is declared about the server")
    group.addoption("--mailproof-only", action="append", default=[], metavar="GLOB", help="cases by id or section")
    group.addoption("--mailproof-skip", action="append", default=[], metavar="GLOB", help="not these")
    group.addoption("--mailproof-profile", metavar="NAME", help="a kind of server: smtp-mx, submission, lmtp …")
    group.addoption("--mailproof-set", metavar="NAME", help="a frozen set of requirements: 2026.1")
    group.addoption("--mailproof-baseline", metavar="FILE", help="known failures, with reasons and days of expiry")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the cases behind the server's own tests, if a target is given."""
    if config.getoption(TARGET):
        items.extend(_items(session, config))


def _items(session: pytest.Session, config: pytest.Config) -> Iterator[pytest.Item]:
    from conformance.pytest_run import Asked  # noqa: PLC0415  nobody else's tests should pay for its import
    from reports.errors import UserError  # noqa: PLC0415

    try:
        asked = Asked.by(
            targets=config.getoption(TARGET),
            options=_path(config.getoption("--mailproof-options")),
            only=config.getoption("--mailproof-only"),
            skip=config.getoption("--mailproof-skip"),
            profile_name=config.getoption("--mailproof-profile"),
            set_name=config.getoption("--mailproof-set"),
            baseline=_path(config.getoption("--mailproof-baseline")),
        )
        ids = asked.ids()
    except UserError as error:
        raise pytest.UsageError(f"mailproof: {error}") from None
    config.stash[_ASKED] = asked
    for id_ in ids:
        yield CaseItem.from_parent(session, name=id_, nodeid=f"mailproof::{id_}")
    yield RepliesItem.from_parent(session, name="every-reply", nodeid="mailproof::every-reply")


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(given)


class CaseFailed(Exception):
    """A case failed; the message is its report."""


class CaseItem(pytest.Item):
    """One case. Running it tells what became of it."""

    def runtest(self) -> None:
        """Judge the server, if no item has yet, and raise what this case came to."""
        case = self.config.stash[_ASKED].results()[self.name]
        self.add_report_section("call", "mailproof", f"{case.verdict}: {case.got}")
        if case.known is not None:
            pytest.xfail(f"known: {case.known}")
        if case.verdict in _SKIPPED:
            pytest.skip(f"{case.verdict}: {case.got}")
        if case.verdict in _RED:
            raise CaseFailed(_told(case))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **options: Any) -> Any:
        """Show a failed case as mailproof does: no traceback of ours tells anything of the server."""
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **options)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name it by its id."""
        return self.path, None, f"mailproof {self.name}"


class RepliesItem(CaseItem):
    """The requirements that are judged on every reply of every case."""

    def runtest(self) -> None:
        """Raise those that failed."""
        if failed := [case for case in self.config.stash[_ASKED].overheard() if case.known is None]:
            raise CaseFailed("\n\n".join(_told(case) for case in failed))


def _told(case: "CaseResult") -> str:
    from conformance.pytest_run import told  # noqa: PLC0415

    return f"{case.id}  {told(case)}"
