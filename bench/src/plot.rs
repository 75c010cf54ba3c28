//! The pictures: lines on a logarithmic scale, as SVG that suits light and dark pages.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::Results;
use crate::contestant::Contestant;
use crate::plan::{ALL_CONNECTIONS, SIZES};
use crate::report::{CONTESTANTS, GROWING};
use crate::statistics::{Case, Summary};
use crate::work::Work;

/// A percentile of the measured times.
type Percentile = fn(&Summary) -> f64;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// Left of the lines, for the figures; right of them, for the names.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 240.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 46.0;
/// The least distance between two names.
const LINE: f64 = 16.0;

/// Colours that can be told apart on white and on black, also by the colour-blind
/// (after Okabe and Ito).
const COLOURS: [&str; 8] = [
    "#d55e00", "#0072b2", "#56b4e9", "#009e73", "#8fce00", "#cc79a7", "#999999", "#e69f00",
];

/// Lines over a few places on the horizontal axis.
struct Chart {
    title: String,
    horizontal: String,
    places: Vec<String>,
    lines: Vec<(String, Vec<Option<f64>>)>,
}

/// Writes all of them into `directory`.
pub fn write(results: &Results, directory: &Path) -> Result<()> {
    let summary = |case| results.measurements.summary(case);
    let of_contestants = |figures: &dyn Fn(Contestant) -> Vec<Option<f64>>| {
        let lines =
            CONTESTANTS.map(|contestant| (contestant.name().to_owned(), figures(contestant)));
        lines.into_iter().collect()
    };
    let throughput = Chart {
        title: "Get by id: requests a second".to_owned(),
        horizontal: "connections".to_owned(),
        places: ALL_CONNECTIONS.map(|n| n.to_string()).into(),
        lines: of_contestants(&|contestant| {
            let case = Case::base(contestant, Work::Get);
            let figures = ALL_CONNECTIONS
                .map(|n| summary(case.connections(n)).map(|summary| summary.throughput));
            figures.into()
        }),
    };
    let percentiles: [(&str, Percentile); 4] = [
        ("50 %", |summary| summary.p50),
        ("90 %", |summary| summary.p90),
        ("99 %", |summary| summary.p99),
        ("99.9 %", |summary| summary.p999),
    ];
    let latency = Chart {
        title: "Get by id on 16 connections: µs within which so many are answered".to_owned(),
        horizontal: "share of the requests".to_owned(),
        places: percentiles.map(|(name, _)| name.to_owned()).into(),
        lines: of_contestants(&|contestant| {
            let summary = summary(Case::base(contestant, Work::Get));
            let figures = percentiles.map(|(_, figure)| summary.as_ref().map(figure));
            figures.into()
        }),
    };
    let users = Chart {
        title: "edge-users on 16 connections: requests a second".to_owned(),
        horizontal: "users in the store".to_owned(),
        places: ["1,000", "100,000", "1,000,000"].map(str::to_owned).into(),
        lines: GROWING
            .map(|work| {
                let case = Case::base(Contestant::EdgeUsers, work);
                let figures =
                    SIZES.map(|users| summary(case.users(users)).map(|summary| summary.throughput));
                (work.name().to_owned(), figures.into())
            })
            .into(),
    };
    for (name, chart) in [
        ("throughput.svg", throughput),
        ("latency.svg", latency),
        ("users.svg", users),
    ] {
        std::fs::write(directory.join(name), chart.svg())?;
    }
    Ok(())
}

impl Chart {
    fn svg(&self) -> String {
        let figures = self
            .lines
            .iter()
            .flat_map(|(_, line)| line.iter().flatten());
        let figures: Vec<f64> = figures.copied().filter(|figure| *figure > 0.0).collect();
        let lowest = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = figures.iter().copied().fold(0.0, f64::max);
        let mut svg = String::new();
        // Writing into a String doesn't fail.
        self.draw(&mut svg, &ticks(lowest, highest)).ok();
        svg
    }

    fn draw(&self, svg: &mut String, ticks: &[f64]) -> std::fmt::Result {
        let (low, high) = match ticks {
            [low, .., high] => (low.ln(), high.ln()),
            _ => (0.0, 1.0),
        };
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let step = (right - LEFT) / (self.places.len().max(2) - 1) as f64;
        let x = |place: usize| LEFT + step * place as f64;
        let y = |figure: f64| bottom - (bottom - TOP) * (figure.ln() - low) / (high - low);
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{}">"#,
            self.title
        )?;
        writeln!(
            svg,
            "<style>text {{ font: 12px sans-serif; fill: #1f2328 }} .title {{ font-weight: bold }} \
             .grid {{ stroke: #8886; stroke-width: 1 }} .line {{ fill: none; stroke-width: 2 }} \
             @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} }}</style>"
        )?;
        writeln!(
            svg,
            r#"<text class="title" x="{LEFT}" y="20">{}</text>"#,
            self.title
        )?;
        for tick in ticks {
            let y = y(*tick);
            writeln!(
                svg,
                r#"<path class="grid" d="M{LEFT} {y:.1}H{right}"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 10.0,
                y + 4.0,
                short(*tick)
            )?;
        }
        for (place, name) in self.places.iter().enumerate() {
            let x = x(place);
            let y = bottom + 18.0;
            writeln!(
                svg,
                r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{name}</text>"#
            )?;
        }
        writeln!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            (LEFT + right) / 2.0,
            HEIGHT - 8.0,
            self.horizontal
        )?;
        let mut names = Vec::new();
        for ((name, line), colour) in self.lines.iter().zip(COLOURS) {
            let points: Vec<(f64, f64)> = line
                .iter()
                .enumerate()
                .filter_map(|(place, figure)| Some((x(place), y((*figure)?))))
                .collect();
            let Some(last) = points.last() else {
                continue;
            };
            let path: Vec<String> = points
                .iter()
                .map(|(x, y)| format!("{x:.1} {y:.1}"))
                .collect();
            writeln!(
                svg,
                r#"<path class="line" stroke="{colour}" d="M{}"/>"#,
                path.join("L")
            )?;
            for (x, y) in &points {
                writeln!(
                    svg,
                    r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#
                )?;
            }
            names.push((last.1, name, colour));
        }
        // Beside the ends of the lines, apart from one another.
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = TOP - LINE;
        for (y, name, colour) in names {
            free = y.max(free + LINE);
            writeln!(
                svg,
                r#"<circle cx="{:.1}" cy="{:.1}" r="4" fill="{colour}"/><text x="{:.1}" y="{:.1}">{name}</text>"#,
                right + 18.0,
                free,
                right + 28.0,
                free + 4.0,
            )?;
        }
        writeln!(svg, "</svg>")
    }
}

/// 1, 2, 5, 10, 20 … from at most the lowest figure to at least the highest.
fn ticks(lowest: f64, highest: f64) -> Vec<f64> {
    if !(lowest > 0.0 && lowest.is_finite()) {
        return Vec::new();
    }
    let decade = lowest.log10().floor() as i32;
    let all = (decade..).flat_map(|power| [1.0, 2.0, 5.0].map(|n| n * 10f64.powi(power)));
    let mut ticks: Vec<f64> = Vec::new();
    for tick in all {
        if tick <= lowest {
            ticks.clear();
        }
        ticks.push(tick);
        if tick >= highest && ticks.len() > 1 {
            return ticks;
        }
    }
    ticks
}

fn short(number: f64) -> String {
    match number {
        number if number >= 1e6 => format!("{} M", number / 1e6),
        number if number >= 1e3 => format!("{} k", number / 1e3),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_enclose_the_figures() {
        assert_eq!(ticks(3.0, 40.0), [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(ticks(10.0, 10.0), [10.0, 20.0]);
        assert_eq!(ticks(f64::INFINITY, 0.0), [0.0; 0]);
    }

    #[test]
    fn a_line_ends_where_its_figures_do() {
        let chart = Chart {
            title: "t".to_owned(),
            horizontal: "h".to_owned(),
            places: ["1", "16"].map(str::to_owned).into(),
            lines: vec![
                ("whole".to_owned(), vec![Some(10.0), Some(100.0)]),
                ("absent".to_owned(), vec![None, None]),
            ],
        };
        let svg = chart.svg();
        assert!(svg.contains(r#"d="M70.0 354.0L520.0 46.0""#), "{svg}");
        assert!(svg.contains("whole") && !svg.contains("absent"), "{svg}");
    }
}
