//! The name of a user.

use serde::{Deserialize, Serialize};

use super::violation::{Rule, check_visible};
use crate::unicode;

/// The name of a user: 1 to 200 characters, without white space at either end. At least one
/// of them can be seen. A name has no invisible characters, such as controls; only joiners
/// and variation selectors are allowed, where a script or an emoji needs them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// The most characters (Unicode scalar values) a name has.
    pub const MAX_CHARS: usize = 200;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = Rule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > Name::MAX_CHARS {
            return Err(
                "must have 1 to 200 characters, not counting white space at its ends".into(),
            );
        }
        check_visible(trimmed)?;
        if !trimmed.chars().any(unicode::is_seen) {
            return Err("must have a character that can be seen".into());
        }
        Ok(Name(trimmed.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_trimmed_and_measured_in_characters() {
        let name = |text: &str| Name::try_from(text.to_owned());
        assert_eq!(name("  Zoë \t").unwrap().as_str(), "Zoë");
        assert!(name(&"ß".repeat(200)).is_ok());
        assert!(name(&"ß".repeat(201)).is_err());
        for text in ["", " \n ", "a\0b", "a\nb", "a\u{85}b"] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_can_be_seen() {
        let name = |text: &str| Name::try_from(text.to_owned());
        for text in [
            "\u{200b}",
            "\u{3164}",
            "\u{2800}",
            "\u{feff}",
            "\u{ad}",
            "\u{2028}",
            "\u{200d}",
            "\u{fe0f}",
            "\u{115f}",
            "\u{ffa0}",
            "\u{180e}",
            "\u{2061}",
            "\u{e0020}",
            "\u{2800} \u{2800}",
            "\u{2800}\u{fe0f}",
            "\u{200b}\u{200b}",
            "\u{a0}\u{3000}",
        ] {
            assert!(name(text).is_err(), "{text:?}");
        }
        for hidden in [
            "\u{202e}", "\u{2066}", "\u{200f}", "\u{200b}", "\u{ad}", "\u{2028}", "\u{2029}",
            "\u{feff}",
        ] {
            let rule = name(&format!("Ada{hidden}Lovelace")).unwrap_err();
            let code = u32::from(hidden.chars().next().unwrap());
            assert!(rule.ends_with(&format!("U+{code:04X}")), "{rule}");
        }
        assert!(
            name("Ada\u{200d}Lovelace")
                .unwrap_err()
                .contains("joins nothing")
        );
    }

    #[test]
    fn people_have_names_in_many_scripts() {
        for text in [
            "José Ñandú",
            "Jose\u{301}",
            "O’Hara-Smith, Jr.",
            "Влади\u{301}мир",
            "Ελένη",
            "王小明",
            "葛\u{e0100}飾",
            "渡邉 さくら",
            "김민준",
            "علی\u{200c}رضا",
            "مُحَمَّد",
            "שָׁלוֹם",
            "संजय",
            "മോഹന്\u{200d}",
            "ශ්\u{200d}රීමතී",
            "সুমাইয়া",
            "สมชาย",
            "မောင်",
            "ᠪᠠᠲᠤ\u{180b}",
            "ⵉⴷⵉⵔ",
            "ߊߡߊߘߎ",
            "𐐔𐐯𐑅𐐨𐑉𐐯𐐻",
            "👩\u{200d}🚀",
            "🏳\u{fe0f}\u{200d}🌈",
            "⠁⠙⠁⠀⠇",
            "X Æ A-12",
            "!",
            "\u{301}",
        ] {
            assert_eq!(name_of(text).as_str(), text);
        }
    }

    fn name_of(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap_or_else(|rule| panic!("{text:?} {rule}"))
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_refused(text in any::<String>()) {
            if let Ok(name) = Name::try_from(text.clone()) {
                prop_assert_eq!(name.as_str(), text.trim());
                prop_assert!(name.as_str().chars().count() <= Name::MAX_CHARS);
                prop_assert_eq!(Name::try_from(name.as_str().to_owned()), Ok(name));
            }
        }
    }
}
