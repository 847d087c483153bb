"""What every test stands on: the same examples on every machine, and no limit in wall-clock time but the 10 s cap.

`--hypothesis-profile=explore --timeout=0` looks further, with new examples each time.
"""

from hypothesis import settings

settings.register_profile("mailproof", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=5000)
settings.load_profile("mailproof")
