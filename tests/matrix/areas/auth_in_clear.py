"""What is broken where passwords are for TLS only."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

CASES = (
    "smtp.auth.list-nonempty",
    "smtp.auth.only-listed",
    "smtp.auth.plain-over-tls",
    "smtp.auth.no-plaintext-in-clear",
    "submit.same-denial",
)
CHOICES = {"clear_text_passwords": False}
DECLARED = with_fields(
    laboratory.DECLARED, claims=with_fields(laboratory.DECLARED.claims, submission=True)
)

BREAKS = {
    "submit-confirms": {"submit.same-denial"},
    "auth-lists-nothing-in-clear": {"smtp.auth.list-nonempty"},
    "auth-plain-in-clear": {"smtp.auth.no-plaintext-in-clear#plain", "smtp.auth.only-listed#plain"},
    "auth-login-in-clear": {"smtp.auth.no-plaintext-in-clear#login", "smtp.auth.only-listed#login"},
    "auth-no-plain-in-tls": {"smtp.auth.plain-over-tls"},
}
