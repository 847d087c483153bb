"""POP3: `pop3-retrieve` beside `poplib` in threads, mpop and rabid, against the reference server and Dovecot."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.comparison import Comparison, Contender, Taken
from benchmarks.comparisons.clients import accounted, client_command, client_metrics
from benchmarks.comparisons.filled import AT_ONCE, SERVERS, Filled, Server, Work, filled
from benchmarks.comparisons.retrievers import FULL_ACCOUNTS, QUICK_ACCOUNTS, mpop_turn, rabid_turn
from benchmarks.figures import OURS
from benchmarks.ours import load_metrics, run_mailproof
from benchmarks.place import CHECKOUT, shown
from benchmarks.scenario import Listings, Retrievals
from benchmarks.turn import TurnFailedError, expect_success, run

LISTED, LISTED_OCTETS = 10_000, 100
SESSIONS, LISTINGS = 5, 20
FEW_AT_ONCE = 20             # of rabid, which picks its maildrops blindly: more would meet in one too often


Turn = Callable[[Filled, Work], Taken]

WORKS = {
    "1k": ("RETR and DELE of 1 KiB", Work(100, 50, 1024), Work(50, 20, 1024)),
    "100k": ("RETR and DELE of 100 KiB", Work(100, 10, 102_400), Work(50, 5, 102_400)),
}


def comparisons() -> tuple[Comparison, ...]:
    """Return both servers' comparisons."""
    return tuple(each for server in SERVERS for each in (*_retrievals(server), _short(server), _listing(server)))


def _retrievals(server: Server) -> Iterator[Comparison]:
    for name, (title, full, quick) in WORKS.items():
        yield _comparison(
            server, name, f"{title}, {AT_ONCE} sessions at once", full, quick,
            (OURS, mailproof_turn), ("poplib in threads", poplib_turn), ("mpop", mpop_turn),
        )  # fmt: skip


def _short(server: Server) -> Comparison:
    full, quick = (Work(accounts, 10, 1024, FEW_AT_ONCE) for accounts in (FULL_ACCOUNTS, QUICK_ACCOUNTS))
    return _comparison(
        server, "short", f"RETR and DELE of 1 KiB, ten a session, {FEW_AT_ONCE} sessions at once", full, quick,
        (OURS, mailproof_turn), ("poplib in threads", poplib_turn), ("rabid", rabid_turn),
        in_quick=False,
    )  # fmt: skip


def _listing(server: Server) -> Comparison:
    work = Work(1, LISTED, LISTED_OCTETS)
    return _comparison(
        server, "uidl", f"UIDL of {LISTED:,} messages, one session", work, work,
        (OURS, mailproof_listing), ("poplib", poplib_listing),
    )  # fmt: skip


def _comparison(
    server: Server, name: str, title: str, full: Work, quick: Work, *sides: tuple[str, Turn], in_quick: bool = True
) -> Comparison:
    def turn(take: Turn) -> Callable[[bool], Taken]:
        def taken(is_quick: bool) -> Taken:
            work = quick if is_quick else full
            with filled(server, work) as found:
                return take(found, work)

        return taken

    against = "the reference server" if server == "reference" else "Dovecot"
    return Comparison(
        name=f"pop3-{server}-{name}",
        group="pop3",
        title=f"{title}, {against}",
        contenders=tuple(Contender(side, turn(take)) for side, take in sides),
        round_s=6 * len(sides),
        quick_s=3 * len(sides),
        rounds_max=3,
        in_quick=in_quick,
    )


def mailproof_turn(found: Filled, work: Work) -> Taken:
    """Let mailproof retrieve everything."""
    load, finished, command = run_mailproof(Retrievals(found.port, work.at_once, work.accounts).toml())
    retrieved = load.messages.retrieved
    _all_of_them(retrieved, work.in_all)
    return Taken(load_metrics(load, finished, rate=retrieved / load.steady_s, count=retrieved), command)


def poplib_turn(found: Filled, work: Work) -> Taken:
    """Let poplib retrieve everything."""
    command = client_command("poplib_threads", Path(sys.executable), (found.port, work.at_once, work.accounts))
    finished = expect_success(run(command, directory=CHECKOUT))
    figures = accounted(finished)
    _all_of_them(figures["messages"], work.in_all)
    return Taken(client_metrics(finished, figures), shown(command))


def mailproof_listing(found: Filled, _: Work) -> Taken:
    """Let mailproof ask for every unique-id, again and again."""
    load, finished, command = run_mailproof(Listings(found.port, SESSIONS, LISTINGS).toml())
    asked = sum(reply.count for reply in load.replies if reply.phase == "pop3.uidl" and reply.code == "+OK")
    _all_of_them(asked, SESSIONS * LISTINGS)
    return Taken(load_metrics(load, finished, rate=asked / load.steady_s, count=asked, unit="UIDL"), command)


def poplib_listing(found: Filled, _: Work) -> Taken:
    """Let poplib ask as often."""
    command = client_command("poplib_uidl", Path(sys.executable), (found.port, SESSIONS, LISTINGS))
    finished = expect_success(run(command, directory=CHECKOUT))
    figures = accounted(finished)
    _all_of_them(figures["messages"], SESSIONS * LISTINGS)
    return Taken(client_metrics(finished, figures, "UIDL"), shown(command))


def _all_of_them(found: float, wanted: int) -> None:
    if found != wanted:
        raise TurnFailedError(f"{found:,.0f} were had, not {wanted:,}")
