"""`poplib` in threads: `poplib_threads PORT THREADS ACCOUNTS`, every maildrop is read once and emptied.

It says what mailproof says: USER, PASS, STAT, LIST, UIDL, RETR and DELE for each message, QUIT.
"""

import poplib
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.clients.account import account


def retrieve(port: int, number: int) -> int:
    """Empty one maildrop, and return how many messages it held."""
    session = poplib.POP3("127.0.0.1", port)
    session.user(f"user{number}@example.test")
    session.pass_(f"secret{number}")
    count, _ = session.stat()
    session.list()
    session.uidl()
    for message_number in range(1, count + 1):
        session.retr(message_number)
        session.dele(message_number)
    session.quit()
    return count


def main() -> None:
    """Retrieve everything, and say how long it took."""
    port, threads, accounts = map(int, sys.argv[1:4])
    with account() as kept, ThreadPoolExecutor(threads) as pool:
        kept.messages = sum(pool.map(lambda number: retrieve(port, number), range(1, accounts + 1)))


if __name__ == "__main__":
    main()
