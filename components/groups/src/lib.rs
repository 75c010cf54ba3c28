//! Groups of users over REST, as a component.
#![cfg(target_family = "wasm")]

use service::rest::groups::Groups;
use service::spin::{self, IncomingRequest, ResponseOutparam};

#[spin_sdk::http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    spin::serve::<Groups>(request, response_out).await;
}
