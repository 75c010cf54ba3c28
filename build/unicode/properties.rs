//! The properties of characters that domain names, email addresses and names ask.

use std::collections::BTreeMap;

use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_properties::props::{
    BidiClass, DefaultIgnorableCodePoint, GeneralCategory, JoiningType, NoncharacterCodePoint,
    VariationSelector,
};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};

use super::decomposition::Folded;

/// `PROPERTIES` has every set of properties that a character has. `RANGES` has the first
/// character of each range of characters that have the same, in the lower 16 bits of
/// its code; `RANGE_PROPERTIES` has the index of these. `PLANES` has the index of the
/// first range of each 65,536 characters.
pub fn tables(folded: &Folded, put: &mut impl FnMut(&str, &str, String)) {
    let data = Data::new();
    let composites = folded.composites();
    let mut sets = BTreeMap::new();
    let (mut planes, mut ranges, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    let mut current: Option<Properties> = None;
    for code in 0..=u32::from(char::MAX) {
        if code % 0x1_0000 == 0 {
            planes.push(ranges.len());
            current = None;
        }
        let Some(c) = char::from_u32(code) else {
            continue;
        };
        let properties = data.properties(c);
        // Of a character that is always folded, only this is asked: that it is no mark,
        // and visible. Two of these stay as they are in domain names.
        let stays = matches!(c, 'ß' | 'ς') || folded.is_itself(c) || composites.contains(&c);
        let is_asked = properties.kind == "Ignorable" || stays;
        let goes_on = match current {
            Some(current) if is_asked => current == properties,
            Some(current) => current.class == 0 && current.kind == "Visible",
            None => false,
        };
        if !goes_on {
            let number = sets.len();
            indices.push(*sets.entry(properties).or_insert(number));
            ranges.push(code % 0x1_0000);
            current = Some(properties);
        }
    }
    planes.push(ranges.len());
    let mut sets: Vec<(Properties, usize)> = sets.into_iter().collect();
    sets.sort_by_key(|(_, index)| *index);
    let sets: Vec<_> = sets
        .iter()
        .map(|(properties, _)| properties.to_rust())
        .collect();
    put("PLANES", "&[u16]", format!("&{planes:?}"));
    put("RANGES", "&[u16]", format!("&{ranges:?}"));
    put("RANGE_PROPERTIES", "&[u8]", format!("&{indices:?}"));
    put(
        "PROPERTIES",
        "&[Properties]",
        format!("&[{}]", sets.join(",")),
    );
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Properties {
    class: u8,
    kind: &'static str,
    bidi: &'static str,
    joining: &'static str,
    is_mark: bool,
}

impl Properties {
    fn to_rust(self) -> String {
        let Properties {
            class,
            kind,
            bidi,
            joining,
            is_mark,
        } = self;
        format!(
            "Properties {{ class: {class}, kind: Kind::{kind}, bidi: Bidi::{bidi}, \
             joining: Joining::{joining}, is_mark: {is_mark} }}"
        )
    }
}

struct Data {
    classes: CanonicalCombiningClassMapBorrowed<'static>,
    categories: CodePointMapDataBorrowed<'static, GeneralCategory>,
    bidi: CodePointMapDataBorrowed<'static, BidiClass>,
    joining: CodePointMapDataBorrowed<'static, JoiningType>,
    /// For each code point, which of these it is.
    ignorable: Vec<bool>,
    selectors: Vec<bool>,
    noncharacters: Vec<bool>,
}

impl Data {
    fn new() -> Data {
        Data {
            classes: CanonicalCombiningClassMapBorrowed::new(),
            categories: CodePointMapData::new(),
            bidi: CodePointMapData::new(),
            joining: CodePointMapData::new(),
            ignorable: all(CodePointSetData::new::<DefaultIgnorableCodePoint>()),
            selectors: all(CodePointSetData::new::<VariationSelector>()),
            noncharacters: all(CodePointSetData::new::<NoncharacterCodePoint>()),
        }
    }

    fn properties(&self, c: char) -> Properties {
        use GeneralCategory::{EnclosingMark, NonspacingMark, SpacingMark};
        let category = self.categories.get(c);
        let kind = self.kind(c, category);
        if kind == "Unassigned" {
            // Its future properties are not known.
            return Properties {
                class: 0,
                kind,
                bidi: "Other",
                joining: "None",
                is_mark: false,
            };
        }
        Properties {
            class: self.classes.get_u8(c),
            kind,
            bidi: bidi(self.bidi.get(c)),
            joining: joining(self.joining.get(c)),
            is_mark: matches!(category, NonspacingMark | SpacingMark | EnclosingMark),
        }
    }

    fn kind(&self, c: char, category: GeneralCategory) -> &'static str {
        let code = c as usize;
        if self.selectors[code] {
            "Selector"
        } else if self.ignorable[code] {
            "Ignorable"
        } else if category == GeneralCategory::Format || self.noncharacters[code] {
            "Format"
        } else if category == GeneralCategory::Unassigned {
            "Unassigned"
        } else {
            "Visible"
        }
    }
}

/// For each code point, whether it is in the set.
fn all(set: CodePointSetDataBorrowed<'static>) -> Vec<bool> {
    let mut all = vec![false; char::MAX as usize + 1];
    for range in set.iter_ranges() {
        all[*range.start() as usize..=*range.end() as usize].fill(true);
    }
    all
}

/// The classes that RFC 5893 distinguishes.
fn bidi(class: BidiClass) -> &'static str {
    match class {
        BidiClass::LeftToRight => "Left",
        BidiClass::RightToLeft | BidiClass::ArabicLetter => "Right",
        BidiClass::ArabicNumber => "ArabicNumber",
        BidiClass::EuropeanNumber => "EuropeanNumber",
        BidiClass::NonspacingMark => "Mark",
        BidiClass::EuropeanSeparator
        | BidiClass::CommonSeparator
        | BidiClass::EuropeanTerminator
        | BidiClass::OtherNeutral
        | BidiClass::BoundaryNeutral => "Neutral",
        _ => "Other",
    }
}

/// The joining types that RFC 5892, appendix A.1, distinguishes.
fn joining(kind: JoiningType) -> &'static str {
    match kind {
        JoiningType::LeftJoining => "Left",
        JoiningType::RightJoining => "Right",
        JoiningType::DualJoining => "Dual",
        JoiningType::Transparent => "Transparent",
        _ => "None",
    }
}
