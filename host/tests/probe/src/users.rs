//! A user service that answers as the id says.

use std::time::Duration;

use spin_sdk::http::IncomingRequest;

use crate::response::{Answer, headers_of};

/// The id is the status. A user with the id 200 has the fields of the request as its name; the
/// answer to 1 takes a minute.
pub fn answer(id: &str, request: &IncomingRequest) -> Answer {
    let status: u16 = id.parse().expect("it is a number");
    match status {
        1 => {
            std::thread::sleep(Duration::from_secs(60));
            Answer::text("slept")
        }
        200 => {
            let fields = headers_of(request).replace('\n', ", ");
            Answer::text(format!("{{\"name\":\"{fields}\"}}"))
        }
        429 | 503 => Answer::text("later")
            .with_status(status)
            .with_field("retry-after", "7"),
        _ => Answer::text("no").with_status(status),
    }
}
