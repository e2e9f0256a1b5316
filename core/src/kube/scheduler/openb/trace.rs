//! The files of the trace: a list of nodes and a list of pods, as comma-separated values.

use std::collections::BTreeSet;
use std::str::FromStr;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceNode {
    /// `openb-node-0000`
    pub name: String,
    /// CPU in thousandths of a core.
    pub milli_cpu: i64,
    /// Main memory in MiB.
    pub memory_mib: i64,
    /// How many GPUs.
    pub gpus: u16,
    /// Their model; empty if it has none.
    pub model: String,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracePod {
    /// `openb-pod-0000`
    pub name: String,
    /// CPU in thousandths of a core.
    pub milli_cpu: i64,
    /// Main memory in MiB; none in the lists that do not say.
    pub memory_mib: Option<i64>,
    /// How many GPUs.
    pub gpus: u16,
    /// Of each GPU, in thousandths: 1 to 1000, or 0 for a pod without GPU.
    pub milli_gpu: u16,
    /// Models that will do, as `V100M16|V100M32`; empty: any.
    pub gpu_spec: String,
}

impl TracePod {
    /// Over all its GPUs, in thousandths.
    pub const fn total_milli_gpu(&self) -> i64 {
        self.milli_gpu as i64 * self.gpus as i64
    }
}

/// Nodes and pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// By name.
    pub nodes: Vec<TraceNode>,
    /// By name.
    pub pods: Vec<TracePod>,
}

/// What is wrong with a file of the trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// A column is missing.
    #[error("{list}: line 1: no column {column:?}")]
    NoColumn {
        /// Which list.
        list: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A value that is not what the column holds.
    #[error("{list}: line {line}, column {column:?}: {value:?}: expected {expected}")]
    Value {
        /// Which list.
        list: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// Two nodes or pods of one name.
    #[error("{list}: {name:?} is there twice")]
    Duplicate {
        /// Which list.
        list: &'static str,
        /// The name.
        name: String,
    },
    /// Something that must be in a list is not.
    #[error("{list}: {name:?} is missing")]
    Missing {
        /// Which list.
        list: &'static str,
        /// The name.
        name: String,
    },
    /// No nodes, or no pods.
    #[error("{list}: it is empty")]
    Empty {
        /// Which list.
        list: &'static str,
    },
}

const NODES: &str = "node list";
const PODS: &str = "pod list";

impl Trace {
    /// Reads the list of nodes and a list of pods.
    ///
    /// # Errors
    ///
    /// Where the first mistake is, and what was expected there.
    pub fn read(node_list: &str, pod_list: &str) -> Result<Self, TraceError> {
        let mut nodes = Vec::new();
        let table = Table::new(NODES, node_list, &["sn", "cpu_milli", "memory_mib", "gpu", "model"])?;
        for row in table.rows() {
            nodes.push(TraceNode {
                name: row.text("sn").to_owned(),
                milli_cpu: row.amount("cpu_milli")?,
                memory_mib: row.amount("memory_mib")?,
                gpus: row.number("gpu", 64, "a number from 0 to 64")? as u16,
                model: row.text("model").to_owned(),
            });
        }
        let mut pods = Vec::new();
        let table = Table::new(PODS, pod_list, &["name", "cpu_milli", "num_gpu", "gpu_milli"])?;
        for row in table.rows() {
            let gpus = row.number("num_gpu", 64, "a number from 0 to 64")? as u16;
            let milli = row.amount("gpu_milli")?.min(1000) as u16;
            let memory_mib = if table.has("memory_mib") { Some(row.amount("memory_mib")?) } else { None };
            pods.push(TracePod {
                name: row.text("name").to_owned(),
                milli_cpu: row.amount("cpu_milli")?,
                memory_mib,
                gpus,
                milli_gpu: if gpus == 0 { 0 } else { milli },
                gpu_spec: if gpus == 0 { String::new() } else { row.text("gpu_spec").to_owned() },
            });
        }
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        pods.sort_by(|a, b| a.name.cmp(&b.name));
        check_names(NODES, nodes.iter().map(|node| node.name.as_str()))?;
        check_names(PODS, pods.iter().map(|pod| pod.name.as_str()))?;
        Ok(Self { nodes, pods })
    }

    /// All GPUs, in thousandths.
    pub fn total_milli_gpu(&self) -> i64 {
        self.nodes.iter().map(|node| i64::from(node.gpus) * 1000).sum()
    }
}

fn check_names<'a>(list: &'static str, names: impl Iterator<Item = &'a str>) -> Result<(), TraceError> {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            return Err(TraceError::Duplicate { list, name: name.to_owned() });
        }
    }
    if known.is_empty() { Err(TraceError::Empty { list }) } else { Ok(()) }
}

/// Lines of values under a line of names. The trace quotes nothing.
pub(super) struct Table<'a> {
    list: &'static str,
    header: Vec<&'a str>,
    body: &'a str,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        list: &'static str,
        text: &'a str,
        needed: &[&'static str],
    ) -> Result<Self, TraceError> {
        let text = text.trim_start_matches('\u{feff}');
        let (first, body) = text.split_once('\n').unwrap_or((text, ""));
        let header: Vec<_> = first.trim_end().split(',').collect();
        match needed.iter().find(|column| !header.contains(column)) {
            Some(column) => Err(TraceError::NoColumn { list, column }),
            None => Ok(Self { list, header, body }),
        }
    }

    fn has(&self, column: &str) -> bool {
        self.header.contains(&column)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let lines = (2..).zip(self.body.lines()).filter(|(_, text)| !text.trim().is_empty());
        lines.map(|(line, text)| Row { table: self, line, values: text.trim_end().split(',').collect() })
    }
}

pub(super) struct Row<'a> {
    table: &'a Table<'a>,
    line: usize,
    values: Vec<&'a str>,
}

impl Row<'_> {
    /// The value of a column; empty if the line ends before it.
    pub(super) fn text(&self, column: &str) -> &str {
        let place = self.table.header.iter().position(|known| *known == column);
        place.and_then(|place| self.values.get(place)).copied().unwrap_or_default()
    }

    /// An amount that does not overflow when all are added up.
    fn amount(&self, column: &'static str) -> Result<i64, TraceError> {
        self.number(column, 1 << 40, "a whole number that is not negative").map(|number| number as i64)
    }

    pub(super) fn number(
        &self,
        column: &'static str,
        most: u64,
        expected: &'static str,
    ) -> Result<u64, TraceError> {
        u64::from_str(self.text(column))
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| self.wrong(column, expected))
    }

    /// That the value of a column is not what was expected.
    pub(super) fn wrong(&self, column: &'static str, expected: &'static str) -> TraceError {
        TraceError::Value {
            list: self.table.list,
            line: self.line,
            column,
            value: self.text(column).to_owned(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODE_LIST: &str = "sn,cpu_milli,memory_mib,gpu,model\nb,96000,1024,8,G2\na,64000,512,0,\n";

    #[test]
    fn lists_are_read_by_the_names_of_their_columns() {
        let pods = "name,cpu_milli,num_gpu,gpu_milli\np,4000,1,220\nq,8000,0,0\nr,1000,8,1000\n";
        let trace = Trace::read(NODE_LIST, pods).unwrap();
        assert_eq!(trace.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(trace.total_milli_gpu(), 8000);
        let asked: Vec<_> = trace.pods.iter().map(TracePod::total_milli_gpu).collect();
        assert_eq!(asked, [220, 0, 8000]);
        assert_eq!(trace.pods[0].memory_mib, None);
        let more = "name,gpu_spec,memory_mib,cpu_milli,num_gpu,gpu_milli\np,T4|P100,16,4000,1,220\n";
        let pod = &Trace::read(NODE_LIST, more).unwrap().pods[0];
        assert_eq!((pod.gpu_spec.as_str(), pod.memory_mib), ("T4|P100", Some(16)));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let check = |nodes: &str, pods: &str, expect: &str| {
            assert_eq!(Trace::read(nodes, pods).unwrap_err().to_string(), expect);
        };
        let pods = "name,cpu_milli,num_gpu,gpu_milli\n";
        check("sn,gpu\n", pods, "node list: line 1: no column \"cpu_milli\"");
        let line = format!("{pods}p,4000,1,220\nq,4,x,220\n");
        let expect = "pod list: line 3, column \"num_gpu\": \"x\": expected a number from 0 to 64";
        check(NODE_LIST, &line, expect);
        check(NODE_LIST, &format!("{pods}p,1,0,0\np,2,0,0\n"), "pod list: \"p\" is there twice");
        check(NODE_LIST, pods, "pod list: it is empty");
        let expect =
            "pod list: line 2, column \"cpu_milli\": \"-1\": expected a whole number that is not negative";
        check(NODE_LIST, &format!("{pods}p,-1,0,0\n"), expect);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(nodes in "[a-z0-9,\n]{0,80}", pods in any::<String>()) {
            let _ = Trace::read(&nodes, &pods);
            let _ = Trace::read(NODE_LIST, &format!("name,cpu_milli,num_gpu,gpu_milli\n{pods}"));
        }
    }
}
