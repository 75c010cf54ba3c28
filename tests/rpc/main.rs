//! The users by procedure call, by clients that others wrote and byte by byte.
//!
//! - `connect`: the procedures, by Connect in JSON
//! - `access`: who may call what, how often, and what is kept of it
//! - `grpc`: gRPC, by tonic: unary calls, both streams, health and reflection
//! - `wire`: what is no call, in each of the protocols

mod access;
mod connect;
mod grpc;
#[path = "../support/mod.rs"]
mod support;
mod wire;

use reqwest::blocking::Client;
use serde_json::{Value, json};
use support::{Send, service};

/// The answer to a call.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    /// The status code of a call that failed, and the reason.
    fn failure(&self) -> (&str, &str) {
        let code = self.body["code"].as_str();
        let info = &self.body["details"][0];
        assert_eq!(info["type"], "google.rpc.ErrorInfo", "{self:?}");
        let reason = info["debug"]["reason"].as_str();
        (code.expect("a code"), reason.expect("a reason"))
    }

    fn user(&self) -> &Value {
        assert_eq!(self.status, 200, "{self:?}");
        &self.body["user"]
    }
}

/// Calls a procedure of the shared service by Connect in JSON.
fn call(method: &str, message: Value) -> Answer {
    let path = format!("/edgeusers.v1.UserService/{method}");
    let request = Client::new().post(format!("{}{path}", service().url));
    send(request.json(&message))
}

fn send(request: reqwest::blocking::RequestBuilder) -> Answer {
    let answer = request.answer_of_call();
    Answer {
        status: answer.status,
        body: answer.json(),
    }
}

/// A new user, as it is answered.
fn create(user: Value) -> Value {
    call("CreateUser", json!({ "user": user })).user().clone()
}
