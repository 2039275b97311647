//! Workload `chirper` as the harness sees it: its kinds, and the requests that its commands make.

use super::service::{ChirperService, Op, Post, User};
use super::settings::Chirper;
use super::steps::{Step, Steps};
use crate::workload::contract::Workload;
use crate::workload::random::payload;
use ssmr_core::{ObjectId, Request};

impl Workload for Chirper {
    const KINDS: &'static [&'static str] = &[
        "timeline",
        "post",
        "follow",
        "unfollow",
        "signup",
        "follow-noop",
    ];
    type App = ChirperService;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        "chirper"
    }

    fn preload_count(&self) -> u64 {
        self.graph.vertex_count()
    }

    fn preload(&self, number: u64) -> Request {
        let user = User {
            follower_count: self.graph.followers(number).len() as u64,
            following_count: self.graph.following_count(number),
            ..User::default()
        };
        Request::create::<ChirperService>(self.object(number), &user, None)
    }

    fn notes(&self) -> Vec<String> {
        let shift = self.shift_at.map(|at| {
            format!("other users are the popular ones after {at} commands of each client")
        });
        [self.facts.to_string()].into_iter().chain(shift).collect()
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        Steps::new(self, client)
    }

    fn kind(step: &Step) -> usize {
        match step {
            Step::Timeline { .. } => 0,
            Step::Post { .. } => 1,
            Step::Follow { .. } => 2,
            Step::Unfollow { .. } => 3,
            Step::Signup { .. } => 4,
            Step::FollowNoop { .. } => 5,
        }
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<ChirperService>(&Op::Timeline(object))
    }

    fn request(&self, step: Step) -> Request {
        let access = |op| Request::access::<ChirperService>(&op);
        match step {
            Step::Timeline { user } => access(Op::Timeline(self.object(user))),
            Step::Post {
                author,
                followers,
                stamp,
            } => {
                let followers = followers
                    .into_iter()
                    .map(|user| self.object(user))
                    .collect();
                let text = payload(stamp, self.post_size.of(stamp));
                access(Op::Post(followers, Post { author, text }))
            }
            Step::Follow { user, follower } => access(Op::Follow {
                user: self.object(user),
                follower: self.object(follower),
            }),
            Step::Unfollow { user, follower } => access(Op::Unfollow {
                user: self.object(user),
                follower: self.object(follower),
            }),
            Step::FollowNoop { user, follower } => access(Op::FollowNoop {
                user: self.object(user),
                follower: self.object(follower),
            }),
            Step::Signup { user } => {
                Request::create::<ChirperService>(self.object(user), &User::default(), None)
            }
        }
    }
}

impl Chirper {
    /// The object of a user.
    fn object(&self, user: u64) -> ObjectId {
        self.run.object(user, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Behaviour, POST};
    use super::*;
    use crate::workload::graph::network::Graph;
    use crate::workload::random::{OF_NO_CLIENT, stream};
    use crate::workload::run_number::RunNumber;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    /// The command of each client at which popularity shifts.
    const SHIFT: u64 = 10_000;

    fn chirper(mix: Behaviour) -> Chirper {
        let graph = Graph::made_up(50, 200, false, &mut stream(1, OF_NO_CLIENT));
        Chirper {
            seed: 1,
            clients: 4,
            run: RunNumber::ZERO,
            mix,
            popularity: mix.popularity(),
            shift_at: (mix == Behaviour::Celebrity).then_some(SHIFT),
            post_size: POST,
            facts: graph.facts().clone(),
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
            (Behaviour::Dynastar, 0, 85.0),
            (Behaviour::Dynastar, 1, 15.0),
            (Behaviour::Celebrity, 1, 15.0),
            (Behaviour::FollowNoop, 5, 100.0),
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
            let followers = |user: u64| chirper.graph.followers(user).iter().copied();
            let mut edges: BTreeSet<(u64, u64)> = (0..chirper.preload_count())
                .flat_map(|user| followers(user).map(move |follower| (user, follower)))
                .collect();
            for step in chirper.steps(client).take(5_000) {
                match step {
                    Step::Timeline { .. } | Step::FollowNoop { .. } => continue,
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
        let mut counts = [0u32; 6];
        for step in chirper(Behaviour::Growing).steps(1).take(50_000) {
            counts[Chirper::kind(&step)] += 1;
        }
        let (follows, unfollows) = (counts[2], counts[3]);
        assert!(follows.abs_diff(unfollows) < follows / 5, "{counts:?}");
    }

    /// Which share of the commands are about the users in this range, in percent.
    fn share(steps: impl Iterator<Item = Step>, users: std::ops::Range<u64>) -> usize {
        let about = steps.map(|step| match step {
            Step::Timeline { user } => user,
            Step::Post { author, .. } => author,
            _ => panic!("{step:?}"),
        });
        let (hits, all) = about.fold((0, 0), |(hits, all), user| {
            (hits + usize::from(users.contains(&user)), all + 1)
        });
        hits * 100 / all
    }

    #[test]
    fn in_dynastars_mix_few_users_are_popular_with_every_client() {
        let chirper = chirper(Behaviour::Dynastar);
        for client in 0..chirper.clients {
            // By the exponent of 0.95 five of fifty have 48.0 %.
            let found = share(chirper.steps(client).take(20_000), 0..5);
            assert!((47..52).contains(&found), "{found} %");
        }
        for step in chirper.steps(1).take(1_000) {
            if let Step::Post {
                author, followers, ..
            } = step
            {
                assert_eq!(followers, chirper.graph.followers(author));
            }
        }
    }

    #[test]
    fn celebrities_change_at_a_command() {
        let steps = || chirper(Behaviour::Celebrity).steps(2);
        let before = || steps().take(SHIFT as usize);
        let after = || steps().skip(SHIFT as usize).take(10_000);
        assert!(share(before(), 0..5) > 45 && share(before(), 25..30) < 12);
        assert!(share(after(), 25..30) > 45 && share(after(), 0..5) < 12);
        let dynastar = chirper(Behaviour::Dynastar).steps(2);
        assert!(before().eq(dynastar.take(SHIFT as usize)));
    }

    #[test]
    fn follows_that_change_nothing_are_by_followers() {
        let chirper = chirper(Behaviour::FollowNoop);
        for step in chirper.steps(1).take(1_000) {
            let Step::FollowNoop { user, follower } = step else {
                panic!("{step:?}")
            };
            assert!(chirper.graph.followers(user).contains(&follower));
            assert_eq!(chirper.request(step).intents().len(), 2);
        }
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
