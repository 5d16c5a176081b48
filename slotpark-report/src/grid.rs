//! A table of texts, for documents and for pages.

/// A table: a line of names, and lines whose first cell names the line.
///
/// # Examples
///
/// ```
/// use slotpark_report::{Cell, Grid};
///
/// let mut grid = Grid::new(["key", "waits"]);
/// grid.push([Cell::plain("a|b"), Cell::bad("12")]);
/// assert_eq!(grid.to_markdown(), "| key | waits |\n|---|---|\n| a\\|b | 12 |\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// What each column shows.
    pub head: Vec<String>,
    /// As many cells each as the head has.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell of a [`Grid`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it shows, as it is: nothing in it is markup.
    pub text: String,
    /// How it is shown where there are colors.
    pub tone: Tone,
}

/// Whether a cell is good news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Neither.
    #[default]
    Plain,
    /// Good.
    Good,
    /// Bad.
    Bad,
}

impl Cell {
    /// A cell without a color.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::{Cell, Tone};
    ///
    /// assert_eq!(Cell::plain("12").tone, Tone::Plain);
    /// ```
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Plain,
        }
    }

    /// A cell with good news.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::{Cell, Tone};
    ///
    /// assert_eq!(Cell::good("met").tone, Tone::Good);
    /// ```
    #[must_use]
    pub fn good(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Good,
        }
    }

    /// A cell with bad news.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::{Cell, Tone};
    ///
    /// assert_eq!(Cell::bad("missed").tone, Tone::Bad);
    /// ```
    #[must_use]
    pub fn bad(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Bad,
        }
    }
}

impl Grid {
    /// A table without lines yet.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(slotpark_report::Grid::new(["a", "b"]).rows.is_empty());
    /// ```
    #[must_use]
    pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Self {
        Self {
            head: head.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a line.
    ///
    /// # Panics
    ///
    /// If it has not as many cells as the head.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::{Cell, Grid};
    ///
    /// let mut grid = Grid::new(["name"]);
    /// grid.push([Cell::plain("x")]);
    /// assert_eq!(grid.rows.len(), 1);
    /// ```
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        let row: Vec<Cell> = row.into_iter().collect();
        assert_eq!(
            row.len(),
            self.head.len(),
            "a line has a cell for each column"
        );
        self.rows.push(row);
    }

    /// The table as Markdown: nothing in a cell is taken for markup.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::Grid;
    ///
    /// assert_eq!(Grid::new(["a*b", "c"]).to_markdown(), "| a\\*b | c |\n|---|---|\n");
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.head.iter().map(|cell| escaped(cell)).collect());
        text += &format!("|{}\n", "---|".repeat(self.head.len()));
        for row in &self.rows {
            text += &line(row.iter().map(|cell| escaped(&cell.text)).collect());
        }
        text
    }
}

/// The text as Markdown that shows it as it is, on one line.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(symbol) = rest.next() {
        let is_inside = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
        match symbol {
            // Inside a word it marks nothing.
            '_' if is_inside(before) && is_inside(rest.peek().copied()) => escaped.push('_'),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '#' | '$' => {
                escaped.push('\\');
                escaped.push(symbol);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            _ if symbol.is_whitespace() => escaped.push(' '),
            _ => escaped.push(symbol),
        }
        before = Some(symbol);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(escaped("parking_lot_core"), "parking_lot_core");
        assert_eq!(escaped("_a_ *b* `c` [d]"), r"\_a\_ \*b\* \`c\` \[d\]");
        assert_eq!(escaped("a<b>&\"c\"\nd"), "a&lt;b&gt;&amp;\"c\" d");
    }
}
