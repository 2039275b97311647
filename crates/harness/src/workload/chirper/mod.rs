//! Workload `chirper`: the social network of the S-SMR papers.
//!
//! A user is an object with its timeline. Reading a timeline touches one user; a post changes the
//! timelines of all the poster's followers, unseen, so that one command may touch a thousand
//! objects without shipping them around.
//!
//! Where follows come and go, who follows whom is known outside the service: a user belongs to the
//! client `id mod clients`, who alone posts for it and changes its followers, and therefore knows
//! them whatever the others do. Where they stay (DynaStar's mix, `celebrity`, timelines or posts
//! alone) any client posts for anybody. The static attribute is the user.
//!
//! Published are DS-SMR's mix (Le, Bezerra, Pedone, DSN 2016) and DynaStar's, with its Zipf
//! exponent and the 140 characters of a post (Le et al., ICDCS 2019). Ours: the ten posts that a
//! timeline keeps; `growing`; that `celebrity` shifts popularity by half the users, after a number
//! of commands of each client, for commands are a function of their number and not of time.

pub(crate) mod flags;
mod service;
mod settings;
mod steps;
mod workload;
