//! XID numbers: what the driver's error reports mean, and what to do.
//!
//! The numbers are those of NVIDIA's "XID Errors" document (GPU deployment and management). Only the ones that
//! operators of data centre GPUs meet have words here; every other number is shown as it is.

use std::fmt;

/// The number of an error report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Xid(pub u64);

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XidClass {
    /// Most likely an error in the program that ran; the GPU is good.
    Application,
    /// A reset of the GPU (or a reboot) makes it good again.
    Reset,
    /// The hardware may have to be replaced.
    Hardware,
    /// A message; nothing is broken yet.
    Notice,
    /// Not in this program's list.
    Unknown,
}

/// Number, class, meaning.
const KNOWN: [(u64, XidClass, &str); 28] = [
    (8, XidClass::Application, "the GPU stopped working on a program's commands"),
    (13, XidClass::Application, "a kernel failed in the graphics engine, often an access out of bounds"),
    (31, XidClass::Application, "a kernel used an address that is not mapped"),
    (32, XidClass::Reset, "the GPU's command buffer was damaged"),
    (38, XidClass::Reset, "the firmware of the driver failed"),
    (43, XidClass::Application, "the GPU stopped a program's work after an error of that program"),
    (45, XidClass::Application, "a program ended and its work on the GPU was torn down"),
    (48, XidClass::Reset, "a double-bit ECC error: memory content was lost"),
    (61, XidClass::Reset, "the GPU's microcontroller halted at a breakpoint or warning"),
    (62, XidClass::Reset, "the GPU's microcontroller halted"),
    (63, XidClass::Notice, "a memory row was recorded for replacement (on older cards: a page was retired)"),
    (64, XidClass::Hardware, "recording a memory row for replacement failed"),
    (68, XidClass::Application, "the video decoder failed on its input"),
    (69, XidClass::Application, "a program used the graphics engine's classes wrongly"),
    (74, XidClass::Hardware, "an NVLink failed"),
    (79, XidClass::Hardware, "the GPU has fallen off the bus"),
    (92, XidClass::Hardware, "the rate of corrected ECC errors is high"),
    (94, XidClass::Application, "an ECC error hit one program only; the others go on"),
    (95, XidClass::Reset, "an ECC error could not be kept to one program"),
    (109, XidClass::Application, "switching from one program to another took too long"),
    (110, XidClass::Hardware, "a security fault"),
    (119, XidClass::Reset, "the GPU's system processor (GSP) did not answer in time"),
    (120, XidClass::Reset, "the GPU's system processor (GSP) failed"),
    (121, XidClass::Notice, "the chip-to-chip link corrected an error"),
    (136, XidClass::Reset, "training of a link failed"),
    (137, XidClass::Application, "an access over NVLink failed, often that of a program on another GPU"),
    (140, XidClass::Reset, "ECC errors that were not recovered were found"),
    (143, XidClass::Reset, "the GPU could not be initialised"),
];

impl Xid {
    fn known(self) -> Option<&'static (u64, XidClass, &'static str)> {
        KNOWN.iter().find(|(number, ..)| *number == self.0)
    }

    /// Who has to act.
    pub const fn class(self) -> XidClass {
        // A loop, because it has to be constant.
        let mut i = 0;
        while i < KNOWN.len() {
            if KNOWN[i].0 == self.0 {
                return KNOWN[i].1;
            }
            i += 1;
        }
        XidClass::Unknown
    }

    /// What happened.
    pub fn meaning(self) -> &'static str {
        self.known().map_or("not in this program's list; NVIDIA's list of XID errors has it", |row| row.2)
    }

    /// What to do.
    pub const fn advice(self) -> &'static str {
        match self.class() {
            XidClass::Application => "look at the program that ran; the GPU can be used further",
            XidClass::Reset => {
                "drain the node, reset the GPU or reboot; if it comes back, run dcgmi diag -r 3"
            }
            XidClass::Hardware => {
                "drain the node and reboot it; if it comes back, reseat the card and its cables or have it replaced"
            }
            XidClass::Notice => "nothing at once; reset the GPU when the node is free next",
            XidClass::Unknown => "look the number up in NVIDIA's list of XID errors",
        }
    }

    /// Whether NVIDIA's device plugin takes no notice, because an application's own error raises it
    /// (k8s-device-plugin, `health.go`). Every other XID makes it withdraw the GPU.
    pub const fn is_ignored_by_device_plugin(self) -> bool {
        matches!(self.0, 13 | 31 | 43 | 45 | 68 | 109)
    }

    /// The numbers that have words here, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        KNOWN.iter().map(|(number, ..)| Self(*number))
    }
}

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_ascending_and_what_the_device_plugin_ignores_is_the_applications() {
        assert!(KNOWN.is_sorted_by(|a, b| a.0 < b.0));
        for xid in (0..200).map(Xid).filter(|xid| xid.is_ignored_by_device_plugin()) {
            assert_eq!(xid.class(), XidClass::Application, "{xid}");
        }
        assert_eq!(Xid(79).class(), XidClass::Hardware);
        assert_eq!((Xid(7777).class(), Xid(7777).advice().is_empty()), (XidClass::Unknown, false));
    }
}
