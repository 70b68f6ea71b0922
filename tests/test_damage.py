"""Whatever lies in the place of a record or of predictions, it is named, and the rest is shown."""

import copy
import io
import json
import os
import shutil
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from benchmarks import compare, report, verdicts
from benchmarks.analysis.cost import PRICES, read_prices
from benchmarks.analysis.summary import sections
from benchmarks.analysis.verdicts import judge
from benchmarks.export import metrics_of, params_of, tags_of, trials_of
from benchmarks.records import frame
from benchmarks.records.records import Run
from benchmarks.run import line_of
from benchmarks.runner.wanted import is_wanted
from benchmarks.show import latex, markdown, pages
from benchmarks.show.answer import subject
from benchmarks.show.build import report_chapters
from benchmarks.show.terminal import Terminal

TWO = ("model=steep,baseline", "seed=0,1", "tune=trials", "tune.trials=2")
DROPPED = object()
OTHERS = (None, "x", -1, 10**400, [], {}, DROPPED)


@pytest.fixture
def done(eras, tmp_path) -> Run:
    """A run with a plain, a tuned and a constant model of two seeds."""
    assert eras(*TWO).returncode == 0
    return Run(tmp_path / "a")


def told(run: Run, command, *arguments: str) -> tuple[int, str]:
    """Exit code and all that is printed by a command on a run."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = command.main([*arguments, "--results", str(run.folder.parent)])
    return code, out.getvalue()


def places(value: object, depth: int, before: tuple = ()):
    """Where the values of a record are that lie behind so many names."""
    if len(before) == depth:
        yield before
    elif isinstance(value, dict):
        for name in value:
            yield from places(value[name], depth, (*before, name))


def changed(record: dict, place: tuple, value: object) -> dict:
    made = inner = copy.deepcopy(record)
    for name in place[:-1]:
        inner = inner[name]
    if value is DROPPED:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return made


@pytest.mark.parametrize(
    ("depth", "others"),
    [
        (1, (None, DROPPED)),
        pytest.param(1, OTHERS, marks=pytest.mark.slow),
        pytest.param(2, (None, "x", -1, DROPPED), marks=pytest.mark.slow),
    ],
)
def test_a_record_with_any_field_changed_stops_no_command(done, tmp_path, depth, others):
    """What all commands make of records is made here without their processes."""
    shutil.copytree(done.folder, tmp_path / "b")
    paths = sorted(done.cells.glob("*.json"))
    path = next(p for p in paths if json.loads(p.read_text())["tuning"])
    record = json.loads(path.read_text())
    whole, unreadable = done.scan()
    assert (len(whole), unreadable) == (6, [])
    named, failures = 0, []
    for place in places(record, depth):
        for value in others:
            path.write_text(json.dumps(changed(record, place, value)))
            present, unreadable = done.scan()
            assert len(present) + len(unreadable) == 6, (place, value)
            if unreadable:
                (sentence,) = unreadable
                assert sentence.startswith(str(path)), sentence
                assert sentence.endswith("; it is left out")
                assert len(sentence) < 400
                named += 1
                continue
            try:
                shown_everywhere(done, present)
            except Exception as error:
                failures.append(f"{'.'.join(place)} = {str(value)[:9]}: {error!r}")
    assert failures == []
    assert named > 60
    path.write_text(json.dumps(changed(record, ("scores",), {"roc_auc": "x"})))
    for command, arguments in (
        (report, ["a", "--page-only"]),
        (verdicts, ["a"]),
        (compare, ["a", "b"]),
        (compare, ["b", "a", "--fail-if-worse", "0"]),
    ):
        code, out = told(done, command, *arguments)
        assert code in (0, 1)
        assert "Traceback" not in out
        assert f"{path.name} is damaged (scores.roc_auc: input should be a valid number)" in out


def shown_everywhere(run: Run, present: list) -> None:
    judged = [judge(section, run.outcomes) for section in sections(present)]
    pages.write(run.folder, judged)
    frame.write(run, present)
    Terminal(file=io.StringIO(), width=80).print(pages.render(judged, 80))
    chapters = report_chapters(judged, run.outcomes, [], read_prices(PRICES), [])
    assert markdown.document(subject(judged), chapters)
    latex.tabulars(chapters)
    assert told(run, compare, "a", "b", "--fail-if-worse", "0.1")[0] in (0, 1, 2)
    for record in present:
        line_of(record)
        row = frame.flat(record)
        assert metrics_of(row)
        assert tags_of(row, "a")
        assert params_of(record)
        list(trials_of(record))
        is_wanted(record, {"seconds": 9}, record["timing"], False, "disturbed")


def bomb(file: Path) -> None:
    """A few kilobytes that say they hold, and would be unpacked to, many gigabytes."""
    header = io.BytesIO()
    about = {"descr": "<f4", "fortran_order": False, "shape": (2**31, 2)}
    np.lib.format.write_array_header_1_0(header, about)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("predictions.npy", header.getvalue() + bytes(10**6))


def nan(file: Path) -> None:
    arrays = dict(np.load(file))
    np.savez(file, **arrays | {"predictions": np.full_like(arrays["predictions"], np.nan)})


def shape(file: Path) -> None:
    arrays = dict(np.load(file))
    np.savez(file, **arrays | {"predictions": arrays["predictions"][:3]})


def kind(file: Path) -> None:
    arrays = dict(np.load(file))
    np.savez(file, **arrays | {"labels": np.array(["a"] * len(arrays["labels"]))})


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def gone(file: Path) -> None:
    file.unlink()


def half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:200])


def huge(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(2**30)  # takes no room on the disk


WAYS = (bomb, nan, shape, kind, pipe, folder, link, device, gone, half, huge)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("old", [False, True], ids=["with checksum", "without"])
def test_predictions_that_are_not_those_recorded_are_named_and_made_again(done, eras, way, old):
    path = next(p for p in sorted(done.cells.glob("*-1-*.json")) if "steep" in p.name)
    if old:
        record = json.loads(path.read_text())
        del record["files"]
        path.write_text(json.dumps(record | {"schema": 4}))
    way(path.with_suffix(".npz"))
    present, unreadable = done.scan()
    if old and way is gone:  # as in a run that was passed on without predictions
        assert (len(present), unreadable) == (6, [])
        return
    assert len(unreadable) == 1
    assert path.name in unreadable[0]
    assert len(present) == (6 if old else 5), "a row without its predictions is not judged"
    for command, arguments in ((report, ["a", "--page-only"]), (verdicts, ["a"])):
        code, out = told(done, command, *arguments)
        assert code == 0
        assert path.name in out
    again = eras(*TWO)
    if way is folder:  # it is in the way of the new ones
        assert again.returncode == 1
        assert "cannot be written" in again.stdout
        return
    assert again.returncode == 0
    assert "1 cells to run, 5 found" in again.stdout
    assert "itscellrunsagain" in "".join(again.stdout.split())
    assert len(done.scan()[0]) == 6
    assert done.scan()[1] == []


@pytest.mark.parametrize("way", [pipe, folder, link, device, half, huge])
def test_what_lies_in_the_place_of_a_record_is_named(done, way):
    path = sorted(done.cells.glob("*.json"))[0]
    way(path)
    present, unreadable = done.scan()
    assert len(present) == 5
    assert [sentence.split(" ")[0] for sentence in unreadable] == [str(path)]
    assert told(done, verdicts, "a")[0] == 0


def test_files_that_a_model_left_belong_to_its_record(tmp_path, done, eras):
    path = sorted(done.cells.glob("*.json"))[0]
    record = json.loads(path.read_text())
    kept = path.with_suffix(".artifacts")
    kept.mkdir()
    (kept / "weights").write_bytes(b"1234")
    from benchmarks.records.files import facts

    record["files"][".artifacts/weights"] = facts(kept / "weights")
    path.write_text(json.dumps(record))
    assert done.scan()[1] == []
    (kept / "weights").write_bytes(b"1235")
    assert "does not belong to" in done.scan()[1][0]
    (kept / "weights").unlink()
    assert "artifacts/weights is gone" in done.scan()[1][0]
