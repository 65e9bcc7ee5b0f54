// Draws a finished picture over the viewport, see src/gpu/callback.rs. The picture is sRGB-encoded.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var picture_sampler: sampler;

struct Vertex {
    @builtin(position) clip: vec4<f32>,
    @location(0) at: vec2<f32>,
}

@vertex
fn copy_vertex(@builtin(vertex_index) index: u32) -> Vertex {
    // One triangle that covers the viewport.
    let at = vec2<f32>(f32((index << 1u) & 2u), f32(index & 2u));
    var out: Vertex;
    out.at = at;
    out.clip = vec4<f32>(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0.0, 1.0);
    return out;
}

@fragment
fn copy_fragment(in: Vertex) -> @location(0) vec4<f32> {
    return vec4<f32>(textureSample(picture, picture_sampler, in.at).rgb, 1.0);
}

// For a window whose surface encodes by itself.
@fragment
fn copy_linear_fragment(in: Vertex) -> @location(0) vec4<f32> {
    let c = textureSample(picture, picture_sampler, in.at).rgb;
    let linear = select(pow((c + 0.055) / 1.055, vec3<f32>(2.4)), c / 12.92, c < vec3<f32>(0.04045));
    return vec4<f32>(linear, 1.0);
}
