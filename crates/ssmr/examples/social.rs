//! A small social network: `cargo run --example social -- --strategy cache`.
//!
//! Users register, follow each other, publish posts and read their timelines, all at once. Users
//! and posts are objects that are created while the service runs; a post is created in the same
//! atomic command that puts it into the timelines of all followers, wherever these are.
//!
//! Which timelines that concerns depends on what is read: the author's followers. So publishing is
//! a transaction: it reads the followers, and delivers the post if they are still the same then;
//! otherwise it is tried again.

use serde::{Deserialize, Serialize};
use ssmr::{Access, Application, Client, Error, LocalCluster, ObjectId, Objects, Oracle, strategy};

/// The service.
struct Social;

/// A user or a post.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Thing {
    User(User),
    /// What somebody said.
    Post(String),
}

/// Somebody.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct User {
    followers: Vec<ObjectId>,
    /// The posts of those it follows, the oldest first.
    timeline: Vec<ObjectId>,
}

/// What can be done with users and posts that exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Operation {
    /// `follower` sees the posts of `user` from now on.
    Follow { follower: ObjectId, user: ObjectId },
    /// Who follows this user?
    Followers(ObjectId),
    /// Put a post into the timelines of these users.
    Deliver {
        post: ObjectId,
        followers: Vec<ObjectId>,
    },
    /// What posts does this user see?
    Timeline(ObjectId),
    /// What do these posts say?
    Texts(Vec<ObjectId>),
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Answer {
    Done,
    Objects(Vec<ObjectId>),
    Texts(Vec<String>),
}

impl Application for Social {
    const NAME: &'static str = "social";
    type Object = Thing;
    type Op = Operation;
    type Reply = Answer;

    fn access(operation: &Operation) -> Access {
        let (reads, writes) = match operation {
            Operation::Follow { user, .. } => (vec![], vec![*user]),
            Operation::Deliver { followers, .. } => (vec![], followers.clone()),
            Operation::Followers(user) | Operation::Timeline(user) => (vec![*user], vec![]),
            Operation::Texts(posts) => (posts.clone(), vec![]),
        };
        Access { reads, writes }
    }

    fn execute(operation: &Operation, things: &mut Objects<Thing>) -> Answer {
        match operation {
            Operation::Follow { follower, user } => {
                change(things, *user, |user| user.followers.push(*follower));
                Answer::Done
            }
            Operation::Followers(user) => Answer::Objects(see(things, *user).followers),
            Operation::Timeline(user) => Answer::Objects(see(things, *user).timeline),
            Operation::Deliver { post, followers } => {
                for follower in followers {
                    change(things, *follower, |user| user.timeline.push(*post));
                }
                Answer::Done
            }
            Operation::Texts(posts) => {
                let texts = posts.iter().filter_map(|post| match things.get(*post) {
                    Some(Thing::Post(text)) => Some(text.clone()),
                    _ => None,
                });
                Answer::Texts(texts.collect())
            }
        }
    }
}

fn see(things: &Objects<Thing>, user: ObjectId) -> User {
    match things.get(user) {
        Some(Thing::User(user)) => user.clone(),
        _ => User::default(),
    }
}

fn change(things: &mut Objects<Thing>, user: ObjectId, change: impl FnOnce(&mut User)) {
    things.update(user, |thing| {
        if let Thing::User(user) = thing {
            change(user);
        }
    });
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Posts published.
    pub(crate) posts: usize,
    /// To how many timelines they were delivered together.
    pub(crate) delivered: usize,
    /// How often somebody else changed what a publication had read.
    pub(crate) conflicts: u64,
    /// How long all timelines are in the end.
    pub(crate) seen: usize,
    /// How many of these posts could be read.
    pub(crate) read: usize,
}

const USERS: u64 = 6;
const POSTS: u64 = 5;

fn user(number: u64) -> ObjectId {
    ObjectId::new(number, 0)
}

/// A post is at home where its author is.
fn post(author: u64, number: u64) -> ObjectId {
    ObjectId::new(author, 1 + number)
}

/// One user's life: it publishes, and follows another user after each post.
async fn live(number: u64, social: Client<Social>) -> Result<Report, Error> {
    let mut report = Report::default();
    for day in 0..POSTS {
        let (author, post) = (user(number), post(number, day));
        let text = Thing::Post(format!("{number} says hello for the {day}th time"));
        let published = social.transact(async |tx| {
            let Answer::Objects(followers) = tx.read(&Operation::Followers(author)).await? else {
                unreachable!("that is no answer to the question for followers");
            };
            let readers = followers.len();
            let deliver = Operation::Deliver { post, followers };
            let command = social.call(&deliver).creating(post, &text);
            tx.commit(command).await?;
            Ok::<_, Error>(readers)
        });
        report.delivered += published.await?;
        report.posts += 1;
        let other = user((number + day + 1) % USERS);
        let follower = author;
        social
            .call(&Operation::Follow {
                follower,
                user: other,
            })
            .await?;
    }
    Ok(report)
}

/// Runs the network under a strategy, on a cluster that is started for it.
///
/// # Errors
/// If the cluster cannot be started, or a call fails.
pub(crate) async fn social(oracle: impl Oracle) -> Result<Report, Box<dyn std::error::Error>> {
    let cluster = LocalCluster::<Social>::builder(oracle).start().await?;
    let client = cluster.client().await?;
    for number in 0..USERS {
        let somebody = Thing::User(User::default());
        client.create(user(number), &somebody).await?;
    }
    let lives = (0..USERS).map(|number| tokio::spawn(live(number, client.clone())));
    let mut report = Report::default();
    for life in lives.collect::<Vec<_>>() {
        let done = life.await??;
        report.posts += done.posts;
        report.delivered += done.delivered;
    }
    report.conflicts = client.transactions().conflicts;
    for number in 0..USERS {
        let timeline = client.call(&Operation::Timeline(user(number))).await?;
        if let Answer::Objects(posts) = timeline {
            report.seen += posts.len();
            if let Answer::Texts(texts) = client.call(&Operation::Texts(posts)).await? {
                report.read += texts.len();
            }
        }
    }
    client.shutdown().await;
    cluster.shutdown().await;
    Ok(report)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let strategy = match &words[..] {
        [] => strategy::by_name("cache")?,
        [flag, name] if flag == "--strategy" => strategy::by_name(name)?,
        _ => return Err("usage: social [--strategy NAME]".into()),
    };
    println!("{}: {:?}", strategy.name(), social(strategy.clone()).await?);
    Ok(())
}
