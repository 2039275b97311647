//! Social graphs: read from an edge list, or made up with the shape that such graphs have.

pub(crate) mod edge_list;
mod line;
pub(crate) mod made_up;
pub(crate) mod network;
