//! Workload `chirper`: the social network of the S-SMR papers.
//!
//! A user is an object with its timeline. Reading a timeline touches one user; a post changes the
//! timelines of all the poster's followers, unseen, so that one command may touch a thousand
//! objects without shipping them around.
//!
//! Who follows whom is known outside the service: a user belongs to the client `id mod clients`,
//! who alone posts for it and changes its followers, and therefore knows them whatever the others
//! do. The static attribute is the user.

pub(crate) mod flags;
mod service;
mod settings;
mod steps;
mod workload;
