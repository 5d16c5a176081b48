//! `browser`: pages looked at in a real browser without a window, as on a desktop and on a phone,
//! light and dark. Errors on the console, exceptions, requests to the network, a page wider than
//! the window and one that does not show what it is for fail; pictures are kept under
//! `target/browser/`.

mod cdp;
mod inspected;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use slotpark_report::Report;

use self::cdp::Browser;
use crate::repo::{Repo, output};
use crate::step::{Outcome, Step};

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Pages of HTML, or reports as JSON; without any, the sample of the tests, and the page of a
    /// process that hangs.
    files: Vec<PathBuf>,
}

/// What a browser is called.
const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// A report with everything that a report can have.
const SAMPLE: &str = "slotpark-report/tests/reports/sample.json";

/// A higher picture is kept in pieces: the browser draws no endless ones.
const PIECE_PX: f64 = 1600.0;

/// A window.
struct View {
    name: &'static str,
    width: u32,
    height: u32,
    is_phone: bool,
}

const VIEWS: [View; 2] = [
    View {
        name: "desktop",
        width: 1280,
        height: 900,
        is_phone: false,
    },
    View {
        name: "phone",
        width: 390,
        height: 844,
        is_phone: true,
    },
];

pub(crate) fn steps(args: Args) -> Vec<Step> {
    // Named from where the command was called; programs run at the root.
    let here = env::current_dir().unwrap_or_default();
    let files: Vec<PathBuf> = args.files.iter().map(|file| here.join(file)).collect();
    if !files.is_empty() {
        return vec![step("browser", move |_, folder| {
            let page = |file: &PathBuf| Ok((page_of(file, folder)?, NOTHING));
            files.iter().map(page).collect()
        })];
    }
    vec![
        step("browser: a report", |repo, folder| {
            Ok(vec![(page_of(&repo.root().join(SAMPLE), folder)?, NOTHING)])
        }),
        step("browser: a process that hangs", |repo, folder| {
            Ok(vec![(inspected::page(repo, folder)?, inspected::SHOWN)])
        }),
    ]
}

/// What a page must show.
#[derive(Clone, Copy, Debug)]
struct Shown {
    /// Texts that can be read in it.
    texts: &'static [&'static str],
    /// Selectors, and how many elements each finds.
    marks: &'static [(&'static str, usize)],
}

const NOTHING: Shown = Shown {
    texts: &[],
    marks: &[],
};

/// Looks at the pages that `pages` makes, where there is a browser.
fn step(
    name: &str,
    pages: impl Fn(&Repo, &Path) -> Result<Vec<(PathBuf, Shown)>> + 'static,
) -> Step {
    Step::new(name, move |repo| {
        let Some(program) = program(repo) else {
            return Ok(Outcome::Skipped(format!("no {} is installed", PROGRAMS[0])));
        };
        let folder = repo.target().join("browser");
        fs::create_dir_all(&folder)?;
        let mut found = Vec::new();
        for (page, shown) in pages(repo, &folder)? {
            found.extend(look(program, (&page, shown), &folder)?);
        }
        for finding in &found {
            eprintln!("error: {finding}");
        }
        if !found.is_empty() {
            bail!("{} things that a reader would not want", found.len());
        }
        Ok(Outcome::Done)
    })
}

/// The browser that is installed here.
fn program(repo: &Repo) -> Option<&'static str> {
    let is_here = |program: &&&str| output(&mut repo.command(program, &["--version"])).is_ok();
    PROGRAMS.iter().find(is_here).copied()
}

/// The page to look at: the file itself, or what a report is shown as.
fn page_of(file: &Path, folder: &Path) -> Result<PathBuf> {
    if file.extension().is_none_or(|ending| ending != "json") {
        return Ok(file.to_path_buf());
    }
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let report = Report::from_json(&text).with_context(|| file.display().to_string())?;
    let page = folder.join(file.with_extension("html").file_name().unwrap_or_default());
    fs::write(&page, slotpark_report::html(&report))?;
    Ok(page)
}

/// Looks at the page in every view, keeps the pictures in `folder`, and says what is wrong.
fn look(program: &str, (page, shown): (&Path, Shown), folder: &Path) -> Result<Vec<String>> {
    let page = page
        .canonicalize()
        .with_context(|| page.display().to_string())?;
    let stem = page
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let profile = folder.join(format!("profile-{}-{stem}", std::process::id()));
    let mut browser = Browser::start(program, &profile)?;
    let mut found = Vec::new();
    for view in &VIEWS {
        for scheme in ["light", "dark"] {
            let name = format!("{stem}-{}-{scheme}", view.name);
            show(&mut browser, &page, view, scheme)?;
            let width = text_of(&mut browser, "String(document.documentElement.scrollWidth)")?;
            keep_pictures(&mut browser, &folder.join(&name), view)?;
            let mut complaints = complaints(&browser.take_events());
            if width.parse().is_ok_and(|width: u32| width > view.width) {
                complaints.push(format!("{width} px wide in a window of {}", view.width));
            }
            complaints.extend(missing(&mut browser, shown)?);
            found.extend(
                complaints
                    .into_iter()
                    .map(|complaint| format!("{name}: {complaint}")),
            );
        }
    }
    Ok(found)
}

/// What the page should show, and does not.
fn missing(browser: &mut Browser, shown: Shown) -> Result<Vec<String>> {
    let text = text_of(browser, "document.body.innerText")?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let texts = shown.texts.iter().filter(|one| !text.contains(one.trim()));
    let mut missing: Vec<_> = texts.map(|one| format!("does not say `{one}`")).collect();
    for (mark, count) in shown.marks {
        let script = format!("String(document.querySelectorAll({}).length)", json!(mark));
        let found = text_of(browser, &script)?;
        if found != count.to_string() {
            missing.push(format!("{found} times `{mark}`, not {count} times"));
        }
    }
    Ok(missing)
}

/// Loads the page and waits until it is drawn.
fn show(browser: &mut Browser, page: &Path, view: &View, scheme: &str) -> Result<()> {
    let metrics = json!({
        "width": view.width,
        "height": view.height,
        "deviceScaleFactor": if view.is_phone { 2 } else { 1 },
        "mobile": view.is_phone,
    });
    browser.call("Emulation.setDeviceMetricsOverride", metrics)?;
    let scheme = json!([{"name": "prefers-color-scheme", "value": scheme}]);
    browser.call("Emulation.setEmulatedMedia", json!({"features": scheme}))?;
    let url = format!("file://{}", page.display());
    browser.call("Page.navigate", json!({"url": url}))?;
    browser.wait_for("Page.loadEventFired")?;
    // Two frames later everything that the page does at its start has been done.
    let drawn = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(\
                 () => done('drawn'))))";
    text_of(browser, drawn)?;
    Ok(())
}

/// What a piece of script results in.
fn text_of(browser: &mut Browser, script: &str) -> Result<String> {
    let call = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
    let result = browser.call("Runtime.evaluate", call)?;
    let text = result["result"]["value"].as_str();
    Ok(text
        .with_context(|| format!("`{script}`: {result}"))?
        .to_owned())
}

fn keep_pictures(browser: &mut Browser, stem: &Path, view: &View) -> Result<()> {
    let metrics = browser.call("Page.getLayoutMetrics", json!({}))?;
    let height = metrics["cssContentSize"]["height"]
        .as_f64()
        .context("a page has a height")?;
    let pieces = (height / PIECE_PX).ceil().max(1.0) as u32;
    // Those of a page that was longer are not of this one.
    let kept = |piece: u32| PathBuf::from(format!("{}-{piece}.png", stem.display()));
    for old in (pieces + 1..).map(kept).take_while(|old| old.exists()) {
        fs::remove_file(old)?;
    }
    for piece in 0..pieces {
        let top = f64::from(piece) * PIECE_PX;
        let clip = json!({
            "x": 0, "y": top, "width": view.width, "height": (height - top).min(PIECE_PX),
            "scale": 1,
        });
        let shot = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let shot = browser.call("Page.captureScreenshot", shot)?;
        let data = shot["data"].as_str().context("a picture is data")?;
        let path = kept(piece + 1);
        fs::write(&path, BASE64_STANDARD.decode(data)?)
            .with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// What the events of a page tell that should not be.
fn complaints(events: &[Value]) -> Vec<String> {
    events.iter().filter_map(complaint).collect()
}

fn complaint(event: &Value) -> Option<String> {
    let told = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => {
            let details = &told["exceptionDetails"];
            let text = details["exception"]["description"]
                .as_str()
                .or(details["text"].as_str());
            Some(format!("exception: {}", text.unwrap_or_default()))
        }
        "Runtime.consoleAPICalled" => {
            let kind = told["type"].as_str()?;
            let said = || told["args"].as_array().into_iter().flatten().map(said);
            ["error", "assert"]
                .contains(&kind)
                .then(|| format!("console.{kind}: {}", said().collect::<Vec<_>>().join(" ")))
        }
        "Log.entryAdded" => {
            let entry = &told["entry"];
            (entry["level"] == "error")
                .then(|| format!("error: {}", entry["text"].as_str().unwrap_or_default()))
        }
        "Network.requestWillBeSent" => {
            let url = told["request"]["url"].as_str()?;
            let is_here = ["file:", "data:", "about:", "blob:"]
                .iter()
                .any(|scheme| url.starts_with(scheme));
            (!is_here).then(|| format!("request to the network: {url}"))
        }
        _ => None,
    }
}

/// An argument of a call of the console, as text.
fn said(argument: &Value) -> String {
    let text = argument["value"]
        .as_str()
        .or(argument["description"].as_str());
    text.map_or_else(|| argument["value"].to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
