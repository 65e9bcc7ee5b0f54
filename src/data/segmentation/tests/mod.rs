//! Folders with every oddity of the data sets that the lab reads.

mod doctor;
mod layouts;
mod lesions;
mod mask_table;
mod parts;
mod reading;
