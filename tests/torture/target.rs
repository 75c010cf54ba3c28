//! The services that can be tortured.

use std::error::Error;
use std::time::Instant;

use crate::Progress;
use crate::faults::Faults;
use crate::load::Stage;
use crate::random::Random;

/// A service, and the harm that can be done to it.
pub trait Target {
    /// Where its clients send their requests.
    fn url(&self) -> String;

    /// Its parts whose availability is measured, by name and URL. The last one is the whole.
    fn parts(&self) -> Vec<(String, String)>;

    /// Harms it again and again until `end`, while clients use it, and then has it work again.
    fn torment(
        &mut self,
        stage: &Stage,
        random: &mut Random,
        end: Instant,
        progress: &mut Progress,
    ) -> Result<(), Box<dyn Error>>;

    /// Ends everything that may still be under way, and has it work again.
    fn recover(&mut self, stage: &Stage) -> Result<(), Box<dyn Error>>;

    fn faults(&self) -> &Faults;

    /// What was done to it, for people.
    fn harm_done(&self) -> String;
}
