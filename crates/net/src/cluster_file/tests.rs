use super::*;
use crate::network::{Network, Party};
use ssmr_strategy_broker::Broker;
use ssmr_strategy_global::Global;

const WHOLE: &str = r#"
incarnation = "9f3c51a0774be812"
strategy = "broker"
service = "kv"
durability = "sync"
data = "things"
log_bytes = 1_000
listen = "0.0.0.0:4000"
metrics = "0.0.0.0:9400"
secret = "things.secret"
tls = "doors"
insecure = true
memcached = ["cache-0:11211", "[::1]:11212"]

[replicas]
p0r0 = "host-a:4000"
p1r0 = { at = "host-b:4000", listen = "10.0.0.3:4001", metrics = "10.0.0.3:9401", data = "/mnt/a" }
oracler0 = "127.0.0.1:4002"

[limits]
clients = 10
stall_ms = 250

[experiment]
seed = 7
service_time_us = 1000
stages = true
"#;

const LEAST: &str = r#"
incarnation = "1"
strategy = "global"
[replicas]
p0r0 = "host-a:4000"
"#;

fn parse(text: &str) -> Result<ClusterFile, FileProblems> {
    let known = KnownNames {
        strategies: &["broker", "global"],
        services: &["kv"],
    };
    ClusterFile::parse(text, "/etc/things/cluster.toml", known)
}

const NETWORK: &str = r#"
[network]
sites = ["near", "far"]
placement = "by-group"
clients = ["far"]
seed = 3
[network.replicas]
p1r0 = "near"
[network.between]
latency = "40ms"
jitter = "2ms"
loss = "0.1%"
[[network.route]]
from = "far"
to = "near"
bandwidth = "1mbit"
"#;

/// What is wrong with [`WHOLE`] once something in it is another, without the file's name.
fn wrong(from: &str, to: &str) -> Vec<String> {
    assert!(WHOLE.contains(from));
    let problems = parse(&WHOLE.replace(from, to)).unwrap_err();
    let lines = problems.to_string();
    let lines = lines.lines().map(|line| {
        let own = line.strip_prefix("/etc/things/cluster.toml:");
        own.unwrap_or_else(|| panic!("{line}")).trim().to_owned()
    });
    lines.collect()
}

#[test]
fn all_keys_are_read_and_written_again() {
    let file = parse(WHOLE).unwrap();
    assert_eq!(file.config.incarnation, 0x9f3c_51a0_774b_e812);
    assert_eq!(
        file.config.topology.to_string(),
        "2 partitions of 1 replicas and an oracle of 1"
    );
    assert_eq!(file.config.cache_servers, ["cache-0:11211", "[::1]:11212"]);
    assert_eq!(
        file.config.tls.as_deref(),
        Some("/etc/things/doors".as_ref())
    );
    assert!(file.insecure);
    assert_eq!(parse(&file.to_string()).unwrap(), file);
    let least = parse(LEAST).unwrap();
    assert_eq!(parse(&least.to_string()).unwrap(), least);
    assert_eq!(
        (least.service, least.durability),
        (None, Durability::Memory)
    );
}

#[test]
fn a_network_is_described_in_full_or_by_its_name_and_written_so() {
    let file = parse(&format!("{WHOLE}{NETWORK}")).unwrap();
    let network = file.config.network.clone().unwrap();
    let again: Network = network.to_string().parse().unwrap();
    assert_eq!(again, network, "the same table is a file of its own");
    let [first, other] = ["p0r0", "p1r0"].map(|id| Party::Replica(id.parse().unwrap()));
    assert_eq!(network.site(other), "near");
    let far = Party::Client(ssmr_core::ClientId(0));
    assert_eq!(network.route(far, first).bandwidth, Some(1_000_000));
    assert_eq!(parse(&file.to_string()).unwrap(), file);

    let named = WHOLE.replace("[replicas]", "network = \"wan\"\n[replicas]");
    let file = parse(&named).unwrap();
    assert_eq!(file.config.network, Network::built_in("wan"));
    let written = file.to_string();
    assert!(written.contains("network = \"wan\"\n"), "{written}");
    assert_eq!(parse(&written).unwrap(), file);
    let mut seeded = file;
    seeded.config.network = seeded.config.network.map(|it| it.with_seed(7));
    assert_eq!(parse(&seeded.to_string()).unwrap(), seeded);
}

#[test]
fn what_is_wrong_with_a_network_is_told_among_the_rest() {
    let bad = NETWORK
        .replace("by-group", "by-hand")
        .replace("p1r0", "p7r0")
        .replace("\"40ms\"", "\"40\"")
        .replace("from = \"far\"", "from = \"away\"");
    let text = format!("{}{bad}", WHOLE.replace("seed = 7", "seeds = 7"));
    let told = parse(&text).unwrap_err().to_string();
    for part in [
        ":25: experiment.seeds: ",
        ":31: network.placement: \"by-hand\" is neither",
        ":37: network.between.latency: \"40\" is no time",
        ":41: network.route.from: \"away\" is not one of near, far",
    ] {
        assert!(told.contains(part), "{told} does not say {part}");
    }
    let stranger = NETWORK.replace("p1r0", "p7r0");
    let told = parse(&format!("{WHOLE}{stranger}"))
        .unwrap_err()
        .to_string();
    let part = "network.replicas.p7r0: the cluster has no such replica";
    assert!(told.contains(part), "{told}");
    let told = wrong("[replicas]", "network = \"man\"\n[replicas]");
    let part = "15: network: \"man\" is not one of lan, wan, nor a table";
    assert_eq!(told, [part]);
}

#[test]
fn a_replica_has_its_own_place_or_that_of_all() {
    let file = parse(WHOLE).unwrap();
    let [first, own] = ["p0r0", "p1r0"].map(|id| id.parse().unwrap());
    assert_eq!(file.listens_at(first).unwrap().to_string(), "0.0.0.0:4000");
    assert_eq!(file.listens_at(own).unwrap().to_string(), "10.0.0.3:4001");
    let metrics = |id| file.serves_metrics_at(id).unwrap().to_string();
    assert_eq!(metrics(first), "0.0.0.0:9400");
    assert_eq!(metrics(own), "10.0.0.3:9401");
    let error = file.replica_options(first, Broker).unwrap_err();
    let named = "secret /etc/things/things.secret: ";
    assert!(error.to_string().starts_with(named), "{error}");
    let mut file = file;
    file.secret = None;
    let durability = |id| file.replica_options(id, Broker).unwrap().durability;
    let sync = |folder: &str| Durability::Sync(folder.into());
    assert_eq!(
        durability(first),
        sync("/etc/things/things"),
        "from the file's folder"
    );
    assert_eq!(durability(own), sync("/mnt/a"));
    let stranger = "p7r0".parse().unwrap();
    assert_eq!(file.listens_at(stranger), None);
    file.replica_options(stranger, Broker).unwrap_err();
    let reached = parse(LEAST).unwrap();
    assert_eq!(
        reached.listens_at(first).unwrap().to_string(),
        "host-a:4000"
    );
    let error = reached.replica_options(first, Broker).unwrap_err();
    assert!(
        matches!(error, ConfigError::OtherStrategy { .. }),
        "{error}"
    );
    reached.replica_options(first, Global).unwrap();
}

#[test]
fn what_is_wrong_is_told_with_line_and_key() {
    for (from, to, told) in [
        (
            "\"9f3c",
            "\"xyz",
            "2: incarnation: \"xyz51a0774be812\" is no number",
        ),
        (
            "\"broker\"",
            "\"magic\"",
            "3: strategy: \"magic\" is not one of broker, global",
        ),
        ("\"broker\"", "3", "3: strategy: it is no text"),
        (
            "\"kv\"",
            "\"tpcc\"",
            "4: service: \"tpcc\" is not one of kv",
        ),
        (
            "\"sync\"",
            "\"often\"",
            "5: durability: \"often\" is not one of memory",
        ),
        (
            "\"sync\"",
            "\"memory\"",
            "5: durability: with \"memory\" nothing is kept",
        ),
        ("data = \"things\"", "", "5: durability: a folder is needed"),
        (
            "service_time_us = 1000",
            "service_time_us = 9",
            "26: experiment.service_time_us: it must",
        ),
        (
            "127.0.0.1:4002",
            "host-a:4000",
            "18: replicas.oracler0: p0r0 is there, too",
        ),
        (
            "127.0.0.1:4002",
            "host-a:4001",
            "18: replicas.oracler0: p0r0 is on the same host and",
        ),
        ("1_000", "0", "7: log_bytes: it must be positive"),
        (
            "1_000",
            "-1",
            "7: log_bytes: it is no number that can be here",
        ),
        (
            "0.0.0.0:4000",
            "0.0.0.0",
            "8: listen: \"0.0.0.0\" is not HOST:PORT: it has no port",
        ),
        (
            "cache-0:11211",
            "cache-0:",
            "13: memcached: \"cache-0:\" is not HOST:PORT",
        ),
        (
            "p0r0",
            "x0r0",
            "16: replicas.x0r0: \"x0r0\" is not a replica",
        ),
        (
            "host-a:4000",
            "host a:4000",
            "16: replicas.p0r0: \"host a:4000\" is not HOST:PORT",
        ),
        (
            "at = \"host-b:4000\", ",
            "",
            "17: replicas.p1r0.at: it is missing",
        ),
        (
            "listen = \"10",
            "listens = \"10",
            "17: replicas.p1r0.listens: there is no such key",
        ),
        (
            "p1r0",
            "p2r0",
            "replicas: p1r0 is missing: another partition has 1 replicas",
        ),
        (
            "p1r0",
            "p0r2",
            "17: replicas.p0r2.at: it is there, and p0r1 is missing",
        ),
        (
            "clients = 10",
            "clients = 0",
            "21: limits.clients: it must be positive",
        ),
        (
            "stall_ms",
            "stalls",
            "22: limits.stalls: there is no such key; there are clients,",
        ),
        (
            "true",
            "1",
            "27: experiment.stages: it is neither true nor false",
        ),
        (
            "incarnation = \"9f3c51a0774be812\"",
            "",
            "incarnation: it is missing",
        ),
        ("[replicas]", "[nodes]", "replicas: it is missing"),
        ("strategy = ", "strategy ", "3: "),
    ] {
        let problems = wrong(from, to);
        assert!(
            problems.iter().any(|problem| problem.starts_with(told)),
            "{problems:#?} do not say {told}"
        );
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_in_order() {
    let text = WHOLE
        .replace("\"broker\"", "\"magic\"")
        .replace("host-a:4000", "host-a")
        .replace("seed = 7", "seed = \"7\"")
        .replace("service = ", "services = ");
    let problems = parse(&text).unwrap_err();
    let lines: Vec<_> = problems.problems().iter().map(|it| it.line).collect();
    assert_eq!(lines, [3, 4, 16, 25].map(Some), "{problems}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.toml");
    let missing = ClusterFile::read(&path, KnownNames::default()).unwrap_err();
    assert!(missing.to_string().contains("cluster.toml"), "{missing}");
    let file = parse(WHOLE).unwrap();
    file.write(&path, "Two lines\nof comment.").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("# Two lines\n# of comment.\nincarnation"),
        "{text}"
    );
    assert_eq!(
        ClusterFile::read(&path, KnownNames::default()).unwrap(),
        file
    );
}

#[test]
fn a_secret_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.toml");
    std::fs::write(&path, WHOLE).unwrap();
    let file = ClusterFile::read(&path, KnownNames::default()).unwrap();
    let id = "p0r0".parse().unwrap();
    let secret = folder.path().join("things.secret");
    std::fs::write(&secret, "short").unwrap();
    let short = file.replica_options(id, Broker).unwrap_err().to_string();
    assert!(short.contains("less than 32 bytes"), "{short}");
    std::fs::write(&secret, "a".repeat(64)).unwrap();
    let options = file.replica_options(id, Broker).unwrap();
    assert_eq!(
        Some(options.secret),
        Secret::of_file("a".repeat(64).as_bytes())
    );
}

#[test]
fn a_log_is_kept_by_all_replicas_or_by_none() {
    let two = |more: &str, first: &str, second: &str| {
        let text = format!(
            "incarnation = \"1\"\nstrategy = \"global\"\n{more}\n[replicas]\n\
             p0r0 = {{ at = \"a:1\"{first} }}\np1r0 = {{ at = \"b:1\"{second} }}\n"
        );
        let parsed = parse(&text);
        parsed.map_err(|problems| problems.to_string())
    };
    let [one, other] = [", data = \"/one\"", ", data = \"/other\""];
    let apart = two("", one, other).unwrap();
    assert_eq!(parse(&apart.to_string()).unwrap(), apart);
    let durability = |id: &str| {
        let options = apart.replica_options(id.parse().unwrap(), Global);
        options.unwrap().durability
    };
    assert_eq!(durability("p1r0"), Durability::Sync("/other".into()));
    let some = two("", one, "").unwrap_err();
    assert!(some.contains("data: a folder is needed"), "{some}");
    let memory = two("durability = \"memory\"", one, other).unwrap_err();
    assert!(memory.contains("nothing is kept"), "{memory}");
    two("data = \"/all\"", one, "").unwrap();
    assert_eq!(two("", "", "").unwrap().durability, Durability::Memory);
}

#[test]
fn a_group_that_is_too_large_is_told() {
    let replicas = (0..=255).map(|index| format!("p0r{index} = \"h{index}:1\"\n"));
    let replicas: String = replicas.collect();
    let text = format!("incarnation = \"1\"\nstrategy = \"global\"\n[replicas]\n{replicas}");
    let told = parse(&text).unwrap_err().to_string();
    assert!(
        told.contains("p0r255: a group has at most 255 replicas"),
        "{told}"
    );
}
