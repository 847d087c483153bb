"""What is broken where passwords are for TLS only."""

CASES = (
    "smtp.auth.list-nonempty",
    "smtp.auth.only-listed",
    "smtp.auth.plain-over-tls",
    "smtp.auth.no-plaintext-in-clear",
)
CHOICES = {"clear_text_passwords": False}

BREAKS = {
    "auth-lists-nothing-in-clear": {"smtp.auth.list-nonempty"},
    "auth-plain-in-clear": {"smtp.auth.no-plaintext-in-clear#plain", "smtp.auth.only-listed#plain"},
    "auth-login-in-clear": {"smtp.auth.no-plaintext-in-clear#login", "smtp.auth.only-listed#login"},
    "auth-no-plain-in-tls": {"smtp.auth.plain-over-tls"},
}
