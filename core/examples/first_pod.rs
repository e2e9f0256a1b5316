//! The life of a pod: from a manifest to the output of `nvidia-smi`.
//!
//! `cargo run --example first_pod -p clusterlab`

use std::time::Duration;

use clusterlab::lab::{Lab, LabSpec, SpecError};
use k8s_openapi::api::core::v1::Pod;

const POD: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: cuda
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04
    command: [nvidia-smi]
    resources:
      limits:
        nvidia.com/gpu: 1
";

fn main() -> Result<(), SpecError> {
    let spec =
        LabSpec::from_yaml("nodes:\n- {name: gpu-1, system: dgx-h100}\n- {name: cpu-1, system: server}")?;
    let mut lab = Lab::new(spec)?;
    lab.write_file("pod.yaml", POD);
    for command in ["kubectl get nodes", "kubectl apply -f pod.yaml", "kubectl get pods"] {
        show(&mut lab, command);
    }
    lab.run_until(Duration::from_secs(600), |lab| {
        let pod = lab.api().read::<Pod>("default", "cuda");
        let phase = pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref());
        matches!(phase, Some("Succeeded" | "Failed"))
    });
    for command in ["kubectl get pods -o wide", "kubectl events", "kubectl logs cuda"] {
        show(&mut lab, command);
    }
    println!("# {} of virtual time, journal {}", lab.now(), lab.digest());
    Ok(())
}

fn show(lab: &mut Lab, command: &str) {
    let output = lab.run(command);
    println!("$ {command}\n{}{}", output.stdout, output.stderr);
}
