"""`smtplib` in threads: `smtplib_threads PORT THREADS MESSAGES OCTETS`, a session for each message."""

import smtplib
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.clients.account import account
from benchmarks.clients.mail import RECIPIENT, SENDER, mail_of


def main() -> None:
    """Send every message, and say how long it took."""
    port, threads, messages, octets = map(int, sys.argv[1:5])
    mail = mail_of(octets)

    def send(_: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, "mailproof.invalid") as session:
            session.sendmail(SENDER, [RECIPIENT], mail)

    with account() as kept, ThreadPoolExecutor(threads) as pool:
        kept.messages = sum(1 for _ in pool.map(send, range(messages)))


if __name__ == "__main__":
    main()
