//! The commands of one client of workload `chirper`.

use super::settings::{Chirper, MAX_FOLLOWERS};
use crate::workload::graph::network::Graph;
use crate::workload::popularity::Picker;
use crate::workload::random::{draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::sync::Arc;

/// How many users are looked at to find one with followers.
const LOOK_AROUND: usize = 64;

/// One command.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Step {
    Timeline {
        user: u64,
    },
    Post {
        author: u64,
        followers: Vec<u64>,
        stamp: u64,
    },
    Follow {
        user: u64,
        follower: u64,
    },
    Unfollow {
        user: u64,
        follower: u64,
    },
    Signup {
        user: u64,
    },
    FollowNoop {
        user: u64,
        follower: u64,
    },
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    weights: [u32; 6],
    graph: Arc<Graph>,
    clients: u64,
    /// How many users were loaded.
    loaded: u64,
    client: u64,
    rng: ChaCha8Rng,
    picker: Picker,
    /// How many more commands come before other users are the popular ones, if they change.
    shift_in: Option<u64>,
    /// The users that belong to this client, with their followers; empty where follows neither come
    /// nor go, so that everybody knows them.
    own: Vec<(u64, Vec<u64>)>,
    /// How many of them signed up.
    signups: u64,
}

impl Steps {
    /// The commands of this client.
    pub(super) fn new(settings: &Chirper, client: u64) -> Self {
        let graph = &settings.graph;
        let loaded = graph.vertex_count();
        let all = if settings.mix.changes_follows() {
            loaded
        } else {
            0
        };
        let users = (client..all).step_by(settings.clients as usize);
        Self {
            graph: graph.clone(),
            picker: settings.popularity.among(loaded),
            shift_in: settings.shift_at,
            weights: settings.mix.weights(),
            clients: settings.clients,
            loaded,
            client,
            rng: stream(settings.seed, client),
            own: users
                .map(|user| (user, graph.followers(user).to_vec()))
                .collect(),
            signups: 0,
        }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let step = match draw(&mut self.rng, &self.weights) {
            0 => Step::Timeline {
                user: self.anybody(),
            },
            1 => self.post(),
            2 => self.follow(),
            3 => self.unfollow(),
            4 => self.sign_up(),
            _ => self.follow_again(),
        };
        self.shift_in = self.shift_in.map(|left| left.saturating_sub(1));
        Some(step)
    }
}

impl Steps {
    /// A user that was loaded, or one that signed up if every client is as far as this one: it may
    /// not be there yet.
    fn anybody(&mut self) -> u64 {
        let number = self.picker.draw(&mut self.rng, self.signups * self.clients);
        if self.shift_in == Some(0) {
            (number + self.loaded / 2) % self.loaded
        } else if number < self.loaded {
            number
        } else {
            let signup = number - self.loaded;
            self.newcomer(signup % self.clients, signup / self.clients)
        }
    }

    /// The `number`-th user that signs up with a client. Everybody can tell.
    fn newcomer(&self, client: u64, number: u64) -> u64 {
        (self.loaded.div_ceil(self.clients) + number) * self.clients + client
    }

    /// Who has no followers talks to itself.
    fn post(&mut self) -> Step {
        let (author, mut followers) = if self.own.is_empty() {
            let author = self.anybody();
            (author, self.graph.followers(author).to_vec())
        } else {
            let number = self.picker.draw(&mut self.rng, self.signups * self.clients);
            self.own[(number / self.clients) as usize % self.own.len()].clone()
        };
        if followers.is_empty() {
            followers.push(author);
        }
        Step::Post {
            author,
            followers,
            stamp: self.rng.random(),
        }
    }

    /// Followers are users that this client knows to be there: loaded ones and its own. Where
    /// everybody follows already, somebody stops.
    fn follow(&mut self) -> Step {
        let candidates = self.loaded + self.signups;
        let place = self.rng.random_range(0..self.own.len());
        let first = self.rng.random_range(0..candidates);
        let named = |number: u64| {
            if number < self.loaded {
                number
            } else {
                self.newcomer(self.client, number - self.loaded)
            }
        };
        let (user, followers) = &self.own[place];
        let user = *user;
        let mut others = (0..candidates).map(|offset| named((first + offset) % candidates));
        let follower = others.find(|other| *other != user && !followers.contains(other));
        match follower {
            Some(follower) if followers.len() < MAX_FOLLOWERS => {
                self.own[place].1.push(follower);
                Step::Follow { user, follower }
            }
            _ => self.end(place),
        }
    }

    /// Somebody stops following a user of this client's. Newcomers have no followers yet, so it
    /// looks around for one who has; only where hardly anybody has, somebody starts instead.
    fn unfollow(&mut self) -> Step {
        for _ in 0..LOOK_AROUND {
            let place = self.rng.random_range(0..self.own.len());
            if !self.own[place].1.is_empty() {
                return self.end(place);
            }
        }
        self.follow()
    }

    /// Somebody who follows the user at `place` stops.
    fn end(&mut self, place: usize) -> Step {
        let (user, followers) = &mut self.own[place];
        let follower = followers.swap_remove(self.rng.random_range(0..followers.len()));
        Step::Unfollow {
            user: *user,
            follower,
        }
    }

    /// Somebody starts to follow a user whom it follows already; who has no followers gives way to
    /// the next user who has.
    fn follow_again(&mut self) -> Step {
        let mut user = self.anybody();
        while self.graph.followers(user).is_empty() {
            user = (user + 1) % self.loaded;
        }
        let followers = self.graph.followers(user);
        let follower = followers[self.rng.random_range(0..followers.len())];
        Step::FollowNoop { user, follower }
    }

    fn sign_up(&mut self) -> Step {
        let user = self.newcomer(self.client, self.signups);
        self.signups += 1;
        self.own.push((user, Vec::new()));
        Step::Signup { user }
    }
}
