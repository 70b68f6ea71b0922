"""In a real Jupyter kernel: the README's lines, what is shown, Polars, an interrupt."""

import json
import re

import pandas as pd
import psutil
import pytest

from tests.conftest import OWN_CONF, ROOT, is_alive, wait_for
from tests.examples import heads

pytestmark = pytest.mark.notebook
HEAVY = ("torch", "xgboost", "sklearn", "sklearnex", "hydra", "benchmarks", "models", "tasks")


def lines_of_the_readme() -> str:
    found = re.search(
        r"<!-- notebook -->\n```python\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert found
    return found[1]


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """Run cells of a notebook in a folder of its own; their outputs, a list for each."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")

    def call(*cells: str, errors: bool = False) -> list[list[dict]]:
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        nbclient.NotebookClient(
            book,
            timeout=300,
            kernel_name="python3",
            allow_errors=errors,
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()
        return [cell.outputs for cell in book.cells]

    return call


def html_of(outputs: list[dict]) -> str:
    return "".join("".join(o["data"].get("text/html", "")) for o in outputs if "data" in o)


def test_the_readmes_lines_show_an_answer_above_a_table(executed, tmp_path):
    table = pd.concat([heads(200)] * 2, ignore_index=True).rename(columns={"y": "churned"})
    table.to_csv(tmp_path / "churn.csv", index=False)
    loaded = f"import sys; print([name for name in {HEAVY} if name in sys.modules])"
    *shown, said = executed(
        lines_of_the_readme(),
        "result",
        "display(result.table, result.verdicts); print(result.report())",
        loaded,
    )
    progress, result, more = shown
    assert "cells run" in html_of(progress), "how far it was"
    html = html_of(result)
    assert html.index("logistic") < html.index("<table"), "the answer stands above"
    for model in ("logistic", "svm", "random_forest", "xgboost", "network", "baseline"):
        assert f">{model}</td>" in html
    assert html_of(more).count("<table") == 2
    assert list(tmp_path.glob("results/*/report.html"))
    assert "report.html" in str(more)
    assert said[0]["text"] == "[]\n", "no learning library in the notebook's own process"


def test_frames_of_polars_and_of_arrow(executed):
    rows = json.dumps(heads().to_dict("list"))
    setting = f"rows = {rows}\nfrom model_eras import compare"
    first, second = executed(
        setting + "\nimport polars as pl\n"
        "result = compare(pl.DataFrame(rows), 'y', models=['baseline', 'logistic'], seeds=0)\n"
        "assert isinstance(result.table, pl.DataFrame)\n"
        "assert isinstance(result.verdicts, pl.DataFrame)\n"
        "print(result.table['model'].to_list(), result.run)",
        "import pyarrow as pa\n"
        "other = compare(pa.table(rows), 'y', models='baseline', seeds=0)\n"
        "assert isinstance(other.table, pa.Table)\n"
        "lazy = compare(pl.DataFrame(rows).lazy(), 'y', models='baseline', seeds=0)\n"
        "categories = pl.DataFrame(rows).with_columns(pl.col('y').cast(pl.Categorical))\n"
        "kept = compare(categories, 'y', models='baseline', seeds=0)\n"
        "print(other.failed, kept.failed, lazy.run == result.run)",
    )
    assert "['logistic', 'baseline']" in str(first)
    assert "0 0 True" in str(second)


def test_bad_input_is_one_sentence_and_no_traceback(executed):
    (outputs,) = executed(
        "import pandas as pd\nfrom model_eras import compare\n"
        "compare(pd.DataFrame({'x': [1, 2], 'y': [1, 2]}), target='z')",
        errors=True,
    )
    (error,) = [output for output in outputs if output["output_type"] == "error"]
    assert error["ename"] == "BadInput"
    assert len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("BadInput: there is no column 'z'")


def test_an_interrupted_cell_leaves_whole_records_and_no_process(tmp_path, monkeypatch):
    """As the stop button does: a signal to the whole group of the kernel."""
    manager = pytest.importorskip("jupyter_client.manager")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    heads().to_csv(tmp_path / "a.csv", index=False)
    kernel, client = manager.start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        called = (
            "import pandas as pd\nfrom model_eras import compare\n"
            f"compare(pd.read_csv('a.csv'), 'y', {OWN_CONF!r}, 'model=steep', 'threads=1',\n"
            "        'allow=tests', 'model.mode=MODE', seeds=0, run='a')"
        )
        client.execute(called.replace("MODE", "good"))
        assert client.get_shell_msg(timeout=60)["content"]["status"] == "ok"
        sent = client.execute(called.replace("MODE", "good,hang"))
        cells = tmp_path / "results" / "a" / "cells"
        wait_for(lambda: list(cells.glob("*.json")) and list(cells.glob("*.partial/phase")), 60)
        family = [child.pid for child in psutil.Process().children(recursive=True)]
        kernel.interrupt_kernel()
        reply = client.get_shell_msg(timeout=60)
        assert reply["parent_header"]["msg_id"] == sent
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert [json.loads(p.read_text())["status"] for p in cells.glob("*.json")] == ["done"]
        assert "steep" in (tmp_path / "results" / "a" / "table.md").read_text()
        left = [pid for pid in family if is_alive(pid)]
        assert left == [kernel.provisioner.process.pid], "the kernel goes on, and nothing else"
        client.execute("print('still here')")
        assert client.get_shell_msg(timeout=30)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
