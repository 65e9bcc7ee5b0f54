//! Data on the host: point sets and pictures that a seed defines, and one's own files.

pub mod augment;
pub mod augment_pair;
pub mod cifar;
pub mod csv_points;
pub mod image_folder;
pub mod images;
pub mod picture_file;
pub mod points;
pub mod segmentation;
pub mod synth;
