"""aiosmtplib in tasks: `aiosmtplib_tasks PORT TASKS MESSAGES OCTETS`, a session for each message."""

import asyncio
import sys

import aiosmtplib

from benchmarks.clients.account import Account, account
from benchmarks.clients.mail import RECIPIENT, SENDER, mail_of


async def send_all(port: int, tasks: int, messages: int, mail: bytes, kept: Account) -> None:
    """Send every message, that many at a time."""
    left = iter(range(messages))

    async def user() -> None:
        for _ in left:
            session = aiosmtplib.SMTP(
                hostname="127.0.0.1", port=port, local_hostname="mailproof.invalid", use_tls=False, start_tls=False
            )
            async with session:
                await session.sendmail(SENDER, [RECIPIENT], mail)
            kept.messages += 1

    await asyncio.gather(*(user() for _ in range(tasks)))


def main() -> None:
    """Send every message, and say how long it took."""
    port, tasks, messages, octets = map(int, sys.argv[1:5])
    with account() as kept:
        asyncio.run(send_all(port, tasks, messages, mail_of(octets), kept))


if __name__ == "__main__":
    main()
