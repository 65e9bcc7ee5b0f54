//! The sliders of the theory tiles and the numbers beside them.

use std::ops::RangeInclusive;

use eframe::egui::{Label, RichText, ScrollArea, Slider, Ui, vec2};

use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::params::{Hyper, STEPS};
use crate::labs::self_supervised::view::{params_of, series};
use crate::plot::{number, tile};

use super::run_time::RunTime;
use super::{Constants, Theory};

/// A slider's row: its sign and what it is, the value, the slider.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
pub fn slider(
    ui: &mut Ui,
    sign: &str,
    name: &str,
    help: &str,
    value: &mut f64,
    range: RangeInclusive<f64>,
    log: bool,
    size: f32,
    ctx: &ViewCtx<'_>,
) {
    let style = ctx.style;
    ui.horizontal(|ui| {
        ui.label(tile::mono(sign, size + 1.0, style));
        ui.add(Label::new(tile::weak(name, size, style)).truncate()).on_hover_text(help);
    });
    if tile::said(ui, tile::mono(number::short(*value), size, style)) {
        return;
    }
    let width = ui.available_width();
    ui.horizontal(|ui| {
        let wide = 4.4 * size;
        ui.spacing_mut().slider_width = (width - wide - 12.0).max(20.0);
        ui.spacing_mut().item_spacing.x = 8.0;
        let mut slider = Slider::new(value, range.clone()).show_value(false);
        if log {
            slider = slider.logarithmic(true).smallest_positive(1e-4);
        }
        let said = format!("{sign} {name}");
        let response = ui.add(slider);
        response.widget_info(|| {
            let mut info = eframe::egui::WidgetInfo::labeled(eframe::egui::accesskit::Role::Slider, true, &said);
            info.value = None;
            info
        });
        response.on_hover_text(help);
        ui.label(tile::mono(number::short(*value), size, style));
    });
}

/// Draws the sliders' column.
pub fn ui(state: &mut Theory, tile: &str, size: f32, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    ScrollArea::vertical().id_salt(("sliders", tile)).auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 0.25 * size);
        ui.set_width(ui.available_width() - 0.4 * size);
        // On top: it has to be seen while a slider moves.
        read_out(&state.constants, size, ui, ctx);
        ui.add_space(0.4 * size);
        let Constants { mode, equal_decay } = &mut state.constants;
        slider(ui, "η", "decay of the network", "Weight decay of W", &mut mode.eta, 0.0..=0.4, true, size, ctx);
        ui.horizontal(|ui| {
            let text = tile::weak("η_p = η", size, ctx.style);
            tile::tick(ui, equal_decay, text, "Let the predictor decay as fast as the network");
        });
        if *equal_decay {
            mode.eta_p = mode.eta;
        } else {
            let help = "Weight decay of Wp";
            slider(ui, "η_p", "decay of the predictor", help, &mut mode.eta_p, 0.0..=0.4, true, size, ctx);
        }
        let help = "The predictor's learning rate over the network's. Multiplying it by k divides the critical s by k";
        slider(ui, "α_p", "rate of the predictor", help, &mut mode.alpha_p, 0.1..=100.0, true, size, ctx);
        let help = "Variance that the augmentations add";
        slider(ui, "σ²", "augmentation", help, &mut mode.sigma2, 0.0..=2.0, false, size, ctx);
        if tile != "simulator" {
            let help = "The target's ratio to the network, Wa = r W: 1 for SimSiam, below 1 while an average lags. \
                        Not the momentum τ";
            slider(ui, "r", "ratio of the target", help, &mut mode.ratio, 0.3..=1.2, false, size, ctx);
        } else {
            super::simulator::sliders(&mut state.simulator, size, ui, ctx);
        }
        ui.add_space(0.4 * size);
        ui.horizontal_wrapped(|ui| {
            let help = "Take decays, rates, momentum, target and duration from the run's parameters";
            if tile::button(ui, true, "from the run", help, size) {
                take_from_run(state, ctx);
            }
            if tile::button(ui, true, "reset", "Back to the first values", size) {
                state.constants = Theory::default().constants;
                state.simulator.reset();
            }
        });
    });
}

/// The numbers that the sliders decide.
fn read_out(constants: &Constants, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (mode, style) = (&constants.mode, ctx.style);
    let critical = mode.critical_eta();
    let share = mode.eta / critical;
    let line = |ui: &mut Ui, text: String, color| {
        ui.add(Label::new(tile::mono(text, size, style).color(color)).wrap());
    };
    line(ui, format!("η_c = r²/4S = {}", number::short(critical)), style.text_weak);
    let color = if share > 1.0 { style.error } else { style.text };
    line(ui, format!("η/η_c = {}", number::short(share)), color);
    // λ_min(K) > 0 whatever p and F are.
    if mode.eta + mode.eta_p / 2.0 > critical {
        line(ui, "η + η_p/2 > η_c: eigenspaces align from any start".to_owned(), style.text_weak);
    }
    match mode.balance_points().filter(|_| mode.eta > 0.0) {
        Some([low, high]) => {
            line(ui, format!("p₋ = {}", number::short(low)), style.text_weak);
            line(ui, format!("p₊ = {}", number::short(high)), style.text_weak);
        }
        None if mode.eta > 0.0 => {
            let text = "Above η_c: no healthy point, every mode collapses.";
            ui.add(Label::new(RichText::new(text).size(size).color(style.error)).wrap());
        }
        None => {
            let text = "No decay: with p > 0 no mode collapses, s grows without end.";
            ui.add(Label::new(RichText::new(text).size(size).color(style.text_weak)).wrap());
        }
    }
}

/// Takes decays and rates of the run, see `ModeDynamics::of_run`.
pub fn take_from_run(state: &mut Theory, ctx: &ViewCtx<'_>) {
    let params = params_of(ctx);
    let hyper = Hyper::of(&params);
    let time = match ctx.run.header {
        Some(_) => RunTime::of(ctx).map(|time| time.at(series::steps(ctx))),
        None => RunTime::of_form(&params, STEPS.of(&params) as u64).map(|time| time.at(STEPS.of(&params) as u64)),
    };
    if let Some(time) = time {
        state.simulator.take_from_run(&hyper, time);
    }
    let constants = &mut state.constants;
    constants.mode = constants.mode.of_run(&hyper);
    constants.mode.alpha_p = constants.mode.alpha_p.clamp(0.1, 100.0);
    constants.equal_decay = constants.mode.eta == constants.mode.eta_p;
}
