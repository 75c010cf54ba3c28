//! Text that is nearly right.

use fastrand::Rng;

/// Texts that parsers look for, and texts that often break them.
const PIECES: [&[u8]; 48] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"/",
    b"~",
    b"~1",
    b"%",
    b"%00",
    b"%ff",
    b"&",
    b"=",
    b"?",
    b"#",
    b"*",
    b"W/",
    b";",
    b"q=0",
    b"-",
    b"-1",
    b"0",
    b"1e999",
    b"null",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\xc3\x28",
    b"\xe2\x80\xae",
    b"\0",
    b"\r\n",
    b"..",
    b"id",
    b"+",
    b"@",
    b"xn--",
    b"\xef\xbb\xbf",
    b"\xcc\x81",
    b"\xe2\x80\x8d",
    b"\xd8\xa7",
    b" eq ",
    b" and ",
    b"not (",
    b")",
    b".value",
];

/// `text` with a few bytes taken out, put in, doubled or replaced.
pub fn mutate(rng: &mut Rng, text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..rng.usize(0..4) {
        let from = rng.usize(0..=text.len());
        let to = rng.usize(from..=text.len().min(from + 8));
        let piece = match rng.u8(0..4) {
            0 => Vec::new(),
            1 => vec![rng.u8(..)],
            2 => text[from..to].repeat(2),
            _ => rng.choice(PIECES).expect("some").repeat(rng.usize(1..3)),
        };
        text.splice(from..to, piece);
    }
    // Seldom: very many of something.
    if rng.u8(..) == 0 {
        let piece = rng.choice(PIECES).expect("some");
        let at = rng.usize(0..=text.len());
        text.splice(at..at, piece.repeat(rng.usize(1..5000)));
    }
    text
}
