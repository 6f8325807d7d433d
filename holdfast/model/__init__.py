"""What reservations are: events, folds, lifecycle, capacity, availability, clocks as values.

Pure: no I/O, no wall clock, no randomness, no pycrdt, no sqlite. Time, ids and state are
arguments; results are values. `tests/test_layering.py` keeps it so.
"""
