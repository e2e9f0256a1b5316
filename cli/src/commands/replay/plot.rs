//! Line plots as SVG, one panel under the other, readable on light and dark ground.

use std::fmt::Write as _;

/// A line.
#[derive(Clone, Debug)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// In the order of x.
    pub points: Vec<(f64, f64)>,
}

/// One plot of the figure.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What y is.
    pub title: String,
    /// The lines.
    pub series: Vec<Series>,
}

/// A figure of panels that share their x axis.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Over all panels.
    pub title: String,
    /// What x is.
    pub x_label: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

const WIDTH: f64 = 820.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 24.0;
/// Title and a legend of one line.
const TOP: f64 = 76.0;
/// Another line of the legend.
const LEGEND_LINE: f64 = 20.0;
const PANEL_HEIGHT: f64 = 260.0;
/// Between two panels, and under the last.
const GAP: f64 = 56.0;
/// Most tick marks of an axis.
const TICKS: f64 = 8.0;

/// Colours that people with any colour vision tell apart (Okabe and Ito), on light and on dark ground; beside them
/// each line has a dash of its own.
const LINES: [(&str, &str, &str); 7] = [
    ("#0072b2", "#56b4e9", ""),
    ("#d55e00", "#f0894a", "8 3"),
    ("#007a5a", "#2fc79b", "2 3"),
    ("#a8508a", "#e39bc9", "10 3 2 3"),
    ("#8a6d00", "#f0c542", "5 5"),
    ("#5a5a5a", "#b8b8b8", "1 4"),
    ("#7a3b12", "#d9a07a", "12 4"),
];

impl Plot {
    /// The figure as a file of its own.
    pub fn svg(&self) -> String {
        let mut legend = String::new();
        let top = self.legend(&mut legend);
        let height = top + (PANEL_HEIGHT + GAP) * self.panels.len() as f64;
        let title = escape(&self.title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"desc\">{}</desc>\n<style>\n{}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"28\">{title}</text>\n",
            escape(&self.description()),
            style(),
        );
        svg += &legend;
        let x = Axis::to(self.points().map(|point| point.0));
        for (index, panel) in self.panels.iter().enumerate() {
            let top = top + (PANEL_HEIGHT + GAP) * index as f64;
            let label = if index + 1 == self.panels.len() { self.x_label.as_str() } else { "" };
            panel.draw(&mut svg, &x, top, label);
        }
        svg += "</svg>\n";
        svg
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        let series = self.panels.iter().flat_map(|panel| &panel.series);
        series.flat_map(|series| series.points.iter().copied())
    }

    /// The figure in words: where each line ends.
    fn description(&self) -> String {
        let mut text = format!("Over {}.", self.x_label);
        for panel in &self.panels {
            let _ = write!(text, " {}:", panel.title);
            for (index, series) in panel.series.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                match series.points.last() {
                    Some((x, y)) => {
                        let _ = write!(text, "{comma} {} {y:.1} at {x:.0}", series.name);
                    }
                    None => {
                        let _ = write!(text, "{comma} {} has no points", series.name);
                    }
                }
            }
            text.push('.');
        }
        text
    }

    /// Draws the legend; answers where the panels begin.
    fn legend(&self, svg: &mut String) -> f64 {
        let series = self.panels.first().map(|panel| panel.series.as_slice()).unwrap_or_default();
        let (mut x, mut down) = (LEFT, 0.0);
        for (index, series) in series.iter().enumerate() {
            // Letters of this size are seven units wide on average.
            let width = 50.0 + 7.0 * series.name.chars().count() as f64;
            if x > LEFT && x + width > WIDTH - RIGHT {
                (x, down) = (LEFT, down + LEGEND_LINE);
            }
            let line = index % LINES.len();
            let y = 50.0 + down;
            let _ = writeln!(
                svg,
                "<line class=\"line l{line}\" x1=\"{x}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>\
                 <text x=\"{}\" y=\"{}\">{}</text>",
                x + 26.0,
                x + 32.0,
                y + 4.0,
                escape(&series.name),
            );
            x += width;
        }
        TOP + down
    }
}

impl Panel {
    fn draw(&self, svg: &mut String, x: &Axis, top: f64, x_label: &str) {
        let bottom = top + PANEL_HEIGHT;
        let y = Axis::over(self.series.iter().flat_map(|series| &series.points).map(|point| point.1));
        let across = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * x.part(value);
        let up = |value: f64| bottom - (PANEL_HEIGHT - 24.0) * y.part(value);
        let _ = writeln!(
            svg,
            "<text class=\"panel\" x=\"{LEFT}\" y=\"{}\">{}</text>",
            top + 8.0,
            escape(&self.title)
        );
        for tick in y.ticks() {
            let (at, right) = (up(tick), WIDTH - RIGHT);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>\
                 <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
                LEFT - 8.0,
                at + 4.0,
            );
        }
        for tick in x.ticks() {
            let at = across(tick);
            let _ = writeln!(
                svg,
                "<line class=\"axis\" x1=\"{at:.1}\" y1=\"{bottom}\" x2=\"{at:.1}\" y2=\"{}\"/>\
                 <text class=\"tick\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>",
                bottom + 5.0,
                bottom + 19.0,
            );
        }
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{}\" y2=\"{bottom}\"/>",
            WIDTH - RIGHT
        );
        if !x_label.is_empty() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                f64::midpoint(LEFT, WIDTH - RIGHT),
                bottom + 40.0,
                escape(x_label),
            );
        }
        for (index, series) in self.series.iter().enumerate() {
            let points: Vec<_> =
                series.points.iter().map(|(x, y)| format!("{:.1},{:.1}", across(*x), up(*y))).collect();
            let _ = writeln!(
                svg,
                "<polyline class=\"line l{}\" points=\"{}\"><title>{}</title></polyline>",
                index % LINES.len(),
                points.join(" "),
                escape(&series.name),
            );
        }
    }
}

/// From 0 to a round number.
struct Axis {
    step: f64,
    end: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        if most <= 0.0 {
            return Self { step: 1.0, end: 1.0 };
        }
        let rough = most / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        Self { step, end: (most / step).ceil() * step }
    }

    /// From 0 to the last value itself.
    fn to(values: impl Iterator<Item = f64> + Clone) -> Self {
        let most = values.clone().filter(|value| value.is_finite()).fold(0.0, f64::max);
        let axis = Self::over(values);
        if most > 0.0 { Self { end: most, ..axis } } else { axis }
    }

    fn part(&self, value: f64) -> f64 {
        value / self.end
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        // A little more, as 0.7 / 0.1 is less than 7.
        let count = (self.end / self.step + 1e-9) as u32;
        // Rounded, as 3 times 0.1 is not 0.3.
        (0..=count).map(|tick| (f64::from(tick) * self.step * 1e6).round() / 1e6)
    }
}

fn style() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    for (index, (on_light, on_dark, dash)) in LINES.iter().enumerate() {
        let dash = if dash.is_empty() { String::new() } else { format!("; stroke-dasharray: {dash}") };
        let _ = writeln!(light, ".l{index} {{ stroke: {on_light}{dash} }}");
        let _ = writeln!(dark, "  .l{index} {{ stroke: {on_dark} }}");
    }
    format!(
        "text {{ font: 13px system-ui, sans-serif; fill: #1c1e21 }}\n\
         .title {{ font-size: 16px; font-weight: 600 }}\n.panel {{ font-weight: 600 }}\n\
         .tick {{ font-size: 12px; fill: #4a4f57 }}\n.ground {{ fill: #ffffff }}\n\
         .grid {{ stroke: #e2e5e9 }}\n.axis {{ stroke: #6b7280 }}\n\
         .line {{ fill: none; stroke-width: 2; stroke-linejoin: round }}\n{light}\
         @media (prefers-color-scheme: dark) {{\n  text {{ fill: #e8eaed }}\n  .tick {{ fill: #b3b9c2 }}\n  \
         .ground {{ fill: #16181c }}\n  .grid {{ stroke: #30343b }}\n  .axis {{ stroke: #8b929c }}\n{dark}}}\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(f64, f64)]) -> Plot {
        let series = Series { name: "a<b".to_owned(), points: points.to_vec() };
        let panel = Panel { title: "y & more".to_owned(), series: vec![series] };
        Plot { title: "t".to_owned(), x_label: "x".to_owned(), panels: vec![panel] }
    }

    #[test]
    fn an_axis_ends_at_a_round_number_and_has_few_ticks() {
        let check = |most: f64, expect: &[f64]| {
            assert_eq!(Axis::over([0.0, most].into_iter()).ticks().collect::<Vec<_>>(), expect, "{most}");
        };
        check(95.4, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        check(130.0, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0, 140.0]);
        check(0.7, &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
        check(0.0, &[0.0, 1.0]);
    }

    #[test]
    fn a_figure_tells_in_words_what_it_shows_and_escapes_what_it_is_given() {
        let svg = plot(&[(0.0, 0.0), (10.0, 5.0)]).svg();
        assert!(svg.contains("<desc id=\"desc\">Over x. y &amp; more: a&lt;b 5.0 at 10.</desc>"), "{svg}");
        assert!(svg.contains("points=\"56.0,336.0 796.0,100.0\""), "{svg}");
        assert!(!svg.contains("a<b"));
        assert!(plot(&[]).svg().contains("has no points"));
    }
}
