"""Which layer of a model agrees best with people: what bert-score recommends.

The numbers are those of ``model2layers`` in bert_score/utils.py, bert-score 0.3.13 (MIT licence). They were chosen by
the correlation with human judgements of WMT16 (https://github.com/Tiiiger/bert_score#default-behavior).
"""

from __future__ import annotations

from collections.abc import Mapping

_BY_LAYER: Mapping[int, str] = {
    0: "amazon/bort",
    1: (
        "google/bert_uncased_L-2_H-128_A-2 google/bert_uncased_L-2_H-256_A-4 google/bert_uncased_L-2_H-512_A-8 "
        "google/byt5-small"
    ),
    2: "facebook/blenderbot-400M-distill google/bert_uncased_L-2_H-768_A-12 sshleifer/tiny-mbart",
    3: (
        "google/bert_uncased_L-4_H-128_A-2 google/bert_uncased_L-4_H-256_A-4 google/bert_uncased_L-4_H-512_A-8 "
        "google/bert_uncased_L-4_H-768_A-12"
    ),
    4: (
        "dbmdz/distilbert-base-turkish-cased distilbert-base-uncased-distilled-squad microsoft/deberta-v3-small "
        "microsoft/prophetnet-large-uncased zhiheng-huang/bert-base-uncased-embedding-relative-key"
    ),
    5: (
        "distilbert-base-multilingual-cased distilbert-base-uncased distilroberta-base "
        "google/bert_uncased_L-6_H-128_A-2 google/bert_uncased_L-6_H-256_A-4 google/bert_uncased_L-6_H-512_A-8 "
        "google/bert_uncased_L-6_H-768_A-12 xlnet-base-cased"
    ),
    6: ("allenai/led-base-16384 facebook/bart-base google/bert_uncased_L-8_H-512_A-8 t5-small xlm-mlm-en-2048"),
    7: (
        "allenai/longformer-base-4096 facebook/blenderbot_small-90M google/bert_uncased_L-8_H-128_A-2 "
        "google/bert_uncased_L-8_H-256_A-4 google/bert_uncased_L-8_H-768_A-12 "
        "microsoft/prophetnet-large-uncased-cnndm microsoft/xprophetnet-large-wiki100-cased "
        "roberta-base-openai-detector xlnet-large-cased "
        "zhiheng-huang/bert-base-uncased-embedding-relative-key-query"
    ),
    8: (
        "SpanBERT/spanbert-base-cased albert-xxlarge-v1 albert-xxlarge-v2 allenai/scibert_scivocab_uncased "
        "bert-base-chinese google/bert_uncased_L-10_H-128_A-2 google/bert_uncased_L-10_H-256_A-4 "
        "google/bert_uncased_L-10_H-768_A-12 google/bigbird-base-trivia-itc google/mt5-small google/pegasus-large "
        "microsoft/mpnet-base princeton-nlp/unsup-simcse-roberta-base"
    ),
    9: (
        "YituTech/conv-bert-medium-small albert-base-v2 allenai/scibert_scivocab_cased "
        "bert-base-cased-finetuned-mrpc bert-base-multilingual-cased bert-base-uncased facebook/bart-large-xsum "
        "google/bert_uncased_L-10_H-512_A-8 google/bert_uncased_L-12_H-768_A-12 google/electra-base-discriminator "
        "google/electra-small-generator microsoft/deberta-base microsoft/deberta-base-mnli "
        "microsoft/deberta-v3-base nfliu/scibert_basevocab_uncased squeezebert/squeezebert-mnli "
        "squeezebert/squeezebert-mnli-headless squeezebert/squeezebert-uncased vinai/bertweet-base "
        "xlm-roberta-base"
    ),
    10: (
        "ProsusAI/finbert YituTech/conv-bert-base YituTech/conv-bert-small albert-base-v1 "
        "dbmdz/bert-base-turkish-cased facebook/bart-large facebook/bart-large-cnn "
        "google/bert_uncased_L-12_H-128_A-2 google/bert_uncased_L-12_H-512_A-8 google/bigbird-roberta-base "
        "google/electra-base-generator microsoft/deberta-v2-xlarge microsoft/deberta-v3-xsmall "
        "microsoft/mdeberta-v3-base princeton-nlp/sup-simcse-bert-base-uncased "
        "princeton-nlp/sup-simcse-roberta-base princeton-nlp/unsup-simcse-bert-base-uncased roberta-base "
        "xlm-mlm-100-1280"
    ),
    11: (
        "facebook/bart-large-mnli google/bert_uncased_L-12_H-256_A-4 google/electra-small-discriminator "
        "google/mt5-base google/pegasus-xsum ramsrigouthamg/t5_paraphraser t5-base"
    ),
    12: (
        "Vamsi/T5_Paraphrase_Paws facebook/mbart-large-50 facebook/mbart-large-50-many-to-many-mmt "
        "facebook/mbart-large-50-one-to-many-mmt facebook/mbart-large-cc25 facebook/mbart-large-en-ro "
        "microsoft/deberta-v3-large"
    ),
    13: "albert-xlarge-v2 princeton-nlp/unsup-simcse-roberta-large",
    14: (
        "albert-large-v2 allenai/longformer-large-4096 allenai/longformer-large-4096-finetuned-triviaqa "
        "google/bigbird-roberta-large google/electra-large-discriminator"
    ),
    15: "roberta-large-openai-detector tuner007/pegasus_paraphrase",
    16: "albert-xlarge-v1 microsoft/deberta-large princeton-nlp/sup-simcse-roberta-large",
    17: (
        "SpanBERT/spanbert-large-cased albert-large-v1 google/byt5-base microsoft/deberta-v2-xlarge-mnli "
        "roberta-large xlm-roberta-large"
    ),
    18: (
        "bert-large-uncased google/electra-large-generator khalidalt/DeBERTa-v3-large-mnli "
        "microsoft/deberta-large-mnli microsoft/deberta-xlarge princeton-nlp/sup-simcse-bert-large-uncased "
        "princeton-nlp/unsup-simcse-bert-large-uncased"
    ),
    19: (
        "google/mt5-large roberta-large-mnli "
        "zhiheng-huang/bert-large-uncased-whole-word-masking-embedding-relative-key-query"
    ),
    21: "microsoft/deberta-v2-xxlarge",
    22: "microsoft/deberta-v2-xxlarge-mnli",
    23: "t5-large",
    24: "google/mt5-xl",
    30: "google/byt5-large",
    40: "microsoft/deberta-xlarge-mnli",
}

RECOMMENDED: Mapping[str, int] = {model: layer for layer, models in _BY_LAYER.items() for model in models.split()}
"""Name on the Hugging Face hub → layer."""

# Models that had no owner on the hub when the table was made, and the owners that they have got since.
_OWNERS = ("FacebookAI", "albert", "distilbert", "google-bert", "google-t5", "openai-community", "xlnet")


def known_as(model: str) -> str:
    """Return the name under which bert-score knows a model: ``roberta-large`` of ``FacebookAI/roberta-large``."""
    owner, _, name = model.rpartition("/")
    return name if owner in _OWNERS and name in RECOMMENDED else model


def recommended(model: str) -> int | None:
    """Return bert-score's layer for a model of the hub; None where it recommends none."""
    return RECOMMENDED.get(known_as(model))
