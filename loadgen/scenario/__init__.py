"""The scenario file: its vocabulary as frozen structs, read and checked. No trio, no clock."""
