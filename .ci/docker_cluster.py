"""The cluster of deploy/docker/compose.yaml, load on it, and what .ci/containers and .ci/soak-containers need of both.

Nothing waits for a fixed time: whether replicas have recovered is what `harness cluster status` says from inside the
cluster's network, and the load is over when it is told so or its own time is.
"""

import contextlib
import csv
import datetime
import json
import os
import pathlib
import subprocess
import tempfile
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "deploy/docker/compose.yaml"
# How long replicas may take to recover.
RECOVERY_S = 60
# The status of `harness run` when it was told to end.
INTERRUPTED = 130


def call(*words, good=(0,), **more):
    """Runs a command and returns what it prints; what it says when it fails is told."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, **more)
    if done.returncode not in good:
        raise SystemExit(f"{' '.join(map(str, words))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout.strip()


@contextlib.contextmanager
def docker():
    """Sees to it that there is a Docker; one that was started here is stopped."""
    for command, package in [("dockerd", "docker.io"), ("docker", "docker.io"), ("docker-compose", "docker-compose")]:
        call("bash", "-c", f"source .ci/needs.sh; debian {command} '{package} iptables' 'clusters run in containers'", cwd=ROOT)
    asks = ["docker", "version", "--format", "{{.Server.Version}}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(asks, **quiet).returncode == 0:
        yield
        return
    with tempfile.NamedTemporaryFile("r") as log:
        started = subprocess.Popen(["dockerd"], stdout=open(log.name, "w"), stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + 60
            while subprocess.run(asks, **quiet).returncode != 0:
                if started.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"dockerd cannot be started here:\n{log.read()[-4000:]}")
                time.sleep(0.2)
            yield
        finally:
            started.terminate()
            started.wait()


def build(folder):
    """Builds both images of target/release/harness; `folder` is for what they are made of."""
    call("deploy/docker/context", folder / "context", cwd=ROOT)
    for target, tag in [("harness", "ssmr"), ("memcached", "ssmr-memcached")]:
        # The builder that comes with Debian's Docker; newer clients complain about it at length.
        call("docker", "build", "--quiet", "--target", target, "--tag", tag, folder / "context",
             env={**os.environ, "DOCKER_BUILDKIT": "0"}, stderr=subprocess.DEVNULL)


class Cluster:
    """The cluster of compose.yaml, under one strategy."""

    def __init__(self, strategy, folder):
        self.strategy, self.folder = strategy, folder / strategy
        self.folder.mkdir()
        self.project = f"ssmrci{os.getpid()}"
        self.load = f"{self.project}-load"
        self.network = f"{self.project}_default"
        self.containers, self.replicas = {}, []
        # Where the file is in each container.
        self.inside = "/etc/ssmr/cluster.toml"
        self.file = self.folder / "cluster.toml"
        text = (ROOT / "deploy/docker/cluster.toml").read_text()
        self.file.write_text(text.replace('strategy = "broker"', f'strategy = "{strategy}"'))
        self.environment = {**os.environ, "SSMR_CLUSTER": str(self.file), "COMPOSE_PROJECT_NAME": self.project}

    def compose(self, *words):
        return call("docker-compose", "--file", COMPOSE, *words, env=self.environment, stderr=subprocess.DEVNULL)

    def address(self, service):
        networks = json.loads(call("docker", "inspect", self.containers[service]))[0]["NetworkSettings"]["Networks"]
        return networks[self.network]["IPAddress"]

    def start(self):
        self.compose("up", "--detach", "--quiet-pull")
        self.compose("run", "--rm", "found")
        self.replicas = list(tomllib.loads(self.file.read_text())["replicas"])
        services = self.replicas + [f"cache-{index}" for index in range(3)]
        self.containers = {service: self.compose("ps", "--quiet", service) for service in services}

    def begin_load(self, *flags):
        """Starts the load and returns once it measures."""
        self.compose("run", "--detach", "--name", self.load, "load", *flags)
        self.await_load()

    def await_load(self):
        """Waits until the load is measured, which it tells. Notes when that was."""
        words = ["docker", "logs", "--timestamps", "--follow", self.load]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as log:
            line = next((line for line in log.stdout if "measuring" in line), None)
            log.kill()
        if line is None:
            raise SystemExit(f"the load ended before it was measured:\n{self.logs()}")
        # Python knows microseconds, Docker tells nanoseconds.
        since = datetime.datetime.fromisoformat(f"{line.split()[0][:26]}+00:00").timestamp()
        self.measured_from = time.monotonic() - (time.time() - since)

    def now(self):
        """Seconds since the load is measured."""
        return time.monotonic() - self.measured_from

    def status(self, *group):
        """What each replica says of itself, or nothing of one that is silent: of a group, or of all."""
        told = call("docker", "exec", self.load, "/usr/bin/harness", "cluster", "status", self.inside, "--json",
                    "--timeout", "1s", good=(0, 3))
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
                raise SystemExit(f"{self.strategy}: not recovered after {RECOVERY_S} s: {of_it}\n{self.logs_of(waits)}")

    def leader(self, group):
        return next(replica for replica, it in self.await_recovery(group).items() if it["is_leader"])

    def cut(self, service):
        call("docker", "network", "disconnect", self.network, self.containers[service])

    def mend(self, service):
        call("docker", "network", "connect", "--alias", service, self.network, self.containers[service])

    def told(self, text):
        print(f"{self.strategy}: {self.now():6.1f} s: {text}", flush=True)

    def logs(self):
        return call("docker", "logs", "--tail", "30", self.load, stderr=subprocess.STDOUT)

    def logs_of(self, services):
        return "\n".join(call("docker", "logs", "--tail", "30", self.containers[each], stderr=subprocess.STDOUT)
                         for each in services if each in self.containers)

    def end_load(self):
        """Tells the load to end, once all has happened, and to judge what it saw."""
        if call("docker", "inspect", "--format", "{{.State.Running}}", self.load) != "true":
            raise SystemExit(f"the load was over before all had happened:\n{self.logs()}")
        call("docker", "kill", "--signal", "INT", self.load)
        return self.judge(INTERRUPTED)

    def judge(self, expected):
        """Waits for the end of the load. Returns what is wrong with what it says."""
        status = int(call("docker", "wait", self.load))
        call("docker", "cp", f"{self.load}:/var/lib/ssmr/results", self.folder)
        (run,) = json.loads((self.results / "run.json").read_text())["strategies"]
        with open(self.results / "summary.csv", newline="") as file:
            total = next(row for row in csv.DictReader(file) if row["op"] == "all")
        self.told(f"{total['issued']} operations, {run['judged_ops']} judged, {total['errors']} errors, "
                  f"{run['linearizable']}, replicas agree: {run['replicas_agree']}, {run['cluster']}")
        good = {"linearizable": "ok", "replicas_agree": "yes", "cluster": "healthy", "unjudged_ops": 0, "problems": []}
        wrong = [f"{key} is {run[key]}, not {value}" for key, value in good.items() if run[key] != value]
        wrong += [f"{total['errors']} errors"] * (total["errors"] != "0")
        wrong += [f"exit status {status}, not {expected}"] * (status != expected)
        return [f"{self.strategy}: {each}" for each in wrong] + [self.logs()] * bool(wrong)

    @property
    def results(self):
        return (self.folder / "results/latest").resolve()

    def remove(self):
        subprocess.run(["docker", "rm", "--force", self.load], capture_output=True)
        self.compose("down", "--volumes", "--timeout", "5")
