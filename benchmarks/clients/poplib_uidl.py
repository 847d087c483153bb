"""`poplib`'s UIDL: `poplib_uidl PORT SESSIONS LISTINGS`, one session after the other, each asking so often."""

import poplib
import sys

from benchmarks.clients.account import account


def main() -> None:
    """Ask, and say how long it took; a listing counts as a message."""
    port, sessions, listings = map(int, sys.argv[1:4])
    with account() as kept:
        for _ in range(sessions):
            session = poplib.POP3("127.0.0.1", port)
            session.user("user1@example.test")
            session.pass_("secret1")
            for _ in range(listings):
                session.uidl()
                kept.messages += 1
            session.quit()


if __name__ == "__main__":
    main()
