"""SHOW: terminal tables, Markdown and JSON. They render records and compute nothing."""
