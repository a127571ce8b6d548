use std::sync::Arc;

use super::*;
use crate::metrics::native::FamilySeries;
use crate::snapshot::MetricSnapshot;

fn entry(key: &str, value: Value) -> (String, Value) {
    (key.to_owned(), value)
}

fn family(kind: MetricKind, label_names: &[&str], series: &[(&[&str], Value)]) -> Family {
    let text = |text: &&str| (*text).to_owned();
    Family {
        kind,
        unit: String::new(),
        help: String::new(),
        label_names: label_names.iter().map(text).collect(),
        series: series
            .iter()
            .map(|(labels, value)| FamilySeries {
                labels: labels.iter().map(text).collect::<Arc<[String]>>(),
                value: value.clone(),
            })
            .collect(),
        overflow: None,
        overflow_events: 0,
        invalid_events: 0,
    }
}

fn native(name: &str, family: Family) -> (String, MetricSnapshot) {
    (
        name.to_owned(),
        MetricSnapshot {
            value: Value::Map(Vec::new()),
            family: Some(family),
        },
    )
}

fn tree(name: &str, entries: Vec<(String, Value)>) -> (String, MetricSnapshot) {
    (
        name.to_owned(),
        MetricSnapshot {
            value: Value::Map(entries),
            family: None,
        },
    )
}

fn with(metrics: Vec<(String, MetricSnapshot)>) -> Snapshot {
    Snapshot {
        entity_id: "r".to_owned(),
        name_space: String::new(),
        stats: Stats::default(),
        metrics,
    }
}

/// The text of these metrics without the recorder's own families.
fn shown(metrics: Vec<(String, MetricSnapshot)>) -> Vec<String> {
    let text = snapshot(&with(metrics));
    assert!(text.ends_with("\n# EOF\n"));
    let own =
        |line: &&str| !line.contains("mvx_recorder_") && !line.contains("mvx_metric_") && *line != "# EOF";
    text.lines().filter(own).map(str::to_owned).collect()
}

/// What a service might have, with much that is easily done wrong.
fn everything() -> Snapshot {
    let counter = MetricKind::Counter;
    let odd = "quote\" backslash\\ comma, brace} newline\nend é";
    let outcomes = Family {
        help: "Documents saved, by \"outcome\".\nSecond line \\ more.".to_owned(),
        overflow: Some(Value::U64(7)),
        overflow_events: 7,
        ..family(
            counter,
            &["outcome", "recorder"],
            &[(&["ok", "a"], Value::U64(u64::MAX)), (&[odd, ""], Value::U64(2))],
        )
    };
    let bytes = Family {
        unit: "bytes".to_owned(),
        help: "Bytes written.".to_owned(),
        invalid_events: 3,
        ..family(counter, &[], &[(&[], Value::F64(0.1 + 0.2))])
    };
    let temperature = Family {
        unit: "°C".to_owned(),
        ..family(
            MetricKind::Gauge,
            &["where"],
            &[
                (&["inside"], Value::F64(f64::NAN)),
                (&["outside"], Value::F64(f64::NEG_INFINITY)),
                (&["sun"], Value::F64(f64::INFINITY)),
                (&["rack"], Value::I64(-40)),
            ],
        )
    };
    let list = Value::List(vec![
        Value::Map(vec![
            entry("p50", Value::F64(1e-9)),
            entry("label", Value::Str("x".to_owned())),
        ]),
        Value::Map(vec![
            entry("p50", Value::F64(1e300)),
            entry("p99", Value::I64(i64::MIN)),
        ]),
    ]);
    Snapshot {
        entity_id: "document \"storage\"".to_owned(),
        name_space: "mvx".to_owned(),
        stats: Stats {
            accepted: 12,
            dispatched: 9,
            dropped: 1,
            refused: 2,
            discarded: 0,
            pending: 3,
            pending_max: 5,
            pending_bytes: 72,
            quarantined_metrics: 1,
            lag_ns: 1_500_000,
        },
        metrics: vec![
            native("document_storage.save.attempt", outcomes),
            tree(
                "latencies",
                vec![
                    entry("steps", list),
                    entry("healthy", Value::Bool(true)),
                    entry(
                        "matrix",
                        Value::List(vec![
                            Value::List(vec![Value::U64(1), Value::U64(2)]),
                            Value::U64(3),
                        ]),
                    ),
                    entry("note", Value::Str("left out".to_owned())),
                    entry("none", Value::Null),
                    entry("9 lives", Value::U64(9)),
                ],
            ),
            native("written_bytes_total", bytes),
            native("temperature", temperature),
            native("idle", family(MetricKind::Gauge, &[], &[(&[], Value::Null)])),
        ],
    }
}

#[test]
fn everything_is_as_in_the_golden_file() {
    let golden = include_str!("golden/everything.txt");
    let text = snapshot(&everything());
    assert!(
        text == golden,
        "the text is not that of the golden file, but:\n{text}"
    );
}

#[test]
fn a_recorder_without_metrics_shows_itself() {
    let text = snapshot(&with(Vec::new()));
    assert!(text.contains("\nmvx_recorder_events_accepted_total{recorder=\"r\"} 0\n"));
    assert!(
        text.contains("# TYPE mvx_recorder_lag_seconds gauge\n# UNIT mvx_recorder_lag_seconds seconds\n")
    );
    assert!(text.ends_with("\nmvx_recorder_lag_seconds{recorder=\"r\"} 0.0\n# EOF\n"));
}

#[test]
fn no_family_is_taken_for_another() {
    let counter = |value| family(MetricKind::Counter, &[], &[(&[], Value::U64(value))]);
    let gauge = |value| family(MetricKind::Gauge, &[], &[(&[], Value::U64(value))]);
    let clashing = with(vec![
        tree(
            "a",
            vec![entry("total", Value::U64(1)), entry("b", Value::U64(2))],
        ),
        native("a", counter(3)),
        native("a.b", gauge(4)),
        native("a_b", gauge(5)),
        native("a_b_created", gauge(6)),
        native("a_b_total", counter(7)),
        native("mvx_recorder.lag_seconds", gauge(8)),
        native("_total", counter(9)),
        native("total", counter(10)),
    ]);
    let golden = include_str!("golden/clashes.txt");
    let text = snapshot(&clashing);
    assert!(
        text == golden,
        "the text is not that of the golden file, but:\n{text}"
    );
    let samples: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("{recorder=\"r\"} "))
        .collect();
    assert_eq!(
        samples[samples.len() - 10..],
        [
            "a_total_2{recorder=\"r\"} 1",
            "a_b_4{recorder=\"r\"} 2",
            "a_total{recorder=\"r\"} 3",
            "a_b{recorder=\"r\"} 4",
            "a_b_2{recorder=\"r\"} 5",
            "a_b_created{recorder=\"r\"} 6",
            "a_b_3_total{recorder=\"r\"} 7",
            "mvx_recorder_lag_seconds_2{recorder=\"r\"} 8",
            "metric_total{recorder=\"r\"} 9",
            "total_total{recorder=\"r\"} 10",
        ]
    );
}

#[test]
fn keys_that_read_alike_stay_apart() {
    let inner = Value::Map(vec![entry("c", Value::U64(1))]);
    let lines = shown(vec![tree(
        "m",
        vec![
            entry("b", inner),
            entry("b_c", Value::U64(2)),
            entry("b.c", Value::U64(3)),
            entry("é", Value::Bool(false)),
        ],
    )]);
    let samples: Vec<&str> = lines
        .iter()
        .filter(|line| !line.starts_with('#'))
        .map(String::as_str)
        .collect();
    assert_eq!(
        samples,
        [
            "m_b_c{recorder=\"r\"} 1",
            "m_b_c_2{recorder=\"r\"} 2",
            "m_b_c_3{recorder=\"r\"} 3",
            "m__{recorder=\"r\"} 0",
        ]
    );
}

#[test]
fn a_unit_is_one_where_the_name_ends_in_it() {
    let with_unit = |unit: &str| Family {
        unit: unit.to_owned(),
        ..family(MetricKind::Gauge, &[], &[])
    };
    assert_eq!(
        shown(vec![native("x_seconds", with_unit("seconds"))]),
        ["# TYPE x_seconds gauge", "# UNIT x_seconds seconds"]
    );
    assert_eq!(
        shown(vec![native("seconds", with_unit("seconds"))]),
        ["# TYPE seconds gauge", "# HELP seconds [unit: seconds]"]
    );
    assert_eq!(
        shown(vec![native("x_", with_unit("/s"))]),
        ["# TYPE x_ gauge", "# HELP x_ [unit: /s]"]
    );
}

#[test]
fn names_and_labels_are_brought_into_form() {
    assert_eq!(sanitized("a.b:c-d é", "metric"), "a_b_c_d__");
    assert_eq!(sanitized("9a", "metric"), "metric_9a");
    assert_eq!(sanitized("__a", "label"), "label_a");
    assert_eq!(sanitized("é", "metric"), "metric_");
    assert_eq!(sanitized("", "metric"), "metric_");
    let fields = ["a.b", "a_b", "namespace", "exported_namespace", "1"].map(str::to_owned);
    assert_eq!(
        label_names(&fields),
        [
            "a_b",
            "a_b_2",
            "exported_namespace",
            "exported_namespace_2",
            "label_1"
        ]
    );
}

#[test]
fn groups_that_read_alike_are_told_apart() {
    let series: [(&[&str], Value); 3] = [
        (&["x", "y"], Value::U64(1)),
        (&["x", "y"], Value::U64(2)),
        (&["x", "y"], Value::U64(3)),
    ];
    assert_eq!(
        shown(vec![native("g", family(MetricKind::Gauge, &["a", "b"], &series))]),
        [
            "# TYPE g gauge",
            "g{recorder=\"r\",a=\"x\",b=\"y\"} 1",
            "g{recorder=\"r\",a=\"x\",b=\"y\",mvx_duplicate=\"2\"} 2",
            "g{recorder=\"r\",a=\"x\",b=\"y\",mvx_duplicate=\"3\"} 3",
        ]
    );
}
