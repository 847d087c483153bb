"""Making exchanges out of octets, and asking the monitors what they see."""

from collections.abc import Iterable

from conformance.monitors.exchange import Asked, Exchange
from conformance.monitors.follow import Event, Side, exchanges_of
from conformance.monitors.monitor import Tally
from conformance.monitors.watch import watch_smtp
from loadgen.wire.reply import ReplyReader

SERVER, CLIENT = Side.SERVER, Side.CLIENT


def heard(octets: bytes, command: bytes | None = None, *, asked: Asked | None = None) -> Exchange:
    """One reply, to a command; to the connection when none is named."""
    reader = ReplyReader()
    reader.feed(octets)
    reply = reader.next_reply()
    assert reply is not None
    assert not reader.pending
    if asked is None:
        asked = Asked.GREETING if command is None else Asked.COMMAND
    return Exchange(reply, asked, command or b"")


def conversation(script: str) -> list[Event]:
    r"""The events of a script: lines that begin with `C: ` and `S: `, `TLS`, `CLOSED`. `\x00` and the like are octets.

    Lines of one side that follow each other are one event, as if TCP had not cut them.
    """
    events: list[Event] = []
    for line in filter(str.strip, script.splitlines()):
        mark, _, text = line.strip().partition(" ")
        side = {"C:": CLIENT, "S:": SERVER, "TLS": Side.TLS, "CLOSED": Side.CLOSED}[mark]
        octets = text.encode("ascii").decode("unicode_escape").encode("latin-1") + b"\r\n" if ":" in mark else b""
        if octets and events and events[-1][0] is side:
            octets = events.pop()[1] + octets
        events.append((side, octets))
    return events


def watched(script: str, *, lmtp: bool = False) -> Tally:
    """What the monitors see in a whole session."""
    return watch_smtp(exchanges_of(conversation(script), lmtp=lmtp), lmtp=lmtp)


def broken(exchanges: Iterable[Exchange], *, lmtp: bool = False) -> set[str]:
    """The requirements that these exchanges break."""
    return set(watch_smtp(exchanges, lmtp=lmtp).broken)
