"""What the operator declares about the server: nobody else can know it (an implementation conformance statement)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from reports.errors import UserError

Address = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\r\n\x00<>]+$")]
Word = Annotated[str, Meta(max_length=512, pattern=r"^[^\r\n\x00]*$")]
HostAndPort = Annotated[str, Meta(pattern=r"^[^\s:]+:[0-9]{1,5}$")]
DomainName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,255}$")]
Positive = Annotated[int, Meta(ge=1)]
Login = tuple[Word, Word]      # name and password


class Addresses(Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses, and what the server does with mail for them."""

    accepted: Annotated[tuple[Address, ...], Meta(description="Mail for these is taken.")] = ()
    rejected: Annotated[tuple[Address, ...], Meta(description="Mail for these is refused in the session.")] = ()
    foreign: Annotated[
        tuple[Address, ...], Meta(description="Not the server's own: mail for these must not be relayed.")
    ] = ("someone@elsewhere.invalid",)
    over_quota: Annotated[tuple[Address, ...], Meta(description="Their maildrops are full.")] = ()
    sender: Annotated[Address | None, Meta(description="The reverse-path of what is sent; null: found out.")] = None


class Accounts(Struct, frozen=True, forbid_unknown_fields=True):
    """Logins, each as [name, password]. Those of `pop3` read the maildrops of the accepted addresses, see `places`."""

    pop3: tuple[Login, ...] = ()
    smtp: tuple[Login, ...] = ()


class Allow(Struct, frozen=True, forbid_unknown_fields=True):
    """What the suite may do to the server's users."""

    leave_mail: Annotated[bool, Meta(description="Cases may deliver to the accepted addresses.")] = False
    destroy_mail: Annotated[bool, Meta(description="Cases may delete from the named maildrops.")] = False
    messages_max: Annotated[Positive, Meta(description="So many a case may put into one maildrop.")] = 100
    message_octets_max: Annotated[Positive, Meta(description="So large is the largest of them.")] = 8 << 20


class Timers(Struct, frozen=True, forbid_unknown_fields=True):
    """Waiting, in seconds."""

    scale: Annotated[float, Meta(gt=0, description="The server's timers are this fraction of the RFC's.")] = 1.0
    reply: Annotated[float, Meta(gt=0, description="An answer that takes longer is inconclusive.")] = 30.0
    quiet: Annotated[float, Meta(gt=0, description="Silence is never judged on less than this.")] = 0.3
    delivery: Annotated[float, Meta(gt=0, description="How long accepted mail may take to the maildrop.")] = 30.0


class Session(Struct, frozen=True, forbid_unknown_fields=True):
    """How every session begins, before the question."""

    hello_name: Annotated[Word, Meta(min_length=1, description="The argument of EHLO.")] = "mailproof.invalid"
    tls: Annotated[Literal["none", "starttls"], Meta(description="starttls: no MAIL without it.")] = "none"
    login: Annotated[bool, Meta(description="Log in before MAIL, as the first of accounts.smtp.")] = False


class Claims(Struct, frozen=True, forbid_unknown_fields=True):
    """What the server is configured to do, where the RFCs leave it to the operator."""

    public_mx: Annotated[bool, Meta(description="Takes mail from the whole Internet, for its own domains.")] = False
    submission: Annotated[bool, Meta(description="Takes mail from users who log in (RFC 6409).")] = False
    no_trusted_networks: Annotated[bool, Meta(description="Nobody may send for where he comes from.")] = False
    vrfy_disabled: bool = False
    address: Annotated[Word | None, Meta(description="The server's own IPv4 address, if the URL names a host.")] = None
    defers_recipient_checks: Annotated[bool, Meta(description="Bad recipients are refused after the data.")] = False
    no_trace_fields: Annotated[bool, Meta(description="Received is left out for submissions, on purpose.")] = False
    rewrites_senders: Annotated[bool, Meta(description="SRS, VERP: Return-Path is not the reverse-path.")] = False
    serves_subdomains: Annotated[bool, Meta(description="Mail for subdomains of its domains is its own.")] = False
    removes_bcc: Annotated[bool, Meta(description="Bcc fields of what users submit are taken off.")] = False
    postmaster_is_read: Annotated[bool, Meta(description="Its mail lies in the maildrop that is read.")] = False
    recipients_max: Annotated[Positive | None, Meta(description="A policy limit, per transaction.")] = None
    message_octets_max: Annotated[Positive | None, Meta(description="A low one, set for this.")] = None
    restart: Annotated[str | None, Meta(description="A command that restarts the server.")] = None


class SinkPlace(Struct, frozen=True, forbid_unknown_fields=True):
    """A server of ours that `conform` runs meanwhile, and the domain whose mail the server is set to send there.

    The server sends it on for who is logged in, and its own notices; from strangers it must not take it.
    """

    smtp: Annotated[HostAndPort, Meta(description="Where it listens: host and port.")]
    domain: Annotated[DomainName, Meta(description="Routed to it.")]
    plain: Annotated[HostAndPort | None, Meta(description="Where one without extensions listens.")] = None
    plain_domain: Annotated[DomainName | None, Meta(description="Routed to that.")] = None


class Declared(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything declared: the file given as --options, flags on top of it."""

    addresses: Addresses = Addresses()
    accounts: Accounts = Accounts()
    allow: Allow = Allow()
    timers: Timers = Timers()
    session: Session = Session()
    claims: Claims = Claims()
    sink: SinkPlace | None = None
    maildir: Annotated[str | None, Meta(description="The first accepted address's Maildir, if it can be read.")] = None


@dataclass(frozen=True, slots=True)
class Place:
    """A maildrop that was declared: how to read it, and the address whose mail lies there, if one is known."""

    login: str
    password: str
    address: str | None


def places(declared: Declared) -> tuple[Place, ...]:
    """Return the maildrops that can be read by POP3, in the order of the logins.

    A login belongs to the accepted address that it is, or is the local part of; else to the one at its own position.
    """
    accepted = declared.addresses.accepted
    return tuple(
        Place(login, password, _address_of(login, accepted) or (accepted[at] if at < len(accepted) else None))
        for at, (login, password) in enumerate(declared.accounts.pop3)
    )


def _address_of(login: str, accepted: tuple[str, ...]) -> str | None:
    return next((address for address in accepted if login in {address, address.rpartition("@")[0]}), None)


NOTHING_DECLARED: Final = Declared()


def read_declared(path: Path) -> Declared:
    """Return what a file declares. UserError if it cannot be read or says what is not understood."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Declared)
    except OSError as exc:
        raise UserError(f"cannot read {path}: {exc.strerror}") from None
    except msgspec.ValidationError as exc:
        what, _, where = str(exc).partition(" - at `$.")
        raise UserError(f"{path}: {where.rstrip('`')}: {what}" if where else f"{path}: {what}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise UserError(f"{path} is not TOML: {exc}") from None
