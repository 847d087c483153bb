"""What is told to the allocator, and what that does; each in a process of its own, whose heap is as it began."""

import ctypes
import subprocess
import sys

import pytest

from loadgen.engine.health.process import keep_large_blocks_apart

MAPPED = """
import ctypes, sys
from loadgen.engine.health.process import keep_large_blocks_apart

class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "mapped", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    )]

info = ctypes.CDLL(None).mallinfo2
info.restype = Mallinfo2
if sys.argv[1] == "told":
    assert keep_large_blocks_apart()
bytearray(1 << 22)                       # freed at once: glibc's mark would be there from now on
before = info().mapped
held = [bytearray(200_000) for _ in range(8)]
print(info().mapped - before)
"""


def mapped(which: str) -> int:
    done = subprocess.run([sys.executable, "-c", MAPPED, which], check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="the allocator is not glibc's")
def test_the_arrays_of_a_second_lie_outside_the_heap_once_the_allocator_is_told() -> None:
    assert mapped("untold") == 0
    assert mapped("told") == 8


def test_an_allocator_that_cannot_be_told_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not keep_large_blocks_apart()
