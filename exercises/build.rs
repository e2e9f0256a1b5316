//! Compiles the exercises under `data/` into the crate, and the list of the course. For the browser the list alone: there
//! the site has a file for each exercise.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let data = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("data");
    println!("cargo::rerun-if-changed={}", data.display());
    let mut code = String::from("static EMBEDDED: &[(&str, &[(&str, &str)])] = &[\n");
    let mut course = String::from("static COURSE: &[Listed] = &[\n");
    let slurm = env::var_os("CARGO_FEATURE_SLURM").is_some();
    let browser = ["ARCH", "OS"].map(|part| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default());
    let browser = browser == ["wasm32", "unknown"];
    for folder in in_order(&data)? {
        let uses_slurm = uses_slurm(&folder)?;
        let [en, ko] = title(&folder)?;
        let id = name(&folder);
        let _ =
            writeln!(course, "    Listed {{ id: {id:?}, title: [{en:?}, {ko:?}], slurm: {uses_slurm} }},");
        if browser || uses_slurm && !slurm {
            continue;
        }
        let _ = writeln!(code, "    ({id:?}, &[");
        files(&folder, "", &mut code)?;
        code.push_str("    ]),\n");
    }
    code.push_str("];\n");
    code.push_str(&course);
    code.push_str("];\n");
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("embedded.rs"), code)
}

/// Whether the exercise's lab has a Slurm cluster.
fn uses_slurm(folder: &Path) -> io::Result<bool> {
    let lab = fs::read_to_string(folder.join("lab.yaml"))?;
    Ok(lab.lines().any(|line| line.starts_with("slurm:")))
}

/// The English and the Korean title, from the two lines below `title:`.
fn title(folder: &Path) -> io::Result<[String; 2]> {
    let yaml = fs::read_to_string(folder.join("exercise.yaml"))?;
    let mut lines = yaml.lines().skip_while(|line| *line != "title:").skip(1);
    let mut next = |start: &str| {
        let found = lines.next().and_then(|line| line.strip_prefix(start)).map(|text| text.trim().to_owned());
        found.ok_or_else(|| {
            let message = format!("{}: exercise.yaml: expected {start:?} below \"title:\"", name(folder));
            io::Error::other(message)
        })
    };
    Ok([next("  en: ")?, next("  ko: ")?])
}

/// The folders of exercises in the order of the course.
fn in_order(data: &Path) -> io::Result<Vec<PathBuf>> {
    let course = fs::read_to_string(data.join("course.txt"))?;
    let ids = course.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let listed: Vec<PathBuf> = ids.map(|id| data.join(id)).collect();
    let mut there: Vec<PathBuf> = sorted(data)?.into_iter().filter(|path| path.is_dir()).collect();
    there.retain(|folder| !listed.contains(folder));
    let (stray, absent) = (there.first(), listed.iter().find(|folder| !folder.is_dir()));
    if let Some(folder) = stray {
        return Err(io::Error::other(format!("data/course.txt has no line for {}", name(folder))));
    }
    if let Some(folder) = absent {
        return Err(io::Error::other(format!(
            "data/course.txt names {}, but there is no such folder",
            name(folder)
        )));
    }
    Ok(listed)
}

/// Writes one line per file under `folder`, in the order of their paths.
fn files(folder: &Path, prefix: &str, code: &mut String) -> io::Result<()> {
    for path in sorted(folder)? {
        let relative = format!("{prefix}{}", name(&path));
        if path.is_dir() {
            files(&path, &format!("{relative}/"), code)?;
        } else {
            let _ = writeln!(code, "        ({relative:?}, include_str!({:?})),", path.display().to_string());
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| !name(path).starts_with('.') && !name(path).ends_with('~'));
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
