//! A service of its own for each test, and a browser that has its page.
//!
//! - [`service`]: the embedded host, and requests to it
//! - [`browser`]: what a person sees and does, by roles and names
//! - [`gate`]: a proxy between both that can stop

mod browser;
mod gate;
mod service;

pub use browser::{Browser, Key, Options};
pub use gate::Gate;
pub use service::{Service, token};

use std::future::Future;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a test with a browser, and closes that however the test ends. The page must have run without a fault: nothing may
/// be refused by its content security policy, and no script may fail.
pub fn browse<T>(options: Options, test: impl FnOnce(Browser) -> T)
where
    T: Future<Output = ()> + 'static,
{
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let browser = Browser::start(options).await;
        let ended = tokio::task::spawn_local(test(browser.clone())).await;
        let faults = browser.faults().await;
        browser.close().await;
        if let Err(error) = ended {
            eprintln!("the page has told of: {faults:#?}");
            std::panic::resume_unwind(error.into_panic());
        }
        assert!(faults.is_empty(), "{faults:#?}");
    });
}
