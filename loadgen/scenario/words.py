"""What the kinds of session share: a name, a weight, ways to log in."""

from typing import Annotated, Literal

from msgspec import Meta

from loadgen.scenario.table import says

MailAuth = Literal["none", "plain", "login", "cram-md5", "scram-sha-256"]
MaildropAuth = Literal["user", "apop", "plain", "login", "cram-md5", "scram-sha-256"]
AnyAuth = Literal["none", "user", "apop", "plain", "login", "cram-md5", "scram-sha-256"]
Pipelining = Literal["never", "if-offered"]
MailPipelining = Literal["never", "if-offered", "across-messages"]

Name = Annotated[
    Annotated[str, Meta(min_length=1, max_length=60)] | None, says("Shown in the report; default: the kind.")
]
Weight = Annotated[
    float, says("Share of the arrivals, relative to the other weights."), Meta(ge=0, le=1_000_000)
]
