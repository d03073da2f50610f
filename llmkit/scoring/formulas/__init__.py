"""Formulas in answers: found, compared as text, and compared by SymPy in processes that can be killed."""
