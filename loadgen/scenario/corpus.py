"""A directory of .eml files: other people's messages, made fit to be sent. Read once, when the scenario is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadgen.scenario.datafile import PROBLEMS_MAX
from loadgen.scenario.problems import Problem, UnreadableError

FILES_MAX: Final = 10_000
OCTETS_MAX: Final = 256 << 20      # of all files: each process of a run holds them
LINE_OCTETS_MAX: Final = 998       # RFC 5322 §2.1.1, CRLF not counted
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")      # RFC 5322 §2.2, §4.5: any printable but a colon
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")

# What a message must not bring along: our own marks, which are stamped anew; the id that back ends know repeated mail
# by; what stands for an earlier delivery (RFC 5321 §4.4; some systems take Delivered-To for a loop); and who is to
# have it unseen (RFC 5322 §3.6.3).
_LEFT_OUT: Final = frozenset(
    {
        b"x-mailproof-id", b"x-mailproof-encoding", b"message-id", b"return-path", b"delivered-to", b"envelope-to",
        b"delivery-date", b"bcc", b"resent-bcc",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One message of a corpus. Invariant: every line ends with CRLF, and is no longer than RFC 5322 allows."""

    file: str         # its whole path; no two samples of a run share it
    header: bytes     # the fields that are sent as they are
    body: bytes       # the octets after the empty line


@dataclass(frozen=True, slots=True)
class Corpus:
    """The messages of one directory, in the order of their names."""

    directory: str
    samples: tuple[Sample, ...]      # Invariant: at least one
    line_ends_changed: int           # bare CR, bare LF, or none at the end of the last line; now CRLF


class _Unfit(Exception):
    """A file that cannot be sent as mail; the message says why."""


def read_corpus(directory: str) -> Corpus:
    """Return the .eml files of a directory, not of those in it; raise UnreadableError with what is wrong with them.

    Of unfit files so many are told that it is plain what kind of directory this is.
    """
    problems: list[Problem] = []
    samples: list[Sample] = []
    changed = 0
    for path, octets in _files(directory):
        octets, changed_here = _with_crlf(octets)      # noqa: PLW2901  what is read is not what is sent
        try:
            samples.append(_sample(path, octets))
            changed += changed_here
        except _Unfit as unfit:
            problems.append(Problem("", what=str(unfit)))
        if len(problems) == PROBLEMS_MAX:
            break
    if problems:
        raise UnreadableError(problems)
    return Corpus(directory, tuple(samples), changed)


def _files(directory: str) -> Iterator[tuple[Path, bytes]]:
    """Yield each .eml file and what it holds. Raises UnreadableError for what is wrong with the directory."""
    try:
        paths = sorted(path for path in Path(directory).iterdir() if path.suffix.lower() == ".eml" and path.is_file())
    except FileNotFoundError:
        raise _refusal(f"no such directory: {directory}") from None
    except NotADirectoryError:
        raise _refusal(f"{directory} is no directory, and a corpus is a directory of .eml files") from None
    except OSError as error:
        raise _refusal(f"cannot read {directory}: {error.strerror}") from None
    if not paths:
        raise _refusal(f"{directory} holds no .eml file")
    if len(paths) > FILES_MAX:
        raise _refusal(f"{directory} holds {len(paths)} .eml files, more than the {FILES_MAX} a run can hold")
    left = OCTETS_MAX
    for path in paths:
        try:
            with path.open("rb") as file:
                octets = file.read(left + 1)
        except OSError as error:
            raise _refusal(f"cannot read {path}: {error.strerror}") from None
        left -= len(octets)
        if left < 0:
            raise _refusal(f"the .eml files of {directory} hold more than the {OCTETS_MAX >> 20} MiB a run can hold")
        yield path, octets


def _refusal(what: str) -> UnreadableError:
    return UnreadableError([Problem("", what=what)])


def _with_crlf(octets: bytes) -> tuple[bytes, int]:
    """Return the octets with every line ended by CRLF, and how many line ends that changed or added."""
    whole = octets.count(b"\r\n")
    changed = octets.count(b"\r") + octets.count(b"\n") - 2 * whole
    if changed:
        octets = _LINE_END.sub(b"\r\n", octets)
    if octets and not octets.endswith(b"\r\n"):
        return octets + b"\r\n", changed + 1
    return octets, changed


def _sample(path: Path, octets: bytes) -> Sample:
    """Return what is sent of a file's octets, the fields left out that it must not bring along. Raises _Unfit."""
    lines = octets.split(b"\r\n")
    if max(map(len, lines)) > LINE_OCTETS_MAX:
        number, line = next((n, line) for n, line in enumerate(lines, 1) if len(line) > LINE_OCTETS_MAX)
        raise _Unfit(f"line {number} of {path}: {len(line)} octets, more than the {LINE_OCTETS_MAX} of RFC 5322 §2.1.1")
    if b"\0" in octets:
        number = octets.count(b"\r\n", 0, octets.index(b"\0")) + 1
        raise _Unfit(f"line {number} of {path}: a NUL octet, which no mail may hold (RFC 5322 §4, RFC 6152 §2)")
    kept: list[bytes] = []
    keep = False
    end = 0
    for number, line in enumerate(lines, 1):
        end += len(line) + 2
        if not line and number > 1:
            break
        if number == 1 or not line.startswith((b" ", b"\t")):
            field = _FIELD.match(line)
            if field is None:
                raise _Unfit(f"line {number} of {path}: neither a header field nor the empty line after the last")
            keep = field[1].lower() not in _LEFT_OUT
        if not _is_utf8(line):
            raise _Unfit(f"line {number} of {path}: a header field that is no UTF-8 (RFC 6532 §3)")
        if keep:
            kept.append(line + b"\r\n")
    return Sample(str(path), b"".join(kept), octets[end:])


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
