//! Folders with every oddity of the data sets that the lab reads.

mod doctor;
mod grouping;
mod layouts;
mod lesions;
mod mapping;
mod mask_table;
mod parts;
mod reading;
mod split_files;
