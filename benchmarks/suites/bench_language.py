"""How fast language models are read here: against the library's own loop, with and without reading
the beginning of all prompts once, and by precision. On real weights where they are; else, and where
nothing is timed, on tiny ones by chance."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.encoder import Encoder
from models.parts.decoder import Decoder, Row
from models.parts.language import find
from tasks.documents import Documents
from tests.pretrained import tiny

ANSWERS = ["yes", "no"]
ROWS = 24


@cache
def weights(kind: str, disabled: bool) -> str:
    if disabled:
        return tiny(kind)
    return {"encoder": "all-MiniLM-L6-v2", "decoder": "SmolLM2-135M-Instruct"}[kind]


@cache
def folder(disabled: bool) -> Path:
    import platformdirs

    return find(weights("decoder", disabled), platformdirs.user_cache_dir("model-eras"))


def decoder(benchmark: BenchmarkFixture, **settings: Any) -> Decoder:
    given = {"precision": "float32", "batch_size": 8, "max_tokens": 400, "reuse": True}
    return Decoder.load(folder(benchmark.disabled), "cpu", **{**given, **settings})


def rows(n: int, words: int) -> list[Row]:
    """About one token for each word."""
    return [Row("Text: ", " ".join(["good"] * (words + k % 3)), "\nClass: ") for k in range(n)]


def few(benchmark: BenchmarkFixture) -> int:
    benchmark.extra_info["rows"] = n = 4 if benchmark.disabled else ROWS
    return n


@pytest.mark.parametrize("how", ["plain", "ours"])
def test_scoring(benchmark: BenchmarkFixture, how: str) -> None:
    """Prompts of 120 tokens, nothing in common: the library's model on padded batches, and ours."""
    benchmark.group = "scoring"
    made = decoder(benchmark)
    asked = rows(few(benchmark), 112)
    if how == "ours":
        benchmark.pedantic(made.choose, args=(asked, ANSWERS), rounds=3, warmup_rounds=1)
        return
    plain = AutoModelForCausalLM.from_pretrained(folder(benchmark.disabled))
    tokenizer = AutoTokenizer.from_pretrained(folder(benchmark.disabled), padding_side="left")
    texts = [f"{row.before}{row.text}{row.after.rstrip()}" for row in asked]
    wanted = [tokenizer(f" {answer}").input_ids[0] for answer in ANSWERS]

    @torch.inference_mode()
    def loop() -> list[Any]:
        found = []
        for at in range(0, len(texts), 8):
            batch = tokenizer(texts[at : at + 8], return_tensors="pt", padding=True)
            batch.pop("token_type_ids", None)
            found.append(plain(**batch, logits_to_keep=1).logits[:, -1, wanted].log_softmax(-1))
        return found

    benchmark.pedantic(loop, rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("reuse", [True, False])
def test_a_beginning_of_320_tokens_and_rows_of_80(benchmark: BenchmarkFixture, reuse: bool) -> None:
    benchmark.group = "beginning"
    made = decoder(benchmark, reuse=reuse)
    asked = rows(few(benchmark), 72)

    def read() -> None:
        made.begin("good " * 320)
        made.choose(asked, ANSWERS)

    benchmark.pedantic(read, rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8", "int4"])
def test_bits(benchmark: BenchmarkFixture, precision: str) -> None:
    benchmark.group = "bits"
    made = decoder(benchmark, precision=precision)
    asked = rows(few(benchmark), 112)
    benchmark.pedantic(made.choose, args=(asked, ANSWERS), rounds=3, warmup_rounds=1)


def test_writing(benchmark: BenchmarkFixture) -> None:
    """32 tokens behind prompts of 120."""
    benchmark.group = "writing"
    made = decoder(benchmark)
    asked = rows(few(benchmark), 112)
    benchmark.pedantic(made.write, args=(asked, "", 32), rounds=3, warmup_rounds=1)


def test_encoding(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "encoding"
    model = Encoder(weights=weights("encoder", benchmark.disabled))
    task = Documents(rows=80 if benchmark.disabled else 1_000)
    texts = task.load(0).raw.train
    benchmark.extra_info["rows"] = len(texts)
    benchmark.pedantic(model.represent, args=(texts,), rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("rows", [2_000])
def test_messages_are_written(benchmark: BenchmarkFixture, rows: int) -> None:
    benchmark.group = "messages"
    task = Documents(rows=80 if benchmark.disabled else rows)
    benchmark.extra_info["rows"] = task.rows
    benchmark.pedantic(task.load, args=(0,), rounds=3)
