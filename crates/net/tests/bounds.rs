//! Commands that are larger than what may travel are refused by all, and hurt nobody.

mod common;

use bytes::Bytes;
use common::Client;
use serde::{Deserialize, Serialize};
use ssmr_core::client::ClientSettings;
use ssmr_core::limits::MAX_VALUE;
use ssmr_core::{Access, Application, Defect, ObjectId, Objects, Outcome, Request, Topology};
use ssmr_net::{Cluster, ClusterOptions};
use ssmr_strategy_static::Static;
use std::time::Duration;

/// Values that one can read.
#[derive(Debug)]
struct Blobs;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Blob(Bytes);

impl Application for Blobs {
    const NAME: &'static str = "blobs";
    type Object = Blob;
    type Op = Vec<ObjectId>;
    type Reply = usize;

    fn access(objects: &Vec<ObjectId>) -> Access {
        Access {
            reads: objects.clone(),
            writes: Vec::new(),
        }
    }

    fn execute(objects: &Vec<ObjectId>, blobs: &mut Objects<Blob>) -> usize {
        let found = objects.iter().filter_map(|object| blobs.get(*object));
        found.map(|blob| blob.0.len()).sum()
    }
}

#[tokio::test]
async fn reads_of_too_much_are_refused_and_the_cluster_goes_on() {
    const SIZE: usize = MAX_VALUE - 64;
    let topology = Topology::new(2, 1).unwrap();
    let oracle = Static::new();
    let options = ClusterOptions::new(topology, oracle);
    let cluster = Cluster::start::<Blobs>(options).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    let settings = ClientSettings::default();
    let client = Client::start::<Blobs>(cluster.config(), 1, oracle, settings);
    let objects: Vec<ObjectId> = (0..80).map(|key| ObjectId::new(key, key)).collect();
    let blob = Blob(vec![1; SIZE].into());
    for object in &objects {
        let created = client
            .execute(Request::create::<Blobs>(*object, &blob, None))
            .await;
        assert!(created.outcome.is_definite());
    }
    let all = client.execute(Request::access::<Blobs>(&objects)).await;
    assert_eq!(all.outcome, Outcome::Refused(Defect::OperandsTooLarge));
    let some = objects[..8].to_vec();
    let read = client.execute(Request::access::<Blobs>(&some)).await;
    assert_eq!(
        read.outcome,
        Outcome::Done(ssmr_core::codec::encode(&(8 * SIZE)))
    );
    let too_large = Blob(vec![1; MAX_VALUE + 1].into());
    let refused = Request::create::<Blobs>(ObjectId::new(99, 99), &too_large, None);
    let refused = client.execute(refused).await.outcome;
    assert_eq!(refused, Outcome::Refused(Defect::ValueTooLarge));
}
