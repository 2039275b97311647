//! Files and lines that people and programs write.

use crate::samples;
use crate::state::owner;
use crate::{Seed, Target};
use harness::fuzzing;
use ssmr_core::{GroupId, PartitionId, ReplicaId};
use ssmr_net::{ClusterFile, KnownNames};
use std::fmt::{Debug, Display};
use std::str::{FromStr, from_utf8};

/// What any of these may take.
const MEMORY: usize = 16 << 20;

/// The header of a data folder.
pub(crate) const IDENTITY_FILE: Target = Target {
    name: "identity_file",
    run: |bytes| {
        let Some(found) = ssmr_storage::fuzzing::read_owner(bytes) else {
            return false;
        };
        let text = ssmr_storage::fuzzing::write_owner(&found).expect("it can be written");
        assert_eq!(
            ssmr_storage::fuzzing::read_owner(text.as_bytes()),
            Some(found)
        );
        true
    },
    seeds: || {
        let text = ssmr_storage::fuzzing::write_owner(&owner()).expect("it can be written");
        vec![Seed::new("p0r1", text)]
    },
    memory: MEMORY,
};

/// The cluster file.
pub(crate) const CLUSTER_FILES: Target = Target {
    name: "cluster_files",
    run: |bytes| from_utf8(bytes).is_ok_and(|text| comes_back(text, cluster_file)),
    seeds: || {
        let file = "incarnation = \"ffffffffffffffff\"\nstrategy = \"broker\"\nservice = \"kv\"\n\
                    durability = \"sync\"\ndata = \"/var/lib/things\"\nlog_bytes = 1048576\n\
                    listen = \"0.0.0.0:4000\"\nmetrics = \"[::]:9400\"\nsecret = \"s\"\n\
                    memcached = [\"localhost:11211\"]\n\n[replicas]\n\
                    p0r0 = \"127.0.0.1:4000\"\np1r0 = { at = \"[::1]:4001\", data = \"/mnt\" }\n\
                    oracler0 = \"host:4002\"\n\n[limits]\nclients = 100\nstall_ms = 100\n\n\
                    [experiment]\nseed = 1\nservice_time_us = 1000\nstages = true\n";
        let network = "[network]\nsites = [\"a\", \"b\"]\nplacement = \"by-group\"\n\
                       clients = [\"b\"]\ncaches = \"b\"\nseed = 7\n\
                       [network.replicas]\np0r0 = \"b\"\n[network.within]\nlatency = \"1us\"\n\
                       [network.between]\nlatency = \"40ms\"\njitter = \"1ms\"\nloss = \"1%\"\n\
                       bandwidth = \"1gbit\"\n[[network.route]]\nbetween = [\"a\", \"b\"]\n\
                       retransmission_timeout = \"1s\"\n";
        let named = file.replace("[replicas]", "network = \"wan\"\n[replicas]");
        vec![
            Seed::new("whole", file),
            Seed::new("network", format!("{file}\n{network}")),
            Seed::new("wan", named),
        ]
    },
    memory: MEMORY,
};

fn cluster_file(text: &str) -> Option<String> {
    let known = KnownNames {
        strategies: &["global", "broker", "static"],
        services: &["kv", "chirper"],
    };
    let file = ClusterFile::parse(text, "cluster.toml", known);
    file.ok().map(|file| file.to_string())
}

/// Social graphs.
pub(crate) const EDGE_LIST: Target = Target {
    name: "edge_list",
    run: |bytes| {
        let of_both = [false, true].map(|directed| {
            let follows = fuzzing::graph(bytes, directed)?;
            let lines = follows.iter().map(|(a, b)| format!("{a}\t{b}\n"));
            let text: String = lines.collect();
            assert_eq!(fuzzing::graph(text.as_bytes(), directed), Some(follows));
            Some(())
        });
        assert_eq!(of_both[0], of_both[1]);
        of_both[0].is_some()
    },
    seeds: || {
        let texts = [
            "# SNAP\n10\t30\n\n30 20 # a comment\r\n10 30\n20 20\n",
            "0 1\n1 2",
            "% sym weighted\n% 2 3 3\n10 30 -1 1082040961\n30 20 0.5 1082040962\n",
            "\u{feff}source,target\r\n10,30\r\n30, 20\r\n",
            "10 30 {}\n30 20 {'weight': 3, 'label': '#1 %'}\n",
        ];
        samples::numbered(texts.map(|text| text.as_bytes().to_vec()))
    },
    memory: MEMORY,
};

/// Traces of commands.
pub(crate) const TRACE: Target = Target {
    name: "trace",
    run: |bytes| {
        let comes_back = |csv| {
            fuzzing::trace(bytes, csv).is_some_and(|written| {
                assert_eq!(fuzzing::trace(&written, csv).as_ref(), Some(&written));
                true
            })
        };
        comes_back(false) | comes_back(true)
    },
    seeds: || {
        let json = "{\"objects\":[{\"op\":\"create\",\"id\":\"a\\nb\",\"attribute\":\"7\",\
                    \"size\":9}]}\n\
                    {\"time_us\":5,\"client\":1,\"objects\":[{\"op\":\"move\",\"id\":1,\"to\":0},\
                    {\"op\":\"lookup\",\"id\":2},{\"op\":\"delete\",\"id\":3}]}\n";
        let csv = "command,time_us,client,op,id,attribute,size,to,to_attribute\n\
                   0,0,1,create,\"a,\"\"b\"\"\",7,9,1,\n0,,,read,2,,,,\n\
                   1,5,2,move,\"a,\"\"b\"\"\",7,,,europe\n";
        vec![
            Seed::new("json", json),
            Seed::new("csv", csv),
            Seed::new("columns", "id,op\n1,read\n"),
        ]
    },
    memory: MEMORY,
};

/// Words with a grammar: faults, groups, replicas.
pub(crate) const FAULT_AND_NAMES: Target = Target {
    name: "fault_and_names",
    run: |bytes| {
        from_utf8(bytes).is_ok_and(|text| {
            comes_back(text, fuzzing::fault)
                | is_name::<PartitionId>(text)
                | is_name::<GroupId>(text)
                | is_name::<ReplicaId>(text)
        })
    },
    seeds: || {
        let words = [
            "kill-leader:p0@3s",
            "kill-leader:p12@500ms+2s",
            "kill-oracle-leader@1s+1s",
            "kill-random",
            "stop-cache@3s+2s",
            "freeze-cache:2@3s+2s",
            "flush-cache@3s",
            "random:kill+pause+cut-client+full-disk",
            "cut:p0r1@1m 5s+2s 3ms",
            "p17",
            "oracle",
            "oracler2",
            "kill-cache:0@3s",
            "random:cut-cache+kill-cache",
        ];
        samples::numbered(words.map(|word| word.as_bytes().to_vec()))
    },
    memory: MEMORY,
};

/// Whether it is a name, and the way to write it.
fn is_name<T: FromStr + Display>(text: &str) -> bool {
    text.parse::<T>().is_ok_and(|name| {
        assert_eq!(name.to_string(), text);
        true
    })
}

/// Command lines, a word a line.
pub(crate) const COMMAND_LINE: Target = Target {
    name: "command_line",
    run: |bytes| {
        let words = from_utf8(bytes).map(|text| text.lines().collect::<Vec<_>>());
        words.is_ok_and(|words| fuzzing::command_line(&words))
    },
    seeds: || {
        let lines = [
            "run --strategy all --duration 3s --warmup 500ms --keys 200 --fault kill-random",
            "run --strategy broker --workload chirper --durability sync --deploy processes",
            "run --history h.jsonl --audit --memcached localhost:11211 --reads index",
            "sim --seeds 0..100 --strategy cache --profile storm --execution gather",
            "node --cluster c.toml --replica p0r0",
            "cluster found c.toml",
            "log folder",
            "trace from-git . --out t.jsonl --first-parent --max-commits 5 --folders 2",
            "run --workload trace --trace t.csv --trace-speed 2 --record r.jsonl",
        ];
        samples::numbered(lines.map(|line| line.replace(' ', "\n").into_bytes()))
    },
    memory: MEMORY,
};

/// What has been simulated so far.
pub(crate) const RESUME_FILE: Target = Target {
    name: "resume_file",
    run: |bytes| {
        let Some(written) = fuzzing::resume_file(bytes) else {
            return false;
        };
        assert_eq!(fuzzing::resume_file(&written), Some(written));
        true
    },
    seeds: || {
        let text = "{\"settings\":{\"--seeds\":\"0..9\"},\"done\":{}}";
        vec![Seed::new("begun", text)]
    },
    memory: MEMORY,
};

/// Lines between a replica's process and the one that drives it.
pub(crate) const NODE_LINE: Target = Target {
    name: "node_line",
    run: |bytes| from_utf8(bytes).is_ok_and(|text| comes_back(text, fuzzing::node_line)),
    seeds: || {
        let lines = [
            "{\"status\":3}",
            "{\"cut\":[\"from_peers\",true]}",
            "\"listening\"",
            "{\"leads\":false}",
        ];
        samples::numbered(lines.map(|line| line.as_bytes().to_vec()))
    },
    memory: MEMORY,
};

/// Whether a text means something. What is written of it must mean the same.
fn comes_back<T: Debug + PartialEq + AsRef<str>>(text: &str, read: fn(&str) -> Option<T>) -> bool {
    read(text).is_some_and(|written| {
        assert_eq!(read(written.as_ref()).as_ref(), Some(&written), "{text:?}");
        true
    })
}
