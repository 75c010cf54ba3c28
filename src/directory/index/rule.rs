//! The rules of indexes: in which lists a user is, and where.

use std::borrow::Cow;

use crate::directory::hashed_key;
use crate::directory::lists::{List, Places, Position};
use crate::directory::record::Live;
use crate::user::{AttributePath, UserId};
use crate::words::Words;

/// The lengths, in characters, of the starts of words that have a list.
pub(in crate::directory) const LENGTHS: [usize; 5] = [1, 2, 4, 6, 8];

/// What an index goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::directory) enum Rule<'r> {
    /// One list of all users, in the order of their names.
    Names,
    /// A list for each start of a word that has one of the [`LENGTHS`].
    Words,
    /// One list of all users, in the order of their last changes.
    Updates,
    /// A list for each value at a path of the attributes.
    Attribute(&'r AttributePath),
}

impl Rule<'_> {
    /// Those that need not be named.
    pub(in crate::directory) const ALL: [Rule<'static>; 3] =
        [Rule::Names, Rule::Words, Rule::Updates];

    /// The key of the number that names the catalogue; 0 before there is one.
    pub(in crate::directory) fn pointer(self) -> Cow<'static, str> {
        match self {
            Rule::Names => "names".into(),
            Rule::Words => "words".into(),
            Rule::Updates => "updates".into(),
            Rule::Attribute(path) => hashed_key("index", path.as_str()).into(),
        }
    }

    /// Whether changes write the lists only once a search has made the index.
    pub(in crate::directory) fn is_optional(self) -> bool {
        self != Rule::Names
    }

    /// The list of the index, if it has one alone. Its root has the number of the catalogue.
    pub(in crate::directory) fn only_list(self) -> Option<List> {
        match self {
            Rule::Names => Some(List::Names),
            Rule::Updates => Some(List::Updates),
            Rule::Words | Rule::Attribute(_) => None,
        }
    }

    /// Whether it may put two versions of a user into other lists or places.
    pub(in crate::directory) fn tells_apart(self, before: &Live, after: &Live) -> bool {
        let (one, other) = (&before.profile, &after.profile);
        match self {
            Rule::Names => one.name != other.name,
            Rule::Words => one.name != other.name || !one.signs_in_as(other),
            Rule::Attribute(_) => one.attributes != other.attributes,
            // Of this index, too, the record tells.
            Rule::Updates => before.in_updates && before.updated_at != after.updated_at,
        }
    }

    /// Whether a list is one of the index.
    pub(in crate::directory) fn has(self, list: &List) -> bool {
        match list {
            List::Names => self == Rule::Names,
            List::Updates => self == Rule::Updates,
            List::Word(_) => self == Rule::Words,
            List::Attribute(path, _) => self == Rule::Attribute(path),
            List::ExternalId(_) | List::Group(_) => false,
        }
    }

    /// Adds the places of a user.
    pub(in crate::directory) fn place(self, id: UserId, user: &Live, places: &mut Places) {
        let profile = &user.profile;
        match self {
            Rule::Names => places.add(List::Names, Position::by_name(&profile.name, id)),
            Rule::Words => {
                let position = Position::by_name(&profile.name, id);
                for word in Words::of(profile).iter() {
                    for prefix in LENGTHS.iter().map_while(|length| prefix(word, *length)) {
                        places.add(List::Word(prefix.to_owned()), position.clone());
                    }
                }
            }
            Rule::Updates => places.add(List::Updates, Position::by_time(user.updated_at, id)),
            Rule::Attribute(path) => {
                for value in path.values(profile.attributes.as_ref()) {
                    places.add(List::Attribute(path.clone(), value), Position::by_id(id));
                }
            }
        }
    }
}

/// The first characters of a word; `None` if it has fewer.
pub(in crate::directory) fn prefix(word: &str, length: usize) -> Option<&str> {
    let (last, c) = word.char_indices().nth(length - 1)?;
    Some(&word[..last + c.len_utf8()])
}

/// The places of a user at which it gives the bound of a node.
pub(in crate::directory) fn bounds_of(id: UserId, user: &Live) -> Places {
    let mut places = Places::default();
    if user.gives_bound {
        Rule::Names.place(id, user, &mut places);
    }
    if !user.bounds.is_empty() {
        Rule::Words.place(id, user, &mut places);
        places.retain_lists(|list| user.gives_bound(list));
    }
    places
}
