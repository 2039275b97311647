//! The value of `sim --mutant`: a fault built in on purpose, in programs that are built with such.

/// A fault that can be chosen.
#[cfg(feature = "mutants")]
pub(super) type Choice = ssmr_core::Mutant;

/// There is none.
#[cfg(not(feature = "mutants"))]
pub(super) type Choice = std::convert::Infallible;

/// The mutant of this name.
#[cfg(feature = "mutants")]
pub(super) fn named(text: &str) -> Result<Choice, String> {
    let found = Choice::ALL.into_iter().find(|known| known.name() == text);
    found.ok_or_else(|| {
        let names = Choice::ALL.map(Choice::name);
        format!("there is none of this name; there are {}", names.join(", "))
    })
}

/// Says how to build a program that has them.
#[cfg(not(feature = "mutants"))]
pub(super) fn named(_: &str) -> Result<Choice, String> {
    Err(
        "this program was built without mutants: build it with `cargo build --release -p harness \
         --features mutants`"
            .into(),
    )
}
