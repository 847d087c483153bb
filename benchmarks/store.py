"""What was measured, kept as JSON: one file for each comparison, so that several invocations make one RESULTS.md."""

from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.alarm_record import AlarmRecord
from benchmarks.capacity_record import CapacityRecord
from benchmarks.figures import Record
from benchmarks.machine import Machine
from benchmarks.soak_record import SoakRecord

Kept = TypeVar("Kept", bound=msgspec.Struct)


class Store:
    """A directory of records."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, record: Record) -> None:
        """Keep a record, in place of an earlier one of that name."""
        self._write(record.name, record)

    def record(self, name: str) -> Record | None:
        """Return a record; None if there is none that can be read."""
        return self._read(name, Record)

    def keep_soak(self, soak: SoakRecord) -> None:
        """Keep a soak."""
        self._write("soak", soak)

    def soak(self) -> SoakRecord | None:
        """Return the last soak."""
        return self._read("soak", SoakRecord)

    def keep_alarm(self, alarm: AlarmRecord) -> None:
        """Keep what became of comparisons whose truth is known."""
        self._write("alarm", alarm)

    def alarm(self) -> AlarmRecord | None:
        """Return what became of them last."""
        return self._read("alarm", AlarmRecord)

    def keep_capacity(self, capacity: CapacityRecord) -> None:
        """Keep what searches for a known capacity came to."""
        self._write("capacity", capacity)

    def capacity(self) -> CapacityRecord | None:
        """Return what they came to last."""
        return self._read("capacity", CapacityRecord)

    def keep_machine(self, machine: Machine) -> None:
        """Keep what is known of the machine."""
        self._write("machine", machine)

    def machine(self) -> Machine | None:
        """Return what is known of the machine that was measured on."""
        return self._read("machine", Machine)

    def _write(self, name: str, value: msgspec.Struct) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{name}.json"
        beside = path.with_suffix(".new")
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1))
        beside.replace(path)

    def _read(self, name: str, kind: type[Kept]) -> Kept | None:
        try:
            return msgspec.json.decode((self._directory / f"{name}.json").read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError):      # never measured, or by another version of this code
            return None
