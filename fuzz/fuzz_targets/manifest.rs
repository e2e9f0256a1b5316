//! Any text: the manifest reader answers with objects or with mistakes that have a place.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for diagnostic in clusterlab::kube::manifest::diagnose(text) {
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1, "{diagnostic}");
    }
    for document in clusterlab::kube::manifest::parse(text).into_iter().flatten() {
        let _json = document.to_json();
    }
});
