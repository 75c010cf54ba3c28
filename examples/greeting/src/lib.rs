//! Greets users: a component that asks another one, the user service.
//!
//! `GET /greeting/{id}` is answered with `{"greeting":"Hello, Alice!"}`. [`users`] asks the user
//! service for the name. If there is none, the answer is a problem document (RFC 9457) that says
//! why. `answer` sends both.
#![cfg(target_family = "wasm")]

mod answer;
mod users;

use serde_json::json;
use spin_sdk::http::{IncomingRequest, Method, ResponseOutparam};

use answer::Answer;
use users::Failure;

#[spin_sdk::http_component]
fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let answer = match request.method() {
        Method::Get | Method::Head => greet(&request),
        _ => {
            let problem = Answer::problem(405, "Ask for a greeting with GET.");
            problem.with_field("allow", "GET, HEAD")
        }
    };
    answer.send(matches!(request.method(), Method::Head), response_out);
}

fn greet(request: &IncomingRequest) -> Answer {
    let target = request.path_with_query().unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let id = path.strip_prefix("/greeting/").filter(|id| is_id(id));
    let Some(id) = id else {
        return Answer::problem(404, "Ask for /greeting/ and the id of a user, such as 7.");
    };
    match users::name_of(id, &request.headers()) {
        Ok(name) => Answer::json(200, &json!({ "greeting": format!("Hello, {name}!") })),
        Err(Failure::NoSuchUser) => Answer::problem(404, "There is no user with this id."),
        // It is this component that the user service refuses, not its client.
        Err(Failure::Refused) => Answer::problem(
            502,
            "The user service refuses the token of the greeting service. The operator can give \
             it another one, in the variable greeting_token.",
        ),
        Err(Failure::Busy { retry_after }) => {
            let detail = "The user service can't answer now. Send the request again later.";
            Answer::problem(503, detail).with_field("retry-after", &retry_after)
        }
        Err(Failure::TooSlow) => Answer::problem(
            504,
            "The user service took too long to answer. Send the request again later.",
        ),
        Err(Failure::Broken(reason)) => {
            // For the operator: a client can't do anything with it.
            eprintln!("the user service did not answer as expected: {reason}");
            Answer::problem(502, "The user service did not answer as expected.")
        }
    }
}

/// Ids of users are numbers. Whatever else is in the path must not reach the user service.
fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
