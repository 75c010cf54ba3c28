//! The operator's limit of the requests of a client in a minute: 429 beyond it (RFC 6585,
//! section 4), and in each answer the number of requests that are left
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::store::Store;

/// The draft's names.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The header with the client's address. The host appends its value after values that the client
/// sent.
pub const CLIENT_ADDRESS: &str = "spin-client-addr";

/// In milliseconds.
const MINUTE: i64 = 60_000;

/// A client whose requests are counted.
#[derive(Clone, Debug)]
pub struct Client {
    identity: String,
    limit: u64,
}

/// The requests of a client in this minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    limit: u64,
    /// Requests that it made in this minute.
    made: u64,
    /// Seconds until the next minute.
    pub reset: i64,
}

impl Client {
    /// The client that sent a request with these headers; `None` where there is no limit. A caller
    /// who is known is counted by name, others by address.
    pub fn of(
        headers: &HeaderMap,
        caller: Option<&str>,
        configuration: &Configuration,
    ) -> Option<Client> {
        let limit = configuration.rate_limit;
        (limit > 0).then(|| Client {
            identity: match caller {
                Some(name) => format!("principal {name}"),
                None => address(headers),
            },
            limit,
        })
    }

    /// Counts a request, or a line of an import. `None` if the store fails: then the request goes
    /// on uncounted, and fails by itself if it needs the store.
    pub async fn count<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
    ) -> Option<Quota> {
        let now = directory.platform.now().0;
        let counted = directory.count_request(&self.identity, now.div_euclid(MINUTE));
        match counted.await {
            Ok(made) => Some(Quota {
                limit: self.limit,
                made,
                reset: (MINUTE - now.rem_euclid(MINUTE) + 999) / 1000,
            }),
            Err(error) => {
                let line = format!("a request was not counted: {error}");
                directory.platform.log_error(&line);
                None
            }
        }
    }
}

impl Quota {
    /// Whether the client has made more requests than it may.
    pub fn is_exceeded(&self) -> bool {
        self.made > self.limit
    }

    /// Fails if the client has made more requests than it may.
    pub fn check(&self) -> Result<(), Problem> {
        match self.is_exceeded() {
            true => Err(Problem::too_many_requests(self.limit, self.reset)),
            false => Ok(()),
        }
    }

    /// Tells the client, in the headers of the response.
    pub fn apply(&self, response: &mut HeaderMap) {
        let Quota { limit, made, reset } = self;
        let left = limit.saturating_sub(*made);
        let mut set = |name, value: String| {
            let value = HeaderValue::try_from(value).expect("letters and numbers");
            response.insert(name, value);
        };
        set(POLICY, format!("\"minute\";q={limit};w=60"));
        set(LIMIT, format!("\"minute\";r={left};t={reset}"));
    }
}

/// The address of a client: the last value, which the host added. A client can only send values
/// before it. An IPv6 client is counted by its /64, from which it can choose addresses freely.
/// All clients without an address are counted as one.
fn address(headers: &HeaderMap) -> String {
    let added = headers.get_all(CLIENT_ADDRESS).iter().next_back();
    let added = added.and_then(|value| value.to_str().ok());
    let address = added.and_then(|text| {
        let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
        with_port.or_else(|_| text.parse()).ok()
    });
    match address.map(|address: IpAddr| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let network = u128::from(address) >> 64 << 64;
            format!("{}/64", Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(values: &[&str]) -> String {
        let values = values.iter().map(|value| value.parse().unwrap());
        let name = HeaderName::from_static(CLIENT_ADDRESS);
        let headers = values.map(|value| (name.clone(), value)).collect();
        address(&headers)
    }

    #[test]
    fn the_address_is_the_one_that_the_host_added() {
        assert_eq!(
            address_of(&["198.51.100.7:1", "192.0.2.1:4711"]),
            "192.0.2.1"
        );
        assert_eq!(address_of(&["192.0.2.1"]), "192.0.2.1");
        assert_eq!(address_of(&["[::ffff:192.0.2.1]:4711"]), "192.0.2.1");
        assert_eq!(address_of(&["192.0.2.1:1", "nonsense"]), "unknown");
        assert_eq!(address_of(&[]), "unknown");
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        assert_eq!(address_of(&["[2001:db8:1:2:3::4]:80"]), "2001:db8:1:2::/64");
        assert_eq!(address_of(&["2001:db8:1:2::9"]), "2001:db8:1:2::/64");
    }

    #[test]
    fn an_answer_says_what_is_left() {
        let (limit, reset) = (10, 7);
        let mut headers = HeaderMap::new();
        for (made, left) in [(1, 9), (10, 0), (11, 0)] {
            let quota = Quota { limit, made, reset };
            quota.apply(&mut headers);
            assert_eq!(headers["ratelimit"], format!("\"minute\";r={left};t=7"));
            assert_eq!(quota.check().is_ok(), made <= 10);
        }
        assert_eq!(headers["ratelimit-policy"], "\"minute\";q=10;w=60");
    }
}
