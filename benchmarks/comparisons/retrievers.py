"""The retrievers that Debian has: mpop, a mail user's, in C, and rabid, postal's load generator for POP, in C++."""

from pathlib import Path

from benchmarks.comparison import Taken
from benchmarks.comparisons.filled import Filled, Work
from benchmarks.comparisons.source import whole_process
from benchmarks.place import SCRATCH, mpop_program, postal_program, shown
from benchmarks.servers import scratch
from benchmarks.turn import CLIENT_CORE, TurnFailedError, expect_success, pinned, run

FULL_ACCOUNTS, QUICK_ACCOUNTS = 1_000, 600
RABID_S, RABID_QUICK_S = 5.0, 2.0
MPOP_DEFAULTS = """defaults
host 127.0.0.1
port {port}
auth user
tls off
keep off
only_new off
received_header off
uidls_file {kept}/%U
"""


def mpop_configuration(port: int, accounts: int, kept: Path) -> str:
    """Return the file in which mpop finds every account, and in which file of `kept` its mail goes."""
    each = (
        f"account {n}\nuser user{n}@example.test\npassword secret{n}\ndelivery mbox {kept}/{n}.mbox\n"
        for n in range(1, accounts + 1)
    )
    return MPOP_DEFAULTS.format(port=port, kept=kept) + "".join(each)


def mpop_command(program: Path, configuration: Path, names: Path, work: Work) -> list[str]:
    """Return the command: as many mpops as there are sessions at once, each with its share of the accounts."""
    share = -(-work.accounts // work.at_once)
    options = ["-a", str(names), "-P", str(work.at_once), "-n", str(share)]
    return pinned(["xargs", *options, str(program), "--quiet", f"--file={configuration}"], CLIENT_CORE)


def mpop_turn(found: Filled, work: Work) -> Taken:
    """Let mpop retrieve everything."""
    program, configuration, names, kept = mpop_program(), scratch("mpoprc"), scratch("mpop.accounts"), scratch("mpop")
    kept.mkdir()
    configuration.write_text(mpop_configuration(found.port, work.accounts, kept), encoding="ascii")
    configuration.chmod(0o600)       # or mpop refuses it, for the passwords in it
    names.write_text("".join(f"{n}\n" for n in range(1, work.accounts + 1)), encoding="ascii")
    command = mpop_command(program, configuration, names, work)
    finished = expect_success(run(command))
    if found.left():
        raise TurnFailedError(f"{found.left():,} of {work.in_all:,} messages were left")
    return Taken(whole_process(finished, work.in_all), shown(command))


def rabid_command(program: Path, port: int, at_once: int, users: Path) -> list[str]:
    """Return rabid's command: every message of a maildrop is fetched and deleted."""
    options = ["-p", str(at_once), "-d", "100:100", "-r", "24000"]
    return pinned([str(program), *options, f"[127.0.0.1]{port}", str(users)], CLIENT_CORE)


def rabid_turn(found: Filled, work: Work) -> Taken:
    """Let rabid retrieve for some time. It never ends by itself, so it is killed: what is gone, it has retrieved."""
    program = postal_program("rabid")
    users = scratch("rabid.users")
    lines = (f"user{n}@example.test secret{n}\n" for n in range(1, work.accounts + 1))
    users.write_text("".join(lines), encoding="ascii")
    command = rabid_command(program, found.port, work.at_once, users)
    quick = work.accounts < FULL_ACCOUNTS
    finished = run(command, stop_after_s=RABID_QUICK_S if quick else RABID_S, directory=SCRATCH)
    gone = work.in_all - found.left()
    if not 0 < gone < work.in_all:
        raise TurnFailedError(f"{gone:,} of {work.in_all:,} messages were gone: it must be in the midst of them")
    return Taken(whole_process(finished, gone), shown(command))
