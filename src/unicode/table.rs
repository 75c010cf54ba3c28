//! The tables of characters, as `build/unicode.rs` makes them.

include!(concat!(env!("OUT_DIR"), "/unicode.rs"));

/// The properties of a character that are asked for here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Properties {
    /// The canonical combining class: not 0 for most marks.
    class: u8,
    pub kind: Kind,
    pub bidi: Bidi,
    pub joining: Joining,
    /// Whether it belongs to the letter before it (general category M).
    pub is_mark: bool,
}

/// Whether people can see a character.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Visible,
    /// A variation selector: it says how the character before it looks.
    Selector,
    /// Has no shape of its own: any other character of `Default_Ignorable_Code_Point`.
    Ignorable,
    /// Any other format character (general category Cf), and the code points that
    /// never become characters.
    Format,
    /// Not assigned: its case and its form are not known yet.
    Unassigned,
}

/// The bidirectional class of a character, as far as RFC 5893 tells them apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bidi {
    Left,
    /// Right to left: the classes R and AL.
    Right,
    ArabicNumber,
    EuropeanNumber,
    /// The class NSM.
    Mark,
    /// The classes ES, CS, ET, ON and BN.
    Neutral,
    Other,
}

/// How a letter joins its neighbours in scripts such as Arabic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Joining {
    None,
    Left,
    Right,
    Dual,
    /// A mark, through which letters join.
    Transparent,
}

/// The characters that a character becomes by case folding and decomposition; `None` if it only
/// becomes lower case. Syllables of Hangul are not in the table.
pub(super) fn folded(c: char) -> Option<&'static str> {
    let c = u32::from(c);
    let run = STARTS.partition_point(|start| *start <= c).checked_sub(1)?;
    let index = usize::from(FIRSTS[run]) + (c - STARTS[run]) as usize;
    let in_run = index < usize::from(FIRSTS[run + 1]);
    let place = in_run.then(|| VALUES[index])?;
    let text = (place != LOWER_CASE).then(|| &TEXTS[usize::from(place)..])?;
    text.split('\0').next()
}

/// The characters that take the place of their decompositions, in the order of these.
/// Syllables of Hangul are not among them.
pub(super) fn composites() -> &'static [char] {
    COMPOSITES
}

/// The properties of a character. Of one that never stands in text that is folded and
/// composed, only its class and kind are right.
pub(crate) fn properties(c: char) -> Properties {
    let (plane, code) = (u32::from(c) >> 16, u32::from(c) as u16);
    let [first, end] = [0, 1].map(|next| usize::from(PLANES[plane as usize + next]));
    let range = first + RANGES[first..end].partition_point(|start| *start <= code) - 1;
    PROPERTIES[usize::from(RANGE_PROPERTIES[range])]
}

/// The canonical combining class of a character.
pub(crate) fn class(c: char) -> u8 {
    const FIRST_MARK: char = '\u{300}';
    if c < FIRST_MARK {
        0
    } else {
        properties(c).class
    }
}
