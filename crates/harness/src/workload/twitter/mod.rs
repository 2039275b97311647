//! Workloads `twitter-12`, `-14`, `-15`, `-23`, `-45` and `-52`: six of Twitter's cache clusters,
//! as their statistics of March 2020 describe them (Yang, Yue, Rashmi: A large scale analysis of
//! hundreds of in-memory cache clusters at Twitter, OSDI 2020; `stat/2020Mar.md` of
//! `github.com/twitter/cache-trace`, licence CC-BY).
//!
//! Published are the shares of the operations, the mean sizes of keys and values, the exponent of
//! the Zipf distribution of keys, how many requests are the first for their key (compulsory
//! misses), how many keys are asked for once and never again (one-hit wonders), and how many reads
//! missed.
//!
//! Ours is what that means for objects, which exist or not: `get` and `gets` read; `set` updates an
//! object, or creates one that is new; `add` creates; `delete` deletes; `incr` and `cas` read and
//! overwrite. So many of the writes are of new keys that compulsory misses have their share; where
//! there are more than writes (45), the rest are reads of what was never there. A new key is
//! touched no more if it is a one-hit wonder, and else once more, when its client has made 16
//! younger ones that come back; all other commands go to a working set of loaded keys, by the
//! published exponent. A delete hits any of these, and the client's next `set` of a key that is not
//! new creates it again; only so many are missing at a time as reads have missed, and what is
//! deleted beyond that was never there, as it must be where there are more deletes than writes.
//!
//! Without counterpart here: times to live and evictions; the token of `cas`, which would make a
//! command depend on an answer (here it succeeds if the object exists); distributions of sizes (a
//! value has the mean size, with the key in it, or that of `--value-size`); how often a key that
//! comes back does so; change over the day.

pub(crate) mod flags;
mod settings;
mod steps;
mod workload;
