"""Real clusters on this machine: Ray with two nodes, one of which is killed; Slurm; Dask.

Run by `nox -s clusters`, which installs what they need.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT, is_alive, wait_for
from tests.test_workers import plain

pytestmark = pytest.mark.cluster


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


class RayCluster:
    """Nodes of one core each, which listen here alone and want a token."""

    def __init__(self, folder: Path) -> None:
        (folder / "token").write_text(secrets.token_hex(32))
        self.port, self.nodes = free_port(), []
        self.environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(folder / "token"),
            "RAY_TMPDIR": "/tmp/ray-tests",
            "PYTHONPATH": str(ROOT),
        }
        self.start("--head", f"--port={self.port}", "--include-dashboard=false", "--num-cpus=1")

    def start(self, *how: str) -> subprocess.Popen:
        node = subprocess.Popen(
            [
                *(str(Path(sys.executable).with_name("ray")), "start", *how, "--block"),
                *("--node-ip-address=127.0.0.1", "--disable-usage-stats"),
                "--object-store-memory=100000000",
            ],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.nodes.append(node)
        return node

    def second(self) -> subprocess.Popen:
        return self.start(f"--address=127.0.0.1:{self.port}", "--num-cpus=1")

    def kill(self, node: subprocess.Popen) -> None:
        """With all its processes, as when its machine goes."""
        everything = [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]
        for process in everything:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        node.wait()
        self.nodes.remove(node)

    def close(self) -> None:
        for node in list(self.nodes):
            self.kill(node)


@pytest.fixture
def ray_cluster(tmp_path):
    pytest.importorskip("ray")
    cluster = RayCluster(tmp_path)
    yield cluster
    cluster.close()


def on(command, cluster, *arguments: str, **how) -> subprocess.Popen:
    return subprocess.Popen(
        command(*arguments), cwd=ROOT, env=cluster.environment, text=True, **how
    )


def ray_is_there(cluster) -> bool:
    line = [
        str(Path(sys.executable).with_name("ray")),
        "status",
        f"--address=127.0.0.1:{cluster.port}",
    ]
    return subprocess.run(line, env=cluster.environment, capture_output=True).returncode == 0


def records_of(folder: Path) -> list[dict]:
    return [json.loads(file.read_text()) for file in sorted(folder.glob("cells/*.json"))]


def test_ray_with_two_nodes_of_which_one_dies(command, ray_cluster, tmp_path):
    """Cells of both nodes are there in the end; that of the killed node ran again."""
    wait_for(lambda: ray_is_there(ray_cluster), 90)
    second = ray_cluster.second()
    address = f"cluster.address=127.0.0.1:{ray_cluster.port}"
    usual = ("workers=ray", address, "seed=0,1,2,3", "run=ray")
    search = "hydra.searchpath=[file://tests/conf]"
    (tmp_path / "go").mkdir()
    started = on(
        command, ray_cluster, search, "model=waits", f"model.folder={tmp_path / 'go'}",
        *usual,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    # Two cells wait, one on each node; the second node dies under its own.
    wait_for(lambda: len(list((tmp_path / "go").glob("*.pid"))) >= 2, 180)
    pids = {int(file.stem): file for file in (tmp_path / "go").glob("*.pid")}
    below = {p.pid for p in psutil.Process(second.pid).children(recursive=True)}
    wait_for(lambda: below, 10)
    ray_cluster.kill(second)
    (tmp_path / "go" / "go").touch()
    ray_cluster.second()
    _, err = started.communicate(timeout=240)
    assert started.returncode == 0, err
    found = records_of(tmp_path / "ray")
    assert [r["status"] for r in found] == ["done"] * 4
    assert sum(r.get("lost", 0) for r in found) >= 1, (err, pids)
    assert "was lost, and runs again" in err
    # The same run here, in a process of its own: the same scores, to the bit.
    here = subprocess.run(
        command(
            search, "model=waits", f"model.folder={tmp_path / 'go'}", "seed=0,1,2,3", "run=here"
        ),
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert here.returncode == 0, here.stderr
    for a, b in zip(found, records_of(tmp_path / "here"), strict=True):
        a, b = plain(a), plain(b)
        a.pop("lost", None)
        assert a["files"][".npz"] == b["files"][".npz"]
        assert a["scores"] == b["scores"]


def test_a_driver_on_ray_that_is_killed(command, ray_cluster, tmp_path):
    wait_for(lambda: ray_is_there(ray_cluster), 90)
    address = f"cluster.address=127.0.0.1:{ray_cluster.port}"
    usual = ("workers=ray", address, "model.mode=slow", "seed=0,1,2", "run=ray")
    started = on(command, ray_cluster, *usual, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: records_of(tmp_path / "ray"), 120)
    started.kill()
    started.wait()
    before = {r["seed"]: r["started"] for r in records_of(tmp_path / "ray")}
    again = on(command, ray_cluster, *usual, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, err = again.communicate(timeout=240)
    assert again.returncode == 0, err
    found = {r["seed"]: r["started"] for r in records_of(tmp_path / "ray")}
    assert len(found) == 3
    assert before.items() <= found.items(), "none is done twice"


def test_no_ray(command, tmp_path):
    pytest.importorskip("ray")
    environment = {**os.environ, "RAY_ADDRESS": "", "RAY_TMPDIR": str(tmp_path / "none")}
    done = subprocess.run(
        command("workers=ray"), cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 2
    assert "workers=ray: no cluster answers" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def dask_cluster(tmp_path):
    pytest.importorskip("distributed")
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    dask = str(Path(sys.executable).with_name("dask"))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    started = [
        subprocess.Popen(
            [dask, "scheduler", "--host=127.0.0.1", f"--port={port}", "--no-dashboard"],
            cwd=tmp_path, **quiet,
        ),
        subprocess.Popen(
            [dask, "worker", f"127.0.0.1:{port}", "--nthreads=1", "--nworkers=1", "--no-dashboard"],
            cwd=tmp_path, **quiet,
        ),
    ]  # fmt: skip
    yield port
    for process in started[::-1]:
        process.terminate()
        process.wait()


def test_dask(command, dask_cluster, tmp_path):
    done = subprocess.run(
        command("workers=dask", f"cluster.address=127.0.0.1:{dask_cluster}", "cluster.timeout=60",
                "model.mode=good,raise"),
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert sorted(r["status"] for r in records_of(tmp_path / "a")) == ["done", "failed"]


CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
ReturnToService=2
MpiDefault=none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=8000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
DBD = """
AuthType=auth/munge
DbdHost={host}
DbdAddr=127.0.0.1
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageLoc=slurm_acct_db
StorageUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
"""
NEEDED = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """One node, with accounting, which submitit asks how a job ended."""
    pytest.importorskip("submitit")
    if os.geteuid() != 0 or not all(map(shutil.which, NEEDED)):
        pytest.skip(
            f"needs root and {', '.join(NEEDED)} (Debian: slurm-wlm slurmdbd munge mariadb-server)"
        )
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool", "db"):
        (folder / name).mkdir()
    host = socket.gethostname().partition(".")[0]
    facts = {"folder": folder, "host": host, "cpus": len(os.sched_getaffinity(0))}
    (folder / "slurm.conf").write_text(CONF.format(**facts))
    dbd = folder / "slurmdbd.conf"
    dbd.write_text(DBD.format(**facts))
    dbd.chmod(0o600)
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    started = []

    def start(*line: str, **how) -> None:
        log = (folder / f"{Path(line[0]).name}.out").open("w")
        started.append(subprocess.Popen(line, env=environment, stdout=log, stderr=log, **how))

    Path("/run/munge").mkdir(exist_ok=True)
    shutil.chown("/run/munge", "munge")
    start("munged", "--foreground", "--force", user="munge", group="munge")
    socket_file = folder / "db.sock"
    subprocess.run(
        ["mariadb-install-db", f"--datadir={folder / 'db'}", "--user=root", "--skip-test-db"],
        check=True, capture_output=True,
    )  # fmt: skip
    start(
        "mariadbd", "--no-defaults", f"--datadir={folder / 'db'}", f"--socket={socket_file}",
        "--skip-networking=0", "--bind-address=127.0.0.1", f"--port={(port := free_port())}",
        "--user=root", f"--pid-file={folder / 'db.pid'}",
    )  # fmt: skip
    wait_for(socket_file.exists, 30)
    sql = (
        "create database slurm_acct_db; create user slurm@'127.0.0.1' identified by 'slurm'; "
        "grant all on slurm_acct_db.* to slurm@'127.0.0.1';"
    )
    subprocess.run(
        ["mariadb", "--no-defaults", f"--socket={socket_file}", "-uroot", "-e", sql], check=True
    )
    text = dbd.read_text().replace("StorageHost=localhost", "StorageHost=127.0.0.1")
    text = text.replace(
        "StorageUser=root", f"StoragePort={port}\nStorageUser=slurm\nStoragePass=slurm"
    )
    dbd.write_text(text)
    start("slurmdbd", "-D")
    wait_for(
        lambda: (
            "started" in (folder / "slurmdbd.log").read_text()
            if (folder / "slurmdbd.log").exists()
            else False
        ),
        60,
    )
    subprocess.run(
        ["sacctmgr", "-i", "add", "cluster", "tests"], env=environment, capture_output=True
    )
    start("slurmctld", "-D", "-c")
    start("slurmd", "-D")

    def is_up() -> bool:
        done = subprocess.run(
            ["sinfo", "-h", "-o", "%t"], env=environment, capture_output=True, text=True
        )
        return done.stdout.strip() in ("idle", "mix")

    wait_for(is_up, 60)
    yield environment
    for process in started[::-1]:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_slurm(command, slurm, tmp_path):
    usual = ("workers=slurm", "cluster.partition=debug", "model.mode=good,raise,slow", "run=slurm")
    done = subprocess.run(
        command(*usual), cwd=ROOT, capture_output=True, text=True, env=slurm, timeout=300
    )
    assert done.returncode == 1, done.stderr
    found = {r["config"]["model"]["mode"]: r["status"] for r in records_of(tmp_path / "slurm")}
    assert found == {"good": "done", "slow": "done", "raise": "failed"}


def waiting_on_slurm(command, slurm, tmp_path) -> subprocess.Popen:
    """A command whose only cell waits in its job."""
    (tmp_path / "go").mkdir()
    search = "hydra.searchpath=[file://tests/conf]"
    folder = f"model.folder={tmp_path / 'go'}"
    started = subprocess.Popen(
        command(search, "model=waits", folder, "workers=slurm", "run=slurm"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=slurm,
    )  # fmt: skip
    wait_for(lambda: list((tmp_path / "go").glob("*.pid")), 120)
    return started


def test_a_slurm_job_that_is_killed_is_given_again(command, slurm, tmp_path):
    started = waiting_on_slurm(command, slurm, tmp_path)
    first = int(next((tmp_path / "go").glob("*.pid")).stem)
    # What Slurm had started on the node, and with it the worker and the cell.
    (task,) = [p for p in psutil.Process(first).parents() if "submitit.core._submit" in p.cmdline()]
    task.kill()
    wait_for(lambda: not is_alive(first), 30)
    (tmp_path / "go" / "go").touch()
    _, err = started.communicate(timeout=300)
    assert started.returncode == 0, err
    (record,) = records_of(tmp_path / "slurm")
    assert (record["status"], record["lost"]) == ("done", 1)
    assert "was lost, and runs again" in err


def test_an_interrupted_command_cancels_its_slurm_jobs(command, slurm, tmp_path):
    started = waiting_on_slurm(command, slurm, tmp_path)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    assert started.returncode == 130

    def queued() -> str:
        return subprocess.run(
            ["squeue", "-h", "-o", "%A"], env=slurm, capture_output=True, text=True
        ).stdout.strip()

    wait_for(lambda: not queued(), 60)
