//! The options that Pyxis adds to `srun`, `sbatch` and `salloc`.
//!
//! Pyxis is a SPANK plugin: its options are parsed by the commands, and a bad one ends them with code 255 before anything is
//! asked of the controller. Rules and texts: Pyxis 0.24 as recorded in `pyxis_enroot`.

use std::collections::BTreeMap;

/// Names of the options, and whether they take a value.
pub(crate) const OPTIONS: [(&str, bool); 16] = [
    ("container-image", true),
    ("container-mounts", true),
    ("container-workdir", true),
    ("container-name", true),
    ("container-save", true),
    ("container-mount-home", false),
    ("no-container-mount-home", false),
    ("container-remap-root", false),
    ("no-container-remap-root", false),
    ("container-entrypoint", false),
    ("no-container-entrypoint", false),
    ("container-entrypoint-log", false),
    ("container-writable", false),
    ("container-readonly", false),
    ("container-env", true),
    ("container-unshare", true),
];

/// Whether an option is one of Pyxis.
pub(crate) fn is_option(name: &str) -> bool {
    OPTIONS.iter().any(|(known, _)| *known == name)
}

/// What is mounted into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file or directory of the host.
    Path(String),
    /// An empty file system in memory.
    Tmpfs,
    /// What is mounted at the target is taken away.
    Umount,
}

/// One entry of `--container-mounts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MountEntry {
    pub(crate) source: Source,
    pub(crate) target: String,
    pub(crate) read_only: bool,
}

/// What `--container-name` says of the container with that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NameFlag {
    /// Take the one that is there, else make it; join it while it runs.
    #[default]
    Auto,
    /// Make it; it must not be there.
    Create,
    /// Join it; it must run.
    Exec,
    /// Never join one that runs.
    NoExec,
}

/// What the options of Pyxis said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PyxisArgs {
    pub(crate) image: Option<String>,
    pub(crate) mounts: Vec<MountEntry>,
    pub(crate) workdir: Option<String>,
    pub(crate) name: Option<(String, NameFlag)>,
    pub(crate) save: Option<String>,
    pub(crate) mount_home: Option<bool>,
    pub(crate) remap_root: Option<bool>,
    pub(crate) entrypoint: Option<bool>,
    pub(crate) entrypoint_log: bool,
    pub(crate) writable: Option<bool>,
    pub(crate) env: Vec<String>,
    pub(crate) unshare: Vec<String>,
    /// Options as typed, for steps that inherit them from `salloc`.
    typed: Vec<(&'static str, String)>,
}

/// A bad option: what Pyxis says, then what the command says of the option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadOption {
    pub(crate) lines: Vec<String>,
    pub(crate) option: &'static str,
    pub(crate) value: String,
}

/// The entry of a mount, or the lines that say what is wrong with it.
pub(crate) fn mount_entry(text: &str) -> Result<MountEntry, Vec<String>> {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    if parts[0].is_empty() || parts.get(1).is_some_and(|target| target.is_empty()) {
        return Err(vec![format!("--container-mounts: invalid format: {text}")]);
    }
    let not_added = format!("could not add mount entry: {text}");
    let is_path = |path: &str| path.starts_with('/') || path.starts_with('.');
    let source = match parts[0] {
        "tmpfs" => Source::Tmpfs,
        "umount" => Source::Umount,
        path if is_path(path) => Source::Path(path.to_owned()),
        _ => {
            return Err(vec![
                "mount source must be a relative path, an absolute path, \"tmpfs\" or \"umount\"".into(),
                not_added,
            ]);
        }
    };
    let target = parts.get(1).copied().unwrap_or(parts[0]);
    if !is_path(target) {
        return Err(vec!["mount target must be a relative path or an absolute path".into(), not_added]);
    }
    let flags = parts.get(2).copied().unwrap_or_default();
    Ok(MountEntry {
        source,
        target: target.to_owned(),
        read_only: flags.split(['+', ',']).any(|flag| flag == "ro"),
    })
}

impl PyxisArgs {
    /// Whether a container is asked for at all.
    pub fn container(&self) -> bool {
        self.image.is_some() || self.name.is_some()
    }

    /// `PYXIS_CONTAINER_*` variables stand for options.
    pub(crate) fn take_environment(&mut self, env: &BTreeMap<String, String>) -> Result<(), BadOption> {
        for (name, takes) in OPTIONS {
            let variable = format!("PYXIS_{}", name.to_ascii_uppercase().replace('-', "_"));
            let Some(value) = env.get(&variable).filter(|value| !value.is_empty()) else { continue };
            if takes {
                self.take(name, Some(value))?;
            } else if !matches!(value.to_ascii_lowercase().as_str(), "0" | "n" | "no" | "f" | "false") {
                self.take(name, None)?;
            }
        }
        Ok(())
    }

    /// Variables that stand for the options: `salloc` sets them for the steps in its allocation.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let name = |name: &str| format!("PYXIS_{}", name.to_ascii_uppercase().replace('-', "_"));
        let value = |value: &str| if value.is_empty() { "1".to_owned() } else { value.to_owned() };
        self.typed.iter().map(|(option, text)| (name(option), value(text))).collect()
    }

    /// Fills in what only the environment said: an option of the command line replaces a variable.
    pub(crate) fn or(&mut self, below: Self) {
        fn first<T>(slot: &mut Option<T>, other: Option<T>) {
            if slot.is_none() {
                *slot = other;
            }
        }
        first(&mut self.image, below.image);
        first(&mut self.workdir, below.workdir);
        first(&mut self.name, below.name);
        first(&mut self.save, below.save);
        first(&mut self.mount_home, below.mount_home);
        first(&mut self.remap_root, below.remap_root);
        first(&mut self.entrypoint, below.entrypoint);
        first(&mut self.writable, below.writable);
        if self.typed.is_empty() {
            self.typed = below.typed;
        }
        if self.mounts.is_empty() {
            self.mounts = below.mounts;
        }
        if self.env.is_empty() {
            self.env = below.env;
        }
        if self.unshare.is_empty() {
            self.unshare = below.unshare;
        }
    }

    /// Takes one option in.
    pub(crate) fn take(&mut self, name: &'static str, value: Option<&str>) -> Result<(), BadOption> {
        let text = value.unwrap_or_default();
        self.typed.push((name, text.to_owned()));
        let bad = |lines: Vec<String>| BadOption {
            lines,
            option: name,
            value: value.map_or_else(|| "(null)".into(), str::to_owned),
        };
        let takes_value = OPTIONS.iter().any(|(known, takes)| *known == name && *takes);
        if takes_value && text.is_empty() {
            return Err(bad(vec![format!("--{name}: argument required")]));
        }
        let twice = || bad(vec![format!("--{name} specified multiple times")]);
        // The same again is no contradiction.
        let once = |slot: &mut Option<String>| match slot {
            Some(old) if old != text => Err(twice()),
            _ => {
                *slot = Some(text.to_owned());
                Ok(())
            }
        };
        match name {
            "container-image" => once(&mut self.image)?,
            "container-workdir" => once(&mut self.workdir)?,
            "container-save" => {
                if text.ends_with('/') {
                    return Err(bad(vec!["--container-save: target is a directory".into()]));
                }
                once(&mut self.save)?;
            }
            "container-mounts" => {
                for entry in text.split(',') {
                    let entry = mount_entry(entry).map_err(&bad)?;
                    if !self.mounts.contains(&entry) {
                        self.mounts.push(entry);
                    }
                }
            }
            "container-name" => {
                let (base, flag) =
                    text.split_once(':').map_or((text, None), |(base, flag)| (base, Some(flag)));
                if base.is_empty() {
                    return Err(bad(vec!["--container-name: empty name".into()]));
                }
                let flag = match flag {
                    None | Some("auto") => NameFlag::Auto,
                    Some("create") => NameFlag::Create,
                    Some("exec") => NameFlag::Exec,
                    Some("no_exec") => NameFlag::NoExec,
                    Some(_) => {
                        let known = "\"auto\", \"create\", \"exec\" or \"no_exec\"";
                        return Err(bad(vec![format!("--container-name: flag must be {known}")]));
                    }
                };
                let new = (base.to_owned(), flag);
                if self.name.as_ref().is_some_and(|old| *old != new) {
                    return Err(twice());
                }
                self.name = Some(new);
            }
            "container-env" => self.env.extend(text.split(',').map(str::to_owned)),
            "container-unshare" => {
                for space in text.split(',') {
                    if !matches!(space, "net" | "ipc" | "uts") {
                        return Err(bad(vec![format!("--container-unshare: unknown namespace '{space}'")]));
                    }
                    self.unshare.push(space.to_owned());
                }
            }
            "container-entrypoint-log" => self.entrypoint_log = true,
            _ => {
                let (slot, on, pair) = match name {
                    "container-mount-home" => {
                        (&mut self.mount_home, true, ["container-mount-home", "no-container-mount-home"])
                    }
                    "no-container-mount-home" => {
                        (&mut self.mount_home, false, ["container-mount-home", "no-container-mount-home"])
                    }
                    "container-remap-root" => {
                        (&mut self.remap_root, true, ["container-remap-root", "no-container-remap-root"])
                    }
                    "no-container-remap-root" => {
                        (&mut self.remap_root, false, ["container-remap-root", "no-container-remap-root"])
                    }
                    "container-entrypoint" => {
                        (&mut self.entrypoint, true, ["container-entrypoint", "no-container-entrypoint"])
                    }
                    "no-container-entrypoint" => {
                        (&mut self.entrypoint, false, ["container-entrypoint", "no-container-entrypoint"])
                    }
                    "container-writable" => {
                        (&mut self.writable, true, ["container-writable", "container-readonly"])
                    }
                    _ => (&mut self.writable, false, ["container-writable", "container-readonly"]),
                };
                if *slot == Some(!on) {
                    return Err(bad(vec![format!("both --{} and --{} were specified", pair[0], pair[1])]));
                }
                *slot = Some(on);
            }
        }
        Ok(())
    }

    /// What is said when all options are known: options without a container do nothing.
    pub(crate) fn finish(&mut self) -> Option<String> {
        if self.container() {
            return None;
        }
        let set = [
            ("container-mounts", !self.mounts.is_empty()),
            ("container-workdir", self.workdir.is_some()),
            ("container-save", self.save.is_some()),
            ("container-mount-home", self.mount_home.is_some()),
            ("container-remap-root", self.remap_root.is_some()),
            ("container-entrypoint", self.entrypoint.is_some()),
            ("container-writable", self.writable.is_some()),
            ("container-env", !self.env.is_empty()),
            ("container-unshare", !self.unshare.is_empty()),
        ];
        let (name, _) = set.into_iter().find(|(_, set)| *set)?;
        *self = Self::default();
        Some(format!("ignoring --{name} because neither --container-image nor --container-name is set"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &[(&'static str, Option<&str>)], expect: Result<(), (&[&str], &str)>) {
        let mut args = PyxisArgs::default();
        let found = options.iter().try_for_each(|(name, value)| args.take(name, *value));
        let found = found.map_err(|bad| (bad.lines, bad.value));
        let expect = expect.map_err(|(lines, value)| {
            (lines.iter().map(|line| (*line).to_owned()).collect(), value.to_owned())
        });
        assert_eq!(found, expect, "{options:?}");
    }

    // Recorded: pyxis_enroot.
    #[test]
    fn bad_options_are_refused_in_the_real_words() {
        check(&[("container-image", Some(""))], Err((&["--container-image: argument required"], "")));
        check(
            &[("container-image", Some("a")), ("container-image", Some("b"))],
            Err((&["--container-image specified multiple times"], "b")),
        );
        check(&[("container-image", Some("a")), ("container-image", Some("a"))], Ok(()));
        check(&[("container-mounts", Some(":"))], Err((&["--container-mounts: invalid format: :"], ":")));
        check(
            &[("container-mounts", Some("/tmp:mnt"))],
            Err((
                &[
                    "mount target must be a relative path or an absolute path",
                    "could not add mount entry: /tmp:mnt",
                ],
                "/tmp:mnt",
            )),
        );
        check(&[("container-name", Some(":x"))], Err((&["--container-name: empty name"], ":x")));
        check(
            &[("container-save", Some("/tmp/"))],
            Err((&["--container-save: target is a directory"], "/tmp/")),
        );
        check(
            &[("container-unshare", Some("pid"))],
            Err((&["--container-unshare: unknown namespace 'pid'"], "pid")),
        );
        check(
            &[("container-writable", None), ("container-readonly", None)],
            Err((&["both --container-writable and --container-readonly were specified"], "(null)")),
        );
    }

    #[test]
    fn mounts_have_a_source_a_target_and_flags() {
        let check = |text: &str, source: Source, target: &str, read_only: bool| {
            assert_eq!(
                mount_entry(text),
                Ok(MountEntry { source, target: target.into(), read_only }),
                "{text}"
            );
        };
        check("/data", Source::Path("/data".into()), "/data", false);
        check("/data:/mnt:ro+nosuid", Source::Path("/data".into()), "/mnt", true);
        check("tmpfs:/scratch", Source::Tmpfs, "/scratch", false);
        check("./x:/y", Source::Path("./x".into()), "/y", false);
    }

    #[test]
    fn options_without_a_container_are_ignored_with_a_word() {
        let mut args = PyxisArgs::default();
        args.take("container-mounts", Some("/tmp:/tmp")).expect("a mount");
        assert_eq!(
            args.finish().as_deref(),
            Some("ignoring --container-mounts because neither --container-image nor --container-name is set")
        );
        assert_eq!(args, PyxisArgs::default());
    }
}
