//! Pages that are wrong must fail, each for what is wrong with it. Without a browser they cannot be
//! looked at, and the tests say so.

use std::fs;
use std::path::PathBuf;

use super::{NOTHING, Shown, look, program};
use crate::repo::Repo;

/// What is found in a page; `None` where there is no browser.
fn found(name: &str, page: &str) -> Option<Vec<String>> {
    found_if(name, page, NOTHING)
}

/// As `found`, in a page that must show something.
fn found_if(name: &str, page: &str, shown: Shown) -> Option<Vec<String>> {
    let repo = Repo::here();
    let folder = folder(&repo, name);
    let Some(program) = program(&repo) else {
        eprintln!("skipped: no browser is installed");
        return None;
    };
    let file = folder.join(format!("{name}.html"));
    fs::write(&file, page).expect("the folder was made");
    Some(look(program, (&file, shown), &folder).expect("the browser works"))
}

fn folder(repo: &Repo, name: &str) -> PathBuf {
    let folder = repo.target().join("browser/tests").join(name);
    fs::create_dir_all(&folder).expect("the build directory can be written");
    folder
}

/// A page with this in it, as wide as the window.
fn page(inside: &str) -> String {
    let head = "<!DOCTYPE html><meta name=viewport content=width=device-width>";
    format!("{head}<p>x{inside}")
}

/// Found in each of the four views, and nothing else.
fn assert_found(name: &str, page: &str, text: &str) {
    let Some(found) = found(name, page) else {
        return;
    };
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(
        found.iter().all(|finding| finding.contains(text)),
        "{found:?}"
    );
}

#[test]
fn a_good_page_passes_and_its_pictures_are_kept() {
    let page = "<!DOCTYPE html><title>t</title><meta name=viewport content=width=device-width>\
                <p>hello<script>console.log('fine')</script>";
    let Some(found) = found("good", page) else {
        return;
    };
    assert_eq!(found, [""; 0]);
    for view in ["desktop-light", "desktop-dark", "phone-light", "phone-dark"] {
        let picture = folder(&Repo::here(), "good").join(format!("good-{view}-1.png"));
        let bytes = fs::read(picture).expect("a picture is kept");
        assert!(bytes.starts_with(b"\x89PNG"));
    }
}

#[test]
fn errors_on_the_console_are_found() {
    let page = page("<script>console.error('it is', 'broken')</script>");
    assert_found("console", &page, "console.error: it is broken");
}

#[test]
fn exceptions_are_found() {
    let page = page("<script>nothing.at.all()</script>");
    assert_found(
        "exception",
        &page,
        "exception: ReferenceError: nothing is not defined",
    );
}

#[test]
fn requests_to_the_network_are_found() {
    let page = page("<img alt=y src='http://example.invalid/a.png'>");
    let Some(found) = found("request", &page) else {
        return;
    };
    let requests = found
        .iter()
        .filter(|finding| finding.contains("http://example.invalid/a.png"));
    assert_eq!(requests.count(), 4, "{found:?}");
}

#[test]
fn a_page_wider_than_the_phone_is_found() {
    let page = "<!DOCTYPE html><meta name=viewport content=width=device-width>\
                <body style='margin: 0'><div style='width: 700px'>x</div>";
    let Some(found) = found("wide", page) else {
        return;
    };
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|finding| finding.contains("phone") && finding.contains("700 px"))
    );
}

#[test]
fn what_is_not_shown_is_found() {
    let page = page("<b>who</b> waits<i hidden>for whom</i>");
    let shown = |texts, marks| Shown { texts, marks };
    let Some(fine) = found_if("shown", &page, shown(&["who waits"], &[("p b", 1)])) else {
        return;
    };
    assert_eq!(fine, [""; 0]);
    let found = found_if("hidden", &page, shown(&["for whom"], &[("p b", 2)]));
    let found = found.expect("there is a browser");
    assert_eq!(found.len(), 8, "{found:?}");
    let says = |text| {
        found
            .iter()
            .filter(|finding| finding.contains(text))
            .count()
    };
    assert_eq!(says("does not say `for whom`"), 4, "{found:?}");
    assert_eq!(says("1 times `p b`, not 2 times"), 4, "{found:?}");
}
