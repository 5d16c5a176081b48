//! What a file may say is taken; what it may not is refused by a message that says where and why.

use super::*;

const RIGHT: &str = r#"
name = "mine"
title = "Mine"
about = "An operation is one call."
shape = "calls"
engines = ["slotpark", "futex"]

[parameters]
call = "wake_one"

[axis]
name = "keys"
parameter = "keys"
points = [64, 1, 4096]
quick = [64]

[[targets]]
to = ["futex"]
at = 64.0
ratio_max = 0.5
"#;

#[test]
fn a_right_file_is_taken_and_its_axis_is_in_order() {
    let file = Definition::parse("mine.toml", RIGHT).unwrap();
    assert_eq!(file.points(false), [Some(1.0), Some(64.0), Some(4096.0)]);
    assert_eq!(file.points(true), [Some(64.0)]);
    let Shape::Calls(calls) = file.shape_at(Some(4096.0)).unwrap() else {
        panic!("the shape is calls");
    };
    assert_eq!((calls.keys, calls.threads), (4096, 1));
    assert_eq!(file.rounds.pick(true), 3);
    assert_eq!(file.targets[0].metric, Metric::Time);
}

/// What a part of the file is replaced by, and what the error says beside the file's name.
const WRONG: [(&str, &str, &[&str]); 19] = [
    ("name = \"mine\"", "name", &["TOML"]),
    ("name = \"mine\"", "name = \"My work\"", &["`name`", "a-z"]),
    ("title = \"Mine\"\n", "", &["missing field `title`"]),
    (
        "title = \"Mine\"",
        "title = 7",
        &["`title`", "expected a string"],
    ),
    ("title", "tilte", &["tilte", "expected one of", "`title`"]),
    (
        "\"calls\"",
        "\"walls\"",
        &["`shape`", "walls", "round_trip"],
    ),
    (
        "\"futex\"]\n\n",
        "\"fotex\"]\n\n",
        &["`engines`", "fotex", "parking_lot_core"],
    ),
    (
        "\"futex\"]\n\n",
        "\"slotpark\"]\n\n",
        &["`engines`", "twice"],
    ),
    ("[\"slotpark\", \"futex\"]", "[]", &["`engines` is empty"]),
    (
        "\"wake_one\"",
        "\"wake_two\"",
        &["`parameters.call`", "wake_two", "wait_stale"],
    ),
    (
        "call = ",
        "stridd = 4\ncall = ",
        &["parameters.stridd", "`stride`"],
    ),
    (
        "call = ",
        "threads = 0\ncall = ",
        &["`parameters.threads` is 0", "1 to 4096"],
    ),
    (
        "call = ",
        "stride = \"a\"\ncall = ",
        &["`parameters.stride`", "string"],
    ),
    (
        "parameter = \"keys\"",
        "parameter = \"quays\"",
        &["quays", "`keys`"],
    ),
    (
        "points = [64,",
        "points = [\"a\",",
        &["`axis.points[0]`", "string"],
    ),
    ("quick = [64]", "quick = [0]", &["`parameters.keys` is 0"]),
    (
        "to = [\"futex\"]",
        "to = [\"moka\"]",
        &["`targets`", "moka", "none of `engines`"],
    ),
    (
        "at = 64.0",
        "at = 65.0",
        &["`targets`", "65", "`axis.points`"],
    ),
    (
        "[parameters]",
        "pace = { kind = \"open\", operations_per_second = 5, arrivals = \"even\" }\n[parameters]",
        &["`pace`", "round_trip"],
    ),
];

#[test]
fn a_wrong_file_is_refused_and_the_error_names_file_field_and_what_is_allowed() {
    for (right, wrong, says) in WRONG {
        assert!(RIGHT.contains(right), "{right} is there to be replaced");
        let text = RIGHT.replacen(right, wrong, 1);
        let error = Definition::parse("mine.toml", &text).expect_err(wrong);
        let message = format!("{error:#}");
        assert!(message.contains("mine.toml"), "{wrong}: {message}");
        for say in says {
            assert!(message.contains(say), "{wrong}: {say} is not in: {message}");
        }
    }
}

#[test]
fn latency_is_refused_where_nothing_records_it() {
    let text = RIGHT
        .replace("\"calls\"", "\"wake_all\"")
        .replace("call = \"wake_one\"", "waiters = 2")
        .replace("parameter = \"keys\"", "parameter = \"waiters\"")
        .replace("shape =", "latency = true\nshape =");
    let error = Definition::parse("mine.toml", &text).unwrap_err();
    let message = format!("{error:#}");
    assert!(
        message.contains("`latency`: the shape `wake_all`"),
        "{message}"
    );
}

#[test]
fn every_shape_is_found_by_the_name_that_requests_have() {
    for name in Shape::NAMES {
        let needed =
            "call = \"wake_one\"\nkeys = 2\nwaiters = 2\nnotifiers = 1\nthreads = 2\npermits = 1";
        let mut fields: toml::Table = toml::from_str(needed).unwrap();
        if name == "polled" {
            fields.insert("call".to_owned(), "drop".into());
        }
        // Of these fields it takes those that it has: the errors name one that it has not.
        let shape = loop {
            match shape(name, fields.clone()) {
                Ok(shape) => break shape,
                Err(error) => {
                    let message = error.to_string();
                    let unknown = message
                        .split('`')
                        .nth(1)
                        .and_then(|path| path.split('.').nth(1));
                    let unknown = unknown.unwrap_or_else(|| panic!("{name}: {message}"));
                    assert!(fields.remove(unknown).is_some(), "{name}: {message}");
                }
            }
        };
        let json = serde_json::to_value(&shape).unwrap();
        assert_eq!(json["shape"], name);
    }
}

#[test]
fn points_beyond_the_cores_are_left_out() {
    let text = RIGHT.replace("quick = [64]", "quick = [64]\nmax_per_core = 2");
    let file = Definition::parse("mine.toml", &text).unwrap();
    let most = 2.0 * threads::cores() as f64;
    assert!(
        file.points(false)
            .iter()
            .flatten()
            .all(|&point| point <= most)
    );
    assert_eq!(file.points(false)[0], Some(1.0));
}
