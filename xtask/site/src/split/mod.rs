//! Two modules from one: what a first visit runs, and the rest, which is fetched when something of it is called.
//!
//! Functions that never ran while the first exercise was done ([`profile`]), and parts of functions that did not
//! ([`outline`]), are moved to a second module over the same memory and tables. In the first a call to one of them becomes
//!
//! ```text
//! ...                    ; the arguments
//! call $rest_is_here     ; once: load_rest(), JavaScript that instantiates the second module
//! i32.const SLOT
//! call_indirect $rest    ; a table that the second module has filled
//! ```
//!
//! where it is called from one or two places, or else a call to a stub that does so. Nothing depends on the list being
//! right: what is missing from it stays in the first module, and what is on it and is called brings the second. Emscripten's
//! `SPLIT_MODULE` moves functions in the same manner; Binaryen, which does it there, is a C++ program that this project's
//! visitors would have to install.

mod flow;
mod outline;
mod points;
mod profile;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter::zip;

pub use self::profile::{Later, Ran};
use anyhow::{Context, Result};
use walrus::ir::{self, Visitor, dfs_in_order};

use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, FunctionKind, GlobalKind,
    ImportKind, ImportedFunction, Module, ModuleConfig, RefType, ValType,
};

/// The function that fetches the second module, by the name under which the lab exports it.
const LOAD: &str = "load_rest";
/// The first module's export that the second fills, and the second's name for the first.
const SLOTS: &str = "rest";
const FIRST: &str = "0";
/// The memory that a module that counts exports: a byte for each point, which is 1 when it was passed.
pub const RAN: &str = "ran";
const PAGE: usize = 0x1_0000;

/// The two modules.
pub struct Parts {
    /// What is loaded at once.
    pub first: Vec<u8>,
    /// What is loaded when a stub is called.
    pub rest: Vec<u8>,
}

/// The readable name of a function in the module.
fn readable(mangled: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(mangled))
}

fn parse(wasm: &[u8], with_names: bool) -> Result<Module> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(with_names).generate_producers_section(false);
    config.parse(wasm).context("the module cannot be read")
}

/// A function of a module that counts.
#[derive(Debug)]
pub struct Counted {
    /// Its readable name.
    pub name: String,
    /// How many instructions it has.
    pub size: u64,
    /// How many points. Those of all functions follow each other in the memory [`RAN`].
    pub points: usize,
}

/// A module that notes how its functions ran, and the functions in their order.
///
/// # Errors
/// When the module cannot be read.
pub fn counting(wasm: &[u8]) -> Result<(Vec<u8>, Vec<Counted>)> {
    let mut module = parse(wasm, false)?;
    let mut points = BTreeMap::new();
    let mut functions = Vec::new();
    for (id, local) in module.funcs.iter_local() {
        let name = readable(module.funcs.get(id).name.as_deref().unwrap_or_default());
        let here = points::points(&module, local);
        functions.push(Counted { name, size: local.size(), points: here.len() });
        points.insert(id, here);
    }
    let bytes: usize = functions.iter().map(|function| function.points).sum();
    let pages = bytes.div_ceil(PAGE) as u64;
    let memory = module.memories.add_local(false, false, pages, Some(pages), None);
    module.exports.add(RAN, memory);
    let mut address = 0;
    for (id, points) in points {
        let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
        let mut points: Vec<_> = points.into_iter().zip(address..).collect();
        address += points.len() as i32;
        // From the last to the first of a sequence: places before stay what they are.
        points.sort_by_key(|(point, _)| std::cmp::Reverse(point.at));
        for (point, address) in points {
            let mut sequence = function.builder_mut().instr_seq(point.seq);
            let (kind, arg) = (ir::StoreKind::I32_8 { atomic: false }, ir::MemArg { align: 1, offset: 0 });
            sequence.instr_at(point.at, ir::Store { memory, kind, arg });
            sequence.instr_at(point.at, ir::Const { value: ir::Value::I32(1) });
            sequence.instr_at(point.at, ir::Const { value: ir::Value::I32(address) });
        }
    }
    Ok((module.emit_wasm(), functions))
}

/// Splits the module.
///
/// # Errors
/// When the module cannot be read, or does not export `load_rest`.
pub fn split(wasm: &[u8], later: &Later) -> Result<Parts> {
    let mut whole = parse(wasm, true)?;
    outline::outline(&mut whole, later);
    let whole = whole.emit_wasm();
    let (mut first, mut rest) = (parse(&whole, false)?, parse(&whole, false)?);
    let load = first.exports.get_func(LOAD).context("the lab's module does not say how to load the rest")?;
    let moved = moved(&first, later, load);
    let slots = slots(&first, &moved);
    let twins = Twins::new(&first, &rest);
    let moved_in_rest = moved.iter().map(|id| twins.functions[id]).collect();
    let slots_in_rest = slots.iter().map(|(id, slot)| (twins.functions[id], *slot)).collect();
    keep_rest(&mut rest, &moved_in_rest, &slots_in_rest);
    for import in rest.imports.iter() {
        if let Some(item) = twins.items.get(&import.kind) {
            first.exports.add(&import.name, *item);
        }
    }
    keep_first(&mut first, &moved, &slots, load);
    Ok(Parts { first: first.emit_wasm(), rest: rest.emit_wasm() })
}

/// Both modules come from one text: what stands at some place in one stands there in the other. walrus tells their ids
/// apart all the same.
struct Twins {
    /// From the first to the rest.
    functions: BTreeMap<FunctionId, FunctionId>,
    /// From what the rest imports to what the first exports.
    items: HashMap<ImportKind, ExportItem>,
}

impl Twins {
    fn new(first: &Module, rest: &Module) -> Self {
        let functions: BTreeMap<FunctionId, FunctionId> =
            zip(first.funcs.iter(), rest.funcs.iter()).map(|(first, rest)| (first.id(), rest.id())).collect();
        let mut items: HashMap<ImportKind, ExportItem> = functions
            .iter()
            .map(|(first, rest)| (ImportKind::Function(*rest), ExportItem::Function(*first)))
            .collect();
        items.extend(
            zip(first.memories.iter(), rest.memories.iter())
                .map(|(first, rest)| (ImportKind::Memory(rest.id()), ExportItem::Memory(first.id()))),
        );
        items.extend(
            zip(first.globals.iter(), rest.globals.iter())
                .map(|(first, rest)| (ImportKind::Global(rest.id()), ExportItem::Global(first.id()))),
        );
        items.extend(
            zip(first.tables.iter(), rest.tables.iter())
                .map(|(first, rest)| (ImportKind::Table(rest.id()), ExportItem::Table(first.id()))),
        );
        Self { functions, items }
    }
}

/// The functions that go to the second module.
fn moved(module: &Module, later: &Later, load: FunctionId) -> BTreeSet<FunctionId> {
    let called_by_load = callees(module, load);
    let name = |id: FunctionId| module.funcs.get(id).name.as_deref().map(readable);
    module
        .funcs
        .iter_local()
        .map(|(id, _)| id)
        .filter(|id| *id != load && !called_by_load.contains(id) && Some(*id) != module.start)
        .filter(|id| name(*id).is_some_and(|name| name == outline::PART || later.has(&name)))
        .collect()
}

#[derive(Default)]
struct Callees(BTreeSet<FunctionId>);

impl Visitor<'_> for Callees {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.0.insert(*function);
    }
}

fn callees(module: &Module, id: FunctionId) -> BTreeSet<FunctionId> {
    let mut callees = Callees::default();
    if let FunctionKind::Local(function) = &module.funcs.get(id).kind {
        dfs_in_order(&mut callees, function, function.entry_block());
    }
    callees.0
}

/// Those of the moved functions that the first module knows, by their place in the table between the two.
fn slots(module: &Module, moved: &BTreeSet<FunctionId>) -> BTreeMap<FunctionId, u32> {
    let mut known = BTreeSet::new();
    for (id, _) in module.funcs.iter_local().filter(|(id, _)| !moved.contains(id)) {
        known.extend(callees(module, id));
    }
    for element in module.elements.iter() {
        if let ElementItems::Functions(functions) = &element.items {
            known.extend(functions);
        }
    }
    known.extend(module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) => Some(id),
        _ => None,
    }));
    known.retain(|id| moved.contains(id));
    known.into_iter().zip(0..).collect()
}

/// Makes of the module the second one: moved functions stay, everything else comes from the first.
fn keep_rest(rest: &mut Module, moved: &BTreeSet<FunctionId>, slots: &BTreeMap<FunctionId, u32>) {
    let mut names = (0..).map(short_name);
    let mut name = || names.next().unwrap_or_default();
    for id in rest.exports.iter().map(walrus::Export::id).collect::<Vec<_>>() {
        rest.exports.delete(id);
    }
    rest.start = None;
    for id in rest.elements.iter().map(walrus::Element::id).collect::<Vec<_>>() {
        rest.elements.delete(id);
    }
    for id in rest.data.iter().map(walrus::Data::id).collect::<Vec<_>>() {
        rest.data.delete(id);
    }
    let used: BTreeSet<FunctionId> = moved.iter().flat_map(|id| callees(rest, *id)).collect();
    for function in rest.funcs.iter_mut().filter(|function| !moved.contains(&function.id())) {
        let (id, ty) = (function.id(), function.ty());
        if let FunctionKind::Import(old) = &function.kind {
            let import = rest.imports.get_mut(old.import);
            FIRST.clone_into(&mut import.module);
            import.name = if used.contains(&id) { name() } else { String::new() };
        } else if used.contains(&id) {
            let import = rest.imports.add(FIRST, &name(), id);
            function.kind = FunctionKind::Import(ImportedFunction { import, ty });
        }
    }
    for memory in rest.memories.iter_mut() {
        memory.data_segments.clear();
        memory.import = Some(rest.imports.add(FIRST, &name(), memory.id()));
    }
    for table in rest.tables.iter_mut() {
        table.elem_segments.clear();
        table.import = Some(rest.imports.add(FIRST, &name(), table.id()));
    }
    for id in rest.globals.iter().map(walrus::Global::id).collect::<Vec<_>>() {
        rest.globals.get_mut(id).kind = GlobalKind::Import(rest.imports.add(FIRST, &name(), id));
    }
    let count = slots.len() as u64;
    let (table, _) = rest.add_import_table(FIRST, SLOTS, false, count, Some(count), RefType::FUNCREF);
    let mut in_order: Vec<FunctionId> = slots.keys().copied().collect();
    in_order.sort_by_key(|id| slots[id]);
    let offset = ConstExpr::Value(ir::Value::I32(0));
    let filled = ElementKind::Active { table, offset };
    let filled = rest.elements.add(filled, ElementItems::Functions(in_order));
    rest.tables.get_mut(table).elem_segments.insert(filled);
    walrus::passes::gc::run(rest);
}

/// Makes of the module the first one: moved functions become stubs.
fn keep_first(
    first: &mut Module,
    moved: &BTreeSet<FunctionId>,
    slots: &BTreeMap<FunctionId, u32>,
    load: FunctionId,
) {
    let count = slots.len() as u64;
    let table = first.tables.add_local(false, count, Some(count), RefType::FUNCREF);
    first.exports.add(SLOTS, table);
    let is_here = first.globals.add_local(ValType::I32, true, false, ConstExpr::Value(ir::Value::I32(0)));
    let mut rest_is_here = FunctionBuilder::new(&mut first.types, &[], &[]);
    rest_is_here.func_body().global_get(is_here).if_else(
        None,
        |_| {},
        |absent| {
            absent.call(load).i32_const(1).global_set(is_here);
        },
    );
    let rest_is_here = rest_is_here.finish(vec![], &mut first.funcs);
    let often = called_often(first, moved);
    let ids: Vec<FunctionId> =
        first.funcs.iter_local().map(|(id, _)| id).filter(|id| !moved.contains(id)).collect();
    for id in ids {
        let call = |module: &Module, callee: &FunctionId| {
            let slot = slots.get(callee).filter(|_| !often.contains(callee))?;
            let ty = module.funcs.get(*callee).ty();
            let value = ir::Value::I32(*slot as i32);
            let to_rest: [ir::Instr; 3] = [
                ir::Call { func: rest_is_here }.into(),
                ir::Const { value }.into(),
                ir::CallIndirect { ty, table }.into(),
            ];
            Some(to_rest)
        };
        replace_calls(first, id, call);
    }
    for id in moved.intersection(&often) {
        let Some(slot) = slots.get(id) else { continue };
        let ty = first.funcs.get(*id).ty();
        let (params, results) = first.types.params_results(ty);
        let (params, results) = (params.to_vec(), results.to_vec());
        let arguments: Vec<_> = params.iter().map(|param| first.locals.add(*param)).collect();
        let mut stub = FunctionBuilder::new(&mut first.types, &params, &results);
        let mut body = stub.func_body();
        body.call(rest_is_here);
        for argument in &arguments {
            body.local_get(*argument);
        }
        body.i32_const(*slot as i32).call_indirect(ty, table);
        first.funcs.get_mut(*id).kind = FunctionKind::Local(stub.local_func(arguments));
    }
    walrus::passes::gc::run(first);
}

/// Those of the moved functions that need a stub: they are called from more than two places, or not by name alone.
fn called_often(module: &Module, moved: &BTreeSet<FunctionId>) -> BTreeSet<FunctionId> {
    let mut calls = Calls::default();
    for (id, function) in module.funcs.iter_local() {
        if !moved.contains(&id) {
            dfs_in_order(&mut calls, function, function.entry_block());
        }
    }
    let mut often: BTreeSet<FunctionId> =
        calls.0.into_iter().filter(|(_, count)| *count > 2).map(|(id, _)| id).collect();
    for element in module.elements.iter() {
        if let ElementItems::Functions(functions) = &element.items {
            often.extend(functions);
        }
    }
    often.extend(module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) => Some(id),
        _ => None,
    }));
    often
}

/// How often each function is called.
#[derive(Default)]
struct Calls(BTreeMap<FunctionId, usize>);

impl Visitor<'_> for Calls {
    fn visit_function_id(&mut self, function: &FunctionId) {
        *self.0.entry(*function).or_default() += 1;
    }
}

/// Puts other instructions in the place of calls in a function.
fn replace_calls<const N: usize>(
    module: &mut Module,
    id: FunctionId,
    call: impl Fn(&Module, &FunctionId) -> Option<[ir::Instr; N]>,
) {
    let mut open = vec![module.funcs.get(id).kind.unwrap_local().entry_block()];
    while let Some(seq) = open.pop() {
        let function = module.funcs.get(id).kind.unwrap_local();
        let mut instrs = Vec::new();
        let mut changed = false;
        for (instr, location) in &function.block(seq).instrs {
            open.extend(outline::nested(instr));
            let other = match instr {
                ir::Instr::Call(ir::Call { func }) => call(module, func),
                _ => None,
            };
            changed |= other.is_some();
            match other {
                Some(other) => instrs.extend(other.map(|instr| (instr, *location))),
                None => instrs.push((instr.clone(), *location)),
            }
        }
        if changed {
            module.funcs.get_mut(id).kind.unwrap_local_mut().block_mut(seq).instrs = instrs;
        }
    }
}

/// Names of one or two letters: there are thousands, and the first visit downloads them.
fn short_name(mut number: u32) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$_";
    let mut name = String::from(":");
    loop {
        name.push(char::from(LETTERS[number as usize % LETTERS.len()]));
        number /= LETTERS.len() as u32;
        if number == 0 {
            return name;
        }
    }
}

#[cfg(test)]
mod tests;
