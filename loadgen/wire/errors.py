"""The protocol's errors, split by who broke it. They are values by the time they leave a session."""

from loadgen.wire.printable import printable


class ProtocolError(Exception):
    """Somebody broke the protocol. Never raised as itself: always say which side, with a subclass."""

    def __init__(self, why: str) -> None:
        if type(self) is ProtocolError:
            raise TypeError("ProtocolError is abstract: raise LocalProtocolError or RemoteProtocolError")
        super().__init__(why)


class LocalProtocolError(ProtocolError):
    """We broke it: a command out of order, or an argument that would have become a second line."""


class RemoteProtocolError(ProtocolError):
    """The server broke it so far that the machine cannot go on.

    `octets` is the evidence as received, `section` the sentence it breaks ("RFC 5321 §4.2"). The message is
    safe to show to a person. `cut`: the connection ended amid what it said, which a server that is killed cannot help.
    """

    def __init__(self, why: str, *, octets: bytes, section: str, cut: bool = False) -> None:
        super().__init__(why)
        self.cut = cut
        self.why = why
        self.octets = octets
        self.section = section

    def __str__(self) -> str:
        got = f', got "{printable(self.octets)}"' if self.octets else ""
        return f"{self.why} ({self.section}){got}"
