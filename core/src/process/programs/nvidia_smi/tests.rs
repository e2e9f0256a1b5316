//! The texts against those of the real binary.
//!
//! The goldens were recorded from NVIDIA's `nvidia-smi` over NVIDIA's own mock
//! of NVML, whose cards differ from real ones in memory, idle power and so on:
//! [`golden_node`] builds the mock's machines.

use super::*;
use crate::hardware::{
    Driver, GpuFault, GpuGroup, GpuModel, GpuProcess, GpuSpec, NodeSpec, PerformanceState, SystemModel,
};
use crate::sim::{Epoch, Seed};

/// A golden by name.
fn golden(name: &str) -> String {
    let path = format!("{}/tests/fixtures/nvidia-smi/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The machines of the mock.
fn golden_node(card: &str) -> Node {
    let (model, count, cpus) = match card {
        "a100" => (GpuModel::A100Sxm4_40, 8, 128),
        "b200" => (GpuModel::B200, 8, 128),
        "h100" => (GpuModel::H100Sxm5, 8, 128),
        "l40s" => (GpuModel::L40s, 8, 128),
        "t4" => (GpuModel::T4, 4, 128),
        _ => panic!("no golden machine {card}"),
    };
    let spec = *model.spec();
    // The mock's figures, by card: memory, reserved, idle W and °C, memory clock, PCIe generation.
    let mock =
        |memory_mib, reserved_mib, idle_w, idle_celsius, idle_sm_mhz, idle_memory_mhz, pcie_generation| {
            GpuSpec {
                memory_mib,
                reserved_mib,
                idle_used_mib: 0,
                idle_w,
                idle_celsius,
                idle_sm_mhz,
                idle_memory_mhz,
                pcie_generation,
                idle_pstate: PerformanceState::P0,
                // It gives every card MIG and a memory sensor.
                mig_capable: true,
                hbm: true,
                ..spec
            }
        };
    let (spec, uuid, serial, buses): (GpuSpec, &str, u64, &[u8]) = match card {
        "a100" => (
            mock(40960, 583, 72, 33, 210, 1215, 4),
            "GPU-12345678-1234-1234-1234-12345678000",
            1_324_821_083_800,
            &[0x07, 0x0f, 0x47, 0x4e, 0x87, 0x90, 0xb7, 0xbd],
        ),
        "b200" => (
            mock(196_608, 1024, 130, 35, 345, 2500, 6),
            "GPU-b2000000-0000-0000-0000-00000000000",
            1_562_849_203_700,
            &[0x1a, 0x1b, 0x4a, 0x4b, 0x8a, 0x8b, 0xca, 0xcb],
        ),
        "h100" => (
            mock(81920, 1024, 95, 34, 345, 1593, 5),
            "GPU-01000100-0000-0000-0000-00000000000",
            1_562_821_083_900,
            &[0x1a, 0x1b, 0x4a, 0x4b, 0x8a, 0x8b, 0xca, 0xcb],
        ),
        "l40s" => (
            mock(49152, 512, 45, 32, 210, 10001, 4),
            "GPU-14050000-0000-0000-0000-00000000000",
            1_562_830_094_500,
            &[0x17, 0x31, 0xb1, 0xca, 0x18, 0x32, 0xb2, 0xcb],
        ),
        _ => (
            GpuSpec { name: "NVIDIA T4", ..mock(16384, 300, 12, 30, 300, 5001, 3) },
            "GPU-00000074-0000-0000-0000-00000000000",
            421_819_085_400,
            &[0x3b, 0x86, 0xaf, 0xd8],
        ),
    };
    let driver = match card {
        "b200" => Driver { version: "560.35.03".into(), cuda: "12.6".into() },
        _ => Driver { version: "550.163.01".into(), cuda: "12.4".into() },
    };
    let wanted = NodeSpec {
        cpus: Some(cpus),
        gpus: Some(GpuGroup { count, model: Some(model) }),
        driver: Some(driver),
        ..SystemModel::Server.into()
    };
    let mut node = Node::new("golden", &wanted, Seed::new(1)).unwrap();
    node.cpu.threads_per_core = 1;
    node.cpu.cores_per_socket = 64;
    for (i, gpu) in node.gpus.iter_mut().enumerate() {
        let numa = match card {
            "t4" => 0,
            "l40s" => u8::from(i % 4 >= 2),
            _ => u8::from(i >= 4),
        };
        *gpu = gpu.clone().with_spec(spec);
        gpu.uuid = format!("{uuid}{i}");
        gpu.serial = format!("{:013}", serial + i as u64);
        gpu.pci.bus = buses[i];
        gpu.memory_numa = Some(numa);
        gpu.path.numa = numa;
        // It says PIX for every pair.
        gpu.path.bridge = Some(1);
    }
    node
}

/// Runs `nvidia-smi` with all GPUs of `node` at the wall clock `time`.
fn smi(node: &Node, time: &str, args: &str) -> (String, u8) {
    let gpus: Vec<usize> = (0..node.gpus.len()).collect();
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    let view = View { node, gpus: &gpus, now: SimTime::ZERO, wall: time.parse().unwrap(), host_pids: true };
    let (answer, _) = run(&args, &view, 0);
    (answer.text, answer.code)
}

const NOON: &str = "2026-11-23T14:04:22.241Z";

/// The fields of the recorded queries.
const FIELDS: &str = "timestamp,name,uuid,index,serial,pci.bus_id,driver_version,pstate,pcie.link.gen.current,\
    pcie.link.width.current,temperature.gpu,temperature.memory,utilization.gpu,utilization.memory,memory.total,\
    memory.used,memory.free,memory.reserved,power.draw,power.limit,clocks.sm,clocks.mem,ecc.mode.current,\
    ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total,mig.mode.current,compute_mode,\
    fan.speed,compute_cap,retired_pages.pending";

const CARDS: [&str; 5] = ["a100", "b200", "h100", "l40s", "t4"];

#[test]
fn the_summary_is_that_of_the_real_program() {
    for card in CARDS {
        // The recording of the B200 used an older nvidia-smi with a newer library.
        let ours = smi(&golden_node(card), NOON, "").0;
        let ours = ours.replace("NVIDIA-SMI 560.35.03 ", "NVIDIA-SMI 550.163.01");
        similar(&golden(&format!("550-{card}-default.txt")), &ours);
    }
}

#[test]
fn older_and_newer_drivers_draw_their_own_frames() {
    let check = |version: &str, cuda: &str, time: &str, name: &str| {
        let mut node = golden_node("h100");
        node.driver = Some(Driver { version: version.into(), cuda: cuda.into() });
        similar(&golden(name), &smi(&node, time, "").0);
    };
    check("535.261.03", "12.2", "2026-11-23T14:04:50Z", "535-h100-default.txt");
    check("555.58.02", "12.5", "2026-11-23T14:05:48Z", "555-h100-default.txt");
}

#[test]
fn faults_show_as_in_the_real_program() {
    let time = "2026-11-23T14:04:50Z";
    let query = "--query-gpu=index,uuid,temperature.gpu,ecc.errors.uncorrected.volatile.total --format=csv";
    let check = |name: &str, code: u8, change: &dyn Fn(&mut Node)| {
        let mut node = golden_node("h100");
        change(&mut node);
        let (text, got) = smi(&node, time, "");
        similar(&golden(&format!("550-h100-{name}.txt")), &text);
        assert_eq!(got, code);
        assert_eq!(smi(&node, time, "-L"), (golden(&format!("550-h100-{name}-L.txt")), 0));
        assert_eq!(smi(&node, time, query), (golden(&format!("550-h100-{name}-query.csv")), 0));
    };
    check("ecc", 0, &|node| node.gpus[3].fail(SimTime::ZERO, GpuFault::UncorrectableEcc));
    check("lost", 15, &|node| node.gpus[3].fail(SimTime::ZERO, GpuFault::FallenOffBus));
    check("mig", 0, &|node| node.gpus.iter_mut().for_each(|gpu| gpu.mig_enabled = true));
}

#[test]
fn lists_and_queries_are_those_of_the_real_program() {
    for card in CARDS {
        let node = golden_node(card);
        assert_eq!(smi(&node, NOON, "-L"), (golden(&format!("550-{card}-L.txt")), 0));
        // The time of each line is the recording's own.
        let timeless = |text: String| -> String {
            text.lines()
                .map(|line| match line.split_once(", ") {
                    Some((first, rest)) if first.starts_with("2026/11/23 14:04:2") => format!("T, {rest}\n"),
                    _ => format!("{line}\n"),
                })
                .collect()
        };
        let (text, code) = smi(&node, NOON, &format!("--query-gpu={FIELDS} --format=csv"));
        similar(&timeless(golden(&format!("550-{card}-query.csv"))), &timeless(text));
        assert_eq!(code, 0);
        let (text, _) = smi(&node, NOON, &format!("--query-gpu={FIELDS} --format=csv,noheader,nounits -i 0"));
        similar(&timeless(golden(&format!("550-{card}-query-nounits.csv"))), &timeless(text));
        let (text, _) = smi(&node, NOON, "--query-compute-apps=pid,process_name,used_memory --format=csv");
        assert_eq!(text, golden(&format!("550-{card}-apps.csv")));
    }
}

#[test]
fn topology_and_links_are_those_of_the_real_program() {
    for card in CARDS {
        let ours = smi(&golden_node(card), NOON, "topo -m").0;
        let theirs = golden(&format!("550-{card}-topo.txt"));
        if card == "b200" {
            // The mock's B200 has no NVLink.
            assert!(ours.contains("NV18") && theirs.contains("PIX"));
        } else {
            similar(&theirs, &ours);
        }
    }
    for card in ["a100", "h100"] {
        assert_eq!(
            smi(&golden_node(card), NOON, "nvlink -s -i 0"),
            (golden(&format!("550-{card}-nvlink.txt")), 0)
        );
    }
    assert_eq!(smi(&golden_node("t4"), NOON, "nvlink -s"), (String::new(), 0));
}

/// The recorded `-q` stops after `IBMNPU`, because the mock ends there.
#[test]
fn the_log_is_that_of_the_real_program_as_far_as_it_was_recorded() {
    for card in CARDS {
        let text = smi(&golden_node(card), NOON, "-q").0;
        let theirs = golden(&format!("550-{card}-q.txt"));
        // Versions of board firmware that only the mock has, and what it cannot answer.
        let own = [
            "Image Version",
            "OEM Object",
            "ECC Object",
            "Power Management Object",
            "VBIOS Version",
            "Board Part Number",
            "Current   ",
            "Pending   ",
            "Reset Required",
            "Drain and Reset",
            "GSP Firmware",
            "Product Architecture",
        ];
        let known = |line: &&str| !own.iter().any(|name| line.trim_start().starts_with(name));
        let expect: Vec<&str> = theirs.lines().filter(known).collect();
        let got: Vec<&str> = text.lines().filter(known).take(expect.len()).collect();
        similar(&expect.join("\n"), &got.join("\n"));
    }
}

/// Compares texts line by line, so that a failure shows the line.
#[track_caller]
fn similar(expect: &str, got: &str) {
    for (i, (expect, got)) in expect.lines().zip(got.lines()).enumerate() {
        assert_eq!(expect, got, "line {}", i + 1);
    }
    assert_eq!(expect, got);
}

/// Messages and exit codes of the real binary (550.163.01).
#[test]
fn bad_arguments_get_the_real_complaints() {
    let node = golden_node("h100");
    let check = |args: &str, code: u8, expect: &str| {
        let (text, got) = smi(&node, NOON, args);
        assert_eq!((text.trim_end(), got), (expect, code), "nvidia-smi {args}");
    };
    let help = "Please run 'nvidia-smi -h' for help.";
    check("--foo", 255, "ERROR: Option --foo is not recognized. Please run 'nvidia-smi -h'.");
    check("foo", 255, "ERROR: Option foo is not recognized. Please run 'nvidia-smi -h'.");
    check("-i 3 --foo", 255, "ERROR: Option --foo is not recognized. Please run 'nvidia-smi -h'.");
    check("--format=csv", 255, "ERROR: Option --format=csv is not recognized. Please run 'nvidia-smi -h'.");
    check("-i", 255, &format!("ERROR: Option -i is missing its value. {help}"));
    check("--query-gpu", 255, &format!("ERROR: Option --query-gpu is missing its value. {help}"));
    check("-i 99", 6, "No devices were found");
    check("-i abc", 6, "No devices were found");
    check("-q -i 99", 6, "No devices were found");
    check("mig -lgip -i 42", 6, "No devices were found");
    check("-L extra", 2, &format!("ERROR: Option extra is not valid for this command. {help}"));
    check("-i 0 -L", 2, &format!("ERROR: Option -i is not valid for this command. {help}"));
    check("-L -i 0", 2, &format!("ERROR: Option -i is not valid for this command. {help}"));
    check("-h -L", 2, &format!("ERROR: Option -L is not valid for this command. {help}"));
    check("--query-gpu=foo --format=csv", 2, "Field \"foo\" is not a valid field to query.");
    check("--query-gpu=name,foo --format=csv", 2, "Field \"foo\" is not a valid field to query.");
    check("--query-compute-apps=foo --format=csv", 2, "Field \"foo\" is not a valid field to query.");
    check(
        "--query-gpu=index, name --format=csv",
        2,
        &format!("ERROR: Option name is not recognized. {help}"),
    );
    check("--query-gpu=name", 2, &format!("\"--format=\" switch is missing. {help}"));
    check("--query-gpu=name --format=foo", 2, "Format modifier is not recognized.");
    check("--query-gpu=name --format=noheader", 2, "Format modifier --format=csv is mandatory.");
    check(
        "--query-gpu=name --query-compute-apps=pid --format=csv",
        2,
        "Only one --query-* switch can be used at a time.",
    );
    check(
        "-l 0",
        2,
        "Provided [-l(ms) | --loop(-ms)=] value is incorrect. Loop frequency must be greater than 0.",
    );
    check("-q -d FOO", 2, "Failed to parse --display/-d flags");
    check("topo -x", 2, "Option \"-x\" is not recognized.");
    check("nvlink -s -i", 2, "Option \"-i\" is missing its value.");
    check("topo -m -i 0,1", 255, "The -i command line argument must be used in conjunction with -n or -p.");
    check("mig -lgi", 0, "No MIG-enabled devices found.");
    check("dmon", 2, "not modelled: nvidia-smi dmon");
    check("-pm 1", 2, "not modelled: nvidia-smi -pm");
}

#[test]
fn every_property_of_the_real_program_can_be_asked_for() {
    let node = golden_node("h100");
    let (help, _) = smi(&node, NOON, "--help-query-gpu");
    let names: Vec<&str> = help.lines().filter_map(|line| line.split('"').nth(1)).skip(1).collect();
    // The real program lists 144 and prints a few more sections.
    assert_eq!(names.len(), 144);
    for name in names {
        let (text, code) = smi(&node, NOON, &format!("--query-gpu={name} --format=csv,noheader -i 0"));
        assert!(code == 0 && !text.trim().is_empty(), "{name}: {text}");
    }
    let (text, _) =
        smi(&node, NOON, "--query-gpu=gpu_name,clocks.sm,utilization.jpeg,fabric.state --format=csv -i 0");
    assert_eq!(
        text,
        "name, clocks.current.sm [MHz], utilization.jpeg [%], fabric.state\n\
         NVIDIA H100 80GB HBM3, 345 MHz, 0 %, [N/A]\n"
    );
}

#[test]
fn devices_are_chosen_by_index_uuid_serial_or_bus() {
    let node = golden_node("h100");
    let check = |ids: &str, expect: &str| {
        let (text, code) = smi(&node, NOON, &format!("--query-gpu=index --format=csv,noheader -i {ids}"));
        assert_eq!((text.lines().collect::<Vec<_>>().join(" ").as_str(), code), (expect, 0), "-i {ids}");
    };
    check("3,1", "1 3");
    check("0,0", "0");
    check("0,99", "0");
    check("GPU-01000100-0000-0000-0000-000000000002", "2");
    check("00000000:4A:00.0", "2");
    check("1562821083905", "5");
}

#[test]
fn without_a_driver_it_says_so_before_it_reads_its_arguments() {
    let mut node = golden_node("h100");
    node.driver = None;
    let (text, code) = smi(&node, NOON, "--foo");
    assert_eq!(code, 9);
    assert!(
        text.starts_with("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
    );
}

#[test]
fn processes_are_listed_in_the_nodes_own_pid_namespace_only() {
    let mut node = golden_node("h100");
    node.gpus.truncate(1);
    for (pid, name, memory_mib) in [
        (3496, "python3", 14466),
        (1, "/usr/bin/python3.10 /workspace/a/very/long/path/to/train.py --with-options", 6),
    ] {
        let process = GpuProcess { pid, name: name.into(), memory_mib, sm_percent: 0 };
        node.gpus[0].attach(SimTime::ZERO, process).unwrap();
    }
    // The rows of the real program (type C instead of its M+C+G).
    let rows = [
        "|    0   N/A  N/A         1      C   ...ong/path/to/train.py --with-options          6MiB |",
        "|    0   N/A  N/A      3496      C   python3                                     14466MiB |",
    ];
    let (text, _) = smi(&node, NOON, "");
    assert!(text.contains(&rows.join("\n")), "{text}");
    let view = View {
        node: &node,
        gpus: &[0],
        now: SimTime::ZERO,
        wall: Epoch::default().timestamp(SimTime::ZERO),
        host_pids: false,
    };
    let text = run(&[], &view, 0).0.text;
    assert!(text.contains("|  No running processes found  "), "{text}");
}

/// The table of a real H100 with MIG mode on.
#[test]
fn mig_profiles_print_as_on_a_real_card() {
    let mut node = golden_node("h100");
    assert!(smi(&node, NOON, "mig -lgip -i 0").0.contains("MIG 1g.10gb       19     0/7        9.75 "));
    node.gpus[0].mig_enabled = true;
    insta::assert_snapshot!(smi(&node, NOON, "mig -lgip -i 0").0);
    insta::assert_snapshot!(smi(&node, NOON, "mig -lgipp -i 0").0, @r"
    GPU  0 Profile ID 19 Placements: {0,1,2,3,4,5,6}:1
    GPU  0 Profile ID 20 Placements: {0,1,2,3,4,5,6}:1
    GPU  0 Profile ID 15 Placements: {0,2,4,6}:2
    GPU  0 Profile ID 14 Placements: {0,2,4}:2
    GPU  0 Profile ID  9 Placements: {0,4}:4
    GPU  0 Profile ID  5 Placement : {0}:4
    GPU  0 Profile ID  0 Placement : {0}:8
    ");
    let t4 = Node::new("t4", &SystemModel::T4Server.into(), Seed::new(1)).unwrap();
    assert_eq!(smi(&t4, NOON, "mig -lgip"), ("No MIG-supported devices found.\n".into(), 6));
}

#[test]
fn a_dgx_shows_its_network_cards_beside_its_gpus() {
    let dgx = Node::new("dgx", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap();
    insta::assert_snapshot!(smi(&dgx, NOON, "topo -m").0);
}

#[test]
fn the_log_of_a_real_looking_card_is_complete() {
    let mut node = Node::new("dgx", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap();
    node.gpus.truncate(1);
    node.gpus[0].uuid = "GPU-1".into();
    node.gpus[0].serial = "165".into();
    insta::assert_snapshot!(smi(&node, NOON, "-q").0);
    insta::assert_snapshot!(smi(&node, NOON, "-q -d UTILIZATION,POWER").0);
}

#[test]
fn a_loop_prints_again_until_it_is_stopped_and_its_header_once() {
    let node = golden_node("t4");
    let mut smi =
        NvidiaSmi::new(&["--query-gpu=index", "--format=csv", "-i", "0", "-l", "2"].map(str::to_owned));
    let mut stdout = Vec::new();
    let mut steps = Vec::new();
    for second in 0..5 {
        let now = SimTime::from_secs(second);
        let view =
            View { node: &node, gpus: &[0], now, wall: Epoch::default().timestamp(now), host_pids: false };
        let (mut stdin, mut stderr) = (Vec::new(), Vec::new());
        let mut io = Io { stdin: &mut stdin, stdin_closed: true, stdout: &mut stdout, stderr: &mut stderr };
        steps.push(smi.step(&view, &mut io));
    }
    assert_eq!(String::from_utf8(stdout).unwrap(), "index\n0\n0\n0\n");
    assert_eq!(steps, [2, 2, 4, 4, 6].map(|s| Step::Until(SimTime::from_secs(s))));
    assert_eq!(NvidiaSmi::signal(Signal::Int), 130);
}

proptest::proptest! {
    #[test]
    fn no_command_line_breaks_it(
        args in proptest::collection::vec(
            "(-i|-l|-q|-d|-L|-h|topo|mig|nvlink|-m|-s|-lgip|--query-gpu|--format|--query-gpu=name|--format=csv|=|,|0|-lms)|\\PC{0,8}",
            0..5,
        ),
    ) {
        let node = golden_node("t4");
        let view = View {
            node: &node,
            gpus: &[3, 0, 99],
            now: SimTime::MAX,
            wall: Epoch::default().timestamp(SimTime::MAX),
            host_pids: false,
        };
        let _ = run(&args, &view, 0);
    }
}
