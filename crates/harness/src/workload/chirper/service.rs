//! The social network that workload `chirper` uses: users with their timelines.
//!
//! It keeps counts of followers, not their names: these are the clients' business.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::{Access, Application, ObjectId, Objects};

/// How many posts a timeline keeps.
pub(super) const TIMELINE: usize = 10;

/// The social network.
#[derive(Debug)]
pub(crate) struct ChirperService;

/// A user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct User {
    /// The newest posts of those it follows, the oldest first.
    pub(super) timeline: Vec<Post>,
    pub(super) follower_count: u64,
    pub(super) following_count: u64,
}

/// Something said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(super) author: u64,
    pub(super) text: Bytes,
}

/// What can be done with users that exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Read a user's timeline.
    Timeline(ObjectId),
    /// Append to the timelines of these users.
    Post(Vec<ObjectId>, Post),
    /// `follower` follows `user` from now on.
    Follow { user: ObjectId, follower: ObjectId },
    /// `follower` does so no more.
    Unfollow { user: ObjectId, follower: ObjectId },
    /// `follower` follows `user`, as it does already.
    FollowNoop { user: ObjectId, follower: ObjectId },
}

impl Application for ChirperService {
    const NAME: &'static str = "chirper";
    type Object = User;
    type Op = Op;
    /// The timeline that was read.
    type Reply = Vec<Post>;

    fn access(op: &Op) -> Access {
        let (reads, writes) = match op {
            Op::Timeline(user) => (vec![*user], Vec::new()),
            Op::Post(followers, _) => (Vec::new(), followers.clone()),
            Op::Follow { user, follower }
            | Op::Unfollow { user, follower }
            | Op::FollowNoop { user, follower } => (Vec::new(), vec![*user, *follower]),
        };
        Access { reads, writes }
    }

    fn execute(op: &Op, users: &mut Objects<User>) -> Vec<Post> {
        match op {
            Op::Timeline(user) => {
                return users
                    .get(*user)
                    .map_or_else(Vec::new, |user| user.timeline.clone());
            }
            Op::Post(followers, post) => {
                for follower in followers {
                    users.update(*follower, |user| user.see(post));
                }
            }
            Op::Follow { user, follower } => {
                users.update(*user, |user| user.follower_count += 1);
                users.update(*follower, |user| user.following_count += 1);
            }
            Op::Unfollow { user, follower } => {
                users.update(*user, |user| {
                    user.follower_count = user.follower_count.saturating_sub(1);
                });
                users.update(*follower, |user| {
                    user.following_count = user.following_count.saturating_sub(1);
                });
            }
            Op::FollowNoop { .. } => {}
        }
        Vec::new()
    }
}

impl User {
    fn see(&mut self, post: &Post) {
        if self.timeline.len() == TIMELINE {
            self.timeline.remove(0);
        }
        self.timeline.push(post.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_check::check_application;

    fn post(author: u64) -> Post {
        let text = Bytes::new();
        Post { author, text }
    }

    #[test]
    fn it_keeps_the_rules_of_an_application() {
        let (user, follower) = (ObjectId::new(0, 1), ObjectId::new(0, 2));
        let operations = [
            Op::Timeline(user),
            Op::Post(vec![user, follower], post(1)),
            Op::Follow { user, follower },
            Op::Unfollow { user, follower },
            Op::FollowNoop { user, follower },
        ];
        let value = |_, number| User {
            timeline: (0..number % 12).map(post).collect(),
            follower_count: number,
            following_count: number / 2,
        };
        let summary = check_application::<ChirperService>(operations, value).unwrap();
        assert_eq!((summary.with_changes, summary.with_unread), (3, 4));
    }

    #[test]
    fn a_timeline_keeps_the_newest_posts() {
        let mut user = User::default();
        for author in 0..25 {
            user.see(&post(author));
        }
        let authors: Vec<u64> = user.timeline.iter().map(|post| post.author).collect();
        assert_eq!(authors, (15..25).collect::<Vec<_>>());
    }
}
