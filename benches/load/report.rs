//! The tables for people, and all figures for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::cells::{Cell, Figures};
use super::commits::Commits;
use super::options::{Kind, Options};

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    pub(crate) commits: Vec<Commits>,
}

/// A server in a cell.
#[derive(Debug)]
struct Row {
    cell: Cell,
    server: String,
    /// By round.
    figures: Vec<(usize, Figures)>,
}

impl Row {
    /// The median of a figure over all rounds.
    fn median(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
        let mut all: Vec<f64> = self
            .figures
            .iter()
            .filter_map(|(_, of)| figure(of))
            .collect();
        all.sort_unstable_by(f64::total_cmp);
        let upper = all.get(all.len() / 2)?;
        let lower = all.get(all.len().saturating_sub(1) / 2)?;
        Some(f64::midpoint(*lower, *upper))
    }

    fn speed(&self) -> Option<f64> {
        self.median(|of| Some(of.calls_per_second))
    }

    fn text(&self, like: impl Fn(&str) -> Option<f64>) -> String {
        let megabytes = |figure: fn(&Figures) -> Option<u64>| {
            let of = |of: &Figures| figure(of).map(|bytes| f64::from(kib(bytes)) / 1024.0);
            shown(self.median(of), 1)
        };
        let to = |server| {
            let ratio = self
                .speed()
                .zip(like(server))
                .map(|(ours, other)| ours / other);
            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}x"))
        };
        let cells = [
            shown(self.speed(), 0),
            shown(self.median(|of| Some(of.p50_ms)), 2),
            shown(self.median(|of| Some(of.p99_ms)), 2),
            shown(self.median(|of| of.cpu), 3),
            shown(self.median(|of| Some(of.driver_cpu)), 3),
            shown(self.median(|of| of.start_ms), 1),
            megabytes(|of| of.idle),
            megabytes(|of| of.after),
            megabytes(|of| of.peak),
            to("bare"),
            to("straight"),
        ];
        let first = format!("| {} | {:>4}", self.server, self.cell.clients);
        cells
            .iter()
            .fold(first, |line, cell| format!("{line} | {cell:>7}"))
            + " |"
    }
}

fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes / 1024).unwrap_or(u32::MAX)
}

fn shown(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
}

const HEAD: &str = "\
| server | clients | calls/s | p50 ms | p99 ms | CPU s / 1k calls | driver's | start to answer, ms | idle MB | after MB | peak MB | to bare | to straight |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

impl Report {
    pub(crate) fn add(&mut self, round: usize, cell: &Cell, server: &str, figures: Figures) {
        let row = |row: &&mut Row| row.cell == *cell && row.server == server;
        if let Some(row) = self.rows.iter_mut().find(row) {
            row.figures.push((round, figures));
        } else {
            self.rows.push(Row {
                cell: cell.clone(),
                server: server.to_owned(),
                figures: vec![(round, figures)],
            });
        }
    }

    pub(crate) fn failed(&self) -> usize {
        let all = self.rows.iter().flat_map(|row| &row.figures);
        all.map(|(_, figures)| figures.failed).sum()
    }

    /// Tables in Markdown: the medians of all rounds.
    pub(crate) fn text(&self) -> String {
        let (mut text, mut title) = (String::new(), String::new());
        for row in &self.rows {
            let Cell {
                kind,
                transport,
                era,
                delay,
                ..
            } = &row.cell;
            let own = format!("{kind:?} over {}, {era:?}, {delay} ms", transport.name());
            if own != title {
                let _ = write!(text, "\n{own}\n\n{HEAD}\n");
                title = own;
            }
            let like = |server: &str| {
                let other = |other: &&Row| other.cell == row.cell && other.server == server;
                self.rows.iter().find(other).and_then(Row::speed)
            };
            let _ = writeln!(text, "{}", row.text(like));
        }
        self.buyers(&mut text);
        for Commits { buyers, each } in &self.commits {
            let _ = writeln!(
                text,
                "\n{each:.2} syncs for a purchase, {buyers} clients at once"
            );
        }
        text
    }

    /// Many buyers against one, in each era.
    fn buyers(&self, text: &mut String) {
        let purchases = || {
            self.rows
                .iter()
                .filter(|row| row.cell.kind == Kind::Purchases)
        };
        for one in purchases().filter(|row| row.cell.clients == 1) {
            for many in
                purchases().filter(|row| row.cell.era == one.cell.era && row.cell.clients > 1)
            {
                if let Some((one, many_of)) = one.speed().zip(many.speed()) {
                    let (clients, era, ratio) = (many.cell.clients, many.cell.era, many_of / one);
                    let _ = writeln!(
                        text,
                        "\nPurchases of {clients} accounts at once against one after another, {era:?}: {ratio:.2}x"
                    );
                }
            }
        }
    }

    /// All figures of each round.
    pub(crate) fn json(&self, options: &Options, bytes: usize) -> String {
        let rows = self.rows.iter().flat_map(|row| {
            row.figures.iter().map(|(round, figures)| {
                let Cell {
                    kind,
                    transport,
                    era,
                    clients,
                    delay,
                } = &row.cell;
                json!({
                    "server": row.server,
                    "kind": format!("{kind:?}").to_lowercase(),
                    "transport": transport.name(),
                    "era": format!("{era:?}").to_lowercase(),
                    "clients": clients,
                    "delayMs": delay,
                    "bytes": bytes,
                    "sessions": options.sessions,
                    "principals": row.cell.principals(options),
                    "round": round,
                    "figures": figures,
                })
            })
        });
        let rows: Vec<Value> = rows.collect();
        let report = json!({"rows": rows, "commits": self.commits, "set": options.set});
        format!("{report:#}\n")
    }
}
