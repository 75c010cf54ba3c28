//! The users by procedure call, as a component.
#![cfg(target_family = "wasm")]

use service::rpc::Rpc;
use service::spin::{self, IncomingRequest, ResponseOutparam};

#[spin_sdk::http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    spin::serve::<Rpc>(request, response_out).await;
}
