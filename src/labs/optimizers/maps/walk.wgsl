// One run of an optimizer for every invocation: the rules of `rules.rs` and the bookkeeping of `walk.rs`, in f32.
//
// Before this stand `HELPERS`, `surface(p) -> (f, ∂f/∂x, ∂f/∂y)` of the formula, and `const KERNEL: u32`.

const SGD: u32 = 0u;
const MOMENTUM: u32 = 1u;
const NAG: u32 = 2u;
const ADAGRAD: u32 = 3u;
const RMSPROP: u32 = 4u;
const ADADELTA: u32 = 5u;
const ADAM: u32 = 6u;

const INSIDE: u32 = 0x10000u;
const OUTSIDE: u32 = 0x10001u;
const DIVERGED: u32 = 0x10002u;

struct Task {
    low: vec2<f32>,
    // One over the window's sides.
    unit: vec2<f32>,
    tolerance: f32,
    far: f32,
    steps: u32,
    hold: u32,
    minima: u32,
    // The first cell of this dispatch, and the number of all.
    first: u32,
    cells: u32,
    padding: u32,
}

struct Run {
    start: vec2<f32>,
    eta: f32,
    epsilon: f32,
    // The rule's decays, and 1 less each: computed in f64, for 1 − 0.999 has lost four digits in f32.
    p: f32,
    q: f32,
    rest_p: f32,
    rest_q: f32,
}

struct Cell {
    end: u32,
    steps: u32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<storage, read> runs: array<Run>;
@group(0) @binding(2) var<storage, read> minima: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> cells: array<Cell>;

fn distance_of(a: vec2<f32>, b: vec2<f32>) -> f32 {
    let apart = abs((a - b) * task.unit);
    return max(apart.x, apart.y);
}

// The nearest minimum and its distance.
fn nearest(p: vec2<f32>, at: ptr<function, u32>) -> f32 {
    var least = NOWHERE;
    for (var i = 0u; i < task.minima; i = i + 1u) {
        let apart = distance_of(p, minima[i]);
        if (apart < least) {
            least = apart;
            *at = i;
        }
    }
    return least;
}

fn has_diverged(p: vec2<f32>) -> bool {
    let apart = abs((p - task.low) * task.unit - 0.5);
    return !(apart.x < task.far && apart.y < task.far);
}

@compute @workgroup_size(64)
fn walk(@builtin(global_invocation_id) id: vec3<u32>) {
    let cell = task.first + id.x;
    if (cell >= task.cells) {
        return;
    }
    let run = runs[cell];
    var theta = run.start;
    var a = vec2<f32>(0.0);
    var b = vec2<f32>(0.0);
    // 1 − pᵏ and 1 − qᵏ.
    var correction = vec2<f32>(0.0);
    var near = 0u;
    var since = 0u;
    var slack = 0.0;
    let first = nearest(theta, &near);
    var is_near = first < task.tolerance;
    if (!is_near) {
        slack = first - task.tolerance;
    }
    for (var step = 1u; step <= task.steps; step = step + 1u) {
        var point = theta;
        if (KERNEL == NAG) {
            point = theta + run.p * a;
        }
        let g = surface(point).yz;
        var delta = vec2<f32>(0.0);
        if (KERNEL == SGD) {
            delta = -(run.eta * g);
        } else if (KERNEL == MOMENTUM || KERNEL == NAG) {
            a = run.p * a - run.eta * g;
            delta = a;
        } else if (KERNEL == ADAGRAD) {
            a = a + g * g;
            delta = -(run.eta * g / (sqrt(a) + run.epsilon));
        } else if (KERNEL == RMSPROP) {
            a = run.p * a + run.rest_p * (g * g);
            delta = -(run.eta * g / (sqrt(a) + run.epsilon));
        } else if (KERNEL == ADADELTA) {
            a = run.p * a + run.rest_p * (g * g);
            delta = -sqrt(b + run.epsilon) / sqrt(a + run.epsilon) * g;
            b = run.p * b + run.rest_p * (delta * delta);
        } else {
            a = run.p * a + run.rest_p * g;
            b = run.q * b + run.rest_q * (g * g);
            correction = vec2<f32>(run.p, run.q) * correction + vec2<f32>(run.rest_p, run.rest_q);
            delta = -(run.eta * (a / correction.x) / (sqrt(b / correction.y) + run.epsilon));
        }
        let before = theta;
        theta = theta + delta;
        let moved = abs((theta - before) * task.unit);
        slack = slack - max(moved.x, moved.y);
        if (slack > 0.0 && moved.x < 1.0 && moved.y < 1.0) {
            continue;
        }
        if (has_diverged(theta)) {
            cells[cell] = Cell(DIVERGED, step);
            return;
        }
        if (is_near && distance_of(theta, minima[near]) < task.tolerance) {
            if (step + 1u - since >= task.hold) {
                cells[cell] = Cell(near, since);
                return;
            }
            continue;
        }
        let apart = nearest(theta, &near);
        is_near = apart < task.tolerance;
        since = step;
        slack = select(apart - task.tolerance, 0.0, is_near);
    }
    if (is_near) {
        cells[cell] = Cell(near, since);
        return;
    }
    if (has_diverged(theta)) {
        cells[cell] = Cell(DIVERGED, task.steps);
        return;
    }
    let share = (theta - task.low) * task.unit;
    let inside = all(share >= vec2<f32>(0.0)) && all(share <= vec2<f32>(1.0));
    cells[cell] = Cell(select(OUTSIDE, INSIDE, inside), task.steps);
}
