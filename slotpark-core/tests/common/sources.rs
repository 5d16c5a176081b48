//! The public functions of a crate, read from its sources: what a list of names is held against.

use std::collections::BTreeSet;
use std::path::Path;

/// Every `pub fn` under `src`, as `file::name` with the file's path below `src`.
pub(crate) fn public_functions(src: &Path) -> BTreeSet<String> {
    let mut functions = BTreeSet::new();
    read_folder(src, "", &mut functions);
    functions
}

fn read_folder(folder: &Path, prefix: &str, functions: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry of a folder").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let name = format!("{prefix}{}", stem.expect("a name in ASCII"));
        if path.is_dir() {
            read_folder(&path, &format!("{name}/"), functions);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file of source");
        let public = text.lines().filter_map(public_function);
        functions.extend(public.map(|function| format!("{name}::{function}")));
    }
}

/// The name, if this line begins a public function.
fn public_function(line: &str) -> Option<&str> {
    let mut rest = line.trim_start().strip_prefix("pub ")?;
    for word in ["const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}
