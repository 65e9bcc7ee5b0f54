//! A PNG of a palette as the numbers that it holds, for masks: its colours are only for looking.

/// The colours of a palette and how the numbers come out of the decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    pub colours: Vec<[u8; 3]>,
    /// A decoded value is this many times the number.
    pub step: u8,
}

/// Whether the first bytes of a file are those of a PNG with a palette.
pub fn has_palette(head: &[u8]) -> bool {
    head.starts_with(b"\x89PNG\r\n\x1a\n") && head.get(12..16) == Some(b"IHDR") && head.get(25) == Some(&3)
}

/// How many times its number a decoded grey value is: those of less than 8 bits are spread over 0 to 255.
pub fn step(head: &[u8]) -> u8 {
    match (head.get(24), head.get(25)) {
        (Some(1), Some(0)) => 255,
        (Some(2), Some(0)) => 85,
        (Some(4), Some(0)) => 17,
        _ => 1,
    }
}

/// The same file as one of grey values that are the numbers, and its palette. What is missing at its end is left for the
/// decoder to complain about. `None`: its bits are none that a palette has.
pub fn numbers(bytes: &[u8]) -> Option<(Vec<u8>, Palette)> {
    let depth = *bytes.get(24)?;
    let step = match depth {
        1 => 255,
        2 => 85,
        4 => 17,
        8 => 1,
        _ => return None,
    };
    let (mut grey, mut colours) = (bytes[..8].to_vec(), Vec::new());
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let end = at.checked_add(length)?.checked_add(12)?.min(bytes.len());
        let chunk = &bytes[at..end];
        match &head[4..8] {
            b"IHDR" if chunk.len() == 25 => {
                let mut header = chunk[..21].to_vec();
                header[17] = 0;
                let sum = crc32fast::hash(&header[4..]);
                grey.extend(header);
                grey.extend(sum.to_be_bytes());
            }
            b"PLTE" => colours = chunk[8..chunk.len().min(8 + length)].as_chunks().0.to_vec(),
            b"IDAT" | b"IEND" | b"eXIf" => grey.extend_from_slice(chunk),
            _ => {}
        }
        at = end;
    }
    grey.extend_from_slice(&bytes[at..]);
    Some((grey, Palette { colours, step }))
}
