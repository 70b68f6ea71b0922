"""Cells of pretrained models: what is kept of texts, what is charged, and what is missing."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.cell import extras
from tests.pretrained import tiny

SMALL = ("task=documents", "task.rows=120", "cache.folder=")


@pytest.fixture
def small(eras, tmp_path):
    """Run models on few messages, with a cache of their own."""

    def run(*arguments: str):
        return eras(*SMALL[:2], f"{SMALL[2]}{tmp_path / 'cache'}", *arguments)

    return run


ENCODER = ("model=encoder", f"model.weights={tiny('encoder')}")


@pytest.mark.slow
def test_what_was_made_of_texts_is_kept_and_charged(small, records, tmp_path: Path) -> None:
    assert small(*ENCODER, "seed=0").returncode == 0
    (first,) = records()
    assert first["prepared"]["represented"] == "0 of 120 texts found"
    assert small(*ENCODER, "model.C=1", "seed=0", "run=b").returncode == 0
    (second,) = records("b")
    assert second["prepared"]["represented"] == "120 of 120 texts found"
    assert second["phases"]["represent"]["wall"] < first["phases"]["represent"]["wall"]
    for record in (first, second):  # nobody has it for nothing
        assert record["work"]["tokens"] == first["work"]["tokens"] > 1_000
        assert record["work"]["tokens_read_each"] == pytest.approx(
            first["work"]["tokens_read_each"]
        )
    assert second["phases"]["fit"]["wall"] > 0.5 * first["phases"]["represent"]["wall"] * 84 / 120
    # The rows are the same, to the bit, whoever made them.
    assert small(*ENCODER, "seed=0", "run=c", "cache.gigabytes=0").returncode == 0
    (third,) = records("c")
    assert third["scores"] == first["scores"]


@pytest.mark.slow
def test_a_damaged_file_is_made_again(small, records, tmp_path: Path) -> None:
    assert small(*ENCODER, "seed=0").returncode == 0
    (before,) = records()
    (file,) = (tmp_path / "cache" / "texts").glob("*/*.npz")
    file.write_bytes(file.read_bytes()[:2_000])
    assert small(*ENCODER, "seed=0", "run=b").returncode == 0
    (after,) = records("b")
    assert after["prepared"]["represented"] == "0 of 120 texts found"
    assert after["scores"] == before["scores"]


@pytest.mark.slow
def test_other_weights_are_other_vectors(small, records, tmp_path: Path) -> None:
    assert small(*ENCODER, "seed=0").returncode == 0
    assert small(*ENCODER, "model.max_tokens=16", "seed=0", "run=b").returncode == 0
    (other,) = records("b")
    assert other["prepared"]["represented"] == "0 of 120 texts found"


@pytest.mark.slow
def test_without_weights_a_cell_is_skipped_and_says_what_to_type(
    small, records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = small("model=encoder,static,prompted", "model.weights=nobody/nothing", "seed=0")
    assert done.returncode == 0, done.stdout
    for record in records():
        assert record["status"] == "skipped"
        assert "hf download nobody/nothing" in record["reason"]
    assert "hf download" in " ".join(done.stdout.split())


def test_without_a_package_a_cell_is_skipped_and_says_what_to_type() -> None:
    error = ModuleNotFoundError("No module named 'transformers'", name="transformers.models")
    assert extras.advice(error) == "transformers is not installed: pip install -e '.[llm]'"
    assert extras.advice(ModuleNotFoundError("x", name="unheard_of")) is None
    assert extras.advice(ImportError("x")) is None


@pytest.mark.slow
def test_the_prompt_counts_as_the_code_does(small, records, tmp_path: Path) -> None:
    prompt = tmp_path / "mine.txt"
    prompt.write_text("Of {labels}.\n---\nText: {text}\nTo: {answer}\n")
    command = ("model=prompted", f"model.weights={tiny('decoder')}", f"model.prompt={prompt}")
    assert small(*command, "seed=0", "checks.rows=0").returncode == 0
    (first,) = records()
    assert first["work"]["labels"] == 0
    again = small(*command, "seed=0", "checks.rows=0")
    assert "0 cells to run, 1 found" in again.stdout
    prompt.write_text("Which of {labels}?\n---\nText: {text}\nTo: {answer}\n")
    other = small(*command, "seed=0", "checks.rows=0")
    assert "1 cells to run" in other.stdout
    (second,) = records()
    assert second["code"]["prompt"] != first["code"]["prompt"]


@pytest.mark.slow
def test_prompts_that_are_tried_are_trials(small, records) -> None:
    command = ("model=prompted", f"model.weights={tiny('decoder')}", "seed=0", "checks.rows=0")
    done = small(*command, "tune=trials", "tune.trials=3")
    assert done.returncode == 0, done.stdout
    tuned = next(r for r in records() if r["tuning"])
    assert len(tuned["tuning"]["trials"]) == 3
    assert tuned["work"]["fits"] == 4


@pytest.mark.slow
def test_a_language_model_answers_receipts(eras, records, tmp_path: Path) -> None:
    done = eras(
        "task=receipts",
        "task.rows=60",
        "model=finetuned",
        f"model.weights={tiny('decoder')}",
        "model.max_new_tokens=8",
        "model.rows=16",
        "seed=0",
        "checks.rows=0",
    )
    assert done.returncode == 0, done.stdout
    (record,) = records()
    assert record["status"] == "done"
    assert np.isfinite(record["scores"]["answer_shifted"])
    assert record["work"]["labels"] == 16
    assert record["work"]["tokens_written"] > 0
    assert record["history"]
