//! Any file: a saved lab is read or refused.
#![no_main]

use clusterlab::lab::SavedLab;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(saved) = SavedLab::from_json(text) {
        assert_eq!(SavedLab::from_json(&saved.to_json()).unwrap(), saved);
    }
});
