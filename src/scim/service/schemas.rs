//! The schemas, with those that the operator declares in the variable `scim_schemas`. Only this
//! component reads the variable: the others have no use for it, and would pay for it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::scim::Schemas;

const VARIABLE: &str = "scim_schemas";

thread_local! {
    /// The schemas by the text of the variable. A host may use an instance for many requests.
    static KNOWN: RefCell<Option<(String, Rc<Schemas>)>> = const { RefCell::new(None) };
}

/// The schemas. Fails, and tells the log, if the variable can't be read.
pub fn of(platform: &impl Platform) -> Result<Rc<Schemas>, Problem> {
    let misconfigured = |why: String| {
        let detail = format!("The configuration can't be read: the variable {VARIABLE} {why}.");
        Problem::new(types::MISCONFIGURED, detail).with_cause("misconfigured")
    };
    let text = platform.variable(VARIABLE);
    let text = text.map_err(|why| misconfigured(format!("can't be read: {why}")))?;
    let text = text.unwrap_or_default();
    KNOWN.with_borrow_mut(|known| match known {
        Some((read, schemas)) if *read == text => Ok(schemas.clone()),
        _ => {
            let schemas = match text.trim() {
                "" => Schemas::default(),
                declared => Schemas::read(declared).map_err(misconfigured)?,
            };
            let schemas = Rc::new(schemas);
            *known = Some((text, schemas.clone()));
            Ok(schemas)
        }
    })
}
