//! Workload `chirper`: the social network of the S-SMR papers.
//!
//! A user is an object with its timeline. Reading a timeline touches one user; a post changes the timelines of all the
//! poster's followers, unseen, so that one command may touch a thousand objects without shipping them around.
//!
//! Who follows whom is known outside the service: a user belongs to the client `id mod clients`, who alone posts for it
//! and changes its followers, and therefore knows them whatever the others do. The static attribute is the user.

mod service;

use super::graph::Graph;
use super::{Workload, draw, payload, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use service::{ChirperService, Op, Post, User};
use ssmr_core::limits::MAX_OBJECTS;
use ssmr_core::{ObjectId, Request};
use std::sync::Arc;

/// The size of a post in bytes.
const POST: usize = 140;

/// The most followers that a user may have: a post names all of them.
pub(crate) const MAX_FOLLOWERS: usize = MAX_OBJECTS;

/// How many users are looked at to find one with followers.
const LOOK_AROUND: usize = 64;

/// What the users do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Behaviour {
    /// Timelines only.
    Timeline,
    /// Posts only.
    Post,
    /// As many follows as unfollows.
    Follow,
    /// 85 % timeline, 7.5 % post, 3.75 % follow, 3.75 % unfollow.
    Mix,
    /// The mix, with 5 % of signups.
    Growing,
}

impl Behaviour {
    /// Weights in the order of [`Workload::KINDS`].
    fn weights(self) -> [u32; 5] {
        match self {
            Self::Timeline => [1, 0, 0, 0, 0],
            Self::Post => [0, 1, 0, 0, 0],
            Self::Follow => [0, 0, 1, 1, 0],
            Self::Mix => [3400, 300, 150, 150, 0],
            Self::Growing => [6460, 570, 285, 285, 400],
        }
    }
}

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Chirper {
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are, at most as many as users.
    pub(crate) clients: u64,
    /// What the users do.
    pub(crate) mix: Behaviour,
    /// Who follows whom at the start: neighbours follow each other.
    #[serde(skip)]
    pub(crate) graph: Arc<Graph>,
}

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
}

impl Workload for Chirper {
    const NAME: &'static str = "chirper";
    const KINDS: &'static [&'static str] = &["timeline", "post", "follow", "unfollow", "signup"];
    type App = ChirperService;
    type Step = Step;
    type Steps = Steps;

    fn preload_count(&self) -> u64 {
        self.graph.vertex_count()
    }

    fn preload(&self, number: u64) -> Request {
        let degree = self.graph.neighbours(number).len() as u64;
        let user = User {
            follower_count: degree,
            following_count: degree,
            ..User::default()
        };
        Request::create::<ChirperService>(object(number), &user, None)
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        let loaded = self.graph.vertex_count();
        let users = (client..loaded).step_by(self.clients as usize);
        Steps {
            weights: self.mix.weights(),
            clients: self.clients,
            loaded,
            client,
            rng: stream(self.seed, client),
            own: users
                .map(|user| (user, self.graph.neighbours(user).to_vec()))
                .collect(),
            signups: 0,
        }
    }

    fn kind(step: &Step) -> usize {
        match step {
            Step::Timeline { .. } => 0,
            Step::Post { .. } => 1,
            Step::Follow { .. } => 2,
            Step::Unfollow { .. } => 3,
            Step::Signup { .. } => 4,
        }
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<ChirperService>(&Op::Timeline(object))
    }

    fn request(&self, step: Step) -> Request {
        let access = |op| Request::access::<ChirperService>(&op);
        match step {
            Step::Timeline { user } => access(Op::Timeline(object(user))),
            Step::Post {
                author,
                followers,
                stamp,
            } => {
                let followers = followers.into_iter().map(object).collect();
                let text = payload(stamp, POST);
                access(Op::Post(followers, Post { author, text }))
            }
            Step::Follow { user, follower } => access(Op::Follow {
                user: object(user),
                follower: object(follower),
            }),
            Step::Unfollow { user, follower } => access(Op::Unfollow {
                user: object(user),
                follower: object(follower),
            }),
            Step::Signup { user } => {
                Request::create::<ChirperService>(object(user), &User::default(), None)
            }
        }
    }
}

/// The object of a user.
fn object(user: u64) -> ObjectId {
    ObjectId::new(user, 0)
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    weights: [u32; 5],
    clients: u64,
    /// How many users were loaded.
    loaded: u64,
    client: u64,
    rng: ChaCha8Rng,
    /// The users that belong to this client, with their followers.
    own: Vec<(u64, Vec<u64>)>,
    /// How many of them signed up.
    signups: u64,
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        Some(match draw(&mut self.rng, &self.weights) {
            0 => Step::Timeline {
                user: self.anybody(),
            },
            1 => self.post(),
            2 => self.follow(),
            3 => self.unfollow(),
            _ => self.sign_up(),
        })
    }
}

impl Steps {
    /// A user that was loaded, or one that signed up if every client is as far as this one: it may not be there yet.
    fn anybody(&mut self) -> u64 {
        let number = self
            .rng
            .random_range(0..self.loaded + self.signups * self.clients);
        if number < self.loaded {
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
        let (author, followers) = &self.own[self.rng.random_range(0..self.own.len())];
        let followers = if followers.is_empty() {
            vec![*author]
        } else {
            followers.clone()
        };
        Step::Post {
            author: *author,
            followers,
            stamp: self.rng.random(),
        }
    }

    /// Followers are users that this client knows to be there: loaded ones and its own. Where everybody follows already,
    /// somebody stops.
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

    /// Somebody stops following a user of this client's. Newcomers have no followers yet, so it looks around for one who
    /// has; only where hardly anybody has, somebody starts instead.
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

    fn sign_up(&mut self) -> Step {
        let user = self.newcomer(self.client, self.signups);
        self.signups += 1;
        self.own.push((user, Vec::new()));
        Step::Signup { user }
    }
}

#[cfg(test)]
mod tests {
    use super::super::OF_NO_CLIENT;
    use super::*;
    use std::collections::BTreeSet;

    fn chirper(mix: Behaviour) -> Chirper {
        let graph = Graph::scale_free(50, 200, &mut stream(1, OF_NO_CLIENT));
        Chirper {
            seed: 1,
            clients: 4,
            mix,
            graph: Arc::new(graph),
        }
    }

    #[test]
    fn commands_are_a_pure_function_of_settings_seed_and_client() {
        let first = |seed, client| {
            let chirper = Chirper {
                seed,
                ..chirper(Behaviour::Growing)
            };
            chirper.steps(client).take(1000).collect::<Vec<_>>()
        };
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
        assert_eq!(
            chirper(Behaviour::Mix).digest(),
            chirper(Behaviour::Mix).digest()
        );
        assert_ne!(
            chirper(Behaviour::Mix).digest(),
            chirper(Behaviour::Growing).digest()
        );
    }

    #[test]
    fn kinds_come_as_often_as_the_mix_says() {
        let share = |mix, kind| {
            let steps = chirper(mix).steps(1).take(20_000);
            steps.filter(|step| Chirper::kind(step) == kind).count() as f64 / 200.0
        };
        for (mix, kind, percent) in [
            (Behaviour::Timeline, 0, 100.0),
            (Behaviour::Post, 1, 100.0),
            (Behaviour::Mix, 0, 85.0),
            (Behaviour::Mix, 1, 7.5),
            (Behaviour::Mix, 2, 3.75),
            (Behaviour::Mix, 3, 3.75),
            (Behaviour::Growing, 4, 5.0),
        ] {
            let found = share(mix, kind);
            assert!(
                (found - percent).abs() <= percent / 8.0,
                "{mix:?} {kind}: {found} %"
            );
        }
    }

    #[test]
    fn posts_go_to_exactly_the_followers_that_the_commands_made() {
        let chirper = chirper(Behaviour::Growing);
        for client in 0..chirper.clients {
            let mut known: BTreeSet<u64> = (0..chirper.preload_count()).collect();
            let followers = |user: u64| chirper.graph.neighbours(user).iter().copied();
            let mut edges: BTreeSet<(u64, u64)> = (0..chirper.preload_count())
                .flat_map(|user| followers(user).map(move |follower| (user, follower)))
                .collect();
            for step in chirper.steps(client).take(5_000) {
                match step {
                    Step::Timeline { .. } => continue,
                    Step::Signup { user } => {
                        assert!(known.insert(user));
                        assert_eq!(user % chirper.clients, client);
                    }
                    Step::Follow { user, follower } => {
                        assert!(user != follower && known.contains(&follower));
                        assert!(edges.insert((user, follower)));
                    }
                    Step::Unfollow { user, follower } => assert!(edges.remove(&(user, follower))),
                    Step::Post {
                        author, followers, ..
                    } => {
                        assert_eq!(author % chirper.clients, client);
                        let own = edges.range((author, 0)..=(author, u64::MAX));
                        let expected: BTreeSet<u64> = own.map(|(_, follower)| *follower).collect();
                        let alone = expected.is_empty() && followers == [author];
                        assert!(
                            alone || followers.into_iter().collect::<BTreeSet<_>>() == expected
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_growing_network_keeps_to_its_mix() {
        let mut counts = [0u32; 5];
        for step in chirper(Behaviour::Growing).steps(1).take(50_000) {
            counts[Chirper::kind(&step)] += 1;
        }
        let (follows, unfollows) = (counts[2], counts[3]);
        assert!(follows.abs_diff(unfollows) < follows / 5, "{counts:?}");
    }

    #[test]
    fn a_post_writes_unseen() {
        let chirper = chirper(Behaviour::Post);
        let request = chirper.request(chirper.steps(0).next().unwrap());
        assert!(
            request
                .intents()
                .iter()
                .all(|(_, intent)| intent.writes() && !intent.reads())
        );
    }
}
