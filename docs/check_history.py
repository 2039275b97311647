#!/usr/bin/env python3
"""A second judge of histories, written apart from crate `check`, from the page beside it alone.

    python3 docs/check_history.py FILE.jsonl ...

Every file is a history of `run --history` or of the simulator. Two ways of judging:

- Lists that are appended to (workload append) show in which order transactions took effect. What
  follows from what is a graph, with real time in it, and a cycle is a contradiction: Elle's idea
  (Kingsbury and Alvaro, 2020). It takes linear time.
- Otherwise a sequential order is searched for, for each set of objects that operations connect:
  Wing and Gong (1993), with Lowe's memory of positions that lead nowhere (2017). It gives up after
  so many steps, for the problem is NP-complete.

Exit status: 0 all are linearizable, 1 one is not, 2 one cannot be read or was not decided.
"""

import json
import sys
from collections import defaultdict

NEVER = float("inf")
MOST_STEPS = 3_000_000
ABSENT = ("absent",)
UNKNOWN = ("unknown",)


class Refused(Exception):
    """The history contradicts linearizability: why, in a sentence."""


class Undecided(Exception):
    """Nothing can be said: why, in a sentence."""


class Operation:
    def __init__(self, line):
        fields = json.loads(line)
        self.index, self.client = fields["index"], fields["client"]
        self.invoked = fields["invoked_us"]
        self.outcome = fields["outcome"]
        self.completed = NEVER if fields["completed_us"] is None else fields["completed_us"]
        self.acts = [(verb, name, frozen(value)) for verb, name, value in fields["acts"]]
        self.objects = {name for _, name, _ in self.acts}
        if self.completed < self.invoked or (self.completed == NEVER) != (self.outcome == "unknown"):
            raise Undecided(f"operation {self.index} has impossible times")

        # Whether it changes nothing in whatever state. That it changes nothing in one is not enough:
        # a write of what is there already may have to overwrite something else later.
        changing = {verb for verb, _, _ in self.acts} - {"read", "move", "lookup", "absent"}
        if self.outcome == "failed":
            changing &= {"create", "delete"}
        self.inert = self.completed < NEVER and (
            not changing or self.outcome not in ("done", "failed")
        )

    def __str__(self):
        acts = ", ".join(f"{verb} {name}" for verb, name, _ in self.acts)
        return f"operation {self.index} of client {self.client} ({acts}: {self.outcome})"


def frozen(value):
    return tuple(value) if isinstance(value, list) else value


def read(path):
    with open(path, encoding="utf-8") as file:
        header = json.loads(file.readline())
        if header.get("format") != "ssmr-history" or header.get("version") != 1:
            raise Undecided("it is no history of version 1")
        operations = [Operation(line) for line in file]
    if len(operations) != header["operations"]:
        raise Undecided("operations are missing")
    return operations


# The search.


def mix(x):
    """SplitMix64's finalizer, which the simulator's registers fold marks with."""
    x = (x + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def marked(value, mark):
    return (value[0] + 1, mix(value[1] ^ mark))


def apply(operation, state):
    """The state after an operation, or None if its outcome does not fit. A state is a dictionary of
    the objects that exist."""
    acts, outcome = operation.acts, operation.outcome
    if outcome in ("refused", "changed"):
        return state
    exists = any(verb == "create" and name in state for verb, name, _ in acts)
    needed = (name for verb, name, _ in acts if verb not in ("create", "absent"))
    if exists or any(name not in state for name in needed):
        found = "already-exists" if exists else "not-found"
        return state if outcome in (found, "unknown") else None
    if any(verb == "absent" and name in state for verb, name, _ in acts):
        return state if outcome == "unknown" else None
    if outcome in ("already-exists", "not-found"):
        return None
    after, broken = dict(state), set()
    for verb, name, value in acts:
        old = after.get(name)
        if verb == "create":
            after[name] = UNKNOWN if value is None else value
        elif verb == "delete":
            del after[name]
        elif verb in ("move", "lookup", "absent") or outcome == "failed":
            pass
        elif verb == "read":
            if value is not None and old not in (UNKNOWN, value):
                return None
        elif old == UNKNOWN or value is None:
            after[name] = UNKNOWN
        elif verb == "write":
            after[name] = value
        elif verb == "append":
            after[name] = old + (value,)
        elif verb == "mark":
            after[name] = marked(old, value)
        elif verb == "mark-even":
            # Once it has refused, the operation leaves this register as it found it.
            if old[0] % 2:
                broken.add(name)
            after[name] = state[name] if name in broken else marked(old, value)
        else:
            raise Undecided(f"it is not known here what {verb!r} does")
    return after


def connected(operations):
    """The sets of operations that objects connect."""
    parent = {}

    def root(name):
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for operation in operations:
        first, *others = sorted(operation.objects)
        for other in others:
            parent[root(other)] = root(first)
    sets = defaultdict(list)
    for operation in operations:
        sets[root(min(operation.objects))].append(operation)
    return sets.values()


def candidates(operations, taken, first):
    """The operations that may come next: those that began before any other one has ended."""
    deadline, found = NEVER, []
    for place in range(first, len(operations)):
        operation = operations[place]
        if operation.invoked > deadline:
            break
        if not taken >> place & 1:
            found.append(place)
            deadline = min(deadline, operation.completed)
    return [place for place in found if operations[place].invoked <= deadline]


def search(operations):
    operations = sorted(operations, key=lambda o: (o.invoked, o.completed))
    answered = sum(1 << i for i, o in enumerate(operations) if o.completed < NEVER)
    seen, steps, farthest = set(), 0, (-1, 0)
    stack = [(0, 0, {})]
    while stack:
        taken, first, state = stack.pop()
        if taken & answered == answered:
            return
        key = (taken, frozenset(state.items()))
        if key in seen:
            continue
        seen.add(key)
        farthest = max(farthest, (taken.bit_count(), taken))
        while taken >> first & 1:
            first += 1
        following = []
        for place in candidates(operations, taken, first):
            steps += 1
            after = apply(operations[place], state)
            if after is None:
                continue
            step = (taken | 1 << place, first, after)
            if operations[place].inert:
                # It changes nothing wherever it stands: now harms nothing that can follow.
                following = [step]
                break
            following.append(step)
        stack.extend(reversed(following))
        if steps > MOST_STEPS:
            raise Undecided(f"a set of {len(operations)} connected operations is too large")
    taken = farthest[1]
    left = [o for i, o in enumerate(operations) if not taken >> i & 1]
    stuck = min(left, key=lambda o: o.completed)
    raise Refused(
        f"no order of {len(operations)} operations on {len(set().union(*(o.objects for o in left)))} "
        f"objects explains their outcomes; with {farthest[0]} of them in order, {stuck} fits nowhere"
    )


# The graph.


def check_lists(operations):
    edges = defaultdict(dict)
    told = [o for o in operations if o.outcome not in ("refused", "changed", "failed")]
    by_index = {o.index: o for o in told}

    def follows(before, after, why):
        if before is not after:
            edges[before.index].setdefault(after.index, why)

    appenders, creators = {}, {}
    elements, reads = defaultdict(list), defaultdict(list)
    for operation in told:
        effective = operation.outcome in ("done", "unknown")
        for verb, name, value in operation.acts:
            if verb == "create" and operation.outcome == "done":
                if name in creators:
                    raise Refused(f"{creators[name]} and {operation} both created {name}")
                creators[name] = operation
            if verb == "read" and operation.outcome == "done":
                reads[name].append((value, operation))
            if effective and verb in ("create", "append"):
                for element in value if verb == "create" else (value,):
                    if appenders.setdefault((name, element), operation) is not operation:
                        raise Undecided(f"{element} is appended to {name} twice")
                    elements[name].append(element)
    for name in set(reads) | set(elements):
        order_list(name, elements[name], reads[name], appenders, creators.get(name), follows)
    for operation in told:
        # Of several objects nobody knows which one was there or was missing.
        if len(operation.objects) == 1:
            creator = creators.get(min(operation.objects))
            if creator and operation.outcome == "not-found":
                follows(operation, creator, "did not find what was created by")
            if creator and operation.outcome == "already-exists":
                follows(creator, operation, "created what was found by")
    real_time(told, follows_index=edges)
    cycle = find_cycle(edges)
    if cycle:
        names = {index: str(operation) for index, operation in by_index.items()}
        cycle = [node for node in cycle if node in names] or cycle
        raise Refused("these must each precede the next, in a circle: "
                      + " -> ".join(names.get(node, "?") for node in cycle + cycle[:1]))


def order_list(name, elements, reads, appenders, creator, follows):
    """What the reads of one list say: each is a prefix of the longest, which orders appends."""
    longest, longest_reader = max(reads, key=lambda r: len(r[0]), default=((), None))
    for element in longest:
        if (name, element) not in appenders:
            raise Refused(f"{longest_reader} found {element}, which nobody can have appended to {name}")
    if len(set(longest)) < len(longest):
        raise Refused(f"{longest_reader} found an element of {name} twice")
    order = [appenders[name, element] for element in longest]
    if creator and order and order[0] is not creator:
        raise Refused(f"{longest_reader} found {name} without what it was created with")
    for before, after in zip(order, order[1:]):
        follows(before, after, "appended before")
    unread = set(elements) - set(longest)
    unread = [appenders[name, element] for element in unread]
    for before in ([creator] if creator else []):
        for after in unread:
            follows(before, after, "created the list of")
    for value, reader in reads:
        if value != longest[: len(value)]:
            raise Refused(f"{reader} and {longest_reader} found {name} in two orders")
        if value:
            follows(order[len(value) - 1], reader, "was read by")
        # A list only grows: what was not read comes later.
        for after in order[len(value) : len(value) + 1] + unread:
            follows(reader, after, "did not find what was appended by")


def real_time(operations, follows_index):
    """Whoever ended before another one began precedes it: through one node for each end, so that
    there are no more edges than operations."""
    ends = sorted((o for o in operations if o.completed < NEVER), key=lambda o: o.completed)
    begins = sorted(operations, key=lambda o: o.invoked)
    place = 0
    for operation in begins:
        while place < len(ends) and ends[place].completed < operation.invoked:
            follows_index[ends[place].index][-1 - place] = "ended before"
            if place:
                follows_index[-place][-1 - place] = "ended before"
            place += 1
        if place:
            follows_index[-place][operation.index] = "ended before"


def find_cycle(edges):
    """The nodes of a cycle, if there is one: what is left when whatever has no predecessor goes."""
    incoming = defaultdict(int)
    for successors in edges.values():
        for node in successors:
            incoming[node] += 1
    free = [node for node in edges if not incoming[node]]
    while free:
        for node in edges.get(free.pop(), ()):
            incoming[node] -= 1
            if not incoming[node]:
                free.append(node)
    left = {node for node, count in incoming.items() if count}
    if not left:
        return None
    # Everything that is left has a predecessor that is left, too: going back ends in a circle.
    before = {after: node for node in left for after in edges.get(node, ()) if after in left}
    node, met = next(iter(left)), {}
    while node not in met:
        met[node] = len(met)
        node = before[node]
    path = list(met)[met[node] :]
    return path[::-1]


def judge(path):
    operations = read(path)
    verbs = {verb for operation in operations for verb, _, _ in operation.acts}
    if "append" in verbs and verbs <= {"create", "read", "append"}:
        check_lists(operations)
    else:
        for part in connected([o for o in operations if o.objects]):
            search(part)
    return len(operations)


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    status = 0
    for path in paths:
        try:
            print(f"{path}: linearizable, {judge(path)} operations")
        except Refused as why:
            print(f"{path}: not linearizable: {why}")
            status = 1
        except (Undecided, OSError, ValueError, KeyError) as why:
            print(f"{path}: not judged: {why}")
            status = status or 2
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
