//! What is no report is refused, and says why.

mod common;

use common::sample;
use serde_json::Value;
use slotpark_report::{ReadError, Report};

fn error(text: &str) -> String {
    Report::from_json(text)
        .expect_err("this is no report")
        .to_string()
}

#[test]
fn a_report_comes_back_as_it_was() {
    let report = sample();
    let again = Report::from_json(&report.to_json()).expect("what was written is read");
    assert_eq!(again.to_json(), report.to_json());
}

#[test]
fn what_is_no_report_says_why() {
    assert!(error("{").starts_with("not JSON: EOF"), "{}", error("{"));
    assert!(matches!(Report::from_json("[]"), Err(ReadError::NoSchema)));
    assert!(matches!(
        Report::from_json(r#"{"schema": "1"}"#),
        Err(ReadError::NoSchema)
    ));
    assert_eq!(
        error(r#"{"schema": 2}"#),
        "a report of schema 2; this reader knows schema 1"
    );
}

#[test]
fn a_missing_field_is_named_with_its_place() {
    let mut value: Value = serde_json::from_str(&sample().to_json()).expect("JSON");
    let point = &mut value["workloads"][1]["series"][0]["points"][0];
    point.as_object_mut().expect("a point").remove("rounds");
    let said = error(&value.to_string());
    let at = "at `workloads[1].series[0].points[0]`: missing field `rounds`";
    assert!(said.starts_with(at), "{said}");
}

#[test]
fn fields_of_a_younger_program_are_passed_over() {
    let mut value: Value = serde_json::from_str(&sample().to_json()).expect("JSON");
    value["machine"]["mood"] = Value::from("good");
    assert!(Report::from_json(&value.to_string()).is_ok());
}
