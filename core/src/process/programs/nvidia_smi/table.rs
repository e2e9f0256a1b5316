//! The summary: the table that everybody knows.

use std::fmt::Write as _;

use super::{Answer, View};
use crate::hardware::{Driver, Gpu};
use crate::order::InOrder;

/// What differs between driver branches.
struct Frame {
    /// Width of the second column, without its borders.
    bus: usize,
    /// Blanks between the second column's border and the bus id.
    bus_indent: usize,
    /// Widths of power, power limit, used and total memory.
    power: (usize, usize),
    memory: (usize, usize),
    /// Widths of driver and CUDA version in the first line.
    driver: usize,
    /// The first character of the line under the versions.
    corner: char,
}

impl Frame {
    /// 535 and older are two columns narrower than 550; 580 draws one corner anew.
    fn of(driver: &Driver) -> Self {
        let major: u32 = driver.version.split('.').next().and_then(|m| m.parse().ok()).unwrap_or(550);
        if major < 545 {
            Self { bus: 22, bus_indent: 1, power: (17, 4), memory: (10, 8), driver: 12, corner: '|' }
        } else {
            let corner = if major < 580 { '|' } else { '+' };
            Self { bus: 24, bus_indent: 3, power: (16, 5), memory: (11, 9), driver: 14, corner }
        }
    }

    /// Columns between the outer borders.
    fn inner(&self) -> usize {
        41 + 1 + self.bus + 1 + 22
    }

    /// A line of the frame: `fill` everywhere, `cross` between the columns.
    fn rule(&self, ends: (char, char), fill: char, cross: char) -> String {
        let columns = [41, self.bus, 22].map(|width| fill.to_string().repeat(width));
        format!("{}{}{}\n", ends.0, columns.join(&cross.to_string()), ends.1)
    }

    /// A line of three cells.
    fn row(&self, cells: [&str; 3]) -> String {
        format!("|{:<41}|{:<width$}|{:<22}|\n", cells[0], cells[1], cells[2], width = self.bus)
    }

    /// A line of one cell over the whole width.
    fn wide(&self, text: &str) -> String {
        format!("|{text:<width$}|\n", width = self.inner())
    }

    fn edge(&self) -> String {
        format!("+{}+\n", "-".repeat(self.inner()))
    }
}

/// Prints the table for the chosen GPUs.
pub(super) fn print(view: &View<'_>, driver: &Driver, gpus: &[(usize, &Gpu)]) -> Answer {
    let frame = Frame::of(driver);
    let mut text = format!("{}       \n", view.wall.strftime("%a %b %e %H:%M:%S %Y"));
    text += &frame.edge();
    text += &frame.wide(&format!(
        " NVIDIA-SMI {:<22} Driver Version: {:<width$} CUDA Version: {:<9}",
        driver.version,
        driver.version,
        driver.cuda,
        width = frame.driver
    ));
    text += &frame.rule((frame.corner, '+'), '-', '+');
    text += &frame.row([
        " GPU  Name                 Persistence-M ",
        &format!(" {:<bus$} Disp.A ", "Bus-Id", bus = frame.bus - 9),
        " Volatile Uncorr. ECC ",
    ]);
    text += &frame.row([
        " Fan  Temp   Perf          Pwr:Usage/Cap ",
        &format!("{:>width$} ", "Memory-Usage", width = frame.bus - 1),
        " GPU-Util  Compute M. ",
    ]);
    text += &frame.row(["", "", &format!("{:>21} ", "MIG M.")]);
    text += &frame.rule(('|', '|'), '=', '+');
    for (index, gpu) in gpus {
        text += &rows(&frame, view, *index, gpu);
        text += &frame.rule(('+', '+'), '-', '+');
    }
    if gpus.iter().any(|(_, gpu)| gpu.mig_enabled) {
        text += &mig_devices(&frame);
    }
    let _ = writeln!(text, "{}", " ".repeat(frame.inner() + if frame.bus == 24 { 0 } else { 2 }));
    let lost = processes(&frame, view, gpus, &mut text);
    Answer { text, code: if lost { 15 } else { 0 } }
}

/// The three lines of one GPU.
fn rows(frame: &Frame, view: &View<'_>, index: usize, gpu: &Gpu) -> String {
    let spec = &gpu.spec;
    let lost = gpu.is_lost();
    let or_err = |text: String| if lost { "ERR!".to_owned() } else { text };
    let ecc = match () {
        () if lost => "ERR!".to_owned(),
        // On a MIG GPU the counters belong to the instances.
        () if gpu.mig_enabled => "On".to_owned(),
        () if !spec.ecc => "N/A".to_owned(),
        () => gpu.ecc().uncorrected.to_string(),
    };
    let mut text = frame.row([
        &format!(" {index:>3}  {:<30.30} On  ", spec.name),
        &format!("{:indent$}{} Off ", "", gpu.pci, indent = frame.bus_indent),
        &format!("{ecc:>21} "),
    ]);
    let memory = if lost {
        " GPU is lost".to_owned()
    } else {
        let (used, total) = frame.memory;
        let (used_mib, total_mib) = (format!("{}MiB", gpu.used_mib()), format!("{}MiB", spec.memory_mib));
        format!("{used_mib:>used$} / {total_mib:>total$} ")
    };
    let (draw, limit) = frame.power;
    text += &frame.row([
        &format!(
            " N/A{:>6}{:>6}{:>draw$} / {:>limit$} ",
            or_err(format!("{}C", gpu.celsius(view.now))),
            gpu.pstate().to_string(),
            or_err(format!("{}W", gpu.power_mw() / 1000)),
            format!("{}W", spec.tdp_w),
        ),
        &memory,
        &format!("{:>8}      Default ", or_err(format!("{}%", gpu.utilization_percent()))),
    ]);
    let mig = match (spec.mig_capable, gpu.mig_enabled) {
        (false, _) => "N/A",
        (true, false) => "Disabled",
        (true, true) => "Enabled",
    };
    text += &frame.row(["", "", &format!("{mig:>21} ")]);
    text
}

/// The MIG table. Instances come with the MIG state machine; without one it says so.
fn mig_devices(frame: &Frame) -> String {
    // The first column takes up what is left of a narrower frame.
    let usage = frame.inner() - 18 - 11 - 23 - 3;
    let row = |cells: [&str; 4]| {
        format!("|{:<18}|{:>usage$}|{:>11}|{:<23}|\n", cells[0], cells[1], cells[2], cells[3])
    };
    let rule = |fill: &str, end: char| {
        let columns = [18, usage, 11, 23].map(|width| fill.repeat(width));
        format!("{end}{}{end}\n", columns.join("+"))
    };
    let mut text = format!("\n{}{}", frame.edge(), frame.wide(" MIG devices:"));
    text += &rule("-", '+');
    text += &row([" GPU  GI  CI  MIG ", "Memory-Usage ", "Vol", "      Shared"]);
    text += &row(["      ID  ID  Dev ", "BAR1-Usage ", " SM     Unc", " CE ENC DEC OFA JPG"]);
    text += &row(["", "", "ECC", ""]);
    text += &rule("=", '|');
    text += &frame.wide("  No MIG devices found");
    text += &frame.edge();
    text
}

/// The process table. Answers whether a lost GPU cut it short.
fn processes(frame: &Frame, view: &View<'_>, gpus: &[(usize, &Gpu)], text: &mut String) -> bool {
    let wide = frame.inner() - 36;
    let (name, memory) = (wide - 15, 14);
    *text += &frame.edge();
    *text += &frame.wide(" Processes:");
    *text += &frame.wide(&format!(
        "  GPU   GI   CI        PID   Type   {:<width$}GPU Memory ",
        "Process name",
        width = wide - 11
    ));
    *text += &frame.wide(&format!("{:<36}{:<width$}Usage      ", "        ID   ID", "", width = wide - 11));
    let _ = writeln!(text, "|{}|", "=".repeat(frame.inner()));
    let mut found = false;
    for (index, gpu) in gpus {
        if gpu.is_lost() {
            *text += "Failed to query device index\n";
            return true;
        }
        if !view.host_pids {
            continue;
        }
        let mut running: Vec<_> = gpu.processes().iter().collect();
        running.order_by_key(|process| process.pid);
        for process in running {
            found = true;
            *text += &frame.wide(&format!(
                "{index:>5}   N/A  N/A{:>10}      C   {:<name$}{:>memory$} ",
                process.pid,
                tail(&process.name, name),
                format!("{}MiB", process.memory_mib),
            ));
        }
    }
    if !found {
        *text += &frame.wide("  No running processes found");
    }
    *text += &frame.edge();
    false
}

/// The end of a name that is too long, after `...`.
fn tail(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    format!("...{}", name.chars().skip(length + 3 - width).collect::<String>())
}
