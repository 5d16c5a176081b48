//! A Rust file as the rules see it: each line's code, its comment, and whether it is test code.

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// A line, taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) raw: String,
    /// Without comments, and with the contents of every literal left out.
    pub(crate) code: String,
    /// The text of comments, with their marks.
    pub(crate) comment: String,
    /// Stands in a test, benchmark or example, or under `#[cfg(test)]`.
    pub(crate) is_test: bool,
}

impl Line {
    /// Nothing but a comment stands here.
    pub(crate) fn is_comment(&self) -> bool {
        self.code.trim().is_empty() && !self.comment.is_empty()
    }
}

/// A word or a sign of the code.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Index into `lines`.
    pub(crate) line: usize,
    /// Where it begins in the text, in bytes.
    pub(crate) start: usize,
}

pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) tokens: Vec<Token>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let is_test = path
            .split('/')
            .any(|part| ["tests", "benches", "examples"].contains(&part));
        let line = |raw: &str| Line {
            raw: raw.into(),
            is_test,
            ..Line::default()
        };
        let mut source = Self {
            path: path.into(),
            lines: text.lines().map(line).collect(),
            tokens: Vec::new(),
        };
        source.take_apart(text);
        for (first, last) in test_items(&source.tokens) {
            for line in &mut source.lines[first..=last] {
                line.is_test = true;
            }
        }
        source
    }

    fn take_apart(&mut self, text: &str) {
        let mut line = 0;
        let mut rest = text;
        for token in tokenize(text, FrontmatterAllowed::No) {
            let start = text.len() - rest.len();
            let (piece, after) = rest.split_at(token.len as usize);
            rest = after;
            match token.kind {
                TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => {
                    for (offset, part) in piece.lines().enumerate() {
                        self.lines[line + offset].comment.push_str(part.trim());
                    }
                }
                TokenKind::Whitespace => {
                    // Only what separates words on one line matters.
                    if !piece.contains('\n') {
                        self.lines[line].code.push(' ');
                    }
                }
                TokenKind::Literal { .. } => self.lines[line].code.push_str("\"\""),
                _ => {
                    self.lines[line].code.push_str(piece);
                    self.tokens.push(Token {
                        text: piece.into(),
                        line,
                        start,
                    });
                }
            }
            line += piece.matches('\n').count();
        }
    }

    /// `#[cfg(test)] mod name;`: the module's path from the root, without its ending.
    pub(crate) fn test_modules_elsewhere(&self) -> Vec<String> {
        let stem = self.path.trim_end_matches(".rs");
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        let home = if ["lib", "main", "mod"].contains(&name) {
            folder
        } else {
            stem
        };
        self.tokens
            .windows(3)
            .filter(|found| found[0].text == "mod" && found[2].text == ";")
            .filter(|found| self.lines[found[0].line].is_test)
            .map(|found| format!("{home}/{}", found[1].text))
            .collect()
    }

    pub(crate) fn mark_as_test(&mut self) {
        for line in &mut self.lines {
            line.is_test = true;
        }
    }
}

/// The lines, first and last, of every item under an attribute `cfg(.. test ..)`.
fn test_items(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut items = Vec::new();
    let mut at = 0;
    while at + 1 < tokens.len() {
        if tokens[at].text != "#" || tokens[at + 1].text != "[" {
            at += 1;
            continue;
        }
        let end = closing(tokens, at + 1);
        let attribute: Vec<_> = tokens[at..=end]
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        let is_test = attribute.get(2) == Some(&"cfg")
            && attribute.contains(&"test")
            && !attribute.contains(&"not");
        if is_test {
            let last = end_of_item(tokens, end + 1);
            items.push((tokens[at].line, tokens[last].line));
            at = last;
        } else {
            at = end;
        }
        at += 1;
    }
    items
}

/// The token that ends the item starting at `from`: its `;`, or the brace that closes its body.
fn end_of_item(tokens: &[Token], from: usize) -> usize {
    let mut at = from;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at,
            "{" => return closing(tokens, at),
            "(" | "[" => at = closing(tokens, at),
            _ => {}
        }
        at += 1;
    }
    tokens.len() - 1
}

/// The token that closes the bracket at `open`; the last one where nothing does.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn code_comments_and_strings_are_told_apart() {
        let text = "let a = \"// no\"; // yes 'x'\n/* one\ntwo */ b('\"', r#\"\nc\"#, 'l: 1);\n";
        let source = Source::new("src/x.rs", text);
        assert_eq!(source.lines[0].code, "let a = \"\"; ");
        assert_eq!(source.lines[0].comment, "// yes 'x'");
        assert_eq!(source.lines[1].comment, "/* one");
        assert!(source.lines[1].is_comment() && !source.lines[2].is_comment());
        assert_eq!(source.lines[2].comment, "two */");
        assert_eq!(source.lines[2].code, " b(\"\", \"\"");
        assert_eq!(source.lines[3].code, ", 'l: \"\");");
        assert!(
            source
                .tokens
                .iter()
                .all(|token| token.text != "no" && token.text != "yes")
        );
    }

    #[test]
    fn test_items_are_test_code_and_others_are_not() {
        let text = "fn a() {}\n#[cfg(all(test, x))]\n#[rustfmt::skip]\nmod t {\n  fn b() {}\n}\n\
                    #[cfg(not(test))]\nfn c() {}\n#[cfg(test)]\nuse x;\nfn d() {}\n";
        let source = Source::new("a/src/x.rs", text);
        let tests: Vec<_> = source.lines.iter().map(|line| line.is_test).collect();
        let t = true;
        assert_eq!(tests, [!t, t, t, t, t, t, !t, !t, t, t, !t]);
        assert!(Source::new("a/tests/x.rs", "fn a() {}\n").lines[0].is_test);
    }
}
