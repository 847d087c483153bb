"""The result document and what is made of it: verdicts, gates, histograms, text, HTML. The bottom layer."""

import logging

# A newcomer's first run must not open with matplotlib's remarks on its font cache. Set here because it speaks
# while it is being imported.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
