"""The passive requirements: what every reply is held against, whoever asked for it and why.

Pure: the standard library and loadgen's wire. A case's transcript goes through `follow` and `watch_smtp`; who knows
already which command a reply answers makes the exchanges himself.
"""
