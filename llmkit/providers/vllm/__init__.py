"""vLLM: as an engine that this process starts and owns (``vllm/ORG/MODEL``), or as a server (``…@http://host``).

    request ──► wire (the same JSON) ──► server.VllmServer ──► HTTP ──► a server somewhere
                                    └──► embedded.VllmEngine ──► engine.Engine ──► worker ──► vLLM's AsyncLLM

The worker (``worker/``) is a process of its own that nothing but this one talks to, over a socket pair: vLLM starts
further processes, writes to standard output and takes signals, and none of that belongs into a program that prints
JSON. It answers what vLLM's HTTP server answers, so that everything above the wire is shared.
"""
