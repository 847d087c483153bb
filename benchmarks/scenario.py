"""The scenarios mailproof is run with: generated for the purpose, the ledger off, everything recorded as ever."""

import math
from dataclasses import dataclass
from pathlib import Path

# What smtp-source puts before its payload: From, To, Date, Message-Id and the empty line. mailproof's sizes count the
# header, smtp-source's -l does not; so ours are told to be that much larger, and both send the same number of octets.
SOURCE_HEADER_OCTETS = 148

# How quickly virtual users begin. smtp-source begins one connection after another, each when the last has connected;
# all at once, ours would overflow the sink's backlog, and the kernel makes those wait who meet that.
STARTS_PER_S = 5_000


@dataclass(frozen=True, slots=True)
class Deliveries:
    """A closed load of deliveries: so many sessions at once, so many in all, each with its messages."""

    port: int
    at_once: int
    sessions: int
    messages: int              # in each session
    payload_octets: int

    @property
    def ramp_ms(self) -> int:
        """Return how long the virtual users take to begin."""
        return self.at_once * 1000 // STARTS_PER_S

    def toml(self) -> str:
        """Return the scenario file."""
        return f"""\
[scenario]
name = "bench-deliver"

[target]
smtp = "smtp://127.0.0.1:{self.port}"

[load]
model = "closed"
virtual_users = {self.at_once}
ramp = "{self.ramp_ms}ms"
sessions = {self.sessions}
drain = "100s"

[[session]]
kind = "smtp-deliver"
messages = {self.messages}
size = {self.payload_octets + SOURCE_HEADER_OCTETS}
"""


@dataclass(frozen=True, slots=True)
class Retrievals:
    """A closed load of retrievals: every maildrop is read once, and emptied."""

    port: int
    at_once: int
    accounts: int

    def toml(self) -> str:
        """Return the scenario file."""
        return f"""\
[scenario]
name = "bench-retrieve"

[target]
pop3 = "pop3://127.0.0.1:{self.port}"

[accounts]
count = {self.accounts}

[load]
model = "closed"
virtual_users = {self.at_once}
sessions = {self.accounts}
drain = "60s"

[[session]]
kind = "pop3-retrieve"
delete = true
"""


@dataclass(frozen=True, slots=True)
class Listings:
    """One maildrop, and sessions one after the other that ask for all its unique-ids, again and again."""

    port: int
    sessions: int
    listings: int              # in each

    def toml(self) -> str:
        """Return the scenario file."""
        return f"""\
[scenario]
name = "bench-uidl"

[target]
pop3 = "pop3://127.0.0.1:{self.port}"

[accounts]
count = 1

[load]
model = "closed"
virtual_users = 1
sessions = {self.sessions}
drain = "60s"

[[session]]
kind = "steps"
protocol = "pop3"
steps = [
    {{expect = "+OK"}},
    {{send = "USER user1@example.test", expect = "+OK"}},
    {{send = "PASS secret1", expect = "+OK"}},
    {{repeat = {self.listings}, steps = [{{send = "UIDL", expect = "+OK"}}]}},
    {{send = "QUIT", expect = "+OK"}},
]
"""


@dataclass(frozen=True, slots=True)
class Held:
    """An open load of sessions that arrive evenly and then stay until the run is ended."""

    port: int
    sessions: int
    per_s: int
    ca_file: Path | None          # TLS from the start; None: clear text

    def toml(self) -> str:
        """Return the scenario file."""
        scheme = "smtp" if self.ca_file is None else "smtps"
        secured = "" if self.ca_file is None else f'tls = "implicit"\nca_file = "{self.ca_file}"\n'
        milliseconds = -(-self.sessions * 1000 // self.per_s)
        return f"""\
[scenario]
name = "bench-hold"

[target]
smtp = "{scheme}://127.0.0.1:{self.port}"
{secured}
[load]
model = "open"
arrivals = [ {{shape = "constant", rate = {self.per_s}, for = "{milliseconds}ms"}} ]
in_flight_max = {self.sessions}
drain = "9m"

[[session]]
kind = "idle-hold"
hold = "9m"
"""


@dataclass(frozen=True, slots=True)
class Soak:
    """A closed population that mostly holds sessions, delivers some mail and fetches what lies there."""

    virtual_users: int
    duration_s: int
    tls: bool

    @property
    def accounts(self) -> int:
        """Return how many maildrops there are: a fifth of the users or a little more, and no divisor in common.

        Accounts are dealt to arrivals in turn, and user u of n runs the arrivals u, u + n, u + 2n …: so each user comes
        to all of them. With as many accounts as users each would have one of its own, and what lies there would wait
        until that user, who mostly holds a session, is back.
        """
        return next(
            count for count in range(self.virtual_users // 5 + 1, self.virtual_users + 2)
            if math.gcd(count, self.virtual_users) == 1
        )

    def toml(self) -> str:
        """Return the scenario file. Its target is the embedded server."""
        return f"""\
[scenario]
name = "soak-{"tls" if self.tls else "clear"}"

[target]
smtp = "embedded"
pop3 = "embedded"
tls = "{"starttls" if self.tls else "none"}"

[accounts]
count = {self.accounts}

[load]
model = "closed"
virtual_users = {self.virtual_users}
for = "{self.duration_s}s"
drain = "5s"

[[session]]
kind = "idle-hold"
name = "hold"
weight = 1
hold = {{uniform = ["30s", "60s"]}}
noop_every = "5s"

[[session]]
kind = "smtp-deliver"
weight = 5
size = {{lognormal = {{median = "4 KiB", sigma = 1.0, max = "256 KiB"}}}}

[[session]]
kind = "pop3-retrieve"
weight = 5
delete = true
"""
