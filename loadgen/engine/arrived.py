"""Arrivals that have reached their instants, and wait to be counted where they did: many at once, as columns."""

from array import array

import numpy as np

from loadgen.engine.columns import FEW
from loadgen.engine.seconds import Seconds
from loadgen.engine.steady import Steady
from loadgen.engine.times import INT64
from loadgen.engine.window import Window


class Arrived:
    """When they were due, and how many sessions were in flight then."""

    def __init__(self) -> None:
        self._intended_ns = array(INT64)
        self._in_flight = array(INT64)

    def add(self, intended_ns: int, in_flight: int) -> None:
        """Keep one."""
        self._intended_ns.append(intended_ns)
        self._in_flight.append(in_flight)

    def enter(self, seconds: Seconds, steady: Steady, window: Window) -> None:
        """Count those there are, each in the second and in the phase of the run in which it was due."""
        if not self._intended_ns:
            return
        due, self._intended_ns = self._intended_ns, array(INT64)
        open_then, self._in_flight = self._in_flight, array(INT64)
        if len(due) <= FEW:
            for intended_ns, in_flight in zip(due, open_then, strict=True):
                seconds.arrived(intended_ns, in_flight)
                steady.arrived += window.holds(intended_ns)
        else:
            instants_ns = np.frombuffer(due, dtype=np.int64)
            seconds.arrived_together(instants_ns, np.frombuffer(open_then, dtype=np.int64))
            steady.arrived += int(window.holds_each(instants_ns).sum())
