//! What becomes of a character, by tables that `build/folding.rs` makes of those of
//! `unicode-normalization`: they take 29 KB of the component instead of 103.

include!(concat!(env!("OUT_DIR"), "/folding.rs"));

/// The characters that `c` becomes; `None` if it is just put in lower case.
pub(super) fn text_of(c: char) -> Option<impl Iterator<Item = char>> {
    let c = u32::from(c);
    let run = STARTS.partition_point(|start| *start <= c).checked_sub(1)?;
    let index = usize::from(FIRSTS[run]) + (c - STARTS[run]) as usize;
    let in_run = index < usize::from(FIRSTS[run + 1]);
    let place = in_run.then(|| VALUES[index])?;
    let text = (place != LOWER_CASE).then(|| &TEXTS[usize::from(place)..])?;
    Some(text.chars().take_while(|c| *c != '\0'))
}

/// The canonical combining class of a character, which is not an accent.
pub(super) fn class(c: char) -> u8 {
    let found = MARKS.binary_search_by_key(&u32::from(c), |mark| mark >> 8);
    found.map_or(0, |index| MARKS[index] as u8)
}
