"""Make docs/servers.md and docs/servers.html: real mail servers, and ours, under the whole suite, beside each other.

`make servers-matrix`, or `python -m tests.interop.servers_matrix [--out DIR] [--only NAME]`. Needs what tests/interop
needs (`make interop-servers`); a server that this machine cannot run is left out, and named. Some two minutes.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.interop.aiosmtpd_server import running_aiosmtpd
from tests.interop.child import home
from tests.interop.dovecot import running_dovecot
from tests.interop.exim import running_exim
from tests.interop.mail_system import Accounts, Certificate, MailSystem, Unusable
from tests.interop.postfix import running_postfix
from tests.interop.standing import certificate_for_loopback
from tests.interop.test_conform import OURS, declared

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
TITLE: Final = "Mail servers against the RFCs"
NAMES: Final = {       # as the table has them, and as tests/interop calls them
    "reference server": "reference", "Postfix + Dovecot": "postfix", "Exim": "exim", "aiosmtpd": "aiosmtpd",
    "Dovecot (LMTP)": "dovecot",
}  # fmt: skip
LIMIT_S: Final = 1_800.0


@contextmanager
def reference_server(certificate: Certificate, accounts: Accounts) -> Iterator[MailSystem]:
    """Run our own server until the block ends."""
    command = [sys.executable, "-m", "mailproof", "serve", "--smtp", "0", "--lmtp", "0", "--pop3", "0", "--until-eof"]
    command += ["--domain", "example.test", "--account-count", str(accounts.count)]
    command += ["--tls-cert", str(certificate.chain), "--tls-key", str(certificate.key)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        yield MailSystem(
            "reference", certificate.authority, accounts, smtp=ready["smtp"], lmtp=ready["lmtp"], pop3=ready["pop3"]
        )
        server.communicate("")


@contextmanager
def standing(name: str, certificate: Certificate, accounts: Accounts) -> Iterator[MailSystem]:
    """Run one of the servers until the block ends. Raises Unusable where this machine cannot."""
    with ExitStack() as stack:
        if name == "reference":
            yield stack.enter_context(reference_server(certificate, accounts))
        elif name == "aiosmtpd":
            yield stack.enter_context(running_aiosmtpd(certificate, accounts))[0]
        else:
            dovecot = stack.enter_context(running_dovecot(certificate, accounts))
            if name == "postfix":
                yield stack.enter_context(running_postfix(certificate, dovecot)).system
            elif name == "exim":
                yield stack.enter_context(running_exim(certificate, dovecot)).system
            else:
                yield dovecot.system


def judged(name: str, system: MailSystem) -> tuple[MailSystem, str]:
    """Return a server with the endpoints that are its own, and what is declared about it.

    Dovecot keeps the mail of them all. It is judged beside Postfix alone, and elsewhere its Maildir is only read.
    """
    if name in {"reference", "postfix", "aiosmtpd"}:
        return system, declared(name, system, system.accounts)
    text = declared(name, system, system.accounts)
    return replace(system, pop3=None), f'maildir = "{system.maildrops}/user{OURS[0]}"\n{text}'


def targets_of(name: str, system: MailSystem) -> list[str]:
    """Return the URLs that are judged."""
    urls = (system.smtp, system.lmtp if name in {"reference", "dovecot"} else None, system.pop3)
    return [url for url in urls if url is not None]


def conform(name: str, certificate: Certificate, place: Path) -> Path:
    """Judge one server; return its result."""
    with standing(name, certificate, Accounts()) as running:
        system, options = judged(name, running)
        place.mkdir(parents=True)
        (place / "declared.toml").write_text(options, encoding="utf-8")
        command = [sys.executable, "-m", "mailproof", "conform", *targets_of(name, system), "--out", str(place)]
        command += ["--options", str(place / "declared.toml")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    result = place / "result.json"
    if not result.exists():
        sys.exit(f"{name} could not be judged: {done.stderr.strip() or done.stdout.strip()}")
    return result


def write_docs(results: dict[str, Path], out: Path, place: Path) -> None:
    """Write the whole table as HTML, and as Markdown the rows in which somebody differs."""
    names = [word for name in results for word in ("--name", name)]
    command = [sys.executable, "-m", "mailproof", "matrix", *map(str, results.values()), *names, "--title", TITLE]
    out.mkdir(parents=True, exist_ok=True)
    for kind, more in (("html", []), ("md", ["--differing"])):
        subprocess.run([*command, *more, "--out", str(place / kind)], check=True, stdout=subprocess.DEVNULL)
        (out / f"servers.{kind}").write_bytes((place / kind / f"matrix.{kind}").read_bytes())


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge every server that this machine can run, one after another, and write the tables."""
    parser = argparse.ArgumentParser(description="Real mail servers, and ours, beside each other.")
    parser.add_argument("--out", type=Path, default=DOCS, help="where servers.md and servers.html go")
    parser.add_argument("--only", action="append", choices=list(NAMES.values()), help="not all of them; repeatable")
    chosen = parser.parse_args(arguments)
    results: dict[str, Path] = {}
    with home("matrix") as place, certificate_for_loopback() as certificate:
        for title, name in NAMES.items():
            if chosen.only and name not in chosen.only:
                continue
            try:
                results[title] = conform(name, certificate, place / name)
            except Unusable as reason:
                sys.stderr.write(f"{title} is left out: {reason}\n")
            else:
                sys.stderr.write(f"{title} is judged\n")
        write_docs(results, chosen.out, place)
    sys.stdout.write(f"{chosen.out / 'servers.md'}\n{chosen.out / 'servers.html'}\n")


if __name__ == "__main__":
    main()
