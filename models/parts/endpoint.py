"""A language model that somebody serves: anything that speaks OpenAI's chat completions, such as a
llama.cpp, vLLM or Ollama server of one's own.

Requests that fail for a moment (429, 5xx, a dropped connection, no answer in time) are made again,
later and later each time, by OpenAI's client. What is read and written is counted as the server
says. A limit of money is kept before each request: what it could cost at the most is set aside
first. Answers that were paid for are left in a folder, so that a cell which was ended goes on.
"""

import hashlib
import json
import math
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openai

from models.parts.decoder import Row

TRIES = 5  # of a request, in all
ALTERNATIVES = 20  # tokens whose probability a server is asked for
OVERHEAD = 64  # tokens that a server may add around a prompt
UNSAID = 1e-4  # probability of an answer that the server did not mention


class SpendingLimit(ValueError):
    """The next request could cost more than is left."""


@dataclass
class Endpoint:
    """A server, and what it was asked so far."""

    url: str
    name: str  # of the model
    requests: int  # at a time
    timeout: float  # seconds
    most_characters: int  # of a row's text; of a longer one its two ends
    spend_at_most: float | None = None
    prices: tuple[float, float] = (0.0, 0.0)  # of a million tokens read, and written
    folder: str | None = None  # for answers that were paid for
    read: int = 0
    written: int = 0
    parameters: int | None = None  # nobody says
    device = "served"
    _beginning: str = ""
    _set_aside: float = 0.0  # for requests that are on their way
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._client = openai.OpenAI(
            base_url=self.url,
            api_key=os.environ.get("OPENAI_API_KEY") or "none",
            timeout=self.timeout,
            max_retries=TRIES - 1,
        )
        self._file = Path(self.folder) / "answers.jsonl" if self.folder else None
        self._earlier = {} if self._file is None else _read(self._file)

    def begin(self, text: str) -> None:
        """What all prompts begin with."""
        self._beginning = text

    def choose(self, rows: Sequence[Row], answers: Sequence[str]) -> np.ndarray:
        """(n, len(answers)) log-probabilities of answers: by how probable the server says that the
        first token of each was, and where it does not say, by what it wrote."""
        longest = max(len(answer.encode()) for answer in answers)  # no token is less than a byte
        said = self._all(rows, min(longest, 16))
        return np.array([_shares(one, answers) for one in said])

    def write(self, rows: Sequence[Row], begun: str, most: int) -> list[str]:  # noqa: ARG002
        """What it answers, from its first letter: how an answer begins is not forced upon it."""
        return [one["text"] for one in self._all(rows, most)]

    def _all(self, rows: Sequence[Row], most: int) -> list[dict[str, Any]]:
        with ThreadPoolExecutor(self.requests) as pool:
            waiting = [pool.submit(self._one, row, most) for row in rows]
            try:
                return [one.result() for one in waiting]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _one(self, row: Row, most: int) -> dict[str, Any]:
        prompt = self._beginning + row.before + self._short(row.text) + row.after.rstrip()
        key = hashlib.sha256(f"{self.url}\n{self.name}\n{most}\n{prompt}".encode()).hexdigest()
        with self._lock:
            earlier = self._earlier.pop(key, None)
        if earlier is not None:
            return earlier
        at_most = self._price(len(prompt.encode()) + OVERHEAD, most)
        with self._lock:
            spent = self.spent
            if (
                self.spend_at_most is not None
                and spent + self._set_aside + at_most > self.spend_at_most
            ):
                raise SpendingLimit(
                    f"{spent:.6g} is spent, and the next request could pass the limit "
                    f"model.spend_at_most={self.spend_at_most:g}: what was answered is kept; "
                    "rerun=failed with a higher limit goes on"
                )
            self._set_aside += at_most
        try:
            one = self._asked(prompt, most)
        finally:
            with self._lock:
                self._set_aside -= at_most
        with self._lock:
            self.read += one["read"]
            self.written += one["written"]
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as opened:
                    print(json.dumps({"key": key, **one}), file=opened)
        return one

    def _asked(self, prompt: str, most: int) -> dict[str, Any]:
        """Raises ValueError, in one sentence, where there is no answer."""
        try:
            reply = self._client.chat.completions.create(
                model=self.name,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=most,
                temperature=0,
                logprobs=True,
                top_logprobs=ALTERNATIVES,
            )
            choice = reply.choices[0]
            first = (
                choice.logprobs.content[:1] if choice.logprobs and choice.logprobs.content else ()
            )
            return {
                "text": choice.message.content or "",
                "first": {a.token: a.logprob for token in first for a in token.top_logprobs},
                "read": int(reply.usage.prompt_tokens) if reply.usage else 0,
                "written": int(reply.usage.completion_tokens) if reply.usage else 0,
            }
        except openai.APITimeoutError:
            why = f"no answer within model.timeout={self.timeout:g} s, {TRIES} times"
        except openai.APIStatusError as error:
            why = f"status {error.status_code} ({' '.join(str(error.message).split())[:120]})"
        except openai.APIConnectionError as error:
            why = f"no connection ({' '.join(str(error.__cause__ or error).split())[:120]})"
        except (openai.OpenAIError, AttributeError, IndexError, TypeError, ValueError) as error:
            why = f"what it sends is no chat completion ({' '.join(str(error).split())[:120]})"
        raise ValueError(f"model.endpoint={self.url}: {why}")

    def _short(self, text: str) -> str:
        tail = self.most_characters // 4
        if len(text) <= self.most_characters:
            return text
        return text[: self.most_characters - tail] + text[len(text) - tail :]

    @property
    def spent(self) -> float:
        """Money, so far."""
        return self._price(self.read, self.written)

    def _price(self, read: int, written: int) -> float:
        return (read * self.prices[0] + written * self.prices[1]) / 1e6


def _read(file: Path) -> dict[str, dict[str, Any]]:
    """Answers that an ended cell left; a line that was cut is left out."""
    found = {}
    for line in file.read_text("utf-8", errors="replace").splitlines() if file.exists() else ():
        try:
            one = json.loads(line)
            found[one.pop("key")] = one
        except (ValueError, KeyError, AttributeError):
            continue
    return found


def _shares(one: dict[str, Any], answers: Sequence[str]) -> list[float]:
    """Log-probabilities of answers, given that it is one of them."""
    text = one["text"].strip().casefold()
    written = [text.startswith(answer.casefold()) for answer in answers]
    odds = np.full(len(answers), UNSAID)
    for token, logprob in one["first"].items():
        start = token.strip().casefold()
        mine = np.array([bool(start) and a.casefold().startswith(start) for a in answers])
        if not mine.any():
            continue
        # Answers with the same beginning are told apart by what was written.
        share = np.where(written, 1.0, UNSAID) if (mine & written).any() else np.ones(len(answers))
        odds[mine] += math.exp(logprob) * share[mine] / share[mine].sum()
    if not one["first"]:
        odds[written] = 1.0
    found: list[float] = np.log(odds / odds.sum()).tolist()
    return found
