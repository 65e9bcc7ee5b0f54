//! Numbers, colours and text as an SVG file has them.

use eframe::egui::{Color32, Pos2, Rect, Stroke};

/// A number of points, to a hundredth. Never what is not a number.
pub fn number(value: f32) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let rounded = (f64::from(value).clamp(-1e6, 1e6) * 100.0).round() / 100.0;
    // Not "-0".
    format!("{}", rounded + 0.0)
}

pub fn point(at: Pos2) -> String {
    format!("{},{}", number(at.x), number(at.y))
}

pub fn outline(points: &[Pos2], closed: bool) -> String {
    let mut d = String::with_capacity(14 * points.len());
    let mut last = String::new();
    for (i, at) in points.iter().enumerate() {
        let at = point(*at);
        // What falls on the point before is said once, but a line of two points stays one.
        if i == 0 || at != last || i == points.len() - 1 && d.len() == at.len() + 1 {
            d.push(if i == 0 { 'M' } else { 'L' });
            d.push_str(&at);
            last = at;
        }
    }
    if closed {
        d.push('Z');
    }
    d
}

pub fn place(rect: Rect) -> String {
    let (x, y) = (number(rect.left()), number(rect.top()));
    format!(" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\"", number(rect.width()), number(rect.height()))
}

/// An attribute with a colour, and another with its opacity where something shines through.
pub fn paint(attribute: &str, color: Color32) -> String {
    if color == Color32::TRANSPARENT {
        return format!(" {attribute}=\"none\"");
    }
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    let opacity = if a == 255 {
        String::new()
    } else {
        format!(" {attribute}-opacity=\"{}\"", (f32::from(a) / 2.55).round() / 100.0)
    };
    format!(" {attribute}=\"#{r:02x}{g:02x}{b:02x}\"{opacity}")
}

pub fn fill(color: Color32) -> String {
    paint("fill", color)
}

pub fn stroke(pen: Stroke) -> String {
    if pen.is_empty() {
        return String::new();
    }
    format!("{} stroke-width=\"{}\"", paint("stroke", pen.color), number(pen.width))
}

/// Turned clockwise by so many radians around a point.
pub fn turned(angle: f32, around: Pos2) -> String {
    if angle == 0.0 {
        return String::new();
    }
    format!(" transform=\"rotate({} {} {})\"", number(angle.to_degrees()), number(around.x), number(around.y))
}

/// Text as XML has it; signs that it does not know are left out.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            sign if sign.is_control() && sign != '\n' => {}
            sign => out.push(sign),
        }
    }
    out
}

/// The alphabet of RFC 4648, with padding.
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let sign = char::from(SIGNS[(bits >> (18 - 6 * at) & 63) as usize]);
            text.push(if at <= chunk.len() { sign } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
