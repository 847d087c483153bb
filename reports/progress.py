"""How a load run stands, as `mailproof run --json-progress` says it: a line of JSON each second, for programs."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct


class LoadProgress(Struct, frozen=True, kw_only=True):
    """One second of a load run. What a later version adds is passed over."""

    stage: Annotated[str, Meta(description="warm-up, steady, drain, or audit: the maildrops are read.")]
    elapsed_s: float
    in_flight: int = 0
    arrived: int = 0
    messages_accepted: int = 0
    messages_accepted_per_s: int = 0
    errors: int = 0
    refused: int = 0
    p50_ns: int | None = None
    p99_ns: int | None = None


class LoadNote(Struct, frozen=True):
    """A sentence that is to be known of the run."""

    note: str


_LINE = msgspec.json.Decoder(LoadProgress)


def line_of(word: LoadProgress | LoadNote) -> str:
    """Return a word as its line."""
    return f"{msgspec.json.encode(word).decode()}\n"


def progress_in(line: bytes) -> LoadProgress | None:
    """Return the progress that a line says; None if it says something else."""
    try:
        return _LINE.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None
