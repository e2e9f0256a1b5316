//! The pods of an experiment: the trace's in an order drawn by chance, and copies of some until enough is asked for.

use super::go_random::GoRandom;
use super::trace::{Table, Trace, TraceError, TracePod};
use crate::kube::scheduler::gpu::{TypicalPod, TypicalPodsConfig, WorkloadPod, typical_pods};

/// What comes in which order, and which of equally good nodes is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// In the order in which they come.
    pub pods: Vec<TracePod>,
    /// For each node of the trace, in its order: of the best nodes, the one with the lowest rank is taken.
    pub ranks: Vec<u32>,
    /// What fragmentation is measured against: the trace's most frequent sizes of pods.
    pub typical: Vec<TypicalPod>,
}

/// Numbers that the authors' program draws between its pods and its nodes: each of the ten watchers of its client
/// library draws one for its back-off when it starts.
const DRAWN_BY_WATCHERS: usize = 10;

impl Workload {
    /// The workload of the authors' experiment with this seed (theirs are 42 to 51).
    ///
    /// `tune_ratio` is how many times the cluster's GPUs are asked for in all: copies of pods are added, or pods taken
    /// away, until it is so; 0 leaves the trace as it is.
    pub fn new(trace: &Trace, seed: i64, tune_ratio: f64) -> Self {
        let mut random = GoRandom::new(seed);
        // They print a number first.
        random.next_u64();
        let mut pods = trace.pods.clone();
        random.shuffle(&mut pods);
        if tune_ratio > 0.0 {
            tune(&mut pods, trace, tune_ratio, &mut random);
        }
        for _ in 0..DRAWN_BY_WATCHERS {
            random.next_u64();
        }
        let ranks = random.permutation(trace.nodes.len() as u32);
        let sizes: Vec<_> = trace.pods.iter().map(size).collect();
        Self { pods, ranks, typical: typical_pods(&sizes, &TypicalPodsConfig::default()) }
    }
}

impl Workload {
    /// Takes the pods in the order of a list with a column `pod`; `NAME-tuned-N` is a copy of the trace's pod `NAME`.
    ///
    /// # Errors
    ///
    /// A column that is missing, or a pod that the trace does not have. The workload is then as it was.
    pub fn order(&mut self, trace: &Trace, list: &str) -> Result<(), TraceError> {
        let table = Table::new(ORDER, list, &["pod"])?;
        let mut pods = Vec::new();
        for row in table.rows() {
            let name = row.text("pod");
            let original = name.split_once("-tuned-").map_or(name, |(original, _)| original);
            let at = trace.pods.binary_search_by(|pod| pod.name.as_str().cmp(original));
            let at =
                at.map_err(|_| row.wrong("pod", "a pod of the trace, or NAME-tuned-N for a copy of one"))?;
            pods.push(TracePod { name: name.to_owned(), ..trace.pods[at].clone() });
        }
        if pods.is_empty() {
            return Err(TraceError::Empty { list: ORDER });
        }
        self.pods = pods;
        Ok(())
    }

    /// Takes the ranks of nodes from a list with the columns `node` and `node_rank`.
    ///
    /// # Errors
    ///
    /// A column that is missing, a value that is not a number, a node that the trace does not have, or one of the
    /// trace without a rank. The workload is then as it was.
    pub fn rank(&mut self, trace: &Trace, list: &str) -> Result<(), TraceError> {
        let table = Table::new(RANKS, list, &["node", "node_rank"])?;
        let mut ranks = vec![None; trace.nodes.len()];
        for row in table.rows() {
            let name = row.text("node");
            let at = trace.nodes.binary_search_by(|node| node.name.as_str().cmp(name));
            let at = at.map_err(|_| row.wrong("node", "a node of the trace"))?;
            ranks[at] = Some(row.number("node_rank", u64::from(u32::MAX), "a rank, from 0")? as u32);
        }
        if let Some(at) = ranks.iter().position(Option::is_none) {
            return Err(TraceError::Missing { list: RANKS, name: trace.nodes[at].name.clone() });
        }
        self.ranks = ranks.into_iter().flatten().collect();
        Ok(())
    }
}

const ORDER: &str = "order of pods";
const RANKS: &str = "ranks of nodes";

fn size(pod: &TracePod) -> WorkloadPod {
    WorkloadPod {
        milli_cpu: pod.milli_cpu,
        milli_gpu: pod.milli_gpu,
        gpu_number: pod.gpus,
        gpu_type: pod.gpu_spec.clone(),
    }
}

fn tune(pods: &mut Vec<TracePod>, trace: &Trace, ratio: f64, random: &mut GoRandom) {
    let wanted = ratio * trace.total_milli_gpu() as f64;
    let mut asked: i64 = pods.iter().map(TracePod::total_milli_gpu).sum();
    if asked == 0 {
        // No copy would ever bring it nearer.
        return;
    }
    if asked as f64 > wanted {
        while asked as f64 > wanted && !pods.is_empty() {
            let pod = pods.remove(random.below(pods.len() as u32) as usize);
            asked -= pod.total_milli_gpu();
        }
    } else if (asked as f64) < wanted {
        for copy in 0.. {
            let mut pod = trace.pods[random.below(trace.pods.len() as u32) as usize].clone();
            // So the authors' program decides: by one GPU of the pod, though it counts all of them.
            if (asked + i64::from(pod.milli_gpu)) as f64 > wanted {
                break;
            }
            asked += pod.total_milli_gpu();
            pod.name = format!("{}-tuned-{copy}", pod.name);
            pods.push(pod);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        let nodes = "sn,cpu_milli,memory_mib,gpu,model\na,1,1,2,T4\nb,1,1,2,T4\n";
        let mut pods = "name,cpu_milli,num_gpu,gpu_milli\n".to_owned();
        for pod in 0..10 {
            pods += &format!("p{pod},1000,1,{}\n", 100 * (pod % 3 + 1));
        }
        Trace::read(nodes, &pods).unwrap()
    }

    #[test]
    fn copies_come_until_enough_is_asked_for_and_pods_go_until_it_is_no_more() {
        let trace = trace();
        let asked = |ratio| {
            let workload = Workload::new(&trace, 42, ratio);
            let asked: i64 = workload.pods.iter().map(TracePod::total_milli_gpu).sum();
            (workload, asked)
        };
        let (plain, sum) = asked(0.0);
        assert_eq!((plain.pods.len(), sum), (10, 1900));
        let (more, sum) = asked(1.3);
        assert!((4901..=5200).contains(&sum), "{sum}");
        assert!(more.pods[10].name.ends_with("-tuned-0"), "{:?}", more.pods[10]);
        let (less, sum) = asked(0.2);
        assert!(sum <= 800 && less.pods.len() < 10, "{sum}");
        assert_eq!(asked(1.3).0, more);
    }
}
