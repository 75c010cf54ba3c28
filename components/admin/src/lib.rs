//! The page for the people who look after users, as a component.
#![cfg(target_family = "wasm")]

use service::admin::File;
use service::spin::{self, IncomingRequest, ResponseOutparam};

/// What is in `page/`, see `build.rs`.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

#[spin_sdk::http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    spin::serve_page(FILES, request, response_out).await;
}
