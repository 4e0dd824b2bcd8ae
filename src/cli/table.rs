//! Tables as text: columns without lines between them.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

use super::terminal::HEADING;

/// Columns between two columns.
const GAP: u16 = 2;

/// A table with a line for each row. In a terminal, the last column is wrapped to its width.
pub(super) fn whole<T: Into<Vec<String>>>(
    headings: &[&str],
    rows: impl IntoIterator<Item = T>,
    width: Option<u16>,
) -> String {
    let rows = rows.into_iter().map(Into::into).collect();
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let mut table = table(&headings, rows, width);
    for column in table.column_iter_mut().rev().skip(1) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    print(&table)
}

/// The same with no more columns than fit beside each other, from the left; and whether some are left out.
pub(super) fn fitting(
    headings: &[String],
    rows: Vec<Vec<String>>,
    width: Option<u16>,
) -> (String, bool) {
    let mut table = table(headings, rows, width);
    let widths = table.column_max_content_widths();
    let (mut used, mut left_out) = (0, false);
    for (column, own) in table.column_iter_mut().zip(widths) {
        used += own + GAP;
        // The first always stays.
        if used > own + GAP && width.is_some_and(|width| used > width + GAP) {
            column.set_constraint(ColumnConstraint::Hidden);
            left_out = true;
        }
    }
    (print(&table), left_out)
}

fn table(headings: &[String], rows: Vec<Vec<String>>, width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings);
    table.add_rows(rows);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, GAP));
    });
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            // The last column's padding is not printed.
            table.set_width(width + GAP);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table
}

/// The lines of a table, the first one as a heading.
fn print(table: &Table) -> String {
    let mut lines = table.lines();
    let heading = lines.next().unwrap_or_default();
    let heading = format!("{HEADING}{}{HEADING:#}\n", heading.trim_end());
    let lines = lines.map(|line| format!("{}\n", line.trim_end()));
    std::iter::once(heading).chain(lines).collect()
}
