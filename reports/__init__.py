"""The result document and what is made of it: verdicts, gates, histograms, text and HTML. The bottom layer."""
