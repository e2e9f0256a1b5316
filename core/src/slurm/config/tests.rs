use proptest::prelude::*;

use super::*;

const NODES: &str = "NodeName=n[1-4] CPUs=16 RealMemory=64000\nPartitionName=main Nodes=ALL Default=YES\n";

fn files(slurm_conf: &str) -> ConfigFiles {
    ConfigFiles::new(format!("ClusterName=lab\nSlurmctldHost=ctl\n{NODES}{slurm_conf}"))
}

/// The first error of these lines, which follow four others.
fn check(lines: &str, expect: &str) {
    let errors = Config::read(&files(lines)).expect_err(lines);
    assert_eq!(errors.findings[0].to_string(), expect, "{lines}");
}

fn notes(lines: &str) -> Vec<String> {
    Config::read(&files(lines)).unwrap().notes.iter().map(ToString::to_string).collect()
}

#[test]
fn errors_say_where_what_and_what_was_expected() {
    check(
        "Slurmctldport2=1",
        "slurm.conf:5:1: Parsing error at unrecognized key: Slurmctldport2; expected a parameter of slurm.conf",
    );
    check(
        "KillWait=soon",
        "slurm.conf:5:10: KillWait value \"soon\" is not a valid number; expected 0-65535",
    );
    check(
        "KillWait=65536",
        "slurm.conf:5:10: KillWait value (65536) is greater than 65535; expected 0-65535",
    );
    check("MinJobAge=-1", "slurm.conf:5:11: MinJobAge value (-1) is less than zero; expected 2 or more");
    check(
        "MaxJobCount=x",
        "slurm.conf:5:13: MaxJobCount value (x) is not a valid number; expected 1 or more",
    );
    check(
        "DisableRootJobs=maybe",
        "slurm.conf:5:17: \"maybe\" is not a valid option for \"DisableRootJobs\"; expected YES or NO",
    );
    check(
        "KillWait=30 KillWait=31",
        "slurm.conf:5:13: Parse error: \"KillWait=31\"; expected key=value, or the end of the line",
    );
    check(
        "what is this",
        "slurm.conf:5:1: Parse error: \"what is this\"; expected key=value, or the end of the line",
    );
    check(
        "NodeName=m1 CPU=4",
        "slurm.conf:5:13: Parsing error at unrecognized key: CPU; expected one of BcastAddr, Boards, CoreSpecCount, CoresPerSocket, CPUs, CPUSpecList, CpuBind, Feature, Features, Gres, MemSpecLimit, NodeAddr, NodeHostname, Port, Procs, RealMemory, Reason, Sockets, SocketsPerBoard, State, ThreadsPerCore, TmpDisk, TRESWeights, Weight",
    );
    check(
        "NodeName=m1 \\\n  RealMemory=64G",
        "slurm.conf:6:14: RealMemory value (64G) is not a valid number; expected 1 or more",
    );
    check(
        "FastSchedule=1",
        "slurm.conf:5:1: The FastSchedule option has been removed. Please update your configuration.",
    );
    check(
        "PreemptMode=KILL",
        "slurm.conf:5:13: PreemptMode=KILL invalid; expected OFF, CANCEL, REQUEUE or SUSPEND, and GANG",
    );
    check(
        "PreemptType=preempt/qos",
        "slurm.conf:1:1: PreemptType and PreemptMode values incompatible; expected both, or neither",
    );
    check("EnforcePartLimits=some", "slurm.conf:5:19: Bad EnforcePartLimits: some; expected NO, ANY or ALL");
    check(
        "PriorityMaxAge=old",
        "slurm.conf:5:16: Bad value \"old\" for PriorityMaxAge; expected a time such as 7-00:00:00",
    );
    check(
        "SelectTypeParameters=CR_All",
        "slurm.conf:5:22: Bad SelectTypeParameter: CR_All; expected CR_* words",
    );
    check("FirstJobId=0", "slurm.conf:5:12: FirstJobId cannot be zero; expected 1 or more");
    check("Licenses=mat:many", "slurm.conf:5:10: Invalid Licenses value: mat:many; expected name:count, ...");
    check("NodeName=n4 CPUs=1", "slurm.conf:5:10: Duplicated NodeHostName n4 in config file");
    check(
        "NodeName=m[1-",
        "slurm.conf:5:10: Unable to create NodeName list from m[1-; expected a host list such as n[1-4]: host list `m[1-`, column 2: unmatched `[`",
    );
    check(
        "PartitionName=b Nodes=n[3-9]",
        "slurm.conf:5:23: Invalid node names in partition b; expected names of nodes; there is no n[5-9]",
    );
    check(
        "PartitionName=b Nodes=ALL MaxTime=long",
        "slurm.conf:5:35: Bad value \"long\" for MaxTime; expected a time such as 1-00:00:00",
    );
    check(
        "PartitionName=main Nodes=ALL",
        "slurm.conf:5:15: _build_single_partitionline_info: duplicate entry for partition main",
    );
    check(
        "PartitionName=b Nodes=ALL State=OPEN",
        "slurm.conf:5:33: Bad value \"OPEN\" for State; expected UP, DOWN, DRAIN, INACTIVE",
    );
    check(
        "GresTypes=shard",
        "slurm.conf:5:11: GresTypes: gres/'shard' requires that gres/gpu also be configured; expected gpu,shard or gpu,mps",
    );
    check(
        "Include nodes.conf",
        "slurm.conf:5:9: s_p_parse_file: cannot stat file nodes.conf: No such file or directory, retrying in 1sec up to 60sec; expected a file that is there",
    );
    check(
        "include %x",
        "slurm.conf:5:9: s_p_parse_file: cannot stat file %x: No such file or directory, retrying in 1sec up to 60sec; expected a file that is there",
    );
}

#[test]
fn what_is_missing_is_an_error() {
    let errors = Config::read(&ConfigFiles::new("")).unwrap_err();
    let messages: Vec<&str> = errors.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "ClusterName needs to be specified",
            "read_slurm_conf: no nodes configured.",
            "No PartitionName information available!"
        ]
    );
    assert!(Config::read(&ConfigFiles::default()).is_err());
}

#[test]
fn all_errors_come_at_once_and_the_log_has_what_slurmctld_says() {
    let errors = Config::read(&files("Foo=1\nNodeName=m1 Bar=2 CPUs=x\nKillWait=a")).unwrap_err();
    assert_eq!(errors.findings.len(), 4);
    assert_eq!(
        errors.log("slurmctld"),
        "slurmctld: error: _parse_next_key: Parsing error at unrecognized key: Foo\n\
         slurmctld: error: Parsing error at unrecognized key: Bar\n\
         slurmctld: error: Parse error in file slurm.conf line 6: \" Bar=2 CPUs=x\"\n\
         slurmctld: error: KillWait value \"a\" is not a valid number\n\
         slurmctld: fatal: Unable to process configuration file\n"
    );
}

#[test]
fn a_syntax_error_in_an_include_is_found_there() {
    let files = files("Include parts/%c/nodes.conf")
        .with("parts/lab/nodes.conf", "# more nodes\nInclude ./more.conf\n")
        .with("parts/lab/more.conf", "NodeName=m[1-2] CPUs=8\nNodeName=m3 = 4\n");
    let errors = Config::read(&files).unwrap_err();
    let messages: Vec<String> = errors.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "parts/lab/more.conf:2:13: Parse error: \"= 4\"; expected key=value, or the end of the line",
            "parts/lab/nodes.conf:2:9: \"Include\" failed in file parts/lab/nodes.conf line 2",
            "slurm.conf:5:9: \"Include\" failed in file slurm.conf line 5",
        ]
    );
}

#[test]
fn a_file_that_includes_itself_is_refused() {
    let looped =
        files("Include a.conf").with("a.conf", "Include b.conf\n").with("b.conf", "Include a.conf\n");
    let errors = Config::read(&looped).unwrap_err();
    assert_eq!(
        errors.findings[0].to_string(),
        "b.conf:1:9: a.conf includes itself; expected a file that does not include this one"
    );
    let without = ConfigFiles::new("SlurmctldHost=c\nInclude %c.conf\nClusterName=lab\n");
    let errors = Config::read(&without.with(".conf", NODES)).unwrap_err();
    assert!(errors.findings[0].message.ends_with("Did not get ClusterName for include path"));
}

#[test]
fn default_lines_fill_what_later_lines_leave_out() {
    let text = "ClusterName=lab\nSlurmctldHost=c(10.0.0.1)\nSlurmctldHost=d\n\
        NodeName=DEFAULT CPUs=8 RealMemory=1000\nNodeName=a[1-2]\nnodename=default realmemory=2000\n\
        NodeName=b1 CPUs=4 Feature=\"x,y\"\nNodeSet=big Feature=x\nNodeSet=both Nodes=a1,b1\n\
        PartitionName=DEFAULT MaxTime=60\nPartitionName=p Nodes=big,a2 Default=YES\n\
        DownNodes=a2 State=DRAIN Reason=\"bad fan\"\n";
    let config = Config::read(&ConfigFiles::new(text)).unwrap();
    assert_eq!(config.controllers[0], ControllerHost { name: "c".into(), address: Some("10.0.0.1".into()) });
    assert_eq!(config.controllers.len(), 2);
    let users = crate::slurm::controller::Users::named(&["alice"]);
    let spec = crate::slurm::controller::ClusterSpec::from_config(config, users);
    let nodes: Vec<(&str, u32, u64)> =
        spec.nodes.iter().map(|node| (node.name.as_str(), node.cpus, node.memory)).collect();
    assert_eq!(nodes, [("a1", 8, 1000), ("a2", 8, 1000), ("b1", 4, 2000)]);
    assert_eq!(spec.nodes[2].features, ["x", "y"]);
    assert_eq!(spec.nodes[1].reason.as_ref().unwrap().text, "bad fan");
    assert_eq!(spec.partitions[0].nodes.iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(spec.partitions[0].max_time, Some(60));
}

#[test]
fn what_is_not_modelled_is_said_with_its_line() {
    let check = |lines: &str, expect: &[&str]| assert_eq!(notes(lines), expect, "{lines}");
    check("Prolog=/etc/prolog", &["not modelled: Prolog (slurm.conf line 5)"]);
    // The default asks for nothing, and what concerns the daemons' host has nothing to act on.
    check("MCSPlugin=mcs/none\nSlurmctldLogFile=/var/log/x", &[]);
    check(
        "SchedulerParameters=bf_interval=10,bf_busy_nodes,bf_continue",
        &["not modelled: SchedulerParameters=bf_busy_nodes (slurm.conf line 5)"],
    );
    check("NodeName=m1 CPUSpecList=0", &["not modelled: CPUSpecList (slurm.conf line 5)"]);
}

#[test]
fn what_slurmctld_warns_of_is_a_note() {
    let check = |lines: &str, expect: &str| assert_eq!(notes(lines), [expect], "{lines}");
    check(
        "KillWait=1\nKillWait=2",
        "slurm.conf:6:10: KillWait 1 specified more than once, latest value used; expected each parameter once",
    );
    check(
        "SchedulerTimeSlice=2",
        "slurm.conf:5:20: SchedulerTimeSlice must be at least 5 seconds; expected 5 or more",
    );
    check(
        "SchedulerParameters=bf_interval=0",
        "slurm.conf:5:21: Invalid SchedulerParameters bf_interval: 0; expected a number from 1 to 10800",
    );
    check("DownNodes=n9", "slurm.conf:5:11: DownNode \"n9\" does not exist!");
    check(
        "NodeName=m1 Sockets=2 CPUs=5",
        "slurm.conf:5:28: NodeNames=m1 CPUs=5 match no Sockets, Sockets*CoresPerSocket or Sockets*CoresPerSocket*ThreadsPerCore. Resetting CPUs.; expected sockets, cores or threads of the node",
    );
}

#[test]
fn gres_topology_cgroup_and_plugstack_are_read() {
    let files = files("GresTypes=gpu,shard\nSelectType=select/cons_tres\nTopologyPlugin=topology/tree\nNodeName=g1 CPUs=8 Gres=gpu:h100:4,shard:10")
        .with("gres.conf", "NodeName=g1 Name=gpu Type=h100 File=/dev/nvidia[0-3] Cores=0-3\nName=shard Count=10\n")
        .with("topology.conf", "SwitchName=s1 Nodes=n[1-4]\nSwitchName=s2 Nodes=g1\nSwitchName=top Switches=s[1-2]\n")
        .with("cgroup.conf", "ConstrainCores=yes\n")
        .with("plugstack.conf", "# spank\nrequired /usr/lib/slurm/spank_pyxis.so container_scope=job\n");
    let config = Config::read(&files).unwrap();
    assert_eq!(config.plugins[0].arguments, ["container_scope=job"]);
    assert!(config.cgroup.flag("ConstrainCores"));
    let spec = crate::slurm::controller::ClusterSpec::from_config(
        config,
        crate::slurm::controller::Users::named(&[]),
    );
    assert_eq!(spec.nodes[4].gres[0].devices, 4);
    assert_eq!(spec.nodes[4].gres[1].shares, [3, 3, 2, 2]);
    assert_eq!(spec.topology.unwrap().switches.len(), 3);

    let wrong = files.with("topology.conf", "SwitchName=s1 Nodes=n[1-4]\nSwitchName=top Switches=s[1-2]\n");
    assert_eq!(
        Config::read(&wrong).unwrap_err().to_string(),
        "topology.conf:2:12: Switch configuration top has invalid child (s2)"
    );
}

#[test]
fn the_table_and_the_shown_lines_go_together() {
    for row in PARAMETERS {
        let same: Vec<_> = PARAMETERS.iter().filter(|other| other.name == row.name).collect();
        assert_eq!(same.len(), 1, "{}", row.name);
        if !row.default.is_empty() && row.default != "(null)" && row.kind != ValueKind::Text {
            let read = fields::value(row, row.default);
            assert!(read.is_ok(), "{} {:?}", row.name, read);
        }
    }
    for option in OPTIONS {
        assert!(
            option.range.is_none_or(|(low, high)| (low..=high).contains(&option.default)),
            "{}",
            option.word
        );
    }
}

/// Every line that does not name the recording's own machine.
#[test]
fn show_config_is_that_of_the_recording() {
    #[derive(serde::Deserialize)]
    struct Recording {
        slurm_conf: Vec<String>,
        shows: Vec<Answer>,
    }
    #[derive(serde::Deserialize)]
    struct Answer {
        cmd: Vec<String>,
        out: String,
    }
    let text = include_str!("../../../tests/fixtures/slurm/outputs.json");
    let recording: Recording = serde_json::from_str(text).unwrap();
    let shows = recording.shows.iter().find(|show| show.cmd == ["scontrol", "show", "config"]).unwrap();
    let conf =
        format!("{}\nSlurmctldHost=vm(127.0.0.1)\nMailProg=/bin/true\n", recording.slurm_conf.join("\n"));
    let config = Config::read(&ConfigFiles::new(conf)).unwrap();
    let nodes =
        config.nodes.iter().map(|record| crate::slurm::hostlist::expand(&record.name).unwrap().len()).sum();
    let shown = Shown { now: 1_795_444_367, boot: 1_795_444_354, next_job_id: 9, nodes };
    let here = show(&config, &shown);
    let of_the_host = ["LogFile", "PidFile", "SpoolDir", "SLURM_CONF", "StateSaveLocation"];
    let lines = |text: &str| -> Vec<String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| !of_the_host.iter().any(|word| line.contains(word)));
        lines
    };
    let recorded = shows.out.split("Slurmctld(primary)").next().unwrap();
    assert_eq!(lines(&here), lines(recorded));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,300}") {
        let _ = Config::read(&ConfigFiles::new(text.clone()));
        let _ = Config::read(&files("").with("gres.conf", text.clone()).with("topology.conf", text.clone())
            .with("cgroup.conf", text.clone()).with("plugstack.conf", text));
    }

    #[test]
    fn lines_that_look_right_are_read_or_refused(
        key in prop::sample::select(vec!["NodeName", "PartitionName", "DownNodes", "NodeSet", "Include", "SchedulerParameters", "Licenses", "PriorityWeightTRES", "FirstJobId"]),
        name in "[a-z0-9\\[\\],-]{0,8}",
        more in "( (CPUs|Sockets|Boards|CoresPerSocket|Gres|Nodes|MaxTime|State|OverSubscribe|Port)=[0-9a-z:,\\[\\]-]{0,9}){0,4}",
    ) {
        let sep = if key == "Include" { " " } else { "=" };
        let files = files(&format!("GresTypes=gpu\n{key}{sep}{name}{more}\n"));
        if let Ok(config) = Config::read(&files) {
            let users = crate::slurm::controller::Users::named(&[]);
            let _ = crate::slurm::controller::ClusterSpec::from_config(config, users);
        }
    }
}
