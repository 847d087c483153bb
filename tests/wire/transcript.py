"""Golden transcripts: `C:` and `S:` lines of an RFC's example, and how a command is read back from its line."""

from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

from loadgen.wire import commands as c
from loadgen.wire import pop3_commands as p

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True)
class Turn:
    """One line: who said it, what. `who` is "-" where TLS starts."""

    who: str
    text: str


def turns_of(name: str) -> list[Turn]:
    """Read a transcript. A line that is neither is an error, so that a typing slip cannot hide a turn."""
    turns: list[Turn] = []
    for line in (GOLDEN / name).read_text("ascii").splitlines():
        if line.startswith("#"):
            continue
        who, text = line[0], line[3:]
        assert line == "--- TLS starts" or line[:3] in {"C: ", "S: ", "C:"}, line
        turns.append(Turn(who, text))
    return turns


def smtp_command(line: str) -> c.SmtpCommand:
    """Return the command value an SMTP command line stands for."""
    verb, _, rest = line.partition(" ")
    match verb:
        case "HELO" | "EHLO" | "LHLO":
            hellos: dict[str, type[c.Helo] | type[c.Ehlo] | type[c.Lhlo]]
            hellos = {"HELO": c.Helo, "EHLO": c.Ehlo, "LHLO": c.Lhlo}
            return hellos[verb](rest)
        case "MAIL":
            return c.Mail(rest.removeprefix("FROM:<").removesuffix(">"))
        case "RCPT":
            return c.Rcpt(rest.removeprefix("TO:<").removesuffix(">"))
        case "VRFY":
            return c.Vrfy(rest)
        case "AUTH":
            mechanism, _, initial = rest.partition(" ")
            return c.Auth(mechanism, b64decode(initial.rstrip("=") + "==") if initial else None)
        case "DATA" | "RSET" | "QUIT" | "STARTTLS":
            bare: dict[str, c.SmtpCommand]
            bare = {"DATA": c.Data(), "RSET": c.Rset(), "QUIT": c.Quit(), "STARTTLS": c.StartTls()}
            return bare[verb]
        case _:
            return c.AuthResponse(b64decode(verb))


def pop3_command(line: str) -> p.Pop3Command:
    """Return the command value a POP3 command line stands for."""
    verb, *rest = line.split(" ")
    match verb:
        case "APOP":
            return p.Apop(*rest)
        case "RETR" | "DELE":
            return p.Retr(int(rest[0])) if verb == "RETR" else p.Dele(int(rest[0]))
        case _:
            bare: dict[str, p.Pop3Command]
            bare = {"STAT": p.Stat(), "LIST": p.List(), "CAPA": p.Capa(), "QUIT": p.Pop3Quit()}
            return bare[verb]
