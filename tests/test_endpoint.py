"""A served language model: a small server that speaks OpenAI's chat completions, and misbehaves."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.parts import endpoint
from models.parts.decoder import Row
from models.parts.endpoint import Endpoint, SpendingLimit
from models.prompted import Prompted

X = ["good day", "bad day", "good", "bad and worse"]
Y = np.array(["yes", "no", "yes", "no"], dtype=object)


class Server(ThreadingHTTPServer):
    """Says `yes` to what is good. `fails`: what the next requests get instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.fails: list[str] = []
        self.always: str | None = None
        self.logprobs = True
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        server = self.server
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with server.lock:
            server.seen.append(request)
            server.keys.append(self.headers.get("authorization"))
            way = server.always or (server.fails.pop(0) if server.fails else "well")
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            self.answer(way, request)
        finally:
            with server.lock:
                server.at_once -= 1

    def answer(self, way: str, request: dict[str, Any]) -> None:
        if way == "hang":
            time.sleep(3)
            return
        if way == "drop":
            self.connection.close()
            return
        if way in ("429", "500"):
            self.reply(int(way), {"error": {"message": "not now"}}, {"retry-after": "0.01"})
            return
        if way == "garbage":
            self.reply(200, "<html>no</html>")
            return
        if way == "empty":
            self.reply(200, {"choices": []})
            return
        time.sleep(0.02)
        prompt = request["messages"][0]["content"]
        is_good = "good" in prompt.rpartition("Text:")[2]
        text = "yes" if is_good else "no"
        top = [{"token": "yes" if is_good else "no", "logprob": np.log(0.7)}]
        top += [{"token": "no" if is_good else "yes", "logprob": np.log(0.2)}]
        top += [{"token": "maybe", "logprob": np.log(0.1)}]
        said = {"content": [{"token": text, "logprob": np.log(0.7), "top_logprobs": top}]}
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text},
            "logprobs": said if self.server.logprobs else None,
        }
        usage = {"prompt_tokens": 40, "completion_tokens": 1, "total_tokens": 41}
        self.reply(
            200,
            {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [choice],
                "usage": usage,
            },
        )

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def model(server: Server, **settings: Any) -> Prompted:
    return Prompted(**{"endpoint": server.url, "weights": "m", "calibration": "none", **settings})


def test_probabilities_are_those_that_the_server_says(server: Server) -> None:
    found = model(server).fit(X, Y)
    shares = found.predict_proba(X)
    assert list(found.classes_) == ["no", "yes"]
    np.testing.assert_allclose(shares[0], [2 / 9, 7 / 9], atol=1e-3)
    assert (found.classes_[shares.argmax(axis=1)] == Y).all()
    assert found.tokens_ == {"read": 160, "written": 4}
    assert found.labels_ == 0
    assert {request["model"] for request in server.seen} == {"m"}
    assert all(request["temperature"] == 0 for request in server.seen)


def test_where_it_says_none_what_it_wrote_counts(server: Server) -> None:
    server.logprobs = False
    found = model(server).fit(X, Y)
    shares = found.predict_proba(X)
    assert (found.classes_[shares.argmax(axis=1)] == Y).all()
    assert shares.max() > 0.99


def test_answers_are_what_it_wrote(server: Server) -> None:
    asked = model(server).fit(X, [{"total": "1"}] * 4)
    assert asked.answer(X[:2]) == ["yes", "no"], "no object, and kept as it is"


def test_as_many_requests_as_told_are_sent_at_once(server: Server) -> None:
    model(server, requests=3).fit(X, Y).predict_proba(X * 6)
    assert 2 <= server.most_at_once <= 3


@pytest.mark.parametrize("way", ["429", "500", "drop"])
def test_what_fails_for_a_moment_is_asked_again(server: Server, way: str) -> None:
    server.fails = [way, way]
    found = model(server, requests=1).fit(X, Y)
    assert (found.classes_[found.predict_proba(X).argmax(axis=1)] == Y).all()
    assert len(server.seen) == 6
    assert found.tokens_["read"] == 160, "only answers are counted"


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("429", r"status 429 \(.*not now"),
        ("500", "status 500"),
        ("hang", r"no answer within model\.timeout=0\.2 s, 2 times"),
        ("drop", "no connection"),
        ("garbage", "no chat completion"),
        ("empty", "no chat completion"),
    ],
)
def test_what_goes_on_failing_is_one_sentence(
    server: Server, monkeypatch: pytest.MonkeyPatch, way: str, said: str
) -> None:
    monkeypatch.setattr(endpoint, "TRIES", 2)
    server.always = way
    with pytest.raises(ValueError, match=rf"^model\.endpoint=http://127\.0\.0\.1[^\n]*{said}"):
        model(server, timeout=0.2).fit(X, Y).predict_proba(X)


def test_nobody_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "TRIES", 1)
    with pytest.raises(ValueError, match="no connection"):
        Prompted(endpoint="http://127.0.0.1:1/v1").fit(X, Y).predict_proba(X)


def test_a_limit_is_not_passed_in_the_middle_of_a_batch(server: Server, tmp_path: Path) -> None:
    prices = {"price_read": 1_000.0, "price_written": 1_000.0}  # a thousandth a token
    limited = model(server, spend_at_most=1.0, requests=4, checkpoints=str(tmp_path), **prices).fit(
        X, Y
    )
    with pytest.raises(SpendingLimit, match=r"model\.spend_at_most=1: .*rerun=failed"):
        limited.predict_proba([f"{text} {k}" for k in range(20) for text in X])
    spent = sum(limited.tokens_.values()) / 1_000
    assert 0.2 < spent <= 1.0
    answered = len(server.seen)
    # What was paid for is not paid for again.
    more = model(server, spend_at_most=10.0, checkpoints=str(tmp_path), **prices).fit(X, Y)
    more.predict_proba([f"{text} {k}" for k in range(20) for text in X])
    assert len(server.seen) == 80
    assert answered + more.tokens_["written"] == 80


def test_a_limit_of_nothing_sends_nothing(server: Server) -> None:
    with pytest.raises(SpendingLimit):
        model(server, spend_at_most=0.0).fit(X, Y).predict_proba(X)
    assert server.seen == []


def test_the_key_comes_from_the_environment_and_is_kept_nowhere(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    found = model(server, checkpoints=str(tmp_path)).fit(X, Y)
    found.predict_proba(X)
    assert set(server.keys) == {"Bearer sk-very-secret"}
    kept = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
    assert "very-secret" not in kept + repr(found) + repr(found.notes_)


def test_a_long_text_is_cut_by_the_same_rule(server: Server) -> None:
    made = Endpoint(server.url, "m", 1, 5.0, most_characters=100)
    made.begin("")
    made.choose([Row("Text: ", "a" * 500 + "good", "\nClass: ")], ["yes", "no"])
    sent = server.seen[0]["messages"][0]["content"]
    assert sent == "Text: " + "a" * 75 + "a" * 21 + "good" + "\nClass:"
