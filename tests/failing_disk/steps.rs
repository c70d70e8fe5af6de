//! Which steps of a run are tried.
//!
//! A run takes hundreds of them, from fewer places of the program: a call, and who called whom just before. What follows
//! from a step that fails depends on its place, and seldom on how often it was taken before. So a step stands for its place
//! where it is the first or the last that is taken there; and of these the tests take a sample, evenly over the run and
//! the same each time: [`SAMPLE`] for each run and fault.
//!
//! With `FAILING_DISK=every` in the environment every single step is tried. That takes most of an hour, and is what to do
//! after a change to what is written, and in which order.

use std::collections::BTreeMap;

use super::Fault;

/// The steps of a run that went well, each with its place and class; as the shim recorded them.
pub struct Recorded(Vec<u64>);

/// Steps that are tried with one fault.
const SAMPLE: usize = 24;

/// Where a step's class is.
const CLASS: u64 = 3;

impl Recorded {
    /// `places`: as the shim wrote them down.
    pub fn of(places: &[u8], steps: usize) -> Recorded {
        let numbers = places.chunks_exact(size_of::<u64>());
        let numbers: Vec<u64> =
            numbers.take(steps).map(|number| u64::from_ne_bytes(number.try_into().unwrap())).collect();
        assert_eq!(numbers.len(), steps, "more steps than are recorded");
        Recorded(numbers)
    }

    /// Those that are tried with this fault, by their numbers among the steps that it strikes.
    pub fn chosen(&self, fault: Fault) -> Vec<usize> {
        let struck = self.0.iter().filter(|step| **step & CLASS >= fault.class());
        let mut of_place: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for (at, place) in struck.enumerate() {
            of_place.entry(*place).or_insert((at + 1, at + 1)).1 = at + 1;
        }
        let mut chosen: Vec<usize> = of_place.into_values().flat_map(|(first, last)| [first, last]).collect();
        chosen.sort_unstable();
        chosen.dedup();
        let many = chosen.len().min(SAMPLE);
        // Each kind of fault its own.
        let from = |turn: usize| (2 * turn + fault as usize % 2) * chosen.len() / (2 * many);
        (0..many).map(|turn| chosen[from(turn)]).collect()
    }
}

/// Whether every single step is to be tried.
pub fn every() -> bool {
    std::env::var_os("FAILING_DISK").is_some_and(|which| which == "every")
}
