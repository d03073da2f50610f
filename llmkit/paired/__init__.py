"""Two runs set against each other: paired by sample and epoch, refused where they cannot be compared.

sources ──► held ──► comparability ──► pairing ──► differences, amounts, flips ──► Comparison
"""
