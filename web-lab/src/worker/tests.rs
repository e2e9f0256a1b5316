//! The session and the page's model together, without a browser: what the page asks is
//! answered, what it draws follows.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use clusterlab::sim::SimTime;
use clusterlab_exercises::{Exercise, Folder};

use super::Session;
use crate::model::{Effect, Model, Selection};
use crate::protocol::{FromWorker, PromptState, Request, Response, ToWorker, read, write};

const EXERCISE: &str = "first-gpu-pod";

/// A page and its worker; every message goes over the line as bytes.
#[derive(Default)]
struct Page {
    session: Session,
    model: Model,
    effects: Vec<Effect>,
}

impl Page {
    fn open(saved: Option<String>) -> Self {
        let mut page = Self::default();
        let files = Folder::embedded().find(|folder| folder.name == EXERCISE).unwrap().files;
        page.ask(Request::Open { exercise: EXERCISE.into(), files, seed: 7, saved });
        page
    }

    fn ask(&mut self, request: Request) {
        let asked: ToWorker = read(&write(&ToWorker { id: 1, request }).unwrap()).unwrap();
        let said = self.session.handle(asked.request);
        self.hear(said);
    }

    fn hear(&mut self, said: Vec<Response>) {
        for response in said {
            let heard: FromWorker = read(&write(&FromWorker { id: None, response }).unwrap()).unwrap();
            self.effects.extend(self.model.receive(heard.response));
        }
    }

    fn enter(&mut self, line: &str) {
        self.ask(Request::Type { line: line.into(), queued: false });
    }

    /// Lets the worker run until it rests; every slice is as short as it can be.
    fn run(&mut self) {
        for _ in 0..100_000 {
            if !self.session.is_advancing() {
                return;
            }
            let said = self.session.tick(Duration::ZERO, &mut || false);
            self.hear(said);
        }
        panic!("the advance does not end");
    }

    fn wait(&mut self, secs: u64) {
        self.ask(Request::Advance { nanos: secs * 1_000_000_000 });
        self.run();
    }

    fn saved(&mut self) -> String {
        self.ask(Request::Save);
        match self.effects.pop() {
            Some(Effect::Keep { lab, .. }) => lab,
            other => panic!("{other:?}"),
        }
    }

    fn screen(&self) -> String {
        self.model.screen.text()
    }

    fn pod(&self, name: &str) -> Option<String> {
        self.model.pods.get(&("default".to_owned(), name.to_owned())).map(|pod| pod.status.clone())
    }

    fn edit(&mut self, path: &str, text: &str) {
        let buffers = Rc::make_mut(&mut self.model.buffers);
        buffers.edit(path, text.into());
        let writes = buffers.take_dirty();
        self.ask(Request::Files { writes });
    }
}

fn pod_yaml(name: &str, gpus: u32) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: Never\n  containers:\n  - name: cuda\n    \
         image: nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04\n    command: [nvidia-smi]\n    resources: {{limits: {{nvidia.com/gpu: {gpus}}}}}\n"
    )
}

#[test]
fn an_exercise_opens_with_its_machines_files_steps_and_a_prompt() {
    let page = Page::open(None);
    assert!(page.model.open);
    assert_eq!(page.model.nodes.len(), 3);
    assert_eq!(page.model.nodes["gpu-1"].gpus.len(), 8);
    assert_eq!(page.model.buffers.open_path(), Some("pod.yaml"));
    assert!(matches!(&*page.model.prompt, PromptState::Ready(text) if text.ends_with("$ ")));
    assert!(page.model.progress.steps.iter().all(|step| !step.done));
    assert_eq!(page.model.clock.shown, SimTime::ZERO);
}

#[test]
fn a_command_shows_with_its_prompt_and_what_it_printed() {
    let mut page = Page::open(None);
    page.enter("kubectl get nodes -o name");
    assert_eq!(
        page.screen(),
        "learner@lab:~$ kubectl get nodes -o name\nnode/cpu-1\nnode/gpu-1\nnode/gpu-2\n"
    );
    assert_eq!(page.model.marks.len(), 1);
}

#[test]
fn a_pod_is_seen_on_its_node_with_its_gpu_until_it_ends_and_says_why_it_is_there() {
    let mut page = Page::open(None);
    page.edit("pod.yaml", &pod_yaml("one", 1));
    page.enter("kubectl apply -f pod.yaml");
    page.model.selection = Some(Selection::Pod("default".into(), "one".into()));
    page.wait(60);
    assert_eq!(page.pod("one").as_deref(), Some("Completed"));
    page.ask(Request::Why { namespace: "default".into(), pod: "one".into() });
    let why = page.model.why.clone().unwrap();
    let attempt = why.attempts.last().unwrap();
    assert!(attempt.node.as_deref().is_some_and(|node| node.starts_with("gpu-")));
    assert_eq!(attempt.verdicts.iter().find(|v| v.node == "cpu-1").unwrap().plugin, "NodeResourcesFit");
}

#[test]
fn the_official_solution_typed_line_by_line_ticks_every_step() {
    let exercise = Exercise::find(EXERCISE).unwrap().unwrap().for_learner(7);
    let mut page = Page::open(None);
    for line in exercise.solution.lines() {
        page.ask(Request::Type { line: line.into(), queued: true });
    }
    for _ in 0..20 {
        page.wait(30);
    }
    let undone: Vec<_> = page.model.progress.steps.iter().filter(|step| !step.done).collect();
    assert!(undone.is_empty(), "{undone:?}\n{}", page.screen());
    assert!(page.effects.iter().any(|effect| matches!(effect, Effect::StepsDone(_))));
    assert!(page.model.buffers.get("gpu.txt").is_some_and(|file| file.text.contains("NVIDIA-SMI")));
}

#[test]
fn looking_back_shows_the_past_and_leaves_the_present_alone() {
    let mut page = Page::open(None);
    page.edit("pod.yaml", &pod_yaml("one", 1));
    page.wait(10);
    page.enter("kubectl apply -f pod.yaml");
    page.wait(60);
    let present = (page.screen(), page.pod("one"), page.model.marks.clone());
    page.ask(Request::Look { at: SimTime::from_secs(5) });
    assert!(page.model.clock.looking_back());
    assert_eq!((page.screen().as_str(), page.pod("one")), ("", None));
    assert_eq!(page.model.marks, present.2, "the time line keeps what came after");
    page.enter("kubectl get pods");
    page.ask(Request::Look { at: SimTime::from_secs(11) });
    assert!(page.pod("one").is_some());
    page.ask(Request::Return);
    assert!(!page.model.clock.looking_back());
    assert_eq!((page.screen(), page.pod("one"), page.model.marks.clone()), present);
}

#[test]
fn continuing_from_the_past_forgets_what_came_after() {
    let mut page = Page::open(None);
    page.wait(10);
    page.edit("pod.yaml", &pod_yaml("one", 1));
    page.enter("kubectl apply -f pod.yaml");
    page.wait(5);
    page.ask(Request::Look { at: SimTime::from_secs(5) });
    page.ask(Request::ContinueHere);
    assert_eq!(page.model.clock.present, SimTime::from_secs(5));
    page.wait(60);
    assert_eq!(page.pod("one"), None);
}

#[test]
fn undo_takes_the_last_command_back_and_keeps_what_was_edited() {
    let mut page = Page::open(None);
    page.edit("pod.yaml", &pod_yaml("one", 1));
    page.enter("kubectl apply -f pod.yaml");
    page.wait(3);
    page.edit("pod.yaml", "# edited\n");
    page.ask(Request::Undo);
    assert_eq!((page.pod("one"), page.screen().as_str()), (None, ""));
    assert_eq!(page.model.buffers.get("pod.yaml").unwrap().text, "# edited\n");
    page.enter("cat pod.yaml");
    assert!(page.screen().ends_with("cat pod.yaml\n# edited\n"), "{}", page.screen());
}

#[test]
fn a_kept_lab_comes_back_as_it_was_and_a_damaged_one_starts_afresh_with_a_word() {
    let mut page = Page::open(None);
    page.edit("pod.yaml", &pod_yaml("one", 1));
    page.enter("kubectl apply -f pod.yaml");
    page.wait(20);
    let kept = page.saved();
    let mut again = Page::open(Some(kept.clone()));
    assert_eq!(again.screen(), page.screen());
    assert_eq!(again.model.clock.present, page.model.clock.present);
    assert_eq!(again.model.pods, page.model.pods);
    assert_eq!(again.saved(), kept);
    for damaged in [&kept[..kept.len() / 2], "", "{}", &kept.replace("pod.yaml", "pot.yaml")] {
        let page = Page::open(Some(damaged.to_owned()));
        assert!(matches!(&page.effects[..], [Effect::Refused(why)] if !why.is_empty()), "{:?}", page.effects);
        assert!(page.model.open && page.model.pods.is_empty());
    }
}

#[test]
fn a_long_advance_is_cut_into_slices_and_can_be_ended() {
    let mut page = Page::open(None);
    page.enter("sleep 100000");
    assert_eq!(*page.model.prompt, PromptState::Busy);
    page.enter("for i in 1 2 3; do true; done");
    page.ask(Request::Advance { nanos: 3_600_000_000_000 });
    assert!(page.session.is_advancing());
    page.ask(Request::Pause);
    assert!(!page.session.moves());
    page.ask(Request::Interrupt);
    assert!(matches!(*page.model.prompt, PromptState::Ready(_)));
}

#[test]
fn the_next_event_is_the_next_thing_worth_seeing() {
    let mut page = Page::open(None);
    page.edit("pod.yaml", &pod_yaml("one", 1));
    page.enter("kubectl apply -f pod.yaml");
    let before = page.model.marks.len();
    page.ask(Request::NextEvent);
    page.run();
    assert!(page.model.marks.len() > before || page.model.clock.present > SimTime::ZERO);
    // At rest there is nothing to go to, and the clock does not run for a day.
    for _ in 0..50 {
        page.ask(Request::NextEvent);
        page.run();
    }
    let rest = page.model.clock.present;
    page.ask(Request::NextEvent);
    page.run();
    assert!(page.model.clock.present < rest + Duration::from_secs(24 * 3600));
}

#[test]
fn playing_follows_the_visitors_clock_at_the_chosen_speed() {
    let mut page = Page::open(None);
    page.ask(Request::Play { speed: 60 });
    let said = page.session.tick(Duration::from_millis(500), &mut || true);
    page.hear(said);
    assert_eq!(page.model.clock.present, SimTime::from_secs(30));
    // At rest it stops by itself.
    for _ in 0..10 {
        let said = page.session.tick(Duration::from_millis(500), &mut || true);
        page.hear(said);
    }
    assert_eq!(page.model.clock.speed, None);
    page.ask(Request::Play { speed: 60 });
    page.ask(Request::Pause);
    assert!(page.session.tick(Duration::from_secs(1), &mut || true).is_empty());
}

#[test]
fn a_prediction_is_judged_by_what_happens_on_a_copy() {
    let mut page = Page::open(None);
    let Some(question) = page.model.progress.asked.clone() else { return };
    page.ask(Request::Predict { question: question.clone(), choice: "nonsense".into() });
    let answer = &page.model.progress.answers[0];
    assert!(!answer.right && !answer.actual.is_empty());
    assert_ne!(page.model.progress.asked, Some(question));
}

#[test]
fn what_cannot_be_done_is_said() {
    let mut page = Page::default();
    page.enter("ls");
    page.ask(Request::Open { exercise: "no-files".into(), files: BTreeMap::new(), seed: 1, saved: None });
    assert!(matches!(&page.effects[..], [Effect::Failed(_), Effect::Failed(_)]), "{:?}", page.effects);
}
