"""The small models that two Python packages carry: found, turned into safetensors, and asked."""

from pathlib import Path

import numpy as np
import pytest

from models.encoder import Encoder
from models.parts.decoder import Decoder, Row
from models.parts.language import find
from models.static import Static

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_a_gguf_file_is_unpacked_once_and_knows_a_capital(cache: Path) -> None:
    folder = find("HuggingFaceTB/SmolLM2-135M-Instruct", str(cache))
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert find("SmolLM2-135M-Instruct", str(cache)) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert [place.name for place in cache.iterdir()] == [folder.name], "nothing else is left"
    made = Decoder.load(folder, "cpu", "float32", 4, 128, True)
    made.begin("The capital of Italy is Rome. The capital of Spain is Madrid.")
    rows = [Row(" The capital of ", name, " is ") for name in ("France", "Germany", "Japan")]
    found = made.choose(rows, ["Paris", "Berlin", "Tokyo"])
    np.testing.assert_array_equal(found.argmax(axis=1), [0, 1, 2])
    assert made.write(rows[:1], "", 3)[0].strip().startswith("Paris")


def test_the_encoder_finds_the_same_in_other_words_nearer() -> None:
    model = Encoder()
    one, same, other = model.represent(
        [
            "I cannot log in to my account any more.",
            "Your website does not let me in, whatever I type.",
            "The parcel was left in the rain by the driver.",
        ]
    )
    assert one @ same > one @ other + 0.1
    words = Static().represent(["good good", "good", ""])
    np.testing.assert_allclose(words[2], 0)
