//! Whether a JPEG file is whole: decoders fill what is missing with grey and say nothing.

/// Bytes that stand for no picture's data, put behind the data that is there.
const NOISE: usize = 1024;

/// Two versions of a file: as it should be decoded, and with noise between its data and its end. A decoder that has all
/// data before it comes to the noise makes the same picture of both; one that misses some does not.
pub struct Versions {
    pub plain: Vec<u8>,
    pub probe: Vec<u8>,
}

/// Prepares the check. A missing end marker is put in, and zeros that a broken copy left behind the data are dropped;
/// whatever follows the end marker stays.
pub fn versions(bytes: Vec<u8>) -> Versions {
    let end = end_marker(&bytes);
    let data = match end {
        Some(at) => &bytes[..at],
        None => {
            let kept = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
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
    Versions { plain, probe }
}

/// Where the end marker of the picture is; markers within segments (a thumbnail has its own) do not count.
fn end_marker(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        match *bytes.get(at + 1)? {
            0xd9 => return Some(at),
            // A fill byte.
            0xff => at += 1,
            // A stuffed byte, a restart, markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => at += 2 + usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?])),
        }
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
        assert_eq!(end_marker(&whole), Some(2 + thumbnail.len() + scan.len()));
        for cut in 0..whole.len() - 6 {
            assert_eq!(end_marker(&whole[..cut]), None, "{cut}");
        }
        assert!(versions(whole.clone()).plain == whole);
        let zeros = [&whole[..whole.len() - 7], &[0; 50]].concat();
        assert!(versions(zeros).plain == whole[..whole.len() - 5]);
    }
}
