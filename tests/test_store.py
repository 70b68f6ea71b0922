"""Runs on object storage: a real S3 server here, two drivers, kills, a network that goes.

Run by `nox -s clusters`, which installs the server.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.errors import BadInput
from benchmarks.records import places
from benchmarks.records.records import Cell, Run
from tests.conftest import ROOT, wait_for

pytestmark = pytest.mark.cluster
BUCKET = "bucket"
SERVER = """
import sys, threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", port=int(sys.argv[1]), verbose=False)
server.start()
import boto3
boto3.client("s3", endpoint_url=f"http://127.0.0.1:{sys.argv[1]}").create_bucket(Bucket="bucket")
print("up", flush=True)
threading.Event().wait()
"""
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}


class Line:
    """A line to a server that can be cut and mended."""

    def __init__(self, to: int) -> None:
        self._to, self._open = to, True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, is_cut: bool = True) -> None:
        self._open = not is_cut

    def _accept(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                near, _ = self._listener.accept()
                if not self._open:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    def _pass(self, a: socket.socket, b: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self._open and (data := a.recv(65536)):
                if not self._open:
                    break
                b.sendall(data)
        for one in (a, b):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("obstore")
    pytest.importorskip("moto.server")
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port = opened.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **KEYS},
    )  # fmt: skip
    assert process.stdout.readline() == "up\n"
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def line(server):
    return Line(server)


@pytest.fixture
def store(line, tmp_path, monkeypatch):
    """The address of an empty folder of runs; its mirror lies in tmp_path."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{line.port}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MODEL_ERAS_STORE_RETRIES", "1")
    monkeypatch.setenv("MODEL_ERAS_LEASE_SECONDS", "4")
    return f"s3://{BUCKET}/{tmp_path.name}"


def driver(command, store: str, cache: Path, *arguments: str) -> subprocess.Popen:
    """A command on a machine of its own, as far as its files go."""
    return subprocess.Popen(
        command(*arguments, f"results={store}"),
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(out: str) -> set[str]:
    """Seeds of cells that a driver says it has finished."""
    return set(re.findall(r"^✓ coin .* seed (\d+) ", out, re.M))


def mirrored(store: str) -> Path:
    return places.place_of(store)


def test_two_drivers_share_a_run_and_one_is_killed(command, store, tmp_path):
    seeds = "seed=" + ",".join(map(str, range(16)))
    usual = ("model.mode=slow", seeds, "limits.seconds=30")
    first, second = (driver(command, store, tmp_path / name, *usual) for name in "ab")
    there = places.store_of(mirrored(store))
    wait_for(lambda: len([k for k, _ in there.listed("a/cells") if k.endswith(".json")]) >= 4, 90)
    first.kill()
    done_by_first = finished(first.communicate()[0])
    out, err = second.communicate(timeout=180)
    assert second.returncode == 0, err
    done_by_second = finished(out)
    assert not done_by_first & done_by_second, "no cell runs twice"
    assert done_by_second, "both have worked"
    # What the first had finished and not told before its end may be among these.
    assert len(done_by_first | done_by_second) >= 15
    records = [k for k, _ in there.listed("a/cells") if k.endswith(".json")]
    assert len(records) == 16
    assert not list(there.listed("a/claims"))
    assert "16 found" in driver(command, store, tmp_path / "c", *usual).communicate()[0]


def test_what_lies_there_is_whole_and_every_command_reads_it(command, store, tmp_path, capsys):
    from benchmarks import compare, report, runs, status, verdicts

    done = driver(command, store, tmp_path / "cache", "model.factor=1,2", "seed=0,1")
    _, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    keys = [key for key, _ in places.store_of(mirrored(store)).listed("a")]
    assert {"a/table.md", "a/verdicts.md"} <= set(keys)
    assert sum(key.startswith("a/files/") for key in keys) >= 4
    # Another machine, that has nothing.
    os.environ["XDG_CACHE_HOME"] = str(tmp_path / "other")
    capsys.readouterr()
    assert runs.main(["--results", store]) == 0
    assert re.search(r"a +4", capsys.readouterr().out)
    assert verdicts.main(["a", "--results", store]) == 0
    assert report.main(["a", "--results", store, "--page-only"]) == 0
    assert compare.main(["a", "a", "--results", store]) in (0, 2)
    assert status.main(["a", "--results", store]) == 2, "of the machine that works on it alone"
    run = places.open_run(mirrored(store), "a")
    found, unreadable = run.scan()
    assert unreadable == []
    assert all(run.outcomes(record) for record in found)
    assert status.main(["b", "--results", store]) == 2
    assert "There is no run b; there are: a." in capsys.readouterr().err


@pytest.fixture
def waiting(command, store, tmp_path):
    """A driver whose first cell waits in fit for `go`."""
    (tmp_path / "go").mkdir()
    usual = (
        *("hydra.searchpath=[file://tests/conf]", "model=waits"),
        *(f"model.folder={tmp_path / 'go'}", "seed=0,1,2,3", "limits.seconds=60"),
    )

    def start() -> subprocess.Popen:
        return driver(command, store, tmp_path / "cache", *usual)

    return start


def in_store(there) -> list[str]:
    return [key for key, _ in there.listed("a/cells") if key.endswith(".json")]


def cut_off(waiting, store, line, tmp_path) -> subprocess.Popen:
    """A driver whose cell has ended while the network was down."""
    working = waiting()
    wait_for(lambda: list((tmp_path / "go").glob("*.pid")), 90)
    line.cut()
    (tmp_path / "go" / "go").touch()
    wait_for(lambda: list((mirrored(store) / "a" / "cells").glob("*.json")), 60)
    return working


def test_a_network_that_goes_loses_nothing(waiting, store, line, tmp_path):
    working = cut_off(waiting, store, line, tmp_path)
    there = places.store_of(mirrored(store))
    time.sleep(3)  # nothing goes on, and nothing ends
    assert working.poll() is None
    line.cut(False)
    _, err = working.communicate(timeout=120)
    assert working.returncode == 0, err
    assert "does not answer" in err
    assert "records wait in" in err
    assert len(in_store(there)) == 4
    assert places.store_of(mirrored(store)).waiting(Run(mirrored(store) / "a")) == []


def test_records_that_wait_are_put_there_by_the_next_command(waiting, store, line, tmp_path):
    working = cut_off(waiting, store, line, tmp_path)
    there = places.store_of(mirrored(store))
    working.kill()
    working.wait()
    line.cut(False)
    assert in_store(there) == []
    out, err = (again := waiting()).communicate(timeout=120)
    assert again.returncode == 0, err
    assert "3 cells to run, 1 found" in out
    assert len(in_store(there)) == 4


class Forgetful(BaseHTTPRequestHandler):
    """A store that ignores conditions."""

    kept: dict = {}  # noqa: RUF012
    protocol_version = "HTTP/1.1"

    def _answer(self, code: int, body: bytes = b"") -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Thu, 26 Nov 2026 10:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def do_DELETE(self) -> None:
        self.kept.pop(self.path, None)
        self._answer(204)

    def do_GET(self) -> None:
        self._answer(*((200, self.kept[self.path]) if self.path in self.kept else (404,)))

    do_HEAD = do_GET  # noqa: N815 - as the library wants it

    def log_message(self, *_: object) -> None:
        pass


def test_a_store_that_ignores_conditions_is_refused(store, main, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    code, error = main(f"results={store}")
    server.shutdown()
    assert code == 2
    assert "ignores if-none-match: it creates a key twice" in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("address", ["s3://", "foo://bucket/x", "s3://bucket-that-is-not/x"])
def test_no_such_store(store, main, address):
    code, error = main(f"results={address}")
    assert code == 2
    assert address.rstrip("/") in error
    assert len(error.splitlines()) == 1


def test_a_store_that_does_not_answer(store, line, main):
    line.cut()
    code, error = main(f"results={store}")
    assert code == 2
    assert "cannot be used" in error
    assert len(error.splitlines()) == 1


def test_nothing_that_lies_there_is_written_elsewhere(store, record, tmp_path):
    there = places.store_of(mirrored(store))
    made = record()
    facts = {"bytes": 4, "blake2b": "0" * 32}
    made["files"] = {".artifacts/../../../../escaped": facts}
    there.put("a/cells/coin-svm-0-0.json", json.dumps(made).encode())
    there.put(f"a/files/{'0' * 32}", b"evil")
    run = Run(mirrored(store) / "a")
    there.pull(run)
    assert not list(tmp_path.rglob("escaped"))
    there.put("a/cells/broken.json", b"{")
    there.pull(run)
    assert any("broken.json" in said for said in run.scan()[1])


def test_eight_threads_race_for_forty_cells(store):
    from benchmarks.runner.claims import Claims

    there = places.store_of(mirrored(store))
    run = Run(mirrored(store) / "a")
    run.create()
    cells = [Cell("coin", f"m{k}", 0, {}, {}, {}) for k in range(40)]
    won: list[str] = []

    def race() -> None:
        claims = Claims(there, run, cells)
        won.extend(cell.name for cell in claims.now())

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(cell.name for cell in cells)


def test_a_claim_of_a_driver_that_is_gone_is_taken_over(store, monkeypatch):
    from benchmarks.runner import claims

    monkeypatch.setattr(claims, "LEASE_SECONDS", 0.5)
    there = places.store_of(mirrored(store))
    run = Run(mirrored(store) / "a")
    run.create()
    cell = Cell("coin", "m", 0, {}, {}, {})
    elsewhere = {"host": "another", "pid": 1, "since": 0.0, "beat": 1}
    there.create(f"a/claims/{cell.name}", json.dumps(elsewhere).encode())
    ours = claims.Claims(there, run, [cell])
    assert ours.now() == []
    there.put(f"a/claims/{cell.name}", json.dumps({**elsewhere, "beat": 2}).encode())
    time.sleep(0.6)
    assert ours.now() == [], "it has changed meanwhile: somebody is there"
    time.sleep(0.6)
    assert ours.now() == [cell]
    # One of this machine, whose process has ended, at once.
    gone = {"host": claims.platform.node(), "pid": 2**22 + 1, "since": 0.0, "beat": 1}
    other = Cell("coin", "n", 0, {}, {}, {})
    there.create(f"a/claims/{other.name}", json.dumps(gone).encode())
    assert claims.Claims(there, run, [other]).now() == [other]


def test_the_record_of_whoever_was_first_stands(store, tmp_path, record):
    there = places.store_of(mirrored(store))
    ours, theirs = Run(tmp_path / "one" / "a"), Run(tmp_path / "two" / "a")
    for run, auc in ((ours, 0.7), (theirs, 0.8)):
        run.create()
        (run.cells / "coin-svm-0-0.json").write_text(json.dumps(record(auc=auc)))
    assert there.push(theirs, "coin-svm-0-0")
    assert not there.push(ours, "coin-svm-0-0")
    text = (ours.cells / "coin-svm-0-0.json").read_text()
    assert json.loads(text)["scores"]["roc_auc"] == 0.8
    # Made again on purpose: in the place of the one that was known.
    (ours.cells / "coin-svm-0-0.json").write_text(json.dumps(record(auc=0.6)))
    assert there.waiting(ours) == ["coin-svm-0-0"]
    assert there.push(ours, "coin-svm-0-0")
    assert json.loads(there.get("a/cells/coin-svm-0-0.json")[0])["scores"]["roc_auc"] == 0.6


def test_it_needs_its_extra(monkeypatch, main):
    monkeypatch.setitem(sys.modules, "obstore", None)
    code, error = main("results=s3://bucket/x")
    assert code == 2
    assert "pip install 'model-eras[store]'" in error


def test_an_address_that_is_none():
    with pytest.raises(BadInput, match="is no place on object storage"):
        places.store_of(places.place_of("s3://"))
