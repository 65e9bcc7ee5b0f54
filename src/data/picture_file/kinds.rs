//! Files that are no pictures for this program: told by their names or by their first bytes, with what to do about them.

use std::path::Path;

use image::ImageFormat;

use super::medical;

/// A kind of file that is not read.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As in "12 WebP files".
    name: &'static str,
    /// Endings of names in lower case.
    endings: &'static [&'static str],
    /// What turns it into a picture that is read.
    advice: &'static str,
}

const AS_PNG: &str = "save them as PNG";
const EXPORT: &str = "export the pictures as 8- or 16-bit PNG or TIFF";
const SLICES: &str = "export the slices as 8- or 16-bit PNG or TIFF";

const KINDS: [Kind; 15] = [
    Kind { name: "WebP", endings: &["webp"], advice: AS_PNG },
    Kind { name: "HEIC", endings: &["heic", "heif", "hif"], advice: AS_PNG },
    Kind { name: "AVIF", endings: &["avif"], advice: AS_PNG },
    Kind { name: "JPEG 2000", endings: &["jp2", "j2k", "jpf", "jpx", "jpc"], advice: AS_PNG },
    Kind { name: "JPEG XL", endings: &["jxl"], advice: AS_PNG },
    Kind {
        name: "PNM, TGA or other rare picture",
        endings: &["ppm", "pgm", "pbm", "pnm", "tga", "exr", "hdr", "ico"],
        advice: AS_PNG,
    },
    Kind { name: "volume", endings: &["mha", "mhd", "nrrd", "mgz", "mnc"], advice: SLICES },
    Kind { name: "NumPy", endings: &["npy", "npz"], advice: EXPORT },
    Kind { name: "HDF5 or MATLAB", endings: &["h5", "hdf5", "mat"], advice: EXPORT },
    Kind {
        name: "whole-slide",
        endings: &["svs", "ndpi", "mrxs", "scn", "vms", "bif"],
        advice: "export regions of the slides as PNG or TIFF",
    },
    Kind {
        name: "microscope",
        endings: &["czi", "nd2", "lif", "lsm", "oib", "oif", "vsi", "ims", "stk", "dm3", "dm4"],
        advice: EXPORT,
    },
    Kind { name: "Photoshop", endings: &["psd"], advice: AS_PNG },
    Kind { name: "camera raw", endings: &["dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2"], advice: AS_PNG },
    Kind { name: "SVG", endings: &["svg"], advice: AS_PNG },
    Kind { name: "PDF", endings: &["pdf"], advice: AS_PNG },
];

/// Extensions of pictures that are read, in lower case.
pub const EXTENSIONS: [&str; 11] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "gif", "dcm", "dicom", "ima", "nii"];
/// Those of them that may hold several pictures and say how large a pixel is; `.nii.gz` is one too.
const VOLUMES: [&str; 4] = ["dcm", "dicom", "ima", "nii"];

/// Whether a file is taken for a picture, by its name.
pub fn is_picture_name(path: &Path) -> bool {
    EXTENSIONS.contains(&extension(path).as_str()) || is_packed_nifti(path)
}

/// Whether a file is taken for a DICOM or NIfTI file, by its name.
pub fn is_volume_name(path: &Path) -> bool {
    VOLUMES.contains(&extension(path).as_str()) || is_packed_nifti(path)
}

/// Whether a file has a name as many DICOM files have it, without any ending (`IM000001`): what it is, its first bytes tell.
pub fn is_bare_name(name: &str) -> bool {
    !name.contains('.')
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase()
}

fn is_packed_nifti(path: &Path) -> bool {
    extension(path) == "gz" && path.file_stem().is_some_and(|stem| extension(Path::new(stem)) == "nii")
}

/// The kind of a DICOM or NIfTI file, by its first bytes; of a packed one by its name.
pub fn medical(head: &[u8], path: &Path) -> Option<medical::Kind> {
    let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    let nifti =
        [&b"n+1"[..], b"ni1"].iter().any(|mark| at(344, mark)) || [&b"n+2"[..], b"ni2"].iter().any(|mark| at(4, mark));
    match () {
        () if at(128, b"DICM") => Some(medical::Kind::Dicom),
        () if nifti || (at(0, b"\x1f\x8b") && is_packed_nifti(path)) => Some(medical::Kind::Nifti),
        () => None,
    }
}

/// The kind of a file of pictures that is not read, by its name.
pub fn foreign(name: &str) -> Option<&'static Kind> {
    let name = name.to_lowercase();
    let ends = |ending: &&str| name.strip_suffix(ending).is_some_and(|rest| rest.ends_with('.'));
    KINDS.iter().find(|kind| kind.endings.iter().any(ends))
}

/// Counts files of pictures that are not read, to be named where they are the reason that nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignFiles {
    /// A kind, how many there are, and the name of the first.
    counts: Vec<(&'static Kind, usize, String)>,
}

impl ForeignFiles {
    /// Counts a file if its name is of such a kind.
    pub fn add(&mut self, name: &str) {
        let Some(kind) = foreign(name) else { return };
        match self.counts.iter_mut().find(|(known, ..)| *known == kind) {
            Some((_, count, first)) => {
                *count += 1;
                if name < first.as_str() {
                    name.clone_into(first);
                }
            }
            None => self.counts.push((kind, 1, name.to_owned())),
        }
    }

    /// Counts those of another part of a folder too.
    pub fn join(&mut self, other: ForeignFiles) {
        for (kind, more, name) in other.counts {
            match self.counts.iter_mut().find(|(known, ..)| *known == kind) {
                Some((_, count, first)) => {
                    *count += more;
                    if name < *first {
                        *first = name;
                    }
                }
                None => self.counts.push((kind, more, name)),
            }
        }
    }

    /// What they are and what to do about them, one statement a kind, where others of their folder are read. Pages of text
    /// are none of them.
    pub fn lines(&self) -> Vec<(String, &'static str)> {
        let pictures = self.counts.iter().filter(|(kind, ..)| kind.name != "PDF");
        let line = |(kind, count, first): &(&'static Kind, usize, String)| match count {
            1 => (format!("1 {} file is not read ({first})", kind.name), kind.advice),
            _ => (format!("{count} {} files are not read (first {first})", kind.name), kind.advice),
        };
        pictures.map(line).collect()
    }

    /// `; 12 WebP files are not read: save them as PNG`; empty where there are none.
    pub fn told(&self) -> String {
        let mut counts = self.counts.clone();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.name.cmp(b.0.name)));
        let of_kind = |(kind, count, _): &(&Kind, usize, String)| match count {
            1 => format!("; 1 {} file is not read: {}", kind.name, kind.advice),
            _ => format!("; {count} {} files are not read: {}", kind.name, kind.advice),
        };
        counts.iter().map(of_kind).collect()
    }
}

/// The format of a file that is read, by its first bytes.
///
/// # Errors
/// What the file is instead, and what to do. `whole`: `head` is all of it.
pub fn format(head: &[u8], whole: bool) -> Result<ImageFormat, String> {
    match image::guess_format(head) {
        Ok(
            format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp | ImageFormat::Tiff | ImageFormat::Gif),
        ) => return Ok(format),
        // With places of eight bytes.
        _ if head.starts_with(b"II+\0") || head.starts_with(b"MM\0+") => return Ok(ImageFormat::Tiff),
        _ => {}
    }
    let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    let brand = |names: &[&[u8]]| at(4, b"ftyp") && names.iter().any(|name| at(8, name));
    let ending = match () {
        () if at(0, b"RIFF") && at(8, b"WEBP") => "webp",
        () if brand(&[b"avif", b"avis"]) => "avif",
        () if brand(&[b"hei", b"hev", b"mif1", b"msf1"]) => "heic",
        () if at(4, b"jP  ") || at(0, b"\xff\x4f\xff\x51") => "jp2",
        () if at(4, b"JXL ") || at(0, b"\xff\x0a") => "jxl",
        () if at(0, b"\x93NUMPY") => "npy",
        () if at(0, b"\x89HDF") || at(0, b"MATLAB") => "h5",
        () if at(0, b"8BPS") => "psd",
        () if at(0, b"%PDF") => "pdf",
        () => "",
    };
    if let Some(kind) = KINDS.iter().find(|kind| kind.endings.contains(&ending)) {
        let advice = kind.advice.replace("them", "it");
        return Err(format!("is a {} file, which is not read; {advice}", kind.name));
    }
    let problem = if at(0, b"\x1f\x8b") || at(0, b"PK\x03\x04") || at(0, b"7z\xbc\xaf") || at(0, b"Rar!") {
        "is a packed file (an archive), no picture; unpack it first"
    } else if head.iter().all(|&byte| byte == 0) {
        "begins with zeros alone: copying or downloading it broke off; fetch it again or remove it"
    } else if [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"GIF89a"]
        .iter()
        .any(|of| of.starts_with(head))
    {
        super::CUT_SHORT
    } else if let Some(text) = text(head, whole) {
        let text = text.trim_start_matches('\u{feff}').trim_start().to_lowercase();
        if text.starts_with("version https://git-lfs") {
            "is a placeholder of Git LFS, not the picture itself; fetch the pictures with `git lfs pull`"
        } else if text.starts_with("<!doctype html") || text.starts_with("<html") {
            "is a web page, no picture: most likely a download that failed; fetch it again or remove it"
        } else if text.contains("<svg") {
            "is an SVG drawing, which is not read; save it as PNG"
        } else {
            "holds text, no picture; fetch it again or remove it"
        }
    } else {
        "does not begin like a PNG, JPEG, TIFF, BMP, GIF, DICOM or NIfTI file: it is damaged or of another kind; fetch it again, \
         or save it as PNG"
    };
    Err(problem.to_owned())
}

/// The first bytes as text, where they are; the last letter may be cut.
fn text(head: &[u8], whole: bool) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if !whole && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let printed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    text.chars().all(printed).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_not_read_are_known_by_their_names() {
        let mut files = ForeignFiles::default();
        for name in
            ["a.WEBP", "b.webp", "c.nii.gz", "c.nrrd", "d.npy", "scan.DCM", "notes.txt", "webp", "table.csv", "x.gz"]
        {
            files.add(name);
        }
        assert_eq!(
            files.told(),
            "; 2 WebP files are not read: save them as PNG; 1 NumPy file is not read: export the pictures as 8- or 16-bit PNG \
             or TIFF; 1 volume file is not read: export the slices as 8- or 16-bit PNG or TIFF"
        );
        assert_eq!(ForeignFiles::default().told(), "");
        let endings: Vec<&str> = KINDS.iter().flat_map(|kind| kind.endings).copied().collect();
        assert!(endings.iter().all(|ending| !EXTENSIONS.contains(ending)), "what is read is not foreign");
    }

    #[test]
    fn files_that_are_not_read_are_known_by_their_first_bytes() {
        let zeros = vec![0; 300];
        for (bytes, expected) in [
            (&b"RIFF\x10\0\0\0WEBPVP8 "[..], "is a WebP file, which is not read; save it as PNG"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC file"),
            (b"\0\0\0\x0cjP  \r\n", "a JPEG 2000 file"),
            (b"\x93NUMPY\x01\0v\0", "a NumPy file"),
            (b"%PDF-1.4", "a PDF file"),
            (b"\x1f\x8b\x08\0\0", "unpack it first"),
            (b"PK\x03\x04\0\0", "unpack it first"),
            (&zeros, "zeros alone"),
            (b"\x89PN", "cut short"),
            (b"<!DOCTYPE html><html>", "is a web page"),
            (b"\n<HTML><body>404</body>", "is a web page"),
            (b"<?xml version=\"1.0\"?><svg>", "is an SVG"),
            (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
            ("Größe".as_bytes(), "holds text"),
            (b"\x01\x02\x03\xff\xfe", "does not begin like"),
        ] {
            let problem = format(bytes, true).unwrap_err();
            assert!(problem.contains(expected), "{problem} should contain {expected}");
        }
        for (bytes, format_of) in [
            (&b"II+\0\x08\0\0\0"[..], ImageFormat::Tiff),
            (b"MM\0*\0\0\0\x08", ImageFormat::Tiff),
            (b"BM\0\0", ImageFormat::Bmp),
            (b"GIF87a\x10\0\x10\0", ImageFormat::Gif),
        ] {
            assert_eq!(format(bytes, true), Ok(format_of));
        }
    }
}
