use proptest::prelude::*;

use super::super::framework::Point;
use super::super::{Registry, Scheduler};
use super::*;

const HEAD: &str = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

fn read(text: &str) -> Result<SchedulerConfiguration, String> {
    SchedulerConfiguration::from_yaml(&format!("{HEAD}{text}")).map_err(|error| error.to_string())
}

/// Names and weights of the score plugins, in their order.
fn scores(text: &str) -> Vec<(String, i64)> {
    let scheduler = Scheduler::new(&read(text).unwrap()).unwrap();
    let profile = &scheduler.profiles()[0];
    profile
        .at(Point::Score)
        .map(|(id, plugin)| (plugin.name().to_owned(), profile.weights[id.index()]))
        .collect()
}

#[test]
fn a_default_plugin_enabled_again_keeps_its_place_and_takes_the_weight_that_is_given() {
    let names = |scores: &[(String, i64)]| scores.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let default = scores("");
    assert_eq!(default[0], ("TaintToleration".to_owned(), 3));
    let again = scores("profiles: [{plugins: {multiPoint: {enabled: [{name: NodeAffinity, weight: 7}]}}}]");
    assert_eq!(names(&again), names(&default));
    assert_eq!(again[1], ("NodeAffinity".to_owned(), 7));
    // Without a weight it is 1, not what it was by default.
    let bare = scores("profiles: [{plugins: {multiPoint: {enabled: [{name: TaintToleration}]}}}]");
    assert_eq!(bare[0], ("TaintToleration".to_owned(), 1));
}

#[test]
fn an_extension_point_can_order_weigh_and_switch_off_what_is_enabled_everywhere() {
    let text = "profiles: [{plugins: {score: {
        enabled: [{name: ImageLocality, weight: 9}, {name: NodeResourcesFit, weight: 2}],
        disabled: [{name: TaintToleration}]}}}]";
    let scores = scores(text);
    assert_eq!(scores[0], ("ImageLocality".to_owned(), 9));
    assert_eq!(scores[1], ("NodeResourcesFit".to_owned(), 2));
    assert!(scores.iter().all(|(name, _)| name != "TaintToleration"));
    // It still filters.
    let scheduler = Scheduler::new(&read(text).unwrap()).unwrap();
    let mut filters = scheduler.profiles()[0].at(Point::Filter);
    assert!(filters.any(|(_, plugin)| plugin.name() == "TaintToleration"));
    let only = "profiles: [{plugins: {score: {disabled: [{name: '*'}], enabled: [{name: ImageLocality}]}}}]";
    assert_eq!(self::scores(only), [("ImageLocality".to_owned(), 1)]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, expected) in [
        ("profiles: []", "line 3, column 1: profiles: Required value"),
        (
            "parallelism: 0",
            "line 3, column 1: parallelism: Invalid value: 0: should be an integer value greater than zero",
        ),
        (
            "percentageOfNodesToScore: 101",
            "line 3, column 1: percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
        ),
        ("leaderElection: {leaderElect: true}", "line 3, column 1: not modelled: leaderElection"),
        (
            "podMaxBackofSeconds: 3",
            "line 3, column 1: unknown field \"podMaxBackofSeconds\" (did you mean \"podMaxBackoffSeconds\"?)",
        ),
        (
            "profiles:\n- plugins:\n    filter:\n      enabled:\n      - name: Nothing",
            "line 7, column 9: profiles[0].plugins.filter.enabled[0]: Nothing does not exist",
        ),
        (
            "profiles:\n- plugins: {filter: {enabled: [{name: ImageLocality}]}}",
            "line 4, column 32: profiles[0].plugins.filter.enabled[0]: plugin \"ImageLocality\" does not extend FilterPlugin plugin",
        ),
        (
            "profiles:\n- pluginConfig:\n  - name: InterPodAffinity\n    args:\n      hardPodAffinityWeight: 101",
            "line 7, column 7: profiles[0].pluginConfig InterPodAffinity: hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]",
        ),
        (
            "profiles:\n- pluginConfig:\n  - name: VolumeBinding\n    args:\n      bindTimeoutSecond: 1",
            "line 7, column 7: profiles[0].pluginConfig VolumeBinding: unknown field `bindTimeoutSecond`",
        ),
        (
            "profiles:\n- plugins: {multiPoint: {disabled: [{name: '*'}]}}",
            "line 4, column 3: profiles[0]: only one queue sort plugin required for profile with scheduler name \"default-scheduler\", but got 0",
        ),
        (
            "profiles:\n- plugins: {bind: {disabled: [{name: '*'}]}}",
            "line 4, column 3: profiles[0]: at least one bind plugin is needed for profile with scheduler name \"default-scheduler\"",
        ),
        (
            "profiles:\n- schedulerName: a\n- schedulerName: a",
            "line 5, column 3: profiles[1].schedulerName: Duplicate value: \"a\"",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}\n{error}\n{expected}");
    }
    let error = SchedulerConfiguration::from_yaml("kind: Pod\napiVersion: v1").unwrap_err().to_string();
    assert!(
        error.starts_with("line 1, column 1: no kind \"Pod\" is registered for version \"v1\""),
        "{error}"
    );
}

#[test]
fn every_default_plugin_takes_an_empty_argument() {
    for (name, ..) in plugins::DEFAULT {
        let text = format!("profiles: [{{pluginConfig: [{{name: {name}}}]}}]");
        read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(Registry::default().get(name).is_some());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _read = SchedulerConfiguration::from_yaml(&text);
    }

    #[test]
    fn any_numbers_are_read_or_refused(
        parallelism in any::<i64>(),
        weight in any::<i64>(),
        seconds in any::<i64>(),
        percent in any::<i64>(),
    ) {
        let _read = read(&format!(
            "parallelism: {parallelism}\npodMaxBackoffSeconds: {seconds}\nprofiles:
- percentageOfNodesToScore: {percent}
  plugins: {{score: {{enabled: [{{name: ImageLocality, weight: {weight}}}]}}}}
  pluginConfig:
  - {{name: DefaultPreemption, args: {{minCandidateNodesAbsolute: {percent}}}}}
  - {{name: NodeResourcesFit, args: {{scoringStrategy: {{resources: [{{name: cpu, weight: {weight}}}]}}}}}}
  - {{name: VolumeBinding, args: {{bindTimeoutSeconds: {seconds}}}}}"
        ));
    }
}
