//! The Korean book says everything that the English one says.

use std::path::Path;

use xtask_site::messages;

#[test]
fn every_message_of_the_book_is_translated_and_none_is_out_of_date() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book");
    let report = messages::compare(&book).unwrap();
    assert!(report.messages > 100, "the book has {} messages only", report.messages);
    assert!(
        report.is_complete(),
        "book/po/ko.po: {report}\n\
         `cargo run -p xtask-site -- messages --root .` brings it up to date; then translate what is missing"
    );
}
