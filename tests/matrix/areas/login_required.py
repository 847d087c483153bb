"""What is broken where no mail is taken from strangers."""

from msgspec.structs import replace as with_fields

from conformance.declared import Session
from tests.matrix import laboratory

CASES = ("smtp.auth.required-", "smtp.auth.rset-keeps-auth")
CHOICES = {"login_required": True}
DECLARED = with_fields(laboratory.DECLARED, session=Session(login=True))

BREAKS = {
    "auth-required-550": {"smtp.auth.required-530"},
    "auth-required-of-all": {
        "smtp.auth.required-exempt#ehlo",
        "smtp.auth.required-exempt#helo",
        "smtp.auth.required-exempt#noop",
        "smtp.auth.required-exempt#quit",
        "smtp.auth.required-exempt#rset",
    },
    "auth-required-of-auth": {"smtp.auth.required-exempt#auth"},
    "rset-logs-out": {"smtp.auth.rset-keeps-auth"},
}
