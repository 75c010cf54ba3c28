//! The work that is measured on each service.

use crate::contestant::Contestant;
use crate::place::Place;
use crate::work::Work;

/// The store on which everybody is compared.
pub const BASE: u64 = 1_000;

/// The sizes of stores.
pub const SIZES: [u64; 3] = [BASE, 100_000, 1_000_000];

/// The connections on which targets are stated.
pub const CONNECTIONS: u64 = 16;

/// All numbers of connections.
pub const ALL_CONNECTIONS: [u64; 3] = [1, CONNECTIONS, 64];

/// The work that takes indexes or groups, and the page that searches are compared with.
pub const OF_LISTS: [Work; 5] = [
    Work::ShortPage,
    Work::FindByWord,
    Work::FindByAttribute,
    Work::Members,
    Work::AddMember,
];

/// A service that is started once a round, and its work, reads first.
#[derive(Clone, Debug)]
pub struct Group {
    pub contestant: Contestant,
    pub users: u64,
    pub with_token: bool,
    pub cases: Vec<(Work, u64)>,
}

impl Group {
    fn new(contestant: Contestant, users: u64) -> Group {
        Group {
            contestant,
            users,
            with_token: false,
            cases: Vec::new(),
        }
    }

    fn on_all_connections(mut self, work: Work) -> Group {
        self.cases.extend(ALL_CONNECTIONS.map(|n| (work, n)));
        self
    }

    fn works(mut self, works: &[Work]) -> Group {
        self.cases
            .extend(works.iter().map(|work| (*work, CONNECTIONS)));
        self
    }

    /// Keeps some of the works.
    pub fn retain(&mut self, keep: impl Fn(Work) -> bool) {
        self.cases.retain(|(work, _)| keep(*work));
    }

    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }
}

/// Everything that can be measured here.
pub fn groups(place: &Place) -> Vec<Group> {
    use Contestant::*;
    use Work::*;
    let [small, medium, large] = SIZES;
    let reads = [GetMissing, GetNotModified, GetByEmail, Page];
    let mut groups = vec![
        Group::new(Fixed, small).on_all_connections(Get),
        Group::new(OneRead, small).on_all_connections(Get),
        Group::new(EdgeUsers, small)
            .on_all_connections(Get)
            .works(&[GetConnect])
            .works(if place.h2load.is_some() {
                &[GetHttp2, GetGrpc]
            } else {
                &[]
            })
            .works(&reads)
            .works(&[Mix, Update, Rename])
            .on_all_connections(Create),
        Group::new(EdgeUsersWatched, small).works(&[Get, Create]),
        Group::new(EdgeUsersIndexed, small)
            .works(&[Get])
            .works(&OF_LISTS)
            .works(&[Create]),
        Group::new(NativeSqlite, small)
            .on_all_connections(Get)
            .on_all_connections(Create),
        Group::new(NativeMemory, small)
            .on_all_connections(Get)
            .on_all_connections(Create),
        Group::new(Article, small)
            .on_all_connections(Get)
            .on_all_connections(Create),
        Group::new(Article, medium).works(&[Get]),
    ];
    if place.has_authorization {
        let mut group =
            Group::new(EdgeUsers, small).works(&[Get, GetByEmail, Page, Mix, Update, Create]);
        group.with_token = true;
        groups.push(group);
    }
    groups.extend([
        Group::new(EdgeUsers, medium).works(&[Get, GetByEmail, Page, Update, Delete, Create]),
        Group::new(EdgeUsers, large).works(&[Get, GetByEmail, Page, Update, Create]),
        Group::new(EdgeUsersIndexed, medium).works(&OF_LISTS),
        Group::new(EdgeUsersIndexed, large).works(&OF_LISTS),
        Group::new(NativeSqlite, medium).works(&[Get, Create]),
        Group::new(NativeSqlite, large).works(&[Get, Create]),
        Group::new(FixedOnWasmtime, small).on_all_connections(Get),
        Group::new(EdgeUsersOnSpin, small)
            .on_all_connections(Get)
            .works(&[GetByEmail, Page, Update, Create]),
    ]);
    groups.retain(|group| group.contestant.is_here(place));
    groups
}
