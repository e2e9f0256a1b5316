use super::*;
use serde_json::json;

fn data() -> Value {
    json!({
        "kind": "List",
        "items": [
            {"kind": "Node", "metadata": {"name": "n1", "labels": {"kubernetes.io/hostname": "n1"}}, "n": 1},
            {"kind": "Node", "metadata": {"name": "n2"}, "n": 2},
            {"kind": "Pod", "metadata": {"name": "p"}, "n": 3, "ok": true}
        ],
        "empty": [],
        "none": null
    })
}

fn check(template: &str, expect: &str) {
    let answer = JsonPath::parse(template).and_then(|path| path.print(&data()));
    let text = answer.unwrap_or_else(|error| format!("! {error}"));
    assert_eq!(text, expect, "{template}");
}

#[test]
fn fields_lists_and_text() {
    check("{.kind}", "List");
    check("{$.kind}: {.items[0].metadata.name}{\"\\n\"}", "List: n1\n");
    check("plain", "plain");
    check("{.items[*].metadata.name}", "n1 n2 p");
    check("{.items[0].metadata.labels.kubernetes\\.io/hostname}", "n1");
    check("{.items[0]['kind']}", "Node");
    check("{.nosuch.deeper}", "");
    check("{.items[0].metadata}", r#"{"labels":{"kubernetes.io/hostname":"n1"},"name":"n1"}"#);
    check("{'single\\n'}", "single\n");
}

#[test]
fn indices_slices_and_unions() {
    check("{.items[-1].metadata.name}", "p");
    check("{.items[0:2].n}", "1 2");
    check("{.items[::2].n}", "1 3");
    check("{.items[-2:].n}", "2 3");
    check("{.items[0,2].n}", "1 3");
    check("{.items[0]['kind','n']}", "Node 1");
    check("{.items[7].n}", "! array index out of bounds: index 7, length 3");
    check("{.items[1:9].n}", "! array index out of bounds: index 8, length 3");
    check("{.items[2:1].n}", "! starting index 2 is greater than ending index 1");
    check("{.kind[0]}", "! string is not array or slice");
    check("{.items.n[0]}", "");
}

#[test]
fn filters() {
    check("{.items[?(@.kind==\"Node\")].metadata.name}", "n1 n2");
    check("{.items[?(@.kind!='Node')].metadata.name}", "p");
    check("{.items[?(@.n>=2)].metadata.name}", "n2 p");
    check("{.items[?(@.ok)].metadata.name}", "p");
    check("{.items[?(@.ok==true)].metadata.name}", "p");
    check("{.items[?(@.metadata.labels.kubernetes\\.io/hostname=='n1')].n}", "1");
    check("{.items[?(@.n=='x')].n}", "! incompatible types for comparison");
}

#[test]
fn descent_and_wildcards() {
    check("{..name}", "n1 n2 p");
    check("{.items[0].metadata.*}", r#"{"kubernetes.io/hostname":"n1"} n1"#);
}

#[test]
fn ranges_nest_and_may_be_empty() {
    check("{range .items[*]}{.metadata.name}={.n}{\"\\n\"}{end}!", "n1=1\nn2=2\np=3\n!");
    check("{range .empty[*]}{.x}{end}done", "done");
    check("{range .items[*]}{range .metadata}<{.name}>{end};{end}", "<n1>;<n2>;<p>;");
    check("{end}", "! not in range, nothing to end");
    check("{foo}", "! unrecognized identifier foo");
}

#[test]
fn errors_of_the_parser() {
    check("{.items[0", "! unterminated array");
    check("{.items", "! unclosed action");
    check("{.items[?(@.a==1}", "! unterminated filter");
    check("{.items[x]}", "! invalid array index x");
    check("{\"abc}", "! unterminated quoted string");
    check("{....a}", "! invalid multiple recursive descent");
    check("{#}", "! unrecognized character in action: U+0023 '#'");
}

#[test]
fn relaxed_paths() {
    for path in ["metadata.name", ".metadata.name", "{metadata.name}", "{.metadata.name}"] {
        assert_eq!(relaxed(path).as_deref(), Ok("{.metadata.name}"));
    }
    assert!(relaxed("{a}{b}").is_err());
}

#[test]
fn results_as_json() {
    let path = JsonPath::parse("{.items[0].n}").unwrap();
    assert_eq!(path.print_json(&data()).unwrap(), "[\n    1\n]\n");
}
