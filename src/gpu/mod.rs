//! Pictures that wgpu draws: a surface over the plane with trails on it. Plain data in, a picture out; knows nothing of
//! labs. In a window it goes through [`callback::SurfaceCallback`], without wgpu through [`fallback`].

pub mod axes;
pub mod callback;
pub mod camera;
pub mod fallback;
pub mod height_field;
pub mod picture;
pub mod pipelines;
pub mod renderer;
pub mod scale;
pub mod scene;
pub mod trail;
