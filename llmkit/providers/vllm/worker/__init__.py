"""The process that holds vLLM's engine: ``python -m llmkit.providers.vllm.worker FD``. It is started by ``engine.py``.

Nothing of vLLM is imported anywhere else.
"""
