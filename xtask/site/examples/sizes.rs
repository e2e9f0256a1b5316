use std::collections::*;
use walrus::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let m = Module::from_buffer(&std::fs::read(&a[1]).unwrap()).unwrap();
    let later: HashSet<String> = std::fs::read_to_string(&a[2])
        .unwrap()
        .lines()
        .filter(|l| !l.starts_with('#'))
        .flat_map(|l| l.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for (_, f) in
        m.funcs.iter_local().map(|(i, l)| (i, (m.funcs.get(i).name.clone().unwrap_or_default(), l.size())))
    {
        let n = format!("{:#}", rustc_demangle::demangle(&f.0));
        let h = n.bytes().fold(0x811c_9dc5u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        println!("{} {} {}", if later.contains(&format!("{h:08x}")) { "L" } else { "F" }, f.1, n);
    }
}
