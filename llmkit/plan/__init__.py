"""Before spending: what a suite can show, what it costs, and how much of a difference is noise."""
