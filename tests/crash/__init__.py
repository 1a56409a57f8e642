"""The crash suite: runs that are killed, against a memory that keeps its own ledger. See `world.py`."""
