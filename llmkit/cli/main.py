"""The entry point."""


def run() -> None:
    """Run the command line."""
