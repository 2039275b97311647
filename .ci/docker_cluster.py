"""Clusters in containers: deploy/docker/compose.yaml, by Docker."""

import contextlib
import datetime
import json
import os
import subprocess
import tempfile
import time

from cluster import ROOT, CannotStart, Cluster, call

DEPLOY = ROOT / "deploy/docker"
# Images of this process alone: whoever uses this machine may have one that is called ssmr.
IMAGE = f"ssmrci{os.getpid()}"
MEMCACHED_IMAGE = f"{IMAGE}-memcached"


@contextlib.contextmanager
def docker(folder):
    """Sees to it that there is a Docker and that it has images of target/release/harness, of what is laid out in `folder`. The
    images are removed, and a Docker that was started here is stopped."""
    try:
        for command, package in [("dockerd", "docker.io"), ("docker", "docker.io"), ("docker-compose", "docker-compose")]:
            call("bash", "-c", f"source .ci/needs.sh; debian {command} '{package} iptables' 'clusters run in containers'", cwd=ROOT)
    except SystemExit as why:
        raise CannotStart(f"Docker cannot be installed here: {why}") from None
    with daemon():
        try:
            build(folder)
            probe()
            yield
        finally:
            subprocess.run(["docker", "rmi", "--force", IMAGE, MEMCACHED_IMAGE], capture_output=True)


@contextlib.contextmanager
def daemon():
    """Sees to it that Docker runs."""
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
                    raise CannotStart(f"dockerd cannot be started here:\n{log.read()[-4000:]}")
                time.sleep(0.2)
            yield
        finally:
            started.terminate()
            started.wait()


def build(folder):
    """Builds both images; `folder` is for what they are made of."""
    call(DEPLOY / "context", folder / "context")
    for target, tag in [("harness", IMAGE), ("memcached", MEMCACHED_IMAGE)]:
        # The builder that comes with Debian's Docker; newer clients complain about it at length.
        call("docker", "build", "--quiet", "--target", target, "--tag", tag, folder / "context",
             env={**os.environ, "DOCKER_BUILDKIT": "0"}, stderr=subprocess.DEVNULL)


def probe():
    """Runs one container."""
    try:
        call("docker", "run", "--rm", IMAGE, "--version", stderr=subprocess.STDOUT)
    except SystemExit as why:
        raise CannotStart(f"containers cannot be started here: {why}") from None


class DockerCluster(Cluster):
    """A cluster of which each process is a container, by compose."""

    outside = []
    # Where the file is in each container.
    inside = "/etc/ssmr/cluster.toml"

    def __init__(self, strategy, folder):
        super().__init__(strategy, folder)
        self.load, self.guest = f"{self.project}-load", f"{self.project}-guest"
        self.network = f"{self.project}_default"
        self.containers = {"load": self.load}
        self.environment = {**os.environ, "COMPOSE_PROJECT_NAME": self.project, "SSMR_CLUSTER": str(self.file),
                            "SSMR_SECRET": str(self.secret), "SSMR_TLS": str(self.tls), "SSMR_IMAGE": IMAGE, "SSMR_MEMCACHED_IMAGE": MEMCACHED_IMAGE}
        self.files = [DEPLOY / "compose.yaml"]
        if self.secret.exists():
            os.chown(self.secret, 65532, 65532)
            self.files.append(DEPLOY / "secrets.yaml")
        if self.tls.exists():
            for path in [self.tls, *self.tls.iterdir()]:
                os.chown(path, 65532, 65532)
            self.files += [DEPLOY / "tls.yaml", DEPLOY / "tls-load.yaml"]

    def compose(self, *words):
        files = [word for file in self.files for word in ("--file", file)]
        # Its folder is that of the first file.
        return call("docker-compose", *files, *words, env=self.environment, stderr=subprocess.DEVNULL)

    def start(self):
        self.compose("up", "--detach", "--quiet-pull")
        self.compose("run", "--rm", "found")
        self.containers |= {each: self.compose("ps", "--quiet", each) for each in self.replicas + self.caches}

    def harness(self, *words, **more):
        return call("docker", "exec", self.load, "/usr/bin/harness", *words, **more)

    def address(self, service):
        networks = json.loads(call("docker", "inspect", self.containers[service]))[0]["NetworkSettings"]["Networks"]
        return networks[self.network]["IPAddress"]

    def pause(self, service):
        call("docker", "pause", self.containers[service])

    def resume(self, service):
        call("docker", "unpause", self.containers[service])

    def kill(self, service):
        call("docker", "kill", self.containers[service])

    def start_again(self, service):
        call("docker", "start", self.containers[service])

    def restart(self, service):
        call("docker", "restart", "--time", "30", self.containers[service])

    def cut(self, service):
        call("docker", "network", "disconnect", self.network, self.containers[service])

    def mend(self, service):
        call("docker", "network", "connect", "--alias", service, self.network, self.containers[service])

    def move(self, service):
        """Somebody else takes its address meanwhile: a container gets the lowest one that is free."""
        call("docker", "stop", self.containers[service])
        self.cut(service)
        call("docker", "run", "--detach", "--name", self.guest, "--network", self.network, MEMCACHED_IMAGE)
        self.mend(service)
        call("docker", "start", self.containers[service])

    @property
    def restart_command(self):
        labels = " ".join(f"--filter label=com.docker.compose.{it}" for it in [f"project={self.project}", "service={}"])
        return f"docker restart --time 30 $(docker ps --quiet {labels})"

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
            raise SystemExit(f"the load ended before it was measured:\n{self.logs_of(['load'])}")
        # Python knows microseconds, Docker tells nanoseconds.
        since = datetime.datetime.fromisoformat(f"{line.split()[0][:26]}+00:00").timestamp()
        self.measured_from = time.monotonic() - (time.time() - since)

    def load_runs(self):
        return call("docker", "inspect", "--format", "{{.State.Running}}", self.load) == "true"

    def tell_load_to_end(self):
        call("docker", "kill", "--signal", "INT", self.load)

    def await_end_of_load(self):
        status = int(call("docker", "wait", self.load))
        call("docker", "cp", f"{self.load}:/var/lib/ssmr/results", self.folder)
        return status

    def logs_of(self, services):
        return "\n".join(call("docker", "logs", "--tail", "30", self.containers[each], stderr=subprocess.STDOUT)
                         for each in services if each in self.containers)

    def remove(self):
        subprocess.run(["docker", "rm", "--force", self.load, self.guest], capture_output=True)
        self.compose("down", "--volumes", "--timeout", "5")
