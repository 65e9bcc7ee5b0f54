//! Whether a JPEG file is whole: decoders fill what is missing with grey and say nothing.

/// Bytes that stand for no picture's data, put behind the data that is there.
const NOISE: usize = 1024;

/// Zeros at the end of a file from which on they are no data.
const LEAST_ZEROS: usize = 32;

/// Two versions of a file: as it should be decoded, and with noise between its data and its end. A decoder that has all
/// data before it comes to the noise makes the same picture of both; one that misses some does not.
pub struct Versions {
    pub plain: Vec<u8>,
    pub probe: Vec<u8>,
}

/// Prepares the check. A missing end marker is put in, and zeros that a broken copy left behind the data are dropped;
/// whatever follows the end marker stays. `None`: it breaks off within a table, or between the
/// scans of a progressive file.
pub fn versions(bytes: Vec<u8>) -> Option<Versions> {
    let end = match end_marker(&bytes) {
        End::At(at) => Some(at),
        End::Missing => None,
        End::CutShort => return None,
    };
    let data = match end {
        Some(at) => &bytes[..at],
        None => {
            let zeros = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
            let kept = if zeros >= LEAST_ZEROS { bytes.len() - zeros } else { bytes.len() };
            // A zero marks a 0xff before it as data.
            let kept = kept + usize::from(kept < bytes.len() && bytes[..kept].ends_with(&[0xff]));
            // Half of a marker.
            let kept = if bytes[..kept].ends_with(&[0xff]) { kept - 1 } else { kept };
            &bytes[..kept]
        }
    };
    let mut probe = Vec::with_capacity(data.len() + NOISE + 2);
    probe.extend_from_slice(data);
    let mut state = 0x9e37_79b9_u32;
    probe.extend((0..NOISE).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // 0xff would begin a marker.
        ((state >> 24) as u8).min(0xfe)
    }));
    probe.extend([0xff, 0xd9]);
    let plain = if end.is_some() { bytes } else { [data, &[0xff, 0xd9]].concat() };
    Some(Versions { plain, probe })
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    At(usize),
    /// The picture's data goes on to the end of the file.
    Missing,
    /// It breaks off within a table, or scans are missing.
    CutShort,
}

/// Where the end marker of the picture is; markers within segments (a thumbnail has its own) do not count.
fn end_marker(bytes: &[u8]) -> End {
    let mut at = 2;
    let mut scans = Scans::default();
    let missing = |scans: &Scans| if scans.are_all_there() { End::Missing } else { End::CutShort };
    loop {
        let Some(rest) = bytes.get(at..) else { return End::CutShort };
        let Some(marker) = rest.iter().position(|&byte| byte == 0xff) else { return missing(&scans) };
        at += marker;
        let Some(&kind) = bytes.get(at + 1) else { return missing(&scans) };
        match kind {
            0xd9 => return End::At(at),
            // A fill byte.
            0xff => at += 1,
            // A stuffed byte, a restart, markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return End::CutShort };
                let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
                scans.take(kind, bytes.get(at + 4..end).unwrap_or_default());
                at = end;
            }
        }
    }
}

/// What of the coefficients of a progressive file its scans have brought.
#[derive(Default)]
struct Scans {
    /// Of every component its name and, for each of 64 coefficients, the lowest bit that is there.
    components: Vec<(u8, [u8; 64])>,
}

impl Scans {
    fn take(&mut self, kind: u8, segment: &[u8]) {
        match (kind, segment) {
            // The frame of a progressive file.
            (0xc2, [_, _, _, _, _, _, components @ ..]) => {
                self.components = components.chunks_exact(3).map(|of| (of[0], [u8::MAX; 64])).collect();
            }
            (0xda, [count, rest @ ..]) if rest.len() >= 2 * usize::from(*count) + 3 => {
                let (names, bits) = rest.split_at(2 * usize::from(*count));
                let (first, last, low) = (usize::from(bits[0]), usize::from(bits[1]).min(63), bits[2] & 15);
                for (name, lowest) in &mut self.components {
                    if names.iter().step_by(2).any(|of| of == name) {
                        lowest.iter_mut().take(last + 1).skip(first).for_each(|bit| *bit = low);
                    }
                }
            }
            _ => {}
        }
    }

    fn are_all_there(&self) -> bool {
        self.components.iter().all(|(_, lowest)| lowest.iter().all(|&bit| bit == 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_behind_thumbnails_and_before_what_follows() {
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 2, 9, 0xff, 0, 7, 0xff, 0xd0, 8];
        let whole = [&[0xff, 0xd8][..], &thumbnail, &scan, &[0xff, 0xd9, 1, 2, 3, 0xff, 0xd9]].concat();
        assert_eq!(end_marker(&whole), End::At(2 + thumbnail.len() + scan.len()));
        for cut in 3..whole.len() - 6 {
            let expected = if (4..10).contains(&cut) || (12..14).contains(&cut) { End::CutShort } else { End::Missing };
            assert_eq!(end_marker(&whole[..cut]), expected, "{cut}");
        }
        let versions = |bytes: Vec<u8>| versions(bytes).unwrap();
        assert!(versions(whole.clone()).plain == whole);
        let zeros = [&whole[..whole.len() - 7], &[0; 50]].concat();
        assert!(versions(zeros).plain == [&whole[..whole.len() - 7], &[0xff, 0xd9]].concat());
        let stuffed = [&whole[..whole.len() - 7], &[0xff, 0]].concat();
        assert!(versions(stuffed.clone()).plain == [&stuffed[..], &[0xff, 0xd9]].concat());
    }
}
