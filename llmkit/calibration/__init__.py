"""From labels to a locked judge: search, one test, probes, a status; and a judge at work on stored runs."""
