"""A real Slurm on this machine alone, for tests: munge, MariaDB, slurmdbd, slurmctld, slurmd; no systemd, no cgroups.

Everything listens on 127.0.0.1 and keeps its state in one folder. ``python -m tests.cluster.one_machine start|stop``.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacctmgr")
PACKAGES = "slurm-wlm slurmdbd slurm-client munge mariadb-server"
ETC = Path("/etc/slurm")
ACCOUNT = "testacct"
_SECONDS_TO_START = 60

# No cgroups: processes are found by their parents, memory by polling. Waits are as short as Slurm allows.
SLURM_CONF = """\
ClusterName=onemachine
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SlurmdParameters=config_overrides
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
KillWait=10
MinJobAge=300
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStoragePass={folder}/run/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
{nodes}
PartitionName=main Nodes=ALL Default=YES DefaultTime=5 MaxTime=60 PriorityTier=1
PartitionName=gpu Nodes=ALL DefaultTime=5 MaxTime=60 PriorityTier=1
PartitionName=high Nodes=ALL DefaultTime=5 MaxTime=60 PriorityTier=10 PreemptMode=OFF
"""
DBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd_port}
SlurmUser=root
PidFile={folder}/run/slurmdbd.pid
LogFile={folder}/log/slurmdbd.log
CommitDelay=0
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_accounting
"""


def why_not_here() -> str | None:
    """Why no such cluster can run on this machine; None where it can."""
    missing = [name for name in DAEMONS if shutil.which(name) is None]
    if missing:
        return f"no Slurm here (missing: {', '.join(missing)}; make setup-slurm, as root on Debian)"
    if os.geteuid() != 0:
        return "the one-machine Slurm of the tests is started by root alone"
    foreign = [ETC / name for name in ("slurm.conf", "gres.conf") if (ETC / name).exists()]
    if any(not path.is_symlink() for path in foreign):
        return f"{ETC} belongs to a Slurm that is not the tests'"
    if foreign and OneMachine(foreign[0].readlink().parent.parent).is_alive():
        return f"another one-machine Slurm runs here: {foreign[0].readlink()}"
    return None


@dataclass(frozen=True)
class OneMachine:
    """A cluster of ``num_nodes`` virtual nodes.

    Attributes:
        folder: all of its state.
        num_cpus: that each node claims to have, whatever the machine has.
        num_gpus: stand-ins on each node: Slurm deals them out, programs cannot use them.
    """

    folder: Path
    num_nodes: int = 2
    num_cpus: int = 4
    mem_mb: int = 12000
    num_gpus: int = 2
    port: int = 16817

    def start(self) -> None:
        """Start what does not run yet; returns when every node takes jobs."""
        self._make_folders()
        self._write_configuration()
        self._start_munge()
        self._start_sql()
        self._run("slurmdbd", pid_file="slurmdbd.pid")
        self._until("slurmdbd", lambda: self._ask("sacctmgr", "-n", "list", "cluster") is not None)
        self._make_account()
        self._run("slurmctld", pid_file="slurmctld.pid")
        self._until("slurmctld", lambda: "is UP" in (self._ask("scontrol", "ping") or ""))
        for name in self._nodes():
            self._run("slurmd", "-N", name, pid_file=f"slurmd-{name}.pid")
        self._until("idle nodes", self._is_ready)

    def is_alive(self) -> bool:
        """Whether its controller runs."""
        return self._pid("slurmctld.pid") is not None

    def stop(self) -> None:
        """End all jobs, then all daemons, each by its own process number; forget the state."""
        if self.is_alive():
            jobs = (self._ask("squeue", "-h", "-o", "%A") or "").split()
            if jobs:
                self._ask("scancel", *jobs)
                self._wait_for(15, lambda: not (self._ask("squeue", "-h") or "").strip())
        nodes = [f"slurmd-{name}.pid" for name in self._nodes()]
        for pid_file in (*nodes, "slurmctld.pid", "slurmdbd.pid", "mariadb.pid", "munged.pid"):
            self._end(pid_file)
        for name in ("slurm.conf", "gres.conf", "cgroup.conf"):
            link = ETC / name
            if link.is_symlink() and str(link.readlink()).startswith(str(self.folder)):
                link.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        """For programs that look for this cluster; slurmdbd finds its own file beside the one named here."""
        return os.environ | {"SLURM_CONF": str(self.folder / "etc/slurm.conf")}

    def _nodes(self) -> list[str]:
        return [f"n{number}" for number in range(self.num_nodes)]

    def _make_folders(self) -> None:
        for name in ("etc", "run", "log", "state", "munge", "gpu", "sql", *(f"spool-{n}" for n in self._nodes())):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            (self.folder / name).chmod(0o700 if name == "sql" else 0o755)
        key = self.folder / "munge/munge.key"
        if not key.exists():
            key.write_bytes(secrets.token_bytes(1024))
            key.chmod(0o600)

    def _write_configuration(self) -> None:
        host = os.uname().nodename.split(".")[0]
        nodes, gres = [], ["AutoDetect=off"]
        for number, name in enumerate(self._nodes()):
            for gpu in range(self.num_gpus):
                # Slurm wants a character device whose name ends in the number.
                device = self.folder / f"gpu/{name}-gpu{gpu}"
                device.unlink(missing_ok=True)
                device.symlink_to("/dev/null")
            gres.append(f"NodeName={name} Name=gpu Type=fake File={self.folder}/gpu/{name}-gpu[0-{self.num_gpus - 1}]")
            nodes.append(
                f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={self.port + 4 + number} "
                f"CPUs={self.num_cpus} RealMemory={self.mem_mb} Gres=gpu:fake:{self.num_gpus} State=UNKNOWN"
            )
        values = {"folder": self.folder, "host": host, "nodes": "\n".join(nodes), "port": self.port}
        values |= {"dbd_port": self.port + 2, "sql_port": self.port + 3}
        etc = self.folder / "etc"
        (etc / "slurm.conf").write_text(SLURM_CONF.format(**values))
        (etc / "gres.conf").write_text("\n".join(gres) + "\n")
        (etc / "cgroup.conf").write_text("CgroupAutomount=no\n")
        (etc / "slurmdbd.conf").write_text(DBD_CONF.format(**values))
        (etc / "slurmdbd.conf").chmod(0o600)
        # Where Slurm looks by itself: jobs lose SLURM_CONF on their way.
        ETC.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf", "cgroup.conf"):
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).symlink_to(etc / name)

    def _start_munge(self) -> None:
        run, log = self.folder / "run", self.folder / "log"
        files = {"key-file": "munge/munge.key", "socket": "run/munge.socket", "pid-file": "run/munged.pid"}
        files |= {"log-file": "log/munged.log", "seed-file": "munge/munge.seed"}
        if not self._pid("munged.pid"):
            (run / "munge.socket").unlink(missing_ok=True)
            self._run("munged", "--force", *(f"--{key}={self.folder / name}" for key, name in files.items()))
        self._until("munged", lambda: self._ask("munge", "-n", "-S", str(run / "munge.socket")) is not None)
        log.chmod(0o755)

    def _start_sql(self) -> None:
        data, socket = self.folder / "sql", self.folder / "run/sql.socket"
        if not (data / "mysql").is_dir():
            subprocess.run(
                ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}", "--skip-test-db",
                 "--auth-root-authentication-method=normal"], check=True, capture_output=True,
            )  # fmt: skip
        if not self._pid("mariadb.pid"):
            with (self.folder / "log/mariadb.log").open("ab") as log:
                subprocess.Popen(
                    ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={socket}",
                     "--bind-address=127.0.0.1", f"--port={self.port + 3}", f"--pid-file={self.folder}/run/mariadb.pid",
                     "--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
        sql = ("mariadb", "--no-defaults", "--user=root", f"--socket={socket}", "-e")
        self._until("mariadb", lambda: self._ask(*sql, "select 1") is not None)
        self._ask(*sql, "create database if not exists slurm_accounting")
        self._ask(*sql, "create user if not exists 'slurm'@'%' identified by 'slurm'")
        self._ask(*sql, "grant all on slurm_accounting.* to 'slurm'@'%'")

    def _make_account(self) -> None:
        self._ask("sacctmgr", "-i", "add", "cluster", "onemachine")
        self._ask("sacctmgr", "-i", "add", "account", ACCOUNT, "Description=tests", "Organization=tests")
        self._ask("sacctmgr", "-i", "add", "user", "root", f"account={ACCOUNT}", f"DefaultAccount={ACCOUNT}")

    def _is_ready(self) -> bool:
        states = (self._ask("sinfo", "-h", "-N", "-p", "main", "-o", "%T") or "").split()
        return len(states) == self.num_nodes and set(states) <= {"idle", "mixed", "allocated"}

    def _run(self, *command: str, pid_file: str | None = None) -> None:
        """Start a daemon that puts itself into the background, unless it runs already."""
        if pid_file and self._pid(pid_file):
            return
        # A file, no pipe: the daemon would hold a pipe open for ever.
        with (self.folder / f"log/{command[0]}.out").open("ab") as log:
            subprocess.run(
                command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60, env=self.environment
            )

    def _ask(self, *command: str) -> str | None:
        """What a command prints; None where it fails."""
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=30, check=False, env=self.environment
            )
        except subprocess.TimeoutExpired:
            return None
        return result.stdout if result.returncode == 0 else None

    def _pid(self, pid_file: str) -> int | None:
        """The process of a pid file, if it lives and is the daemon that the file is named after."""
        path = self.folder / "run" / pid_file
        try:
            pid = int(path.read_text())
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (OSError, ValueError):
            return None
        return pid if path.stem.split("-")[0].startswith(name.removesuffix("d")[:7]) else None

    def _end(self, pid_file: str) -> None:
        pid = self._pid(pid_file)
        if pid:
            os.kill(pid, signal.SIGTERM)
            if not self._wait_for(30, lambda: self._pid(pid_file) is None):
                os.kill(pid, signal.SIGKILL)

    def _until(self, what: str, holds: Callable[[], bool]) -> None:
        if not self._wait_for(_SECONDS_TO_START, holds):
            logs = [f"--- {path.name}\n{path.read_text()[-800:]}" for path in sorted((self.folder / "log").glob("*"))]
            raise RuntimeError(f"the one-machine Slurm: waited in vain for {what}\n" + "\n".join(logs))

    @staticmethod
    def _wait_for(seconds: float, holds: Callable[[], bool]) -> bool:
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True


@contextmanager
def running(folder: Path, **settings: int) -> Iterator[OneMachine]:
    """The cluster, for as long as the body runs."""
    cluster = OneMachine(folder, **settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


if __name__ == "__main__":
    getattr(OneMachine(Path(os.environ.get("SLURM_TEST_FOLDER", "/tmp/maskray-slurm"))), sys.argv[1])()
