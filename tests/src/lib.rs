//! What the tests that cross crates stand on.
//!
//! * [`console`]: a page's console blocks, and whether what a lab prints is what the page shows;
//! * [`browser`]: a real Chromium that loads the built site.

pub mod browser;
pub mod console;
