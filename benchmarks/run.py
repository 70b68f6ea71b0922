"""The main job: plans become cells, cells become records, records are shown.

python -m benchmarks model=svm,xgboost seed=0,1,2
"""

import contextlib
import hashlib
import json
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from benchmarks import interruption
from benchmarks.analysis import verdicts
from benchmarks.analysis.summary import Section, model_label, sections
from benchmarks.commands import typed
from benchmarks.errors import BAD_INPUT, FAILED_CELLS, BadInput, CannotWrite, command, plain
from benchmarks.plan import app, ledger
from benchmarks.plan.cells import Plan, require_device
from benchmarks.plan.config import RunConfig
from benchmarks.plan.libraries import libraries_of
from benchmarks.records import frame
from benchmarks.records.places import brought, store_of
from benchmarks.records.plan import write as write_plan
from benchmarks.records.records import Cell, Record, Run
from benchmarks.records.store import Store, Unreachable
from benchmarks.runner.claims import Claims
from benchmarks.runner.clusters import connected
from benchmarks.runner.elsewhere import execute_on
from benchmarks.runner.execute import Executor
from benchmarks.runner.lock import Lock
from benchmarks.runner.outlook import earlier
from benchmarks.runner.settings import Settings
from benchmarks.runner.wanted import is_wanted
from benchmarks.runner.worker import Worker
from benchmarks.show import pages
from benchmarks.show.answer import closing
from benchmarks.show.terminal import Terminal


class MainJob:
    """What Hydra's plans are for (see app.Command)."""

    def __init__(self, worker: Worker | None = None) -> None:
        """worker: one that was started already; whoever started it ends it."""
        self.worker = worker

    def __reduce__(self) -> tuple[Any, ...]:
        return MainJob, ()  # no other process can use this one's worker

    def run(self, plans: Sequence[Plan], launch: app.Launch | None) -> None:
        run_cells(plans, launch, self.worker)

    def job(self, plan: Plan) -> str:
        """Run the cells that have no record yet."""
        interruption.leave_to_command()
        run = open_for(plan.settings)
        with Lock(run.folder, shared=True):
            cells = [cell for cell in plan.cells if wants(plan.settings, run.find(cell))]
            records = execute(run, cells, plan.settings, Terminal(stderr=True), self.worker)
        return ", ".join(str(record["status"]) for record in records)


def run_cells(
    plans: Sequence[Plan], launch: app.Launch | None = None, worker: Worker | None = None
) -> None:
    """Run the cells of a sweep that have no record yet, then show the table.

    Raises BadInput before anything is run (Busy if somebody else works on the run), SystemExit(1)
    after the table if a cell failed.
    """
    settings = settings_of(plans)
    run, console = open_for(settings), Terminal()
    with Lock(run.folder) as lock, interruption.tidied(run.leave_if_empty):
        unique = {cell.name: (k, cell) for k, plan in enumerate(plans) for cell in plan.cells}
        every = in_turns(list(unique.values()), run.name)
        wanted = []
        for k, cell in every:
            record, damage = run.find_or_why(cell)
            warn(damage, console)
            if wants(settings, record):
                wanted.append((k, cell))
        announce(run, plans, len(wanted), len(unique), console)
        try:
            if wanted:
                names = {cell.name for _, cell in wanted}
                write_plan(run.folder, [cell for _, cell in every], names)
            if launch is not None and wanted:
                lock.share()
                with interruption.raised():
                    launch(sorted({k for k, _ in wanted}))
            else:
                execute(run, [cell for _, cell in wanted], settings, console, worker)
        except KeyboardInterrupt:
            write_pages(run, settings, console)
            raise
        except CannotWrite as error:
            hint = "What is done is recorded; the same command goes on from there."
            raise CannotWrite(f"{error} {hint}") from None
        store = store_of(settings.results)
        if store is not None:
            brought(store, settings.results, run.name)
        present, everything = write_pages(run, settings, console)
        if store is not None:
            left_in(store, run, console)
        records = [record for _, cell in unique.values() if (record := run.find(cell))]
        unrecorded = len(unique) - len(records)
        records += bounds_of(present, records)
        # Judging takes a while; usually all of the run was asked for.
        shown = everything if len(records) == len(present) else judged(run, records, settings)
        show(run, shown, records, console)
        if settings.picture and (wanted or not list(run.folder.glob("*.svg"))):
            for file in pages.draw(run.folder, everything):
                console.print(f"picture: {escape(str(file))}", highlight=False)
        for line in closing(shown):
            console.print(Text(plain(line), style="bold"))
    if any(record.get("bad_input") for record in records):
        raise SystemExit(BAD_INPUT)
    if unrecorded or any(is_failure(record) for record in records):
        raise SystemExit(FAILED_CELLS)


def in_turns(cells: Sequence[tuple[int, Cell]], run: str) -> list[tuple[int, Cell]]:
    """Seed by seed, and within a seed in an order by lot, so that what drifts while a run lasts
    (a machine that gets warm, a neighbour) meets no model more than another. The lots are drawn
    from the names of the run and of the cell: a run that goes on keeps its order."""
    seeds = list(dict.fromkeys(cell.seed for _, cell in cells))

    def turn(item: tuple[int, Cell]) -> tuple[int, str]:
        lot = hashlib.sha256(f"{run}/{item[1].name}".encode()).hexdigest()
        return seeds.index(item[1].seed), lot

    return sorted(cells, key=turn)


def settings_of(plans: Sequence[Plan]) -> RunConfig:
    """What all plans of a sweep share. Raises BadInput."""
    checked = [plan.settings for plan in plans]
    if len({(c.results, c.run) for c in checked}) > 1:
        raise BadInput("A sweep goes into one run: run= and results= take one value.")
    if len({(c.workers, str(c.cluster)) for c in checked}) > 1:
        raise BadInput("A sweep has one place to run: workers= and cluster= take one value.")
    for device in {c.device for c in checked}:
        require_device(device)
    return checked[0]


def open_for(settings: RunConfig) -> Run:
    """The run that is written to, made sure of. Raises BadInput."""
    run = Run(settings.results / settings.run)
    run.create()
    if (store := store_of(settings.results)) is not None:
        store.probe()
        brought(store, settings.results, run.name)
        put(store, run)
    return run


def put(store: Store, run: Run) -> None:
    """Hand over what waits in the mirror since the store did not answer."""
    with contextlib.suppress(Unreachable):
        for name in store.waiting(run):
            store.push(run, name)


def announce(run: Run, plans: Sequence[Plan], wanted: int, cells: int, console: Console) -> None:
    """Say what there is to do."""
    console.print(f"run {run.name}: {wanted} cells to run, {cells - wanted} found", highlight=False)
    if once := sorted({plan.cells[0].model for plan in plans if plan.has_nothing_to_tune}):
        console.print(f"nothing to tune, run once: {', '.join(once)}", highlight=False)


def execute(
    run: Run,
    cells: Sequence[Cell],
    settings: RunConfig,
    console: Console,
    worker: Worker | None = None,
) -> list[Record]:
    """Run these cells, here or where `workers` says. Raises BadInput before the first."""
    if not cells:
        return []
    store = store_of(settings.results)
    claims = None if store is None else Claims(store, run, cells)
    with Executor(
        run,
        cells,
        shared_by(cells, settings),
        console,
        worker,
        count=counted,
        line=line_of,
        after=claims.finished if claims else lambda _: None,
    ) as executor:
        executor.begin(cells)
        executor.outlook.learn(earlier(settings.results, run.name))
        frame.load_libraries()  # for the end of the run: now there is a core that waits
        executor.check(cells)
        if settings.fresh:
            for cell in cells:
                run.fresh(cell)
        with interruption.raised(), claims or contextlib.nullcontext():
            if settings.is_here:
                return executor.execute_all(claims or cells)
            cluster = connected(settings.workers, settings.cluster, run.folder)
            try:
                if claims is None:
                    return execute_on(cluster, executor, cells)
                return [r for ours in claims.batches() for r in execute_on(cluster, executor, ours)]
            finally:
                cluster.close()


def shared_by(cells: Sequence[Cell], settings: RunConfig) -> Settings:
    """What all of these cells are told."""
    return Settings(
        settings.limits.model_dump(),
        settings.timing.model_dump(),
        settings.metric,
        # Whoever runs beside others has their work for company, and is marked as such.
        [*settings.checks.skip, *(["ME08"] if settings.beside > 1 else [])],
        settings.checks.rows,
        settings.explain.model_dump(),
        settings.cache.model_dump(mode="json"),
        libraries_of(cells),
        settings.allow,
        settings.beside,
    )


def counted(cell: Cell) -> dict[str, Any]:
    """The part of a cell's work ledger that is known before it runs."""
    return ledger.of_sources(cell.config, cell.changed, cell.view)


def wants(settings: RunConfig, record: Record | None) -> bool:
    """Does the cell of this record have to run, as these settings are?"""
    limits, timing = settings.limits.model_dump(), settings.timing.model_dump()
    return is_wanted(record, limits, timing, settings.fresh, settings.rerun)


def is_failure(record: Record) -> bool:
    """Did a cell not get to its end, or a control not come out as it must?"""
    failed_control = (record.get("control") or {}).get("passed") is False
    return record["status"] not in ("done", "skipped") or failed_control


def bounds_of(present: Sequence[Record], records: Sequence[Record]) -> list[Record]:
    """The run's other records of bounds on the same rows: a table without them says less."""

    def rows(record: Record) -> str:
        part = [record["seed"], record["config"]["task"], record["code"]["task"]]
        return json.dumps(part, sort_keys=True)

    shown, names = {rows(r) for r in records}, {(r["model"], rows(r)) for r in records}
    return [
        r
        for r in present
        if r.get("bound") and rows(r) in shown and (r["model"], rows(r)) not in names
    ]


def write_pages(
    run: Run, settings: RunConfig, console: Console
) -> tuple[list[Record], list[Section]]:
    """Write the tables of the whole run; (its records, those summed up)."""
    present, unreadable = run.scan()
    for sentence in unreadable:
        warn(sentence, console)
    if not present:
        return [], []
    everything = judged(run, present, settings)
    pages.write(run.folder, everything)
    frame.write(run, present)
    return present, everything


def left_in(store: Store, run: Run, console: Console) -> None:
    """Have everything of a run in the store, its tables as well; say so if it does not answer."""
    try:
        put(store, run)
        store.push_tables(run)
    except Unreachable as error:
        warn(f"{store.address} does not answer ({error})", console)
    if waiting := store.waiting(run):
        warn(
            f"{len(waiting)} records wait in {run.cells} until {store.address} answers: the same "
            "command puts them there",
            console,
        )


def warn(sentence: str, console: Console) -> None:
    if sentence:
        console.print(f"[yellow]![/] {escape(plain(sentence))}", highlight=False)


def judged(run: Run, records: Iterable[Record], settings: RunConfig) -> list[Section]:
    """Records summed up, with verdicts. Raises BadInput for a metric that a task does not have."""
    metric, band = settings.metric, settings.verdicts.band
    return [verdicts.judge(part, run.outcomes, metric, band) for part in sections(records)]


def show(run: Run, found: Sequence[Section], records: Iterable[Record], console: Console) -> None:
    """Print the table of the cells that were asked for, and where everything lies."""
    console.print()
    console.print(pages.render(found, console.width))
    folder = escape(str(run.folder))
    console.print(
        f"\nAll of run {run.name}: {folder}/table.md; each pair of models: verdicts.md; as a "
        f"page: {typed('report')} {escape(shlex.quote(str(run.folder)))}",
        highlight=False,
    )
    failed = sum(map(is_failure, records))
    if failed:
        console.print(
            f"[red]{failed} failed[/]; what they printed lies in {folder}/cells/*.log. They run "
            "again when their code changes, or with rerun=failed.",
            highlight=False,
        )


def line_of(record: Record) -> str:
    """One line on a finished cell."""
    head = escape(plain(f"{record['task']:<14} {model_label(record):<14} seed {record['seed']}"))
    reason = escape(plain(record["reason"] or ""))
    if control := record["config"].get("control"):
        head += f"  {control}"
    if record.get("unasked") or record["status"] == "skipped":
        return f"[dim]– {head}  {reason}[/]"
    if record["status"] != "done":
        return f"[red]✗[/] {head}  [red]{record['status']}[/]: {reason}"
    label, value = record["metrics"][0]["label"], record["scores"][record["metric"]]
    score = f"{escape(plain(label))} {'–' if value is None else format(value, '.3f')}"
    if (record["control"] or {}).get("passed") is False:
        text = escape(plain(record["control"]["text"]))
        return f"[red]✗[/] {head}  {score}  [red]do not trust[/]: {text}"
    return f"[green]✓[/] {head}  {score}{fitted_in(record)}"


def fitted_in(record: Record) -> str:
    """Nothing for what was made elsewhere, which no clock here has seen."""
    if record.get("stated"):
        return ""
    return f"  [dim]fit {record['phases']['fit']['wall']:.2f} s[/]"


@command
def main(worker: Worker | None = None, job: MainJob | None = None) -> int:
    """Run the command line; return the exit code (see app.main), 128 and the number of a signal
    that came. job: the main job, or one that does more."""
    try:
        return app.main(job or MainJob(worker))
    except KeyboardInterrupt as interrupt:
        interruption.say()
        return interruption.exit_code(interrupt)
