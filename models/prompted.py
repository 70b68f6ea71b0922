"""A language model as it is: told in words what is asked for, shown a few rows at most.

You do: write a prompt (conf/prompt/), and name the model.
It does: reads the prompt and each row, and says how probable it finds each answer.
Pays in: reading, a prompt for every row that is predicted; nothing is learned.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt

from models.parts import precision as of_precision
from models.parts.decoder import Decoder, Row, shares
from models.parts.endpoint import Endpoint
from models.parts.language import find, fingerprint
from models.parts.prompts import begun, example, read_object, template
from models.parts.training import find_device

NOTHING = ("N/A", "", "[MASK]")  # texts that say nothing: Zhao et al. 2021, arXiv 2102.09690


@dataclass
class Prompted:
    weights: str = "SmolLM2-135M-Instruct"  # of which decoder: a name, or a path
    prompt: str | None = (
        None  # a file of conf/prompt, or a path; None: the one called like the task
    )
    shots: Annotated[int, Ge(0)] = 0  # train rows that it is shown in all, in turn of each class
    # What an answer has for a text that says nothing is taken off.
    calibration: Literal["none", "contextual"] = "contextual"
    precision: Literal["float32", "bfloat16", "int8", "int4"] = "float32"  # of its weights
    reuse: bool = True  # of what all prompts begin with; else it is read with each row
    batch_size: Annotated[int, Ge(1)] = 8  # rows that are read at once
    max_tokens: Annotated[int, Ge(8)] = 384  # of a row's text; of a longer one its two ends
    max_new_tokens: Annotated[int, Ge(1)] = 64  # of an answer that it writes
    # Instead of weights here: a server that speaks OpenAI's language, `http://127.0.0.1:8080/v1`;
    # `weights` is then the name of its model. Its key, if it wants one, stands in OPENAI_API_KEY.
    endpoint: str | None = None
    requests: Annotated[int, Ge(1)] = 4  # that the server is sent at a time
    timeout: Annotated[float, Gt(0)] = 60.0  # seconds that one of them may take
    # No request is sent that could make tokens read and written cost more than this.
    spend_at_most: Annotated[float, Ge(0)] | None = None
    price_read: Annotated[float, Ge(0)] = 1.0  # of a million tokens
    price_written: Annotated[float, Ge(0)] = 4.0
    whole_test: bool = False  # asked for all test rows, however many? else for 500 of many
    view: str = "text"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    cache: str | None = None
    task: str = ""
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "prompt"
    year: ClassVar[int] = 2020  # Brown et al., arXiv 2005.14165
    answers: ClassVar[tuple[str, ...]] = ("probabilities", "answers")
    files: ClassVar[tuple[str, ...]] = ("prompt",)
    warm_up: ClassVar[dict[str, int] | None] = None  # it learns nothing, and its first call is read

    def fetch(self) -> str:
        """What tells its weights from others. Raises LookupError where it cannot be had."""
        if self.endpoint is not None:
            return self.endpoint
        of_precision.check(self.precision, find_device(self.device))
        return fingerprint(find(self.weights, self.cache))

    def fit(self, X: list[str], y: Any) -> "Prompted":
        """X: n texts; y: (n,) class names as str objects, or a list of answers. Learns nothing:
        takes its examples from these rows, and reads the beginning of the prompt."""
        asks = isinstance(y, list)
        if not asks and y.dtype.kind == "f":
            raise ValueError("prompted gives classes or answers, and y is numbers")
        self.classes_: Any = None if asks else np.unique(y)
        self.template_ = template(self.prompt, self.task, not asks)
        shown = chosen(y, self.shots, self.random_state)
        self.begun_ = begun(y) if asks else ""
        names = list(y[0]) if asks and isinstance(y[0], dict) else self.classes_
        beginning = self.template_.instruction([] if names is None else [*map(str, names)])
        for place in shown:
            beginning += example(self.template_, X[place], y[place]) + "\n\n"
        self.model_ = self.load()
        self.model_.begin(beginning)
        self.offsets_ = 0.0 if asks or self.calibration == "none" else self._of_nothing()
        self.n_parameters_ = self.model_.parameters
        self.labels_ = len(shown)
        self.notes_: dict[str, Any] = {
            "weights": self.weights,
            "prompt": self.template_.name,
            "device": self.model_.device,
        }
        return self

    @property
    def tokens_(self) -> dict[str, int]:
        """Read and written so far."""
        return {"read": self.model_.read, "written": self.model_.written}

    @property
    def spent_(self) -> float:
        """Money, at an endpoint."""
        return self.model_.spent if isinstance(self.model_, Endpoint) else 0.0

    def load(self) -> "Decoder | Endpoint":
        """The model, here or elsewhere."""
        if self.endpoint is not None:
            return Endpoint(
                self.endpoint,
                self.weights,
                self.requests,
                self.timeout,
                4 * self.max_tokens,  # characters: a token has about four
                self.spend_at_most,
                (self.price_read, self.price_written),
                self.checkpoints,
            )
        return Decoder.load(
            find(self.weights, self.cache),
            find_device(self.device),
            self.precision,
            self.batch_size,
            self.max_tokens,
            self.reuse,
        )

    def prompts(self, texts: list[str]) -> list[Row]:
        """Prompts behind their beginning."""
        return [Row(self.template_.before, text, self.template_.after) for text in texts]

    def predict_proba(self, X: list[str]) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return shares(self.model_.choose(self.prompts(X), [*self.classes_]) - self.offsets_)

    def answer(self, X: list[str]) -> list[Any]:
        """-> n answers: the object that was written, or the text where that is none."""
        written = self.model_.write(self.prompts(X), self.begun_, self.max_new_tokens)
        return [read_object(text) for text in written]

    def _of_nothing(self) -> np.ndarray:
        """(n_classes,) log-probabilities of answers for a text that says nothing."""
        found = self.model_.choose(self.prompts([*NOTHING]), [*self.classes_])
        return np.log(np.exp(found).mean(axis=0).clip(1e-12))


def chosen(y: Any, shots: int, seed: int) -> list[int]:
    """Places of the rows that are shown: of each class as many, by chance, in a mixed order."""
    random = np.random.default_rng([seed, 14])
    mixed = random.permutation(len(y))
    if isinstance(y, list):
        return mixed[:shots].tolist()
    _, codes = np.unique(y[mixed], return_inverse=True)
    rank = np.zeros(len(y), dtype=int)  # of a row among those of its class
    for code in range(codes.max() + 1):
        rank[codes == code] = np.arange((codes == code).sum())
    first = np.argsort(rank, kind="stable")[:shots]
    return random.permutation(mixed[first]).tolist()
