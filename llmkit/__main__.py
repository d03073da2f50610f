"""``python -m llmkit``."""

from llmkit.cli.main import run

if __name__ == "__main__":
    run()
