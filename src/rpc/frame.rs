//! Messages in frames: a byte of flags, the length in four bytes, the message. Connect's streams,
//! gRPC and gRPC-Web have them alike.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::code;
use super::protocol::Framing;
use crate::message::body::MAX_BYTES;
use crate::message::problem::Problem;

const HEAD: usize = 5;

/// The message is compressed.
pub const COMPRESSED: u8 = 0b1;

/// The last frame of a stream of Connect.
pub const CONNECT_END: u8 = 0b10;

/// The trailers of gRPC-Web.
pub const WEB_TRAILERS: u8 = 0b1000_0000;

/// Adds a frame. In Base64 each frame is padded, so that it can be read when it is there.
pub fn push(bytes: &mut Vec<u8>, framing: Framing, flags: u8, message: &[u8]) {
    let length = u32::try_from(message.len()).expect("messages are short");
    let mut frame = Vec::with_capacity(HEAD + message.len());
    frame.push(flags);
    frame.extend(length.to_be_bytes());
    frame.extend(message);
    match framing {
        Framing::WebText => bytes.extend(STANDARD.encode(frame).into_bytes()),
        _ => bytes.append(&mut frame),
    }
}

/// Makes frames of bytes as they arrive. It keeps no more of them than a message and what came
/// with it.
pub struct Frames {
    /// Base64 that is not decoded yet; `None` where it is none.
    text: Option<Vec<u8>>,
    bytes: Vec<u8>,
    /// Where the next frame begins.
    start: usize,
}

/// A message as it was sent.
#[derive(Debug, PartialEq)]
pub struct Frame {
    pub is_compressed: bool,
    pub message: Vec<u8>,
}

impl Frames {
    pub fn new(framing: Framing) -> Frames {
        Frames {
            text: (framing == Framing::WebText).then(Vec::new),
            bytes: Vec::new(),
            start: 0,
        }
    }

    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.bytes.drain(..self.start);
        self.start = 0;
        let Some(text) = &mut self.text else {
            self.bytes.extend(bytes);
            return Ok(());
        };
        // Four characters at a time, for padding may stand at the end of any of them.
        text.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let whole = text.len() / 4 * 4;
        for four in text[..whole].chunks(4) {
            let decoded = STANDARD.decode(four);
            self.bytes
                .extend(decoded.map_err(|_| code::malformed("The body is not Base64."))?);
        }
        text.drain(..whole);
        Ok(())
    }

    /// The next frame, if all of it has arrived.
    pub fn next(&mut self) -> Result<Option<Frame>, Problem> {
        let rest = &self.bytes[self.start..];
        let Some((head, rest)) = rest.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let [flags, length @ ..] = *head;
        if flags & !COMPRESSED != 0 {
            let detail = format!("A frame has the flags {flags}, which mean nothing here.");
            return Err(code::malformed(&detail));
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_BYTES {
            return Err(code::message_too_large());
        }
        let Some(message) = rest.get(..length) else {
            return Ok(None);
        };
        let frame = Frame {
            is_compressed: flags & COMPRESSED != 0,
            message: message.to_vec(),
        };
        self.start += HEAD + length;
        Ok(Some(frame))
    }

    /// Fails if the body has ended within a frame.
    pub fn finish(&self) -> Result<(), Problem> {
        let is_rest = self.start < self.bytes.len();
        match is_rest || self.text.as_ref().is_some_and(|text| !text.is_empty()) {
            true => Err(code::malformed("The body ends within a frame.")),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(framing: Framing, bytes: &[u8], chunk: usize) -> Result<Vec<Vec<u8>>, Problem> {
        let mut frames = Frames::new(framing);
        let mut messages = Vec::new();
        for chunk in bytes.chunks(chunk) {
            frames.push(chunk)?;
            while let Some(frame) = frames.next()? {
                messages.push(frame.message);
            }
        }
        frames.finish()?;
        Ok(messages)
    }

    #[test]
    fn frames_are_the_same_however_they_arrive() {
        let sent = [
            vec![],
            b"one".to_vec(),
            vec![7; MAX_BYTES],
            b"last".to_vec(),
        ];
        for framing in [Framing::Grpc, Framing::WebText] {
            let mut bytes = Vec::new();
            for message in &sent {
                push(&mut bytes, framing, 0, message);
            }
            for chunk in [1, 2, 3, 4, 5, 1000, MAX_BYTES, bytes.len()] {
                assert_eq!(
                    read(framing, &bytes, chunk).expect("frames"),
                    sent,
                    "{chunk}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let refused = |framing, bytes: &[u8]| read(framing, bytes, 3).unwrap_err();
        for bytes in [
            &b"\0\0\0\0"[..],
            b"\0\0\0\0\x02a",
            b"\x02\0\0\0\0",
            b"\x80\0\0\0\0",
        ] {
            let problem = refused(Framing::Grpc, bytes);
            assert!(problem.is(code::MALFORMED_MESSAGE), "{bytes:?}");
        }
        for text in [&b"AAAA"[..], b"A", b"%AAA", b"AA=A"] {
            let problem = refused(Framing::WebText, text);
            assert!(problem.is(code::MALFORMED_MESSAGE), "{text:?}");
        }
        let problem = refused(Framing::Grpc, b"\0\0\x01\0\x01");
        assert!(problem.is(crate::message::problem::types::BODY_TOO_LARGE));
    }
}
