"""What runs inside the sandboxes: the standard library alone, and little of it, for each execution loads it anew."""
