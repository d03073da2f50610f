"""The gate: what changed, both sides asked on the same samples, and a verdict."""
