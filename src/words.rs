//! Words, as a search by `q` compares them: without regard to case and accents.
//!
//! Texts are folded as [names](crate::folded_name) are. A *word* begins
//!
//! - after white space, and after any other sign: "Anne-Marie", "O'Brien", "J.R.R.", "ada_l"
//! - where digits stand next to letters: "user42"
//! - at each character of Chinese and Japanese, and at each syllable of Korean
//!
//! and it goes on to the next white space, without the signs. So O'Brien is found by "obrien" and
//! "brien", and "annem" finds Anne-Marie. White space between characters of Chinese, Japanese and
//! Korean does not end a word, for it is not always written: "渡邉さくら" finds 渡邉 さくら.
//!
//! The rules are few enough to stand here: `unicode-segmentation`, which knows words by Unicode's
//! rules, takes its tables along, and leaves "O'Brien", "ada_l" and "user42" in one piece.

#[cfg(test)]
mod tests;

use crate::folded_name::{MAX_CHARS, fold};
use crate::unicode::properties;
use crate::user::Profile;

/// The most words of a name by which a user is found: the first ones count.
pub const MAX_NAME_WORDS: usize = 24;

/// The most words of a username, and of the local part of an email, by which a user is found.
pub const MAX_SIGN_IN_WORDS: usize = 8;

/// The most words of a search.
pub const MAX_ASKED: usize = 8;

/// The words by which a user, or a group, is found.
#[derive(Debug, Default)]
pub struct Words {
    /// Folded texts without signs, with spaces at which words end.
    text: String,
    /// Where the words begin.
    starts: Vec<usize>,
}

impl Words {
    /// The words of a name.
    pub fn of_name(name: &str) -> Words {
        let mut words = Words::default();
        words.add(name, MAX_NAME_WORDS);
        words
    }

    /// The words of the name, the username and the local part of the email.
    pub fn of(profile: &Profile) -> Words {
        let mut words = Words::of_name(profile.name.as_str());
        if let Some(username) = &profile.username {
            words.add(username.as_str(), MAX_SIGN_IN_WORDS);
        }
        if let Some(email) = &profile.email {
            words.add(email.local_part(), MAX_SIGN_IN_WORDS);
        }
        words
    }

    /// The words, which may repeat.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().map(|start| {
            let rest = &self.text[*start..];
            rest.split(' ').next().unwrap_or_default()
        })
    }

    /// Whether a word begins so.
    pub fn has(&self, prefix: &str) -> bool {
        self.iter().any(|word| word.starts_with(prefix))
    }

    /// Adds a text, of which so many words count.
    fn add(&mut self, text: &str, most: usize) {
        let most = self.starts.len() + most;
        let mut last = None;
        let (mut space, mut sign) = (true, false);
        for c in fold(text).chars() {
            let Some(class) = Class::of(c) else {
                space |= c == ' ';
                sign = true;
                continue;
            };
            let both = (last, class);
            if space && both != (Some(Class::Character), Class::Character) {
                self.text.push(' ');
                last = None;
            }
            if last.is_none() || sign || class.begins_after(last) {
                if self.starts.len() == most {
                    // The last word may go on.
                    if last.is_none() {
                        return;
                    }
                } else {
                    self.starts.push(self.text.len());
                }
            }
            self.text.push(c);
            if class != Class::Part || last.is_none() {
                last = Some(class);
            }
            (space, sign) = (false, false);
        }
    }
}

/// What is searched for: 1 to [`MAX_ASKED`] words, with each of which a word of a user or a group must begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(Vec<String>);

impl Asked {
    /// Whether a user or a group has words that begin so.
    pub fn matches(&self, words: &Words) -> bool {
        self.0.iter().all(|asked| words.has(asked))
    }

    /// The words.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<&str> for Asked {
    type Error = &'static str;

    /// Apostrophes join what is on both sides of them. All other signs part words, and so does a
    /// change between Chinese, Japanese or Korean and another script.
    fn try_from(text: &str) -> Result<Self, Self::Error> {
        const RULE: &str =
            "must have 1 to 8 words of letters and digits, in at most 200 characters";
        let folded = fold(text);
        let mut words = vec![String::new()];
        let mut last = None;
        for c in folded.chars() {
            let class = Class::of(c);
            if class.is_none() && is_apostrophe(c) {
                continue;
            }
            let parts = match class {
                None => true,
                Some(Class::Part) => false,
                Some(class) => last
                    .is_some_and(|last| (last == Class::Character) != (class == Class::Character)),
            };
            if parts && words.last().is_some_and(|word| !word.is_empty()) {
                words.push(String::new());
            }
            if let (Some(class), Some(word)) = (class, words.last_mut()) {
                word.push(c);
                if class != Class::Part {
                    last = Some(class);
                }
            }
        }
        words.retain(|word| !word.is_empty());
        match folded.chars().count() <= MAX_CHARS && (1..=MAX_ASKED).contains(&words.len()) {
            true => Ok(Asked(words)),
            false => Err(RULE),
        }
    }
}

/// The kinds of characters of which words are made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Letter,
    Digit,
    /// One of Chinese or Japanese, or what begins a syllable of Korean.
    Character,
    /// What belongs to the character before it: a mark, or the rest of a syllable of Korean.
    Part,
}

impl Class {
    /// The class of a folded character; `None` for a sign or white space.
    fn of(c: char) -> Option<Class> {
        if c.is_ascii() {
            return match c {
                '0'..='9' => Some(Class::Digit),
                _ => c.is_ascii_alphabetic().then_some(Class::Letter),
            };
        }
        match c {
            _ if is_apostrophe(c) => None,
            _ if properties(c).is_mark => Some(Class::Part),
            '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}' => Some(Class::Part),
            _ if c.is_numeric() && !is_character(c) => Some(Class::Digit),
            _ if !c.is_alphanumeric() => None,
            _ if is_character(c) => Some(Class::Character),
            _ => Some(Class::Letter),
        }
    }

    /// Whether a word begins at a character of this class after one of the class `last`.
    fn begins_after(self, last: Option<Class>) -> bool {
        match self {
            Class::Part => false,
            Class::Character => true,
            class => last != Some(class),
        }
    }
}

/// Whether it is of Chinese or Japanese, or begins a syllable of Korean (The Unicode Standard,
/// chapter 18, and its list of blocks).
fn is_character(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115f}'
            | '\u{2e80}'..='\u{2fdf}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3021}'..='\u{3029}'
            | '\u{3040}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{a960}'..='\u{a97f}'
            | '\u{f900}'..='\u{faff}'
            | '\u{16fe0}'..='\u{18dff}'
            | '\u{1aff0}'..='\u{1b2ff}'
            | '\u{20000}'..='\u{3ffff}')
}

/// The signs that people write for an apostrophe, in folded texts.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '\u{2bb}' | '\u{2bf}' | '\u{5f3}')
}
