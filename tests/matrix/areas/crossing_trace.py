"""What the faults in the fields on top of a message, and in what a header tells of the envelope, break."""

from typing import Final

from msgspec.structs import replace

from conformance.declared import Declared
from tests.matrix import laboratory

CASES = (
    "x.delivery.envelope-", "x.delivery.bcc-", "x.delivery.return-", "x.delivery.null-", "x.delivery.header-",
    "x.delivery.postmaster",
)
DECLARED: Final[Declared] = replace(
    laboratory.DECLARED, claims=replace(laboratory.DECLARED.claims, removes_bcc=True)
)

BREAKS = {
    "trace-no-return-path": {
        "x.delivery.null-return-path#forged", "x.delivery.null-return-path#plain", "x.delivery.return-path-one#below",
        "x.delivery.return-path-one#folded", "x.delivery.return-path-one#lower", "x.delivery.return-path-one#null",
        "x.delivery.return-path-one#one", "x.delivery.return-path-one#two",
    },
    "trace-return-path-of-author": {
        "x.delivery.null-return-path#forged", "x.delivery.null-return-path#plain", "x.delivery.return-path-one#below",
        "x.delivery.return-path-one#folded", "x.delivery.return-path-one#lower", "x.delivery.return-path-one#null",
        "x.delivery.return-path-one#one", "x.delivery.return-path-one#two",
    },
    "trace-return-path-kept": {
        "x.delivery.return-path-one#below", "x.delivery.return-path-one#folded", "x.delivery.return-path-one#lower",
        "x.delivery.return-path-one#null", "x.delivery.return-path-one#one", "x.delivery.return-path-one#two",
    },
    "trace-return-path-for-null": {"x.delivery.null-return-path#forged", "x.delivery.null-return-path#plain"},
    "trace-tells-envelope": {"x.delivery.envelope-not-leaked"},
    "trace-for-all": {"x.delivery.envelope-not-leaked"},
    "postmaster-needs-domain": {
        "x.delivery.postmaster#bare", "x.delivery.postmaster#mixed", "x.delivery.postmaster#upper",
    },
    "postmaster-two-cases": {"x.delivery.postmaster#mixed"},
    "postmaster-nowhere": {"x.delivery.postmaster#at-domain", "x.delivery.postmaster#upper-at-domain"},
    "postmaster-lower-case-at-domain": {"x.delivery.postmaster#upper-at-domain"},
    "x-hello-makes-fields": {"x.delivery.header-injection#hello"},
    "x-sender-makes-fields": {"x.delivery.header-injection#mail"},
    "x-parameters-make-fields": {"x.delivery.header-injection#mail", "x.delivery.header-injection#parameters"},
    "x-keeps-bcc": {"x.delivery.bcc-not-leaked"},
}
