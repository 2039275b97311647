"""The same cluster where containers cannot be run: each process in a network namespace of its own.

All namespaces hang on one bridge by pairs of veth; the bridge is in a namespace, too, so that nothing of this machine's
network is touched. Names are in a file of hosts that each process has in place of /etc/hosts. A process that ends in order is
started again, as by compose. It takes root, `ip` and `nsenter`.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time

from cluster import HARNESS, ROOT, CannotStart, Cluster, call

# A network of its own: nobody else is in it.
NETWORK = "10.98.0"
HUB = 1


@contextlib.contextmanager
def namespaces(_folder):
    """Sees to it that there can be namespaces."""
    probe = f"ssmrci{os.getpid()}-probe"
    try:
        for command, package in [("ip", "iproute2"), ("nsenter", "util-linux"), ("memcached", "memcached")]:
            call("bash", "-c", f"source .ci/needs.sh; debian {command} {package} 'clusters run in network namespaces'", cwd=ROOT)
        call("ip", "netns", "add", probe, stderr=subprocess.STDOUT)
    except SystemExit as why:
        raise CannotStart(f"there can be no network namespaces here: {why}") from None
    try:
        call("ip", "-n", probe, "link", "add", "probe", "type", "veth", "peer", "name", "other", stderr=subprocess.STDOUT)
        call("ip", "-n", probe, "link", "add", "bridge", "type", "bridge", stderr=subprocess.STDOUT)
    except SystemExit as why:
        raise CannotStart(f"network namespaces cannot be joined here: {why}") from None
    finally:
        call("ip", "netns", "delete", probe)
    yield


class Process:
    """A process that is started again when it ends in order, until it is stopped. Its number is in a file."""

    def __init__(self, words, folder, name):
        self.words = [str(word) for word in words]
        self.pid_file, self.log = folder / f"{name}.pid", open(folder / f"{name}.log", "a")
        self.turn = threading.Lock()
        self.start()

    def start(self):
        self.stopped, runs = False, threading.Event()
        self.thread = threading.Thread(target=self.keep, args=[runs], daemon=True)
        self.thread.start()
        runs.wait()

    def keep(self, runs):
        status = 0
        # One that fails is left as it is: whoever waits for it says so.
        while status == 0:
            with self.turn:
                if self.stopped:
                    return
                self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
                self.pid_file.write_text(str(self.process.pid))
            runs.set()
            status = self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, number):
        """Ends it by a signal, for as long as it is not started."""
        with self.turn:
            self.stopped = True
            self.signal(number)
        self.thread.join()


class NamespaceCluster(Cluster):
    """A cluster of which each process is in a network namespace."""

    def __init__(self, strategy, folder):
        super().__init__(strategy, folder)
        self.file.write_text(self.file.read_text().replace('"/var/lib/ssmr"', f'"{self.folder}/data"'))
        self.inside, self.hosts = self.file, self.folder / "hosts"
        self.addresses, self.processes = {}, {}

    def namespace(self, name):
        return f"{self.project}-{name}"

    def within(self, name):
        """What comes before a command that is to run in this namespace, with the file of hosts."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}", "unshare", "--mount", "sh", "-c",
                'mount --bind "$0" /etc/hosts && exec "$@"', self.hosts]

    @property
    def outside(self):
        return self.within("hub")

    def ip(self, name, *words):
        call("ip", "-n", self.namespace(name), *words)

    def start(self):
        call("ip", "netns", "add", self.namespace("hub"))
        self.ip("hub", "link", "add", "bridge", "type", "bridge")
        self.ip("hub", "address", "add", f"{NETWORK}.{HUB}/24", "dev", "bridge")
        self.ip("hub", "link", "set", "bridge", "up")
        for number, name in enumerate(self.replicas + self.caches + ["load"], HUB + 1):
            self.join(name)
            self.give(name, f"{NETWORK}.{number}")
        for name in self.caches:
            self.run(name, "memcached", "--user=nobody", "--listen=0.0.0.0", "--memory-limit=64")
        for name in self.replicas:
            self.run(name, HARNESS, "node", "--cluster", self.file, "--replica", name)
        self.harness("cluster", "found", self.file)

    def join(self, name):
        """Makes a namespace, with a cable to the bridge."""
        call("ip", "netns", "add", self.namespace(name))
        self.ip("hub", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", self.namespace(name))
        self.ip("hub", "link", "set", name, "master", "bridge", "up")
        for link in ["lo", "eth0"]:
            self.ip(name, "link", "set", link, "up")

    def give(self, name, address):
        """Gives it an address, and tells everybody."""
        self.ip(name, "address", "flush", "dev", "eth0")
        self.ip(name, "address", "add", f"{address}/24", "dev", "eth0")
        self.addresses[name] = address
        lines = ["127.0.0.1 localhost", *(f"{its} {known}" for known, its in self.addresses.items())]
        # In place: it is this very file that the processes see.
        self.hosts.write_text("\n".join(lines) + "\n")

    def run(self, name, *words):
        self.processes[name] = Process([*self.within(name), *words], self.folder, name)

    def harness(self, *words, **more):
        return call(*self.within("load"), HARNESS, *words, **more)

    def address(self, service):
        return self.addresses[service]

    def pause(self, service):
        self.processes[service].signal(signal.SIGSTOP)

    def resume(self, service):
        self.processes[service].signal(signal.SIGCONT)

    def kill(self, service):
        self.processes[service].stop(signal.SIGKILL)

    def start_again(self, service):
        self.processes[service].start()

    def restart(self, service):
        self.processes[service].stop(signal.SIGTERM)
        self.processes[service].start()

    def cut(self, service):
        """Its cable's end at the bridge goes down."""
        self.ip("hub", "link", "set", service, "down")

    def mend(self, service):
        self.ip("hub", "link", "set", service, "up")

    def move(self, service):
        self.processes[service].stop(signal.SIGTERM)
        self.give(service, f"{NETWORK}.{HUB + 1 + len(self.addresses)}")
        self.processes[service].start()

    @property
    def restart_command(self):
        # It ends in order, so it is started again.
        return f"kill -TERM $(cat {shlex.quote(str(self.folder))}/{{}}.pid)"

    def begin_load(self, *flags):
        """Starts the load and returns once it measures."""
        words = [*self.within("load"), HARNESS, "run", "--deploy", self.file, "--out", self.folder / "results", *flags]
        with open(self.folder / "load.log", "w") as log:
            self.load = subprocess.Popen(words, stdout=log, stderr=subprocess.PIPE, text=True)
        self.load_says = []
        for line in self.load.stderr:
            self.load_says.append(line)
            if "measuring" in line:
                break
        else:
            raise SystemExit(f"the load ended before it was measured:\n{self.logs_of(['load'])}")
        self.measured_from = time.monotonic()
        threading.Thread(target=lambda: self.load_says.extend(self.load.stderr), daemon=True).start()

    def load_runs(self):
        return self.load.poll() is None

    def tell_load_to_end(self):
        self.load.send_signal(signal.SIGINT)

    def await_end_of_load(self):
        status = self.load.wait()
        # Ended by a signal, as a shell tells it.
        return status if status >= 0 else 128 - status

    def logs_of(self, services):
        def last(name):
            return "".join((self.folder / f"{name}.log").read_text().splitlines(keepends=True)[-30:])
        said = "".join(self.load_says[-30:]) if "load" in services else ""
        return said + "\n".join(last(each) for each in services if (self.folder / f"{each}.log").exists())

    def remove(self):
        if load := getattr(self, "load", None):
            load.kill()
            load.wait()
        for process in self.processes.values():
            process.stop(signal.SIGKILL)
        for name in ["hub", *self.addresses]:
            subprocess.run(["ip", "netns", "delete", self.namespace(name)], capture_output=True)
