"""A cluster under test, load on it, and how both are judged, whatever runs them.

Nothing waits for a fixed time: whether replicas have recovered is what `harness cluster status` says from inside the
cluster's network, and the load is over when it is told so or its own time is.
"""

import csv
import json
import os
import pathlib
import re
import secrets
import subprocess
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
HARNESS = ROOT / "target/release/harness"
# How long replicas may take to recover.
RECOVERY_S = 60
# The status of `harness run` when it was told to end.
INTERRUPTED = 130


class CannotStart(Exception):
    """Such clusters cannot be run on this machine, and why."""


def call(*words, good=(0,), **more):
    """Runs a command and returns what it prints; what it says when it fails is told."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, **more)
    if done.returncode not in good:
        raise SystemExit(f"{' '.join(map(str, words))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout.strip()


def build_program():
    """Builds the program, with TLS, which clusters of strategy cache speak here."""
    call("cargo", "build", "--release", "--locked", "--features", "tls", cwd=ROOT)


class Cluster:
    """The cluster of deploy/docker/cluster.toml, under one strategy; with strategy cache its replicas share a secret, and
    all speak TLS.

    Whoever runs it has these verbs, each about one replica or server of memcached: `pause` and `resume`, `kill` and
    `start_again`, `restart` (in order), `cut` off the network and `mend`, `move` to another address; `address`, `logs_of`. And
    for all: `start` (returns when it is founded), `begin_load`, `load_runs`, `tell_load_to_end`, `await_end_of_load` (returns
    its exit status), `harness` (runs the program inside the network, with the cluster's file `inside`), `outside` (what comes
    before a command that reaches addresses, but knows no names), `restart_command` (for a shell, {} is the replica), `remove`.
    """

    def __init__(self, strategy, folder):
        self.strategy, self.folder, self.name = strategy, folder, folder.name
        self.folder.mkdir(parents=True)
        self.project = f"ssmrci{os.getpid()}"
        self.file, self.secret = self.folder / "cluster.toml", self.folder / "cluster.secret"
        self.tls = self.folder / "tls"
        text = (ROOT / "deploy/docker/cluster.toml").read_text()
        text = text.replace('strategy = "broker"', f'strategy = "{strategy}"')
        if strategy == "cache":
            self.secret.touch(mode=0o600)
            self.secret.write_text(secrets.token_hex(32))
            text = text.replace("memcached = [", 'secret = "cluster.secret"\nmemcached = [')
            text = re.sub(r"(?m)^insecure = true.*$", 'tls = "tls"', text)
        self.file.write_text(text)
        if strategy == "cache":
            call(HARNESS, "cluster", "certify", self.file, stderr=subprocess.STDOUT)
        self.replicas = list(tomllib.loads(text)["replicas"])
        self.caches = [f"cache-{index}" for index in range(3)]
        # When the load began to be measured.
        self.measured_from = None

    def now(self):
        """Seconds since the load is measured."""
        return time.monotonic() - self.measured_from

    def status(self, *group):
        """What each replica says of itself, or nothing of one that is silent: of a group, or of all."""
        told = self.harness("cluster", "status", self.inside, "--json", "--timeout", "1s", good=(0, 3))
        lines = [json.loads(line) for line in told.splitlines()]
        return {line["replica"]: line.get("status") for line in lines if not group or line["replica"][:-2] in group}

    def await_recovery(self, *group):
        """Waits until the replicas take full part, have a leader, and applied what the furthest had when asked first."""
        until, least = time.monotonic() + RECOVERY_S, {}
        while True:
            told = self.status(*group)
            for replica, it in told.items():
                if it and replica[:-2] not in least:
                    least[replica[:-2]] = max(other["committed"] for name, other in told.items()
                                              if other and name[:-2] == replica[:-2])
            waits = [replica for replica, it in told.items()
                     if not it or not it["is_voter"] or not it["hears_leader"] or it["applied"] < least[replica[:-2]]]
            if not waits:
                return told
            if time.monotonic() > until:
                of_it = {replica: told[replica] for replica in waits}
                raise SystemExit(f"{self.name}: not recovered after {RECOVERY_S} s: {of_it}\n{self.logs_of(waits)}")

    def leader(self, group):
        return next(replica for replica, it in self.await_recovery(group).items() if it["is_leader"])

    def told(self, text):
        print(f"{self.name}: {self.now():6.1f} s: {text}", flush=True)

    def end_load(self):
        """Tells the load to end, once all has happened, and to judge what it saw."""
        if not self.load_runs():
            raise SystemExit(f"the load was over before all had happened:\n{self.logs_of(['load'])}")
        self.tell_load_to_end()
        return self.judge(INTERRUPTED)

    def judge(self, expected):
        """Waits for the end of the load. Returns what is wrong with what it says."""
        status = self.await_end_of_load()
        (run,) = json.loads((self.results / "run.json").read_text())["strategies"]
        with open(self.results / "summary.csv", newline="") as file:
            total = next(row for row in csv.DictReader(file) if row["op"] == "all")
        self.told(f"{total['issued']} operations, {run['judged_ops']} judged, {total['errors']} errors, "
                  f"{run['linearizable']}, replicas agree: {run['replicas_agree']}, {run['cluster']}")
        good = {"linearizable": "ok", "replicas_agree": "yes", "cluster": "healthy", "unjudged_ops": 0, "problems": []}
        wrong = [f"{key} is {run[key]}, not {value}" for key, value in good.items() if run[key] != value]
        wrong += [f"{total['errors']} errors"] * (total["errors"] != "0")
        wrong += [f"exit status {status}, not {expected}"] * (status != expected)
        return [f"{self.name}: {each}" for each in wrong] + [self.logs_of(["load"])] * bool(wrong)

    @property
    def results(self):
        return (self.folder / "results/latest").resolve()
