//! The service on Spin's SDK. A component calls [`serve`] with each request.

mod error_code;
mod fetch;
mod key_value;
mod request;
mod response;
mod wasi_platform;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use http::Request;
pub use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};

use crate::admin::{self, File};
use crate::configuration::Configuration;
use crate::directory::{Directory, Sizes};
use crate::message::trace::{self, Trace};
use crate::platform::Platform;
use crate::service::resource::Answer;
use crate::service::{self, Interface};
use key_value::KeyValue;
use wasi_platform::WasiPlatform;

/// Answers a request by an interface.
pub async fn serve<I: Interface>(request: IncomingRequest, response_out: ResponseOutparam) {
    let arrived = monotonic_clock::now();
    let platform = &WasiPlatform { arrived };
    let configuration = &*configuration(platform);
    let store = KeyValue::default();
    let directory = Directory {
        store: &store,
        platform,
        sizes: Sizes::SERVICE,
    };
    // Without a limit of requests nobody asks for the client's address.
    let with_address = configuration.rate_limit > 0;
    let answer = match request::read(request, with_address) {
        Some(request) => service::respond::<I, _, _, _>(&directory, configuration, request).await,
        None => service::malformed_target(platform),
    };
    let Answer { response, created } = answer;
    let timing = service::server_timing(since(arrived), store.waited.get());
    if let Err(error) = response::write(response, &timing, response_out).await {
        platform.log_error(&format!("the response could not be sent: {error}"));
    }
    service::run_after_response(&directory, configuration, created).await;
}

/// Answers a request for the page for administrators, which needs neither store nor callers.
pub async fn serve_page(
    files: &'static [File],
    request: IncomingRequest,
    response_out: ResponseOutparam,
) {
    let arrived = monotonic_clock::now();
    let platform = &WasiPlatform { arrived };
    let fields = request.headers();
    let own = admin::HEADERS.map(|name| (fields.get(name.as_str()), name));
    drop(fields);
    let response = match request::read(request, false) {
        Some(request) => {
            let (mut head, _) = request.into_parts();
            for (values, name) in own {
                for value in values.into_iter().filter_map(|value| value.try_into().ok()) {
                    head.headers.append(name.clone(), value);
                }
            }
            let trace = Trace::of(&head.headers, platform);
            let response = admin::respond(files, &Request::from_parts(head, ()), platform);
            let mut response = response.unwrap_or_else(|problem| problem.into_response(&trace));
            let headers = response.headers_mut();
            headers.insert(trace::REQUEST_ID, trace.header());
            response.into()
        }
        None => service::malformed_target(platform),
    };
    let timing = service::server_timing(since(arrived), Duration::ZERO);
    if let Err(error) = response::write(response.response, &timing, response_out).await {
        platform.log_error(&format!("the response could not be sent: {error}"));
    }
}

/// How long it is since `instant`.
fn since(instant: monotonic_clock::Instant) -> Duration {
    Duration::from_nanos(monotonic_clock::now() - instant)
}

/// How old the configuration of an instance may be, in nanoseconds: a second.
const MAX_AGE: monotonic_clock::Duration = 1_000_000_000;

thread_local! {
    /// When the configuration was read, and what it was. A host may use an instance for many
    /// requests, and may change a variable meanwhile.
    static CONFIGURATION: RefCell<Option<(monotonic_clock::Instant, Rc<Configuration>)>> =
        const { RefCell::new(None) };
}

/// The configuration, read again if it is too old.
fn configuration(platform: &WasiPlatform) -> Rc<Configuration> {
    CONFIGURATION.with_borrow_mut(|known| {
        let before = match known {
            Some((read_at, known)) if platform.arrived - *read_at <= MAX_AGE => {
                return known.clone();
            }
            Some((_, known)) => Some(&**known),
            None => None,
        };
        let configuration = Rc::new(Configuration::read(platform, before));
        *known = Some((platform.arrived, configuration.clone()));
        configuration
    })
}

/// Waits for that long.
fn pause(time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanos).block();
}

/// Waits until `event`, or for that long.
fn wait(event: &Pollable, timeout: Duration) {
    let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let time = monotonic_clock::subscribe_duration(nanos);
    poll(&[event, &time]);
}
