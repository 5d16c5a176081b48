//! Colours, of the sixteen that a terminal chooses itself, or none where `NO_COLOR` is set.

use ratatui::style::{Color, Modifier, Style};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    has_colours: bool,
}

impl Theme {
    #[cfg(test)]
    pub(crate) const COLOURS: Self = Self { has_colours: true };

    /// As the environment asks (<https://no-color.org>).
    pub(crate) fn from_environment() -> Self {
        Self {
            has_colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    fn colour(self, colour: Color) -> Style {
        if self.has_colours {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }

    pub(crate) fn heat(self, level: usize) -> Style {
        match level {
            0 => self.dim(),
            1 => self.colour(Color::Blue),
            2 => self.colour(Color::Green),
            3 => self.colour(Color::Yellow),
            _ => self.colour(Color::Red),
        }
    }

    pub(crate) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn title(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(crate) fn bar(self) -> Style {
        self.colour(Color::Cyan)
    }

    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What needs somebody now.
    pub(crate) fn alarm(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(crate) fn good(self) -> Style {
        self.colour(Color::Green)
    }

    pub(crate) fn warning(self) -> Style {
        self.colour(Color::Yellow)
    }

    /// The name of a tab.
    pub(crate) fn tab(self, is_selected: bool, is_alarming: bool) -> Style {
        let style = if is_alarming && self.has_colours {
            Style::new().fg(Color::White).bg(Color::Red)
        } else if is_alarming {
            Style::new().add_modifier(Modifier::SLOW_BLINK)
        } else {
            Style::new()
        };
        if is_selected {
            style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else {
            style
        }
    }
}
