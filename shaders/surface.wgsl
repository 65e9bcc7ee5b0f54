// A surface over the plane with trails, lines and round points, see src/gpu/pipelines.rs.
// Colours are sRGB-encoded; the surface is lit in nearly linear light (encoding taken as a square root, which costs a
// software rasteriser far less than the exact curve and differs by less than the light's own arbitrariness).

struct View {
    clip_from_box: mat4x4<f32>,
    // xyz: eye in box coordinates; w: picture pixels per point.
    eye: vec4<f32>,
    // xy: picture size in pixels; z: cursor step; w: pixels per box unit at the target.
    picture: vec4<f32>,
    // xyz: direction to the light; w: ambient share.
    light: vec4<f32>,
    // rgb: contour colour; a: opacity.
    contour: vec4<f32>,
    // rgb: casing of the trails; a: number of contours.
    casing: vec4<f32>,
    // x: opacity of a trail ahead of the cursor; y: of a hidden one; z: half height of the box.
    opacity: vec4<f32>,
    colors: array<vec4<f32>, 32>,
}

struct TrailStyle {
    // rgb; a: width in pixels.
    color: vec4<f32>,
    // Dash, gap, dash, gap in pixels; all 0: solid.
    dash: vec4<f32>,
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<uniform> styles: array<TrailStyle, 24>;

// Premultiplied, as all pipelines blend.
fn premultiplied(color: vec3<f32>, opacity: f32) -> vec4<f32> {
    return vec4<f32>(color * opacity, opacity);
}

// ---- the surface ----------------------------------------------------------------------------------------------------

struct SurfaceVertex {
    @builtin(position) clip: vec4<f32>,
    @location(0) at: vec3<f32>,
    @location(1) normal: vec3<f32>,
    // Linear colour of the height.
    @location(2) color: vec3<f32>,
}

fn height_of(z: f32) -> f32 {
    return 0.5 * (z / view.opacity.z + 1.0);
}

fn height_color(height: f32) -> vec3<f32> {
    let place = clamp(height, 0.0, 1.0) * 31.0;
    let index = min(u32(place), 30u);
    return mix(view.colors[index].rgb, view.colors[index + 1u].rgb, place - f32(index));
}

@vertex
fn surface_vertex(@location(0) at: vec3<f32>, @location(1) normal: vec3<f32>) -> SurfaceVertex {
    var out: SurfaceVertex;
    out.clip = view.clip_from_box * vec4<f32>(at, 1.0);
    out.at = at;
    out.normal = normal;
    let color = height_color(height_of(at.z));
    out.color = color * color;
    return out;
}

// Coverage of lines at whole numbers of `level`, one pixel wide times `width`; fades where they would run together.
fn level_lines(level: f32, width: f32) -> f32 {
    let pixel = max(fwidth(level), 1e-6);
    let distance = abs(fract(level + 0.5) - 0.5) / pixel;
    let line = 1.0 - smoothstep(0.5 * width - 0.5, 0.5 * width + 0.5, distance);
    return line * (1.0 - smoothstep(0.12, 0.4, pixel));
}

@fragment
fn surface_fragment(in: SurfaceVertex) -> @location(0) vec4<f32> {
    let height = height_of(in.at.z);
    let to_eye = normalize(view.eye.xyz - in.at);
    var normal = normalize(in.normal);
    // Seen from below, a surface is lit on the side that is seen.
    normal = select(normal, -normal, dot(normal, to_eye) < 0.0);
    let lambert = max(dot(normal, view.light.xyz), 0.0);
    let halfway = normalize(view.light.xyz + to_eye);
    let glance = max(dot(normal, halfway), 0.0);
    let glance4 = glance * glance * glance * glance;
    let shine = 0.06 * glance4 * glance4 * glance4 * glance4 * glance4 * glance4;
    let light = view.light.w + (1.0 - view.light.w) * lambert * 1.15;
    var color = sqrt(clamp(in.color * light + vec3<f32>(shine), vec3<f32>(0.0), vec3<f32>(1.0)));

    let count = view.casing.w;
    let width = view.eye.w;
    let minor = level_lines(height * count, width);
    let major = level_lines(height * count / 5.0, 1.3 * width);
    color = mix(color, view.contour.rgb, view.contour.a * max(0.55 * minor, major));
    return vec4<f32>(color, 1.0);
}

// ---- lines and trails: each piece is a rectangle of constant width on the screen ------------------------------------

// Lies on the surface, so it is drawn this much nearer to the eye, in box units.
const LIFT: f32 = 0.012;

fn lifted(at: vec3<f32>, by: f32) -> vec3<f32> {
    return at + by * normalize(view.eye.xyz - at);
}

struct Ends {
    a: vec4<f32>,
    b: vec4<f32>,
}

// One of the six corners of the rectangle around a line from a to b; x of the result's second part says how far along.
fn corner(ends: Ends, index: u32, width: f32) -> vec4<f32> {
    let near = 1e-3;
    // A line that starts behind the eye is cut there.
    var a = ends.a;
    var b = ends.b;
    if a.w < near && b.w < near {
        return vec4<f32>(2.0, 2.0, 2.0, 1.0);
    }
    if a.w < near {
        a = mix(a, b, (near - a.w) / (b.w - a.w));
    }
    if b.w < near {
        b = mix(b, a, (near - b.w) / (a.w - b.w));
    }
    let half_size = 0.5 * view.picture.xy;
    let from_px = a.xy / a.w * half_size;
    let to_px = b.xy / b.w * half_size;
    var along = to_px - from_px;
    let length = length(along);
    along = select(vec2<f32>(1.0, 0.0), along / max(length, 1e-6), length > 1e-4);
    let across = vec2<f32>(-along.y, along.x);
    let at_b = index == 1u || index == 2u || index == 4u;
    let left = index == 2u || index == 4u || index == 5u;
    // The ends overlap the neighbours a little, so that bends have no notch.
    var shift = along * select(-0.35, 0.35, at_b) * width;
    shift += across * select(-0.5, 0.5, left) * width;
    let end = a * f32(!at_b) + b * f32(at_b);
    return vec4<f32>(end.xy + shift / half_size * end.w, end.z, end.w);
}

fn is_at_b(index: u32) -> bool {
    return index == 1u || index == 2u || index == 4u;
}

struct LineVertex {
    @builtin(position) clip: vec4<f32>,
    @location(0) @interpolate(flat) color: vec4<f32>,
}

@vertex
fn line_vertex(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec4<f32>,
    @location(1) b: vec4<f32>,
    @location(2) color: vec4<f32>,
) -> LineVertex {
    var out: LineVertex;
    // a.w: width in points; b.w: 1 on the surface.
    let ends = Ends(
        view.clip_from_box * vec4<f32>(lifted(a.xyz, LIFT * b.w), 1.0),
        view.clip_from_box * vec4<f32>(lifted(b.xyz, LIFT * b.w), 1.0),
    );
    out.clip = corner(ends, index, a.w * view.eye.w);
    out.color = color;
    return out;
}

@fragment
fn line_fragment(in: LineVertex) -> @location(0) vec4<f32> {
    return premultiplied(in.color.rgb, in.color.a);
}

struct TrailVertex {
    @builtin(position) clip: vec4<f32>,
    // x: step; y: length along the trail in pixels.
    @location(0) along: vec2<f32>,
    @location(1) @interpolate(flat) style: u32,
}

fn trail_corner(index: u32, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, extra_width: f32) -> TrailVertex {
    var out: TrailVertex;
    let style = u32(c.z);
    let ends = Ends(
        view.clip_from_box * vec4<f32>(lifted(a.xyz, LIFT), 1.0),
        view.clip_from_box * vec4<f32>(lifted(b.xyz, LIFT), 1.0),
    );
    out.clip = corner(ends, index, styles[style].color.w + extra_width * view.eye.w);
    out.along = select(vec2<f32>(a.w, c.x), vec2<f32>(b.w, c.y), is_at_b(index)) * vec2<f32>(1.0, view.picture.w);
    out.style = style;
    return out;
}

@vertex
fn trail_vertex(
    @builtin(vertex_index) index: u32,
    // xyz: an end; w: its step.
    @location(0) a: vec4<f32>,
    @location(1) b: vec4<f32>,
    // x, y: length along the trail at both ends in box units; z: style.
    @location(2) c: vec4<f32>,
) -> TrailVertex {
    return trail_corner(index, a, b, c, 0.0);
}

@vertex
fn casing_vertex(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec4<f32>,
    @location(1) b: vec4<f32>,
    @location(2) c: vec4<f32>,
) -> TrailVertex {
    return trail_corner(index, a, b, c, 1.6);
}

// Whether the pattern is drawn at this length; `slack` lengthens the dashes at both ends.
fn on_dash(pattern: vec4<f32>, length: f32, slack: f32) -> bool {
    let period = pattern.x + pattern.y + pattern.z + pattern.w;
    if period <= 0.0 {
        return true;
    }
    let at = (length + slack) % period;
    let second = pattern.x + pattern.y;
    return at < pattern.x + 2.0 * slack || (pattern.z > 0.0 && at >= second && at < second + pattern.z + 2.0 * slack);
}

@fragment
fn casing_fragment(in: TrailVertex) -> @location(0) vec4<f32> {
    if in.along.x > view.picture.z || !on_dash(styles[in.style].dash, in.along.y, 0.8 * view.eye.w) {
        discard;
    }
    return premultiplied(view.casing.rgb, 0.75);
}

@fragment
fn past_fragment(in: TrailVertex) -> @location(0) vec4<f32> {
    if in.along.x > view.picture.z || !on_dash(styles[in.style].dash, in.along.y, 0.0) {
        discard;
    }
    return vec4<f32>(styles[in.style].color.rgb, 1.0);
}

@fragment
fn ahead_fragment(in: TrailVertex) -> @location(0) vec4<f32> {
    if in.along.x <= view.picture.z || !on_dash(styles[in.style].dash, in.along.y, 0.0) {
        discard;
    }
    return premultiplied(styles[in.style].color.rgb, view.opacity.x);
}

@fragment
fn hidden_fragment(in: TrailVertex) -> @location(0) vec4<f32> {
    let dots = vec4<f32>(2.0, 3.0, 0.0, 0.0) * view.eye.w;
    if in.along.x > view.picture.z || !on_dash(dots, in.along.y, 0.0) {
        discard;
    }
    return premultiplied(styles[in.style].color.rgb, view.opacity.y);
}

// ---- round points ---------------------------------------------------------------------------------------------------

struct MarkerVertex {
    @builtin(position) clip: vec4<f32>,
    // Pixels from the centre.
    @location(0) offset: vec2<f32>,
    @location(1) @interpolate(flat) fill: vec4<f32>,
    @location(2) @interpolate(flat) ring: vec4<f32>,
    // x: radius; y: inner edge of the ring, pixels.
    @location(3) @interpolate(flat) radii: vec2<f32>,
}

@vertex
fn marker_vertex(
    @builtin(vertex_index) index: u32,
    // xyz: place; w: radius in points.
    @location(0) at: vec4<f32>,
    @location(1) fill: vec4<f32>,
    @location(2) ring: vec4<f32>,
    @location(3) ring_width: f32,
) -> MarkerVertex {
    var out: MarkerVertex;
    let radius = at.w * view.eye.w;
    let right = index == 1u || index == 2u || index == 4u;
    let top = index == 2u || index == 4u || index == 5u;
    out.offset = (radius + 1.0) * vec2<f32>(select(-1.0, 1.0, right), select(-1.0, 1.0, top));
    // Nearer by its own radius, so that it is a ball that touches the surface rather than a disc cut by it.
    let lift = 2.0 * LIFT + radius / view.picture.w;
    let centre = view.clip_from_box * vec4<f32>(at.xyz, 1.0);
    let front = view.clip_from_box * vec4<f32>(lifted(at.xyz, lift), 1.0);
    let shift = 2.0 * out.offset / view.picture.xy;
    out.clip = vec4<f32>(centre.xy + shift * centre.w, front.z / max(front.w, 1e-3) * centre.w, centre.w);
    out.fill = fill;
    out.ring = ring;
    out.radii = vec2<f32>(radius, radius - ring_width * view.eye.w);
    return out;
}

fn marker_color(in: MarkerVertex) -> vec4<f32> {
    let distance = length(in.offset);
    let cover = clamp(in.radii.x - distance + 0.5, 0.0, 1.0);
    let inner = clamp(in.radii.y - distance + 0.5, 0.0, 1.0);
    let ring = premultiplied(in.ring.rgb, in.ring.a);
    let fill = premultiplied(in.fill.rgb, in.fill.a);
    return mix(ring, fill, inner) * cover;
}

@fragment
fn marker_fragment(in: MarkerVertex) -> @location(0) vec4<f32> {
    return marker_color(in);
}

@fragment
fn marker_hidden_fragment(in: MarkerVertex) -> @location(0) vec4<f32> {
    return marker_color(in) * view.opacity.y;
}
