//! Folders with every oddity of the data sets that the lab reads.

mod doctor;
mod layouts;
mod lesions;
mod parts;
mod reading;
