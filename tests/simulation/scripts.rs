//! Runs with fixed steps, for cases that take more requests than can be
//! explored, or an answer that comes very late.

use edge_users::directory::Sizes;

use crate::backend::Backend;
use crate::sabotage::Sabotage;
use crate::scheduler::Simulation;
use crate::violation::Violation;
use crate::{contention, counts, leftovers};

/// A run, in words and in steps; fails if a promise is broken.
pub type Script = (&'static str, fn(&mut Simulation) -> Result<(), Violation>);

/// All scripts.
pub const SCRIPTS: [Script; 16] = [
    (
        "each request costs what it may",
        counts::requests_cost_what_they_may,
    ),
    (
        "a page steps over ids that name nobody",
        counts::a_page_steps_over_ids_that_name_nobody,
    ),
    (
        "a page steps over them also after a delete that died",
        counts::a_page_steps_over_them_also_after_a_delete_that_died,
    ),
    (
        "pages cost no more after requests that died",
        leftovers::pages_cost_no_more_after_requests_that_died,
    ),
    (
        "many creates meet on one email",
        leftovers::many_creates_meet_on_one_email,
    ),
    (
        "a slow claim leaves a later one alone",
        leftovers::a_slow_claim_leaves_a_later_one_alone,
    ),
    (
        "an email that a deleted user was about to get is free",
        leftovers::an_email_that_a_deleted_user_was_about_to_get_is_free,
    ),
    (
        "ids of which nothing came are settled",
        leftovers::ids_of_which_nothing_came_are_settled,
    ),
    (
        "an id is given very late",
        leftovers::an_id_is_given_very_late,
    ),
    (
        "many deletes are refused late",
        leftovers::many_deletes_are_refused_late,
    ),
    (
        "a delete is not disturbed by pages",
        leftovers::a_delete_is_not_disturbed_by_pages,
    ),
    (
        "deletes beyond the room in the ledger are put off",
        leftovers::deletes_beyond_the_room_in_the_ledger_are_put_off,
    ),
    (
        "an update is answered after many others",
        leftovers::an_update_is_answered_after_many_others,
    ),
    (
        "a delete is announced before many others",
        leftovers::a_delete_is_announced_before_many_others,
    ),
    (
        "a rename ends beside short changes",
        contention::a_rename_ends_beside_short_changes,
    ),
    (
        "a join ends beside short changes",
        contention::a_join_ends_beside_short_changes,
    ),
];

/// Plays a script on an empty store.
pub fn play(
    (_, script): Script,
    backend: Backend,
    sabotage: Option<Sabotage>,
) -> Result<(), Violation> {
    let mut run = Simulation::new(backend, Sizes::SERVICE);
    run.store.sabotage = sabotage;
    script(&mut run)
}

#[test]
fn every_script_keeps_every_promise() {
    for script in SCRIPTS {
        for backend in Backend::ALL {
            play(script, backend, None)
                .unwrap_or_else(|Violation(what)| panic!("{} on {backend:?}: {what}", script.0));
        }
    }
}
