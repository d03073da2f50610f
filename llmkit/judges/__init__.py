"""Judges: models that grade answers by written criteria, measured against people's labels before they are believed."""
