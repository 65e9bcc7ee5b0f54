//! The runs of a map on a graphics device, in f32.

use std::sync::OnceLock;

use super::walk::Kernel;
use super::{Cell, End, FAR, HOLD, Request};
use crate::labs::optimizers::surfaces::expression::{Expression, wgsl};
use crate::watch::Watch;

/// Invocations of a work group, as the shader has it.
const GROUP: u32 = 64;
/// Updates of one dispatch, all runs together: a dispatch that takes seconds would freeze the screen, and the driver would
/// end it.
const WORK: u64 = 20_000_000;
/// Bytes of a run and of a cell.
const RUN: usize = 32;
const CELL: usize = 8;

/// The end codes of the shader; below are minima.
const INSIDE: u32 = 0x1_0000;
const OUTSIDE: u32 = 0x1_0001;
const DIVERGED: u32 = 0x1_0002;

/// A graphics device that maps may use: the window's, or one of its own.
#[derive(Debug, Clone)]
pub struct Gpu {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
}

/// The whole shader for a formula and a rule.
pub(super) fn shader(expression: &Expression, kernel: Kernel) -> String {
    let walk = include_str!("walk.wgsl");
    let surface = expression.wgsl("surface");
    format!("{}{surface}const KERNEL: u32 = {}u;\n{walk}", wgsl::HELPERS, kernel as u32)
}

impl Gpu {
    /// The best graphics device of this machine, opened once; `None` where there is none but a software rasteriser. Blocks the first time.
    pub fn automatic() -> Option<&'static Gpu> {
        static FOUND: OnceLock<Option<Gpu>> = OnceLock::new();
        FOUND.get_or_init(Self::open).as_ref()
    }

    fn open() -> Option<Gpu> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let wanted = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = pollster::block_on(instance.request_adapter(&wanted)).ok()?;
        if adapter.get_info().device_type == wgpu::DeviceType::Cpu {
            return None;
        }
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).ok()?;
        // A lost device fails the next map, which is then computed on the processor.
        device.on_uncaptured_error(std::sync::Arc::new(|error| tracing::warn!("maps on the graphics device: {error}")));
        Some(Gpu { device, queue })
    }

    /// The ends of all runs; `None` where the device cannot do it, or it was cancelled.
    pub(super) fn cells(&self, request: &Request, minima: &[[f64; 2]], watch: Watch<'_>) -> Option<Vec<Cell>> {
        let task = request.task();
        let kernel = Kernel::of(task.rule, &task.hyper)?;
        // The catalogue's formulas are typed as they are printed.
        let read = Expression::parse(task.surface.formula());
        let expression = task.surface.expression().or(read.as_ref().ok())?;
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let cells = self.compute(request, minima, &shader(expression, kernel), kernel, watch);
        let errors = [pollster::block_on(memory.pop()), pollster::block_on(scope.pop())];
        cells.filter(|_| errors.iter().all(Option::is_none))
    }

    fn compute(
        &self,
        request: &Request,
        minima: &[[f64; 2]],
        shader: &str,
        kernel: Kernel,
        watch: Watch<'_>,
    ) -> Option<Vec<Cell>> {
        let [columns, rows] = request.size();
        let all = columns * rows;
        if (all * RUN) as u64 > self.device.limits().max_storage_buffer_binding_size {
            return None;
        }
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("map"),
            source: wgpu::ShaderSource::Wgsl(shader.into()),
        });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("map"),
            layout: None,
            module: &module,
            entry_point: Some("walk"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let runs: Vec<u8> = (0..all).flat_map(|cell| run_bytes(request, kernel, cell)).collect();
        // An empty buffer cannot be bound.
        let places = if minima.is_empty() { &[[0.0; 2]] } else { minima };
        let places: Vec<u8> = places.iter().flatten().flat_map(|v| (*v as f32).to_le_bytes()).collect();
        use wgpu::BufferUsages;
        let task_buffer = self.buffer(48, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
        let run_buffer = self.buffer(runs.len(), BufferUsages::STORAGE | BufferUsages::COPY_DST);
        let minima_buffer = self.buffer(places.len(), BufferUsages::STORAGE | BufferUsages::COPY_DST);
        let cell_buffer = self.buffer(all * CELL, BufferUsages::STORAGE | BufferUsages::COPY_SRC);
        let back = self.buffer(all * CELL, BufferUsages::MAP_READ | BufferUsages::COPY_DST);
        self.queue.write_buffer(&run_buffer, 0, &runs);
        self.queue.write_buffer(&minima_buffer, 0, &places);
        let buffers = [&task_buffer, &run_buffer, &minima_buffer, &cell_buffer];
        let entries: Vec<wgpu::BindGroupEntry<'_>> = buffers
            .iter()
            .enumerate()
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: binding as u32,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("map"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });

        // Whole work groups, and never more of them than a dispatch may have.
        let chunk =
            (WORK / u64::from(request.task().steps)).clamp(u64::from(GROUP), 65_535 * u64::from(GROUP)) as usize;
        for first in (0..all).step_by(chunk) {
            if watch.cancelled() {
                return None;
            }
            let groups = (chunk.min(all - first) as u32).div_ceil(GROUP);
            self.queue.write_buffer(&task_buffer, 0, &task_bytes(request, minima.len(), first, all.min(first + chunk)));
            let mut encoder =
                self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("map") });
            let mut pass =
                encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("map"), timestamp_writes: None });
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
            drop(pass);
            self.queue.submit([encoder.finish()]);
            self.device.poll(wgpu::PollType::wait_indefinitely()).ok()?;
            (watch.progress)(all.min(first + chunk), all);
        }

        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("map") });
        encoder.copy_buffer_to_buffer(&cell_buffer, 0, &back, 0, (all * CELL) as u64);
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = std::sync::mpsc::channel();
        back.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only if this function has returned already.
            let _ = sender.send(result);
        });
        self.device.poll(wgpu::PollType::wait_indefinitely()).ok()?;
        receiver.recv().ok()?.ok()?;
        let mapped = back.get_mapped_range(..).ok()?;
        Some(mapped.chunks_exact(CELL).map(cell).collect())
    }

    fn buffer(&self, bytes: usize, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("map"),
            size: bytes as u64,
            usage,
            mapped_at_creation: false,
        })
    }
}

/// A `Run` of the shader.
fn run_bytes(request: &Request, kernel: Kernel, cell: usize) -> [u8; RUN] {
    let super::Start { at: [x, y], hyper } = request.run(cell);
    let [p, q] = kernel.decays(&hyper);
    let numbers = [x, y, hyper.learning_rate, hyper.epsilon, p, q, 1.0 - p, 1.0 - q];
    let mut bytes = [0; RUN];
    for (to, number) in bytes.chunks_exact_mut(4).zip(numbers) {
        to.copy_from_slice(&(number as f32).to_le_bytes());
    }
    bytes
}

/// The `Task` of the shader for the cells from `first` to before `end`.
fn task_bytes(request: &Request, minima: usize, first: usize, end: usize) -> Vec<u8> {
    let task = request.task();
    let [[x0, x1], [y0, y1]] = task.surface.domain;
    let numbers = [x0, y0, 1.0 / (x1 - x0), 1.0 / (y1 - y0), task.tolerance, FAR];
    let counts = [task.steps, HOLD, minima as u32, first as u32, end as u32, 0];
    let numbers = numbers.into_iter().flat_map(|number| (number as f32).to_le_bytes());
    numbers.chain(counts.into_iter().flat_map(u32::to_le_bytes)).collect()
}

/// A `Cell` of the shader.
fn cell(bytes: &[u8]) -> Cell {
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let end = match word(0) {
        INSIDE => End::Inside,
        OUTSIDE => End::Outside,
        DIVERGED => End::Diverged,
        minimum => End::Minimum(minimum as u16),
    };
    Cell { end, steps: word(4) }
}
