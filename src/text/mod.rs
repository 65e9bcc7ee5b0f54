//! Reports as words: what is read of them, what class each word has, how they are perturbed and edited, and the
//! pieces in which a text encoder takes them.
//!
//! Everything here is a pure function of text and, where chance decides, of a stream of random numbers.

pub mod antonyms;
pub mod edits;
pub mod perturb;
pub mod tags;
pub mod wordpiece;
pub mod words;
