//! Finds the trigger that answers a request.
//!
//! Patterns are Spin's, on the same crate: `/users` matches itself, `/users/...`
//! everything below it and itself, `:name` one segment. Of several that match the
//! most exact wins, segment by segment. A trailing slash makes no difference.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use http::{HeaderName, HeaderValue};
use routefinder::{Captures, RouteSpec, Segment};

/// The path prefix that the host keeps to itself.
pub const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

/// The pattern of the paths that the host keeps to itself.
pub const WELL_KNOWN_ROUTE: &str = "/.well-known/spin/...";

/// Finds the route of a path, with its target.
#[derive(Debug)]
pub struct Router<T> {
    routes: routefinder::Router<Route<T>>,
}

/// A pattern and its target.
#[derive(Debug)]
pub struct Route<T> {
    /// It answers the requests of the route.
    pub target: T,
    /// The pattern as the manifest has it.
    pub raw: Arc<str>,
    /// For the headers that tell a component its route.
    pub raw_header: HeaderValue,
    /// `raw` without its trailing wildcard.
    pub prefix_header: HeaderValue,
    /// The pattern as it is matched.
    pub matched_header: HeaderValue,
    /// The header for each named segment.
    pub segment_headers: Vec<(String, HeaderName)>,
    pattern: String,
}

impl<T> Route<T> {
    fn new(raw: String, target: T) -> anyhow::Result<Self> {
        let pattern = pattern(&raw);
        let spec = spec(&pattern)?;
        let segment_headers = spec
            .segments()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Param(name) => Some(name),
                _ => None,
            })
            .map(|name| {
                let header = format!("spin-path-match-{}", name.replace('_', "-"));
                Ok((name.to_string(), header.parse()?))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            raw_header: HeaderValue::from_str(&raw)?,
            prefix_header: HeaderValue::from_str(raw.strip_suffix("/...").unwrap_or(&raw))?,
            matched_header: HeaderValue::from_str(&pattern)?,
            segment_headers,
            pattern,
            raw: raw.into(),
            target,
        })
    }
}

impl<T> fmt::Display for Route<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wildcard = ["/...", "/*"]
            .into_iter()
            .find_map(|suffix| self.pattern.strip_suffix(suffix));
        let path = match wildcard.unwrap_or(&self.pattern) {
            "" => "/",
            path => path,
        };
        f.write_str(path)?;
        f.write_str(if wildcard.is_some() {
            " (wildcard)"
        } else {
            ""
        })
    }
}

/// The route of a request, and the parts of its path that the pattern leaves open.
pub struct RouteMatch<'r, 'p, T> {
    /// The route.
    pub route: &'r Route<T>,
    captures: Captures<'r, 'p>,
    path: &'p str,
}

impl<T> RouteMatch<'_, '_, T> {
    /// The part of the path that the trailing wildcard stands for, with the slashes before
    /// and after it that the client wrote.
    pub fn path_info(&self) -> Cow<'_, str> {
        let Some(rest) = self.captures.wildcard() else {
            return Cow::Borrowed("");
        };
        match (rest.is_empty(), self.path.ends_with('/')) {
            (true, false) => Cow::Borrowed(""),
            (true, true) => Cow::Borrowed("/"),
            (false, false) => Cow::Owned(format!("/{rest}")),
            (false, true) => Cow::Owned(format!("/{rest}/")),
        }
    }

    /// The part of the path that the named segment stands for.
    pub fn segment(&self, name: &str) -> Option<&str> {
        self.captures.get(name)
    }
}

impl<T> Router<T> {
    /// A router of these patterns. Of two that are the same the later counts; the
    /// earlier are returned too.
    pub fn build(
        routes: impl IntoIterator<Item = (String, T)>,
    ) -> anyhow::Result<(Self, Vec<Route<T>>)> {
        let mut distinct: Vec<Route<T>> = Vec::new();
        let mut replaced = Vec::new();
        for (raw, target) in routes {
            let route = Route::new(raw, target)?;
            match distinct
                .iter_mut()
                .find(|other| other.pattern == route.pattern)
            {
                Some(same) => replaced.push(std::mem::replace(same, route)),
                None => distinct.push(route),
            }
        }
        let mut router = routefinder::Router::new();
        for route in distinct {
            router
                .add(spec(&route.pattern)?, route)
                .map_err(|error| anyhow!(error))?;
        }
        Ok((Self { routes: router }, replaced))
    }

    /// The route of `path`, if there is one.
    pub fn find<'r, 'p>(&'r self, path: &'p str) -> Option<RouteMatch<'r, 'p, T>> {
        let found = self.routes.best_match(path)?;
        Some(RouteMatch {
            route: found.handler(),
            captures: found.captures(),
            path,
        })
    }

    /// All routes.
    pub fn routes(&self) -> impl Iterator<Item = &Route<T>> {
        self.routes.iter().map(|(_, route)| route)
    }
}

/// Fails if the pattern is wrong, and says why.
pub fn check(raw: &str) -> anyhow::Result<()> {
    Route::new(raw.to_owned(), ()).map(drop)
}

/// The pattern with a slash before it and none after.
fn pattern(raw: &str) -> String {
    let raw = raw.strip_suffix('/').unwrap_or(raw);
    if raw.is_empty() || raw.starts_with('/') {
        raw.to_owned()
    } else {
        format!("/{raw}")
    }
}

fn spec(pattern: &str) -> anyhow::Result<RouteSpec> {
    let wildcard = pattern
        .strip_suffix("/...")
        .map(|prefix| Cow::Owned(format!("{prefix}/*")));
    let spec: RouteSpec = wildcard
        .unwrap_or(Cow::Borrowed(pattern))
        .parse()
        .map_err(|error: String| anyhow!("the route {pattern:?} can't be parsed: {error}"))?;
    // The crate would panic, but only when such a route comes to be matched.
    if let [segments @ .., _] = spec.segments()
        && segments.contains(&Segment::Wildcard)
    {
        bail!("the route {pattern:?} has a wildcard that isn't at its end");
    }
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &'static str)]) -> Router<&'static str> {
        let routes = routes.iter().map(|(raw, id)| ((*raw).to_owned(), *id));
        Router::build(routes).unwrap().0
    }

    fn target(router: &Router<&'static str>, path: &str) -> Option<&'static str> {
        router.find(path).map(|found| found.route.target)
    }

    #[test]
    fn an_exact_route_matches_its_path_with_or_without_a_trailing_slash() {
        let router = router(&[("/users", "users")]);
        assert_eq!(target(&router, "/users"), Some("users"));
        assert_eq!(target(&router, "/users/"), Some("users"));
        assert_eq!(target(&router, "/users/1"), None);
        assert_eq!(target(&router, "/"), None);
    }

    #[test]
    fn a_wildcard_matches_itself_and_everything_below() {
        let router = router(&[("/users/...", "users")]);
        for path in ["/users", "/users/", "/users/1", "/users/1/keys"] {
            assert_eq!(target(&router, path), Some("users"), "{path}");
        }
        assert_eq!(target(&router, "/usersandmore"), None);
    }

    #[test]
    fn the_more_exact_route_wins() {
        let router = router(&[
            ("/...", "all"),
            ("/users/...", "users"),
            ("/users/:id", "user"),
            ("/users/me", "me"),
        ]);
        assert_eq!(target(&router, "/"), Some("all"));
        assert_eq!(target(&router, "/users/1/keys"), Some("users"));
        assert_eq!(target(&router, "/users/1"), Some("user"));
        assert_eq!(target(&router, "/users/me"), Some("me"));
    }

    #[test]
    fn the_rest_of_a_path_keeps_its_slashes() {
        let router = router(&[("/users/...", "users")]);
        let path_info = |path| router.find(path).unwrap().path_info().into_owned();
        assert_eq!(path_info("/users"), "");
        assert_eq!(path_info("/users/"), "/");
        assert_eq!(path_info("/users/1"), "/1");
        assert_eq!(path_info("/users/1/"), "/1/");
    }

    #[test]
    fn named_segments_are_told_by_name() {
        let router = router(&[("/teams/:team_id/users/:user", "user")]);
        let found = router.find("/teams/7/users/bob").unwrap();
        assert_eq!(found.segment("team_id"), Some("7"));
        assert_eq!(found.segment("user"), Some("bob"));
        let headers = found.route.segment_headers.iter();
        let headers: Vec<&str> = headers.map(|(_, header)| header.as_str()).collect();
        assert_eq!(headers, ["spin-path-match-team-id", "spin-path-match-user"]);
    }

    #[test]
    fn of_two_same_routes_the_later_counts() {
        for same in ["/a", "/a/"] {
            let routes = [("/a".to_owned(), "first"), (same.to_owned(), "second")];
            let (router, replaced) = Router::build(routes).unwrap();
            assert_eq!(target(&router, "/a"), Some("second"));
            assert_eq!(replaced[0].target, "first");
        }
    }

    #[test]
    fn routes_are_shown_as_spin_shows_them() {
        let shown = |raw: &str| Route::new(raw.to_owned(), ()).unwrap().to_string();
        assert_eq!(shown("/"), "/");
        assert_eq!(shown("/..."), "/ (wildcard)");
        assert_eq!(shown("/users/..."), "/users (wildcard)");
        assert_eq!(shown("users/"), "/users");
    }

    #[test]
    fn wildcards_have_no_name_and_come_last() {
        assert!(check("/*rest").is_err());
        assert!(check("/a/*/b").is_err());
        assert!(check("/a/*").is_ok());
    }
}
