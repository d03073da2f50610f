"""Texts compared by the vectors that a language model gives their tokens in context: what ``bertscore`` is made of.

    texts ─► tokens ─► encoder (minilm | transformer) ─► vectors ┐
                 └────► idf ─► weights ──────────────────────────┴► matching ─► rescale

A text's vectors are those of all its tokens, the special ones included: these weigh nothing, yet may be what another
token is most alike to, as in the package bert-score.
"""
