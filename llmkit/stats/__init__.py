"""NUMBERS: intervals, bootstrap and decisions. Arrays in, numbers out; numpy alone."""
