"""`python -m benchmarks.micro PAIR SIDE [PORT]`: run one side and print its figures as one line of JSON."""

import json
import sys

from benchmarks.micro import histogram, planning, transport, wire

PAIRS = {"histogram": histogram.SIDES, "transport": transport.SIDES, "wire": wire.SIDES, "planning": planning.SIDES}

if __name__ == "__main__":
    print(json.dumps(PAIRS[sys.argv[1]][sys.argv[2]]()))
