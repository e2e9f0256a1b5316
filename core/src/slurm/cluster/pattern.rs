//! Names of output files with replacement symbols (sbatch(1), FILENAME PATTERN; srun(1), IO REDIRECTION).

use crate::slurm::model::Job;

/// What the symbols stand for beside the job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// The node's name, and its number among those of the job.
    pub(super) node: &'a str,
    pub(super) node_id: u32,
    /// Number of the step; `None` of the batch script.
    pub(super) step: Option<u32>,
    pub(super) task: u32,
}

/// The path of `--output` of a batch script; without the option the default.
pub(super) fn batch_path(job: &Job, pattern: Option<&str>, node: &str) -> String {
    let default = if job.array.is_some() { "slurm-%A_%a.out" } else { "slurm-%j.out" };
    let names = Names { node, node_id: 0, step: None, task: 0 };
    path(job, pattern.unwrap_or(default), &job.request.work_dir, names)
}

/// A pattern as an absolute path.
pub(super) fn path(job: &Job, pattern: &str, directory: &str, names: Names<'_>) -> String {
    crate::process::files::resolve(directory, &expand(job, pattern, names))
}

fn expand(job: &Job, pattern: &str, names: Names<'_>) -> String {
    if pattern.contains('\\') {
        return pattern.replace('\\', "");
    }
    let (array, task) = job.array.map_or((job.id, None), |(array, task)| (array, task));
    let mut text = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut width = String::new();
        while let Some(digit) = chars.peek().filter(|c| c.is_ascii_digit()) {
            width.push(*digit);
            chars.next();
        }
        let width: usize = width.parse().unwrap_or(0).min(10);
        let number = |n: u32| format!("{n:0width$}");
        match chars.next() {
            Some('%') => text.push('%'),
            Some('j') => text.push_str(&number(job.id)),
            Some('J') => {
                text.push_str(&number(job.id));
                if let Some(step) = names.step {
                    text.push_str(&format!(".{step}"));
                }
            }
            Some('A') => text.push_str(&number(array)),
            Some('a') => text.push_str(&number(task.unwrap_or(4_294_967_294))),
            Some('N') => text.push_str(names.node),
            Some('n') => text.push_str(&number(names.node_id)),
            Some('t') => text.push_str(&number(names.task)),
            Some('s') => text.push_str(&number(names.step.unwrap_or(0))),
            Some('u') => text.push_str(&job.user),
            Some('x') => text.push_str(&job.request.name),
            Some('b') => text.push_str(&number(task.unwrap_or(0) % 10)),
            Some(other) => {
                text.push('%');
                text.push(other);
            }
            None => text.push('%'),
        }
    }
    text
}
