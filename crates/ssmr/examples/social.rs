//! A small social network: `cargo run --example social -- --strategy cache`.
//!
//! Users register, follow each other, publish posts and read their timelines, all at once. Users
//! and posts are objects that are created while the service runs; a post is created in the same
//! atomic command that puts it into the timelines of all followers, wherever these are.
//!
//! Which timelines that concerns depends on what is read: the author's followers. So the client
//! asks first, declares them, and the operation makes sure that they are still the same; otherwise
//! it changes nothing, says so, and is tried again.

use serde::{Deserialize, Serialize};
use ssmr::{
    Access, AnyStrategy, Application, Client, Error, LocalCluster, ObjectId, Objects, Oracle,
};

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
    /// Put a post into the timelines of the author's followers, if these are all of them.
    Deliver {
        author: ObjectId,
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
    /// These are the author's followers now; nothing was delivered.
    Stale(Vec<ObjectId>),
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
            Operation::Deliver {
                author, followers, ..
            } => (vec![*author], followers.clone()),
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
            Operation::Deliver {
                author,
                post,
                followers,
            } => {
                let now = see(things, *author).followers;
                if now != *followers {
                    return Answer::Stale(now);
                }
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
    /// How often the followers had changed.
    pub(crate) stale: usize,
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
        let mut followers = match social.call(&Operation::Followers(author)).await? {
            Answer::Objects(followers) => followers,
            other => unreachable!("{other:?} is no answer to that"),
        };
        let text = Thing::Post(format!("{number} says hello for the {day}th time"));
        let deliver = |followers: &Vec<ObjectId>| Operation::Deliver {
            author,
            post,
            followers: followers.clone(),
        };
        let published = social.call(&deliver(&followers)).creating(post, &text);
        let mut answer = published.await?;
        // The post exists now, whatever the operation did.
        while let Answer::Stale(newer) = answer {
            report.stale += 1;
            followers = newer;
            answer = social.call(&deliver(&followers)).await?;
        }
        report.posts += 1;
        report.delivered += followers.len();
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
pub(crate) async fn social<O: Oracle>(oracle: O) -> Result<Report, Box<dyn std::error::Error>> {
    let cluster = LocalCluster::<Social, O>::builder(oracle).start().await?;
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
        report.stale += done.stale;
    }
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
    let strategy: AnyStrategy = match &words[..] {
        [] => "cache".parse()?,
        [flag, name] if flag == "--strategy" => name.parse()?,
        _ => return Err("usage: social [--strategy NAME]".into()),
    };
    println!("{strategy}: {:?}", social(strategy).await?);
    Ok(())
}
