//! What must hold whatever is typed.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::jsonpath::JsonPath;
use super::print::{Now, human_duration, pretty, yaml};
use super::{Context, KubeConfig, Kubectl, NoLogs};
use crate::kube::api::{ApiServer, Kind, WriteOptions};
use crate::kube::manifest;
use crate::process::files::Files;
use crate::process::{Io, Step};
use crate::sim::{Epoch, Seed, SimTime};

/// Text of the kind that YAML finds hard.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9:#\\-?,{}\\[\\]&*!|>'\"%@` ~=.+_\\\\/]{0,12}",
        "[ \\ta-z\\n:]{0,20}",
        "([a-z]{1,9} ){5,25}[a-z]{0,3}",
        proptest::sample::select(vec![
            "true",
            "No",
            "y",
            "null",
            "~",
            "0x1f",
            "012",
            "1e3",
            "1_000",
            ".5",
            "10:30",
            "2026-01-02",
            "<<",
            "-",
            "---",
            "",
            "\u{feff}x",
            "\u{85}",
            "é\u{2028}",
            "a\r\nb",
            "\n",
            " \n",
            "a\n\n",
            "\na",
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| text.chars().take(8).collect()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::String),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            // The reader takes a quoted `<<` for a merge key too.
            prop::collection::btree_map(text().prop_filter("merge", |key| key != "<<"), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Runs a command line in a small world until it ends or waits.
fn run(args: &[String], stdin: &str) -> (String, String, Option<u8>) {
    let mut api = ApiServer::new(Epoch::default(), Seed::new(7));
    let body = serde_json::json!({"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    api.create_json(Kind::Pod, "default", &body, &WriteOptions::default()).unwrap();
    let mut files = Files::new();
    files.put("/root/a.yaml", stdin.as_bytes().to_vec(), SimTime::ZERO).unwrap();
    let mut kubectl = Kubectl::new(args.iter().cloned());
    let (mut input, mut out, mut err) = (stdin.as_bytes().to_vec(), Vec::new(), Vec::new());
    let mut io = Io { stdin: &mut input, stdin_closed: true, stdout: &mut out, stderr: &mut err };
    let mut config = KubeConfig::default();
    let mut ctx = Context {
        api: &mut api,
        files: &mut files,
        cwd: "/root",
        config: &mut config,
        now: SimTime::from_secs(5),
        epoch: Epoch::default(),
        logs: &NoLogs,
    };
    let code = match kubectl.step(&mut ctx, &mut io) {
        Step::Exit(code) => Some(code),
        _ => None,
    };
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), code)
}

proptest! {
    #[test]
    fn printed_yaml_reads_back_as_the_same_value(map in prop::collection::btree_map("[a-z]{1,3}", value(), 1..4)) {
        let value = Value::Object(map.into_iter().collect::<Map<_, _>>());
        let text = yaml(&value);
        let read = manifest::parse_tree(&text).map(|tree| tree.to_json());
        prop_assert_eq!(read.as_ref().ok(), Some(&value), "{}", text);
    }

    #[test]
    fn printed_json_reads_back_as_the_same_value(value in value()) {
        prop_assert_eq!(serde_json::from_str::<Value>(&pretty(&value)).unwrap(), value);
    }

    #[test]
    fn any_template_is_an_answer_or_an_error(template in "[{}.\\[\\]()?@$*:,'\"a-c0-3=<>!\\\\ \\n-]{0,24}", data in value()) {
        if let Ok(path) = JsonPath::parse(&template) {
            let _ = path.print(&data);
        }
    }

    #[test]
    fn any_words_are_an_answer_or_an_error(
        command in proptest::sample::select(vec![
            "get", "describe", "apply", "create", "delete", "logs", "explain", "label", "annotate", "taint", "patch", "wait", "events",
            "run", "config", "version", "cordon", "api-resources", "help", "replace", "config set-context", "apply view-last-applied",
        ]),
        words in prop::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "pods", "pod", "p", "pod/p", "nodes", "all", "-A", "-o", "yaml", "json", "name", "-f", "-", "a.yaml", "-n", "x", "-l",
                    "a=b", "a-", "--all", "--", "-w", "--sort-by=.metadata.name", "--dry-run=client", "--for=delete", "k=v:NoSchedule",
                    "-p", "{}", "[]", "--type=json", "--image=x", "--current", "pod.spec", "--recursive", "--tail=1", "-ojsonpath={..a}",
                ]).prop_map(str::to_owned),
                text(),
            ],
            0..6,
        ),
        stdin in prop_oneof![text(), value().prop_map(|value| yaml(&value)), Just("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n".to_owned())],
    ) {
        let mut args: Vec<String> = command.split(' ').map(str::to_owned).collect();
        args.extend(words);
        let (_, err, code) = run(&args, &stdin);
        // A command that fails says why.
        prop_assert!(code != Some(1) || !err.is_empty(), "{:?}", args);
    }

    #[test]
    fn every_age_is_short(nanos in -10_i128..400_000_000_000_000_000) {
        prop_assert!(human_duration(nanos).len() <= 7);
        prop_assert_eq!(Now(0).since(None), "<unknown>");
    }
}
