"""Tiny language models with weights by chance: folders as they are published."""

import tempfile
from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

TEXTS = [
    "come and see what is new today, it is good and not bad at all",
    "Total 12.50 Date 2024-03-17 Number RE-20391 Class much none some yes no 0123456789",
    'Document Text JSON {"total": "1.00", "date": "2024-01-02", "number": "A-1"}\n',
]


@cache
def tiny(kind: str) -> str:
    """The folder of an `encoder` or a `decoder`; the same weights in every process."""
    folder = Path(tempfile.mkdtemp(prefix="model-eras-tests-")) / kind
    state = torch.get_rng_state()
    torch.manual_seed(0)
    tokenizer = tokens()
    if kind == "encoder":
        shape = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
        BertModel(shape).save_pretrained(folder)
    else:
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=64,
            max_position_embeddings=512,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
            initializer_range=0.2,
            tie_word_embeddings=True,
        )
        LlamaForCausalLM(config).save_pretrained(folder)
    torch.set_rng_state(state)
    tokenizer.save_pretrained(folder)
    return str(folder)


def tokens() -> PreTrainedTokenizerFast:
    """Pairs of bytes, learned from a few lines: any text has tokens."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(TEXTS, trainer)
    made.post_processor = processors.ByteLevel(trim_offsets=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="<end>",
        clean_up_tokenization_spaces=False,
    )
