//! What the tests that cross crates stand on.
//!
//! * [`console`]: a page's console blocks, and whether what a lab prints is what the page shows;
//! * [`browser`]: a real Chromium that loads the built site.

pub mod browser;
pub mod console;

/// Checks that a page of the book is what the code makes of it; with `CLUSTERLAB_UPDATE` set it is written first.
///
/// # Panics
///
/// The page differs; the message names `test`, which brings it up to date.
pub fn assert_page(page: &str, name: &str, test: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src").join(name);
    if std::env::var_os("CLUSTERLAB_UPDATE").is_some() {
        std::fs::write(&path, page).expect("a page that can be written");
    }
    let written = std::fs::read_to_string(&path).expect("a page");
    assert!(
        written == page,
        "{} is not what the code makes of it; CLUSTERLAB_UPDATE=1 cargo test -p clusterlab-tests --test {test} brings it \
         up to date",
        path.display()
    );
}
