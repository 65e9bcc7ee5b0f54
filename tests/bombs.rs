//! Small files that claim or unpack to gigabytes, pipes and damaged files: refused with words, in little time and
//! memory.

mod support;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use learnscope::compute::device::cpu;
use learnscope::compute::rng::HostRng;
use learnscope::nn::segmentation::SegmentationNet;
use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
use learnscope::nn::segmentation::weights::{WeightsFile, names, save_trained_at};
use tempfile::TempDir;

use support::program::with_args;

const SPEC: NetSpec = NetSpec { architecture: Architecture::UNet, channels: 3, base: 2, outputs: 1 };
/// MiB that a bomb may take beyond what the same work takes with plain files.
const MORE: u64 = 200;
/// Above all that is refused here, also on a busy machine and unoptimised.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command did, and the most memory in MiB that it had (0 where the system does not tell).
struct Watched {
    output: Output,
    peak: u64,
}

/// Runs the real binary in a folder and watches its memory.
fn watched(home: &TempDir, line: &[&str]) -> Watched {
    let file = |name: &str| File::create(home.path().join(name)).unwrap();
    let mut child = with_args(home, line).stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap();
    let (began, mut peak) = (Instant::now(), 0);
    let status = loop {
        peak = peak.max(memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{line:?} is not done after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| fs::read(home.path().join(name)).unwrap());
    Watched { output: Output { status, stdout, stderr }, peak }
}

/// The most memory that a process has had so far, in MiB.
fn memory(process: u32) -> u64 {
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn predict(home: &TempDir, weights: &str, data: &str) -> Watched {
    let line = ["predict", "segmentation", "--device", "cpu", "--force", "--out", "out"];
    watched(home, &[&line[..], &["--weights", weights, "--data", data]].concat())
}

/// A home with a small network, a picture, and the memory that predicting it takes.
fn home() -> (TempDir, u64) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("plain")).unwrap();
    fs::write(home.path().join("plain/a.png"), png(&[])).unwrap();
    save_trained_at(&net(), &SPEC, Some(32), &home.path().join("net.safetensors")).unwrap();
    let plain = predict(&home, "net.safetensors", "plain");
    assert_eq!(plain.output.status.code(), Some(0), "{}", String::from_utf8_lossy(&plain.output.stderr));
    (home, plain.peak)
}

fn net() -> SegmentationNet {
    SegmentationNet::new(&SPEC, HostRng::new(5, 0), &cpu()).unwrap()
}

// Files of weights.

/// A tensor as a pickle tells it: its name, shape and strides, and the numbers of its storage `key`.
struct Told {
    name: String,
    shape: Vec<usize>,
    strides: Vec<usize>,
    key: String,
    numbers: usize,
}

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn whole(number: usize) -> Vec<u8> {
    [&[0x8a, 9][..], &(number as u64).to_le_bytes(), &[0]].concat()
}

fn tuple(numbers: &[usize]) -> Vec<u8> {
    let numbers: Vec<Vec<u8>> = numbers.iter().map(|&number| whole(number)).collect();
    [&b"("[..], &numbers.concat(), b"t"].concat()
}

/// A state dict as PyTorch pickles it.
fn pickled(tensors: &[Told]) -> Vec<u8> {
    let mut bytes = b"\x80\x02}(".to_vec();
    for tensor in tensors {
        bytes.extend(text(&tensor.name));
        bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        bytes.extend([text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text(&tensor.key), text("cpu")].concat());
        bytes.extend([whole(tensor.numbers), b"tQ".to_vec(), whole(0)].concat());
        bytes.extend([tuple(&tensor.shape), tuple(&tensor.strides)].concat());
        bytes.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    bytes.extend(b"u.");
    bytes
}

/// A zip archive; `packed`: of the first entry the bytes that are claimed, which it is packed from.
fn zipped(entries: &[(&str, Vec<u8>)], packed: Option<u32>) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (i, (name, content)) in entries.iter().enumerate() {
        let packed = packed.filter(|_| i == 0);
        let start = bytes.len() as u32;
        let mut common = vec![20, 0, 0, 0, if packed.is_some() { 8 } else { 0 }, 0, 0, 0, 0, 0];
        let crc = if packed.is_some() { 0 } else { crc32fast::hash(content) };
        let length = content.len() as u32;
        for number in [crc, length, packed.unwrap_or(length)] {
            common.extend(number.to_le_bytes());
        }
        common.extend([name.len() as u8, 0, 0, 0]);
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), content].concat());
        let rest = [&[0; 10][..], &start.to_le_bytes(), name.as_bytes()].concat();
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &rest].concat());
    }
    let (start, count) = (bytes.len() as u32, (entries.len() as u16).to_le_bytes());
    bytes.extend(&directory);
    bytes.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count].concat());
    bytes.extend([(directory.len() as u32).to_le_bytes(), start.to_le_bytes()].concat());
    bytes.extend([0, 0]);
    bytes
}

/// A file as PyTorch 1.6 and later writes it.
fn archive(tensors: &[Told], storages: &[(String, Vec<f32>)]) -> Vec<u8> {
    let mut entries = vec![("archive/data.pkl".to_owned(), pickled(tensors))];
    for (key, numbers) in storages {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        entries.push((format!("archive/data/{key}"), bytes));
    }
    entries.push(("archive/version".to_owned(), b"3\n".to_vec()));
    let entries: Vec<(&str, Vec<u8>)> = entries.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    zipped(&entries, None)
}

/// A file as PyTorch before 1.6 wrote it.
fn legacy(tensors: &[Told], storages: &[(String, Vec<f32>)]) -> Vec<u8> {
    let mut bytes = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.".to_vec();
    bytes.extend([&b"\x80\x02}"[..], &text("little_endian"), b"\x88s."].concat());
    bytes.extend(pickled(tensors));
    let keys: Vec<Vec<u8>> = storages.iter().map(|(key, _)| text(key)).collect();
    bytes.extend([&b"\x80\x02]("[..], &keys.concat(), b"e."].concat());
    for (_, numbers) in storages {
        bytes.extend((numbers.len() as u64).to_le_bytes());
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
    bytes
}

/// All tensors of a network with numbers of their own.
fn state_dict(spec: &NetSpec) -> (Vec<Told>, Vec<(String, Vec<f32>)>) {
    let tensors = names(spec).into_iter().enumerate().map(|(i, named)| {
        let mut strides: Vec<usize> =
            (0..named.shape.len()).map(|axis| named.shape[axis + 1..].iter().product()).collect();
        strides.iter_mut().for_each(|stride| *stride = (*stride).max(1));
        let numbers = named.shape.iter().product();
        Told { name: named.name, shape: named.shape, strides, key: i.to_string(), numbers }
    });
    let tensors: Vec<Told> = tensors.collect();
    let numbers = |count: usize| (0..count).map(|i| 0.5 + 0.001 * i as f32).collect();
    let storages = tensors.iter().map(|tensor| (tensor.key.clone(), numbers(tensor.numbers))).collect();
    (tensors, storages)
}

/// All tensors of a network, each a single number repeated.
fn repeated(spec: &NetSpec) -> Vec<Told> {
    let (mut tensors, _) = state_dict(spec);
    for tensor in &mut tensors {
        tensor.strides = vec![0; tensor.shape.len()];
        (tensor.key, tensor.numbers) = ("0".to_owned(), 1);
    }
    tensors
}

fn safetensors(header: &str, numbers: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; 4 * numbers]].concat()
}

#[test]
fn weights_ask_for_no_more_than_their_file_holds() {
    let (home, plain) = home();
    let one = vec![("0".to_owned(), vec![1.0])];
    let huge = |name: &str| Told {
        name: name.to_owned(),
        shape: vec![1_000_000_000],
        strides: vec![0],
        key: "0".to_owned(),
        numbers: 1,
    };
    // A name of a megabyte for each of 20 000 tensors.
    let mut named = [&b"\x80\x02}"[..], &text(&"n".repeat(1 << 20))].concat();
    let mut inner = pickled(&(0..20_000).map(|i| huge(&i.to_string())).collect::<Vec<_>>());
    inner.pop();
    named.extend([&inner[2..], b"s."].concat());
    let article = NetSpec { base: 64, ..SPEC };
    // Many tensors without numbers, each of which could be a group of another Lighter U-net.
    let mut many = String::from(r#"{"head.weight":{"dtype":"F32","shape":[1,8,1,1],"data_offsets":[0,32]}"#);
    for i in 0..4000 {
        many += &format!(r#","d3.0.weight{i}":{{"dtype":"F32","shape":[0,{}],"data_offsets":[32,32]}}"#, i + 1);
        many += &format!(r#","{i}.d3.0.weight":{{"dtype":"F32","shape":[0,{}],"data_offsets":[32,32]}}"#, i + 1);
    }
    many.push('}');
    let wide = r#"{"__metadata__":{"learnscope.architecture":"unet","learnscope.channels":"3",
                   "learnscope.base":"9000000000000000000"}}"#;
    let mut flood = b"\x80\x02(".to_vec();
    flood.resize(20_000_000, b'N');
    let mut pressed = Vec::new();
    let mut encoder = flate2::read::DeflateEncoder::new(&flood[..], flate2::Compression::best());
    encoder.read_to_end(&mut pressed).unwrap();
    let packed = zipped(&[("archive/data.pkl", pressed)], Some(flood.len() as u32));
    for (name, bytes, words) in [
        ("one.pt", archive(&[huge("w")], &one), &["no network that is known", "w"][..]),
        ("three.pt", archive(&["a", "b", "c"].map(huge), &one), &["no network that is known"]),
        ("old.pt", legacy(&[huge("w")], &one), &["no network that is known"]),
        ("fits.pt", archive(&repeated(&article), &one), &["claim more numbers", "contiguous"]),
        ("packed.pt", packed, &["packed, which PyTorch does not do"]),
        ("flood.pt", zipped(&[("archive/data.pkl", flood.clone())], None), &["more than 1000000 objects"]),
        ("named.pt", zipped(&[("archive/data.pkl", named)], None), &["the names of its tensors take more than 64 MiB"]),
        ("flood.pkl", flood, &["more than 1000000 objects"]),
        ("many.safetensors", safetensors(&many, 8), &["no network that is known"]),
        ("wide.safetensors", safetensors(wide, 0), &["a width of 9000000000000000000 channels"]),
        ("long.safetensors", safetensors(&" ".repeat(5 << 20), 0), &["a header of 5 MiB"]),
        ("longer.safetensors", 100_000_000_u64.to_le_bytes().to_vec(), &["header is longer than the file"]),
    ] {
        fs::write(home.path().join(name), bytes).unwrap();
        let began = Instant::now();
        let Watched { output, peak } = predict(&home, name, "plain");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {message}");
        for word in words.iter().chain([&name]) {
            assert!(message.contains(word), "no `{word}` in {message}");
        }
        assert!(peak < plain + MORE, "{name} takes {peak} MiB, a plain picture {plain}");
        assert!(began.elapsed() < Duration::from_secs(10), "{name} takes {:?}", began.elapsed());
    }
}

#[test]
fn every_format_of_weights_gives_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let (tensors, storages) = state_dict(&SPEC);
    let read = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let file = WeightsFile::open(&path).unwrap();
        assert_eq!(file.recognise().unwrap(), SPEC, "{name}");
        let net = file.load(&SPEC, &cpu()).unwrap();
        let again = folder.path().join("again.safetensors");
        save_trained_at(&net, &SPEC, None, &again).unwrap();
        let again = fs::read(again).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&again).unwrap();
        names(&SPEC).iter().map(|named| tensors.tensor(&named.name).unwrap().data().to_vec()).collect::<Vec<_>>()
    };
    let new = read("new.pt", archive(&tensors, &storages));
    assert_eq!(new[0][..4], 0.5_f32.to_le_bytes());
    assert_eq!(new, read("old.pt", legacy(&tensors, &storages)));
}

#[test]
fn damaged_weights_are_refused_or_loaded_and_never_end_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w");
    let (tensors, storages) = state_dict(&SPEC);
    save_trained_at(&net(), &SPEC, Some(32), &path).unwrap();
    let mut random = HostRng::new(11, 0);
    let mut below = |most: usize| ((random.uniform() * most as f64) as usize).min(most - 1);
    let mut loaded = 0;
    for whole in [fs::read(&path).unwrap(), archive(&tensors, &storages), legacy(&tensors, &storages)] {
        for trial in 0..250 {
            let mut bytes = whole.clone();
            // What describes the tensors is at the ends.
            let place = |at: usize| if trial % 2 == 0 { at % 2000.min(whole.len()) } else { at };
            match trial % 5 {
                0 => bytes.truncate(below(whole.len())),
                1 => {
                    let at = place(below(whole.len() - 8));
                    bytes[at..at + 8].fill(0xff);
                }
                _ => (0..1 + trial % 3).for_each(|_| bytes[place(below(whole.len()))] ^= 1 << below(8)),
            }
            fs::write(&path, &bytes).unwrap();
            let result = WeightsFile::open(&path).and_then(|file| {
                let spec = file.recognise()?;
                file.load(&spec, &cpu())
            });
            match result {
                Ok(_) => loaded += 1,
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    assert!((1..750).contains(&loaded), "{loaded}: some damage is in the numbers, some is not");
}

// Pictures.

/// A PNG of 50×40 pixels with these chunks before its pixels.
fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = image::RgbImage::from_fn(50, 40, |x, y| image::Rgb([(x * 5) as u8, (y * 6) as u8, 90]));
    image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    // After the signature and the header.
    let rest = bytes.split_off(33);
    for (kind, content) in chunks {
        let body = [&kind[..], content].concat();
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend(&body);
        bytes.extend(crc32fast::hash(&body).to_be_bytes());
    }
    [bytes, rest].concat()
}

/// So many MiB of zeros, packed a thousandfold.
fn zeros(mib: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    (0..mib).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

/// A TIFF whose header claims a grey picture of so many pixels a side.
fn tiff(side: u32) -> Vec<u8> {
    let tags: [(u16, u32); 9] =
        [(256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, side), (279, 64)];
    let mut bytes = [&b"II\x2a\0\x08\0\0\0"[..], &(tags.len() as u16).to_le_bytes()].concat();
    for (tag, value) in tags {
        bytes.extend([&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0], &value.to_le_bytes()].concat());
    }
    bytes.extend([0; 80]);
    bytes
}

/// A BMP whose header claims a picture of so many pixels a side.
fn bmp(side: u32) -> Vec<u8> {
    let start = [&b"BM"[..], &118_u32.to_le_bytes(), &[0; 4], &54_u32.to_le_bytes(), &40_u32.to_le_bytes()].concat();
    [&start[..], &side.to_le_bytes(), &side.to_le_bytes(), &[1, 0, 24, 0], &[0; 88]].concat()
}

#[test]
fn pictures_that_unpack_to_gigabytes_are_read_or_refused_in_little_memory() {
    let (home, plain) = home();
    let at = |name: &str| home.path().join("in").join(name);
    fs::create_dir(home.path().join("in")).unwrap();
    let bomb = zeros(600);
    let text = [&b"Comment\0\0"[..], &bomb].concat();
    fs::write(at("profile.png"), png(&[(b"iCCP", [&b"p\0\0"[..], &bomb].concat())])).unwrap();
    fs::write(at("text.png"), png(&[(b"zTXt", text.clone()), (b"zTXt", text)])).unwrap();
    let xmp = [&b"XML:com.adobe.xmp\0\x01\0\0\0"[..], &bomb].concat();
    fs::write(at("unicode.png"), png(&[(b"iTXt", xmp)])).unwrap();
    // Without end: the profile of a megabyte goes on for gigabytes, as far as its length says.
    let mut cut = png(&[(b"iCCP", [&b"p\0\0"[..], &bomb].concat())]);
    cut.truncate(100_000);
    fs::write(at("cut.png"), cut).unwrap();
    fs::write(at("claims.tif"), tiff(60_000)).unwrap();
    fs::write(at("claims.bmp"), bmp(60_000)).unwrap();
    let mut jpeg = Vec::new();
    image::RgbImage::new(50, 40).write_to(&mut std::io::Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).unwrap();
    let segments = [&b"\xff\xe2\xff\xffICC_PROFILE\0\x01\xff"[..], &vec![0; 65_519]].concat().repeat(100);
    fs::write(at("segments.jpg"), [&jpeg[..2], &segments, &jpeg[2..]].concat()).unwrap();

    let Watched { output, peak } = predict(&home, "net.safetensors", "in");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert!(peak < plain + MORE, "{peak} MiB, a plain picture takes {plain}");
    let mut table = csv::Reader::from_path(home.path().join("out/table.csv")).unwrap();
    let rows: Vec<std::collections::BTreeMap<String, String>> = table.deserialize().map(|row| row.unwrap()).collect();
    let problem = |name: &str| rows.iter().find(|row| row["image"] == name).unwrap()["problem"].clone();
    for name in ["profile", "text", "unicode", "segments"] {
        assert_eq!(problem(name), "", "{name}: its pixels are good");
    }
    assert!(problem("cut").contains("damaged"), "{}", problem("cut"));
    for name in ["claims_tif", "claims_bmp"] {
        assert!(problem(name).contains("60000×60000") && problem(name).contains("1024 MiB"), "{}", problem(name));
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let (home, _) = home();
    for name in ["pipe.png", "pipe.pt", "in/pipe.png", "csv", "cifar/data_batch_1.bin", "cifar/test_batch.bin"] {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }
    let refused = |Watched { output, .. }: Watched, words: &[&str]| {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!([Some(1), Some(2)].contains(&output.status.code()), "{message}");
        words.iter().for_each(|word| assert!(message.contains(word), "no `{word}` in {message}"));
    };
    refused(predict(&home, "pipe.pt", "plain"), &["pipe.pt", "not a file"]);
    refused(predict(&home, "net.safetensors", "in"), &["pipe.png", "not a file"]);
    refused(predict(&home, "net.safetensors", "pipe.png"), &["not one of the files could be used"]);
    let run = |more: &str| {
        let line = format!("run {more} --device cpu --steps 1");
        watched(&home, &line.split(' ').collect::<Vec<_>>())
    };
    refused(run("segmentation --set weights=pipe.pt"), &["pipe.pt", "not a file"]);
    refused(run("optimizers --set experiment=network --set points=csv --set csv=csv"), &["csv", "not a file"]);
    refused(run("self-supervised --set source=cifar10 --set data=cifar"), &["cifar", "holds no CIFAR-10"]);
}

#[test]
fn pictures_are_opened_in_one_place() {
    fn look(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("tests") {
                    look(&path, found);
                }
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let opens = ["image::open(", "load_from_memory(", "ImageReader", "image_dimensions("];
            // The icon is in the program itself; tests look at what they made.
            if opens.iter().any(|word| code.contains(word)) && !["tests.rs", "window.rs"].contains(&&*name) {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    for room in ["data", "labs", "app", "cli", "engine", "nn"] {
        look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room), &mut found);
    }
    assert_eq!(found, ["picture_file.rs"], "elsewhere nothing bounds the memory");
}
