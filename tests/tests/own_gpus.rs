//! The chapter "Your own GPUs" says of every XID what the program says.

use std::path::Path;

use clusterlab::hardware::source::Xid;

#[test]
fn the_chapter_has_every_xid_that_the_program_knows_with_its_meaning() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/your-own-gpus.md");
    let text = std::fs::read_to_string(page).unwrap();
    for xid in Xid::all() {
        let mut meaning = xid.meaning().to_owned();
        meaning[..1].make_ascii_uppercase();
        assert!(text.contains(&format!("| {xid} | {meaning} | ")), "XID {xid}: {meaning}");
    }
}

#[test]
fn the_dashboard_asks_only_for_metrics_that_the_exporter_has() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nvml-backend/grafana-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut asked = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            let names = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for name in names.filter(|name| name.starts_with("DCGM_")) {
                asked += 1;
                assert!(clusterlab::telemetry::dcgm::field_names().any(|field| field == name), "{name}");
            }
        }
    }
    assert!(asked >= 10, "{asked}");
}
