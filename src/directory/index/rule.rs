//! The rules of indexes. In which lists they put a user or a group, and where, [`Listed`] says.
//!
//! [`Listed`]: crate::directory::listed::Listed

use std::borrow::Cow;

use crate::directory::hashed_key;
use crate::directory::lists::List;
use crate::user::AttributePath;

/// The lengths, in characters, of the starts of words that have a list.
const LENGTHS: [usize; 5] = [1, 2, 4, 6, 8];

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
    /// A list for each start of a word of a group's name, and one of all groups: that of the empty start.
    GroupWords,
}

impl Rule<'_> {
    /// Those of users that need not be named.
    pub(in crate::directory) const ALL: [Rule<'static>; 3] =
        [Rule::Names, Rule::Words, Rule::Updates];

    /// The key of the number that names the catalogue; 0 before there is one.
    pub(in crate::directory) fn pointer(self) -> Cow<'static, str> {
        match self {
            Rule::Names => "names".into(),
            Rule::Words => "words".into(),
            Rule::Updates => "updates".into(),
            Rule::Attribute(path) => hashed_key("index", path.as_str()).into(),
            Rule::GroupWords => "group-words".into(),
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
            Rule::Words | Rule::Attribute(_) | Rule::GroupWords => None,
        }
    }

    /// Whether it goes by words.
    pub(in crate::directory) fn is_by_words(self) -> bool {
        matches!(self, Rule::Words | Rule::GroupWords)
    }

    /// Whether a list is one of the index.
    pub(in crate::directory) fn has(self, list: &List) -> bool {
        match list {
            List::Names => self == Rule::Names,
            List::Updates => self == Rule::Updates,
            List::Word(_) => self == Rule::Words,
            List::Attribute(path, _) => self == Rule::Attribute(path),
            List::GroupWord(_) => self == Rule::GroupWords,
            List::ExternalId(_) | List::Group(_) => false,
        }
    }
}

/// The starts of a word that have a list, ascending by their lengths.
pub(in crate::directory) fn starts(word: &str) -> impl Iterator<Item = &str> {
    LENGTHS.iter().map_while(|length| prefix(word, *length))
}

/// The first characters of a word; `None` if it has fewer.
fn prefix(word: &str, length: usize) -> Option<&str> {
    let (last, c) = word.char_indices().nth(length - 1)?;
    Some(&word[..last + c.len_utf8()])
}
