"""What the faults in transparency break."""

from dataclasses import replace

from tests.matrix import laboratory

CASES = ("smtp.dot.",)
LIMITS = replace(laboratory.LIMITS, message_octets=1_000_000)     # for the largest of the buffers

BREAKS = {
    "dots-never-undone": {
        "smtp.dot.buffer-edges#1024",
        "smtp.dot.buffer-edges#16384",
        "smtp.dot.buffer-edges#2048",
        "smtp.dot.buffer-edges#32768",
        "smtp.dot.buffer-edges#4096",
        "smtp.dot.buffer-edges#512",
        "smtp.dot.buffer-edges#65536",
        "smtp.dot.buffer-edges#8192",
        "smtp.dot.double-dot-line",
        "smtp.dot.removes-single",
        "smtp.dot.split-terminator#3",
        "smtp.dot.split-terminator#4",
        "smtp.dot.triple-dot-line",
        "smtp.dot.unstuff",
        "smtp.dot.unstuff-every-line",
        "smtp.dot.unstuff-header",
    },
    "dots-undone-once": {
        "smtp.dot.buffer-edges#1024",
        "smtp.dot.buffer-edges#16384",
        "smtp.dot.buffer-edges#2048",
        "smtp.dot.buffer-edges#32768",
        "smtp.dot.buffer-edges#4096",
        "smtp.dot.buffer-edges#512",
        "smtp.dot.buffer-edges#65536",
        "smtp.dot.buffer-edges#8192",
        "smtp.dot.unstuff-every-line",
    },
    "dots-undone-twice": {"smtp.dot.triple-dot-line"},
    "dots-of-two-end": {"smtp.dot.double-dot-line"},
    "dots-end-lines": {"smtp.dot.not-mid-line"},
    "dots-in-long-lines-end": {
        "smtp.dot.long-line-inner-dot#1000",
        "smtp.dot.long-line-inner-dot#1024",
        "smtp.dot.long-line-inner-dot#2048",
        "smtp.dot.long-line-inner-dot#4096",
        "smtp.dot.long-line-inner-dot#510",
        "smtp.dot.long-line-inner-dot#998",
    },
    "dots-single-kept": {"smtp.dot.removes-single"},
    "dots-of-the-first-line": {"smtp.dot.unstuff-first-line"},
    "dots-of-the-header": {"smtp.dot.unstuff-header"},
    "dots-at-512": {"smtp.dot.buffer-edges#512"},
    "dots-at-1024": {"smtp.dot.buffer-edges#1024"},
    "dots-at-2048": {"smtp.dot.buffer-edges#2048"},
    "dots-at-4096": {"smtp.dot.buffer-edges#4096"},
    "dots-at-8192": {"smtp.dot.buffer-edges#8192"},
    "dots-at-16384": {"smtp.dot.buffer-edges#16384"},
    "dots-at-32768": {"smtp.dot.buffer-edges#32768"},
    "dots-at-65536": {"smtp.dot.buffer-edges#65536"},
    "end-must-be-whole": {
        "smtp.dot.split-terminator#1",
        "smtp.dot.split-terminator#2",
        "smtp.dot.split-terminator#3",
        "smtp.dot.split-terminator#4",
    },
    "end-at-the-dot": {"smtp.dot.slow-terminator", "smtp.dot.split-terminator#3"},
    "end-of-the-segment": {"smtp.dot.pipelined-after"},
}
