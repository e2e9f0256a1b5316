use super::super::testing::World;
use super::*;
use crate::hardware::GpuFault;

const IMAGE: &str = "pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime";

#[test]
fn a_run_takes_as_long_as_it_says_and_prints_as_it_goes() {
    let mut world = World::new(IMAGE, &[0]);
    let (stdout, stderr, code) = world.run("python train.py --epochs 2 --steps-per-epoch 50 --step-time 0.2");
    // 0.3 + 2.2 x steps / (steps + step), and noise of at most 5 % of the second term.
    insta::assert_snapshot!(stdout, @r"
    Training on 1 x NVIDIA H100 80GB HBM3
    epoch 1/2 step 20/50 loss 1.9244 320.0 samples/s
    epoch 1/2 step 40/50 loss 1.5414 320.0 samples/s
    epoch 1/2 step 50/50 loss 1.4043 320.0 samples/s
    epoch 1/2 done in 10.0 s, loss 1.4043
    epoch 2/2 step 20/50 loss 1.2314 320.0 samples/s
    epoch 2/2 step 40/50 loss 1.1071 320.0 samples/s
    epoch 2/2 step 50/50 loss 1.0649 320.0 samples/s
    epoch 2/2 done in 10.0 s, loss 1.0649
    Training finished: 2 epochs, 100 steps, final loss 1.0649
    ");
    assert_eq!((stderr.as_str(), code), ("", 0));
    assert_eq!(world.now, SimTime::from_secs(2 + 20));
    assert!(world.node.gpus[0].processes().is_empty());
}

#[test]
fn while_it_runs_its_gpus_are_busy() {
    let check = |command: &str, gpus: &[usize], busy: &[usize]| {
        let mut world = World::new(IMAGE, gpus);
        let mut program = world.start(command).unwrap();
        assert_eq!(world.run_until(&mut program, SimTime::from_secs(10)), None);
        for (i, gpu) in world.node.gpus.iter().enumerate() {
            let expect = if busy.contains(&i) { (80, 20481) } else { (0, 1) };
            assert_eq!((gpu.utilization_percent(), gpu.used_mib()), expect, "{command}: GPU {i}");
        }
        assert_eq!(world.signal(&mut program, Signal::Term), Some(0));
        assert!(world.node.gpus.iter().all(|gpu| gpu.processes().is_empty()));
    };
    let flags = "--gpu-util 80 --gpu-memory 20GiB";
    check(&format!("python train.py {flags}"), &[1, 4, 6], &[1]);
    check(&format!("python train.py {flags} --gpus 2"), &[1, 4, 6], &[1, 4]);
    check(&format!("python train.py {flags} --gpus all"), &[1, 4, 6], &[1, 4, 6]);
    check(&format!("python train.py {flags} --device cpu"), &[1], &[]);
    check(&format!("torchrun --nproc_per_node=2 train.py {flags}"), &[1, 4, 6], &[1, 4]);
    check(&format!("torchrun --standalone --nproc-per-node gpu train.py {flags}"), &[1, 4, 6], &[1, 4, 6]);
    check(
        &format!("python -m torch.distributed.run --nproc-per-node 3 train.py {flags}"),
        &[1, 4, 6],
        &[1, 4, 6],
    );
}

#[test]
fn what_goes_wrong_ends_with_pytorchs_error_and_one() {
    let check = |command: &str, gpus: &[usize], env: Option<&str>, expect: &str| {
        let mut world = World::new(IMAGE, gpus);
        world.env.extend(env.map(|value| ("CUDA_VISIBLE_DEVICES".to_owned(), value.to_owned())));
        let (_, stderr, code) = world.run(command);
        assert!(stderr.contains(expect), "{command}: {stderr}");
        assert_eq!(code, 1, "{command}");
        assert!(world.node.gpus.iter().all(|gpu| gpu.processes().is_empty()), "{command}");
    };
    check("python train.py", &[], None, "RuntimeError: Found no NVIDIA driver on your system.");
    check("python train.py", &[0], Some(""), "RuntimeError: No CUDA GPUs are available");
    check("python train.py --gpus 2", &[0, 1], Some("1"), "RuntimeError: CUDA error: invalid device ordinal");
    check(
        "torchrun --nproc-per-node 2 train.py",
        &[0],
        None,
        "[rank0]: RuntimeError: CUDA error: invalid device ordinal",
    );
    check(
        "python train.py --gpu-memory 100GiB",
        &[0],
        None,
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 99.47 GiB. GPU 0 has a total capacity of 79.20 GiB",
    );
    check("python train.py --oom", &[0], None, "torch.OutOfMemoryError: CUDA out of memory.");
    check("python train.py --fail-at-step 7", &[0], None, "RuntimeError: training failed at step 7");
}

#[test]
fn a_gpu_that_fails_ends_the_run() {
    let check = |fault: GpuFault, expect: &str| {
        let mut world = World::new(IMAGE, &[2]);
        let mut program = world.start("python train.py").unwrap();
        assert_eq!(world.run_until(&mut program, SimTime::from_secs(5)), None);
        world.node.gpus[2].fail(world.now, fault);
        assert_eq!(world.run_until(&mut program, SimTime::MAX), Some(1));
        let stderr = world.take_stderr();
        assert!(stderr.contains(&format!("RuntimeError: CUDA error: {expect}")), "{stderr}");
    };
    check(GpuFault::FallenOffBus, "unspecified launch failure");
    check(GpuFault::UncorrectableEcc, "uncorrectable ECC error encountered");
}

#[test]
fn a_checkpoint_is_taken_up_again() {
    let mut world = World::new(IMAGE, &[0]);
    let command =
        "python train.py --epochs 4 --steps-per-epoch 10 --step-time 1 --checkpoint-dir /ckpt --resume";
    let mut program = world.start(command).unwrap();
    assert_eq!(world.run_until(&mut program, SimTime::from_secs(2 + 15)), None);
    assert_eq!(world.signal(&mut program, Signal::Term), Some(0));
    let saved = String::from_utf8(world.files.read("/ckpt/checkpoint.json").unwrap().to_vec()).unwrap();
    assert!(saved.starts_with("{\"step\": 15, "), "{saved}");
    world.take_stdout();
    let before = world.now;
    let (stdout, _, code) = world.run(command);
    assert!(stdout.contains("Resuming from step 15\n") && stdout.contains("epoch 2/4 done"), "{stdout}");
    assert_eq!((code, world.now - before), (0, Duration::from_secs(2 + 25)));
}

#[test]
fn a_script_of_ones_own_brings_its_own_defaults() {
    let mut world = World::new(IMAGE, &[0]);
    let script =
        "#!/usr/bin/env python\n# clusterlab: train --epochs 1 --steps-per-epoch 4 --step-time 1\nprint(1)\n";
    world.files.write("/workspace/mine.py", script, SimTime::ZERO).unwrap();
    let (stdout, _, code) = world.run("python mine.py --steps-per-epoch 6");
    assert!(stdout.contains("epoch 1/1 done in 6.0 s"), "{stdout}");
    assert_eq!(code, 0);
}

#[test]
fn the_same_seed_gives_the_same_curve_and_the_loss_falls() {
    let run = |seed: u32| World::new(IMAGE, &[0]).run(&format!("python train.py --epochs 2 --seed {seed}")).0;
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    let loss = |line: &str| line.split("loss ").nth(1).unwrap()[..6].parse::<f64>().unwrap();
    let text = run(1);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("loss ")).collect();
    assert!(loss(lines[0]) > loss(lines[lines.len() - 1]) + 0.5, "{text}");
}

#[test]
fn even_an_absurd_run_costs_nothing_between_its_lines() {
    let mut world = World::new(IMAGE, &[0]);
    let command = "python train.py --epochs 18446744073709551615 --steps-per-epoch 18446744073709551615 \
                   --log-every 9000000000000000000 --step-time 0.000001";
    let mut program = world.start(command).unwrap();
    assert_eq!(world.run_until(&mut program, SimTime::from_secs(3600)), None);
    assert_eq!(world.run("torchrun").2, 2);
    assert_eq!(world.run("torchrun --nproc-per-node 0 train.py").2, 1);
    assert_eq!(world.run("torchrun --nnodes 2 train.py").2, 1);
    assert_eq!(world.run("torchrun nosuch.py").2, 2);
}
