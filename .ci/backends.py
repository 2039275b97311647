"""What clusters under test are run by: containers where they can be, network namespaces where they cannot."""

import sys

from cluster import CannotStart
from docker_cluster import DockerCluster, docker
from namespace_cluster import NamespaceCluster, namespaces

BACKENDS = {"docker": (docker, DockerCluster), "namespaces": (namespaces, NamespaceCluster)}


def enter(stack, folder, names):
    """Enters the first of these backends that there can be here, until `stack` is left. Returns its clusters' class; says on
    standard error what could not be, and ends the program if none can."""
    for name in names:
        able, cluster = BACKENDS[name]
        try:
            stack.enter_context(able(folder))
            return cluster
        except CannotStart as why:
            print(why, file=sys.stderr, flush=True)
    raise SystemExit(f"NOT RUN: nothing of {', '.join(names)} can be had here, and clusters need one of them")
