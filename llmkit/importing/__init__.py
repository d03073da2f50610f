"""Files of other tools made into suites: lm-evaluation-harness tasks, promptfoo configurations, GitHub prompt files.

    file ──► source, with lines ──► a format's converter ──► bundle: suite, prompts, data ──► checked ──► written
                                        └──► items: what is not carried over

Nothing of such a file is run, whatever it names: it may be a stranger's. What cannot be carried over is listed.
"""
