//! Arrays as NumPy's own files (version 1.0), which `numpy.load` opens without a copy.

/// Numbers of an array, row-major.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I64(&'a [i64]),
}

/// Bytes that the numbers begin at a multiple of.
const ALIGN: usize = 64;

/// The bytes of an NPY file of this shape.
///
/// # Panics
/// Where the shape has another count than there are numbers.
pub fn packed(shape: &[usize], numbers: Numbers<'_>) -> Vec<u8> {
    let (kind, count) = match numbers {
        Numbers::F32(values) => ("<f4", values.len()),
        Numbers::F64(values) => ("<f8", values.len()),
        Numbers::I64(values) => ("<i8", values.len()),
    };
    assert_eq!(shape.iter().product::<usize>(), count, "an array of {shape:?}");
    let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
    let sides = if shape.len() == 1 { sides.trim_end() } else { sides.trim_end().trim_end_matches(',') };
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sides}), }}");
    // Ten bytes come before it, and a line's end closes it.
    let length = (10 + header.len() + 1).next_multiple_of(ALIGN) - 10;
    header.extend(std::iter::repeat_n(' ', length - 1 - header.len()));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((length as u16).to_le_bytes());
    file.extend(header.as_bytes());
    match numbers {
        Numbers::F32(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Numbers::F64(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Numbers::I64(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_numpys() {
        let file = packed(&[2, 3], Numbers::F32(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(&file[..8], b"\x93NUMPY\x01\x00");
        let length = u16::from_le_bytes([file[8], file[9]]) as usize;
        assert_eq!((10 + length) % ALIGN, 0);
        let header = std::str::from_utf8(&file[10..10 + length]).unwrap();
        assert_eq!(header.trim_end(), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
        assert!(header.ends_with('\n'));
        assert_eq!(file.len(), 10 + length + 24);
        assert_eq!(file[10 + length + 4..][..4], 2.0_f32.to_le_bytes());

        let text = |file: &[u8]| String::from_utf8_lossy(&file[10..file.len().min(128)]).into_owned();
        assert!(
            text(&packed(&[2], Numbers::I64(&[7, -1])))
                .starts_with("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }")
        );
        assert!(text(&packed(&[0, 4], Numbers::F64(&[]))).contains("'<f8'"));
        assert!(text(&packed(&[], Numbers::F64(&[1.0]))).contains("'shape': (), "));
    }
}
