//! Bad usage: exit status 2, and a message that names the flag.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output};

fn harness(arguments: &[&str]) -> Output {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(arguments);
    if arguments.first() == Some(&"run") && !arguments.contains(&"--out") {
        command.arg("--out").arg(out.path());
    }
    command.output().unwrap()
}

/// Asserts that these flags of `run` are refused, with a message that contains all of these words.
fn refused(flags: &[&str], words: &[&str]) {
    let output = harness(&[&["run"], flags].concat());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{flags:?}: {message}");
    for word in words {
        assert!(
            message.contains(word),
            "{flags:?}: no {word:?} in {message}"
        );
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn unknown_names_are_refused_with_the_known_ones() {
    refused(
        &["--strategy", "blockchain"],
        &[
            "--strategy",
            "blockchain",
            "global",
            "broker",
            "static",
            "cache",
            "all",
        ],
    );
    refused(
        &["--workload", "tpce"],
        &["--workload", "tpce", "kv", "chirper", "append", "tpcc"],
    );
    refused(
        &["--workload", "chirper", "--mix", "party"],
        &["--mix", "growing"],
    );
    refused(
        &["--workload", "tpcc", "--scale", "half"],
        &["--scale", "half", "mini", "full"],
    );
    refused(&["--execution", "later"], &["--execution", "gather"]);
    refused(&["--reads", "dirty"], &["--reads", "lease"]);
    refused(&["--directory", "root"], &["--directory", "home"]);
    refused(&["--popularity", "normal"], &["--popularity", "zipf"]);
    refused(&["--value-size", "large"], &["--value-size", "lognormal"]);
    refused(&["--nonsense", "1"], &["--nonsense"]);
}

#[test]
fn numbers_out_of_bounds_are_refused() {
    for bad in ["0", "256", "1000", "-1", "two", ""] {
        refused(&["--partitions", bad], &["--partitions"]);
        refused(&["--replicas", bad], &["--replicas"]);
        refused(&["--oracle-replicas", bad], &["--oracle-replicas"]);
    }
    for even in ["2", "4"] {
        refused(&["--replicas", even], &["--replicas", "even"]);
        refused(&["--oracle-replicas", even], &["--oracle-replicas", "even"]);
    }
    for flag in [
        "--clients",
        "--window",
        "--rate",
        "--operations",
        "--keys",
        "--multi-objects",
        "--base-port",
    ] {
        refused(&[flag, "0"], &[flag]);
        refused(&[flag, "many"], &[flag]);
    }
    refused(&["--value-size", "2000000"], &["--value-size"]);
    refused(&["--base-port", "70000"], &["--base-port"]);
    refused(&["--seed", "x"], &["--seed"]);
}

#[test]
fn a_history_needs_an_ending_that_is_known_and_a_place() {
    for bad in ["history", "history.json", "history.", ".edn", ""] {
        refused(&["--history", bad], &["--history", ".jsonl", ".edn"]);
    }
    refused(
        &["--history", "no/such/folder/h.edn"],
        &["--history", "no/such/folder/h"],
    );
}

#[test]
fn what_the_machine_cannot_carry_is_refused() {
    refused(
        &["--partitions", "255", "--replicas", "255"],
        &["--partitions", "limit"],
    );
}

#[test]
fn times_need_a_unit_and_a_length() {
    for bad in ["0s", "10", "soon", "-1s", ""] {
        refused(&["--duration", bad], &["--duration"]);
    }
    refused(&["--warmup", "2"], &["--warmup"]);
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    refused(&["--rate", "100", "--window", "2"], &["--rate", "--window"]);
    refused(
        &["--operations", "100", "--duration", "2s"],
        &["--operations", "--duration"],
    );
}

#[test]
fn shared_flags_are_refused_by_workloads_that_do_not_take_them() {
    for flags in [
        &["--popularity", "zipf:0.5"][..],
        &["--value-size", "9"],
        &["--multi-partitions", "2"],
    ] {
        refused(
            &[&["--workload", "append"], flags].concat(),
            &[flags[0], "append"],
        );
    }
    refused(
        &["--workload", "ycsb-a", "--multi-partitions", "2"],
        &["--multi-partitions", "ycsb-a"],
    );
}

#[test]
fn celebrities_need_a_mix_that_has_them() {
    let chirper = |flags: &[&str], words: &[&str]| {
        refused(&[&["--workload", "chirper"], flags].concat(), words);
    };
    chirper(&["--shift-at", "5"], &["--shift-at", "celebrity"]);
    chirper(
        &["--mix", "celebrity", "--popularity", "uniform"],
        &["--popularity", "celebrity"],
    );
    chirper(
        &["--value-size", "200000"],
        &["--value-size", "a timeline of"],
    );
}

#[test]
fn so_many_partitions_are_refused_where_that_cannot_be_known() {
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &["--move"]),
        (
            &["--move", "0", "--read", "50", "--partitions", "1"],
            &["--partitions"],
        ),
        (
            &["--move", "0", "--read", "50", "--multi-objects", "1"],
            &["--multi-objects"],
        ),
        (
            &["--move", "0", "--read", "55", "--multi", "0"],
            &["--multi"],
        ),
        (
            &["--move", "0", "--read", "50", "--keys", "3"],
            &["--keys", "home"],
        ),
        (
            &["--move", "0", "--read", "50", "--execution", "gather"],
            &["gather"],
        ),
    ];
    for (flags, words) in cases {
        let flags = [&["--multi-partitions", "2"], *flags].concat();
        refused(&flags, &[&["--multi-partitions"], *words].concat());
    }
}

#[test]
fn flags_of_other_workloads_are_refused_with_theirs() {
    for flags in [
        &["--graph", "Cargo.toml"][..],
        &["--mix", "mix"],
        &["--directed"],
        &["--max-degree", "5"],
    ] {
        refused(flags, &[flags[0], "kv", "chirper"]);
    }
    refused(
        &["--workload", "append", "--records", "5"],
        &["--records", "append", "ycsb-a"],
    );
    refused(
        &["--workload", "ycsb-a", "--keys", "5"],
        &["--keys", "ycsb-a", "kv has"],
    );
}

#[test]
fn percentages_add_up_to_100() {
    refused(&["--read", "46"], &["--read", "101"]);
    refused(&["--read", "0", "--update", "0"], &["--update", "20"]);
    refused(&["--read", "101"], &["--read"]);
    refused(&["--workload", "append", "--lists", "2"], &["--lists-each"]);
    refused(
        &["--keys", "3", "--multi-objects", "4"],
        &["--multi-objects"],
    );
    refused(
        &["--value-size", "1000000", "--multi-objects", "9"],
        &["--multi-objects", "--value-size"],
    );
}

#[test]
fn graphs_are_refused_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let chirper = |content: Option<&str>, words: &[&str]| {
        let file = folder.path().join("graph.txt");
        let _ = fs::remove_file(&file);
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let file = file.to_str().unwrap();
        let words = [&["--graph", file], words].concat();
        refused(&["--workload", "chirper", "--graph", file], &words);
    };
    chirper(None, &["No such file"]);
    chirper(Some(""), &["no edge"]);
    chirper(Some("# nothing\n"), &["no edge"]);
    chirper(Some("1 2\n2 three\n"), &["line 2", "2 three"]);
    let hub: String = (1..=5000).map(|other| format!("0 {other}\n")).collect();
    chirper(
        Some(&hub),
        &["vertex 0 has 5000 followers", "--max-degree 4096"],
    );

    let small = folder.path().join("small.txt");
    fs::write(&small, "1 2\n2 3\n").unwrap();
    let small = small.to_str().unwrap();
    refused(
        &["--workload", "chirper", "--graph", small, "--clients", "4"],
        &["--clients", "3 users"],
    );
    refused(&["--workload", "chirper", "--graph", "."], &["--graph"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    refused(
        &["--out", "/dev/null/results"],
        &["--out", "/dev/null/results"],
    );
}

#[test]
fn ports_in_use_are_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refused(
        &["--base-port", &port, "--strategy", "static"],
        &["--base-port", &port],
    );
    refused(
        &["--base-port", "65534", "--strategy", "static"],
        &["--base-port"],
    );
}

#[test]
fn caches_that_are_not_there_are_refused() {
    refused(&["--memcached", "localhost"], &["--memcached", "HOST:PORT"]);
    // Nobody listens on the port of a listener that is gone.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("127.0.0.1:{port}");
    refused(&["--memcached", &address], &["--memcached", &address]);
    for bad in [
        "local:0",
        "local:",
        "local:65",
        "local:x",
        "local:3:1MiB",
        "local:3:8",
    ] {
        refused(&["--memcached", bad], &["--memcached", "local:N"]);
    }
    refused(
        &["--memcached", &format!("{address},local:1")],
        &["--memcached", "HOST:PORT"],
    );
}

#[test]
fn only_a_shared_cache_can_answer_reads_alone() {
    let stale = ["--cache-reads", "stale"];
    let with = |more: &[&'static str]| [more, &stale].concat();
    refused(
        &stale,
        &["--cache-reads stale", "global has no shared cache"],
    );
    let words = ["--cache-reads stale", "static has no shared cache"];
    refused(&with(&["--strategy", "cache,static"]), &words);
    let words = ["--cache-reads stale", "--peak"];
    refused(&with(&["--strategy", "cache", "--peak"]), &words);
    refused(
        &["--cache-reads", "fresh"],
        &["--cache-reads", "checked", "stale"],
    );
}

#[test]
fn a_memcached_that_is_not_installed_is_missed_by_name() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(["run", "--memcached", "local:1", "--out"]);
    command.arg(empty.path()).env("PATH", empty.path());
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    for word in ["--memcached", "missing", "apt-get install memcached"] {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
}

#[test]
fn help_shows_every_flag_with_its_default_and_examples() {
    let output = harness(&["run", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for word in [
        "--strategy",
        "--partitions",
        "[default: 2]",
        "Examples:",
        "Exit status:",
        "--audit",
        "Workload kv:",
        "Workload chirper:",
    ] {
        assert!(help.contains(word), "no {word:?} in {help}");
    }
    let (_, statuses) = help
        .split_once("\n\nExit status:\n")
        .expect("a part of its own");
    for line in statuses.lines().filter(|line| !line.is_empty()) {
        let (number, about) = line.split_at(7);
        let is_number = number.trim().parse::<u8>().is_ok() && number.starts_with("  ");
        let goes_on = number.trim().is_empty();
        assert!(
            (is_number || goes_on) && !about.starts_with(' '),
            "{line:?}"
        );
    }
    assert_eq!(harness(&[]).status.code(), Some(2));
    assert_eq!(harness(&["sing"]).status.code(), Some(2));
}

#[test]
fn schedules_that_cannot_be_carried_out_are_refused() {
    let cases: &[(&[&str], &str)] = &[
        (&["--fault", "kill-leader:p9@1s"], "there is no group p9"),
        (&["--fault", "cut:p0r7@1s+1s"], "there is no replica p0r7"),
        (&["--fault", "kill-leader:p0@1h"], "--duration"),
        (
            &["--strategy", "static", "--fault", "kill-oracle-leader@1s"],
            "broker",
        ),
        (
            &["--strategy", "static", "--fault", "stop-cache@1s+1s"],
            "no embedded cache",
        ),
        (&["--replicas", "1", "--fault", "kill-random"], "last copy"),
        (
            &["--oracle-replicas", "1", "--fault", "kill-oracle-leader@1s"],
            "last copy",
        ),
        (&["--fault", "explode@1s"], "kill-random"),
        (&["--fault", "kill:p9r0@1s"], "there is no replica p9r0"),
        (&["--replicas", "1", "--fault", "kill:p0r0@1s"], "last copy"),
        (&["--fault", "pause:p0r1@1s+1s"], "--deploy processes"),
        (&["--fault", "random:cut+pause"], "--deploy processes"),
        (&["--fault", "full-disk:p0r1@1s+1s"], "--durability"),
        (&["--fault", "freeze-cache:0@1s+1s"], "local:N"),
        (
            &["--memcached", "local:2", "--fault", "stop-cache@1s+1s"],
            "no embedded cache",
        ),
        (
            &["--memcached", "local:2", "--fault", "freeze-cache:2@1s+1s"],
            "they are 0 to 1",
        ),
        (
            &["--strategy", "static", "--fault", "flush-cache@1s"],
            "strategy cache has them",
        ),
        (
            &["--memcached", "127.0.0.1:1", "--fault", "flush-cache@1s"],
            "this run's own",
        ),
        (&["--fault", "random:kill-leader"], "is not one of kill"),
        (&["--log-bytes", "5"], "--log-bytes"),
    ];
    for (flags, word) in cases {
        refused(flags, &["--", word]);
    }
}

#[test]
fn a_node_needs_a_cluster_that_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.toml");
    let path = file.to_str().unwrap();
    let refused = |words: &[&str]| {
        let output = harness(&["node", "--cluster", path, "--replica", "p0r0"]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        for word in words {
            assert!(message.contains(word), "no {word:?} in {message}");
        }
    };
    refused(&["--cluster", "cluster.toml"]);
    fs::write(&file, "strategy = 'magic'\n[replicas]\np0r0 = 'here'\n").unwrap();
    refused(&[
        "--cluster: 3 problems",
        "cluster.toml: incarnation: it is missing",
        "cluster.toml:1: strategy: \"magic\" is not one of",
        "cluster.toml:3: replicas.p0r0: \"here\" is not HOST:PORT",
    ]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let cluster = |name: &str| {
        let settings = "incarnation = '1'\nstrategy = 'static'\nservice = 'kv'\n";
        let text = format!("{settings}[replicas]\n{name} = '{address}'\n");
        fs::write(&file, text).unwrap();
    };
    cluster("p0r1");
    refused(&["--cluster", "p0r1"]);
    cluster("p0r0");
    // It may be free the next time.
    let output = harness(&["node", "--cluster", path, "--replica", "p0r0"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains(&address) && message.contains("p0r0"),
        "{message}"
    );
    let stranger = harness(&["node", "--cluster", path, "--replica", "p7r7"]);
    assert_eq!(stranger.status.code(), Some(2));
    let message = String::from_utf8(stranger.stderr).unwrap();
    assert!(
        message.contains("--replica") && message.contains("p7r7"),
        "{message}"
    );
}
