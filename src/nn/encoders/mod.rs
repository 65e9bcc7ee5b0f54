//! From pictures to features, and what is learned on top of them without labels.

pub mod conv_encoder;
pub mod heads;
pub mod resnet;
