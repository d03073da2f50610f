"""Answers that are programs: taken out of their text, run in a sandbox, and examined from another one."""
