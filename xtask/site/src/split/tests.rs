//! Modules that are divided, and run in an interpreter.

use wasmi::{Engine, Extern, Linker, Store};

use super::*;

/// What the text of a module says, with `load_rest`, which tells the host.
fn module(functions: &str) -> Vec<u8> {
    let load = r#"(import "host" "load" (func $load)) (func $load_rest (export "load_rest") call $load)"#;
    wat::parse_str(format!("(module {load} (memory 1) (global $count (mut i32) (i32.const 0)) {functions})"))
        .unwrap()
}

/// All points of the functions with these names but their first as if they never ran, except those that the mask has.
fn later(wasm: &[u8], never: &[&str], partly: &[&str], mask: usize) -> Later {
    let functions = counting(wasm).unwrap().1;
    let points: Vec<Vec<bool>> = functions
        .iter()
        .map(|function| match function.name.as_str() {
            name if never.contains(&name) => vec![false; function.points],
            name if partly.contains(&name) => {
                (0..function.points).map(|point| point == 0 || mask & (1 << (point % 16)) != 0).collect()
            }
            _ => vec![true; function.points],
        })
        .collect();
    let ran: Vec<Ran<'_>> = functions
        .iter()
        .zip(&points)
        .map(|(function, points)| Ran { name: &function.name, size: function.size, points })
        .collect();
    Later::parse(&Later::format(&ran)).unwrap()
}

/// The two parts, in a store that counts how often the second was asked for.
struct Running {
    store: Store<u32>,
    linker: Linker<u32>,
    first: wasmi::Instance,
    rest: Option<Vec<u8>>,
}

impl Running {
    fn new(first: &[u8], rest: Option<Vec<u8>>) -> Self {
        let engine = Engine::default();
        let mut store = Store::new(&engine, 0);
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap("host", "load", |mut caller: wasmi::Caller<'_, u32>| *caller.data_mut() += 1)
            .unwrap();
        let first = wasmi::Module::new(&engine, first).unwrap();
        let first = linker.instantiate_and_start(&mut store, &first).unwrap();
        Self { store, linker, first, rest }
    }

    /// Brings the second module, which a page does when it is asked to.
    fn bring(&mut self) {
        let Some(rest) = self.rest.take() else { return };
        let exports: Vec<(String, Extern)> = self
            .first
            .exports(&self.store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        for (name, item) in exports {
            self.linker.define(FIRST, &name, item).unwrap();
        }
        let rest = wasmi::Module::new(self.store.engine(), &rest).unwrap();
        self.linker.instantiate_and_start(&mut self.store, &rest).unwrap();
    }

    fn call(&mut self, argument: i32) -> Result<i32, wasmi::Error> {
        self.first.get_typed_func::<i32, i32>(&self.store, "f").unwrap().call(&mut self.store, argument)
    }
}

const SEVERAL: &str = "
    (func $often (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $seldom_too (param i32) (result i32) (i32.add (local.get 0) (i32.const 10)))
    (func $seldom (param i32) (result i32)
      (i32.add (call $often (local.get 0)) (call $seldom_too (i32.const 100))))
    (func (export \"f\") (param i32) (result i32)
      (i32.add (call $seldom (local.get 0)) (call $often (i32.const 1000))))";

#[test]
fn a_function_that_was_moved_is_called_in_the_second_module_and_calls_back_into_the_first() {
    let wasm = module(SEVERAL);
    let parts = split(&wasm, &later(&wasm, &["seldom", "seldom_too"], &[], 0)).unwrap();
    let mut running = Running::new(&parts.first, Some(parts.rest));
    assert!(running.call(0).is_err(), "nobody has brought the second module");
    assert_eq!(*running.store.data(), 1, "the host was asked for it");
    running.bring();
    assert_eq!(running.call(0).unwrap(), 1 + 110 + 1001);
    assert_eq!(*running.store.data(), 1, "the host is asked once");
}

#[test]
fn nothing_is_moved_that_the_list_does_not_name() {
    let all = split(&module(SEVERAL), &Later::default()).unwrap();
    let names = Module::from_buffer(&all.rest).unwrap().funcs.iter_local().count();
    assert_eq!(names, 0);
}

#[test]
fn a_module_that_counts_notes_the_points_that_were_passed() {
    let wasm = module(
        "(func $choice (export \"f\") (param i32) (result i32)
           (if (local.get 0) (then (return (i32.const 1))) (else (global.set $count (i32.const 2))))
           i32.const 3)",
    );
    let (counting, functions) = counting(&wasm).unwrap();
    let shown: Vec<_> = functions.iter().map(|function| (function.name.as_str(), function.points)).collect();
    assert_eq!(shown, [("load_rest", 1), ("choice", 4)]);
    let mut running = Running::new(&counting, None);
    running.call(0).unwrap();
    let memory = running.first.get_memory(&running.store, RAN).unwrap();
    assert_eq!(memory.data(&running.store)[..5], [0, 1, 0, 1, 1], "not load_rest, and not the first branch");
}

/// The function gives the same, and leaves the same in the global, whatever of it was taken out.
#[track_caller]
fn check(body: &str) {
    let filler = "(global.set $count (i32.add (global.get $count) (i32.const 1)))".repeat(6);
    let body = body.replace("FILL", &filler);
    let read = "(func (export \"g\") (param i32) (result i32) global.get $count)";
    let wasm = module(&format!("{read} (func $f (export \"f\") (param i32) (result i32) {body})"));
    let inputs = -2..14;
    let run = |running: &mut Running| -> Vec<Option<(i32, i32)>> {
        let one = |input| {
            let result = running.call(input).ok()?;
            let count = running.first.get_typed_func::<i32, i32>(&running.store, "g").unwrap();
            Some((result, count.call(&mut running.store, 0).unwrap()))
        };
        inputs.clone().map(one).collect()
    };
    let expected = run(&mut Running::new(&wasm, None));
    assert!(expected.iter().any(Option::is_some), "it gives something");
    let mut taken_out = 0;
    for mask in 0..1 << 10 {
        let parts = split(&wasm, &later(&wasm, &[], &["f"], mask)).unwrap();
        taken_out += Module::from_buffer(&parts.rest).unwrap().funcs.iter_local().count();
        let mut running = Running::new(&parts.first, Some(parts.rest));
        running.bring();
        assert_eq!(run(&mut running), expected, "mask {mask:b}");
    }
    assert!(taken_out > 0, "something was taken out");
}

#[test]
fn a_branch_that_was_taken_out_gives_back_what_it_set() {
    check(
        "(local i32 i64) (local.set 1 (i32.const 5))
         (if (i32.gt_s (local.get 0) (i32.const 3))
           (then FILL (local.set 1 (i32.mul (local.get 0) (i32.const 3))) (local.set 2 (i64.const 7)))
           (else FILL (local.set 2 (i64.const 9))))
         (i32.add (local.get 1) (i32.wrap_i64 (local.get 2)))",
    );
}

#[test]
fn ways_out_of_a_part_lead_where_they_led() {
    check(
        "(local i32)
         (block $out (block $skip
           (if (i32.gt_s (local.get 0) (i32.const 3))
             (then FILL (local.set 1 (i32.const 40))
               (br_if $skip (i32.eq (local.get 0) (i32.const 5)))
               (br_if $out (i32.eq (local.get 0) (i32.const 6)))
               (if (i32.eq (local.get 0) (i32.const 7)) (then (return (i32.const 77))))
               (if (i32.eq (local.get 0) (i32.const 8)) (then unreachable))
               (local.set 1 (i32.add (local.get 1) (i32.const 1)))))
           (local.set 1 (i32.add (local.get 1) (i32.const 100))) FILL)
         (local.set 1 (i32.add (local.get 1) (i32.const 1000))) FILL)
         (local.get 1)",
    );
}

#[test]
fn a_table_of_branches_leads_out_of_a_part_and_stays_in_it() {
    check(
        "(local i32)
         (block $a (block $b (block $c
           (br_if $c (i32.lt_s (local.get 0) (i32.const 1)))
           FILL
           (block $inside (br_table $inside $a $b $c $inside $b (local.get 0)))
           (local.set 1 (i32.const 5)) FILL)
           (local.set 1 (i32.add (local.get 1) (i32.const 10))) FILL)
           (local.set 1 (i32.add (local.get 1) (i32.const 100))) FILL)
         (local.get 1)",
    );
}

#[test]
fn what_a_part_sets_in_one_round_of_a_loop_it_finds_in_the_next() {
    check(
        "(local $i i32) (local $sum i32) (local $inner i32)
         (loop $again
           (if (i32.and (local.get $i) (i32.const 1))
             (then FILL (local.set $inner (i32.add (local.get $inner) (local.get $i)))
               (local.set $sum (i32.add (local.get $sum) (local.get $inner)))
               (br_if $again (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_s (local.get $i) (local.get 0))) FILL)
         (local.get $sum)",
    );
}

#[test]
fn values_are_carried_out_of_a_part() {
    check(
        "(local i32)
         (i32.add (i32.const 1)
           (block $with (result i32)
             (block $else
               (br_if $else (i32.lt_s (local.get 0) (i32.const 4)))
               FILL
               (drop (br_if $with (i32.const 11) (i32.eq (local.get 0) (i32.const 5))))
               (br_if $else (i32.eq (local.get 0) (i32.const 6)))
               (if (i32.eq (local.get 0) (i32.const 7)) (then (return (i32.const 12))))
               (br $with (i32.add (local.get 0) (i32.const 13))))
             FILL
             (if (result i32) (local.get 0) (then FILL (i32.const 14)) (else FILL (local.get 1)))))",
    );
}

#[test]
fn a_local_that_is_set_on_one_way_only_keeps_its_value_on_the_others() {
    check(
        "(local i32 f64)
         (local.set 1 (i32.const 3)) (local.set 2 (f64.const 2.5))
         (block $out
           (br_if $out (i32.lt_s (local.get 0) (i32.const 2)))
           FILL
           (block $in
             (br_if $in (i32.lt_s (local.get 0) (i32.const 5)))
             (local.set 1 (i32.const 4))
             (br_if $out (i32.lt_s (local.get 0) (i32.const 8)))
             (local.set 2 (f64.const 9)))
           FILL)
         (i32.add (local.get 1) (i32.trunc_f64_s (local.get 2)))",
    );
}
