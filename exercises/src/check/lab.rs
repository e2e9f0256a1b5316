//! From a lab to what expressions see of it.

use clusterlab::kube::api::{ListOptions, Object};
use clusterlab::kube::kubectl::print::PodSummary;
use clusterlab::lab::{HOME, Lab};
use clusterlab::process::files::{self, Files};
use k8s_openapi::api::core::v1::Pod;

use super::{Uses, World};

impl World {
    /// What `lab` shows of itself to expressions that use `uses`.
    pub fn of(lab: &Lab, uses: &Uses) -> Self {
        let mut world = Self::new(uses);
        world.now = lab.now().as_secs() as i64;
        for kind in &uses.kinds {
            // Without selectors a list cannot fail.
            let items = lab.api().list(*kind, "", &ListOptions::default()).map(|list| list.items);
            let objects: Vec<_> = items.unwrap_or_default().iter().map(Object::to_json).collect();
            world.set_objects(kind.info().plural, &objects);
        }
        if uses.files {
            let mut files = Vec::new();
            text_files(lab.files(), HOME, "", &mut files);
            world.set_files(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        }
        #[cfg(feature = "slurm")]
        if uses.slurm
            && let Some(checked) = clusterlab::lab::slurm::view::CheckedView::of(lab)
        {
            world.set_slurm(&serde_json::to_value(checked).unwrap_or_default());
        }
        if uses.logs {
            for pod in lab.api().iter::<Pod>() {
                world.set_logs(namespace(pod), name(pod), logs(lab, pod));
            }
        }
        if uses.statuses {
            for pod in lab.api().iter::<Pod>() {
                world.set_status(namespace(pod), name(pod), PodSummary::of(pod).status);
            }
        }
        world
    }
}

fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or_default()
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// The learner's text files under `directory`.
fn text_files(files: &Files, directory: &str, prefix: &str, found: &mut Vec<(String, String)>) {
    for name in files.list(directory).unwrap_or_default() {
        let path = files::join(directory, &name);
        let relative = format!("{prefix}{name}");
        if files.is_dir(&path) {
            text_files(files, &path, &format!("{relative}/"), found);
        } else if let Some(text) = files.read(&path).ok().and_then(|bytes| str::from_utf8(bytes).ok()) {
            found.push((relative, text.to_owned()));
        }
    }
}

/// What the containers of `pod` have written, one after the other.
fn logs(lab: &Lab, pod: &Pod) -> String {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers
        .filter_map(|c| lab.kubelets().logs(namespace(pod), name(pod), &c.name, false).ok().flatten())
        .flat_map(|view| view.log.lines().iter().map(|line| line.text.as_str()))
        .collect()
}
