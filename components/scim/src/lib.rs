//! Users and groups over SCIM 2.0, as a component.
#![cfg(target_family = "wasm")]

use service::scim::service::Scim;
use service::spin::{self, IncomingRequest, ResponseOutparam};

#[spin_sdk::http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    spin::serve::<Scim>(request, response_out).await;
}
