"""Asking: prompt files and inline messages, rendered to messages row by row, and fingerprinted."""

from llmkit.prompts.fingerprint import requests_fingerprint
from llmkit.prompts.load import load_prompt, prompt_from_messages
from llmkit.prompts.prompt import Input, Prompt

__all__ = ["Input", "Prompt", "load_prompt", "prompt_from_messages", "requests_fingerprint"]
