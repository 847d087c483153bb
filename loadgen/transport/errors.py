"""The network's errors: what the peer, the path to it, or this host's limits did to a connection.

Every OS, ssl and trio error becomes one of these in this package and nowhere else; each message is one plain
sentence without a full stop. They are values by the time they leave a session. What is *not* here is our own
bug and passes through as trio raises it: `trio.ClosedResourceError` (used after we closed it) and
`trio.BusyResourceError` (two tasks receiving at once).
"""


class TransportError(Exception):
    """The network failed us. Raised as itself only for an OS error which none of the kinds below covers."""


class ConnectRefused(TransportError):
    """Something answered, and said no: nothing listens there, or we may not go there."""


class Unreachable(TransportError):
    """No route leads to the address, or this host does not speak its family."""


class NameNotFound(TransportError):
    """The host's name has no address, or the resolver could not say."""


class LocalExhausted(TransportError):
    """This host ran out of something (descriptors, ports, memory) or lacks the source address asked for.

    Not the server's fault: a run in which this happens has found the generator's limit.
    """


class TransportTimeout(TransportError):
    """The deadline passed before the network did what was asked."""


class PeerClosed(TransportError):
    """The connection is over. `reset` tells an abrupt end (RST) from an orderly close (FIN, close_notify).

    `announced` is False where TLS ended without a close_notify.
    """

    def __init__(self, message: str, reset: bool = False, *, announced: bool = True) -> None:
        super().__init__(message)
        self.reset = reset
        self.announced = announced


class TlsFailed(TransportError):
    """TLS could not be agreed, or broke. `reason` is the message; `untrusted`: we refused the certificate."""

    def __init__(self, reason: str, untrusted: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.untrusted = untrusted
