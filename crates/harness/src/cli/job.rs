//! What a batch system tells each job of an array: Slurm, and Kubernetes' Indexed Jobs.

/// The variables in which each job is told its number.
const NUMBERS: [&str; 2] = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"];

/// A variable of the environment, or of a test.
pub(super) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The number of this job, as its array was given it.
///
/// # Errors
/// If this is no job of an array, or its number is none.
pub(super) fn number(variable: Variable) -> Result<usize, String> {
    let told = NUMBERS.iter().find(|name| variable(name).is_some());
    let names = NUMBERS.join(" nor ");
    whole(variable, told.ok_or(format!("neither {names} is set"))?)
}

/// The place of this job in its array, from 0, and how many jobs that has. Only Slurm tells it.
///
/// # Errors
/// If Slurm did not start this job, or not as one of an array.
pub(super) fn place(variable: Variable) -> Result<(usize, usize), String> {
    let number = whole(variable, "SLURM_ARRAY_TASK_ID")?;
    let first = whole(variable, "SLURM_ARRAY_TASK_MIN")?;
    let step = match variable("SLURM_ARRAY_TASK_STEP") {
        Some(_) => whole(variable, "SLURM_ARRAY_TASK_STEP")?,
        None => 1,
    };
    let count = whole(variable, "SLURM_ARRAY_TASK_COUNT")?;
    let steps = number
        .checked_sub(first)
        .and_then(|it| it.checked_div(step));
    match steps {
        Some(place) if place < count && place * step == number - first => Ok((place, count)),
        _ => Err(format!(
            "job {number} of an array from {first} in steps of {step} has no place among {count}"
        )),
    }
}

/// The whole number in a variable.
fn whole(variable: Variable, name: &str) -> Result<usize, String> {
    let text = variable(name).ok_or_else(|| format!("{name} is not set"))?;
    let number = text.parse();
    number.map_err(|_| format!("{text:?} (from {name}) is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment with these variables alone.
    fn with(variables: &'static str) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let mut pairs = variables
                .split_whitespace()
                .filter_map(|it| it.split_once('='));
            let (_, value) = pairs.find(|(it, _)| *it == name)?;
            Some(value.to_owned())
        }
    }

    #[test]
    fn the_number_of_a_job_is_what_its_batch_system_says() {
        assert_eq!(number(&with("SLURM_ARRAY_TASK_ID=12")), Ok(12));
        assert_eq!(number(&with("JOB_COMPLETION_INDEX=0")), Ok(0));
        let none = number(&with("HOME=/")).unwrap_err();
        assert!(none.contains("nor SLURM_ARRAY_TASK_ID is set"), "{none}");
        let bad = number(&with("SLURM_ARRAY_TASK_ID=x")).unwrap_err();
        assert!(bad.contains("from SLURM_ARRAY_TASK_ID"), "{bad}");
    }

    #[test]
    fn the_place_of_a_job_does_not_depend_on_where_its_array_begins() {
        let array = "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=9 \
                     SLURM_ARRAY_TASK_STEP=2 SLURM_ARRAY_TASK_COUNT=4";
        assert_eq!(place(&with(array)), Ok((2, 4)));
        let alone = "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_COUNT=1";
        assert_eq!(place(&with(alone)), Ok((0, 1)));
        let gaps = "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_COUNT=2";
        assert!(place(&with(gaps)).unwrap_err().contains("no place"));
        let none = place(&with("JOB_COMPLETION_INDEX=1")).unwrap_err();
        assert!(none.contains("SLURM_ARRAY_TASK_ID is not set"), "{none}");
    }
}
