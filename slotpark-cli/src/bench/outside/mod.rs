//! Engines that are programs in other languages.
//!
//! Their sources, in `outside/`, are part of this program, and are compiled at their first use with
//! what the machine has. Whatever is missing for that is the reason why the engine is skipped. How
//! they are asked and answer is said in `outside/README.md`.

mod compile;
mod process;
mod programs;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::request::{Answer, Request};
use super::shapes::Question;
use compile::{Built, Recipe};

pub(super) use programs::ENGINES;

/// What a sample may take beside the times of its request.
const PATIENCE: Duration = Duration::from_secs(20);

/// One sample by a program. `engine` is the argument that says which of its engines is asked, and
/// `answers` what that one may be asked; of that, the program itself skips what its language lacks.
fn sample(
    recipe: &Recipe,
    engine: &str,
    answers: &[Question],
    request: &Request,
) -> anyhow::Result<Answer> {
    let question = Question::of(&request.shape);
    if !answers.contains(&question) {
        return Ok(Answer::skipped(format!(
            "it has no {}",
            question.describe()
        )));
    }
    let Built { program, compiler } = match recipe.built() {
        Ok(built) => built,
        Err(reason) => return Ok(Answer::skipped(reason)),
    };
    let mut command = Command::new(program);
    command.arg(engine).args(arguments(request)?);
    let limit = request.warm_up() + request.window() + request.cut_off() + PATIENCE;
    let mut answer = ask(command, request, limit)?;
    if answer.skipped.is_none() {
        answer.notes.push(format!("built by {compiler}"));
    }
    Ok(answer)
}

/// The request as arguments `name=value`.
fn arguments(request: &Request) -> anyhow::Result<Vec<String>> {
    let mut arguments = Vec::new();
    flatten("request", &serde_json::to_value(request)?, &mut arguments);
    Ok(arguments)
}

/// A field of an object goes by its own name, but for `kind`, which says which object it is.
fn flatten(name: &str, value: &Value, arguments: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if field == "kind" { name } else { field };
                flatten(name, value, arguments);
            }
        }
        Value::Null => {}
        Value::String(text) => arguments.push(format!("{name}={text}")),
        other => arguments.push(format!("{name}={other}")),
    }
}

/// Runs a program and reads its answer. One that is still silent at the limit is ended, and hung.
fn ask(command: Command, request: &Request, limit: Duration) -> anyhow::Result<Answer> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        process::output(command, limit).with_context(|| format!("cannot run {program}"))?;
    let Some(output) = output else {
        let mut answer = Answer::hung(request);
        answer.notes.push(format!(
            "it did not answer within {} s",
            limit.as_secs_f32()
        ));
        return Ok(answer);
    };
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} ended with {}: {}",
        output.status,
        told.lines().next().unwrap_or("and said nothing")
    );
    let answer: Answer = serde_json::from_slice(&output.stdout).with_context(|| {
        let text = String::from_utf8_lossy(&output.stdout);
        format!("{program} gave no answer, but `{}`", text.trim_end())
    })?;
    ensure!(
        answer.skipped.is_some() || !answer.figures.is_empty(),
        "{program} gave an answer without figures"
    );
    Ok(answer)
}

#[cfg(test)]
mod tests;
