"""What is seen while cells run."""

import io

from rich.console import Console, Group
from rich.progress import BarColumn, TextColumn

from benchmarks.runner.progress import Bar, last_line


def test_the_last_whole_line_is_read_however_long_the_file_is(tmp_path):
    log = tmp_path / "cell.log"
    assert last_line(None) == ""
    assert last_line(log) == ""
    log.write_text("")
    assert last_line(log) == ""
    log.write_text("half a li")
    assert last_line(log) == ""
    log.write_text("first\n" * 10_000 + "epoch 2 of 3: loss 0.5\nepoch 2 of 3: lo")
    assert last_line(log) == "epoch 2 of 3: loss 0.5"
    log.write_bytes(b"\xff\x1b[31mred\x07\n")
    assert "\x1b" not in last_line(log)
    assert "red" in last_line(log)


def test_the_line_is_shown_below_the_bar_and_cut_at_the_width():
    console = Console(file=io.StringIO(), width=60, force_terminal=True)
    said = "epoch 3 of 12, step 40 of 225: loss 0.4812, 0.4790 held out; at most 42 s left"
    bar = Bar(lambda: said, TextColumn("{task.description}"), BarColumn(), console=console)
    bar.add_task("notifications network seed 10", total=3)
    console.print(Group(*bar.get_renderables()))
    first, second, *rest = console.file.getvalue().splitlines()
    assert "network" in first
    assert "epoch 3 of 12" in second
    assert "…" in second
    assert rest == []
    quiet = Bar(lambda: "", TextColumn("{task.description}"), console=console)
    assert len(list(quiet.get_renderables())) == 1
