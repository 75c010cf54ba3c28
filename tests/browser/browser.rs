//! The page for administrators in a real browser: headless Chromium, by WebDriver, against the real
//! components on the embedded host. `make browser` runs it.

mod accessibility;
mod conflict;
mod failures;
mod groups;
mod import;
mod overview;
mod pictures;
mod safety;
mod session;
mod support;
mod users;
